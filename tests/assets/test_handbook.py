"""The register's handbook is true to the records, and covers what a register holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.assets.handbook import RECORDS, handbook_text
from ems.record import acts_in, meaning_of

PLAIN = ("Portfolio", "Tariff", "EnergyPeriod", "ChargingSession")
"""Records whose fields all act in one place, which their own docstring names."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "register.md"


def test_handbook__page_is_made_from_the_records() -> None:
    assert PAGE.read_text(encoding="utf-8") == handbook_text(), "run: make handbook"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_handbook__every_field_has_a_meaning_and_says_what_it_acts_in(record) -> None:
    for name, field in record.model_fields.items():
        assert meaning_of(field) or name == "kind", name
        if record.__name__ not in PLAIN and name not in ("kind", "id"):
            assert acts_in(field) or "Describes only." in " ".join(str(field.description).split()), name
