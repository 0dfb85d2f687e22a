"""The check of a study task: study, case, parameters and the types of references, as the study itself checks them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ems.batch.workflows.references import BadReference, whole_reference
from ems.batch.workflows.scope import NotKnown, Scope
from ems.batch.workflows.task_spec import StudyTask
from ems.batch.workflows.value_types import accepted_by, is_taken, words_of
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import find_file, project_folder, shown_path
from ems.studies.registry import study_class
from ems.yaml_text import read_yaml

if TYPE_CHECKING:
    from ems.batch.parameters import Case
    from ems.studies.study import Study

STAND_IN = "value-of-a-reference.csv"
"""Text in place of a value that is known only when the workflow runs."""


def case_of(study: str, case: str | None, parameters: Mapping[str, Any], label: str) -> Case:
    """Return a study with the parameters of a case and of a task, checked.

    Parameters
    ----------
    study : str
    case : str or None
        Name of a file in ``parameters/<study>``, or a path; None where the study's defaults hold.
    parameters : mapping
        They win over the case.
    label : str
        Name of the case where there is no file.

    Raises
    ------
    InvalidInput
        If the study, case, a name or a value is not known or not allowed.
    """
    from ems.batch.parameters import Case

    kind = study_class(study)
    given, where, name = _case_file(study, case)
    given |= parameters
    record = kind.from_mapping(given, where)
    return Case(record, name or label, {key: record.as_json()[key] for key in given})


def _case_file(study: str, case: str | None) -> tuple[dict[str, Any], str, str]:
    """Return what a case says, the words for its place, and its name."""
    if case is None:
        return {}, "", ""
    file = find_file(case, project_folder() / "parameters" / study, (".yaml", ".yml"), f"case of study '{study}'")
    return read_yaml(file, shown_path(file)), shown_path(file), file.stem


def study_findings(task: StudyTask, scope: Scope, items: list[Any] | None) -> Iterator[str]:
    """Return a finding for each thing that is wrong with a study task.

    Parameters
    ----------
    task : StudyTask
    scope : Scope
    items : list or None
        Items of its foreach, where it has one and they are known.
    """
    try:
        kind = study_class(task.study)
    except InvalidInput as error:
        yield f"{error.subject}: {error.findings[0]}"
        return
    known = kind.model_fields
    for name in task.parameters:
        if name not in known:
            yield f"parameters.{name}: study '{task.study}' has no parameter of this name; {did_you_mean(name, known)}"
    seen = set()
    for more in [{"item": item} for item in items] if items else [{}]:
        for finding in _findings_with(task, kind, scope, more):
            if finding not in seen:
                seen.add(finding)
                yield finding


def _findings_with(task: StudyTask, kind: type[Study], scope: Scope, more: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with the values that are known, and the types of those that are not."""
    try:
        case = scope.known_value(task.case, **more)
        given, where, _ = _case_file(task.study, case)
    except (NotKnown, BadReference):
        given, where = {}, ""
    except InvalidInput as error:
        yield str(error)
        return
    unknown: set[str] = set()
    for name, value in task.parameters.items():
        if name not in kind.model_fields:
            continue
        try:
            given[name] = scope.known_value(value, **more)
        except BadReference:
            given.pop(name, None)  # told already
        except NotKnown:
            unknown.add(name)
            yield from _type_findings(name, value, kind, scope)
            if name not in given:
                given[name] = _stand_in(kind, name)
    yield from _record_findings(kind, given, where, unknown)


def _type_findings(name: str, value: Any, kind: type[Study], scope: Scope) -> Iterator[str]:
    try:
        whole = whole_reference(value) if isinstance(value, str) else None
        found = scope.type_at(whole) if whole is not None else ("text" if isinstance(value, str) else None)
    except BadReference:
        return  # told already
    accepted = accepted_by(kind.model_fields[name].annotation)
    if found is not None and not is_taken(found, accepted):
        yield f"parameters.{name} = {show(value)}: gives {words_of(found)}; must be {words_of(accepted)}"


def _stand_in(kind: type[Study], name: str) -> Any:
    field = kind.model_fields[name]
    default = field.get_default(call_default_factory=True)
    if default is not None and not field.is_required():
        return default
    first = accepted_by(field.annotation)[0]
    return {"text": STAND_IN, "number": 1.0, "integer": 1, "boolean": False, "list": [], "mapping": {}}.get(first)


def _record_findings(kind: type[Study], given: dict[str, Any], where: str, unknown: set[str]) -> Iterator[str]:
    """Return what the study says of its parameters, without what follows from values that are not known yet."""
    try:
        study = kind.from_mapping(given, where)
        study.check()
    except InvalidInput as error:
        told = [finding for finding in error.findings if not _is_of(f"{error.subject} {finding}", unknown)]
        subject = f"{error.subject}: " if not error.subject.startswith("the parameters of study") else "parameters."
        yield from (_worded(subject, finding) for finding in told)


def _worded(subject: str, finding: str) -> str:
    is_field = re.match(r"[a-z_]+(?:\.\w+)*(?: = |: )", finding) is not None
    return f"{'' if subject == 'parameters.' and not is_field else subject}{finding}"


def _is_of(finding: str, unknown: set[str]) -> bool:
    """Return whether a finding may only come from a stand-in."""
    return STAND_IN in finding or any(re.search(rf"\b{re.escape(name)}\b", finding) for name in unknown)
