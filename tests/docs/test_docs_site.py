"""The site is built without a warning, needs nothing from elsewhere, and covers the whole package."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from docs_blocks import ROOT
from shared_fixtures import made_once

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once as `make docs` builds it."""
    return made_once(tmp_path_factory, "docs-site", _build) / "html"


def _build(folder: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-d", str(folder / "trees")]
    done = subprocess.run(
        [*command, "docs", str(folder / "html")], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


class _Addresses(HTMLParser):
    """Addresses that a page loads, and those that it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(str(given["id"]))
        if tag in LOADING and given.get("rel") not in ("next", "prev", "index", "search", "genindex"):
            self.loaded.append(given.get(LOADING[tag]) or "")
        if tag == "a":
            self.linked.append(given.get("href") or "")


def test_site__loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert [one for one in _Addresses(page).loaded if re.match("(https?:)?//", one)] == [], page
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text), style


def test_site__formulas_are_drawn_by_the_browser(site: Path) -> None:
    text = (site / "mathematics" / "battery.html").read_text(encoding="utf-8")

    assert text.count("<math") >= 10
    assert "MathJax" not in text


def test_site__tells_of_every_module_command_and_study(site: Path) -> None:
    code = "".join(page.read_text(encoding="utf-8") for page in (site / "reference" / "code").glob("*.html"))
    missing = [
        name
        for path in (ROOT / "ems").rglob("*.py")
        if "versions" not in path.parts and path.name not in ("env.py", "__main__.py", "__init__.py")
        for name in [".".join(path.relative_to(ROOT).with_suffix("").parts)]
        if f"<h2>{name}<" not in code
    ]
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")

    assert missing == []
    assert "Usage: ems workflow run" in commands
    assert "horizon_h" in (site / "reference" / "studies.html").read_text(encoding="utf-8")
    assert "workflow_executions" in (site / "reference" / "database.html").read_text(encoding="utf-8")


def test_repository__links_of_its_first_pages_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        local = [one for one in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not one.startswith("http")]
        assert [one for one in local if not (ROOT / one).exists()] == [], name
