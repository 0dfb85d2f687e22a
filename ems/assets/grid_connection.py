"""Grid connection: fields and part of a dispatch."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from ems.assets.amount import HORIZON, add_once, total
from ems.assets.asset import Asset, AssetInputs, add_ramps
from ems.assets.demand_peaks import declare_demand_charges
from ems.assets.market_position import IMBALANCE_PRICES, declare_position, imbalance_costs
from ems.assets.tariff_terms import COSTS_ONCE, EnergySoFar, declare_tariff, refuse_unplannable
from ems.assets.unit import Unit
from ems.errors import InvalidInput, did_you_mean
from ems.horizon import Horizon
from ems.record import FromList, Name, NonNegative, Positive, Record, Slug
from ems.tariffs.demand_charge import DemandCharge, KwByPeriod
from ems.tariffs.tariff import Tariff

PowerFactor = Annotated[float, Field(ge=-1, le=1)]
PRICES = ("import_price_per_kwh", "export_price_per_kwh")
SO_FAR = ("month_import_kwh_so_far", "month_export_kwh_so_far", "year_import_kwh_so_far")
SHORTEST_YEAR_H = 365 * 24


class DemandSoFar(Record):
    """Peaks of a demand charge before the horizon, as its meter had them."""

    charge: Name
    """Name of the demand charge, of the tariff or the connection. Acts in dispatch and settlement."""
    peaks_kw: KwByPeriod = Field(default_factory=dict)
    """Highest powers so far by label of period; those of earlier periods act through the ratchet. Acts in dispatch and
    settlement."""
    daily_peaks_kw: KwByPeriod = Field(default_factory=dict)
    """Highest powers of days, for the mean of the highest days. Acts in dispatch and settlement."""


def _no_truth(value: object) -> object:
    # True equals 1, so that a choice among numbers would take it.
    if isinstance(value, bool):
        raise ValueError("must be 1 or 3")
    return value


class GridConnection(Asset):
    """The point of common coupling, where energy is bought and sold."""

    kind: Literal["grid_connection"] = "grid_connection"
    max_import_kw: NonNegative
    """Highest power taken from the grid; a series may replace it in each step. Acts in dispatch and settlement."""
    max_export_kw: NonNegative
    """Highest power fed into the grid; a series may replace it in each step. Acts in dispatch and settlement."""
    rated_capacity_kw: Positive | None = None
    """Power agreed with the grid operator. Acts in reports."""
    import_enabled: bool = True
    """Whether power may be taken from the grid at all. Acts in dispatch and settlement."""
    export_enabled: bool = True
    """Whether power may be fed into the grid at all. Acts in dispatch and settlement."""
    tariff_id: Slug | None = None
    """Tariff that gives the prices of energy. Acts in dispatch and settlement."""
    import_price_per_kwh: float | None = None
    """Price of energy bought, where one holds at all times; otherwise a tariff or a series gives it. Acts in dispatch
    and settlement."""
    export_price_per_kwh: float | None = None
    """Price of energy sold, where one holds at all times; otherwise a tariff or a series gives it. Acts in dispatch
    and settlement."""
    demand_charges: Annotated[tuple[DemandCharge, ...], FromList] = ()
    """Prices of the highest powers of months, days or windows; those of the tariff add to them. Acts in dispatch and
    settlement."""
    demand_so_far: Annotated[tuple[DemandSoFar, ...], FromList] = ()
    """Peaks before the horizon by demand charge, in addition to those that the charges state. Acts in dispatch and
    settlement."""
    month_import_kwh_so_far: NonNegative = 0
    """Energy bought before the horizon in the month in which it begins: the energy tiers of the tariff that it has
    filled. Acts in dispatch and settlement."""
    month_export_kwh_so_far: NonNegative = 0
    """Energy sold before the horizon in the month in which it begins. Acts in dispatch and settlement."""
    year_import_kwh_so_far: NonNegative = 0
    """Energy bought before the horizon in the calendar year in which it begins, for levies that end at a limit. Acts
    in dispatch and settlement."""
    co2_intensity_kg_per_kwh: NonNegative = 0
    """Carbon dioxide emitted for each kWh that is bought. Acts in dispatch."""
    may_import_while_exporting: bool = False
    """Whether import and export are metered apart, so that both may be in one step. Acts in dispatch and
    settlement."""
    connection_type: Literal["low_voltage", "medium_voltage", "high_voltage", "transmission"] | None = None
    """Level of the grid that it belongs to. Describes only."""
    voltage_level_kv: Positive | None = None
    """Nominal voltage. Describes only."""
    frequency_hz: Positive = 50.0
    """Nominal frequency. Describes only."""
    phases: Annotated[Literal[1, 3] | None, BeforeValidator(_no_truth)] = None
    """Number of phases. Describes only."""
    transformer_capacity_kva: Positive | None = None
    """Apparent power of the transformer; times the least power factor it bounds import and export. Acts in dispatch
    and settlement."""
    transformer_losses_kw: NonNegative = 0
    """Power that the transformer loses at all times. Acts in dispatch and settlement."""
    min_power_factor: PowerFactor | None = None
    """Least power factor in operation; negative where current leads. Acts in dispatch, with the transformer."""
    max_power_factor: PowerFactor | None = None
    """Greatest power factor in operation. Describes only."""
    max_reactive_import_kvar: NonNegative | None = None
    """Highest reactive power taken from the grid. Describes only."""
    max_reactive_export_kvar: NonNegative | None = None
    """Highest reactive power fed into the grid. Describes only."""
    grid_code: Name | None = None
    """Rules of the grid that it keeps: VDE-AR-N 4105. Describes only."""
    fault_ride_through_capable: bool = False
    """Whether it stays connected during faults of the grid. Describes only."""
    utility_company: Name | None = None
    """Who supplies energy or runs the grid. Describes only."""
    meter_id: Name | None = None
    """Number of the meter. Describes only."""
    connection_point_id: Name | None = None
    """Number of the point of common coupling. Describes only."""
    tariff_type: Literal["flat_rate", "time_of_use", "real_time_pricing", "demand_charge"] | None = None
    """Kind of contract, in words; the tariff itself gives the prices. Describes only."""
    demand_charge_applicable: bool = False
    """Whether the contract has a price of peaks. Describes only."""
    ramp_up_rate_kw_per_s: Positive | None = None
    """How fast the power from the grid may rise. Acts in dispatch."""
    ramp_down_rate_kw_per_s: Positive | None = None
    """How fast the power from the grid may fall. Acts in dispatch."""
    connection_fee: NonNegative | None = None
    """Price of the connection, paid once. Describes only."""
    monthly_service_charge: NonNegative | None = None
    """Fixed price of a month. Describes only."""

    series_optional: ClassVar[tuple[str, ...]] = (
        "max_import_kw",
        "max_export_kw",
        "co2_intensity_kg_per_kwh",
        *IMBALANCE_PRICES,
    )

    @property
    def series_needed(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the series without which it cannot be dispatched: prices, and windows and periods of charges."""
        return (*PRICES, *dict.fromkeys(name for charge in self.demand_charges for name in charge.series_names))

    @model_validator(mode="after")
    def _one_source_of_prices(self) -> GridConnection:
        low, high = self.min_power_factor, self.max_power_factor
        if low is not None and high is not None and abs(low) > abs(high):
            raise ValueError(f"min_power_factor = {low:g}: must be at most max_power_factor = {high:g}")
        if self.tariff_id is not None:
            for name in PRICES:
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} = {getattr(self, name):g}: tariff_id gives the price already; keep one")
        else:
            for name in SO_FAR:
                if getattr(self, name):
                    raise ValueError(f"{name} = {getattr(self, name):g} kWh: needs tariff_id, whose tiers it fills")
        return self

    @model_validator(mode="after")
    def _charges_have_names_of_their_own(self) -> GridConnection:
        names = [charge.name for charge in self.demand_charges]
        if len(set(names)) < len(names):
            raise ValueError(f"two demand_charges have the name '{max(names, key=names.count)}'; names are unique")
        taken = {*PRICES, *self.series_optional}
        for charge in self.demand_charges:
            for name in charge.series_names:
                if name in taken:
                    raise ValueError(f"demand charge '{charge.name}': the series {name} has a meaning of its own")
        told = [one.charge for one in self.demand_so_far]
        if len(set(told)) < len(told):
            raise ValueError(f"demand_so_far: '{max(told, key=told.count)}' stands twice; keep one")
        if self.tariff_id is None and set(told) - set(names):
            unknown = min(set(told) - set(names))
            raise ValueError(f"demand_so_far: '{unknown}': no such demand charge; {did_you_mean(unknown, names)}")
        return self

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return a finding where a horizon of a year reaches the month of its beginning a second time."""
        return [
            f"{name} = {getattr(self, name):g} kWh: belongs to the first month of a horizon below a year; leave it out"
            for name in SO_FAR
            if getattr(self, name) and horizon.length_h > SHORTEST_YEAR_H - 31 * 24
        ]

    def charges(self, tariff: Tariff | None) -> tuple[DemandCharge, ...]:
        """Return the demand charges of the tariff and the connection's own, with the peaks so far.

        Raises
        ------
        InvalidInput
            If two have one name, or peaks so far belong to none.
        """
        charges = (*(() if tariff is None else tariff.demand_charges), *self.demand_charges)
        names = [one.name for one in charges]
        findings = [
            f"demand charge '{name}' is stated in the tariff and at the connection; give one another name"
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        findings += [
            f"demand_so_far: '{one.charge}': no such demand charge; {did_you_mean(one.charge, names)}"
            for one in self.demand_so_far
            if one.charge not in names
        ]
        if findings:
            raise InvalidInput(f"grid_connection '{self.id}'", findings)
        so_far = {one.charge: one for one in self.demand_so_far}
        return tuple(_with_peaks(one, so_far[one.name]) if one.name in so_far else one for one in charges)

    @property
    def import_limit_kw(self) -> float:
        """Highest power that can be taken, 0 where importing is disabled."""
        return min(self.max_import_kw, self._transformer_limit_kw()) if self.import_enabled else 0.0

    @property
    def export_limit_kw(self) -> float:
        """Highest power that can be fed in, 0 where exporting is disabled."""
        return min(self.max_export_kw, self._transformer_limit_kw()) if self.export_enabled else 0.0

    def _transformer_limit_kw(self) -> float:
        """Return the active power that fits through the transformer at the least power factor."""
        if self.transformer_capacity_kva is None:
            return math.inf
        return self.transformer_capacity_kva * abs(1.0 if self.min_power_factor is None else self.min_power_factor)

    def limits_kw(self, inputs: AssetInputs) -> tuple[np.ndarray, np.ndarray]:
        """Return the highest import and export of each step, shape (steps,)."""
        limits = []
        for name, is_enabled in (("max_import_kw", self.import_enabled), ("max_export_kw", self.export_enabled)):
            stated = self.over_steps(name, inputs)
            if stated.min() < 0:
                at = inputs.horizon.times[int(stated.argmin())]
                raise InvalidInput(
                    f"the series of '{self.id}'",
                    f"{name} = {stated.min():g} kW at {at:%Y-%m-%d %H:%M} UTC: must be at least 0 kW",
                )
            limits.append(np.minimum(stated, self._transformer_limit_kw()) if is_enabled else np.zeros(len(stated)))
        return limits[0], limits[1]

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare import and export, what is shared with others, and what bounds and bills them."""
        import_limit_kw, export_limit_kw = self.limits_kw(inputs)
        for name in PRICES:
            unit.add_series(name, inputs.series[name])
        if self.co2_intensity_kg_per_kwh or "co2_intensity_kg_per_kwh" in inputs.series:
            unit.add_series("co2_intensity_kg_per_kwh", self.over_steps("co2_intensity_kg_per_kwh", inputs))
        unit.add_variable("import_kw", upper=import_limit_kw)
        unit.add_variable("export_kw", upper=export_limit_kw)
        if inputs.shares_energy:
            self._declare_sharing(unit, import_limit_kw, export_limit_kw, inputs.sharing_fee_per_kwh)
        declare_position(unit, inputs, import_limit_kw, export_limit_kw)
        if not self.may_import_while_exporting:
            unit.exclude(*_metered(unit))
        add_ramps(
            unit,
            lambda t: self.net_import_kw(unit, t),
            up_kw_per_h=None if self.ramp_up_rate_kw_per_s is None else self.ramp_up_rate_kw_per_s * 3600,
            down_kw_per_h=None if self.ramp_down_rate_kw_per_s is None else self.ramp_down_rate_kw_per_s * 3600,
            range_kw=float(import_limit_kw.max() + export_limit_kw.max()),
        )
        self._declare_contract(unit, inputs, {"import": import_limit_kw, "export": export_limit_kw})

    def _declare_contract(self, unit: Unit, inputs: AssetInputs, limits_kw: dict[str, np.ndarray]) -> None:
        """Declare what peaks cost, and what the tariff costs beyond the prices of steps."""
        tariff = inputs.tariff
        if tariff is not None:
            refuse_unplannable(tariff, self.id, inputs)
        import_name, export_name = _metered(unit)
        of_way = {"import": import_name, "export": export_name}
        demand = declare_demand_charges(
            unit,
            self.charges(tariff),
            inputs,
            lambda way, t: getattr(unit, of_way[way])[t],
            limits_kw,
            calendar=None if tariff is None else tariff.calendar,
        )
        if tariff is None:
            add_once(unit, "demand_cost", total([one.cost for one in demand]))
            return
        so_far = EnergySoFar(self.month_import_kwh_so_far, self.month_export_kwh_so_far, self.year_import_kwh_so_far)
        declare_tariff(unit, tariff, inputs, limits_kw, so_far=so_far, demand=demand)

    def _declare_sharing(
        self, unit: Unit, import_limit_kw: np.ndarray, export_limit_kw: np.ndarray, fee_per_kwh: float
    ) -> None:
        """Declare energy exchanged with other connections of the group.

        metered_import[t] == import[t] + shared_in[t], and likewise for export

        Shared energy runs over the public grid: the meter of the connection sees it, and so do its limits, ramps and
        demand charges. Only the supplier does not, who buys and sells the rest.
        """
        unit.add_series("sharing_fee_per_kwh", np.full(len(unit.steps), fee_per_kwh))
        unit.add_variable("shared_in_kw", upper=import_limit_kw)
        unit.add_variable("shared_out_kw", upper=export_limit_kw)
        unit.add_variable("metered_import_kw", upper=import_limit_kw)
        unit.add_variable("metered_export_kw", upper=export_limit_kw)
        unit.add_constraint(
            "metered_import", lambda t: unit.metered_import_kw[t] == unit.import_kw[t] + unit.shared_in_kw[t]
        )
        unit.add_constraint(
            "metered_export", lambda t: unit.metered_export_kw[t] == unit.export_kw[t] + unit.shared_out_kw[t]
        )
        if self.may_import_while_exporting:
            unit.exclude("shared_in_kw", "shared_out_kw")

    def net_import_kw(self, unit: Any, t: Any) -> Any:
        """Return the power at the meter, import less export, in kW."""
        import_name, export_name = _metered(unit)
        return getattr(unit, import_name)[t] - getattr(unit, export_name)[t]

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return import less export at the meter, less the losses of the transformer, in kW."""
        return self.net_import_kw(unit, t) - self.transformer_losses_kw

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what bought energy costs, sold energy earns, and shared energy costs who receives it.

        Of a tariff, prices are those before levies and taxes, which are types of their own.
        """
        has_tariff = unit.has("energy_price_per_kwh")
        bought_price, sold_price = (
            (unit.energy_price_per_kwh, unit.feed_in_price_per_kwh)
            if has_tariff
            else (unit.import_price_per_kwh, unit.export_price_per_kwh)
        )
        costs = {
            "import_cost": bought_price[t] * unit.import_kw[t] * step_h[t],
            "export_revenue": -sold_price[t] * unit.export_kw[t] * step_h[t],
            **imbalance_costs(unit, t, step_h),
        }
        for word in ("levy", "tax"):
            if unit.has(f"{word}_price_per_kwh"):
                costs[f"{word}_cost"] = getattr(unit, f"{word}_price_per_kwh")[t] * unit.import_kw[t] * step_h[t]
        if unit.has("shared_in_kw"):
            costs["sharing_cost"] = unit.sharing_fee_per_kwh[t] * unit.shared_in_kw[t] * step_h[t]
        return costs

    def costs_once(self, unit: Any) -> dict[str, Any]:
        """Return what peaks cost, those from before the horizon included, and what else months and years bill."""
        return {name: getattr(unit, name)[HORIZON] for name in COSTS_ONCE if unit.has(name)}

    def emissions_kg(self, unit: Any, t: Any, step_h: Any) -> Any:
        """Return the carbon dioxide of the energy bought, in kg."""
        if not unit.has("co2_intensity_kg_per_kwh"):
            return 0.0
        return unit.co2_intensity_kg_per_kwh[t] * unit.import_kw[t] * step_h[t]


def _metered(unit: Any) -> tuple[str, str]:
    """Return the names of the powers at the meter: what is bought and sold, and what is shared."""
    if unit.has("shared_in_kw"):
        return "metered_import_kw", "metered_export_kw"
    return "import_kw", "export_kw"


def _with_peaks(charge: DemandCharge, so_far: DemandSoFar) -> DemandCharge:
    """Return a demand charge with further peaks before the horizon."""
    return charge.replace(
        prior_peaks_kw={**charge.prior_peaks_kw, **so_far.peaks_kw},
        prior_daily_peaks_kw={**charge.prior_daily_peaks_kw, **so_far.daily_peaks_kw},
    )
