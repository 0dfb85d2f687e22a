"""Exit codes of the command: what a script may rely on."""

from __future__ import annotations

from ems.errors import DatabaseProblem, EmsError, Infeasible, InvalidInput

DONE = 0
FAILED = 1
INVALID = 2
INFEASIBLE = 3
DATABASE = 4
STOPPED = 130

MEANINGS = {
    DONE: "done",
    FAILED: "a notebook, case, task or check failed",
    INVALID: "the input cannot be used; nothing was begun",
    INFEASIBLE: "infeasible: no schedule keeps all limits",
    DATABASE: "the database cannot be used, or refused a change",
    STOPPED: "stopped by Ctrl-C",
}
"""What each code says; `ems --help` and docs/reference/commands.md list them."""


def code_of(error: EmsError) -> int:
    """Return the exit code of an error that a person can act upon.

    >>> code_of(InvalidInput("site", "is not there")), code_of(Infeasible()), code_of(DatabaseProblem())
    (2, 3, 4)
    """
    if isinstance(error, InvalidInput):
        return INVALID
    if isinstance(error, Infeasible):
        return INFEASIBLE
    return DATABASE if isinstance(error, DatabaseProblem) else FAILED


def meanings_text() -> str:
    """Return the codes as a block of help."""
    lines = [f"  {code:<3}  {meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(["\b", "Exit codes:", *lines])
