from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history

from ems.errors import InvalidInput
from ems.forecast.models.standard_profile import StandardProfile
from ems.forecast.standard_profile import standard_profile_kw


@pytest.mark.parametrize(("profile", "step_h"), [("h0", 1.0), ("g1", 0.25), ("l0", 0.5)])
def test_standard_profile__of_a_year_has_its_energy(profile: str, step_h: float) -> None:
    times = pd.date_range("2022-12-31 23:00", periods=round(8760 / step_h), freq=pd.Timedelta(hours=step_h), unit="ns")

    power = standard_profile_kw(times, step_h, "Europe/Berlin", profile, 4000)

    # The hour that the clock skips in spring and repeats in autumn is not quite the same.
    assert power.sum() * step_h == pytest.approx(4000, rel=1e-3)
    assert power.min() > 0


def test_standard_profile__goes_by_the_local_clock_and_holidays() -> None:
    """Shops of weekdays (g1) rest on the first of May, a Wednesday; in summer they open an hour earlier in UTC."""
    winter = pd.date_range("2024-01-15 23:00", periods=24, freq="h", unit="ns")
    summer = pd.date_range("2024-07-15 22:00", periods=24, freq="h", unit="ns")
    may = pd.date_range("2024-04-30 22:00", periods=24, freq="h", unit="ns")

    day, warm, off = (standard_profile_kw(one, 1.0, "Europe/Berlin", "g1", 1000) for one in (winter, summer, may))
    workday = standard_profile_kw(may, 1.0, "Europe/Berlin", "g1", 1000, country=None)

    assert np.argmax(day) == pytest.approx(np.argmax(warm), abs=1)
    assert off.sum() < 0.5 * workday.sum()


def test_standard_profile__leaves_warnings_as_they_were() -> None:
    """The library of profiles turns every warning of the process into an error."""
    before = list(warnings.filters)

    standard_profile_kw(pd.date_range("2031-01-01", periods=4, freq="h", unit="ns"), 1.0, "UTC", "h0", 1000)

    assert warnings.filters == before


def test_standard_profile_model__is_scaled_to_what_was_measured_or_to_the_energy_stated() -> None:
    known = load_history(20).known_at(15 * 24, 24)

    measured = StandardProfile(profile="g0").fit(known).predict(known)
    stated = StandardProfile(profile="g0", annual_kwh=8760).fit(known).predict(known)

    assert measured.mean() == pytest.approx(np.nanmean(known.values), rel=0.5)
    assert stated.mean() == pytest.approx(1, rel=0.5)


def test_standard_profile__refuses_what_there_is_not() -> None:
    times = pd.date_range("2024-01-01", periods=4, freq="h", unit="ns")
    with pytest.raises(InvalidInput, match=r"(?s)profile = 'g9'.*annual_kwh = -1 kWh.*step_h = 0.1 h"):
        standard_profile_kw(times, 0.1, "UTC", "g9", -1)
