"""Performance of a period: energy, efficiency, starts, money and carbon dioxide from the flows of an asset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.operation import Performance
from ems.assets.variable_renewable import VariableRenewable
from ems.errors import InvalidInput, MissingValues
from ems.folders import LONGEST_SLUG


class _Measured(SimpleNamespace):
    """What was measured of an asset, where its formulas look for the variables of a dispatch."""

    def has(self, name: str) -> bool:
        """Return whether there is such a flow."""
        return name in self.__dict__


RUNNING_KW = 1e-6
"""Power above which an asset runs: what solvers leave as rounding is below it."""
INTO_BUS: dict[type[Asset], str] = {
    Battery: "discharge_kw",
    Generator: "output_kw",
    GridConnection: "import_kw",
    VariableRenewable: "used_kw",
}
OUT_OF_BUS: dict[type[Asset], str] = {
    Battery: "charge_kw",
    EvCharger: "charge_kw",
    GridConnection: "export_kw",
    Load: "served_kw",
}
"""Flows of each kind without which its performance cannot be told."""
PRICES = ("import_price_per_kwh", "export_price_per_kwh")


def performance_of(
    asset: Asset,
    flows: Mapping[str, np.ndarray],
    step_h: np.ndarray | float,
    *,
    period_start: dt.datetime,
    id: str | None = None,
    energy_price_per_kwh: np.ndarray | float | None = None,
    import_price_per_kwh: np.ndarray | float | None = None,
    export_price_per_kwh: np.ndarray | float | None = None,
    grid_co2_kg_per_kwh: np.ndarray | float | None = None,
    was_on: bool = False,
    downtime_h: float | None = None,
    number_of_faults: int | None = None,
) -> Performance:
    """Return what an asset did in a period.

    Energy is that at the site's bus: over all assets of a site, generated and discharged equal consumed and charged.
    What an asset spends and earns by itself (fuel, starts, wear, fees, bought and sold energy) is by the formulas of
    its kind; what its energy is worth to the site is added where ``energy_price_per_kwh`` is given.

    Parameters
    ----------
    asset : Asset
    flows : mapping of str to ndarray (steps,)
        The asset's flows as a dispatch or a meter gives them: those of `INTO_BUS` and `OUT_OF_BUS`; ``is_on`` of a
        generator, ``unserved_kw`` of a sheddable load, prices of a grid connection; ``energy_kwh`` of a battery, which
        has the shape (steps + 1,) and without which its efficiency is not known. A flow that is NaN throughout counts
        as not there.
    step_h : ndarray (steps,) or float
        Length of each step in hours.
    period_start : datetime
        Beginning of the first step, with its offset from UTC.
    id : str, optional
        Id of the record; made of asset and beginning where nothing is given.
    energy_price_per_kwh : ndarray (steps,) or float, optional
        Worth of a kWh at the bus: earned by what comes in, paid for what goes out. Not for a grid connection, which
        has prices of its own.
    import_price_per_kwh, export_price_per_kwh : ndarray (steps,) or float, optional
        Prices at a grid connection, where the flows do not hold them; its flat ones where nothing is given.
    grid_co2_kg_per_kwh : ndarray (steps,) or float, optional
        Carbon dioxide of a kWh from the grid: emitted by what a connection buys, avoided by what renewables give.
    was_on : bool
        Whether it ran just before the period; if so, running in the first step is no start.
    downtime_h : float, optional
        Hours in which it could not run; availability is not known without.
    number_of_faults : int, optional

    Raises
    ------
    InvalidInput
        If a flow that is needed is not there, or has another length.
    MissingValues
        If a flow has gaps.
    """
    flows = _checked(asset, flows)
    steps = len(flows[_flow_of(asset, INTO_BUS) or _flow_of(asset, OUT_OF_BUS) or ""])
    hours = np.broadcast_to(np.asarray(step_h, dtype=float), (steps,))
    period_h = float(hours.sum())
    into_kw, out_kw = (
        np.zeros(steps) if name is None else flows[name]
        for name in (_flow_of(asset, INTO_BUS), _flow_of(asset, OUT_OF_BUS))
    )
    is_on = flows["is_on"] > 0.5 if "is_on" in flows else np.abs(into_kw) + np.abs(out_kw) > RUNNING_KW
    was = np.concatenate(([was_on], is_on[:-1]))
    into_kwh, out_kwh = float((into_kw * hours).sum()), float(((out_kw + _own_use_kw(asset)) * hours).sum())

    switching = {"is_on": is_on, "is_started": is_on & ~was, "is_stopped": was & ~is_on}
    given_prices = dict(zip(PRICES, (import_price_per_kwh, export_price_per_kwh), strict=True))
    revenue, cost = _own_money(asset, {**switching, **flows}, given_prices, hours)
    if energy_price_per_kwh is not None and not isinstance(asset, GridConnection):
        worth = np.broadcast_to(energy_price_per_kwh, (steps,)) * hours
        revenue = (revenue or 0.0) + float((worth * into_kw).sum())
        cost = (cost or 0.0) + float((worth * (out_kw + _own_use_kw(asset))).sum())

    grid_kg = None if grid_co2_kg_per_kwh is None else float((grid_co2_kg_per_kwh * into_kw * hours).sum())
    emitted_kg = grid_kg if isinstance(asset, GridConnection) else None
    if isinstance(asset, Generator):
        emitted_kg = asset.co2_emissions_kg_per_kwh * into_kwh
    is_battery = isinstance(asset, Battery)
    gives = _flow_of(asset, INTO_BUS) is not None and not is_battery
    takes = _flow_of(asset, OUT_OF_BUS) is not None and not is_battery
    rated_kw = _rated_kw(asset)
    return Performance(
        id=id or f"{asset.id[: LONGEST_SLUG - 14].rstrip('-_')}-{period_start.astimezone(dt.UTC):%Y%m%d-%H%M}",
        asset_id=asset.id,
        period_start=period_start,
        period_end=period_start + dt.timedelta(hours=period_h),
        total_energy_generated_kwh=into_kwh if gives else None,
        total_energy_consumed_kwh=out_kwh if takes else None,
        total_energy_charged_kwh=out_kwh if is_battery else None,
        total_energy_discharged_kwh=into_kwh if is_battery else None,
        average_efficiency=_round_trip(flows, into_kwh, out_kwh) if is_battery else None,
        capacity_factor=abs(into_kwh if gives or is_battery else out_kwh) / (rated_kw * period_h)
        if rated_kw
        else None,
        availability=None if downtime_h is None else max(0.0, 1 - downtime_h / period_h),
        total_revenue=revenue,
        total_cost=cost,
        co2_avoided_kg=grid_kg if isinstance(asset, VariableRenewable) else None,
        co2_emitted_kg=emitted_kg,
        operating_h=float(hours[is_on].sum()),
        number_of_starts=int(switching["is_started"].sum()) if isinstance(asset, Generator) else None,
        number_of_faults=number_of_faults,
        downtime_h=downtime_h,
    )


def _flow_of(asset: Asset, flows: Mapping[type[Asset], str]) -> str | None:
    return next((name for kind, name in flows.items() if isinstance(asset, kind)), None)


def _checked(asset: Asset, flows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the flows that the asset has, each complete and of one length."""
    arrays = {name: np.asarray(values, dtype=float) for name, values in flows.items()}
    # A dataset of many assets holds NaN throughout where an asset has no flow of a name.
    kept = {name: values for name, values in arrays.items() if len(values) and not np.isnan(values).all()}
    subject = f"performance of '{asset.id}'"
    needed = [name for name in (_flow_of(asset, INTO_BUS), _flow_of(asset, OUT_OF_BUS)) if name is not None]
    findings = [f"{name} is not among the flows" for name in needed if name not in kept]
    if findings:
        raise InvalidInput(subject, findings)
    steps = len(kept[needed[0]])
    for name, values in kept.items():
        if len(values) != steps and not (name == "energy_kwh" and len(values) == steps + 1):
            findings.append(f"{name} has {len(values)} values; {needed[0]} has {steps}")
        elif np.isnan(values).any():
            raise MissingValues(subject, f"{name} has {int(np.isnan(values).sum())} gaps; fill them")
    if findings:
        raise InvalidInput(subject, findings)
    return kept


def _own_use_kw(asset: Asset) -> float:
    """Return the power that an asset draws from the bus at all times, besides what its flows say."""
    if isinstance(asset, Battery):
        return asset.auxiliary_load_kw
    return asset.transformer_losses_kw if isinstance(asset, GridConnection) else 0.0


def _rated_kw(asset: Asset) -> float | None:
    if isinstance(asset, Battery):
        return asset.rated_power_kw
    if isinstance(asset, EvCharger):
        return asset.total_limit_kw
    if isinstance(asset, GridConnection):
        return asset.rated_capacity_kw or asset.import_limit_kw
    if isinstance(asset, Load):
        return asset.rated_load_kw
    return asset.rated_capacity_kw if isinstance(asset, Generator | VariableRenewable) else None


def _own_money(
    asset: Asset,
    flows: Mapping[str, np.ndarray],
    given_prices: Mapping[str, np.ndarray | float | None],
    hours: np.ndarray,
) -> tuple[float | None, float | None]:
    """Return what an asset earns and spends by the formulas of its kind, None where it does neither."""
    unit = dict(flows)
    for name in asset.series_optional:  # a field stands for its series
        value = getattr(asset, name, None)
        if name not in unit and isinstance(value, int | float) and value:
            unit[name] = np.full(hours.shape, float(value))
    if isinstance(asset, GridConnection):
        for name, price in given_prices.items():
            value = price if price is not None else flows.get(name, getattr(asset, name))
            if value is None:
                return None, None
            unit[name] = np.broadcast_to(np.asarray(value, dtype=float), hours.shape)
    try:
        items = asset.costs(_Measured(**unit), np.arange(len(hours)), hours)
    except AttributeError as error:
        raise InvalidInput(f"performance of '{asset.id}'", f"{error.name} is not among the flows") from None
    earned = [-float(np.sum(value)) for name, value in items.items() if name.endswith("_revenue")]
    spent = [float(np.sum(value)) for name, value in items.items() if not name.endswith("_revenue")]
    return sum(earned) if earned else None, sum(spent) if spent else None


def _round_trip(flows: Mapping[str, np.ndarray], given_kwh: float, taken_kwh: float) -> float | None:
    """Return energy out per energy in, where what the store gained counts as out, and what it lost as in."""
    if "energy_kwh" not in flows or len(flows["energy_kwh"]) != len(flows["charge_kw"]) + 1:
        return None
    gained_kwh = float(flows["energy_kwh"][-1] - flows["energy_kwh"][0])
    into_kwh = taken_kwh + max(0.0, -gained_kwh)
    return (given_kwh + max(0.0, gained_kwh)) / into_kwh if into_kwh > 0 else None


# ------------------------------------------------------------------------------------------------- summaries
SUMS = (
    "total_energy_generated_kwh",
    "total_energy_consumed_kwh",
    "total_energy_charged_kwh",
    "total_energy_discharged_kwh",
    "total_revenue",
    "total_cost",
    "net_profit",
    "co2_avoided_kg",
    "co2_emitted_kg",
    "operating_h",
    "number_of_starts",
    "number_of_faults",
    "downtime_h",
)
"""Figures that add up over assets and periods."""


@dataclass(frozen=True)
class PerformanceSummary:
    """What several assets did in several periods.

    Parameters
    ----------
    name : str
        Site, group or asset.
    assets : tuple of str
        Ids of the assets whose performance is in it.
    period_start, period_end : datetime
        From the first beginning to the last end.
    sums : mapping of str to (float or None)
        Each of `SUMS`: sum of the figures that are known; None where none is.
    average_efficiency : float or None
        Mean weighted by the energy that went in.
    capacity_factor, availability : float or None
        Means weighted by the length of the periods.
    """

    name: str
    assets: tuple[str, ...]
    period_start: dt.datetime
    period_end: dt.datetime
    sums: Mapping[str, float | None]
    average_efficiency: float | None
    capacity_factor: float | None
    availability: float | None


def summarise(
    performances: Iterable[Performance], of: Mapping[str, str | Iterable[str]] | None = None
) -> dict[str, PerformanceSummary]:
    """Return the performance of sites or groups, by name in order.

    Parameters
    ----------
    performances : iterable of Performance
    of : mapping of str to (str or iterable of str), optional
        Id of an asset to its site, or to its groups, in each of which it counts; assets that are not in it are left
        out. Each asset by itself where nothing is given.
    """
    by_name: dict[str, list[Performance]] = {}
    for one in performances:
        names = one.asset_id if of is None else of.get(one.asset_id, ())
        for name in (names,) if isinstance(names, str) else dict.fromkeys(names):
            by_name.setdefault(name, []).append(one)
    return {name: _summary(name, by_name[name]) for name in sorted(by_name)}


def _summary(name: str, ones: list[Performance]) -> PerformanceSummary:
    def energy_in(one: Performance) -> float:
        return one.total_energy_charged_kwh or one.total_energy_consumed_kwh or one.total_energy_generated_kwh or 0.0

    def mean(figure: str, weight: Callable[[Performance], float]) -> float | None:
        known = [(value, weight(one)) for one in ones if (value := getattr(one, figure)) is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total > 0 else None

    def total(figure: str) -> float | None:
        known = [value for one in ones if (value := getattr(one, figure)) is not None]
        return sum(known) if known else None

    return PerformanceSummary(
        name=name,
        assets=tuple(sorted({one.asset_id for one in ones})),
        period_start=min(one.period_start for one in ones),
        period_end=max(one.period_end for one in ones),
        sums={figure: total(figure) for figure in SUMS},
        average_efficiency=mean("average_efficiency", energy_in),
        capacity_factor=mean("capacity_factor", lambda one: one.period_h),
        availability=mean("availability", lambda one: one.period_h),
    )
