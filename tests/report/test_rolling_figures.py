"""Figures of rolling plans: what they say, and that they bear what there may be."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ems.report.rolling_figures import plot_hours, plot_ledger, plot_policies, plot_savings
from ems.report.rolling_tables import show_days

SUMMARY = pd.DataFrame(
    {"cost": [100.0, 90.0, 62.0, 60.0], "gap_closed": [np.nan, 0.0, 0.93, 1.0]},
    index=["no_control", "self_consumption", "plan_own", "perfect_foresight"],
)


def ledger_of(*parts: float) -> SimpleNamespace:
    """A ledger from 100 EUR downwards."""
    words = [f"cause {number}" for number in range(len(parts))]
    table = pd.DataFrame({"meaning": words, "part": parts})
    return SimpleNamespace(realised_cost=100.0, optimal_cost=100.0 - sum(parts), parts=table, currency="EUR")


def test_plot_policies__title_says_the_saving_and_bars_the_way() -> None:
    """100 EUR without control and 62 EUR with the plan: 38 EUR saved."""
    figure = plot_policies(SUMMARY, "EUR")

    assert figure.axes[0].get_title(loc="left") == "The plan on own forecasts saves 38.00 EUR against no control"
    assert [bar.get_width() for bar in figure.axes[0].patches] == [100, 90, 62, 60]
    assert "  62.00   93% of the way" in [text.get_text() for text in figure.axes[0].texts]
    assert "<svg" in figure.as_svg()


def test_plot_ledger__bars_lead_from_the_plan_to_perfect_foresight() -> None:
    """From 100 EUR by 5, -2 and 4 EUR to 93 EUR: each bar begins where the one before ended."""
    figure = plot_ledger(ledger_of(5.0, -2.0, 4.0))

    bars = figure.axes[0].patches[2:]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert [tuple(sorted(end)) for end in ends] == [(95, 100), (95, 97), (93, 97)]
    assert figure.axes[0].get_title(loc="left") == "Knowing all would save 7.00 EUR, 5.00 by cause 0"
    assert "<svg" in figure.as_svg()


@pytest.mark.parametrize("parts", [(0.0, 0.0), (-3.0,), (1e6, -1e6)])
def test_plot_ledger__any_parts_can_be_drawn(parts: tuple[float, ...]) -> None:
    assert "<svg" in plot_ledger(ledger_of(*parts)).as_svg()


def test_plot_savings__bars_for_weeks_and_a_calendar_for_a_year() -> None:
    days = pd.date_range("2017-03-01", periods=365)
    year = pd.Series(np.sin(np.arange(365.0)), index=days)

    few, many = plot_savings(year[:14], "EUR"), plot_savings(year, "EUR")

    assert len(few.axes[0].patches) == 14
    assert next(label.get_text() for label in many.axes[0].get_yticklabels()) == "Mon"
    assert "% of 365 days save" in many.axes[0].get_title(loc="left")
    assert many.as_png().startswith(b"\x89PNG")


def test_plot_hours__leaves_out_what_is_empty() -> None:
    """A day of 23 hours has a gap."""
    hours, days = [hour for hour in range(24) if hour != 2], pd.date_range("2024-03-30", periods=2)
    table = pd.DataFrame(np.arange(46.0).reshape(23, 2), index=hours, columns=days)

    figure = plot_hours({"Price": table, "Batteries": pd.DataFrame()}, {"Price": "EUR/kWh"})

    assert figure.axes[0].get_title(loc="left") == "Price: 0 to 45 EUR/kWh"
    assert "<svg" in figure.as_svg()


def test_figures__say_what_is_missing() -> None:
    assert "it needs the policies" in plot_ledger(None).alt
    assert "No savings by day" in plot_savings(pd.Series(dtype=float), "EUR").alt
    assert "Nothing to show" in plot_hours({}, {}).alt
    assert "No policy" in plot_policies(SUMMARY[:0], "EUR").alt
    assert "No days" in repr(show_days(pd.DataFrame(columns=["cost", "optimal_cost", "regret"]), "EUR"))
