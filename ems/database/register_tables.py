"""Tables of the asset register: derived from the records of `ems.assets`, with the laws between their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AfterValidator

from ems.assets.asset import Asset
from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.operation import AssetStatus, MaintenanceRecord, Performance
from ems.assets.portfolio import KINDS, Currency, Site
from ems.assets.reserve import ReserveRequirement
from ems.database.audit import audit_columns, function_statements, trigger_statement
from ems.database.history import CHANGES
from ems.database.tables import METADATA, JsonDocument, table_of
from ems.folders import LONGEST_SLUG
from ems.record import Record, Slug
from ems.series.form import SeriesForm
from ems.tariffs.tariff import Tariff

DEFAULT_PORTFOLIO = "default"


def _only_default(name: str) -> str:
    assert name == DEFAULT_PORTFOLIO, "a database holds one portfolio"
    return name


class PortfolioSettings(Record):
    """What holds for the whole portfolio of a database."""

    id: Annotated[Slug, AfterValidator(_only_default)] = DEFAULT_PORTFOLIO
    """Always default: a database holds one portfolio."""
    currency: Currency
    """ISO 4217 code of the currency of every price and cost."""
    series: SeriesForm = SeriesForm()
    """How the columns of a file of series belong to the assets."""


SPEC_LAWS: Mapping[str, Mapping[str, str]] = {
    "battery": {
        "usable_order": "usable_capacity_kwh <= capacity_kwh",
        "soc_order": "min_soc < max_soc",
        "initial_soc_order": "initial_soc BETWEEN min_soc AND max_soc",
        "target_soc_order": "target_soc BETWEEN min_soc AND max_soc",
        "temperature_order": "operating_temp_min_degc < operating_temp_max_degc",
        # A hair above the records' own tolerance, so that rounding never refuses what a record allows.
        "efficiency_product": "abs(charge_efficiency * discharge_efficiency - round_trip_efficiency) <= 0.005001",
        "power_given": "rated_power_kw > 0 AND (max_charge_kw > 0 OR max_discharge_kw > 0)",
        "worth_of_rest": "final_energy_value_per_kwh IS NULL OR final_soc_rule IN ('at_least', 'free')",
        "one_price_of_wear": "cycle_depth_segments = 0 OR (degradation_cost_per_kwh = 0 AND capital_cost IS NOT NULL)",
    },
    "ev_charger": {
        "giving_waits": "smart_charging_capable OR NOT v2g_capable",
        "current_is_power": "min_current_ampere IS NULL OR max_current_ampere IS NOT NULL OR voltage_v IS NOT NULL",
        # A hair above the records' own tolerance, here as for batteries.
        "charge_order": "min_charge_kw <= max_power_kw * 1.000000002",
    },
    "generator": {
        "output_order": "min_output_kw <= max_output_kw",
        "tank_use": "fuel_tank_capacity_l IS NULL OR fuel_consumption_l_per_kwh IS NOT NULL",
        "startup_order": "min_output_kw <= max_startup_kw",
        "shutdown_order": "min_output_kw <= max_shutdown_kw",
        "output_before": "initial_is_on OR NOT is_committable OR coalesce(initial_output_kw, 0) = 0",
    },
    "grid_connection": {
        "one_price": "tariff_id IS NULL OR (import_price_per_kwh IS NULL AND export_price_per_kwh IS NULL)",
        "power_factor_order": "abs(min_power_factor) <= abs(max_power_factor)",
    },
    "load": {
        "power_order": "min_load_kw <= peak_load_kw",
        "critical_is_served": "NOT (is_critical AND is_sheddable)",
        "shedding_price": "is_sheddable = (interruption_cost_per_kwh IS NOT NULL)",
        "one_use": "shiftable IS NULL OR thermal IS NULL",
        "shed_of_profile": "NOT is_sheddable OR (shiftable IS NULL AND thermal IS NULL)",
        "recovery_of_shed": "is_sheddable OR recovered_share = 0",
        "recovery_time": "recovery_h IS NULL OR recovered_share > 0",
    },
    "solar_pv": {"battery_is_named": "battery_asset_id IS NULL OR has_battery_storage"},
    "wind_turbine": {
        "cut_in_order": "cut_in_wind_speed_m_per_s < rated_wind_speed_m_per_s",
        "cut_out_order": "rated_wind_speed_m_per_s < cut_out_wind_speed_m_per_s",
        "survival_order": "cut_out_wind_speed_m_per_s <= survival_wind_speed_m_per_s",
    },
}
"""Laws between the fields of a kind, as its record states them."""

SPEC_INDICES: Mapping[str, Sequence[str]] = {
    "battery": ("chemistry",),
    "generator": ("generator_type",),
    "grid_connection": ("tariff_id",),
    "solar_pv": ("battery_asset_id",),
}

COMMON = tuple(Asset.model_fields)
"""Fields of all kinds, which stand in the table of assets."""


def _position() -> sa.Column[Any]:
    return sa.Column(
        "position", sa.BigInteger(), nullable=False, server_default="0", comment="Place in the order of entry."
    )


def _stated() -> sa.Column[Any]:
    return sa.Column(
        "stated",
        JsonDocument(),
        nullable=True,
        comment="Fields that were stated, where others follow from them; empty where all were.",
    )


def _refer(table: sa.Table, columns: str | Sequence[str], parent: sa.Table, *, on_delete: str = "RESTRICT") -> None:
    """Let columns of a table refer to another one's row, which then cannot go, or takes this row along."""
    own = [columns] if isinstance(columns, str) else list(columns)
    there = ["id", "kind"][: len(own)]
    goals = [f"{parent.name}.{column}" for column in there]
    table.append_constraint(sa.ForeignKeyConstraint(own, goals, ondelete=on_delete))


def _register_table(
    record: type[Record],
    name: str,
    *,
    primary_key: str | Sequence[str],
    in_order: bool = False,
    indices: Iterable[str | Sequence[str]] = (),
    checks: Mapping[str, str] | None = None,
    before: Sequence[sa.Column[Any]] = (),
    exclude: Iterable[str] = (),
) -> sa.Table:
    derives = record.derive.__func__ is not Record.derive.__func__  # type: ignore[attr-defined]
    is_spec = issubclass(record, Asset) and record is not Asset
    return table_of(
        record,
        name,
        primary_key=primary_key,
        indices=[*indices, "position"] if in_order else indices,
        checks=checks,
        before=before,
        after=[
            *([_stated()] if derives and not is_spec else []),
            *([_position()] if in_order else []),
            *audit_columns(),
        ],
        exclude=exclude,
    )


def _choice(column: str, choices: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(one) for one in choices)})"


PORTFOLIOS = _register_table(
    PortfolioSettings,
    "portfolios",
    primary_key="id",
    checks={"one": f"id = '{DEFAULT_PORTFOLIO}'", "currency_length": "length(currency) = 3"},
)
SITES = _register_table(Site, "sites", primary_key="id", in_order=True, indices=(("name", "id"),))
SITES.append_constraint(sa.UniqueConstraint("code"))
TARIFFS = _register_table(Tariff, "tariffs", primary_key="id", in_order=True)

# Lists are read in the order of names, all of them or those of one kind, site or status.
ASSETS = _register_table(
    Asset,
    "assets",
    primary_key="id",
    in_order=True,
    indices=(("name", "id"), ("kind", "name", "id"), ("site_id", "name", "id"), ("status", "name", "id")),
    checks={"kind_choice": _choice("kind", KINDS)},
)
ASSETS.append_constraint(sa.UniqueConstraint("id", "kind"))
_refer(ASSETS, "site_id", SITES)


def _spec_table(kind: str, record: type[Asset]) -> sa.Table:
    table = _register_table(
        record,
        f"{kind}_specs",
        primary_key="asset_id",
        indices=SPEC_INDICES.get(kind, ()),
        checks={"kind_choice": f"kind = '{kind}'", **SPEC_LAWS[kind]},
        before=[
            sa.Column("asset_id", sa.String(LONGEST_SLUG), nullable=False, comment="Asset."),
            sa.Column("kind", sa.Text(), nullable=False, server_default=kind, comment="Kind of the asset."),
        ],
        exclude=COMMON,
    )
    _refer(table, ("asset_id", "kind"), ASSETS, on_delete="CASCADE")
    return table


SPECS = {kind: _spec_table(kind, record) for kind, record in KINDS.items()}
"""One table a kind: a row's kind is that of its asset."""
_refer(SPECS["grid_connection"], "tariff_id", TARIFFS)
_refer(SPECS["solar_pv"], "battery_asset_id", ASSETS)

GROUPS = _register_table(
    Group,
    "asset_groups",
    primary_key="id",
    in_order=True,
    indices=("site_id", "parent_group_id"),
    checks={"not_its_own_parent": "parent_group_id <> id"},
)
_refer(GROUPS, "site_id", SITES)
# Looked at when a transaction ends, so that groups can be entered in any order.
GROUPS.append_constraint(
    sa.ForeignKeyConstraint(["parent_group_id"], ["asset_groups.id"], deferrable=True, initially="DEFERRED")
)

MEMBERS = _register_table(
    GroupMember, "asset_group_members", primary_key=("asset_id", "group_id"), in_order=True, indices=("group_id",)
)
_refer(MEMBERS, "asset_id", ASSETS, on_delete="CASCADE")
_refer(MEMBERS, "group_id", GROUPS, on_delete="CASCADE")

DEPENDENCIES = _register_table(
    Dependency,
    "asset_dependencies",
    primary_key=("asset_id", "depends_on_asset_id", "dependency_type"),
    in_order=True,
    indices=("depends_on_asset_id",),
    checks={"not_on_itself": "asset_id <> depends_on_asset_id"},
)
_refer(DEPENDENCIES, "asset_id", ASSETS, on_delete="CASCADE")
_refer(DEPENDENCIES, "depends_on_asset_id", ASSETS)

RESERVES = _register_table(
    ReserveRequirement,
    "reserve_requirements",
    primary_key="id",
    in_order=True,
    checks={
        "down_is_headroom": "direction = 'up' OR kind = 'headroom'",
        "capacity_has_no_price": "kind <> 'capacity' OR price_per_kw_h = 0",
    },
)

_ALARM_LAW = {"alarm_has_level": "alarm_message IS NULL OR alarm_message = '' OR alarm_level <> 'none'"}
STATUS = _register_table(
    AssetStatus, "asset_status", primary_key="asset_id", indices=("alarm_level",), checks=_ALARM_LAW
)
STATUS_HISTORY = table_of(
    AssetStatus, "asset_status_history", primary_key=("asset_id", "reported_at"), checks=_ALARM_LAW
)
MAINTENANCE = _register_table(
    MaintenanceRecord,
    "maintenance_records",
    primary_key="id",
    indices=("asset_id", ("status", "scheduled_date")),
    checks={
        "completed_has_date": "(status = 'completed') = (completed_date IS NOT NULL)",
        "planned_has_date": "status NOT IN ('scheduled', 'overdue') OR scheduled_date IS NOT NULL",
        "next_order": "next_maintenance_date > coalesce(completed_date, scheduled_date)",
    },
)
PERFORMANCE = _register_table(
    Performance,
    "asset_performance",
    primary_key="id",
    indices=(("asset_id", "period_start"),),
    checks={"period_order": "period_end > period_start"},
)
for _table in (STATUS, STATUS_HISTORY, MAINTENANCE, PERFORMANCE):
    _refer(_table, "asset_id", ASSETS, on_delete="CASCADE")

AUDITED = tuple(table for table in METADATA.tables.values() if "updated_by" in table.c)
"""The tables with audit columns and the trigger that keeps them."""

OVERVIEW_VIEW = """\
CREATE VIEW assets_overview AS
SELECT
    assets.id,
    assets.kind,
    assets.name,
    assets.location,
    assets.status,
    assets.site_id,
    sites.name AS site_name,
    CASE assets.kind
        WHEN 'battery' THEN battery.capacity_kwh
        WHEN 'ev_charger' THEN charger.max_power_kw
            * CASE WHEN charger.simultaneous_charging THEN charger.number_of_ports ELSE 1 END
        WHEN 'generator' THEN generator.rated_capacity_kw
        WHEN 'grid_connection' THEN grid.max_import_kw
        WHEN 'load' THEN load.rated_load_kw
        WHEN 'solar_pv' THEN solar.rated_capacity_kw
        WHEN 'wind_turbine' THEN wind.rated_capacity_kw
    END AS capacity,
    CASE assets.kind WHEN 'battery' THEN 'kWh' ELSE 'kW' END AS capacity_unit,
    asset_status.operational_status,
    asset_status.online,
    assets.created_at
FROM assets
JOIN sites ON sites.id = assets.site_id
LEFT JOIN battery_specs AS battery ON battery.asset_id = assets.id
LEFT JOIN ev_charger_specs AS charger ON charger.asset_id = assets.id
LEFT JOIN generator_specs AS generator ON generator.asset_id = assets.id
LEFT JOIN grid_connection_specs AS grid ON grid.asset_id = assets.id
LEFT JOIN load_specs AS load ON load.asset_id = assets.id
LEFT JOIN solar_pv_specs AS solar ON solar.asset_id = assets.id
LEFT JOIN wind_turbine_specs AS wind ON wind.asset_id = assets.id
LEFT JOIN asset_status ON asset_status.asset_id = assets.id
"""
"""One row an asset: its capacity in kWh for a battery, in kW for all others, and its last reported status."""

_CHARGER = SPECS["ev_charger"].c
RATINGS: Mapping[str, sa.ColumnElement[Any]] = {
    "battery": SPECS["battery"].c.capacity_kwh,
    "ev_charger": _CHARGER.max_power_kw * sa.case((_CHARGER.simultaneous_charging, _CHARGER.number_of_ports), else_=1),
    "generator": SPECS["generator"].c.rated_capacity_kw,
    "grid_connection": SPECS["grid_connection"].c.max_import_kw,
    "load": SPECS["load"].c.rated_load_kw,
    "solar_pv": SPECS["solar_pv"].c.rated_capacity_kw,
    "wind_turbine": SPECS["wind_turbine"].c.rated_capacity_kw,
}
"""The capacity of the overview by kind, for queries that must not join all tables."""

OVERVIEW = sa.table(
    "assets_overview",
    *(sa.column(name, ASSETS.c[name].type) for name in ("id", "kind", "name", "location", "status", "site_id")),
    sa.column("site_name", sa.String()),
    sa.column("capacity", sa.Double()),
    sa.column("capacity_unit", sa.String()),
    *(sa.column(name, STATUS.c[name].type) for name in ("operational_status", "online")),
    sa.column("created_at", ASSETS.c.created_at.type),
)


def trigger_statements(dialect: str) -> list[str]:
    """Return the statements which make the triggers, and before them the functions that they call."""
    specs = {table.name for table in SPECS.values()}
    functions = function_statements() if dialect == "postgresql" else []
    return functions + [trigger_statement(table, dialect, is_spec=table.name in specs) for table in AUDITED]


def _make_triggers(_: sa.MetaData, connection: sa.Connection, **__: Any) -> None:
    for statement in trigger_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


sa.event.listen(METADATA, "after_create", _make_triggers)
assert CHANGES.metadata is METADATA, "the triggers write into it"
