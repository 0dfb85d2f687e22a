"""Own forecasts with those before the loop, and what their errors teach: careful plans and scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ems.studies.rolling_care import careful
from ems.studies.rolling_case import Key, Kind, RollingCase
from ems.studies.rolling_forecasts import LEARNED_DAYS, Tables, mixed, own_tables, perfect_tables


@dataclass(frozen=True)
class OwnForecasts:
    """Forecasts at all decisions, and at those that would have been made before them, from whose errors is learned.

    Parameters
    ----------
    case : RollingCase
        That begins earlier.
    tables : mapping of (asset, name) to ndarray (decisions of that case, measured steps)
    before : int
        Number of its decisions that lie before the loop.
    """

    case: RollingCase
    tables: Tables
    before: int = 0

    @classmethod
    def made(cls, case: RollingCase, models: Mapping[Kind, str], seed: int = 0) -> OwnForecasts:
        """Return forecasts of models, by kind."""
        wide = case.earlier(LEARNED_DAYS)
        before = len(wide.decisions) - len(case.decisions)
        return cls(wide, own_tables(wide, models, seed=seed), before)

    def of_loop(self) -> dict[Key, np.ndarray]:
        """Return the forecasts at the loop's decisions."""
        return {key: table[self.before :] for key, table in self.tables.items()}

    def careful(self, level: float | None, known: set[str] | None = None) -> dict[Key, np.ndarray]:
        """Return careful forecasts at the loop's decisions, those of some kinds replaced by what truly comes.

        Parameters
        ----------
        level : float, optional
            Probability level, see `ems.studies.rolling_care.careful`; None takes the one that prices ask for.
        known : set of str, optional
            Kinds of signals that are taken from the truth.
        """
        tables = mixed(self.tables, perfect_tables(self.case), self.case.kinds, known or set())
        return {key: table[self.before :] for key, table in careful(self.case, tables, level).items()}

    def paths(self, k: int, count: int, seed: int) -> dict[Key, np.ndarray] | None:
        """Return scenarios of a decision of the loop, see `error_paths`."""
        return error_paths(self.case, self.tables, self.before + k, count, seed)


def error_paths(case: RollingCase, tables: Tables, k: int, count: int, seed: int) -> dict[Key, np.ndarray] | None:
    """Return scenarios of a decision: its forecast with the errors of forecasts issued at the same hour of past days.

    The errors of one day belong together, over time and between signals; days are drawn at random from the last
    `LEARNED_DAYS`. None where fewer days than scenarios are known.

    Parameters
    ----------
    case : RollingCase
    tables : mapping of (asset, name) to ndarray (decisions, steps)
    k : int
        Number of the decision.
    count, seed : int

    Returns
    -------
    dict of (asset, name) to ndarray (scenarios, steps)
    """
    per_day = round(24 / case.settings.decide_every_h)
    steps = case.window_steps
    past = k - per_day * np.arange(1, LEARNED_DAYS + 1)
    past = past[(past >= 0) & (case.decisions[np.maximum(past, 0)] + steps <= case.decisions[k])]
    if len(past) < count:
        return None
    drawn = np.random.default_rng([seed, k]).choice(past, count, replace=False)
    found = {}
    for key in case.kinds:
        values, table = case.truth[key], tables[key]
        truth = np.stack([values[case.decisions[one] : case.decisions[one] + steps] for one in drawn])
        paths = table[k] + truth - table[drawn]
        if case.kinds[key] != "price":
            # A meter's mistake of a past day would be an error beyond what the asset can do.
            paths = np.clip(paths, 0.0, max(_rated_kw(case, key), float(table[k].max())))
        if case.kinds[key] == "solar":
            paths = np.where(table[k] > 0, paths, 0.0)
        # What differs within the first steps is met by the plant's control; the first powers are common to all.
        paths[:, : case.per_decision] = table[k][: case.per_decision]
        found[key] = paths
    return found


def _rated_kw(case: RollingCase, key: Key) -> float:
    """Return the highest power that an asset is made for, without a limit where it states none."""
    asset = next(one for one in case.portfolio.active() if one.id == key[0])
    rated = getattr(asset, "rated_load_kw", None) or getattr(asset, "rated_capacity_kw", None)
    return np.inf if rated is None else float(rated)
