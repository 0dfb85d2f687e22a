"""The groups of a demand charge in the neutral form `ems-case/1`, which have numbers or texts for labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from reference_rules import NeutralCase


def label_of(value: Any) -> str:
    """Return the label of a group as a text, one for a number and a text of that number.

    >>> label_of(6), label_of("6.0"), label_of("2024-01")
    ('6', '6', '2024-01')
    """
    try:
        number = float(value)
    except ValueError:
        return str(value).strip()
    return f"{number:.0f}" if number == round(number) else repr(number)


@dataclass(frozen=True)
class Groups:
    """The groups of a demand charge by whole numbers: their labels where those are, else their order as texts.

    Parameters
    ----------
    of_step : ndarray (steps,)
    number_of : mapping of str to int
    """

    of_step: np.ndarray
    number_of: Mapping[str, int]

    @classmethod
    def of(cls, charge: Mapping[str, Any], case: NeutralCase) -> Groups:
        """Return the groups of a charge, with those that only its maps know."""
        labels = case.labels(charge.get("group"))
        maps = [charge[name] for name in ("rate", "prior_peak") if isinstance(charge.get(name), Mapping)]
        every = {*labels, *(label_of(one) for named in maps for one in named)}
        is_number = all(re.fullmatch(r"-?\d+", one) for one in every)
        number_of = {one: int(one) if is_number else place for place, one in enumerate(sorted(every))}
        return cls(np.array([number_of[one] for one in labels]), number_of)

    def by_number(self, named: Mapping[str, Any]) -> dict[int, float]:
        """Return a map by label as one by number."""
        return {self.number_of[label_of(label)]: float(value) for label, value in named.items()}

    def named(self, months: Iterable[Any]) -> list[int]:
        """Return the groups that a look-back names by their label, or by the number of a month as in 2024-06."""
        wanted = {label_of(one) for one in months}
        return [
            number
            for label, number in self.number_of.items()
            if label in wanted or (re.fullmatch(r"\d{4}-\d{2}", label) and str(int(label[5:])) in wanted)
        ]
