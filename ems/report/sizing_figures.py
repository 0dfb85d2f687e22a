"""The figures of a sizing: life-cycle cost, the cost over sizes, sensitivity, cash flow, exchange by duration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import range_of, rounded, saying
from ems.report.style import INK, SOFT_INK, shown
from ems.report.tables import shown_money

if TYPE_CHECKING:
    import pandas as pd

PART_COLOURS = {
    "energy bill": "#8A94A3",
    "connection": "#1C2430",
    "solar roof": "#E69F00",
    "battery energy": "#009E73",
    "battery power": "#66C4A9",
}
"""Equipment has the colours of its kind."""
WITHOUT_COLOUR, WITH_COLOUR = "#8A94A3", "#0072B2"
LESS_COLOUR, MORE_COLOUR = "#56B4E9", "#D55E00"
HEAT = "cividis_r"
"""Perceived alike with and without colour blindness; darker is dearer."""
MARK = "#D55E00"
DARK = 0.45
"""Above this share of a scale its colour is so dark that text on it is white."""
MOST_LETTERS = 90
"""Digits that fit beside each other in a heat map."""
ROOM_OF_STAR = 0.35
"""Distance from the middle of a cell, in cells, within which the star covers its number."""
CURVE_POINTS = 600


def plot_life_cycles(parts: Mapping[str, pd.DataFrame], currency: str) -> ReportFigure:
    """Return the present value of all costs as one bar for each life cycle, by part.

    Parameters
    ----------
    parts : mapping of str to DataFrame
        By what people call the life cycle: index ``part``, column ``total``.
    currency : str
    """
    names = [shown(name) for name in parts]
    totals = [float(table["total"].sum()) for table in parts.values()]
    said = [f"{name} {shown_money(total, currency)}" for name, total in zip(names, totals, strict=True)]
    figure = ReportFigure(f"Present value of all costs: {'; '.join(said)}.", height_in=1.7 + 0.62 * len(names))
    order = list(dict.fromkeys(str(part) for table in parts.values() for part in table.index))
    order = [part for part in PART_COLOURS if part in order]
    places = np.arange(len(names))
    with report_settings():
        axes = figure.subplots()
        above, below = np.zeros(len(names)), np.zeros(len(names))
        handles, labels = [], []
        for part in order:
            amounts = np.array([float(table["total"].get(part, 0.0)) for table in parts.values()])
            if not amounts.any():
                continue
            left = np.where(amounts >= 0, above, below)
            handles.append(axes.barh(places, amounts, 0.62, left=left, color=PART_COLOURS[part])[0])
            labels.append(part)
            above, below = above + np.maximum(amounts, 0), below + np.minimum(amounts, 0)
        for place, total in enumerate(totals):
            axes.annotate(
                f"{total:,.0f}",
                (above[place], place),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        room = float(above.max()) - min(float(below.min()), 0.0) or 1.0
        axes.set_xlim(
            min(float(below.min()), 0.0) - 0.02 * room * bool(below.min() < 0), float(above.max()) + 0.16 * room
        )
        axes.set_yticks(places, labels=names)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(f"present value of all costs ({currency})")
        axes.set_title(_life_cycle_title(totals, currency))
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
    return figure


def plot_surface(surface: pd.DataFrame, best: tuple[float, float], best_cost_a: float, currency: str) -> ReportFigure:
    """Return the cost of a year over battery and solar roof as a heat map, the best sizes marked.

    Parameters
    ----------
    surface : DataFrame (battery energy in kWh, solar roof in kW)
        Equipment as an annuity, and the bill.
    best : (float, float)
        Battery energy and solar roof of the best sizes.
    best_cost_a : float
        What these cost in a year.
    currency : str
    """
    values = surface.to_numpy(dtype=float)
    batteries, roofs = (np.asarray(axis, dtype=float) for axis in (surface.index, surface.columns))
    lowest, highest = float(values.min()), float(values.max())
    highest = highest if highest > lowest else lowest + max(abs(lowest), 1.0) * 1e-3
    figure = ReportFigure(
        f"Heat map of the cost of a year over battery from {batteries[0]:g} to {batteries[-1]:g} kWh and solar roof "
        f"from {roofs[0]:g} to {roofs[-1]:g} kW: from {rounded(lowest)} to {rounded(highest)} {currency}/a; the best, "
        f"{best[0]:,.4g} kWh and {best[1]:,.4g} kW, costs {rounded(best_cost_a)} {currency}/a.",
        height_in=1.6 + 0.48 * len(batteries),
    )
    with report_settings():
        axes = figure.subplots()
        mesh = axes.pcolormesh(
            values, cmap=HEAT, vmin=min(lowest, best_cost_a), vmax=highest, edgecolors="white", linewidth=1
        )
        x, y = _place(best[1], roofs), _place(best[0], batteries)
        if (len(f"{highest:,.0f}") + 2) * len(roofs) <= MOST_LETTERS:
            for (row, column), value in np.ndenumerate(values):
                if max(abs(column + 0.5 - x), abs(row + 0.5 - y)) < ROOM_OF_STAR:
                    continue  # the star would hide it
                is_dark = (value - lowest) / (highest - lowest) > DARK
                text = f"{value:,.0f}" if highest >= 1000 else f"{value:,.4g}"
                colour = "white" if is_dark else INK
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color=colour)
        for side, sizes in (("y", batteries), ("x", roofs)):
            every = max(1, -(-len(sizes) // 13))
            places = np.arange(0, len(sizes), every) + 0.5
            getattr(axes, f"set_{side}ticks")(places, labels=[f"{size:,.4g}" for size in sizes[::every]])
        star = axes.plot(
            [x], [y], marker="*", markersize=17, color=MARK, markeredgecolor="white", linestyle="none", zorder=5
        )[0]
        axes.grid(False)
        axes.tick_params(length=0)
        axes.set_ylim(0, len(batteries))
        axes.set_xlim(0, len(roofs))
        axes.set_xlabel("solar roof (kW)")
        axes.set_ylabel("battery (kWh)")
        axes.set_title(
            f"A battery of {best[0]:,.3g} kWh and a roof of {best[1]:,.3g} kW cost least: {rounded(best_cost_a)} "
            f"{currency} a year"
        )
        bar = figure.colorbar(mesh, ax=axes, label=f"cost of a year ({currency}/a)", pad=0.01)
        bar.ax.yaxis.set_major_formatter("{x:,.6g}")
        figure.legend([star], ["best sizes, by the linear programme"], loc="outside lower left")
    return figure


def plot_tornado(tornado: pd.DataFrame, npv: float, share: float, currency: str) -> ReportFigure:
    """Return what the net present value becomes when one assumption after the other changes.

    Parameters
    ----------
    tornado : DataFrame
        Columns ``assumption``, ``factor`` (below and above 1), ``npv`` at the sizes that are then best, ``npv_fixed``
        at those that are best now; what changes most comes first.
    npv : float
        Net present value as it is.
    share : float
        By what share assumptions change.
    currency : str
    """
    names = list(dict.fromkeys(tornado["assumption"]))
    said = [
        f"{name} {range_of([tornado.loc[tornado['assumption'] == name, 'npv'].to_numpy(dtype=float)])} {currency}"
        for name in names
    ]
    alt = (
        f"Net present value where an assumption is {share:.0%} lower or higher: {'; '.join(said)}; now {rounded(npv)}."
    )
    figure = ReportFigure(alt, height_in=1.7 + 0.46 * len(names))
    with report_settings():
        axes = figure.subplots()
        handles: dict[str, Any] = {}
        for place, name in enumerate(names):
            for row in tornado[tornado["assumption"] == name].to_dict("records"):
                is_more = row["factor"] > 1
                colour, word = (MORE_COLOUR, "higher") if is_more else (LESS_COLOUR, "lower")
                bar = axes.barh(place, row["npv"] - npv, 0.6, left=npv, color=colour)
                handles[f"{share:.0%} {word}"] = bar[0]
                fixed = axes.plot(
                    [row["npv_fixed"]],
                    [place],
                    marker="|",
                    markersize=15,
                    markeredgewidth=2,
                    color=INK,
                    linestyle="none",
                )
                handles["sizes of today kept"] = fixed[0]
        axes.axvline(npv, color=SOFT_INK, linewidth=1)
        if float(tornado[["npv", "npv_fixed"]].to_numpy().min()) <= 0 <= npv:
            axes.axvline(0, color=MARK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(names)), labels=[shown(name) for name in names])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(False, axis="y")
        axes.margins(x=0.06)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(f"net present value ({currency})")
        axes.set_title(_tornado_title(tornado, names, share, currency))
        order = sorted(handles, key=lambda name: (name.startswith("sizes"), name.endswith("higher")))
        figure.legend([handles[name] for name in order], order, loc="outside lower left", ncols=len(handles))
    return figure


def plot_cash_flow(flows: pd.DataFrame, currency: str) -> ReportFigure:
    """Return the cash flow of each year as bars, and its sum so far as lines, with and without interest.

    Parameters
    ----------
    flows : DataFrame
        Index ``year``; columns ``net``, ``cumulative``, ``cumulative_discounted``.
    currency : str
    """
    years = flows.index.to_numpy()
    net, so_far, worth = (flows[name].to_numpy(dtype=float) for name in ("net", "cumulative", "cumulative_discounted"))
    if not net.any():
        return saying("Nothing is invested, and nothing saved.")
    figure = ReportFigure(
        f"Cash flow over {years[-1]} years: {shown_money(net[0], currency)} now; the sum ends at "
        f"{shown_money(so_far[-1], currency)}, with interest at {shown_money(worth[-1], currency)}.",
        height_in=3.9,
    )
    with report_settings():
        axes = figure.subplots()
        bars = axes.bar(years, net, 0.7, color=np.where(net >= 0, WITHOUT_COLOUR, MORE_COLOUR).tolist())
        (plain,) = axes.plot(years, so_far, color=WITH_COLOUR, linestyle=(0, (5, 2)))
        (discounted,) = axes.plot(years, worth, color=WITH_COLOUR, linewidth=2.4)
        axes.axhline(0, color=SOFT_INK, linewidth=0.8)
        axes.set_xlabel("year")
        axes.set_xticks(years[:: max(1, -(-len(years) // 13))])
        axes.set_ylabel(f"cash flow, and its sum so far ({currency})")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(_cash_title(so_far, worth, currency))
        words = ["of the year", "sum so far", "sum so far, with interest"]
        figure.legend([bars[-1], plain, discounted], words, loc="outside lower left", ncols=3)
    return figure


def plot_duration(exchange: Mapping[str, np.ndarray], step_h: np.ndarray) -> ReportFigure:
    """Return the power from the grid, sorted from the highest import to the highest export, for each life cycle.

    Parameters
    ----------
    exchange : mapping of str to ndarray (steps,)
        Power from the grid in kW, below zero where it is fed in, by ``without`` and ``with``.
    step_h : ndarray (steps,)
    """
    words = {"without": "without the investment", "with": "with the investment"}
    curves = {name: _duration(values, step_h) for name, values in exchange.items()}
    said = [
        f"{words.get(name, name)} from {rounded(kw[0])} to {rounded(kw[-1])} kW" for name, (_, kw) in curves.items()
    ]
    figure = ReportFigure(f"Duration of the power from the grid: {'; '.join(said)}.", height_in=3.6)
    with report_settings():
        axes = figure.subplots()
        handles = []
        for (hours, kw), colour in zip(curves.values(), (WITHOUT_COLOUR, WITH_COLOUR), strict=False):
            handles.append(axes.plot(hours, kw, color=colour, linewidth=2.2)[0])
            axes.fill_between(hours, 0, kw, color=colour, alpha=0.12, linewidth=0)
        axes.axhline(0, color=SOFT_INK, linewidth=0.8)
        axes.set_xlim(0, float(np.sum(step_h)))
        axes.set_xlabel("hours of the time looked at in which the power is at least as high (h)")
        axes.set_ylabel("power from the grid (kW); fed in below zero")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(_duration_title(curves))
        figure.legend(handles, [words.get(name, name) for name in curves], loc="outside lower left", ncols=2)
    return figure


# ------------------------------------------------------------------------------------------------ helpers
def _life_cycle_title(totals: Sequence[float], currency: str) -> str:
    if len(totals) < 2 or abs(totals[0] - totals[-1]) < 0.5:
        return f"All costs of the life cycle: {rounded(totals[0])} {currency}"
    change = totals[0] - totals[-1]
    word = "cheaper" if change > 0 else "dearer"
    return f"The investment makes the life cycle {rounded(abs(change))} {currency} {word}"


def _place(value: float, sizes: np.ndarray) -> float:
    """Return where a value lies between cells that are named by their middles.

    >>> _place(15.0, np.array([0.0, 10.0, 20.0]))
    2.0
    """
    return float(np.interp(value, sizes, np.arange(len(sizes)) + 0.5)) if len(sizes) > 1 else 0.5


def _tornado_title(tornado: pd.DataFrame, names: Sequence[str], share: float, currency: str) -> str:
    values = tornado.loc[tornado["assumption"] == names[0], "npv"].to_numpy(dtype=float)
    swing = float(values.max() - values.min())
    return f"The {shown(names[0])} matters most: ±{share:.0%} of it moves the value by {rounded(swing)} {currency}"


def _cash_title(so_far: np.ndarray, worth: np.ndarray, currency: str) -> str:
    if worth[-1] <= 0:
        return f"It is not paid back: {rounded(abs(float(worth[-1])))} {currency} are missing with interest"
    back = np.flatnonzero(worth >= 0)
    after = f"Paid back in year {int(back[0])} with interest; " if worth[0] < 0 else ""
    return f"{after}{'in' if after else 'In'} the end {rounded(float(worth[-1]))} {currency} are gained"


def _duration(power_kw: np.ndarray, step_h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return hours and the power that is reached in so many, thinned to what a drawing can show."""
    order = np.argsort(-power_kw, kind="stable")
    hours, sorted_kw = np.append(0.0, np.cumsum(step_h[order])), np.append(power_kw[order[0]], power_kw[order])
    if len(hours) > CURVE_POINTS:
        # Ends are steep and short: every point of them is kept, and a share of the long middle.
        kept = np.unique(
            np.r_[0:100, np.linspace(0, len(hours) - 1, CURVE_POINTS - 200).astype(int), -100:0] % len(hours)
        )
        hours, sorted_kw = hours[kept], sorted_kw[kept]
    return hours, sorted_kw


def _duration_title(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    peaks = [float(kw[0]) for _, kw in curves.values()]
    if len(peaks) < 2:
        return f"The highest import is {rounded(peaks[0])} kW"
    if abs(peaks[0] - peaks[-1]) < 0.005 * max(abs(peaks[0]), 1e-9):
        return f"The highest import stays at {rounded(peaks[-1])} kW"
    word = "falls" if peaks[-1] < peaks[0] else "rises"
    return f"The highest import {word} from {rounded(peaks[0])} to {rounded(peaks[-1])} kW"
