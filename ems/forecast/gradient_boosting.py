"""Gradient boosting of all lead times at once, by LightGBM: the median, and quantiles for the spread around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ems.forecast.design import LAGS_D, Design
from ems.forecast.features import lead_columns
from ems.forecast.point_model import PointModel, TooShort, known_targets

MEDIAN = {"learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 30}
SPREAD = {"learning_rate": 0.08, "num_leaves": 15, "min_data_in_leaf": 40}
MEDIAN_ROUNDS, SPREAD_ROUNDS = 300, 120
SPREAD_QUANTILES = (0.1, 0.9)
ROWS_PER_TREE = 6000
"""Rows that a tree sees of a long history; with more, only time grows."""
MOST_SHARE = 0.7
LEAST_ROWS = 200
COMMON = {
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "feature_pre_filter": False,
    "feature_fraction": 0.3,
    "bagging_freq": 1,
    "max_bin": 63,
}
"""Few bins, and a third of the features for each tree: measured as good as 255 bins and all, at half the time."""


def lead_rows(design: Design) -> tuple[np.ndarray, list[str]]:
    """Return the columns of each lead time and their names, made once for a design."""
    if "lead_rows" not in design.kept:
        rows, names = lead_columns(design)
        design.kept["lead_rows"], design.kept["lead_names"] = rows, np.array(names)
    return design.kept["lead_rows"], design.kept["lead_names"].tolist()


def train(
    rows: np.ndarray, target: np.ndarray, objective: str, rounds: int, seed: int, parameters: Mapping[str, Any]
) -> Any:
    """Return trees grown on the rows whose target is known [1]_.

    Parameters
    ----------
    rows : ndarray (rows, features)
    target : ndarray (rows)
    objective : str
        ``l1``, or ``quantile`` with ``alpha`` among the parameters.
    rounds : int
    seed : int
    parameters : mapping
        Further ones of LightGBM.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree," Advances in Neural Information
       Processing Systems 30, 2017.
    """
    import lightgbm

    is_known = ~np.isnan(target)
    count = int(is_known.sum())
    if count < LEAST_ROWS:
        raise TooShort(f"{count} values are known to learn from, at least {LEAST_ROWS} are needed")
    settings = {**COMMON, "seed": seed, "bagging_fraction": min(MOST_SHARE, ROWS_PER_TREE / count), **parameters}
    data = lightgbm.Dataset(rows[is_known], target[is_known], params=settings)
    return lightgbm.train({**settings, "objective": objective}, data, rounds)


def gains(trees: Any, names: Sequence[str]) -> dict[str, float]:
    """Return the share of the whole gain that each feature brought, the largest first."""
    gain = trees.feature_importance("gain")
    share = gain / max(gain.sum(), 1e-12)
    order = np.argsort(-share, kind="stable")
    return {names[at]: float(share[at]) for at in order}


class GradientBoosting(PointModel):
    """Trees on features of each lead time, learned for the least absolute error, with quantiles for the spread.

    Parameters
    ----------
    rounds : int
        Trees.
    window_d : int
        Days of history it learns from, lags included.
    refit_d : int
        Days after which it is fitted again in a backtest.
    seed : int
        Of the rows and features that each tree sees.
    **parameters
        Further ones of LightGBM, as ``num_leaves``.
    """

    name = "lightgbm"
    history_d = 28.0

    def __init__(
        self, rounds: int = MEDIAN_ROUNDS, window_d: int = 365, refit_d: int = 7, seed: int = 1, **parameters: Any
    ) -> None:
        self.rounds, self.window_d, self.refit_d, self.seed = rounds, window_d, refit_d, seed
        self.parameters = parameters

    def fit(self, design: Design, fold: int) -> None:
        """Learn median and spread from all steps of the days before."""
        rows, self.names = lead_rows(design)
        first = max(0, fold - max(self.window_d - LAGS_D[-1], 1))
        told = rows[first:fold].reshape(-1, rows.shape[2])
        target = known_targets(design, fold)[first:].ravel()
        self.median = train(told, target, "l1", self.rounds, self.seed, {**MEDIAN, **self.parameters})
        self.quantiles = [
            train(told, target, "quantile", SPREAD_ROUNDS, self.seed, {**SPREAD, **self.parameters, "alpha": level})
            for level in SPREAD_QUANTILES
        ]

    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""
        rows, _ = lead_rows(design)
        told: np.ndarray = self.median.predict(rows[fold], num_threads=1)
        return told

    def spread(self, design: Design, fold: int) -> np.ndarray:
        """Return how far apart the tenth and the ninetieth percentile lie, shape (steps,); not below zero."""
        rows, _ = lead_rows(design)
        low, high = (trees.predict(rows[fold], num_threads=1) for trees in self.quantiles)
        apart: np.ndarray = np.maximum(high - low, 0.0)
        return apart

    def importance(self) -> dict[str, float]:
        """Return how much each feature told, in shares of the gain of all splits."""
        return gains(self.median, self.names)
