"""The plots that explain a dispatch: what they draw, in which units, and what their alternative texts say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from report_samples import HOSTILE, make_flows, make_portfolio

from ems.report.dispatch_figures import plot_commitment, plot_front, plot_prices, plot_temperatures
from ems.report.figures import plot_energy, plot_power_balance
from ems.report.style import shown

BOUNDARIES = np.datetime64("2024-05-31T22:00", "ns") + np.arange(5) * np.timedelta64(1, "h")


def portfolio_of(*assets: Any) -> Any:
    sites = [SimpleNamespace(id="harbour", name="Harbour", timezone="Europe/Berlin")]
    return SimpleNamespace(currency="EUR", sites=sites, assets=list(assets))


def diesel(number: int = 1, name: str = "Diesel", **fields: Any) -> Any:
    usual = {"kind": "generator", "max_output_kw": 100.0, "is_committable": True, "initial_is_on": False}
    return SimpleNamespace(id=f"diesel-{number}", name=name, **{**usual, **fields})


def dataset(**columns: tuple[str, list[str], Any]) -> xr.Dataset:
    """Columns of (dimension, assets, values) over four hours from midnight in Berlin."""
    names = list(dict.fromkeys(one for _, assets, _ in columns.values() for one in assets))
    found = {}
    for name, (dimension, assets, values) in columns.items():
        array = np.full((4 if dimension == "time" else 5, len(names)), np.nan)
        array[:, [names.index(one) for one in assets]] = np.array(values, dtype=float).T
        found[name] = ((dimension, "asset"), array)
    return xr.Dataset(found, {"time": BOUNDARIES[:-1], "boundary": BOUNDARIES, "asset": names})


def prices_of(sites: dict[str, list[float]], stored: dict[str, list[float]]) -> xr.Dataset:
    return xr.Dataset(
        {
            "price_per_kwh": (("time", "site"), np.array(list(sites.values())).T),
            "stored_value_per_kwh": (("boundary", "asset"), np.array(list(stored.values())).reshape(-1, 5).T),
        },
        {"time": BOUNDARIES[:-1], "boundary": BOUNDARIES, "site": list(sites), "asset": list(stored)},
    )


def test_plot_prices__of_site_and_store():
    figure = plot_prices(prices_of({"harbour": [0.1, 0.1, 0.3, 0.2]}, {"battery": [0.12] * 5}), make_portfolio())

    assert [axes.get_ylabel() for axes in figure.axes] == [
        "price of energy\n(EUR/kWh)",
        "value of\nstored energy\n(EUR/kWh)",
    ]
    assert figure.axes[0].get_title(loc="left") == "One more kWh at Harbour costs 0.1 to 0.3 EUR/kWh"
    assert figure.axes[1].get_title(loc="left") == "A kWh in Harbour battery is worth 0.12 EUR/kWh"
    assert figure.axes[-1].get_xlabel() == "01 Jun 2024, local time (CEST)"


def test_plot_prices__without_a_store_has_one_panel():
    figure = plot_prices(prices_of({"harbour": [0.1, 0.1, 0.3, 0.2]}, {}), make_portfolio())

    assert len(figure.axes) == 1


def test_plot_prices__equal_sites_share_a_curve_and_many_show_their_extremes():
    two = plot_prices(prices_of({"harbour": [0.1] * 4, "depot": [0.1] * 4}, {}), make_portfolio())
    ten = plot_prices(prices_of({f"site-{at}": [at / 10] * 4 for at in range(10)}, {}), make_portfolio())

    assert len(two.axes[0].get_lines()) == 1
    assert [text.get_text() for text in ten.axes[0].get_legend().get_texts()] == ["lowest of 10", "highest of 10"]


def test_plot_commitment__hours_on_energy_and_starts():
    """On in the second and third hour with 60 and 100 kW: 2 h, 160 kWh, one start."""
    flows = dataset(output_kw=("time", ["diesel-1"], [[0, 60, 100, 0]]), is_on=("time", ["diesel-1"], [[0, 1, 1, 0]]))
    figure = plot_commitment(flows, portfolio_of(diesel()))

    assert "Diesel is on for 2 h, gives 160 kWh with 1 start" in figure.alt
    assert figure.get_suptitle() == "Generators: 2 h on together, 1 start; pale is on, full is output"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Diesel\n100 kW"]


def test_plot_commitment__without_decisions():
    """One that cannot be switched always runs; one whose being on is of no account is on where it gives power."""
    flows = dataset(output_kw=("time", ["diesel-1", "diesel-2"], [[0, 60, 0, 0], [0, 60, 0, 0]]))
    fixed = diesel(1, "Fixed", is_committable=False)
    figure = plot_commitment(flows, portfolio_of(fixed, diesel(2, "Free")))

    assert (
        "Fixed is on for 4 h, gives 60 kWh with 0 starts; Free is on for 1 h, gives 60 kWh with 1 start" in figure.alt
    )


def test_plot_commitment__of_many_those_that_give_most():
    ids = [f"diesel-{number}" for number in range(30)]
    flows = dataset(output_kw=("time", ids, [[number] * 4 for number in range(30)]))
    figure = plot_commitment(flows, portfolio_of(*(diesel(number, f"D{number}") for number in range(30))))

    labels = [label.get_text().split("\n")[0] for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"D{number}" for number in range(29, 5, -1)]


def test_plot_commitment__without_a_generator_says_so():
    flows, _ = make_flows()

    assert plot_commitment(flows, make_portfolio()).alt == "No generator takes part."


def test_plot_temperatures__within_what_is_comfortable():
    zone = SimpleNamespace(comfort_min_degc=20.0, comfort_max_degc=23.0)
    room = SimpleNamespace(id="room", name="Room", kind="load", thermal=zone)
    flows = dataset(temperature_degc=("boundary", ["room"], [[20, 21, 22, 21, 20]]))
    figure = plot_temperatures(flows, portfolio_of(room))

    assert figure.axes[0].get_title(loc="left") == "Room 20 to 22 °C, comfortable 20 to 23 °C"
    assert figure.axes[0].get_ylabel() == "temperature\n(°C)"
    assert plot_temperatures(flows, portfolio_of()).alt == "No zone is heated or cooled."


def test_plot_front__cost_against_emissions():
    points = pd.DataFrame({"cost": [5.0, 9.0, 13.0], "emissions_kg": [25.0, 19.0, 13.0]})
    figure = plot_front(points, "EUR")

    assert figure.get_suptitle() == "Less carbon dioxide costs more: 5.00 EUR with 25 kg to 13.00 EUR with 13 kg"
    (line,) = figure.axes[0].get_lines()
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([25, 19, 13], [5, 9, 13])
    assert "pareto_points" in plot_front(points.iloc[:0], "EUR").alt


def test_plot_energy__vehicles_have_a_panel_without_limits():
    charger = SimpleNamespace(id="vans", name="Vans", kind="ev_charger")
    flows = dataset(energy_kwh=("boundary", ["vans"], [[0, 10, 20, 20, 0]]))
    figure = plot_energy(flows, portfolio_of(charger))

    assert "Vehicles at Vans hold 0 to 20 kWh" in figure.alt
    assert len(figure.axes) == 1


def test_plot_energy__of_many_batteries_the_sum():
    assets = [
        SimpleNamespace(id=f"b{n}", name=f"B{n}", kind="battery", content_kwh=10.0, min_soc=0.1, max_soc=0.9)
        for n in range(8)
    ]
    flows = dataset(energy_kwh=("boundary", [one.id for one in assets], [[5.0] * 5] * 8))

    assert "8 batteries together holds 40 kWh of 80 kWh" in plot_energy(flows, portfolio_of(*assets)).alt


def test_plot_power_balance__what_loads_wanted_is_a_broken_line():
    flows, series = make_flows()
    unserved = xr.zeros_like(flows["injection_kw"])
    unserved.loc[{"asset": "office"}] = 5.0
    figure = plot_power_balance(flows.assign(unserved_kw=unserved), series, make_portfolio())

    labels = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert labels[-2:] == ["load", "load wanted"]
    wanted = float(series.demand_kw.max()) + 5
    assert max(max(line.get_ydata()) for line in figure.axes[-1].get_lines()) == pytest.approx(wanted)


@pytest.mark.parametrize("name", HOSTILE)
def test_plots__show_hostile_names_literally(name: str):
    flows = dataset(output_kw=("time", ["diesel-1"], [[0, 60, 100, 0]]))
    portfolio = portfolio_of(diesel(name=name))
    portfolio.sites[0].name = name

    svg = (
        plot_commitment(flows, portfolio).as_svg()
        + plot_prices(prices_of({"harbour": [0.1] * 4}, {}), portfolio).as_svg()
    )

    assert "<script" not in svg
    assert "<img" not in svg
    assert shown(name, 24) in plot_commitment(flows, portfolio).alt
