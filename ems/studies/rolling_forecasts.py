"""Forecasts as they were issued at each decision, made beforehand in one pass: perfect, naive, and the package's own.

A table holds, for each decision, the values of all steps of its window. Own forecasts are made each local midnight by
models that are fitted again each day; at each decision they are issued again with what was measured since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.studies.rolling_case import Key, Kind, RollingCase

if TYPE_CHECKING:
    from ems.forecast.history import History
    from ems.forecast.recipe import Recipe

Tables = Mapping[Key, np.ndarray]
"""Values by series, shape (decisions, measured steps of a window)."""
Progress = Callable[[int, int], None]
LEARNED_DAYS = 60
"""Days before, from which is learned how much of the last errors goes on."""
RIDGE_SHARE = 0.02
"""Pull of what is learned of errors towards nothing, as a share of their squares."""
RECENT_H = (1.0, 3.0, 24.0)
"""Hours over which the last errors are averaged."""


def perfect_tables(case: RollingCase) -> dict[Key, np.ndarray]:
    """Return what truly comes, for all series; beyond what was measured, the same hours of the last day again."""
    longest = int(case.decisions[-1]) + case.window_steps
    views = {}
    for key, values in case.truth.items():
        known = _repeated(values, longest, round(24 / case.step_h))
        views[key] = np.lib.stride_tricks.sliding_window_view(known, case.window_steps)[case.decisions]
    return views


def _repeated(values: np.ndarray, length: int, per_day: int) -> np.ndarray:
    """Return values that go on with their last day."""
    missing = length - len(values)
    if missing <= 0:
        return values
    last = values[-min(per_day, len(values)) :]
    return np.concatenate([values, np.tile(last, missing // len(last) + 1)[:missing]])


def naive_tables(case: RollingCase) -> dict[Key, np.ndarray]:
    """Return the naive forecast: each step as at the same time of the last day that is known.

    Before a day is known, the first value that was measured stands for all.
    """
    per_day = round(24 / case.step_h)
    lead = np.arange(case.window_steps)
    tables = {}
    for key in case.kinds:
        values = case.truth[key]
        place = case.decisions[:, None] + lead - per_day * (lead // per_day + 1)
        table = values[np.maximum(place, 0)]
        tables[key] = _with_published(case, key, table)
    return tables


def own_tables(
    case: RollingCase, models: Mapping[Kind, str], *, progress: Progress | None = None, seed: int = 0
) -> dict[Key, np.ndarray]:
    """Return the package's forecasts, issued again at each decision.

    Parameters
    ----------
    case : RollingCase
    models : mapping of str to str
        Name of a model, or of a recipe of several, for each kind of series.
    progress : callable, optional
        Told how many forecasts of how many are made.
    seed : int
        Of models that draw at random.
    """
    from ems.forecast.recipe import recipe_of

    tables: dict[Key, np.ndarray] = {}
    made: list[tuple[np.ndarray, np.ndarray]] = []
    naive = naive_tables(case)
    for number, (key, kind) in enumerate(case.kinds.items()):
        values = case.truth[key]
        same = [found for known, found in made if np.array_equal(known, values)]
        if same:
            raw = same[0]
        else:
            raw = _issued(case, key, recipe_of(models[kind], {}, seed), naive[key])
            made.append((values, raw))
        tables[key] = _with_published(case, key, raw)
        if progress is not None:
            progress(number + 1, len(case.kinds))
    return tables


def _with_published(case: RollingCase, key: Key, table: np.ndarray) -> np.ndarray:
    """Return a table in which prices that are published already are the true ones."""
    if case.kinds[key] != "price":
        return table
    local = case.times[case.decisions].tz_localize("UTC").tz_convert(case.timezone)
    hour = local.hour + local.minute / 60
    until_midnight_h = 24 - hour
    known_h = until_midnight_h + np.where(hour >= case.settings.published_at_h, 24, 0)
    is_known = np.arange(case.window_steps) * case.step_h < np.asarray(known_h)[:, None]
    truth = perfect_tables(case)[key]
    return np.where(is_known, truth, table)


# ---------------------------------------------------------------------------------- the package's forecasters
def _history(case: RollingCase, key: Key, kind: Kind) -> History:
    from ems.forecast.history import History

    asset = next(one for one in case.portfolio.active() if one.id == key[0])
    site = case.portfolio.site(asset.site_id)
    values = case.truth[key]
    capacity = getattr(asset, "rated_capacity_kw", None) if kind == "solar" else None
    return History(
        name=key[1],
        times=case.times,
        values=values,
        timezone=site.timezone,
        kind=kind,
        country=site.country,
        lower=None if kind == "price" else min(0.0, float(np.nanmin(values))),
        upper=capacity,
        asset=key[0],
    )


def _issued(case: RollingCase, key: Key, recipe: Recipe, naive: np.ndarray) -> np.ndarray:
    """Return a series' forecasts at all decisions: of the last midnight, with the last errors carried on."""
    from ems.forecast.certainty import certain_zeros
    from ems.forecast.folds import run_folds
    from ems.forecast.forecaster import bounded
    from ems.forecast.recipe import combined

    history = _history(case, key, case.kinds[key])
    per_day = history.steps_per_day
    midnights = _midnights(case)
    reach = case.window_steps + per_day + round(1 / case.step_h)
    # Days before the loop are forecast, too: errors are learned from them.
    earliest = int(case.decisions[0]) - LEARNED_DAYS * per_day
    starts = [at for at in midnights.tolist() if earliest <= at <= case.decisions[-1]]
    usable = [at for at in starts if at >= 7 * per_day]
    days = {}
    if usable:
        try:
            folds = run_folds(recipe.members, history.reaching(usable[-1] + reach), usable, [reach] * len(usable))
            points = bounded(combined(recipe, folds, per_day).points, certain_zeros(history, folds), history)
            days = {int(at): row for at, row in zip(folds.at, points, strict=True) if np.isfinite(row).all()}
        except InvalidInput:
            if len(usable) > 7:
                raise
    return _issued_again(case, history, days, naive)


def _midnights(case: RollingCase) -> np.ndarray:
    """Return the positions at which a local day begins."""
    days = case.local_days()
    return np.concatenate([[0], np.flatnonzero(np.diff(days)) + 1])


def _issued_again(
    case: RollingCase, history: History, days: Mapping[int, np.ndarray], naive: np.ndarray
) -> np.ndarray:
    """Return forecasts at all decisions.

    forecast[lead] = of_midnight[lead] + sum over spans of share[span, lead] * mean of the last errors of the span

    The shares are learned by least squares from the days before, anew each day. Where no forecast of the day is, the
    naive one stands.
    """
    table, steps, values = naive.copy(), case.window_steps, history.values
    if not days:
        return table
    firsts = np.array(sorted(days))
    longest = max(len(values), int(case.decisions[-1]) + steps)
    stitched = np.full(longest, np.nan)
    for at, until in zip(firsts, [*firsts[1:], longest], strict=True):
        row = days[int(at)]
        count = min(until - at, len(row), longest - at)
        stitched[at : at + count] = row[:count]
    error = np.full(longest, np.nan)
    error[: len(values)] = values - stitched[: len(values)]
    recent = _recent_errors(error, case.step_h)
    spans = np.stack([recent[case.decisions, number] for number in range(recent.shape[1])], axis=1)
    lower = -np.inf if history.lower is None else history.lower
    upper = np.inf if history.upper is None else history.upper
    shares, learned_on = np.zeros((recent.shape[1], steps)), None
    for k, at in enumerate(case.decisions.tolist()):
        day = int(np.searchsorted(firsts, at, side="right")) - 1
        if day < 0 or at - firsts[day] + steps > len(days[int(firsts[day])]):
            continue
        if learned_on != day:
            shares, learned_on = _learned(case, recent, error, at, steps), day
        base = days[int(firsts[day])][at - firsts[day] : at - firsts[day] + steps]
        correction = spans[k] @ shares
        if history.kind == "solar":
            correction = np.where(base > 0, correction, 0.0)
        table[k] = np.clip(base + correction, lower, upper)
    return table


def _recent_errors(error: np.ndarray, step_h: float) -> np.ndarray:
    """Return the mean of the errors before each step over spans, shape (steps + 1, spans); unknown ones are zero."""
    known = np.concatenate([[0.0], np.cumsum(np.nan_to_num(error))])
    found = []
    for hours in RECENT_H:
        count = max(1, round(hours / step_h))
        place = np.arange(len(known))
        found.append((known - known[np.maximum(place - count, 0)]) / count)
    return np.stack(found, axis=1)


def _learned(case: RollingCase, recent: np.ndarray, error: np.ndarray, at: int, steps: int) -> np.ndarray:
    """Return which share of the last errors goes on at each lead, shape (spans, steps)."""
    per_day = round(24 / case.step_h)
    first = max(0, at - LEARNED_DAYS * per_day)
    origins = np.arange(first, at - steps)
    origins = origins[np.isfinite(error[np.maximum(origins - 1, 0)])]
    if len(origins) < 7 * per_day:
        return np.zeros((recent.shape[1], steps))
    x = recent[origins]
    y = np.lib.stride_tricks.sliding_window_view(error[:at], steps)[origins]
    y = np.nan_to_num(y)
    normal = x.T @ x
    normal += RIDGE_SHARE * np.trace(normal) / len(normal) * np.eye(len(normal))
    shares: np.ndarray = np.linalg.solve(normal, x.T @ y)
    return shares


# ---------------------------------------------------------------------------------- tables
def in_window_steps(table: np.ndarray, per_step: int) -> np.ndarray:
    """Return the means over a window's steps of values over measured steps, along the last axis."""
    if per_step == 1:
        return table
    means: np.ndarray = table.reshape(*table.shape[:-1], -1, per_step).mean(axis=-1)
    return means


def mixed(tables: Tables, others: Tables, kinds: Mapping[Key, Kind], taken: set[str]) -> dict[Key, np.ndarray]:
    """Return tables in which the series of some kinds come from others."""
    return {key: others[key] if kinds.get(key) in taken else table for key, table in tables.items()}


def scored(case: RollingCase, tables: Tables) -> pd.DataFrame:
    """Return the mean absolute error of each series' forecasts over leads of the first day, and its mean value."""
    truth = perfect_tables(case)
    count = min(case.window_steps, round(24 / case.step_h))
    rows = []
    for key in case.kinds:
        error = np.abs(tables[key] - truth[key])[:, :count].mean()
        rows.append({"asset": key[0], "series": key[1], "mae": float(error), "mean": float(truth[key].mean())})
    return pd.DataFrame(rows)
