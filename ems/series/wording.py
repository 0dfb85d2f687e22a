"""How findings about a series are worded: stamps, steps, and the first of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

MOST_FINDINGS = 10
MOST_OF_A_KIND = 3


@dataclass(frozen=True)
class Remarks:
    """What is said about a series while it is read: all findings are told together, notes go with the data."""

    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def shown_time(time: np.datetime64 | pd.Timestamp) -> str:
    """Return a moment in UTC as people read it.

    >>> shown_time(np.datetime64("2024-06-01T02:00"))
    '2024-06-01 02:00 UTC'
    """
    stamp = pd.Timestamp(time)
    if stamp.microsecond or stamp.nanosecond:
        return f"{stamp.strftime('%Y-%m-%d %H:%M:%S.%f')} UTC"
    return f"{stamp.strftime('%Y-%m-%d %H:%M:%S' if stamp.second else '%Y-%m-%d %H:%M')} UTC"


def shown_step(step_h: float) -> str:
    """Return the length of a step as people say it.

    >>> shown_step(0.25), shown_step(1), shown_step(24)
    ('15 min', '1 h', '24 h')
    """
    seconds = step_h * 3600
    if step_h >= 1:
        return f"{step_h:.6g} h"
    return f"{seconds / 60:.6g} min" if seconds >= 60 else f"{seconds:.6g} s"


def first_of(places: np.ndarray, word: Callable[[int], str], others: str) -> list[str]:
    """Return sentences for the first places, and one that counts the others.

    Parameters
    ----------
    places : ndarray of int
        Positions of rows.
    word : callable
        Gives the sentence for one position.
    others : str
        The end of the last sentence: ``cells of column 'load_kw' that are no numbers``.
    """
    told = [word(int(place)) for place in places[:MOST_OF_A_KIND]]
    rest = len(places) - len(told)
    return [*told, f"... and {rest} more {others}"] if rest else told


def shortened(findings: Sequence[str]) -> list[str]:
    """Return at most about ten findings, the last of which counts those left out."""
    if len(findings) <= MOST_FINDINGS:
        return list(findings)
    return [*findings[:MOST_FINDINGS], f"... and {len(findings) - MOST_FINDINGS} more"]
