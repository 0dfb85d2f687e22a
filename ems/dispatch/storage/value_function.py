"""Value functions of stored energy: the cheapest path of a content whose steps have convex piecewise-linear costs.

The marginal cost of arriving with a content is a rising step function of the content. Its inverse, the content whose
marginal cost is a given price, obeys a simpler law than the function itself: where the cost of arriving and the cost
of a step are joined by infimal convolution, the inverses of their derivatives add, and the limits of the content cut
them off:

content[t+1](price) = clip(content[t](price) + change[t](price), lowest[t+1], highest[t+1])

where change[t](price) is what is cheapest to do in step t if stored energy is worth the price. For one price that is a
walk between two walls, computed for all steps at once. The price of each step is then found by bisection among the
slopes of all costs, for all steps together: one walk tells in which steps the price is higher; where it goes from low
to high the content is at its highest, from high to low at its lowest, and the horizon falls into independent parts,
each with its own bisection. The work is O(steps x log slopes), whatever the prices are.

The dual of the problem is a fused lasso with convex piecewise-linear data terms [1]_; the walk is the message passing
of its two-valued problem.

References
----------
.. [1] V. Kolmogorov, T. Pock and M. Rolinek, "Total variation on a tree," SIAM Journal on Imaging Sciences, vol. 9,
   no. 2, 2016, doi:10.1137/15M1010257.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEASIBILITY_TOLERANCE = 1e-9
"""Share of the size of contents and changes by which limits may contradict each other: rounding of inputs."""
SEQUENTIAL_STEPS = 64
"""Steps of a block that a walk takes one after the other; blocks go side by side. Fastest of 32 to 256 for a year."""


@dataclass(frozen=True)
class StepCosts:
    """Convex piecewise-linear costs of changing a content, one for each step.

    The segments of a step, sorted by slope and laid end to end from ``lowest_change[t]``, are its cost.

    Parameters
    ----------
    lowest_change : ndarray (steps,)
        Least change of the content.
    length, slope : ndarray (segments, steps)
        Length of each segment, 0 where a step has fewer, and its cost for each unit of change; in any order.
    """

    lowest_change: np.ndarray
    length: np.ndarray
    slope: np.ndarray

    def change_below(self, price: np.ndarray) -> np.ndarray:
        """Return the change that uses every segment cheaper than a price, shape (steps,)."""
        change: np.ndarray = self.lowest_change + np.einsum("st,st->t", self.length, self.slope < price)
        return change

    def change_up_to(self, price: np.ndarray) -> np.ndarray:
        """Return the change that uses every segment not dearer than a price, shape (steps,)."""
        change: np.ndarray = self.lowest_change + np.einsum("st,st->t", self.length, self.slope <= price)
        return change


def cheapest_path(costs: StepCosts, lowest: np.ndarray, highest: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the cheapest path of a content and the price of stored energy in each step.

    Among paths of the same cost it is one that stays where it is as long as it can.

    Parameters
    ----------
    costs : StepCosts
    lowest, highest : ndarray (steps + 1,)
        Limits of the content at each boundary; equal where it is given, as at both ends.

    Returns
    -------
    content : ndarray (steps + 1,)
    price : ndarray (steps,)
        Slope of the cost in each step: what one more unit at its end would save.
    None
        Where no path keeps the limits.
    """
    if not _has_path(costs, lowest, highest):
        return None
    lowest, highest = lowest.copy(), highest.copy()
    # A path that leaves both ends to chance has no first content to walk from.
    assert lowest[0] == highest[0] and lowest[-1] == highest[-1]
    slopes = np.unique(costs.slope[costs.length > 0])
    if not slopes.size:
        slopes = np.zeros(1)
    first = np.zeros(len(costs.lowest_change), dtype=np.intp)
    last = np.full(len(costs.lowest_change), slopes.size - 1)
    while (first < last).any():
        middle = (first + last) >> 1
        is_dearer = _is_dearer(costs.change_up_to(slopes[middle]), lowest, highest)
        # A part whose price is known keeps it: its walk only carries it on.
        np.copyto(first, middle + 1, where=is_dearer & (first < last))
        np.copyto(last, middle, where=~is_dearer)
        rises = np.flatnonzero(last[:-1] < first[1:]) + 1
        falls = np.flatnonzero(first[:-1] > last[1:]) + 1
        lowest[rises] = highest[rises]
        highest[falls] = lowest[falls]
    price = slopes[first]
    return _path_at(price, costs, lowest, highest), price


def clipped_walk(change: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a walk between two walls.

    content[0] = lowest[0] = highest[0]
    reached[t] = content[t] + change[t]
    content[t+1] = clip(reached[t], lowest[t+1], highest[t+1])

    A block of steps maps the content at its beginning to clip(content + sum, from below, from above), where the last
    two are the walks from minus and from plus infinity. So all blocks are walked side by side, first from both
    infinities, then, once the contents between blocks are known, from those.

    Parameters
    ----------
    change : ndarray (steps,)
    lowest, highest : ndarray (steps + 1,)

    Returns
    -------
    content : ndarray (steps + 1,)
    reached : ndarray (steps,)
    """
    steps = len(change)
    blocks = -(-steps // SEQUENTIAL_STEPS)
    moves = _side_by_side(change, blocks, 0.0)
    low, high = _side_by_side(lowest[1:], blocks, -np.inf), _side_by_side(highest[1:], blocks, np.inf)
    begins = np.full(blocks, lowest[0])
    if blocks > 1:
        ends = np.empty((2, blocks))
        ends[0], ends[1] = -np.inf, np.inf
        for move, wall_low, wall_high in zip(moves, low, high, strict=True):
            np.add(ends, move, out=ends)
            np.minimum(ends, wall_high, out=ends)
            np.maximum(ends, wall_low, out=ends)
        content = float(lowest[0])
        sums = moves.sum(axis=0).tolist()
        starts = [content]
        for total, from_below, from_above in zip(sums[:-1], *ends[:, :-1].tolist(), strict=True):
            content = min(max(content + total, from_below), from_above)
            starts.append(content)
        begins = np.array(starts)
    reached, contents = np.empty_like(moves), np.empty_like(moves)
    content_now = begins
    for move, wall_low, wall_high, before, after in zip(moves, low, high, reached, contents, strict=True):
        np.add(content_now, move, out=before)
        np.minimum(before, wall_high, out=after)
        np.maximum(after, wall_low, out=after)
        content_now = after
    path = np.empty(steps + 1)
    path[0] = lowest[0]
    path[1:] = contents.T.reshape(-1)[:steps]
    return path, reached.T.reshape(-1)[:steps]


def _side_by_side(values: np.ndarray, blocks: int, filler: float) -> np.ndarray:
    """Return an array over steps as (steps of a block, blocks), filled up at the end."""
    filled = np.full(blocks * SEQUENTIAL_STEPS, filler)
    filled[: len(values)] = values
    return np.ascontiguousarray(filled.reshape(blocks, SEQUENTIAL_STEPS).T)


def _is_dearer(change: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Return in which steps stored energy is worth more than the price to which the changes belong.

    Where the walk would go above a wall, there is too much at this price in all steps that led there without touching
    a wall; where it would go below, too little. A content that is given is a wall on both sides.
    """
    _, reached = clipped_walk(change, lowest, highest)
    is_short = reached < lowest[1:]
    is_known = is_short | (reached > highest[1:]) | (lowest[1:] == highest[1:])
    steps = np.arange(len(change))
    known_next = np.minimum.accumulate(np.where(is_known, steps, len(change) - 1)[::-1])[::-1]
    return is_short[known_next]


def _path_at(price: np.ndarray, costs: StepCosts, lowest: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Return a path all of whose changes are cheapest at the price of their step, with the least movement.

    Backwards from the end, the contents from which the rest can be walked are an interval; forwards, the path stays
    where it is unless that leaves the interval.
    """
    least, most = costs.change_below(price), costs.change_up_to(price)
    low, _ = clipped_walk(-most[::-1], lowest[::-1], highest[::-1])
    high, _ = clipped_walk(-least[::-1], lowest[::-1], highest[::-1])
    low, high = low[::-1].copy(), high[::-1].copy()
    low[0] = high[0] = lowest[0]
    # Rounding may turn an interval of one point around.
    path, _ = clipped_walk(np.clip(0.0, least, most), np.minimum(low, high), high)
    return path


def _has_path(costs: StepCosts, lowest: np.ndarray, highest: np.ndarray) -> bool:
    """Return whether some path keeps the limits, to within rounding."""
    highest_change = costs.lowest_change + costs.length.sum(axis=0)
    slack = FEASIBILITY_TOLERANCE * (1.0 + np.maximum(np.abs(lowest), np.abs(highest)))
    infinite = np.full(len(lowest), np.inf)
    infinite[0] = highest[0]
    # As high as can be, the content meets its upper limits alone; as low as can be, its lower ones.
    high, _ = clipped_walk(highest_change, np.concatenate((lowest[:1], -infinite[1:])), highest)
    low, _ = clipped_walk(costs.lowest_change, lowest, infinite)
    return bool(
        (high >= lowest - slack).all() and (low <= highest + slack).all() and (lowest <= highest + slack).all()
    )
