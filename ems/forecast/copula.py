"""Dependence of forecast errors over lead times and signals: a correlation matrix learned from past days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ems.forecast.marginals import Marginals

FEWEST_PAIRS = 8
"""Days with both values below which a pair's own correlation is not looked at."""
LARGEST_SCORE = 3.0
"""Normal scores are cut here: an observation far beyond the quantiles is one in a thousand, not one in a million."""
LARGEST_CROSS_CORRELATION = 0.95
SMALLEST_EIGENVALUE = 1e-6
DECAY_STEPS = np.geomspace(0.3, 300.0, 60)
"""Decay times that are tried, in steps."""


@dataclass(frozen=True)
class Dependence:
    """Correlation of normal scores over signals and steps.

    Parameters
    ----------
    correlation : ndarray (signals * steps, signals * steps)
        Positive definite, with ones on its diagonal.
    shrinkage : float
        Weight of the structure against what past days show pair by pair: 1 where there are few days.
    decay_steps : ndarray (signals,)
        Steps after which the correlation of errors has fallen to 37 %.
    """

    correlation: np.ndarray
    shrinkage: float
    decay_steps: np.ndarray


def normal_scores(marginals: Marginals, observed: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return where observations lie in their forecast distributions, as quantiles of a normal distribution.

    The probability integral transform; where a value has a probability of its own, a random one within it. NaN where
    nothing was observed, or the forecast was certain.

    Parameters
    ----------
    marginals : Marginals (...)
    observed : ndarray (...)
    generator : Generator
    """
    from scipy.special import ndtri

    below, no_more = marginals.probabilities(observed)
    place = below + generator.random(observed.shape) * (no_more - below)
    with np.errstate(invalid="ignore"):
        scores = np.clip(ndtri(place), -LARGEST_SCORE, LARGEST_SCORE)
    return np.where(marginals.is_certain, np.nan, scores)


def estimate_dependence(scores: np.ndarray) -> Dependence:
    """Return the correlation of normal scores, shrunk towards a structure [1]_, [2]_.

    correlation = (1 - shrinkage) * sample + shrinkage * structure

    The structure is exponential decay over lead times within each signal, and one correlation between each two signals
    that decays alike. The shrinkage is that of least expected squared error [2]_: the fewer days, the more structure.

    Parameters
    ----------
    scores : ndarray (days, signals, steps)
        NaN where there is none.

    References
    ----------
    .. [1] P. Pinson, H. Madsen, H. A. Nielsen, G. Papaefthymiou and B. Klöckl, "From probabilistic forecasts to
       statistical scenarios of short-term wind power production," Wind Energy, vol. 12, no. 1, 2009,
       doi:10.1002/we.284.
    .. [2] J. Schäfer and K. Strimmer, "A shrinkage approach to large-scale covariance matrix estimation and
       implications for functional genomics," Statistical Applications in Genetics and Molecular Biology, vol. 4,
       no. 1, 2005, doi:10.2202/1544-6115.1175.
    """
    days, signals, steps = scores.shape
    table = scores.reshape(days, signals * steps)
    known = np.isfinite(table)
    standard = _standardized(table, known)
    pairs = known.astype(float).T @ known
    sample = (standard.T @ standard) / np.maximum(pairs, 1.0)
    is_known = pairs >= FEWEST_PAIRS
    structure, decay_steps = _structure(sample, is_known, pairs, signals, steps)
    shrinkage = _shrinkage(standard, sample, structure, is_known, pairs)
    mixed = np.where(is_known, (1 - shrinkage) * sample + shrinkage * structure, structure)
    return Dependence(_positive_definite(mixed), shrinkage, decay_steps)


def _standardized(table: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and variance 1 over their known days, and 0 elsewhere."""
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, table - np.where(known, table, 0.0).sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    standard: np.ndarray = centred / np.where(spread > 0, spread, 1.0)
    return standard


def _structure(
    sample: np.ndarray, is_known: np.ndarray, pairs: np.ndarray, signals: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a positive definite matrix of few parameters near a sample's, and the decay of each signal in steps.

    The block of signals a and b is cross[a, b] * root[a] @ root[b].T, with root @ root.T the decay within each: so
    the whole is positive definite wherever ``cross`` is.
    """
    weight = np.where(is_known, pairs, 0.0).reshape(signals, steps, signals, steps)
    blocks = sample.reshape(signals, steps, signals, steps)
    lag = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    roots, decays = [], []
    for signal in range(signals):
        decay, share = _decay(blocks[signal, :, signal], weight[signal, :, signal], lag)
        within = share * np.exp(-lag / decay)
        np.fill_diagonal(within, 1.0)
        roots.append(np.linalg.cholesky(within + 1e-9 * np.eye(steps)))
        decays.append(decay)
    cross = np.eye(signals)
    for one in range(signals):
        for other in range(one):
            shape = roots[one] @ roots[other].T
            own = weight[one, :, other]
            found = float((own * blocks[one, :, other] * shape).sum() / max(float((own * shape**2).sum()), 1e-12))
            cross[one, other] = cross[other, one] = np.clip(
                found, -LARGEST_CROSS_CORRELATION, LARGEST_CROSS_CORRELATION
            )
    cross = _positive_definite(cross)
    root = np.stack(roots)
    whole = np.einsum("ab,aik,bjk->aibj", cross, root, root).reshape(signals * steps, signals * steps)
    np.fill_diagonal(whole, 1.0)
    return whole, np.array(decays)


def _decay(block: np.ndarray, weight: np.ndarray, lag: np.ndarray) -> tuple[float, float]:
    """Return decay in steps and share of the error that decays, by least squares over all pairs of steps.

    correlation(lag) = share * exp(-lag / decay), for lags above zero
    """
    steps = len(lag)
    total = np.bincount(lag.ravel(), (weight * block).ravel(), minlength=steps)[1:]
    count = np.bincount(lag.ravel(), weight.ravel(), minlength=steps)[1:]
    if not count.any():
        return 1.0, 0.0
    mean = np.divide(total, count, out=np.zeros(steps - 1), where=count > 0)
    shape = np.exp(-np.arange(1, steps) / DECAY_STEPS[:, None])
    share = np.clip((count * shape * mean).sum(axis=1) / np.maximum((count * shape**2).sum(axis=1), 1e-300), 0, 0.999)
    misfit = (count * (mean - share[:, None] * shape) ** 2).sum(axis=1)
    best = int(np.argmin(misfit))
    return float(DECAY_STEPS[best]), float(share[best])


def _shrinkage(
    standard: np.ndarray, sample: np.ndarray, structure: np.ndarray, is_known: np.ndarray, pairs: np.ndarray
) -> float:
    """Return sum of the variances of correlations over the sum of their squared distances from the structure."""
    square = standard**2
    spread = square.T @ square - (standard.T @ standard) ** 2 / np.maximum(pairs, 1.0)
    variance = pairs / np.maximum(pairs - 1, 1.0) ** 3 * spread
    counts = is_known & ~np.eye(len(sample), dtype=bool)
    if not counts.any():
        return 1.0
    distance = float(((sample - structure)[counts] ** 2).sum())
    return float(np.clip(variance[counts].sum() / max(distance, 1e-12), 0.0, 1.0))


def _positive_definite(matrix: np.ndarray) -> np.ndarray:
    """Return a correlation matrix near a symmetric one: eigenvalues raised above zero, ones on the diagonal."""
    symmetric: np.ndarray = (matrix + matrix.T) / 2
    np.fill_diagonal(symmetric, 1.0)
    try:
        np.linalg.cholesky(symmetric - SMALLEST_EIGENVALUE * np.eye(len(symmetric)))
    except np.linalg.LinAlgError:
        value, vector = np.linalg.eigh(symmetric)
        raised: np.ndarray = (vector * np.maximum(value, 2 * SMALLEST_EIGENVALUE)) @ vector.T
        size = np.sqrt(np.diag(raised))
        symmetric = np.asarray(raised / np.outer(size, size))
        np.fill_diagonal(symmetric, 1.0)
    return symmetric
