"""The zoomable view of a run: its data beside the report, read back and drawn as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ems.errors import InvalidInput, show
from ems.folders import data_folder, project_folder, shown_path, write_whole

if TYPE_CHECKING:
    from ems.database.records import Run

PAGE = "zoom.html"


def write_zoom(run: Run) -> Path:
    """Write the zoomable view of a run beside its data, and return its path.

    Raises
    ------
    InvalidInput
        If the run has no data, or nothing in them goes over time.
    """
    import pandas as pd
    import xarray as xr

    from ems.report.data_files import NETCDF_NAME
    from ems.report.zoom_page import zoom_page

    named, folder = f"run {show(run.id)}", data_folder(run.study, run.id)
    if run.status != "completed" or not (folder / NETCDF_NAME).is_file():
        raise InvalidInput(
            named, f"{shown_path(folder)} holds no data of it; runs leave them when they complete with a report"
        )
    with xr.open_dataset(folder / NETCDF_NAME, engine="scipy", decode_times=False) as dataset:
        about = dict(dataset.attrs)
    tables = {path.stem: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}
    page = zoom_page(
        tables,
        run.title,
        timezone=str(about.get("timezone", "UTC")),
        currency=str(about.get("currency", "currency")),
        report=f"../{run.id}.html" if (project_folder() / (run.report_path or "")).is_file() else "../../index.html",
    )
    if page is None:
        raise InvalidInput(named, f"its data ({', '.join(f'{name}.csv' for name in tables)}) have no lines over time")
    path = folder / PAGE
    write_whole(path, page)
    return path
