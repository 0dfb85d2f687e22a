"""The workflow files of a project as they change: new, changed and removed ones, and broken ones said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ems.errors import EmsError, InvalidInput
from ems.folders import is_slug
from ems.yaml_text import read_yaml

if TYPE_CHECKING:
    from ems.batch.workflows.checks import CheckedWorkflow

LOOK_AGAIN_S = 30.0
"""A broken file is read again after this time, because what it refers to may be there now."""
ENDINGS = (".yaml", ".yml")


class Definitions:
    """What the files of a folder say, read again where a file has changed.

    Parameters
    ----------
    folder : Path
    load : callable (name)
        Gives the workflow of a name, or raises an `EmsError` that says what is wrong.
    say : callable (text)
        Where broken and mended files are told.
    """

    def __init__(self, folder: Path, load: Callable[[str], CheckedWorkflow], say: Callable[[str], None]) -> None:
        self.folder = folder
        self.load = load
        self.say = say
        self.good: dict[str, CheckedWorkflow] = {}
        """Workflows by name, as their files are now."""
        self.broken: dict[str, str] = {}
        """What is wrong with the others."""
        self.disabled: set[str] = set()
        """Broken ones that say of themselves that they are not to be started: nobody needs to mend them now."""
        self._marks: dict[str, tuple[object, ...]] = {}
        self._read_at: dict[str, float] = {}

    def refresh(self, now_s: float) -> None:
        """Read what has changed since the last look."""
        marks = self._files()
        for name in [name for name in self._marks if name not in marks]:
            for known in (self.good, self.broken, self._marks, self._read_at):
                known.pop(name, None)
            self.disabled.discard(name)
        for name, mark in marks.items():
            is_old = self._marks.get(name) == mark
            if is_old and (name not in self.broken or now_s - self._read_at[name] < LOOK_AGAIN_S):
                continue
            self._marks[name], self._read_at[name] = mark, now_s
            self._read(name)

    def _files(self) -> dict[str, tuple[object, ...]]:
        """Return for each workflow what changes when its file does."""
        found: dict[str, tuple[object, ...]] = {}
        for ending in reversed(ENDINGS):  # the first ending wins
            for path in sorted(self.folder.glob(f"*{ending}")):
                if is_slug(path.stem):
                    try:
                        state = path.stat()
                    except OSError:  # removed between the two looks
                        continue
                    found[path.stem] = (path, state.st_mtime_ns, state.st_size, state.st_ino)
        return found

    def _read(self, name: str) -> None:
        try:
            workflow = self.load(name)
        except EmsError as error:
            said = str(error)
            self.good.pop(name, None)
            if _is_disabled(self._marks[name][0]):
                self.broken.pop(name, None)
                self.disabled.add(name)
                return
            self.disabled.discard(name)
            if self.broken.get(name) != said:
                self.say(f"{said}\n  {name} is not started until its file is mended; the others go on")
            self.broken[name] = said
            return
        self.good[name] = workflow
        self.disabled.discard(name)
        if self.broken.pop(name, None) is not None:
            self.say(f"{name}: its file is mended")


def _is_disabled(file: object) -> bool:
    """Return whether a file says of itself that it is not to be started."""
    assert isinstance(file, Path)
    try:
        given = read_yaml(file)
    except EmsError:
        return False
    return isinstance(given, dict) and given.get("enabled") is False


def load_startable(name: str) -> CheckedWorkflow:
    """Return a workflow of the project, checked in full and for what starts it by itself.

    Raises
    ------
    InvalidInput
        If something is wrong with its file, or a schedule or a file would not give what it requires.
    """
    from ems.batch.workflows.checks import load_workflow

    checked = load_workflow(name, is_start=False)
    spec, subject = checked.spec, f"workflow '{name}' in {checked.text.where}"
    required = [name for name, one in spec.parameters.items() if one.is_required]
    findings = []
    if spec.schedule is not None:
        findings += [f"parameters.{one}: needs a default, because a schedule gives no value" for one in required]
    if spec.trigger is not None and spec.trigger.files is not None:
        if "file" not in spec.parameters:
            findings.append("trigger.files: needs a parameter 'file', which gets the path; as in file: {type: text}")
        others = [one for one in required if one != "file"]
        findings += [f"parameters.{one}: needs a default, because a file gives only 'file'" for one in others]
    if findings:
        raise InvalidInput(subject, list(dict.fromkeys(findings)))
    return checked
