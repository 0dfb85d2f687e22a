"""Fuel curve: cost of fuel over output, piecewise linear, convex or not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.commitment import OutputSpan
from ems.assets.generation_limits import declare_range
from ems.assets.unit import Unit
from ems.record import NonNegative, Record

if TYPE_CHECKING:
    from ems.assets.generator import Generator

FLAT = 1e-9
"""Share of the largest slope, or output, below which a difference of two is their rounding."""


class CostPoint(Record):
    """A point of a fuel curve."""

    output_kw: NonNegative
    """Output. Acts in dispatch and settlement."""
    cost_per_h: float
    """Cost of fuel at this output. Acts in dispatch and settlement."""


def check_curve(curve: Sequence[CostPoint], min_output_kw: float, max_output_kw: float) -> None:
    """Raise ValueError where a curve does not rise in output or does not cover the range of the output."""
    for one, other in itertools.pairwise(curve):
        if other.output_kw <= one.output_kw:
            raise ValueError(
                f"cost_curve: output_kw = {other.output_kw:g} kW must be greater than the {one.output_kw:g} kW before "
                "it; state the points from low to high"
            )
    first, last = curve[0].output_kw, curve[-1].output_kw
    rounding_kw = FLAT * max_output_kw
    if first > min_output_kw + rounding_kw or last < max_output_kw - rounding_kw:
        raise ValueError(
            f"cost_curve: goes from {first:g} to {last:g} kW, but must cover min_output_kw = {min_output_kw:g} kW to "
            f"max_output_kw = {max_output_kw:g} kW; add points"
        )


@dataclass(frozen=True)
class Run:
    """Neighbouring pieces of a curve with rising slopes.

    Parameters
    ----------
    output_kw, cost_per_h : float
        Where it begins.
    lengths_kw, slopes_per_kwh : tuple of float
        Of its pieces.
    """

    output_kw: float
    cost_per_h: float
    lengths_kw: tuple[float, ...]
    slopes_per_kwh: tuple[float, ...]


def runs_of(curve: Sequence[CostPoint], low_kw: float, high_kw: float) -> list[Run]:
    """Return the part of a curve over a range as its longest convex runs, from low to high."""
    outputs = np.array([point.output_kw for point in curve])
    costs = np.array([point.cost_per_h for point in curve])
    apart_kw = FLAT * high_kw
    inside = (outputs > low_kw + apart_kw) & (outputs < high_kw - apart_kw)
    ends = np.unique(np.concatenate(([low_kw, high_kw], outputs[inside])))
    heights = np.interp(ends, outputs, costs)
    if len(ends) == 1:
        return [Run(float(ends[0]), float(heights[0]), (), ())]
    slopes = np.diff(heights) / np.diff(ends)
    falls = np.flatnonzero(np.diff(slopes) < -FLAT * np.abs(slopes).max()) + 1
    runs = []
    for begin, end in zip([0, *falls], [*falls, len(slopes)], strict=True):
        lengths = tuple(np.diff(ends)[begin:end].tolist())
        runs.append(Run(float(ends[begin]), float(heights[begin]), lengths, tuple(slopes[begin:end].tolist())))
    return runs


def declare_curve(unit: Unit, asset: Generator, span: OutputSpan) -> None:
    """Declare the output and the cost of its fuel as a point of the curve.

    output[t] = sum over runs (begin * is_in_run[t] + sum of its pieces[t]),  pieces[t] <= length * is_in_run[t]
    fuel_cost_per_h[t] = sum over runs (cost at its begin * is_in_run[t] + sum of slope * pieces[t])

    One convex run needs no decision beside being on, as its pieces fill from the cheapest; of several, one is chosen
    (multiple choice, the convex hull of the union [1]_).

    References
    ----------
    .. [1] J. P. Vielma, S. Ahmed and G. Nemhauser, "Mixed-integer models for nonseparable piecewise-linear
       optimization," Operations Research, vol. 58, no. 2, 2010, doi:10.1287/opre.1090.0721.
    """
    runs = runs_of(asset.cost_curve, *_range_of(span))
    chosen = [f"is_in_run_{number}" for number in range(1, len(runs) + 1)] if len(runs) > 1 else ["is_on"]
    if len(runs) > 1:
        for name in chosen:
            unit.add_variable(name, is_binary=True)
        unit.add_constraint("one_run", lambda t: sum(getattr(unit, name)[t] for name in chosen) == is_on(unit, t))
    outputs: list[tuple[str, float]] = []
    costs: list[tuple[str, float]] = []
    for of_run, run in zip(chosen, runs, strict=True):
        outputs.append((of_run, run.output_kw))
        costs.append((of_run, run.cost_per_h))
        begin_kw = run.output_kw
        for length_kw, slope in zip(run.lengths_kw, run.slopes_per_kwh, strict=True):
            piece = f"piece_{len(outputs)}_kw"
            unit.add_variable(piece, upper=length_kw)
            outputs.append((piece, 1.0))
            costs.append((piece, slope))
            if unit.has("is_started") and len(runs) == 1:
                declare_range(
                    unit,
                    f"length_of_{piece}",
                    _power_of(unit, piece),
                    asset=asset,
                    span=span,
                    begin_kw=begin_kw - span.low_kw,
                    length_kw=np.full(len(span.low_kw), length_kw),
                )
            elif unit.has(of_run):
                _bound_piece(unit, piece, of_run, length_kw)
            begin_kw += length_kw
    unit.add_variable("fuel_cost_per_h", lower=-math.inf)
    unit.add_constraint("point_of_curve", lambda t: unit.output_kw[t] == _summed(unit, outputs, t))
    unit.add_constraint("cost_on_curve", lambda t: unit.fuel_cost_per_h[t] == _summed(unit, costs, t))


def _bound_piece(unit: Unit, piece: str, of_run: str, length_kw: float) -> None:
    """Declare that a piece is used up to its length, and only in its run."""
    unit.add_constraint(
        f"length_of_{piece}", lambda t: getattr(unit, piece)[t] <= getattr(unit, of_run)[t] * length_kw
    )


def _power_of(unit: Unit, piece: str) -> Callable[[Any], Any]:
    return lambda t: getattr(unit, piece)[t]


def _summed(unit: Any, factors: list[tuple[str, float]], t: Any) -> Any:
    """Return the sum of variables by name, each times its factor; being on is 1 where it is no question."""
    return sum((is_on(unit, t) if name == "is_on" else getattr(unit, name)[t]) * factor for name, factor in factors)


def is_on(unit: Any, t: Any) -> Any:
    """Return whether a generator is on in step ``t``; 1 where that is no question."""
    on = getattr(unit, "is_on", None)
    return 1.0 if on is None else on[t]


def cost_per_h(curve: Sequence[CostPoint], output_kw: Any) -> Any:
    """Return the cost of fuel at some outputs."""
    cost: Any = np.interp(output_kw, [point.output_kw for point in curve], [point.cost_per_h for point in curve])
    return cost


def _range_of(span: OutputSpan) -> tuple[float, float]:
    """Return the lowest and highest output of all steps in which it is available."""
    if not span.is_available.any():
        return 0.0, 0.0
    return float(span.low_kw[span.is_available].min()), float(span.high_kw[span.is_available].max())
