from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import Field

from ems.database.engine import open_engine, reading, writing
from ems.database.tables import record_of, row_of, table_of
from ems.errors import DatabaseProblem
from ems.record import Efficiency, Fraction, FromList, Moment, Name, Positive, Record, Slug, Text


class Part(Record):
    """A part."""

    share: Fraction


class Sample(Record):
    """A record with a field of each type.

    Only the first paragraph is the table's comment.
    """

    id: Slug
    """Name of the sample."""
    group: Name | None = None
    """A word which SQL reserves."""
    note: Text | None = None
    """Free text."""
    capacity_kwh: Positive
    """Energy content when full. More is said here."""
    min_soc: Fraction = 0.1
    """Least state of charge."""
    max_soc: Fraction | None = None
    """Greatest state of charge."""
    charge_efficiency: Efficiency | None = None
    """Share that arrives."""
    balance_kw: float | None = None
    """Any power."""
    count: Annotated[int, Field(ge=1, le=12)] = 1
    """How many."""
    is_flexible: bool = True
    """Whether it may be moved."""
    kind: Literal["battery", "load's"] = "battery"
    """What it is."""
    made_at: Moment
    """When."""
    day: dt.date | None = None
    """Which day."""
    at: dt.time | None = None
    """Which time of day."""
    parts: Annotated[tuple[Part, ...], FromList] = ()
    """Nested."""
    spec: dict[str, Any] = Field(default_factory=dict)
    """Anything."""
    either: float | tuple[float, ...] = 0.0
    """One number or several."""


def sample_table(metadata: sa.MetaData | None = None) -> sa.Table:
    return table_of(
        Sample,
        "samples",
        metadata or sa.MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"}),
        primary_key="id",
        indices=("kind", ("group", "kind")),
        checks={"soc_order": "min_soc < max_soc"},
    )


SAMPLE = Sample(
    id="s1", capacity_kwh=10.0, made_at=dt.datetime(2024, 6, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=2)))
)


@pytest.fixture
def samples(database_url: str) -> Iterator[tuple[sa.Engine, sa.Table]]:
    engine, table = open_engine(database_url), sample_table()
    with writing(engine) as connection:
        table.create(connection)
    yield engine, table
    engine.dispose()


def test_table_of__types_and_nullability():
    table = sample_table()
    types = {column.name: (type(column.type).__name__, column.nullable) for column in table.columns}
    assert types == {
        "id": ("String", False),
        "group": ("String", True),
        "note": ("String", True),
        "capacity_kwh": ("Double", False),
        "min_soc": ("Double", False),
        "max_soc": ("Double", True),
        "charge_efficiency": ("Double", True),
        "balance_kw": ("Double", True),
        "count": ("BigInteger", False),
        "is_flexible": ("Boolean", False),
        "kind": ("String", False),
        "made_at": ("UtcDateTime", False),
        "day": ("Date", True),
        "at": ("Time", True),
        "parts": ("JsonDocument", False),
        "spec": ("JsonDocument", False),
        "either": ("JsonDocument", False),
    }
    assert table.c.id.type.length == 64
    assert table.comment == "A record with a field of each type."
    assert table.c.capacity_kwh.comment == "Energy content when full. [kWh]"
    assert table.c.min_soc.comment == "Least state of charge. [1]"
    assert {index.name for index in table.indexes} == {"ix_samples_kind", "ix_samples_group_kind"}


def test_table_of__excluded_field_and_unknown_type():
    class Odd(Record):
        id: Slug
        length: dt.timedelta

    assert table_of(Odd, "odd", sa.MetaData(), primary_key="id", exclude=("length",)).columns.keys() == ["id"]
    with pytest.raises(TypeError, match=r"Odd\.length: no column holds"):
        table_of(Odd, "odd_too", sa.MetaData(), primary_key="id")


def test_row_of__round_trip(samples):
    """What went in comes out, with a moment of 08:00+02:00 as 06:00 UTC."""
    engine, table = samples
    given = SAMPLE.replace(
        group="Häfen 🚢 'A' 100 %_",
        note="zeile 1\nzeile 2",
        max_soc=0.9,
        charge_efficiency=1.0,
        balance_kw=-0.1,
        kind="load's",
        day=dt.date(2024, 2, 29),
        at=dt.time(8, 30),
        parts=(Part(share=0.25),),
        spec={"b": [1, None, "ü"], "a": {"x": 1.5}},
        either=(1.0, 2.0),
    )
    with writing(engine) as connection:
        connection.execute(sa.insert(table), row_of(given, table))
    with reading(engine) as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one())
    row |= {"parts": [Part(**part) for part in row["parts"]], "either": tuple(row["either"])}
    kept = record_of(Sample, row)
    assert kept == given
    assert kept.made_at == dt.datetime(2024, 6, 1, 6, tzinfo=dt.UTC)
    assert kept.made_at.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ("capacity_kwh = 0", "capacity_kwh_range"),
        ("capacity_kwh = 9e999", "capacity_kwh_range"),
        ("min_soc = -0.01", "min_soc_range"),
        ("max_soc = 1.01", "max_soc_range"),
        ("charge_efficiency = 0", "charge_efficiency_range"),
        ("balance_kw = -9e999", "balance_kw_range"),
        ("count = 0", "count_range"),
        ("count = 13", "count_range"),
        ("kind = 'boat'", "kind_choice"),
        ("\"group\" = ''", "group_length"),
        ("min_soc = 0.5, max_soc = 0.5", "soc_order"),
        ("capacity_kwh = NULL", "capacity_kwh"),
    ],
)
def test_table_of__bound_violated_by_plain_sql(samples, change: str, law: str):
    """The database itself keeps each bound, whoever writes to it; the message names the law."""
    engine, table = samples
    change = change.replace("9e999", "CAST('Infinity' AS float8)") if engine.dialect.name == "postgresql" else change
    with writing(engine) as connection:
        connection.execute(sa.insert(table), row_of(SAMPLE, table))
    with pytest.raises(DatabaseProblem, match=f"refused a row.*{law}"), writing(engine) as connection:
        connection.execute(sa.text(f"UPDATE samples SET {change}"))


@pytest.mark.parametrize("change", ["capacity_kwh = 'NaN'", "is_flexible = '7'", "id = '%s'" % ("x" * 65)])
def test_table_of__value_of_another_type_by_plain_sql(samples, change: str):
    """SQLite keeps any type in any column, and PostgreSQL's NaN is greater than all numbers: CHECKs refuse both."""
    engine, table = samples
    with writing(engine) as connection:
        connection.execute(sa.insert(table), row_of(SAMPLE, table))
    with pytest.raises(DatabaseProblem, match="refused"), writing(engine) as connection:
        connection.execute(sa.text(f"UPDATE samples SET {change}"))


def test_utc_date_time__sorts_as_text_on_sqlite(tmp_path):
    """Moments are kept in UTC, so that their texts sort as they follow each other: 23:30-02:00 is after 00:30 UTC."""
    engine = open_engine(f"sqlite:///{tmp_path}/x.sqlite")
    table = sample_table()
    late = dt.datetime(2024, 5, 31, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-2)))
    early = dt.datetime(2024, 6, 1, 0, 30)
    with writing(engine) as connection:
        table.create(connection)
        row = row_of(SAMPLE, table)
        rows = [row | {"id": "late", "made_at": late}, row | {"id": "early", "made_at": early}]
        connection.execute(sa.insert(table), rows)
        found = connection.execute(sa.text("SELECT id FROM samples ORDER BY made_at")).scalars().all()
    assert found == ["early", "late"]
