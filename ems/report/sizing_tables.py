"""The tables of a sizing: sizes and prices, both life cycles, finance, and the sensitivity in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ems.report.tables import Table

if TYPE_CHECKING:
    import pandas as pd


def show_sizes(sizes: Sequence[Mapping[str, Any]], currency: str) -> Table:
    """Return a table of sizes with the bounds within which they were sought, and their prices.

    Parameters
    ----------
    sizes : sequence of mappings
        ``name``, ``unit``, ``size``, ``without``, ``lowest``, ``highest``, ``lot`` (or None), ``cost_per_unit``,
        ``cost_per_unit_a``.
    currency : str
    """
    rows = [
        (
            one["name"],
            one["size"],
            one["without"],
            one["unit"],
            f"{one['lowest']:,.4g} to {one['highest']:,.4g}" + (f", lots of {one['lot']:g}" if one["lot"] else ""),
            one["cost_per_unit"],
            one["cost_per_unit_a"],
        )
        for one in sizes
    ]
    prices = (f"price ({currency} per unit)", f"cost of a year ({currency} per unit)")
    columns = ("equipment", "best size", "without", "unit", "sought from", *prices)
    return Table(
        columns,
        rows,
        "Sizes of least life-cycle cost",
        decimals={"best size": 1, "without": 1, **dict.fromkeys(prices, 2)},
    )


def show_life_cycles(parts: Mapping[str, pd.DataFrame], currency: str) -> Table:
    """Return a table of the present value of each part of both life cycles, replacements and residual value told.

    Parameters
    ----------
    parts : mapping of str to DataFrame
        By what people call the life cycle: index ``part``; columns ``investment``, ``replacement``, ``maintenance``,
        ``residual``, ``bill``, ``total``.
    currency : str
    """
    kinds = ("investment", "replacement", "maintenance", "residual", "bill", "total")
    columns = ["life cycle", "part", *kinds]
    rows: list[list[object]] = []
    for name, table in parts.items():
        for part, row in table.iterrows():
            if abs(float(row["total"])) >= 0.5:
                rows.append([name, part, *(float(row[kind]) for kind in kinds)])
        rows.append([name, "all", *(float(table[kind].sum()) for kind in kinds)])
    return Table(
        columns,
        rows,
        f"Present values in {currency}; what comes back is negative",
        decimals=dict.fromkeys(columns[2:], 0),
    )


def show_finance(figures: Mapping[str, object]) -> Table:
    """Return a table of whether the investment pays; where a figure is not defined, its reason stands there."""
    return Table(("figure", "value"), list(figures.items()), "The investment against doing without")


def show_tornado(tornado: pd.DataFrame, currency: str) -> Table:
    """Return a table of a sensitivity: the net present value, and the sizes that are then best."""
    kept, best = f"kept ({currency})", f"anew ({currency})"
    sizes = ("battery (kWh)", "power (kW)", "roof (kW)", "connection (kW)")
    rows = [
        (
            f"{one['assumption']}, {one['factor'] - 1:+.0%}",
            one["npv_fixed"],
            one["npv"],
            *(one[name] for name in ("battery_kwh", "battery_kw", "pv_kw", "connection_kw")),
        )
        for one in tornado.to_dict("records")
    ]
    return Table(
        ("assumption", kept, best, *sizes),
        rows,
        "Net present value where one assumption changes, with the sizes of today kept and chosen anew",
        decimals={kept: 0, best: 0, **dict.fromkeys(sizes, 1)},
    )


def show_break_even(prices: Sequence[tuple[str, float, float | None]], currency: str) -> Table:
    """Return a table of the prices above which equipment does not pay.

    Parameters
    ----------
    prices : sequence of (str, float, float or None)
        What it is, with its unit; its price; and the price at which its best size becomes zero, None where nothing
        would make it pay.
    currency : str
    """
    columns = ("equipment", f"price ({currency})", f"pays up to ({currency})", "as a multiple")
    rows = [
        (name, price, limit, f"{limit / price:.2f}" if limit is not None and price > 0 else "none")
        for name, price, limit in prices
    ]
    return Table(columns, rows, "Break-even prices", decimals=dict.fromkeys(columns[1:3], 0))
