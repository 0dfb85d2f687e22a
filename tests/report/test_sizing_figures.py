"""Figures and tables of a sizing: titles that state the finding, alternative texts, marks, sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ems.report.sizing_figures import (
    plot_cash_flow,
    plot_duration,
    plot_life_cycles,
    plot_surface,
    plot_tornado,
)
from ems.report.sizing_tables import (
    show_break_even,
    show_finance,
    show_life_cycles,
    show_sizes,
    show_tornado,
)


def title_of(figure: Any) -> str:
    return str(figure.axes[0].get_title(loc="left"))


def parts(**totals: float) -> pd.DataFrame:
    names = [name.replace("_", " ") for name in totals]
    kinds = dict.fromkeys(("investment", "replacement", "maintenance", "residual", "bill"), 0.0)
    return pd.DataFrame({**kinds, "total": list(totals.values())}, index=pd.Index(names, name="part"))


def tornado() -> pd.DataFrame:
    sizes = {"battery_kwh": 40.0, "battery_kw": 10.0, "pv_kw": 50.0, "connection_kw": 60.0}
    rows = [
        {"assumption": "price of energy", "factor": 0.8, "npv_fixed": -20.0, "npv": 0.0, **sizes},
        {"assumption": "price of energy", "factor": 1.2, "npv_fixed": 210.0, "npv": 220.0, **sizes},
        {"assumption": "discount rate", "factor": 0.8, "npv_fixed": 120.0, "npv": 125.0, **sizes},
        {"assumption": "discount rate", "factor": 1.2, "npv_fixed": 80.0, "npv": 85.0, **sizes},
    ]
    return pd.DataFrame(rows)


def flows(*net: float) -> pd.DataFrame:
    columns = {"net": net, "cumulative": np.cumsum(net), "cumulative_discounted": np.cumsum(net) * 0.5}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(net), name="year"))


def test_plot_life_cycles__title_tells_the_difference():
    bars = {"without": parts(energy_bill=1000, connection=50), "with": parts(energy_bill=500, solar_roof=300)}

    figure = plot_life_cycles(bars, "EUR")

    assert title_of(figure) == "The investment makes the life cycle 250 EUR cheaper"
    assert figure.alt == "Present value of all costs: without 1,050.00 EUR; with 800.00 EUR."
    drawn = figure.as_svg()
    assert "present value of all costs (EUR)" in drawn
    assert "1,050" in drawn
    assert "battery energy" not in drawn  # what nobody pays for is not named


def test_plot_life_cycles__dearer_or_alone():
    dearer = {"without": parts(energy_bill=1000), "with": parts(energy_bill=900, solar_roof=300)}

    assert title_of(plot_life_cycles(dearer, "EUR")) == "The investment makes the life cycle 200 EUR dearer"
    alone = plot_life_cycles({"without": parts(energy_bill=1000)}, "EUR")
    assert title_of(alone) == "All costs of the life cycle: 1,000 EUR"


def test_plot_surface__marks_the_best():
    costs = [[3000.0, 2500.0], [2800.0, 2400.0], [2900.0, 2450.0]]
    surface = pd.DataFrame(costs, index=[0.0, 50.0, 100.0], columns=[0.0, 20.0])

    figure = plot_surface(surface, (55.0, 20.0), 2390.0, "EUR")

    assert title_of(figure) == "A battery of 55 kWh and a roof of 20 kW cost least: 2,390 EUR a year"
    assert "from 2,400 to 3,000 EUR/a; the best, 55 kWh and 20 kW, costs 2,390 EUR/a" in figure.alt
    drawn = figure.as_svg()
    assert "2,800" in drawn
    assert "2,400" not in [text.get_text() for text in figure.axes[0].texts]  # the star stands there
    (star,) = figure.axes[0].get_lines()
    assert star.get_xydata().tolist() == [[1.5, pytest.approx(1.6)]]
    assert "battery (kWh)" in drawn


def test_plot_surface__of_one_roof_and_one_cost():
    figure = plot_surface(pd.DataFrame([[5.0], [5.0]], index=[0.0, 10.0], columns=[0.0]), (0.0, 0.0), 5.0, "EUR")

    assert "solar roof (kW)" in figure.as_svg()


def test_plot_tornado__says_what_matters_most():
    figure = plot_tornado(tornado(), 100.0, 0.2, "EUR")

    assert title_of(figure) == "The price of energy matters most: ±20% of it moves the value by 220 EUR"
    assert "price of energy 0 to 220 EUR; discount rate 85 to 125 EUR; now 100" in figure.alt
    drawn = figure.as_svg()
    for text in ("20% lower", "20% higher", "sizes of today kept", "net present value (EUR)"):
        assert text in drawn


def test_plot_cash_flow__titles():
    paid_back = plot_cash_flow(flows(-100, 60, 60), "EUR")

    assert title_of(paid_back) == "Paid back in year 2 with interest; in the end 10 EUR are gained"
    assert "the sum ends at 20.00 EUR, with interest at 10.00 EUR" in paid_back.alt
    lost = plot_cash_flow(flows(-100, 40), "EUR")
    assert title_of(lost) == "It is not paid back: 30 EUR are missing with interest"
    assert "sum so far, with interest" in lost.as_svg()
    assert plot_cash_flow(flows(0, 0), "EUR").alt == "Nothing is invested, and nothing saved."


def test_plot_duration__sorts_and_keeps_both_ends():
    steps = 8760
    without, after = np.linspace(5, 60, steps), np.linspace(-30, 50, steps)

    figure = plot_duration({"without": without, "with": after}, np.ones(steps))

    assert title_of(figure) == "The highest import falls from 60 to 50 kW"
    assert "without the investment from 60 to 5 kW; with the investment from 50 to -30 kW" in figure.alt
    hours, kw = figure.axes[0].get_lines()[1].get_data()
    assert (kw[0], kw[-1], hours[-1]) == (50, -30, steps)
    assert (np.diff(kw) <= 0).all()
    assert len(kw) <= 700
    assert "power from the grid (kW)" in figure.as_svg()
    assert title_of(plot_duration({"with": after}, np.ones(steps))) == "The highest import is 50 kW"
    same = plot_duration({"without": after, "with": after}, np.ones(steps))
    assert title_of(same) == "The highest import stays at 50 kW"


def test_tables__tell_units_and_sums():
    row = {"name": "battery energy", "unit": "kWh", "size": 46.0, "without": 0.0, "lowest": 0.0, "highest": 200.0}
    sizes = repr(show_sizes([{**row, "lot": 5.0, "cost_per_unit": 350.0, "cost_per_unit_a": 36.1}], "EUR"))
    cycles = show_life_cycles({"with": parts(energy_bill=500, solar_roof=300, connection=0)}, "EUR")
    shaken = repr(show_tornado(tornado(), "EUR"))
    limits = show_break_even([("battery energy, a kWh", 350.0, 700.0), ("solar roof, a kW", 1000.0, None)], "EUR")

    assert "0 to 200, lots of 5" in sizes
    assert "price (EUR per unit)" in sizes
    assert [row[1] for row in cycles.rows] == ["energy bill", "solar roof", "all"]
    assert cycles.rows[-1][-1] == pytest.approx(800)
    assert "price of energy, -20%" in shaken
    assert "anew (EUR)" in shaken
    assert [row[-1] for row in limits.rows] == ["2.00", "none"]
    assert "Payback" in repr(show_finance({"Payback": "none: nothing is invested"}))
