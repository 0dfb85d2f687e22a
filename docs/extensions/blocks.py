"""What the fence of a code block says: its language, and whether and how the tests run it.

A block is run by the tests unless its fence says otherwise::

    ```sh                          run
    ```sh check: takes a minute    the commands, their options and cases must exist; they are not run
    ```sh no-run: needs a cluster  not run, for the reason given
    ```yaml of tariffs             read as a part of that kind
    ```python of publish.py        a file of that name, which what follows needs
    ```output                      what the block before has printed; ... stands for anything

The site shows the reason below the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>.*)$")
INFO = re.compile(r"(?P<language>[a-z]+)(?: (?P<rule>no-run|check|of):? (?P<said>.+))?")
WORDS = {"no-run": "Not run by the tests: {}.", "check": "Checked by the tests, but not run: {}."}


@dataclass(frozen=True)
class Fence:
    """The first line of a code block.

    Parameters
    ----------
    language : str
        Empty where none is said; ``{name}`` of a directive.
    rule : str
        ``run``, ``check``, ``no-run`` or ``of``.
    said : str
        The reason, or what the block is a part of.
    """

    language: str
    rule: str = "run"
    said: str = ""


def read_info(info: str) -> Fence:
    """Return what the text after the ticks says.

    >>> read_info("sh no-run: needs a cluster")
    Fence(language='sh', rule='no-run', said='needs a cluster')
    """
    text = info.strip()
    found = INFO.fullmatch(text)
    if found is None:
        return Fence(text)
    return Fence(found["language"], found["rule"] or "run", found["said"] or "")


def with_captions(text: str) -> str:
    """Return a page on which blocks that are not run say so below themselves."""
    lines: list[str] = []
    open_ticks, caption = "", ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if not open_ticks and found:
            fence = read_info(found["info"])
            open_ticks = found["ticks"]
            caption = WORDS.get(fence.rule, "").format(fence.said)
            is_marked = fence.rule != "run"
            lines.append(f"{found['indent']}{found['ticks']}{fence.language}" if is_marked else line)
        elif open_ticks and line.strip() == open_ticks:
            lines.append(line)
            if caption:
                lines += ["", f"{{.how-run}}\n{caption}"]
            open_ticks = caption = ""
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def setup(app: Any) -> dict[str, bool]:
    """Let the site say of each block whether it is run."""

    def on_read(_app: Any, _name: str, source: list[str]) -> None:
        source[0] = with_captions(source[0])

    app.connect("source-read", on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
