"""A standard load profile as a model: what a household or business of a sort uses, scaled to a year's energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ems.forecast.models.model import FittedModel, Model, State
from ems.forecast.standard_profile import Profile, standard_profile_kw
from ems.record import Positive

if TYPE_CHECKING:
    from ems.forecast.history import Known


class StandardProfile(Model):
    """The standard load profile of a sort of customer; its energy is stated, or that of the history."""

    name: ClassVar[str] = "standard_profile"
    meaning: ClassVar[str] = "the standard load profile of a household, business or farm"

    profile: Profile = "h0"
    """Sort of customer: h0 households, g0 to g6 businesses, l0 to l2 farms."""
    annual_kwh: Positive | None = None
    """Energy of a year; None scales the profile to what was measured."""

    def fit(self, known: Known) -> FittedStandardProfile:
        """Return the profile with its yearly energy."""
        if self.annual_kwh is not None:
            return FittedStandardProfile(self, self.annual_kwh)
        usual = self.power_kw(known, known.past_times, 1.0)
        measured = np.isfinite(known.values)
        return FittedStandardProfile(self, float(known.values[measured].sum() / usual[measured].sum()))

    def power_kw(self, known: Known, times: Any, annual_kwh: float) -> np.ndarray:
        """Return the profile of a yearly energy at some times of a history."""
        history = known.history
        return standard_profile_kw(
            times, history.step_h, history.timezone, self.profile, annual_kwh, country=history.country
        )

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedStandardProfile:
        """Return the fitted model that `FittedStandardProfile.state` describes."""
        return FittedStandardProfile(cls(**options), float(state["annual_kwh"]))


@dataclass(frozen=True)
class FittedStandardProfile(FittedModel):
    """A profile and the energy of its year."""

    model: StandardProfile
    annual_kwh: float

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        return self.model.power_kw(known, known.times, self.annual_kwh)

    def state(self) -> State:
        """Return the energy."""
        return {"annual_kwh": self.annual_kwh}
