"""People's text as HTML that cannot act."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE

from ems.report.markup import ReportRenderer, plain_text, safe_code, safe_markdown, safe_table

HARMLESS = {"class", "scope", "colspan", "rowspan", "id", "href", "src", "alt"}
PIECES = [
    *HOSTILE, "<table>", "<td onclick=x>", "<td style='x'>", "</table>", "<svg onload=x>", "<a href='javascript:x'>",
    "[a](javascript:x)", "![a](http://x.y/z)", "[a](https://x.y)", "<iframe src=//x>", "`", "```", "|", "\n", "---",
    "# h", "<!--", "-->", "<![CDATA[", "&lt;script&gt;", "<math><mtext><table><mglyph><style><img src=x onerror=a>",
    "<noscript><p title='</noscript><img src=x onerror=a>'>", '" onmouseover="x', "<form action=x>", "<base href=x>",
]  # fmt: skip


class Marks(HTMLParser):
    """Collects each mark with its attributes, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(str(html))  # a Markup would escape what is added to it
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def assert_harmless(html: str) -> None:
    for tag, attributes in Marks(html).found:
        assert tag not in {"script", "style", "iframe", "svg", "math", "form", "base", "object", "meta", "link"}
        assert set(attributes) <= HARMLESS, (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert (attributes.get("src") or "data:image/").startswith("data:image/")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=12).map("".join))
def test_safe_markdown__never_acts(text: str):
    assert_harmless(safe_markdown(text, ReportRenderer()))


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=12).map("".join))
def test_safe_table__never_acts(text: str):
    assert_harmless(safe_table(f"<table><tr><td>{text}") or "")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=12).map("".join))
def test_safe_code__never_acts(text: str):
    assert {tag for tag, _ in Marks(safe_code(text)).found} <= {"span"}


def test_safe_markdown__raw_html_is_shown_as_typed():
    html = safe_markdown("Before <img src=x onerror=alert(1)> and {{ 7*7 }}", ReportRenderer())

    assert Marks(html).words.strip() == "Before <img src=x onerror=alert(1)> and {{ 7*7 }}"


def test_safe_markdown__addresses_elsewhere_are_words():
    html = safe_markdown(
        "[Paper](https://doi.org/10.1) <https://doi.org/10.2> ![Sun](https://x.y/s.png)", ReportRenderer()
    )

    assert {tag for tag, _ in Marks(html).found} == {"p", "span"}
    assert "Paper (https://doi.org/10.1)" in Marks(html).words
    assert "[picture: Sun]" in Marks(html).words


def test_safe_markdown__table_is_aligned_by_class():
    html = safe_markdown("| a | b |\n|---|--:|\n| x | 1 |", ReportRenderer())

    assert '<td class="number">1</td>' in html
    assert "style=" not in html


def test_safe_markdown__pasted_picture_is_carried_along():
    renderer = ReportRenderer()
    renderer.attachments = {"sun.png": {"image/png": "iVBO\nRw0="}}

    html = safe_markdown("![The *sun*](attachment:sun.png)", renderer)

    assert '<img src="data:image/png;base64,iVBORw0=" alt="The sun">' in html


def test_headings__no_level_is_skipped_and_anchors_differ():
    """The page's title is level 1, so a notebook's title is 2; level 4 after it becomes 3."""
    renderer = ReportRenderer()
    for text in ("# Plan", "#### Deep", "## Plan", "## Größe & *Kosten*", "## <b>"):
        safe_markdown(text, renderer)

    assert [level for level, _, _ in renderer.contents] == [2, 3, 2, 2, 2]
    assert [anchor for _, _, anchor in renderer.contents] == ["plan", "deep", "plan-2", "größe-kosten", "b"]
    assert [words for _, words, _ in renderer.contents][-2:] == ["Größe & Kosten", "<b>"]


def test_safe_table__keeps_the_table_of_a_data_frame():
    import pandas as pd

    html = safe_table(pd.DataFrame({"a<b>": [1]})._repr_html_()) or ""

    assert 'class="dataframe"' in html
    assert "a&lt;b&gt;" in html
    assert "vertical-align" not in html  # the text of the frame's style sheet


def test_safe_table__without_a_table():
    assert safe_table("<div><script>alert(1)</script></div>") is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("a\x00b\r\nc\td", "ab\nc\td"),
        ("\x1b[2K\x1b[1Gx", "x"),
    ],
)
def test_plain_text__without_terminal_commands(text: str, plain: str):
    assert plain_text(text) == plain
