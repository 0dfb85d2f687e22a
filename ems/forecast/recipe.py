"""Recipes: which models are run, and how their forecasts become one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.forecast.combine import Combination, weights_of
from ems.forecast.folds import Folds
from ems.forecast.models.boosting import BoostedRidge, IntervalWidth, LightGbm
from ems.forecast.models.model import Model
from ems.forecast.models.naive import Season, SeasonalNaive
from ems.forecast.models.profile_ridge import ProfileRidge
from ems.forecast.models.registry import MODELS, model_class
from ems.forecast.models.ridge import Ridge

COMBINED = ("ensemble", "auto")
"""Recipes of several models."""
SIMPLE_RULES: tuple[Season, ...] = ("day", "week", "kind_of_day", "mean_of_weeks")
"""Seasons of the simple rules by which skill is measured; the best one of them is the reference."""
MARGIN = 0.15
"""Share by which a single model's error must be less than the ensemble's to be chosen before it."""


@dataclass(frozen=True)
class Recipe:
    """What is run for a forecast.

    Parameters
    ----------
    name : str
    members : mapping of str to Model
        By name.
    way : str
        ``single``: the only member; ``ensemble``: their weighted mean; ``auto``: the ensemble or the best member,
        whichever was better lately.
    combination : Combination
        How weights are learned, and over which days the best is chosen.
    """

    name: str
    members: Mapping[str, Model]
    way: Literal["single", "ensemble", "auto"] = "single"
    combination: Combination = field(default_factory=Combination)


@dataclass(frozen=True)
class Combined:
    """One forecast made of several.

    Parameters
    ----------
    points : ndarray (folds, steps)
    spread : ndarray (folds, steps)
        How wide the distribution is expected to be; zero where no member tells it.
    weights : ndarray (folds, members)
        Of the members in each fold, summing to 1; zeros where no member had a forecast.
    choices : tuple of str
        Candidate that was taken in each fold: a member, or ``ensemble``.
    errors : mapping of str to float
        Mean absolute error of each candidate over the days before the last fold, by which it was chosen; empty where
        nothing is chosen.
    """

    points: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    choices: tuple[str, ...]
    errors: Mapping[str, float]


def recipe_of(name: str, options: Mapping[str, Any] | None = None, seed: int = 0) -> Recipe:
    """Return the recipe of a name.

    Parameters
    ----------
    name : str
        A model's name, ``ensemble`` or ``auto``.
    options : mapping, optional
        Options of the model; of the ensemble and auto those of `Combination` and ``members``, a list of names.
    seed : int
        Of models that draw at random.

    Raises
    ------
    UnknownName
        If there is no such model.
    InvalidInput
        If an option is unknown or out of its bounds.
    """
    given = dict(options or {})
    if name not in COMBINED:
        only = {name: model_of(name, given, seed)}
        _check_members(name, only)
        return Recipe(name, only)
    wanted = given.pop("members", None)
    combination = Combination(**given)
    members = default_members(seed)
    if wanted is not None:
        if not isinstance(wanted, list | tuple) or not wanted:
            raise InvalidInput(f"the options of '{name}'", f"members = {show(wanted)}: must be a list of models")
        members = {}
        for one in wanted:
            member = str(one)
            members[member] = default_members(seed).get(member) or model_of(member, {}, seed)
    _check_members(name, members)
    return Recipe(name, members, "ensemble" if name == "ensemble" else "auto", combination)


def _check_members(name: str, members: Mapping[str, Model]) -> None:
    if all(one.tells_width for one in members.values()):
        raise InvalidInput(
            f"model '{name}'", f"{' and '.join(members)} tells only how wide a distribution is; add one that forecasts"
        )


def model_of(name: str, options: Mapping[str, Any], seed: int = 0) -> Model:
    """Return a model with options.

    Raises
    ------
    UnknownName, InvalidInput
    """
    if name not in MODELS:
        raise UnknownName(f"model {show(name)}", did_you_mean(name, [*MODELS, *COMBINED]))
    kind = model_class(name)
    given = dict(options)
    if "seed" in kind.model_fields:
        given.setdefault("seed", seed)
    return kind(**given)


def default_members(seed: int = 0) -> dict[str, Model]:
    """Return the members of the ensemble: linear and of trees, of long and of short memory, and one simple rule.

    The last one forecasts nothing: it tells how wide the distribution of each step is.
    """
    return {
        "ridge": Ridge(),
        "profile_ridge": ProfileRidge(),
        "profile_ridge_asinh": ProfileRidge(transform="asinh"),
        "profile_ridge_112_days": ProfileRidge(training_days=112),
        "lightgbm": LightGbm(trees=100, learning_rate=0.1, leaves=16, seed=seed),
        "boosted_ridge": BoostedRidge(trees=100, learning_rate=0.05, leaves=12, least_rows_of_leaf=40, seed=seed),
        "boosted_ridge_value": BoostedRidge(target="value", trees=100, learning_rate=0.1, leaves=16, seed=seed),
        "mean_of_days": SeasonalNaive(season="mean_of_days"),
        "interval_width": IntervalWidth(seed=seed),
    }


def simple_rules(training_days: float = 365.0) -> dict[str, Model]:
    """Return the simple rules by which skill is measured, by name."""
    return {f"naive_{season}": SeasonalNaive(season=season, training_days=training_days) for season in SIMPLE_RULES}


def for_plant(recipe: Recipe, asset: Any, site: Any, signals: Collection[str]) -> Recipe:
    """Return the recipe with a plant for its models that know physics.

    An ensemble also gets a hybrid of physics and trees where the plant's record and the signals are enough for it.

    Parameters
    ----------
    recipe : Recipe
    asset : SolarPV, WindTurbine or another asset
        Of another one, the recipe stays as it is.
    site : Site
    signals : collection of str
        Names of the signals known ahead.
    """
    from ems.forecast.models.hybrid import Hybrid
    from ems.forecast.models.physical import Plant, missing_of

    if getattr(asset, "kind", None) not in ("solar_pv", "wind_turbine"):
        return recipe
    members = {
        name: model.replace(asset=asset, site=site) if isinstance(model, Plant) and model.asset is None else model
        for name, model in recipe.members.items()
    }
    is_default = recipe.way != "single" and set(members) == set(default_members())
    if is_default and not missing_of(asset, site, signals):
        seed = getattr(members["lightgbm"], "seed", 0)
        days = members["lightgbm"].training_days
        hybrid = Hybrid(asset=asset, site=site, trees=100, learning_rate=0.1, leaves=16, seed=seed, training_days=days)
        members["hybrid"] = hybrid
    return replace(recipe, members=members)


def combined(recipe: Recipe, folds: Folds, steps_per_day: int) -> Combined:
    """Return the forecast of a recipe in all folds, each from what was known when it was issued.

    Parameters
    ----------
    recipe : Recipe
    folds : Folds
        Of the recipe's members, and maybe more.
    steps_per_day : int
    """
    there = [name for name in recipe.members if name in folds.members]
    own = folds.of([name for name in there if not recipe.members[name].tells_width])
    spread = spread_of(recipe, folds)
    count = len(folds.at)
    if recipe.way == "single":
        name = own.members[0]
        points = own.predicted[0]
        return Combined(points, spread, np.ones((count, 1)), (name,) * count, {})
    weights = np.stack([weights_of(own, fold, recipe.combination, steps_per_day) for fold in range(count)])
    mean = np.einsum("fm,mfs->fs", weights, np.nan_to_num(own.predicted))
    mean[(weights.sum(axis=1) == 0)[:, None] | (np.arange(mean.shape[1]) >= folds.counts[:, None])] = np.nan
    if recipe.way == "ensemble":
        return Combined(mean, spread, weights, ("ensemble",) * count, {})
    points, choices, errors = mean.copy(), [], {}
    for fold in range(count):
        errors = _recent_errors(own, mean, fold, recipe.combination.learning_days, steps_per_day)
        best = _best_of(errors, own, fold)
        choices.append(best)
        if best != "ensemble":
            number = own.members.index(best)
            points[fold] = own.predicted[number, fold]
            weights[fold] = np.arange(len(own.members)) == number
    return Combined(points, spread, weights, tuple(choices), errors)


def spread_of(recipe: Recipe, folds: Folds) -> np.ndarray:
    """Return what the member that tells widths expects, shape (folds, steps); zeros without one."""
    for name, model in recipe.members.items():
        if model.tells_width and name in folds.members:
            return np.asarray(np.nan_to_num(folds.predicted[folds.members.index(name)]))
    return np.zeros(folds.observed.shape)


def _recent_errors(folds: Folds, mean: np.ndarray, fold: int, days: float, steps_per_day: int) -> dict[str, float]:
    """Return the mean absolute error of each candidate in the forecasts before a fold."""
    seen = folds.seen(fold, days, steps_per_day) & np.isfinite(mean)
    if not seen.any():
        return {}
    found = {"ensemble": float(np.mean(np.abs(mean[seen] - folds.observed[seen])))}
    for number, name in enumerate(folds.members):
        error = np.abs(folds.predicted[number][seen] - folds.observed[seen])
        if np.isfinite(error).all():
            found[name] = float(error.mean())
    return found


def _best_of(errors: Mapping[str, float], folds: Folds, fold: int) -> str:
    """Return the candidate to take: the ensemble unless one member was clearly better."""
    usable = {
        name: error
        for name, error in errors.items()
        if name == "ensemble" or np.isfinite(folds.predicted[folds.members.index(name), fold, 0])
    }
    if not usable:
        return "ensemble"
    best = min(usable, key=usable.__getitem__)
    return best if usable[best] < (1 - MARGIN) * usable["ensemble"] else "ensemble"
