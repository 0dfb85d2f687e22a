"""Opening a batch: from a sweep to rows in the database, or to the batch that was begun before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ems.batch.batches.keys import code_of, key_of
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.sweep import LoadedSweep
from ems.database.run_id import new_run_id
from ems.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.batch_records import Batch, BatchCase


@dataclass(frozen=True)
class Prepared:
    """A batch that could be opened, with its cases.

    Parameters
    ----------
    batch : Batch
    cases : tuple of BatchCase
    """

    batch: Batch
    cases: tuple[BatchCase, ...]

    @property
    def repeats(self) -> int:
        """Number of cases with the key of one before them: a sweep that says the same twice."""
        return len(self.cases) - len({case.key for case in self.cases})


def prepare(study: str, sweep: LoadedSweep, options: BatchOptions) -> Prepared:
    """Return the batch of a sweep, with nothing written yet."""
    from ems.database.batch_records import Batch, BatchCase

    batch_id, code = new_run_id(), code_of(study)
    cases = tuple(
        BatchCase(
            batch_id=batch_id,
            number=number,
            label=one.label,
            key=key_of(one.case.study, code, f"{batch_id}-{number}"),
            parameters=one.case.given,
            swept=one.swept,
        )
        for number, one in enumerate(sweep.cases, start=1)
    )
    batch = Batch(
        id=batch_id,
        study=study,
        name=sweep.name,
        sweep=sweep.given,
        options=options.as_json(),
        code=code,
        cases=len(cases),
    )
    return Prepared(batch, cases)


def begin(engine: Engine, prepared: Prepared) -> Batch:
    """Open a batch; cases whose result is there already take it."""
    from ems.database.batches import open_batch

    return open_batch(engine, prepared.batch, prepared.cases)


def resume(
    engine: Engine, prepared: Prepared, batch_id: str | None, stated: Mapping[str, Any], *, retry_failed: bool
) -> Batch:
    """Open the batch that was begun with this sweep before, and return it.

    Parameters
    ----------
    engine : Engine
    prepared : Prepared
        What the sweep would be now.
    batch_id : str or None
        Batch to go on with; None takes the newest one of this study and sweep.
    stated : mapping
        Options that are to be others than those that it was begun with.
    retry_failed : bool
        Whether cases that failed are tried again.

    Raises
    ------
    UnknownName
        If there is none.
    InvalidInput
        If sweep, notebook, package or inputs are not what they were.
    """
    from ems.database.batches import get_batch, list_batches, list_cases, reopen_batch

    study, name = prepared.batch.study, prepared.batch.name
    if batch_id is None:
        found = list_batches(engine, study=study, name=name, limit=1)
        if not found:
            raise UnknownName(f"sweep '{name}' of study '{study}'", "no batch was begun with it; leave out --resume")
        batch = found[0]
    else:
        batch = get_batch(engine, batch_id)
    before = [case.key for case in list_cases(engine, batch.id)]
    now = [case.key for case in prepared.cases]
    if batch.study != study or (prepared.cases[0].key != before[0] and batch.code != prepared.batch.code):
        raise InvalidInput(
            f"batch {batch.id}",
            "was begun with another version of the notebook or the package; leave out --resume: what has the same "
            "key is not run again",
        )
    if batch.code != prepared.batch.code or (now != before and _is_repeatable(prepared)):
        raise InvalidInput(
            f"batch {batch.id}",
            "was begun with other cases or inputs; leave out --resume: what has the same key is not run again",
        )
    return reopen_batch(engine, batch.id, retry_failed=retry_failed, options={**batch.options, **stated})


def _is_repeatable(prepared: Prepared) -> bool:
    """Return whether keys tell what a case is; those of studies that read a database are new each time."""
    from ems.studies.registry import study_class

    first = prepared.cases[0]
    return study_class(prepared.batch.study).from_mapping(first.parameters, "the first case").is_repeatable()
