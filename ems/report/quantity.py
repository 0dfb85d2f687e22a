"""Quantity: what a number is, for people: words, unit, digits, and whether less of it is better."""

from __future__ import annotations

from dataclasses import dataclass

from ems.display import NOTHING, shown_number


@dataclass(frozen=True)
class Quantity:
    """A figure by which things are compared.

    Parameters
    ----------
    name : str
        Name of its column: ``settled_cost``.
    words : str
        What people call it: ``settled cost``.
    unit : str
        Empty where it has none.
    decimals : int or None
        Digits after the point; None shows six significant ones.
    is_least : bool
        Whether the least of it is best.
    """

    name: str
    words: str
    unit: str = ""
    decimals: int | None = None
    is_least: bool = True

    def shown(self, value: float) -> str:
        """Return a value with its unit.

        >>> Quantity("settled_cost", "settled cost", "EUR", 2).shown(1234.5)
        '1,234.50 EUR'
        """
        text = shown_number(value, self.decimals)
        return text if text == NOTHING else f"{text} {self.unit}".rstrip()

    @property
    def heading(self) -> str:
        """What stands over a column and beside an axis: ``settled cost (EUR)``."""
        return f"{self.words} ({self.unit})" if self.unit else self.words

    @property
    def best(self) -> str:
        """What the best one has of it: the least or the most."""
        return "least" if self.is_least else "most"
