"""Model and FittedModel: what all models have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from ems.record import Positive, Record

if TYPE_CHECKING:
    from ems.forecast.history import Known

State = dict[str, Any]
"""What a fitted model has learned: arrays, texts, numbers, and lists and mappings of them; nothing that runs."""

LARGEST_SEED = 2**31 - 1


class Model(Record, ABC):
    """How a series is forecast; its fields are the options, each with an effect."""

    name: ClassVar[str]
    """Name by which people choose it."""
    meaning: ClassVar[str]
    """What it does, in a sentence."""
    least_days: ClassVar[int] = 7
    """Days of history without which it is not fitted: one of each kind of day."""
    tells_width: ClassVar[bool] = False
    """Whether it tells how wide the distribution is, and not what will come."""

    refit_days: Positive = 1.0
    """Days after which it is fitted again while issue times go on."""
    training_days: Annotated[float, Field(ge=7, le=3660)] = 365.0
    """Days of history that it learns from."""

    @abstractmethod
    def fit(self, known: Known) -> FittedModel:
        """Return what is learned from all that is known at an issue time.

        Raises
        ------
        InvalidInput
            If the history is too short for it, or lacks what it needs.
        """

    def fit_once(self, known: Known) -> Any:
        """Return the fitted model, fitted now or for another model that has it as a part."""
        key = f"{self.name} {self.model_dump_json()}"
        if key not in known.fits:
            known.fits[key] = self.fit(known)
        return known.fits[key]

    @classmethod
    @abstractmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedModel:
        """Return a fitted model from its options and what `FittedModel.state` gave."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return f"the options of model '{cls.name}'"


class FittedModel(ABC):
    """A model that has learned; predicts from any issue time after."""

    model: Model

    @abstractmethod
    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step, shape (steps,)."""

    def update(self, known: Known) -> Self:
        """Return the model with what little it learns from the time since; as it is, where that is nothing."""
        return self

    @abstractmethod
    def state(self) -> State:
        """Return what was learned, to be kept."""
