"""Errors and warnings of the package, and how a finding is worded.

EmsError
├── InvalidInput          what a person gave cannot be used; says what, where, and the remedy
│   ├── MissingValues     a series has gaps where none may be
│   ├── UndefinedScore    a score has no value for these numbers, as a share of an observation of zero
│   ├── UnknownName       a study, case, site, series or solver of that name is not there
│   ├── SolverUnavailable the solver is known, but not on this machine
│   └── AlreadyStarted    a workflow was started for this time before
├── Infeasible            the wishes contradict each other; names time and size
├── NoSolution            the solver stopped before it had a schedule
├── RunFailed             a notebook stopped in a cell
└── DatabaseProblem       the database cannot be reached, is of another version, or refused a row
    └── LeaseLost         another process has taken over what this one worked on
EmsWarning                accepted, but a person should look
"""

from __future__ import annotations

import difflib
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

LONGEST_SHOWN = 80
MOST_LISTED = 20
"""Names that a message lists; a person reads no more of them."""


class EmsError(Exception):
    """Something that a person can understand and act upon; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows below the cell: the words, and where they came from."""
        came_from = traceback.extract_tb(self.__traceback__)[-1:]
        places = [f"(raised in {Path(one.filename).name}, line {one.lineno}, by {one.name})" for one in came_from]
        return [f"{type(self).__name__}: {self}", *places]


class InvalidInput(EmsError, ValueError):
    """What a person gave cannot be used.

    Parameters
    ----------
    subject : str
        The thing and its place: ``battery 'b1' in data/sites/harbour.yaml``.
    findings : sequence of str
        One sentence for each finding: value, what would do, remedy. All findings at once.
    """

    def __init__(self, subject: str, findings: Sequence[str] | str) -> None:
        self.subject = subject
        self.findings = (findings,) if isinstance(findings, str) else tuple(findings)
        assert self.findings, "an error names at least one finding"
        super().__init__(self.subject, self.findings)

    def __str__(self) -> str:
        if len(self.findings) == 1:
            return f"{self.subject}: {self.findings[0]}"
        return f"{self.subject} cannot be used:" + "".join(f"\n  {finding}" for finding in self.findings)


class MissingValues(InvalidInput):
    """A series has gaps where none may be."""


class UndefinedScore(InvalidInput):
    """A score has no value for these numbers, as a share of an observation of zero."""


class UnknownName(InvalidInput):
    """A study, case, site, series or solver of that name is not there."""


class SolverUnavailable(InvalidInput):
    """The solver is known, but not on this machine."""


class AlreadyStarted(InvalidInput):
    """A workflow was started for this time before.

    Parameters
    ----------
    subject, findings
        As of `InvalidInput`.
    execution_id : str
        The execution that belongs to the time.
    """

    def __init__(self, subject: str, findings: Sequence[str] | str, execution_id: str) -> None:
        self.execution_id = execution_id
        super().__init__(subject, findings)


class Infeasible(EmsError):
    """The wishes contradict each other: no schedule keeps all limits."""


class NoSolution(EmsError):
    """The solver stopped before it had a schedule."""


class RunFailed(EmsError):
    """A notebook stopped in a cell."""


class DatabaseProblem(EmsError):
    """The database cannot be reached, is of another version, or refused a row."""


class LeaseLost(DatabaseProblem):
    """Another process has taken over what this one worked on; this one must write no more."""


class EmsWarning(UserWarning):
    """Accepted, but a person should look: printed on the screen and listed in the report."""


def show(value: object) -> str:
    """Return a value as it is shown in a message: one line, short, without control characters.

    >>> show("five" * 100)
    "'fivefivefivefivefivefivefivefivefivefivefivefivefivefivefivefivefivefivefivef...' (400 characters)"
    >>> show(True)
    'true'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.12g}"
    if value is None:
        return "nothing"
    is_text = isinstance(value, str)
    text = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else f"\\u{ord(c):04x}" for c in str(value))
    if len(text) > LONGEST_SHOWN:
        shown = text[: LONGEST_SHOWN - 1] + "..."
        return f"'{shown}' ({len(text)} characters)" if is_text else shown
    return f"'{text}'" if is_text else text


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that offers the nearest known names, or lists them.

    >>> did_you_mean("horizon_hours", ["horizon_h", "solver"])
    'did you mean horizon_h?'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name[:LONGEST_SHOWN], names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {bare(near[0])}?"
    if len(names) > MOST_LISTED:
        return f"known are {', '.join(map(bare, names[:MOST_LISTED]))} and {len(names) - MOST_LISTED} more"
    return "known are " + ", ".join(map(bare, names)) if names else "none is known"


def bare(name: str) -> str:
    """Return a name as `show` words it, without quotation marks where it is not cut.

    >>> bare("horizon_h"), bare("a\\tb")
    ('horizon_h', 'a\\\\u0009b')
    """
    shown = show(name)
    return shown[1:-1] if shown.endswith("'") else shown
