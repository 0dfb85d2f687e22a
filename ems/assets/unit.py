"""Unit: what an asset declares its part of a dispatch on, once, for arrays, Pyomo and reports alike."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from types import FunctionType, MethodType
from typing import Any, Literal

import numpy as np

from ems.horizon import Horizon

Over = Sequence[Any] | Literal["steps", "boundaries"]
"""Index of a variable or constraint: all steps, all boundaries of steps, or a sequence of keys."""


def is_rule(rule: object) -> bool:
    """Return whether something is a rule, to be asked for relations, and no relation itself.

    A relation of Pyomo can be called, too: that evaluates it.
    """
    return isinstance(rule, FunctionType | MethodType)


class Unit(ABC):
    """Variables, series and constraints of one asset, site or group, by name.

    A formula is written once over ``unit.<name>[t]`` and is read three ways. In arrays ``t`` holds all steps at once
    and the formula becomes rows of a matrix; in Pyomo ``t`` is one step after the other and it becomes a constraint
    that people can read and change; in a solved unit the names are numbers and it becomes a result.

    Parameters
    ----------
    owner : str
        Id of the asset, site or group.
    horizon : Horizon
    """

    def __init__(self, owner: str, horizon: Horizon) -> None:
        self.owner = owner
        self.horizon = horizon
        self.series: dict[str, np.ndarray] = {}

    @property
    def steps(self) -> range:
        """Positions of the steps, from 0."""
        return self.horizon.steps

    @property
    def step_h(self) -> np.ndarray:
        """Length of each step in hours."""
        return self.horizon.step_h

    def has(self, name: str) -> bool:
        """Return whether a variable or series of that name was declared."""
        return name in self.__dict__

    def add_series(self, name: str, values: np.ndarray) -> None:
        """Keep a series, shape (steps,), by name; it is an array in formulas and stands in the result."""
        self.series[name] = values
        setattr(self, name, values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'{self.owner}' has no variable or series {name}")

    def keys_of(self, over: Over | None) -> Sequence[Any]:
        """Return the keys that an index stands for."""
        if over is None or (isinstance(over, str) and over == "steps"):
            return self.horizon.steps
        if isinstance(over, str):
            return range(len(self.horizon) + 1)
        return over

    @abstractmethod
    def add_variable(
        self,
        name: str,
        over: Over | None = None,
        lower: float | np.ndarray = 0.0,
        upper: float | np.ndarray = math.inf,
        *,
        is_binary: bool = False,
    ) -> None:
        """Declare a variable; where lower equals upper it is fixed.

        Parameters
        ----------
        name : str
        over : sequence or "boundaries", optional
            Its keys; all steps where nothing is given.
        lower, upper : float or ndarray
            Bounds, in the order of the keys.
        is_binary : bool
            Whether it is a decision, 0 or 1.
        """

    @abstractmethod
    def add_constraint(self, name: str, rule: Any, over: Over | None = None) -> None:
        """Declare a relation, or a rule that gives one for any step or array of steps.

        Parameters
        ----------
        name : str
            What the field calls it; messages and prices of limits use it.
        rule : callable or relation
            ``rule(t)`` returns ``left <= right``, ``left >= right`` or ``left == right``, affine in the variables;
            it may not branch on ``t``.
        over : sequence of int, optional
            Steps; all where nothing is given.
        """

    @abstractmethod
    def add_constraint_each(
        self, name: str, rule: Callable[[Any], Any], over: Sequence[Hashable] | Over | None = None
    ) -> None:
        """Declare a rule whose terms differ from key to key, as sums over windows; it may give None for a key."""

    @abstractmethod
    def exclude(self, one: str, other: str) -> None:
        """Declare that of two variables over the same keys at most one is above zero.

        A decision is added only to the steps where a schedule without it would break this.
        """

    @abstractmethod
    def add_convex_cost(
        self,
        name: str,
        *,
        of: str,
        curve: Callable[[np.ndarray], np.ndarray],
        slope: Callable[[np.ndarray], np.ndarray],
        lower: np.ndarray,
        upper: np.ndarray,
        on: str | None = None,
    ) -> None:
        """Declare a variable over the steps that equals a convex function of another at the optimum.

        It is held from below by tangents, ``curve(x0) * on + slope(x0) * (x - x0 * on)``: valid for every ``x0``
        by convexity, and as tight as can be where the argument is zero while off (perspective cuts [1]_). More
        tangents are added at the solution until the function is met.

        Parameters
        ----------
        name : str
            Money per hour.
        of : str
            Its argument, a variable over the steps.
        curve, slope : callable
            The function and its derivative, on arrays.
        lower, upper : ndarray (steps,)
            Range of the argument when on.
        on : str, optional
            Decision that is 0 where the argument must be 0.

        References
        ----------
        .. [1] A. Frangioni and C. Gentile, "Perspective cuts for a class of convex 0-1 mixed integer programs,"
           Mathematical Programming, vol. 106, 2006, doi:10.1007/s10107-005-0594-3.
        """
