"""What each parameter of a sweep does to a figure: means over all others, for one value and for pairs of values.

The main effect of a value is the mean of the figure over all cases that have it, less the mean over all cases [1]_.
On a full grid the effects of a parameter sum to zero.

References
----------
.. [1] D. C. Montgomery, "Design and Analysis of Experiments," 8th ed., Wiley, 2012, chapter 5.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.units import unit_of

NONE = "none"


@dataclass(frozen=True)
class PairMeans:
    """Means of a figure over two parameters.

    Parameters
    ----------
    means : DataFrame (value, value)
        Rows and columns are values in words, in their order, named by their parameters; NaN where there is no result.
    results, cases : DataFrame (value, value)
        How many cases have a result, and how many there are.
    is_number : tuple of bool
        Whether rows and columns are numbers.
    headings : tuple of str
        Names of rows and columns with their units.
    """

    means: pd.DataFrame
    results: pd.DataFrame
    cases: pd.DataFrame
    is_number: tuple[bool, bool]
    headings: tuple[str, str]


def value_words(value: object) -> str:
    """Return the value of a parameter in words.

    >>> [value_words(value) for value in (48.0, 0.5, True, "cbc", None)]
    ['48', '0.5', 'yes', 'cbc', 'none']
    """
    if value is None or value is pd.NA:
        return NONE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return f"{float(value):,.12g}"
    return str(value)


def parameter_heading(name: str, currency: str = "") -> str:
    """Return the name of a parameter with its unit: ``horizon_h (h)``."""
    unit = unit_of(name, currency or "currency")
    return name if unit in (None, "1") else f"{name} ({unit})"


def values_of(column: pd.Series) -> list[object]:
    """Return the values of a parameter in order: numbers and truth values rising, texts as the sweep has them."""
    found = list(column.dropna().unique())
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        found = sorted(found)
    return [*found, *([None] if column.isna().any() else [])]


def varied(frame: pd.DataFrame) -> list[str]:
    """Return the parameters that have at least two values among the cases."""
    return [name for name in frame.attrs["parameters"] if len(values_of(frame[name])) > 1]


def main_effects(frame: pd.DataFrame, parameters: Sequence[str], measure: str, currency: str = "") -> pd.DataFrame:
    """Return what each value of each parameter does to a figure.

    Parameters
    ----------
    frame : DataFrame
        One row a case; NaN in the figure where a case has no result.
    parameters : sequence of str
    measure : str
    currency : str
        Of parameters that are money.

    Returns
    -------
    DataFrame
        One row for each parameter and value, in their order: ``parameter``; ``heading``, its name with its unit;
        ``value`` in words; ``x``, the value where
        all values of the parameter are numbers, else NaN; ``cases`` and ``results``, how many there are and how many
        have a result; ``mean``, ``least`` and ``most`` of these; ``effect``, the mean less that of all cases.
    """
    overall = frame[measure].mean()
    rows = []
    for name in parameters:
        has_numbers = is_number(frame[name])
        for value in values_of(frame[name]):
            group = frame.loc[_has(frame[name], value), measure]
            rows.append(
                {
                    "parameter": name,
                    "heading": parameter_heading(name, currency),
                    "value": value_words(value),
                    "x": float(str(value)) if has_numbers else np.nan,
                    "cases": len(group),
                    "results": int(group.notna().sum()),
                    "mean": group.mean(),
                    "effect": group.mean() - overall,
                    "least": group.min(),
                    "most": group.max(),
                }
            )
    columns = ["parameter", "heading", "value", "x", "cases", "results", "mean", "effect", "least", "most"]
    return pd.DataFrame(rows, columns=columns)


def spreads(effects: pd.DataFrame) -> dict[str, float]:
    """Return by how much the means of each parameter's values lie apart, the largest first."""
    means = effects.groupby("parameter", sort=False)["mean"]
    apart = (means.max() - means.min()).fillna(0.0)
    return {str(name): float(value) for name, value in apart.sort_values(ascending=False, kind="stable").items()}


def pair_means(frame: pd.DataFrame, rows: str, columns: str, measure: str, currency: str = "") -> PairMeans:
    """Return the means of a figure over two parameters; all others are averaged."""
    words = pd.DataFrame({name: frame[name].map(value_words, na_action=None) for name in (rows, columns)})
    words["figure"] = frame[measure]
    grouped = words.groupby([rows, columns], sort=False)["figure"]
    order = [pd.Index([value_words(one) for one in values_of(frame[name])], name=name) for name in (rows, columns)]

    def as_grid(found: pd.Series) -> pd.DataFrame:
        return found.unstack(columns).reindex(index=order[0], columns=order[1])

    return PairMeans(
        as_grid(grouped.mean()),
        as_grid(grouped.count()).fillna(0).astype(int),
        as_grid(grouped.size()).fillna(0).astype(int),
        (is_number(frame[rows]), is_number(frame[columns])),
        (parameter_heading(rows, currency), parameter_heading(columns, currency)),
    )


def tied_parameters(frame: pd.DataFrame, parameters: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of parameters of which the one's value tells the other's: their effects cannot be told apart."""
    return [
        (one, other)
        for one, other in itertools.combinations(parameters, 2)
        if len(frame[[one, other]].drop_duplicates()) == max(len(values_of(frame[name])) for name in (one, other))
    ]


def is_balanced(frame: pd.DataFrame, parameters: Sequence[str], measure: str) -> bool:
    """Return whether the values of any two parameters meet equally often among the cases that have a result."""
    done = frame[frame[measure].notna()]
    return all(
        len(set(pair_means(done, one, other, measure).results.to_numpy().ravel().tolist())) <= 1
        for one, other in itertools.combinations(parameters, 2)
    )


def is_number(column: pd.Series) -> bool:
    """Return whether all values of a parameter are numbers."""
    are_numbers = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    return bool(are_numbers and column.notna().all())


def _has(column: pd.Series, value: object) -> pd.Series:
    return column.isna() if value is None else (column == value).fillna(False)
