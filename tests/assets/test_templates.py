"""Templates of typical equipment: each makes an asset, and each figure has its source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ems.assets.portfolio import KINDS
from ems.assets.templates import FOLDER, find_template, list_templates, new_from_template
from ems.errors import InvalidInput, UnknownName
from ems.folders import is_slug
from ems.unit_traps import megawatt_hints

ROOT = Path(__file__).resolve().parents[2]
ALL = list_templates()
ANSWERS = {"fuel_cost_per_l": 1.5, "fuel_cost_per_kwh": 0.3, "rated_load_kw": 300}


@pytest.mark.parametrize("kind", KINDS)
def test_list_templates__at_least_two_of_each_kind(kind):
    assert len([one for one in ALL if one.kind == kind]) >= 2
    assert list_templates(kind) == tuple(one for one in ALL if one.kind == kind)


@pytest.mark.parametrize("template", ALL, ids=lambda one: one.name)
def test_new_from_template__makes_an_asset(template):
    answers = {name: ANSWERS[name] for name in template.ask}

    asset = new_from_template(template.kind, template.name, "new-1", site_id="harbour", **answers)

    assert (asset.kind, asset.id, asset.site_id) == (template.kind, "new-1", "harbour")
    assert asset.given().items() >= template.fields.items()
    assert megawatt_hints(asset.kind, asset.given()) == []


@pytest.mark.parametrize("template", ALL, ids=lambda one: one.name)
def test_template__is_named_and_has_sources(template):
    assert is_slug(template.name)
    assert template.title
    assert template.sources
    assert set(template.ask) <= set(KINDS[template.kind].model_fields)
    money = [name for name in template.fields if re.search(r"cost|price|fee", name)]
    assert money == []  # a price belongs to a country and a year


@pytest.mark.parametrize("template", ALL, ids=lambda one: one.name)
def test_template__holds_nothing_else(template):
    """A misspelt part of a file would be lost without a word."""
    text = (FOLDER / template.kind / f"{template.name}.yaml").read_text()

    assert set(re.findall(r"^(\w+):", text, re.MULTILINE)) <= {"title", "sources", "asset", "ask"}


def test_new_from_template__changes_win():
    asset = new_from_template("battery", "bess-lfp-100kw", "b", site_id="s", capacity_kwh=300, name="Große")

    assert (asset.capacity_kwh, asset.max_charge_kw, asset.name) == (300, 100, "Große")


def test_new_from_template__asks_for_what_it_cannot_know():
    with pytest.raises(InvalidInput, match=r"template 'diesel-100kw': fuel_cost_per_l: price of a litre of diesel"):
        new_from_template("generator", "diesel-100kw", "g", site_id="s")


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("battery", "bess-lfp-100kwh", r"battery has no such template; did you mean bess-lfp-100kw\?"),
        ("batery", "x", r"there is no such kind of asset; did you mean battery\?"),
    ],
)
def test_find_template__unknown(kind, name, message):
    with pytest.raises(UnknownName, match=message):
        find_template(kind, name)


def test_new_from_template__field_that_is_not_known():
    with pytest.raises(InvalidInput, match=r"did you mean capacity_kwh\?"):
        new_from_template("battery", "powerwall-2", "b", site_id="s", capacity=3)


def test_templates__belong_to_the_package():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["ems"]

    assert "**/*.yaml" in patterns
