"""The list of runs: newest first, filterable, safe, and whole without its script."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from typing import Any

import pytest
from report_samples import HOSTILE
from test_markup import Marks

from ems.report.index import IndexRow, as_link, render_index

START = dt.datetime(2024, 6, 1, 8, tzinfo=dt.UTC)


def make_row(hour: int = 0, **changes: Any) -> IndexRow:
    given: dict[str, Any] = {
        "run_id": f"run-{hour}",
        "study": "dispatch",
        "case": "demo",
        "title": f"Dispatch {hour}",
        "status": "completed",
        "started_at": START + dt.timedelta(hours=hour),
        "finished_at": START + dt.timedelta(hours=hour, seconds=4.2),
        "total_cost": 1234.5,
        "currency": "EUR",
        "report": f"dispatch/run-{hour}.html",
        "error": None,
    }
    return IndexRow(**{**given, **changes})


def test_render_index__newest_first_with_cost_and_link():
    page = render_index([make_row(1), make_row(3), make_row(2)])

    assert re.findall(r">(Dispatch \d)<", page) == ["Dispatch 3", "Dispatch 2", "Dispatch 1"]
    assert 'href="./dispatch/run-3.html"' in page
    assert '<td class="number">1,234.50 EUR</td>' in page
    assert "2024-06-01 11:00" in page
    assert "4.2 s" in page
    assert "3 runs, newest first" in page


def test_render_index__times_are_utc_whatever_their_offset():
    berlin = dt.datetime(2024, 6, 1, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))

    assert ">2024-06-01 08:00</time>" in render_index([make_row(started_at=berlin)])


def test_render_index__filters_list_what_there_is():
    page = render_index([make_row(1), make_row(2, study="forecast", status="failed", error="No data.")])

    assert re.findall(r'<option value="([^"]*)"', page) == ["", "dispatch", "forecast", "", "completed", "failed"]
    assert '<tr data-study="forecast" data-status="failed">' in page
    assert "No data." in page


def test_render_index__without_script_all_rows_are_shown():
    page = render_index([make_row(1), make_row(2)])

    assert all("hidden" not in attributes for tag, attributes in Marks(page).found if tag == "tr")
    assert 'id="filters" role="search" hidden' in page


def test_render_index__policy_names_style_and_script():
    page = render_index([make_row()])
    policy = re.search(r'Policy" content="([^"]*)"', page)
    assert policy is not None

    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert re.search(r"https?://", page) is None


def test_render_index__empty_says_how_to_begin():
    page = render_index([])

    assert "ems run dispatch demo" in page
    assert "<table" not in page
    assert "<script" not in page


def test_render_index__unfinished_run_without_report():
    page = render_index([make_row(status="running", finished_at=None, total_cost=None, currency=None, report=None)])

    assert "<td>–</td>" in page
    assert all(tag != "a" for tag, _ in Marks(page).found)


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_render_index__hostile_text_is_shown_literally(text: str):
    row = make_row(run_id=text, study=text, case=text, title=text, status=text, currency=text, report=text, error=text)

    marks = Marks(render_index([row]))

    assert sum(tag == "script" for tag, _ in marks.found) == 1
    assert all(tag != "img" for tag, _ in marks.found)
    assert marks.words.count(text) >= 8
    assert [a["data-study"] for tag, a in marks.found if "data-study" in a] == [text]


@pytest.mark.parametrize("path", ["javascript:alert(1)", "//evil.example/x", "/etc/passwd", "https://evil.example"])
def test_as_link__never_leaves_for_another_place(path: str):
    link = as_link(path)

    assert link.startswith("./")
    assert not link.startswith(".//")
    assert ":" not in link


def test_render_index__thousands_of_rows():
    """Five thousand runs stay below 3 MB."""
    page = render_index([make_row(hour) for hour in range(5000)])

    assert page.count("<tr data-study") == 5000
    assert len(page) < 3_000_000
