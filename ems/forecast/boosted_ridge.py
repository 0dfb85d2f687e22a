"""BoostedRidge: a linear map of whole days, and trees for what it leaves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ems.forecast.design import Design
from ems.forecast.gradient_boosting import MEDIAN, MEDIAN_ROUNDS, gains, lead_rows, train
from ems.forecast.point_model import PointModel
from ems.forecast.ridge import Ridge


class BoostedRidge(PointModel):
    """The line carries the level beyond what has been seen, which trees cannot; trees bend it where it must bend.

    Trees learn the errors that the line makes on days left out of it, so that they see errors of the size that will
    come. The line is fitted daily, the trees every `refit_d` days.

    Parameters
    ----------
    ridge : Ridge
    rounds : int
        Trees.
    refit_d : int
        Days after which the trees are grown again in a backtest.
    seed : int
        Of the rows and features that each tree sees.
    **parameters
        Further ones of LightGBM.
    """

    name = "boosted_ridge"
    history_d = 28.0

    def __init__(
        self, ridge: Ridge | None = None, rounds: int = MEDIAN_ROUNDS, refit_d: int = 7, seed: int = 1, **parameters: Any
    ) -> None:
        self.ridge = ridge or Ridge(own_days=(1, 7), known_days=(0,), half_life_d=60)
        self.rounds, self.trees_refit_d, self.seed, self.parameters = rounds, refit_d, seed, parameters
        self.grown_at: int | None = None

    def fit(self, design: Design, fold: int) -> None:
        """Fit the line, and grow the trees where they are due."""
        self.ridge.fit(design, fold)
        if self.grown_at is not None and 0 <= fold - self.grown_at < self.trees_refit_d:
            return
        first, left_out, error = self.ridge.errors_left_out(design, fold)
        rows, self.names = lead_rows(design)
        told = np.concatenate([rows[first:fold], left_out[..., None].astype(np.float32)], axis=2)
        self.trees = train(told.reshape(-1, told.shape[2]), error.ravel(), "l1", self.rounds, self.seed, {**MEDIAN, **self.parameters})
        self.grown_at = fold

    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""
        line = self.ridge.predict(design, fold)
        rows, _ = lead_rows(design)
        told = np.concatenate([rows[fold], line[:, None].astype(np.float32)], axis=1)
        bent: np.ndarray = line + self.trees.predict(told, num_threads=1)
        return bent

    def importance(self) -> dict[str, float]:
        """Return how much each feature told the trees, in shares of their gain; the line itself is ``ridge``."""
        return gains(self.trees, [*self.names, "ridge"])
