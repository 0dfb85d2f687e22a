"""Which figure decides a comparison: chosen, refused where it says nothing, with its words, unit and direction."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from ems.display import field_words
from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.report.forecast_tables import WITH_UNIT
from ems.report.forecast_tables import WORDS as SCORE_WORDS
from ems.report.quantity import Quantity
from ems.studies.comparison_source import ComparedCases
from ems.units import unit_of

Direction = Literal["least", "most"]

DEFAULTS = ("settled_cost", "mae")
"""What decides where nothing is said: cost of schedules, error of forecasts."""
LEAST = frozenset(
    {"settled_cost", "settled_cost_per_h", "total_cost", "soc_neutral_cost", "emissions_kg", "peak_import_kw"}
    | {"imported_kwh", "curtailed_kwh", "unserved_kwh", "solve_time_s", "cpu_seconds"}
    | {"mae", "rmse", "mape", "mase_24h", "mase_168h", "pinball", "crps", "seconds"}
)
MOST = frozenset(
    {"saving", "saving_per_h", "soc_neutral_saving", "self_consumption_share", "self_sufficiency_share"}
    | {"import_load_factor", "skill_mae", "skill_pinball"}
)
WORDS = {
    **SCORE_WORDS,
    "mae": "mean absolute error",
    "settled_cost_per_h": "settled cost per hour",
    "saving_per_h": "saving per hour",
    "solve_time_s": "solver time",
    "cpu_seconds": "CPU time of the run",
}
SHORT_LISTS = (
    ("settled_cost", "settled_cost_per_h", "saving", "emissions_kg", "peak_import_kw", "solve_time_s"),
    ("mae", "skill_mae", "pinball", "coverage_80"),
)
"""Figures that stand beside the measure: of schedules, of forecasts."""
ALIKE = 1e-8
"""Values that differ by less, as a share of the largest, are equal but for rounding."""
CENT = 0.005
"""Less money than this rounds to nothing."""
MOST_DECIMALS = 6


def chosen_measure(cases: ComparedCases, name: str | None, direction: Direction | None) -> Quantity:
    """Return what decides.

    Parameters
    ----------
    cases : ComparedCases
    name : str or None
        None takes the settled cost of schedules (per hour, where the cases cover different times, as a sum over more
        hours is larger by that alone), or the mean absolute error of forecasts.
    direction : str or None
        Which value is best; None follows the measure.

    Raises
    ------
    UnknownName
        If no case has such a figure; says which there are.
    InvalidInput
        If no case has a result, the study keeps no figures, the figures are of different units, or nothing says
        whether less or more is better.
    """
    _require_results(cases)
    where = f"batch {cases.batch.id}"
    if name is None:
        name = next((one for one in DEFAULTS if one in cases.measures), None)
        if name is None:
            known = ", ".join(cases.measures)
            raise InvalidInput(
                where,
                f"its study, {cases.batch.study}, keeps no cost and no error by which cases could be compared; "
                + (f"name a measure: {known}" if known else "its reports can be read one by one"),
            )
        if name == "settled_cost" and covers_differ(cases.completed) and "settled_cost_per_h" in cases.measures:
            name = "settled_cost_per_h"
    elif name not in cases.measures:
        raise UnknownName(f"measure = {show(name)}", f"no case of {where} has it; {_known(name, cases.measures)}")
    if direction is None and name not in LEAST | MOST:
        raise InvalidInput(f"measure = {show(name)}", "is not good or bad by itself; say direction: least or most")
    is_least = name in LEAST if direction is None else direction == "least"
    return quantity_of(cases, name, is_least=is_least, is_strict=True)


def _require_results(cases: ComparedCases) -> None:
    if not cases.completed.empty:
        return
    batch, counts = cases.batch, cases.counts()
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    failures = cases.failures()
    reason = f"; case {failures['cases'].iloc[0][0]}: {failures['reason'].iloc[0]}" if len(failures) else ""
    remedy = f"go on with: ems batch {batch.study} {batch.name} --resume"
    remedy += " --retry-failed" if "failed" in counts else ""
    raise InvalidInput(f"batch {batch.id}", f"no case has a result ({said}){reason}; {remedy}")


def _known(name: str, measures: list[str]) -> str:
    """Return all figures there are, after the nearest one where the name is misspelt."""
    near = did_you_mean(name, measures)
    known = f"there are {', '.join(measures)}"
    return f"{near} {known}" if near.startswith("did you mean") else known


def quantity_of(cases: ComparedCases, name: str, *, is_least: bool, is_strict: bool = False) -> Quantity:
    """Return a figure with its words, unit and as many digits as tell the cases apart.

    Raises
    ------
    InvalidInput
        If the cases have it in different units and `is_strict`.
    """
    done = cases.completed
    with_value = done[done[name].notna()]
    currencies, units = (
        [str(one) for one in with_value[column].dropna().unique()] for column in ("currency", "units")
    )
    is_score = name in WITH_UNIT and bool(units)
    found = units if is_score else [unit_of(name, one) or "" for one in currencies or ["currency"]]
    found = list(dict.fromkeys("s" if name in ("seconds", "cpu_seconds") else one for one in found))
    if is_strict and len(found) > 1:
        raise InvalidInput(
            f"measure = {show(name)}", f"is in {' and in '.join(found)}, which cannot be compared; name another one"
        )
    unit = found[0] if len(found) == 1 and found[0] != "1" else ""
    decimals = _decimals(with_value[name], unit in currencies, is_least=is_least)
    return Quantity(name, WORDS.get(name, field_words(name)), unit, decimals, is_least)


def _decimals(values: pd.Series, is_money: bool, *, is_least: bool) -> int:
    """Return digits after the point: three of the range, and enough to tell the best two apart; cents of money."""
    if is_money:
        return 2
    ordered = values.sort_values(ascending=is_least)
    spread = abs(float(ordered.iloc[-1] - ordered.iloc[0]))
    gaps = (ordered - ordered.iloc[0]).abs()
    apart = gaps[gaps > tolerance_of(values, is_money)]
    if apart.empty:
        size = abs(float(ordered.iloc[0]))
        return min(max(2 - _digits(size), 0), MOST_DECIMALS) if size > 0 else 2
    return min(max(2 - _digits(spread), -_digits(float(apart.iloc[0])), 0), MOST_DECIMALS)


def _digits(value: float) -> int:
    return math.floor(math.log10(value))


def tolerance_of(values: pd.Series, is_money: bool) -> float:
    """Return the difference up to which two values count as equal."""
    largest = float(values.abs().max()) if len(values) else 0.0
    return max(ALIKE * largest, CENT if is_money else 0.0)


def covers_differ(done: pd.DataFrame) -> bool:
    """Return whether cases cover different times."""
    return int(done["length_h"].dropna().nunique()) > 1


def is_sum(quantity: Quantity, currency: str) -> bool:
    """Return whether a figure grows with the time that it covers: money, energy, mass."""
    return quantity.unit in (currency, "kWh", "kg")
