from __future__ import annotations

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_samples import battery, emptied, sample_portfolio
from register_strategies import HOSTILE, LINES

from ems.assets.group import GroupMember
from ems.database.register import add_member, create_asset, create_assets, delete_asset, update_asset
from ems.database.register_filters import FIELDS
from ems.database.register_portfolio import save_portfolio
from ems.database.register_queries import count_assets, list_assets, list_groups, list_sites, list_tariffs
from ems.errors import InvalidInput, UnknownName


@pytest.fixture
def register(engine: sa.Engine) -> sa.Engine:
    """A register with the sample portfolio."""
    save_portfolio(engine, sample_portfolio(), "ana")
    return engine


def ids(engine: sa.Engine, **filters: object) -> list[str]:
    return [row.id for row in list_assets(engine, **filters).rows]


def all_pages(engine: sa.Engine, limit: int, **order: object) -> list[str]:
    """Ids of all pages one after the other."""
    found, after = [], None
    while True:
        page = list_assets(engine, limit=limit, after=after, **order)
        found += [row.id for row in page.rows]
        assert len(page.rows) == limit or page.next_cursor is None
        after = page.next_cursor
        if after is None:
            return found


def test_list_assets__by_name_from_the_first(register: sa.Engine) -> None:
    """Capital letters come before small ones, on every database in its own order of letters: here plain ids."""
    assert sorted(ids(register)) == ["bat", "cars", "cranes", "diesel", "grid", "mill", "roof"]
    assert list_assets(register).next_cursor is None
    assert count_assets(register) == 7


def test_list_assets__filters(register: sa.Engine) -> None:
    delete_asset(register, "mill")
    assert ids(register, kind="generator") == ["diesel"]
    assert ids(register, status="decommissioned") == ["mill"]
    assert ids(register, site="depot") == ["cars", "mill"]
    assert ids(register, site="depot", status="active") == ["cars"]
    assert ids(register, group="grid-a") == ["bat", "diesel"]
    assert ids(register, group="plant") == ["bat", "diesel", "mill"]
    assert ids(register, kind="load", site="depot") == []


def test_list_assets__by_fields_of_a_kind(register: sa.Engine) -> None:
    assert ids(register, where={"chemistry": "lithium_iron_phosphate"}) == ["bat"]
    assert ids(register, where={"chemistry": "lead_acid"}) == []
    assert ids(register, where={"generator_type": ["diesel", "biogas"]}) == ["diesel"]
    assert ids(register, where={"generator_type": None}) == ["mill"]
    assert ids(register, where={"capacity_kwh": "100", "status": "active"}) == ["bat"]
    assert ids(register, where={"simultaneous_charging": "true"}) == ["cars"]
    assert ids(register, where={"warranty_expiry_date": "2030-01-01"}) == ["bat"]
    assert ids(register, where={"warranty_expiry_date": dt.date(2030, 1, 1)}) == ["bat"]
    assert ids(register, where={"rated_capacity_kw": 90}) == ["mill"]
    assert ids(register, where={"id": ["bat", "mill", "x"]}) == ["bat", "mill"]
    assert {"chemistry", "generator_type", "status", "created_by"} <= set(FIELDS)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "batery"}, r"kind = 'batery': there is none; did you mean battery\?"),
        ({"status": "activ"}, r"did you mean active\?"),
        ({"site": "harbor"}, r"site 'harbor': is not in the register; did you mean harbour\?"),
        ({"group": "plan"}, r"group 'plan': is not in the register; did you mean plant\?"),
        ({"where": {"chemstry": "x"}}, r"field 'chemstry': no asset has it; did you mean chemistry\?"),
        ({"where": {"metadata": {}}}, "field 'metadata': no asset has it"),
        (
            {"where": {"chemistry": "lithium-ion"}},
            r"chemistry = 'lithium-ion': there is none; did you mean lithium_ion",
        ),
        ({"where": {"cycle_life": "many"}}, "where cycle_life = 'many': must be a whole number"),
        ({"where": {"capacity_kwh": True}}, "where capacity_kwh = true: must be a number"),
        ({"where": {"v2g_capable": "perhaps"}}, "must be true or false"),
        ({"where": {"installation_date": "June"}}, "must be a date, as in 2024-06-01"),
        ({"where": {"name": 5}}, "where name = 5: must be text"),
        ({"sort": "names"}, r"did you mean name\?"),
        ({"limit": 0}, "limit = 0: must be from 1 to 10000"),
        ({"after": "nonsense"}, "is no cursor"),
        ({"after": "ä"}, "is no cursor"),
        ({"after": "WzFd"}, "is no cursor"),
    ],
)
def test_list_assets__asked_amiss(register: sa.Engine, asked: dict[str, object], said: str) -> None:
    with pytest.raises((UnknownName, InvalidInput), match=said):
        list_assets(register, **asked)


def test_list_assets__cursor_of_another_order(register: sa.Engine) -> None:
    cursor = list_assets(register, limit=1, sort="kind", descending=True).next_cursor
    with pytest.raises(InvalidInput, match="belongs to a list sorted by 'kind' descending; ask for that"):
        list_assets(register, after=cursor)


def test_list_assets__free_text(register: sa.Engine) -> None:
    """In capitals or not, in each field and in the site's, every sign for itself."""
    create_asset(register, battery("ext", name="ÄRGER 100 %", description="Straße_7\\", site_id="depot"))
    assert ids(register, text="ärger") == ["ext"]
    assert ids(register, text="100 %") == ["ext"]
    assert ids(register, text="%") == ["ext"]
    assert ids(register, text="_7\\") == ["ext"]
    assert ids(register, text="g_r") == []
    assert ids(register, text="STRAßE_") == ["ext"]
    assert ids(register, text="DACH") == ["roof"]
    assert set(ids(register, text="bremen")) == {"bat", "diesel", "grid", "cranes", "roof"}
    # Text does not run from one field into the next: "ext" is an id, "ÄRGER" the name behind it.
    assert ids(register, text="extÄRGER") == []


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=LINES, place=st.integers(0, 30), length=st.integers(1, 10))
def test_list_assets__any_part_of_a_name_finds_it(engine: sa.Engine, text: str, place: int, length: int) -> None:
    if not list_sites(engine):
        save_portfolio(engine, sample_portfolio())
    update_asset(engine, "bat", {"manufacturer": text})
    start = place % len(text)
    assert "bat" in ids(engine, text=text[start : start + length])
    assert ids(engine, where={"manufacturer": text}) == ["bat"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "sort", ["name", "kind", "capacity", "updated_at", "warranty_expiry_date", "capacity_kwh", "noise_level_db"]
)
def test_list_assets__pages_hold_each_asset_once(register: sa.Engine, sort: str, descending: bool) -> None:
    """Pages of any size give the whole list in the same order; assets without a value come last."""
    create_assets(register, [battery(f"x-{number}", capacity_kwh=5 + number % 3, name="same") for number in range(9)])
    update_asset(register, "x-4", {"warranty_expiry_date": dt.date(2029, 1, 1)})
    whole = ids(register, sort=sort, descending=descending)
    assert len(set(whole)) == 16
    for limit in (1, 3, 16):
        assert all_pages(register, limit, sort=sort, descending=descending) == whole
    if sort == "warranty_expiry_date":
        assert whole[:2] == (["bat", "x-4"] if descending else ["x-4", "bat"])
    if sort == "capacity":
        assert whole[0] == ("grid" if descending else "x-0")
    if sort == "capacity_kwh":
        assert whole[0] == ("bat" if descending else "x-0")
        assert set(whole[-6:]) == {"cars", "diesel", "grid", "cranes", "roof", "mill"}


def test_list_assets__pages_while_assets_are_added_and_removed(register: sa.Engine) -> None:
    """What was there all the time appears once: neither an insert before nor a removal behind the cursor moves it."""
    emptied(register)
    save_portfolio(register, sample_portfolio())
    create_assets(register, [battery(f"n-{number:02d}") for number in range(20)])
    there = set(ids(register))
    found, after = [], None
    for turn in itertools.count():
        page = list_assets(register, limit=4, after=after)
        found += [row.id for row in page.rows]
        create_asset(register, battery(f"a-{turn:02d}", name="!"))
        create_asset(register, battery(f"z-{turn:02d}", name=f"n-{turn:02d}x"))
        if page.rows:
            delete_asset(register, page.rows[-1].id)
        after = page.next_cursor
        if after is None or turn > 50:
            break
    assert len(found) == len(set(found))
    assert there <= set(found)


def test_list_assets__names_in_many_scripts_by_page(register: sa.Engine) -> None:
    """A cursor carries any name: quotes, emoji, right to left."""
    create_assets(register, [battery(f"h-{number}", name=name) for number, name in enumerate(HOSTILE)])
    assert sorted(all_pages(register, 1)) == sorted(ids(register))


def test_lists__in_order_of_entry(register: sa.Engine) -> None:
    assert [site.id for site in list_sites(register)] == ["harbour", "depot"]
    assert [tariff.id for tariff in list_tariffs(register)] == ["flat"]
    assert [group.id for group in list_groups(register)] == ["grid-a", "plant"]
    assert [group.id for group in list_groups(register, site="harbour")] == ["grid-a"]


def test_list_assets__in_two_nested_groups_once(register: sa.Engine) -> None:
    add_member(register, GroupMember(asset_id="bat", group_id="plant"))
    assert ids(register, group="plant") == ["bat", "diesel", "mill"]
