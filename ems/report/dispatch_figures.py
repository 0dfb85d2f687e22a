"""The plots of a dispatch that explain it: prices, generators on and off, temperatures, cost against emissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.dates import date2num

from ems.report.curves import MOST_SHOWN, Curve, boundaries_of, curves_of, price_colour
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
from ems.report.style import COST_COLOURS, INK, SOFT_INK, colour_of, shown
from ems.report.tables import shown_money

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PANEL_IN = 1.9
MOST_GENERATORS = 24
"""Rows of a figure of generators; of more, those that give most."""
ROW_IN = 0.42
FULL_ROW = 0.8
"""Height of a generator's highest output in its row of height 1."""


class _Row(NamedTuple):
    label: str
    colour: str
    is_on: np.ndarray
    output_kw: np.ndarray
    max_output_kw: float
    starts: int


def plot_prices(prices: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return what one more kWh costs at each site, and what a kWh in each store is worth.

    Parameters
    ----------
    prices : Dataset
        ``price_per_kwh(time, site)`` and ``stored_value_per_kwh(boundary, asset)``.
    portfolio : Portfolio
    """
    boundaries, unit = boundaries_of(prices), f"{portfolio.currency}/kWh"
    names = {site.id: shown(site.name) for site in portfolio.sites}
    at_sites = _site_curves(prices, names)
    stored = curves_of(
        prices["stored_value_per_kwh"].rename(boundary="time").to_dataset(), "stored_value_per_kwh", portfolio
    )
    if len(stored) > MOST_SHOWN:
        stored = _extremes(stored)
    panels = [(f"One more kWh at {subject_of(portfolio)} costs", "price of energy", at_sites, boundaries[:-1])]
    if stored:
        panels.append((f"A kWh in {_stores(stored)} is worth", "value of\nstored energy", stored, boundaries))
    facts = [f"{words} {range_of([one.values for one in curves])} {unit}" for words, _, curves, _ in panels]
    figure = ReportFigure(
        f"Worth of energy {over_time(boundaries, portfolio)}: {'; '.join(facts)}.",
        height_in=0.7 + PANEL_IN * len(panels),
    )
    edges = date2num(boundaries)
    with report_settings():
        all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (_, label, curves, times), fact in zip(all_axes, panels, facts, strict=True):
            if len(times) == len(edges):
                handles = [axes.plot(edges, one.values, color=one.colour)[0] for one in curves]
            else:
                handles = [draw_steps(axes, edges, one.values, one.colour) for one in curves]
            axes.set_title(fact)
            axes.set_ylabel(f"{label}\n({unit})")
            from_zero(axes)
            if len(curves) > 1:
                add_legend(axes, handles, [one.label for one in curves])
        share_time(all_axes, boundaries, portfolio)
    return figure


def _site_curves(prices: xr.Dataset, names: dict[str, str]) -> list[Curve]:
    """Return the price of energy at each site, each different one once."""
    curves: list[Curve] = []
    for site in prices["site"].values:
        values = prices["price_per_kwh"].sel(site=site).values.astype(float)
        same = next((at for at, one in enumerate(curves) if np.allclose(one.values, values, equal_nan=True)), None)
        name = names.get(str(site), shown(site))
        if same is not None:
            curves[same] = curves[same]._replace(label=shown(f"{curves[same].label}, {name}"))
        elif not np.isnan(values).all():
            curves.append(Curve(name, "", price_colour(len(curves)), values))
    return _extremes(curves) if len(curves) > MOST_SHOWN else curves


def _extremes(curves: list[Curve]) -> list[Curve]:
    """Return the lowest and the highest of curves that are too many to be told apart."""
    values = np.array([one.values for one in curves])
    count, kind = len(curves), curves[0].kind
    return [
        Curve(f"lowest of {count}", kind, price_colour(0), np.fmin.reduce(values)),
        Curve(f"highest of {count}", kind, price_colour(1), np.fmax.reduce(values)),
    ]


def _stores(curves: list[Curve]) -> str:
    return curves[0].label if len(curves) == 1 else "store"


def plot_commitment(flows: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return for each generator when it is on, and within that its output as a share of the highest.

    Parameters
    ----------
    flows : Dataset (time, asset)
        ``output_kw``, and ``is_on`` where that is decided.
    portfolio : Portfolio

    Returns
    -------
    ReportFigure
        Where there is no generator, a figure that says so.
    """
    rows = _commitment(flows, portfolio)
    if not rows:
        return saying("No generator takes part.")
    boundaries = boundaries_of(flows)
    hours = np.diff(boundaries) / np.timedelta64(1, "h")
    facts = [
        f"{row.label} is on for {rounded(float(row.is_on @ hours))} h, "
        f"gives {rounded(float(row.output_kw @ hours))} kWh with {_starts(row.starts)}"
        for row in rows
    ]
    figure = ReportFigure(
        f"Generators {over_time(boundaries, portfolio)}: {'; '.join(facts)}.", height_in=1.2 + ROW_IN * len(rows)
    )
    edges = date2num(boundaries)
    with report_settings():
        axes = figure.subplots()
        for at, row in enumerate(reversed(rows)):
            floor = np.full(len(row.is_on), float(at))
            fill_steps(axes, edges, floor, floor + FULL_ROW * row.is_on, row.colour).set_alpha(0.22)
            share = np.clip(row.output_kw / row.max_output_kw, 0, 1)
            fill_steps(axes, edges, floor, floor + FULL_ROW * share, row.colour)
            axes.axhline(at, color=SOFT_INK, linewidth=0.5)
        names = [f"{row.label}\n{rounded(row.max_output_kw)} kW" for row in reversed(rows)]
        axes.set_yticks(np.arange(len(rows)) + FULL_ROW / 2, names)
        axes.set_ylim(-0.1, len(rows))
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        on_h, starts = sum(float(row.is_on @ hours) for row in rows), _starts(sum(row.starts for row in rows))
        set_title(figure, f"Generators: {rounded(on_h)} h on together, {starts}; pale is on, full is output")
        share_time(np.array([axes]), boundaries, portfolio)
    return figure


def _starts(count: int) -> str:
    return f"{count} start{'' if count == 1 else 's'}"


def _commitment(flows: xr.Dataset, portfolio: Any) -> list[_Row]:
    """Return a row for each generator, those that give most where there are too many."""
    known = {str(one) for one in flows["asset"].values}
    rows: list[_Row] = []
    for asset in portfolio.assets:
        if asset.kind != "generator" or asset.id not in known:
            continue
        output_kw = np.nan_to_num(flows["output_kw"].sel(asset=asset.id).values.astype(float))
        is_on = flows["is_on"].sel(asset=asset.id).values if "is_on" in flows else np.full(len(output_kw), np.nan)
        # One that is not switched always runs; one whose being on is of no account is on where it gives power.
        always_on = output_kw > 0 if asset.is_committable else np.ones(len(output_kw))
        running = np.where(np.isnan(is_on), always_on, is_on > 0.5).astype(float)
        was_on = np.append(float(asset.initial_is_on or not asset.is_committable), running[:-1])
        starts = int(np.count_nonzero(running > was_on))
        colour = colour_of(asset.kind, len(rows) % 3)
        rows.append(_Row(shown(asset.name, 24), colour, running, output_kw, asset.max_output_kw, starts))
    if len(rows) > MOST_GENERATORS:
        most = sorted(range(len(rows)), key=lambda at: -rows[at].output_kw.sum())[:MOST_GENERATORS]
        rows = [rows[at] for at in sorted(most)]
    return rows


def plot_temperatures(flows: xr.Dataset, portfolio: Any) -> ReportFigure:
    """Return the temperature of each heated or cooled zone within what is comfortable.

    Parameters
    ----------
    flows : Dataset
        ``temperature_degc(boundary, asset)``, where there is one.
    portfolio : Portfolio

    Returns
    -------
    ReportFigure
        Where there is no such zone, a figure that says so.
    """
    zones = [asset for asset in portfolio.assets if getattr(asset, "thermal", None) is not None][:MOST_SHOWN]
    known = {str(one) for one in flows["asset"].values} if "temperature_degc" in flows else set()
    zones = [zone for zone in zones if zone.id in known]
    if not zones:
        return saying("No zone is heated or cooled.")
    boundaries = boundaries_of(flows)
    values = [flows["temperature_degc"].sel(asset=zone.id).values.astype(float) for zone in zones]
    facts = [f"{shown(zone.name)} {range_of([degc])} °C" for zone, degc in zip(zones, values, strict=True)]
    figure = ReportFigure(
        f"Temperatures {over_time(boundaries, portfolio)}: {'; '.join(facts)}.", height_in=0.7 + PANEL_IN * len(zones)
    )
    with report_settings():
        all_axes = figure.subplots(len(zones), 1, sharex=True, squeeze=False)[:, 0]
        for axes, zone, degc, fact in zip(all_axes, zones, values, facts, strict=True):
            comfort = zone.thermal.comfort_min_degc, zone.thermal.comfort_max_degc
            axes.axhspan(*comfort, color=colour_of("battery"), alpha=0.10, linewidth=0)
            axes.plot(date2num(boundaries), degc, color=INK, linewidth=2)
            axes.set_title(f"{fact}, comfortable {rounded(comfort[0])} to {rounded(comfort[1])} °C")
            axes.set_ylabel("temperature\n(°C)")
            axes.margins(y=0.15)
        share_time(all_axes, boundaries, portfolio)
    return figure


def plot_front(points: pd.DataFrame, currency: str) -> ReportFigure:
    """Return cost against emissions of schedules of which none is better in both.

    Parameters
    ----------
    points : DataFrame
        Columns ``cost`` and ``emissions_kg``, by rising cost.
    currency : str
        ISO 4217 code.

    Returns
    -------
    ReportFigure
        Where no front was asked for, a figure that says so.
    """
    if points.empty:
        return saying("No front was asked for; pareto_points gives one.")
    cost, emissions_kg = points["cost"].to_numpy(dtype=float), points["emissions_kg"].to_numpy(dtype=float)
    ends = f"{shown_money(cost[0], currency)} with {rounded(emissions_kg[0])} kg"
    if len(points) > 1:
        ends += f" to {shown_money(cost[-1], currency)} with {rounded(emissions_kg[-1])} kg"
    figure = ReportFigure(f"Cost against emissions of {len(points)} schedules: {ends}.", height_in=3.4)
    with report_settings():
        axes = figure.subplots()
        axes.plot(emissions_kg, cost, color=COST_COLOURS[0], marker="o", markersize=5)
        axes.set_xlabel("emissions (kg of carbon dioxide)")
        axes.set_ylabel(f"cost ({currency})")
        axes.margins(0.08)
        set_title(figure, f"Less carbon dioxide costs more: {ends}")
    return figure
