"""Gradient boosting of all lead times at once, by LightGBM: the median, and quantiles for the spread around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ems.forecast.design import Design
from ems.forecast.features import lead_columns
from ems.forecast.point_model import PointModel, known_targets

MEDIAN = {"learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 30}
SPREAD = {"learning_rate": 0.08, "num_leaves": 15, "min_data_in_leaf": 40}
MEDIAN_ROUNDS, SPREAD_ROUNDS = 300, 120
SPREAD_QUANTILES = (0.1, 0.9)
ROWS_PER_TREE = 6000
"""Rows that a tree sees of a long history; with more, only time grows."""
BINS = 63


class GradientBoosting(PointModel):
    """Trees on features of each lead time, learned for the least absolute error [1]_.

    Parameters
    ----------
    rounds : int
        Trees.
    window_d : int
        Days of history it learns from.
    refit_d : int
    seed : int
        Of the rows and features that each tree sees.
    **parameters
        Further ones of LightGBM, as ``num_leaves``.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree," NeurIPS 30, 2017.
    """

    name = "lightgbm"

    def __init__(
        self,
        rounds: int = MEDIAN_ROUNDS,
        window_d: int = 365,
        refit_d: int = 7,
        seed: int = 1,
        has_spread: bool = True,
        **parameters: Any,
    ) -> None:
        self.rounds, self.window_d, self.refit_d, self.seed, self.has_spread = (
            rounds,
            window_d,
            refit_d,
            seed,
            has_spread,
        )
        self.parameters = parameters

    def fit(self, design: Design, fold: int) -> None:
        """Learn median and spread from all steps of the days before."""
        import lightgbm

        if "lead_columns" not in design.kept:
            design.kept["lead_columns"], self.columns = lead_columns(design)
            design.kept["lead_names"] = np.array(self.columns)
        first = max(0, fold - self.window_d)
        rows = design.kept["lead_columns"][first:fold].reshape(-1, design.kept["lead_columns"].shape[-1])
        target = known_targets(design, fold)[first:].ravel()
        is_known = ~np.isnan(target)
        share = min(0.7, ROWS_PER_TREE / max(1, is_known.sum()))
        common = {
            "verbosity": -1, "num_threads": 1, "seed": self.seed, "deterministic": True, "force_col_wise": True,
            "feature_fraction": 0.3, "bagging_fraction": share, "bagging_freq": 1, "max_bin": BINS,
        }  # fmt: skip
        data = lightgbm.Dataset(
            rows[is_known],
            target[is_known],
            params={"max_bin": BINS, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 20},
            free_raw_data=False,
        )
        self.median = lightgbm.train({**common, "objective": "l1", **MEDIAN, **self.parameters}, data, self.rounds)
        self.quantiles = [
            lightgbm.train({**common, "objective": "quantile", "alpha": one, **SPREAD}, data, SPREAD_ROUNDS)
            for one in SPREAD_QUANTILES
            if self.has_spread
        ]

    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""
        told: np.ndarray = self.median.predict(design.kept["lead_columns"][fold], num_threads=1)
        return told

    def spread(self, design: Design, fold: int) -> np.ndarray:
        """Return how far the tenth and ninetieth percentile lie below and above the median, shape (2, steps)."""
        rows = design.kept["lead_columns"][fold]
        middle = self.predict(design, fold)
        low, high = (one.predict(rows, num_threads=1) for one in self.quantiles)
        return np.maximum([middle - low, high - middle], 0.0)
