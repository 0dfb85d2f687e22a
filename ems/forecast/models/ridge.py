"""Ridge regression for each hour of the day, with the strength of shrinking chosen by leave-one-out errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ems.errors import InvalidInput
from ems.forecast.models.model import FittedModel, Model, State

if TYPE_CHECKING:
    from ems.forecast.features import Features, Rows
    from ems.forecast.history import Known

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Strengths of shrinking that are tried, on columns of unit variance."""
FARTHEST = 6.0
"""Standard deviations from its mean beyond which a feature counts as this far: lines do not go on for ever."""


@dataclass(frozen=True)
class RidgeFit:
    """Coefficients of some outputs.

    Parameters
    ----------
    mean, scale : ndarray (columns,)
        Of the columns; scale is infinite for columns that do not vary, which then have no effect.
    intercept : ndarray (outputs,)
    coefficients : ndarray (columns, outputs)
    strength : ndarray (outputs,)
        Of the shrinking, chosen by `fit_ridge`.
    left_out : ndarray (rows, outputs)
        Prediction of each row from all others.
    """

    mean: np.ndarray
    scale: np.ndarray
    intercept: np.ndarray
    coefficients: np.ndarray
    strength: np.ndarray
    left_out: np.ndarray

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Return outputs for rows of columns, shape (rows, outputs)."""
        found: np.ndarray = self.intercept + standardised(columns, self.mean, self.scale) @ self.coefficients
        return found


def fit_ridge(columns: np.ndarray, outputs: np.ndarray, strengths: tuple[float, ...] = STRENGTHS) -> RidgeFit:
    """Return ridge regressions of several outputs on the same columns [1]_.

    Each output takes the strength with the least mean absolute leave-one-out error, which needs no second fit:
    error of row i without itself = error / (1 - leverage of row i).

    Parameters
    ----------
    columns : ndarray (rows, columns)
        NaN is taken as the column's mean.
    outputs : ndarray (rows, outputs)
    strengths : tuple of float

    References
    ----------
    .. [1] G. H. Golub, M. Heath and G. Wahba, "Generalized cross-validation as a method for choosing a good ridge
       parameter," Technometrics, vol. 21, no. 2, 1979, doi:10.1080/00401706.1979.10489751.
    """
    known = np.isfinite(columns)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, columns, 0.0)
    mean = filled.sum(axis=0) / count
    spread = np.sqrt(np.where(known, (columns - mean) ** 2, 0.0).sum(axis=0) / count)
    scale = np.where(spread <= 1e-8 * np.maximum(1.0, np.abs(mean)), np.inf, spread)
    z = standardised(columns, mean, scale)
    intercept = outputs.mean(axis=0)
    centred = outputs - intercept
    rows, width = z.shape
    # The smaller of the two products has the same eigenvalues as the larger one.
    is_tall = width <= rows
    values, vectors = np.linalg.eigh(z.T @ z if is_tall else z @ z.T)
    values = np.clip(values, 0.0, None)
    basis = z @ vectors if is_tall else vectors
    moments = basis.T @ centred
    squares = basis**2
    least = np.full(centred.shape[1], np.inf)
    strength = np.zeros(centred.shape[1])
    left_out = np.zeros_like(centred)
    weights = np.zeros_like(moments)
    for tried in strengths:
        weight = (1.0 if is_tall else values) / (values + tried)
        weight = np.broadcast_to(weight, values.shape)
        leverage = np.minimum(squares @ weight + 1 / rows, 0.999)
        error = (centred - basis @ (weight[:, None] * moments)) / (1 - leverage)[:, None]
        size = np.abs(error).mean(axis=0)
        better = size < least
        least[better], strength[better] = size[better], tried
        left_out[:, better] = centred[:, better] - error[:, better]
        weights[:, better] = (moments / (values + tried)[:, None])[:, better]
    coefficients = vectors @ weights if is_tall else z.T @ (vectors @ weights)
    return RidgeFit(mean, scale, intercept, coefficients, strength, left_out + intercept)


def standardised(columns: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return columns as distances from their means in standard deviations; a gap is at the mean."""
    z = (columns - mean) / scale
    near: np.ndarray = np.clip(np.nan_to_num(z, nan=0.0), -FARTHEST, FARTHEST)
    return near


class Ridge(Model):
    """A ridge regression for each hour of the local day on calendar, lags and signals known ahead."""

    name: ClassVar[str] = "ridge"
    meaning: ClassVar[str] = "a linear regression for each hour on calendar, lags and signals, shrunk"

    def fit(self, known: Known) -> FittedRidge:
        """Return the regressions of all hours; gaps among features are taken as their means."""
        features = known.features
        hours = features.hour_of(features.past)
        columns, target = with_weekdays(features, features.past, features.past_matrix), features.target
        fits, left_out = {}, np.full(len(target), np.nan)
        for hour in np.unique(hours):
            rows = np.flatnonzero(hours == hour)
            if len(rows) < 5:
                continue
            fits[int(hour)] = fit = fit_ridge(columns[rows], target[rows, None])
            left_out[rows] = fit.left_out[:, 0]
        if not fits:
            raise InvalidInput(
                f"model 'ridge' for {known.history.label}",
                "no hour of the day has 5 values to learn from; give a longer history",
            )
        return FittedRidge(self, fits, left_out)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedRidge:
        """Return the fitted model that `FittedRidge.state` describes."""
        fits = {int(hour): restored_fit(kept) for hour, kept in state["hours"].items()}
        return FittedRidge(cls(**options), fits, np.empty(0))


@dataclass(frozen=True)
class FittedRidge(FittedModel):
    """Regressions by hour of the local day.

    Parameters
    ----------
    model : Ridge
    fits : mapping of int to RidgeFit
    left_out : ndarray (rows,)
        Prediction of each row that was learned from, without that row.
    """

    model: Ridge
    fits: Mapping[int, RidgeFit]
    left_out: np.ndarray

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step; an hour that was never seen takes the nearest one that was."""
        features = known.features
        columns = with_weekdays(features, features.ahead, features.ahead_matrix)
        at = self._number_of_hour[features.hour_of(features.ahead)]
        mean, scale, coefficients, intercept = (one[at] for one in self._stacked)
        found: np.ndarray = intercept + (standardised(columns, mean, scale) * coefficients).sum(axis=1)
        return found

    @cached_property
    def _number_of_hour(self) -> np.ndarray:
        """Number of the regression that serves each hour of the day: its own, or that of the nearest hour."""
        known = np.array(list(self.fits))
        apart = np.abs(np.arange(24)[:, None] - known)
        numbers: np.ndarray = np.argmin(np.minimum(apart, 24 - apart), axis=1)
        return numbers

    @cached_property
    def _stacked(self) -> tuple[np.ndarray, ...]:
        """Means, scales and coefficients (hours, columns) and intercepts (hours,) of all regressions."""
        fits = self.fits.values()
        return (
            np.stack([fit.mean for fit in fits]),
            np.stack([fit.scale for fit in fits]),
            np.stack([fit.coefficients[:, 0] for fit in fits]),
            np.array([fit.intercept[0] for fit in fits]),
        )

    def update(self, known: Known) -> Self:
        """Return the model fitted again: it is quick, and the last days tell most."""
        fitted: Self = self.model.fit_once(known)
        return fitted

    def state(self) -> State:
        """Return the coefficients by hour."""
        return {"hours": {str(hour): kept_fit(fit) for hour, fit in self.fits.items()}}


def with_weekdays(features: Features, rows: Rows, columns: np.ndarray) -> np.ndarray:
    """Return columns with one more for each weekday, which no line can tell from their numbers."""
    weekday = features.known.calendar.weekday[rows.position]
    return np.column_stack([columns, weekday[:, None] == np.arange(7)])


def kept_fit(fit: RidgeFit) -> State:
    """Return what is kept of a regression."""
    return {name: getattr(fit, name) for name in ("mean", "scale", "intercept", "coefficients", "strength")}


def restored_fit(kept: State) -> RidgeFit:
    """Return the regression of what was kept; what its rows were is not."""
    return RidgeFit(**kept, left_out=np.empty((0, 0)))
