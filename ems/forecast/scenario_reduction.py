"""Reduction of many scenarios to few weighted ones that stand for them in a stochastic dispatch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ems.errors import InvalidInput, MissingValues, did_you_mean, show

if TYPE_CHECKING:
    import xarray as xr

NEARLY_EQUAL = 1e-12
PROBABILITY_TOLERANCE = 1e-9


def reduce_scenarios(scenarios: xr.Dataset, count: int, weights: Mapping[str, float] | None = None) -> xr.Dataset:
    """Return the scenarios, with new probabilities, that stand best for all of them: fast forward selection [1]_.

    One after the other the scenario is chosen that makes the mean distance from all scenarios to the nearest chosen
    one smallest; then each that was not chosen leaves its probability to the nearest one that was. The distance is the
    Euclidean one over all steps and signals, each signal divided by its spread, so that kW and EUR/kWh count alike.

    Parameters
    ----------
    scenarios : Dataset (scenario, time)
        Signals, with the coordinate ``probability(scenario)`` as `draw_scenarios` gives it.
    count : int
        Scenarios that are kept, at most as many as there are.
    weights : mapping of str to float, optional
        How much a signal counts beside the others; 1 where none is given, and a signal of weight 0 is only carried
        along.

    Returns
    -------
    Dataset (scenario, time)
        Some of the scenarios under their own labels, in their order. ``attrs["lost_share"]`` is the mean distance that
        is left, as a share of that which the best single scenario leaves.

    Raises
    ------
    InvalidInput
        If the count, a weight or a probability is none, or there is no such signal.
    MissingValues
        If a value is NaN.

    References
    ----------
    .. [1] H. Heitsch and W. Römisch, "Scenario reduction algorithms in stochastic programming," Computational
       Optimization and Applications, vol. 24, 2003, doi:10.1023/A:1021805924152.
    """
    from scipy.spatial.distance import cdist

    probability = _checked_probability(scenarios, count)
    paths = _scaled_paths(scenarios, probability, weights or {})
    distance = cdist(paths, paths)
    chosen = _chosen(distance, probability, count)
    nearest = np.argmin(distance[:, chosen], axis=1)
    # A scenario that equals an earlier one stands for itself.
    nearest[chosen] = np.arange(len(chosen))
    shares = np.bincount(nearest, probability, minlength=len(chosen))
    left = float(probability @ distance[:, chosen].min(axis=1))
    alone = float((probability @ distance).min())
    order = np.argsort(chosen)
    kept = scenarios.isel(scenario=chosen[order]).assign_coords(probability=("scenario", shares[order] / shares.sum()))
    return kept.assign_attrs(lost_share=left / alone if alone > 0 else 0.0)


def _chosen(distance: np.ndarray, probability: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of scenarios in the order in which they are chosen."""
    # Entry (k, u) is the distance from k to the nearest chosen one if u were chosen, too.
    nearest = distance.copy()
    is_free = np.ones(len(distance), dtype=bool)
    chosen = np.empty(count, dtype=int)
    for number in range(count):
        left = np.where(is_free, probability @ nearest, np.inf)
        # Of equal ones the first: a processor's order of adding up must not decide.
        best = int(np.flatnonzero(left <= left.min() * (1 + NEARLY_EQUAL))[0])
        chosen[number] = best
        is_free[best] = False
        np.minimum(nearest, nearest[:, best, None], out=nearest)
    return chosen


def _checked_probability(scenarios: xr.Dataset, count: int) -> np.ndarray:
    findings = []
    if "scenario" not in scenarios.dims or "probability" not in scenarios.variables or not scenarios.data_vars:
        raise InvalidInput("scenarios", "must have signals over (scenario, time) and a probability(scenario)")
    size = scenarios.sizes["scenario"]
    if not 1 <= count <= size:
        findings.append(f"count = {count}: must be at least 1 and at most {size}, as many as there are scenarios")
    probability: np.ndarray = scenarios["probability"].to_numpy().astype(float)
    if not (probability >= 0).all() or abs(probability.sum() - 1) > PROBABILITY_TOLERANCE:
        findings.append(f"probability: must be at least 0 with the sum 1; its sum is {probability.sum():g}")
    if findings:
        raise InvalidInput("reduction of scenarios", findings)
    return probability


def _scaled_paths(scenarios: xr.Dataset, probability: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
    """Return each scenario as one row: all signals after one another, each with the spread 1, times its weight."""
    names = [str(name) for name in scenarios.data_vars if name != "probability"]
    findings = [
        f"weight of {show(name)}: no such signal; {did_you_mean(name, names)}" for name in weights if name not in names
    ]
    findings += [
        f"weight of {show(name)} = {weight:g}: must be at least 0"
        for name, weight in weights.items()
        if not weight >= 0
    ]
    if findings:
        raise InvalidInput("reduction of scenarios", findings)
    parts = []
    for name in names:
        values = scenarios[name].transpose("scenario", ...).to_numpy().astype(float).reshape(len(probability), -1)
        if not np.isfinite(values).all():
            raise MissingValues(
                "reduction of scenarios", f"{int((~np.isfinite(values)).sum())} values of {name} are missing"
            )
        centred = values - probability @ values
        spread = float(np.sqrt(probability @ (centred**2).sum(axis=1)))
        if spread > 0:
            parts.append(centred * (weights.get(name, 1.0) / spread))
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(probability), 1))
