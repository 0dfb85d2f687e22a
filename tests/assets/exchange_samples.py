"""A portfolio with everything that a register may hold, for tests of files."""

from __future__ import annotations

import datetime as dt

from builders import battery, charger, generator, grid, load, session, solar, wind

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.tariffs.tariff import Tariff


def whole() -> Portfolio:
    """All seven kinds at two sites, with everything that may belong to them and texts that spreadsheets would run."""
    everywhere = {"site_id": "north"}
    return Portfolio(
        currency="EUR",
        sites=(
            Site(id="north", timezone="Europe/Berlin", latitude=53.5, metadata={"keys": ["a", 1, {"b": None}]}),
            Site(id="south", timezone="UTC", name="=HYPERLINK('x')", code="+1", address="Street 1\n-1"),
        ),
        tariffs=(Tariff(id="flat", name="Flat", periods=[{"name": "all", "import_price_per_kwh": 0.2}]),),
        assets=(
            battery(**everywhere, name="@SUM(1)", chemistry="other", warranty_expiry_date=dt.date(2031, 2, 28)),
            charger(**everywhere, sessions=(session(8, 10, 5),), ocpp_version="1.6"),
            generator(**everywhere, serial_number="00123", operating_h=12.5),
            grid(**everywhere, tariff_id="flat", phases=3),
            load(**everywhere, rated_load_kw=80, is_critical=True, description="a;=1+1"),
            solar(**everywhere, temperature_coefficient_per_k=-0.004, location=""),
            wind(site_id="south", description="two\nlines, with \"quotes\" and 'more', ÄÖ 北 🔋 \u202eRTL"),
        ),
        groups=(
            Group(id="vpp", group_type="vpp"),
            Group(id="island", group_type="microgrid", parent_group_id="vpp", site_id="north"),
        ),
        members=(GroupMember(asset_id="battery", group_id="island", role="leads", priority=1),),
        dependencies=(Dependency(asset_id="load", depends_on_asset_id="grid", dependency_type="requires"),),
        reserves=(ReserveRequirement(id="ready", kind="capacity", requirement_kw=5, providers=("battery",)),),
        series={"columns": [{"column": "x", "asset": "load", "variable": "demand_kw"}]},
    )
