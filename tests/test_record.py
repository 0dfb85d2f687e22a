"""Records are checked when made, in the words of the field, and never change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from ems.errors import InvalidInput
from ems.record import Fraction, FromList, Moment, Name, NonNegative, Positive, Record, Slug, Text, field_table


class Tank(Record):
    """A tank of hot water."""

    id: Slug
    """Id of the tank."""
    name: Name
    """What people call it; the id where nothing is given."""
    capacity_kwh: Positive
    """Heat that it holds. More where it is hotter."""
    losses_kw: NonNegative = 0
    """Heat lost at rest."""
    min_soc: Fraction = 0.1
    """Lowest content."""
    sensors: Annotated[int, Field(ge=1, lt=10)] = 2
    """Number of thermometers."""
    is_open: bool = False
    """Whether it has no lid."""
    medium: Literal["water", "oil"] = "water"
    """What it is filled with."""
    built_at: Moment | None = None
    """When it was built."""
    note: Text = ""
    """What else is to be said."""
    valves: Annotated[tuple[float, ...], FromList] = ()
    """Openings of the valves."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": given["id"]} if "id" in given else {}

    @model_validator(mode="after")
    def _no_open_oil(self) -> Tank:
        if self.is_open and self.medium == "oil":
            raise ValueError("medium = 'oil': needs is_open = false")
        return self


class Cellar(Record):
    """Tanks below a house."""

    tanks: Annotated[tuple[Tank, ...], FromList] = ()
    """The tanks."""


def tank(**fields: Any) -> Tank:
    return Tank(**{"id": "t1", "capacity_kwh": 10, **fields})


class Anything(Record):
    """A record that keeps what it is given."""

    kept: Any | None = None
    """Any value."""


def test_record__a_field_of_any_value_takes_any_number() -> None:
    assert Anything(kept=1e30).kept == 1e30


def test_record__number_beyond_range_in_a_nested_record() -> None:
    with pytest.raises(
        InvalidInput, match=r"tanks\.1\.losses_kw = 1e\+13 kW: is out of range; must lie within ±1e\+12 kW"
    ):
        Cellar(tanks=[{"id": "t1", "capacity_kwh": 1, "losses_kw": 1e13}])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"capacity_kwh": -5}, "tank 't1': capacity_kwh = -5 kWh: must be greater than 0 kWh"),
        ({"losses_kw": -0.5}, "tank 't1': losses_kw = -0.5 kW: must be at least 0 kW"),
        ({"min_soc": 20}, "tank 't1': min_soc = 20: must be at most 1"),
        ({"sensors": 10}, "tank 't1': sensors = 10: must be less than 10"),
        ({"sensors": 2.0}, "tank 't1': sensors = 2: must be a whole number"),
        ({"capacity_kwh": True}, "tank 't1': capacity_kwh = true: must be a number"),
        ({"capacity_kwh": "5"}, "tank 't1': capacity_kwh = '5': must be a number"),
        ({"capacity_kwh": None}, "tank 't1': capacity_kwh = nothing: must be a number"),
        ({"capacity_kwh": float("nan")}, "tank 't1': capacity_kwh = nan kWh: must be a finite number"),
        ({"capacity_kwh": float("inf")}, "tank 't1': capacity_kwh = inf kWh: must be a finite number"),
        ({"capacity_kwh": 1e300}, "capacity_kwh = 1e+300 kWh: is out of range; must lie within ±1e+12 kWh"),
        ({"losses_kw": -(10**400)}, "... kW: is out of range; must lie within ±1e+12 kW"),
        ({"sensors": 10**400}, "is out of range; must lie within ±1e+15"),
        ({"is_open": 1}, "tank 't1': is_open = 1: must be true or false"),
        ({"is_open": "yes"}, "tank 't1': is_open = 'yes': must be true or false"),
        ({"medium": "milk"}, "tank 't1': medium = 'milk': must be 'water' or 'oil'"),
        ({"name": 5}, "tank 't1': name = 5: must be text; put it in quotes"),
        ({"name": "  "}, "tank 't1': name = '  ': must not be empty"),
        ({"name": "a\x07b"}, "tank 't1': name = 'a\\u0007b': must not hold the control character U+0007"),
        ({"name": "a\nb"}, "tank 't1': name = 'a\\u000ab': must be one line without tabs"),
        ({"note": "a\x00b"}, "tank 't1': note = 'a\\u0000b': must not hold the control character U+0000"),
        ({"id": "T1"}, "tank 'T1': id = 'T1': must be small letters, digits and single hyphens, as in"),
        ({"id": "t1\n"}, "tank 't1\\u000a': id = 't1\\u000a': must be small letters"),
        ({"built_at": "2024-06-01T08:00"}, "built_at = '2024-06-01T08:00': must say its offset from UTC, as in"),
        ({"built_at": "yesterday"}, "built_at = 'yesterday': must be a date and time, as in"),
        ({"built_at": 2024}, "built_at = 2024: must be a date and time, as in"),
        ({"built_at": "2024"}, "built_at = '2024': must be a date and time, as in"),
        ({"valves": 5}, "tank 't1': valves = 5: must be a list"),
        ({"valves": [0.5, "x"]}, "tank 't1': valves.2 = 'x': must be a number"),
        ({"max_soc": 1}, "tank 't1': max_soc: no such field; did you mean min_soc?"),
        ({"is_open": True, "medium": "oil"}, "tank 't1': medium = 'oil': needs is_open = false"),
    ],
)
def test_record__message_names_field_value_and_what_would_do(fields, message):
    with pytest.raises(InvalidInput) as caught:
        tank(**fields)
    assert message in str(caught.value)
    assert len(caught.value.findings) == 1


def test_record__missing_field_states_its_unit():
    with pytest.raises(InvalidInput, match=r"tank 't1': capacity_kwh: is required \(in kWh\)$"):
        Tank(id="t1")


def test_record__all_findings_at_once():
    with pytest.raises(InvalidInput) as caught:
        Tank(id="t1", capacity_kwh=-5, max_charge=3, is_open="no")
    assert str(caught.value) == (
        "tank 't1' cannot be used:\n"
        "  capacity_kwh = -5 kWh: must be greater than 0 kWh\n"
        "  is_open = 'no': must be true or false\n"
        "  max_charge: no such field; known are built_at, capacity_kwh, id, is_open, losses_kw, medium, min_soc, "
        "name, note, sensors, valves"
    )


def test_record__number_out_of_range_inside_a_list():
    with pytest.raises(InvalidInput, match=r"^cellar: tanks\.1\.capacity_kwh = 1e\+300 kWh: is out of range"):
        Cellar(tanks=[{"id": "t1", "capacity_kwh": 1e300}])


def test_derive__from_a_number_beyond_all_range():
    """A square of it overflows; the field itself is what is refused."""

    class Disc(Record):
        diameter_m: Positive
        area_m2: Positive | None = None

        @classmethod
        def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
            return {"area_m2": given["diameter_m"] ** 2 * 0.785}

    with pytest.raises(InvalidInput, match=r"^disc: diameter_m = 1e\+300 m: is out of range; must lie within"):
        Disc(diameter_m=1e300)


def test_record__finding_inside_a_list_is_counted_from_one():
    good = {"id": "t1", "capacity_kwh": 10}
    with pytest.raises(InvalidInput, match=r"cellar: tanks\.2\.capacity_kwh = 0 kWh: must be greater than 0 kWh"):
        Cellar(tanks=[good, {**good, "capacity_kwh": 0}])
    with pytest.raises(InvalidInput, match=r"tanks\.1\.capacity: no such field; did you mean capacity_kwh\?"):
        Cellar(tanks=[{**good, "capacity": 1}])


@pytest.mark.parametrize("size", [201, 1_000_000])
def test_record__endless_names_make_short_messages(size):
    """Value and field name of a stranger are cut; nothing else of the message depends on their length."""
    with pytest.raises(InvalidInput) as caught:
        tank(**{"name": "x" * size, "y" * size: 1})
    assert f"({size} characters): must have at most 200 characters" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_record__name_is_stripped_and_may_be_of_any_script():
    assert tank(name="  Kühlhaus 北  ").name == "Kühlhaus 北"


def test_record__whole_number_is_a_number():
    assert tank(capacity_kwh=5).capacity_kwh == 5.0
    assert isinstance(tank(capacity_kwh=5).capacity_kwh, float)


def test_record__moment_of_text_or_datetime():
    eight = dt.datetime(2024, 6, 1, 6, tzinfo=dt.UTC)
    assert tank(built_at="2024-06-01T08:00+02:00").built_at == eight
    assert tank(built_at=eight).built_at == eight


def test_record__never_changes():
    one = tank()
    with pytest.raises(ValidationError):
        one.capacity_kwh = 5


def test_from_mapping__names_the_file():
    with pytest.raises(InvalidInput, match=r"^tank 't1' in cellar\.yaml: capacity_kwh = 0 kWh"):
        Tank.from_mapping({"id": "t1", "capacity_kwh": 0}, "cellar.yaml")


def test_replace__makes_a_checked_copy():
    one = tank(losses_kw=1)
    other = one.replace(capacity_kwh=20)
    assert (one.capacity_kwh, other.capacity_kwh, other.losses_kw) == (10, 20, 1)
    with pytest.raises(InvalidInput, match="capacity_kwh = -1 kWh"):
        one.replace(capacity_kwh=-1)
    with pytest.raises(InvalidInput, match=r"did you mean capacity_kwh\?"):
        one.replace(capacity=1)


def test_replace__derived_field_follows():
    """The name follows from the id, so a new id has a new name; a name that was given stays."""
    assert tank().replace(id="t2").name == "t2"
    assert tank(name="Cellar").replace(id="t2").name == "Cellar"


def test_derive__given_value_wins_and_derived_is_not_given():
    assert tank(name="Cellar").name == "Cellar"
    assert tank().given() == {"id": "t1", "capacity_kwh": 10.0}
    assert Cellar(tanks=[{"id": "t1", "capacity_kwh": 1}]).tanks[0].name == "t1"


@given(
    capacity_kwh=st.floats(min_value=1e-300, max_value=1e12),
    min_soc=st.floats(0, 1),
    sensors=st.integers(1, 9),
    note=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=50),
    built_at=st.datetimes(timezones=st.just(dt.UTC)),
    valves=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)
def test_record__what_is_saved_is_loaded_equal(**fields):
    one = tank(**fields)
    assert Tank(**one.as_json()) == one
    assert one.replace() == one


def test_field_table__tells_unit_bounds_default_and_meaning():
    rows = {row["field"]: row for row in field_table(Tank)}
    assert rows["capacity_kwh"] == {
        "field": "capacity_kwh",
        "unit": "kWh",
        "bounds": "> 0",
        "default": "required",
        "meaning": "Heat that it holds.",
    }
    assert rows["sensors"]["bounds"] == "≥ 1, < 10"
    assert rows["medium"]["bounds"] == "water, oil"
    assert rows["built_at"]["default"] == "nothing"
