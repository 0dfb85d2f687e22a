"""The plots of a report: series, power balance, energy content, costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.dates import date2num

from ems.display import shown_number
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
from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import (
    add_legend,
    draw_steps,
    fill_steps,
    from_zero,
    over_time,
    range_of,
    rounded,
    saying,
    set_title,
    share_time,
    subject_of,
)
from ems.report.style import (
    COST_COLOURS,
    INK,
    SOFT_INK,
    colour_of,
    shown,
)
from ems.report.tables import cost_words, shown_money

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

MOST_BATTERIES = 6
PANEL_IN = 1.7


class _Content(NamedTuple):
    """The energy in a store, or in the vehicles at a charger, which have no common limits."""

    label: str
    kind: str
    energy_kwh: np.ndarray
    capacity_kwh: float = np.nan
    lowest_kwh: float = np.nan
    highest_kwh: float = np.nan

    @property
    def fact(self) -> str:
        """What it holds, in words."""
        held = f"{range_of([self.energy_kwh])} kWh"
        if np.isnan(self.capacity_kwh):
            return f"Vehicles at {self.label} hold {held}"
        return f"{self.label} holds {held} of {rounded(self.capacity_kwh)} kWh"


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
        return saying("No demand, available power or price is given.")
    boundaries = boundaries_of(series)
    facts = [f"{what} {range_of([c.values for c in curves])} {unit}" for what, unit, curves in panels]
    edges = date2num(boundaries)
    figure = ReportFigure(
        f"Step plots {over_time(boundaries, portfolio)}: {'; '.join(facts)}.", height_in=0.7 + PANEL_IN * len(panels)
    )
    with report_settings():
        all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (what, unit, curves), fact in zip(all_axes, panels, facts, strict=True):
            handles = [draw_steps(axes, edges, c.values, c.colour) for c in curves]
            axes.set_title(fact[0].upper() + fact[1:])
            axes.set_ylabel(f"{what}\n({unit})")
            from_zero(axes)
            if len(curves) > 1 or unit == "kW":
                add_legend(axes, handles, [c.label for c in curves])
        share_time(all_axes, boundaries, portfolio)
    return figure


def plot_power_balance(flows: xr.Dataset, series: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return each asset's power as a stack, supply above zero and use below it, with load and import price.

    Parameters
    ----------
    flows : Dataset
        ``injection_kw(time, asset)``: positive into the site's bus; ``unserved_kw`` where loads go without.
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
    unserved_kw = np.nan_to_num(flows["unserved_kw"].values).sum(axis=1) if "unserved_kw" in flows else load_kw * 0
    others = injection.sel(asset=[one for one in ids if kinds.get(one) != "load"]).to_dataset(name="power")
    layers = layers_of(curves_of(others, "power", portfolio))
    prices = distinct(curves_of(series, "import_price_per_kwh", portfolio))

    in_out = [
        f"{layer.label} gives {rounded((layer.supply_kw * hours).sum())} kWh "
        f"and takes {rounded(-(layer.use_kw * hours).sum())} kWh"
        for layer in layers
    ]
    figure = ReportFigure(
        f"Power of each asset, stacked, {over_time(boundaries, portfolio)}: {'; '.join(in_out)}; "
        f"load at most {rounded(load_kw.max())} kW.",
        height_in=4.9 if prices else 3.9,
    )
    edges = date2num(boundaries)
    with report_settings():
        ratios = [1, 3.2] if prices else [1]
        all_axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        balance = all_axes[-1]
        if prices:
            price_handles = [draw_steps(all_axes[0], edges, c.values, price_colour(at)) for at, c in enumerate(prices)]
            all_axes[0].set_ylabel(f"import price\n({portfolio.currency}/kWh)")
            from_zero(all_axes[0])
            if len(prices) > 1:
                add_legend(all_axes[0], price_handles, [c.label for c in prices])
        handles = _stack(balance, layers, edges)
        labels = [layer.label for layer in layers]
        if loads.sizes["asset"]:
            handles.append(draw_steps(balance, edges, load_kw, INK))
            labels.append("load")
        if unserved_kw.any():
            wanted = draw_steps(balance, edges, load_kw + unserved_kw, INK)
            wanted.set_linestyle((0, (2, 2)))
            handles.append(wanted)
            labels.append("load wanted")
        from_zero(balance)
        balance.axhline(0, color=SOFT_INK, linewidth=0.8)
        balance.set_ylabel("power (kW)\nuse | supply")
        set_title(figure, f"Power balance of {subject_of(portfolio)}: load at most {rounded(load_kw.max())} kW")
        add_legend(balance, handles, labels, below=True)
        share_time(all_axes, boundaries, portfolio)
    return figure


def plot_energy(flows: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return the energy content of each battery within its limits, and of the vehicles at each charger.

    Parameters
    ----------
    flows : Dataset
        ``energy_kwh(boundary, asset)``, at the boundaries of the steps.
    portfolio : Portfolio
        Batteries with ``content_kwh``, ``min_soc`` and ``max_soc``; chargers of vehicles.

    Returns
    -------
    ReportFigure
        Where nothing holds energy, a figure that says so.
    """
    boundaries = boundaries_of(flows)
    panels = _contents(flows, portfolio)
    if not panels:
        return saying("No battery takes part.")
    facts = [content.fact for content in panels]
    figure = ReportFigure(
        f"Energy content {over_time(boundaries, portfolio)}: {'; '.join(facts)}.",
        height_in=0.8 + (PANEL_IN + 0.5) * len(panels),
    )
    numbers = date2num(boundaries)
    with report_settings():
        all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, content, fact in zip(all_axes, panels, facts, strict=True):
            has_limits = not np.isnan(content.capacity_kwh)
            if has_limits:
                _show_limits(axes, content)
            axes.plot(numbers, content.energy_kwh, color=colour_of(content.kind), linewidth=2)
            axes.set_title(fact)
            axes.set_ylabel("energy (kWh)")
            if not has_limits:
                from_zero(axes)
        share_time(all_axes, boundaries, portfolio)
    return figure


def _contents(flows: xr.Dataset, portfolio: Any) -> list[_Content]:
    """Return a content for each battery and each charger with vehicles, or of too many their sum."""
    known = {str(one) for one in flows["asset"].values}
    found: dict[str, list[_Content]] = {"battery": [], "ev_charger": []}
    for asset in portfolio.assets:
        if asset.kind not in found or asset.id not in known or "energy_kwh" not in flows:
            continue
        energy_kwh = flows["energy_kwh"].sel(asset=asset.id).values.astype(float)
        if np.isnan(energy_kwh).all():
            continue
        limits: tuple[float, ...] = ()
        if asset.kind == "battery":
            size = asset.content_kwh
            limits = (size, asset.min_soc * size, asset.max_soc * size)
        found[asset.kind].append(_Content(shown(asset.name), asset.kind, energy_kwh, *limits))
    return [
        *_few(found["battery"], f"{len(found['battery'])} batteries together"),
        *_few(found["ev_charger"], f"{len(found['ev_charger'])} chargers"),
    ]


def _few(contents: list[_Content], together: str) -> list[_Content]:
    """Return contents, or where they are too many for a panel each, their sum."""
    if len(contents) <= MOST_BATTERIES:
        return contents
    _, kinds, *numbers = zip(*contents, strict=True)
    return [_Content(together, str(kinds[0]), *(np.sum(values, axis=0) for values in numbers))]


def _show_limits(axes: Any, content: _Content) -> None:
    """Shade where the content of a battery may be, and tell its state of charge on the right."""
    size, colour = content.capacity_kwh, colour_of(content.kind)
    axes.axhspan(content.lowest_kwh, content.highest_kwh, color=colour, alpha=0.10, linewidth=0)
    for limit in (content.lowest_kwh, content.highest_kwh):
        axes.axhline(limit, color=colour, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(0, max(size, float(np.nanmax(content.energy_kwh))) * 1.03)
    # Shares are fractions from 0 to 1 everywhere.
    share = axes.secondary_yaxis("right", functions=(lambda e: e / size, lambda s: s * size))
    share.set_ylabel("state of charge (1)", color=SOFT_INK)


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
        set_title(figure, f"Total cost: {', '.join(totals)}")
        if len(cases) > 1:
            add_legend(axes, handles, cases, below=True)
    return figure


def _stack(axes: Any, layers: Sequence[Layer], edges: np.ndarray) -> list[Any]:
    """Draw the layers, positive parts upwards and negative parts downwards; return a handle for each."""
    above = np.zeros(len(edges) - 1)
    below = np.zeros(len(edges) - 1)
    handles = []
    for layer in layers:
        handles.append(fill_steps(axes, edges, above, above + layer.supply_kw, layer.colour))
        if layer.use_kw.any():
            fill_steps(axes, edges, below, below + layer.use_kw, layer.colour)
        above, below = above + layer.supply_kw, below + layer.use_kw
    return handles
