"""The report of every study in a real browser: no fault, no request, accessible, answered at once, printed well."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from report_fixtures import STUDIES, Reports
from test_pages import LONGEST_MS, _is_seen, browser, grave_violations, page

__all__ = ["browser", "page"]

PAPER = (680, 1000)
"""Width and height, in CSS pixels, of what a page of A4 has between its margins, a little rounded."""


@pytest.fixture(params=STUDIES)
def study(request: pytest.FixtureRequest) -> str:
    """The name of a study."""
    return str(request.param)


@pytest.fixture
def print_out(browser: Browser, study: str, reports: Reports) -> Iterator[Page]:
    """A report as it goes to a printer from a dark screen."""
    context = browser.new_context(viewport={"width": PAPER[0], "height": PAPER[1]}, color_scheme="dark")
    context.set_default_timeout(LONGEST_MS)
    opened = context.new_page()
    opened.emulate_media(media="print")
    opened.goto(reports.pages[study].as_uri())
    yield opened
    context.close()


def test_report__without_fault_accessible_and_answered_first(page: Page, study: str, reports: Reports) -> None:
    page.goto(reports.pages[study].as_uri())

    assert page.locator("h1").count() == 1
    _is_seen(page)
    cards, pictures = page.locator(".cards > div"), page.locator("img")
    assert cards.count() >= 3
    figure_at = pictures.first.bounding_box()
    height = page.viewport_size["height"]  # type: ignore[index]
    for at in range(cards.count()):
        box = cards.nth(at).bounding_box()
        assert box is not None and figure_at is not None
        assert box["y"] + box["height"] <= min(height, figure_at["y"])
    assert any(character.isdigit() for character in page.locator(".cards").inner_text())
    for at in range(pictures.count()):
        assert pictures.nth(at).get_attribute("alt")
        assert pictures.nth(at).evaluate("picture => picture.complete && picture.naturalWidth > 100")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    tallest_row = page.evaluate("Math.max(...[...document.querySelectorAll('tr')].map(row => row.offsetHeight))")
    assert tallest_row <= 0.35 * height
    assert grave_violations(page) == []
    assert page.faults == []  # type: ignore[attr-defined]


def test_report__prints_in_light_without_what_only_a_screen_has(print_out: Page) -> None:
    seen = print_out.evaluate(
        """() => ({
            ground: getComputedStyle(document.body).backgroundColor,
            ink: getComputedStyle(document.body).color,
            shown: [...document.querySelectorAll('nav, .skip, details.code, .downloads')]
                .filter(one => one.offsetParent !== null || one.getClientRects().length).length,
            tallest: Math.max(...[...document.querySelectorAll('figure')].map(one => one.offsetHeight)),
            broken: [...document.querySelectorAll('figure')]
                .filter(one => getComputedStyle(one).breakInside !== 'avoid').length,
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        })"""
    )

    assert (seen["ground"], seen["ink"]) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    assert (seen["shown"], seen["broken"]) == (0, 0)
    assert seen["tallest"] < PAPER[1]
    assert seen["wide"] <= 0


def test_report__is_a_pdf_of_few_pages(print_out: Page) -> None:
    printed = io.BytesIO(print_out.pdf(format="A4", prefer_css_page_size=True)).getvalue()

    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 14


def test_report__leads_to_the_run_before_and_to_its_data(page: Page, reports: Reports) -> None:
    report = reports.pages["dispatch"]
    page.goto(report.as_uri())

    links = page.locator(".downloads a").evaluate_all("found => found.map(one => one.href)")
    for address in links:
        assert address.startswith(report.parent.as_uri())
        assert (report.parent / address.removeprefix(f"{report.parent.as_uri()}/")).stat().st_size > 0
    assert {address.rsplit("/", 1)[1] for address in links} >= {"schedule.csv", "data.nc", "costs.csv", "kpis.csv"}
    page.get_by_role("link", name="its report").click()
    page.wait_for_url(reports.before.as_uri())
    assert page.url == reports.before.as_uri()
    assert page.faults == []  # type: ignore[attr-defined]
