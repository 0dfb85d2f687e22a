"""KPIs: what a schedule comes to in the figures that people compare sites by, each with its unit and meaning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.result import DispatchResult
from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

MEANINGS = {
    "self_consumption_share": "Part of the energy generated at the sites that is used or stored there at once; the "
    "rest is exported in the same step.",
    "self_sufficiency_share": "Part of the energy used that is not imported; 0 where as much is imported as used, or "
    "more.",
    "peak_import_kw": "Highest power taken from the grid by all connections together.",
    "peak_export_kw": "Highest power fed into the grid by all connections together.",
    "import_load_factor": "Mean power taken from the grid as a part of the highest.",
    "generated_kwh": "Energy of solar, wind and generators.",
    "used_kwh": "Energy that loads and vehicles draw, less what vehicles give back.",
    "imported_kwh": "Energy taken from the grid.",
    "exported_kwh": "Energy fed into the grid.",
    "curtailed_kwh": "Energy of sun and wind that was available and not used.",
    "unserved_kwh": "Energy that loads wanted and did not get, and that sites lacked.",
    "emissions_kg": "Carbon dioxide of generators and of imported energy.",
    "charged_kwh": "Energy that the battery takes from its site's bus.",
    "discharged_kwh": "Energy that the battery gives to its site's bus.",
    "lost_kwh": "Energy charged that is neither given back nor left in the battery at the end.",
    "full_cycles": "Energy taken from the battery's content as a multiple of that content.",
    "running_h": "Time for which the generator is on.",
    "starts": "Number of times that the generator is started.",
    "total_cost": "Money spent in the horizon, by the schedule.",
    "stored_change_kwh": "Energy in all batteries at the end less that at the beginning.",
    "stored_price_per_kwh": "Mean price of imports over the horizon, at which a change of stored energy is valued: "
    "what is left need not be bought, after the loss of discharging it.",
    "soc_neutral_cost": "Total cost less the worth of the change of stored energy.",
    "saving": "Total cost of the baseline less that of the schedule.",
    "soc_neutral_saving": "SOC-neutral cost of the baseline less that of the schedule.",
}
"""What each figure means."""


@dataclass(frozen=True)
class _Kpi:
    """A figure of an asset, or of all where no asset is named; NaN with the reason where it is not defined."""

    name: str
    value: float
    asset: str = ""
    reason: str = ""


def kpis_of(result: DispatchResult, baseline: DispatchResult | None = None) -> pd.DataFrame:
    """Return the figures of a schedule.

    Parameters
    ----------
    result : DispatchResult
    baseline : DispatchResult, optional
        Another schedule of the same horizon, as without a battery; savings are against it.

    Returns
    -------
    DataFrame
        Columns ``kpi``, ``asset`` (empty for a figure of all), ``value``, ``unit``, ``meaning``, and ``reason`` where
        a figure is not defined and its value NaN.
    """
    import pandas as pd

    found = [*_of_energy(result), *_of_batteries(result), *_of_generators(result), *_of_money(result, baseline)]
    currency = result.problem.portfolio.currency
    rows = [
        {
            "kpi": one.name,
            "asset": one.asset,
            "value": one.value,
            "unit": unit_of(one.name, currency) or "1",
            "meaning": MEANINGS[one.name],
            "reason": one.reason,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=["kpi", "asset", "value", "unit", "meaning", "reason"])


def _share(name: str, part: float, whole: float, reason: str, asset: str = "") -> _Kpi:
    """Return a part of a whole, undefined where there is no whole."""
    return _Kpi(name, part / whole, asset) if whole > 0 else _Kpi(name, math.nan, asset, reason)


def _of_energy(result: DispatchResult) -> Iterator[_Kpi]:
    """Give figures of what is generated, used, imported and exported."""
    step_h = result.problem.horizon.step_h
    sites = {asset.site_id: _SitePowers.of(result, asset.site_id) for asset in result.problem.assets}
    generated, used, imports, exports = (
        np.sum([getattr(site, name) for site in sites.values()], axis=0)
        for name in ("generated_kw", "used_kw", "import_kw", "export_kw")
    )
    exported_at_once = sum(np.minimum(site.generated_kw, site.export_kw) @ step_h for site in sites.values())
    generated_kwh, used_kwh, imported_kwh = (float(power @ step_h) for power in (generated, used, imports))
    yield _share(
        "self_consumption_share", generated_kwh - float(exported_at_once), generated_kwh, "nothing is generated"
    )
    yield _share("self_sufficiency_share", max(used_kwh - imported_kwh, 0.0), used_kwh, "nothing is used")
    yield _Kpi("peak_import_kw", float(imports.max()))
    yield _Kpi("peak_export_kw", float(exports.max()))
    mean_kw = imported_kwh / float(step_h.sum())
    yield _share("import_load_factor", mean_kw, float(imports.max()), "nothing is imported")
    yield _Kpi("generated_kwh", generated_kwh)
    yield _Kpi("used_kwh", used_kwh)
    yield _Kpi("imported_kwh", imported_kwh)
    yield _Kpi("exported_kwh", float(exports @ step_h))
    yield _Kpi("curtailed_kwh", float(sum(site.curtailed_kw @ step_h for site in sites.values())))
    yield _Kpi("unserved_kwh", float(sum(site.unserved_kw @ step_h for site in sites.values())))
    yield _Kpi("emissions_kg", float(sum(result.emissions_kg.values())))


@dataclass(frozen=True)
class _SitePowers:
    """Powers of a site in each step, shape (steps,)."""

    generated_kw: np.ndarray
    used_kw: np.ndarray
    import_kw: np.ndarray
    export_kw: np.ndarray
    curtailed_kw: np.ndarray
    unserved_kw: np.ndarray

    @classmethod
    def of(cls, result: DispatchResult, site_id: str) -> _SitePowers:
        """Return the powers of a site by a schedule."""
        inside = [asset for asset in result.problem.assets if asset.site_id == site_id]
        nothing = np.zeros(len(result.problem.horizon))

        def total(kinds: type | tuple[type, ...], name: str) -> np.ndarray:
            ids = [asset.id for asset in inside if isinstance(asset, kinds)]
            powers: np.ndarray = sum((_flow(result, name, one) for one in ids), start=nothing)
            return powers

        missing = nothing
        if "missing_kw" in result.flows and site_id in result.flows.bus.values:
            missing = result.flows["missing_kw"].sel(bus=site_id).to_numpy()
        return cls(
            generated_kw=total(VariableRenewable, "used_kw") + total(Generator, "output_kw"),
            used_kw=total(Load, "served_kw") + total(EvCharger, "charge_kw") - total(EvCharger, "discharge_kw"),
            import_kw=total(GridConnection, "import_kw"),
            export_kw=total(GridConnection, "export_kw"),
            curtailed_kw=total(VariableRenewable, "curtailed_kw"),
            unserved_kw=total(Load, "unserved_kw") + missing,
        )


def _flow(result: DispatchResult, name: str, asset_id: str) -> np.ndarray:
    """Return a flow of an asset, shape (steps,); zero where it has none of that name."""
    if name not in result.flows:
        return np.zeros(len(result.problem.horizon))
    flow: np.ndarray = np.nan_to_num(result.flows[name].sel(asset=asset_id).to_numpy())
    return flow


def _contents_kwh(result: DispatchResult, battery: Battery) -> tuple[float, float]:
    """Return the energy in a battery at the beginning and at the end."""
    energy_kwh = result.flows["energy_kwh"].sel(asset=battery.id).to_numpy()
    return float(energy_kwh[0]), float(energy_kwh[-1])


def _of_batteries(result: DispatchResult) -> Iterator[_Kpi]:
    """Give figures of each battery."""
    step_h = result.problem.horizon.step_h
    for battery in _batteries(result):
        charged, discharged = (
            float(_flow(result, name, battery.id) @ step_h) for name in ("charge_kw", "discharge_kw")
        )
        begin, end = _contents_kwh(result, battery)
        yield _Kpi("charged_kwh", charged, battery.id)
        yield _Kpi("discharged_kwh", discharged, battery.id)
        yield _Kpi("lost_kwh", charged - discharged - (end - begin), battery.id)
        yield _Kpi("full_cycles", discharged / battery.discharge_efficiency / battery.content_kwh, battery.id)


def _batteries(result: DispatchResult) -> list[Battery]:
    return [asset for asset in result.problem.assets if isinstance(asset, Battery)]


def _of_generators(result: DispatchResult) -> Iterator[_Kpi]:
    """Give figures of each generator; where being on is not decided it is on while it gives power."""
    step_h = result.problem.horizon.step_h
    for generator in result.problem.assets:
        if not isinstance(generator, Generator):
            continue
        unit = result.units.assets[generator.id]
        is_on = np.asarray(unit.is_on) > 0.5 if unit.has("is_on") else _flow(result, "output_kw", generator.id) > 0
        was_on = np.append(generator.initial_is_on, is_on[:-1])
        yield _Kpi("running_h", float(is_on @ step_h), generator.id)
        if generator.is_committable:
            yield _Kpi("starts", float(np.count_nonzero(is_on & ~was_on)), generator.id)
        else:
            yield _Kpi("starts", math.nan, generator.id, "it always runs")


def _of_money(result: DispatchResult, baseline: DispatchResult | None) -> Iterator[_Kpi]:
    """Give cost and savings, with and without the worth of what is left in batteries."""
    price = _stored_price_per_kwh(result)
    reason = "nothing can be imported, so that stored energy has no price"
    change = sum(end - begin for begin, end in (_contents_kwh(result, one) for one in _batteries(result)))
    neutral = _soc_neutral_cost(result, price)
    yield _Kpi("total_cost", result.total_cost)
    yield _Kpi("stored_change_kwh", float(change))
    yield _Kpi("stored_price_per_kwh", price, reason=reason if math.isnan(price) else "")
    yield _Kpi("soc_neutral_cost", neutral, reason=reason if math.isnan(neutral) else "")
    if baseline is None:
        return
    # Both are valued at one price, so that the same content is worth the same in both.
    of_baseline = _soc_neutral_cost(baseline, price)
    saving = of_baseline - neutral
    yield _Kpi("saving", baseline.total_cost - result.total_cost)
    yield _Kpi("soc_neutral_saving", saving, reason=reason if math.isnan(saving) else "")


def _stored_price_per_kwh(result: DispatchResult) -> float:
    """Return the mean price of imports by time, over connections that can import; NaN where there is none."""
    horizon = result.problem.horizon
    prices = [
        result.flows["import_price_per_kwh"].sel(asset=asset.id).to_numpy()
        for asset in result.problem.assets
        if isinstance(asset, GridConnection) and asset.import_limit_kw > 0
    ]
    return float(np.mean(prices, axis=0) @ horizon.step_h / horizon.length_h) if prices else math.nan


def _soc_neutral_cost(result: DispatchResult, price_per_kwh: float) -> float:
    """Return the cost as if each battery ended with what it began with.

    What it holds more is worth what it need not buy, after the loss of discharging it; a battery that states the worth
    of its final content keeps to that, of which the cost has counted all that is left.
    """
    cost = result.total_cost
    for battery in _batteries(result):
        begin, end = _contents_kwh(result, battery)
        if battery.final_energy_value_per_kwh is not None:
            cost += battery.final_energy_value_per_kwh * begin
        elif abs(end - begin) > 0:
            cost -= (end - begin) * battery.discharge_efficiency * price_per_kwh
    return cost
