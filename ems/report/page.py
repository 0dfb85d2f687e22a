"""One HTML file from a run notebook: no address outside of it, nothing in it that can act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from nbconvert.exporters.templateexporter import TemplateExporter

from ems.report.cells import make_body
from ems.report.page_parts import Download, PreviousRun, shown_size
from ems.report.policy import content_policy, make_environment, read_asset
from ems.report.tables import shown_duration

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

COMPLETED = "completed"
PAPERMILL_ERROR_TAG = "papermill-error-cell-tag"


@dataclass(frozen=True)
class PageHead:
    """What a page says about its run, besides the notebook.

    Parameters
    ----------
    title, study, case, run_id : str
    status : str
        ``completed``, ``failed``, ``cancelled`` and so on.
    error : str or None
        Why the run did not complete, as people should read it.
    started_at, finished_at : datetime
        With offset from UTC.
    timezone : str
        Name in the tz database, in which times are shown.
    headline : sequence of (label, value)
        The answer in numbers, each with its unit, for the first screen.
    parameters : sequence of mapping
        Keys field, value, unit and meaning.
    provenance : sequence of (section, rows)
        Where the numbers come from: rows of (label, value) under a title each.
    notes : sequence of str
        Warnings and substitutions that a person should look at.
    previous : PreviousRun, optional
        What changed since the run before.
    downloads : sequence of Download
        Files beside the page.
    """

    title: str
    study: str
    case: str
    run_id: str
    status: str
    error: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    timezone: str
    headline: Sequence[tuple[str, str]]
    parameters: Sequence[Mapping[str, str]]
    provenance: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    notes: Sequence[str]
    previous: PreviousRun | None = None
    downloads: Sequence[Download] = ()


class ReportExporter(TemplateExporter):  # type: ignore[misc]
    """nbconvert's exporter with the report's template, escaping environment and nothing from other folders."""

    file_extension = ".html"
    output_mimetype = "text/html"
    export_from_notebook = None

    def __init__(self) -> None:
        from nbconvert.preprocessors import CoalesceStreamsPreprocessor, TagRemovePreprocessor
        from traitlets.config import Config

        # papermill's own marks of an error are dropped: the page has its own.
        config = Config({"TagRemovePreprocessor": {"remove_cell_tags": {PAPERMILL_ERROR_TAG}}})
        super().__init__(
            config,
            template_file="page.html.j2",
            template_paths=[],  # a folder of templates on the machine must not change the page
            default_preprocessors=[],
            preprocessors=[TagRemovePreprocessor, CoalesceStreamsPreprocessor],
            optimistic_validation=True,
        )

    def _create_environment(self) -> Environment:
        environment = make_environment()
        environment.filters["as_body"] = make_body
        environment.filters["as_local_time"] = as_local_time
        environment.filters["as_size"] = shown_size
        environment.filters["as_duration"] = shown_duration
        return environment


def render_page(notebook: NotebookNode, head: PageHead) -> str:
    """Return the report of a run as one HTML file.

    Parameters
    ----------
    notebook : NotebookNode
        As the run left it; cells after one that failed are left out.
    head : PageHead
    """
    style = read_asset("style.css")
    resources: dict[str, Any] = {
        "head": head,
        "style": style,
        "policy": content_policy(style),
        "is_completed": head.status == COMPLETED,
    }
    page, _ = ReportExporter().from_notebook_node(notebook, resources)
    return str(page)


def as_local_time(moment: dt.datetime, timezone: str) -> str:
    """Return a moment as people of a zone write it: ``2024-06-01 10:00 CEST``."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"
