"""``ems doctor``: what is fit, what is not, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from project_fixtures import run_ems

from ems.batch.watch import doctor
from ems.batch.watch.doctor import (
    Finding,
    check_database,
    check_disk,
    check_reports,
    check_time_zones,
    check_versions,
    examine_all,
)
from ems.cli import commands
from ems.database.engine import connect
from ems.database.migrate import downgrade, upgrade
from ems.database.schedules import schedule_states

CHECKS = [
    "project",
    "database",
    "disk",
    "reports",
    "solvers",
    "versions",
    "compiled code",
    "time zones",
    "clock",
    "kernel",
]


def test_doctor__all_fit_in_words_and_json(project: Path) -> None:
    done = run_ems(project, "doctor", starts_afresh=True)

    assert done.returncode == 0, done.stdout
    assert [line[6:].split("  ")[0] for line in done.stdout.splitlines() if not line.startswith("      ")] == CHECKS
    assert "is made by the first command that needs it" in done.stdout
    assert not (project / "data" / "ems.sqlite").exists()


def test_doctor__database_that_is_down(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", "postgresql://ems:secret@127.0.0.1:1/none")

    done = CliRunner().invoke(commands, ["doctor", "--json"])

    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["fit"] is False
    found = {one["check"]: one for one in said["findings"]}
    assert [*found] == CHECKS
    assert found["database"]["state"] == "fail"
    assert "cannot be reached" in found["database"]["said"]
    assert "start the database, or correct EMS_DATABASE_URL" in found["database"]["remedy"]
    assert "secret" not in done.stdout
    assert found["kernel"]["state"] == "ok"


def database(url: str, monkeypatch: pytest.MonkeyPatch, project: Path) -> list[Finding]:
    monkeypatch.setenv("EMS_DATABASE_URL", url)
    return list(check_database(project))


def test_check_database__revisions(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_embedded = database_url.startswith("sqlite")
    upgrade(database_url)

    (fit,) = database(database_url, monkeypatch, tmp_path)
    assert fit.state == "ok"
    assert "can be written" in fit.said
    assert schedule_states(connect(database_url)) == []  # what was tried is taken back

    downgrade(database_url, "0003")
    (old,) = database(database_url, monkeypatch, tmp_path)
    assert old.state == ("warn" if is_embedded else "fail")
    assert "is at revision 0003" in old.said
    assert old.remedy == "ems db upgrade"


def test_check_database__read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ems.sqlite"
    connect(f"sqlite:///{file}").dispose()

    (found,) = database(f"sqlite:///file:{file}?mode=ro&uri=true", monkeypatch, tmp_path)

    assert found.state == "fail"
    assert "can be read but not written" in found.said


def test_check_database__no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = database("postgres", monkeypatch, tmp_path)

    assert found.state == "fail"
    assert "is no address" in found.said


def test_check_reports__folder_that_is_a_file(tmp_path: Path) -> None:
    assert next(check_reports(tmp_path)).state == "ok"
    (tmp_path / "reports").write_text("")

    found = next(check_reports(tmp_path))

    assert found.state == "fail"
    assert "cannot be written" in found.said


def test_check_disk__little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(check_disk(tmp_path)).state in ("ok", "warn", "fail")
    monkeypatch.setattr(doctor, "FULL_DISK_BYTES", 10**18)

    assert next(check_disk(tmp_path)).state == "fail"


def test_check_versions__missing_and_other(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["click>=99", "no-such-package>=1", "numpy", "jupyterlab>=99 ; extra == 'lab'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda _name: wanted)

    (found,) = check_versions()

    assert found.state == "fail"
    assert "is not >=99; no-such-package is missing" in found.said
    assert "jupyterlab" not in found.said
    monkeypatch.setattr("importlib.metadata.requires", lambda _name: ["numpy>=1"])
    monkeypatch.setattr(doctor, "tested_versions", lambda: {"numpy": "1.0"})
    (other,) = check_versions()
    assert other.state == "warn"
    assert "(tested: 1.0)" in other.said


def test_tested_versions__of_the_checkout() -> None:
    tested = doctor.tested_versions()

    assert {"click", "numpy", "cronsim"} <= set(tested)
    assert tested["cronsim"] == "2.8"


@pytest.mark.parametrize(
    ("setting", "state", "remedy"),
    [({}, "ok", ""), ({"PYTHONDONTWRITEBYTECODE": "1"}, "warn", "unset PYTHONDONTWRITEBYTECODE")],
)
def test_check_compiled__where_python_keeps_nothing(
    tmp_path: Path, setting: dict[str, str], state: str, remedy: str
) -> None:
    """Where nothing is compiled yet, the first start compiles and keeps it, unless it may not."""
    code = "from ems.batch.watch.doctor import check_compiled\n[one] = check_compiled()\nprint(one.state, one.remedy)"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, **setting, "PYTHONPYCACHEPREFIX": str(tmp_path)}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.stdout.strip() == f"{state} {remedy}".strip(), done.stderr


def test_check_time_zones__are_here() -> None:
    assert next(check_time_zones()).state == "ok"


def test_examine_all__no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project the machine is looked at all the same; a check that breaks is a finding."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMS_PROJECT", raising=False)
    monkeypatch.setattr(doctor, "check_kernel", lambda: iter(()))

    def broken() -> None:
        raise RuntimeError("of a new kind")

    monkeypatch.setattr(doctor, "check_solvers", broken)

    found = {one.check: one for one in examine_all()}

    assert found["project"].state == "fail"
    assert "EMS_PROJECT" in found["project"].remedy
    assert found["solvers"].said == "could not be checked: RuntimeError: of a new kind"
    assert found["clock"].state == "ok"
    assert "database" not in found
