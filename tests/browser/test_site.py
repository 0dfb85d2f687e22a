"""The list of runs and the site's pages in a real browser: no request, no fault, accessible, searchable, sortable."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import Page
from project_fixtures import make_project
from shared_fixtures import made_once
from site_samples import fill
from test_pages import _is_seen, browser, grave_violations, page

from ems.batch.site.places import PAGES
from ems.batch.site.write import write_site
from ems.database.engine import connect

__all__ = ["browser", "page"]


@pytest.fixture(scope="module")
def pages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of reports of a project with something on every page."""
    return made_once(tmp_path_factory, "site", _make_pages) / "project" / "reports"


def _make_pages(folder: Path) -> None:
    project = make_project(folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMS_PROJECT", str(project))
        patch.delenv("EMS_DATABASE_URL", raising=False)
        engine = connect()
        fill(engine, dt.datetime.now(dt.UTC).replace(microsecond=0))
        write_site(engine)
        engine.dispose()


@pytest.mark.parametrize("name", ["../index.html", *PAGES])
def test_page__without_fault_and_accessible(page: Page, pages_folder: Path, name: str) -> None:
    page.goto((pages_folder / "site" / name).resolve().as_uri())

    assert page.locator("h1").count() == 1
    _is_seen(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert grave_violations(page) == []
    assert page.faults == []  # type: ignore[attr-defined]


def test_index__search_choice_and_address(page: Page, pages_folder: Path) -> None:
    page.goto((pages_folder / "index.html").as_uri())
    rows = page.locator("#list tbody tr:visible")
    all_rows = rows.count()

    page.fill("#q", "PLAN-4")
    assert rows.count() == 1
    assert page.locator("#count").inner_text() == f"1 of {all_rows} runs, newest first"
    shared = page.evaluate("location.href")
    page.fill("#q", "no such run")
    assert rows.count() == 0
    page.click("#clear")
    assert rows.count() == all_rows
    page.select_option("select[data-name=status]", "interrupted")
    assert rows.count() == 1

    page.goto("about:blank")
    page.goto(shared)
    assert page.input_value("#q") == "PLAN-4"
    assert rows.count() == 1
    assert page.faults == []  # type: ignore[attr-defined]


def test_optimizations__sorted_by_saving(page: Page, pages_folder: Path) -> None:
    page.goto((pages_folder / "site" / "optimizations.html").as_uri())
    savings = page.locator("#list tbody td[data-label=saving]")
    given = savings.all_inner_texts()

    page.get_by_role("button", name="saving").click()
    upwards = [text.split()[-2] for text in savings.all_inner_texts() if "EUR" in text]
    page.get_by_role("button", name="saving").click()
    downwards = [text.split()[-2] for text in savings.all_inner_texts() if "EUR" in text]

    assert upwards == ["0.00", "3.00", "12.50", "25.00", "37.50", "50.00", "62.50"]
    assert downwards == upwards[::-1]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("saving")
    assert page.evaluate("location.href").endswith("#sort=-saving")
    page.get_by_role("button", name="saving").click()
    assert savings.all_inner_texts() == given
    # The last column, when it was made, is not cut off.
    assert page.locator(".list:has(#list)").evaluate("list => list.scrollWidth <= list.clientWidth")
