"""Reading Python source without running it, from several threads."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = threading.Lock()


def module_tree(text: str) -> ast.Module:
    """Return the syntax tree of a module.

    Python 3.11 counts the depth of trees for all threads together, so that two which parse at once get a SystemError
    (https://github.com/python/cpython/issues/106905).

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError
        If it cannot be read.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text)


def expression_tree(text: str) -> ast.Expression:
    """Return the syntax tree of one expression; raises what `module_tree` does."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode="eval")
