"""What a sizing came to, in sentences: sizes, money, what they rest on, and what is too good to be sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.dispatch.sizing_search import GAP
from ems.settlement.finance import Figure
from ems.studies.objective_words import money
from ems.studies.tariffs_view import joined

if TYPE_CHECKING:
    from ems.studies.sizing_view import SizingView

AT_A_BOUND = 1e-3
"""Share of a range within which a size is at its bound."""
FORESIGHT = (
    "A plan that knows a whole year's load, sun and prices in advance earns more than one that must forecast them: "
    "sizes and savings are the best that could be, not what is sure."
)


def headline(view: SizingView) -> list[tuple[str, str]]:
    """Return the answer in a few figures."""
    energy, power, pv, connection = map(float, view.sizes)
    return [
        ("Battery", f"{energy:,.3g} kWh, {power:,.3g} kW" if energy > 0 else "none"),
        ("Solar roof", f"{pv:,.4g} kW" if pv > 0 else "none"),
        ("Connection", f"{connection:,.4g} kW"),
        ("Cost a year", money(view.best_cost_a, view.currency, 0)),
        ("Saving on the bill a year", money(view.saving_a, view.currency, 0)),
        ("Paid at first", money(view.outlay, view.currency, 0)),
        ("Net present value", money(view.npv, view.currency, 0)),
        ("Payback", figure(view.comparison.payback_a, "{:.1f} a")),
    ]


def conclusion(view: SizingView) -> Iterator[str]:
    """Give the answer sentence by sentence."""
    parts = list(_parts(view))
    terms = view.assumptions.terms
    connection = f"a connection of {view.sizes[3]:,.1f} kW"
    if not parts:
        yield f"Over {terms.project_a} years nothing pays: neither battery nor solar roof, only {connection}."
        yield from _when_it_pays(view)
        return
    yield (
        f"Over {terms.project_a} years {joined([*parts, connection])} cost the least: "
        f"{money(view.best_cost_a, view.currency, 0)} a year, equipment and energy."
    )
    yield (
        f"For {money(view.outlay, view.currency, 0)} paid at first, the bill falls by "
        f"{money(view.saving_a, view.currency, 0)} a year; the net present value is "
        f"{money(view.npv, view.currency, 0)} against doing without, at {terms.discount_share_per_a:.1%} interest."
    )
    payback = view.comparison.payback_a
    if payback.is_defined:
        late = view.comparison.discounted_payback_a
        interest = f", {late.value:.1f} years with interest" if late.is_defined else ""
        yield f"It is paid back after {payback.value:.1f} years{interest}."
    yield from _bounds(view)
    yield from _when_it_pays(view)
    yield FORESIGHT
    if not isinstance(view.by_rule, str):
        saving_a, npv = view.by_rule
        yield (
            f"Run by a rule that knows neither prices nor tomorrow, the same equipment saves "
            f"{money(saving_a, view.currency, 0)} a year, and its net present value is {money(npv, view.currency, 0)}."
        )


def _parts(view: SizingView) -> Iterator[str]:
    energy, power, pv = map(float, view.sizes[:3])
    if energy > 0:
        yield f"a battery of {energy:,.1f} kWh and {power:,.1f} kW"
    if pv > 0:
        yield f"a solar roof of {pv:,.1f} kW"


def _bounds(view: SizingView) -> Iterator[str]:
    """Name sizes that a bound of the study holds, not what they cost."""
    words = ("the battery's energy", "the battery's power", "the solar roof", "the connection")
    held = []
    for word, size, allowed in zip(words, view.sizes.tolist(), view.case.ranges, strict=True):
        room = allowed.highest - allowed.lowest
        if room > 0 and allowed.highest - size <= AT_A_BOUND * room:
            held.append(word)
    if held:
        verb = "is" if len(held) == 1 else "are"
        yield f"{joined(held).capitalize()} {verb} at the most that is allowed: more might pay, too."


def _when_it_pays(view: SizingView) -> Iterator[str]:
    """Say up to which price equipment pays."""
    for part, factor in view.break_even["factor"].items():
        if np.isnan(factor):
            yield f"A {part} would not pay at any price."
            continue
        price, unit = _price(view, str(part))
        is_there = factor >= 1
        verb = "pays up to" if is_there else "would pay below"
        yield f"A {part} {verb} {money(price * factor, view.currency, 0)} per {unit}, {factor:.3g} times its price."


def _price(view: SizingView, part: str) -> tuple[float, str]:
    """Return the price of a part that its break-even is told in."""
    energy, power, roof, _ = view.assumptions.equipment
    if part != "battery":
        return roof.cost_per_unit, "kW"
    return (energy.cost_per_unit, "kWh") if energy.cost_per_unit > 0 else (power.cost_per_unit, "kW")


def notes(view: SizingView) -> list[str]:
    """Return what a reader should know: what was assumed, left out, or broken."""
    found = [*view.case.notes, FORESIGHT]
    best, without = view.best, view.without
    if best.sizing.gap > GAP:
        found.append(f"the search ended {best.sizing.gap:.1e} of the cost above its bound")
    if best.both_ways_steps:
        found.append(
            f"in {best.both_ways_steps} steps the plan runs in two directions at once, which a linear programme "
            "cannot forbid: at negative prices it earns too much"
        )
    for year in (without, best):
        found += year.violations
    if isinstance(view.by_rule, str):
        found.append(f"what a rule without foresight saves is not known: {view.by_rule}")
    return found


def proof(view: SizingView) -> dict[str, Any]:
    """Return how good the best sizes are, and how that is known."""
    best, currency = view.best, view.currency
    lowest = float(view.sweep["cost_a"].min())
    return {
        "Cost by the linear programme": f"{money(best.sizing.cost_a, currency)} a year",
        "Bound below which no sizes come": f"{money(best.sizing.bound_a, currency)} a year",
        "Gap": f"{best.sizing.gap:.1e}",
        "Cost by the bill, without the optimizer": f"{money(view.best_cost_a, currency)} a year",
        "Cheapest of the sweep": f"{money(lowest, currency)} a year, "
        f"{money(lowest - view.best_cost_a, currency)} more than the best",
        "Sizes dispatched in the search": str(best.sizing.trials),
        "Laws broken by the schedule": "; ".join(best.violations[:3]) or "none",
    }


def figure(value: Figure, form: str) -> str:
    """Return a figure in words, or why it is not defined."""
    return form.format(value.value) if value.is_defined else f"none: {value.reason}"


def size_rows(view: SizingView) -> list[dict[str, Any]]:
    """Return each size with its bounds and prices, as a table shows them."""
    units = ("kWh", "kW", "kW", "kW")
    return [
        {
            "name": one.name,
            "unit": unit,
            "size": size,
            "without": without,
            "lowest": allowed.lowest,
            "highest": allowed.highest,
            "lot": allowed.lot,
            "cost_per_unit": one.cost_per_unit,
            "cost_per_unit_a": one.cost_per_unit_a(view.assumptions.terms),
        }
        for one, unit, size, without, allowed in zip(
            view.assumptions.equipment,
            units,
            view.sizes.tolist(),
            view.without.sizes.tolist(),
            view.case.ranges,
            strict=True,
        )
    ]


def finance_figures(view: SizingView) -> dict[str, object]:
    """Return whether the investment pays, in words."""
    currency, found = view.currency, view.comparison
    figures: dict[str, object] = {
        "Paid at first": money(view.outlay, currency, 0),
        "Bill of a year without": money(view.bill_a(view.without), currency, 0),
        "Bill of a year with": money(view.bill_a(view.best), currency, 0),
        "Net present value": money(found.npv, currency, 0),
        "Internal rate of return": figure(found.irr, "{:.1%}"),
        "Payback": figure(found.payback_a, "{:.1f} a"),
        "Payback with interest": figure(found.discounted_payback_a, "{:.1f} a"),
        "Cost of a kWh from the solar roof": figure(view.solar_cost_per_kwh, f"{{:.3f}} {currency}/kWh"),
        "Cost of a kWh through the battery, beside what it charges": figure(
            view.storage_cost_per_kwh, f"{{:.3f}} {currency}/kWh"
        ),
    }
    without, with_it = view.emissions_kg_a(view.without), view.emissions_kg_a(view.best)
    if without > 0:
        figures["Carbon dioxide of the grid's energy"] = (
            f"{without / 1000:,.1f} t a year without, {with_it / 1000:,.1f} t with; "
            f"that of making the equipment is not counted"
        )
    if not isinstance(view.by_rule, str):
        figures["Net present value by a rule without foresight"] = money(view.by_rule[1], currency, 0)
    return figures


def break_even_prices(view: SizingView) -> list[tuple[str, float, float | None]]:
    """Return each part with its price and the price up to which it pays."""
    energy, power, roof, _ = view.assumptions.equipment
    found: list[tuple[str, float, float | None]] = []
    for part, factor in view.break_even["factor"].items():
        of_part = [(f"{energy.name}, a kWh", energy), (f"{power.name}, a kW", power)]
        for name, one in of_part if part == "battery" else [(f"{roof.name}, a kW", roof)]:
            found.append((name, one.cost_per_unit, None if np.isnan(factor) else one.cost_per_unit * float(factor)))
    return found
