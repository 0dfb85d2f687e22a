"""Laws of the closed loop: limits and balances hold, knowing more costs never more, settlement agrees."""

from __future__ import annotations

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rolling_samples import home_case

from ems.assets.portfolio import Portfolio, Site
from ems.errors import InvalidInput
from ems.studies.rolling_care import careful, price_levels
from ems.studies.rolling_forecasts import naive_tables, own_tables, perfect_tables
from ems.studies.rolling_loop import run_policy
from ems.studies.rolling_optimum import perfect_foresight
from ems.studies.rolling_plans import Planned
from ems.studies.rolling_result import RollingResult
from ems.studies.rolling_run import run_policies
from ems.studies.rolling_tiers import tier_prices
from ems.tariffs.demand_charge import DemandCharge
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

MODELS = {"load": "seasonal_naive", "solar": "seasonal_naive", "price": "seasonal_naive"}
RULES_AND_PLANS = ("no_control", "self_consumption", "time_of_use", "plan_naive", "plan_perfect", "perfect_foresight")
NEAR = 1e-6
MONTHLY = {"demand_charges": (DemandCharge(name="month", rate_per_kw=5.0, minimum_kw=1.0),)}


@settings(max_examples=examples(5), deadline=None)
@given(
    seed=st.integers(0, 1000),
    horizon_h=st.sampled_from([6, 24, 30]),
    terminal_value=st.sampled_from(["none", "keep", "mean_price", "quantiles"]),
    control=st.sampled_from(["follow", "setpoint"]),
    has_peaks=st.booleans(),
)
def test_loop__keeps_every_law_and_never_beats_foresight(seed, horizon_h, terminal_value, control, has_peaks) -> None:
    """Replay finds no broken limit or balance, and no policy costs less than the optimum that knows all."""
    case = home_case(
        seed,
        days=11,
        horizon_h=horizon_h,
        terminal_value=terminal_value,
        control=control,
        connection=MONTHLY if has_peaks else None,
    )

    result = run_policies(case, RULES_AND_PLANS, MODELS)

    for policy in result.policies:
        assert result.violations(policy) == [], policy
        assert result.costs["perfect_foresight"] <= result.costs[policy] + NEAR, policy


def test_loop__agrees_with_settlement() -> None:
    """Prices of steps, peaks and the worth of what is left are the bill, to the last digit."""
    case = home_case(1, connection=MONTHLY)

    result = run_policies(case, ("self_consumption", "plan_naive"), MODELS)

    for policy in result.policies:
        battery = next(one for one in case.settled.assets if one.id == "battery")
        left = result.flows(policy)["energy_kwh"].sel(asset="battery").to_numpy()[-1]
        own = float(result.step_costs(policy).sum()) + result.runs[policy].peaks_cost
        own -= left * battery.final_energy_value_per_kwh
        assert own == pytest.approx(result.bill(policy).total_cost, abs=NEAR)


def test_loop__with_foresight_of_its_windows_is_near_the_optimum() -> None:
    """A day and a half of perfect forecasts is nearly as good as knowing all: within 2 % of the cost."""
    case = home_case(2, horizon_h=36)

    result = run_policies(case, ("plan_perfect", "perfect_foresight"), MODELS)

    costs = result.costs
    assert costs["plan_perfect"] <= costs["perfect_foresight"] * 1.02


@settings(max_examples=examples(2), deadline=None)
@given(seed=st.integers(0, 1000), factor=st.floats(0.5, 3.0))
def test_loop__prices_times_a_factor_cost_so_many_times(seed: int, factor: float) -> None:
    names = ("self_consumption", "plan_perfect", "perfect_foresight")
    once = run_policies(home_case(seed, days=10), names, MODELS).costs
    more = run_policies(home_case(seed, days=10, price_factor=factor), names, MODELS).costs

    assert np.allclose(once * factor, more, rtol=2e-4)  # equal plans are told apart by a price that does not scale


def test_plan__with_coarser_steps_and_rarer_decisions() -> None:
    """Quarter hours of truth, hourly plans, a decision every two hours: every law holds."""
    case = home_case(3, days=9, step_h=0.25).but(horizon_h=12.0, step_h=1.0, decide_every_h=2.0)

    result = run_policies(case, ("plan_perfect", "perfect_foresight"), MODELS)

    assert result.violations("plan_perfect") == []
    assert len(case.decisions) == 12
    assert result.costs["perfect_foresight"] <= result.costs["plan_perfect"] + NEAR


def test_plan__that_fails_uses_the_one_before_and_says_so() -> None:
    """A planner that gives up from the tenth decision on leaves the loop with its last plan, and a note each time."""
    from ems.errors import NoSolution

    case = home_case(4, days=9, horizon_h=24)
    perfect = perfect_tables(case)
    policy = Planned("plan_perfect", case, {key: perfect[key] for key in case.kinds}, perfect)
    plan, count = policy.planner.plan, iter(range(1000))

    def failing(series, state):
        if next(count) in (10, 11):
            raise NoSolution("no time left")
        return plan(series, state)

    policy.planner.plan = failing
    run = run_policy(case, policy)

    assert len(run.notes) == 2
    assert "no time left; the plan of 1 steps before was used" in run.notes[0]
    assert RollingResult(case, {"plan_perfect": run}).violations("plan_perfect") == []


def test_plan__calm_changes_less() -> None:
    """A price on leaving the plan before makes consecutive plans differ in fewer steps."""
    nervous = run_policies(home_case(5, days=10), ("plan_naive",), MODELS).summary.loc["plan_naive"]
    calm = run_policies(home_case(5, days=10, calm_price_per_kwh=0.02), ("plan_naive",), MODELS).summary.loc[
        "plan_naive"
    ]

    assert calm["flips_per_plan"] < nervous["flips_per_plan"]


def test_stochastic_plan__shares_its_first_powers_and_keeps_every_law() -> None:
    case = home_case(6, days=17, first_day=15, scenarios=4, horizon_h=24)
    risky = case.but(cvar_weight=0.5, cvar_level=0.7)

    for one in (case, risky):
        result = run_policies(one, ("stochastic", "perfect_foresight"), MODELS)
        assert result.violations("stochastic") == []
        assert result.notes == []
        assert result.costs["perfect_foresight"] <= result.costs["stochastic"] + NEAR


def test_forecasts__know_nothing_of_what_comes() -> None:
    """What is measured after a decision changes no forecast of it: values later than that are set to nonsense."""
    case = home_case(7, days=12)
    k = 40
    later = {key: values.copy() for key, values in case.truth.items()}
    for key in case.kinds:
        later[key][case.decisions[k] :] = 99.0
    blind = type(case)(case.portfolio, case.times, later, case.begin, case.steps, case.settings)
    models = {"load": "profile_ridge", "solar": "profile_ridge", "price": "profile_ridge"}

    makers = [naive_tables, lambda one: own_tables(one, models)]
    makers += [lambda one, level=level: careful(one, naive_tables(one), level) for level in (0.8, None)]
    for make in makers:
        seen, unseen = make(case), make(blind)
        for key in case.kinds:
            assert np.allclose(seen[key][: k + 1], unseen[key][: k + 1]), key


def test_prices__of_the_next_day_are_known_from_their_publication_on() -> None:
    """At 12:00 local time prices are known to midnight, at 13:00 to the midnight after."""
    case = home_case(8, prices_known="day_ahead")
    key = ("grid", "import_price_per_kwh")
    table, truth = naive_tables(case)[key], perfect_tables(case)[key]
    local = case.times[case.decisions].tz_localize("UTC").tz_convert("Europe/Berlin")
    at_noon, at_one = (int(np.flatnonzero(local.hour == hour)[0]) for hour in (12, 13))

    known = [np.flatnonzero(~np.isclose(table[k], truth[k]))[0] for k in (at_noon, at_one)]

    assert known == [12, 35]


def test_rolling__refuses_what_it_cannot_carry_on() -> None:
    case = home_case(9, battery={"max_cycles_per_d": 1.0})

    with pytest.raises(InvalidInput, match="max_cycles_per_d: what a day has used is not carried on"):
        run_policies(case, ("self_consumption",), MODELS)


def test_optimum__is_the_settled_cost_of_the_dispatch() -> None:
    case = home_case(10, connection=MONTHLY)

    run = perfect_foresight(case)
    result = RollingResult(case, {run.name: run})

    assert result.violations(run.name) == []
    peak = max(run.flows["grid", "import_kw"])
    assert peak < max(case.net_kw("home")[case.begin :])


def test_plan__knows_the_tier_that_its_month_has_reached() -> None:
    """Above 40 kWh of a month a kWh costs 0.60: storing energy pays only after that, and the plan does it then."""
    first = EnergyTier(up_to_kwh=40, import_price_per_kwh=0.10, export_price_per_kwh=0.05)
    tiers = (first, EnergyTier(import_price_per_kwh=0.60, export_price_per_kwh=0.05))
    tariff = Tariff(id="tiers", name="Tiers", periods=(EnergyPeriod(name="all", tiers=tiers),))
    case = home_case(14, days=12, first_day=3)
    assets = tuple(one.replace(tariff_id="tiers") if one.id == "grid" else one for one in case.portfolio.assets)
    portfolio = case.portfolio.replace(tariffs=(tariff,), assets=assets)
    steps = len(case.times)
    flat = {"import_price_per_kwh": np.full(steps, 0.10), "export_price_per_kwh": np.full(steps, 0.05)}
    truth = {**case.truth, **{("grid", name): values for name, values in flat.items()}}
    case = type(case)(portfolio, case.times, truth, case.begin, case.steps, case.settings)

    (tier,) = tier_prices(case)
    prices = [tier.of_window(0, kwh)["grid", "import_price_per_kwh"][0] for kwh in (0.0, 39.9, 40.1)]
    result = run_policies(case, ("plan_perfect", "perfect_foresight"), MODELS)

    assert prices == [0.10, 0.10, 0.60]
    assert result.violations("plan_perfect") == []
    assert result.costs["perfect_foresight"] <= result.costs["plan_perfect"] + 1e-4


def test_loop__of_two_sites_costs_what_each_costs_alone() -> None:
    """Two homes that share nothing: one loop for both is as good as one for each."""
    alone = [home_case(seed, days=10, horizon_h=24, terminal_value="none") for seed in (15, 16)]
    assets, truth = [], {}
    for number, case in enumerate(alone):
        for one in case.portfolio.assets:
            assets.append(one.replace(id=f"{one.id}-{number}", name=f"{one.id}-{number}", site_id=f"home-{number}"))
        truth |= {(f"{asset}-{number}", name): values for (asset, name), values in case.truth.items()}
    sites = tuple(Site(id=f"home-{number}", timezone="Europe/Berlin") for number in range(2))
    portfolio = Portfolio(currency="EUR", sites=sites, assets=tuple(assets))
    both = type(alone[0])(portfolio, alone[0].times, truth, alone[0].begin, alone[0].steps, alone[0].settings)

    together = run_policies(both, ("self_consumption", "plan_perfect"), MODELS)
    apart = [run_policies(case, ("self_consumption", "plan_perfect"), MODELS) for case in alone]

    assert together.violations("plan_perfect") == []
    left = {"self_consumption": 1e-6, "plan_perfect": 0.05}  # equal plans may be told apart otherwise
    for policy, tolerance in left.items():
        bills = [one.dataset["cost"].sel(policy=policy).sum() for one in apart]
        assert float(together.dataset["cost"].sel(policy=policy).sum()) == pytest.approx(
            float(sum(bills)), abs=tolerance
        )


def test_price_levels__are_the_fractile_of_too_little_and_too_much() -> None:
    """Bought at 0.20 and 0.50: a kWh too few costs 0.50 - 0.20 / 0.9 - 0.01, one too many 0.20 / 0.9 less 0.06 of sun.

    The sun fills the battery on each day, so that each kWh too many takes the place of sun.
    """
    case = priced(night=0.20, day=0.50, sold=0.06, sun_kw=3.0)

    short, long = 0.50 - 0.20 / 0.9 - 0.01, 0.20 / 0.9 - 0.06

    assert price_levels(case, case.portfolio.sites[0])[8:] == pytest.approx(short / (short + long))


@pytest.mark.parametrize(
    ("prices", "level"),
    [
        ({"night": 0.20, "day": 0.50, "sold": 0.06, "sun_kw": 0.0}, 0.9),  # nothing is in the way of a kWh too many
        ({"night": 0.20, "day": 0.24, "sold": 0.06, "sun_kw": 3.0}, 0.3),  # little is earned, and sun is lost
        ({"night": 0.20, "day": 0.50, "sold": None, "sun_kw": 3.0}, 0.5),  # what is too much sells as dear
        ({"night": 0.30, "day": 0.30, "sold": 0.06, "sun_kw": 3.0}, 0.5),  # nothing is earned by buying early
    ],
)
def test_price_levels__at_their_ends(prices: dict, level: float) -> None:
    case = priced(**prices)

    assert price_levels(case, case.portfolio.sites[0])[8:] == pytest.approx(level)


def priced(night: float, day: float, sold: float | None, sun_kw: float):
    """A home whose energy costs one price before noon and one after, with sun that fills its battery or none."""
    case = home_case(3, days=20, battery={"degradation_cost_per_kwh": 0.01})
    hour = np.arange(len(case.times)) % 24
    bought = np.where(hour < 12, night, day)
    truth = {
        **case.truth,
        ("grid", "import_price_per_kwh"): bought,
        ("grid", "export_price_per_kwh"): bought if sold is None else np.full(len(bought), sold),
        ("rooms", "demand_kw"): np.where(hour > 15, 1.0, 0.0),
        ("roof", "available_kw"): np.where((hour > 8) & (hour < 14), sun_kw, 0.0),
    }
    return type(case)(case.portfolio, case.times, truth, case.begin, case.steps, case.settings)
