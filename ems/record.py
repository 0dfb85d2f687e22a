"""Record: checked, unchanging fields; the one place where a field is written.

A field's type, bounds, default and meaning (the docstring below it) give the check and its message, the columns of
a table, the entries of a report and the value that the optimization reads.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import types
import typing
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

import annotated_types
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic._internal._model_construction import ModelMetaclass
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from ems.display import Card, Short, counted, shown_value
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import LONGEST_SLUG
from ems.unit_traps import largest_of, remedy_for
from ems.units import unit_of, with_unit

LONGEST_NAME = 200
ANY_VALUE = (Any, Any | None)
LARGEST_COUNT = 1e15
"""Of whole numbers: databases keep no more than 18 digits."""
LONGEST_TEXT = 10_000
_SAID_BY_THE_CAPTION = ("id", "name", "kind")


def _without_control_characters(text: str) -> str:
    bad = next((c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"), None)
    if bad is not None:
        raise ValueError(f"must not hold the control character U+{ord(bad):04X}")
    return text


def _on_one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be one line without tabs")
    return text


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=LONGEST_SLUG)]
"""An id: small letters, digits, hyphens; safe as a file name and in an address."""

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_without_control_characters)]
"""Free text of people, shown escaped wherever it appears."""

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NAME, strip_whitespace=True),
    AfterValidator(_without_control_characters),
    AfterValidator(_on_one_line),
]
"""A name for people: any letters, one line, not empty."""

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share from 0 to 1, never percent."""
Efficiency = Annotated[float, Field(gt=0, le=1)]


def _no_bare_number(value: object) -> object:
    # pydantic reads 2024 as 2024 s after 1970; a person who writes it means a year.
    if isinstance(value, int | float) or (
        isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdecimal()
    ):
        raise ValueError("must be a date and time, as in 2024-06-01T08:00+02:00")
    return value


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_no_bare_number)]
"""A point in time with its offset from UTC."""


def _date_from_text(value: object) -> object:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date, as in 2024-06-01") from None
    return value


Date = Annotated[dt.date, BeforeValidator(_date_from_text)]
"""A day of the calendar."""
Count = Annotated[int, Field(ge=0)]
Metadata = dict[str, JsonValue]
"""Anything else that people want to keep of a thing, by name."""


def _sequence_as_tuple(value: object) -> object:
    # YAML and JSON give lists; a record holds tuples, which cannot change.
    return tuple(value) if isinstance(value, list) else value


FromList = BeforeValidator(_sequence_as_tuple)


class _RecordMeta(ModelMetaclass):
    """Turns pydantic's findings into one `InvalidInput` in the words of the field."""

    if not TYPE_CHECKING:

        def __call__(cls, **given: Any) -> Any:  # noqa: N805 - a metaclass
            try:
                return super().__call__(**given)
            except ValidationError as error:
                # What follows from a wrong field is wrong too; only the field that was given is named.
                derived = {name for name in cls._derived(given) if given.get(name) is None}
                own = [
                    item for item in error.errors(include_url=False) if item["loc"][:1] not in {(n,) for n in derived}
                ]
                found = [_finding(cls, dict(item)) for item in own] or findings_of(cls, error)
                raise InvalidInput(cls._subject(given), found) from None


class Record(BaseModel, metaclass=_RecordMeta):
    """Fields that are checked when made and never change afterwards.

    Raises
    ------
    InvalidInput
        If a field is unknown, missing, of a wrong type or out of its bounds; all findings at once.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,  # true is not 1 kW, and "5" is not 5
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        """Return the words that name a record in messages: ``battery 'b1'``."""
        kind = "".join(f" {c.lower()}" if c.isupper() else c for c in cls.__name__).strip()
        name = given.get("id") or given.get("name")
        return f"{kind} {show(name)}" if isinstance(name, str) else kind

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "") -> Self:
        """Return the record that a mapping of YAML, JSON or CSV states.

        Parameters
        ----------
        given : mapping
        where : str
            The file or table it came from, for messages.
        """
        try:
            return cls(**given)
        except InvalidInput as error:
            if not where:
                raise
            raise InvalidInput(f"{error.subject} in {where}", error.findings) from None

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return values for fields that were not given and follow from others; the one place where they do."""
        return {}

    @classmethod
    def _derived(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return cls.derive(given)
        except OverflowError:  # of a number that its own field refuses
            return {}

    @model_validator(mode="wrap")
    @classmethod
    def _with_derived(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        beyond = _beyond_range(cls, data)
        if beyond:
            raise ValidationError.from_exception_data(cls.__name__, beyond)
        derived = {
            name: value for name, value in cls._derived(data).items() if value is not None and data.get(name) is None
        }
        record = handler({**data, **derived})
        record.__pydantic_fields_set__.difference_update(derived)
        return record

    def replace(self, **changes: Any) -> Self:
        """Return a checked copy with some fields changed: the what-if of a record."""
        return type(self)(**{**self.given(), **changes})

    def given(self) -> dict[str, Any]:
        """Return the fields that were stated, without those left to their defaults or derived."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    def as_json(self) -> dict[str, Any]:
        """Return all fields as plain numbers, texts, lists and mappings."""
        return self.model_dump(mode="json")

    def card(self) -> Card:
        """Return the record for a glance: what was stated or derived, and folded, what is at its default."""
        fields = type(self).model_fields
        shown = [name for name in fields if name not in _SAID_BY_THE_CAPTION]
        stated = [name for name in shown if name in self.model_fields_set or not self._is_default(name)]
        rows = {name: (name, shown_value(getattr(self, name), name), meaning_of(fields[name])) for name in shown}
        defaults = [rows[name] for name in shown if name not in stated]
        return Card(
            self._caption(),
            [rows[name] for name in stated],
            has_meaning=True,
            folded=defaults,
            folded_words=f"{counted(len(defaults), 'field')} at {'its' if len(defaults) == 1 else 'their'} default",
        )

    def _caption(self) -> str:
        subject = self._subject({name: getattr(self, name, None) for name in _SAID_BY_THE_CAPTION})
        name = getattr(self, "name", None)
        is_said = not isinstance(name, str) or name in (getattr(self, "id", name), type(self).__name__)
        return f"{subject[0].upper()}{subject[1:]}{'' if is_said else f', {name}'}"

    def _is_default(self, name: str) -> bool:
        field = type(self).model_fields[name]
        return not field.is_required() and bool(
            getattr(self, name) == field.get_default(call_default_factory=True, validated_data={})
        )

    def _repr_html_(self) -> str:
        return self.card().as_html()

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Give what a short representation tells: the stated fields, long lists cut."""
        for name, value in self.given().items():
            yield name, Short(value)


def bounds_of(field: FieldInfo) -> dict[str, float]:
    """Return the bounds of a numeric field, optional or not: keys among ``gt``, ``ge``, ``lt``, ``le``."""
    bounds: dict[str, float] = {}
    for constraint in [*field.metadata, *_metadata_inside(field.annotation)]:
        for key, kind in (
            ("gt", annotated_types.Gt),
            ("ge", annotated_types.Ge),
            ("lt", annotated_types.Lt),
            ("le", annotated_types.Le),
        ):
            if isinstance(constraint, kind):
                bounds[key] = getattr(constraint, key)
    return bounds


def _metadata_inside(annotation: Any) -> list[Any]:
    """Return the constraints of the members of a union: those of the number in ``Fraction | None``."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return []
    return [
        constraint
        for part in typing.get_args(annotation)
        if typing.get_origin(part) is Annotated
        for constraint in FieldInfo.from_annotation(part).metadata
    ]


def meaning_of(field: FieldInfo) -> str:
    """Return the first sentence of a field's docstring, on one line."""
    text = " ".join((field.description or "").split())
    return text.split(". ")[0].rstrip(".") + "." if text else ""


def acts_in(field: FieldInfo) -> str:
    """Return what a field acts in, as its docstring states it, or nothing where it only describes."""
    text = " ".join((field.description or "").split())
    found = re.search(r"Acts in ([^.]+)\.", text)
    return found.group(1) if found else ""


def field_table(record: type[Record], currency: str = "currency") -> list[dict[str, str]]:
    """Return one row for each field: name, unit, bounds or choices, default, meaning; all as text."""
    rows = []
    for name, field in record.model_fields.items():
        signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
        bounds = ", ".join(f"{signs[key]} {value:g}" for key, value in bounds_of(field).items())
        rows.append(
            {
                "field": name,
                "unit": unit_of(name, currency) or "",
                "bounds": bounds or ", ".join(_choices(field)),
                "default": "required" if field.is_required() else _shown_default(field),
                "meaning": meaning_of(field),
            }
        )
    return rows


def _shown_default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Record):
        return f"as {type(value).__name__} has them"
    if isinstance(value, tuple | list | dict) and not value:
        return "empty"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value or "empty" if isinstance(value, str) else show(value)


def _choices(field: FieldInfo) -> list[str]:
    def inside(annotation: Any) -> list[str]:
        if typing.get_origin(annotation) is typing.Literal:
            return [str(choice) for choice in typing.get_args(annotation)]
        return [choice for part in typing.get_args(annotation) for choice in inside(part)]

    return inside(field.annotation)


# ---------------------------------------------------------------------------------- how a finding is worded
_SIGN = {
    "greater_than": ("gt", "must be greater than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
_LENGTH = {
    "string_too_long": ("max_length", "must have at most {} characters"),
    "too_short": ("min_length", "needs entries, at least {}"),
}
_TYPE = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be lines of 'name: value'",
    "model_type": "must be lines of 'name: value'",
    "model_attributes_type": "must be lines of 'name: value'",
    "timezone_aware": "must say its offset from UTC, as in 2024-06-01T08:00+02:00",
    "string_too_short": "must not be empty",
}


def _beyond_range(record: type[BaseModel], given: Mapping[str, Any]) -> list[InitErrorDetails]:
    """Return an error for each number that is too large for any field of its unit; a field of any value takes all."""
    found = []
    for name, value in given.items():
        if isinstance(value, int | float) and (largest := _largest_of(record, name)) < abs(value) != math.inf:
            error = PydanticCustomError("beyond_range", "is out of range", {"largest": largest})
            found.append(InitErrorDetails(type=error, loc=(name,), input=value))
    return found


def _largest_of(record: type[BaseModel], name: str) -> float:
    """Return the largest number, with either sign, that a field may hold, whatever its own bounds are."""
    field = record.model_fields.get(name)
    if field is None or field.annotation in ANY_VALUE:
        return math.inf
    kinds = {field.annotation, *typing.get_args(field.annotation)}
    return LARGEST_COUNT if int in kinds and float not in kinds else largest_of(name)


def findings_of(record: type[BaseModel], error: ValidationError) -> list[str]:
    """Return one sentence for each of pydantic's findings, naming field, value with unit, and what would do."""
    return [_finding(record, dict(item)) for item in error.errors(include_url=False)]


def _finding(record: type[BaseModel], item: dict[str, Any]) -> str:
    location, kind, value = item["loc"], item["type"], item.get("input")
    context = item.get("ctx") or {}
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in location)
    name = next((part for part in reversed(location) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        return f"{_shorten(place)}: no such field; {did_you_mean(name, _fields_at(record, location[:-1]))}"
    if kind == "missing":
        return f"{place}: is required{_unit_hint(name)}"
    if kind == "value_error":
        message = str(context.get("error", item["msg"]))
        return f"{place} = {show(value)}: {message}" if place and not isinstance(value, dict) else message
    shown = with_unit(show(value), name) if _is_number(value) else show(value)
    if kind in _SIGN:
        key, words = _SIGN[kind]
        said = f"{words} {with_unit(f'{context[key]:g}', name)}{_remedy(name, value, context[key])}"
    elif kind == "beyond_range":
        largest = f"{context['largest']:g}"
        said = f"is out of range; must lie within ±{with_unit(largest, name)}"
    elif kind in _TYPE:
        said = _TYPE[kind]
    elif kind == "literal_error":
        said = f"must be {context.get('expected', 'another value')}"
    elif kind == "string_pattern_mismatch":
        said = "must be small letters, digits and single hyphens, as in harbour-battery-1"
    elif kind in _LENGTH:
        key, words = _LENGTH[kind]
        said = words.format(context[key])
    elif kind.startswith(("datetime", "date", "time", "timezone")):
        said = (
            "must be a date and time, as in 2024-06-01T08:00+02:00"
            if "datetime" in kind
            else "must be a date or time, as in 2024-06-01 or 08:00"
        )
    elif kind.startswith("union_tag"):
        said = f"must be one of {context.get('expected_tags', 'the known kinds')}"
    else:
        said = str(item["msg"])
    return f"{place} = {shown}: {said}"


def _remedy(name: str, value: object, bound: float) -> str:
    return remedy_for(name, float(value), bound) if isinstance(value, int | float) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shorten(place: str) -> str:
    return show(place).strip("'") if len(place) > LONGEST_NAME else place


def _unit_hint(name: str) -> str:
    unit = unit_of(name)
    return f" (in {unit})" if unit not in (None, "1") else ""


def _fields_at(record: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names known at a place inside a record."""

    def records_in(annotation: Any) -> list[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [found for part in typing.get_args(annotation) for found in records_in(part)]

    here: list[type[BaseModel]] = [record]
    for part in location:
        if isinstance(part, int):
            continue
        fields = [one.model_fields[part] for one in here if part in one.model_fields]
        if fields:
            here = [found for field in fields for found in records_in(field.annotation)]
        else:  # the tag of a union: battery among the kinds of assets
            tagged = [one for one in here if (f := one.model_fields.get("kind")) is not None and f.default == part]
            here = tagged or here
    return sorted({name for one in here for name in one.model_fields})
