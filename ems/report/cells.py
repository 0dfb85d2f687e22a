"""The body of a page: what each cell of a run notebook contributes to it."""

from __future__ import annotations

import ast
import base64
import binascii
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from ems.report.markup import (
    PICTURE_TYPES,
    ReportRenderer,
    plain_text,
    safe_code,
    safe_markdown,
    safe_table,
)
from ems.report.policy import trusted

LONGEST_OUTPUT = 20_000
WIDGETS = "application/vnd.jupyter.widget-view+json"
INJECTED_TAG = "injected-parameters"
PARAMETERS_TAG = "parameters"

_PROGRESS = re.compile(r"^.*(?:\d+%\|.*\||\d+it \[).*$\n?", re.MULTILINE)
_HEADING_1 = re.compile(r"^#[ \t]", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A figure of the notebook, as an address that holds all of it."""

    source: str
    alt: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Failure:
    """An error that a cell stopped with."""

    name: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Output:
    """One output: exactly one of the fields is given."""

    picture: Picture | None = None
    table: Markup | None = None
    prose: Markup | None = None
    text: str | None = None
    warning: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Block:
    """One cell: prose, or code with its outputs; code of cells without output joins that of the next one."""

    prose: Markup | None = None
    code: Markup | None = None
    summary: str = "Code"
    outputs: Sequence[Output] = ()
    cells: int = 1
    """Cells whose code it holds."""


@dataclass(frozen=True)
class Body:
    """All blocks of a notebook in order, and its headings."""

    blocks: Sequence[Block]
    contents: Sequence[tuple[int, str, str]] = field(default=())
    """Level, text and anchor of each heading."""
    has_failure: bool = False
    is_cut: bool = False
    """Whether cells after a failure were left out, as they were not run."""


def make_body(cells: Sequence[Any], title: str = "") -> Body:
    """Return the blocks of a run notebook, up to the cell that failed if one did.

    Parameters
    ----------
    cells : sequence of NotebookNode
    title : str
        The page's title: a first heading that repeats it is left out.
    """
    renderer = ReportRenderer(shift=1 if _titles(cells) > 1 else 0)
    blocks: list[Block] = []
    for at, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            source = cell.source if blocks else _without_title(cell.source, title)
            renderer.attachments = cell.get("attachments", {})
            if source.strip():
                blocks.append(Block(prose=safe_markdown(source, renderer)))
        elif cell.cell_type == "code":
            outputs = tuple(_outputs(cell.outputs, renderer))
            if cell.source.strip() or outputs:
                code = safe_code(cell.source) if cell.source.strip() else None
                blocks.append(Block(code=code, summary=_summary(cell), outputs=outputs))
            if any(output.failure for output in outputs):
                return Body(_together(blocks), renderer.contents, True, at + 1 < len(cells))
    return Body(_together(blocks), renderer.contents)


def _together(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with the code of cells without output folded into that of the next cell."""
    found: list[Block] = []
    for block in blocks:
        last = found[-1] if found else None
        if last is not None and last.code is not None and not last.outputs and block.code is not None:
            cells = last.cells + 1
            code = Markup("\n").join((last.code, block.code))
            found[-1] = Block(code=code, summary=f"Code of {cells} cells", outputs=block.outputs, cells=cells)
        else:
            found.append(block)
    return found


def _titles(cells: Sequence[Any]) -> int:
    sources = [_FENCE.sub("", cell.source) for cell in cells if cell.cell_type == "markdown"]
    return sum(len(_HEADING_1.findall(source)) for source in sources)


def _without_title(source: str, title: str) -> str:
    first, _, rest = source.lstrip().partition("\n")
    return rest if first.startswith("# ") and first[2:].strip() == title.strip() else source


def _summary(cell: Any) -> str:
    tags = cell.metadata.get("tags", [])
    if INJECTED_TAG in tags:
        return "Code: parameters of this run"
    return "Code: default parameters" if PARAMETERS_TAG in tags else "Code"


def _outputs(outputs: Sequence[Any], renderer: ReportRenderer) -> Iterator[Output]:
    for output in outputs:
        if output.output_type == "stream":
            text = _shortened(_PROGRESS.sub("", plain_text(_text(output.text)))).strip("\n")
            if text.strip():
                yield Output(warning=text) if output.name == "stderr" else Output(text=text)
        elif output.output_type == "error":
            traceback = plain_text("\n".join(map(_text, output.traceback)))
            yield Output(failure=Failure(plain_text(output.ename), plain_text(output.evalue), _shortened(traceback)))
        elif output.output_type in {"display_data", "execute_result"} and WIDGETS not in output.data:
            shown = _best(output.data, output.get("metadata", {}), renderer)
            if shown is not None:
                yield shown


def _best(data: Mapping[str, Any], metadata: Mapping[str, Any], renderer: ReportRenderer) -> Output | None:
    """Return the richest form of an output that the page can show."""
    text = plain_text(_text(data.get("text/plain", ""))).strip("\n")
    for kind in ("image/svg+xml", "image/png", "image/jpeg"):
        if kind in data and (picture := _picture(kind, _text(data[kind]), metadata, text)) is not None:
            return Output(picture=picture)
    if "text/html" in data and (table := safe_table(_text(data["text/html"]))) is not None:
        return Output(table=table)
    if "text/markdown" in data:
        return Output(prose=safe_markdown(_text(data["text/markdown"]), renderer))
    if (said := _said(text)) is not None:
        return Output(prose=trusted(f"<p>{escape(said)}</p>"))
    return Output(text=_shortened(text)) if text.strip() and text != "None" else None


def _said(text: str) -> str | None:
    """Return the words of a cell whose value is a text on one line, without Python's quotes; None of all others."""
    if not text.startswith(("'", '"')) or len(text) > LONGEST_OUTPUT:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    is_line = isinstance(value, str) and value.strip() and value.isprintable()
    return value if is_line else None


def _picture(kind: str, content: str, metadata: Mapping[str, Any], text: str) -> Picture | None:
    assert kind in PICTURE_TYPES
    about = metadata.get(kind) if isinstance(metadata.get(kind), Mapping) else {}
    alt = str((about or {}).get("alt") or metadata.get("alt") or text or "Figure")
    if kind == "image/svg+xml":
        raw = content.encode("utf-8", "replace")
    else:
        try:
            raw = base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    width, height = (_pixels((about or {}).get(side)) for side in ("width", "height"))
    if kind == "image/png" and width is None and len(raw) >= 24:
        width, height = struct.unpack(">II", raw[16:24])
    return Picture(f"data:{kind};base64,{base64.b64encode(raw).decode('ascii')}", plain_text(alt), width, height)


def _pixels(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) and 0 < value < 100_000 else None


def _text(value: Any) -> str:
    # A notebook may keep a text as a list of its lines.
    return "".join(value) if isinstance(value, list) else str(value)


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_OUTPUT:
        return text
    left = len(text) - LONGEST_OUTPUT
    return f"{text[:LONGEST_OUTPUT]}\n… {left:,} more characters are in the notebook of this run."
