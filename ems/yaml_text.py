"""Reading YAML as people mean it: version 1.2's core schema, no key twice, errors with line and column.

PyYAML follows YAML 1.1, where ``NO`` is false, ``12:30`` is 750 and ``1e3`` is text. Its parser is kept (it is
fast and ubiquitous); only the table that tells scalars apart is replaced by that of the core schema [1]_.

References
----------
.. [1] YAML Ain't Markup Language, version 1.2.2, section 10.3, https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ems.errors import InvalidInput, show

LARGEST_FILE_BYTES = 200_000_000
DEEPEST_NESTING = 100
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _CoreLoader(_Base):  # type: ignore[misc]
    """PyYAML's safe loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {show(key)} stands here a second time", key_node.start_mark
                )
            seen.add(key)
        result: dict[Any, Any] = super().construct_mapping(node, deep)
        return result


_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), list("-+0123456789")
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
    list("-+.0123456789"),
)


def _construct_int(loader: Any, node: Any) -> int:
    # YAML 1.1 reads a leading zero as octal; 1.2 reads 010 as ten and 0o10 as eight.
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text, 10)


def _construct_float(loader: Any, node: Any) -> float:
    text = loader.construct_scalar(node).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def parse_yaml(text: str, where: str) -> Any:
    """Return the value that a YAML text states.

    Parameters
    ----------
    text : str
    where : str
        The file or option it came from, for messages.

    Raises
    ------
    InvalidInput
        If the text is no YAML, with line and column, or is nested deeper than any file of people.
    """
    try:
        _check_nesting(text)
        return yaml.load(text, _CoreLoader)  # noqa: S506 - a safe loader with other scalars
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        lines = text.splitlines()
        at_tab = mark and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t"
        hint = "; YAML indents with spaces, not tabs" if at_tab else ""
        raise InvalidInput(f"{where}, {place}", f"{error.problem or error.context}{hint}") from None
    except yaml.YAMLError as error:
        raise InvalidInput(where, f"is not YAML: {show(str(error))}") from None
    except (ValueError, KeyError, AttributeError) as error:  # what PyYAML lets through of tags such as !!bool maybe
        raise InvalidInput(where, f"is not YAML that can be read: {show(str(error))}") from None


def _check_nesting(text: str) -> None:
    # PyYAML's reader in C calls itself for each level, and beyond some ten thousand the interpreter dies of it.
    depth = 0
    for event in yaml.parse(text, _CoreLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST_NESTING:
                problem = f"lists and mappings are nested deeper than {DEEPEST_NESTING} levels"
                mark: Any = event.start_mark
                raise yaml.composer.ComposerError(None, None, problem, mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def read_yaml(path: Path, where: str | None = None) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    Raises
    ------
    InvalidInput
        If the file is missing, too large, not UTF-8, no YAML, or no mapping.
    """
    where = where or str(path)
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InvalidInput(where, f"is larger than {LARGEST_FILE_BYTES // 1_000_000} MB; split the file")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(where, f"is not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except OSError as error:
        raise InvalidInput(where, f"cannot be read: {error.strerror}") from None
    return mapping_of(text, where)


def mapping_of(text: str, where: str) -> dict[str, Any]:
    """Return the mapping that a YAML text states.

    Raises
    ------
    InvalidInput
        If the text is no YAML, or no mapping.
    """
    value = parse_yaml(text, where)
    if value is None:
        return {}
    if not isinstance(value, dict):
        # Nothing of the content: the path may have led to a file that is nobody's business here.
        raise InvalidInput(where, f"holds {_kind_of(value)}; expected are lines of 'name: value'")
    return {str(key): inner for key, inner in value.items()}


def _kind_of(value: object) -> str:
    """Return what a value is in words."""
    kinds = {bool: "true or false", str: "a text", list: "a list"}
    return kinds.get(type(value), "a number")
