"""How a fitted forecaster is written down: a manifest in JSON that people can read, and arrays; nothing that runs."""

from __future__ import annotations

import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ems.errors import InvalidInput, show

if TYPE_CHECKING:
    import numpy as np

    from ems.forecast.forecaster import FittedForecaster
    from ems.forecast.models.model import FittedModel, Model
    from ems.forecast.recipe import Recipe

    Arrays = dict[str, np.ndarray]

FORMAT = 1
"""Form of the manifest and arrays; a reader refuses what is newer than itself."""
PACKAGES = (
    "ems", "demandlib", "holidays", "lightgbm", "numpy", "pandas", "pvlib", "scikit-learn", "scipy", "sktime",
    "statsmodels", "windpowerlib",
)  # fmt: skip
"""Packages on whose version a forecast may depend."""
SHORT_TEXT = 200
"""Longer texts, as trees, stand among the arrays, where they are compressed."""
OF_FOLDS = ("at", "counts", "observed", "minute")
OF_PAST = ("points", "spread", "is_certain")
STATES = "states"


# ---------------------------------------------------------------------------------- forecaster to record and back
def record_of(forecaster: FittedForecaster) -> tuple[dict[str, Any], Arrays]:
    """Return what a manifest says of a forecaster, and the arrays beside it.

    Raises
    ------
    InvalidInput
        If a member is of a class that the package does not know by name, and so could not be found again.
    """
    import numpy as np

    arrays = {f"folds.{name}": getattr(forecaster.folds, name) for name in OF_FOLDS}
    arrays |= {name: getattr(forecaster, name) for name in OF_PAST}
    states: Arrays = {}
    kept = [_packed(one.state(), states, name) for name, one in _fitted(forecaster)]
    arrays |= states
    arrays[STATES] = np.frombuffer(json.dumps(kept, allow_nan=False).encode(), dtype=np.uint8)
    calibration = forecaster.calibration
    record = {
        "recipe": _recipe_record(forecaster.recipe),
        "traits": asdict(forecaster.traits),
        "fitted": list(forecaster.members),
        "weights": [float(one) for one in forecaster.weights],
        "levels": list(forecaster.levels),
        "horizon_h": float(forecaster.horizon_h),
        "in_local_days": forecaster.in_local_days,
        "calibration": calibration.as_json(),
        "adaptation": {
            "shift": [float(one) for one in forecaster.state.shift],
            "log_width": float(forecaster.state.log_width),
        },
        "first_time": forecaster.first_time.isoformat(),
        "trained_from": forecaster.trained_from.isoformat(),
        "trained_until": forecaster.trained_until.isoformat(),
        "samples": int(forecaster.samples),
        "samples_of_folds": int(forecaster.folds.samples),
        "errors": {name: finite(error) for name, error in forecaster.errors.items()},
        "choice": forecaster.choice,
        "notes": list(forecaster.notes),
        "notes_of_folds": list(forecaster.folds.notes),
        "seed": _seed_of(forecaster.recipe),
    }
    return record, arrays


def forecaster_of(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FittedForecaster:
    """Return the forecaster that `record_of` wrote down.

    Raises
    ------
    InvalidInput
        If a model or one of its options is not known any more.
    """
    import numpy as np
    import pandas as pd

    from ems.forecast.calibration import Calibration, CalibrationState
    from ems.forecast.folds import Folds
    from ems.forecast.forecaster import FittedForecaster, SeriesTraits

    recipe = _recipe_of(record["recipe"])
    traits = {**record["traits"], "signals": tuple(record["traits"]["signals"])}
    states = json.loads(arrays[STATES].tobytes())
    fitted = tuple(
        _restored(recipe.members[name], _unpacked(state, arrays))
        for name, state in zip(record["fitted"], states, strict=True)
    )
    observed = arrays["folds.observed"]
    folds = Folds(
        members=(),
        at=arrays["folds.at"],
        counts=arrays["folds.counts"],
        predicted=np.empty((0, *observed.shape)),
        observed=observed,
        minute=arrays["folds.minute"],
        fitted=(),
        seconds=np.empty(0),
        samples=record["samples_of_folds"],
        notes=tuple(record["notes_of_folds"]),
    )
    adaptation = record["adaptation"]
    first_time, trained_from, trained_until = (
        pd.Timestamp(record[name]).as_unit("ns") for name in ("first_time", "trained_from", "trained_until")
    )
    return FittedForecaster(
        recipe=recipe,
        traits=SeriesTraits(**traits),
        fitted=fitted,
        members=tuple(record["fitted"]),
        weights=np.array(record["weights"], dtype=float),
        folds=folds,
        points=arrays["points"],
        spread=arrays["spread"],
        is_certain=arrays["is_certain"],
        first_time=first_time,
        calibration=Calibration(**record["calibration"]),
        state=CalibrationState(np.array(adaptation["shift"], dtype=float), adaptation["log_width"]),
        levels=tuple(record["levels"]),
        horizon_h=record["horizon_h"],
        in_local_days=record["in_local_days"],
        trained_from=trained_from,
        trained_until=trained_until,
        samples=record["samples"],
        errors={name: math.nan if error is None else error for name, error in record["errors"].items()},
        choice=record["choice"],
        notes=tuple(record["notes"]),
    )


def _fitted(forecaster: FittedForecaster) -> list[tuple[str, FittedModel]]:
    return list(zip(forecaster.members, forecaster.fitted, strict=True))


def _recipe_record(recipe: Recipe) -> dict[str, Any]:
    from ems.forecast.models.registry import MODELS, model_class

    strange = [
        f"{name}: is of class {type(model).__name__}, which ems does not know by name; only models of ems can be kept"
        for name, model in recipe.members.items()
        if model.name not in MODELS or model_class(model.name) is not type(model)
    ]
    if strange:
        raise InvalidInput(f"model {show(recipe.name)}", strange)
    return {
        "name": recipe.name,
        "way": recipe.way,
        "combination": recipe.combination.as_json(),
        "members": [
            {"name": name, "model": model.name, "options": model.as_json()} for name, model in recipe.members.items()
        ],
    }


def _recipe_of(record: Mapping[str, Any]) -> Recipe:
    from ems.forecast.combine import Combination
    from ems.forecast.models.registry import model_class
    from ems.forecast.recipe import Recipe

    members = {one["name"]: model_class(one["model"])(**one["options"]) for one in record["members"]}
    return Recipe(record["name"], members, record["way"], Combination(**record["combination"]))


def _restored(model: Model, state: Any) -> FittedModel:
    return type(model).restore(dict(model), state)


def _seed_of(recipe: Recipe) -> int | None:
    """Return the seed of the members that draw at random; None where none does, or each has its own."""
    seeds = {model.as_json()["seed"] for model in recipe.members.values() if "seed" in type(model).model_fields}
    return int(seeds.pop()) if len(seeds) == 1 else None


def finite(value: float | None) -> float | None:
    """Return a number as JSON can hold it; None where it is undefined."""
    return float(value) if value is not None and math.isfinite(value) else None


# ---------------------------------------------------------------------------------- what models have learned
def _packed(value: Any, arrays: Arrays, place: str) -> Any:
    """Return a state as JSON in which arrays and long texts are named, and stand among the arrays."""
    import numpy as np

    if isinstance(value, Mapping):
        assert all(isinstance(key, str) for key in value), f"{place} has a key that is no text"
        return {"mapping": {key: _packed(one, arrays, f"{place}.{key}") for key, one in value.items()}}
    if isinstance(value, list | tuple):
        return [_packed(one, arrays, f"{place}.{number}") for number, one in enumerate(value)]
    form, array = "", None
    if isinstance(value, np.ndarray):
        assert not value.dtype.hasobject, f"{place} holds Python objects, which cannot be kept"
        form, array = "array", value
    elif isinstance(value, bytes):
        form, array = "bytes", np.frombuffer(value, dtype=np.uint8)
    elif isinstance(value, str) and len(value) > SHORT_TEXT:
        form, array = "text", np.frombuffer(value.encode(), dtype=np.uint8)
    if array is not None:
        name = f"state.{len(arrays)}"
        arrays[name] = array
        return {form: name}
    if isinstance(value, np.bool_ | np.number):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    assert value is None or isinstance(value, str | bool | int | float), f"{place} is a {type(value).__name__}"
    return value


def _unpacked(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the state that `_packed` wrote down."""
    if isinstance(value, list):
        return [_unpacked(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((form, inside),) = value.items()
    if form == "mapping":
        return {key: _unpacked(one, arrays) for key, one in inside.items()}
    if form == "number":
        return float(inside)
    array = arrays[inside]
    if form == "array":
        return array
    return array.tobytes() if form == "bytes" else array.tobytes().decode()


# ---------------------------------------------------------------------------------- bytes
def arrays_to_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as a compressed .npz file."""
    import numpy as np

    assert not any(one.dtype.hasobject for one in arrays.values()), "Python objects are never written"
    file = io.BytesIO()
    np.savez_compressed(file, **dict[str, Any](arrays))
    return file.getvalue()


def arrays_from_bytes(content: bytes) -> Arrays:
    """Return the arrays of a .npz file; one that holds Python objects is refused, as reading would run them."""
    import numpy as np

    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return dict(file)


def hash_of(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest, in which that of the arrays stands; its own is left out."""
    told = {name: value for name, value in manifest.items() if name != "sha256"}
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# ---------------------------------------------------------------------------------- versions
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which a forecast may depend, where they are here."""
    found = {package: _version(package) for package in PACKAGES}
    return {"python": platform.python_version(), **{name: one for name, one in found.items() if one is not None}}


@cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def other_versions(then: Mapping[str, str]) -> list[str]:
    """Return words for each package whose version is another one now: ``lightgbm 4.6.0 then and 4.7.0 now``."""
    now = versions()
    return [
        f"{package} {version} then and {now.get(package, 'none')} now"
        for package, version in then.items()
        if now.get(package) != version
    ]
