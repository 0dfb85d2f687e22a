"""Levy and Tax: what the state and the grid add to the price of energy."""

from __future__ import annotations

from typing import Literal

from ems.record import Name, NonNegative, Record


class Levy(Record):
    """An amount for each kWh, the same at all hours."""

    name: Name
    """What the contract calls it: electricity tax, offshore levy. Acts in dispatch and settlement."""
    rate_per_kwh: float
    """Amount for each kWh. Acts in dispatch and settlement."""
    applies_to: Literal["import", "self_consumption"] = "import"
    """Which energy it is for: what is taken from the grid, or what the site makes and uses itself. Acts in dispatch
    and settlement."""
    exempt_above_kwh_per_a: NonNegative | None = None
    """Energy of a calendar year beyond which nothing more is due. Acts in settlement."""


class Tax(Record):
    """A share of other charges, as value-added tax is."""

    name: Name
    """What the contract calls it: VAT. Acts in dispatch and settlement."""
    share: NonNegative
    """Share of the charges that it comes on top of: 0.19. Acts in dispatch and settlement."""
    base: Literal["energy", "all"] = "all"
    """What it is a share of: the cost of bought energy with the levies on it, or every charge of the bill other than
    taxes. What is paid for exports is not reduced by it. Acts in dispatch and settlement."""
