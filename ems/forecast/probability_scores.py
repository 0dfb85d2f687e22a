"""Scores of quantiles, intervals and scenarios: whether probabilities are honest, and how sharp they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ems.errors import InvalidInput
from ems.forecast.alignment import Values, aligned, check_finite, is_labelled

LEVEL_TOLERANCE = 1e-9
"""Within which a level of probability is found: 0.1 + 0.8 is not quite 0.9."""


def pinball_loss(observed: Values, predicted: Values, quantile: Values | None = None) -> Any:
    """Return the mean pinball loss of each predicted quantile [1]_.

    loss = max(quantile * (observed - predicted), (quantile - 1) * (observed - predicted))

    Parameters
    ----------
    observed : array or DataArray (...)
    predicted : array or DataArray (..., quantile)
    quantile : array (quantile,), optional
        Probability levels, each in (0, 1); those of the dimension ``quantile`` where nothing is given.

    Returns
    -------
    ndarray or DataArray (quantile,)
        Loss in the unit of the values; lower is better, and zero for a perfect forecast.

    Raises
    ------
    MissingValues
        If a value is NaN.
    InvalidInput
        If shapes or labels differ, or a level lies outside (0, 1).

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles," Econometrica, vol. 46, no. 1, 1978, doi:10.2307/1913643.
    """
    seen, said = aligned(observed, predicted, "pinball loss", last="quantile")
    level = levels_of(predicted, quantile, said.shape[-1])
    error = seen[..., None] - said
    loss = np.maximum(level * error, (level - 1) * error)
    return _per_level(loss.reshape(-1, level.size).mean(axis=0), predicted, level)


def quantile_coverage(observed: Values, predicted: Values, quantile: Values | None = None) -> Any:
    """Return the share of observations at or below each predicted quantile; honest ones reach their level.

    Parameters, errors and shapes are those of `pinball_loss`.
    """
    seen, said = aligned(observed, predicted, "coverage", last="quantile")
    level = levels_of(predicted, quantile, said.shape[-1])
    return _per_level((seen[..., None] <= said).reshape(-1, level.size).mean(axis=0), predicted, level)


def crps_from_quantiles(observed: Values, predicted: Values, quantile: Values | None = None) -> float:
    """Return the mean continuous ranked probability score of predicted quantiles [1]_.

    crps = integral over z of (F(z) - (observed <= z))**2, with F a straight line between neighbouring quantiles and
    the rest of the probability at the lowest and the highest. The median alone gives the absolute error.

    Parameters, errors and shapes are those of `pinball_loss`; levels ascend.

    Raises
    ------
    InvalidInput
        If quantiles cross, which are no distribution.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation," Journal of the
       American Statistical Association, vol. 102, no. 477, 2007, doi:10.1198/016214506000001437.
    """
    seen, said = aligned(observed, predicted, "CRPS", last="quantile")
    level = levels_of(predicted, quantile, said.shape[-1])
    if np.any(np.diff(level) <= 0):
        raise InvalidInput("CRPS", "levels of quantiles must ascend; sort them")
    crossing = int(np.sum(np.any(np.diff(said, axis=-1) < 0, axis=-1)))
    if crossing:
        raise InvalidInput("CRPS", f"quantiles cross in {crossing} of {seen.size} steps; sort them with numpy.sort")
    outside = np.maximum(said[..., 0] - seen, 0) + np.maximum(seen - said[..., -1], 0)
    low, high = said[..., :-1], said[..., 1:]
    at = np.clip(seen[..., None], low, high)
    width = high - low
    share = np.divide(at - low, width, out=np.zeros_like(width), where=width > 0)
    below, above = level[:-1], level[1:]
    reached = below + (above - below) * share
    inside = (at - low) * _mean_square(below, reached) + (high - at) * _mean_square(1 - reached, 1 - above)
    return float(np.mean(outside + inside.sum(axis=-1)))


def _mean_square(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the mean of the square of a straight line between two values."""
    mean: np.ndarray = (first**2 + first * last + last**2) / 3
    return mean


def crps_from_samples(
    observed: Values, samples: Values, probability: Values | None = None, is_fair: bool = False
) -> float:
    """Return the mean continuous ranked probability score of scenarios [1]_.

    crps = E|X - observed| - E|X - X'| / 2, with X and X' drawn from the scenarios

    Parameters
    ----------
    observed : array or DataArray (...)
    samples : array or DataArray (..., scenario)
    probability : array (scenario,), optional
        Probability of each scenario, one in sum; equal where nothing is given.
    is_fair : bool
        Whether X' is drawn from the other scenarios, so that a small number of equal ones is not held against a
        forecast [2]_.

    Raises
    ------
    InvalidInput
        If shapes or labels differ, probabilities are not such, or a fair score is asked of one scenario or of
        unequal ones.
    MissingValues
        If a value is NaN.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation," Journal of the
       American Statistical Association, vol. 102, no. 477, 2007, doi:10.1198/016214506000001437.
    .. [2] C. A. T. Ferro, "Fair scores for ensemble forecasts," Quarterly Journal of the Royal Meteorological Society,
       vol. 140, no. 683, 2014, doi:10.1002/qj.2270.
    """
    seen, said = aligned(observed, samples, "CRPS", last="scenario")
    weight = _probabilities(probability, said.shape[-1])
    if is_fair and (probability is not None or weight.size < 2):
        raise InvalidInput("CRPS", "is_fair = true: needs at least two scenarios, all of the same probability")
    distance = np.abs(said - seen[..., None]) @ weight
    order = np.argsort(said, axis=-1)
    ascending = np.take_along_axis(said, order, axis=-1)
    sorted_weight = weight[order]
    up_to = np.cumsum(sorted_weight, axis=-1)
    # The sum over all pairs, in sorted order: each value stands above those before it and below those after it.
    half_spread = np.sum(sorted_weight * ascending * (2 * up_to - sorted_weight - 1), axis=-1)
    return float(np.mean(distance - half_spread * (weight.size / (weight.size - 1) if is_fair else 1.0)))


def energy_score(observed: Values, samples: Values, probability: Values | None = None) -> float:
    """Return the energy score of scenarios as whole paths, which sees their correlation over time [1]_.

    score = E||X - observed|| - E||X - X'|| / 2, with the Euclidean norm over all steps

    Parameters are those of `crps_from_samples`, to which it is equal for one step.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation," Journal of the
       American Statistical Association, vol. 102, no. 477, 2007, doi:10.1198/016214506000001437.
    """
    seen, said = aligned(observed, samples, "energy score", last="scenario")
    weight = _probabilities(probability, said.shape[-1])
    paths = said.reshape(-1, weight.size).T
    distance = weight @ np.linalg.norm(paths - seen.ravel(), axis=1)
    spread = sum(
        share * (weight @ np.linalg.norm(paths - path, axis=1)) for share, path in zip(weight, paths, strict=True)
    )
    return float(distance - spread / 2)


def coverage(observed: Values, lower: Values, upper: Values) -> float:
    """Return the share of observations from lower to upper, both included.

    Parameters
    ----------
    observed, lower, upper : array or DataArray (...)
    """
    seen, low = aligned(observed, lower, "coverage")
    _, high = aligned(observed, upper, "coverage")
    return float(np.mean((low <= seen) & (seen <= high)))


def interval_width(lower: Values, upper: Values) -> float:
    """Return the mean width of intervals; of two honest forecasts the narrower is better."""
    low, high = aligned(lower, upper, "width")
    return float(np.mean(high - low))


def interval_score(observed: Values, lower: Values, upper: Values, share: float) -> float:
    """Return the mean interval score, also named after Winkler [1]_.

    score = upper - lower + 2 / (1 - share) * (distance by which the observation lies outside)

    Parameters
    ----------
    observed, lower, upper : array or DataArray (...)
    share : float
        Share of observations that the interval should hold, in (0, 1): 0.8.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation," Journal of the
       American Statistical Association, vol. 102, no. 477, 2007, doi:10.1198/016214506000001437.
    """
    if not 0 < share < 1:
        raise InvalidInput("interval score", f"share = {share:g}: must be greater than 0 and less than 1")
    seen, low = aligned(observed, lower, "interval score")
    _, high = aligned(observed, upper, "interval score")
    outside = np.maximum(low - seen, 0) + np.maximum(seen - high, 0)
    return float(np.mean(high - low + 2 / (1 - share) * outside))


def central_interval(predicted: Values, share: float, quantile: Values | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the two quantiles that enclose a share in the middle: those of 0.1 and 0.9 for 0.8.

    Parameters
    ----------
    predicted : array or DataArray (..., quantile)
    share : float
    quantile : array (quantile,), optional

    Returns
    -------
    tuple of ndarray (...)

    Raises
    ------
    InvalidInput
        If one of the two levels is not among the predicted ones.
    """
    values: Any = predicted
    said = np.asarray(values.transpose(..., "quantile") if is_labelled(values) else values, dtype=float)
    level = levels_of(predicted, quantile, said.shape[-1])
    found = []
    for wanted in ((1 - share) / 2, (1 + share) / 2):
        at = np.flatnonzero(np.abs(level - wanted) < LEVEL_TOLERANCE)
        if not at.size:
            known = ", ".join(f"{one:g}" for one in level)
            raise InvalidInput(
                f"interval of {share:.0%}", f"quantile {wanted:g} is not predicted; predicted are {known}"
            )
        found.append(said[..., at[0]])
    return found[0], found[1]


def probability_scores(
    observed: Values, predicted: Values, quantile: Values | None = None, shares: tuple[float, ...] = (0.8,)
) -> dict[str, float]:
    """Return all scores of predicted quantiles by name.

    Parameters are those of `pinball_loss`; ``shares`` are those of the intervals to be looked at.

    Returns
    -------
    dict
        ``pinball`` (mean over the levels), ``crps``, ``calibration_error`` (mean distance between a level and the
        share of observations below it), and for each share ``coverage_80``, ``width_80`` and ``interval_score_80``.
    """
    seen, said = aligned(observed, predicted, "scores of quantiles", last="quantile")
    level = levels_of(predicted, quantile, said.shape[-1])
    found = {
        "pinball": float(np.mean(pinball_loss(seen, said, level))),
        "crps": crps_from_quantiles(seen, said, level),
        "calibration_error": float(np.mean(np.abs(quantile_coverage(seen, said, level) - level))),
    }
    for share in shares:
        lower, upper = central_interval(said, share, level)
        percent = f"{100 * share:g}"
        found[f"coverage_{percent}"] = coverage(seen, lower, upper)
        found[f"width_{percent}"] = interval_width(lower, upper)
        found[f"interval_score_{percent}"] = interval_score(seen, lower, upper, share)
    return found


def levels_of(predicted: Values, quantile: Values | None, count: int) -> np.ndarray:
    """Return the probability levels of predicted quantiles, shape (quantile,)."""
    values: Any = predicted
    if quantile is None:
        if not is_labelled(values) or "quantile" not in values.coords:
            raise InvalidInput("quantiles", "their levels are not stated; give quantile = [0.1, 0.5, 0.9]")
        quantile = values.coords["quantile"]
    level = np.atleast_1d(np.asarray(quantile, dtype=float))
    if level.shape != (count,):
        raise InvalidInput(
            "quantiles", f"there are {level.size} levels and {count} predicted quantiles: must be as many"
        )
    outside = [f"{one:g}" for one in level if not 0 < one < 1]
    if outside:
        raise InvalidInput("quantiles", f"quantile = {', '.join(outside)}: must be greater than 0 and less than 1")
    return level


def _per_level(values: np.ndarray, predicted: Any, level: np.ndarray) -> Any:
    if not is_labelled(predicted):
        return values
    import xarray as xr

    return xr.DataArray(values, {"quantile": level}, ["quantile"])


def _probabilities(probability: Values | None, count: int) -> np.ndarray:
    if probability is None:
        return np.full(count, 1 / count)
    weight = np.asarray(probability, dtype=float)
    check_finite(weight, "probabilities", "scenarios")
    if weight.shape != (count,) or np.any(weight < 0) or abs(weight.sum() - 1) > LEVEL_TOLERANCE:
        raise InvalidInput(
            "scenarios",
            f"probability: must be {count} numbers of at least 0 with the sum 1; their sum is {weight.sum():g}",
        )
    return weight
