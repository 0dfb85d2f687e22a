"""How records and results show themselves: short, readable, and harmless whatever people have written in them."""

from __future__ import annotations

import datetime as dt
import doctest
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import START, battery, charger, generator, grid, load, portfolio, solar, wind
from project_fixtures import ROOT

import ems.display
from ems.assets.group import Group
from ems.assets.portfolio import AnyAsset, Portfolio, read_portfolio
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.display import MOST_ROWS, Card, shown_range, shown_value
from ems.forecast.history import History
from ems.horizon import Horizon
from ems.report.markup import safe_table
from ems.settlement.bill import settle
from ems.studies.dispatch import DispatchStudy
from ems.studies.dispatch_plan import DispatchPlan

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)> \"quoted\" & more"


class _Tags(HTMLParser):
    """Collects the tags and the text of a page, as a browser would read them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


KNOWN_TAGS = {"table", "caption", "strong", "thead", "tbody", "tfoot", "tr", "th", "td", "details", "summary"}


def _is_harmless(html: str) -> _Tags:
    tags = _Tags(html)
    assert set(tags.opened) <= KNOWN_TAGS
    assert sorted(tags.opened) == sorted(tags.closed)
    assert tags.attributes <= {"class", "style", "scope", "colspan"}
    assert "url(" not in html
    assert "color" not in html, "a colour of one's own would not follow light and dark"
    return tags


@pytest.fixture(scope="module")
def result() -> DispatchResult:
    study = DispatchStudy(site=str(ROOT / "data/sites/demo.yaml"), series=str(ROOT / "data/series/demo.csv"))
    return solve(study.pose_problem(study.load_portfolio()))


def test_display__its_examples_hold() -> None:
    assert doctest.testmod(ems.display).failed == 0


# ------------------------------------------------------------------------------------------------- records
def test_battery__shows_what_was_stated_with_unit_thousands_and_meaning() -> None:
    shown = battery(capacity_kwh=1500.0)

    text = _is_harmless(shown._repr_html_()).text
    assert "Battery 'battery'" in text
    assert "capacity_kwh" in text
    assert "1,500 kWh" in text
    assert "Energy content at a state of charge of 1, when new." in text


def test_battery__folds_what_is_at_its_default() -> None:
    html = battery()._repr_html_()

    stated, _, folded = html.partition("<details>")
    assert "capacity_kwh" in stated
    assert "serial_number" not in stated
    assert "serial_number" in folded
    assert "fields at their default" in folded


def test_battery__represents_itself_as_the_call_that_makes_it() -> None:
    shown = battery(capacity_kwh=1500.0, min_soc=0.1)

    assert repr(shown).startswith("Battery(")
    assert eval(repr(shown), {"Battery": type(shown)}) == shown
    assert len(repr(shown)) < 400
    assert "serial_number" not in repr(shown)


@pytest.mark.parametrize("path", sorted((ROOT / "data/sites").glob("*.yaml")), ids=lambda path: path.stem)
def test_site_files__every_record_in_them_shows_itself(path: Path) -> None:
    whole = read_portfolio(path)

    records = [whole, *whole.sites, *whole.assets, *whole.tariffs, *whole.groups, *whole.members, *whole.dependencies]
    for record in (*records, *whole.reserves, whole.series):
        text = _is_harmless(record._repr_html_()).text
        assert text.strip()
        assert "object at 0x" not in text
        assert "{" not in record.card().as_text(), "a mapping of Python is no text for people"
        assert len(repr(record)) < 4000


@pytest.mark.parametrize("make", [battery, charger, generator, grid, load, solar, wind])
def test_assets__of_each_kind_show_themselves_short(make: Callable[..., AnyAsset]) -> None:
    asset = make(name=HOSTILE)

    assert "<script>alert('x')" in _is_harmless(asset._repr_html_()).text
    assert len(repr(asset)) < 600


def test_hostile_names__are_text() -> None:
    shown = battery(name=HOSTILE, description=HOSTILE, metadata={HOSTILE: HOSTILE})

    for html in (shown._repr_html_(), portfolio(shown, grid())._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
        assert "<script>alert('x')" in _is_harmless(html).text
    assert "<script" not in Group(id="g", name=HOSTILE, group_type="custom")._repr_html_()


def test_tariff__shows_sentences() -> None:
    tariff = read_portfolio(ROOT / "data/sites/bakery.yaml").tariffs[0]

    assert "import 0.262 EUR/kWh" in _is_harmless(tariff._repr_html_()).text
    assert repr(tariff).startswith("Tariff(id='flat'")


def test_study__shows_the_parameters_that_differ_first() -> None:
    stated, _, folded = DispatchStudy(horizon_h=48)._repr_html_().partition("<details>")

    assert "Study dispatch: Dispatch" in stated
    assert "48 h" in stated
    assert "Length of the horizon." in stated
    assert "time_limit_s" in folded


def test_record__looks_well_in_a_report_too() -> None:
    table = safe_table(battery(name=HOSTILE)._repr_html_())

    assert table is not None
    assert "capacity_kwh" in table
    assert "<script" not in table
    assert "style=" not in table


def test_nested_records__are_told_by_their_names_or_fields() -> None:
    study = DispatchStudy(outages=[{"asset_id": "battery", "begin": "2024-06-03T03:00", "end": "2024-06-03T04:00"}])

    text = study.card().as_text()
    assert "asset id battery begin 2024-06-03T03:00 end 2024-06-03T04:00" in text


# ---------------------------------------------------------------------------------------------- portfolios
def _many(count: int) -> Portfolio:
    loads = [load(id=f"load-{number}", name=f"Load {number}") for number in range(count)]
    return portfolio(grid(), *loads)


def test_portfolio__of_ten_thousand_assets_shows_the_first_and_counts_the_others() -> None:
    whole = _many(9_999)

    html = whole._repr_html_()
    tags = _is_harmless(html)
    assert len(html) < 20_000
    assert tags.opened.count("tr") == MOST_ROWS + 2  # heading and what is left out
    assert "10,000 assets at 1 site" in tags.text
    assert "9,999 × load" in tags.text
    assert "and 9,980 more assets" in tags.text
    assert len(repr(whole)) < 200
    assert len(whole.card().as_text().splitlines()) < MOST_ROWS + 5


def test_portfolio__with_few_assets_leaves_none_out() -> None:
    text = _is_harmless(portfolio(battery(), grid(), load())._repr_html_()).text

    assert "3 assets at 1 site" in text
    assert "more asset" not in text


def test_long_lists__are_cut_in_a_cell_and_in_a_line() -> None:
    assert shown_value(tuple(range(10)), "weekdays") == "0, 1, 2, 3 and 6 more"
    assert "9,998 more" in repr(ems.display.Short(_many(9_999).assets))


# ------------------------------------------------------------------------------------ horizons and results
def test_horizon__says_steps_length_and_beginning() -> None:
    horizon = Horizon.regular(dt.datetime(2024, 6, 3, tzinfo=dt.UTC), 24, 0.25)

    assert repr(horizon) == "<Horizon: 96 steps of 0.25 h from Mon 2024-06-03 00:00 UTC>"
    assert "Tue 2024-06-04 00:00 UTC" in str(horizon)
    _is_harmless(horizon._repr_html_())


def test_horizon__of_unequal_steps_says_both_ends() -> None:
    assert "2 steps of 0.25 to 1 h" in repr(Horizon(dt.datetime(2024, 6, 3, tzinfo=dt.UTC), (0.25, 1.0)))


def test_problem__tells_local_time_and_the_range_of_each_series(result: DispatchResult) -> None:
    text = _is_harmless(result.problem._repr_html_()).text

    assert "Mon 2024-06-03 00:00 CEST" in text
    assert "15 to 55 kW, mean 36.33 kW" in text
    assert "EUR/kWh" in text
    assert repr(result.problem) == "<DispatchProblem: battery dispatch of 3 assets over 24 h>"


def test_result__shows_costs_and_proof(result: DispatchResult) -> None:
    text = _is_harmless(result._repr_html_()).text

    assert "135.08 EUR" in text
    assert "optimal, gap 0.00%" in text
    assert repr(result) == "<DispatchResult: battery dispatch of 3 assets over 24 h, optimal, gap 0.00%>"


def test_plan_and_bill__show_their_figures(result: DispatchResult) -> None:
    plan = DispatchPlan(result, None, None)
    bill = settle(result.flows, result.problem.series, result.problem.portfolio)

    assert "135.08 EUR" in _is_harmless(plan._repr_html_()).text
    assert "import cost" in _is_harmless(bill._repr_html_()).text
    assert f"{bill.total_cost:,.2f}" in str(bill)


def test_history__tells_local_times_and_what_is_measured() -> None:
    times = pd.date_range(START.replace(tzinfo=None), periods=48, freq="h")
    values = np.where(np.arange(48) < 40, 1234.5, np.nan)

    text = str(History("demand_kw", times, values, timezone="Europe/Berlin", asset="office"))
    assert "40 of 48 steps of 1 h" in text
    assert "1,234 to 1,234 kW, mean 1,234 kW" in text
    assert "CEST" in text


# --------------------------------------------------------------------------------------------------- cards
def test_card__aligns_its_text_and_leaves_meanings_to_html() -> None:
    card = Card("Caption", [("a", "1", "meant"), ("long name", "22", "meant too")], has_meaning=True, rest="and more")

    assert card.as_text() == "Caption\n  a          1\n  long name  22\n  and more"
    assert "meant too" in card.as_html()


def test_card__without_rows_is_its_caption() -> None:
    assert Card("Nothing", []).as_text() == "Nothing"
    _is_harmless(Card("Nothing", []).as_html())


def test_shown_value__of_each_kind_of_value() -> None:
    assert shown_value(None, "max_export_kw") == "–"
    assert shown_value((), "outages") == "–"
    assert shown_value("", "description") == "–"
    assert shown_value(0.2, "import_price_per_kwh", "EUR") == "0.2 EUR/kWh"
    assert shown_value(1500, "capital_cost") == "1,500"
    assert shown_value({"a": 1}, "metadata") == "a: 1"
    assert shown_value(dt.date(2024, 6, 3), "installation_date") == "2024-06-03"
    assert shown_range([1.0, 2.0]) == "1 to 2, mean 1.5"
