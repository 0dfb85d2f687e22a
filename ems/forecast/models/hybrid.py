"""Physics with a learned residual: trees mend what the plant's record or the weather forecast says wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ems.assets.solar_pv import SolarPV
from ems.forecast.models.boosting import Boosting
from ems.forecast.models.model import FittedModel, State
from ems.forecast.models.physical import Plant

if TYPE_CHECKING:
    import lightgbm

    from ems.forecast.history import Known

SIGNAL = "power by physics"
"""Name of the signal that physics adds to those known ahead."""


class Hybrid(Plant, Boosting):
    """Trees on calendar, lags, weather and the power by physics; they learn what is left of measured power.

    power = factor * physics + trees; the factor is that of least squares, so that a wrong capacity does no harm. Where
    the sun is down, power is exactly zero.
    """

    name: ClassVar[str] = "hybrid"
    meaning: ClassVar[str] = "physics with a residual that boosted trees learn"

    def fit(self, known: Known) -> FittedHybrid:
        """Return factor and trees."""
        view, physics = self.with_physics(known)
        features = view.features
        told = physics[features.past.position]
        usable = np.isfinite(told)
        square = float(np.sum(told[usable] ** 2))
        factor = float(np.sum(told[usable] * features.target[usable])) / square if square > 0 else 0.0
        residual = features.target[usable] - factor * told[usable]
        trees = self.train(features.past_matrix[usable], residual, known.history.label)
        return FittedHybrid(self, factor, trees)

    def with_physics(self, known: Known) -> tuple[Known, np.ndarray]:
        """Return what is known with the power by physics among its signals, and that power over the window."""
        physics = self.power_kw(known, slice(None))
        return known.with_ahead({**known.ahead, SIGNAL: physics}), physics

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedHybrid:
        """Return the fitted model that `FittedHybrid.state` describes."""
        import lightgbm

        return FittedHybrid(cls(**options), float(state["factor"]), lightgbm.Booster(model_str=state["trees"]))


@dataclass(frozen=True)
class FittedHybrid(FittedModel):
    """Physics, a factor, and trees for what is left.

    Parameters
    ----------
    model : Hybrid
    factor : float
        Of the power by physics.
    booster : Booster
    """

    model: Hybrid
    factor: float
    booster: lightgbm.Booster

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        view, physics = self.model.with_physics(known)
        told = physics[known.past_steps :]
        found = self.factor * told + np.asarray(self.booster.predict(view.features.ahead_matrix, num_threads=1))
        if isinstance(self.model.asset, SolarPV):
            found = np.where(told <= 0, 0.0, found)
        return np.asarray(np.maximum(found, 0.0))

    def state(self) -> State:
        """Return the factor, and the trees as text."""
        return {"factor": self.factor, "trees": self.booster.model_to_string()}
