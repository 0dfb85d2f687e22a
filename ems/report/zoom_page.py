"""A page with a run's lines over time, which can be looked at as closely as they were measured."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.policy import content_policy, make_environment, read_asset, trusted
from ems.units import UNITS, unit_of

if TYPE_CHECKING:
    import pandas as pd

TIME = "time_utc"
NOT_LINES = frozenset({TIME, "time_local", "step_h"})
MOST_LINES = 8
"""Lines of a panel, for which there are colours; more begin another panel."""
MOST_GROUPS = 12
"""Lines that one column may become, one for each case or policy; a table with more is left out."""
QUANTITIES = {"kW": "Power", "kWh": "Energy", "°C": "Temperature", "kg": "Emissions"}
"""What a panel with a unit is called."""
SPANS = ((0, "All"), (1, "A day"), (7, "A week"), (28, "Four weeks"))
"""Days that buttons show, from the beginning of what is seen."""


@dataclass(frozen=True)
class _Line:
    name: str
    unit: str
    times: int
    values: np.ndarray
    is_end: bool


def zoom_page(tables: Mapping[str, pd.DataFrame], title: str, timezone: str, currency: str, report: str) -> str | None:
    """Return one HTML file with all columns of tables over time, a panel for each unit; None where there are none.

    Values are stored with seven digits. Its script is the package's own and asks no other address.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As the CSV files beside a report: those with a column ``time_utc`` count. Columns of text tell rows of the
        same time apart, such as ``policy``.
    title : str
    timezone : str
        Name in the tz database.
    currency : str
        ISO 4217 code.
    report : str
        Address of the report from the page.
    """
    times: list[np.ndarray] = []
    lines = [line for table in tables.values() if TIME in table for line in _lines_of(table, times, currency)]
    if not lines:
        return None
    panels = []
    for unit in dict.fromkeys(line.unit for line in lines):
        same = [line for line in lines if line.unit == unit]
        several = len(same) > MOST_LINES
        for at in range(0, len(same), MOST_LINES):
            part = f", {at // MOST_LINES + 1}" if several else ""
            panels.append(
                {
                    "title": f"{_title_of(unit, currency)}{part}",
                    "lines": [_as_json(one) for one in same[at : at + MOST_LINES]],
                }
            )
    data = {"timezone": timezone, "times": [_packed(one, "<f8") for one in times], "panels": panels}
    style = trusted(f"{read_asset('style.css')}\n{read_asset('zoom.css')}")
    script = read_asset("zoom.js")
    # No text of people can end the element: a "<" in JSON may as well be written by its number.
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    template = make_environment().get_template("zoom.html.j2")
    return template.render(
        title=title,
        timezone=timezone,
        report=report,
        spans=SPANS,
        style=style,
        script=script,
        data=trusted(text),
        policy=content_policy(style, script),
    )


def _lines_of(table: pd.DataFrame, times: list[np.ndarray], currency: str) -> Iterator[_Line]:
    """Give the lines of a table; times that it has are added to those of others."""
    numbers = [
        name for name in table.columns if name not in NOT_LINES and table[name].dtype.kind in "fiub" and len(table)
    ]
    texts = [name for name in table.columns if name not in NOT_LINES and name not in numbers]
    groups = list(table.groupby(texts, sort=False, dropna=False)) if texts else [((), table)]
    if len(groups) > MOST_GROUPS:
        return
    for keys, rows in groups:
        moments = _milliseconds(rows[TIME])
        if len(moments) < 2 or (np.diff(moments) <= 0).any():
            continue
        known = next((at for at, one in enumerate(times) if np.array_equal(one, moments)), None)
        if known is None:
            known = len(times)
            times.append(moments)
        prefix = "".join(f"{key}: " for key in keys)
        for name in numbers:
            values = rows[name].to_numpy(dtype=float)
            if not np.isnan(values).all():
                owner, _, variable = str(name).rpartition(".")
                is_end = variable.startswith("end_")
                unit = unit_of(variable, currency) or ""
                words = f"{prefix}{owner} {_words_of(variable.removeprefix('end_'))}".strip()
                yield _Line(words, unit, known, values, is_end)


def _words_of(variable: str) -> str:
    """Return a variable as people say it, without its unit: ``import price``.

    >>> _words_of("import_price_per_kwh"), _words_of("max_charge_kw"), _words_of("soc")
    ('import price', 'max charge', 'soc')
    """
    words = variable.split("_")
    if "per" in words[1:-1]:
        words = words[: words.index("per", 1)]
    elif len(words) > 1 and words[-1] in UNITS:
        words = words[:-1]
    return " ".join(words)


def _title_of(unit: str, currency: str) -> str:
    """Return what is seen on a panel: ``Power (kW)``."""
    named = {currency: "Money", f"{currency}/kWh": "Price", "1": "Shares", "": "Counts"}
    what = named.get(unit) or QUANTITIES.get(unit, "")
    return f"{what} ({unit})".strip() if unit and unit != "1" else what


def _milliseconds(moments: pd.Series[Any]) -> np.ndarray:
    import pandas as pd

    utc = pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).tz_localize(None)
    return utc.to_numpy().astype("datetime64[ms]").astype(np.int64).astype(float)


def _as_json(line: _Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "times": line.times,
        "values": _packed(line.values, "<f4"),
        "is_end": line.is_end,
    }


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")
