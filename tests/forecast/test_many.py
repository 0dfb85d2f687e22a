from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history

from ems.errors import InvalidInput
from ems.forecast.history import History
from ems.forecast.many import SEASONS, naive_many
from ems.forecast.models.naive import LastValue, SeasonalNaive


@pytest.mark.parametrize("season", SEASONS)
@pytest.mark.parametrize("steps", [1, 24, 200])
def test_naive_many__is_the_rule_of_one_series(season: str, steps: int) -> None:
    """Ten weeks across the clock change of spring, with gaps."""
    random = np.random.default_rng(0)
    index = pd.date_range("2024-02-01", periods=70 * 24, freq="h", unit="ns")
    values = random.uniform(1, 9, (3, len(index)))
    values[random.uniform(size=values.shape) < 0.05] = np.nan

    many = naive_many(values, index, "Europe/Berlin", season, steps)

    for row, series in zip(many, values, strict=True):
        known = History("demand_kw", index, series, timezone="Europe/Berlin").known_at(len(index), steps)
        assert np.array_equal(SeasonalNaive(season=season).fit(known).predict(known), row)


def test_naive_many__of_kinds_of_day() -> None:
    """A Monday, as Saturday and Sunday, is as a week before; a Tuesday is as the day before."""
    index = pd.date_range("2024-01-01", periods=28 * 24, freq="h", unit="ns")
    day = np.arange(len(index)) // 24

    monday = naive_many(day[None].astype(float), index, "UTC", "kind_of_day", 48)[0]

    assert set(monday[:24]) == {21.0}
    assert set(monday[24:]) == {27.0}


def test_naive_many__refuses_another_season_and_shape() -> None:
    index = pd.date_range("2024-01-01", periods=48, freq="h", unit="ns")
    with pytest.raises(InvalidInput, match=r"season = 'dya': did you mean day\?"):
        naive_many(np.ones((2, 48)), index, "UTC", "dya")
    with pytest.raises(InvalidInput, match=r"have shape \(48,\)"):
        naive_many(np.ones(48), index, "UTC")


def test_last_value__holds_the_last_that_is_known() -> None:
    history = load_history(20)
    values = history.values.copy()
    values[15 * 24 - 1] = np.nan
    known = History("demand_kw", history.times, values).known_at(15 * 24, 5)

    assert LastValue().fit(known).predict(known).tolist() == [values[15 * 24 - 2]] * 5
