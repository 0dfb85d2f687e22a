"""Whole tariffs in a dispatch: its cost is what the bill says, charge by charge, however prices step."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from builders import battery, grid, load, problem, solar
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_numbers import rounded
from tariff_strategies import tariffs

from ems.assets.group import Group, GroupMember
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import InvalidInput
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of
from ems.tariffs.tariff import Tariff

END_OF_MAY = dt.datetime(2024, 5, 31, 22, tzinfo=dt.UTC)
"""Two hours before June, where clocks are in UTC."""
VAT = {"name": "VAT", "share": 0.19}


def contract(buy: float = 0.2, sell: float | None = 0.05, **fields: Any) -> Tariff:
    """A tariff of one price each way and nothing else."""
    if "periods" not in fields:
        fields["periods"] = [{"name": "all", "import_price_per_kwh": buy, "export_price_per_kwh": sell}]
    return Tariff(**{"id": "contract", "name": "Contract", **fields})


def tiered(*prices: tuple[float | None, float, float], **fields: Any) -> Tariff:
    """A tariff of one period with tiers: end of each, price bought and price sold."""
    names = ("up_to_kwh", "import_price_per_kwh", "export_price_per_kwh")
    period = {"name": "all", "tiers": [dict(zip(names, one, strict=True)) for one in prices]}
    return contract(periods=[period], **fields)


def supplied(
    tariff: Tariff, demand_kw: list[float], sun_kw: list[float] | float = 0.0, *more: Any, **fields: Any
) -> DispatchProblem:
    """Hours of a load and the sun behind a connection with a tariff, and whatever else is there."""
    series = fields.pop("series", {})
    steps_h = fields.pop("steps_h", [1.0] * len(demand_kw))
    start = fields.pop("start", END_OF_MAY)
    assets = [grid(**{"tariff_id": "contract", **fields}), load(), solar(), *more]
    values = {"load.demand_kw": demand_kw, "solar.available_kw": sun_kw, **series}
    return problem(assets, values, steps_h, start=start, tariffs=[tariff])


def billed(asked: DispatchProblem) -> dict[str, float]:
    """Cost by type on the bill, which the plan's total is, for a schedule that is sound."""
    result = solve(asked, SolverOptions(mip_gap=0))
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    bill = settle(result.flows, asked.series, asked.portfolio)
    assert_is_cost_of(result, bill.total_cost)
    costs = bill.lines.groupby("cost_type")["cost"].sum()
    return {str(name): float(cost) for name, cost in costs.items() if cost}


def assert_is_cost_of(result: DispatchResult, billed_cost: float) -> None:
    """The plan's cost is the bill's to a millionth of the money moved, which is what solvers promise."""
    moved = float(result.costs["cost"].abs().sum())
    assert abs(result.total_cost - billed_cost) <= 1e-6 * max(1.0, moved)


def test_tiers__rising():
    """20 kWh at 0.10 and 10 kWh at 0.30 are 5; tiers of a month are filled over day and night."""
    tariff = tiered((20, 0.1, 0), (None, 0.3, 0))
    assert billed(supplied(tariff, [12, 18])) == {"import_cost": pytest.approx(5)}


def test_tiers__begin_anew_in_each_month():
    """30 kWh in May and 10 kWh in June are 5 and 1."""
    tariff = tiered((20, 0.1, 0), (None, 0.3, 0))
    assert billed(supplied(tariff, [15, 15, 10])) == {"import_cost": pytest.approx(6)}


def test_tiers__of_a_day_are_times_the_days_of_the_month():
    """1 kWh a day are 31 kWh in May: 4 of 35 kWh are in the second tier: 3.1 and 1.2."""
    tariff = tiered((1, 0.1, 0), (None, 0.3, 0), tier_period="day")
    assert billed(supplied(tariff, [15, 20])) == {"import_cost": pytest.approx(4.3)}


def test_tiers__falling_price_is_earned_by_the_dear_energy_before():
    """Who may sell what was bought at 0.15 buys 100 kWh: 20 at 0.30 and 80 at 0.10, and sells 90: 14 less 13.50.

    Without a decision, all 100 kWh would seem to be had at 0.10.
    """
    tariff = tiered((20, 0.3, 0.15), (None, 0.1, 0.15))
    found = billed(supplied(tariff, [10], may_import_while_exporting=True))
    assert found == {"import_cost": pytest.approx(14), "export_revenue": pytest.approx(-13.5)}


def test_tiers__falling_price_is_left_where_it_does_not_pay():
    """At 0.12 the 90 kWh earn 10.80, which is 3.20 in all and above the 3 of 10 kWh at 0.30."""
    tariff = tiered((20, 0.3, 0.12), (None, 0.1, 0.12))
    assert billed(supplied(tariff, [10], may_import_while_exporting=True)) == {"import_cost": pytest.approx(3)}


def test_tiers__of_exports():
    """The sun's 50 kWh earn 20 at 0.10 and the rest at 0.04; where that would cost 0.04, it is curtailed."""
    assert billed(supplied(tiered((20, 0.3, 0.1), (None, 0.3, 0.04)), [0], 50)) == {
        "export_revenue": pytest.approx(-3.2)
    }
    assert billed(supplied(tiered((20, 0.3, 0.1), (None, 0.3, -0.04)), [0], 50)) == {
        "export_revenue": pytest.approx(-2)
    }


def test_tiers__energy_of_the_month_so_far_has_filled_them():
    """15 of the 20 kWh are used: 5 at 0.10 and 5 at 0.30; sold are 5 of 50 kWh at 0.10 after 15 before."""
    tariff = tiered((20, 0.1, 0.1), (None, 0.3, 0.04))
    assert billed(supplied(tariff, [10], month_import_kwh_so_far=15)) == {"import_cost": pytest.approx(2)}
    found = billed(supplied(tariff, [10, 0], [0, 50], month_export_kwh_so_far=15, month_import_kwh_so_far=25))
    assert found == {"import_cost": pytest.approx(3), "export_revenue": pytest.approx(-0.5 - 45 * 0.04)}


def test_tiers__so_far_belongs_to_the_first_month():
    """20 kWh in May are in the second tier, 10 kWh in June in the first: 6 and 1."""
    tariff = tiered((20, 0.1, 0), (None, 0.3, 0))
    asked = supplied(tariff, [0, 20, 10], month_import_kwh_so_far=30)
    assert billed(asked) == {"import_cost": pytest.approx(7)}


def test_tiers__a_battery_moves_energy_into_the_next_month():
    """Of 40 kWh in the last hour of May 20 are dear; the battery has 20 kWh, which June fills again at 0.10."""
    tariff = tiered((20, 0.1, 0), (None, 0.3, 0))
    storage = battery(capacity_kwh=40, initial_soc=0.5, final_soc_rule="exactly")
    assert billed(supplied(tariff, [0, 40, 0], 0.0, storage)) == {"import_cost": pytest.approx(4)}


def test_tiers__months_of_many_steps():
    """400 quarters of 1 kW are 100 kWh: 60 at 0.10 and 40 at 0.30 in June."""
    tariff = tiered((60, 0.1, 0), (None, 0.3, 0))
    start = dt.datetime(2024, 6, 3, tzinfo=dt.UTC)
    asked = supplied(tariff, [1.0] * 400, steps_h=[0.25] * 400, start=start)
    assert billed(asked) == {"import_cost": pytest.approx(18)}


def test_levy__ends_at_a_limit_of_the_year():
    """30 kWh at 0.20 are 6; the levy of 0.05 is due on 20 of them, on 8 where 12 were bought before."""
    levy = {"name": "surcharge", "rate_per_kwh": 0.05, "exempt_above_kwh_per_a": 20}
    tariff = contract(levies=[levy])
    assert billed(supplied(tariff, [10, 10, 10])) == {"import_cost": pytest.approx(6), "levy_cost": pytest.approx(1)}
    found = billed(supplied(tariff, [10, 10, 10], year_import_kwh_so_far=12))
    assert found["levy_cost"] == pytest.approx(0.4)


def test_taxes_and_levies__are_no_part_of_the_price_of_energy():
    """10 kWh at 0.20 and 0.05 of levy are 2.50, of which VAT is 0.475; a second tax is on energy only."""
    levy = {"name": "grid", "rate_per_kwh": 0.05}
    on_energy = {"name": "town", "share": 0.1, "base": "energy"}
    tariff = contract(levies=[levy], taxes=[VAT, on_energy], fixed_cost_per_month=10)
    assert billed(supplied(tariff, [10])) == {
        "import_cost": pytest.approx(2),
        "levy_cost": pytest.approx(0.5),
        "fixed_cost": pytest.approx(10),
        "tax_cost": pytest.approx(12.5 * 0.19 + 2.5 * 0.1),
    }


def test_fixed_costs__months_and_days_that_the_horizon_touches():
    """Two months at 10, two days at 0.50, and 30 kW at 2 in each of the two months."""
    tariff = contract(fixed_cost_per_month=10, fixed_cost_per_d=0.5, contracted_kw=30, capacity_cost_per_kw_month=2)
    found = billed(supplied(tariff, [0, 0, 0]))
    assert found == {"fixed_cost": pytest.approx(21), "capacity_cost": pytest.approx(120)}


def test_minimum__energy_below_it_costs_nothing_more():
    """10 kWh are 2, and 6 are missing to 8; in June nothing is bought, and 8 are missing."""
    found = billed(supplied(contract(minimum_cost_per_month=8), [10, 0, 0]))
    assert found == {"import_cost": pytest.approx(2), "minimum_cost": pytest.approx(14)}


def test_minimum__a_month_that_earns_keeps_it():
    """50 kWh sold earn 2.50, and the whole minimum of 8 is due beside it; below it, nothing can be gained."""
    found = billed(supplied(contract(minimum_cost_per_month=8), [0], 50))
    assert found == {"export_revenue": pytest.approx(-2.5), "minimum_cost": pytest.approx(8)}


def test_minimum__of_a_year_for_the_months_of_the_horizon():
    """Two twelfths of 120 are 20, less 2 of energy."""
    found = billed(supplied(contract(minimum_cost_per_a=120), [10, 0, 0]))
    assert found == {"import_cost": pytest.approx(2), "minimum_cost": pytest.approx(18)}


def test_net_metering__surplus_of_a_month_is_taken_off_the_next():
    """May feeds 40 kWh in net, of which June takes 30; nothing is due, and nothing is paid for the rest."""
    tariff = contract(metering="net_metering")
    assert billed(supplied(tariff, [0, 10, 30], [50, 0, 0])) == {}


def test_net_metering__year_end_pays_for_what_is_left_and_closes_the_account():
    """The 40 kWh left in May are paid 0.05 each, and June's 30 kWh cost 0.20 each."""
    tariff = contract(metering="net_metering", year_end_month=5, year_end_price_per_kwh=0.05)
    found = billed(supplied(tariff, [0, 10, 30], [50, 0, 0]))
    assert found == {"import_cost": pytest.approx(6), "year_end_revenue": pytest.approx(-2)}


def test_net_metering__cheap_hours_do_not_pay_for_dear_ones():
    """10 kWh fed in at night are not worth the 10 kWh of the day, which cost 0.40 each; a battery moves them."""
    night = {"name": "night", "from_time": "23:00", "until_time": "06:00"}
    periods = [
        {**night, "import_price_per_kwh": 0.1},
        {"name": "day", "import_price_per_kwh": 0.4},
    ]
    tariff = contract(metering="net_metering", periods=periods)
    assert billed(supplied(tariff, [10, 0], [0, 10])) == {"import_cost": pytest.approx(4)}
    storage = battery(capacity_kwh=10, initial_soc=1, final_soc_rule="exactly")
    assert billed(supplied(tariff, [10, 0], [0, 10], storage)) == {}


def test_net_metering__an_account_does_not_bank_what_it_pays_for():
    """June's 20 kWh cost 1 and 3; 10 kWh paid for at 0.10 in May and banked for June would make 2 of it."""
    tariff = tiered((10, 0.1, 0), (None, 0.3, 0), metering="net_metering")
    found = billed(supplied(tariff, [0, 0, 20], may_import_while_exporting=True))
    assert found == {"import_cost": pytest.approx(4)}


def test_net_metering__begins_with_empty_accounts():
    asked = supplied(contract(metering="net_metering"), [10], month_import_kwh_so_far=5)
    with pytest.raises(InvalidInput, match="net metering begins with empty accounts; leave them out"):
        solve(asked)


def test_market_prices__factor_surcharge_and_deduction():
    """10 kWh at 1.1 times 0.20 and 0.02 are 2.40; 40 kWh earn 0.9 times 0.10 less 0.01 each: 3.20."""
    tariff = contract(
        periods=(),
        price_series=True,
        price_factor=1.1,
        surcharge_per_kwh=0.02,
        export_factor=0.9,
        export_deduction_per_kwh=0.01,
    )
    asked = supplied(tariff, [10, 0], [0, 40], series={"grid.import_price_per_kwh": [0.2, 0.1]})
    assert billed(asked) == {"import_cost": pytest.approx(2.4), "export_revenue": pytest.approx(-3.2)}


@pytest.mark.parametrize(
    ("charge", "cost"),
    [
        ({"rate_per_kw": 2, "unit": "kva", "power_factor": 0.9}, 2 * 36 / 0.9),
        ({"tiers": [{"up_to_kw": 10, "rate_per_kw": 4}, {"rate_per_kw": 1}]}, 40 + 26),
        ({"tiers": [{"up_to_kw": 10, "rate_per_kw": 1}, {"rate_per_kw": 4}]}, 10 + 4 * 26),
        ({"rate_per_kw": 2, "highest_days": 2}, 2 * (36 + 18) / 2),
        ({"rate_per_kw": 2, "highest_days": 2, "prior_daily_peaks_kw": {"2024-06-01": 50}}, 2 * (36 + 50) / 2),
        ({"rate_per_kw": 2, "minimum_kw": 40}, 80),
        ({"rate_per_kw": 2, "coincident_times": ["2024-06-04T12:00Z", "2024-06-05T12:00Z"]}, 2 * 18),
        (
            {
                "rate_per_kw": 2,
                "coincident_times": ["2024-06-04T12:00Z", "2024-06-05T12:00Z"],
                "coincident_of": "mean",
            },
            2 * (18 + 9) / 2,
        ),
        ({"seasons": [{"months": [6], "rate_per_kw": 3}], "rate_per_kw": 1}, 108),
    ],
)
def test_demand_charge__of_the_tariff(charge: dict, cost: float):
    """Days of 36, 18 and 9 kW in June, whose energy is free."""
    tariff = contract(buy=0, demand_charges=[{"name": "peak", **charge}])
    start = dt.datetime(2024, 6, 3, tzinfo=dt.UTC)
    asked = supplied(tariff, [36, 18, 9], steps_h=[24.0] * 3, start=start)
    assert billed(asked) == {"demand_cost": pytest.approx(cost)}


def test_demand_charge__mean_of_days_is_flattened_over_days():
    """30 kW on the last of three days: the mean of the two highest is least at 10 kW on each of the three."""
    tariff = contract(buy=0.001, sell=0, demand_charges=[{"name": "peak", "rate_per_kw": 10, "highest_days": 2}])
    start = dt.datetime(2024, 6, 3, tzinfo=dt.UTC)
    storage = battery(capacity_kwh=1000, initial_soc=0, final_soc_rule="exactly")
    asked = supplied(tariff, [0, 0, 30], 0.0, storage, steps_h=[24.0] * 3, start=start)
    assert billed(asked)["demand_cost"] == pytest.approx(100)


def test_demand_charge__tariff_and_connection_add_up():
    """36 kW at 2 of the tariff and at 1 of the connection, both with VAT."""
    tariff = contract(buy=0, demand_charges=[{"name": "network", "rate_per_kw": 2}], taxes=[VAT])
    asked = supplied(tariff, [36], demand_charges=[{"name": "metering", "rate_per_kw": 1}])
    assert billed(asked) == {"demand_cost": pytest.approx(108), "tax_cost": pytest.approx(108 * 0.19)}


def test_demand_charge__peaks_so_far_of_the_connection():
    """50 kW before are charged in full; April's 100 kW act through the ratchet of half: 50 kW."""
    charge = {"name": "peak", "rate_per_kw": 2, "ratchet": {"share": 0.6, "previous": 1}}
    tariff = contract(buy=0, demand_charges=[charge])
    so_far = {"charge": "peak", "peaks_kw": {"2024-05": 50, "2024-04": 100}}
    assert billed(supplied(tariff, [36], demand_so_far=[so_far])) == {"demand_cost": pytest.approx(120)}


def test_demand_charge__names_are_unique_over_tariff_and_connection():
    charge = {"name": "peak", "rate_per_kw": 2}
    asked = supplied(contract(demand_charges=[charge]), [1], demand_charges=[charge])
    with pytest.raises(InvalidInput, match="demand charge 'peak' is stated in the tariff and at the connection"):
        solve(asked)


def test_demand_so_far__of_no_charge():
    asked = supplied(contract(), [1], demand_so_far=[{"charge": "peek"}])
    with pytest.raises(InvalidInput, match="demand_so_far: 'peek': no such demand charge"):
        solve(asked)


def two_sites(tariff: Tariff) -> DispatchProblem:
    """Sun of 30 kW at site a and a load of 50 kW at site b, whose connections share energy for 0.01."""
    sites = [{"id": f"grid-{one}", "site_id": one, "tariff_id": "contract"} for one in ("a", "b")]
    return problem(
        [*(grid(**one) for one in sites), solar(site_id="a"), load(site_id="b")],
        {"load.demand_kw": 50, "solar.available_kw": 30},
        tariffs=[tariff],
        groups=(Group(id="street", sharing_fee_per_kwh=0.01),),
        members=tuple(GroupMember(asset_id=one["id"], group_id="street") for one in sites),
    )


def test_shared_energy__the_meter_has_the_peak_and_the_supplier_the_rest():
    """Site b buys 20 kWh beside what it shares, and has a peak of 50 kW.

    0.3 of sharing, 20 at 0.20 and 0.05 of levy, 50 kW at 2 and VAT on 4 + 1 + 100; nothing else is sold or bought.
    """
    levy = {"name": "levy", "rate_per_kwh": 0.05}
    tariff = contract(sell=0, levies=[levy], taxes=[VAT], demand_charges=[{"name": "peak", "rate_per_kw": 2}])
    assert billed(two_sites(tariff)) == {
        "sharing_cost": pytest.approx(0.3),
        "import_cost": pytest.approx(4),
        "levy_cost": pytest.approx(1),
        "demand_cost": pytest.approx(100),
        "tax_cost": pytest.approx(105 * 0.19),
    }


def test_shared_energy__and_a_minimum_of_the_bill():
    with pytest.raises(InvalidInput, match="a minimum of the bill: the supplier sees only part of the energy"):
        solve(two_sites(contract(minimum_cost_per_month=8)))


def test_buy_all_sell_all__is_refused_with_a_remedy():
    with pytest.raises(InvalidInput, match="give generation a site and a connection of its own that only exports"):
        solve(supplied(contract(metering="buy_all_sell_all"), [1]))


def test_demand_charge__series_of_a_tariff_belong_to_the_connection():
    charge = {"name": "peak", "rate_per_kw": 2, "window_series": "is_peak"}
    with pytest.raises(InvalidInput, match="is_peak is a series of a connection; state the charge there"):
        solve(supplied(contract(demand_charges=[charge]), [1]))


def test_so_far__of_a_horizon_of_a_year():
    """The month of the beginning would come a second time."""
    with pytest.raises(InvalidInput, match="month_import_kwh_so_far = 5 kWh: belongs to the first month"):
        supplied(contract(), [1] * 365, steps_h=[24.0] * 365, month_import_kwh_so_far=5)


def laws(max_examples: int):
    return settings(
        max_examples=examples(max_examples),
        deadline=None,  # the first solve of a process imports the solver
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def sites_with_tariffs(draw: Any, **kind: Any) -> DispatchProblem:
    """A load, the sun and a battery behind a connection with a random tariff, from 20:00 on the last of May."""
    tariff = Tariff(**draw(tariffs(**kind)))
    hours = draw(st.integers(3, 8))

    def column(low: float, high: float) -> list[float]:
        return draw(st.lists(rounded(low, high, 1), min_size=hours, max_size=hours))

    fields: dict[str, Any] = {"may_import_while_exporting": draw(st.booleans())}
    if tariff.metering != "net_metering":
        fields["month_import_kwh_so_far"] = fields["year_import_kwh_so_far"] = draw(st.sampled_from([0, 10, 30]))
        fields["month_export_kwh_so_far"] = draw(st.sampled_from([0, 20]))
    wear = draw(st.sampled_from([0, 0.01]))
    powers = {"capacity_kwh": 40, "max_charge_kw": 20, "max_discharge_kw": 20}
    storage = battery(**powers, final_soc_rule="at_least", degradation_cost_per_kwh=wear)
    market = {"grid.import_price_per_kwh": column(-0.2, 0.6)} if tariff.price_series else {}
    start = dt.datetime(2024, 5, 31, 20, tzinfo=dt.UTC)
    return supplied(tariff, column(0, 40), column(0, 50), storage, series=market, start=start, **fields)


@laws(50)
@given(sites_with_tariffs())
def test_tariffs__cost_is_that_of_the_bill(asked: DispatchProblem):
    """Tiers, peaks, levies, taxes, minimums and accounts: once as constraints, once as an invoice; wear is in both."""
    result = solve(asked, SolverOptions(mip_gap=0))
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    assert_is_cost_of(result, settle(result.flows, asked.series, asked.portfolio).total_cost)


@laws(10)
@given(sites_with_tariffs())
def test_tariffs__pyomo_model_has_the_same_optimum(asked: DispatchProblem):
    exact = SolverOptions(mip_gap=0)
    plain, by_model = solve(asked, exact), solve(asked, exact, model=build_model(asked))
    assert_is_cost_of(plain, by_model.total_cost)


@laws(12)
@given(sites_with_tariffs(is_pro_rata=True))
def test_tariffs__periods_that_step_differently_still_have_a_sound_schedule(asked: DispatchProblem):
    """The plan takes the mean step; the bill, which has each period's own, tells the difference."""
    result = solve(asked, SolverOptions(mip_gap=0))
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    assert settle(result.flows, asked.series, asked.portfolio).total_cost == pytest.approx(
        # 8 h of 100 kW each way, and steps of 0.1 in both of two further tiers, with two taxes.
        result.total_cost,
        abs=8 * 200 * 0.4 * 1.24,
    )
