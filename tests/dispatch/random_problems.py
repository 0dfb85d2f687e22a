"""Random dispatches of all kinds of assets that have a schedule by construction.

Each site has a connection which carries all that must be served; batteries can idle, and power that must be used can
be sold.
"""

from __future__ import annotations

from typing import Any

from builders import grid, problem
from hypothesis import strategies as st
from random_batteries import AUXILIARY_KW, batteries
from random_connections import connection_fields
from random_generators import generators, must_give_kw
from random_loads import MOST_LOAD_KW, chargers, loads, renewables
from random_numbers import rounded

from ems.assets.portfolio import AnyAsset
from ems.dispatch.problem import DispatchProblem

KINDS = ("battery", "renewable", "generator", "ev_charger", "load")
MOST_GIVEN_KW = 50.0
"""Power that a renewable may have to give at most."""


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
    sites = ["site", "other"][: draw(st.integers(1, 2))]
    assets: list[AnyAsset] = []
    values: dict[str, list[float]] = {}
    for site in sites:
        must_serve_kw = must_sell_kw = 0.0
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5 // len(sites)))):
            name = {"id": f"{site}-{number}", "site_id": site}
            series: dict[str, list[float]] = {}
            if kind == "battery":
                asset = draw(batteries(steps_h, **name))
                must_serve_kw += AUXILIARY_KW
            elif kind == "generator":
                asset = draw(generators(**name))
                must_sell_kw += must_give_kw(asset)
            elif kind == "ev_charger":
                asset = draw(chargers(sum(steps_h), **name))
                must_serve_kw += asset.max_power_kw * asset.number_of_ports
            elif kind == "load":
                asset, series = draw(loads(steps_h, **name))
                must_serve_kw += MOST_LOAD_KW
            else:
                asset, series = draw(renewables(steps_h, **name))
                must_sell_kw += MOST_GIVEN_KW
                must_serve_kw += MOST_GIVEN_KW  # what an inverter draws at night
            assets.append(asset)
            values |= {f"{name['id']}.{variable}": column for variable, column in series.items()}
        connection, values_there = draw(_connections(site, len(steps_h), must_serve_kw, must_sell_kw))
        assets.append(connection)
        values |= values_there
    return problem(assets, values, steps_h)


@st.composite
def _connections(
    draw: Any, site: str, steps: int, must_serve_kw: float, must_sell_kw: float
) -> tuple[AnyAsset, dict[str, list[float]]]:
    """A connection wide enough, with its prices and peaks, and its series."""

    def profile(low: float, high: float) -> list[float]:
        return draw(st.lists(rounded(low, high), min_size=steps, max_size=steps))

    fields, series = draw(connection_fields(steps))
    connection = grid(
        id=f"{site}-grid",
        site_id=site,
        max_import_kw=must_serve_kw + 0.5 + draw(st.sampled_from([0, 20, 100])),
        max_export_kw=must_sell_kw + draw(st.sampled_from([0, 20, 100])),
        **fields,
    )
    values = {f"{site}-grid.{name}": column for name, column in series.items()}
    values[f"{site}-grid.import_price_per_kwh"] = profile(-0.2, 0.5)
    values[f"{site}-grid.export_price_per_kwh"] = profile(-0.2, 0.5)
    return connection, values
