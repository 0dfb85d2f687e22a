"""Secrets: taken from the environment at the moment of a call, and hidden in whatever comes back from it."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from ems.batch.workflows.references import BadReference, Reference, filled, references_in

HIDDEN = "***"
SECRET_NAME = re.compile(r"(?i)pass(?:word|wd|phrase)|secret|token|api[-_]?key|authorization|\bpwd\b")
"""Names of fields whose value must not stand in a file."""


def secret_names(value: Any) -> list[str]:
    """Return the names of the secrets that a value refers to."""
    return [str(reference.path[0]) for reference in references_in(value) if reference.root == "secrets"]


def is_set(name: str) -> bool:
    """Return whether the environment has a secret."""
    return bool(os.environ.get(name))


def with_secrets(template: Any, values: Mapping[str, Any]) -> Any:
    """Return a template filled in one pass, with secrets from the environment, for a call which follows at once.

    A value that itself looks like a reference, as an answer of some server may, stays as it is.

    Parameters
    ----------
    template : any
        Fields of a task as its file states them.
    values : mapping
        Value of each other reference, by the reference.

    Raises
    ------
    BadReference
        If a secret is not in the environment.
    """

    def resolve(reference: Reference) -> Any:
        if reference.root != "secrets":
            return values[str(reference)]
        name = str(reference.path[0])
        if not is_set(name):
            raise BadReference(f"secret {name}: the environment variable {name} is not set")
        return os.environ[name]

    return filled(template, resolve)


def without_values(value: Any, names: Iterable[str]) -> Any:
    """Return a value without the values of some secrets, in the forms in which a call may give them back."""
    hidden = sorted({form for name in names for form in _forms(os.environ.get(name, ""))}, key=len, reverse=True)
    return _hidden(value, hidden) if hidden else value


def _hidden(value: Any, hidden: list[str]) -> Any:
    if isinstance(value, str):
        for secret in hidden:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {_hidden(str(key), hidden): _hidden(inner, hidden) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner, hidden) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in hidden:
        return HIDDEN
    return value


def _forms(secret: str) -> set[str]:
    """Return how a secret looks in an address, in JSON, in base64, and line by line."""
    if not secret:
        return set()
    forms = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    forms.add(base64.b64encode(secret.encode()).decode())
    forms |= {line for line in secret.splitlines() if len(line) >= 4}
    return {form for form in forms if form}
