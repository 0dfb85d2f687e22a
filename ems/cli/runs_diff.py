"""``ems runs diff``: in what two runs differ, and what each changed parameter did to the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option

if TYPE_CHECKING:
    from ems.batch.watch.diff import Difference
    from ems.batch.watch.explain import Explanation

SHORT_DIGEST = 12
LONGEST_CELL = 60
"""Characters of a value in the table; --json has all."""


@click.command(
    epilog="""\b
Examples:
  ems runs diff 20240603-080000-a1b2c3 20240604-080000-d4e5f6
  ems runs diff 20240603-080000-a1b2c3 20240604-080000-d4e5f6 --explain --json"""
)
@click.argument("a", metavar="RUN_A")
@click.argument("b", metavar="RUN_B")
@click.option("--explain", "with_parts", is_flag=True, help="Say what each changed parameter did to the cost.")
@json_option
def diff(a: str, b: str, with_parts: bool, as_json: bool) -> None:
    """Show in which parameters, inputs, versions, notes and results two runs differ.

    With --explain the cases between them are solved, one parameter changed after the other in the order of the
    study's fields; the parts sum to the difference of the costs.
    """
    from ems.batch.watch.diff import differences
    from ems.cli.runs_list import swept_engine
    from ems.database.runs import get_run

    engine = swept_engine()
    first, second = get_run(engine, a), get_run(engine, b)
    found = differences(engine, first, second)
    parts = None
    if with_parts:
        from ems.batch.watch.explain import explain

        parts = explain(engine, first, second, lambda said: click.echo(f"solving: {said}", err=True))
    if as_json:
        explained = {"explanation": parts.as_json()} if parts else {}
        echo_json({"a": a, "b": b, "differences": [one.as_json() for one in found], **explained})
        return
    _echo_differences(found)
    if parts:
        _echo_parts(parts)


def _echo_differences(found: list[Difference]) -> None:
    from ems.cli.wording import echo_table

    if not found:
        click.echo("the two runs have the same parameters, inputs, versions, notes and results")
        return
    rows = [
        (one.of, one.name, _shown(one.a, one), _shown(one.b, one), "" if one.change is None else f"{one.change:+.6g}")
        for one in found
    ]
    echo_table(("of", "name", "A", "B", "B - A"), rows)


def _shown(value: Any, of: Difference) -> str:
    from ems.cli.wording import printable

    if value is None:
        return "-"
    if of.of == "input":
        return f"{str(value)[:SHORT_DIGEST]}..."
    text = printable(value)
    text = text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 3]}..."
    return f"{text} {of.unit}" if of.unit and not isinstance(value, str | bool) else text


def _echo_parts(parts: Explanation) -> None:
    from ems.cli.wording import echo_table

    click.echo()
    rows = [("cost of run A", "", "", _money(parts.cost_a))]
    for step in parts.steps:
        change = [f"{_plain(old)} -> {_plain(new)}" for old, new in zip(step.a, step.b, strict=True)]
        rows.append((", ".join(step.parameters), "; ".join(change), _change(step.change), _money(step.cost_after)))
    rows += [
        ("files, versions, tolerance", "", _change(parts.other), ""),
        ("cost of run B", "", _change(parts.difference), _money(parts.cost_b)),
    ]
    echo_table(
        ("changed", "from A to B", "change", f"cost in {parts.currency}"),
        rows,
        right=("change", f"cost in {parts.currency}"),
    )


def _plain(value: Any) -> str:
    from ems.cli.wording import printable

    return "none" if value is None else printable(value)


def _change(amount: float) -> str:
    return f"{round(amount, 2) + 0.0:+,.2f}"  # -0.00 would be a riddle


def _money(amount: float) -> str:
    return f"{amount:,.2f}"
