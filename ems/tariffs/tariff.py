"""Tariff: what a contract says that energy and power cost, one record a tariff."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from ems.display import Card
from ems.record import FromList, Name, NonNegative, Positive, Record, Slug
from ems.tariffs.calendar import Calendar, known_holiday_calendar
from ems.tariffs.clock import Hours, Month
from ems.tariffs.demand_charge import DemandCharge
from ems.tariffs.levies import Levy, Tax
from ems.tariffs.period_table import first_gap
from ems.tariffs.tier_limits import check_limits


def _three_capitals(code: str) -> str:
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError("must be 3 capital letters, as in EUR")
    return code


Currency = Annotated[str, AfterValidator(_three_capitals)]
HolidayCalendar = Annotated[str, AfterValidator(known_holiday_calendar)]


class EnergyTier(Record):
    """A block of a month's energy with prices of its own."""

    up_to_kwh: Positive | None = None
    """Energy of the month (or of its days, see the tariff's tier_period) at which the block ends; none for the last
    one. Acts in dispatch and settlement."""
    import_price_per_kwh: float
    """Price of a kWh taken from the grid. Acts in dispatch and settlement."""
    export_price_per_kwh: float | None = None
    """Price paid for a kWh fed into the grid; needed where the connection can export. Acts in dispatch and
    settlement."""


class EnergyPeriod(Hours):
    """Hours that share the price of energy; periods of one name and one price count as one."""

    name: Name
    """What the contract calls these hours: peak, night. Acts in settlement."""
    import_price_per_kwh: float | None = None
    """Price of a kWh taken from the grid; of a tariff with a price series, what comes on top of the market's. Acts in
    dispatch and settlement."""
    export_price_per_kwh: float | None = None
    """Price paid for a kWh fed into the grid; needed where the connection can export. Acts in dispatch and
    settlement."""
    tiers: Annotated[tuple[EnergyTier, ...], FromList] = ()
    """Prices by how much energy the month has, in place of the two above: the month's energy fills the tiers, and each
    period has the share in them that it has in the month's energy. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _has_one_price(self) -> EnergyPeriod:
        if not self.tiers:
            if self.import_price_per_kwh is None:
                raise ValueError("import_price_per_kwh: is required, where tiers do not give the price")
            return self
        for name in ("import_price_per_kwh", "export_price_per_kwh"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} = {getattr(self, name):g}: the tiers give the price already; keep one")
        check_limits([one.up_to_kwh for one in self.tiers], "up_to_kwh", "kWh")
        return self

    def all_tiers(self) -> tuple[EnergyTier, ...]:
        """Return its tiers, of which there is one where one price holds for all energy."""
        if self.tiers:
            return self.tiers
        assert self.import_price_per_kwh is not None, "a period without tiers has a price"
        return (
            EnergyTier(import_price_per_kwh=self.import_price_per_kwh, export_price_per_kwh=self.export_price_per_kwh),
        )


class Tariff(Record):
    """What energy and power cost by contract; the first of the periods that holds at a moment gives its price."""

    id: Slug
    """Id of the tariff. Describes only."""
    name: Name
    """What people call it. Describes only."""
    currency: Currency | None = None
    """ISO 4217 code of its prices, which must be the portfolio's. Acts in checks."""
    periods: Annotated[tuple[EnergyPeriod, ...], FromList] = ()
    """Energy periods; together they cover every hour of the year. A tariff with a price series may have none; theirs
    come on top of the market's prices. Acts in dispatch and settlement."""
    holiday_calendar: HolidayCalendar | None = None
    """Country, or country and region, whose public holidays are no weekdays: DE, DE-BY, US. Acts in dispatch and
    settlement."""
    tier_period: Literal["month", "day"] = "month"
    """What the ends of energy tiers are stated for; of a day, they are times the days of the month, and the month's
    energy fills them. Acts in dispatch and settlement."""
    metering: Literal["net_billing", "net_metering", "buy_all_sell_all"] = "net_billing"
    """How import and export meet: each step by itself; exported kWh of a period balance imported ones of the month and
    the rest goes into the next month; or all generation is sold and all demand bought. Acts in dispatch and
    settlement."""
    year_end_price_per_kwh: float | None = None
    """Price paid for kWh of net metering that are left at the end of the year; none is paid where there is none. Acts
    in dispatch and settlement."""
    year_end_month: Month = 12
    """Last month of a year of net metering. Acts in dispatch and settlement."""
    price_series: bool = False
    """Whether prices follow the market's: the connection's series import_price_per_kwh. Acts in dispatch and
    settlement."""
    price_factor: float = 1
    """What the market's price is multiplied by for import. Acts in dispatch and settlement."""
    surcharge_per_kwh: float = 0
    """What the supplier adds to the market's price. Acts in dispatch and settlement."""
    export_factor: float | None = None
    """What the market's price is multiplied by for export; exports do not follow the market where there is none. Acts
    in dispatch and settlement."""
    export_deduction_per_kwh: float = 0
    """What the buyer takes off the market's price of exports. Acts in dispatch and settlement."""
    levies: Annotated[tuple[Levy, ...], FromList] = ()
    """Amounts for each kWh on top. Acts in dispatch and settlement."""
    taxes: Annotated[tuple[Tax, ...], FromList] = ()
    """Shares of other charges on top. Acts in dispatch and settlement."""
    demand_charges: Annotated[tuple[DemandCharge, ...], FromList] = ()
    """Prices of the highest powers; those of the connection add to them. Acts in dispatch and settlement."""
    contracted_kw: Positive | None = None
    """Power that the capacity fee is paid for. Acts in settlement."""
    capacity_cost_per_kw_month: NonNegative = 0
    """Fee for a contracted kW and month. Acts in settlement."""
    fixed_cost_per_month: float = 0
    """Fixed charge of a month. Acts in settlement."""
    fixed_cost_per_d: float = 0
    """Fixed charge of a day. Acts in settlement."""
    minimum_cost_per_month: NonNegative = 0
    """Least that a month costs before taxes. Acts in settlement."""
    minimum_cost_per_a: NonNegative = 0
    """Least that a year costs before taxes. Acts in settlement."""

    @model_validator(mode="after")
    def _covers_the_year(self) -> Tariff:
        if not self.periods:
            if not self.price_series:
                raise ValueError("periods: at least one is required, where price_series does not give the prices")
            return self
        gap = first_gap(self)
        if gap is not None:
            raise ValueError(f"no period holds in {gap}; end the list with one for all other hours")
        return self

    @model_validator(mode="after")
    def _each_field_has_what_it_needs(self) -> Tariff:
        defaults = {name: field.default for name, field in type(self).model_fields.items()}

        def changed(*names: str) -> list[str]:
            return [name for name in names if getattr(self, name) != defaults[name]]

        if not self.price_series:
            for name in changed("price_factor", "surcharge_per_kwh", "export_factor", "export_deduction_per_kwh"):
                raise ValueError(f"{name} = {getattr(self, name):g}: needs price_series: true")
        if self.export_factor is None and self.export_deduction_per_kwh:
            raise ValueError(f"export_deduction_per_kwh = {self.export_deduction_per_kwh:g}: needs export_factor")
        if self.metering != "net_metering":
            for name in changed("year_end_price_per_kwh", "year_end_month"):
                raise ValueError(f"{name} = {getattr(self, name):g}: needs metering: net_metering")
        if self.price_series and self.metering == "net_metering":
            raise ValueError("metering = 'net_metering': kWh of hours with different market prices cannot balance")
        has_tiers = any(period.tiers for period in self.periods)
        if self.price_series and has_tiers:
            raise ValueError("price_series = true: energy tiers have prices of their own; keep one")
        if self.tier_period == "day" and not has_tiers:
            raise ValueError("tier_period = 'day': needs energy tiers")
        if (self.contracted_kw is None) != (not self.capacity_cost_per_kw_month):
            raise ValueError("contracted_kw and capacity_cost_per_kw_month: need each other")
        return self

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Tariff:
        for field in ("levies", "taxes", "demand_charges"):
            names = [one.name for one in getattr(self, field)]
            if len(set(names)) < len(names):
                raise ValueError(f"two {field} have the name '{max(names, key=names.count)}'; names are unique")
        if self.holiday_calendar is None:
            windows = [hours for charge in self.demand_charges for hours in charge.hours]
            if any(hours.names_holidays for hours in (*self.periods, *windows)):
                raise ValueError("weekdays = 'holiday': needs holiday_calendar, as in DE-BY")
        return self

    def card(self) -> Card:
        """Return what the tariff says, in sentences to hold against the contract."""
        from ems.tariffs.description import describe

        return Card(self._caption(), [(f"{at}", said) for at, said in enumerate(describe(self), 1)])

    @property
    def calendar(self) -> Calendar:
        """Calendar that it goes by: real dates with its holidays."""
        return Calendar(self.holiday_calendar)

    @property
    def has_tiers(self) -> bool:
        """Whether prices of energy depend on how much of it a month has."""
        return any(len(period.tiers) > 1 for period in self.periods)
