"""Ridge regression of whole days on whole days, its penalty chosen by the errors of leaving one day out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ems.forecast.design import Design
from ems.forecast.features import KNOWN_DAYS, OWN_DAYS, known_vectors, own_vectors
from ems.forecast.point_model import PointModel, Scaling, TooShort, blocks_of, known_targets, within_range, without_small_gaps

PENALTIES = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
"""Penalties tried, as shares of the number of days; features are scaled to a standard deviation of 1."""
MOST_LEVERAGE = 0.99
LEAST_SPREAD = 1e-9
LEAST_DAYS = 7


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """A linear map from features to the steps of a day.

    Parameters
    ----------
    centre, scale : ndarray (features)
    level : ndarray (outputs)
    slope : ndarray (features, outputs)
    penalty : float
    left_out : ndarray (days, outputs)
        What the map would have said of each day of the training, had it not known that day.
    """

    centre: np.ndarray
    scale: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    penalty: float
    left_out: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the outputs of features, shape (..., outputs)."""
        told: np.ndarray = self.level + ((features - self.centre) / self.scale) @ self.slope
        return told


def fit_ridge(
    features: np.ndarray, targets: np.ndarray, weight: np.ndarray | None = None, penalties: np.ndarray = PENALTIES
) -> RidgeFit:
    """Return the ridge regression whose penalty has the least mean absolute error on days left out [1]_.

    The errors of leaving one day out follow from one decomposition: ``error / (1 - leverage)`` [2]_. It is made of the
    smaller of the two Gram matrices.

    Parameters
    ----------
    features : ndarray (days, features)
    targets : ndarray (days, outputs)
    weight : ndarray (days), optional
        How much each day counts.
    penalties : ndarray

    References
    ----------
    .. [1] A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems,"
       Technometrics, vol. 12, no. 1, 1970, doi:10.1080/00401706.1970.10488634.
    .. [2] G. H. Golub, M. Heath and G. Wahba, "Generalized cross-validation as a method for choosing a good ridge
       parameter," Technometrics, vol. 21, no. 2, 1979, doi:10.1080/00401706.1979.10489751.
    """
    days = len(features)
    counts = np.ones(days) if weight is None else weight / weight.mean()
    centre = np.average(features, axis=0, weights=counts)
    spread = np.sqrt(np.average((features - centre) ** 2, axis=0, weights=counts))
    scale = np.where(spread > LEAST_SPREAD, spread, np.inf)  # a column that never changes tells nothing
    level = np.average(targets, axis=0, weights=counts)
    root = np.sqrt(counts)[:, None]
    inputs, outputs = (features - centre) / scale * root, (targets - level) * root
    own_leverage = counts / days
    is_narrow = inputs.shape[1] <= days
    gram = inputs.T @ inputs if is_narrow else inputs @ inputs.T
    eigenvalue, vectors = np.linalg.eigh(gram)
    eigenvalue = np.maximum(eigenvalue, 0.0)
    basis = inputs @ vectors if is_narrow else vectors
    turned = basis.T @ outputs
    squared = basis**2
    best: tuple[float, float, np.ndarray] | None = None
    for penalty in penalties:
        shrink = 1 / (eigenvalue + penalty * days)
        gain = shrink if is_narrow else eigenvalue * shrink
        leverage = np.minimum(squared @ gain + own_leverage, MOST_LEVERAGE)
        error = (outputs - basis @ (turned * gain[:, None])) / (1 - leverage)[:, None]
        loss = float(np.mean(np.abs(error) * root))
        if best is None or loss < best[0]:
            best = (loss, float(penalty), error / root)
    assert best is not None
    _, penalty, error = best
    inner = turned / (eigenvalue + penalty * days)[:, None]
    slope = vectors @ inner if is_narrow else inputs.T @ (vectors @ inner)
    return RidgeFit(centre, scale, level, slope, penalty, targets - error)


class Ridge(PointModel):
    """Each day of the horizon as one linear map of the days before it and of what is known of it.

    Parameters
    ----------
    own_days, known_days : tuple of int
        Days whose values enter, see `ems.forecast.features.day_vectors`.
    window_d : int
        Days of history it learns from.
    half_life_d : float, optional
        Days after which a day counts half.
    is_transformed : bool
        Whether values are learned as their inverse hyperbolic sine, which tames spikes of either sign [1]_.

    References
    ----------
    .. [1] B. Uniejewski, R. Weron and F. Ziel, "Variance stabilizing transformations for electricity spot price
       forecasting," IEEE Trans. Power Syst., vol. 33, no. 2, 2018, doi:10.1109/TPWRS.2017.2734563.
    """

    name = "ridge"
    history_d = 21.0

    def __init__(
        self,
        own_days: tuple[int, ...] = OWN_DAYS,
        known_days: tuple[int, ...] = KNOWN_DAYS,
        window_d: int = 365,
        half_life_d: float | None = None,
        is_transformed: bool = False,
    ) -> None:
        self.own_days, self.known_days = own_days, known_days
        self.window_d, self.half_life_d, self.is_transformed = window_d, half_life_d, is_transformed
        self.fits: list[RidgeFit] = []

    def fit(self, design: Design, fold: int) -> None:
        """Learn the map of each day of the horizon from the days before."""
        first = max(0, fold - max(self.window_d - max(self.own_days), 1))
        known = known_targets(design, fold)[first:]
        self.first = first
        self.scaling = Scaling.of(known) if self.is_transformed else None
        self.least, self.most = float(np.nanmin(known)), float(np.nanmax(known))
        self.fits, self.is_learned = [], []
        for block in range(blocks_of(design)):
            at = slice(block * design.per_day, (block + 1) * design.per_day)
            targets = without_small_gaps(design, known[:, at], design.slot[first:fold, at])
            features = self._features(design, block)[first:fold]
            is_whole = ~np.isnan(targets).any(axis=1) & ~np.isnan(features).any(axis=1)
            if is_whole.sum() < LEAST_DAYS:
                raise TooShort(f"{int(is_whole.sum())} whole days are known, at least {LEAST_DAYS} are needed")
            age_d = np.arange(len(features), 0, -1.0)[is_whole]
            weight = None if self.half_life_d is None else 0.5 ** (age_d / self.half_life_d)
            wanted = targets[is_whole] if self.scaling is None else self.scaling.inward(targets[is_whole])
            self.fits.append(self._fit_map(features[is_whole], wanted, weight, block))
            self.is_learned.append(is_whole)

    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""
        told = [fit.predict(self._features(design, block)[fold]) for block, fit in enumerate(self.fits)]
        return self._outward(np.concatenate(told))

    def errors_left_out(self, design: Design, fold: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Return what the map says of each day of the training that it was not told, and how far it errs.

        Returns
        -------
        int
            First issue of the training.
        ndarray (issues, steps)
            Predictions of days left out; NaN where a day was not learned from.
        ndarray (issues, steps)
            Target minus prediction.
        """
        known = known_targets(design, fold)[self.first :]
        told = np.full(known.shape, np.nan)
        for block, (fit, is_whole) in enumerate(zip(self.fits, self.is_learned, strict=True)):
            at = slice(block * design.per_day, block * design.per_day + fit.left_out.shape[1])
            told[is_whole, at] = self._outward(fit.left_out)
        return self.first, told, known - told

    def _fit_map(
        self, features: np.ndarray, wanted: np.ndarray, weight: np.ndarray | None, block: int
    ) -> RidgeFit:
        """Return the map of one day of the horizon."""
        return fit_ridge(features, wanted, weight)

    def _outward(self, inner: np.ndarray) -> np.ndarray:
        values = inner if self.scaling is None else self.scaling.outward(inner)
        return within_range(values, self.least, self.most)

    def _features(self, design: Design, block: int) -> np.ndarray:
        """Return the features of all issues, own values as they are learned."""
        own_key, known_key = ("own", block, self.own_days), ("known", block, self.known_days)
        if own_key not in design.kept:
            design.kept[own_key] = own_vectors(design, block, self.own_days)
        if known_key not in design.kept:
            design.kept[known_key] = known_vectors(design, block, self.known_days)
        own = design.kept[own_key]
        own = own if self.scaling is None else self.scaling.inward(own)
        return np.concatenate([own, design.kept[known_key]], axis=1)
