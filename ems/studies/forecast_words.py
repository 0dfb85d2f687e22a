"""Words for forecasts: amounts with units, shares, models and simple rules, as people say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

VERBS = {"load": "will draw", "solar": "will give", "wind": "will give", "price": "will cost"}
RULES = {
    "naive_day": "the same hour of the day before",
    "naive_week": "the same hour of the week before",
    "naive_kind_of_day": "the same hour of the last day of the same kind",
    "naive_mean_of_weeks": "the mean of the same hour over four weeks",
}
"""Simple rules by which skill is measured, in words."""


def amount(value: float, units: str) -> str:
    """Return a value with its unit, to three digits or whole.

    >>> amount(1234.5, "kW"), amount(12.34, "kW"), amount(0.08123, "EUR/kWh")
    ('1,234 kW', '12.3 kW', '0.0812 EUR/kWh')
    """
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {units}".strip()


def percent(share: float) -> str:
    """Return a share as people say it.

    >>> percent(0.794)
    '79 %'
    """
    return f"{100 * share:.0f} %"


def what_it_does(kind: str) -> str:
    """Return the verb for what is forecast: a load draws, a plant gives, energy costs."""
    return VERBS[kind]


def rule_words(rule: str) -> str:
    """Return a simple rule in words."""
    return RULES.get(rule, rule)


def model_words(model: str, choice: str, candidates: pd.DataFrame) -> str:
    """Return which model was used, and of auto what it chose.

    Parameters
    ----------
    model : str
    choice : str
        Candidate that was taken.
    candidates : DataFrame
        With the column ``weight``, one row a candidate.
    """
    count = int((candidates["weight"].fillna(0) > 0.005).sum())
    if model == "ensemble":
        return f"an ensemble of {count} models"
    if model == "auto":
        return f"auto: an ensemble of {count} models" if choice == "ensemble" else f"auto: {choice}"
    return model
