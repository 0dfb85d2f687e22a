"""People's text as HTML that cannot act: Markdown, tables from outputs, code, terminal text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import bleach  # type: ignore[import-untyped]
import mistune
from markupsafe import Markup, escape
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

from ems.report.policy import trusted

TABLE_TAGS = frozenset({"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"})
HEADING_TAGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
TEXT_TAGS = HEADING_TAGS | {"a", "p", "br", "hr", "ul", "ol", "li", "em", "strong", "del", "code", "pre", "blockquote"}
OWN_TAGS = frozenset({"div", "span", "img"})
"""Which the renderer itself writes."""
KNOWN_CLASSES = frozenset({"ems-table", "number", "address", "scroll", "dataframe"})
PICTURE_TYPES = ("image/png", "image/jpeg", "image/svg+xml")

_WITH_CONTENT = re.compile(r"<(script|style|template|svg|math)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TABLE = re.compile(r"<table\b", re.IGNORECASE)
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SPAN = re.compile(r"[1-9][0-9]{0,2}\Z")
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=]+\Z")


def plain_text(text: str) -> str:
    """Return text of a terminal without its colours, cursor movements and other control characters."""
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n")))


def safe_table(text: str) -> Markup | None:
    """Return the tables of an HTML output without anything that can act or decorate; None where there is none."""
    if not _TABLE.search(text):
        return None
    kept = bleach.clean(
        _WITH_CONTENT.sub("", _CONTROL.sub("", text)), tags=TABLE_TAGS, attributes=_table_attribute, strip=True
    )
    return trusted(kept.strip())


def safe_code(source: str) -> Markup:
    """Return Python source with its words marked by class."""
    return trusted(highlight(_CONTROL.sub("", source), PythonLexer(), HtmlFormatter(nowrap=True)))


def safe_markdown(text: str, renderer: ReportRenderer) -> Markup:
    """Return Markdown as HTML; raw HTML in it is shown as it was typed."""
    markdown = mistune.Markdown(renderer=renderer, plugins=[table, strikethrough, _cells_by_class])
    rendered = str(markdown(_CONTROL.sub("", text)))
    # A second fence behind the escaping renderer.
    return trusted(
        bleach.clean(rendered, tags=TABLE_TAGS | TEXT_TAGS | OWN_TAGS, attributes=_text_attribute, protocols=["data"])
    )


class ReportRenderer(mistune.HTMLRenderer):
    """Renders the Markdown of one notebook, and collects its headings.

    Parameters
    ----------
    shift : int
        Levels by which headings are lowered: the page's title is the only heading of level 1.
    """

    def __init__(self, shift: int = 0) -> None:
        super().__init__(escape=True)
        self.shift = shift
        self.contents: list[tuple[int, str, str]] = []
        """Level, text and anchor of each heading."""
        self.attachments: Mapping[str, Mapping[str, str]] = {}
        """Pictures that the present cell carries: name -> type -> base64."""
        self._anchors: set[str] = set()

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """Return a heading with an anchor, never more than one level below the one before."""
        above = self.contents[-1][0] if self.contents else 1
        level = min(max(level + self.shift, 2), above + 1, 6)
        words = trusted(text).striptags()
        anchor = self._anchor(words)
        self.contents.append((level, words, anchor))
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link within the page; an address elsewhere is written out, for the report names no other."""
        if re.fullmatch(r"#[\w-]+", url):
            return f'<a href="{escape(url)}">{text}</a>'
        return text if str(escape(url)) == text else f'{text} <span class="address">({escape(url)})</span>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture which the cell carries; of any other its description only."""
        carried = self.attachments.get(url.removeprefix("attachment:"), {}) if url.startswith("attachment:") else {}
        for kind in PICTURE_TYPES:
            if kind in carried:
                picture = f"data:{kind};base64,{''.join(carried[kind].split())}"
                return f'<img src="{escape(picture)}" alt="{escape(trusted(text).striptags())}">'
        return f'<span class="address">[picture: {text}]</span>'

    def _anchor(self, words: str) -> str:
        # The page's own anchors hold a full stop, which no heading's anchor does.
        plain = re.sub(r"[^\w]+", "-", words.lower()).strip("-") or "section"
        anchor, count = plain, 1
        while anchor in self._anchors:
            count += 1
            anchor = f"{plain}-{count}"
        self._anchors.add(anchor)
        return anchor


def _cells_by_class(md: mistune.Markdown) -> None:
    """Align cells by class, where the table plugin writes a style that the page's policy refuses."""

    def cell(_: object, text: str, align: str | None = None, head: bool = False) -> str:
        tag, scope = ("th", ' scope="col"') if head else ("td", "")
        place = ' class="number"' if align == "right" else ""
        return f"<{tag}{scope}{place}>{text}</{tag}>\n"

    def whole(_: object, text: str) -> str:
        return f'<div class="scroll"><table class="ems-table">\n{text}</table></div>\n'

    assert md.renderer is not None
    md.renderer.register("table_cell", cell)
    md.renderer.register("table", whole)


def _table_attribute(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return set(value.split()) <= KNOWN_CLASSES
    if name == "scope":
        return tag == "th" and value in {"row", "col", "rowgroup", "colgroup"}
    return name in {"colspan", "rowspan"} and tag in {"th", "td"} and _SPAN.match(value) is not None


def _text_attribute(tag: str, name: str, value: str) -> bool:
    if name == "id":
        return tag in HEADING_TAGS
    if name == "href":
        return tag == "a" and value.startswith("#")
    if name == "src":
        return tag == "img" and _DATA_PICTURE.match(value) is not None
    if name == "alt":
        return tag == "img"
    return _table_attribute(tag, name, value)
