"""Upper ends of tiers, as records state them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def check_limits(limits: Sequence[float | None], name: str, unit: str) -> None:
    """Refuse tiers that do not ascend to one without an end.

    Raises
    ------
    ValueError
        If a tier ends at or below the one before, or all but the last do not end, or the last one does.
    """
    *inner, last = limits
    if last is not None:
        raise ValueError(f"tiers: the last one ends at {name} = {last:g} {unit}; leave it out there, as more may come")
    known = [one for one in inner if one is not None]
    if len(known) < len(inner):
        raise ValueError(f"tiers: {name} is required in all but the last one")
    for below, above in itertools.pairwise(known):
        if above <= below:
            raise ValueError(
                f"tiers: {name} = {above:g} {unit}: must be above that of the tier before, {below:g} {unit}"
            )
