from __future__ import annotations

import pytest
import sqlalchemy as sa
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from register_samples import battery, emptied, sample_portfolio
from register_strategies import portfolios

from ems.assets.group import Group
from ems.assets.portfolio import KINDS, Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.database.engine import connect
from ems.database.history import history_of
from ems.database.register import delete_asset, get_asset, update_asset
from ems.database.register_portfolio import load_portfolio, save_portfolio, save_records
from ems.database.register_queries import count_assets
from ems.errors import InvalidInput, UnknownName

THOROUGH = settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@THOROUGH
@given(portfolio=portfolios())
def test_save_portfolio__comes_back_equal(engine: sa.Engine, portfolio: Portfolio) -> None:
    """Whatever is saved is loaded again, in order, with the same fields stated; saving it again changes nothing."""
    emptied(engine)
    first = save_portfolio(engine, portfolio, "ana")
    loaded = load_portfolio(engine)
    assert loaded == portfolio
    assert [asset.given() for asset in loaded.assets] == [asset.given() for asset in portfolio.assets]
    records = [portfolio.sites, portfolio.assets, portfolio.tariffs, portfolio.groups, portfolio.members]
    number = 1 + sum(map(len, records)) + len(portfolio.dependencies) + len(portfolio.reserves)
    assert (len(first.created), first.changes, first.unchanged) == (number, (), 0)
    again = save_portfolio(engine, loaded, "bo")
    assert (again.created, again.changes, again.unchanged) == ((), (), number)
    assert {line.changed_by for line in history_of(engine)} == {"ana"}


@THOROUGH
@given(portfolio=portfolios(kinds=tuple(sorted(KINDS))), other=portfolios(kinds=tuple(sorted(KINDS))))
def test_save_portfolio__second_one_over_the_first(engine: sa.Engine, portfolio: Portfolio, other: Portfolio) -> None:
    """After the same ids have got other fields, the register holds the second portfolio."""
    emptied(engine)
    ids = {new.id: old.id for new, old in zip(other.assets, portfolio.assets, strict=True)}
    changed = portfolio.replace(
        assets=tuple(
            new.replace(
                id=ids[new.id],
                site_id=old.site_id,
                **({"tariff_id": None} if new.kind == "grid_connection" else {}),
                **({"battery_asset_id": None} if new.kind == "solar_pv" else {}),
            )
            for new, old in zip(other.assets, portfolio.assets, strict=True)
        )
    )
    save_portfolio(engine, portfolio)
    summary = save_portfolio(engine, changed)
    assert load_portfolio(engine) == changed
    assert summary.created == ()
    last = {(line.row_id, line.field): line.new for line in history_of(engine, limit=10_000)[::-1] if line.field}
    assert last.keys() == {(change.what.split("'")[1], change.field) for change in summary.changes}


def test_save_portfolio__tells_what_differs(engine: sa.Engine) -> None:
    """One battery grows by 20 kWh, one is new, the rest stays: 1 + 2 + 1 + 7 + 2 + 3 + 2 + 1 = 19 records before."""
    portfolio = sample_portfolio()
    assert str(save_portfolio(engine, portfolio, "ana")) == "19 created, 0 changed, 0 unchanged"
    first, *rest = portfolio.assets
    grown = portfolio.replace(assets=(first.replace(capacity_kwh=120), *rest, battery("second")))
    wanted = "1 created, 1 changed (2 fields), 18 unchanged"

    planned = save_portfolio(engine, grown, "bo", dry_run=True)
    assert str(planned) == wanted
    assert load_portfolio(engine) == portfolio
    assert {line.changed_by for line in history_of(engine)} == {"ana"}

    done = save_portfolio(engine, grown, "bo")
    assert done == planned
    assert done.created == ("battery 'second'",)
    assert [str(change) for change in done.changes] == [
        "battery 'bat': capacity_kwh 100 kWh -> 120 kWh",
        "battery 'bat': usable_capacity_kwh 100 kWh -> 120 kWh",
    ]
    assert load_portfolio(engine) == grown


def test_save_portfolio__what_is_missing_stays(engine: sa.Engine) -> None:
    portfolio = sample_portfolio()
    save_portfolio(engine, portfolio)
    save_portfolio(engine, portfolio.replace(members=(), dependencies=(), groups=(), reserves=()))
    assert load_portfolio(engine) == portfolio


def test_save_portfolio__all_or_nothing(engine: sa.Engine) -> None:
    """A battery cannot become a load; what stands before it in the same portfolio is not kept either."""
    save_portfolio(engine, sample_portfolio())
    first, *rest = sample_portfolio().assets
    cranes = next(asset for asset in rest if asset.id == "cranes")
    others = tuple(asset for asset in rest if asset.id not in ("cranes", "roof"))
    bad = sample_portfolio().replace(
        assets=(battery("new"), cranes.replace(id="bat"), *others, cranes),
    )
    with pytest.raises(InvalidInput, match="load 'bat': the register has a battery of that id; choose another id"):
        save_portfolio(engine, bad)
    with pytest.raises(UnknownName):
        get_asset(engine, "new")
    assert get_asset(engine, "bat") == first


def test_save_portfolio__another_currency(engine: sa.Engine) -> None:
    save_portfolio(engine, sample_portfolio())
    with pytest.raises(InvalidInput, match="currency = 'USD': the register keeps its sums in EUR; convert"):
        save_portfolio(engine, sample_portfolio().replace(currency="USD"))


def test_save_portfolio__brings_back_what_was_decommissioned(engine: sa.Engine) -> None:
    save_portfolio(engine, sample_portfolio())
    delete_asset(engine, "bat")
    summary = save_portfolio(engine, sample_portfolio())
    assert [str(change) for change in summary.changes] == ["battery 'bat': status 'decommissioned' -> 'active'"]


def test_save_records__parts_refer_to_what_is_there(engine: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match="has no currency yet"):
        save_records(engine, sites=[Site(id="s", timezone="UTC")])
    save_portfolio(engine, sample_portfolio())
    assert save_records(engine, assets=[battery("new")]).created == ("battery 'new'",)
    with pytest.raises(InvalidInput, match="site_id = 'harbr': no such site; did you mean harbour"):
        save_records(engine, assets=[battery("newer", site_id="harbr")])
    with pytest.raises(InvalidInput, match="battery 'new': is given twice"):
        save_records(engine, assets=[battery("new"), battery("new")])
    with pytest.raises(InvalidInput, match="nested in a circle"):
        save_records(engine, groups=[Group(id="plant", parent_group_id="grid-a")])


def test_load_portfolio__of_a_site(engine: sa.Engine) -> None:
    """The depot has a charger and a mill, which is in the plant; nothing else comes along."""
    save_portfolio(engine, sample_portfolio())
    part = load_portfolio(engine, site="depot")
    assert [site.id for site in part.sites] == ["depot"]
    assert [asset.id for asset in part.assets] == ["cars", "mill"]
    assert ([group.id for group in part.groups], part.tariffs, part.dependencies) == (["plant"], (), ())
    harbour = load_portfolio(engine, site="harbour")
    assert [tariff.id for tariff in harbour.tariffs] == ["flat"]
    assert len(harbour.dependencies) == 2
    with pytest.raises(UnknownName, match=r"site 'depo': is not in the register; did you mean depot\?"):
        load_portfolio(engine, site="depo")


def test_load_portfolio__of_a_group_with_those_nested(engine: sa.Engine) -> None:
    save_portfolio(engine, sample_portfolio())
    assert [asset.id for asset in load_portfolio(engine, group="plant").assets] == ["bat", "diesel", "mill"]
    inner = load_portfolio(engine, group="grid-a")
    assert [asset.id for asset in inner.assets] == ["bat", "diesel"]
    assert [group.id for group in inner.groups] == ["grid-a", "plant"]
    with pytest.raises(InvalidInput, match="the register: has no assets at site 'depot' in group 'grid-a'"):
        load_portfolio(engine, site="depot", group="grid-a")


def test_load_portfolio__roof_without_its_battery(engine: sa.Engine) -> None:
    """A battery beyond the part that is loaded is left out of the roof's fields."""
    save_portfolio(engine, sample_portfolio())
    update_asset(engine, "roof", {"site_id": "depot"})
    roof = next(asset for asset in load_portfolio(engine, site="depot").assets if asset.id == "roof")
    assert roof.battery_asset_id is None
    assert next(a for a in load_portfolio(engine).assets if a.id == "roof").battery_asset_id == "bat"


def test_load_portfolio__reserve_with_the_providers_of_the_part(engine: sa.Engine) -> None:
    """Of two providers each site keeps its own; a reserve of the harbour's generator is none of the depot's."""
    anyone = ReserveRequirement(id="any", requirement_kw=1)
    both = ReserveRequirement(id="both", requirement_kw=2, providers=("bat", "mill"))
    harbours = ReserveRequirement(id="harbours", requirement_kw=3, providers=("diesel",))
    save_portfolio(engine, sample_portfolio().replace(reserves=(anyone, both, harbours)))
    assert load_portfolio(engine).reserves == (anyone, both, harbours)
    assert load_portfolio(engine, site="harbour").reserves == (anyone, both.replace(providers=("bat",)), harbours)
    assert load_portfolio(engine, site="depot").reserves == (anyone, both.replace(providers=("mill",)))


def test_load_portfolio__of_an_empty_register(engine: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match="has no assets; add some with `ems assets import FILE`"):
        load_portfolio(engine)


def test_save_portfolio__ten_thousand_assets(tmp_path) -> None:
    """On an embedded database; the same once more changes nothing."""
    engine = connect(f"sqlite:///{tmp_path}/ems.sqlite")
    kinds = sample_portfolio().assets
    assets = [
        kinds[number % len(kinds)].replace(id=f"a-{number}", **({"battery_asset_id": None} if number % 7 == 5 else {}))
        for number in range(10_000)
    ]
    big = sample_portfolio().replace(assets=tuple(assets), members=(), dependencies=(), reserves=())
    save_portfolio(engine, big)
    assert count_assets(engine) == 10_000
    assert save_portfolio(engine, big).changes == ()
