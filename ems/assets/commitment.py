"""Commitment: being on, being started and being stopped, with the shortest times of each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.startup_cost import ROUNDING_H, begins_of
from ems.assets.unit import Unit
from ems.horizon import Horizon

if TYPE_CHECKING:
    from ems.assets.generator import Generator


@dataclass(frozen=True)
class OutputSpan:
    """Range of the output when on, in each step.

    Parameters
    ----------
    low_kw, high_kw : ndarray (steps,)
        Both zero where it is not available.
    is_available : ndarray of bool (steps,)
    """

    low_kw: np.ndarray
    high_kw: np.ndarray
    is_available: np.ndarray

    @property
    def width_kw(self) -> np.ndarray:
        """Highest output above the lowest."""
        width: np.ndarray = self.high_kw - self.low_kw
        return width


def above_low_kw(unit: Any, t: Any, span: OutputSpan) -> Any:
    """Return the output above the lowest one in step ``t``, in kW."""
    return unit.output_kw[t] - unit.is_on[t] * span.low_kw[t]


def declare_commitment(unit: Unit, asset: Generator, span: OutputSpan, required_on: np.ndarray | None = None) -> None:
    """Declare being on, started and stopped, the shortest times on and off, and what fixes being on.

    is_on[t] - is_on[t-1] = is_started[t] - is_stopped[t]
    sum(is_started over the shortest time on up to t) <= is_on[t]
    sum(is_stopped over the shortest time off up to t) <= 1 - is_on[t]

    The last two, of Rajan and Takriti [1]_, describe the convex hull of the three with minimum times. Where ``is_on``
    is whole the other two are whole too, so that only it is a decision.

    References
    ----------
    .. [1] D. Rajan and S. Takriti, "Minimum up/down polytopes of the unit commitment problem with start-up costs,"
       IBM Research Report RC23628, 2005.
    """
    horizon = unit.horizon
    was_on = float(asset.initial_is_on)
    can_start = span.is_available & (span.low_kw <= _or_inf(asset.max_startup_kw))
    # An outage stops a generator from whatever it gives; only of its own will it must come down before.
    can_stop = np.ones(len(horizon), dtype=bool)
    can_stop[0] = not span.is_available[0] or (asset.initial_output_kw or 0.0) <= _or_inf(asset.max_shutdown_kw)
    unit.add_variable("is_on", upper=span.is_available.astype(float), is_binary=True)
    unit.add_variable("is_started", upper=can_start.astype(float))
    unit.add_variable("is_stopped", upper=can_stop.astype(float))
    unit.add_constraint("first_switching", unit.is_on[0] - was_on == unit.is_started[0] - unit.is_stopped[0])
    unit.add_constraint(
        "switching",
        lambda t: unit.is_on[t] - unit.is_on[t - 1] == unit.is_started[t] - unit.is_stopped[t],
        over=range(1, len(horizon)),
    )
    up, down = lags_within(horizon, asset.min_uptime_h), lags_within(horizon, asset.min_downtime_h)
    unit.add_constraint("minimum_uptime", lambda t: summed_back(unit.is_started, up, t) <= unit.is_on[t])
    unit.add_constraint("minimum_downtime", lambda t: summed_back(unit.is_stopped, down, t) <= 1 - unit.is_on[t])
    _fix(unit, "initial_minimum_time", _bound_before(asset, horizon, span), was_on)
    if asset.must_run:
        _fix(unit, "must_run", span.is_available, 1.0)
    if required_on is not None:
        _fix(unit, "required_on", required_on == 1, 1.0)
        _fix(unit, "required_off", required_on == 0, 0.0)


def _fix(unit: Unit, name: str, where: np.ndarray, value: float) -> None:
    """Declare that being on has a value in some steps; as rows, so that a contradiction can name them."""
    if where.any():
        unit.add_constraint(name, lambda t: unit.is_on[t] == value, over=np.flatnonzero(where).tolist())


def remaining_h(asset: Generator) -> float:
    """Return the hours into the horizon for which the state before it still binds."""
    if asset.initial_state_h is None:
        return 0.0
    least_h = asset.min_uptime_h if asset.initial_is_on else asset.min_downtime_h
    return max(least_h - asset.initial_state_h, 0.0)


def _bound_before(asset: Generator, horizon: Horizon, span: OutputSpan) -> np.ndarray:
    """Return the steps in which the state before the horizon still binds; an outage ends the time on."""
    is_bound = begins_of(horizon) < remaining_h(asset) - ROUNDING_H
    if asset.initial_is_on:
        is_bound &= np.logical_and.accumulate(span.is_available)
    return is_bound


def lags_within(horizon: Horizon, hours: float) -> list[np.ndarray]:
    """Return for each number of steps back the steps from which it lies less than some hours back.

    A switch ``lag`` steps before ``t`` binds in ``t`` where ``lags_within(...)[lag][t]`` is 1; of a step in itself
    always. On a regular grid these are ceil(hours / step) steps.

    Returns
    -------
    list of ndarray (steps,)
        Of 0 and 1, by lag from 0.
    """
    begins_h = begins_of(horizon)
    masks = [np.ones(len(horizon))]
    for lag in range(1, len(horizon)):
        mask = np.zeros(len(horizon))
        mask[lag:] = begins_h[lag:] - begins_h[:-lag] < hours - ROUNDING_H
        if not mask.any():
            break
        masks.append(mask)
    return masks


def summed_back(variable: Any, factors: list[np.ndarray], t: Any) -> Any:
    """Return the sum of a variable ``lag`` steps before ``t``, each times ``factors[lag][t]``.

    Before the first step a factor must be 0; the first step stands there in its place.
    """
    return sum(variable[np.maximum(t - lag, 0)] * factor[t] for lag, factor in enumerate(factors) if factor.any())


def summed_ahead(variable: Any, factors: list[np.ndarray], t: Any) -> Any:
    """Return the sum of a variable ``1 + lag`` steps after ``t``, each times ``factors[lag][t]``; 0 past the end."""
    return sum(
        variable[np.minimum(t + 1 + lag, len(factor) - 1)] * factor[t]
        for lag, factor in enumerate(factors)
        if factor.any()
    )


def _or_inf(value: float | None) -> float:
    return np.inf if value is None else value
