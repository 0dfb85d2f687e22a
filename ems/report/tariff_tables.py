"""The tables of tariffs: their ranking, what they say, an invoice, and whether a battery pays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ems.report.tables import MONEY_DECIMALS, Table, cost_words

if TYPE_CHECKING:
    import pandas as pd

PRICE_DECIMALS = 4


def show_ranking(ranking: pd.DataFrame, currency: str) -> Table:
    """Return a table of tariffs by rising cost.

    Parameters
    ----------
    ranking : DataFrame
        Columns ``name``, ``cost``, ``cost_per_kwh``, ``saving`` against the present tariff (NaN where none is known),
        ``cost_without_battery``, ``battery_saving`` and ``is_present``.
    currency : str
    """
    has_battery = bool((ranking["battery_saving"] != 0).any())
    is_known = bool(ranking["saving"].notna().any())
    columns = ["rank", "tariff", f"cost ({currency})", f"per kWh used ({currency}/kWh)"]
    columns += [f"saving against present ({currency})"] if is_known else []
    columns += [f"without battery ({currency})", f"battery saves ({currency})"] if has_battery else []
    rows: list[list[object]] = []
    for number, one in enumerate(ranking.to_dict("records"), 1):
        name = f"{one['name']} (present)" if one["is_present"] else one["name"]
        row: list[object] = [number, name, one["cost"], _known(one["cost_per_kwh"])]
        row += [_known(one["saving"])] if is_known else []
        row += [one["cost_without_battery"], one["battery_saving"]] if has_battery else []
        rows.append(row)
    decimals = dict.fromkeys(columns[2:], MONEY_DECIMALS) | {columns[3]: PRICE_DECIMALS}
    return Table(columns, rows, "Tariffs by cost", decimals=decimals)


def show_descriptions(descriptions: Mapping[str, Sequence[str]]) -> Table:
    """Return a table of what each tariff says, in sentences."""
    rows = [(name, " ".join(sentences)) for name, sentences in descriptions.items()]
    return Table(("tariff", "what it says"), rows, "Tariffs as they are understood")


def show_invoice(lines: pd.DataFrame, currency: str, name: str = "") -> Table:
    """Return the lines of a bill as on an invoice, with the sum in its last row.

    Parameters
    ----------
    lines : DataFrame
        Columns ``month``, ``cost_type``, ``charge``, ``quantity``, ``unit``, ``rate``, ``cost``.
    currency : str
    name : str
        What is billed, for the caption.
    """
    cost = f"cost ({currency})"
    columns = ("month", "charge", "for", "quantity", "unit", f"rate ({currency} per unit)", cost)
    rows: list[tuple[object, ...]] = [
        (
            one["month"],
            cost_words(one["cost_type"]),
            one["charge"],
            one["quantity"],
            currency if one["unit"] == "money" else one["unit"],
            round(one["rate"], 6),
            one["cost"],
        )
        for one in lines.to_dict("records")
    ]
    total = math.fsum(lines["cost"])
    rows.append(("total", "", "", None, "", None, total))
    decimals = {cost: MONEY_DECIMALS, "quantity": 3}
    return Table(columns, rows, f"Bill{f' of {name}' if name else ''}", decimals=decimals, has_total=True)


def show_finance(finance: Mapping[str, Any], names: Mapping[str, str], currency: str) -> Table:
    """Return a table of whether an investment pays under each tariff.

    Parameters
    ----------
    finance : mapping of str to Finance
        By the tariff's id.
    names : mapping of str to str
        What people call a tariff, by its id.
    currency : str

    Returns
    -------
    Table
        Where a figure is not defined, its reason stands in its place.
    """
    columns = (
        "tariff",
        f"net present value ({currency})",
        f"annual value ({currency}/a)",
        "rate of return",
        "payback",
        "discounted payback",
        "levelized cost",
    )
    rows = [
        (
            names[tariff_id],
            one.npv,
            one.annual_value,
            _figure(one.irr, lambda value: f"{value:.1%}"),
            _figure(one.payback_a, lambda value: f"{value:.1f} a"),
            _figure(one.discounted_payback_a, lambda value: f"{value:.1f} a"),
            _figure(one.levelized_cost_per_kwh, lambda value: f"{value:.3f} {currency}/kWh"),
        )
        for tariff_id, one in finance.items()
    ]
    decimals = dict.fromkeys(columns[1:3], MONEY_DECIMALS)
    caption = "The battery as an investment" if rows else "No battery whose price is known"
    return Table(columns, rows, caption, decimals=decimals)


def _figure(figure: Any, words: Any) -> str:
    return str(words(figure.value)) if figure.is_defined else f"none: {figure.reason}"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
