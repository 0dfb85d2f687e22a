"""The list of runs: what needs attention first, newest first, safe, and whole without its script."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from report_samples import HOSTILE
from test_markup import Marks

from ems.report.index import AttentionRow, IndexRow, first_lines, index_parts
from ems.report.site_page import OPEN_MARK, SitePage, render_site_page
from ems.report.site_parts import Cell, Column, Listing, as_link

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


def rendered(rows: list[IndexRow], **options: Any) -> str:
    is_final = options.pop("is_final", True)
    zone = options.pop("zone", dt.UTC)
    parts = index_parts(rows, zone, **options)
    return render_site_page(SitePage("Runs", parts, (), START, "sqlite:///data/ems.sqlite", zone, is_final=is_final))


def test_index__newest_first_with_cost_and_link():
    page = rendered([make_row(1), make_row(3), make_row(2)])

    assert re.findall(r">(Dispatch \d)<", page) == ["Dispatch 3", "Dispatch 2", "Dispatch 1"]
    assert 'href="./dispatch/run-3.html"' in page
    assert 'class="number" data-v="1234.5">1,234.50 EUR' in page
    assert 'data-v="4.2">4.2 s' in page
    assert ">2024-06-01 11:00</time>" in page
    assert "3 runs, newest first" in page
    assert "sqlite:///data/ems.sqlite" in page


def test_index__times_are_those_of_the_zone_of_the_page_whatever_their_offset():
    """10:00 at an offset of two hours is 08:00 UTC, which is 04:00 in New York in summer."""
    berlin = dt.datetime(2024, 6, 1, 10, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    page = rendered([make_row(started_at=berlin)], zone=ZoneInfo("America/New_York"))

    assert ">2024-06-01 04:00</time>" in page
    assert "Times in America/New_York" in page
    assert re.search(r"As of <time datetime=[^>]*>2024-06-01 04:00</time>", page)


def test_index__choices_are_what_there_is_and_the_interrupted_are_told_apart():
    lost = make_row(3, status="failed", error="interrupted: process 7 on host a ended before the run did")
    page = rendered([make_row(1), make_row(2, study="forecast", status="failed", error="No data."), lost])

    choices = re.findall(r"<option(?: value=\"\")?>([^<]*)</option>", page)
    assert choices == ["all", "dispatch", "forecast", "all", "completed", "failed", "interrupted"]
    assert '<span class="status is-bad">interrupted</span>' in page


def test_index__attention_stands_before_the_runs():
    wrong = AttentionRow("Plan", "dispatch / demo", "failed", "No prices.", START, "./dispatch/x.html")
    page = rendered([make_row()], attention=[wrong], more_attention="And 2 more.")

    assert page.index("Needs attention") < page.index("No prices.") < page.index("All runs")
    assert "And 2 more." in page
    assert "Needs attention" not in rendered([make_row()])


def test_index__without_script_all_rows_are_shown():
    page = rendered([make_row(1), make_row(2)])

    assert all("hidden" not in attributes for tag, attributes in Marks(page).found if tag == "tr")
    assert 'id="filters" role="search" hidden' in page


def test_index__policy_names_style_and_script():
    page = rendered([make_row()])
    policy = re.search(r'Policy" content="([^"]*)"', page)
    assert policy is not None

    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    assert re.search(r"https?://", page) is None


def test_index__empty_says_how_to_begin():
    page = rendered([])

    assert "ems run dispatch demo" in page
    assert "<table" not in page
    assert "<script" not in page


def test_index__unfinished_run_without_report():
    page = rendered([make_row(status="running", finished_at=None, total_cost=None, currency=None, report=None)])

    assert page.count(">–</td>") == 2
    assert {a["href"] for tag, a in Marks(page).found if tag == "a"} == {"#body"}


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_index__hostile_text_is_shown_literally(text: str):
    row = make_row(run_id=text, study=text, case=text, title=text, status=text, currency=text, report=text, error=text)
    wrong = AttentionRow(text, text, text, text, None, as_link(text))

    marks = Marks(rendered([row], attention=[wrong], older=[(text, as_link(text))]))

    assert sum(tag == "script" for tag, _ in marks.found) == 1
    assert all(tag != "img" for tag, _ in marks.found)
    assert marks.words.count(text) >= 13
    assert next(a["data-v"] for tag, a in marks.found if tag == "td" and "data-v" in a) == text


@pytest.mark.parametrize("path", ["javascript:alert(1)", "//evil.example/x", "/etc/passwd", "https://evil.example"])
def test_as_link__never_leaves_for_another_place(path: str):
    link = as_link(path)

    assert link.startswith("./")
    assert not link.startswith(".//")
    assert ":" not in link


def test_index__a_page_tells_whether_it_will_change():
    assert OPEN_MARK in rendered([make_row()], is_final=False)[:200]
    assert OPEN_MARK not in rendered([make_row()])[:200]


def test_first_lines__a_long_reason_is_cut():
    assert first_lines("one\ntwo\nthree\nfour") == "one\ntwo\nthree …"
    assert first_lines("x" * 500) == "x" * 400 + " …"
    assert first_lines(" short ") == "short"


def test_render_site_page__two_searchable_lists_are_a_fault_of_ours():
    part = Listing([Column("a")], [(Cell("b"),)], is_main=True)

    with pytest.raises(AssertionError, match="one list"):
        render_site_page(SitePage("x", [part, part], (), START, "d"))
