"""Metrics of runs in the text form of Prometheus, version 0.0.4 [1]_.

All are gauges, or sums and counts of what is in the database now: rows that are removed make them fall.

References
----------
.. [1] Prometheus, "Exposition formats," https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from ems.database.batch_records import BatchStatus, CaseStatus
from ems.database.records import RunStatus, utc_now
from ems.database.run_metrics import (
    batches_by_status,
    cases_by_status,
    database_bytes,
    executions_by_status,
    figures_of_runs,
    last_completions,
)
from ems.database.workflow_records import ExecutionStatus

if TYPE_CHECKING:
    from sqlalchemy import Engine

Labels = Mapping[str, str]


@dataclass
class Family:
    """A metric with its samples.

    Parameters
    ----------
    name : str
    kind : str
        ``gauge``, or ``summary`` of a sum and a count.
    meaning : str
    samples : list of (str, mapping, float)
        Ending of the name, labels, value.
    """

    name: str
    kind: Literal["gauge", "summary"]
    meaning: str
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    def add(self, value: float, ending: str = "", **labels: str) -> None:
        """Add a sample."""
        self.samples.append((ending, labels, value))


def metrics_of(engine: Engine) -> list[Family]:
    """Return all metrics as the database has them now.

    Of a study, each status has a sample, zero as well, so that an alarm on failures has something to compare with.
    """
    runs = Family("ems_runs", "gauge", "Runs of notebooks in the database.")
    took = Family("ems_run_duration_seconds", "summary", "Time that runs took from their beginning to their end.")
    found = {(one.study, one.status): one for one in figures_of_runs(engine)}
    for study in sorted({study for study, _ in found}):
        for status in get_args(RunStatus):
            one = found.get((study, status))
            runs.add(one.runs if one else 0, study=study, status=status)
            if one and one.ended:
                took.add(one.seconds, "_sum", study=study, status=status)
                took.add(one.ended, "_count", study=study, status=status)
    ended = Family(
        "ems_last_completed_run_timestamp_seconds", "gauge", "When the last completed run of a study ended, Unix time."
    )
    age = Family("ems_last_completed_run_age_seconds", "gauge", "Time since the last completed run of a study ended.")
    now = utc_now()
    for study, moment in last_completions(engine).items():
        ended.add(moment.timestamp(), study=study)
        age.add(max(0.0, (now - moment).total_seconds()), study=study)
    size = Family("ems_database_size_bytes", "gauge", "Room that the database takes.")
    size.add(database_bytes(engine))
    batches, cases, executions = batches_by_status(engine), cases_by_status(engine), executions_by_status(engine)
    return [
        runs,
        took,
        ended,
        age,
        _by_status("ems_batches", "Batches in the database.", "study", batches, get_args(BatchStatus)),
        _by_status("ems_batch_cases", "Cases of batches.", "study", cases, get_args(CaseStatus)),
        _by_status(
            "ems_workflow_executions", "Executions of workflows.", "workflow", executions, get_args(ExecutionStatus)
        ),
        size,
    ]


def exposition(families: Iterable[Family]) -> str:
    """Return metrics as text; those without a sample are left out.

    >>> one = Family("ems_runs", "gauge", "Runs.")
    >>> one.add(2, study='a "b"')
    >>> exposition([one]).splitlines()[-1]
    'ems_runs{study="a \\\\"b\\\\""} 2'
    """
    lines = []
    for family in families:
        if not family.samples:
            continue
        lines.append(f"# HELP {family.name} {_escaped(family.meaning)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for ending, labels, value in family.samples:
            pairs = ",".join(f'{name}="{_escaped_label(text)}"' for name, text in labels.items())
            of = f"{{{pairs}}}" if pairs else ""
            lines.append(f"{family.name}{ending}{of} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _by_status(
    name: str, meaning: str, owner: str, counts: Mapping[tuple[str, str], int], statuses: Iterable[str]
) -> Family:
    family, order = Family(name, "gauge", meaning), tuple(statuses)
    for one in sorted({one for one, _ in counts}):
        for status in order:
            family.add(counts.get((one, status), 0), **{owner: one, "status": status})
    return family


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _escaped_label(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
