"""Random numbers as people write them."""

from __future__ import annotations

from hypothesis import strategies as st


def rounded(low: float, high: float, digits: int = 2) -> st.SearchStrategy[float]:
    """Numbers with few digits, and fair in the middle of their range."""
    unit = 10**digits
    return st.integers(round(low * unit), round(high * unit)).map(lambda number: number / unit)
