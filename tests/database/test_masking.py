from __future__ import annotations

import datetime as dt
import json
import time

import numpy as np
import pytest

from ems.database.masking import masked, storable, storable_text, without_secrets


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://ems:hunter2@db/ems", "postgresql://ems:***@db/ems"),
        ("postgresql://ems:hunter2/x@y:z@db:5432/ems", "postgresql://ems:***@db:5432/ems"),
        ("postgresql://ems:hun ter2@db/ems", "postgresql://ems:***@db/ems"),
        ("postgresql://:hunter2@db/ems", "postgresql://:***@db/ems"),
        ("postgresql://db/ems?user=a&password=hunter2&sslmode=require", None),
        ("postgresql://db/ems?sslpassword=hunter2", "postgresql://db/ems?sslpassword=***"),
        ("not an address ems:hunter2@db", "not an address ems:hunter2@db"),
        ("sqlite:////tmp/a@b:c@d.sqlite", "sqlite:////tmp/a@b:c@d.sqlite"),
    ],
)
def test_masked__wherever_the_password_stands(url: str, seen: str | None):
    """Only the password is hidden; a file's path and a text that is no address stay."""
    assert masked(url) == (seen or "postgresql://db/ems?user=a&password=***&sslmode=require")


def test_without_secrets__address_and_assignment_in_a_sentence():
    said = "could not connect to 'postgresql://ems:hunter2@db/ems' (password=hunter2), tried {'api_key': 'hunter2'}"
    assert "hunter2" not in without_secrets(said)
    assert "postgresql://ems:***@db/ems" in without_secrets(said)


def test_without_secrets__value_of_a_secret_variable(monkeypatch: pytest.MonkeyPatch):
    """Six characters are a secret; five are left, because words that short are everywhere."""
    monkeypatch.setenv("MARKET_API_TOKEN", "abc-123")
    monkeypatch.setenv("SHORT_PASSWORD", "kilow")
    monkeypatch.setenv("EMS_DATABASE_URL", "postgresql://ems:p%40ssword@db/ems")
    assert without_secrets("header abc-123, kilowatt") == "header ***, kilowatt"
    assert without_secrets("p%40ssword or p@ssword") == "*** or ***"


def test_storable_text__characters_that_databases_refuse():
    """PostgreSQL refuses NUL, UTF-8 refuses half a surrogate pair; colour codes are for terminals."""
    assert storable_text("\x1b[0;31mError\x1b[0m: a\x00b\ud800c\n\td") == "Error: a\ufffdb\ufffdc\n\td"


def test_storable__values_of_all_kinds():
    given = {
        "horizon_h": np.int64(24),
        "gap": float("nan"),
        "limits": (np.float64(1.5), float("inf")),
        "start": dt.datetime(2024, 6, 1, tzinfo=dt.UTC),
        "password": "x",
        "is_on": np.bool_(True),
        7: {"url": "http://me:secret7@host/"},
    }
    kept = storable(given)
    assert kept == {
        "horizon_h": 24,
        "gap": None,
        "limits": [1.5, None],
        "start": "2024-06-01T00:00:00+00:00",
        "password": "***",
        "is_on": True,
        "7": {"url": "http://me:***@host/"},
    }
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept


@pytest.mark.parametrize("piece", ["x", "password", "://a:", "'token' ", "a=", "://", "\x1b["])
def test_without_secrets__long_text_is_read_quickly(piece: str):
    """A pattern which began with a repetition took 12 s for 20,000 letters; 200,000 characters take a moment."""
    text = piece * (200_000 // len(piece))
    before = time.process_time()
    storable_text(text)
    assert time.process_time() - before < 5  # some 0.1 s on an old machine; minutes where the time grows by squares


def test_without_secrets__scheme_after_other_letters():
    assert without_secrets("url=1postgresql://a:geheim@db") == "url=1postgresql://a:***@db"
