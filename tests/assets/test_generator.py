"""A generator's fields."""

from __future__ import annotations

import numpy as np
import pytest
from builders import generator, horizon

from ems.assets.commitment import lags_within
from ems.assets.fuel_curve import runs_of
from ems.assets.generator import Generator
from ems.assets.startup_cost import StartupCost, class_after
from ems.errors import InvalidInput


def points(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    """Points of a fuel curve."""
    return [{"output_kw": output, "cost_per_h": cost} for output, cost in pairs]


def classes(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    """Costs of a start from hot to cold."""
    return [{"offline_h": hours, "cost": cost} for hours, cost in pairs]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_output_kw": 41}, "min_output_kw = 41 kW: must be at most max_output_kw = 40 kW"),
        ({"min_output_kw": -1}, "min_output_kw = -1 kW: must be at least 0 kW"),
        ({"max_output_kw": 0}, "max_output_kw = 0 kW: must be greater than 0 kW"),
        ({"startup_cost": -5}, "startup_cost = -5 currency: must be at least 0"),
        ({"fuel_cost_per_kwh": None}, "fuel_cost_per_kwh = nothing: must be a number"),
        ({"startup_price": 5}, r"startup_price: no such field; did you mean startup_cost\?"),
        (
            {"min_output_kw": 20, "max_startup_kw": 10},
            "max_startup_kw = 10 kW: must be at least min_output_kw = 20 kW",
        ),
        (
            {"initial_output_kw": 5},
            "initial_output_kw = 5 kW: must be 0 kW where initial_is_on = false; set initial_is_on",
        ),
        ({"startup_cost": 5, "startup_costs": classes((0, 9))}, "startup_cost = 5 currency: startup_costs tell it"),
        ({"startup_costs": classes((4, 1), (4, 2))}, "startup_costs: offline_h = 4 h must be greater than the 4 h"),
        (
            {"startup_costs": classes((4, 2), (8, 1))},
            "startup_costs: cost = 1 after 8 h must be at least the 2 of 4 h",
        ),
        ({"cost_curve": points((0, 0), (40, 4))}, "fuel_cost_per_kwh = 0.1 currency/kWh: cost_curve tells it"),
        (
            {"fuel_cost_per_kwh": 0, "cost_curve": points((0, 0), (30, 4))},
            "cost_curve: goes from 0 to 30 kW, but must cover min_output_kw = 0 kW to max_output_kw = 40 kW",
        ),
        (
            {"fuel_cost_per_kwh": 0, "cost_curve": points((0, 0), (40, 4), (40, 5))},
            "cost_curve: output_kw = 40 kW must be greater than the 40 kW before it",
        ),
    ],
)
def test_generator__message_names_field_value_and_bound(fields, message):
    with pytest.raises(InvalidInput, match=f"generator 'generator': {message}"):
        generator(**fields)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, False),
        ({"min_output_kw": 10}, True),
        ({"min_output_kw": 40}, True),
        ({"startup_cost": 1}, True),
        ({"startup_costs": classes((0, 0), (4, 1))}, True),
        ({"shutdown_cost": 1}, True),
        ({"no_load_cost_per_h": 1}, True),
        ({"maintenance_cost_per_h": 1}, True),
        ({"max_startup_kw": 20}, True),
        ({"fuel_cost_per_kwh": 0, "cost_curve": points((0, 1), (40, 5))}, True),
        ({"fuel_cost_per_kwh": 0, "cost_curve": points((0, 0), (40, 5))}, False),
        ({"min_downtime_h": 0.5, "initial_state_h": 0.25}, True),
        ({"min_output_kw": 10, "startup_cost": 1, "is_committable": False}, False),
    ],
)
def test_needs_commitment__only_where_being_on_matters(fields, answer):
    assert generator(**fields).needs_commitment(horizon(1, 1)) is answer


@pytest.mark.parametrize(("uptime_h", "answer"), [(0, False), (1, False), (2, True)])
def test_needs_commitment__minimum_times_longer_than_a_step(uptime_h, answer):
    asset = generator(min_uptime_h=uptime_h)

    assert asset.needs_commitment(horizon(1, 1)) is answer
    assert asset.needs_commitment(horizon(2, 2)) is False


def test_generator__fuel_cost_follows_from_price_and_consumption():
    """0.3 l/kWh at 1.50 a litre are 0.45 a kWh."""
    asset = Generator(id="g", site_id="s", max_output_kw=10, fuel_consumption_l_per_kwh=0.3, fuel_cost_per_l=1.5)

    assert asset.fuel_cost_per_kwh == pytest.approx(0.45)
    assert asset.rated_capacity_kw == 10
    assert "fuel_cost_per_kwh" not in asset.given()


def test_generator__curve_to_a_rounded_output():
    """0.07 x 100 is 7.000000000000001, where a curve may end at 7."""
    asset = generator(max_output_kw=0.07 * 100, fuel_cost_per_kwh=0, cost_curve=points((0, 0), (7, 3)))

    assert asset.max_output_kw > asset.cost_curve[-1].output_kw


def test_generator__fuel_cost_is_nothing_beside_a_curve():
    asset = Generator(id="g", site_id="s", max_output_kw=10, cost_curve=points((0, 0), (10, 3)))

    assert asset.fuel_cost_per_kwh == 0


@pytest.mark.parametrize(
    ("hours", "bound"),
    [(0, [0]), (1, [0]), (1.5, [0, 1]), (2, [0, 1]), (9, [0, 1, 2, 3])],
)
def test_lags_within__spans_the_minimum_time(hours, bound):
    """Steps of 1 h: 2 h reach back one step; 1.5 h too, since a step is not half bound."""
    masks = lags_within(horizon(1, 1, 1, 1), hours)

    assert [lag for lag, mask in enumerate(masks) if mask[3]] == bound
    assert [lag for lag, mask in enumerate(masks) if mask[1]] == [lag for lag in bound if lag <= 1]


def test_lags_within__steps_of_different_length():
    """A start at 0 h binds for 1 h: the quarter hours to 0.75 h, and not the hour that begins at 1 h."""
    masks = lags_within(horizon(0.25, 0.25, 0.25, 0.25, 1, 1), 1)

    assert [[int(mask[t]) for mask in masks] for t in (3, 4, 5)] == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 0]]


@pytest.mark.parametrize(("offline_h", "number"), [(1, 0), (4, 0), (7.9, 0), (8, 1), (11, 1), (12, 2), (np.inf, 2)])
def test_class_after__first_also_holds_for_shorter_times(offline_h, number):
    costs = [StartupCost(offline_h=hours, cost=hours) for hours in (4, 8, 12)]

    assert class_after(costs, np.array([offline_h])).tolist() == [number]


def test_runs_of__a_falling_slope_begins_a_new_run():
    """Slopes 1, 2, 1, 3 over pieces of 10 kW: two runs of two pieces; from 15 kW on the first is one of 5 kW."""
    curve = generator(
        fuel_cost_per_kwh=0, cost_curve=points((0, 5), (10, 15), (20, 35), (30, 45), (40, 75))
    ).cost_curve

    runs = runs_of(curve, 0, 40)
    tail = runs_of(curve, 15, 40)

    assert [run.slopes_per_kwh for run in runs] == [(1, 2), (1, 3)]
    assert [(run.output_kw, run.cost_per_h) for run in runs] == [(0, 5), (20, 35)]
    assert (tail[0].output_kw, tail[0].cost_per_h, tail[0].lengths_kw) == (15, 25, (5,))
