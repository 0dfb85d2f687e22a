from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history, noise, pattern
from sktime.forecasting.naive import NaiveForecaster

from ems.errors import InvalidInput, UnknownName
from ems.forecast.models.naive import SeasonalNaive
from ems.forecast.models.sktime_model import SktimeModel
from ems.forecast.sktime_forecaster import EmsForecaster


def test_sktime_model__naive_forecaster_of_sktime_is_our_rule() -> None:
    known = load_history(20).known_at(15 * 24, 24)
    model = SktimeModel(forecaster="NaiveForecaster", forecaster_options={"strategy": "last", "sp": 24})

    predicted = model.fit(known).predict(known)

    assert np.allclose(predicted, SeasonalNaive().fit(known).predict(known))
    assert np.array_equal(SktimeModel.restore(model.model_dump(), {}).predict(known), predicted)
    same = SktimeModel.of(NaiveForecaster(strategy="last", sp=24))
    assert same.forecaster_options == {"sp": 24}
    assert np.array_equal(same.fit(known).predict(known), predicted)


def test_sktime_model__signals_known_ahead_reach_the_forecaster() -> None:
    """A trend forecaster with scikit-learn's line behind it: demand is exactly what the signal says."""
    history = load_history(30)
    signal = 50 + 10 * noise(len(history.times), 3)
    index = {"times": history.times, "values": 2 * signal, "timezone": "UTC"}
    known = type(history)("demand_kw", known_ahead={"signal": signal}, **index).known_at(20 * 24, 24)

    without = SktimeModel(forecaster="NaiveForecaster").fit(known).predict(known)
    found = SktimeModel(forecaster="SARIMAX", training_days=20).fit(known).predict(known)

    assert (
        np.abs(found - 2 * signal[20 * 24 : 21 * 24]).mean()
        < 0.2 * np.abs(without - 2 * signal[20 * 24 : 21 * 24]).mean()
    )


def test_sktime_model__says_what_it_cannot_do() -> None:
    known = load_history(20).known_at(15 * 24, 24)
    with pytest.raises(UnknownName, match=r"forecaster 'NaiveForcaster' of sktime: did you mean NaiveForecaster\?"):
        SktimeModel(forecaster="NaiveForcaster").fit(known)
    with pytest.raises(UnknownName, match="of sktime"):
        SktimeModel(forecaster="os.system").fit(known)
    with pytest.raises(InvalidInput, match=r"strategi: no such parameter; did you mean strategy\?"):
        SktimeModel(forecaster="NaiveForecaster", forecaster_options={"strategi": "last"}).fit(known)
    with pytest.raises(InvalidInput, match="fails: "):
        model = SktimeModel(forecaster="NaiveForecaster", forecaster_options={"strategy": "nonsense"})
        model.fit(known).predict(known)


@pytest.fixture(scope="module")
def series() -> pd.Series:
    index = pd.date_range("2024-01-01", periods=40 * 24, freq="h")
    return pd.Series(pattern(index) + 3 * noise(len(index), 0), index, name="demand_kw")


def test_ems_forecaster__forecasts_by_the_conventions_of_sktime(series: pd.Series) -> None:
    past, ahead = series[: 36 * 24], series[36 * 24 : 37 * 24]
    forecaster = EmsForecaster(model="ridge", warm_up_days=10)

    forecaster.fit(past, fh=np.arange(1, 25))
    predicted = forecaster.predict()
    quantiles = forecaster.predict_quantiles(alpha=[0.1, 0.5, 0.9])

    assert predicted.index.equals(ahead.index)
    assert np.abs(predicted - ahead).mean() < 6
    assert (quantiles.diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert np.allclose(quantiles["demand_kw"][0.5], predicted)


def test_ems_forecaster__takes_signals_as_x(series: pd.Series) -> None:
    signal = pd.DataFrame({"signal": 10 * noise(len(series), 7)}, index=series.index)
    target = series + 4 * signal["signal"]
    past, at = slice(None, 36 * 24), slice(36 * 24, 36 * 24 + 12)

    def error(frame: pd.DataFrame | None) -> float:
        forecaster = EmsForecaster(model="ridge", warm_up_days=8)
        forecaster.fit(target[past], X=None if frame is None else frame[past], fh=np.arange(1, 13))
        predicted = forecaster.predict(X=None if frame is None else frame[at])
        return float(np.abs(predicted - target[at]).mean())

    assert error(signal) < 0.5 * error(None)
