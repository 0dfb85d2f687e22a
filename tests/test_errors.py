"""Findings are worded so that a person can act."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems import errors
from ems.errors import EmsError, InvalidInput, MissingValues, did_you_mean, show


def test_invalid_input__one_finding_is_one_sentence():
    error = InvalidInput("battery 'b1'", "capacity_kwh = -5 kWh: must be greater than 0 kWh")
    assert str(error) == "battery 'b1': capacity_kwh = -5 kWh: must be greater than 0 kWh"


def test_invalid_input__several_findings_stand_below_each_other():
    error = InvalidInput("battery 'b1'", ["first", "second"])
    assert str(error) == "battery 'b1' cannot be used:\n  first\n  second"


def test_invalid_input__survives_the_way_to_another_process():
    error = pickle.loads(pickle.dumps(MissingValues("demand_kw of 'office'", ["has 3 gaps", "and a hole"])))
    assert type(error) is MissingValues
    assert error.findings == ("has 3 gaps", "and a hole")
    assert str(error) == "demand_kw of 'office' cannot be used:\n  has 3 gaps\n  and a hole"


def test_errors__all_are_one_family_except_the_warning():
    """A command catches `EmsError`; each error in the module is one, and the tree names each."""
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    for one in found:
        assert issubclass(one, EmsError | UserWarning)
        assert one.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "nothing"),
        (0.1 + 0.2, "0.3"),
        (5, "5"),
        ("five", "'five'"),
        ("a\nb\x1b[31m", "'a\\u000ab\\u001b[31m'"),
        ("\u202egnp.exe", "'\\u202egnp.exe'"),  # turns the reading direction: shown, not obeyed
        (["a", 1], "['a', 1]"),
    ],
)
def test_show__one_line_without_control_characters(value, text):
    assert show(value) == text


def test_did_you_mean__names_of_people_are_short_and_without_control_characters():
    """Headers of a file are offered as they stand there."""
    assert did_you_mean("load", ["lo\x1b[31mad"]) == "did you mean lo\\u001b[31mad?"
    assert did_you_mean("load", ["x" * 5000]) == f"known are '{'x' * 79}...' (5000 characters)"


def test_show__long_text_says_its_length():
    shown = show("x" * 5000)
    assert shown.endswith("...' (5000 characters)")
    assert len(shown) < 120


@given(st.text(max_size=300) | st.lists(st.text(max_size=50)) | st.floats() | st.integers())
def test_show__any_value_gives_a_short_printable_line(value):
    shown = show(value)
    # A sign may grow to its six or seven characters; 80 of them and the count is the most there can be.
    assert len(shown) <= 80 + len("'...' (99999 characters)")
    assert "\n" not in shown
    assert "\x1b" not in shown


def test_did_you_mean__near_name():
    assert did_you_mean("horizon_hours", ["horizon_h", "solver"]) == "did you mean horizon_h?"


def test_did_you_mean__nothing_near():
    assert did_you_mean("xyz", ["solver", "horizon_h"]) == "known are horizon_h, solver"
    assert did_you_mean("xyz", []) == "none is known"


def test_did_you_mean__endless_name_is_quick():
    """The comparison is of the square of the length; a name of a million signs would take minutes uncut."""
    assert did_you_mean("horizon_h" * 100_000, ["horizon_h"]) == "known are horizon_h"


def test_did_you_mean__many_names_are_cut():
    """Of 23 names 20 are listed."""
    words = did_you_mean("zzz", [f"name_{number:02d}" for number in range(23)])

    assert words.startswith("known are name_00, name_01")
    assert words.endswith("name_19 and 3 more")


def test_error__shows_its_words_in_a_notebook_without_a_traceback() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    written: list[str] = []
    shell._showtraceback = lambda kind, error, lines: written.extend(lines)  # type: ignore[method-assign]
    shell.run_cell("from ems.studies import quick_start\nquick_start.read_site('just words')")

    assert written[0].startswith("InvalidInput: the description of the site: holds a text")
    assert written[1].startswith("(raised in yaml_text.py, line ")
    assert len(written) == 2
