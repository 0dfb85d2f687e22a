"""The figures of the register: where the sites are, what is installed, how it runs now."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ems.display import counted
from ems.report.figure import ReportFigure, report_settings
from ems.report.register_rows import StatusRow
from ems.report.register_words import (
    STATES,
    amount,
    by_kind,
    energy_kwh,
    installed,
    installed_kw,
    kind_words,
    power_kw,
    state_of,
)
from ems.report.style import COST_COLOURS, INK, LINE, SOFT_INK, WIDTH_IN, colour_of, shown

MOST_ROWS = 24
"""Assets that are shown one by one; more are counted by site."""
MOST_SEGMENTS = 8
ROW_IN = 0.27
KM_PER_DEGREE = 111.32
"""Length of a degree of latitude."""
MAP_HEIGHT_IN = 4.2
MAP_PLACE = (0.075, 0.08, 0.9, 0.83)
"""Left, lower edge, width and height of the map as shares of its figure."""
WIDEST_MAP_DEG = 60
"""Beyond it one scale of length does not hold over the map."""


def plot_sites(portfolio: Any) -> ReportFigure:
    """Return the sites by longitude and latitude, a larger point for more installed power, with a bar of length.

    Parameters
    ----------
    portfolio : Portfolio
        Sites with ``latitude`` and ``longitude`` where they are known, and assets.

    Returns
    -------
    ReportFigure
        Where no site has coordinates, a figure that says so.
    """
    placed = [one for one in portfolio.sites if one.latitude is not None and one.longitude is not None]
    if not placed:
        return saying(f"None of {counted(len(portfolio.sites), 'site')} has coordinates.")
    power = {site.id: installed_kw(portfolio, site.id) for site in placed}
    words = [f"{shown(one.name)} at {_degrees(one.latitude, 'NS')}, {_degrees(one.longitude, 'EW')}" for one in placed]
    missing = len(portfolio.sites) - len(placed)
    left_out = f" {counted(missing, 'site')} without coordinates." if missing else ""
    alt = f"Sites by longitude and latitude: {'; '.join(words)}.{left_out}"
    figure = ReportFigure(alt, height_in=MAP_HEIGHT_IN, layout=None)
    longitudes, latitudes = (np.array([getattr(one, name) for one in placed]) for name in ("longitude", "latitude"))
    with report_settings():
        axes = figure.add_axes(MAP_PLACE)
        narrowing = math.cos(math.radians((latitudes.min() + latitudes.max()) / 2))
        west, east, south, north = _map_limits(longitudes, latitudes, max(narrowing, 0.01))
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        largest = max(power.values()) or 1.0
        sizes = [70 + 330 * power[one.id] / largest for one in placed]
        axes.scatter(longitudes, latitudes, s=sizes, color=COST_COLOURS[0], alpha=0.75, linewidth=0, zorder=3)
        _write_apart(axes, placed, [_site_words(portfolio, one, power[one.id]) for one in placed])
        axes.locator_params(nbins=6)
        axes.xaxis.set_major_formatter(lambda value, _: _degrees(value, "EW"))
        axes.yaxis.set_major_formatter(lambda value, _: _degrees(value, "NS"))
        if north - south <= WIDEST_MAP_DEG:
            _length_bar(axes, KM_PER_DEGREE * narrowing)
        installed_words = f", {amount(sum(power.values()))} kW installed" if any(power.values()) else ""
        missing_words = f", {left_out.strip(' .')}" if missing else ""
        axes.set_title(f"{counted(len(placed), 'site')} on the map{installed_words}{missing_words}")
    return figure


def plot_capacity(portfolio: Any) -> ReportFigure:
    """Return the installed power by kind, each asset a part of its bar, and the energy content of batteries.

    Decommissioned assets do not count. Grid connections count with the power that can be taken.
    """
    kinds = by_kind(installed(portfolio))
    if not kinds:
        return saying("No asset is installed.")
    totals = {kind: sum(power_kw(one) or 0.0 for one in same) for kind, same in kinds.items()}
    stored = sum(energy_kwh(one) or 0.0 for one in kinds.get("battery", ()))
    labels = [f"{counted(len(same), kind_words(kind), kind_words(kind, 2))}" for kind, same in kinds.items()]
    numbers = [
        f"{amount(total)} kW" + (f", {amount(stored)} kWh" if kind == "battery" and stored else "")
        if total
        else "no power stated"
        for kind, total in totals.items()
    ]
    facts = [f"{label} {number}" for label, number in zip(labels, numbers, strict=True)]
    most = facts[list(totals).index(max(totals, key=totals.__getitem__))]
    figure = ReportFigure(f"Installed power by kind: {'; '.join(facts)}.", height_in=1.15 + 0.36 * len(kinds))
    with report_settings():
        axes = figure.subplots()
        for at, (kind, same) in enumerate(kinds.items()):
            # Thin edges of the background tell the assets of a kind apart, whatever their shade.
            ends = np.cumsum([0.0, *(power_kw(one) or 0.0 for one in same)])
            if len(same) > MOST_SEGMENTS:
                ends = ends[[0, -1]]
            axes.barh(
                np.full(len(ends) - 1, at),
                np.diff(ends),
                0.62,
                left=ends[:-1],
                color=[colour_of(kind, position % 4) for position in range(len(ends) - 1)],
                edgecolor="white",
                linewidth=0.8,
            )
            axes.annotate(
                numbers[at], (ends[-1], at), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
            )
        _rows_axis(axes, labels)
        axes.set_xlim(0, max(totals.values()) * 1.22 or 1)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("power (kW); of grid connections what can be taken")
        axes.set_title(
            f"Installed power by kind; batteries hold {amount(stored)} kWh"
            if stored
            else f"Installed power by kind; most are {most}"
        )
    return figure


def plot_status(rows: Sequence[StatusRow]) -> ReportFigure:
    """Return how each asset runs now: its state, its power against its rating, and the state of charge.

    Many assets are counted by site and state instead.
    """
    known = [row for row in rows if row.state != "unknown"]
    if not known:
        return saying(f"None of {counted(len(rows), 'asset')} has reported: their status is unknown.")
    counts = Counter(row.state for row in rows)
    summary = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    if len(rows) > MOST_ROWS:
        return _status_by_site(rows, summary)
    details = [f"{shown(row.name)} {row.state}{_status_numbers(row)}" for row in rows]
    figure = ReportFigure(
        f"Status of {counted(len(rows), 'asset')}, {summary}: {'; '.join(details)}.",
        height_in=0.95 + ROW_IN * len(rows),
    )
    places = np.arange(len(rows))
    with report_settings():
        state, power, charge = figure.subplots(1, 3, sharey=True, width_ratios=(0.8, 3, 1.4))
        for at, row in enumerate(rows):
            looks = state_of(row.state)
            state.plot([0], [at], marker=looks.marker, color=looks.colour, markersize=7, linestyle="none")
            state.annotate(row.state, (0, at), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8.8)
            _power_bar(power, at, row)
            _charge_bar(charge, at, row)
        state.set_xlim(-0.15, 1)
        state.set_xticks([])
        state.grid(False)
        power.axvline(0, color=SOFT_INK, linewidth=0.8)
        power.set_xlim(-1.35, 1.35)
        power.set_xticks((-1, -0.5, 0, 0.5, 1))
        power.set_xlabel("power as a share of the rating (1)\nuse | supply")
        charge.set_xlim(0, 1.2)
        charge.set_xticks((0, 0.5, 1))
        charge.set_xlabel("state of charge (1)")
        for axes in (power, charge):
            axes.tick_params(axis="y", length=0)
            axes.grid(False, axis="y")
        _rows_axis(state, [shown(row.name, 28) for row in rows])
        state.set_yticks(places)
        for axes in (state, power, charge):
            axes.spines["left"].set_visible(False)
        figure.suptitle(f"Status: {summary}", x=0.008, ha="left", fontsize=11, fontweight="bold")
    return figure


def saying(text: str) -> ReportFigure:
    """Return a figure of one sentence, where there is nothing to draw."""
    figure = ReportFigure(text, height_in=0.6)
    with report_settings():
        figure.text(0.008, 0.5, text, va="center", color=SOFT_INK)
    return figure


# ---------------------------------------------------------------------------------------------- status
def _power_bar(axes: Any, at: int, row: StatusRow) -> None:
    if row.power_kw is None:
        axes.annotate("–", (0, at), xytext=(5, 0), textcoords="offset points", va="center", color=SOFT_INK)
        return
    share = float(np.clip(row.power_kw / row.rating_kw, -1, 1)) if row.rating_kw else 0.0
    axes.barh(at, share, 0.56, color=colour_of(row.kind), linewidth=0)
    is_use = share < 0
    axes.annotate(
        f"{amount(row.power_kw)} kW",
        (share, at),
        xytext=(-5 if is_use else 5, 0),
        textcoords="offset points",
        va="center",
        ha="right" if is_use else "left",
        fontsize=8.8,
    )


def _charge_bar(axes: Any, at: int, row: StatusRow) -> None:
    if row.soc is None:
        return
    axes.barh(at, 1, 0.56, facecolor="none", edgecolor=LINE, linewidth=1)
    axes.barh(at, row.soc, 0.56, color=colour_of(row.kind), linewidth=0)
    axes.annotate(f"{row.soc:.2f}", (1, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.8)


def _status_numbers(row: StatusRow) -> str:
    power = f", {amount(row.power_kw)} kW" if row.power_kw is not None else ""
    return power + (f", state of charge {row.soc:.2f}" if row.soc is not None else "")


def _status_by_site(rows: Sequence[StatusRow], summary: str) -> ReportFigure:
    sites = list(dict.fromkeys(row.site for row in rows))[:MOST_ROWS]
    counts = {site: Counter(row.state for row in rows if row.site == site) for site in sites}
    details = [f"{shown(site)} {', '.join(f'{n} {state}' for state, n in counts[site].items())}" for site in sites]
    figure = ReportFigure(
        f"Status of {counted(len(rows), 'asset')}, {summary}: {'; '.join(details)}.", height_in=1.1 + 0.32 * len(sites)
    )
    with report_settings():
        axes = figure.subplots()
        before = np.zeros(len(sites))
        handles, labels = [], []
        for state, looks in STATES.items():
            values = np.array([counts[site][state] for site in sites], dtype=float)
            if values.any():
                handles.append(axes.barh(np.arange(len(sites)), values, 0.62, left=before, color=looks.colour))
                labels.append(state)
                before += values
        _rows_axis(axes, [shown(site) for site in sites])
        axes.set_xlabel("assets")
        axes.set_title(f"Status: {summary}")
        axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _rows_axis(axes: Any, labels: Iterable[str]) -> None:
    """Name rows from the top downwards."""
    labels = list(labels)
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=INK)


# ---------------------------------------------------------------------------------------------- the map
def _degrees(value: float, sides: str) -> str:
    return f"{abs(value):.4g}° {sides[int(value < 0)]}"


def _site_words(portfolio: Any, site: Any, power: float) -> tuple[str, str]:
    count = sum(one.site_id == site.id for one in installed(portfolio))
    return shown(site.name, 32), counted(count, "asset") + (f", {amount(power)} kW" if power else "")


def _map_limits(longitudes: np.ndarray, latitudes: np.ndarray, narrowing: float) -> tuple[float, float, float, float]:
    """Return west, east, south and north of a map with room around the sites, of the figure's proportions."""
    shape = MAP_PLACE[2] * WIDTH_IN / (MAP_PLACE[3] * MAP_HEIGHT_IN)
    height = max(float(np.ptp(latitudes)) * 1.5, float(np.ptp(longitudes)) * 1.7 * narrowing / shape, 0.02)
    width = height * shape / narrowing
    x, y = (float(values.min() + values.max()) / 2 for values in (longitudes, latitudes))
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2


def _write_apart(axes: Any, sites: Sequence[Any], words: Sequence[tuple[str, str]]) -> None:
    """Name the points, each where no other name stands; a name without a free place is left out."""
    taken: list[tuple[float, float, float, float]] = []
    points = axes.transData.transform([(one.longitude, one.latitude) for one in sites])
    for (x, y), site, (name, size) in zip(points, sites, words, strict=True):
        width, height = 5.6 * max(len(name), len(size)), 26.0
        for dx, dy, side in ((13, 0, "left"), (-13, 0, "right"), (0, 26, "center"), (0, -26, "center")):
            left = x + dx - {"left": 0.0, "right": width, "center": width / 2}[side]
            box = (left, left + width, y + dy - height / 2, y + dy + height / 2)
            if all(box[1] < b[0] or box[0] > b[1] or box[3] < b[2] or box[2] > b[3] for b in taken):
                break
        else:
            continue
        taken.append(box)
        place = (site.longitude, site.latitude)
        for text, below, settings in ((name, 6, {"fontweight": "bold"}), (size, -6, {"color": SOFT_INK})):
            axes.annotate(
                text,
                place,
                xytext=(dx, dy + below),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=9,
                **settings,
            )


def _length_bar(axes: Any, km_per_degree: float) -> None:
    """Draw a bar of a round length in the lower right corner."""
    west, east = axes.get_xlim()
    longest = (east - west) * km_per_degree / 5
    tens = 10 ** math.floor(math.log10(longest))
    length = max(step * tens for step in (1, 2, 5) if step * tens <= longest)
    end, low = 0.97, 0.06
    start = end - length / km_per_degree / (east - west)
    axes.plot((start, end), (low, low), color=INK, linewidth=2.5, transform=axes.transAxes, solid_capstyle="butt")
    text = f"{length:g} km" if length >= 1 else f"{length * 1000:g} m"
    axes.text((start + end) / 2, low + 0.025, text, ha="center", va="bottom", fontsize=8.5, transform=axes.transAxes)
