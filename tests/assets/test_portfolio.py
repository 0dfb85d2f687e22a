"""A site file becomes a portfolio, or says all that is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import battery, grid, load, portfolio, solar

from ems.assets.portfolio import KINDS, AnyAsset, Portfolio, read_portfolio
from ems.errors import InvalidInput

HARBOUR = """
currency: EUR
site: {id: harbour, timezone: Europe/Berlin}
tariffs:
  - id: flat
    name: Flat
    periods: [{name: all, import_price_per_kwh: 0.2}]
assets:
  - {kind: battery, id: b1, capacity_kwh: 100, max_charge_kw: 50, max_discharge_kw: 50}
  - {kind: grid_connection, id: grid, max_import_kw: 100, max_export_kw: 0, tariff_id: flat}
  - {kind: load, id: cranes, rated_load_kw: 9}
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that writes a site file and reads it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data/sites").mkdir(parents=True)
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path))
    path = tmp_path / "data/sites/harbour.yaml"

    def write_and_read(text: str) -> Portfolio:
        path.write_text(text)
        return read_portfolio(path)

    return write_and_read


def test_read_portfolio__one_site(read):
    whole = read(HARBOUR)
    assert [(one.kind, one.id, one.site_id) for one in whole.assets] == [
        ("battery", "b1", "harbour"),
        ("grid_connection", "grid", "harbour"),
        ("load", "cranes", "harbour"),
    ]
    assert (whole.site("harbour").name, whole.currency) == ("harbour", "EUR")
    assert whole.tariff("flat").periods[0].import_price_per_kwh == 0.2


def test_read_portfolio__several_sites(read):
    whole = read(
        "currency: CHF\n"
        "sites: [{id: east, timezone: UTC}, {id: west, timezone: UTC}]\n"
        "assets: [{kind: load, id: l1, site_id: east, rated_load_kw: 9}, "
        "{kind: load, id: l2, site_id: west, rated_load_kw: 9}]\n"
    )
    assert [one.site_id for one in whole.assets] == ["east", "west"]


def test_read_portfolio__each_kind_is_known(read):
    assert set(KINDS) == {
        "battery",
        "ev_charger",
        "generator",
        "grid_connection",
        "load",
        "solar_pv",
        "wind_turbine",
    }
    assert set(KINDS.values()) == set(AnyAsset.__args__[0].__args__)


def test_read_portfolio__findings_of_all_assets_at_once(read):
    text = HARBOUR.replace("capacity_kwh: 100", "capacity_kwh: -5, max_charge: 3")
    text = text.replace(
        "{kind: load, id: cranes, rated_load_kw: 9}", "{kind: lod, id: cranes, rated_load_kw: 9}"
    ).replace("max_export_kw: 0, ", "")
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert str(caught.value) == (
        "the assets in data/sites/harbour.yaml cannot be used:\n"
        "  battery 'b1': capacity_kwh = -5 kWh: must be greater than 0 kWh\n"
        "  battery 'b1': max_charge: no such field; did you mean max_charge_kw?\n"
        "  grid_connection 'grid': max_export_kw: is required (in kW)\n"
        "  asset 3: kind = 'lod': did you mean load?"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tariff_id: flat", "tariff_id: flt", r"'grid': tariff_id = 'flt': no such tariff; did you mean flat\?"),
        ("id: cranes", "id: b1", "two assets have the id 'b1'; ids are unique"),
        (
            "id: cranes",
            "id: cranes, site_id: harbor",
            r"'cranes': site_id = 'harbor': no such site; did you mean harb",
        ),
        ("currency: EUR", "currency: euro", "currency = 'euro': must be 3 capital letters, as in EUR"),
        ("currency: EUR", "currency: NO2", "currency = 'NO2': must be 3 capital letters"),
        ("currency: EUR\n", "", "currency: is required"),
        (
            "timezone: Europe/Berlin",
            "timezone: Europe/Berln",
            r"no time zone of that name; did you mean Europe/Berlin",
        ),
        (
            "timezone: Europe/Berlin",
            "timezone: UTC, country: de",
            "country = 'de': must be 2 capital letters, as in DE",
        ),
        ("import_price_per_kwh: 0.2", "price: 0.2", r"tariffs\.1\.periods\.1\.price: no such field"),
        ("name: all,", "name: all, until_time: '12:00',", r"no period holds in month 1 on mon at 12:00"),
        ("site:", "owner: me\nsite:", "owner: no such field; known are assets, currency, dependencies, groups"),
        ("site:", "sites: []\nsite:", "site and sites stand side by side; keep one"),
        ("kind: load, id: cranes", "id: cranes", r"asset 3: kind = nothing: known are battery, ev_charger"),
        ("{kind: load, id: cranes, rated_load_kw: 9}", "cranes", "asset 3 = 'cranes': must be lines of 'name: value'"),
        (
            "{kind: load, id: cranes, rated_load_kw: 9}",
            "{kind: load, rated_load_kw: 9}",
            r"load '\?': id: is required",
        ),
        ("id: cranes", "id: NO", "load 'NO': id = 'NO': must be small letters, digits and single hyphens"),
        ("id: cranes", "id: 12", "load 12: id = 12: must be text; put it in quotes"),
    ],
)
def test_read_portfolio__message_names_file_thing_value_and_remedy(old, new, message, read):
    assert HARBOUR.count(old) == 1
    with pytest.raises(InvalidInput, match=message) as caught:
        read(HARBOUR.replace(old, new))
    assert "data/sites/harbour.yaml" in str(caught.value)


@pytest.mark.parametrize("assets", ["assets: battery", "assets: {b1: battery}"])
def test_read_portfolio__assets_are_no_list(assets, read):
    text = HARBOUR.split("assets:", maxsplit=1)[0] + assets
    with pytest.raises(InvalidInput, match=r"must be a list, each entry beginning with '- kind: \.\.\.'"):
        read(text)


def test_read_portfolio__no_assets(read):
    with pytest.raises(InvalidInput, match=r"harbour\.yaml: assets = "):
        read(HARBOUR.split("assets:", maxsplit=1)[0])


def test_portfolio__duplicate_sites():
    twice = portfolio(load(id="l1"), load(id="l2", site_id="other")).given()
    twice["sites"] = [twice["sites"][0], twice["sites"][0]]
    with pytest.raises(InvalidInput, match="two sites have the id 'site'"):
        Portfolio(**twice)


@pytest.mark.parametrize("status", ["inactive", "maintenance", "decommissioned"])
def test_active__other_assets_stay_out(status):
    whole = portfolio(load(), battery(status=status))
    assert [one.id for one in whole.active()] == ["load"]


def test_without__takes_all_of_a_kind():
    whole = portfolio(load(), battery(id="b1"), battery(id="b2"), grid(), solar())
    assert [one.id for one in whole.without("battery").assets] == ["load", "grid", "solar"]
    assert len(whole.assets) == 5


def test_portfolio__sites_of_the_repository_are_read(monkeypatch):
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("EMS_PROJECT", str(root))
    for path in sorted((root / "data/sites").glob("*.yaml")):
        whole = read_portfolio(path)
        assert whole.sites[0].id == path.stem
        assert Portfolio(**whole.as_json()) == whole
        assert re.fullmatch("[A-Z]{3}", whole.currency)
