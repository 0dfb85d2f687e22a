"""YAML is read as version 1.2's core schema; an error says where."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.yaml_text import parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),
        ("1:30:00", "1:30:00"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("+5", 5),
        ("-5", -5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
        ("null", None),
        ("nothing", "nothing"),
        ("2024-06-01", "2024-06-01"),
        ("2024-06-01T08:00+02:00", "2024-06-01T08:00+02:00"),
        ("=", "="),
        ("'5'", "5"),
    ],
)
def test_parse_yaml__scalars_of_the_core_schema(text, value):
    """Norway's code is text, a clock time is text, a leading zero is decimal, 1e3 is a number."""
    found = parse_yaml(f"key: {text}", "f.yaml")["key"]
    assert found == value
    assert type(found) is type(value)


def test_parse_yaml__not_a_number():
    assert math.isnan(parse_yaml(".nan", "f.yaml"))


def test_parse_yaml__merge_keys_are_no_part_of_the_core_schema():
    assert parse_yaml("<<: {a: 1}", "f.yaml") == {"<<": {"a": 1}}


def test_parse_yaml__anchor():
    assert parse_yaml("a: &x [1, 2]\nb: *x", "f.yaml") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"f\.yaml, line 3, column 1: the key 'a' stands here a second time"),
        ("x: {a: 1, a: 2}", r"f\.yaml, line 1, column 11: the key 'a' stands here a second time"),
        ("a:\n\tb: 1", r"f\.yaml, line 2, column 1: .*YAML indents with spaces, not tabs"),
        ("a: b: c", r"f\.yaml, line 1, column 5: mapping values are not allowed"),
        ("a: [1, 2", r"f\.yaml, line 2, column 1: did not find expected ','"),
        ("a: 'open", r"f\.yaml, line 1, column 9"),
        ("a: *nowhere", r"f\.yaml, line 1, column 4: found undefined alias"),
        ("a: 1\n---\nb: 2", r"f\.yaml, line 2, column 1: .*another document"),
        ("? [a, b]\n: 1", r"f\.yaml, line 1, column 3: a key must be a word"),
        ("a: !!python/object/apply:os.system [ls]", r"f\.yaml, line 1, column 4: could not determine a constructor"),
        ("a: \x00", r"f\.yaml: is not YAML"),
        ("a: !!bool maybe", r"f\.yaml: is not YAML that can be read"),
        ("a: !!int five", r"f\.yaml: is not YAML that can be read"),
        ("a: !!timestamp now", r"f\.yaml: is not YAML that can be read"),
        ("a: " + "9" * 5000, r"f\.yaml: is not YAML that can be read"),
    ],
)
def test_parse_yaml__error_says_where(text, message):
    with pytest.raises(InvalidInput, match=message):
        parse_yaml(text, "f.yaml")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_parse_yaml__bottomless_nesting(text):
    """The parser in C recursed once for each level and took the interpreter with it."""
    with pytest.raises(InvalidInput, match=r"f\.yaml, line 1, column .*nested deeper than 100 levels"):
        parse_yaml(text, "f.yaml")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner))


@given(VALUES)
def test_parse_yaml__json_is_yaml(value):
    """YAML 1.2 is a superset of JSON; what PyYAML writes with quotes and flow style comes back."""
    text = yaml.safe_dump(value, default_style='"', default_flow_style=True, allow_unicode=False)
    assert parse_yaml(text, "f.yaml") == value


def test_read_yaml__mapping_with_mark_of_byte_order(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfsite: quay\n1: one\n")
    assert read_yaml(tmp_path / "f.yaml") == {"site": "quay", "1": "one"}


def test_read_yaml__empty_file(tmp_path):
    (tmp_path / "f.yaml").write_text("# nothing yet\n")
    assert read_yaml(tmp_path / "f.yaml") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n- 2\n", r"f\.yaml: holds a list; expected are lines of 'name: value'"),
        (b"root:x:0:0:root\ndaemon:x:1:1:daemon", r"f\.yaml: holds a text; expected"),
        (b"5", r"f\.yaml: holds a number; expected"),
        (b"true", r"f\.yaml: holds true or false; expected"),
        (b"name: Caf\xe9\n", r"f\.yaml: is not UTF-8 text \(byte 9\); save the file as UTF-8"),
    ],
)
def test_read_yaml__no_mapping(content, message, tmp_path):
    (tmp_path / "f.yaml").write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        read_yaml(tmp_path / "f.yaml", "f.yaml")


def test_read_yaml__no_such_file(tmp_path):
    with pytest.raises(InvalidInput, match=r"f\.yaml: cannot be read: No such file"):
        read_yaml(tmp_path / "f.yaml", "f.yaml")


def test_read_yaml__folder(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
