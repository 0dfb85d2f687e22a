"""Rolling: models forecast fold after fold, each from what was known at its issue; weights and quantiles follow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ems.forecast.combination import best_model, combination_weights
from ems.forecast.conformal import Calibration, error_scale
from ems.forecast.design import Design
from ems.forecast.point_model import PointModel, TooShort

WEIGHT_FOLDS = 56
"""Past folds from which weights are learned."""
SCALE_FOLDS = 28
ENSEMBLE, AUTO = "ensemble", "auto"


@dataclass(frozen=True, eq=False)
class MemberForecasts:
    """What models said of folds, each from what was known at its issue.

    Parameters
    ----------
    design : Design
    folds : ndarray of int (folds)
        Issues of the design, rising.
    point : mapping of str to ndarray (folds, steps)
    spread : ndarray (folds, steps) or None
        How far apart the tenth and ninetieth percentile lie, of a model that tells it.
    cpu_s : mapping of str to float
        CPU seconds that each model took for all folds.
    """

    design: Design
    folds: np.ndarray
    point: Mapping[str, np.ndarray]
    spread: np.ndarray | None
    cpu_s: Mapping[str, float]

    def known_at(self, at: int) -> np.ndarray:
        """Return what had come to pass of the folds before fold number `at` when it was issued, (at, steps)."""
        slot, issue = self.design.slot[self.folds[:at]], self.design.issue[self.folds[at]]
        return np.where(slot < issue, self.design.target[self.folds[:at]], np.nan)


def member_forecasts(
    design: Design, folds: np.ndarray, models: Mapping[str, PointModel], refit_d: int | None = None
) -> MemberForecasts:
    """Return the forecasts of models, which are fitted again as often as each says.

    Parameters
    ----------
    design : Design
    folds : ndarray of int (folds)
    models : mapping of str to PointModel
    refit_d : int, optional
        Days between fits of every model but for the last fold, at which all are fitted; each model's own where none
        is given.
    """
    point, cpu_s, spreads = {}, {}, []
    for name, model in models.items():
        began = time.process_time()
        told, apart = [], []
        for at, fold in enumerate(folds):
            is_last = refit_d is not None and at == len(folds) - 1
            if at % (refit_d or model.refit_d) == 0 or is_last:
                model.fit(design, int(fold))
            told.append(model.predict(design, int(fold)))
            if model.has_spread:
                apart.append(model.spread(design, int(fold)))
        point[name] = np.array(told)
        if apart:
            spreads.append(np.array(apart))
        cpu_s[name] = time.process_time() - began
    return MemberForecasts(design, folds, point, np.mean(spreads, axis=0) if spreads else None, cpu_s)
