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

from ems.assets.asset import Asset
from ems.assets.ev_charger import ChargingSession
from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import KINDS, AnyAsset, Portfolio, Site
from ems.errors import InvalidInput
from ems.record import Record, bounds_of
from ems.series.form import SeriesForm
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

_PLAIN = st.characters(exclude_categories=("Cc", "Cs"))
SLUGS = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4})?", fullmatch=True)
LINES = st.one_of(st.sampled_from(HOSTILE), st.text(_PLAIN, min_size=1, max_size=20).map(str.strip).filter(bool))
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.one_of(_PLAIN, st.sampled_from("\n\t")), max_size=20))
FLOATS = st.floats(-1e12, 1e12, allow_subnormal=False)
DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1))
MOMENTS = st.datetimes(
    dt.datetime(2000, 1, 1),
    dt.datetime(2090, 1, 1),
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=2))]),
)
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


def lawful(record: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return fields with those filled in that a record needs and that keep its laws."""
    kind = record.model_fields["kind"].default if "kind" in record.model_fields else ""
    given = dict(given)
    if kind == "battery":
        given.setdefault("capacity_kwh", 100.0)
        # One efficiency states the others; usable capacity is a part.
        for name in ("charge_efficiency", "discharge_efficiency"):
            given.pop(name, None)
        if "usable_capacity_kwh" in given:
            given["usable_capacity_kwh"] = min(given["usable_capacity_kwh"], given["capacity_kwh"])
        low, high = sorted((given.get("min_soc", 0.1), given.get("max_soc", 0.9)))
        if low == high:
            low, high = 0.1, 0.9
        given |= {"min_soc": low, "max_soc": high, "initial_soc": min(max(given.get("initial_soc", 0.5), low), high)}
        if "target_soc" in given:
            given["target_soc"] = min(max(given["target_soc"], low), high)
    if kind == "generator":
        given.setdefault("max_output_kw", 50.0)
        given.setdefault("fuel_cost_per_kwh", 0.3)
        given["min_output_kw"] = min(given.get("min_output_kw", 0.0), given["max_output_kw"])
    if kind == "load":
        given.setdefault("rated_load_kw", 10.0)
        given["is_sheddable"] = given.get("interruption_cost_per_kwh") is not None
        given["is_critical"] = False if given["is_sheddable"] else given.get("is_critical", False)
    if kind == "wind_turbine":
        given |= {
            "cut_in_wind_speed_m_per_s": 3.0,
            "rated_wind_speed_m_per_s": 12.5,
            "cut_out_wind_speed_m_per_s": 25.0,
            "survival_wind_speed_m_per_s": 59.5,
        }
    return given


@st.composite
def assets_of(draw: st.DrawFn, kind: str, asset_id: str = "a", site_id: str = "s") -> AnyAsset:
    """Return an asset of a kind."""
    record: type[Asset] = KINDS[kind]
    references = ("kind", "id", "site_id", "tariff_id", "battery_asset_id", "sessions")
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
    if kind == "ev_charger" and draw(st.booleans()):
        given |= {"sessions": draw(_sessions()), "number_of_ports": 3}
        given.pop("max_session_duration_min", None)
    return made(record, lawful(record, given))


def _derivable(record: type[Asset]) -> set[str]:
    return {name for name in record.derive({"id": "a"}) if name in record.model_fields}


@st.composite
def _sessions(draw: st.DrawFn) -> tuple[ChargingSession, ...]:
    begin = draw(MOMENTS)
    hours = draw(st.lists(st.integers(1, 9), max_size=3))
    return tuple(
        ChargingSession(arrival=begin, departure=begin + dt.timedelta(hours=one), energy_kwh=one * 1.5)
        for one in hours
    )


@st.composite
def sites(draw: st.DrawFn, site_id: str = "s") -> Site:
    """Return a site."""
    return Site(**{**draw(fields_of(Site, leave_out=("id", "code"))), "id": site_id, "code": f"C-{site_id}"})


@st.composite
def tariffs(draw: st.DrawFn, tariff_id: str = "t") -> Tariff:
    """Return a tariff of two periods."""
    peak = EnergyPeriod(
        name=draw(LINES), import_price_per_kwh=draw(st.floats(-1, 1)), from_time="07:30", until_time="20:00"
    )
    rest = EnergyPeriod(name=draw(LINES), import_price_per_kwh=draw(st.floats(-1, 1)), export_price_per_kwh=0.08)
    return Tariff(id=tariff_id, name=draw(LINES), periods=(peak, rest))


@st.composite
def portfolios(draw: st.DrawFn, *, kinds: tuple[str, ...] | None = None) -> Portfolio:
    """Return a portfolio: sites, assets of some kinds, tariffs, nested groups, members and dependencies.

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
    return Portfolio(
        currency=draw(st.sampled_from(["EUR", "USD"])),
        sites=tuple(draw(sites(one)) for one in site_ids),
        assets=tuple(linked),
        tariffs=tuple(draw(tariffs(one)) for one in tariff_ids),
        groups=tuple(groups),
        members=tuple(members),
        dependencies=tuple(dependencies),
        series=draw(st.sampled_from([SeriesForm(), SeriesForm(separator=";", decimal=",")])),
    )
