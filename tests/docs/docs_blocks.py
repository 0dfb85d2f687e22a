"""The code blocks of a page, as its fences tell them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "extensions"))

from blocks import FENCE, Fence, read_info  # noqa: E402 - it lies beside the pages

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass
class Block:
    """A code block of a page."""

    where: str
    fence: Fence
    text: str
    output: str | None = None
    """What the block after it says it prints."""


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in their order; directives are the site's."""
    found: list[Block] = []
    ticks, fence, begin, lines = "", Fence(""), 0, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        opens = FENCE.match(line)
        if not ticks and opens:
            ticks, fence, begin, lines = opens["ticks"], read_info(opens["info"]), number, []
        elif ticks and line.strip() == ticks:
            text = "\n".join(lines) + "\n"
            if fence.language == "output":
                found[-1].output = text
            elif not fence.language.startswith("{"):
                found.append(Block(f"{page.relative_to(ROOT)}:{begin}", fence, text))
            ticks = ""
        elif ticks:
            lines.append(line)
    assert not ticks, f"{page}:{begin}: this block never ends"
    return found
