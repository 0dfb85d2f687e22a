"""Many series at once: the same forecasts whoever makes them, and failures that stay with their series."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from forecast_samples import load_history

from ems.errors import InvalidInput
from ems.forecast import parallel
from ems.forecast.forecaster import fit_forecaster
from ems.forecast.history import History, Known
from ems.forecast.models.model import FittedModel
from ems.forecast.models.naive import SeasonalNaive
from ems.forecast.parallel import forecast_many
from ems.forecast.recipe import Recipe, recipe_of

AT = pd.Timestamp("2024-02-01")
QUICK: dict[str, Any] = {"issued_at": AT, "warm_up_days": 6}


class Faulty(SeasonalNaive):
    """A rule that fails where the asset's name says so."""

    name: ClassVar[str] = "faulty"

    def fit(self, known: Known) -> FittedModel:
        if known.history.asset == "singular":
            raise np.linalg.LinAlgError("Singular matrix")
        if known.history.asset == "deadly":
            os._exit(9)
        return super().fit(known)


FAULTY = Recipe("faulty", {"faulty": Faulty()})


def _histories() -> dict[str, History]:
    short = load_history(9, start="2024-01-23")
    return {"b": load_history(40, seed=2), "short": short, "a": load_history(40, seed=3)}


def _same(one: Mapping[str, object], other: Mapping[str, object]) -> None:
    assert list(one) == list(other)
    for name, forecast in one.items():
        if isinstance(forecast, xr.Dataset):
            xr.testing.assert_identical(forecast, other[name])
        else:
            assert str(forecast) == str(other[name])


def test_forecast_many__is_what_each_gives_alone_however_many_processes() -> None:
    """Order stays, the one with too short a history has its reason, and progress is told."""
    histories, recipe = _histories(), recipe_of("ridge")
    told: list[tuple[int, int]] = []

    found = forecast_many(histories, recipe, **QUICK, processes=2, progress=lambda *one: told.append(one))

    _same(found, forecast_many(histories, recipe, **QUICK, processes=1))
    xr.testing.assert_identical(found["a"], fit_forecaster(histories["a"], recipe, **QUICK).predict(histories["a"]))
    assert isinstance(found["short"], InvalidInput)
    assert "days of history before the issue time" in str(found["short"])
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert multiprocessing.active_children() == []


def test_forecast_many__options_have_effect() -> None:
    histories = {"a": load_history(40, known_ahead={})}

    found = forecast_many(histories, recipe_of("seasonal_naive"), **QUICK, horizon_h=6, levels=(0.1, 0.5), processes=1)

    assert dict(found["a"].sizes) == {"time": 6, "quantile": 2}
    last = forecast_many(histories, recipe_of("seasonal_naive"), warm_up_days=6, processes=1)["a"]
    assert last["issued_at"].item() == pd.Timestamp("2024-02-10").value
    assert forecast_many({}, recipe_of("seasonal_naive")) == {}


def test_forecast_many__a_fault_of_a_library_stays_with_its_series() -> None:
    singular, good = replace(load_history(40), asset="singular"), load_history(40)

    found = forecast_many({"x": singular, "y": good}, FAULTY, **QUICK, processes=1)

    assert str(found["x"]) == ("forecast of demand_kw of 'singular': could not be made (LinAlgError: Singular matrix)")
    assert isinstance(found["y"], xr.Dataset)


def test_forecast_many__a_process_that_dies_costs_one_series() -> None:
    histories = {"x": replace(load_history(40), asset="deadly"), "y": load_history(40)}

    found = forecast_many(histories, FAULTY, **QUICK, processes=2)

    assert "its process ended before it was done" in str(found["x"])
    assert isinstance(found["y"], xr.Dataset)


def test_forecast_many__processes_that_cannot_begin_are_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all of the first ones die while more wait, that is no matter of a series."""
    tried: list[int] = []

    def broken(tasks: deque[Any], processes: int, lost: list[Any]) -> Iterator[Any]:
        tried.append(processes)
        lost += [tasks.popleft() for _ in range(min(len(tasks), 2 * processes))]
        yield from ()

    monkeypatch.setattr(parallel, "_until_broken", broken)
    histories = {str(number): load_history(20) for number in range(9)}

    with pytest.raises(InvalidInput, match="processes end before they begin; call it below if __name__"):
        forecast_many(histories, recipe_of("ridge"), processes=2)
    assert tried == [2, 1, 1, 1, 1]


def test_forecast_many__ctrl_c_ends_the_processes() -> None:
    def stop(done: int, total: int) -> None:
        assert len(multiprocessing.active_children()) == 2
        raise KeyboardInterrupt

    histories = {str(number): load_history(40, seed=number) for number in range(8)}

    with pytest.raises(KeyboardInterrupt):
        forecast_many(histories, recipe_of("seasonal_naive"), **QUICK, processes=2, progress=stop)

    assert multiprocessing.active_children() == []


def test_forecast_many__refuses_what_fits_no_series() -> None:
    with pytest.raises(InvalidInput, match="processes = 0: must be at least 1"):
        forecast_many(_histories(), recipe_of("ridge"), processes=0)
    with pytest.raises(InvalidInput, match=r"0\.5 must be among them"):
        forecast_many(_histories(), recipe_of("ridge"), levels=(0.1, 0.9))
