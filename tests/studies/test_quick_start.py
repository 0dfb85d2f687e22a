"""The quick start: a person's own file, as it comes from a meter, gives a saving that can be found by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import nbformat
import pytest
from project_fixtures import ROOT

from ems.assets.portfolio import read_portfolio
from ems.errors import InvalidInput, UnknownName
from ems.settlement.bill import settle
from ems.studies import quick_start

SITE = """
currency: EUR
site: {id: shop, timezone: Europe/Berlin}
assets:
  - {kind: load, id: shop, rated_load_kw: 60}
  - {kind: grid_connection, id: grid, max_import_kw: 100, max_export_kw: 0, tariff_id: contract}
  - {kind: battery, id: battery, capacity_kwh: 40, max_charge_kw: 40, max_discharge_kw: 40, min_soc: 0, max_soc: 1,
     initial_soc: 0, round_trip_efficiency: 1, degradation_cost_per_kwh: 0}
tariffs:
  - id: contract
    name: Day and night
    periods:
      - {name: day, from_time: "08:00", until_time: "20:00", import_price_per_kwh: 0.30}
      - {name: night, import_price_per_kwh: 0.20}
series:
  time_column: Zeit
  time_format: "%d.%m.%Y %H:%M"
  separator: ";"
  decimal: ","
  fill_gaps: interpolate
  longest_fill_h: 1
  columns: [{column: Verbrauch, asset: shop, variable: demand_kw, multiply_by: 4}]
"""


def _file(folder: Path, missing: tuple[int, ...] = ()) -> Path:
    """Two days of quarter-hours as a meter of a German grid company writes them: 2.5 kWh each, so 10 kW."""
    begin = dt.datetime(2024, 6, 3)
    rows = [
        f"{begin + dt.timedelta(minutes=15 * step):%d.%m.%Y %H:%M};{'' if step in missing else '2,5'}"
        for step in range(192)
    ]
    path = folder / "meter.csv"
    path.write_text("\n".join(["Zeit;Verbrauch", *rows]) + "\n")
    return path


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_quick_start__own_file_gives_the_saving_of_the_spread(tmp_path: Path) -> None:
    """40 kWh bought at 0.20 before 8:00 and used by day at 0.30 save 4 EUR a day."""
    portfolio = quick_start.read_site(SITE)

    meter = quick_start.read_meter(str(_file(tmp_path)), portfolio)
    plan = quick_start.plan(quick_start.pose(meter))

    assert plan.saving == pytest.approx(8.0, abs=1e-6)
    costs = quick_start.settled_costs(plan)
    assert costs["without battery"].sum() == pytest.approx(2 * (120 * 0.30 + 120 * 0.20))
    assert costs["with battery"].sum() == pytest.approx(costs["without battery"].sum() - 8.0, abs=1e-6)
    assert costs["with battery"].sum() == pytest.approx(
        settle(plan.result.flows, plan.result.problem.series, portfolio).total_cost
    )
    assert "saves 8.00 EUR" in plan.conclusion()


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_meter__facts_tell_local_time_energy_and_gaps(tmp_path: Path) -> None:
    portfolio = quick_start.read_site(SITE)

    facts = quick_start.read_meter(str(_file(tmp_path, missing=(5, 6, 50))), portfolio).facts()

    assert facts["From"] == "Mon 2024-06-03 00:00 CEST"
    assert facts["To"] == "Wed 2024-06-05 00:00 CEST"
    assert facts["Steps"] == "192 of 0.25 h"
    assert facts["Gaps of shop"] == "3 steps without a value"
    assert facts["demand_kw of shop"] == "10 to 10 kW, mean 10 kW, together 472 kWh"  # 189 quarter-hours


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_pose__takes_the_days_that_are_asked_for(tmp_path: Path) -> None:
    meter = quick_start.read_meter(str(_file(tmp_path, missing=(5, 6))), quick_start.read_site(SITE))

    problem = quick_start.pose(meter, "2024-06-04T00:00", 0.5)

    assert len(problem.horizon) == 48
    assert problem.caption() == "battery dispatch of 3 assets over 12 h"
    with pytest.raises(InvalidInput, match="2024-06-0"):
        quick_start.pose(meter, "2024-06-04T00:00", 3)


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_pose__refuses_a_gap_that_is_too_long_and_says_what_would_do(tmp_path: Path) -> None:
    meter = quick_start.read_meter(str(_file(tmp_path, missing=tuple(range(20, 30)))), quick_start.read_site(SITE))

    with pytest.raises(InvalidInput, match="longest_fill_h"):
        quick_start.pose(meter)


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_read_meter__says_which_columns_were_found(tmp_path: Path) -> None:
    portfolio = quick_start.read_site(SITE.replace("column: Verbrauch", "column: Bezug"))

    with pytest.raises(InvalidInput, match="Verbrauch"):
        quick_start.read_meter(str(_file(tmp_path)), portfolio)
    with pytest.raises(UnknownName, match="there is no such file"):
        quick_start.read_meter(str(tmp_path / "other.csv"), portfolio)


def test_read_site__names_what_is_wrong_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"(?s)max_import: no such field.*capacity_kwh = -40 kWh") as caught:
        quick_start.read_site(SITE.replace("h: 40", "h: -40").replace("max_import_kw", "max_import"))

    assert "the description of the site" in str(caught.value)
    with pytest.raises(InvalidInput, match="line 2"):
        quick_start.read_site("currency: EUR\nsite: {id: shop]\n")
    with pytest.raises(InvalidInput, match="lines of 'name: value'"):
        quick_start.read_site("just words")


@pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")
def test_plan__without_a_battery_says_how_to_add_one(tmp_path: Path) -> None:
    text = "\n".join(line for line in SITE.splitlines() if "battery" not in line and "round_trip" not in line)
    meter = quick_start.read_meter(str(_file(tmp_path)), quick_start.read_site(text))

    with pytest.raises(InvalidInput, match=r"has no battery; add '- \{kind: battery"):
        quick_start.plan(quick_start.pose(meter))


def test_keep_site__writes_a_site_file_that_studies_read(project: Path) -> None:
    assert "not kept" in quick_start.keep_site(SITE, None)

    said = quick_start.keep_site(SITE, "my-shop")

    path = project / "data" / "sites" / "my-shop.yaml"
    assert read_portfolio(path) == quick_start.read_site(SITE)
    assert "-p site=my-shop" in said
    quick_start.keep_site(SITE, "my-shop")  # the same once more does no harm
    with pytest.raises(InvalidInput, match="is there already"):
        quick_start.keep_site(SITE.replace("40", "50"), "my-shop")
    with pytest.raises(InvalidInput, match="must be small letters"):
        quick_start.keep_site(SITE, "../evil")


def test_notebook__is_ten_cells_and_describes_a_site_that_can_be_kept() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "quick_start.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]

    (text,) = [cell.split('"""')[1] for cell in cells if cell.startswith("site = ")]
    assert len(cells) == 10
    assert quick_start.read_site(text).currency == "EUR"
