from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from ems.dispatch.storage.value_function import StepCosts, cheapest_path, clipped_walk


def test_cheapest_path__costs_what_highs_says():
    """Random costs with many equal slopes, where several paths are cheapest, and limits that change in each step."""
    random = np.random.default_rng(1)
    for number in range(200):
        steps, segments = int(random.integers(1, 120)), int(random.integers(1, 5))
        length = np.round(random.random((segments, steps)) * 2, 1) * (random.random((segments, steps)) < 0.8)
        slope = np.round(random.normal(size=(segments, steps)), 1 if number % 2 else 9)
        costs = StepCosts(-np.round(random.random(steps) * 2, 1), length, slope)
        lowest = np.round(random.random(steps + 1), 1)
        highest = lowest + np.round(random.random(steps + 1) * 4, 1) + 0.5
        lowest[0] = highest[0] = 1.0
        lowest[-1] = highest[-1] = 1.5
        before, after = sp.eye(steps, steps + 1), sp.eye(steps, steps + 1, 1)
        uses = sp.hstack([-sp.eye(steps)] * segments)
        answer = linprog(
            np.concatenate((slope.ravel(), np.zeros(steps + 1))),
            A_eq=sp.hstack([uses, after - before]).tocsr(),
            b_eq=costs.lowest_change,
            bounds=np.column_stack(
                (
                    np.concatenate((np.zeros(length.size), lowest)),
                    np.concatenate((length.ravel(), highest)),
                )
            ),
        )
        found = cheapest_path(costs, lowest, highest)
        assert (found is None) == (answer.status == 2)
        if found is not None:
            path = found[0]
            assert (path >= lowest - 1e-9).all()
            assert (path <= highest + 1e-9).all()
            assert cost_of_path(costs, path) == pytest.approx(answer.fun, rel=1e-7, abs=1e-7)


def test_cheapest_path__price_is_what_a_unit_more_would_save():
    """A tenth of a unit more at the end of a step, given for nothing, saves a tenth of the price there."""
    random = np.random.default_rng(2)
    steps = 24
    costs = StepCosts(-np.ones(steps), np.ones((2, steps)), np.sort(random.random((2, steps)), axis=0))
    lowest, highest = np.zeros(steps + 1), np.full(steps + 1, 3.0)
    lowest[[0, -1]] = highest[[0, -1]] = 1.55
    found = cheapest_path(costs, lowest, highest)
    assert found is not None
    path, price = found
    for t in (3, 11, 19):
        amount = 1e-3
        given = np.where(np.arange(steps) == t, amount, 0.0)
        more = cheapest_path(StepCosts(costs.lowest_change + given, costs.length, costs.slope), lowest, highest)
        less = cheapest_path(StepCosts(costs.lowest_change - given, costs.length, costs.slope), lowest, highest)
        assert more is not None
        assert less is not None
        cost = cost_of_path(costs, path)
        saved = cost - cost_of_path(costs, more[0], given)
        lost = cost_of_path(costs, less[0], -given) - cost
        assert saved / amount - 1e-9 <= price[t] <= lost / amount + 1e-9


def test_clipped_walk__equals_one_step_after_the_other():
    """Blocks side by side give what a loop gives, at lengths around those of whole blocks."""
    random = np.random.default_rng(3)
    for steps in (1, 2, 63, 64, 65, 128, 1000):
        change = random.normal(size=steps)
        lowest, highest = -random.random(steps + 1), random.random(steps + 1)
        lowest[0] = highest[0] = 0.2
        content, reached = clipped_walk(change, lowest, highest)
        assert content[0] == 0.2
        for t in range(steps):
            assert reached[t] == pytest.approx(content[t] + change[t], abs=1e-12)
            assert content[t + 1] == pytest.approx(np.clip(reached[t], lowest[t + 1], highest[t + 1]), abs=1e-12)


def cost_of_path(costs: StepCosts, path: np.ndarray, given: np.ndarray | float = 0.0) -> float:
    """Return what a path costs, each step's segments used in the order of their slopes."""
    order = np.argsort(costs.slope, axis=0)
    left, total = np.diff(path) - costs.lowest_change - given, 0.0
    for slope, length in zip(
        np.take_along_axis(costs.slope, order, 0), np.take_along_axis(costs.length, order, 0), strict=True
    ):
        used = np.clip(left, 0.0, length)
        total += float(slope @ used)
        left = left - used
    assert np.abs(left).max() < 1e-9
    return total
