"""Results of a batch in one table: figures of the right run, columns of one type, on both kinds of database."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa
from batch_samples import a_batch

from ems.database.batch_results import gather, newest_batch
from ems.database.batches import list_cases
from ems.errors import UnknownName

DAY = {"horizon_h": 24.0}


def job(cost: float, **fields: object) -> dict[str, object]:
    return {"settled_cost": cost, "total_cost": cost, **fields}


def test_gather__has_figures_parameters_and_reasons(engine: sa.Engine):
    """A case settled at 96 against 120 saves 24, or 1 an hour of its 24; one that failed has a reason alone."""
    batch_id = a_batch(
        engine,
        [
            {
                "swept": {"step_h": 1.0, "solver": "highs"},
                "held": DAY,
                "seconds": 2.5,
                "job": job(
                    96.0,
                    baseline_cost=120.0,
                    emissions_kg=3.0,
                    solve_time_s=0.1,
                    kpis={"peak_import_kw": 7.0, "import_load_factor": None, "total_cost": -1.0, "b1/lost_kwh": 5.0},
                ),
            },
            {"swept": {"step_h": 0.5, "solver": "cbc"}, "error": "NoSolution: nothing <b>found</b>"},
            {"swept": {"step_h": 0.5, "solver": "highs"}, "status": "waiting"},
        ],
    )

    frame = gather(engine, batch_id)

    assert frame.attrs["batch"] == batch_id
    assert frame.attrs["study"] == "dispatch"
    assert set(frame.attrs["parameters"]) == {"step_h", "solver"}
    assert frame["number"].tolist() == [1, 2, 3]
    assert frame["status"].tolist() == ["completed", "failed", "waiting"]
    first = frame.iloc[0]
    assert first[["settled_cost", "saving", "settled_cost_per_h", "saving_per_h"]].tolist() == [96.0, 24.0, 4.0, 1.0]
    assert first[["emissions_kg", "peak_import_kw", "total_cost"]].tolist() == [3.0, 7.0, 96.0]
    assert "b1/lost_kwh" not in frame
    assert first["cpu_seconds"] == 2.5
    assert (first["currency"], first["attempts"], first["length_h"]) == ("EUR", 1, 24.0)
    assert frame["settled_cost"].isna().tolist() == [False, True, True]
    assert frame["error"].iloc[1] == "NoSolution: nothing <b>found</b>"
    assert {name: str(frame[name].dtype) for name in ("number", "step_h", "solver", "settled_cost", "attempts")} == {
        "number": "int64", "step_h": "Float64", "solver": "string", "settled_cost": "float64", "attempts": "int64"
    }  # fmt: skip


def test_gather__a_case_taken_from_an_earlier_run_counts_the_same(engine: sa.Engine):
    earlier = a_batch(engine, [{"swept": {"solver": "highs"}, "job": job(5.0), "seconds": 4.0}])
    run_id = list_cases(engine, earlier)[0].run_id

    frame = gather(engine, a_batch(engine, [{"swept": {"solver": "highs"}, "run_id": run_id}]))

    assert frame["is_reused"].tolist() == [True]
    assert frame[["settled_cost", "cpu_seconds", "attempts"]].to_numpy().tolist() == [[5.0, 4.0, 0]]


def test_gather__takes_auto_or_the_first_model(engine: sa.Engine):
    batch_id = a_batch(
        engine,
        [
            {"swept": {"days": 7}, "scores": [("naive_day", {"mae": 9.0}), ("auto", {"mae": 3.0, "mape": None})]},
            {
                "swept": {"days": 14},
                "scores": [("linear", {"mae": 5.0, "notes": "text"}), ("naive_day", {"mae": 4.0})],
            },
        ],
        study="backtest",
    )

    frame = gather(engine, batch_id)

    assert frame["model"].tolist() == ["auto", "linear"]
    assert frame["mae"].tolist() == [3.0, 5.0]
    assert frame["units"].tolist() == ["kW", "kW"]
    assert frame["mape"].isna().all()
    assert "notes" not in frame
    assert str(frame["days"].dtype) == "Int64"


def test_gather__values_that_a_case_does_not_state(engine: sa.Engine):
    """A list may state other parameters in each case: what one does not state its run tells, or nobody."""
    batch_id = a_batch(
        engine,
        [
            {"swept": {"choose_plan": True}, "held": {"outages": []}, "job": job(1.0)},
            {"swept": {"outages": [{"asset_id": "g"}]}, "stated": {"choose_plan": False}, "job": job(2.0)},
            {"swept": {"outages": None}, "status": "waiting"},
        ],
    )

    frame = gather(engine, batch_id)

    assert str(frame["choose_plan"].dtype) == "boolean"
    assert frame["choose_plan"].tolist()[:2] == [True, False]
    assert frame["choose_plan"].isna().tolist() == [False, False, True]
    assert frame["outages"].fillna("-").tolist() == ["[]", '[{"asset_id": "g"}]', "-"]


def test_gather__a_figure_with_the_name_of_a_parameter(engine: sa.Engine):
    batch_id = a_batch(
        engine,
        [{"swept": {"step_h": 1.0}, "job": job(1.0, kpis={"step_h": 5.0, "status": 1.0})}],
    )

    frame = gather(engine, batch_id)

    assert frame[["step_h", "result_step_h", "result_status", "status"]].iloc[0].tolist() == [
        1.0,
        5.0,
        1.0,
        "completed",
    ]


def test_gather__jobs_without_a_solution_do_not_count(engine: sa.Engine):
    batch_id = a_batch(
        engine, [{"swept": {}, "job": {"status": "infeasible", "objective_value": None, "error": "no"}}]
    )

    frame = gather(engine, batch_id)

    assert frame.attrs["measures"] == []
    assert len(frame) == 1


def test_gather__batch_without_cases_and_unknown_batch(engine: sa.Engine):
    empty = gather(engine, a_batch(engine, []))

    assert len(empty) == 0
    assert {"number", "status", "cpu_seconds"} <= set(empty.columns)
    with pytest.raises(UnknownName, match="batch 'nothing'"):
        gather(engine, "nothing")


def test_newest_batch__leaves_out_a_study(engine: sa.Engine):
    assert newest_batch(engine, besides="comparison") is None

    of_dispatch = a_batch(engine, [{"swept": {}, "job": job(1.0)}])
    a_batch(engine, [{"swept": {}, "status": "waiting"}], study="comparison")

    assert newest_batch(engine, besides="comparison").id == of_dispatch


def test_gather__many_cases_keep_their_order(engine: sa.Engine):
    costs = np.random.default_rng(0).permutation(30).astype(float)

    frame = gather(engine, a_batch(engine, [{"swept": {"seed": at}, "job": job(c)} for at, c in enumerate(costs)]))

    assert frame["settled_cost"].tolist() == costs.tolist()
