"""The pages made from the database, written whole into a folder that any static web server can show."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ems.batch.site.places import FOLDER, PAGES, links_of_page, reports_folder
from ems.batch.site.run_index import write_index
from ems.database.run_lines import report_paths
from ems.errors import InvalidInput
from ems.folders import project_folder, write_whole
from ems.report.site_page import SitePage, render_site_page
from ems.report.site_parts import Part

if TYPE_CHECKING:
    from sqlalchemy import Engine

_OWN_WORDS = b"Made by ems from the database"
"""Stand at the foot of each page that is written here."""
_ARCHIVE = re.compile(r"runs-\d+\.html\Z")


def write_site(engine: Engine, out: Path | None = None, sites: Sequence[str] = ()) -> Path:
    """Write all pages and the list of runs, and return the path of the overview.

    All pages are made before the first one is written, so that an error leaves the folder as it was.

    Parameters
    ----------
    engine : Engine
    out : Path, optional
        Folder in place of the project's reports; it gets the reports that the pages lead to, too.
    sites : sequence of str
        Ids of sites: assets, alarms, maintenance, forecasts and optimizations of these only.

    Raises
    ------
    InvalidInput
        If the folder cannot be written, or there is no such site.
    """
    from ems.database.register import get_site

    root = reports_folder() if out is None else out
    check_writable(root)
    for site in sites:
        get_site(engine, site)
    pages = make_pages(engine, sites)
    make_folder(root)
    if root.resolve() != reports_folder().resolve():
        copy_reports(engine, root)
    for old in (root / FOLDER).iterdir():
        if _ARCHIVE.match(old.name):
            old.unlink()
    for name, page in pages.items():
        write_whole(root / FOLDER / name, page)
    write_index(engine, root, anew=True)
    return root / FOLDER / "index.html"


def make_pages(engine: Engine, sites: Sequence[str] = ()) -> dict[str, str]:
    """Return the pages by the name of their file."""
    from ems.batch.site.forecast_page import forecast_lines, forecast_parts
    from ems.batch.site.overview import overview_parts
    from ems.batch.site.register_pages import alarm_parts, asset_parts, maintenance_parts, read_fleet
    from ems.batch.site.work_pages import batch_parts, optimization_parts, workflow_parts
    from ems.database.engine import shown
    from ems.database.measurements import list_series

    now = dt.datetime.now(dt.UTC)
    fleet = read_fleet(engine, sites, now)
    zone = fleet.zone
    series = {one.series.id for site in sites for one in list_series(engine, site=site)}
    signals = forecast_lines(engine, fleet.asset_ids if sites else None, series)
    parts: dict[str, list[Part]] = {
        "index.html": overview_parts(engine, fleet, signals, now),
        "assets.html": asset_parts(fleet),
        "alarms.html": alarm_parts(fleet),
        "maintenance.html": maintenance_parts(fleet),
        "forecasts.html": forecast_parts(engine, signals, zone),
        "optimizations.html": optimization_parts(engine, sites, zone),
        "workflows.html": workflow_parts(engine, zone),
        "batches.html": batch_parts(engine, zone),
    }
    assert list(parts) == list(PAGES), "each page has its contents"
    of_all = ("workflows.html", "batches.html")
    only = f"Only {'site' if len(sites) == 1 else 'sites'} {', '.join(sites)}." if sites else ""
    return {
        name: render_site_page(
            SitePage(
                PAGES[name],
                content,
                links_of_page(name),
                now,
                shown(engine),
                zone,
                [only] if only and name not in of_all else [],
            )
        )
        for name, content in parts.items()
    }


def check_writable(root: Path) -> None:
    """Refuse a folder into which pages cannot be written, before anything is.

    Raises
    ------
    InvalidInput
    """
    said = f"folder {root}"
    for folder in (root, root / FOLDER):
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(said, f"{folder} is a file; name a folder")
    for file in (root / "index.html", root / FOLDER / "index.html"):
        # A web server's folder may hold the start page of somebody else; the project's own list has always been ours.
        is_ours = root.resolve() == reports_folder().resolve() or not file.exists()
        if not is_ours and _OWN_WORDS not in file.read_bytes():
            raise InvalidInput(said, f"{file} was not made by ems and would be lost; name another folder with --out")
    there = next(one for one in (root / FOLDER, root, *root.absolute().parents) if one.is_dir())
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInput(said, f"{there} cannot be written; check its rights or name another with --out")


def make_folder(root: Path) -> None:
    """Make the folder of the pages, if it is not there.

    Raises
    ------
    InvalidInput
        If the system refuses it: of /proc it says that root may write there, and refuses to.
    """
    try:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root / FOLDER):
            pass
    except OSError as error:
        raise InvalidInput(
            f"folder {root}", f"cannot be written: {error.strerror}; check its rights or name another with --out"
        ) from None


def copy_reports(engine: Engine, root: Path) -> None:
    """Bring the reports that pages lead to, and the files that these lead to, into another folder.

    A file that is there and has not changed is left as it is; reports of no run of the database stay behind.
    """
    project, reports = project_folder(), reports_folder()
    for path in report_paths(engine):
        report = project / path
        if not report.is_relative_to(reports):
            continue
        for source in (report, report.with_suffix(".ipynb"), *report.with_suffix("").glob("*")):
            if source.is_file():
                _copy_changed(source, root / source.relative_to(reports))


def _copy_changed(source: Path, target: Path) -> None:
    has = source.stat()
    if target.is_file():
        there = target.stat()
        if (there.st_size, int(there.st_mtime)) == (has.st_size, int(has.st_mtime)):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
