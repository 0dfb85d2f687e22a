"""Which dispatches are one storage behind one connection, and why others are not.

Every field that acts in a dispatch is either understood by `ems.dispatch.storage.storage_programme` or refused here
where it is in use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.battery_limits import limits_of
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.tariff_terms import has_more_than_prices
from ems.dispatch.problem import DispatchProblem

TAKEN = ("battery", "grid_connection", "load", "solar_pv", "wind_turbine")
"""Kinds of assets that may take part."""

REFUSED: Mapping[str, Mapping[str, str]] = {
    "battery": {
        "may_charge_while_discharging": "a second choice in each step, how much energy to lose",
        "charge_taper": "power that depends on the content",
        "discharge_taper": "power that depends on the content",
        "max_cycles_per_d": "a budget of each day",
        "cycle_depth_segments": "wear that depends on the depth of a cycle",
    },
    "grid_connection": {"demand_charges": "a price of peaks", "demand_so_far": "a price of peaks"},
    "load": {
        "shiftable": "a use that is moved in time",
        "thermal": "a second storage, of heat",
        "recovered_share": "demand that is moved in time",
        "max_curtailment_duration_min": "on/off decisions",
        "min_recovery_time_min": "on/off decisions",
    },
}
"""Fields that join steps in another way than by the content of the one storage, and what they bring in."""


def find_misfit(problem: DispatchProblem) -> str | None:
    """Return why a problem is not one storage behind one connection by its assets and goal, or None where it is."""
    return next(_misfits(problem), None)


def _misfits(problem: DispatchProblem) -> Iterator[str]:
    for misfit in (_of_whole, _of_fields, _of_time):
        for reason in misfit(problem):
            yield f"{reason}; use solver = 'highs'"


def _of_whole(problem: DispatchProblem) -> Iterator[str]:
    """Give what there is too much or too little of."""
    goal, count = problem.goal, Counter[str](asset.kind for asset in problem.assets)
    if goal.objective != "cost":
        yield f"objective = '{goal.objective}': only cost adds up step by step"
    if goal.optimization_type == "procurement":
        yield "optimization_type = 'procurement': a position joins several steps"
    for asset in problem.assets:
        if asset.kind not in TAKEN:
            yield f"{asset.kind} '{asset.id}' takes part: only {', '.join(TAKEN)} may"
    for kind, what in (("battery", "storage"), ("grid_connection", "connection")):
        if count[kind] != 1:
            yield f"{count[kind]} assets of kind {kind} take part: it needs one {what}"
    if len({asset.site_id for asset in problem.assets}) > 1:
        yield "assets at several sites take part: it needs one site"
    for group, members in problem.limited_groups():
        if members:
            yield f"group '{group.id}' limits or shares power"
    for reserve in problem.portfolio.reserves:
        yield f"reserve '{reserve.id}' is asked for"


def _of_fields(problem: DispatchProblem) -> Iterator[str]:
    """Give what single fields bring in."""
    for asset in problem.assets:
        for name, meaning in REFUSED.get(asset.kind, {}).items():
            if _is_in_use(asset, name):
                yield f"{asset.kind} '{asset.id}': {name} brings in {meaning}"
        if isinstance(asset, GridConnection) and asset.tariff_id is not None:
            tariff = problem.portfolio.tariff(asset.tariff_id)
            if has_more_than_prices(tariff):
                yield f"tariff '{tariff.id}' of '{asset.id}' bills more than a price of each step's energy"
        if isinstance(asset, Battery) and asset.final_soc_rule == "cyclic":
            yield f"battery '{asset.id}': final_soc_rule = 'cyclic' leaves the first content open"


def _of_time(problem: DispatchProblem) -> Iterator[str]:
    """Give what joins neighbouring powers."""
    for asset in problem.assets:
        if isinstance(asset, Battery | GridConnection) and _has_ramps(asset, problem):
            yield f"{asset.kind} '{asset.id}': its ramps join neighbouring powers"


def _is_in_use(asset: Asset, name: str) -> bool:
    field = type(asset).model_fields[name]
    if isinstance(asset, Load) and not asset.is_sheddable and name not in ("shiftable", "thermal"):
        return False  # what bounds shedding has nothing to bound
    return getattr(asset, name) not in (field.default, 0)


def _has_ramps(asset: Battery | GridConnection, problem: DispatchProblem) -> bool:
    """Return whether a ramp is slower than to cross the whole range of powers from step to step."""
    rates = [rate for rate in (asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s) if rate is not None]
    step_h = problem.horizon.step_h
    if not rates or len(step_h) < 2:
        return False
    inputs = problem.inputs_of(asset)
    if isinstance(asset, Battery):
        limits = limits_of(asset, inputs)
        range_kw = float((limits.charge_kw + limits.discharge_kw).max())
    else:
        import_limit_kw, export_limit_kw = asset.limits_kw(inputs)
        range_kw = float(import_limit_kw.max() + export_limit_kw.max())
    middle_to_middle_h = (step_h[1:] + step_h[:-1]) / 2
    return min(rates) * 3600 * float(np.min(middle_to_middle_h)) < range_kw
