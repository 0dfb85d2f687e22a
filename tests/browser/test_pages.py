"""The demo's pages in a real browser: no request, no fault, and something to see."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from project_fixtures import DemoRun, run_ems

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
VIEWS = {"desktop": (1280, 900), "phone": (390, 844)}
LONGEST_MS = 120_000
"""Time after which a page that does not do what it is asked for is broken; most of it is for a busy machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium as it is installed on this machine."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        reason = "no Chromium on this machine; on Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, as whom machines of continuous integration run.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=program, args=[*QUIET, *sandbox])
        yield started
        started.close()


@pytest.fixture(params=[("desktop", "light"), ("phone", "dark")], ids="-".join)
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that notes what goes wrong, as a desktop in light and a phone in dark: each width and scheme once."""
    view, scheme = request.param
    width, height = VIEWS[view]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(LONGEST_MS)
    opened = context.new_page()
    opened.faults = []  # type: ignore[attr-defined]
    opened.on("console", lambda message: _note(opened, message.type in ("error", "warning"), message.text))
    opened.on("pageerror", lambda error: _note(opened, True, str(error)))
    opened.on("requestfailed", lambda failed: _note(opened, True, f"failed: {failed.url}"))
    opened.on("request", lambda asked: _note(opened, not asked.url.startswith(("file:", "data:")), asked.url))
    yield opened
    context.close()


def _note(page: Any, is_fault: bool, text: str) -> None:
    if is_fault:
        page.faults.append(text)


def _is_seen(page: Page) -> None:
    """A screenshot is not blank: several colours, and a fair share of pixels that are not background."""
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), dtype=int)
    values, counts = np.unique(picture, return_counts=True)
    assert len(values) > 20
    assert counts.max() / picture.size < 0.97
    assert picture.std() > 10


def grave_violations(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or critical: the rule, and the first element that breaks it."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]  # half the time of all
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


def test_report__opens_without_fault_and_is_seen(page: Page, demo_run: DemoRun) -> None:
    page.goto(demo_run.report.as_uri())

    assert page.title()
    assert page.get_by_text("135.08 EUR").first.is_visible()
    assert page.locator("h1").count() == 1
    _is_seen(page)
    pictures = page.locator("img")
    assert pictures.count() >= 4
    for at in range(pictures.count()):
        assert pictures.nth(at).get_attribute("alt")
        assert pictures.nth(at).evaluate("picture => picture.complete && picture.naturalWidth > 100")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
    assert page.faults == []  # type: ignore[attr-defined]


def test_index__filters_and_leads_to_the_report(page: Page, demo_run: DemoRun) -> None:
    page.goto(demo_run.index.as_uri())

    rows = page.locator("#list tbody tr:visible")
    before = rows.count()
    page.select_option("select[data-name=status]", "completed")
    completed = rows.count()
    link = page.get_by_role("link").filter(has_text="demo").first
    _is_seen(page)
    link.click()
    page.wait_for_url(demo_run.report.as_uri())

    assert before >= completed >= 1
    assert page.url == demo_run.report.as_uri()
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def failed_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that has failed."""
    from project_fixtures import make_project

    folder = make_project(tmp_path_factory.mktemp("failed") / "project")
    site = folder / "data" / "sites" / "demo.yaml"
    site.write_text(site.read_text().replace("max_import_kw: 100", "max_import_kw: 20"))
    done = run_ems(folder, "run", "dispatch", "demo", "-p", "title=<img src=x onerror=alert(1)>")
    assert done.returncode == 3
    return next((folder / "reports" / "dispatch").glob("*.html"))


def test_failed_report__shows_a_banner_with_the_reason(page: Page, failed_page: Path) -> None:
    page.goto(failed_page.as_uri())

    banner = page.get_by_role("alert")
    assert banner.is_visible()
    assert "infeasible at 2024-06-03" in banner.inner_text()
    red, green, blue = banner.evaluate(
        "element => getComputedStyle(element).borderLeftColor.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert red > 1.5 * max(green, blue)
    assert "<img src=x" in page.locator("h1").inner_text()
    assert page.faults == []  # type: ignore[attr-defined]
