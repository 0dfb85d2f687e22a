"""The study dispatch: its parameters become a goal, a problem and options, or are refused before anything runs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ems.batch.parameters import load_case
from ems.dispatch.goal import Outage
from ems.errors import InvalidInput
from ems.studies.dispatch import DispatchStudy
from ems.studies.study import start_in

CEST = dt.timezone(dt.timedelta(hours=2))


class Notes:
    """A run that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, *notes: str) -> None:
        self.told += notes


def test_goal__follows_the_type(project: Path):
    assert DispatchStudy(optimization_type="peak_shaving").goal({}).objective == "peak"
    assert DispatchStudy(objective="emissions").goal({}).objective == "emissions"
    weighted = DispatchStudy(objective="weighted", emissions_price_per_kg=0.1, peak_price_per_kw=2).goal({})
    assert (weighted.emissions_price_per_kg, weighted.peak_price_per_kw) == (0.1, 2)
    assert DispatchStudy(optimization_type="procurement", market_period_h=0.5).goal({}).market_period_h == 0.5


def test_goal__outages_are_in_local_time_of_the_site(project: Path):
    """16:00 in Berlin in June is 14:00 UTC; a stated offset wins; the site of the asset, then the first one counts."""
    outages = [
        {"asset_id": "grid", "begin": "2024-06-03T16:00", "end": "2024-06-03T18:00+00:00"},
        {"asset_id": "far", "begin": "2024-06-03T16:00", "end": "2024-06-03T17:00"},
    ]
    goal = DispatchStudy(outages=outages).goal({"far": "UTC"})

    begin, end = dt.datetime(2024, 6, 3, 16, tzinfo=CEST), dt.datetime(2024, 6, 3, 20, tzinfo=CEST)
    far = dt.datetime(2024, 6, 3, 16, tzinfo=dt.UTC)
    assert goal.outages == (
        Outage(asset_id="grid", begin=begin, end=end),
        Outage(asset_id="far", begin=far, end=far + dt.timedelta(hours=1)),
    )


def test_timezone__of_several_sites_is_that_of_the_first(project: Path):
    assert DispatchStudy(site="park").report_timezone() == "Europe/Berlin"
    assert DispatchStudy(site="home").report_timezone() == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "weighted"}, "objective = 'weighted': needs a weight above 0"),
        ({"import_price_per_kwh": 0.1}, "import_price_per_kwh = 0.1: has no effect unless objective = 'weighted'"),
        ({"optimization_type": "peak_shaving", "objective": "cost"}, "has objective 'peak'; choose another type"),
        ({"outages": [{"asset_id": "grid", "begin": "2024-06-03T16:00", "end": "2024-06-03T15:00"}]}, "after begin"),
        ({"outages": [{"asset_id": "grid", "begin": "soon", "end": "later"}]}, "must be a date and time"),
        ({"start": "9999-12-31T23:00"}, "start = '9999-12-31T23:00': must lie in the years 1970 to 2199"),
        ({"start": "0001-01-01T00:00"}, "start = '0001-01-01T00:00': must lie in the years 1970 to 2199"),
        ({"outages": [{"asset": "grid"}]}, "asset: no such field; did you mean asset_id"),
        ({"market_period_h": 0.5}, "market_period_h = 0.5 h: has no effect unless optimization_type = 'procurement'"),
        ({"pareto_points": 1}, "pareto_points = 1: must be 0, or at least 2"),
        ({"optimization_type": "arbitrage"}, "optimization_type = 'arbitrage': must be"),
    ],
)
def test_check__refuses_wishes_that_contradict(project: Path, given: dict[str, Any], message: str):
    with pytest.raises(InvalidInput) as refused:
        DispatchStudy(**given).check()

    assert message in str(refused.value)


def test_start_in__hour_that_clocks_jump_over():
    """In Berlin 02:30 is missing on a Sunday of March; on one of October it stands twice, in summer time first."""
    with pytest.raises(InvalidInput, match=r"'2024-03-31T02:30': does not exist in Europe/Berlin, where clocks jump"):
        start_in("2024-03-31T02:30", "Europe/Berlin")
    assert start_in("2024-03-31T02:30+01:00", "Europe/Berlin") == dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.UTC)
    first = start_in("2024-10-27T02:30", "Europe/Berlin").astimezone(dt.UTC)
    assert first == dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC)


def test_pose_problem__an_outage_of_an_asset_that_is_not_there(project: Path):
    study = DispatchStudy(outages=[{"asset_id": "gird", "begin": "2024-06-03T16:00", "end": "2024-06-03T17:00"}])

    with pytest.raises(InvalidInput, match="outage of 'gird': no such active asset"):
        study.pose_problem(study.load_portfolio())


def test_parameter_rows__tell_outages_in_words(project: Path):
    rows = {row["field"]: row["value"] for row in load_case("dispatch", "resilience").study.parameter_rows()}

    assert rows["outages"] == "grid from 2024-06-03T16:00 to 2024-06-03T23:00"
    assert {row["field"]: row["value"] for row in DispatchStudy().parameter_rows()}["outages"] == "none"


def test_plan__without_a_baseline(project: Path):
    study = DispatchStudy(baseline_without=None)
    plan = study.plan(study.pose_problem(study.load_portfolio()), Notes())

    assert (plan.baseline, plan.saving) == (None, None)
    assert list(plan.costs().columns) == ["this plan"]
    assert plan.conclusion() == "Over 24 h the plan costs 135.08 EUR."


def test_plan__a_baseline_without_what_is_not_there(project: Path):
    study = DispatchStudy(baseline_without="generator")

    with pytest.raises(InvalidInput, match="'demo' has no active asset of this kind; name another one, or None"):
        study.plan(study.pose_problem(study.load_portfolio()), Notes())


def test_plan__a_baseline_that_cannot_be_is_told(project: Path):
    """A day without the grid cannot be got through without the battery, nor with it for long: an hour is enough."""
    outages = [{"asset_id": "grid", "begin": "2024-06-03T02:00", "end": "2024-06-03T03:00"}]
    study, notes = DispatchStudy(outages=outages), Notes()
    plan = study.plan(study.pose_problem(study.load_portfolio()), notes)

    assert plan.baseline is None
    assert "no baseline: the baseline without battery" in notes.told[0]
    assert "Without battery no schedule was found." in plan.conclusion()
    assert "outage of Grid connection from 2024-06-03 02:00 to 03:00 CEST, all demand is served" in plan.conclusion()


def test_plan__an_outage_of_part_of_a_step_counts_once_in_the_baseline(project: Path):
    """Half an hour without the grid leaves 50 of 100 kW in that hour, for the plan and for the baseline alike."""
    outages = [{"asset_id": "grid", "begin": "2024-06-03T02:00", "end": "2024-06-03T02:30"}]
    study = DispatchStudy(outages=outages)
    plan = study.plan(study.pose_problem(study.load_portfolio()), Notes())

    assert plan.baseline is not None
    for result in (plan.result, plan.baseline):
        limit_kw = result.problem.series.max_import_kw.sel(asset="grid").to_numpy()
        assert limit_kw[[1, 2, 3]] == pytest.approx([100, 50, 100])


@pytest.mark.parametrize("case", ["unit-commitment", "economic-dispatch", "vpp"])
def test_plan__has_a_baseline_for_types_that_change_the_portfolio(project: Path, case: str):
    study, notes = load_case("dispatch", case, ["pareto_points=0"]).study, Notes()
    plan = study.plan(study.pose_problem(study.load_portfolio()), notes)

    assert notes.told == []
    assert plan.saving is not None
    assert plan.saving > 0
