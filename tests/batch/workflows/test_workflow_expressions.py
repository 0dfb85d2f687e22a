"""Expressions: what they give, what they refuse, and that nothing of Python can be reached through them."""

from __future__ import annotations

from typing import Any

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.batch.workflows.evaluation import evaluate, infer_type
from ems.batch.workflows.expressions import BadExpression, parse_expression
from ems.batch.workflows.references import Reference, value_at

VALUES: dict[str, Any] = {
    "tasks": {
        "load-now": {"status": "completed", "outputs": {"cost": 12.5, "kpis": {"battery/cycles": 1.5}, "none": None}},
        "many": {"outputs": {"cost": [1, 2, None], "name": "roof"}},
    },
    "parameters": {"limit": 5, "site": "campus", "is_on": True},
    "item": {"id": "roof"},
}


def value_of(reference: Reference) -> Any:
    return value_at(VALUES[reference.root], reference.path, str(reference))


def result(text: str) -> Any:
    return evaluate(parse_expression(text), value_of)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2 + 7 % 4", 6),
        ("2 ** 10", 1024),
        ("-parameters.limit + 1", -4),
        ("${tasks.load-now.outputs.cost} > 2 * parameters.limit", True),
        ("tasks['load-now'].outputs.cost", 12.5),
        ("${tasks.load-now.outputs.kpis['battery/cycles']}", 1.5),
        ("${tasks.load-now.outputs.kpis}['battery/cycles']", 1.5),
        ("tasks.many.outputs.name == 'roof' and parameters.is_on", True),
        ("parameters.site in ['campus', 'demo']", True),
        ("'cam' in parameters.site", True),
        ("1 < parameters.limit <= 5", True),
        ("10 if parameters.limit > 4 else 20", 10),
        ("sum(known(tasks.many.outputs.cost))", 3),
        ("mean([1, 2, 6]) + max(1, 2) - min([3, 4])", 2),
        ("round(2.345, 1) + abs(-1) + len('abc')", 6.3),
        ("default(${tasks.load-now.outputs.none}, 3)", 3),
        ("${tasks.load-now.outputs.none} == null", True),
        ("'a' + text(2)", "a2"),
        ("[1, 2][1] + {'a': 3}['a']", 5),
        ("true == 1", False),
        ("item.id", "roof"),
        ("tasks['load-now'].status == 'completed'", True),
    ],
)
def test_expression__gives(text: str, expected: Any) -> None:
    assert result(text) == pytest.approx(expected) if isinstance(expected, float) else result(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('true')", "only functions can be called|is not known"),
        ("open('/etc/passwd')", "function 'open' is not known"),
        ("().__class__.__bases__", "no '__class__'"),
        ("parameters.site.upper()", "only functions can be called"),
        ("[x for x in [1]]", "a list made by for is not allowed"),
        ("lambda: 1", "a function of one's own is not allowed"),
        ("f'{parameters.site}'", "a text with braces is not allowed"),
        ("(x := 1)", "an assignment is not allowed"),
        ("b'abc'", "is not allowed here"),
        ("[1, 2][0:1]", "a slice is not allowed"),
        ("max(*[1, 2])", "a star is not allowed"),
        ("{1: 2}", "keys of a mapping must be texts"),
        ("round(1, digits=2)", "leave the names of arguments out"),
        ("1 +", "cannot be read"),
        ("campus", "put texts in quotes"),
        ("'${parameters.site}' == 'x'", "leave the quotes out"),
        ("tasks.load-now.outputs.cost", "write \\$\\{tasks.TASK.outputs.NAME\\}"),
        ("${tasks.load}", "write \\$\\{tasks.TASK.outputs.NAME\\}"),
        ("_reference_0", "is a name that is used within"),
        ("1" * 3000, "at most 2000"),
        ("+".join("1" * 400), "at most 300"),
        ("(" * 500 + ")" * 500, "cannot be read|nested"),
    ],
)
def test_expression__refuses(text: str, said: str) -> None:
    with pytest.raises(BadExpression, match=said):
        result(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "1 is divided by zero"),
        ("9 ** 9 ** 9", "no finite number"),
        ("10 ** 30 * 10 ** 300", "not finite|too large|no finite"),
        ("(-8) ** 0.5", "no real number"),
        ("${tasks.load-now.outputs.none} + 1", "nothing is no number"),
        ("${tasks.load-now.outputs.none} < 1", "nothing is no number"),
        ("sum(tasks.many.outputs.cost)", "value 3 of the list is nothing; known"),
        ("parameters.limit and true", "5 is neither true nor false"),
        ("tasks.many.outputs.cost[7]", "there is no '7' in it"),
        ("[1, 2][5]", "there is no 5 in"),
        ("max([])", "the list is empty"),
        ("1 in 2", "nothing can be in 2"),
    ],
)
def test_expression__without_a_value_says_why(text: str, said: str) -> None:
    with pytest.raises(BadExpression, match=f"has no value: .*({said})"):
        result(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("parameters.number * 2", "number"),
        ("parameters.integer * 2", "integer"),
        ("parameters.integer / 2", "number"),
        ("parameters.text + 'a'", "text"),
        ("parameters.number > 1 and not parameters.boolean", "boolean"),
        ("[1]", "list"),
        ("{'a': 1}", "mapping"),
        ("sum([1])", "number"),
        ("parameters.any + 1", "number"),
        ("1 if parameters.boolean else 'a'", "any"),
    ],
)
def test_type__is_known_before_anything_runs(text: str, kind: str) -> None:
    assert infer_type(parse_expression(text), lambda reference: reference.path[0]) == kind  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parameters.text * 2", "'parameters.text' is text; needed is a number"),
        ("not parameters.number", "is a number; needed is true or false"),
        ("parameters.boolean and parameters.text", "is text; needed is true or false"),
        ("parameters.text < 3", "is text; needed is a number"),
        ("-parameters.list", "is a list; needed is a number"),
        ("${parameters.mapping} + 1", "'\\$\\{parameters.mapping\\}' is lines of"),
    ],
)
def test_type__clash_is_told(text: str, said: str) -> None:
    with pytest.raises(BadExpression, match=said):
        infer_type(parse_expression(text), lambda reference: reference.path[0])  # type: ignore[arg-type,return-value]


@settings(max_examples=examples(150), deadline=None)
@given(st.text(alphabet="0123456789+-*/%()[]{}.,'\"=<>!&|:_ abcinotrdfel$", max_size=60))
def test_expression__any_text_gives_a_value_or_a_sentence(text: str) -> None:
    """Whatever a person writes ends with a plain value or BadExpression, and with nothing else."""
    try:
        found = result(text)
    except BadExpression as error:
        assert str(error)
    else:
        assert found is None or isinstance(found, bool | int | float | str | list | dict)
