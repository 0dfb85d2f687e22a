"""Random values of the fields that hold records or lists of them, made to keep the laws of the asset around them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from ems.assets.battery_limits import SocTarget, TaperPoint
from ems.assets.charging_session import ChargingSession
from ems.assets.fuel_curve import CostPoint
from ems.assets.grid_connection import DemandSoFar
from ems.assets.shiftable_use import ShiftableUse, UseWindow
from ems.assets.startup_cost import StartupCost
from ems.assets.thermal_zone import ThermalZone
from ems.tariffs.demand_charge import DemandCharge, Ratchet

MOMENTS = st.datetimes(
    dt.datetime(2000, 1, 1),
    dt.datetime(2090, 1, 1),
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=2))]),
)
SHARES = st.floats(0, 1, allow_subnormal=False)
SMALL = st.floats(0, 1000, allow_subnormal=False)
LABELS = ("2024-06", "2024-07")

NESTED = frozenset(
    {"sessions", "soc_targets", "charge_taper", "discharge_taper", "cost_curve", "startup_costs", "demand_charges"}
    | {"demand_so_far"}
    | {"shiftable", "thermal"}
)
"""Fields whose values are drawn here."""


@st.composite
def nested_fields(draw: st.DrawFn, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return fields of an asset with its nested ones added, or not.

    Parameters
    ----------
    kind : str
    given : dict
        The other fields, lawful together.
    """
    if kind not in _ADD or not draw(st.booleans()):
        return given
    return _ADD[kind](draw, dict(given))


def _to_battery(draw: st.DrawFn, given: dict[str, Any]) -> dict[str, Any]:
    low, high = given["min_soc"], given["max_soc"]
    moments = draw(st.lists(MOMENTS, max_size=2, unique=True))
    given["soc_targets"] = tuple(
        SocTarget(time=time, soc=min(max(low + draw(SHARES) * (high - low), low), high)) for time in sorted(moments)
    )
    # From the whole limit down to a share of it is concave wherever the bend is.
    for name in ("charge_taper", "discharge_taper"):
        if draw(st.booleans()):
            bend, last = draw(st.floats(0.1, 0.9)), draw(SHARES)
            points = ((0.0, 1.0), (bend, 1.0), (1.0, last))
            given[name] = tuple(TaperPoint(soc=soc, share=share) for soc, share in points)
    return given


def _to_charger(draw: st.DrawFn, given: dict[str, Any]) -> dict[str, Any]:
    begin = draw(MOMENTS)
    hours = draw(st.lists(st.integers(1, 9), max_size=3))
    given["sessions"] = tuple(
        ChargingSession(
            arrival=begin,
            departure=begin + dt.timedelta(hours=one),
            energy_kwh=one * 1.5,
            **draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "arrival_energy_kwh": st.floats(0, 10),
                        "battery_capacity_kwh": st.floats(40, 100),
                        "unmet_cost_per_kwh": st.one_of(st.none(), SMALL),
                    },
                )
            ),
        )
        for one in hours
    )
    given["number_of_ports"] = 3
    given.pop("max_session_duration_min", None)
    return given


def _to_generator(draw: st.DrawFn, given: dict[str, Any]) -> dict[str, Any]:
    if draw(st.booleans()):
        low, high = given["min_output_kw"], given["max_output_kw"]
        outputs = sorted({0.0, low, (low + high) / 2, high})
        given["cost_curve"] = tuple(CostPoint(output_kw=one, cost_per_h=draw(SMALL)) for one in outputs)
        given.pop("fuel_cost_per_kwh", None)
    hours = sorted(draw(st.lists(SMALL, max_size=3, unique=True)))
    costs = sorted(draw(SMALL) for _ in hours)
    given["startup_costs"] = tuple(StartupCost(offline_h=h, cost=c) for h, c in zip(hours, costs, strict=True))
    given.pop("startup_cost", None)
    return given


def _to_load(draw: st.DrawFn, given: dict[str, Any]) -> dict[str, Any]:
    given |= {"is_sheddable": False, "interruption_cost_per_kwh": None}
    for name in ("recovered_share", "recovery_h"):
        given.pop(name, None)
    power_kw = given["rated_load_kw"] * draw(st.floats(0.1, 1))
    if draw(st.booleans()):
        begin = draw(MOMENTS)
        windows = (UseWindow(earliest=begin, latest=begin + dt.timedelta(hours=draw(st.integers(1, 30)))),)
        runs, is_interruptible = draw(st.integers(1, 3)), draw(st.booleans())
        duration_h = draw(st.floats(0.25, 8))
        given["shiftable"] = ShiftableUse(
            power_kw=power_kw, duration_h=duration_h, is_interruptible=is_interruptible, windows=windows, runs=runs
        )
        return given
    given["thermal"] = ThermalZone(
        capacitance_kwh_per_k=draw(st.floats(0.1, 50)),
        resistance_k_per_kw=draw(st.floats(0.1, 50)),
        mode=draw(st.sampled_from(["heating", "cooling"])),
        max_power_kw=power_kw,
        comfort_min_degc=draw(st.floats(-20, 20)),
        comfort_max_degc=draw(st.floats(20, 60)),
        initial_temperature_degc=20.0,
        **draw(st.fixed_dictionaries({}, optional={"cop": st.floats(1, 5), "discomfort_cost_per_kh": SMALL})),
    )
    return given


def _to_connection(draw: st.DrawFn, given: dict[str, Any]) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(["peak", "Leistung ü", "=1+1"]), max_size=2, unique=True))
    given["demand_charges"] = tuple(draw(demand_charges(name, number)) for number, name in enumerate(names))
    given["demand_so_far"] = tuple(
        DemandSoFar(charge=name, peaks_kw={LABELS[0]: draw(SMALL)}) for name in names if draw(st.booleans())
    )
    return given


@st.composite
def demand_charges(draw: st.DrawFn, name: str, number: int) -> DemandCharge:
    """Return a demand charge of some calendar, of labelled months, or of series that are told apart by a number."""
    given: dict[str, Any] = {"name": name, "rate_per_kw": draw(SMALL)}
    given |= draw(
        st.fixed_dictionaries(
            {}, optional={"basis": st.sampled_from(["import", "export"]), "free_kw": SMALL, "prior_peak_kw": SMALL}
        )
    )
    form = draw(st.sampled_from(["calendar", "labels", "series"]))
    if form == "calendar":
        given |= {"from_time": "16:00", "until_time": "21:00", "weekdays": ("mon", "sat"), "months": (1, 12)}
        given |= {"period": draw(st.sampled_from(["month", "day", "horizon"]))}
    elif form == "labels":
        given |= {"rates_per_kw": {one: draw(SMALL) for one in LABELS}, "prior_peaks_kw": {LABELS[0]: draw(SMALL)}}
        given["ratchet"] = Ratchet(share=draw(SHARES), periods=(LABELS[0], 7))
    else:
        given |= {"window_series": f"is_in_window_{number}", "period_series": f"period_{number}"}
        given["ratchet"] = Ratchet(share=draw(SHARES), previous=draw(st.integers(1, 11)))
    return DemandCharge(**given)


_ADD = {
    "battery": _to_battery,
    "ev_charger": _to_charger,
    "generator": _to_generator,
    "grid_connection": _to_connection,
    "load": _to_load,
}
