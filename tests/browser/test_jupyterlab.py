"""The dispatch notebook in JupyterLab, as a person opens it: all cells run, and its figures are seen."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from project_fixtures import ROOT, environment_of
from test_pages import LONGEST_MS, browser

__all__ = ["browser"]

START_S = 120
"""Time after which a server that does not answer counts as broken; most of it is for a busy machine."""
LONGEST_END_S = 120
ATTEMPTS, SETTLE_MS, BEGIN_MS = 12, 2_000, 20_000
"""How often all cells are asked for, and how long a wish may take to show: a page that is still loading loses it."""
RUN_MS = 240_000
"""Time after which a notebook counts as hanging; it runs in a few seconds."""
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},  # no question, no request
}
ALL_DONE_OR_ONE_FAILED = """() => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')];
    const isDone = cell => /\\[\\d+\\]/.test(cell.querySelector('.jp-InputPrompt').textContent);
    const hasFailed = document.querySelector('.jp-OutputArea-output[data-mime-type*="error"]') !== null;
    return cells.length > 0 && (hasFailed || cells.every(isDone));
}"""
HAS_BEGUN = """() => [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')]
    .some(prompt => /\\[(\\*|\\d+)\\]/.test(prompt.textContent))"""
ALL_PICTURES_ARE_DECODED = """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
    .every(picture => picture.complete)"""

IS_ASKED = "() => document.querySelector('.jp-Dialog') !== null"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and the project that it serves."""

    process: psutil.Popen
    address: str
    token: str
    project: Path

    def ask(self, path: str, method: str = "GET") -> bytes:
        """Return what the server answers."""
        asked = urllib.request.Request(
            f"{self.address}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(asked, timeout=START_S) as answer:
            return bytes(answer.read())

    def close(self) -> list[psutil.Process]:
        """Shut server and kernels down; return the processes that had to be killed."""
        family = [self.process, *self.process.children(recursive=True)]
        self.ask("/api/shutdown", "POST")
        _, left = psutil.wait_procs(family, timeout=LONGEST_END_S)
        return left


@pytest.fixture
def lab(project: Path, tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab on a copy of the project, with settings, token and port of its own."""
    token = secrets.token_hex(16)
    places = {
        f"JUPYTER_{name}_DIR": str(tmp_path / "jupyter" / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")
    }
    settings, runtime = tmp_path / "settings", tmp_path / "jupyter" / "runtime"
    for name, values in SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    environment = {
        **environment_of(project),
        **places,
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={_free_port()}"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    said = tmp_path / "jupyterlab.log"
    with said.open("wb") as log:
        process = psutil.Popen(command, cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Lab(process, _address(process, runtime, said), token, project)
    finally:
        if process.is_running():
            for one in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        process.wait(LONGEST_END_S)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _address(process: psutil.Popen, runtime: Path, said: Path) -> str:
    """Wait until the server says where it is; it takes another port where somebody took this one meanwhile."""
    until = time.monotonic() + START_S
    note = runtime / f"jpserver-{process.pid}.json"
    while time.monotonic() < until and process.poll() is None:
        if note.is_file() and (text := note.read_text(encoding="utf-8")).endswith("}"):
            return f"http://127.0.0.1:{json.loads(text)['port']}"
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{said.read_text(encoding='utf-8', errors='replace')}")


def _agree(button: Locator) -> None:
    """Take what a question of JupyterLab offers, which stands in the way of all else."""
    button.click()
    button.page.wait_for_timeout(SETTLE_MS)


def _run_all(page: Page) -> None:
    """Ask for all cells until they begin; JupyterLab may lose a wish, or ask which kernel it shall be."""
    page.add_locator_handler(page.locator(".jp-Dialog .jp-mod-accept").first, _agree)
    for _ in range(ATTEMPTS):
        page.locator(".jp-Notebook .jp-CodeCell").first.click()  # the menu runs the notebook that has the focus
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(PlaywrightTimeoutError):
            page.wait_for_function(f"() => ({HAS_BEGUN})() || ({IS_ASKED})()", timeout=BEGIN_MS)
        if page.evaluate(HAS_BEGUN):
            break
    page.wait_for_function(ALL_DONE_OR_ONE_FAILED, timeout=RUN_MS)


def test_dispatch_notebook__shows_its_figures_in_jupyterlab(browser: Browser, lab: Lab) -> None:
    """All cells run without an error, figures are drawn on the page and saved, and nothing runs on after closing."""
    path = lab.project / "notebooks" / "dispatch.ipynb"
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(LONGEST_MS)
    page.goto(f"{lab.address}/lab/tree/notebooks/dispatch.ipynb?token={lab.token}")
    # The kernel's name stands in the toolbar once there is a kernel to run cells in.
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=START_S * 1000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=START_S * 1000)

    _run_all(page)

    errors = page.locator('.jp-OutputArea-output[data-mime-type*="error"]')
    assert errors.all_inner_texts() == []
    figures = page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg")
    page.wait_for_function(ALL_PICTURES_ARE_DECODED)
    assert figures.count() > 3
    for figure in figures.all():
        box = figure.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 50
    assert page.locator(".jp-OutputArea-output table").count() > 3

    page.keyboard.press("Control+s")
    _is_saved(path)
    page.close()
    assert json.loads(lab.ask("/api/kernels"))
    assert lab.close() == []


def _is_saved(path: Path) -> None:
    """Wait for the notebook on disk to hold an output of each kind, and no error."""
    until = time.monotonic() + START_S
    outputs: list[nbformat.NotebookNode] = []
    while not outputs and time.monotonic() < until:
        time.sleep(0.2)
        try:
            cells = nbformat.read(path, as_version=4).cells
        except ValueError:  # the server is writing it
            continue
        outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs, "the notebook was not saved"
    assert "error" not in {output.output_type for output in outputs}
