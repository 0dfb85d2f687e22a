"""Files that start a workflow: those of a pattern, once each, when nobody writes them any more."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ems.batch.schedule.starts import Start
from ems.folders import sha256_of

SETTLED_S = 2.0
"""A file counts when its size and time have not changed for so long."""
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
"""Endings that programs give to files which they still write."""
MARKS = "*?["


@dataclass(frozen=True)
class Sight:
    """A file as it was seen."""

    size: int
    mtime_ns: int
    since_s: float
    """When it was first seen so."""


class FileDrop:
    """The files of a pattern, as they come.

    Parameters
    ----------
    workflow : str
    pattern : str
        Relative to the project, or absolute: ``data/inbox/*.csv``.
    project : Path
    """

    def __init__(self, workflow: str, pattern: str, project: Path) -> None:
        self.workflow = workflow
        self.pattern = pattern
        self.folder, self.rest = split_pattern(pattern, project)
        self.project = project
        self._seen: dict[Path, Sight] = {}
        self._done: dict[Path, tuple[int, int]] = {}

    def settled(self, now_s: float) -> list[Path]:
        """Return the files that nobody writes any more and that were not dealt with, the oldest first."""
        seen: dict[Path, Sight] = {}
        done: dict[Path, tuple[int, int]] = {}
        ready = []
        for path, state in self._files():
            mark = (state.st_size, state.st_mtime_ns)
            if self._done.get(path) == mark:
                done[path] = mark
                continue
            before = self._seen.get(path)
            is_same = before is not None and (before.size, before.mtime_ns) == mark
            seen[path] = before if before is not None and is_same else Sight(*mark, now_s)
            if now_s - seen[path].since_s >= SETTLED_S:
                ready.append((state.st_mtime_ns, path))
        self._seen, self._done = seen, done
        return [path for _, path in sorted(ready)]

    @property
    def is_watching(self) -> bool:
        """Whether there are files that were not dealt with yet."""
        return bool(self._seen)

    def start_of(self, path: Path) -> Start | None:
        """Return the start that a file asks for; None where it is gone or changes again.

        Its id follows from time and content: the database takes one execution for each, whatever restarts and
        whichever copy of the service sees the file, also under another name.
        """
        try:
            before = path.stat()
            content = sha256_of(path)
            after = path.stat()
        except OSError:
            return None
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return None
        moment = dt.datetime.fromtimestamp(after.st_mtime_ns // 10**9, dt.UTC)
        digest = hashlib.sha256(f"{self.workflow} {after.st_mtime_ns} {content}".encode()).hexdigest()
        given = path.relative_to(self.project) if path.is_relative_to(self.project) else path
        return Start(self.workflow, "file", f"{moment:%Y%m%d-%H%M%S}-{digest[:12]}", None, {"file": given.as_posix()})

    def note_done(self, path: Path) -> None:
        """Remember that a file, as it is now, was dealt with."""
        self._seen.pop(path, None)
        try:
            state = path.stat()
        except OSError:
            return
        self._done[path] = (state.st_size, state.st_mtime_ns)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Return the files of the pattern: no hidden, unfinished or linked ones from elsewhere."""
        try:
            found = sorted(self.folder.glob(self.rest))
        except OSError:  # a folder that may not be read, or that is gone
            return
        for path in found:
            if path.name.startswith(".") or path.name.lower().endswith(UNFINISHED) or not _is_text(str(path)):
                continue
            try:
                state = path.stat()
                is_inside = path.resolve().is_relative_to(self.folder.resolve())
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode) and is_inside:
                yield path, state


def split_pattern(pattern: str, project: Path) -> tuple[Path, str]:
    """Return the folder that a pattern begins with, and the rest.

    >>> split_pattern("data/inbox/*.csv", Path("/project"))
    (PosixPath('/project/data/inbox'), '*.csv')
    """
    parts = Path(pattern).parts
    assert ".." not in parts, f"{pattern} was checked"
    fixed = next((k for k, part in enumerate(parts) if any(mark in part for mark in MARKS)), len(parts) - 1)
    return project.joinpath(*parts[:fixed]), str(Path(*parts[fixed:]))


def _is_text(path: str) -> bool:
    """Return whether a path can be kept as text; names of files may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
