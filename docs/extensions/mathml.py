"""Formulas as MathML, which browsers draw themselves: without scripts, fonts or addresses of others."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def visit_math(self: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    formulas = [part for part in node.astext().split("\n\n") if part.strip()]
    shown = "".join(convert(formula, display="block") for formula in formulas)
    self.body.append(f'<div class="math" tabindex="0">{shown}</div>\n')  # wide formulas scroll by keyboard, too
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Make MathML the way in which formulas are written."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
