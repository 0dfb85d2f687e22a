"""What a plot draws: series as named, coloured curves, few enough to be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ems.report.style import COST_COLOURS, colour_of, shown

if TYPE_CHECKING:
    import xarray as xr

MOST_SHOWN = 6  # more lines or layers cannot be told apart


class Curve(NamedTuple):
    """A series of an asset, or of several together, with its name in the legend."""

    label: str
    kind: str
    colour: str
    values: np.ndarray


class Layer(NamedTuple):
    """What an asset gives to its bus and, as negative numbers, takes from it."""

    label: str
    colour: str
    supply_kw: np.ndarray
    use_kw: np.ndarray


def boundaries_of(dataset: xr.Dataset) -> np.ndarray:
    """Return the boundaries of the steps; without the coordinate the last step is as long as the one before."""
    if "boundary" in dataset.coords:
        return np.asarray(dataset["boundary"].values, dtype="datetime64[ns]")
    times = np.asarray(dataset["time"].values, dtype="datetime64[ns]")
    last = times[-1] - times[-2] if len(times) > 1 else np.timedelta64(1, "h")
    return np.append(times, times[-1] + last)


def curves_of(dataset: xr.Dataset, variable: str, portfolio: Any) -> list[Curve]:
    """Return one curve for each asset that has a value, named and coloured by the portfolio."""
    if variable not in dataset:
        return []
    assets = {asset.id: asset for asset in portfolio.assets}
    values = dataset[variable].transpose("time", "asset").values.astype(float)
    curves: list[Curve] = []
    seen: dict[str, int] = {}
    for at, one in enumerate(dataset["asset"].values):
        if np.isnan(values[:, at]).all():
            continue
        asset = assets.get(str(one))
        kind = asset.kind if asset else ""
        curves.append(
            Curve(shown(asset.name if asset else one), kind, colour_of(kind, seen.get(kind, 0)), values[:, at])
        )
        seen[kind] = seen.get(kind, 0) + 1
    return curves


def _by_kind(curves: list[Curve]) -> dict[str, list[Curve]]:
    kinds: dict[str, list[Curve]] = {}
    for curve in curves:
        kinds.setdefault(curve.kind, []).append(curve)
    return kinds


def told_apart(curves: list[Curve]) -> list[Curve]:
    """Return the curves, or where they are too many to be told apart their sums by kind."""
    if len(curves) <= MOST_SHOWN:
        return curves
    return [
        Curve(_kind_words(kind, same), kind, colour_of(kind), np.nansum([c.values for c in same], axis=0))
        for kind, same in _by_kind(curves).items()
    ]


def layers_of(curves: list[Curve]) -> list[Layer]:
    """Return what each asset supplies and uses, or where they are too many, each kind.

    Supply and use are summed apart: one battery that charges does not hide another that discharges.
    """
    parts = [(c, np.clip(np.nan_to_num(c.values), 0, None), np.clip(np.nan_to_num(c.values), None, 0)) for c in curves]
    if len(curves) <= MOST_SHOWN:
        return [Layer(c.label, c.colour, supply, use) for c, supply, use in parts]
    return [
        Layer(
            _kind_words(kind, same),
            colour_of(kind),
            np.sum([supply for c, supply, _ in parts if c.kind == kind], axis=0),
            np.sum([use for c, _, use in parts if c.kind == kind], axis=0),
        )
        for kind, same in _by_kind(curves).items()
    ]


def _kind_words(kind: str, same: list[Curve]) -> str:
    return same[0].label if len(same) == 1 else f"{kind.replace('_', ' ') or 'other'}, {len(same)} together"


def distinct(curves: list[Curve]) -> list[Curve]:
    """Return each different curve once, as sites often share a tariff; of too many the lowest and the highest."""
    kept: list[Curve] = []
    for curve in curves:
        if not any(np.array_equal(curve.values, other.values, equal_nan=True) for other in kept):
            kept.append(curve._replace(colour=price_colour(len(kept))))
    if len(kept) <= MOST_SHOWN:
        return kept
    values = np.array([curve.values for curve in kept])
    return [
        Curve(f"lowest of {len(kept)}", "", price_colour(0), np.fmin.reduce(values)),
        Curve(f"highest of {len(kept)}", "", price_colour(1), np.fmax.reduce(values)),
    ]


def price_panels(series: xr.Dataset, portfolio: Any, unit: str) -> list[tuple[str, str, list[Curve]]]:
    """Return import and export price as one panel where each is one curve, else as one panel each."""
    bought = distinct(curves_of(series, "import_price_per_kwh", portfolio))
    sold = distinct(curves_of(series, "export_price_per_kwh", portfolio))
    if len(bought) == len(sold) == 1:
        both = [bought[0]._replace(label="import"), sold[0]._replace(label="export", colour=price_colour(1))]
        return [("price", unit, both)]
    return [("import price", unit, bought), ("export price", unit, sold)]


def price_colour(at: int) -> str:
    """Return the colour of a price by its position in the panel."""
    return COST_COLOURS[at % len(COST_COLOURS)]
