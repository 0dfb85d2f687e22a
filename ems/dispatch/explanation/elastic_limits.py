"""Which limits of a dispatch may be broken to see what would do: those of records, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.explanation.draft import Draft
from ems.dispatch.explanation.elastic import Change, Limit, shown
from ems.dispatch.formulation.declaration import Formulation
from ems.dispatch.problem import DispatchProblem
from ems.horizon import Horizon


def open_limits(problem: DispatchProblem, draft: Draft) -> Iterator[Limit]:
    """Open the limits of all records in a draft, and give each as a limit that may be broken.

    Parameters
    ----------
    problem : DispatchProblem
    draft : Draft
        Of that problem; afterwards nothing of these limits is left in it.
    """
    from ems.dispatch.explanation.elastic_battery import open_battery
    from ems.dispatch.explanation.elastic_generator import open_generator
    from ems.dispatch.explanation.elastic_supply import open_connection, open_group, open_renewable, open_reserve
    from ems.dispatch.explanation.elastic_use import open_charger, open_load, open_site

    ample_kw = ample_power_kw(problem)
    openers: tuple[tuple[type[Asset], Callable[..., Iterator[Limit]]], ...] = (
        (GridConnection, open_connection),
        (Battery, open_battery),
        (Generator, open_generator),
        (EvCharger, open_charger),
        (Load, open_load),
        (VariableRenewable, open_renewable),
    )
    for asset in problem.assets:
        opener = next(function for kind, function in openers if isinstance(asset, kind))
        for limit in opener(asset, problem, draft, ample_kw):
            yield replace(limit, kind=asset.kind)
    for group, members in problem.limited_groups():
        for limit in open_group(group, members, problem, draft):
            yield replace(limit, kind="group")
    for reserve in problem.portfolio.reserves:
        yield replace(open_reserve(reserve, problem, draft), kind="reserve")
    for site in problem.portfolio.sites:
        for limit in open_site(site, problem, draft):
            yield replace(limit, kind=limit.kind or "site")


def ample_power_kw(problem: DispatchProblem) -> float:
    """Return a power that is enough for everything in a dispatch, and of its order of magnitude."""
    total = 1.0
    for asset in problem.assets:
        series = problem.inputs_of(asset).series
        for name in ("demand_kw", "available_kw", "shiftable_power_kw"):
            if name in series:
                total += float(np.abs(series[name]).max())
        if isinstance(asset, EvCharger):
            total += asset.max_power_kw * asset.number_of_ports
        for name in (
            "max_charge_kw",
            "max_discharge_kw",
            "max_output_kw",
            "auxiliary_load_kw",
            "transformer_losses_kw",
        ):
            total += max(float(getattr(asset, name, None) or 0.0), float(np.max(series.get(name, 0.0))))
        if isinstance(asset, Load):
            total += asset.thermal.max_power_kw if asset.thermal else asset.shiftable_power_kw or 0.0
        if isinstance(asset, Battery):
            total += asset.content_kwh / float(problem.horizon.step_h.min())
    total += max((float(problem.requirement_kw(one).max()) for one in problem.portfolio.reserves), default=0.0)
    return 2 * total


def raised(owner: str, name: str, needed: np.ndarray) -> Callable[[Draft], None]:
    """Return what raises a field, or its series in the steps where it is too low, to what is needed."""

    def apply(draft: Draft) -> None:
        series = draft.series(owner, name)
        if series is not None:
            draft.set_series(owner, name, np.maximum(series, needed))
        else:
            draft.change("assets", owner, **{name: max(getattr(draft.record("assets", owner), name), needed.max())})

    return apply


def lowered(owner: str, name: str, needed: np.ndarray) -> Callable[[Draft], None]:
    """Return what lowers a field, or its series in the steps where it is too high, to what is needed."""

    def apply(draft: Draft) -> None:
        series = draft.series(owner, name)
        if series is not None:
            draft.set_series(owner, name, np.minimum(series, needed))
        else:
            draft.change("assets", owner, **{name: min(getattr(draft.record("assets", owner), name), needed.min())})

    return apply


def needed_kw(limit_kw: np.ndarray, beyond: np.ndarray, sign: int = 1) -> np.ndarray:
    """Return a limit where it holds, and a little past what broke it where it is broken."""
    past: np.ndarray = limit_kw + sign * (beyond + 1e-6 * np.maximum(1.0, np.abs(limit_kw) + beyond))
    return np.where(beyond > 0, past, limit_kw)


def ramp_limit(
    owner: str,
    field: str,
    words: str,
    *,
    horizon: Horizon,
    timezone: str,
    rate_kw_per_h: float,
    per_h: float,
    declare: Callable[[Any, Formulation], None],
    hours: np.ndarray,
) -> Limit:
    """Return a ramp as a limit that may be broken in each step.

    Parameters
    ----------
    owner, field, words : str
    horizon : Horizon
    timezone : str
    rate_kw_per_h : float
        The rate in kW per hour.
    per_h : float
        Units of time of the field's own rate in an hour: 3600 for kW per second.
    declare : callable (unit, formulation)
    hours : ndarray (steps,)
        Time over which the power changes into each step.
    """
    from ems.dispatch.explanation.draft import when

    unit = "kW/s" if per_h == 3600 else "kW/min"

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        rates = beyond / hours / per_h
        by, rate = float(rates.max()), rate_kw_per_h / per_h
        steps = np.flatnonzero(beyond).tolist()
        new = rate + by * (1 + 1e-6) + 1e-6 / float(hours.min()) / per_h

        def apply(draft: Draft) -> None:
            draft.change("assets", owner, **{field: new})

        return Change(
            owner,
            field,
            by,
            unit,
            tuple(steps),
            f"{words} {shown(rate)} {unit} is {shown(by)} {unit} too slow {when(steps, horizon, timezone)}",
            apply,
        )

    return Limit(owner, field, words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0)
