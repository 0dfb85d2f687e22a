"""Where the pages are, what they are called, and how they lead to each other."""

from __future__ import annotations

from pathlib import Path

from ems.folders import project_folder

FOLDER = "site"
"""Folder of the pages beside the index, in the folder of reports."""
PAGES = {
    "index.html": "Overview",
    "assets.html": "Assets",
    "alarms.html": "Alarms",
    "maintenance.html": "Maintenance",
    "forecasts.html": "Forecasts",
    "optimizations.html": "Optimizations",
    "workflows.html": "Workflows",
    "batches.html": "Batches",
}
"""Files of the pages with their titles, in the order in which they are named."""
RUNS_TITLE = "Runs"
TO_REPORTS = "../"
"""Way from a page to the folder of reports."""


def reports_folder() -> Path:
    """Return the folder of reports."""
    return project_folder() / "reports"


def links_of_index(root: Path) -> list[tuple[str, str, bool]]:
    """Return the pages that the index leads to: those which are there."""
    there = [(title, f"{FOLDER}/{file}", False) for file, title in PAGES.items() if (root / FOLDER / file).is_file()]
    return [*there[:1], (RUNS_TITLE, "index.html", True), *there[1:]] if there else []


def links_of_page(here: str, root: Path | None = None) -> list[tuple[str, str, bool]]:
    """Return the pages that a page leads to: all of the site, or those which are there in a folder of reports.

    Parameters
    ----------
    here : str
        Name of the page's own file.
    root : Path, optional
    """
    there = [
        (title, file, file == here)
        for file, title in PAGES.items()
        if root is None or (root / FOLDER / file).is_file()
    ]
    return [*there[:1], (RUNS_TITLE, f"{TO_REPORTS}index.html", False), *there[1:]]


def archive_name(number: int) -> str:
    """Return the file of a block of older runs, counted from 1."""
    return f"runs-{number}.html"
