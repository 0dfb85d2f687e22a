"""Where a project's folders and files are, which names may become a path, and how a file is written whole."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import tempfile
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
        folder = _with_home(named).resolve()
        if not (folder / "notebooks").is_dir():
            raise InvalidInput(f"EMS_PROJECT = {show(named)}", "this folder has no notebooks/ in it")
        return folder
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "parameters").is_dir():
            return folder
    raise InvalidInput(
        f"no project at {here}",
        "no folder from here upwards has notebooks/ and parameters/; change to the project, set EMS_PROJECT, or make "
        "one: ems init FOLDER",
    )


def data_folder(study: str, run_id: str) -> Path:
    """Return the folder with the data of a run's report; it lies beside the report and has the run's name."""
    return project_folder() / "reports" / study / run_id


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
        path = _with_home(name)
        for candidate in (path, project_folder() / path):
            if _is_file(candidate):
                return candidate.resolve()
        folders = dict.fromkeys(str(one) for one in (Path.cwd(), project_folder()))
        places = "" if path.is_absolute() else f" in {' or '.join(folders)}"
        raise UnknownName(f"{what} {show(name)}", f"there is no such file{places}")
    if is_slug(name):
        for suffix in suffixes:
            candidate = folder / f"{name}{suffix}"
            if candidate.is_file():
                return candidate
    known = {path.stem for suffix in suffixes for path in folder.glob(f"*{suffix}")}
    raise UnknownName(f"{what} {show(name)}", f"not in {shown_path(folder)}/; {did_you_mean(name, known)}")


def _with_home(name: str) -> Path:
    """Return the path of a name, with ``~`` at its beginning replaced by the home folder where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # ~nobody: there is no such user
        return Path(name)


def _is_file(path: Path) -> bool:
    """Return whether there is a file; False also where the path is too long or its folder may not be read."""
    try:
        return path.is_file()
    except OSError:
        return False


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that at every moment there is the old one, or the new one, never a part of one.

    The new file is made in the project's scratch folder, outside of any project beside the old one, and then takes its
    place by renaming.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        scratch = scratch_folder()
    except InvalidInput:
        scratch = path.parent
    # A rename is whole only within one file system; reports/ may be a link to another one.
    folder = scratch if scratch.stat().st_dev == path.parent.stat().st_dev else path.parent
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{_partial_of_here()}{os.getpid()}-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def sweep_partial_files() -> None:
    """Remove the parts of files that writers on this machine have left which were killed."""
    import psutil

    scratch, reports = scratch_folder(), project_folder() / "reports"
    found = list(scratch.glob(f"{_partial_of_here()}*"))
    if reports.is_dir() and reports.stat().st_dev != scratch.stat().st_dev:
        found += reports.rglob(f"{_partial_of_here()}*")
    for path in found:
        writer = path.name.removeprefix(_partial_of_here()).partition("-")[0]
        if writer.isdigit() and not psutil.pid_exists(int(writer)):
            path.unlink(missing_ok=True)


def _partial_of_here() -> str:
    """Return how names of unfinished files begin; machines that share a folder do not know each other's processes."""
    return f".partial-{re.sub('[^A-Za-z0-9]', '', platform.node())[:40]}-"


def scratch_folder() -> Path:
    """Return the folder for files that nobody shall see; it may be deleted while nothing runs."""
    folder = project_folder() / ".ems"
    folder.mkdir(exist_ok=True)
    return folder


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shown_path(path: Path) -> str:
    """Return a path as people read it: relative to the project where it lies inside."""
    try:
        return path.relative_to(project_folder()).as_posix()
    except (ValueError, InvalidInput):
        return str(path)
