"""Parameters of a run: a case's file, and single values given on the command line."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import find_file, project_folder, shown_path
from ems.studies.registry import study_class
from ems.studies.study import Study
from ems.yaml_text import parse_yaml, read_yaml


@dataclass(frozen=True)
class Case:
    """A study with its parameters.

    Parameters
    ----------
    study : Study
        The checked parameters, defaults included.
    name : str
        Name of the case.
    given : dict
        The parameters that were stated, as a notebook takes them.
    """

    study: Study
    name: str
    given: dict[str, Any]


def load_case(study: str, case: str, settings: Sequence[str] = ()) -> Case:
    """Return a case of a study, checked in full before anything runs.

    Parameters
    ----------
    study : str
        Name of the study.
    case : str
        Name of a file in ``parameters/<study>``, or a path to a YAML file.
    settings : sequence of str
        ``name=value`` each; they win over the file.

    Raises
    ------
    InvalidInput
        If the study, case, a name or a value is not known or not allowed.
    """
    kind = study_class(study)
    file = find_file(case, project_folder() / "parameters" / study, (".yaml", ".yml"), f"case of study '{study}'")
    given = read_yaml(file, shown_path(file))
    where = shown_path(file)
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise InvalidInput(f"-p {show(setting)}", "must be name=value, as in -p horizon_h=48")
        if name not in kind.model_fields:
            raise InvalidInput(
                f"-p {show(setting)}",
                f"study '{study}' has no parameter of this name; {did_you_mean(name, kind.model_fields)}",
            )
        given[name] = value_of(kind, name, text)
        where = f"{shown_path(file)} with -p"
    record = kind.from_mapping(given, where)
    return Case(record, file.stem, {name: record.as_json()[name] for name in given})


def value_of(kind: type[Study], name: str, text: str) -> Any:
    """Return the value that a text states: text stays text where the parameter is one, else as YAML reads it."""
    if text.strip() in ("null", "None", "~"):
        return None
    is_text = _is_text(kind.model_fields[name].annotation)
    return text.strip() if is_text else parse_yaml(text, f"-p {name}")


def _is_text(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _is_text(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return any(_is_text(part) for part in typing.get_args(annotation))
    if origin is typing.Literal:
        return all(isinstance(choice, str) for choice in typing.get_args(annotation))
    return annotation is str
