"""Dispatches without a schedule: the cause is named, with its size and time, and what is proposed makes them solve."""

from __future__ import annotations

import datetime as dt
import time

import numpy as np
import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session, solar
from example_counts import examples
from hypothesis import given, settings
from random_contradictions import CAUSES, contradiction
from random_problems import dispatches

from ems.dispatch.explanation.elastic import make_elastic
from ems.dispatch.explanation.infeasibility import diagnose
from ems.dispatch.explanation.repair import apply_repair, find_repairs
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.dispatch.solvers import exactness
from ems.dispatch.solvers.solution import Solution
from ems.errors import Infeasible

AFTERNOON = dt.datetime(2024, 6, 3, 15, tzinfo=dt.UTC)
BERLIN = {"sites": [{"id": "site", "timezone": "Europe/Berlin"}]}


@pytest.mark.parametrize("seed", range(30), ids=lambda seed: f"{seed}-{CAUSES[seed % len(CAUSES)].__name__}")
def test_diagnose__the_cause_is_named_and_each_repair_solves(seed):
    one = contradiction(seed)
    with pytest.raises(Infeasible):
        solve(one.problem)
    found = diagnose(one.problem)
    elastic = make_elastic(one.problem)
    assert found.conflict is not None
    assert found.conflict.is_minimal
    members = [elastic.limits[member.number] for member in found.conflict.members]
    assert {(limit.owner, limit.field) for limit in members} & {(one.owner, name) for name in one.fields}, str(found)
    assert found.repairs
    for repair in found.repairs:
        assert solve(apply_repair(one.problem, repair)).status == "optimal", str(repair)


@settings(max_examples=examples(12), deadline=None)
@given(dispatches(largest_steps=8))
def test_make_elastic__what_has_a_schedule_has_one_with_all_limits_declared_anew(asked):
    """Limits that are opened and declared on their own are no tighter than before; contradictions show the rest."""
    solution, _ = make_elastic(asked).solve(frozenset(), SolverOptions())
    assert solution.status == "optimal"


@pytest.mark.parametrize("seed", range(12), ids=lambda seed: CAUSES[seed].__name__)
def test_make_elastic__what_has_no_schedule_has_none_with_all_limits_declared_anew(seed):
    """Limits that are declared on their own are no looser than before."""
    solution, _ = make_elastic(contradiction(seed).problem).solve(frozenset(), SolverOptions())
    assert solution.status == "infeasible"


def evening_problem(**fields):
    """Demand of 62.3 kW for three quarters of an hour from 17:15 in Berlin, behind 50 kW."""
    demand = [40, 62.3, 62.3, 62.3, 40]
    return problem(
        [grid(max_import_kw=50), load(), battery(capacity_kwh=10, initial_soc=0.2, min_soc=0.2, **fields)],
        {**prices(0.3), "load.demand_kw": demand},
        [0.25] * 5,
        start=AFTERNOON,
        **BERLIN,
    )


def test_find_repairs__size_and_local_time():
    """12.3 kW for 0.75 h are 9.225 kWh, which a battery that can charge 2.5 kWh before may not give again."""
    found = [str(one) for one in find_repairs(evening_problem(max_charge_kw=0))]
    assert "grid import limit 50 kW is 12.3 kW too small 17:15-18:00" in found
    assert "shed 9.225 kWh of load 17:15-18:00" in found


def test_find_repairs__first_content():
    """10 kW are missing for 0.75 h: 7.5 kWh more than the lowest 20 % of 10 kWh are 95 %."""
    asked = problem(
        [
            grid(max_import_kw=50),
            load(),
            battery(capacity_kwh=10, initial_soc=0.2, min_soc=0.2, final_soc_rule="free"),
        ],
        {**prices(0.3), "load.demand_kw": [60, 60, 60]},
        [0.25] * 3,
    )
    found = {str(one): one for one in find_repairs(asked)}
    words = "start battery at SOC 95 % instead of 20 %"
    assert words in found
    mended = apply_repair(asked, found[words])
    assert mended.portfolio.assets[2].initial_soc == pytest.approx(0.95, abs=1e-5)
    assert solve(mended).status == "optimal"


def test_apply_repair__the_limit_is_raised_by_just_that():
    """620 kW against 500 kW of grid and 80 kW of battery: 540 kW of grid do, and nothing else is changed."""
    assets = [grid(max_import_kw=500), battery(capacity_kwh=1000, max_discharge_kw=80), load()]
    asked = problem(assets, {**prices(0.3), "load.demand_kw": [100, 620, 100]}, [1, 1, 1])
    repair = next(one for one in find_repairs(asked) if one.changes[0].field == "max_import_kw")
    mended = apply_repair(asked, repair)
    assert mended.portfolio.assets[0].max_import_kw == pytest.approx(540, abs=1e-2)
    assert mended.portfolio.assets[1:] == asked.portfolio.assets[1:]
    assert asked.portfolio.assets[0].max_import_kw == 500
    assert solve(mended).flows.import_kw.sel(asset="grid").max() == pytest.approx(540, abs=1e-2)


def test_find_repairs__nothing_to_repair():
    assert find_repairs(problem([grid(), load()], {**prices(0.3), "load.demand_kw": 30})) == []


def test_find_repairs__two_sites_need_two_changes_of_one_sort():
    """Both connections are 1 kW too small: one repair raises both."""
    assets = [
        grid(id="g1", site_id="quay", max_import_kw=1),
        load(id="l1", site_id="quay"),
        grid(id="g2", site_id="pier", max_import_kw=2),
        load(id="l2", site_id="pier"),
    ]
    values = {**prices(0.3, asset="g1"), **prices(0.3, asset="g2"), "l1.demand_kw": 2, "l2.demand_kw": 3}
    asked = problem(assets, values)
    [both] = [one for one in find_repairs(asked) if one.changes[0].field == "max_import_kw"]
    assert [(change.owner, round(change.by, 3)) for change in both.changes] == [("g1", 1), ("g2", 1)]
    assert solve(apply_repair(asked, both)).status == "optimal"


def test_find_repairs__two_sorts_are_needed():
    """A battery that cannot reach its target and a bus that is short: no single sort of limit is enough."""
    unit = battery(initial_soc=0, target_soc=0.5, max_charge_kw=10, site_id="pier")
    assets = [grid(id="g1", site_id="pier"), unit, grid(id="g2", site_id="quay", max_import_kw=1)]
    assets.append(load(site_id="quay"))
    values = {**prices(0.3, asset="g1"), **prices(0.3, asset="g2"), "load.demand_kw": 2}
    asked = problem(assets, values)
    [repair] = find_repairs(asked)
    assert len(repair.changes) == 2
    assert solve(apply_repair(asked, repair)).status == "optimal"


def test_diagnose__times_of_a_conflict_are_narrow():
    """Of 24 hours only the one with 60 kW contradicts a limit of 50 kW."""
    demand = [10.0] * 24
    demand[17] = 60
    found = diagnose(problem([grid(max_import_kw=50), load()], {**prices(0.3), "load.demand_kw": demand}, [1] * 24))
    assert str(found.conflict) == "grid import limit 17:00-18:00 and demand of load 17:00-18:00"


def test_diagnose__reserve_without_anybody_who_gives_it():
    """10 kW of reserve from a generator of 40 kW that has to give 35."""
    reserve = {"id": "spinning", "requirement_kw": 10, "providers": ["generator"]}
    asked = problem([generator(), load()], {"load.demand_kw": 35}, reserves=[reserve])
    found = diagnose(asked)
    words = [str(one) for one in found.repairs]
    assert any(one.startswith("reserve spinning of 10 kW is 5 kW too much") for one in words)
    assert any(one.startswith("generator output limit 40 kW is 5 kW too small") for one in words)


def test_diagnose__outage_is_named():
    found = diagnose(contradiction(9).problem)
    assert "while 'grid' is out of service" in found.shortfall


def test_diagnose__two_batteries_in_opposite_directions_do_not_burn_energy():
    """15 kW are left of 30 kW of sun; a lossy battery that is full could burn it only by both directions at once."""
    unit = battery(initial_soc=1, round_trip_efficiency=0.25)
    assets = [grid(max_export_kw=5), load(), solar(is_curtailable=False), unit]
    asked = problem(assets, {**prices(0.3), "load.demand_kw": 10, "solar.available_kw": 30}, [0.5])
    found = diagnose(asked)
    assert "it is left with 15 kW then, and of 7.5 kWh in 1 steps" in found.shortfall
    for repair in found.repairs:
        assert solve(apply_repair(asked, repair)).status == "optimal"


def test_solve__contradiction_that_was_added_to_a_model():
    """A load of 30 kW and a grid that may give 20 kW by a constraint of one's own; the other one is innocent."""
    from pyomo.core import Constraint

    asked = problem([grid(), load()], {**prices(0.3), "load.demand_kw": [30, 30]}, [1, 1])
    model = build_model(asked)
    unit = model.unit["grid"]
    model.quiet_hours = Constraint(expr=unit.import_kw[0] <= 20)
    model.harmless = Constraint(expr=unit.import_kw[0] + unit.import_kw[1] <= 500)
    with pytest.raises(Infeasible, match="none with what was added to its model: constraint 'quiet_hours'; loosen"):
        solve(asked, model=model)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__message_names_what_contradicts_and_what_would_do(solver):
    with pytest.raises(Infeasible) as raised:
        solve(evening_problem(max_charge_kw=0), SolverOptions(solver=solver))
    said = str(raised.value)
    assert "dispatch of 'site' is infeasible at 2024-06-03 15:15 UTC (17:15 local time): demand 62.3 kW" in said
    assert "These limits contradict each other: grid import limit" in said
    assert "What would do: " in said


def test_diagnose__vehicle_behind_a_small_grid():
    """A vehicle that must get 10 kWh in an hour behind 4 kW: 6 kW more, or 6 kWh less."""
    assets = [grid(max_import_kw=4), charger(charge_efficiency=1, sessions=[session(0, 1, 10)])]
    found = [str(one) for one in diagnose(problem(assets, prices(0.1))).repairs]
    assert "grid import limit 4 kW is 6 kW too small 00:00-01:00" in found
    assert any("4 kWh instead of 10 kWh" in one for one in found)


def slow_after(solves, monkeypatch):
    """Let all solves but the first ones find nothing until their time limit; return the limits."""
    quick, limits_s = exactness.solve_matrix, []

    def solve_matrix(matrix, options):
        limits_s.append(options.time_limit_s)
        if len(limits_s) <= solves:
            return quick(matrix, options)
        time.sleep(options.time_limit_s)
        return Solution("no_solution", np.nan, np.nan, None, options.time_limit_s, "slow", 0, 0, 0)

    monkeypatch.setattr(exactness, "solve_matrix", solve_matrix)
    return limits_s


def test_diagnose__no_time_to_find_anything(monkeypatch):
    """Where a solve finds nothing, nothing is claimed: neither a shortfall nor a contradiction of single assets."""
    limits_s = slow_after(0, monkeypatch)
    begin = time.perf_counter()

    found = str(diagnose(evening_problem(), SolverOptions(time_limit_s=400), budget_s=0.2))

    assert time.perf_counter() - begin < 5
    assert max(limits_s) <= 0.2
    assert found == (
        "dispatch of 'site' is infeasible; where and why has not been found. The time of an explanation, 0.2 s, did "
        "not suffice for more"
    )


@pytest.mark.parametrize("solves", [1, 2, 3, 6])
def test_diagnose__time_runs_out_on_the_way(solves, monkeypatch):
    """What was found until then is told, with that it may not be all."""
    limits_s = slow_after(solves, monkeypatch)
    begin = time.perf_counter()

    found = diagnose(evening_problem(), budget_s=1.0)

    assert time.perf_counter() - begin < 6
    assert max(limits_s) <= 1
    assert "it is short of" in found.shortfall
    assert found.conflict is None or not found.conflict.is_minimal
    said = "less or something else may do" if found.conflict or found.repairs else "1 s, did not suffice for more"
    assert str(found).endswith(said)


def test_diagnose__time_is_enough():
    assert diagnose(evening_problem()).stopped_after_s is None
