"""Where a project's folders are, and which names may become a path."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ems.errors import InvalidInput, UnknownName, did_you_mean, show

SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*\Z")
LONGEST_SLUG = 64


def project_folder() -> Path:
    """Return the project's folder: ``EMS_PROJECT``, else the nearest one above with notebooks/ and parameters/.

    Raises
    ------
    InvalidInput
        If neither is found.
    """
    named = os.environ.get("EMS_PROJECT")
    if named:
        folder = Path(named).expanduser().resolve()
        if not (folder / "notebooks").is_dir():
            raise InvalidInput(f"EMS_PROJECT = {show(named)}", "this folder has no notebooks/ in it")
        return folder
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "parameters").is_dir():
            return folder
    raise InvalidInput(
        f"no project at {here}",
        "no folder from here upwards has notebooks/ and parameters/; change to the project or set EMS_PROJECT",
    )


def is_slug(name: str) -> bool:
    """Return whether a name is safe as a file name, an id and a part of an address.

    >>> is_slug("harbour-battery-1"), is_slug("../evil"), is_slug("Bat")
    (True, False, False)
    """
    return len(name) <= LONGEST_SLUG and SLUG.match(name) is not None


def looks_like_path(name: str) -> bool:
    """Return whether a person meant a file's path rather than the name of one of the project's files."""
    return "/" in name or os.sep in name or "." in name


def find_file(name: str, folder: Path, suffixes: tuple[str, ...], what: str) -> Path:
    """Return the file that a name or path means.

    Parameters
    ----------
    name : str
        A slug (``harbour`` is ``<folder>/harbour.yaml``), or a path: absolute, or relative to the working
        folder or to the project.
    folder : Path
        Where the project keeps such files.
    suffixes : tuple of str
        Endings to try, in this order.
    what : str
        The word for the thing in messages: ``site``.

    Raises
    ------
    UnknownName
        If there is no such file; says which there are.
    """
    if "\0" in name:
        raise InvalidInput(f"{what} {show(name)}", "a name or path cannot hold a NUL character")
    if looks_like_path(name):
        path = Path(name).expanduser()
        for candidate in (path, project_folder() / path):
            if candidate.is_file():
                return candidate.resolve()
        raise UnknownName(f"{what} {show(name)}", f"no such file in {Path.cwd()} or {project_folder()}")
    if is_slug(name):
        for suffix in suffixes:
            candidate = folder / f"{name}{suffix}"
            if candidate.is_file():
                return candidate
    known = {path.stem for suffix in suffixes for path in folder.glob(f"*{suffix}")}
    raise UnknownName(f"{what} {show(name)}", f"not in {shown_path(folder)}/; {did_you_mean(name, known)}")


def shown_path(path: Path) -> str:
    """Return a path as people read it: relative to the project where it lies inside."""
    try:
        return path.relative_to(project_folder()).as_posix()
    except (ValueError, InvalidInput):
        return str(path)
