"""The register's figures: what they count, where they put it, and what their alternative texts say."""

from __future__ import annotations

import datetime as dt
import itertools
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_report_samples import TODAY, due_row, health_row, make_register, status_row
from report_samples import HOSTILE

from ems.assets.portfolio import Site
from ems.report.register_calendar import plot_health, plot_maintenance
from ems.report.register_diagram import plot_one_line
from ems.report.register_figures import MOST_ROWS, plot_capacity, plot_sites, plot_status
from ems.report.register_words import health_colour, joined, rating_words, wrapped
from ems.report.style import shown


def texts_of(figure: Any) -> list[str]:
    return [text.text or "" for text in ET.fromstring(figure.as_svg()).iter("{http://www.w3.org/2000/svg}text")]


def test_plot_sites__one_of_two_has_coordinates():
    """At the quay 300 + 200 + 100 kW are installed in 4 assets, the grid connection not counted as power."""
    figure = plot_sites(make_register())

    assert "4 assets, 600 kW" in texts_of(figure)
    assert "Quay at 53.5° N, 9.9° E" in figure.alt
    assert "1 site without coordinates" in figure.alt


def test_plot_sites__none_has_coordinates():
    register = make_register()
    sites = tuple(site.replace(latitude=None, longitude=None) for site in register.sites)

    assert plot_sites(register.replace(sites=sites)).alt == "None of 2 sites has coordinates."


@pytest.mark.parametrize(
    ("places", "side"),
    [([(53.5, 9.9)], "E"), ([(-33.9, -151.2)], "W"), ([(70, 25), (-54.8, -68.3)], "W"), ([(89.9, 0)], "E")],
)
def test_plot_sites__anywhere_on_earth(places: list[tuple[float, float]], side: str):
    sites = tuple(
        Site(id=f"s{at}", timezone="UTC", latitude=lat, longitude=lon) for at, (lat, lon) in enumerate(places)
    )
    register = make_register(sites=sites, assets=(builders.solar(id="roof", site_id="s0"),))

    figure = plot_sites(register)

    assert figure.as_svg().startswith("<svg")
    assert side in figure.alt


def test_plot_sites__length_bar_is_true_to_scale():
    """A degree of latitude is 111.32 km; at 60° N a degree of longitude is half as long."""
    sites = tuple(Site(id=f"s{at}", timezone="UTC", latitude=60, longitude=lon) for at, lon in enumerate((10.0, 11.0)))
    figure = plot_sites(make_register(sites=sites, assets=(builders.solar(id="roof", site_id="s0"),)))

    (axes,) = figure.axes
    (bar,) = [line for line in axes.get_lines() if line.get_transform() is axes.transAxes]
    west, east = axes.get_xlim()
    drawn_km = (bar.get_xdata()[1] - bar.get_xdata()[0]) * (east - west) * 111.32 / 2
    (words,) = [text.get_text() for text in axes.texts if text.get_text().endswith(" km")]
    assert drawn_km == pytest.approx(float(words.removesuffix(" km")), rel=1e-9)  # rounding of floats only


def test_plot_capacity__counts_what_is_installed():
    """The decommissioned generator does not count, the one in maintenance does."""
    figure = plot_capacity(make_register())

    assert figure.alt == (
        "Installed power by kind: 1 grid connection 900 kW; 1 solar PV 300 kW; 1 generator 200 kW; "
        "1 battery 100 kW, 400 kWh; 1 load 60 kW."
    )
    widths = [round(bar.get_width()) for bar in figure.axes[0].patches]
    assert widths == [900, 300, 200, 100, 60]


def test_plot_one_line__names_ratings_and_the_open_breaker():
    figure = plot_one_line(make_register(), "quay")

    texts = texts_of(figure)
    assert {"import 900 kW, export 100 kW", "1,000 kVA", "Roof", "300 kW", "maintenance"} <= set(texts)
    assert "Diesel (generator, 200 kW, maintenance)" in figure.alt
    assert "above the busbar grid (grid connection, import 900 kW, export 100 kW, transformer of 1,000 kVA)" in (
        figure.alt
    )


def test_plot_one_line__leaves_out_what_was_decommissioned():
    assert "Old diesel" not in plot_one_line(make_register(), "depot").alt
    assert "without a grid connection" in plot_one_line(make_register(), "depot").alt


def test_plot_one_line__states_are_marked_and_named():
    figure = plot_one_line(make_register(), "quay", {"roof": "fault", "battery": "online"})

    assert "Roof (solar PV, 300 kW, status fault)" in figure.alt
    assert {"fault", "online"} <= set(texts_of(figure))


def test_plot_one_line__site_without_assets():
    register = make_register()
    empty = register.replace(assets=register.assets[:1])

    assert plot_one_line(empty, "depot").alt == "Site Depot has no assets."


@pytest.mark.parametrize("count", [1, 2, 5, 8, 12])
def test_plot_one_line__names_do_not_touch_their_neighbours(count: int):
    assets = tuple(builders.load(id=f"l{at}", name=f"Machine hall number {at}", site_id="quay") for at in range(count))
    figure = plot_one_line(make_register(assets=assets), "quay")
    figure.draw_without_rendering()

    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_plot_one_line__thirteen_assets_are_drawn_by_kind():
    """13 loads of 20 kW are one feeder of 260 kW; the two that are out of use are one of 40 kW beside it."""
    assets = tuple(
        builders.load(id=f"l{at}", site_id="quay", rated_load_kw=20, status="inactive" if at < 2 else "active")
        for at in range(13)
    )

    alt = plot_one_line(make_register(assets=assets), "quay").alt

    assert "11 loads (load, 220 kW)" in alt
    assert "2 loads (load, 40 kW, inactive or in maintenance)" in alt


def test_plot_status__shows_power_against_the_rating():
    """-50 kW of a rating of 100 kW is half of it, used."""
    figure = plot_status([status_row("bank", power_kw=-50.0, soc=0.25), status_row("silent", "unknown")])

    _, power, charge = figure.axes
    assert [bar.get_width() for bar in power.patches] == [-0.5]
    assert [bar.get_width() for bar in charge.patches] == [1, 0.25]
    assert (
        figure.alt
        == "Status of 2 assets, 1 online, 1 unknown: Bank online, -50 kW, state of charge 0.25; Silent unknown."
    )


def test_plot_status__nobody_reported():
    assert plot_status([status_row("a", "unknown")]).alt == "None of 1 asset has reported: their status is unknown."


def test_plot_status__many_assets_are_counted_by_site():
    rows = [status_row(f"a{at}", "fault" if at == 0 else "online") for at in range(MOST_ROWS + 1)]

    figure = plot_status(rows)

    assert "24 online, 1 fault" in figure.axes[0].get_title(loc="left")
    assert sorted(bar.get_width() for bar in figure.axes[0].patches) == [1, 24]


def test_plot_maintenance__within_the_horizon_and_overdue():
    """Of day 90 and day 91 only the first is within 90 days."""
    rows = [
        due_row("late", TODAY - dt.timedelta(days=400), is_overdue=True),
        due_row("last", TODAY + dt.timedelta(days=90)),
        due_row("beyond", TODAY + dt.timedelta(days=91)),
        due_row("by-use", None),
    ]

    figure = plot_maintenance(rows, TODAY, 90)

    assert figure.get_suptitle() == "Maintenance: 1 overdue, 1 due until 2025-09-28"
    assert "Beyond" not in figure.alt
    assert "Late preventive overdue since 26 May 2024" in figure.alt
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Late", "Last"]


def test_plot_maintenance__nothing_due():
    figure = plot_maintenance([due_row("beyond", TODAY + dt.timedelta(days=91))], TODAY, 90)

    assert figure.alt == "No maintenance is overdue or due until 2025-09-28."


def test_plot_health__weakest_first_and_unknown_counted():
    rows = [
        health_row("strong", 0.9, remaining_life_a=12.0),
        health_row("weak", 0.1),
        health_row("unknown", None),
        health_row("covered", None, warranty_end=dt.date(2026, 1, 1), warranty="ends in 185 days"),
    ]

    figure = plot_health(rows, TODAY)

    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Weak", "Strong", "Covered"]
    assert figure.alt == (
        "Health and warranty (1 asset without either): Weak 0.10, warranty unknown; Strong 0.90, 12.0 a left, "
        "warranty unknown; Covered unknown, warranty ends in 185 days."
    )


def test_plot_health__nothing_known():
    assert plot_health([health_row("a", None)], TODAY).alt == "Neither health nor warranty is known of 1 asset."


@pytest.mark.parametrize("name", HOSTILE)
def test_figures__show_hostile_names_literally_without_a_warning(name: str):
    row = {"name": name, "site": name}
    site = Site(id="quay", name="Quay", timezone="UTC", latitude=1, longitude=1).model_copy(update={"name": name})
    register = make_register()
    assets = tuple(one.model_copy(update={"name": name}) for one in register.assets)
    register = register.model_copy(update={"sites": (site, register.sites[1]), "assets": assets})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = [
            plot_sites(register),
            plot_one_line(register, "quay", {"grid": "online"}),
            plot_status([status_row("a", **row)]),
            plot_status([status_row("a", **row)] * (MOST_ROWS + 1)),
            plot_maintenance([due_row("a", TODAY, **row)], TODAY, 90),
            plot_health([health_row("a", 0.5, **row)], TODAY),
            plot_capacity(register),
        ]
        texts = [" ".join(texts_of(figure)) for figure in figures]
        for figure in figures:
            figure.as_png()

    assert all("<script" not in figure.as_svg() for figure in figures)
    assert all(shown(name)[:6] in text for text in texts[:-1])


def test_rating_words__by_kind():
    assert rating_words(builders.battery(capacity_kwh=100, rated_power_kw=50)) == "50 kW, 100 kWh"
    assert rating_words(builders.charger(number_of_ports=4, simultaneous_charging=True)) == "40 kW, 4 ports"


def test_health_colour__unknown_is_neither_good_nor_bad():
    assert len({health_colour(score) for score in (None, 0.9, 0.6, 0.1)}) == 4


@given(st.text(max_size=80), st.integers(2, 20), st.integers(1, 4))
def test_wrapped__never_more_lines_than_asked_for(text: str, letters: int, lines: int):
    found = wrapped(text, letters, lines)

    assert len(found) <= lines
    assert all(found)
    plain = [line for line in found if line.isascii()]
    assert all(len(line) <= letters for line in plain)


@given(st.lists(st.text("abc ", min_size=1, max_size=12), max_size=6), st.integers(1, 30))
def test_joined__keeps_every_part(parts: list[str], letters: int):
    assert ", ".join(joined(parts, letters)) == ", ".join(parts)
