"""Gradient boosting of trees: directly on features, and on top of linear models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ems.errors import InvalidInput
from ems.forecast.models.model import LARGEST_SEED, FittedModel, Model, State
from ems.forecast.models.profile_ridge import FittedProfileRidge, ProfileRidge
from ems.forecast.models.ridge import FittedRidge, Ridge
from ems.record import Efficiency, NonNegative, Positive

if TYPE_CHECKING:
    import lightgbm

    from ems.forecast.features import Rows
    from ems.forecast.history import Known

FEWEST_ROWS = 100
WIDTH_LEVELS = (0.1, 0.9)
BINS = 63
"""Bins of a feature: fewer are quicker, and more tell no more of a year of hours."""


class Boosting(Model):
    """Options of trees that are grown one after the other, each on what the ones before left over."""

    refit_days: Positive = 7.0
    """Days after which it is fitted again while issue times go on."""
    trees: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Trees that are grown."""
    learning_rate: Efficiency = 0.06
    """Share of what each tree explains that is taken."""
    leaves: Annotated[int, Field(ge=2, le=4096)] = 24
    """Most leaves of a tree."""
    least_rows_of_leaf: Annotated[int, Field(ge=1)] = 25
    """Fewest rows of a leaf."""
    feature_share: Efficiency = 0.4
    """Share of the features among which a tree chooses."""
    row_share: Efficiency = 0.8
    """Share of the rows from which a tree learns."""
    l2_penalty: NonNegative = 1.0
    """Shrinking of the leaves' values."""
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 0
    """Seed of what is drawn at random: rows and features."""

    def train(
        self, matrix: np.ndarray, target: np.ndarray, subject: str, level: float | None = None
    ) -> lightgbm.Booster:
        """Return trees whose sum has the least absolute error, or pinball loss at a level; one seed, one result."""
        import lightgbm

        if len(target) < FEWEST_ROWS:
            raise InvalidInput(
                f"model '{self.name}' for {subject}",
                f"{len(target)} values to learn from: it needs at least {FEWEST_ROWS}; give a longer history",
            )
        options = {
            "objective": "l1" if level is None else "quantile",
            "alpha": 0.5 if level is None else level,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least_rows_of_leaf,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1 if self.row_share < 1 else 0,
            "lambda_l2": self.l2_penalty,
            "max_bin": BINS,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbose": -1,
        }
        rows = lightgbm.Dataset(matrix, target, params={"max_bin": BINS, "verbose": -1})
        return lightgbm.train(options, rows, self.trees)


class LightGbm(Boosting):
    """Trees on calendar, lags and signals known ahead, for all steps of the horizon at once [1]_.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: A highly efficient gradient boosting decision tree," Advances in Neural Information
       Processing Systems 30, 2017.
    """

    name: ClassVar[str] = "lightgbm"
    meaning: ClassVar[str] = "boosted trees on calendar, lags and signals"

    def fit(self, known: Known) -> FittedLightGbm:
        """Return the trees; gaps stay gaps, which trees can tell apart."""
        features = known.features
        return FittedLightGbm(self, self.train(features.past_matrix, features.target, known.history.label))

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedLightGbm:
        """Return the fitted model that `FittedLightGbm.state` describes."""
        import lightgbm

        return FittedLightGbm(cls(**options), lightgbm.Booster(model_str=state["trees"]))


@dataclass(frozen=True)
class FittedLightGbm(FittedModel):
    """Trees on features."""

    model: LightGbm
    booster: lightgbm.Booster

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        return np.asarray(self.booster.predict(known.features.ahead_matrix, num_threads=1))

    def state(self) -> State:
        """Return the trees as text."""
        return {"trees": self.booster.model_to_string()}


class IntervalWidth(Boosting):
    """Distance between two quantiles that trees learn: how wide the distribution of a step is expected to be."""

    name: ClassVar[str] = "interval_width"
    meaning: ClassVar[str] = "distance between the quantiles 0.1 and 0.9 of boosted trees; no forecast by itself"
    tells_width: ClassVar[bool] = True

    refit_days: Positive = 28.0
    """Days after which it is fitted again while issue times go on."""
    trees: Annotated[int, Field(ge=1, le=10_000)] = 60
    """Trees that are grown for each quantile."""
    learning_rate: Efficiency = 0.1
    """Share of what each tree explains that is taken."""
    leaves: Annotated[int, Field(ge=2, le=4096)] = 12
    """Most leaves of a tree."""
    least_rows_of_leaf: Annotated[int, Field(ge=1)] = 40
    """Fewest rows of a leaf."""

    def fit(self, known: Known) -> FittedIntervalWidth:
        """Return the trees of both quantiles."""
        features, label = known.features, known.history.label
        return FittedIntervalWidth(
            self,
            *(self.train(features.past_matrix, features.target, label, level) for level in WIDTH_LEVELS),
        )

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedIntervalWidth:
        """Return the fitted model that `FittedIntervalWidth.state` describes."""
        import lightgbm

        return FittedIntervalWidth(
            cls(**options), *(lightgbm.Booster(model_str=state[one]) for one in ("lower", "upper"))
        )


@dataclass(frozen=True)
class FittedIntervalWidth(FittedModel):
    """Trees of a lower and an upper quantile."""

    model: IntervalWidth
    lower: lightgbm.Booster
    upper: lightgbm.Booster

    def predict(self, known: Known) -> np.ndarray:
        """Return the width of each step, zero where the quantiles cross."""
        matrix = known.features.ahead_matrix
        low, high = (np.asarray(one.predict(matrix, num_threads=1)) for one in (self.lower, self.upper))
        width: np.ndarray = np.maximum(high - low, 0.0)
        return width

    def state(self) -> State:
        """Return the trees as text."""
        return {"lower": self.lower.model_to_string(), "upper": self.upper.model_to_string()}


class BoostedRidge(Boosting):
    """Trees that see the features and what linear models predict; they mend those, or choose among them.

    What linear models predict of the rows to learn from is predicted without these rows (leave one out), so that trees
    learn from errors as they are in use.
    """

    name: ClassVar[str] = "boosted_ridge"
    meaning: ClassVar[str] = "boosted trees on features and on what linear models predict"

    target: Literal["residual", "value"] = "residual"
    """Whether trees learn what the linear models leave over, or the values themselves."""

    def fit(self, known: Known) -> FittedBoostedRidge:
        """Return the linear models and the trees on top of them."""
        linear = LinearModels.fitted(known)
        features = known.features
        predicted = linear.left_out(features.past)
        base = predicted.mean(axis=1)
        usable = np.isfinite(base)
        matrix = np.column_stack([features.past_matrix, linear.columns(predicted)])[usable]
        target = features.target[usable] - (base[usable] if self.target == "residual" else 0.0)
        return FittedBoostedRidge(self, linear, self.train(matrix, target, known.history.label))

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedBoostedRidge:
        """Return the fitted model that `FittedBoostedRidge.state` describes."""
        import lightgbm

        linear = LinearModels(
            Ridge.restore({}, state["ridge"]),
            tuple(ProfileRidge.restore(kept["options"], kept["state"]) for kept in state["profiles"]),
        )
        return FittedBoostedRidge(cls(**options), linear, lightgbm.Booster(model_str=state["trees"]))


@dataclass(frozen=True)
class LinearModels:
    """The linear models below the trees.

    Parameters
    ----------
    ridge : FittedRidge
    profiles : tuple of FittedProfileRidge
        Those that the history is long enough for.
    """

    ridge: FittedRidge
    profiles: tuple[FittedProfileRidge, ...]

    @classmethod
    def fitted(cls, known: Known) -> LinearModels:
        """Return the models fitted to what is known."""
        profiles: list[FittedProfileRidge] = []
        # Profiles are learned once a day; rows of issue times in between would have no prediction of theirs.
        for transform in ("none", "asinh") if known.features.is_daily else ():
            try:
                profiles.append(ProfileRidge(transform=transform).fit_once(known))
            except InvalidInput:  # too few whole days: hours are learned apart all the same
                break
        return cls(Ridge().fit_once(known), tuple(profiles))

    def predict(self, known: Known) -> np.ndarray:
        """Return what each predicts, shape (steps, models)."""
        return np.column_stack([one.predict(known) for one in (self.ridge, *self.profiles)])

    def left_out(self, rows: Rows) -> np.ndarray:
        """Return what each predicts of rows without them, shape (rows, models)."""
        return np.column_stack([self.ridge.left_out, *(one.left_out(rows) for one in self.profiles)])

    @staticmethod
    def columns(predicted: np.ndarray) -> np.ndarray:
        """Return features made of predictions: their mean, and how far each lies from the first."""
        return np.column_stack([predicted.mean(axis=1), predicted[:, 1:] - predicted[:, :1]])


@dataclass(frozen=True)
class FittedBoostedRidge(FittedModel):
    """Linear models and trees on top of them."""

    model: BoostedRidge
    linear: LinearModels
    booster: lightgbm.Booster

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        predicted = self.linear.predict(known)
        matrix = np.column_stack([known.features.ahead_matrix, self.linear.columns(predicted)])
        found = np.asarray(self.booster.predict(matrix, num_threads=1))
        return found + predicted.mean(axis=1) if self.model.target == "residual" else found

    def update(self, known: Known) -> Self:
        """Return the model with its linear part fitted again; the trees stay."""
        linear = LinearModels.fitted(known)
        is_alike = len(linear.profiles) == len(self.linear.profiles)
        return replace(self, linear=linear) if is_alike else self

    def state(self) -> State:
        """Return coefficients, and the trees as text."""
        profiles = [{"options": one.model.as_json(), "state": one.state()} for one in self.linear.profiles]
        return {"ridge": self.linear.ridge.state(), "profiles": profiles, "trees": self.booster.model_to_string()}
