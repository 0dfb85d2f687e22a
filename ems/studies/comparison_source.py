"""ComparedCases: the cases of a batch out of the database, those that have a result and those that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ems.database.batch_results import gather, newest_batch
from ems.database.batches import get_batch
from ems.display import Card, Shown
from ems.errors import InvalidInput, UnknownName
from ems.studies.registry import study_class

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.batch_records import Batch

STUDY = "comparison"
LONGEST_REASON = 300
"""Characters of a failure that a table shows; the report of the failed run has all."""
STATUS_WORDS = {
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "running": "Still running",
    "waiting": "Still waiting",
}


@dataclass(frozen=True, repr=False)
class ComparedCases(Shown):
    """The cases of a batch.

    Parameters
    ----------
    batch : Batch
    frame : DataFrame
        As of `gather`.
    """

    batch: Batch
    frame: pd.DataFrame

    def caption(self) -> str:
        """Return what it is about."""
        return f"Batch {self.batch.id} of study {self.batch.study}"

    def card(self) -> Card:
        """Return what was run."""
        return Card(self.caption(), [(name, str(value)) for name, value in self.facts().items()])

    @property
    def measures(self) -> list[str]:
        """Figures that at least one completed case has."""
        done = self.completed
        return [name for name in (*self.frame.attrs["measures"], "cpu_seconds") if done[name].notna().any()]

    @property
    def completed(self) -> pd.DataFrame:
        """Cases that have a result."""
        return self.frame[self.frame["status"] == "completed"]

    def counts(self) -> dict[str, int]:
        """Return how many cases have each status, those that none has left out."""
        found = self.frame["status"].value_counts()
        return {status: int(found[status]) for status in STATUS_WORDS if status in found}

    def facts(self) -> dict[str, object]:
        """Return what was run, in words."""
        facts: dict[str, object] = {
            "Batch": self.batch.id,
            "Study": self.batch.study,
            "Sweep": self.batch.name,
            "Opened": f"{self.batch.created_at:%Y-%m-%d %H:%M} UTC",
            "Cases": len(self.frame),
        }
        facts |= {STATUS_WORDS[status]: count for status, count in self.counts().items()}
        reused = int(self.frame["is_reused"].sum())
        if reused:
            facts["Taken from earlier runs"] = reused
        facts["Swept parameters"] = ", ".join(self.frame.attrs["parameters"]) or "none"
        return facts

    def failures(self) -> pd.DataFrame:
        """Return why cases have no result: ``reason``, ``cases`` (their numbers) and ``label`` of the first."""
        failed = self.frame[self.frame["status"].isin(["failed", "cancelled"])]
        reasons = failed["error"].fillna(failed["status"]).map(_short)
        rows = [
            {"reason": reason, "cases": list(group["number"]), "label": str(group["label"].iloc[0])}
            for reason, group in failed.groupby(reasons, sort=False)
        ]
        return pd.DataFrame(rows, columns=["reason", "cases", "label"])

    def require_result_of(self, number: int | None, measure: str) -> None:
        """Refuse a baseline that is no case, or that has no result.

        Raises
        ------
        InvalidInput
        """
        if number is None:
            return
        where = f"baseline = {number}"
        found = self.frame[self.frame["number"] == number]
        if found.empty:
            raise InvalidInput(where, f"batch {self.batch.id} has cases 1 to {len(self.frame)}")
        case = found.iloc[0]
        if case["status"] != "completed":
            why = f": {_short(case['error'])}" if pd.notna(case["error"]) else ""
            raise InvalidInput(where, f"this case is {case['status']} and has no result to compare with{why}")
        if pd.isna(case[measure]):
            raise InvalidInput(where, f"this case has no {measure} to compare with")


def load_cases(engine: Engine, batch_id: str | None) -> ComparedCases:
    """Return the cases of a batch; None takes the newest batch of another study than this one.

    Raises
    ------
    UnknownName
        If there is no batch of that id.
    InvalidInput
        If there is no batch at all, or it has no cases.
    """
    batch = newest_batch(engine, besides=STUDY) if batch_id is None else get_batch(engine, batch_id)
    if batch is None:
        raise InvalidInput(
            "batch", "there is none to compare yet; make one, as with: ems batch dispatch battery-horizon"
        )
    frame = gather(engine, batch.id)
    if frame.empty:
        raise InvalidInput(f"batch {batch.id}", "has no cases; name another one")
    # A database may give the names of parameters in any order; people know them in that of the study.
    order = {name: place for place, name in enumerate(_fields_of(batch.study))}
    frame.attrs["parameters"] = sorted(frame.attrs["parameters"], key=lambda name: order.get(name, len(order)))
    return ComparedCases(batch, frame)


def _fields_of(study: str) -> list[str]:
    try:
        return list(study_class(study).model_fields)
    except UnknownName:  # of another version of the package
        return []


def _short(error: object) -> str:
    """Return an error as one line that a table can hold."""
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 3]}..."
