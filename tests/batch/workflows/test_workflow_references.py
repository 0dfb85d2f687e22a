"""References: read, filled in one pass, and secrets that come from the environment at the call."""

from __future__ import annotations

from typing import Any

import pytest

from ems.batch.workflows.references import BadReference, filled, parse_reference, references_in
from ems.batch.workflows.secrets import secret_names, with_secrets, without_values


@pytest.mark.parametrize(
    "text",
    [
        "tasks.load.outputs.cost",
        "tasks.load-now.outputs.kpis['battery/cycles']",
        "tasks.load.status",
        "parameters.site",
        "item",
        "item.id",
        "execution.date",
        "secrets.API_TOKEN",
        "tasks.a.outputs.items[0].outputs.x",
    ],
)
def test_reference__is_read_and_said_alike(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no reference"),
        ("taks.load.outputs.x", "did you mean tasks"),
        ("tasks.load", "write"),
        ("tasks.load.output.x", "write"),
        ("parameters", "write"),
        ("execution.day", "known are execution.id"),
        ("secrets.A.B", "environment variable"),
        ("secrets.A-B", "environment variable"),
        ("parameters.a + 1", "kind transform"),
        ("parameters.a()", "kind transform"),
        ("item[-1]", "kind transform"),
        ("x" * 1000, "is no reference"),
    ],
)
def test_reference__that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadReference, match=said):
        parse_reference(text)


def test_filled__whole_references_keep_their_type() -> None:
    template = {"a": "${parameters.n}", "b": ["n is ${parameters.n}, site ${parameters.s}"], "c": 3}

    found = filled(template, lambda reference: {"n": 2.5, "s": "x"}[str(reference.path[0])])

    assert found == {"a": 2.5, "b": ["n is 2.5, site x"], "c": 3}
    assert [str(one) for one in references_in(template)] == ["parameters.n", "parameters.s"]


def test_with_secrets__a_value_that_looks_like_a_reference_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of a server that says ${secrets.OTHER} must not get the secret."""
    monkeypatch.setenv("TOKEN_A", "aaa-secret")
    monkeypatch.setenv("OTHER", "bbb-secret")
    template = {
        "token": "${secrets.TOKEN_A}",
        "text": "${tasks.ask.outputs.body}",
        "both": "${tasks.ask.outputs.body}!",
    }

    found = with_secrets(template, {"tasks.ask.outputs.body": "${secrets.OTHER}"})

    assert found == {"token": "aaa-secret", "text": "${secrets.OTHER}", "both": "${secrets.OTHER}!"}
    assert secret_names(template) == ["TOKEN_A"]


def test_with_secrets__that_is_not_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)

    with pytest.raises(BadReference, match="environment variable NOT_THERE is not set"):
        with_secrets("${secrets.NOT_THERE}", {})


@pytest.mark.parametrize(
    "said",
    [
        "it is pa/ss word!",
        {"pa/ss word!": ["x pa/ss word! y"]},
        "in an address pa%2Fss%20word%21",
        "in another pa%2Fss+word%21",
        "in base64 cGEvc3Mgd29yZCE=",
    ],
)
def test_without_values__hides_a_secret_in_each_form(monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    monkeypatch.setenv("MY_SECRET", "pa/ss word!")

    found = str(without_values(said, ["MY_SECRET"]))

    assert "***" in found
    assert not any(part in found for part in ("pa/ss", "pa%2Fss", "cGEvc3M"))
