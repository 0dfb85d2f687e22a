"""What a report says beside its notebook: what changed since the run before, and which files hold its data."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ems.batch.watch.previous import Figure, SincePrevious, since_previous
from ems.display import shown_number
from ems.errors import show
from ems.folders import data_folder, project_folder
from ems.report.page_parts import Download, PreviousRun
from ems.report.site_parts import as_link

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.batch.watch.diff import Difference
    from ems.database.records import Run

SHORT_DIGEST = 12
LONGEST_VALUE = 80


def downloads_of(run: Run) -> list[Download]:
    """Return the files with a run's data and its notebook, which lie beside its report."""
    folder = data_folder(run.study, run.id)
    paths = sorted(folder.glob("*.csv")) + sorted(folder.glob("*.nc"))
    found = [Download(as_link(f"{run.id}/{path.name}"), path.name, path.stat().st_size) for path in paths]
    return [*found, Download(as_link(f"{run.id}.ipynb"), "notebook", None)]


def previous_of(engine: Engine, run: Run) -> PreviousRun | None:
    """Return what changed since the last completed run of the same case, in words; None where there is none."""
    found = since_previous(engine, run) if run.status == "completed" else None
    if found is None:
        return None
    return PreviousRun(
        run_id=found.run.id,
        started_at=found.run.started_at or found.run.created_at,
        report=_report_of(found),
        figures=[(one.label, _value(one, one.now), _value(one, one.before), _change(one)) for one in found.figures],
        causes=[(one.of, one.name, _cause(one, one.a), _cause(one, one.b)) for one in found.causes],
    )


def _report_of(found: SincePrevious) -> str | None:
    """Return the address of the report of the run before from the page of this one, where it is still there."""
    path = found.run.report_path
    if path is None or not (project_folder() / path).is_file():
        return None
    return as_link(PurePosixPath(path).name)


def _value(figure: Figure, value: float | str | None) -> str:
    if isinstance(value, str):
        return value
    text = shown_number(value, figure.decimals)
    return text if value is None else f"{text} {figure.unit}".rstrip()


def _change(figure: Figure) -> str:
    """Return the change with its sign and its share of the value before; a word where there is nothing to subtract."""
    if figure.change is None:
        return "none" if figure.now == figure.before else "another"
    text = shown_number(figure.change, figure.change_decimals)
    if not text.strip("-0.,"):
        return "none"
    said = f"{'' if figure.change < 0 else '+'}{text} {figure.change_unit}".rstrip()
    before = figure.before
    if isinstance(before, int | float) and abs(before) >= 0.5 * 10**-figure.decimals:
        said += f" ({figure.change / abs(before):+.1%})"
    return said


def _cause(cause: Difference, value: Any) -> str:
    if value is None:
        return "none"
    if cause.of == "input":
        return f"sha256 {str(value)[:SHORT_DIGEST]}…"
    text = str(value) if isinstance(value, str) else show(value)
    text = text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
    return f"{text} {cause.unit}" if cause.unit and not isinstance(value, str | bool) else text
