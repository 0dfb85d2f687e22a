"""Random records of the register: built from the types and bounds of their fields, then made to keep their laws."""

from __future__ import annotations

import datetime as dt
import types
import typing
from typing import Any

import annotated_types
from hypothesis import strategies as st
from pydantic import StringConstraints
from pydantic.fields import FieldInfo
from register_lawful import lawful
from register_nested import MOMENTS, NESTED, demand_charges, nested_fields

from ems.assets.asset import Asset
from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import KINDS, AnyAsset, Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.errors import InvalidInput
from ems.record import Record, bounds_of
from ems.series.form import SeriesForm
from ems.tariffs.levies import Levy, Tax
from ems.tariffs.tariff import EnergyPeriod, Tariff

LARGEST = 1e9
HOSTILE = (
    "Häfen 🚢 'A' \"B\" 100 %_",
    "'; DROP TABLE assets; --",
    "<script>alert(1)</script>",
    "\u202eevil\u2066 שלום مرحبا",
    "=HYPERLINK(1)",
    "{{ 7 * 7 }} ${x} \\",
)
"""Names that mean something in SQL, LIKE, HTML, spreadsheets or templates, or turn the direction of writing."""

RESERVE_FORMS = (
    {},
    {"kind": "capacity"},
    {"kind": "ramp_limited", "price_per_kw_h": 0.02},
    {"direction": "down", "price_per_kw_h": 0.01},
)
"""Kinds of reserve that are allowed, with a direction and a price where they may have one."""

TARIFF_FIELDS = {
    "holiday_calendar": st.sampled_from(["DE", "DE-BY", None]),
    "levies": st.just((Levy(name="grid", rate_per_kwh=0.02, exempt_above_kwh_per_a=1e6),)),
    "taxes": st.just((Tax(name="VAT", share=0.19),)),
    "fixed_cost_per_month": st.floats(0, 100),
    "minimum_cost_per_a": st.floats(0, 1000),
}
TARIFF_FORMS = (
    {},
    {"periods": (), "price_series": True, "price_factor": 1.05, "surcharge_per_kwh": 0.01, "export_factor": 0.9},
    {"metering": "net_metering", "year_end_month": 3, "year_end_price_per_kwh": 0.04},
    {"contracted_kw": 80.0, "capacity_cost_per_kw_month": 2.5},
)
"""Fields of a tariff that belong together."""

_PLAIN = st.characters(exclude_categories=("Cc", "Cs"))
SLUGS = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4})?", fullmatch=True)
LINES = st.one_of(st.sampled_from(HOSTILE), st.text(_PLAIN, min_size=1, max_size=20).map(str.strip).filter(bool))
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.one_of(_PLAIN, st.sampled_from("\n\t")), max_size=20))
FLOATS = st.floats(-1e12, 1e12, allow_subnormal=False)
DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1))
METADATA = st.dictionaries(
    st.text(_PLAIN, min_size=1, max_size=8),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12), FLOATS, TEXTS),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(LINES, inner, max_size=2)),
        max_leaves=4,
    ),
    max_size=2,
)


def values_of(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    """Return values of a field by its type and bounds, None among them where it may be left empty."""
    if name == "metadata":
        return METADATA
    if name == "timezone":
        return st.sampled_from(["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])
    if name == "country":
        return st.sampled_from([None, "DE", "NL"])
    parts = typing.get_args(field.annotation) if _is_union(field.annotation) else (field.annotation,)
    kept = [part for part in parts if part is not type(None)]
    inner = field
    if len(kept) < len(parts):
        inner = FieldInfo.from_annotation(kept[0])
        inner.metadata = [*field.metadata, *inner.metadata]
    found = _values(inner)
    return st.one_of(st.none(), found) if len(kept) < len(parts) else found


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _values(field: FieldInfo) -> st.SearchStrategy[Any]:
    kind: Any = field.annotation
    bounds = bounds_of(field)
    simple = {bool: st.booleans(), dt.date: DAYS, dt.datetime: MOMENTS}
    if kind in simple:
        return simple[kind]
    if typing.get_origin(kind) is typing.Literal:
        return st.sampled_from(typing.get_args(kind))
    if kind is int:
        return st.integers(int(bounds.get("ge", 0)), int(bounds.get("le", 10**6)))
    if kind is float:
        low, high = bounds.get("gt", bounds.get("ge", -LARGEST)), bounds.get("lt", bounds.get("le", LARGEST))
        # Away from zero, so that products and squares of two values still are positive numbers.
        low = max(low, 1e-6) if "gt" in bounds else low
        return st.floats(low, high, exclude_max="lt" in bounds, allow_subnormal=False)
    assert kind is str, f"no values are known for {kind}"
    said = [one for one in field.metadata if isinstance(one, StringConstraints)]
    if any(one.pattern for one in said):
        return SLUGS
    shortest = [one for one in field.metadata if isinstance(one, annotated_types.MinLen)]
    return LINES if shortest or any(one.min_length for one in said) else TEXTS


def fields_of(record: type[Record], *, leave_out: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings of a record's fields: those required always, others now and then."""
    required, optional = {}, {}
    for name, field in record.model_fields.items():
        if name not in leave_out:
            (required if field.is_required() else optional)[name] = values_of(name, field)
    return st.fixed_dictionaries(required, optional=optional)


def made(record: type[Any], given: dict[str, Any]) -> Any:
    """Return a record, without those fields that its laws find fault with."""
    while True:
        try:
            return record(**given)
        except InvalidInput as error:
            said = " ".join(error.findings)
            blamed = [name for name in given if name in said and name != "id"]
            assert blamed, said
            given = {name: value for name, value in given.items() if name not in blamed}
            given = lawful(record, given)


@st.composite
def assets_of(draw: st.DrawFn, kind: str, asset_id: str = "a", site_id: str = "s") -> AnyAsset:
    """Return an asset of a kind."""
    record: type[Asset] = KINDS[kind]
    references = ("kind", "id", "site_id", "tariff_id", "battery_asset_id", *NESTED)
    needed = {
        name: draw(values_of(name, field))
        for name, field in record.model_fields.items()
        if field.is_required() and name not in references and name not in _derivable(record)
    }
    given = draw(fields_of(record, leave_out=(*references, *needed)))
    # What can follow from other fields is left to follow in half of the cases.
    following = [name for name in given if record.model_fields[name].is_required() and name in _derivable(record)]
    given = {name: value for name, value in given.items() if name not in following or draw(st.booleans())}
    given = {**needed, **given, "id": asset_id, "site_id": site_id}
    return made(record, draw(nested_fields(kind, lawful(record, given))))


def _derivable(record: type[Asset]) -> set[str]:
    return {name for name in record.derive({"id": "a"}) if name in record.model_fields}


@st.composite
def sites(draw: st.DrawFn, site_id: str = "s") -> Site:
    """Return a site."""
    return Site(**{**draw(fields_of(Site, leave_out=("id", "code"))), "id": site_id, "code": f"C-{site_id}"})


@st.composite
def tariffs(draw: st.DrawFn, tariff_id: str = "t") -> Tariff:
    """Return a tariff of two periods, or of the market's prices, with what may come on top."""
    peak = EnergyPeriod(
        name=draw(LINES), import_price_per_kwh=draw(st.floats(-1, 1)), from_time="07:30", until_time="20:00"
    )
    rest = EnergyPeriod(name=draw(LINES), import_price_per_kwh=draw(st.floats(-1, 1)), export_price_per_kwh=0.08)
    given = draw(st.fixed_dictionaries({}, optional=TARIFF_FIELDS)) | draw(st.sampled_from(TARIFF_FORMS))
    if draw(st.booleans()):
        given["demand_charges"] = (draw(demand_charges("peak", 0)),)
    return Tariff(**{"id": tariff_id, "name": draw(LINES), "periods": (peak, rest), **given})


@st.composite
def reserves_of(draw: st.DrawFn, reserve_id: str, providers: list[str]) -> ReserveRequirement:
    """Return a requirement of reserve that some assets may offer."""
    drawn_apart = ("id", "kind", "direction", "price_per_kw_h", "providers")
    given = draw(fields_of(ReserveRequirement, leave_out=drawn_apart)) | draw(st.sampled_from(RESERVE_FORMS))
    return ReserveRequirement(**{**given, "id": reserve_id, "providers": tuple(providers)})


@st.composite
def portfolios(draw: st.DrawFn, *, kinds: tuple[str, ...] | None = None) -> Portfolio:
    """Return a portfolio: sites, assets of some kinds, tariffs, nested groups, members, dependencies and reserves.

    Parameters
    ----------
    kinds : tuple of str, optional
        Kinds of its assets in order; some of all kinds where nothing is given.
    """
    site_ids = draw(st.lists(SLUGS, min_size=1, max_size=3, unique=True))
    tariff_ids = draw(st.lists(SLUGS, max_size=2, unique=True))
    chosen = kinds or draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    asset_ids = draw(st.lists(SLUGS, min_size=len(chosen), max_size=len(chosen), unique=True))
    assets = [
        draw(assets_of(kind, asset_id, draw(st.sampled_from(site_ids))))
        for kind, asset_id in zip(chosen, asset_ids, strict=True)
    ]
    batteries = [asset.id for asset in assets if asset.kind == "battery"]
    linked = []
    for asset in assets:
        changes: dict[str, Any] = {}
        if asset.kind == "solar_pv" and batteries:
            changes = {"has_battery_storage": True, "battery_asset_id": draw(st.sampled_from(batteries))}
        if asset.kind == "grid_connection" and tariff_ids:
            changes = {"tariff_id": draw(st.sampled_from(tariff_ids))}
            changes |= {"import_price_per_kwh": None, "export_price_per_kwh": None}
        linked.append(asset.replace(**changes))
    group_ids = draw(st.lists(SLUGS, max_size=3, unique=True))
    groups = []
    for place, group_id in enumerate(group_ids):
        given = draw(fields_of(Group, leave_out=("id", "site_id", "parent_group_id")))
        # Only later groups are parents: that is no circle, and a parent comes after what is in it.
        given["parent_group_id"] = draw(st.sampled_from([None, *group_ids[place + 1 :]]))
        groups.append(Group(**{**given, "id": group_id, "site_id": draw(st.sampled_from([None, *site_ids]))}))
    pairs = [(asset_id, group_id) for asset_id in asset_ids for group_id in group_ids]
    members = [
        GroupMember(
            **{**draw(fields_of(GroupMember, leave_out=("asset_id", "group_id"))), "asset_id": a, "group_id": g}
        )
        for a, g in (draw(st.lists(st.sampled_from(pairs), max_size=3, unique=True)) if pairs else [])
    ]
    others = [(a, b) for a in asset_ids for b in asset_ids if a != b]
    dependencies = [
        Dependency(
            **{
                **draw(fields_of(Dependency, leave_out=("asset_id", "depends_on_asset_id"))),
                "asset_id": a,
                "depends_on_asset_id": b,
            }
        )
        for a, b in (draw(st.lists(st.sampled_from(others), max_size=3, unique=True)) if others else [])
    ]
    reserves = [
        draw(reserves_of(one, draw(st.lists(st.sampled_from(asset_ids), max_size=2, unique=True))))
        for one in draw(st.lists(SLUGS, max_size=2, unique=True))
    ]
    return Portfolio(
        currency=draw(st.sampled_from(["EUR", "USD"])),
        sites=tuple(draw(sites(one)) for one in site_ids),
        assets=tuple(linked),
        tariffs=tuple(draw(tariffs(one)) for one in tariff_ids),
        groups=tuple(groups),
        members=tuple(members),
        dependencies=tuple(dependencies),
        reserves=tuple(reserves),
        series=draw(st.sampled_from([SeriesForm(), SeriesForm(separator=";", decimal=",")])),
    )
