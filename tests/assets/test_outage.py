"""What goes down with what: each type of dependency, its direction, and data that go round in circles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ems.assets.group import Dependency
from ems.assets.outage import affected_by


def dependency(sentence: str) -> Dependency:
    """``pump requires feeder`` or ``switch controls pump critically``."""
    asset, kind, other, *rest = sentence.split()
    return Dependency(asset_id=asset, depends_on_asset_id=other, dependency_type=kind, is_critical=bool(rest))


def down(asset: str, *sentences: str) -> list[str]:
    return [one.asset_id for one in affected_by(asset, [dependency(sentence) for sentence in sentences])]


def test_affected_by__requires_goes_to_the_one_that_requires():
    assert down("feeder", "pump requires feeder") == ["pump"]
    assert down("pump", "pump requires feeder") == []


def test_affected_by__feeds_goes_to_the_one_that_is_fed():
    assert down("feeder", "feeder feeds pump") == ["pump"]
    assert down("pump", "feeder feeds pump") == []


def test_affected_by__another_feeder_keeps_it_alive_unless_one_is_critical():
    two = ("feeder-a feeds pump", "feeder-b feeds pump")

    assert down("feeder-a", *two) == []
    assert down("feeder-a", "feeder-a feeds pump critically", "feeder-b feeds pump") == ["pump"]
    # Both feeders hang on one busbar: with it, the last one goes.
    assert down("bus", *two, "feeder-a requires bus", "feeder-b requires bus") == ["feeder-a", "feeder-b", "pump"]


def test_affected_by__control_only_where_critical():
    assert down("switch", "switch controls pump") == []
    assert down("switch", "switch controls pump critically") == ["pump"]
    assert down("pump", "switch controls pump critically") == []


def test_affected_by__monitoring_takes_nothing_down():
    assert down("meter", "meter monitors pump critically") == []
    assert down("pump", "meter monitors pump critically") == []


def test_affected_by__backup_keeps_the_others_alive():
    chain = ("hospital requires grid", "generator backup_for grid")

    assert down("grid", *chain) == []
    assert down("generator", *chain) == []


def test_affected_by__backup_that_falls_itself():
    """While the generator runs, it stands in for the grid; when the root takes its control along, nothing does."""
    chain = ("hospital requires grid", "generator backup_for grid", "generator requires grid-control")

    assert down("grid", *chain, "grid-control requires grid") == []  # kept by the generator
    assert down("root", *chain, "grid requires root", "grid-control requires root") == [
        "grid",
        "grid-control",
        "generator",
        "hospital",
    ]


def test_affected_by__chain_in_words():
    """The pump hangs on the feeder, the cooling on the pump: nearest first, the reason from the beginning."""
    found = affected_by("feeder", [dependency("cooling requires pump critically"), dependency("feeder feeds pump")])

    assert [(one.asset_id, one.chain, one.is_critical) for one in found] == [
        ("pump", ("feeder", "pump"), False),
        ("cooling", ("feeder", "pump", "cooling"), True),
    ]
    assert found[1].reason == "'feeder' is out; 'pump' is fed by 'feeder'; 'cooling' requires 'pump'"


def test_affected_by__circle_ends():
    assert down("a", "a requires b", "b requires a", "c requires b") == ["b", "c"]


def test_affected_by__unknown_asset_takes_nothing_down():
    assert down("elsewhere", "pump requires feeder") == []


assets = st.sampled_from([f"a{number}" for number in range(6)])
dependencies = st.lists(
    st.tuples(
        assets, assets, st.sampled_from(["requires", "feeds", "controls", "monitors", "backup_for"]), st.booleans()
    ).filter(lambda one: one[0] != one[1]),
    max_size=15,
).map(
    lambda rows: [
        Dependency(asset_id=one, depends_on_asset_id=other, dependency_type=kind, is_critical=is_critical)
        for one, other, kind, is_critical in rows
    ]
)


@given(assets, dependencies)
def test_affected_by__each_chain_is_made_of_stated_dependencies(asset, given_dependencies):
    found = affected_by(asset, given_dependencies)

    linked = {(one.asset_id, one.depends_on_asset_id) for one in given_dependencies}
    ids = [one.asset_id for one in found]
    assert asset not in ids
    assert len(set(ids)) == len(ids)
    for one in found:
        assert one.chain[0] == asset
        assert one.chain[-1] == one.asset_id
        steps = zip(one.chain, one.chain[1:], strict=False)
        assert all((a, b) in linked or (b, a) in linked for a, b in steps)


@given(assets, dependencies, st.integers(0, 5))
def test_affected_by__order_of_rows_does_not_matter(asset, given_dependencies, turn):
    rows = given_dependencies
    turned = rows[turn:] + rows[:turn]

    assert {one.asset_id for one in affected_by(asset, rows)} == {one.asset_id for one in affected_by(asset, turned)}


@given(assets, dependencies)
def test_affected_by__a_backup_more_never_takes_more_down(asset, given_dependencies):
    more = [*given_dependencies, dependency("standby backup_for a0")]

    before = {one.asset_id for one in affected_by(asset, given_dependencies)}
    assert {one.asset_id for one in affected_by(asset, more)} <= before
