"""Whether this machine and project are fit for work: one finding for each thing that is needed, with its remedy.

Each check looks and changes nothing; one that cannot be made is a finding itself, and the others go on.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ems.errors import DatabaseProblem, EmsError
from ems.folders import project_folder, shown_path

State = Literal["ok", "warn", "fail"]

LOW_DISK_BYTES = 1_000_000_000
FULL_DISK_BYTES = 100_000_000
LONGEST_KERNEL_START_S = 60
CLOCK_OFF_S = 2.0
"""Leases and schedules bear a difference of some seconds between clocks."""
EARLIEST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""A clock before this was never set: the package is younger."""


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Parameters
    ----------
    check : str
        What was looked at.
    state : str
        ok, warn (works, but a person should look) or fail (something will not work).
    said : str
    remedy : str
        What to do; empty where nothing is to be done.
    """

    check: str
    state: State
    said: str
    remedy: str = ""


def examine_all() -> Iterator[Finding]:
    """Return the findings of all checks, each as soon as it is there."""
    try:
        project = project_folder()
    except EmsError as error:
        yield Finding(
            "project",
            "fail",
            str(error),
            "change to the folder of a project, name it in EMS_PROJECT, or make one: ems init FOLDER",
        )
        checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = []
    else:
        yield Finding("project", "ok", str(project))
        checks = [
            ("database", lambda: check_database(project)),
            ("disk", lambda: check_disk(project)),
            ("reports", lambda: check_reports(project)),
        ]
    checks += [
        ("solvers", check_solvers),
        ("versions", check_versions),
        ("compiled code", check_compiled),
        ("time zones", check_time_zones),
        ("clock", check_clock),
        ("kernel", check_kernel),
    ]
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:  # a check that fails in a new way is a finding, and the others are made
            said = f"could not be checked: {type(error).__name__}: {error}"
            yield Finding(name, "fail", said, "if the message does not help, report it as an error of ems")


def check_database(project: Path) -> Iterator[Finding]:
    """Look at the database: reached, at this package's revision, writable, its clock like this machine's."""
    from ems.database.engine import HEAD
    from ems.database.health import examine

    try:
        found = examine(project)
    except DatabaseProblem as problem:
        remedy = "start the database, or correct EMS_DATABASE_URL; without it data/ems.sqlite is used"
        yield Finding("database", "fail", str(problem), remedy)
        return
    if not found.is_there:
        yield Finding("database", "ok", f"{found.address} is made by the first command that needs it")
        return
    if found.is_newer:
        said = f"{found.address} is at revision {found.revision}; this version of ems knows up to {HEAD}"
        yield Finding("database", "fail", said, "install a newer ems")
    elif not found.is_current:
        has = f"is at revision {found.revision}" if found.revision else "has no tables of ems yet"
        state: State = "warn" if found.kind == "sqlite" else "fail"
        yield Finding("database", state, f"{found.address} {has}; {HEAD} is needed", "ems db upgrade")
    elif not found.is_writable:
        remedy = "give this user the right to write: to the file and its folder, or to the tables"
        yield Finding("database", "fail", f"{found.address} can be read but not written", remedy)
    else:
        yield Finding("database", "ok", f"{found.address} is at revision {found.revision} and can be written")
    if found.ahead_s is not None and abs(found.ahead_s) > CLOCK_OFF_S:
        said = f"the clock of the database's server differs from this machine's by {abs(found.ahead_s):.0f} s"
        yield Finding("database clock", "warn", said, "let both machines set their clocks by NTP")


def check_disk(project: Path) -> Iterator[Finding]:
    """Look at the space that is left for reports, and for the embedded database."""
    from ems.database.engine import database_url
    from ems.database.health import file_of

    folders = {project: "project"}
    file = file_of(database_url(project))
    if file is not None:
        folder = next(one for one in file.absolute().parents if one.is_dir())
        if folder.stat().st_dev != project.stat().st_dev:
            folders[folder] = "database"
    for folder, what in folders.items():
        free = shutil.disk_usage(folder).free
        said = f"{free / 1e9:.1f} GB are free for the {what} in {folder}"
        state: State = "fail" if free < FULL_DISK_BYTES else "warn" if free < LOW_DISK_BYTES else "ok"
        yield Finding("disk", state, said, "" if state == "ok" else "delete old reports, or use a larger disk")


def check_reports(project: Path) -> Iterator[Finding]:
    """Look whether reports can be written."""
    folder = project / "reports"
    shown = f"{shown_path(folder)}/"
    if not folder.exists():
        if os.access(project, os.W_OK):
            yield Finding("reports", "ok", f"{shown} is made by the first run")
        else:
            yield Finding("reports", "fail", f"{shown} cannot be made in {project}", f"give this user {project}")
        return
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        said = f"{shown} cannot be written: {error.strerror}"
        yield Finding("reports", "fail", said, f"give this user the right to write to {folder.resolve()}")
        return
    yield Finding("reports", "ok", f"{shown} can be written")


def check_solvers() -> Iterator[Finding]:
    """Look which solvers are here; HiGHS is the one that studies use unless they say otherwise."""
    from ems.dispatch.solvers.registry import list_solvers

    listed = list_solvers()
    here = [f"{one.name} {one.version}".strip() for one in listed if one.is_available]
    missing = [one.name for one in listed if not one.is_available]
    said = f"{', '.join(here)}" + (f"; not here: {', '.join(missing)}" if missing else "")
    if "highs" in missing:
        yield Finding("solvers", "fail", said, "pip install highspy")
    else:
        yield Finding("solvers", "ok", said)


def check_versions() -> Iterator[Finding]:
    """Look whether Python and the packages are those that this package was made for."""
    from packaging.requirements import Requirement

    wrong, other, count = [], [], 0
    tested = tested_versions()
    for text in importlib.metadata.requires("ems") or []:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
        elif tested.get(requirement.name.lower(), version) != version:
            other.append(f"{requirement.name} {version} (tested: {tested[requirement.name.lower()]})")
    python = ".".join(map(str, sys.version_info[:3]))
    if wrong:
        yield Finding("versions", "fail", "; ".join(wrong), "pip install -c constraints.txt ems")
    elif other:
        remedy = "nothing, as long as all works; else pip install -c constraints.txt ems"
        yield Finding("versions", "warn", f"other than tested: {', '.join(other)}", remedy)
    else:
        yield Finding("versions", "ok", f"Python {python}, {count} packages as they should be")


def tested_versions() -> dict[str, str]:
    """Return the exact versions with which the package was tested, where its list is at hand: in a checkout."""
    from packaging.requirements import Requirement

    file = Path(__file__).parents[3] / "constraints.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pinned = (Requirement(line) for line in lines if "==" in line)
    here = (one for one in pinned if one.marker is None or one.marker.evaluate())
    return {one.name.lower(): str(one.specifier).removeprefix("==") for one in here}


def check_time_zones() -> Iterator[Finding]:
    """Look whether local times can be told."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        offsets = [dt.datetime(2026, month, 1, tzinfo=ZoneInfo("Europe/Berlin")).utcoffset() for month in (1, 7)]
    except ZoneInfoNotFoundError:
        yield Finding("time zones", "fail", "no data of time zones is found", "pip install tzdata")
        return
    if offsets != [dt.timedelta(hours=1), dt.timedelta(hours=2)]:
        said = "the data of time zones is wrong: summer time in Berlin"
        yield Finding("time zones", "fail", said, "pip install --force-reinstall tzdata; look at PYTHONTZPATH")
        return
    yield Finding("time zones", "ok", f"data {importlib.metadata.version('tzdata')} or the system's")


def check_compiled() -> Iterator[Finding]:
    """Look whether modules that were imported once stay compiled; else each start takes about thrice as long."""
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    files = [Path(spec.cached) for spec in specs if spec is not None and spec.has_location and spec.cached]
    missing = [file for file in files if not file.exists()]
    if 2 * len(missing) <= len(files):
        yield Finding("compiled code", "ok", "modules stay compiled from one start to the next")
        return
    said = f"{len(missing)} of {len(files)} modules are compiled anew at each start, which makes all commands slow"
    if sys.dont_write_bytecode:
        remedy = "unset PYTHONDONTWRITEBYTECODE"
    else:
        folder = sysconfig.get_paths()["purelib"]
        remedy = f"let a user who may write there run: {sys.executable} -m compileall -q {folder}"
    yield Finding("compiled code", "warn", said, remedy)


def check_clock() -> Iterator[Finding]:
    """Look whether the clock may be right."""
    now = dt.datetime.now(dt.UTC)
    if now < EARLIEST:
        said = f"it is {now:%Y-%m-%d %H:%M} UTC here, which is long past"
        yield Finding("clock", "fail", said, "set the clock, best by NTP: timedatectl set-ntp true")
    else:
        local = now.astimezone()
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, {local:%H:%M:%S %Z} local")


def check_kernel() -> Iterator[Finding]:
    """Look whether a kernel for notebooks starts."""
    import time
    from subprocess import DEVNULL

    from jupyter_client.manager import start_new_kernel

    begin = time.monotonic()
    try:
        manager, client = start_new_kernel(LONGEST_KERNEL_START_S, kernel_name="python3", stderr=DEVNULL)
    except Exception as error:  # a kernel specification that is broken fails in many ways
        said = f"no kernel starts: {type(error).__name__}: {error}"
        remedy = f"{sys.executable} -m ipykernel install --sys-prefix"
        yield Finding("kernel", "fail", said, remedy)
        return
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    yield Finding("kernel", "ok", f"python3 starts in {time.monotonic() - begin:.1f} s")
