"""What a loop asks at each decision, and what it is told: a policy, and its orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ems.settlement.plant import Order
from ems.studies.rolling_case import Key
from ems.studies.rolling_peaks import Peaks


@dataclass
class Orders:
    """What is ordered until the next decision.

    Parameters
    ----------
    by_site : list of mapping of str to Order
        For each measured step until the next decision, by site.
    planned : mapping of (asset, name) to list of float
        What the plan expects in these steps; empty of a rule.
    note : str
        What a reader should know; empty where all went well.
    """

    by_site: list[dict[str, Order]]
    planned: dict[Key, list[float]] = field(default_factory=dict)
    note: str = ""


class Policy(Protocol):
    """What a loop asks at each decision."""

    name: str

    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of decision ``k``."""

    def reset(self) -> None:
        """Forget what would make the next decision depend on how this one was reached."""

    def memory(self) -> dict[str, Any]:
        """Return what is carried on from decision to decision, as arrays by name."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry on from a memory."""
