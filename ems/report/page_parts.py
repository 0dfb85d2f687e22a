"""Parts of a run's page that its notebook does not make: the run before, and files to take along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """A file beside the page.

    Parameters
    ----------
    address : str
        Relative to the page, made by `as_link`.
    words : str
        What people call it.
    size : int or None
        Bytes, where they are known.
    """

    address: str
    words: str
    size: int | None


@dataclass(frozen=True)
class PreviousRun:
    """The last completed run of the same case before this one, and what changed since.

    Parameters
    ----------
    run_id : str
    started_at : datetime
        With offset from UTC.
    report : str or None
        Address of its report, relative to the page; None where it is not there any more.
    figures : sequence of (label, this run, run before, change)
    causes : sequence of (what it is, name, run before, this run)
        Parameters, inputs and versions that are others.
    """

    run_id: str
    started_at: dt.datetime
    report: str | None
    figures: Sequence[tuple[str, str, str, str]]
    causes: Sequence[tuple[str, str, str, str]]


def shown_size(size: int) -> str:
    """Return the size of a file as people say it.

    >>> shown_size(812), shown_size(48_512), shown_size(12_600_000)
    ('812 B', '49 kB', '12.6 MB')
    """
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:,.0f} kB" if size < 999_500 else f"{size / 1e6:,.1f} MB"
