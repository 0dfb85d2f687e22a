"""The closed loop: decide, run the plant on what truly comes, carry the state on; resumable, with progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ems.dispatch.rolling_portfolio import check_rolling
from ems.settlement.plant import Plant
from ems.studies.rolling_case import Key, RollingCase
from ems.studies.rolling_orders import Policy
from ems.studies.rolling_peaks import Peaks
from ems.studies.rolling_state import Checkpoint, read_checkpoint, write_checkpoint

Progress = Callable[[int, int], None]
"""Told how many decisions of how many are made."""
CHECKPOINT_EVERY = 168
"""Decisions between two checkpoints; a loop forgets its solver's basis there, broken or not."""


@dataclass(frozen=True)
class PolicyRun:
    """What a policy did.

    Parameters
    ----------
    name : str
    flows : mapping of (asset, name) to ndarray (steps,)
        ``energy_kwh`` at the end of each step.
    planned : mapping of (asset, name) to ndarray (steps,)
        What each step's plan expected; NaN of a rule.
    peaks_cost : float
        What peaks cost by the loop's own account.
    notes : tuple of str
        Windows that failed, and what was done instead.
    flips : tuple of (int, int)
        For each plan, steps that changed direction against the plan before, and steps compared.
    """

    name: str
    flows: dict[Key, np.ndarray] = field(repr=False)
    planned: dict[Key, np.ndarray] = field(repr=False)
    peaks_cost: float = 0.0
    notes: tuple[str, ...] = ()
    flips: tuple[tuple[int, int], ...] = ()


def run_policy(
    case: RollingCase,
    policy: Policy,
    *,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    every: int = CHECKPOINT_EVERY,
) -> PolicyRun:
    """Return what a policy did over a whole loop.

    Parameters
    ----------
    case : RollingCase
    policy : Policy
    progress : callable, optional
    checkpoint : Path, optional
        File to which the state is written every so many decisions, and from which a loop that was broken goes on.
    every : int
        Decisions between two checkpoints.

    Raises
    ------
    InvalidInput
        If an asset is of a kind whose state is not carried on.
    """
    check_rolling(case.portfolio)
    here = slice(case.begin, case.begin + case.steps)
    truth = {key: values[here] for key, values in case.truth.items()}
    plants = [Plant(case.portfolio, site.id, truth, case.steps, case.step_h) for site in case.portfolio.sites]
    contents = {one.id: one.initial_soc * one.content_kwh for one in case.batteries}
    peaks = Peaks(case)
    record = _Record(case.steps)
    begin = 0
    if checkpoint is not None and checkpoint.exists():
        saved = read_checkpoint(checkpoint)
        begin, record.flows, record.planned, record.notes = saved.decision, saved.flows, saved.planned, [*saved.notes]
        contents |= saved.contents_kwh
        peaks.so_far |= saved.peaks_kw
        policy.recall(saved.memory)
    for k in range(begin, len(case.decisions)):
        if k % every == 0:
            policy.reset()
            if checkpoint is not None and k > begin:
                state = Checkpoint(
                    k, record.flows, record.planned, tuple(record.notes), contents, peaks.so_far, policy.memory()
                )
                write_checkpoint(checkpoint, state)
        orders = policy.decide(k, contents, peaks)
        if orders.note:
            record.notes.append(orders.note)
        t0 = k * case.per_decision
        for ahead, of_step in enumerate(orders.by_site[: case.steps - t0]):
            for plant in plants:
                step = plant.step(t0 + ahead, contents, of_step[plant.site_id])
                record.keep(record.flows, t0 + ahead, step)
                peaks.note(plant.connection.id, t0 + ahead, step)
            record.keep(record.planned, t0 + ahead, {key: values[ahead] for key, values in orders.planned.items()})
        if progress is not None:
            progress(k + 1, len(case.decisions))
    if checkpoint is not None and begin < len(case.decisions):
        last = Checkpoint(
            len(case.decisions),
            record.flows,
            record.planned,
            tuple(record.notes),
            contents,
            peaks.so_far,
            policy.memory(),
        )
        write_checkpoint(checkpoint, last)
    flips = tuple(getattr(policy, "flips", ()))
    return PolicyRun(policy.name, record.flows, record.planned, peaks.cost(), tuple(record.notes), flips)


@dataclass
class _Record:
    """What was done and planned so far."""

    steps: int
    flows: dict[Key, np.ndarray] = field(default_factory=dict)
    planned: dict[Key, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def keep(self, kept: dict[Key, np.ndarray], t: int, values: Mapping[Key, float]) -> None:
        """Keep the values of a step."""
        for key, value in values.items():
            if key not in kept:
                kept[key] = np.full(self.steps, np.nan)
            kept[key][t] = value
