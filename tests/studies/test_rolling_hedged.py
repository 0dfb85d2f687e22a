"""The hedged plan: its programme finds what enumeration finds, and the loop with it keeps every law."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rolling_samples import home_case

from ems.studies.rolling_case import RollingCase
from ems.studies.rolling_forecasts import perfect_tables
from ems.studies.rolling_hedged import Hedged, hedge_simplifications
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_programme import GROUPS, HIGHEST, Exchange, PeakCost, Stage, Store, joined
from ems.studies.rolling_result import RollingResult
from ems.studies.rolling_run import run_policies
from ems.tariffs.demand_charge import DemandCharge, DemandTier
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

MODELS = {"load": "seasonal_naive", "solar": "seasonal_naive", "price": "seasonal_naive"}
MONTHLY = {"demand_charges": (DemandCharge(name="month", rate_per_kw=5.0, minimum_kw=1.0),)}
NEAR = 1e-6


def with_truth_as_forecast(case: RollingCase) -> OwnForecasts:
    wide = case.earlier(28)
    perfect = perfect_tables(wide)
    return OwnForecasts(wide, {key: perfect[key] for key in wide.kinds}, len(wide.decisions) - len(case.decisions))


# ---------------------------------------------------------------------------------------------- programme
LOADS = st.lists(st.floats(-3, 6), min_size=1, max_size=3)


@settings(max_examples=examples(20), deadline=None)
@given(
    loads=st.lists(LOADS, min_size=2, max_size=2),
    bought=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=2),
    sold=st.floats(-0.1, 0.3),
)
def test_stage__finds_what_enumeration_finds(loads, bought, sold) -> None:
    """Two steps of uncertain loads, each seen before it is acted on, over all contents of the grid."""
    store = Store(0.5, 5.0, 3.0, 2.0, 0.95, 0.9, 0.0, 0.01, 0.99, 0.5)
    none = PeakCost.none()
    worth = np.linspace(0, -1.0, len(store.points_kwh)) ** 3
    exchanges = [Exchange(price, sold, 100.0, 2.0) for price in bought]

    value = worth[:, None]
    for samples, exchange in reversed(list(zip(loads, exchanges, strict=True))):
        value = Stage(store, none, np.array(samples)).before(value, exchange, counts=False)

    def enumerated(step: int, content: float) -> float:
        if step == len(loads):
            return float(np.interp(content, store.points_kwh, worth))
        total = 0.0
        for load in loads[step]:
            costs = []
            for to in store.points_kwh:
                stored = (to - content * 0.99) / 0.5
                power = -stored / 0.95 if stored > 0 else -stored * 0.9
                if -3.0 - 1e-9 <= power <= 2.0 + 1e-9:
                    grid = load - power
                    paid = bought[step] * max(grid, 0) - sold * min(max(-grid, 0), 2.0) + 0.01 * max(power, 0)
                    costs.append(paid * 0.5 + enumerated(step + 1, float(to)))
            total += min(costs) / len(loads[step])
        return total

    for point in (0, 7, 16):
        assert value[point, 0] == pytest.approx(enumerated(0, float(store.points_kwh[point])), abs=1e-9)


@settings(max_examples=examples(20), deadline=None)
@given(load=st.floats(-2, 12), bought=st.floats(0.0, 1.0), per_kw=st.sampled_from([1.0, 1.25]))
def test_stage__pays_for_a_higher_peak(load: float, bought: float, per_kw: float) -> None:
    """What a peak costs is linear here, so that it is exact between levels, and above the last one."""
    store = Store(0.0, 6.0, 3.0, 3.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0)
    levels = np.array([1.0, 2.0, 4.0, 7.0])
    peak = PeakCost(levels, 3.0 * levels, per_kw)
    after = np.broadcast_to(peak.costs, (len(store.points_kwh), 4))
    stage, exchange = Stage(store, peak, np.array([load])), Exchange(bought, 0.0, 100.0, 100.0)

    counted, free = (stage.before(after, exchange, counts=counts) for counts in (True, False))

    for point, level in itertools.product((0, 8, 16), range(4)):
        content = float(store.points_kwh[point])
        powers = [content - to for to in store.points_kwh if abs(content - to) <= 3]
        imports = [max(load - power, 0.0) for power in powers]
        paid = [bought * one + 3.0 * max(levels[level], one * per_kw) for one in imports]
        assert counted[point, level] == pytest.approx(min(paid), abs=1e-9)
        assert free[point, level] == pytest.approx(bought * min(imports) + 3.0 * levels[level], abs=1e-9)


@given(samples=st.lists(st.floats(-10, 10), min_size=1, max_size=60))
def test_joined__keeps_the_mean_and_the_highest(samples: list[float]) -> None:
    values, weights = joined(np.array(samples))

    assert len(values) <= HIGHEST + GROUPS
    assert weights.sum() == pytest.approx(1)
    assert weights @ values == pytest.approx(np.mean(samples), abs=1e-9)
    assert values[-1] == max(samples)


# ---------------------------------------------------------------------------------------------- loop
@settings(max_examples=examples(5), deadline=None)
@given(
    seed=st.integers(0, 1000),
    horizon_h=st.sampled_from([6, 24]),
    control=st.sampled_from(["follow", "setpoint"]),
    demand_value=st.sampled_from(["none", "rest_of_period"]),
    sold=st.sampled_from([-0.05, 0.06]),
)
def test_hedged__keeps_every_law_and_never_beats_foresight(seed, horizon_h, control, demand_value, sold) -> None:
    case = home_case(
        seed, days=11, horizon_h=horizon_h, control=control, demand_value=demand_value, connection=MONTHLY
    )
    case.truth["grid", "export_price_per_kwh"][:] = sold  # a fresh array of this case

    result = run_policies(case, ("hedged", "perfect_foresight"), MODELS)

    assert result.violations("hedged") == []
    assert result.costs["perfect_foresight"] <= result.costs["hedged"] + NEAR


def test_hedged__that_knows_what_comes_is_near_the_optimum() -> None:
    """With errors of zero only the grid of contents and the end of the forecasts are in its way."""
    case = home_case(2, days=14, first_day=10, connection=MONTHLY)

    run = run_policy(case, Hedged("knows", case, with_truth_as_forecast(case)))
    result = run_policies(case, ("self_consumption", "hedged", "perfect_foresight"), MODELS).with_runs([run])

    assert result.gap_closed("knows") > max(0.85, result.gap_closed("hedged"))


def test_hedged__keeps_energy_for_loads_that_nobody_foresees() -> None:
    """Most nights a load of 4 kW comes at some hour: a plan for one future has sold the content by then, and pays."""
    case = home_case(
        5, days=40, first_day=30, connection={"demand_charges": (DemandCharge(name="m", rate_per_kw=12),)}
    )
    random, nights = np.random.default_rng(1), range(40)
    for night in nights:
        if random.random() < 0.7:
            case.truth["rooms", "demand_kw"][24 * night + random.integers(0, 6)] += 4.0

    result = run_policies(case, ("plan_own", "hedged", "perfect_foresight"), MODELS)

    assert result.costs["hedged"] < result.costs["plan_own"] - 1.0


def test_hedged__bears_a_meter_that_is_wrong() -> None:
    """A load beyond all that the site is made for, and its connection can carry, once at each hour of the past."""
    case = home_case(2, days=14, first_day=10)
    plain = run_policies(case, ("hedged",), MODELS).costs["hedged"]
    case.truth["rooms", "demand_kw"][24:48] = 500.0

    broken = run_policies(case, ("hedged", "self_consumption"), MODELS).costs

    assert broken["hedged"] < plain + 0.02 * abs(plain)
    assert broken["hedged"] < broken["self_consumption"]


def test_hedged__with_coarser_steps_and_rarer_decisions() -> None:
    case = home_case(3, days=10, step_h=0.25, connection=MONTHLY).but(horizon_h=12.0, step_h=1.0, decide_every_h=2.0)

    result = run_policies(case, ("hedged", "perfect_foresight"), MODELS)

    assert result.violations("hedged") == []
    assert result.costs["perfect_foresight"] <= result.costs["hedged"] + NEAR


def test_hedged__two_batteries_two_charges_and_tiers() -> None:
    """Batteries of a site are taken as one, the dearest charge on import counts, and the answer says so."""
    tiers = (DemandTier(up_to_kw=2.0, rate_per_kw=1.0), DemandTier(rate_per_kw=6.0))
    charges = (DemandCharge(name="month", tiers=tiers), DemandCharge(name="day", period="day", rate_per_kw=0.2))
    steps = (EnergyTier(up_to_kwh=40, import_price_per_kwh=0.10, export_price_per_kwh=0.05),
             EnergyTier(import_price_per_kwh=0.60, export_price_per_kwh=0.05))  # fmt: skip
    tariff = Tariff(id="tiers", name="Tiers", periods=(EnergyPeriod(name="all", tiers=steps),))
    case = home_case(8, days=11)
    assets = [one.replace(tariff_id="tiers", demand_charges=charges) if one.id == "grid" else one
              for one in case.portfolio.assets]  # fmt: skip
    battery = next(one for one in assets if one.id == "battery")
    second = battery.replace(id="second", name="Second", capacity_kwh=2.0, max_charge_kw=1, max_discharge_kw=1)
    portfolio = case.portfolio.replace(tariffs=(tariff,), assets=(*assets, second))
    case = RollingCase(portfolio, case.times, case.truth, case.begin, case.steps, case.settings)

    result = run_policies(case, ("hedged", "perfect_foresight"), MODELS)

    assert result.violations("hedged") == []
    assert result.costs["perfect_foresight"] <= result.costs["hedged"] + NEAR
    assert hedge_simplifications(case) == [
        "hedged plan: takes the batteries battery, second as one",
        "hedged plan: of the demand charges month, day it knows the dearest on import",
    ]
    assert all(result.runs["hedged"].flows[one, "discharge_kw"].max() > 0 for one in ("battery", "second"))


def test_hedged__broken_off_resumes_to_the_same_answer(tmp_path: Path) -> None:
    case = home_case(9, days=14, connection=MONTHLY)
    own = OwnForecasts.made(case, MODELS)

    def roll(checkpoint: Path | None, stop_at: int | None = None) -> PolicyRun:
        def progress(done: int, of: int) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        return run_policy(case, Hedged("hedged", case, own), checkpoint=checkpoint, every=5, progress=progress)

    whole = roll(None)
    with pytest.raises(KeyboardInterrupt):
        roll(tmp_path / "state.npz", stop_at=63)
    again = roll(tmp_path / "state.npz")

    assert all(np.array_equal(values, again.flows[key]) for key, values in whole.flows.items())


def test_hedged__knows_nothing_of_what_comes() -> None:
    """What is measured after a decision changes nothing that is ordered until then."""
    case = home_case(7, days=12, prices_known="day_ahead", connection=MONTHLY)
    k = 40
    later = {key: values.copy() for key, values in case.truth.items()}
    for key in case.kinds:
        later[key][case.decisions[k] :] = 3.0
    blind = RollingCase(case.portfolio, case.times, later, case.begin, case.steps, case.settings)
    runs = []
    for one in (case, blind):
        own = OwnForecasts.made(one, MODELS)
        published = {key: table.copy() for key, table in own.tables.items()}
        for key in case.kinds:
            if case.kinds[key] == "price":  # what is published of the next day is known, and true in both
                published[key][: own.before + k] = OwnForecasts.made(case, MODELS).tables[key][: own.before + k]
        runs.append(run_policy(one, Hedged("hedged", one, OwnForecasts(own.case, published, own.before))))

    seen, unseen = (run.flows["battery", "energy_kwh"][:k] for run in runs)
    assert np.allclose(seen, unseen)


def test_hedged__is_settled_as_any_policy() -> None:
    case = home_case(11, days=11, connection=MONTHLY)
    result = run_policies(case, ("hedged",), MODELS)
    assert isinstance(result, RollingResult)
    left = result.flows("hedged")["energy_kwh"].sel(asset="battery").to_numpy()[-1]
    battery = next(one for one in case.settled.assets if one.id == "battery")
    own = float(result.step_costs("hedged").sum()) + result.runs["hedged"].peaks_cost
    assert own - left * battery.final_energy_value_per_kwh == pytest.approx(result.costs["hedged"], abs=NEAR)
