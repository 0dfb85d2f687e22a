from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history, times

from ems.errors import InvalidInput, MissingValues
from ems.forecast.history import History, IssuedSignal


def test_known_at__holds_nothing_later_than_the_issue_time() -> None:
    history = load_history(days=20)
    at = 15 * 24

    known = history.known_at(at, 24)

    assert len(known.values) == at
    assert known.past_times[-1] < known.issued_at == history.times[at]
    assert len(known.ahead["outdoor_temperature_degc"]) == at + 24
    assert len(known.times) == 24


def test_known_at__signal_known_in_the_past_ends_at_the_issue_time() -> None:
    history = load_history(days=20)
    history = replace(history, known_ahead={}, known_past=dict(history.known_ahead))

    known = history.known_at(15 * 24, 24)

    assert len(known.past["outdoor_temperature_degc"]) == 15 * 24
    assert not known.ahead


def test_known_at__training_days_bound_the_window() -> None:
    known = load_history(days=40).known_at(35 * 24, 24, training_days=10)

    assert known.past_steps == 240


def test_known_at__too_short_history_names_the_minimum() -> None:
    index = times(days=2)
    history = History("demand_kw", index, np.ones(len(index)), asset="house")

    with pytest.raises(InvalidInput, match=r"demand_kw of 'house'.*3 values \(3 h\).*at least 168 \(7 days\)"):
        history.known_at(3, 24)


def test_known_at__signal_that_lacks_a_value_ahead_is_an_error() -> None:
    history = load_history(days=20)
    degc = history.known_ahead["outdoor_temperature_degc"].copy()
    degc[15 * 24 + 3] = np.nan
    history = replace(history, known_ahead={"outdoor_temperature_degc": degc})

    with pytest.raises(
        MissingValues, match=r"outdoor_temperature_degc lacks 1 of 24 values from 2024-01-16 03:00 UTC"
    ):
        history.known_at(15 * 24, 24)
    assert np.isnan(history.known_at(15 * 24 + 4, 24).ahead["outdoor_temperature_degc"][15 * 24 + 3])


def test_known_at__past_the_raster_goes_on_with_unknown_values() -> None:
    history = replace(load_history(days=20), known_ahead={})

    known = history.known_at(20 * 24, 24)

    assert known.times[-1] == pd.Timestamp("2024-01-21 23:00")


def test_issued_signal__takes_the_last_forecast_that_was_out() -> None:
    """Two forecasts of the same hours: the one of 06:00 is known from then on, not before."""
    hours = times(days=1)
    signal = IssuedSignal(
        pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 06:00"]), np.array([np.full(24, 1.0), np.full(24, 2.0)])
    )

    early = signal.known(pd.DatetimeIndex([hours[5]] * 24))
    late = signal.known(pd.DatetimeIndex([hours[6]] * 24))

    assert set(early) == {1.0}
    assert set(late) == {2.0}


def test_known_at__learns_from_signals_as_they_were_then() -> None:
    """A forecast is issued each midnight for two days: of past days, that of the same day's midnight is taken."""
    history = load_history(days=20)
    issues = pd.date_range("2024-01-01", periods=20, freq="D")
    table = np.full((20, len(history.times)), np.nan)
    for day in range(20):
        table[day, day * 24 : day * 24 + 48] = day
    history = replace(history, known_ahead={"clouds": IssuedSignal(issues, table)})

    known = history.known_at(15 * 24, 24)

    days = np.arange(len(known.ahead["clouds"])) // 24
    assert np.array_equal(known.ahead["clouds"], days)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": np.ones(3)}, r"demand_kw: has shape \(3,\)"),
        ({"values": np.full(480, np.inf)}, "demand_kw: holds an infinite value at 2024-01-01 00:00 UTC"),
        ({"times": times(20).delete(5)}, "raster of equal steps"),
        ({"lower": 2.0, "upper": 1.0}, "lower = 2: must be less than upper = 1"),
        ({"known_past": {"outdoor_temperature_degc": np.ones(480)}}, "known ahead and as known past"),
    ],
)
def test_history__refuses_what_is_no_series(change: dict, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        replace(load_history(days=20), **change)


def test_position__names_the_series_where_no_step_begins() -> None:
    with pytest.raises(InvalidInput, match="no step begins at 2024-01-01 00:30 UTC"):
        load_history(days=20).position(pd.Timestamp("2024-01-01 00:30"))


def test_history_of__takes_a_pandas_series_with_a_zone() -> None:
    index = pd.date_range("2024-01-01", periods=48, freq="h", tz="Europe/Berlin")

    history = History.of(pd.Series(np.arange(48.0), index, name="demand_kw"), timezone="Europe/Berlin")

    assert history.times[0] == pd.Timestamp("2023-12-31 23:00")
    assert history.units == "kW"
