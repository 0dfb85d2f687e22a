"""Figures of rolling plans: cost by policy, the regret ledger as a waterfall, savings by day, prices and contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import rounded, saying
from ems.report.rolling_tables import WORDS
from ems.report.style import COLOURS, INK, OTHER_COLOUR, SOFT_INK, shown

if TYPE_CHECKING:
    import pandas as pd

LOSS, GAIN, PLAIN = "#D55E00", "#009E73", "#8A94A3"
OWN = ("plan_own", "stochastic", "hedged")
MOST_BARS = 45
"""Days that are drawn as bars; more become a calendar."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def plot_policies(summary: pd.DataFrame, currency: str) -> ReportFigure:
    """Return what each policy cost, and how much of the way from the rule to knowing all it went.

    Parameters
    ----------
    summary : DataFrame (policy)
        ``cost`` and ``gap_closed``, the share of the way, NaN where it is not defined.
    currency : str
        ISO 4217 code.
    """
    if summary.empty:
        return saying("No policy was run.")
    names = [WORDS.get(str(name), shown(name)) for name in summary.index]
    costs = summary["cost"].to_numpy(dtype=float)
    closed = summary["gap_closed"].to_numpy(dtype=float)
    said = "; ".join(f"{name} {cost:,.2f}" for name, cost in zip(names, costs, strict=True))
    figure = ReportFigure(f"Realised cost in {currency} by policy: {said}.", height_in=1.1 + 0.36 * len(names))
    with report_settings():
        axes = figure.subplots()
        colours = [
            COLOURS["battery"] if name in OWN else OTHER_COLOUR if "perfect" in str(name) else PLAIN
            for name in summary.index
        ]
        places = np.arange(len(names))[::-1]
        axes.barh(places, costs, color=colours, height=0.66)
        axes.set_yticks(places, names)
        axes.grid(visible=False, axis="y")
        least, most = min(0.0, costs.min()), max(0.0, costs.max())
        axes.set_xlim(least - 0.02 * (most - least), most + 0.34 * (most - least))
        for place, cost, share in zip(places, costs, closed, strict=True):
            way = "" if np.isnan(share) else f"   {share:.0%} of the way"
            axes.text(max(cost, 0.0), place, f"  {cost:,.2f}{way}", va="center", ha="left", color=SOFT_INK)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel(f"realised cost ({currency}); the way leads from the rule of self-consumption to knowing all")
        axes.set_title(_title_of_policies(summary, currency))
    return figure


def _title_of_policies(summary: pd.DataFrame, currency: str) -> str:
    if "plan_own" in summary.index and "no_control" in summary.index:
        saving = float(summary["cost"]["no_control"]) - float(summary["cost"]["plan_own"])
        return f"The plan on own forecasts saves {saving:,.2f} {currency} against no control"
    best = summary["cost"].idxmin()
    return f"{WORDS.get(str(best), shown(best)).capitalize()} costs least, {summary['cost'].min():,.2f} {currency}"


def plot_ledger(ledger: Any) -> ReportFigure:
    """Return the way from the realised cost to that of perfect foresight as a waterfall, cause by cause.

    Parameters
    ----------
    ledger : RegretLedger or None
        ``realised_cost``, ``optimal_cost``, ``currency`` and ``parts`` (``meaning``, ``part``).
    """
    if ledger is None:
        return saying("No ledger: it needs the policies plan_own and perfect_foresight.")
    parts = ledger.parts["part"].to_numpy(dtype=float)
    words = [shown(word, 60) for word in ledger.parts["meaning"]]
    levels = ledger.realised_cost - np.concatenate([[0.0], np.cumsum(parts)])
    said = "; ".join(f"{word} {part:,.2f}" for word, part in zip(words, parts, strict=True))
    figure = ReportFigure(
        f"From {ledger.realised_cost:,.2f} to {ledger.optimal_cost:,.2f} {ledger.currency}: {said}.", height_in=4.0
    )
    labels = ["plan, own forecasts", *words, "perfect foresight"]
    places = np.arange(len(labels))[::-1]
    with report_settings():
        axes = figure.subplots()
        edge = min(levels.min(), ledger.optimal_cost) - 0.08 * max(np.ptp(levels), 1e-9)
        axes.barh(places[[0, -1]], np.array([levels[0], levels[-1]]) - edge, left=edge, color=PLAIN, height=0.62)
        for number, part in enumerate(parts):
            axes.barh(places[number + 1], -part, left=levels[number], color=LOSS if part >= 0 else GAIN, height=0.62)
        for number, level in enumerate(levels):
            axes.plot([level] * 2, [places[number] - 0.31, places[number + 1] + 0.31], color=INK, linewidth=0.6)
        texts = [f"{levels[0]:,.2f}", *(f"{part:+,.2f}" for part in parts), f"{levels[-1]:,.2f}"]
        ends = [levels[0], *np.maximum(levels[:-1], levels[1:]), levels[-1]]
        for place, text, end in zip(places, texts, ends, strict=True):
            axes.text(end, place, f"  {text}", va="center", ha="left", color=SOFT_INK)
        axes.set_yticks(places, labels)
        axes.grid(visible=False, axis="y")
        right = max(levels.max(), ledger.optimal_cost)
        axes.set_xlim(edge, right + 0.16 * max(right - edge, 1e-9))
        axes.set_xlabel(f"cost ({ledger.currency}); the axis does not begin at zero")
        largest = int(np.argmax(parts)) if len(parts) else 0
        distance = f"Knowing all would save {ledger.realised_cost - ledger.optimal_cost:,.2f} {ledger.currency}"
        axes.set_title(f"{distance}, {parts[largest]:,.2f} by {words[largest]}" if len(parts) else distance)
    return figure


def plot_savings(saved: pd.Series[float], currency: str) -> ReportFigure:
    """Return what a policy saved on each day: bars for some weeks, a calendar for more.

    Parameters
    ----------
    saved : Series (date)
    currency : str
    """
    if saved.empty:
        return saying("No savings by day: they need the policies plan_own and no_control.")
    values = saved.to_numpy(dtype=float)
    best = saved.idxmax()
    figure = ReportFigure(
        f"Saving by day in {currency}, in all {values.sum():,.2f}; most on {best:%d %b %Y} with {values.max():,.2f}.",
        height_in=3.0,
    )
    title = f"{(values > 0).mean():.0%} of {len(values)} days save; the best is {best:%d %b %Y}"
    with report_settings():
        axes = figure.subplots()
        if len(values) <= MOST_BARS:
            axes.bar(np.arange(len(values)), values, color=[GAIN if one >= 0 else LOSS for one in values], width=0.8)
            some = np.arange(0, len(values), max(1, -(-len(values) // 10)))
            axes.set_xticks(some, [f"{saved.index[int(one)]:%d %b}" for one in some])
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set_ylabel(f"saving ({currency})")
        else:
            _draw_calendar(figure, axes, saved, currency)
        axes.set_title(title)
    return figure


def _draw_calendar(figure: ReportFigure, axes: Any, saved: pd.Series[float], currency: str) -> None:
    import pandas as pd

    days = pd.DatetimeIndex(saved.index)
    weeks = ((days - days[0].normalize()).days + days[0].weekday()) // 7
    table = np.full((7, int(weeks.max()) + 1), np.nan)
    table[days.weekday, weeks] = saved.to_numpy(dtype=float)
    limit = float(np.nanmax(np.abs(table))) or 1.0
    mesh = axes.pcolormesh(np.ma.masked_invalid(table), cmap="PuOr_r", vmin=-limit, vmax=limit, edgecolors="white")
    axes.invert_yaxis()
    axes.set_yticks(np.arange(7) + 0.5, WEEKDAYS)
    firsts = [place for place in range(len(days)) if days[place].day == 1]
    axes.set_xticks([weeks[place] + 0.5 for place in firsts], [f"{days[place]:%b}" for place in firsts])
    axes.grid(visible=False)
    figure.colorbar(mesh, ax=axes, label=f"saving ({currency})", pad=0.01)


def plot_hours(maps: Mapping[str, pd.DataFrame], units: Mapping[str, str]) -> ReportFigure:
    """Return heat maps over the days and the hours of the day, one below the other: prices, contents of batteries.

    Parameters
    ----------
    maps : mapping of str to DataFrame (hour, date)
        By title; empty ones are left out.
    units : mapping of str to str
        Label of each scale, by title.
    """
    drawn = {title: table for title, table in maps.items() if not table.empty}
    if not drawn:
        return saying("Nothing to show by hour.")
    first = next(iter(drawn.values()))
    ranges = {title: (table.min().min(), table.max().max()) for title, table in drawn.items()}
    said = "; ".join(f"{title} from {least:.3g} to {most:.3g}" for title, (least, most) in ranges.items())
    figure = ReportFigure(f"By hour and day: {said}.", height_in=0.8 + 1.9 * len(drawn))
    with report_settings():
        for axes, (title, table) in zip(
            figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0], drawn.items(), strict=True
        ):
            mesh = axes.pcolormesh(
                np.arange(table.shape[1] + 1), np.arange(25), _whole_day(table), cmap="cividis", rasterized=True
            )
            axes.set_ylim(24, 0)
            axes.set_yticks([0, 6, 12, 18, 24])
            axes.set_ylabel("hour, local")
            least, most = ranges[title]
            axes.set_title(f"{shown(title, 60)}: {rounded(least)} to {rounded(most)} {units.get(title, '')}".rstrip())
            axes.grid(visible=False)
            figure.colorbar(mesh, ax=axes, label=units.get(title, ""), pad=0.01)
        some = np.arange(0, first.shape[1], max(1, -(-first.shape[1] // 12)))
        axes.set_xticks(some + 0.5, [f"{first.columns[int(one)]:%d %b}" for one in some])
    return figure


def _whole_day(table: pd.DataFrame) -> np.ma.MaskedArray:
    return np.ma.masked_invalid(table.reindex(range(24)).to_numpy(dtype=float))
