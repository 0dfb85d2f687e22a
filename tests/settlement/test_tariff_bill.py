"""Bills of small tariffs, with answers found by hand; and laws that hold for every bill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tariff_samples import HOURS, bill, cost_of, hours, power, tariff

from ems.errors import InvalidInput
from ems.settlement.bill_lines import COLUMNS
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.calendar import Calendar
from ems.tariffs.levies import Levy, Tax
from ems.tariffs.tariff import EnergyPeriod, EnergyTier

TWO_MONTHS = sum(HOURS.values())
JANUARY, FEBRUARY = slice(0, HOURS["january"]), slice(HOURS["january"], TWO_MONTHS)


def two_tiers(end_kwh: float, *prices: float, name: str = "always", **where: object) -> EnergyPeriod:
    first = EnergyTier(up_to_kwh=end_kwh, import_price_per_kwh=prices[0], export_price_per_kwh=0)
    last = EnergyTier(import_price_per_kwh=prices[1], export_price_per_kwh=0)
    return EnergyPeriod(name=name, tiers=(first, last), **where)


def test_bill_of__one_price() -> None:
    """744 kWh in January at 0.10 cost 74.40, 10 kWh fed in earn 0.40; each is a line with quantity and rate."""
    lines = bill(tariff(), np.ones(744), power(744, h12=10))

    assert list(lines.columns) == list(COLUMNS)
    assert lines.to_numpy().tolist() == [
        ["2024-01", "import_cost", "always", 744.0, "kWh", 0.10, pytest.approx(74.4)],
        ["2024-01", "export_revenue", "always, fed in", 10.0, "kWh", -0.04, pytest.approx(-0.4)],
    ]


def test_bill_of__tiers_are_shared_by_periods_pro_rata() -> None:
    """30 kWh by day and 10 kWh by night fill a block of 20 kWh: 15 and 5 kWh of it, and as much above.

    Day costs 15 * 0.10 + 15 * 0.20 = 4.50, night 5 * 0.05 + 5 * 0.10 = 0.75.
    """
    day = two_tiers(20, 0.10, 0.20, name="day", from_time="06:00", until_time="22:00")
    contract = tariff(periods=(day, two_tiers(20, 0.05, 0.10, name="night")))

    lines = bill(contract, power(24, h7=30, h23=10))

    assert lines.charge.tolist() == ["day, tier 1", "day, tier 2", "night, tier 1", "night, tier 2"]
    assert lines.quantity.tolist() == pytest.approx([15, 15, 5, 5])
    assert lines.cost.tolist() == pytest.approx([1.5, 3.0, 0.25, 0.5])


def test_bill_of__tiers_begin_anew_each_month() -> None:
    """1 kWh an hour is 744 and 696 kWh: 100 kWh of each at 0.10, the rest at 0.20."""
    lines = bill(tariff(periods=(two_tiers(100, 0.10, 0.20),)), np.ones(TWO_MONTHS))

    assert cost_of(lines, "import_cost") == pytest.approx({"2024-01": 10 + 128.8, "2024-02": 10 + 119.2})


def test_bill_of__tiers_of_a_day_are_times_the_days_of_the_month() -> None:
    """A block of 10 kWh a day ends at 290 kWh in the February of 2024, and at 280 kWh in that of a typical year."""
    contract = tariff(periods=(two_tiers(10, 0.10, 0.20),), tier_period="day")
    february = np.zeros(TWO_MONTHS)
    february[FEBRUARY] = 1

    real, typical = bill(contract, february), bill(contract, february, calendar=Calendar(is_typical=True))

    assert real.quantity.tolist() == pytest.approx([290, 696 - 290])
    assert typical[typical.month == "2024-02"].quantity.iloc[0] == pytest.approx(280)


def test_bill_of__net_metering_carries_the_surplus() -> None:
    """January feeds in 100 kWh more than it draws; February draws 60 kWh, which the surplus covers.

    The year ends in February: 40 kWh are left and earn 0.03 each.
    """
    contract = tariff(metering="net_metering", year_end_month=2, year_end_price_per_kwh=0.03)
    imports, exports = np.zeros(TWO_MONTHS), np.zeros(TWO_MONTHS)
    imports[10], exports[12], imports[800] = 20, 120, 60

    lines = bill(contract, imports, exports)

    assert lines[["month", "cost_type", "quantity"]].to_numpy().tolist() == [
        ["2024-01", "carried_energy", 100.0],
        ["2024-02", "year_end_revenue", 40.0],
    ]
    assert lines.cost.sum() == pytest.approx(-1.2)


def test_bill_of__net_metering_by_period() -> None:
    """A surplus of 50 kWh by day does not pay for 30 kWh by night; next day's 20 kWh by day are free.

    The night costs 30 * 0.05. At the year's end 50 - 30 - 20 = 0 kWh are left over all hours, and nothing is paid.
    """
    day = EnergyPeriod(name="day", import_price_per_kwh=0.2, from_time="06:00", until_time="22:00")
    night = EnergyPeriod(name="night", import_price_per_kwh=0.05)
    contract = tariff(periods=(day, night), metering="net_metering", year_end_month=2, year_end_price_per_kwh=0.03)
    imports, exports = np.zeros(TWO_MONTHS), np.zeros(TWO_MONTHS)
    exports[12], imports[2], imports[744 + 12] = 50, 30, 20

    lines = bill(contract, imports, exports)

    assert cost_of(lines, "import_cost") == pytest.approx({"2024-01": 1.5})
    assert cost_of(lines, "year_end_revenue") == {}


def test_bill_of__net_metering_over_a_change_of_season() -> None:
    """January's only period is no more in February; its 50 kWh go to the one at midnight and cover its 40 kWh."""
    winter = EnergyPeriod(name="winter", import_price_per_kwh=0.2, months=(1,))
    day = EnergyPeriod(name="day", import_price_per_kwh=0.3, from_time="00:00", until_time="12:00")
    rest = EnergyPeriod(name="rest", import_price_per_kwh=0.1)
    contract = tariff(periods=(winter, day, rest), metering="net_metering")
    imports, exports = np.zeros(TWO_MONTHS), np.zeros(TWO_MONTHS)
    exports[12], imports[744 + 3], imports[744 + 13] = 50, 40, 10

    lines = bill(contract, imports, exports)

    assert cost_of(lines, "import_cost") == pytest.approx({"2024-02": 1.0})


def test_bill_of__all_is_bought_and_all_is_sold() -> None:
    """5 kWh drawn, 2 kWh fed in and 3 kWh used at once are 8 kWh bought at 0.10 and 5 kWh sold at 0.04."""
    contract = tariff(metering="buy_all_sell_all")

    lines = bill(contract, power(24, h3=5), power(24, h12=2), self_consumed_kw=power(24, h12=3))

    assert lines.cost.tolist() == pytest.approx([0.8, -0.2])


def test_bill_of__market_prices() -> None:
    """10 kWh at 0.05 and 10 kWh at -0.01 cost 0.40 * 1.1; 0.02 a kWh come on top; 4 kWh fed in earn 0.05 - 0.005."""
    market = np.zeros(24)
    market[[3, 4]] = 0.05, -0.01
    contract = tariff(
        periods=(),
        price_series=True,
        price_factor=1.1,
        surcharge_per_kwh=0.02,
        export_factor=1.0,
        export_deduction_per_kwh=0.005,
    )

    lines = bill(contract, power(24, h3=10, h4=10), power(24, h3=4), market_price_per_kwh=market)

    assert dict(zip(lines.charge, lines.cost, strict=True)) == pytest.approx(
        {"market": 0.44, "surcharge": 0.40, "market, fed in": -0.20, "deduction, fed in": 0.02}
    )
    assert lines.rate.iloc[0] == pytest.approx(0.022)


def test_bill_of__levies_end_at_the_energy_of_a_year() -> None:
    """Of 744 and 696 kWh, a levy of 0.01 up to 1000 kWh a year is due for 744 and 256 kWh."""
    levy = Levy(name="grid levy", rate_per_kwh=0.01, exempt_above_kwh_per_a=1000)

    lines = bill(tariff(levies=(levy,)), np.ones(TWO_MONTHS))

    assert cost_of(lines, "levy_cost") == pytest.approx({"2024-01": 7.44, "2024-02": 2.56})


def test_bill_of__levy_on_self_consumption() -> None:
    """5 kWh used at once at 0.02 cost 0.10; without that reading nobody can bill them."""
    contract = tariff(levies=(Levy(name="share", rate_per_kwh=0.02, applies_to="self_consumption"),))

    lines = bill(contract, np.zeros(24), self_consumed_kw=power(24, h12=5))

    assert lines.cost.tolist() == pytest.approx([0.1])
    with pytest.raises(InvalidInput, match="levy 'share' on self-consumption: needs the power"):
        bill(contract, np.zeros(24))


def test_bill_of__taxes() -> None:
    """10 kWh cost 1.00, a levy 0.10, a fixed charge 5.00; VAT of 20 % on all is 1.22, a tax of 10 % on energy 0.11.

    The 0.40 earned by feeding in stay untaxed.
    """
    contract = tariff(
        levies=(Levy(name="levy", rate_per_kwh=0.01),),
        taxes=(Tax(name="VAT", share=0.2), Tax(name="energy tax", share=0.1, base="energy")),
        fixed_cost_per_month=5,
    )

    lines = bill(contract, power(24, h3=10), power(24, h12=10))

    taxes = lines[lines.cost_type == "tax_cost"]
    assert dict(zip(taxes.charge, taxes.cost, strict=True)) == pytest.approx({"VAT": 1.22, "energy tax": 0.11})


def test_bill_of__fixed_charges() -> None:
    """Two months at 30, 60 days at 0.50, and 100 kW contracted at 2 a month: 60 + 30 + 400."""
    contract = tariff(fixed_cost_per_month=30, fixed_cost_per_d=0.5, contracted_kw=100, capacity_cost_per_kw_month=2)

    lines = bill(contract, np.zeros(TWO_MONTHS))

    assert cost_of(lines, "fixed_cost") == pytest.approx({"2024-01": 45.5, "2024-02": 44.5})
    assert cost_of(lines, "capacity_cost") == pytest.approx({"2024-01": 200, "2024-02": 200})


def test_bill_of__minimum_of_a_month() -> None:
    """January costs 74.40 and is above the minimum of 50; February earns 4, keeps it, and costs 50 for being there."""
    imports, exports = np.zeros(TWO_MONTHS), np.zeros(TWO_MONTHS)
    imports[JANUARY], exports[800] = 1, 100

    lines = bill(tariff(minimum_cost_per_month=50), imports, exports)

    assert cost_of(lines, "minimum_cost") == pytest.approx({"2024-02": 50})
    assert lines.cost.sum() == pytest.approx(74.4 - 4 + 50)


def test_bill_of__minimum_of_a_year() -> None:
    """Two months of a year with a minimum of 1200 cost at least 200; 144 are paid, and 56 are missing."""
    lines = bill(tariff(minimum_cost_per_a=1200), np.ones(TWO_MONTHS))

    assert cost_of(lines, "minimum_cost") == pytest.approx({"2024-02": 56})


def test_bill_of__local_months() -> None:
    """The hour that begins at 23:00 UTC on 31 January is one of February in Berlin."""
    lines = bill_of(tariff(), hours(744), "Europe/Berlin", power(744, h742=1, h743=1))

    assert lines[["month", "quantity"]].to_numpy().tolist() == [["2024-01", 1.0], ["2024-02", 1.0]]


def test_bill_of__export_without_a_price() -> None:
    contract = tariff(periods=(EnergyPeriod(name="always", import_price_per_kwh=0.1),))

    with pytest.raises(
        InvalidInput, match="export_price_per_kwh of 'always' is stated nowhere, and 2 kWh were fed in"
    ):
        bill(contract, np.zeros(24), power(24, h12=2))


@pytest.mark.parametrize(
    ("readings", "message"),
    [
        (np.ones(23), "import_kw has 23 values for 24 steps"),
        (power(24, h5=-1), "import_kw = -1 kW at 2024-01-01 05:00 UTC: must be at least 0 kW"),
        (power(24, h5=np.nan), "import_kw = nan kW at 2024-01-01 05:00 UTC: must be at least 0 kW, without gaps"),
    ],
)
def test_bill_of__unusable_readings(readings: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        bill_of(tariff(), hours(24), "UTC", readings)


def test_bill_of__market_prices_that_nobody_gave() -> None:
    with pytest.raises(InvalidInput, match="needs the market's prices"):
        bill(tariff(periods=(), price_series=True), np.ones(24))


READINGS = st.lists(st.floats(0, 1000), min_size=48, max_size=48).map(np.array)


@given(readings=READINGS, end_kwh=st.floats(1, 1e5))
def test_bill_of__lines_hold_all_energy(readings: np.ndarray, end_kwh: float) -> None:
    """The quantities of all tiers are the energy of the meter, and each line is quantity times rate."""
    day = two_tiers(end_kwh, 0.1, 0.2, name="day", from_time="06:00", until_time="22:00")
    lines = bill(tariff(periods=(day, two_tiers(end_kwh, 0.05, 0.3, name="night"))), readings)

    assert lines.quantity.sum() == pytest.approx(readings.sum(), rel=1e-9, abs=1e-9)
    assert (lines.quantity * lines.rate).tolist() == pytest.approx(lines.cost.tolist())


@given(readings=READINGS, more=st.floats(0, 100), hour=st.integers(0, 47))
def test_bill_of__more_energy_costs_no_less(readings: np.ndarray, more: float, hour: int) -> None:
    """With prices that are not negative and rise from tier to tier, a kWh more never makes the bill smaller."""
    contract = tariff(periods=(two_tiers(500, 0.1, 0.2),), minimum_cost_per_month=20)
    larger = readings.copy()
    larger[hour] += more

    # Bills of up to 10,000 round at 1e-12 of that.
    assert bill(contract, larger).cost.sum() >= bill(contract, readings).cost.sum() - 1e-8


@given(readings=READINGS, order=st.permutations(range(48)))
def test_bill_of__the_order_of_hours_of_one_price_does_not_matter(readings: np.ndarray, order: list[int]) -> None:
    contract = tariff(periods=(two_tiers(500, 0.1, 0.2),))

    assert bill(contract, readings[order]).cost.sum() == pytest.approx(bill(contract, readings).cost.sum(), rel=1e-9)
