"""References in parameters: ``${tasks.load.outputs.total_cost}``, ``${parameters.site}``, ``${item}``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ems.errors import show

MARKED = re.compile(r"\$\{([^{}]*)\}")
ROOTS = ("tasks", "parameters", "item", "execution", "secrets")
EXECUTION_FIELDS = ("id", "date", "time", "folder")
"""What is known of an execution: id, local date, moment (of its schedule, where it has one), folder."""
EXAMPLE = "${tasks.load.outputs.total_cost}, ${parameters.site}, ${item} or ${secrets.NAME}"
LONGEST_PATH = 500

_PART = re.compile(r"""\.([A-Za-z0-9_-]+)|\[(\d{1,6})\]|\[(?:'([^'\]]*)'|"([^"\]]*)")\]""")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class BadReference(ValueError):
    """A reference that cannot be read; says why."""


@dataclass(frozen=True)
class Reference:
    """A path to a value.

    Parameters
    ----------
    root : str
        tasks, parameters, item, execution or secrets.
    path : tuple of str or int
        What follows it.
    """

    root: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        rest = "".join(_shown_part(part) for part in self.path)
        return f"{self.root}{rest}"

    @property
    def marked(self) -> str:
        """The reference as it stands in a file."""
        return f"${{{self}}}"

    @property
    def task(self) -> str | None:
        """Task that it refers to."""
        return str(self.path[0]) if self.root == "tasks" else None


def _shown_part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f"['{part}']"


def parse_reference(text: str) -> Reference:
    """Return the reference that stands between ``${`` and ``}``.

    >>> str(parse_reference("tasks.load.outputs.kpis['battery/cycles']"))
    "tasks.load.outputs.kpis['battery/cycles']"

    Raises
    ------
    BadReference
        If it is none; says what would be.
    """
    given = text.strip()
    start = _NAME.match(given)
    if start is None or len(given) > LONGEST_PATH:
        raise BadReference(f"{show('${' + text + '}')} is no reference; write {EXAMPLE}")
    root, position, path = start[0], start.end(), []
    while position < len(given):
        part = _PART.match(given, position)
        if part is None:
            raise BadReference(
                f"{show('${' + text + '}')} is no reference; only names, numbers in [ ] and texts in [' '] are known "
                "here: compute with a task of kind transform"
            )
        path.append(
            int(part[2]) if part[2] is not None else next(one for one in part.group(1, 3, 4) if one is not None)
        )
        position = part.end()
    reference = Reference(root, tuple(path))
    check_form(reference)
    return reference


def check_form(reference: Reference) -> None:
    """Refuse a reference that cannot name anything.

    Raises
    ------
    BadReference
    """
    root, path, said = reference.root, reference.path, show(reference.marked)
    if root not in ROOTS:
        from ems.errors import did_you_mean

        raise BadReference(f"{said}: a reference begins with {', '.join(ROOTS)}; {did_you_mean(root, ROOTS)}")
    if root == "tasks":
        is_status = len(path) == 2 and path[1] == "status"
        if not is_status and (len(path) < 3 or path[1] != "outputs" or not isinstance(path[2], str)):
            raise BadReference(f"{said}: write ${{tasks.TASK.outputs.NAME}} or ${{tasks.TASK.status}}")
    elif root == "execution":
        if len(path) != 1 or path[0] not in EXECUTION_FIELDS:
            raise BadReference(f"{said}: known are {', '.join('execution.' + name for name in EXECUTION_FIELDS)}")
    elif root == "secrets":
        if len(path) != 1 or not isinstance(path[0], str) or not _VARIABLE.match(path[0]):
            raise BadReference(f"{said}: write ${{secrets.NAME}} with the name of an environment variable")
    elif root == "parameters" and (not path or not isinstance(path[0], str)):
        raise BadReference(f"{said}: write ${{parameters.NAME}}")


def texts_in(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Return each text within a value with its place: ``headers.Accept``, ``models.2``."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(inner, f"{place}.{key}".strip("."))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, 1):
            yield from texts_in(inner, f"{place}.{number}".strip("."))


def references_in(value: Any) -> list[Reference]:
    """Return the references within a value, each once.

    Raises
    ------
    BadReference
        If one cannot be read.
    """
    found = (parse_reference(mark) for _, text in texts_in(value) for mark in MARKED.findall(text))
    return list(dict.fromkeys(found))


def whole_reference(text: str) -> Reference | None:
    """Return the reference that a text consists of, or None where it is more than one reference, or none."""
    mark = MARKED.fullmatch(text.strip())
    return None if mark is None else parse_reference(mark[1])


def filled(value: Any, resolve: Callable[[Reference], Any]) -> Any:
    """Return a value with its references replaced: a text that is one reference by the value itself, else as text."""
    if isinstance(value, str):
        whole = whole_reference(value)
        if whole is not None:
            return resolve(whole)
        return MARKED.sub(lambda mark: as_text(resolve(parse_reference(mark[1]))), value)
    if isinstance(value, Mapping):
        return {key: filled(inner, resolve) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, resolve) for inner in value]
    return value


def as_text(value: Any) -> str:
    """Return a value as it stands within a text.

    >>> as_text(True), as_text(2.0), as_text("a"), as_text(None)
    ('true', '2.0', 'a', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def value_at(value: Any, path: tuple[str | int, ...], said: str) -> Any:
    """Return what a path leads to within a value.

    Raises
    ------
    BadReference
        If it leads nowhere.
    """
    here = value
    for part in path:
        if isinstance(here, Mapping) and str(part) in here:
            here = here[str(part)]
        elif isinstance(here, list | tuple) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            raise BadReference(f"{said}: there is no {show(str(part))} in it")
    return here
