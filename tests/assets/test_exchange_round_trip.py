"""Any portfolio goes through YAML, CSV and Excel and comes back equal, and so does what can follow from its fields."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from register_strategies import assets_of, portfolios

from ems.assets.exchange import read_register, write_csv, write_excel, write_yaml
from ems.assets.portfolio import KINDS, Portfolio, Site, read_portfolio
from ems.yaml_text import parse_yaml

FORMS = [(write_yaml, "all.yaml"), (write_csv, "tables"), (write_excel, "all.xlsx")]
some = settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
# A random turbine may well look like one whose power is stated in MW.
quiet = pytest.mark.filterwarnings("ignore::ems.errors.EmsWarning")


@quiet
@pytest.mark.parametrize(("write", "name"), FORMS)
@some
@given(portfolio=portfolios())
def test_round_trip__any_portfolio(write, name, portfolio):
    with tempfile.TemporaryDirectory() as folder:
        write(portfolio, Path(folder) / name)

        assert read_register(Path(folder) / name).portfolio() == portfolio


@quiet
@pytest.mark.parametrize("kind", KINDS)
@settings(some, max_examples=examples(5))
@given(data=st.data())
def test_round_trip__any_asset_of_each_kind_and_what_follows(kind, data):
    """What was derived before is derived again, and not stated: a what-if moves it along."""
    asset = data.draw(assets_of(kind))
    portfolio = Portfolio(currency="EUR", sites=(Site(id="s", timezone="UTC"),), assets=(_alone(asset),))
    with tempfile.TemporaryDirectory() as folder:
        for write, name in FORMS:
            write(portfolio, Path(folder) / name)
            (found,) = read_register(Path(folder) / name).assets

            assert found == portfolio.assets[0]
            assert found.model_fields_set <= portfolio.assets[0].model_fields_set | {"kind"}
            assert found.as_json() == portfolio.assets[0].as_json()


@quiet
@some
@given(portfolio=portfolios())
def test_round_trip__a_written_site_file_is_a_site_file(portfolio):
    with tempfile.TemporaryDirectory() as folder:
        write_yaml(portfolio, Path(folder) / "all.yaml")

        assert read_portfolio(Path(folder) / "all.yaml") == portfolio
        assert parse_yaml((Path(folder) / "all.yaml").read_text(), "all.yaml")["currency"] == portfolio.currency


@quiet
@some
@given(portfolio=portfolios())
def test_write_excel__no_cell_is_a_formula(portfolio):
    with tempfile.TemporaryDirectory() as folder:
        write_excel(portfolio, Path(folder) / "all.xlsx")

        book = load_workbook(Path(folder) / "all.xlsx")
        assert "f" not in {cell.data_type for sheet in book for row in sheet for cell in row}


def _alone(asset):
    """The asset without what it refers to."""
    return asset.replace(battery_asset_id=None) if asset.kind == "solar_pv" else asset
