"""Directives that make the reference from the package itself: its docstrings, records, commands, errors and tables."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docstrings import inline_nodes, member_nodes, read_module, text_nodes
from docutils import nodes
from docutils.parsers.rst import Directive

PACKAGE = Path(__file__).resolve().parents[2] / "ems"


class Modules(Directive):
    """``{modules} assets``: each module below a folder of the package, or the modules that are named."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        return [_module(path) for path in modules_of(self.arguments[0].split())]


def modules_of(names: Iterable[str]) -> list[Path]:
    """Return the files of folders and modules of the package, in the order of their names."""
    found: list[Path] = []
    for name in names:
        path = PACKAGE / name
        found += [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if "versions" not in path.parts and path.name != "env.py"]


def _module(path: Path) -> nodes.section:
    name = ".".join(("ems", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    text, members = read_module(path)
    section = _section(name, text_nodes(text))
    for member in members:
        section += member_nodes(member)
    return section


class Commands(Directive):
    """``{commands}``: the help of each command."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        import click

        from ems.cli import commands

        return list(self._of(commands, click.Context(commands, info_name="ems"), click))

    def _of(self, command: Any, context: Any, click: Any) -> Iterator[nodes.section]:
        width = click.Context(command, info_name=context.info_name, parent=context.parent, terminal_width=100)
        text = command.get_help(width)
        section = _section(context.command_path, [nodes.literal_block(text, text, language="text")])
        for name in command.list_commands(context) if isinstance(command, click.Group) else ():
            one = command.get_command(context, name)
            if not one.hidden:
                section += list(self._of(one, click.Context(one, info_name=name, parent=context), click))
        yield section


class Studies(Directive):
    """``{studies}``: the parameters of each study."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each study."""
        from ems.studies.registry import STUDIES, study_class

        return [self._of(study_class(name)) for name in STUDIES]

    def _of(self, study: Any) -> nodes.section:
        module = importlib.import_module(study.__module__)
        said = (module.__doc__ or "").strip().splitlines()[0].split(": ", 1)[-1]
        return _section(study.name, [nodes.paragraph("", "", *inline_nodes(said)), _field_table(study)])


class RecordFields(Directive):
    """``{record-fields} ems.dispatch.options:SolverOptions``: the fields of one record."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        module, name = self.arguments[0].split(":")
        return [_field_table(getattr(importlib.import_module(module), name))]


def _field_table(record: Any) -> nodes.table:
    from ems.record import field_table

    rows = [
        (f"``{row['field']}``", row["unit"], row["bounds"], row["default"], " ".join(str(field.description).split()))
        for row, field in zip(field_table(record), record.model_fields.values(), strict=True)
    ]
    return _table(("field", "unit", "bounds or choices", "default", "meaning"), rows)


class SeriesNeeds(Directive):
    """``{series-needs}``: which series each kind of asset takes."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        from ems.assets.portfolio import KINDS

        needed: dict[str, str] = {"load": "demand_kw", "grid_connection": "import_price_per_kwh, export_price_per_kwh"}
        rows = []
        for name, kind in sorted(KINDS.items()):
            stated = kind.series_needed
            must = ", ".join(stated) if isinstance(stated, tuple) else needed[name]
            rows.append((f"``{name}``", must, ", ".join(kind.series_optional)))
        return [_table(("kind", "needs", "may have"), rows)]


class Errors(Directive):
    """``{errors}``: the tree of errors with what each means."""

    def run(self) -> list[nodes.Node]:
        """Return the tree and a list."""
        from ems import errors

        tree = inspect.cleandoc((errors.__doc__ or "").split("\n", 2)[2])
        _, members = read_module(PACKAGE / "errors.py")
        shown = [member_nodes(one) for one in members if one.is_class]
        return [nodes.literal_block(tree, tree, language="text"), *shown]


class Tables(Directive):
    """``{tables}``: each table of the database, its columns and what they mean."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each table."""
        from sqlalchemy.dialects import postgresql

        from ems.database.schema import metadata

        dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
        return [self._of(table, dialect) for table in sorted(metadata().sorted_tables, key=lambda one: str(one.name))]

    def _of(self, table: Any, dialect: Any) -> nodes.section:
        rows = []
        for column in table.columns:
            refers = ", ".join(f"→ {key.target_fullname}" for key in column.foreign_keys)
            kind = f"{column.type.compile(dialect=dialect)}{'' if column.nullable else ', never null'}"
            rows.append((f"``{column.name}``", kind, refers, column.comment or ""))
        comment = nodes.paragraph("", "", *inline_nodes(table.comment or ""))
        return _section(str(table.name), [comment, _table(("column", "type", "refers to", "meaning"), rows)])


def _section(title: str, body: Iterable[nodes.Node]) -> nodes.section:
    section = nodes.section(ids=[nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
    section += nodes.title(text=title)
    section += list(body)
    return section


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in heads), cols=len(heads))
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group)


def _row(cells: Iterable[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *inline_nodes(cell))) for cell in cells))


DIRECTIVES: dict[str, type[Directive]] = {
    "modules": Modules,
    "commands": Commands,
    "studies": Studies,
    "record-fields": RecordFields,
    "series-needs": SeriesNeeds,
    "errors": Errors,
    "tables": Tables,
}


def setup(app: Any) -> dict[str, bool]:
    """Make the directives known."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
