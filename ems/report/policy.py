"""What makes a page safe: escaping templates, and a policy that names the page's own style and script only."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "template"


def make_environment() -> Environment:
    """Return the environment of the pages' templates: everything is escaped, an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def trusted(text: str) -> Markup:
    """Return as HTML what is the package's own or has been made safe; never people's text as it came."""
    return Markup(text)  # noqa: S704  the one place where this is said


def read_asset(name: str) -> Markup:
    """Return the text of a style sheet or script, with the line ends which a browser hashes."""
    return trusted((TEMPLATES / name).read_text(encoding="utf-8").replace("\r\n", "\n"))


def content_policy(style: str, script: str | None = None) -> Markup:
    """Return the Content-Security-Policy under which only the given style and script take effect.

    Parameters
    ----------
    style : str
        All that stands between the page's ``<style>`` marks.
    script : str, optional
        All that stands between its ``<script>`` marks; without it no script runs at all.
    """
    parts = ["default-src 'none'", "img-src data:", f"style-src '{source_hash(style)}'"]
    if script is not None:
        parts.append(f"script-src '{source_hash(script)}'")
    return trusted("; ".join([*parts, "base-uri 'none'", "form-action 'none'"]))


def source_hash(text: str) -> str:
    """Return the hash by which a policy names a style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
