"""Fitted forecasters kept on disk and loaded again: the same forecasts, or one clear sentence why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import solar
from example_counts import examples
from forecast_samples import load_history, noise, solar_history
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.assets.portfolio import Site
from ems.errors import EmsWarning, InvalidInput, UnknownName
from ems.forecast import store, store_files
from ems.forecast.forecaster import FittedForecaster, fit_forecaster
from ems.forecast.history import History
from ems.forecast.models.model import Model
from ems.forecast.models.naive import SeasonalNaive
from ems.forecast.models.registry import MODELS, model_class
from ems.forecast.recipe import Recipe, recipe_of
from ems.forecast.store_format import _packed, _unpacked, hash_of

AT = pd.Timestamp("2024-02-20")
STAMP = "-20240601-073000-k3f9x2"
"""End of an id."""
PLANT = {
    "asset": solar(tilt_angle_deg=30, azimuth_deg=180, installation_date=dt.date(2020, 5, 1)),
    "site": Site(id="site", timezone="Europe/Berlin", latitude=52.5, longitude=13.4),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "lightgbm": {"trees": 10},
    "boosted_ridge": {"trees": 10},
    "ets": {"training_days": 14},
    "theta": {"training_days": 14},
    "mstl": {"training_days": 15},
    "arima": {"training_days": 15, "most_terms": 1},
    "sktime": {"forecaster": "TrendForecaster", "training_days": 7},
    "physical": PLANT,
    "hybrid": {**PLANT, "trees": 10},
    "ensemble": {"members": ["interval_width", "ridge", "profile_ridge_asinh", "mean_of_days"]},
    "auto": {"members": ["ridge", "seasonal_naive"]},
}
"""Of models whose defaults would take long, or do not suffice."""


def _sunny() -> History:
    """A plant with gaps in its measurements, and the weather that physics asks for."""
    history = solar_history(60)
    hour = np.asarray(history.times.hour)
    light = (
        800 * np.clip(np.sin(np.pi * (hour - 5) / 14), 0, None) * (1 - np.asarray(history.known_ahead["cloud_cover"]))
    )
    weather = {"ghi_w_per_m2": light, "outdoor_temperature_degc": 8 + 4 * noise(len(hour), 3, 0.95)}
    values = history.values.copy()
    values[200:203] = np.nan
    return dataclasses.replace(history, values=values, known_ahead=weather)


HISTORIES: dict[str, Callable[[], History]] = {"physical": _sunny, "hybrid": _sunny}


def _fitted(history: History, name: str = "seasonal_naive", **options: Any) -> FittedForecaster:
    return fit_forecaster(history, recipe_of(name, {**OPTIONS.get(name, {}), **options}), AT, warm_up_days=6)


@pytest.fixture(scope="module")
def naive() -> FittedForecaster:
    return _fitted(load_history(60))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry's folder in an empty project."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path))
    return tmp_path / "data" / "models"


# ---------------------------------------------------------------------------------------- kept and loaded
@pytest.mark.parametrize("name", [*(one for one in MODELS if not model_class(one).tells_width), "ensemble", "auto"])
def test_load__forecasts_exactly_as_what_was_saved(name: str, registry: Path) -> None:
    """Also days after it was fitted, and without a warning, as the versions are the same."""
    history = HISTORIES.get(name, load_history)()
    fitted = _fitted(history, name)

    with warnings.catch_warnings():
        warnings.simplefilter("error", EmsWarning)
        loaded = store.load(store.save(fitted, name.replace("_", "-")).id)

    later = AT + pd.Timedelta(days=3)
    xr.testing.assert_identical(loaded.predict(history, later), fitted.predict(history, later))
    assert loaded.recipe == fitted.recipe


def test_load__keeps_every_field(registry: Path) -> None:
    history = load_history(60, lower=0.0, known_ahead={"t_degc": noise(1440, 3)}, notes=("ünïts were guessed",))
    fitted = dataclasses.replace(_fitted(history, "auto"), errors={"ensemble": 1 / 3, "ridge": math.nan})

    loaded = store.load(store.save(fitted, "office").id)

    for field in dataclasses.fields(FittedForecaster):
        before, after = getattr(fitted, field.name), getattr(loaded, field.name)
        if field.name == "fitted":
            assert [one.model for one in after] == [one.model for one in before]
        elif field.name in ("folds", "state"):
            for part in dataclasses.fields(before):
                np.testing.assert_array_equal(getattr(after, part.name), getattr(before, part.name), part.name)
        else:
            np.testing.assert_equal(after, before, field.name)
        assert type(after) is type(before), field.name


def test_save__tells_what_it_kept(naive: FittedForecaster, registry: Path) -> None:
    kept = store.save(naive, "office-load", {"mae": 4.5, "mape": math.nan, "skill_mae": None})

    assert store.list_models() == [kept]
    assert kept.id.startswith("office-load-20")
    assert (kept.model, kept.choice, kept.variable, kept.asset) == ("seasonal_naive",) * 2 + ("demand_kw", "office")
    assert (kept.trained_from, kept.trained_until) == (
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 2, 20, tzinfo=dt.UTC),
    )
    assert kept.scores == {"mae": 4.5, "mape": None, "skill_mae": None}
    assert kept.options["seasonal_naive"]["season"] == "day"
    assert {"python", "numpy", "lightgbm", "scikit-learn", "sktime", "ems"} <= set(kept.versions)
    assert not kept.is_promoted
    json.dumps(kept.as_json(), allow_nan=False)


def test_save__names_the_seed_of_members_that_draw_at_random(naive: FittedForecaster, registry: Path) -> None:
    history = load_history(60)
    drawing = fit_forecaster(history, recipe_of("lightgbm", {"trees": 5}, seed=7), AT, warm_up_days=8)

    assert store.save(drawing, "trees").seed == 7
    assert store.save(naive, "rule").seed is None


@pytest.mark.parametrize("name", ["", "Office", "../office", "a b", "x" * 65, f"office{STAMP}"])
def test_save__refuses_a_name_that_is_no_slug_or_looks_like_an_id(
    name: str, naive: FittedForecaster, registry: Path
) -> None:
    with pytest.raises(InvalidInput, match="must be small letters, digits and single hyphens"):
        store.save(naive, name)
    assert not registry.exists()


class Own(SeasonalNaive):
    """A model of somebody's own, under a name that the package uses otherwise."""

    name: ClassVar[str] = "seasonal_naive"


def test_save__refuses_a_model_that_could_not_be_found_again(registry: Path) -> None:
    fitted = fit_forecaster(load_history(60), Recipe("own", {"own": Own()}), AT, warm_up_days=8)

    with pytest.raises(InvalidInput, match="own: is of class Own, which ems does not know by name"):
        store.save(fitted, "own")


@pytest.mark.parametrize("moment", [1, 2])
def test_save__stopped_at_any_moment_leaves_nothing(
    moment: int, naive: FittedForecaster, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = store_files._write

    def stopped(path: Path, content: bytes) -> None:
        assert store.list_models() == []
        write(path, content)
        written.append(path.name)
        if len(written) == moment:
            raise KeyboardInterrupt

    monkeypatch.setattr(store_files, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        store.save(naive, "office")

    assert written
    assert list(registry.iterdir()) == []
    assert list((registry.parents[1] / ".ems").iterdir()) == []


# ---------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize("name", ["../office", "/etc/passwd", "data/models/office", "a\\b", "office.npz", "a\0b", "."])
def test_load__refuses_a_path(name: str, registry: Path) -> None:
    with pytest.raises(InvalidInput, match="a path is never read: say an id of data/models/"):
        store.load(name)


def test_load__unknown_name_offers_the_nearest(naive: FittedForecaster, registry: Path) -> None:
    with pytest.raises(UnknownName, match=r"model 'office': is not in data/models/; none is known"):
        store.load("office")

    kept = store.save(naive, "office")

    with pytest.raises(UnknownName, match=f"did you mean {kept.id}"):
        store.load(kept.id[:-1])
    with pytest.raises(
        InvalidInput, match=f"none of its 1 versions is promoted; say an id, or promote one: {kept.id}"
    ):
        store.load("office")


def _rewritten(folder: Path, **changes: Any) -> None:
    """Change a manifest as somebody would who also mends its hash."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    manifest["sha256"] = hash_of(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _edited(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"horizon_h": 24.0', '"horizon_h": 48.0'))


def _flipped(folder: Path) -> None:
    content = bytearray((folder / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "arrays.npz").write_bytes(content)


def _linked(name: str) -> Callable[[Path], None]:
    def link(folder: Path) -> None:
        outside = folder.parents[2] / "elsewhere"
        (folder / name).rename(outside)
        (folder / name).symlink_to(outside)

    return link


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited manifest": (_edited, r"manifest.json was changed or damaged since it was kept"),
    "flipped bit": (_flipped, r"arrays.npz was changed or damaged since it was kept"),
    "cut manifest": (lambda f: (f / "manifest.json").write_text("{"), r"manifest.json is damaged"),
    "no object": (lambda f: (f / "manifest.json").write_text("[]"), r"manifest.json is damaged"),
    "missing arrays": (lambda f: (f / "arrays.npz").unlink(), r"arrays.npz is missing"),
    "newer format": (
        lambda f: _rewritten(f, format=2),
        r"kept by a newer ems, in format 2; this one reads up to format 1",
    ),
    "renamed": (lambda f: _rewritten(f, id=f"other{STAMP}"), r"its folder was renamed"),
    "other name": (lambda f: _rewritten(f, name="../../evil"), r"its manifest is not as ems writes it"),
    "lacking": (lambda f: _rewritten(f, traits={}), r"cannot be restored here|not as ems writes it"),
    "linked manifest": (
        _linked("manifest.json"),
        r"manifest.json is a link to '.*elsew.*; models are read only from",
    ),
    "linked arrays": (_linked("arrays.npz"), r"arrays.npz is a link to"),
    "linked folder": (_linked(""), r"is a link to '.*elsew.*; models are read only from data/models/ itself"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_load_and_promote__refuse_what_cannot_be_trusted(damage: str, naive: FittedForecaster, registry: Path) -> None:
    """Neither is it loaded nor put in use; the version in use stays, and the others are listed."""
    good, bad = store.save(naive, "office"), store.save(naive, "office")
    store.promote(good.id)
    do, said = DAMAGES[damage]
    do(registry / bad.id)

    for use in (store.load, store.promote):
        if use is store.load and damage == "other name":
            continue  # a name is only words there
        with pytest.raises(InvalidInput, match=said) as error:
            use(bad.id)
        assert str(error.value).startswith(f"model '{bad.id}': ")
        assert "\n" not in str(error.value)
    assert store.promoted_id("office") == good.id
    assert [one.name for one in registry.parents[2].glob("*.promoted")] == []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        listed = [one.id for one in store.list_models()]
    assert good.id in listed
    assert all(bad.id in str(one.message) for one in caught)


class _Payload:
    """Something that would run when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "run"))


@pytest.mark.parametrize("form", ["npz", "pickle"])
def test_load__unpickles_nothing_even_where_the_hash_is_right(
    form: str, naive: FittedForecaster, registry: Path
) -> None:
    import pickle

    kept = store.save(naive, "office")
    folder, trace = registry / kept.id, registry / "trace"
    file = io.BytesIO()
    if form == "npz":
        np.savez(file, points=np.array([_Payload(trace)], dtype=object))
    else:
        pickle.dump(_Payload(trace), file)
    (folder / "arrays.npz").write_bytes(file.getvalue())
    _rewritten(folder, arrays_sha256=store_files.sha256(file.getvalue()))

    with pytest.raises(InvalidInput, match="cannot be restored here"):
        store.load(kept.id)

    assert not trace.exists()


def test_load__says_under_which_other_versions_it_was_kept(
    naive: FittedForecaster, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = store.versions()
    monkeypatch.setattr(store, "versions", lambda: {**now, "lightgbm": "3.3.5", "prophet": "1.1"})
    kept = store.save(naive, "office")

    with pytest.warns(EmsWarning) as caught:
        store.load(kept.id)

    (said,) = [str(one.message) for one in caught]
    assert f"lightgbm 3.3.5 then and {now['lightgbm']} now; prophet 1.1 then and none now" in said
    assert "numpy" not in said


# ---------------------------------------------------------------------------------------- in use, and not any more
def test_promote__one_version_of_a_name_is_in_use(naive: FittedForecaster, registry: Path) -> None:
    first, second, other = (store.save(naive, name) for name in ("office", "office", "hall"))

    assert store.promote(first.id).is_promoted
    store.promote(other.id)
    store.promote(second.id)

    assert [one.id for one in store.list_models() if one.is_promoted] == [other.id, second.id]
    assert store.get_model("office").id == second.id
    xr.testing.assert_identical(store.load("office").predict(load_history(60)), naive.predict(load_history(60)))
    with pytest.raises(InvalidInput, match="model 'office': is a name; say which version: office-"):
        store.promote("office")


def test_delete__refuses_the_version_in_use_unless_told(naive: FittedForecaster, registry: Path) -> None:
    first, second = store.save(naive, "office"), store.save(naive, "office")
    store.promote(second.id)

    store.delete(first.id)
    with pytest.raises(InvalidInput, match="is the promoted version of 'office'; promote another one first"):
        store.delete(second.id)
    assert [one.id for one in store.list_models()] == [second.id]

    store.delete(second.id, even_if_promoted=True)
    assert store.list_models() == []
    assert list(registry.iterdir()) == []
    assert list((registry.parents[1] / ".ems").iterdir()) == []
    with pytest.raises(UnknownName):
        store.delete(second.id)


def test_delete__of_a_damaged_one_works_and_of_a_link_does_not(naive: FittedForecaster, registry: Path) -> None:
    damaged, linked = store.save(naive, "office"), store.save(naive, "office")
    _edited(registry / damaged.id)
    _linked("")(registry / linked.id)

    store.delete(damaged.id)
    with pytest.raises(InvalidInput, match="is a link to"):
        store.delete(linked.id)

    assert (registry.parents[1] / "elsewhere" / "manifest.json").is_file()


@pytest.mark.parametrize(
    "text", ["", "office", "../../x", "hall-20240601-073000-k3f9x2", "office-20240601-073000-k3f9x2"]
)
def test_promoted__a_strange_pointer_promotes_nothing(text: str, naive: FittedForecaster, registry: Path) -> None:
    store.save(naive, "office")
    (registry / "office.promoted").write_text(text)

    assert store.promoted_id("office") is None
    with pytest.raises(InvalidInput, match="none of its 1 versions is promoted"):
        store.load("office")


def test_compare__shows_scores_and_the_options_that_differ(registry: Path) -> None:
    history = load_history(60)
    day, week = (_fitted(history, "seasonal_naive", season=season, training_days=50) for season in ("day", "week"))
    other = _fitted(history, "last_value")
    ids = [
        store.save(day, "office", {"mae": 4.0}).id,
        store.save(week, "office", {"mae": 5.0, "bias": 1.0}).id,
        store.save(other, "last").id,
    ]
    store.promote(ids[0])

    table = store.compare(["office", *ids])

    assert table.index.tolist() == ids
    assert table["is_promoted"].tolist() == [True, False, False]
    assert table["seasonal_naive.season"].tolist() == ["day", "week", None]
    assert "seasonal_naive.training_days" not in table
    assert table["mae"].tolist()[:2] == [4.0, 5.0]
    assert table["bias"].isna().tolist() == [True, False, True]
    with pytest.raises(InvalidInput, match="none is named"):
        store.compare([])


# ---------------------------------------------------------------------------------------- what models have learned
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(max_size=300)
    | st.binary(max_size=9)
)
ARRAYS = st.sampled_from(
    [np.arange(3), np.array([[0.1, np.nan], [-np.inf, 0.0]]), np.array(["a", "bé"]), np.array(5.0), np.zeros((0, 2)),
     np.array(["2024-01-01"], dtype="datetime64[ns]"), np.asfortranarray(np.eye(3)), np.array([True])]
)  # fmt: skip
STATES = st.recursive(
    PLAIN | ARRAYS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=9), inside, max_size=3),
)


@settings(max_examples=examples(30), deadline=None)
@given(state=STATES)
def test_state__of_any_nesting_comes_back_as_it_was(state: Any) -> None:
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_packed(state, arrays, "state"), allow_nan=False)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)

    with np.load(file, allow_pickle=False) as kept:
        back = _unpacked(json.loads(text), kept)

    np.testing.assert_equal(back, state)
    assert json.dumps(_packed(back, {}, "state")) == text


def test_state__with_something_that_runs_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"ridge\.fit is a function"):
        _packed({"fit": _sunny}, {}, "ridge")
    with pytest.raises(AssertionError, match=r"ridge\.rows holds Python objects"):
        _packed({"rows": np.array([_sunny])}, {}, "ridge")


def test_model__has_options_that_json_can_hold() -> None:
    """So that a recipe can be written down: what is made of the JSON of a model's options is the same model."""
    for name in MODELS:
        kind: type[Model] = model_class(name)
        model = kind(**OPTIONS.get(name, {}))

        assert kind(**json.loads(json.dumps(model.as_json()))) == model
