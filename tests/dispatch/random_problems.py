"""Random dispatches of all kinds of assets that have a schedule by construction.

Each site has a connection which carries all that must be served, or a load that may be shed; batteries can idle at
their target, generators can stay off, and power that must be used can be sold.
"""

from __future__ import annotations

from typing import Any

from builders import battery, charger, generator, grid, load, problem, session, solar, wind
from hypothesis import strategies as st

from ems.assets.portfolio import AnyAsset
from ems.dispatch.problem import DispatchProblem

AUXILIARY_KW = 0.5
KINDS = ("battery", "solar_pv", "wind_turbine", "generator", "ev_charger", "load")


def rounded(low: float, high: float, digits: int = 2) -> st.SearchStrategy[float]:
    """Numbers as people write them, and fair in the middle of their range."""
    unit = 10**digits
    return st.integers(round(low * unit), round(high * unit)).map(lambda number: number / unit)


@st.composite
def batteries(draw: Any, **fields: Any) -> AnyAsset:
    """A battery that is at its target when it idles."""
    min_soc, initial_soc, max_soc = sorted(draw(st.tuples(*[rounded(0, 1)] * 3)))
    if min_soc == max_soc:
        min_soc, max_soc = 0, 1
    return battery(
        capacity_kwh=draw(rounded(1, 200)),
        max_charge_kw=draw(rounded(1, 100)),
        max_discharge_kw=draw(rounded(1, 100)),
        round_trip_efficiency=draw(rounded(0.5, 1)),
        min_soc=min_soc,
        max_soc=max_soc,
        initial_soc=initial_soc,
        final_soc_rule=draw(st.sampled_from(["at_least", "exactly", "free"])),
        degradation_cost_per_kwh=draw(rounded(0, 0.05)),
        state_of_health=draw(st.sampled_from([1, 0.8])),
        continuous_charge_kw=draw(st.sampled_from([None, 7])),
        ramp_up_rate_kw_per_s=draw(st.sampled_from([None, 0.01])),
        auxiliary_load_kw=draw(st.sampled_from([0, AUXILIARY_KW])),
        **fields,
    )


@st.composite
def chargers(draw: Any, length_h: float, **fields: Any) -> AnyAsset:
    """A charger with up to three stays after each other, each with time enough."""
    times = sorted(draw(st.lists(rounded(0, length_h, 1), min_size=0, max_size=6, unique=True)))
    power_kw, efficiency = draw(rounded(1, 22)), draw(rounded(0.8, 1))
    stays = [
        session(arrival, departure, power_kw * (departure - arrival) * efficiency * draw(rounded(0.1, 1)))
        for arrival, departure in zip(times[0::2], times[1::2], strict=False)
        if departure <= length_h
    ]
    return charger(
        max_power_kw=power_kw,
        charge_efficiency=efficiency,
        sessions=stays,
        smart_charging_capable=draw(st.booleans()),
        usage_fee_per_kwh=draw(st.sampled_from([None, 0.3])),
        **fields,
    )


@st.composite
def dispatches(draw: Any, largest_steps: int = 24) -> DispatchProblem:
    """A feasible dispatch of one or two sites and one to five assets besides a connection at each site."""
    length = st.sampled_from([0.25, 0.5, 1.0, 2.0])
    steps_h = draw(
        st.one_of(
            st.builds(lambda step, count: [step] * count, length, st.integers(2, largest_steps)),
            st.lists(length, min_size=2, max_size=largest_steps),
        )
    )

    def profile(low: float, high: float, digits: int = 1) -> list[float]:
        return draw(st.lists(rounded(low, high, digits), min_size=len(steps_h), max_size=len(steps_h)))

    sites = ["site", "other"][: draw(st.integers(1, 2))]
    assets: list[AnyAsset] = []
    values: dict[str, list[float]] = {}
    for site in sites:
        must_serve_kw = must_sell_kw = 0.0
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5 // len(sites)))):
            name = {"id": f"{site}-{number}", "site_id": site}
            if kind == "battery":
                assets.append(draw(batteries(**name)))
                must_serve_kw += AUXILIARY_KW
            elif kind == "generator":
                highest = draw(rounded(5, 50, 0))
                assets.append(
                    generator(
                        max_output_kw=highest,
                        min_output_kw=draw(st.sampled_from([0, 0.3, 1])) * highest,
                        startup_cost=draw(st.sampled_from([0, 2])),
                        shutdown_cost=draw(st.sampled_from([0, 1])),
                        maintenance_cost_per_h=draw(st.sampled_from([0, 0.5])),
                        variable_om_cost_per_kwh=draw(st.sampled_from([0, 0.02])),
                        min_uptime_h=draw(st.integers(0, 4)),
                        min_downtime_h=draw(st.integers(0, 4)),
                        ramp_up_rate_kw_per_min=draw(st.sampled_from([None, 0.2])),
                        fuel_cost_per_kwh=draw(rounded(0, 0.4)),
                        **name,
                    )
                )
            elif kind == "ev_charger":
                assets.append(draw(chargers(sum(steps_h), **name)))
                must_serve_kw += assets[-1].max_power_kw
            elif kind == "load":
                is_sheddable = draw(st.booleans())
                worth = {"interruption_cost_per_kwh": draw(rounded(0, 2))} if is_sheddable else {}
                if is_sheddable:
                    worth["max_curtailment"] = draw(st.sampled_from([None, 1]))
                assets.append(load(is_sheddable=is_sheddable, **worth, **name))
                values[f"{site}-{number}.demand_kw"] = profile(0, 60)
                must_serve_kw += 0 if is_sheddable else 60
            else:
                make = solar if kind == "solar_pv" else wind
                assets.append(make(is_curtailable=draw(st.booleans()), **name))
                values[f"{site}-{number}.available_kw"] = profile(0, 50)
                must_sell_kw += 0 if assets[-1].is_curtailable else 50
        assets.append(
            grid(
                id=f"{site}-grid",
                site_id=site,
                max_import_kw=must_serve_kw + draw(st.sampled_from([0, 20, 100])),
                max_export_kw=must_sell_kw + draw(st.sampled_from([0, 20, 100])),
            )
        )
        values[f"{site}-grid.import_price_per_kwh"] = profile(-0.2, 0.5, 2)
        values[f"{site}-grid.export_price_per_kwh"] = profile(-0.2, 0.5, 2)
    return problem(assets, values, steps_h)
