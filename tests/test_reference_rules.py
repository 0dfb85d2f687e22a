"""The rules of the neutral form `ems-case/1` find what is wrong in a schedule, and nothing in a right one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reference_rules import audit, read_case
from reference_samples import SAMPLES, SCHEDULES


@pytest.mark.parametrize(
    ("sample", "flow", "values", "words"),
    [
        ("battery_losses", "battery.c", [10.5, 0], "battery charge too high"),
        ("battery_losses", "battery.d", [0, 1.1], "battery content too low"),
        ("battery_losses", "battery.e", [2.4, 0], "battery content"),
        ("battery_losses", "grid.imp", [5, 0], "balance of the bus"),
        ("battery_losses", "grid.exp", [1, 0], "grid imports and exports"),
        ("battery_targets", "battery.c", [4, 0, 0, 0], "battery target at end of step 1"),
        ("unit_starts", "unit.u", [1, 1, 0, 1], "unit output too low"),
        ("unit_starts", "unit.p", [5, 0, 0, 11], "unit output too high"),
        ("unit_rises", "unit.p", [3, 5, 8], "unit startup_limit in step 0"),
        ("unit_rises", "unit.p", [2, 5, 8.5], "unit ramp_up"),
        ("unit_falls", "unit.u", [1, 1, 0], "unit shutdown_limit before step 2"),
        ("units_bound_before", "young.u", [1, 0, 0], "young min_up_h before step 1"),
        ("units_bound_before", "always.u", [1, 0, 1], "always must run"),
        ("units_bound_before", "late.u", [1, 1, 1], "late fixed commitment"),
        ("unit_rests_before", "unit.u", [0, 1, 1], "unit min_down_h before step 1"),
        ("vehicle", "car.c", [2, 0, 1], "car charge too high"),
        ("moved_loads", "block.on", [1, 0, 0, 1], "block blocks"),
        ("moved_loads", "parts.on", [1, 0, 0, 1], "parts runs where it is not allowed"),
        ("reserve_of_capacity", "second.u", [0], "reserve of capacity"),
        ("reserve_limited_by_ramps", "first.p", [9, 4], "reserve limited by ramps"),
        ("slack_of_the_bus", "wind.p", [2, 3], "wind power too low"),
        ("load_shed", "load.shed", [1, 5], "load shed too high"),
    ],
)
def test_audit__broken_rule(sample: str, flow: str, values: list[float], words: str) -> None:
    """A schedule with one flow changed is told by the rule that it breaks."""
    case = SAMPLES[sample][1]
    flows = {**SCHEDULES[sample], flow: values}

    found = audit(case, {name: np.array(given, dtype=float) for name, given in flows.items()})

    assert [sentence for sentence in found.broken if words in sentence]


@pytest.mark.parametrize("sample", SCHEDULES)
def test_audit__right_schedule(sample: str) -> None:
    """The schedule found by hand breaks nothing and costs what the sample says."""
    _, case, expected = SAMPLES[sample]

    found = audit(case, {name: np.array(values, dtype=float) for name, values in SCHEDULES[sample].items()})

    assert found.broken == []
    assert found.total_cost == pytest.approx(expected["objective"]["value"], rel=1e-6)


def test_audit__order_of_assets() -> None:
    """The order in which a case lists its assets changes nothing."""
    case = SAMPLES["units_bound_before"][1]
    turned = replace(case, given={**case.given, "assets": case.given["assets"][::-1]})
    flows = {name: np.array(values) for name, values in SCHEDULES["units_bound_before"].items()}

    assert audit(turned, flows).total_cost == pytest.approx(audit(case, flows).total_cost)


def test_read_case__texts_in_a_series(tmp_path: Path) -> None:
    """Labels of groups are texts; a column of numbers stays one."""
    charge = {"group": {"series": "month"}}
    (tmp_path / "case.json").write_text(json.dumps({"time": {"n": 2, "step_h": 1}, "assets": [charge]}))
    (tmp_path / "series.csv").write_text("time,month,load\n2024-01-31T23:00Z,2024-01,5\n2024-02-01T00:00Z,2024-02,6\n")

    case = read_case(tmp_path)

    assert case.labels(charge["group"]) == ["2024-01", "2024-02"]
    assert case.values({"series": "load", "scale": 2}).tolist() == [10, 12]
