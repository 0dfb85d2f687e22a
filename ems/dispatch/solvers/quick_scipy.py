"""scipy.sparse without what Pyomo adds to its import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def sparse() -> Any:
    """Return the module scipy.sparse."""
    with _without_import_hooks():
        import scipy.sparse
    return scipy.sparse


@contextmanager
def _without_import_hooks() -> Iterator[None]:
    """Import without Pyomo's hook, which adds scipy.stats to every first import of scipy: a second for nothing."""
    hooks = [finder for finder in sys.meta_path if type(finder).__name__ == "DeferredImportCallbackFinder"]
    for finder in hooks:
        sys.meta_path.remove(finder)
    try:
        yield
    finally:
        sys.meta_path[:0] = hooks
