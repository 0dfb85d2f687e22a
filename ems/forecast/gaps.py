"""Short gaps filled for models that cannot learn from a step or a day with a hole in it."""

from __future__ import annotations

import numpy as np


def short_gaps_filled(values: np.ndarray, longest: int) -> np.ndarray:
    """Return values in which gaps of a few steps hold a straight line between their neighbours; longer ones stay.

    Parameters
    ----------
    values : ndarray (steps,)
    longest : int
        Longest gap that is filled, in steps; gaps at either end stay, too.

    Examples
    --------
    >>> short_gaps_filled(np.array([1.0, np.nan, 3.0, np.nan, np.nan, 9.0]), 1)
    array([ 1.,  2.,  3., nan, nan,  9.])
    """
    missing = ~np.isfinite(values)
    known = np.flatnonzero(~missing)
    if not missing.any() or not known.size:
        return values
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    filled = values.copy()
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if begin > 0 and end < len(values) and end - begin <= longest:
            filled[begin:end] = np.interp(np.arange(begin, end), known, values[known])
    return filled


def gapless(values: np.ndarray, steps_per_day: int, longest_line: int) -> np.ndarray:
    """Return values without a gap, from the first known one on.

    Gaps of a few steps hold a straight line; a longer one holds the values of a week before, of the day before where
    the week before is not known, and the last known value where neither is.

    Parameters
    ----------
    values : ndarray (steps,)
    steps_per_day : int
    longest_line : int
        Longest gap that holds a straight line, in steps.
    """
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return values[:0]
    filled = short_gaps_filled(values[known[0] :], longest_line).copy()
    for step in np.flatnonzero(~np.isfinite(filled)).tolist():
        for back in (7 * steps_per_day, steps_per_day, 1):
            if step >= back:
                filled[step] = filled[step - back]
                break
    return filled
