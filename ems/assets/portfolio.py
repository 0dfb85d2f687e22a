"""Site and Portfolio: assets together, as one file or the register states them."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Dependency, Group, GroupMember, nesting_cycle
from ems.assets.load import Load
from ems.assets.reserve import ReserveRequirement, reserves_among
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.display import MOST_ROWS, Card, counted, field_words, shown_value
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import shown_path
from ems.record import FromList, Metadata, Name, NonNegative, Record, Slug, Text
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


_IN_OTHER_COLUMNS = ("id", "name", "kind", "site_id")


@cache
def _timezones() -> frozenset[str]:
    """Return the names of all time zones; each look for them goes through hundreds of files."""
    return frozenset(available_timezones())


def _known_timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError(f"no time zone of that name; {did_you_mean(name, _timezones())}")
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
    """Id of the site. Acts in everything."""
    name: Name
    """What people call it; the id where nothing is given. Acts in reports."""
    code: Name | None = None
    """Short code that its owner uses; no two sites share one. Acts in the search of texts."""
    timezone: Timezone
    """IANA name of its time zone, as in Europe/Berlin. Acts in tariffs, calendars and axes, by its local time."""
    country: Country | None = None
    """ISO 3166 code of the country. Acts in forecasts, by its holidays, and reports."""
    address: Text | None = None
    """Street and number. Acts in the search of texts."""
    city: Name | None = None
    """Town. Acts in the search of texts."""
    state_province: Name | None = None
    """State or province. Acts in the search of texts, and with its code in the holidays of forecasts."""
    postal_code: Name | None = None
    """Postal code. Acts in the search of texts."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Degrees north of the equator. Acts in forecasts and the map."""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Degrees east of Greenwich. Acts in forecasts and the map."""
    site_type: Literal["commercial", "industrial", "residential", "utility"] | None = None
    """Who uses the site. Acts in filters."""
    total_capacity_kw: NonNegative | None = None
    """Power of all its generation, as its owner states it. Acts in reports."""
    status: Literal["active", "inactive", "maintenance", "decommissioned"] = "active"
    """Whether it is in use. Acts in filters and reports."""
    description: Text = ""
    """What the site is. Acts in reports."""
    spill_cost_per_kwh: NonNegative | None = None
    """Cost of power that is thrown away at the bus; none may be where nothing is given. Acts in dispatch and
    settlement."""
    unserved_cost_per_kwh: NonNegative | None = None
    """Value of a kWh that the bus lacks, whatever it is for; nothing may lack where nothing is given. Acts in dispatch
    and settlement."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

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
    groups: Annotated[tuple[Group, ...], FromList] = ()
    """Groups of assets."""
    members: Annotated[tuple[GroupMember, ...], FromList] = ()
    """Which asset is in which group."""
    dependencies: Annotated[tuple[Dependency, ...], FromList] = ()
    """What depends on what."""
    reserves: Annotated[tuple[ReserveRequirement, ...], FromList] = ()
    """Reserve that must stand ready beside the schedule."""
    series: SeriesForm = SeriesForm()
    """How the columns of a file of series belong to the assets."""

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Portfolio:
        for what, records in (
            ("site", self.sites),
            ("asset", self.assets),
            ("tariff", self.tariffs),
            ("group", self.groups),
            ("reserve", self.reserves),
        ):
            ids = [record.id for record in records]
            twice = {one for one in ids if ids.count(one) > 1} if len(set(ids)) < len(ids) else set()
            if twice:
                raise ValueError(f"two {what}s have the id {show(min(twice))}; ids are unique")
        known = {
            "site": {site.id for site in self.sites},
            "asset": {asset.id for asset in self.assets},
            "tariff": {tariff.id for tariff in self.tariffs},
            "group": {group.id for group in self.groups},
        }
        for owner, field, what, wanted in self._references():
            if wanted is not None and wanted not in known[what]:
                raise ValueError(f"{owner}: {field} = '{wanted}': no such {what}; {did_you_mean(wanted, known[what])}")
        codes = [site.code for site in self.sites if site.code is not None]
        if len(set(codes)) < len(codes):
            raise ValueError(f"two sites have the code {show(max(codes, key=codes.count))}; codes are unique")
        circle = nesting_cycle({group.id: group.parent_group_id for group in self.groups})
        if circle:
            raise ValueError(f"groups are nested in a circle: {' in '.join(circle)}")
        return self

    def _references(self) -> Iterator[tuple[str, str, str, str | None]]:
        """Give who refers, the field, what kind of thing it means, and its id."""
        for asset in self.assets:
            owner = f"{asset.kind} '{asset.id}'"
            yield owner, "site_id", "site", asset.site_id
            if isinstance(asset, GridConnection):
                yield owner, "tariff_id", "tariff", asset.tariff_id
            if isinstance(asset, SolarPV):
                yield owner, "battery_asset_id", "asset", asset.battery_asset_id
        for group in self.groups:
            yield f"group '{group.id}'", "site_id", "site", group.site_id
            yield f"group '{group.id}'", "parent_group_id", "group", group.parent_group_id
        for member in self.members:
            yield f"member '{member.asset_id}'", "asset_id", "asset", member.asset_id
            yield f"member '{member.asset_id}'", "group_id", "group", member.group_id
        for reserve in self.reserves:
            for provider in reserve.providers:
                yield f"reserve '{reserve.id}'", "providers", "asset", provider
        for dependency in self.dependencies:
            yield f"dependency of '{dependency.asset_id}'", "asset_id", "asset", dependency.asset_id
            owner = f"dependency of '{dependency.asset_id}'"
            yield owner, "depends_on_asset_id", "asset", dependency.depends_on_asset_id

    def site(self, site_id: str) -> Site:
        """Return the site of an id."""
        return next(site for site in self.sites if site.id == site_id)

    def tariff(self, tariff_id: str) -> Tariff:
        """Return the tariff of an id."""
        return next(tariff for tariff in self.tariffs if tariff.id == tariff_id)

    def active(self) -> tuple[AnyAsset, ...]:
        """Return the assets that take part in a dispatch: those in use at a site in use."""
        in_use = {site.id for site in self.sites if site.status == "active"}
        return tuple(asset for asset in self.assets if asset.status == "active" and asset.site_id in in_use)

    def _caption(self) -> str:
        there = f"{counted(len(self.assets), 'asset')} at {counted(len(self.sites), 'site')}"
        return f"Portfolio of {there}, in {self.currency}"

    def card(self) -> Card:
        """Return the first assets with what was stated of each, and how many there are of each kind."""
        counts = Counter(asset.kind.replace("_", " ") for asset in self.assets)
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in counts.most_common())
        more = len(self.assets) - MOST_ROWS
        return Card(
            f"{self._caption()}: {kinds}",
            [
                (asset.name, asset.kind.replace("_", " "), asset.site_id, self._as_given(asset))
                for asset in self.assets[:MOST_ROWS]
            ],
            columns=("asset", "kind", "site", "as given"),
            rest=f"and {counted(more, 'more asset')}" if more > 0 else "",
        )

    def _as_given(self, asset: AnyAsset) -> str:
        given = {name: value for name, value in asset.given().items() if name not in _IN_OTHER_COLUMNS}
        return ", ".join(
            f"{field_words(name)} {shown_value(value, name, self.currency)}" for name, value in given.items()
        )

    def __repr__(self) -> str:
        return f"<{self._caption()}>"

    def __str__(self) -> str:
        return self.card().as_text()

    def without(self, kind: str) -> Portfolio:
        """Return the portfolio as if it had no asset of a kind, and nothing that refers to one."""
        gone = {asset.id for asset in self.assets if asset.kind == kind}
        kept = [asset for asset in self.assets if asset.id not in gone]
        return self.replace(
            assets=tuple(
                asset.replace(battery_asset_id=None) if getattr(asset, "battery_asset_id", None) in gone else asset
                for asset in kept
            ),
            members=tuple(member for member in self.members if member.asset_id not in gone),
            dependencies=tuple(one for one in self.dependencies if not {one.asset_id, one.depends_on_asset_id} & gone),
            reserves=reserves_among(self.reserves, {asset.id for asset in kept}),
        )


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
    return portfolio_of(read_yaml(path, where), where)


def portfolio_of(stated: Mapping[str, Any], where: str) -> Portfolio:
    """Return the portfolio that a mapping states as a site file does.

    Parameters
    ----------
    stated : mapping
    where : str
        The file or text it came from, for messages.

    Raises
    ------
    InvalidInput
        If any record in it cannot be used; names every asset with its findings at once.
    """
    given = dict(stated)
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
