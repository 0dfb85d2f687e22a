"""Shell completion: what a shell proposes, asked of a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ems.cli import PLACES, commands
from ems.cli.completion import SHELLS

COMPLETE = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_ems_completion "$EMS_COMMAND" 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does at a tab: it asks the function of the script for the last word."""


@pytest.fixture
def proposed(project: Path, tmp_path: Path):
    script, command = tmp_path / "ems.sh", tmp_path / "ems"
    script.write_text(CliRunner().invoke(commands, ["completion", "bash"]).stdout)
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m ems \"$@\"\n")
    command.chmod(0o755)

    def ask(*words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", COMPLETE, "bash", str(script), "ems", *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "EMS_COMMAND": str(command)},
            cwd=project,
        )
        return done.stdout.split()

    return ask


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_completion__proposes_commands_options_studies_and_cases(proposed) -> None:
    assert proposed("ru") == ["run", "runs"]
    assert proposed("run", "dis") == ["dispatch"]
    assert proposed("run", "rolling", "") == ["demo"]
    assert "battery-optimization-demo" in proposed("workflow", "show", "")
    assert proposed("runs", "list", "--stat") == ["--status"]


@pytest.mark.parametrize("shell", SHELLS)
def test_completion__prints_a_script_for_each_shell(shell: str) -> None:
    shown = CliRunner().invoke(commands, ["completion", shell])

    assert shown.exit_code == 0
    assert "_EMS_COMPLETE" in shown.stdout
    assert "completion" in PLACES
