"""What may be kept and shown: text without passwords, values that every database can hold."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
SHORTEST_SECRET = 6  # shorter values are common words, and hiding those would spoil every message

# No pattern begins with a repetition, so that an error of a megabyte is read in one go.
_WORD = re.compile(r"[^\s'\"<>]+")
_USER = re.compile(r"://[^:/?#@]*:")
_SECRET_WORD = r"(?:password|passwd|passphrase|pwd|secret|token|api_?key)"  # noqa: S105 - a pattern
_ASSIGNED = re.compile(rf"(?i)({_SECRET_WORD}\w{{0,40}}=)('[^']*'|\"[^\"]*\"|[^\s&;]+)")
_IN_MAPPING = re.compile(rf"(?i)({_SECRET_WORD}\w{{0,40}}['\"]\s{{0,9}}:\s{{0,9}})('[^']*'|\"[^\"]*\")")
_SECRET_NAME = re.compile(rf"(?i){_SECRET_WORD}")
_SECRET_VARIABLE = re.compile(r"(?i)PASSWORD|TOKEN|SECRET|KEY")
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def masked(url: str) -> str:
    """Return a database's address with its password hidden, wherever in it the password stands.

    >>> masked("postgresql://ems:s3cret@db.example.org/ems")
    'postgresql://ems:***@db.example.org/ems'
    >>> masked("postgresql://db.example.org/ems?user=ems&password=s3cret")
    'postgresql://db.example.org/ems?user=ems&password=***'
    """
    return without_secrets(_without_password(url))


def without_secrets(text: str) -> str:
    """Return a text with passwords of addresses and the values of secret environment variables hidden.

    Secret are the variables whose name holds PASSWORD, TOKEN, SECRET or KEY, and the password within any variable
    that holds an address; values of fewer than 6 characters are left.
    """
    return _without(_secrets(), text)


def storable_text(text: str) -> str:
    """Return a text without secrets, colour codes of a terminal, and characters that databases refuse."""
    return _storable_text(_secrets(), text)


def storable(value: Any) -> Any:
    """Return a value as JSON can hold it, without secrets: what is kept of parameters, notes and specs.

    NaN and infinity become null, moments ISO text, anything unknown its text; the value of a key which says that it
    is a password, token or secret is hidden.
    """
    return _storable(_secrets(), value)


def _secrets() -> list[str]:
    """Return the secret values of the environment, the longest first."""

    def values() -> Iterator[str]:
        for name, value in os.environ.items():
            if _SECRET_VARIABLE.search(name):
                yield value
            place = _password_place(value)
            yield value[place]
            yield unquote(value[place])

    return sorted({value for value in values() if len(value) >= SHORTEST_SECRET}, key=len, reverse=True)


def _password_place(address: str) -> slice:
    """Return where in an address its password stands; an empty place where it has none.

    It goes up to the last "@": a password may itself hold "@", ":" or "/", and too much hidden is better than too
    little.
    """
    user, end = _USER.search(address), address.rfind("@")
    return slice(user.end(), end) if user and user.end() <= end else slice(0, 0)


def _without_password(address: str) -> str:
    place = _password_place(address)
    return f"{address[: place.start]}{HIDDEN}{address[place.stop :]}" if place.start < place.stop else address


def _without(secrets: Iterable[str], text: str) -> str:
    text = _WORD.sub(lambda word: _without_password(word[0]), text)
    text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
    text = _IN_MAPPING.sub(rf"\1'{HIDDEN}'", text)
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _storable_text(secrets: Iterable[str], text: str) -> str:
    text = _without(secrets, _ESCAPE_SEQUENCE.sub("", text))
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"} else "\ufffd" for c in text)


def _storable(secrets: Iterable[str], value: Any) -> Any:
    if isinstance(value, str):
        return _storable_text(secrets, value)
    if isinstance(value, Mapping):
        return {
            _storable_text(secrets, str(key)): HIDDEN
            if isinstance(item, str) and item and _SECRET_NAME.search(str(key))
            else _storable(secrets, item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(secrets, item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return _storable(secrets, _plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return value.tolist() if hasattr(value, "tolist") else str(value)  # of numpy, or anything else
