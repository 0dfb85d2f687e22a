"""The page of a run: safe, small, complete."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
import re
import subprocess
import sys
from typing import Any

import pytest
from markupsafe import escape
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from report_samples import HOSTILE, make_head, make_notebook
from test_markup import Marks

from ems.report.page import render_page
from ems.report.page_parts import Download, PreviousRun


@pytest.fixture(scope="module")
def demo_page() -> str:
    return render_page(make_notebook(), make_head())


def policy_of(page: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_render_page__policy_names_the_only_style(demo_page: str):
    styles = re.findall(r"<style>(.*?)</style>", demo_page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()

    assert len(styles) == 1
    assert policy_of(demo_page) == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert demo_page.index("Content-Security-Policy") < demo_page.index("<style>")


def test_render_page__has_no_script_no_inline_style_and_no_address(demo_page: str):
    marks = Marks(demo_page).found

    assert all(tag not in {"script", "iframe", "object", "form"} for tag, _ in marks)
    assert all("style" not in attributes for _, attributes in marks)
    assert all(not name.startswith("on") for _, attributes in marks for name in attributes)
    assert re.search(r"https?://|url\(|@import", demo_page) is None
    for _, attributes in marks:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))


def test_render_page__is_small():
    """The demo with four figures stays under 200 kB."""
    notebook = make_notebook()
    page = render_page(notebook, make_head())

    assert len(page.encode()) < 200_000


def test_render_page__pictures_have_alternative_texts(demo_page: str):
    pictures = [attributes for tag, attributes in Marks(demo_page).found if tag == "img"]

    assert len(pictures) == 4
    assert all((picture["src"] or "").startswith("data:image/svg+xml;base64,") for picture in pictures)
    assert all(len(picture["alt"] or "") > 50 for picture in pictures)


def test_render_page__says_everything_of_the_run(demo_page: str):
    words = " ".join(re.sub(r"<[^>]*>", " ", demo_page).split())

    for said in (
        "90.00 EUR",
        "2024-06-01 10:00 CEST took 4.2 s",
        "20240601-080000-3f2a",
        "horizon_h 24 h Length of the horizon.",
        "sha256 0123456789abcdef",
        "HiGHS 1.11",
        "taken from the site",
        "Times in Europe/Berlin",
    ):
        assert said in words


def test_render_page__contents_lead_to_each_heading(demo_page: str):
    marks = Marks(demo_page).found
    anchors = {attributes["id"] for _, attributes in marks if "id" in attributes}
    links = [attributes["href"] for tag, attributes in marks if tag == "a"]

    assert all((link or "")[1:] in anchors for link in links)
    assert {"#what-it-costs", "#report.parameters", "#report.provenance", "#report.notes"} <= set(links)


def test_render_page__headings_skip_no_level(demo_page: str):
    levels = [int(tag[1]) for tag, _ in Marks(demo_page).found if re.fullmatch(r"h[1-6]", tag)]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))


def test_render_page__folds_code_and_names_language(demo_page: str):
    assert '<html lang="en">' in demo_page
    assert 'name="viewport"' in demo_page
    assert demo_page.count('<details class="code">') == 7
    assert "<details open" not in demo_page


def test_render_page__same_page_twice(demo_page: str):
    assert render_page(make_notebook(), make_head()) == demo_page


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_render_page__hostile_text_everywhere_is_shown_literally(text: str):
    row = {"field": text, "value": text, "unit": text, "meaning": text}
    head = make_head(
        title=text, study=text, case=text, run_id=text, status="failed", error=text, headline=[(text, text)],
        parameters=[row], provenance=[(text, [(text, text)])], notes=[text],
    )  # fmt: skip
    outputs = [
        new_output("stream", name="stdout", text=text),
        new_output("stream", name="stderr", text=text),
        new_output("display_data", {"text/plain": text}),
        new_output("display_data", {"text/html": f"<table><tr><td>{text}</td></tr></table>"}),
        new_output("display_data", {"text/markdown": text}),
        new_output("display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": text}}),
        new_output("error", ename=text, evalue=text, traceback=[text]),
    ]
    notebook = make_notebook([new_markdown_cell(f"# {text}\n\n{text}"), new_code_cell(text, outputs=outputs)])

    marks = Marks(render_page(notebook, head))

    assert all(tag not in {"script", "iframe"} for tag, _ in marks.found)
    assert [a["src"] for tag, a in marks.found if tag == "img"] == ["data:image/png;base64,AAAA"]
    assert all(set(a) <= {"src", "alt"} for tag, a in marks.found if tag == "img")
    assert sum(tag == "style" for tag, _ in marks.found) == 1
    # Title element, heading, path, error, three of a parameter, notes and so on; 49 would mean it was computed.
    assert marks.words.count(text) >= 18
    assert "49" not in re.sub(r"<style>.*?</style>", "", marks.words.replace(text, ""), flags=re.DOTALL).split()


def test_render_page__failed_run_ends_at_the_error():
    error = "dispatch of 'harbour' is infeasible at 2024-06-01 17:00 UTC"
    notebook = make_notebook(
        [
            new_markdown_cell("An Exception was encountered", metadata={"tags": ["papermill-error-cell-tag"]}),
            new_markdown_cell("## Before"),
            new_code_cell(
                "solve(problem)",
                outputs=[
                    new_output("error", ename="Infeasible", evalue=error, traceback=["\x1b[31mTrace\x1b[0m <b>"])
                ],
            ),
            new_markdown_cell("## After"),
            new_code_cell("never_run()"),
        ]
    )

    page = render_page(notebook, make_head(status="failed", error=error))
    words = Marks(page).words

    assert 'class="banner"' in page
    assert page.index("This run failed") < page.index("Contents")
    assert words.count(error) == 2  # banner and cell
    assert "Trace <b>" in words
    assert "Before" in words
    assert "After" not in words
    assert "never_run" not in words
    assert "The cells after this one were not run." in words
    assert "An Exception was encountered" not in words
    assert 'href="#report.failure"' in page
    assert 'id="report.failure"' in page


def test_render_page__failed_before_any_cell():
    page = render_page(make_notebook([]), make_head(status="failed", error=None, finished_at=None))

    assert "No reason was recorded." in page
    assert "report.failure" not in page


def test_render_page__cancelled_run():
    page = render_page(make_notebook([]), make_head(status="cancelled", error="Stopped by Ctrl-C."))

    assert "This run did not complete: cancelled" in page
    assert "This run failed" not in page


def test_render_page__completed_run_has_no_banner(demo_page: str):
    assert 'class="banner' not in demo_page


def test_render_page__drops_progress_bars_and_widgets():
    bar = "Solving:  10%|█         | 1/10 [00:00<00:01,  8.0it/s]\rSolving: 100%|██████████| 10/10 [00:01<00:00]\n"
    notebook = make_notebook(
        [
            new_code_cell(
                "run()",
                outputs=[
                    new_output("stream", name="stderr", text=bar[:40]),
                    new_output("stream", name="stderr", text=bar[40:] + "kept\n"),
                    new_output(
                        "display_data",
                        {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntProgress()"},
                    ),
                ],
            )
        ]
    )

    words = Marks(render_page(notebook, make_head())).words

    assert "kept" in words
    assert "Solving" not in words
    assert "IntProgress" not in words


def test_render_page__long_output_is_cut_with_a_word_on_it():
    notebook = make_notebook(
        [new_code_cell("print(x)", outputs=[new_output("stream", name="stdout", text="y" * 100_000)])]
    )

    page = render_page(notebook, make_head())

    assert "80,000 more characters are in the notebook of this run." in page
    assert len(page) < 60_000


def test_render_page__first_heading_that_repeats_the_title_is_left_out():
    notebook = make_notebook([new_markdown_cell("# Battery dispatch at Harbour\n\nWhy?\n\n## Then")])

    page = render_page(notebook, make_head())

    assert Marks(page).words.count("Battery dispatch at Harbour") == 2  # title element and heading
    assert "Why?" in page


def test_render_page__notebook_stays_as_it_was():
    notebook = make_notebook()
    before = repr(notebook)

    render_page(notebook, make_head())

    assert repr(notebook) == before


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ems.report.page", {"matplotlib", "pandas", "xarray"}),
        ("ems.report.index", {"matplotlib", "nbconvert", "pandas", "xarray"}),
        ("ems.report.tables", {"matplotlib", "nbconvert", "pandas", "xarray"}),
    ],
)
def test_import__takes_only_what_it_needs(module: str, unwanted: set[str]):
    code = f"import sys, {module}; print(*({unwanted!r} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def make_previous(**changes: Any) -> PreviousRun:
    given: dict[str, Any] = {
        "run_id": "20240531-080000-1b2c",
        "started_at": dt.datetime(2024, 5, 31, 8, 0, tzinfo=dt.UTC),
        "report": "./20240531-080000-1b2c.html",
        "figures": [("Total cost", "90.00 EUR", "95.00 EUR", "-5.00 EUR (-5.3%)")],
        "causes": [("parameter", "horizon_h", "24 h", "48 h")],
    }
    return PreviousRun(**{**given, **changes})


def test_render_page__run_before_stands_above_the_notebook():
    page = render_page(make_notebook(), make_head(previous=make_previous()))

    before = page.index('id="report.previous"')
    assert page.index('<dl class="cards">') < before < page.index("<article>")
    assert '<a href="./20240531-080000-1b2c.html">its report</a>' in page
    assert '<time datetime="2024-05-31T08:00:00+00:00">2024-05-31 10:00 CEST</time>' in page
    assert '<td class="number">-5.00 EUR (-5.3%)</td>' in page
    assert "<td>24 h</td><td>48 h</td>" in page


def test_render_page__run_before_whose_report_is_gone_and_nothing_has_changed():
    page = render_page(make_notebook(), make_head(previous=make_previous(report=None, causes=[])))

    assert "run <code>20240531-080000-1b2c</code>, whose report is not here any more" in page
    assert "Its parameters, inputs and versions were the same." in page


@pytest.mark.parametrize("word", HOSTILE)
def test_render_page__words_of_the_run_before_do_nothing(word: str):
    previous = make_previous(figures=[(word, word, word, word)], causes=[(word, word, word, word)])
    page = render_page(make_notebook(), make_head(previous=previous, downloads=[Download("./a.csv", word, 1)]))

    marks = Marks(page).found
    assert all(tag != "script" for tag, _ in marks)
    assert all(not name.startswith("on") for _, attributes in marks for name in attributes)
    assert str(escape(word)) in page


def test_render_page__downloads_with_their_sizes():
    files = [Download("./run/schedule.csv", "schedule.csv", 48_512), Download("./run.ipynb", "notebook", None)]
    page = render_page(make_notebook(), make_head(downloads=files))

    assert '<a href="./run/schedule.csv" download>schedule.csv</a> <small>49 kB</small>' in page
    assert '<a href="./run.ipynb" download>notebook</a></span>' in page


def test_render_page__without_run_before_and_files_says_nothing_of_them(demo_page: str):
    assert "report.previous" not in demo_page
    assert 'class="downloads"' not in demo_page
