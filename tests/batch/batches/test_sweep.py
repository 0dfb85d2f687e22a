"""Sweeps: which cases a file means, and every fault of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.batch.batches.keys import code_of, key_of
from ems.batch.batches.opening import prepare
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.sweep import label_of, load_sweep
from ems.errors import InvalidInput, UnknownName
from ems.studies.dispatch import DispatchStudy


def sweep_of(project: Path, text: str, table: str | None = None) -> list[dict[str, object]]:
    """Return in what the cases of a sweep differ."""
    folder = project / "parameters" / "sweeps"
    folder.mkdir(exist_ok=True)
    (folder / "mine.yaml").write_text(text)
    if table is not None:
        (folder / "cases.csv").write_text(table)
    return [one.swept for one in load_sweep("dispatch", "mine").cases]


def test_sweep__grid_is_every_combination(project: Path) -> None:
    found = sweep_of(project, "case: demo\ngrid:\n  horizon_h: [12, 24]\n  solver: [highs, cbc]\n")

    assert found == [{"horizon_h": h, "solver": s} for h in (12.0, 24.0) for s in ("highs", "cbc")]


def test_sweep__zip_goes_side_by_side_and_list_one_by_one(project: Path) -> None:
    text = "zip:\n  horizon_h: [12, 24]\n  step_h: [0.5, 1]\nlist:\n- {title: One}\n- {title: Two, solver: cbc}\n"

    found = sweep_of(project, text)

    assert found == [
        {"title": "One", "horizon_h": 12.0, "step_h": 0.5},
        {"title": "One", "horizon_h": 24.0, "step_h": 1.0},
        {"title": "Two", "solver": "cbc", "horizon_h": 12.0, "step_h": 0.5},
        {"title": "Two", "solver": "cbc", "horizon_h": 24.0, "step_h": 1.0},
    ]


def test_sweep__table_keeps_text_as_text(project: Path) -> None:
    """Leading zeros are text where the parameter is text; an empty cell leaves the default."""
    found = sweep_of(project, "csv: cases.csv\n", "title,horizon_h,start\n007,12,\nnext,24,2024-06-03T00:00\n")

    assert found == [
        {"title": "007", "horizon_h": 12.0},
        {"title": "next", "horizon_h": 24.0, "start": "2024-06-03T00:00"},
    ]


def test_sweep__parameters_hold_for_all_cases(project: Path) -> None:
    sweep_of(project, "case: demo\nparameters: {step_h: 0.5}\ngrid: {horizon_h: [12, 24]}\n")

    cases = [one.case for one in load_sweep("dispatch", "mine").cases]

    assert [case.given["step_h"] for case in cases] == [0.5, 0.5]
    assert [case.name for case in cases] == ["demo-1", "demo-2"]


@pytest.mark.parametrize(
    ("text", "table", "said"),
    [
        ("grid: {horizont_h: [1]}", None, "grid.horizont_h: study 'dispatch' has no parameter of this name; did you"),
        ("zip: {horizon_h: [1, 2], step_h: [1]}", None, "zip: all lists must be of one length; horizon_h has 2,"),
        ("list: [{step_h: 1}]\ncsv: cases.csv", "step_h\n1\n", "list and csv: give one of the two"),
        ("grid: {step_h: [1]}\nlist: [{step_h: 2}]", None, "step_h: is in grid and in list; keep it in one"),
        ("grid: {horizon_h: [12, -1]}", None, r"case 2 \(horizon_h=-1\).*horizon_h = -1 h: must be greater than 0 h"),
        ("grid: {site: [demo, nowhere]}", None, r"case 2 \(site=nowhere\): site 'nowhere'"),
        ("csv: other.csv", None, "csv = 'other.csv': there is no such file beside the sweep's"),
        ("csv: cases.csv", "step_h,solver\n1\n", "line 2: must have 2 cells"),
        ("csv: cases.csv", "stephen\n1\n", "column 'stephen'"),
        ("csv: cases.csv", "", "it is empty"),
        ("grid: {step_h: []}", None, "grid"),
        ("grids: {step_h: [1]}", None, "grids: no such field; did you mean grid"),
    ],
)  # fmt: skip
def test_sweep__faults(project: Path, text: str, table: str | None, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        sweep_of(project, text, table)


def test_sweep__too_many_cases_are_refused_before_they_are_made(project: Path) -> None:
    values = list(range(1, 400))
    with pytest.raises(InvalidInput, match="more than 100,000 cases; make several sweeps of it"):
        sweep_of(project, f"grid: {{horizon_h: {values}, step_h: {values}}}")


def test_sweep__unknown(project: Path) -> None:
    with pytest.raises(UnknownName, match="sweep 'nowhere'"):
        load_sweep("dispatch", "nowhere")


def test_key__follows_parameters_inputs_notebook_and_package(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, code = DispatchStudy(), code_of("dispatch")
    key = key_of(study, code, "now")

    assert key_of(DispatchStudy(), code, "later") == key
    assert key_of(study.replace(horizon_h=25), code, "now") != key
    series = project / "data" / "series" / "demo.csv"
    series.write_text(series.read_text() + "\n")
    assert key_of(study, code, "now") != key
    notebook = project / "notebooks" / "dispatch.ipynb"
    notebook.write_text(notebook.read_text() + "\n")
    assert code_of("dispatch") != code
    changed = code_of("dispatch")
    monkeypatch.setattr("ems.batch.batches.keys.code_digest", lambda: "another")
    assert code_of("dispatch") != changed


def test_prepare__one_case_a_row_with_a_key_of_its_own(project: Path) -> None:
    sweep_of(project, "grid: {horizon_h: [12, 24, 36]}\n")

    prepared = prepare("dispatch", load_sweep("dispatch", "mine"), BatchOptions(attempts=2))

    assert [case.number for case in prepared.cases] == [1, 2, 3]
    assert len({case.key for case in prepared.cases}) == 3
    assert prepared.batch.options["attempts"] == 2


def test_label_of__is_short() -> None:
    assert label_of({"a": 0.5, "b": "x" * 100, "c": None}) == f"a=0.5, b={'x' * 37}..., c=None"


def test_options__pauses_grow_and_vary() -> None:
    options = BatchOptions(pause_s=2)

    pauses = [[options.pause_before(attempt) for _ in range(200)] for attempt in (2, 3, 4)]

    for expected, found in zip((2, 4, 8), pauses, strict=True):
        assert 0.5 * expected <= min(found) < max(found) <= 1.5 * expected
        assert len(set(found)) > 100
