"""How assets are spoken of in the register's figures and tables: kinds in order, ratings, states and their colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ems.display import shown_number
from ems.report.style import SOFT_INK, shown

KIND_ORDER = ("grid_connection", "solar_pv", "wind_turbine", "generator", "battery", "ev_charger", "load")
"""From the sources of energy to its uses, as a one-line diagram is read."""

_PLURALS = {
    "grid_connection": "grid connections",
    "solar_pv": "solar PV plants",
    "wind_turbine": "wind turbines",
    "generator": "generators",
    "battery": "batteries",
    "ev_charger": "EV chargers",
    "load": "loads",
}
_SINGULARS = {"solar_pv": "solar PV", "ev_charger": "EV charger"}

# The first field that is stated is the power by which people know the equipment.
_POWER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "battery": ("rated_power_kw", "max_discharge_kw"),
    "ev_charger": ("total_limit_kw", "max_power_kw"),
    "generator": ("rated_capacity_kw", "max_output_kw"),
    "grid_connection": ("rated_capacity_kw", "max_import_kw"),
    "load": ("rated_load_kw", "peak_load_kw"),
    "solar_pv": ("rated_capacity_kw",),
    "wind_turbine": ("rated_capacity_kw",),
}


class State(NamedTuple):
    """How a state looks: a colour, and a mark for readers who do not tell colours apart."""

    colour: str
    marker: str


STATES: Mapping[str, State] = {
    "online": State("#009E73", "o"),
    "standby": State("#56B4E9", "D"),
    "maintenance": State("#E69F00", "s"),
    "offline": State("#5B6675", "X"),
    "fault": State("#D55E00", "^"),
    "unknown": State("#B7BEC9", "."),
}
"""By operational status."""

ALARM_COLOURS = {"info": "#0072B2", "warning": "#E69F00", "error": "#D55E00", "critical": "#A4161A"}
ALARM_ORDER = ("critical", "error", "warning", "info", "none")

GOOD, FAIR, POOR = "#009E73", "#E69F00", "#D55E00"


def kind_words(kind: str, count: int = 1) -> str:
    """Return a kind as people say it.

    >>> kind_words("battery"), kind_words("battery", 2), kind_words("ev_charger")
    ('battery', 'batteries', 'EV charger')
    """
    words = kind.replace("_", " ")
    return _SINGULARS.get(kind, words) if count == 1 else _PLURALS.get(kind, f"{words}s")


def by_kind(assets: Iterable[Any]) -> dict[str, list[Any]]:
    """Return assets by kind, sources before uses; within a kind in the order given."""
    kinds: dict[str, list[Any]] = {kind: [] for kind in KIND_ORDER}
    for asset in assets:
        kinds.setdefault(asset.kind, []).append(asset)
    return {kind: same for kind, same in kinds.items() if same}


def power_kw(asset: Any) -> float | None:
    """Return the power by which an asset is known, of all its ports together; None where it states none."""
    stated = (getattr(asset, name, None) for name in _POWER_FIELDS.get(asset.kind, ()))
    return next((value for value in stated if value is not None), None)


def energy_kwh(asset: Any) -> float | None:
    """Return the energy content by which a battery is known: the usable one where it is stated."""
    usable: float | None = getattr(asset, "usable_capacity_kwh", None)
    return usable if usable is not None else getattr(asset, "capacity_kwh", None)


def installed(portfolio: Any) -> list[Any]:
    """Return the assets that have not been decommissioned."""
    return [one for one in portfolio.assets if one.status != "decommissioned"]


def installed_kw(portfolio: Any, site_id: str) -> float:
    """Return the power of a site's equipment, its grid connections and loads left out."""
    kinds = {"battery", "ev_charger", "generator", "solar_pv", "wind_turbine"}
    there = [one for one in installed(portfolio) if one.site_id == site_id and one.kind in kinds]
    return float(sum(power_kw(one) or 0.0 for one in there))


def rating_parts(asset: Any) -> list[str]:
    """Return the figures by which an asset is known, each with its unit: ``50 kW`` and ``100 kWh`` for a battery."""
    if asset.kind == "grid_connection":
        return [f"import {amount(asset.max_import_kw)} kW", f"export {amount(asset.max_export_kw)} kW"]
    parts = [
        f"{amount(value)} {unit}" for value, unit in ((power_kw(asset), "kW"), (energy_kwh(asset), "kWh")) if value
    ]
    ports = getattr(asset, "number_of_ports", 1)
    return [*parts, f"{ports} ports"] if asset.kind == "ev_charger" and ports > 1 else parts


def rating_words(asset: Any) -> str:
    """Return an asset's rating in words: ``50 kW, 100 kWh``."""
    return ", ".join(rating_parts(asset))


def amount(value: float) -> str:
    """Return a number of at most four digits that count: ``1,234``, ``12.5``."""
    return shown_number(float(f"{float(value):.4g}"))


def state_of(word: str) -> State:
    """Return how an operational status looks."""
    return STATES.get(word, State(SOFT_INK, "o"))


def health_colour(score: float | None) -> str:
    """Return the colour of a health score: good from 0.8, fair from 0.5; grey where it is not known."""
    if score is None:
        return STATES["unknown"].colour
    return GOOD if score >= 0.8 else FAIR if score >= 0.5 else POOR


def joined(parts: Sequence[str], letters: int) -> list[str]:
    """Return parts on as few lines of so many letters as hold them, no part broken.

    >>> joined(["50 kW", "100 kWh", "2 ports"], 14)
    ['50 kW, 100 kWh', '2 ports']
    """
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= letters:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def wrapped(text: object, letters: int, lines: int) -> list[str]:
    """Return people's text on at most so many lines of so many letters, cut with an ellipsis.

    Wide letters, as of Chinese, count twice; a word that is too long for a line is broken.

    >>> wrapped("Harbour battery bank east", 12, 2)
    ['Harbour', 'battery ban…']
    """
    kept: list[str] = []
    rest = shown(text, longest=letters * lines * 2)
    while rest and len(kept) < lines:
        end = _fitting(rest, letters)
        if end == len(rest):
            kept.append(rest)
            return kept
        if len(kept) == lines - 1:
            kept.append(rest[: _fitting(rest, letters - 1)].rstrip() + "…")
            return kept
        space = rest.rfind(" ", 0, end + 1)
        end = space if space > 0 else end
        kept.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return kept


def _fitting(text: str, letters: int) -> int:
    """Return how many characters of a text fit into a line of so many letters, at least one."""
    width = 0
    for at, letter in enumerate(text):
        if unicodedata.combining(letter):
            continue
        width += 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1
        if width > letters:
            return max(at, 1)
    return len(text)
