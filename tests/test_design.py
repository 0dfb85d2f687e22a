"""The design as laws: who imports whom, one source of truth for parameters, nothing heavy before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from ems.record import meaning_of
from ems.studies.registry import STUDIES, study_class

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_imports__keep_the_floors() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


def test_help__loads_nothing_heavy() -> None:
    """`ems --help` answers at once because none of these is imported for it."""
    code = (
        "import sys, ems.cli\n"
        "try: ems.cli.commands(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'xarray', 'pyomo', 'sqlalchemy', 'matplotlib', 'papermill', 'sktime'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "loaded []"


def test_checks_before_a_run__load_no_pandas() -> None:
    """A misspelt parameter is answered before pandas or Pyomo are loaded."""
    code = (
        "import sys\n"
        "from ems.batch.parameters import load_case\n"
        "load_case('dispatch', 'demo').study.check()\n"
        "print('loaded', sorted({'pandas', 'xarray', 'pyomo', 'sqlalchemy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("study", STUDIES)
def test_study__shares_its_name_with_notebook_parameters_and_module(study: str) -> None:
    assert (ROOT / "notebooks" / f"{study}.ipynb").is_file()
    assert any((ROOT / "parameters" / study).glob("*.yaml"))
    assert (ROOT / "ems" / "studies" / f"{study}.py").is_file()
    assert study_class(study).name == study


@pytest.mark.parametrize("study", STUDIES)
def test_study__notebook_states_its_fields_defaults_and_meanings(study: str) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / f"{study}.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assert notebook.cells[1] is cell

    stated = {}
    for line in cell.source.splitlines():
        name, value, comment = re.fullmatch(r"(\w+) = (.+?)  # (.+)", line).groups()
        stated[name] = (ast.literal_eval(value), comment)

    fields = study_class(study).model_fields
    assert stated == {name: (field.default, meaning_of(field)) for name, field in fields.items()}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook__is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)

    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_environment__is_in_parity_with_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stated = list(project["dependencies"])
    for name, extra in project["optional-dependencies"].items():
        if name == "benchmark":  # others' packages, to be compared with; nobody needs them to work
            continue
        stated += [one for one in extra if not one.startswith("ems[")]
    wanted = {re.sub(r"\[.*?\]", "", one).lower() for one in stated} | {f"python{project['requires-python']}", "pip"}

    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (from_pip,) = [one["pip"] for one in environment if isinstance(one, dict)]

    assert {*(one for one in environment if isinstance(one, str)), *from_pip} == wanted


def test_constraints__are_exact_and_name_no_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    assert all(re.match(r"[a-z0-9-]+==\S+( ; .+)?$", line) for line in lines)
    assert not any("://" in line or "index-url" in line for line in lines)
    names = {line.split("==")[0] for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for dependency in project["dependencies"]:
        assert re.split(r"[<>=\[]", dependency)[0].lower() in names


def test_files__have_one_topic() -> None:
    files = [path for path in (ROOT / "ems").rglob("*.py") if "versions" not in path.parts]  # a migration is a record
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}

    assert {name: lines for name, lines in long.items() if lines > 500} == {}
