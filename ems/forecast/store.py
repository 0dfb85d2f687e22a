"""The registry of fitted forecasters on disk: kept, found, compared, promoted, deleted; nothing is ever unpickled.

Below ``data/models/`` each stored model is a folder of its id, with ``manifest.json``, which people can read, and
``arrays.npz``. Beside the folders, ``<name>.promoted`` holds the id of the one version of a name that is in use.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.errors import EmsWarning, InvalidInput, UnknownName, did_you_mean, show
from ems.folders import is_slug, looks_like_path, project_folder, shown_path, write_whole
from ems.forecast.store_files import checked_arrays, checked_manifest, remove_record, sha256, write_record
from ems.forecast.store_format import (
    FORMAT,
    arrays_from_bytes,
    arrays_to_bytes,
    finite,
    forecaster_of,
    hash_of,
    other_versions,
    record_of,
    versions,
)
from ems.forecast.stored_model import StoredModel, side_by_side, stored_model

if TYPE_CHECKING:
    import pandas as pd

    from ems.forecast.forecaster import FittedForecaster

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
IDENTITY = re.compile(r"(?P<name>.+)-\d{8}-\d{6}-[a-z0-9]{6}")
SEE_LIST = "`ems models list` shows them"


def models_folder() -> Path:
    """Return the registry's folder in the project."""
    return project_folder() / "data" / "models"


def save(forecaster: FittedForecaster, name: str, scores: Mapping[str, float | None] | None = None) -> StoredModel:
    """Keep a fitted forecaster under a name and return what is told of it; its id is new.

    Parameters
    ----------
    forecaster : FittedForecaster
    name : str
        Small letters, digits, hyphens; several versions may have one name.
    scores : mapping of str to float, optional
        How good it was, by name of the score; None or NaN is undefined.

    Raises
    ------
    InvalidInput
        If the name cannot be used, or a member is no model of the package.
    """
    if not is_slug(name) or IDENTITY.fullmatch(name):
        raise InvalidInput(
            f"model {show(name)}",
            "must be small letters, digits and single hyphens, as in office-load, and not end as an id does",
        )
    record, arrays = record_of(forecaster)
    content = arrays_to_bytes(arrays)
    now = dt.datetime.now(dt.UTC)
    letters = "".join(secrets.choice(LETTERS) for _ in range(6))
    manifest = {
        "format": FORMAT,
        "id": f"{name}-{now:%Y%m%d-%H%M%S}-{letters}",
        "name": name,
        "created_at": now.isoformat(timespec="seconds"),
        "scores": {str(key): finite(value) for key, value in (scores or {}).items()},
        "versions": versions(),
        **record,
        "arrays_sha256": sha256(content),
    }
    manifest["sha256"] = hash_of(manifest)
    write_record(models_folder(), manifest, content)
    return _stored(manifest)


def load(name_or_id: str) -> FittedForecaster:
    """Return the forecaster of an id, or the promoted one of a name, ready to predict.

    Where it was kept under other versions of Python or packages, a warning names them.

    Raises
    ------
    InvalidInput
        If there is no such model, none of the name's versions is promoted, or what is there cannot be trusted: a
        path, a link, a changed hash, a format of a newer version.
    """
    identity = _identity(name_or_id)
    manifest = checked_manifest(models_folder(), identity)
    arrays = checked_arrays(models_folder(), manifest)
    other = other_versions(manifest.get("versions", {}))
    if other:
        warnings.warn(
            f"model {show(identity)} was kept under other versions and may forecast otherwise: {'; '.join(other)}",
            EmsWarning,
            stacklevel=2,
        )
    try:
        return forecaster_of(manifest, arrays_from_bytes(arrays))
    except InvalidInput as error:
        raise InvalidInput(f"model {show(identity)}", [f"{error.subject}: {one}" for one in error.findings]) from None
    except Exception as error:  # whatever a library says of a state that it does not understand
        raise InvalidInput(
            f"model {show(identity)}", f"cannot be restored here ({type(error).__name__}: {error}); fit it again"
        ) from error


def list_models(name: str | None = None) -> list[StoredModel]:
    """Return what is kept, by name, the newest version of each first; of a damaged one a warning tells.

    Parameters
    ----------
    name : str, optional
        Only versions of this name.
    """
    root = models_folder()
    found = []
    for identity in _identities():
        if name is not None and name_of(identity) != name:
            continue
        try:
            found.append(_stored(checked_manifest(root, identity)))
        except InvalidInput as error:
            warnings.warn(str(error), EmsWarning, stacklevel=2)
    return sorted(sorted(found, key=lambda one: one.id, reverse=True), key=lambda one: one.name)


def get_model(name_or_id: str) -> StoredModel:
    """Return what is told of an id, or of the promoted version of a name.

    Raises
    ------
    InvalidInput
        As `load`.
    """
    return _stored(checked_manifest(models_folder(), _identity(name_or_id)))


def compare(ids: Sequence[str]) -> pd.DataFrame:
    """Return models side by side.

    Parameters
    ----------
    ids : sequence of str
        Ids, or names for their promoted versions.

    Returns
    -------
    DataFrame
        One row an id, as `side_by_side` says.

    Raises
    ------
    InvalidInput
        As `load`, or if no id is given.
    """
    if not ids:
        raise InvalidInput("models to compare", f"none is named; {SEE_LIST}")
    return side_by_side(list({one.id: one for one in map(get_model, ids)}.values()))


def promote(identity: str) -> StoredModel:
    """Put a version in use under its name, in place of the one that was; before, its whole content is checked.

    Raises
    ------
    InvalidInput
        As `load`.
    """
    manifest = checked_manifest(models_folder(), _checked_identity(identity))
    checked_arrays(models_folder(), manifest)
    name = _stored(manifest).name
    # Renaming is whole: at every moment one version, the old or the new one, is in use.
    write_whole(_pointer(name), f"{identity}\n")
    return _stored(manifest)


def delete(identity: str, *, even_if_promoted: bool = False) -> None:
    """Remove a version for good.

    Parameters
    ----------
    identity : str
    even_if_promoted : bool
        Whether to remove it also where it is in use; then no version of its name is promoted any more.

    Raises
    ------
    InvalidInput
        If there is no such model, or it is promoted.
    """
    check_removable(identity, even_if_promoted=even_if_promoted)
    name = name_of(identity) or ""
    if promoted_id(name) == identity:
        _pointer(name).unlink(missing_ok=True)
    remove_record(models_folder(), identity)


def check_removable(identity: str, *, even_if_promoted: bool = False) -> None:
    """Raise where `delete` would refuse.

    Raises
    ------
    InvalidInput
    """
    name = name_of(_checked_identity(identity)) or ""
    if not even_if_promoted and promoted_id(name) == identity:
        raise InvalidInput(
            f"model {show(identity)}", f"is the promoted version of {show(name)}; promote another one first"
        )


def promoted_id(name: str) -> str | None:
    """Return the id of the version of a name that is in use; None where there is none."""
    if not is_slug(name):
        return None
    pointer = _pointer(name)
    try:
        text = "" if pointer.is_symlink() else pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if name_of(text) == name and (models_folder() / text).is_dir() else None


def _pointer(name: str) -> Path:
    return models_folder() / f"{name}.promoted"


def name_of(identity: str) -> str | None:
    """Return the name within an id; None where it is none."""
    found = IDENTITY.fullmatch(identity)
    return found["name"] if found and is_slug(found["name"]) else None


def _identities() -> list[str]:
    root = models_folder()
    return sorted(one.name for one in root.iterdir() if name_of(one.name)) if root.is_dir() else []


def _checked_identity(identity: str) -> str:
    """Return an id that is there.

    Raises
    ------
    InvalidInput
        If it is a path or a name, or there is no such model.
    """
    subject = f"model {show(identity)}"
    if looks_like_path(identity) or "\0" in identity or "\\" in identity:
        raise InvalidInput(subject, f"a path is never read: say an id of {shown_path(models_folder())}/; {SEE_LIST}")
    known = _identities()
    if identity in known:
        return identity
    versions_of = [one for one in known if name_of(one) == identity]
    if versions_of:
        raise InvalidInput(subject, f"is a name; say which version: {', '.join(versions_of[::-1][:5])}")
    raise UnknownName(subject, f"is not in {shown_path(models_folder())}/; {did_you_mean(identity, known)}")


def _identity(name_or_id: str) -> str:
    """Return the id of an id, or of the promoted version of a name."""
    versions_of = [one for one in _identities() if name_of(one) == name_or_id]
    if not versions_of:
        return _checked_identity(name_or_id)
    promoted = promoted_id(name_or_id)
    if promoted is None:
        raise InvalidInput(
            f"model {show(name_or_id)}",
            f"none of its {len(versions_of)} versions is promoted; say an id, or promote one: {versions_of[-1]}",
        )
    return promoted


def _stored(manifest: Mapping[str, Any]) -> StoredModel:
    identity = manifest["id"]
    name = name_of(identity) or ""
    try:
        stored = stored_model(manifest, is_promoted=promoted_id(name) == identity)
        assert stored.name == name, f"its name is {show(stored.name)}"
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # Written by hand, with a hash that fits.
        raise InvalidInput(
            f"model {show(identity)}", f"its manifest is not as ems writes it ({type(error).__name__}: {error})"
        ) from None
    return stored
