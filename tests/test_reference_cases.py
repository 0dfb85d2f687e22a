"""Cases of the neutral form `ems-case/1` with known answers: those beside the checkout, and small ones by hand.

The folder of cases is the one that EMS_REFERENCE_CASES names, or lies beside the checkout. Each schedule is checked
twice: by the rules of the form in reference_rules.py, which know nothing of the package, and by its settlement.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_bills import check_bill
from reference_cases import flows_of, options_of, pose_problem
from reference_functions import FUNCTIONS, check_function
from reference_rules import Audit, NeutralCase, audit, read_case
from reference_samples import SAMPLES, battery, grid
from reference_samples import case as posed

from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import Infeasible, InvalidInput
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

FOLDER = Path(os.environ.get("EMS_REFERENCE_CASES", Path(__file__).resolve().parents[2] / "shared/reference/cases"))
CHECK_TOLERANCE = 1e-5
"""Of facts that state none, as a share of their size: an order above the solver's tolerance, as errors add up."""

OUT_OF_REACH = (
    r"kWh can be reached \(",
    r"battery_capacity_kwh = .*: must be at least arrival_energy_kwh \+ energy_kwh = ",
    r"(target_soc = |soc_targets: ).*: must lie between min_soc = .* and max_soc = ",
    r"shiftable\.duration_h = .*: no block of neighbouring steps lasts just that long",
    r"shiftable\.duration_h = .* cannot be made of whole steps within its windows",
)
"""What findings say where a target, of a vehicle or a store, or a block of a load can never be reached."""


def _check_dispatch(case: NeutralCase, expected: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Solve a case and compare it with its answer; return the cost expected and found."""
    if expected.get("status") == "infeasible":
        _check_infeasible(case, expected)
        return None, None
    problem = pose_problem(case)
    result = solve(problem, options_of(case, expected))
    found = audit(case, flows_of(case, result))
    objective = expected["objective"]
    value = objective["value"]
    tolerance = max(abs(value) * objective.get("tol_rel", 0.0), objective.get("tol_abs", 1e-6))
    lower = (objective.get("recomputed") or {}).get("lower_bound", value)

    assert found.broken == []
    assert found.total_cost == pytest.approx(result.total_cost, rel=1e-6, abs=1e-6)
    assert result.total_cost <= value + tolerance
    assert result.total_cost >= min(lower, value) - tolerance
    _check_facts(expected, found)
    _check_schedule(expected, found)
    _check_prices(case, expected, result)
    assert violations_of(result.flows, problem.series, problem.portfolio) == []
    bill = settle(result.flows, problem.series, problem.portfolio)
    assert bill.total_cost == pytest.approx(result.total_cost, rel=1e-6, abs=1e-6)
    return value, result.total_cost


def _check_infeasible(case: NeutralCase, expected: Mapping[str, Any]) -> None:
    """Check that a case has no schedule: what a single asset can never reach is refused before there is a dispatch."""
    with pytest.raises((Infeasible, InvalidInput)) as refused:
        solve(pose_problem(case), options_of(case, expected))
    if isinstance(refused.value, InvalidInput):
        # Any other finding would be a fault of the reader.
        unsaid = [one for one in refused.value.findings if not any(re.search(words, one) for words in OUT_OF_REACH)]
        assert unsaid == []


CHECKERS: dict[str, Callable[[NeutralCase, Mapping[str, Any]], tuple[float | None, float | None]]] = {
    "dispatch": _check_dispatch,
    "bill": check_bill,
    "function": check_function,
}
"""How the answer of each kind of case is checked."""


def _read_expected(folder: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return expected


def _kind_of(folder: Path) -> str:
    return str(json.loads((folder / "case.json").read_text(encoding="utf-8"))["kind"])


def _is_here(folder: Path) -> bool:
    """Return whether the package has what a case is about: tables of functions that it lacks say nothing of it."""
    given = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return given["kind"] != "function" or given["definition"]["function"] in FUNCTIONS


FOLDERS = sorted(one.parent for one in FOLDER.glob("*/case.json"))
HERE = [one for one in FOLDERS if _is_here(one)]


@pytest.mark.parametrize("name", [*SAMPLES, *(folder.name for folder in HERE)])
def test_reference_case(name: str, record_property: Callable[[str, object], None]) -> None:
    if name in SAMPLES:
        _, case, expected = SAMPLES[name]
    else:
        case, expected = read_case(FOLDER / name), _read_expected(FOLDER / name)
    begin = time.perf_counter()
    value, found = CHECKERS[case.given["kind"]](case, expected)
    record_property("reference_case", (name, value, found, time.perf_counter() - begin))


def _check_facts(expected: Mapping[str, Any], found: Audit) -> None:
    """Compare what the answer says of single variables, each step or an aggregate."""
    for fact in expected.get("checks", ()):
        values = _flow(found, fact["var"])
        first, last = fact.get("steps", (0, found.case.steps - 1))
        values = values[first : last + 1]
        if "agg" in fact:
            values = np.array([getattr(np, fact["agg"])(values)])
        tolerance = fact.get("tol", CHECK_TOLERANCE * (1 + abs(fact["value"])))
        distance = values - fact["value"]
        holds = {
            "==": np.abs(distance) <= tolerance,
            "<=": distance <= tolerance,
            ">=": distance >= -tolerance,
            "<": distance < tolerance,
            ">": distance > -tolerance,
        }[fact["op"]]
        assert np.all(holds), f"{fact}: {values}"


def _check_schedule(expected: Mapping[str, Any], found: Audit) -> None:
    if not expected.get("schedule_unique", False):
        return
    for name, values in expected.get("schedule", {}).items():
        tolerance = expected.get("schedule_tol_abs", CHECK_TOLERANCE * (1 + np.max(np.abs(values))))
        np.testing.assert_allclose(_flow(found, name), values, rtol=0, atol=tolerance, err_msg=name)


def _flow(found: Audit, name: str) -> np.ndarray:
    """Return a flow as the form means it: contents are those that follow from the powers."""
    return found.derived[name] if name in found.derived else found.flow(name)


def _check_prices(case: NeutralCase, expected: Mapping[str, Any], result: DispatchResult) -> None:
    if "marginal_price" not in expected:
        return
    price = expected["marginal_price"]
    kilo = {"kW": 1.0, "MW": 1e3}[case.given["units"]["power"]]
    found = np.ravel(result.price_per_kwh.to_numpy()) * kilo
    tolerance = price.get("tol_abs", CHECK_TOLERANCE * (1 + np.max(np.abs(price["value"]))))
    np.testing.assert_allclose(found, np.broadcast_to(price["value"], case.steps), rtol=0, atol=tolerance)


def test_reference_case__kinds() -> None:
    """Every kind of case has a checker."""
    assert {_kind_of(folder) for folder in FOLDERS} <= {*CHECKERS}


@pytest.mark.parametrize(
    "asset",
    [
        {**SAMPLES["vehicle_in_haste"][1].given["assets"][1], "energy_target": 11},
        battery(soc_max=0.5, soc_final=0.9),
        battery(soc_max=0.5, soc_targets=[{"step": 0, "soc": 0.9}]),
        {"name": "wash", "type": "shiftable_load", "power": 1, "duration_steps": 3},
        {"name": "wash", "type": "shiftable_load", "power": 1, "duration_steps": 3, "interruptible": True},
    ],
)
def test_check_infeasible__out_of_reach(asset: Mapping[str, Any]) -> None:
    """What one asset can never reach is infeasible."""
    CHECKERS["dispatch"](posed(grid(1), asset, n=2), {"status": "infeasible"})


def test_check_infeasible__fault_of_the_reader() -> None:
    """Input that is refused for another reason is no answer."""
    given = posed(grid(1), battery(soc_initial=1.5), n=2)

    with pytest.raises(AssertionError, match=r"initial_soc = 1\.5"):
        CHECKERS["dispatch"](given, {"status": "infeasible"})


def test_pose_problem__megawatts() -> None:
    """Powers become kW, prices of energy those of a kWh, a quadratic price a millionth; money per hour stays."""
    case = SAMPLES["cost_curves"][1]

    bent, rounded = pose_problem(case).assets[1:]

    assert [point.output_kw for point in bent.cost_curve] == [0, 4000, 8000]
    assert [point.cost_per_h for point in bent.cost_curve] == [0, 20, 24]
    assert rounded.fuel_cost_per_kwh == pytest.approx(2e-3)
    assert rounded.quadratic_cost_per_kw2h == pytest.approx(0.5e-6)
    assert rounded.no_load_cost_per_h == 1


def test_pose_problem__changing_price_of_giving_back() -> None:
    """What no field takes is told, not left out."""
    given = SAMPLES["vehicle"][1]
    connection, car = given.given["assets"]
    changing = replace(given, given={**given.given, "assets": [connection, {**car, "discharge_cost": [0.5, 1, 1]}]})

    with pytest.raises(AssertionError, match="car: discharge_cost changes with time"):
        pose_problem(changing)
