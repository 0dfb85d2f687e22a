"""Scenarios: whole paths drawn from forecast quantiles, with right correlation over time and between signals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, did_you_mean, show
from ems.forecast.copula import Dependence, estimate_dependence, normal_scores
from ems.forecast.scenario_signals import FEWEST_DAYS, Signal, check_times, read_signal

if TYPE_CHECKING:
    import xarray as xr

Method = Literal["copula", "schaake"]
Bounds = Mapping[str, tuple[float | None, float | None]]


def draw_scenarios(
    forecasts: Mapping[str, xr.Dataset],
    past: Mapping[str, xr.Dataset],
    count: int = 500,
    method: Method = "copula",
    seed: int = 0,
    *,
    bounds: Bounds | None = None,
) -> xr.Dataset:
    """Return scenarios of several signals whose values at each step are distributed as their forecasts say.

    ``copula`` draws from a Gaussian copula [1]_ whose correlation over lead times and signals is that of past forecast
    errors, see `ems.forecast.copula.estimate_dependence`. ``schaake`` gives the values of each step the ranks that
    measured values had on past days, the same day for all steps and signals [2]_; it knows no errors and thus takes
    for uncertain what a forecast has told already, but assumes no form of dependence.

    At each step, values are the forecast's distribution at evenly spaced probabilities, so that even few scenarios
    reproduce its quantiles; only what goes with what is drawn. Beyond the outer quantiles, see
    `ems.forecast.marginals.Marginals`. Where all quantiles are equal, as zero at night, so are all scenarios.

    Parameters
    ----------
    forecasts : mapping of str to Dataset (time, quantile)
        One forecast for each signal, by the name that it shall have in the result; all for the same times.
    past : mapping of str to Dataset (model, issued_at, step, quantile)
        Backtest of each signal: ``predicted`` and ``observed``. Of several models that which made the forecast is
        taken. What was not yet measured when a forecast was issued is not looked at.
    count : int
    method : str
    seed : int
        The same seed gives the same scenarios.
    bounds : mapping of str to (lower, upper), optional
        Least and greatest value that each signal can have, as a capacity. Where no lower one is given, it is zero for
        loads, solar and wind power of which neither a quantile nor a past value lies below.

    Returns
    -------
    Dataset (scenario, time)
        Each signal, with the coordinate ``probability(scenario)``; ``attrs["notes"]`` tells what was assumed.

    Raises
    ------
    InvalidInput
        If names, times or quantiles do not fit, or there are less than 10 past days.
    MissingValues
        If a quantile of a forecast is NaN.

    References
    ----------
    .. [1] P. Pinson, H. Madsen, H. A. Nielsen, G. Papaefthymiou and B. Klöckl, "From probabilistic forecasts to
       statistical scenarios of short-term wind power production," Wind Energy, vol. 12, no. 1, 2009,
       doi:10.1002/we.284.
    .. [2] M. Clark, S. Gangopadhyay, L. Hay, B. Rajagopalan and R. Wilby, "The Schaake shuffle: a method for
       reconstructing space-time variability in forecasted precipitation and temperature fields," Journal of
       Hydrometeorology, vol. 5, no. 1, 2004, doi:10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2.
    """
    bounds = bounds or {}
    _check(forecasts, past, bounds, count, method)
    signals = [read_signal(name, one, past[name], bounds.get(name, (None, None))) for name, one in forecasts.items()]
    check_times(signals)
    generator = np.random.default_rng(seed)
    if method == "copula":
        ranks, found = _copula_ranks(signals, count, generator)
        notes = [
            f"correlation of errors: {1 - found.shrinkage:.0%} as past days show it for each pair of steps, "
            f"{found.shrinkage:.0%} from its decay over lead times"
        ]
    else:
        ranks, days = _schaake_ranks(signals, count, generator)
        notes = [f"ranks of {days} past days"]
    notes += [f"{signal.name} is not below zero" for signal in signals if signal.is_bounded_by_assumption]
    probability = (ranks + 0.5) / count
    return _dataset(signals, probability, {"method": method, "seed": seed, "notes": notes})


def _check(
    forecasts: Mapping[str, xr.Dataset], past: Mapping[str, xr.Dataset], bounds: Bounds, count: int, method: str
) -> None:
    findings = []
    if not forecasts:
        findings.append("there is no forecast to draw from")
    findings += [f"{show(name)}: has no past forecasts; give its backtest" for name in forecasts if name not in past]
    findings += [f"{show(name)}: has past forecasts and no present one" for name in past if name not in forecasts]
    findings += [
        f"bounds of {show(name)}: no such signal; {did_you_mean(name, forecasts)}"
        for name in bounds
        if name not in forecasts
    ]
    if count < 1:
        findings.append(f"count = {count}: must be at least 1")
    if method not in ("copula", "schaake"):
        findings.append(f"method = {show(method)}: no such method; {did_you_mean(method, ['copula', 'schaake'])}")
    if findings:
        raise InvalidInput("scenarios", findings)


def _by_day(signals: list[Signal], values: list[np.ndarray], steps: int) -> np.ndarray:
    """Return values of several signals by the days on which past forecasts began, shape (days, signals, steps).

    NaN where a signal has no such day, or its past forecasts fewer steps than the present one.
    """
    days = pd.DatetimeIndex(np.unique(np.concatenate([signal.begin.to_numpy() for signal in signals])))
    table = np.full((len(days), len(signals), steps), np.nan)
    for number, (signal, own) in enumerate(zip(signals, values, strict=True)):
        reach = min(steps, own.shape[1])
        table[days.get_indexer(signal.begin), number, :reach] = own[:, :reach]
    return table


def _copula_ranks(signals: list[Signal], count: int, generator: np.random.Generator) -> tuple[np.ndarray, Dependence]:
    """Return ranks drawn from a Gaussian copula, shape (count, signals, steps), and the copula."""
    steps = len(signals[0].marginals.values)
    _check_common_days(signals)
    scores = [normal_scores(signal.past, signal.observed, generator) for signal in signals]
    dependence = estimate_dependence(_by_day(signals, scores, steps))
    is_open = np.concatenate([~signal.marginals.is_certain for signal in signals])
    ranks = np.zeros((count, len(is_open)), dtype=int)
    if is_open.any():
        root = np.linalg.cholesky(dependence.correlation[np.ix_(is_open, is_open)])
        drawn = generator.standard_normal((count, int(is_open.sum()))) @ root.T
        ranks[:, is_open] = np.argsort(np.argsort(drawn, axis=0), axis=0)
    return ranks.reshape(count, len(signals), steps), dependence


def _check_common_days(signals: list[Signal]) -> None:
    findings = []
    for one, other in combinations(signals, 2):
        common = len(one.begin.intersection(other.begin))
        if common < FEWEST_DAYS:
            findings.append(
                f"{common} past days are common to {show(one.name)} and {show(other.name)}: must be at least "
                f"{FEWEST_DAYS}; give backtests of the same days"
            )
    if findings:
        raise InvalidInput("scenarios", findings)


def _schaake_ranks(signals: list[Signal], count: int, generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return the ranks of measured values on past days, shape (count, signals, steps), and the number of days."""
    steps = len(signals[0].marginals.values)
    table = _by_day(signals, [signal.observed for signal in signals], steps)
    table = table[(np.isfinite(table).mean(axis=2) > 0.5).all(axis=1)]
    if len(table) < FEWEST_DAYS:
        raise InvalidInput(
            "scenarios",
            f"{len(table)} past days have values of all of {', '.join(signal.name for signal in signals)}: must be at "
            f"least {FEWEST_DAYS}; give backtests of the same days",
        )
    template = _filled(table)
    rounds = -(-count // len(template))
    day = np.concatenate([generator.permutation(len(template)) for _ in range(rounds)])[:count]
    # Days that are used again stay beside each other at each step, in an order of their own.
    tie = generator.random(count)
    ranks = np.empty((count, *template.shape[1:]), dtype=int)
    for signal in range(template.shape[1]):
        for step in range(steps):
            order = np.lexsort((tie, template[day, signal, step]))
            ranks[order, signal, step] = np.arange(count)
    return ranks, len(template)


def _filled(table: np.ndarray) -> np.ndarray:
    """Return days whose gaps hold the value of the nearest step before, or else after."""
    flat = pd.DataFrame(table.reshape(-1, table.shape[2]))
    return flat.ffill(axis=1).bfill(axis=1).to_numpy().reshape(table.shape)


def _dataset(signals: list[Signal], probability: np.ndarray, attrs: dict[str, Any]) -> xr.Dataset:
    import xarray as xr

    count = len(probability)
    variables = {}
    for number, signal in enumerate(signals):
        known = signal.forecast.attrs
        about = {name: known[name] for name in ("kind", "asset", "model") if name in known}
        units = signal.forecast[signal.variable].attrs.get("units", "")
        values = signal.marginals.at(probability[:, number])
        variables[signal.name] = (("scenario", "time"), values, {"units": units, "variable": signal.variable, **about})
    first = signals[0].forecast
    found = xr.Dataset(
        variables,
        coords={
            "scenario": np.arange(count),
            "time": first["time"].to_numpy(),
            "probability": ("scenario", np.full(count, 1 / count)),
        },
        attrs={"timezone": first.attrs.get("timezone", "UTC"), **attrs},
    )
    issued_at = {one.issued_at for one in signals}
    return found.assign_coords(issued_at=issued_at.pop()) if len(issued_at) == 1 else found
