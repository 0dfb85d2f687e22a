from __future__ import annotations

import os
from pathlib import Path

import pytest
from schedule_world import World, make_small_project, remembered

from ems.batch.schedule.file_drop import FileDrop, split_pattern
from ems.database.workflows import list_executions

DROP = "trigger: {files: 'data/inbox/*.csv'}\nparameters: {file: {type: text}}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    project = make_small_project(tmp_path / "project", monkeypatch)
    return World(project, remembered())


def files_of(world: World) -> list[str]:
    return [one.parameters["file"] for one in reversed(list_executions(world.engine))]


def test_settled__waits_until_a_file_is_no_longer_written(tmp_path: Path) -> None:
    drop = FileDrop("some", "*.csv", tmp_path)
    file = tmp_path / "a.csv"

    file.write_text("1")
    assert drop.settled(0.0) == []
    file.write_text("1,2")
    assert drop.settled(1.5) == []
    assert drop.settled(3.0) == []
    assert drop.settled(3.5) == [file]
    drop.note_done(file)
    assert drop.settled(10.0) == []
    assert not drop.is_watching


def test_settled__oldest_first_and_no_hidden_unfinished_or_foreign_files(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "inbox", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "secret.csv").write_text("x")
    for name in ("b.csv", "a.csv", ".hidden.csv", "c.csv.part"):
        (folder / name).write_text("x")
    os.utime(folder / "b.csv", (1, 1))
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(elsewhere / "secret.csv")
    Path(os.fsdecode(bytes(folder / "no-text-") + b"\xff.csv")).write_text("x")
    (folder / "broken.csv").symlink_to(folder / "nowhere.csv")
    drop = FileDrop("some", "inbox/*", tmp_path)

    drop.settled(0.0)

    assert [path.name for path in drop.settled(5.0)] == ["b.csv", "a.csv"]


def test_split_pattern__relative_and_absolute() -> None:
    project = Path("/project")

    assert split_pattern("data/inbox/*.csv", project) == (project / "data" / "inbox", "*.csv")
    assert split_pattern("data/*/meter?.csv", project) == (project / "data", "*/meter?.csv")
    assert split_pattern("/srv/drop/*.csv", project) == (Path("/srv/drop"), "*.csv")
    assert split_pattern("data/one.csv", project) == (project / "data", "one.csv")


def test_start_of__same_content_and_time_is_the_same_start(tmp_path: Path) -> None:
    """A file of the same content and time under another name, or copied back, is no other file."""
    first, second, later = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    for file in (first, second, later):
        file.write_text("1,2")
        os.utime(file, (1000, 1000))
    os.utime(later, (1001, 1001))
    drop = FileDrop("some", "*.csv", tmp_path)

    ids = [start.id for file in (first, second, later) if (start := drop.start_of(file)) is not None]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("19700101-001640-")
    assert FileDrop("other", "*.csv", tmp_path).start_of(first) != drop.start_of(first)
    assert drop.start_of(tmp_path / "gone.csv") is None


def test_service__file_starts_its_workflow_once(world: World) -> None:
    """Not again after a restart, nor when the file is moved; again when its content changes."""
    world.write("take", DROP)
    file = world.project / "data" / "inbox" / "may.csv"
    file.write_text("1,2")
    world.go(10)
    assert files_of(world) == ["data/inbox/may.csv"]

    file.rename(file.with_name("moved.csv"))
    world.service._release()
    after = world.new_service()
    world.go(10, after)
    assert len(world.works) == 1

    file.write_text("3,4")
    world.go(10, after)
    assert files_of(world) == ["data/inbox/may.csv"] * 2


def test_service__many_files_one_after_the_other(world: World) -> None:
    world.write("take", DROP)
    for k in range(4):
        file = world.project / "data" / "inbox" / f"{k}.csv"
        file.write_text(str(k))
        os.utime(file, (1000 + k, 1000 + k))
    world.takes_s = 3

    world.go(30)

    assert files_of(world) == [f"data/inbox/{k}.csv" for k in range(4)]


def test_run_once__waits_until_files_settle(world: World) -> None:
    world.write("take", DROP)
    (world.project / "data" / "inbox" / "may.csv").write_text("1,2")

    assert world.service.run(once=True) == 0

    assert files_of(world) == ["data/inbox/may.csv"]


def test_service__absolute_folder_that_comes_later(world: World, tmp_path: Path) -> None:
    """A drop folder that is not there yet is no error; its files count when it is."""
    drop = FileDrop("some", f"{tmp_path}/drop/*.csv", world.project)
    assert drop.settled(0.0) == []
    (tmp_path / "drop").mkdir()
    file = tmp_path / "drop" / "a.csv"
    file.write_text("1")

    drop.settled(1.0)

    assert drop.settled(4.0) == [file]
    start = drop.start_of(file)
    assert start is not None
    assert start.parameters == {"file": str(file)}


def test_service__workflow_without_parameter_file(world: World) -> None:
    world.write("take", "trigger: {files: 'data/inbox/*.csv'}")
    world.go(3)

    assert "trigger.files: needs a parameter 'file'" in world.said[0]


def test_service__schedule_leaves_room_for_files(world: World) -> None:
    """A workflow that is due all the time takes files in between."""
    world.write("busy", f"schedule: {{every: 5s, missed: run_all}}\n{DROP}".replace("text}", 'text, default: ""}'))
    world.takes_s = 7
    for k in range(2):
        (world.project / "data" / "inbox" / f"{k}.csv").write_text(str(k))

    world.go(60)

    triggers = [work.execution.trigger for work in world.works]
    assert triggers.count("file") == 2
    assert "file" in triggers[:3]
