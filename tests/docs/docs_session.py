"""A reader who follows a page: one project, in which its blocks run in their order."""

from __future__ import annotations

import ast
import configparser
import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml
from click.testing import CliRunner
from docs_blocks import ROOT, Block

from ems.assets.portfolio import KINDS, read_portfolio
from ems.batch.batches.sweep import Sweep
from ems.batch.parameters import load_case
from ems.batch.workflows.checks import check_workflow
from ems.batch.workflows.reading import parse_text
from ems.cli import commands
from ems.studies.registry import STUDIES
from ems.tariffs.tariff import Tariff

SHELL = re.compile(r"[|<>&;*`]|\$\(")
PROGRAMS = ("git", "cd", "cp", "curl", "export", "chromium", "createdb")
PLACEHOLDER = re.compile(r"\b(?:ID|RUN|RUN_ID|RUN_A|RUN_B|PATH/TO/\S+|FILE|HEADER|SITE|TARIFF)\b|~/")


class Session:
    """Runs the blocks of a page.

    Parameters
    ----------
    folder : Path
        A project, in which this process works.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        programs = folder.parent / "bin"
        programs.mkdir()
        (programs / "ems").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ems "$@"\n')
        (programs / "ems").chmod(0o755)
        (programs / "python").symlink_to(sys.executable)
        self.path = f"{programs}:{os.environ['PATH']}"

    def follow(self, block: Block) -> str:
        """Do what a block says and return what it printed."""
        if block.fence.rule == "no-run":
            assert len(block.fence.said) > 8, f"{block.where}: say why it is not run"
            return ""
        ways: dict[str, Callable[[Block], str]] = {
            "sh": self._check_commands if block.fence.rule == "check" else self._run_commands,
            "python": _check_python if block.fence.rule == "check" else self._run_python,
            "yaml": self._read_yaml,
            "ini": _read_ini,
            "text": lambda _: "",
        }
        assert block.fence.language in ways, f"{block.where}: {block.fence.language!r} is no language of these pages"
        return ways[block.fence.language](block)

    # ------------------------------------------------------------------------------------------- commands
    def _run_commands(self, block: Block) -> str:
        return "".join(self._run(line, block.where) for line in command_lines(block.text))

    def _run(self, line: str, where: str) -> str:
        """Run a command: one of ours in this process, as all of it is imported already; another one by a shell."""
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            os.environ[name] = subprocess.check_output(["bash", "-c", f"echo {value}"], text=True).strip()
            return ""
        if line.startswith("ems ") and not SHELL.search(line):
            done = CliRunner().invoke(commands, shlex.split(os.path.expandvars(line))[1:], prog_name="ems")
            assert done.exit_code == 0, f"{where}: {line}\n{done.output}\n{done.exception!r}"
            return done.stdout
        environment = {**os.environ, "PATH": self.path, "PYTHONPATH": os.pathsep.join(sys.path)}
        script = ["bash", "-euo", "pipefail", "-c", line]
        shell = subprocess.run(script, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600)
        assert shell.returncode == 0, f"{where}: {line}\n{shell.stdout}\n{shell.stderr}"
        return shell.stdout

    def _check_commands(self, block: Block) -> str:
        assert len(block.fence.said) > 8, f"{block.where}: say why it is only checked"
        for line in command_lines(block.text):
            check_command(line, block.where)
        return ""

    # ------------------------------------------------------------------------------------------- other languages
    def _run_python(self, block: Block) -> str:
        """Run a block, or keep it as the file that its fence names."""
        if block.fence.rule == "of":
            (self.folder / block.fence.said).write_text(block.text)
            return _check_python(block)
        said = io.StringIO()
        code = compile(block.text, block.where, "exec")
        with contextlib.redirect_stdout(said):
            exec(code, self.names)
        return said.getvalue()

    def _read_yaml(self, block: Block) -> str:
        """Read a file, which is then in the project under the name in its first line, or a part of something."""
        named = re.match(r"# ((?:data|parameters)/\S+\.yaml)", block.text)
        if block.fence.rule == "of":
            _PARTS[block.fence.said](block)
            return ""
        assert named, f"{block.where}: its first line must be '# path/of/file.yaml', or its fence 'yaml of KIND'"
        path = self.folder / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        kind = path.relative_to(self.folder).parts[1]
        if kind == "sites":
            read_portfolio(path)
        elif kind == "sweeps":
            Sweep.from_mapping(yaml.safe_load(block.text), block.where)
        elif kind == "workflows":
            _check_workflow(block)
        else:
            load_case(kind, path.stem)
        return ""


def _check_python(block: Block) -> str:
    """Compile a block and do what it imports."""
    tree = ast.parse(block.text, block.where)
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(tree, block.where, "exec"), {})
    return ""


def command_lines(text: str) -> list[str]:
    """Return the commands of a block, each on one line, without comments."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (re.sub(r"(^|\s+)#\s.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def check_command(line: str, where: str) -> None:
    """Fail where a command, an option, a case or a module that a line names does not exist."""
    words = shlex.split(re.sub(r"^(?:[A-Z_]+=\S+ )+|\s>>?\s\S+$", "", line.removesuffix(" &")))
    program, arguments = words[0], words[1:]
    if program == "ems":
        _check_ems(arguments, where)
    elif program == "make":
        made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(arguments) <= made, f"{where}: make {arguments}"
    elif words[:2] == ["python", "-m"]:
        module = ROOT / f"{words[2].replace('.', '/')}.py"
        source = module.read_text()
        unknown = [one for one in arguments[2:] if one.startswith("--") and f'"{one}"' not in source]
        assert not unknown, f"{where}: {unknown} are no options of {module}"
    elif words[:2] == ["pip", "install"]:
        extra = re.fullmatch(r"ems\[(\w+)\]", words[2])
        assert extra and f"{extra[1]} = [" in (ROOT / "pyproject.toml").read_text(), f"{where}: {line}"
    elif program == "papermill":
        assert (ROOT / arguments[0]).is_file(), f"{where}: {arguments[0]}"
    else:
        assert program in PROGRAMS, f"{where}: {program} cannot be checked; mark the block no-run"


def _check_ems(arguments: list[str], where: str) -> None:
    command: click.Command = commands
    context = click.Context(commands, info_name="ems")
    rest = arguments
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"{where}: ems {' '.join(arguments)}: there is no command {rest[0]}"
        command, context, rest = found, click.Context(found, info_name=rest[0], parent=context), rest[1:]
    try:
        parsed = command.make_context(command.name, list(rest), parent=context.parent)
    except click.exceptions.Exit:  # --help
        return
    if arguments[0] == "run" and rest:
        settings = [one for one in parsed.params["settings"] if not PLACEHOLDER.search(one)]
        if not PLACEHOLDER.search(parsed.params["case"]):
            load_case(parsed.params["study"], parsed.params["case"], settings)
        assert parsed.params["study"] in STUDIES


# ----------------------------------------------------------------------------------------------- parts of files
def _check_workflow(block: Block) -> None:
    for name in re.findall(r"\$\{secrets\.(\w+)\}", block.text):
        os.environ.setdefault(name, "a-secret-of-a-test")
    text = block.text
    if "tasks:" not in text:
        text += "\ntasks:\n  - {id: dispatch, study: dispatch, case: demo}\n"
    check_workflow(parse_text("shown", text, block.where))


def _check_tariffs(block: Block) -> None:
    for given in yaml.safe_load(block.text)["tariffs"]:
        Tariff.from_mapping(given, block.where)


def _check_assets(block: Block) -> None:
    for given in yaml.safe_load(block.text)["assets"]:
        KINDS[given["kind"]].from_mapping({"site_id": "any", **given}, block.where)


_PARTS: dict[str, Callable[[Block], None]] = {
    "workflow": _check_workflow,
    "tariffs": _check_tariffs,
    "assets": _check_assets,
}


def _read_ini(block: Block) -> str:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(block.text)
    assert read.sections(), f"{block.where}: there is no section"
    return ""


def matches(said: str, expected: str) -> bool:
    """Return whether what was printed is what a page says; ``...`` stands for anything, spaces at ends for nothing."""
    pattern = ".*".join(re.escape(part) for part in _tidy(expected).split("..."))
    return re.fullmatch(pattern, _tidy(said), re.DOTALL) is not None


def _tidy(text: str) -> str:
    return "\n".join(re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines())
