"""Every code block of README and docs does what the page says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from docs_blocks import PAGES, ROOT, blocks_of
from docs_session import Session, check_command, command_lines, matches

from ems.batch.engine.zygote_client import start_zygote

WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]
TUTORIAL = [ROOT / "docs" / "tutorial" / f"{name}.md" for name in ("own-site", "forecast", "rolling", "batch")]
"""Pages that go on where the one before ended."""
READERS = [TUTORIAL, *([page] for page in WITH_BLOCKS if page not in TUTORIAL)]
MOST_NOT_RUN = 0.15
"""Share of the blocks of commands and code that need more than a test has."""


@pytest.mark.parametrize("pages", READERS, ids=lambda pages: str(pages[0].relative_to(ROOT)))
def test_page__its_blocks_do_what_it_says(pages: list[Path], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    monkeypatch.setenv("EMS_ZYGOTE", start_zygote().address)  # kernels that are there at once
    session = Session(project)
    try:
        for block in (block for page in pages for block in blocks_of(page)):
            said = session.follow(block)
            if block.output is not None and block.fence.rule == "run":
                assert matches(said, block.output), f"{block.where} prints\n{said}\ninstead of\n{block.output}"
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]


def test_pages__few_blocks_are_not_run() -> None:
    blocks = [block for page in WITH_BLOCKS for block in blocks_of(page)]
    rules = [block.fence.rule for block in blocks if block.fence.language in ("sh", "python")]

    assert rules.count("no-run") <= MOST_NOT_RUN * len(rules)
    assert rules.count("run") >= len(rules) / 2


@pytest.mark.parametrize(
    "line",
    [
        "ems run dispatch no-such-case",
        "ems run dispatch demo -p horizon_hours=3",
        "ems runs shows",
        "ems runs list --no-such-option",
        "python -m benchmarks.forecast --no-such-option",
        "make no-such-target",
        'pip install "ems[nothing]"',
        "rm -rf everything",
    ],
)
def test_check__refuses_what_does_not_exist(project: Path, line: str) -> None:
    with pytest.raises(Exception, match=r"."):
        check_command(line, "here")


def test_command_lines__without_comments_and_joined() -> None:
    assert command_lines("# one\nems run a \\\n  b   # said\n\necho '# kept'\n")[0] == "ems run a b"


@pytest.mark.parametrize(
    ("said", "expected", "is_same"),
    [("a 1\nb\n", "a   1\nb", True), ("a 1\nb 2\n", "a ...", True), ("a 1", "a 2", False), ("a\nb", "a", False)],
)
def test_matches(said: str, expected: str, is_same: bool) -> None:
    assert matches(said, expected) == is_same
