"""Metrics as Prometheus reads them, told by its own parser."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from project_fixtures import run_ems

from ems.batch.watch.metrics import Family, exposition, metrics_of
from ems.cli.metrics import metrics
from ems.database.records import Run
from ems.database.runs import complete_run, fail_run, open_run, start_run
from ems.errors import InvalidInput


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and labels, as the parser of Prometheus reads them."""
    parser = pytest.importorskip("prometheus_client.parser", reason="the parser of Prometheus is not installed")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in {"gauge", "summary"}
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_exposition__labels_of_any_kind_come_back() -> None:
    odd = 'back\\slash, "quotes",\nline, ä€ and } = {'
    family = Family("ems_runs", "gauge", "Runs\nof \\ notebooks.")
    family.add(2, study=odd, status="failed")
    family.add(math.inf, study="other", status="failed")
    family.add(0.1 + 0.2, study="third", status="failed")

    samples = parsed(exposition([family, Family("ems_empty", "gauge", "None.")]))

    assert samples["ems_runs"][("status", "failed"), ("study", odd)] == 2
    assert samples["ems_runs"][("status", "failed"), ("study", "other")] == math.inf
    assert samples["ems_runs"][("status", "failed"), ("study", "third")] == 0.1 + 0.2
    assert "ems_empty" not in samples


def test_metrics_of__runs_by_study_and_status(engine: sa.Engine) -> None:
    begun = time.time()
    for number, status in enumerate(("completed", "completed", "failed", "pending")):
        run = open_run(engine, Run(id=f"r{number}", study="dispatch", case_name="demo", title="R"))
        if status != "pending":
            start_run(engine, run.id)
            complete_run(engine, run.id) if status == "completed" else fail_run(engine, run.id, "no")

    text = exposition(metrics_of(engine))
    samples = parsed(text)
    lasted_s = time.time() - begun

    runs = {dict(labels)["status"]: value for labels, value in samples["ems_runs"].items()}
    assert runs == {"pending": 1, "running": 0, "completed": 2, "failed": 1, "cancelled": 0}
    completed = (("status", "completed"), ("study", "dispatch"))
    assert samples["ems_run_duration_seconds_count"][completed] == 2
    assert 0 <= samples["ems_run_duration_seconds_sum"][completed] <= lasted_s
    assert 0 <= samples["ems_last_completed_run_age_seconds"][(("study", "dispatch"),)] <= lasted_s
    assert samples["ems_database_size_bytes"][()] > 10_000
    assert re.search(r'^ems_runs\{study="dispatch",status="failed"\} 1$', text, re.MULTILINE)


def test_command__writes_a_whole_file(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "ems.prom"

    done = run_ems(project, "metrics", "-o", str(target))

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "ems_database_size_bytes" in parsed(target.read_text())
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["ems.prom"]


def test_command__folder_is_not_there(project: Path, tmp_path: Path) -> None:
    refused = CliRunner().invoke(metrics, ["-o", str(tmp_path / "none" / "ems.prom")])

    assert isinstance(refused.exception, InvalidInput)
    assert "there is no folder" in str(refused.exception)
