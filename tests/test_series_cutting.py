"""Series are cut to a horizon: what is averaged, held, filled or refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput, MissingValues
from ems.horizon import Horizon
from ems.series.cutting import cut_series, start_of, step_of
from ems.series.form import SeriesForm

START = dt.datetime(2024, 3, 4, tzinfo=dt.UTC)
REFUSE = SeriesForm()
LINE = SeriesForm(fill_gaps="interpolate")
NAN = float("nan")


def make(values: Sequence[float], step_h: float = 1.0, **others: Sequence[float]) -> xr.Dataset:
    """Return demand of a house, and further columns ``variable__asset``."""
    columns = {("demand_kw", "house"): values, **{tuple(k.split("__")): v for k, v in others.items()}}
    assets = list(dict.fromkeys(asset for _, asset in columns))
    times = pd.date_range("2024-03-04", periods=len(values), freq=pd.Timedelta(hours=step_h), name="time")
    data = {}
    for variable in dict.fromkeys(variable for variable, _ in columns):
        own = {asset: column for (name, asset), column in columns.items() if name == variable}
        array = np.column_stack([own.get(asset, np.full(len(values), NAN)) for asset in assets])
        data[variable] = (("time", "asset"), array, {"columns": {asset: f"{asset}_column" for asset in own}})
    attrs = {"source": "data/series/house.csv", "step_h": step_h, "notes": ["as read"]}
    return xr.Dataset(data, {"time": times.as_unit("ns"), "asset": assets}, attrs)


def cut_demand(series: xr.Dataset, horizon: Horizon, form: SeriesForm = REFUSE) -> list[float]:
    values: list[float] = cut_series(series, horizon, form).demand_kw.sel(asset="house").values.tolist()
    return values


def at_hour(hour: float) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


# ------------------------------------------------------------------------------------------------------- steps
def test_cut_series__same_steps() -> None:
    """Hours 1 and 2 of four, nothing else said."""
    cut = cut_series(make([1, 2, 3, 4]), Horizon.regular(at_hour(1), 2), REFUSE)
    assert cut.demand_kw.values.ravel().tolist() == [2, 3]
    assert cut.attrs["notes"] == ["as read"] and step_of(cut) == 1.0 and start_of(cut) == at_hour(1)


def test_cut_series__finer_data_are_averaged() -> None:
    """Four quarters of 1, 2, 3, 6 kW are 3 kW over their hour."""
    cut = cut_series(make([1, 2, 3, 6, 0, 0, 0, 0], step_h=0.25), Horizon.regular(START, 2), REFUSE)
    assert cut.demand_kw.values.ravel().tolist() == [3, 0]
    assert cut.attrs["notes"][-1] == "values over 15 min were averaged over steps of 1 h"


def test_cut_series__coarser_data_are_held() -> None:
    cut = cut_series(make([1, 2]), Horizon.regular(START, 2, 0.5), REFUSE)
    assert cut.demand_kw.values.ravel().tolist() == [1, 1, 2, 2]
    assert cut.attrs["notes"][-1] == "values over 1 h were held over steps of 30 min"


def test_cut_series__steps_of_different_lengths() -> None:
    """Two steps of 30 min hold the first hour; the step of 2 h averages 2 and 4 kW to 3 kW."""
    cut = cut_series(make([1, 2, 4]), Horizon(START, (0.5, 0.5, 2.0)), REFUSE)
    assert cut.demand_kw.values.ravel().tolist() == [1, 1, 3]
    assert cut.attrs["step_h"] == [0.5, 0.5, 2.0]
    with pytest.raises(InvalidInput, match="has steps from 30 min to 2 h"):
        step_of(cut)


def test_cut_series__steps_that_begin_between() -> None:
    """From half past to half past: the mean of 1 and 2 kW is 1.5 kW, weighted by half an hour each."""
    assert cut_demand(make([1, 2, 4]), Horizon.regular(at_hour(0.5), 2)) == [1.5, 3]


def test_cut_series__weights_are_lengths() -> None:
    """A step of 1.5 h holds 1 h of 3 kW and 0.5 h of 6 kW: (3 + 3) kWh / 1.5 h = 4 kW."""
    assert cut_demand(make([3, 6]), Horizon.regular(START, 1.5, 1.5)) == [4]


@pytest.mark.parametrize(("hour", "length"), [(-1, 2), (3, 2), (10, 1)])
def test_cut_series__horizon_not_covered(hour: float, length: float) -> None:
    with pytest.raises(
        InvalidInput,
        match=r"series data/series/house.csv: covers 2024-03-04 00:00 UTC to 2024-03-04 04:00 UTC in steps of 1 h, "
        r"the horizon goes from 2024-03-",
    ):
        cut_series(make([1, 2, 3, 4]), Horizon.regular(at_hour(hour), length), REFUSE)


def test_cut_series__over_the_autumn_day_in_local_time() -> None:
    """27 October 2024 in Berlin lasts from 22:00 to 23:00 UTC, 25 hours."""
    series = make(np.arange(24 * 365).tolist())
    start = dt.datetime.fromisoformat("2024-10-27T00:00+02:00")
    end = dt.datetime.fromisoformat("2024-10-28T00:00+01:00")
    horizon = Horizon.regular(start, (end - start).total_seconds() / 3600)
    assert len(cut_demand(series, horizon)) == 25


# -------------------------------------------------------------------------------------------------------- gaps
def test_cut_series__gap_refused() -> None:
    with pytest.raises(MissingValues) as caught:
        cut_series(make([1, NAN, 3, NAN, NAN, 6]), Horizon.regular(START, 6), REFUSE)
    assert caught.value.findings == (
        "demand_kw of 'house' (column 'house_column') has 2 gaps (3 missing values) between 2024-03-04 01:00 UTC and "
        "2024-03-04 04:00 UTC; give these values, choose a horizon without them, or say fill_gaps: interpolate or "
        "previous",
    )


def test_cut_series__gap_outside_the_horizon_is_no_matter() -> None:
    assert cut_demand(make([1, NAN, 3, 4]), Horizon.regular(at_hour(2), 2)) == [3, 4]


def test_cut_series__gaps_of_all_columns_are_told() -> None:
    series = make([1, NAN, 3], available_kw__roof=[1, NAN, 3])
    with pytest.raises(MissingValues) as caught:
        cut_series(series, Horizon.regular(START, 3), REFUSE)
    assert len(caught.value.findings) == 2


def test_cut_series__filled_by_a_line() -> None:
    """Between 1 and 4 kW lie 2 and 3 kW."""
    cut = cut_series(make([1, NAN, NAN, 4]), Horizon.regular(START, 4), LINE)
    np.testing.assert_allclose(cut.demand_kw.values.ravel(), [1, 2, 3, 4], rtol=1e-15)
    assert cut.attrs["notes"][-1] == (
        "demand_kw of 'house' (column 'house_column') has 1 gap (2 missing values) between 2024-03-04 01:00 UTC and "
        "2024-03-04 02:00 UTC, filled by interpolation"
    )


def test_cut_series__filled_from_values_outside_the_horizon() -> None:
    assert cut_demand(make([1, NAN, 3]), Horizon.regular(at_hour(1), 1), LINE) == [2]


def test_cut_series__filled_by_the_value_before() -> None:
    form = SeriesForm(fill_gaps="previous")
    assert cut_demand(make([1, NAN, NAN, 4]), Horizon.regular(START, 4), form) == [1, 1, 1, 4]


def test_cut_series__gap_too_long_to_fill() -> None:
    """Two gaps of 1 h and 2 h with at most 1.5 h: only the second is refused."""
    form = LINE.replace(longest_fill_h=1.5)
    with pytest.raises(MissingValues) as caught:
        cut_series(make([1, NAN, 3, NAN, NAN, 6]), Horizon.regular(START, 6), form)
    assert len(caught.value.findings) == 1
    assert "from 2024-03-04 03:00 UTC to 2024-03-04 05:00 UTC is 2 h long, more than longest_fill_h = 1.5 h" in str(
        caught.value
    )


@pytest.mark.parametrize(("values", "side"), [([NAN, 2, 3], "start"), ([1, 2, NAN], "end")])
@pytest.mark.parametrize("fill", ["interpolate", "previous"])
def test_cut_series__nothing_is_filled_at_the_edges(values: list[float], side: str, fill: str) -> None:
    form = SeriesForm.from_mapping({"fill_gaps": fill})
    with pytest.raises(MissingValues, match=f"lies at the {side} of the data, where nothing is filled"):
        cut_series(make(values), Horizon.regular(START, 3), form)


@pytest.mark.parametrize("form", [REFUSE, LINE])
def test_cut_series__a_column_shorter_than_another(form: SeriesForm) -> None:
    """Price has 12 values and load 24; twelve hours can be cut, thirteen cannot, whatever is said of gaps."""
    series = make([5.0] * 24, import_price_per_kwh__grid=[0.2] * 12 + [NAN] * 12)
    assert cut_demand(series, Horizon.regular(START, 12), form) == [5.0] * 12
    with pytest.raises(
        MissingValues,
        match=r"import_price_per_kwh of 'grid' .* has 12 values, the last one at 2024-03-04 11:00 UTC, but "
        r"demand_kw of 'house' \(column 'house_column'\) has 24 values",
    ):
        cut_series(series, Horizon.regular(START, 13), form)


def test_cut_series__variable_that_does_not_apply_stays_empty() -> None:
    """The grid has no demand; that is no gap."""
    cut = cut_series(make([1, 2], import_price_per_kwh__grid=[0.2, 0.3]), Horizon.regular(START, 2), REFUSE)
    assert cut.demand_kw.sel(asset="grid").isnull().all()
    assert cut.import_price_per_kwh.sel(asset="grid").values.tolist() == [0.2, 0.3]


def test_cut_series__column_without_any_value_is_a_gap() -> None:
    with pytest.raises(MissingValues, match=r"has no value in any row, while demand_kw of 'house'.* has; is it"):
        cut_series(make([1, 2], available_kw__roof=[NAN, NAN]), Horizon.regular(START, 2), LINE)


def test_cut_series__leaves_the_given_series_alone() -> None:
    series = make([1, NAN, 3])
    kept = series.copy(deep=True)
    cut_series(series, Horizon.regular(START, 3), LINE)
    xr.testing.assert_identical(series, kept)


# -------------------------------------------------------------------------------------------------------- laws
powers = st.lists(st.floats(-1e6, 1e6), min_size=48, max_size=48)
lengths = st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.75, 3.0]), min_size=1, max_size=6)


@settings(deadline=None, max_examples=examples(30))
@given(values=powers, offset=st.sampled_from([0, 0.25, 1, 1.5]), steps_h=lengths)
def test_cut_series__energy_is_kept(values: list[float], offset: float, steps_h: list[float]) -> None:
    """Energy from the first to the last boundary is that of the data, by a sum over minutes."""
    series = make(values, step_h=0.5)
    horizon = Horizon(at_hour(offset), tuple(steps_h))
    energy_kwh = float(np.sum(cut_demand(series, horizon) * horizon.step_h))
    by_minute = np.repeat(values, 30)[int(offset * 60) : int((offset + horizon.length_h) * 60)]
    # Sums of up to 1,000 numbers of up to 1e6: rounding stays below 1e-16 * 1e6 * 1e3, with room.
    assert energy_kwh == pytest.approx(by_minute.sum() / 60, abs=1e-6, rel=1e-9)


@settings(deadline=None, max_examples=examples(30))
@given(values=powers, steps_h=lengths)
def test_cut_series__means_lie_between_the_extremes(values: list[float], steps_h: list[float]) -> None:
    cut = cut_demand(make(values, step_h=0.5), Horizon(START, tuple(steps_h)))
    # A mean is rounded in its last digits.
    assert min(values) - 1e-9 <= min(cut) and max(cut) <= max(values) + 1e-9


@settings(deadline=None, max_examples=examples(30))
@given(values=powers, steps_h=lengths)
def test_cut_series__cut_of_cut_equals_cut(values: list[float], steps_h: list[float]) -> None:
    horizon = Horizon(START, tuple(steps_h))
    once = cut_series(make(values, step_h=0.5), horizon, REFUSE)
    xr.testing.assert_identical(cut_series(once, horizon, REFUSE), once)


@settings(deadline=None, max_examples=examples(30))
@given(values=powers, gaps=st.sets(st.integers(1, 46), max_size=20))
def test_cut_series__no_gap_is_left(values: list[float], gaps: set[int]) -> None:
    """Filled or refused: a number never turns up as NaN, and known values stay as they are."""
    holed = np.array(values)
    holed[list(gaps)] = NAN
    try:
        cut = np.array(cut_demand(make(holed.tolist(), step_h=0.5), Horizon.regular(START, 24, 0.5), LINE))
    except MissingValues as error:
        assert "more than longest_fill_h" in str(error)
        return
    assert not np.isnan(cut).any()
    np.testing.assert_array_equal(cut[~np.isnan(holed)], holed[~np.isnan(holed)])
