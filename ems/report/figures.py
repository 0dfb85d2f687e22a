"""The plots of a report: series, power balance, energy content, costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.dates import date2num

from ems.report.curves import (
    Layer,
    boundaries_of,
    curves_of,
    distinct,
    layers_of,
    price_colour,
    price_panels,
    told_apart,
)
from ems.report.figure import MOST_POINTS_IN_SVG, ReportFigure, report_settings
from ems.report.style import (
    COST_COLOURS,
    INK,
    SOFT_INK,
    colour_of,
    local_time_axis,
    local_times,
    shown,
)
from ems.report.tables import cost_words, shown_money, shown_number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MOST_BATTERIES = 6
PANEL_IN = 1.7
LEGEND_LETTERS = 100  # letters of a legend's line in a figure of the report's width


class _Content(NamedTuple):
    label: str
    energy_kwh: np.ndarray
    capacity_kwh: float
    lowest_kwh: float
    highest_kwh: float


def plot_series(series: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return demand, available power and prices over local time, one panel each.

    Parameters
    ----------
    series : Dataset (time, asset)
        Any of ``demand_kw``, ``available_kw``, ``import_price_per_kwh``, ``export_price_per_kwh``; NaN where not
        applicable.
    portfolio : Portfolio
        Names, kinds, currency and the time zone.

    Returns
    -------
    ReportFigure
        Where none of these series has a value, a figure that says so.
    """
    unit = f"{portfolio.currency}/kWh"
    panels = [
        ("demand", "kW", told_apart(curves_of(series, "demand_kw", portfolio))),
        ("available", "kW", told_apart(curves_of(series, "available_kw", portfolio))),
        *price_panels(series, portfolio, unit),
    ]
    panels = [panel for panel in panels if panel[2]]
    if not panels:
        return _saying("No demand, available power or price is given.")
    boundaries = boundaries_of(series)
    facts = [f"{what} {_range([c.values for c in curves])} {unit}" for what, unit, curves in panels]
    edges = date2num(boundaries)
    figure = ReportFigure(
        f"Step plots {_over(boundaries, portfolio)}: {'; '.join(facts)}.", height_in=0.7 + PANEL_IN * len(panels)
    )
    with report_settings():
        all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (what, unit, curves), fact in zip(all_axes, panels, facts, strict=True):
            handles = [_steps(axes, edges, c.values, c.colour) for c in curves]
            axes.set_title(fact[0].upper() + fact[1:])
            axes.set_ylabel(f"{what}\n({unit})")
            _from_zero(axes)
            if len(curves) > 1 or unit == "kW":
                _legend(axes, handles, [c.label for c in curves])
        _share_time(all_axes, boundaries, portfolio)
    return figure


def plot_power_balance(flows: xr.Dataset, series: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return each asset's power as a stack, supply above zero and use below it, with load and import price.

    Parameters
    ----------
    flows : Dataset
        ``injection_kw(time, asset)``: positive into the site's bus.
    series : Dataset
        ``import_price_per_kwh(time, asset)``, where there is one.
    portfolio : Portfolio
    """
    boundaries = boundaries_of(flows)
    hours = np.diff(boundaries) / np.timedelta64(1, "h")
    kinds = {asset.id: asset.kind for asset in portfolio.assets}
    injection = flows["injection_kw"]
    ids = [str(one) for one in injection["asset"].values]
    loads = injection.sel(asset=[one for one in ids if kinds.get(one) == "load"])
    load_kw = -np.nan_to_num(loads.transpose("time", "asset").values).sum(axis=1)
    others = injection.sel(asset=[one for one in ids if kinds.get(one) != "load"]).to_dataset(name="power")
    layers = layers_of(curves_of(others, "power", portfolio))
    prices = distinct(curves_of(series, "import_price_per_kwh", portfolio))

    in_out = [
        f"{layer.label} gives {_number((layer.supply_kw * hours).sum())} kWh "
        f"and takes {_number(-(layer.use_kw * hours).sum())} kWh"
        for layer in layers
    ]
    figure = ReportFigure(
        f"Power of each asset, stacked, {_over(boundaries, portfolio)}: {'; '.join(in_out)}; "
        f"load at most {_number(load_kw.max())} kW.",
        height_in=4.9 if prices else 3.9,
    )
    edges = date2num(boundaries)
    with report_settings():
        ratios = [1, 3.2] if prices else [1]
        all_axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        balance = all_axes[-1]
        if prices:
            price_handles = [_steps(all_axes[0], edges, c.values, price_colour(at)) for at, c in enumerate(prices)]
            all_axes[0].set_ylabel(f"import price\n({portfolio.currency}/kWh)")
            _from_zero(all_axes[0])
            if len(prices) > 1:
                _legend(all_axes[0], price_handles, [c.label for c in prices])
        handles = _stack(balance, layers, edges)
        labels = [layer.label for layer in layers]
        if loads.sizes["asset"]:
            handles.append(_steps(balance, edges, load_kw, INK))
            labels.append("load")
        _from_zero(balance)
        balance.axhline(0, color=SOFT_INK, linewidth=0.8)
        balance.set_ylabel("power (kW)\nuse | supply")
        _title(figure, f"Power balance of {_subject(portfolio)}: load at most {_number(load_kw.max())} kW")
        _legend(balance, handles, labels, below=True)
        _share_time(all_axes, boundaries, portfolio)
    return figure


def plot_energy(flows: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return the energy content of each battery at the boundaries of the steps, within its limits.

    Parameters
    ----------
    flows : Dataset
        ``energy_kwh(boundary, asset)``.
    portfolio : Portfolio
        Batteries with ``content_kwh``, ``min_soc`` and ``max_soc``.

    Returns
    -------
    ReportFigure
        Where no battery takes part, a figure that says so.
    """
    boundaries = boundaries_of(flows)
    known = {str(one) for one in flows["asset"].values}
    batteries = [asset for asset in portfolio.assets if asset.kind == "battery" and asset.id in known]
    if not batteries:
        return _saying("No battery takes part.")
    panels = [
        _Content(
            shown(b.name),
            flows["energy_kwh"].sel(asset=b.id).values.astype(float),
            b.content_kwh,
            b.min_soc * b.content_kwh,
            b.max_soc * b.content_kwh,
        )
        for b in batteries
    ]
    if len(panels) > MOST_BATTERIES:
        sums = (np.sum(values, axis=0) for values in list(zip(*panels, strict=True))[1:])
        panels = [_Content(f"{len(batteries)} batteries together", *sums)]
    facts = [f"{c.label} holds {_range([c.energy_kwh])} kWh of {_number(c.capacity_kwh)} kWh" for c in panels]
    figure = ReportFigure(
        f"Energy content {_over(boundaries, portfolio)}: {'; '.join(facts)}.",
        height_in=0.8 + (PANEL_IN + 0.5) * len(panels),
    )
    numbers, colour = date2num(boundaries), colour_of("battery")
    with report_settings():
        all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, content, fact in zip(all_axes, panels, facts, strict=True):
            size = content.capacity_kwh
            axes.axhspan(content.lowest_kwh, content.highest_kwh, color=colour, alpha=0.10, linewidth=0)
            for limit in (content.lowest_kwh, content.highest_kwh):
                axes.axhline(limit, color=colour, linewidth=1, linestyle=(0, (4, 3)))
            axes.plot(numbers, content.energy_kwh, color=colour, linewidth=2)
            axes.set_title(fact)
            axes.set_ylabel("energy (kWh)")
            axes.set_ylim(0, max(size, float(np.nanmax(content.energy_kwh))) * 1.03)
            # Shares are fractions from 0 to 1 everywhere; the shaded band is where the content may be.
            share = axes.secondary_yaxis(
                "right", functions=(lambda e, size=size: e / size, lambda s, size=size: s * size)
            )
            share.set_ylabel("state of charge (1)", color=SOFT_INK)
        _share_time(all_axes, boundaries, portfolio)
    return figure


def plot_costs(costs: pd.DataFrame, currency: str) -> ReportFigure:
    """Return costs by type as bars, one for each case, with the totals in the title.

    Parameters
    ----------
    costs : DataFrame (cost type, case)
        Amounts in `currency`; income is negative. Types which are zero in each case have no bar.
    currency : str
        ISO 4217 code.
    """
    values = costs.to_numpy(dtype=float)
    cases = [shown(column) for column in costs.columns]
    totals = [f"{case} {shown_money(np.nansum(values[:, at]), currency)}" for at, case in enumerate(cases)]
    kept = [at for at, row in enumerate(np.nan_to_num(values)) if row.any()]
    names = [shown(cost_words(costs.index[at])) for at in kept]
    listed = [
        f"{name} " + ", ".join(f"{case} {shown_number(v, 2)}" for case, v in zip(cases, values[at], strict=True))
        for name, at in zip(names, kept, strict=True)
    ]
    figure = ReportFigure(
        f"Costs in {currency}, income negative; total {', '.join(totals)}. {'; '.join(listed)}.",
        height_in=1.4 + 0.28 * len(names) * (len(cases) + 0.6),
    )
    with report_settings():
        axes = figure.subplots()
        height = 0.8 / max(len(cases), 1)
        handles = []
        for at in range(len(cases)):
            places = np.arange(len(names)) - 0.4 + height * (at + 0.5)
            bars = axes.barh(
                places, values[kept, at], height * 0.92, color=COST_COLOURS[at % len(COST_COLOURS)], linewidth=0
            )
            axes.bar_label(bars, [shown_number(v, 2) for v in values[kept, at]], padding=4, fontsize=8.5)
            handles.append(bars)
        axes.axvline(0, color=SOFT_INK, linewidth=0.8)
        axes.set_yticks(np.arange(len(names)), names)
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.14)
        axes.set_xlabel(f"cost ({currency}); income is negative")
        _title(figure, f"Total cost: {', '.join(totals)}")
        if len(cases) > 1:
            _legend(axes, handles, cases, below=True)
    return figure


def _steps(axes: Any, edges: np.ndarray, values: np.ndarray, colour: str) -> Any:
    """Draw a value for each step; return the line."""
    width = 1.7 if len(values) <= MOST_POINTS_IN_SVG else 0.5  # a thick line would hide its own ups and downs
    return axes.plot(edges, np.append(values, values[-1]), drawstyle="steps-post", color=colour, linewidth=width)[0]


def _area(axes: Any, edges: np.ndarray, bottom: np.ndarray, top: np.ndarray, colour: str) -> Any:
    """Fill between two values for each step; return the area."""
    low, high = (np.append(values, values[-1]) for values in (bottom, top))
    return axes.fill_between(edges, low, high, step="post", facecolor=colour, linewidth=0)


def _stack(axes: Any, layers: Sequence[Layer], edges: np.ndarray) -> list[Any]:
    """Draw the layers, positive parts upwards and negative parts downwards; return a handle for each."""
    above = np.zeros(len(edges) - 1)
    below = np.zeros(len(edges) - 1)
    handles = []
    for layer in layers:
        handles.append(_area(axes, edges, above, above + layer.supply_kw, layer.colour))
        if layer.use_kw.any():
            _area(axes, edges, below, below + layer.use_kw, layer.colour)
        above, below = above + layer.supply_kw, below + layer.use_kw
    return handles


# ---------------------------------------------------------------------------------------------- words and marks
def _number(value: float) -> str:
    return shown_number(float(f"{float(value):.3g}"))


def _range(values: Sequence[np.ndarray]) -> str:
    lowest, highest = (_number(limit([limit(v) for v in values])) for limit in (np.nanmin, np.nanmax))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _over(boundaries: np.ndarray, portfolio: Any) -> str:
    start, end = local_times(boundaries[[0, -1]], portfolio.sites[0].timezone)
    return f"from {start:%Y-%m-%d %H:%M %Z} to {end:%Y-%m-%d %H:%M %Z}"


def _subject(portfolio: Any) -> str:
    count = len(portfolio.sites)
    return shown(portfolio.sites[0].name) if count == 1 else f"{count} sites"


def _title(figure: ReportFigure, text: str) -> None:
    figure.suptitle(text, x=0.008, ha="left", fontsize=11, fontweight="bold")


def _saying(text: str) -> ReportFigure:
    """Return a figure of one sentence, for a site that has nothing of the kind."""
    figure = ReportFigure(text, height_in=0.6)
    with report_settings():
        figure.text(0.008, 0.5, text, va="center", color=SOFT_INK)
    return figure


def _from_zero(axes: Any) -> None:
    lowest, highest = axes.dataLim.intervaly
    room = 0.12 * (max(highest, 0) - min(lowest, 0) or 1)
    axes.set_ylim(lowest - room if lowest < 0 else 0, highest + room if highest > 0 else 0 + room)


def _share_time(all_axes: np.ndarray, boundaries: np.ndarray, portfolio: Any) -> None:
    for axes in all_axes:
        local_time_axis(axes, boundaries, portfolio.sites[0].timezone)
        if axes is not all_axes[-1]:
            axes.set_xlabel("")
            axes.tick_params(axis="x", labelbottom=False)


def _legend(axes: Any, handles: Sequence[Any], labels: Sequence[str], below: bool = False) -> None:
    letters = max(map(len, labels)) + 6
    place: dict[str, Any]
    if below:
        place = {"loc": "upper left", "bbox_to_anchor": (0, -0.16), "ncols": max(1, LEGEND_LETTERS // letters)}
    elif letters * len(labels) <= LEGEND_LETTERS // 2:
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(labels), "borderaxespad": 0}
    else:
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    legend = axes.legend(handles, ["name"] * len(labels), **place)
    # matplotlib drops labels that begin with an underscore, so the names are written afterwards.
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)
