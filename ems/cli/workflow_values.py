"""Texts of the command line as parameters and moments of a workflow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def parameters_of(name: str, settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the values that options state: text stays text where the parameter is one, else as YAML reads it."""
    if not settings:
        return {}
    from ems.batch.workflows.reading import read_text, read_workflow
    from ems.errors import InvalidInput
    from ems.errors import show as shown
    from ems.yaml_text import parse_yaml

    known = read_workflow(read_text(name)).parameters
    given: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise InvalidInput(f"-p {shown(setting)}", "must be name=value, as in -p horizon_h=48")
        spec = known.get(key.strip())
        is_text = spec is not None and spec.type == "text"
        is_nothing = text.strip() in ("null", "~")
        given[key.strip()] = text.strip() if is_text and not is_nothing else parse_yaml(text, f"-p {key.strip()}")
    return given


def parameters_from(source: str | None) -> dict[str, Any]:
    """Return the parameters that a file of JSON states."""
    if source is None:
        return {}
    import json

    from ems.errors import InvalidInput

    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        found = json.loads(text or "{}")
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"--parameters-json {source}", f"cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"--parameters-json {source}", 'must be an object: {"name": value}')
    return found


def moment_of(text: str | None) -> Any:
    """Return the moment that a text states."""
    if text is None:
        return None
    import datetime as dt

    from ems.errors import InvalidInput
    from ems.errors import show as shown

    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput(f"--scheduled-for {shown(text)}", "must be a time as in 2024-06-01T08:00+02:00")
    return found
