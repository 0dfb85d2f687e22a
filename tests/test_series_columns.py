"""Which column of a file feeds which need, and what a column's name says of its unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ems.errors import InvalidInput
from ems.series.form import ColumnUse, Need, SeriesForm
from ems.series.reading import read_series

DEMAND = [Need("demand_kw", "house")]
BERLIN = SeriesForm(timezone="Europe/Berlin")
HOURS = ["2024-03-04T00:00Z", "2024-03-04T01:00Z"]


def write(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


def demand(folder: Path, *rows: str, header: str, form: SeriesForm = BERLIN) -> Any:
    return read_series(write(folder, "\n".join([header, *rows])), DEMAND, form, "Europe/Berlin")


def use(column: str, variable: str = "demand_kw", asset: str | None = None, multiply_by: float = 1.0) -> ColumnUse:
    return ColumnUse(column=column, variable=variable, asset=asset, multiply_by=multiply_by)


def test_read_series__columns_by_use_by_asset_and_by_variable(tmp_path: Path) -> None:
    """Three ways to a column; an asset without a variable has NaN there, an absent wish is left out."""
    needs = [
        Need("demand_kw", "house"),
        Need("demand_kw", "shop"),
        Need("import_price_per_kwh", "grid"),
        Need("export_price_per_kwh", "grid", is_required=False),
    ]
    form = BERLIN.replace(columns=(use("load_mw", asset="house", multiply_by=1000.0),))
    text = f"time,load_mw,shop.demand_kw,import_price_per_kwh\n{HOURS[0]},0.001,2,0.3\n{HOURS[1]},0.003,4,0.4\n"
    series = read_series(write(tmp_path, text), needs, form, "UTC")
    assert set(series.data_vars) == {"demand_kw", "import_price_per_kwh"}
    assert series.asset.values.tolist() == ["house", "shop", "grid"]
    # 0.001 MW is 1 kW up to the rounding of one product.
    np.testing.assert_allclose(series.demand_kw, [[1, 2, np.nan], [3, 4, np.nan]], rtol=1e-15)
    assert series.import_price_per_kwh.attrs["units"] == "currency/kWh"
    assert "column 'load_mw' was multiplied by 1000 to give demand_kw of 'house'" in series.attrs["notes"]


def test_read_series__missing_columns_and_found_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        demand(tmp_path, f"{HOURS[0]},1,2", header="Zeit,Verbrauch,pv_kw")
    assert caught.value.findings == (
        "no column 'time' with the beginning of each step; say time_column: Zeit",
        "no column for demand_kw of 'house': expected is 'house.demand_kw' or 'demand_kw', or an entry of columns "
        "that names another one",
        "columns found: 'Zeit', 'Verbrauch', 'pv_kw'",
    )


def test_read_series__another_separator(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="it holds ';', so perhaps say separator: \";\""):
        demand(tmp_path, f"{HOURS[0]};1", header="time;demand_kw")


def test_read_series__header_of_another_separator_is_no_time_column(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        demand(tmp_path, f"{HOURS[0]}\t1", header="time\tdemand_kw")
    assert "\t" not in str(caught.value)
    assert caught.value.findings[0].endswith("say time_column")
    assert caught.value.findings[-1].endswith('so perhaps say separator: "\\t"')


def test_read_series__endless_header(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        demand(tmp_path, f"{HOURS[0]},1", header=f"{'time' * 50_000},kw")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((use("load"), use("load2")), "demand_kw of 'house' has 2 columns, 'load' and 'load2'"),
        ((use("laod"),), "no column 'laod', which columns names; did you mean load"),
        ((use("load", asset="hous"),), "no asset 'hous' needs demand_kw; did you mean house"),
        ((use("load"), use("load2", "available_kw")), "column 'load2': no asset of the site needs available_kw"),
    ],
)
def test_read_series__uses_that_cannot_be(tmp_path: Path, columns: tuple[ColumnUse, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        demand(tmp_path, f"{HOURS[0]},1,2", header="time,load,load2", form=BERLIN.replace(columns=columns))


def test_read_series__use_without_asset_for_two(tmp_path: Path) -> None:
    needs = [Need("demand_kw", "house"), Need("demand_kw", "shop")]
    path = write(tmp_path, f"time,load\n{HOURS[0]},1\n{HOURS[1]},1\n")
    with pytest.raises(InvalidInput, match="column 'load': say asset, one of house, shop"):
        read_series(path, needs, BERLIN.replace(columns=(use("load"),)), "UTC")


def test_read_series__column_named_twice_over(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'house\.demand_kw' and 'demand_kw'; say which in columns"):
        demand(tmp_path, f"{HOURS[0]},1,2", header="time,house.demand_kw,demand_kw")


@pytest.mark.parametrize(
    ("column", "variable", "remedy"),
    [
        ("load_ap_mw", "demand_kw", "states MW.* say multiply_by: 1000,"),
        ("load_kwh", "demand_kw", "states kWh.* say multiply_by: 4 for energy per step"),
        ("price_eur_kwh", "demand_kw", "states a price per kWh"),
        ("pv_w_per_kw", "demand_kw", "states W/kW"),
        ("price_eur_mwh", "import_price_per_kwh", "states a price per MWh.* say multiply_by: 0.001,"),
        ("price [ct/kWh]", "import_price_per_kwh", "states cents per kWh.* say multiply_by: 0.01,"),
        ("load_kw", "import_price_per_kwh", "states kW"),
    ],
)
def test_read_series__column_states_another_unit(tmp_path: Path, column: str, variable: str, remedy: str) -> None:
    """Steps of 15 min: 1 kWh per step is 4 kW."""
    path = write(tmp_path, f"time,{column}\n2024-03-04T00:00Z,1\n2024-03-04T00:15Z,1\n")
    with pytest.raises(InvalidInput, match=remedy):
        read_series(path, [Need(variable, "a")], BERLIN.replace(columns=(use(column, variable),)), "UTC")


@pytest.mark.parametrize("column", ["load_kw", "zone_d", "Verbrauch", "load_kwh", "feeder_a"])
def test_read_series__column_whose_unit_is_no_quarrel(tmp_path: Path, column: str) -> None:
    """An energy in kWh per hour is a power in kW; a last letter is no unit."""
    series = demand(
        tmp_path,
        f"{HOURS[0]},1",
        f"{HOURS[1]},2",
        header=f"time,{column}",
        form=BERLIN.replace(columns=(use(column),)),
    )
    assert series.demand_kw.values.ravel().tolist() == [1, 2]
