"""Site and Portfolio: assets together, as one file or the register states them."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import shown_path
from ems.record import FromList, Name, Record, Slug, Text
from ems.series.form import SeriesForm
from ems.tariffs.tariff import Tariff
from ems.yaml_text import read_yaml

KINDS: dict[str, type[Asset]] = {
    kind.model_fields["kind"].default: kind
    for kind in (Battery, EvCharger, Generator, GridConnection, Load, SolarPV, WindTurbine)
}
"""The seven kinds of assets by the word that tells them apart."""

AnyAsset = Annotated[
    Battery | EvCharger | Generator | GridConnection | Load | SolarPV | WindTurbine, Field(discriminator="kind")
]


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"no time zone of that name; {did_you_mean(name, available_timezones())}")
    return name


def _capitals(count: int, example: str) -> Callable[[str], str]:
    """Return a check that a code has so many capital letters."""

    def check(code: str) -> str:
        if len(code) != count or any(letter not in string.ascii_uppercase for letter in code):
            raise ValueError(f"must be {count} capital letters, as in {example}")
        return code

    return check


Timezone = Annotated[str, AfterValidator(_known_timezone)]
Currency = Annotated[str, AfterValidator(_capitals(3, "EUR"))]
Country = Annotated[str, AfterValidator(_capitals(2, "DE"))]


class Site(Record):
    """A place with one power bus."""

    id: Slug
    """Id of the site."""
    name: Name
    """What people call it; the id where nothing is given."""
    timezone: Timezone
    """IANA name of its time zone, as in Europe/Berlin; tariffs, calendars and axes use its local time."""
    country: Country | None = None
    """ISO 3166 code of the country; shown in the report."""
    description: Text = ""
    """What the site is; shown in the report."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id as the name, where no name is given."""
        return {"name": given["id"]} if "name" not in given and "id" in given else {}


class Portfolio(Record):
    """Sites and assets that are planned together, with their tariffs and currency."""

    currency: Currency
    """ISO 4217 code of the currency of every price and cost."""
    sites: Annotated[tuple[Site, ...], FromList, Field(min_length=1)]
    """Sites, each with one power bus."""
    assets: Annotated[tuple[AnyAsset, ...], FromList, Field(min_length=1)]
    """Assets of all sites."""
    tariffs: Annotated[tuple[Tariff, ...], FromList] = ()
    """Tariffs that grid connections refer to."""
    series: SeriesForm = SeriesForm()
    """How the columns of a file of series belong to the assets."""

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Portfolio:
        for what, records in (("site", self.sites), ("asset", self.assets), ("tariff", self.tariffs)):
            ids = [record.id for record in records]
            twice = {one for one in ids if ids.count(one) > 1} if len(set(ids)) < len(ids) else set()
            if twice:
                raise ValueError(f"two {what}s have the id {show(min(twice))}; ids are unique")
        sites, tariffs = {site.id for site in self.sites}, {tariff.id for tariff in self.tariffs}
        for asset in self.assets:
            if asset.site_id not in sites:
                hint = did_you_mean(asset.site_id, sites)
                raise ValueError(f"{asset.kind} '{asset.id}': site_id = '{asset.site_id}': no such site; {hint}")
            if isinstance(asset, GridConnection) and asset.tariff_id is not None and asset.tariff_id not in tariffs:
                hint = did_you_mean(asset.tariff_id, tariffs)
                raise ValueError(f"{asset.kind} '{asset.id}': tariff_id = '{asset.tariff_id}': no such tariff; {hint}")
        return self

    def site(self, site_id: str) -> Site:
        """Return the site of an id."""
        return next(site for site in self.sites if site.id == site_id)

    def tariff(self, tariff_id: str) -> Tariff:
        """Return the tariff of an id."""
        return next(tariff for tariff in self.tariffs if tariff.id == tariff_id)

    def active(self) -> tuple[AnyAsset, ...]:
        """Return the assets that take part in a dispatch."""
        return tuple(asset for asset in self.assets if asset.status == "active")

    def without(self, kind: str) -> Portfolio:
        """Return the portfolio as if it had no asset of a kind."""
        return self.replace(assets=tuple(asset for asset in self.assets if asset.kind != kind))


def read_portfolio(path: Path) -> Portfolio:
    """Return the portfolio that a site file states.

    Parameters
    ----------
    path : Path
        YAML with ``currency``, ``site`` (or a list ``sites``), ``assets``, and where needed ``tariffs`` and
        ``series``.

    Raises
    ------
    InvalidInput
        If the file or any record in it cannot be used; names every asset with its findings at once.
    """
    where = shown_path(path)
    given = read_yaml(path, where)
    if "site" in given:
        if "sites" in given:
            raise InvalidInput(where, "site and sites stand side by side; keep one")
        given["sites"] = [given.pop("site")]
    given["assets"], findings = _assets_of(given)
    if findings:
        raise InvalidInput(f"the assets in {where}", findings)
    return Portfolio.from_mapping(given, where)


def _assets_of(given: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """Return the assets of a mapping and the findings on them, each asset checked by its own kind."""
    sites = given.get("sites")
    only_site = (
        sites[0].get("id") if isinstance(sites, list) and len(sites) == 1 and isinstance(sites[0], dict) else None
    )
    entries = given.get("assets", [])
    if not isinstance(entries, list):
        return [], [f"assets = {show(entries)}: must be a list, each entry beginning with '- kind: ...'"]
    assets: list[Any] = []
    findings: list[str] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            findings.append(f"asset {number} = {show(entry)}: must be lines of 'name: value'")
            continue
        kind = KINDS.get(str(entry.get("kind")))
        if kind is None:
            findings.append(
                f"asset {number}: kind = {show(entry.get('kind'))}: {did_you_mean(str(entry.get('kind')), KINDS)}"
            )
            continue
        filled = {"site_id": only_site, **entry} if only_site is not None else entry
        try:
            assets.append(kind(**{str(name): value for name, value in filled.items()}))
        except InvalidInput as error:
            findings += [f"{error.subject}: {finding}" for finding in error.findings]
    return assets, findings
