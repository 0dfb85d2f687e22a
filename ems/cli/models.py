"""``ems models``: the fitted forecasters that are kept on disk."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems models list
  ems models compare office-load-20240601-073000-k3f9x2 office-load-20240608-073000-p1q2r3
  ems models promote office-load-20240608-073000-p1q2r3

\b
A run keeps its model under a name: ems run forecast demo -p save_model=campus-load
One version of each name can be promoted; it is the one that is loaded by the name.""",
)
def models() -> None:
    """Show, compare, promote and delete fitted models of forecasts."""


@models.command(
    "list",
    epilog="""\b
Examples:
  ems models list
  ems models list office-load --json""",
)
@click.argument("name", required=False)
@json_option
def list_(name: str | None, as_json: bool) -> None:
    """List what is kept, or the versions of a NAME, the newest first."""
    from ems.cli.wording import echo_table, notes, printable
    from ems.forecast.store import list_models

    with notes():
        found = list_models(name)
    if as_json:
        echo_json([one.as_json() for one in found])
        return
    if not found:
        click.echo(
            f"no models of the name '{printable(name)}'"
            if name
            else "no models; keep one with: ems run forecast demo -p save_model=campus-load"
        )
        return
    rows = [
        (one.id, "promoted" if one.is_promoted else "", one.model, one.choice, one.asset, one.variable,
         _cell(one.trained_from), _cell(one.trained_until), one.samples, _cell(one.scores.get("mae")))
        for one in found
    ]  # fmt: skip
    columns = ("id", "in use", "model", "choice", "asset", "variable", "from", "until", "samples", "mae")
    echo_table(columns, rows, right=("samples", "mae"))


@models.command(epilog="\b\nExamples:\n  ems models show office-load\n  ems models show office-load --json")
@click.argument("model", metavar="ID|NAME")
@json_option
def show(model: str, as_json: bool) -> None:
    """Show a model, or the promoted version of a name: what it learned from, how, and how good it is."""
    from ems.cli.wording import printable, quantity
    from ems.forecast.store import get_model

    one = get_model(model)
    plain = one.as_json()
    if as_json:
        echo_json(plain)
        return
    click.echo(f"model '{one.id}'")
    fields = {name: getattr(one, name) for name in plain if name != "id"}
    width = max(map(len, fields))
    for name, value in fields.items():
        if isinstance(value, dict):
            lines = [f"{printable(key)}: {_cell(item) or 'undefined'}" for key, item in value.items()]
        elif name == "notes":
            lines = [printable(note) for note in value]
        else:
            is_number = isinstance(value, int | float)
            lines = [quantity(value, name) if is_number else _cell(value)]
        for line in filter(None, lines):
            click.echo(f"  {name:<{width}}  {line}")


@models.command(
    epilog="""\b
Examples:
  ems models compare office-load-20240601-073000-k3f9x2 office-load-20240608-073000-p1q2r3
  ems models compare office-load depot-load --json"""
)
@click.argument("models", metavar="ID|NAME...", nargs=-1, required=True)
@json_option
def compare(models: tuple[str, ...], as_json: bool) -> None:
    """Show models side by side: what they learned from, their scores, and the options in which they differ."""
    from ems.cli.wording import echo_table
    from ems.forecast.store import compare as compared

    table = compared(models)
    if as_json:
        rows = json.loads(table.to_json(orient="index", date_format="iso"))
        echo_json([{"id": identity, **row} for identity, row in rows.items()])
        return
    cells = [(str(name), *map(_cell, table[name].astype(object))) for name in table]
    echo_table(("id", *table.index), [row for row in cells if any(row[1:])])


@models.command(
    epilog="""\b
Examples:
  ems models promote office-load-20240608-073000-p1q2r3
  ems models show office-load      the promoted version of the name"""
)
@click.argument("identity", metavar="ID")
def promote(identity: str) -> None:
    """Put a version in use under its name, in place of the one that was."""
    from ems.forecast.store import name_of, promoted_id
    from ems.forecast.store import promote as put_in_use

    before = promoted_id(name_of(identity) or "")
    one = put_in_use(identity)
    instead = f" in place of '{before}'" if before not in (None, one.id) else ""
    click.echo(f"model '{one.id}' is in use as '{one.name}'{instead}")


@models.command(
    epilog="""\b
Examples:
  ems models delete office-load-20240601-073000-k3f9x2
  ems models delete office-load-20240608-073000-p1q2r3 --promoted --yes"""
)
@click.argument("identity", metavar="ID")
@click.option("--promoted", is_flag=True, help="Also where it is the version in use.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def delete(identity: str, promoted: bool, yes: bool) -> None:
    """Remove a version for good; the one in use only where it is said."""
    from ems.forecast.store import check_removable
    from ems.forecast.store import delete as removed

    check_removable(identity, even_if_promoted=promoted)
    if not yes:
        click.confirm(f"remove model '{identity}' for good?", abort=True)
    removed(identity, even_if_promoted=promoted)
    click.echo(f"model '{identity}' is gone")


def _cell(value: Any) -> str:
    """Return a value as a cell: a moment to the minute, a number with few figures; empty where it is not known."""
    import datetime as dt

    from ems.cli.wording import printable

    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    if isinstance(value, dict):
        return ", ".join(f"{printable(key)}={printable(item) or 'none'}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return printable(", ".join(map(str, value)))
    return "" if str(value) == "<NA>" else printable(value)
