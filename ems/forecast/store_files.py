"""Files of the registry of models: written whole, read only from within, and only if their hash is as it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ems.errors import InvalidInput, show
from ems.folders import scratch_folder, shown_path
from ems.forecast.store_format import FORMAT, hash_of

MANIFEST = "manifest.json"
ARRAYS = "arrays.npz"


def write_record(root: Path, manifest: Mapping[str, Any], arrays: bytes) -> None:
    """Write a model's folder so that it is there whole or not at all.

    It is made in the project's scratch folder and then takes its place by renaming.

    Parameters
    ----------
    root : Path
        Folder of the registry.
    manifest : mapping
        Its ``id`` names the folder.
    arrays : bytes
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=_scratch_beside(root), prefix=".partial-model-"))
    try:
        _write(folder / ARRAYS, arrays)
        _write(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, allow_nan=False, indent=1).encode())
        folder.chmod(0o755)
        folder.rename(root / manifest["id"])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_record(root: Path, identity: str) -> None:
    """Remove a model's folder, which is there whole or gone.

    Raises
    ------
    InvalidInput
        If it is a link: what lies behind it is not the registry's.
    """
    place = root / identity
    _refuse_link(root, identity, place)
    aside = Path(tempfile.mkdtemp(dir=_scratch_beside(root), prefix=".deleted-model-"))
    place.rename(aside / identity)
    shutil.rmtree(aside)


def checked_manifest(root: Path, identity: str) -> dict[str, Any]:
    """Return the manifest of a model.

    Raises
    ------
    InvalidInput
        If it is a link, is missing or damaged, was changed, or has a format that is too new.
    """
    subject = f"model {show(identity)}"
    content = _read(root, identity, MANIFEST)
    try:
        manifest = json.loads(content)
        version = int(manifest["format"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InvalidInput(subject, f"{MANIFEST} is damaged; delete it and fit it again") from None
    if version > FORMAT:
        raise InvalidInput(
            subject,
            f"was kept by a newer ems, in format {version}; this one reads up to format {FORMAT}: update ems",
        )
    try:
        is_same = manifest.get("sha256") == hash_of(manifest)
    except ValueError:  # a number that JSON does not know
        is_same = False
    if not is_same:
        raise InvalidInput(subject, _changed(MANIFEST))
    if manifest.get("id") != identity:
        raise InvalidInput(subject, f"its folder was renamed; it is {show(manifest.get('id'))}")
    return dict(manifest)


def checked_arrays(root: Path, manifest: Mapping[str, Any]) -> bytes:
    """Return the arrays of a model, as bytes that have the hash which its manifest states.

    Raises
    ------
    InvalidInput
        If they are a link, missing, or were changed.
    """
    content = _read(root, manifest["id"], ARRAYS)
    if sha256(content) != manifest.get("arrays_sha256"):
        raise InvalidInput(f"model {show(manifest['id'])}", _changed(ARRAYS))
    return content


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _read(root: Path, identity: str, name: str) -> bytes:
    """Return a file of a model, read once, so that what is checked is what is used."""
    for path in (root / identity, root / identity / name):
        _refuse_link(root, identity, path)
    path = root / identity / name
    if not path.is_file():
        raise InvalidInput(f"model {show(identity)}", f"{name} is missing; delete it and fit it again")
    return path.read_bytes()


def _refuse_link(root: Path, identity: str, path: Path) -> None:
    """Raise where a path leads elsewhere than it says; the registry as a whole may be a link to another disk."""
    real = path.resolve()
    if real != root.resolve() / path.relative_to(root):
        raise InvalidInput(
            f"model {show(identity)}",
            f"{path.name} is a link to {show(str(real))}; models are read only from {shown_path(root)}/ itself",
        )


def _changed(name: str) -> str:
    return (
        f"{name} was changed or damaged since it was kept: its hash is another one; delete it and fit it again, "
        "or take it from a backup"
    )


def _scratch_beside(root: Path) -> Path:
    """Return a folder on the same file system, from which a rename into the registry is whole."""
    scratch = scratch_folder()
    return scratch if scratch.stat().st_dev == root.stat().st_dev else root


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
