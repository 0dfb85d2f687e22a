"""What code this is: a stamp, which tells at once whether a file has changed, and a digest of all files."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
IGNORED = {"__pycache__"}


def code_files() -> list[Path]:
    """Return the files of the package, sorted."""
    found = []
    for folder, folders, files in os.walk(PACKAGE):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        found += [Path(folder, name) for name in sorted(files) if not name.endswith((".pyc", ".md"))]
    return found


def code_stamp() -> tuple[int, int, int]:
    """Return a mark of the package's files by size and time; about a millisecond's work."""
    newest = size = count = 0
    stack = [os.fspath(PACKAGE)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in IGNORED:
                        stack.append(entry.path)
                elif not entry.name.endswith(".pyc"):
                    state = entry.stat()
                    newest, size, count = max(newest, state.st_mtime_ns), size + state.st_size, count + 1
    return newest, size, count


def code_digest() -> str:
    """Return the SHA-256 of the package's files, names included."""
    return _digest(code_stamp())


@lru_cache(maxsize=2)
def _digest(_: tuple[int, int, int]) -> str:
    digest = hashlib.sha256()
    for path in code_files():
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
