"""Which column of a file feeds which need, and whether its name states another unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ems.errors import bare, did_you_mean, show
from ems.series.form import ColumnUse, Need, SeriesForm, variable_of
from ems.units import unit_of

POWER_TO_KW = {"w": 1e-3, "kw": 1.0, "mw": 1e3, "gw": 1e6}
ENERGY_TO_KWH = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "gwh": 1e6}
UNIT_WORDS = {"w": "W", "kw": "kW", "mw": "MW", "gw": "GW", "wh": "Wh", "kwh": "kWh", "mwh": "MWh", "gwh": "GWh"}
MONEY_WORDS = frozenset({"price", "tariff", "cost", "eur", "usd", "gbp", "chf", "ct", "cent", "cents"})
MOST_COLUMNS = 20
CENT_WORDS = frozenset({"ct", "cent", "cents"})


@dataclass(frozen=True)
class Source:
    """The column that feeds a need."""

    need: Need
    column: str
    multiply_by: float


def choose_sources(needs: Sequence[Need], form: SeriesForm, found: Sequence[str], findings: list[str]) -> list[Source]:
    """Return the column of each need; what is wrong is added to `findings`.

    A need takes the column that `form.columns` names for it, else the column ``<asset>.<variable>``, else the
    column ``<variable>`` where just one need has the variable.
    """
    findings += _idle_uses(needs, form, found)
    sources, missing = [], []
    for need in needs:
        uses = [use for use in form.columns if _feeds(use, need, needs)]
        if len(uses) > 1:
            named = " and ".join(show(use.column) for use in uses)
            findings.append(f"{need} has {len(uses)} columns, {named}; leave one in columns")
        elif uses:
            if uses[0].column in found:
                sources.append(Source(need, uses[0].column, uses[0].multiply_by))
            continue
        own = [name for name in _own_names(need, needs) if name in found]
        if len(own) > 1:
            findings.append(f"{need} has {len(own)} columns, {' and '.join(map(show, own))}; say which in columns")
        elif own:
            sources.append(Source(need, own[0], 1.0))
        elif need.is_required and not uses:
            missing.append(need)
    for need in missing:
        names = " or ".join(show(name) for name in _own_names(need, needs))
        findings.append(f"no column for {need}: expected is {names}, or an entry of columns that names another one")
    return sources


def time_column_finding(form: SeriesForm, found: Sequence[str]) -> list[str]:
    """Return the sentence for a time column that is not there."""
    if form.time_column in found:
        return []
    is_whole_line = len(found) == 1 and _other_separator(form, found) is not None
    names = [] if is_whole_line else found
    likely = next((name for name in names if re.search(r"(?i)time|date|zeit|datum|stamp", name)), None)
    offer = f"say time_column: {bare(likely)}" if likely else "say time_column"
    return [f"no column {show(form.time_column)} with the beginning of each step; {offer}"]


def found_columns(form: SeriesForm, found: Sequence[str]) -> str:
    """Return the sentence that lists the columns found, with a hint where the separator seems to be another."""
    other = _other_separator(form, found)
    hint = ""
    if len(found) == 1 and other:
        hint = f'; it holds {show(other)}, so perhaps say separator: "{other}"'.replace("\t", "\\t")
    more = f" and {len(found) - MOST_COLUMNS} more" if len(found) > MOST_COLUMNS else ""
    return f"columns found: {', '.join(map(show, found[:MOST_COLUMNS])) or 'none'}{more}{hint}"


def _other_separator(form: SeriesForm, found: Sequence[str]) -> str | None:
    """Return the sign in the first header that separates cells in other files."""
    return next((sign for sign in ";\t|," if sign != form.separator and sign in "".join(found[:1])), None)


def _feeds(use: ColumnUse, need: Need, needs: Sequence[Need]) -> bool:
    if use.variable != need.variable:
        return False
    return use.asset == need.asset or (use.asset is None and _is_alone(need, needs))


def _is_alone(need: Need, needs: Sequence[Need]) -> bool:
    return sum(other.variable == need.variable for other in needs) == 1


def _own_names(need: Need, needs: Sequence[Need]) -> list[str]:
    names = [f"{need.asset}.{need.variable}"]
    return [*names, need.variable] if _is_alone(need, needs) else names


def _idle_uses(needs: Sequence[Need], form: SeriesForm, found: Sequence[str]) -> list[str]:
    """Return a sentence for each entry of columns that names no column of the file or feeds no need."""
    findings = []
    for use in form.columns:
        if use.column not in found:
            findings.append(f"no column {show(use.column)}, which columns names; {did_you_mean(use.column, found)}")
        assets = [need.asset for need in needs if need.variable == use.variable]
        if not assets:
            findings.append(f"column {show(use.column)}: no asset of the site needs {use.variable}")
        elif use.asset is None and len(assets) > 1:
            findings.append(f"column {show(use.column)}: say asset, one of {', '.join(assets)}")
        elif use.asset is not None and use.asset not in assets:
            findings.append(
                f"column {show(use.column)}: no asset {show(use.asset)} needs {use.variable}; "
                f"{did_you_mean(use.asset, assets)}"
            )
    return findings


def unit_finding(source: Source, step_h: float) -> tuple[str | None, str | None]:
    """Return what a column's name says against the variable's unit: an error and a note, each or None.

    Only a name that surely states a unit is judged, and only where no factor was given.

    Parameters
    ----------
    source : Source
    step_h : float
        Length of the file's step; energy per step is power only by it.
    """
    if source.multiply_by != 1:
        return None, None
    words = [word for word in re.split(r"[^a-z0-9]+", source.column.lower()) if word]
    if len(words) < 2:
        return None, None
    known = variable_of(source.need.variable)
    if known is None or known.kind == "number":
        return None, None
    judge = _judge_power if known.kind == "power" else _judge_price
    verdict = judge(words, step_h)
    if verdict is None:
        return None, None
    stated, remedy = verdict
    if remedy is None:
        return None, f"column {show(source.column)} is read as {stated} per step of 1 h, which is the mean in kW"
    unit = unit_of(source.need.variable)
    return (
        f"column {show(source.column)} states {stated}, {source.need} is in {unit}; "
        f"{remedy}, or rename the column if its name is wrong"
    ), None


def _judge_power(words: Sequence[str], step_h: float) -> tuple[str, str | None] | None:
    """Return the unit stated and the remedy; no remedy where the numbers are right as they stand."""
    last = words[-1]
    if last == "pu":
        return "a share of the installed power", "say multiply_by: the installed kW"
    if last in UNIT_WORDS and "per" in words[1:-1]:
        below = words[words.index("per") - 1]
        return f"{UNIT_WORDS.get(below, below)}/{UNIT_WORDS[last]}", "say multiply_by: the factor to kW"
    if last in POWER_TO_KW:
        factor = POWER_TO_KW[last]
        return None if factor == 1 else (UNIT_WORDS[last], f"say multiply_by: {factor:g}")
    if last in ENERGY_TO_KWH:
        if MONEY_WORDS.intersection(words):
            return f"a price per {UNIT_WORDS[last]}", "take another column"
        factor = ENERGY_TO_KWH[last] / step_h
        is_right = abs(factor - 1) < 1e-9
        return UNIT_WORDS[last], None if is_right else f"say multiply_by: {factor:g} for energy per step"
    return None


def _judge_price(words: Sequence[str], step_h: float) -> tuple[str, str | None] | None:
    """Return the unit stated and the remedy, as `_judge_power`; the step plays no part."""
    last = words[-1]
    if last in POWER_TO_KW:
        return UNIT_WORDS[last], "a power has no price of energy, so take another column"
    if last not in ENERGY_TO_KWH:
        return None
    in_cents = CENT_WORDS.intersection(words)
    factor = (0.01 if in_cents else 1.0) / ENERGY_TO_KWH[last]
    if abs(factor - 1) < 1e-9:
        return None
    money = "cents" if in_cents else "a price"
    return f"{money} per {UNIT_WORDS[last]}", f"say multiply_by: {factor:g}"
