"""The list of all runs as one HTML page, which works without its script and from any folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ems.report.policy import content_policy, make_environment, read_asset
from ems.report.tables import shown_duration, shown_money


@dataclass(frozen=True)
class IndexRow:
    """One run, as the list shows it.

    Parameters
    ----------
    run_id, study, case, title, status : str
    started_at, finished_at : datetime
        With offset from UTC.
    total_cost : float or None
        In `currency`.
    currency : str or None
        ISO 4217 code.
    report : str or None
        Path of the report's file, relative to the index.
    error : str or None
        Why the run did not complete.
    """

    run_id: str
    study: str
    case: str
    title: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    total_cost: float | None
    currency: str | None
    report: str | None
    error: str | None


def render_index(rows: Sequence[IndexRow]) -> str:
    """Return the list of runs as HTML, newest first.

    Without its script all runs are shown; with it they can be filtered by study and status.

    Parameters
    ----------
    rows : sequence of IndexRow
        In any order.
    """
    style, script = read_asset("style.css"), read_asset("index.js")
    environment = make_environment()
    environment.filters["as_money"] = shown_money
    environment.filters["as_utc"] = lambda moment: f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
    environment.filters["as_duration"] = shown_duration
    environment.filters["as_link"] = as_link
    return environment.get_template("index.html.j2").render(
        rows=sorted(rows, key=lambda row: (row.started_at, row.run_id), reverse=True),
        studies=sorted({row.study for row in rows}),
        statuses=sorted({row.status for row in rows}),
        style=style,
        script=script,
        policy=content_policy(style, script),
    )


def as_link(path: str) -> str:
    """Return a relative path as an address: never of another host, never with a scheme of its own.

    >>> as_link("dispatch/20240601 a.html"), as_link("javascript:alert(1)")
    ('./dispatch/20240601%20a.html', './javascript%3Aalert%281%29')
    """
    return "./" + quote(path.lstrip("/"))
