"""The zoomable view in a real browser: lines are drawn, a drag shows less, the address keeps it, nothing is asked."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page
from report_fixtures import Reports
from test_pages import browser, grave_violations, page

from ems.batch.zoom import write_zoom
from ems.errors import InvalidInput

__all__ = ["browser", "page"]
WITH_LINES = ("dispatch", "forecast", "rolling", "sizing")


def zoomed(reports: Reports, study: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The view of a report's data, copied into a project of its own."""
    report = reports.pages[study]
    shutil.copytree(reports.data(study), folder / "reports" / study / report.stem)
    for name in ("notebooks", "parameters"):
        (folder / name).mkdir()
    shutil.copy(report, folder / "reports" / study)
    monkeypatch.setenv("EMS_PROJECT", str(folder))
    run = SimpleNamespace(
        id=report.stem, study=study, title="A week", status="completed", report_path=f"reports/{study}/{report.name}"
    )
    return write_zoom(run)  # type: ignore[arg-type]


def shown_range(page: Page, *, other_than: str = "") -> str:
    """The range that the view tells once it is drawn; under the mouse it tells a moment instead."""
    text = "document.getElementById('range').textContent"
    page.wait_for_function(f"other => {text}.includes(' to ') && {text} !== other", arg=other_than)
    return page.locator("#range").inner_text()


@pytest.mark.parametrize("study", WITH_LINES)
def test_zoom__draws_lines_and_shows_less_after_a_drag(
    page: Page, reports: Reports, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page.goto(zoomed(reports, study, tmp_path, monkeypatch).as_uri())
    canvas = page.locator("canvas").first
    whole = shown_range(page)
    picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), dtype=int)
    is_coloured = np.ptp(picture, axis=2) > 60
    box = canvas.bounding_box()
    assert box is not None

    assert is_coloured.sum() > 200, "lines are drawn in colour"
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    page.mouse.up()
    page.mouse.move(5, 5)
    near, address = shown_range(page, other_than=whole), page.evaluate("location.href")
    assert "#" in address

    page.goto("about:blank")
    page.goto(address)
    assert shown_range(page) == near
    page.get_by_role("button", name="All", exact=True).click()
    page.wait_for_function("whole => document.getElementById('range').textContent === whole", arg=whole)

    assert grave_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.faults == []  # type: ignore[attr-defined]
    page.get_by_role("link", name="The report").click()
    report = (tmp_path / "reports" / study / reports.pages[study].name).as_uri()
    page.wait_for_url(report)
    assert page.url == report


def test_zoom__of_a_report_without_lines_says_so(reports: Reports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InvalidInput, match=r"have no lines over time"):
        zoomed(reports, "tariffs", tmp_path, monkeypatch)
