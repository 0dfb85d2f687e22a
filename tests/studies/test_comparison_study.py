"""The study `comparison`: from a batch to the best case, what makes it best, and sentences that a person can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from batch_samples import a_batch
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from project_fixtures import run_ems

from ems.database.batches import list_cases
from ems.database.engine import connect
from ems.database.optimizations import read_costs
from ems.database.runs import list_runs
from ems.errors import InvalidInput, UnknownName
from ems.report import comparison_figures, comparison_tables
from ems.studies.comparison import ComparisonStudy
from ems.studies.comparison_effects import is_balanced, main_effects, pair_means, spreads, tied_parameters, value_words
from ems.studies.comparison_source import ComparedCases, load_cases
from ems.studies.comparison_view import ComparisonView
from ems.studies.comparison_words import numbers

ROUNDING = 1e-9
DAY = {"horizon_h": 24.0}


def dispatched(cost: float, *, hours: float = 24.0, currency: str = "EUR", **swept: Any) -> dict[str, Any]:
    job = {"settled_cost": cost, "baseline_cost": 150.0, "currency": currency, "kpis": {"full_cycles": 1.0}}
    return {"swept": swept, "held": {"horizon_h": hours}, "job": job}


def failed(error: str = "NoSolution: none", **swept: Any) -> dict[str, Any]:
    return {"swept": swept, "held": DAY, "error": error}


FOUR = [
    dispatched(140.0, step_h=1.0, solver="highs"),
    dispatched(141.0, step_h=1.0, solver="cbc"),
    dispatched(132.0, step_h=0.5, solver="highs"),
    dispatched(135.0, step_h=0.5, solver="cbc"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    """A database for the batches of all tests that name theirs."""
    return connect(f"sqlite:///{tmp_path_factory.mktemp('comparison')}/ems.sqlite")


def compared(store: sa.Engine, cases: list[dict[str, Any]], of: str = "dispatch", **parameters: Any) -> ComparisonView:
    study = ComparisonStudy(batch=a_batch(store, cases, study=of), **parameters)
    return study.compare(load_cases(store, study.batch))


# ---------------------------------------------------------------------------------------------- which case is best
def test_compare__ranks_four_cases_by_hand(store: sa.Engine):
    """Half-hours cost 133.50 on average and hours 140.50; highs 136 and cbc 138."""
    view = compared(store, FOUR, baseline=1)

    assert view.ranked["number"].tolist() == [3, 4, 1, 2]
    assert view.ranked["rank"].tolist() == [1, 2, 3, 4]
    assert view.ranked["against"].tolist() == [-8.0, -5.0, 0.0, 1.0]
    assert view.spreads == pytest.approx({"step_h": 7.0, "solver": 2.0})
    assert view.conclusion() == (
        "Case 3 (step_h=0.5, solver=highs) is best: settled cost 132.00 EUR, 8.00 EUR less than the baseline, case 1. "
        "At the other end is case 2 (step_h=1.0, solver=cbc) with 141.00 EUR, 9.00 EUR more. "
        "step_h matters most: over all others the mean is 133.50 EUR at 0.5 and 140.50 EUR at 1. "
        "solver changes the mean by 2.00 EUR at the most, with 136.00 EUR at highs and 138.00 EUR at cbc."
    )
    assert dict(view.headline()) == {
        "Best case": "3",
        "Settled cost": "132.00 EUR",
        "Against the baseline": "-8.00 EUR",
        "Cases compared": "4 of 4",
        "Matters most": "step_h",
    }
    assert view.notes() == []
    assert view.settings().to_dict() == {
        "best: case 3": {"step_h": "0.5", "solver": "highs"},
        "last: case 2": {"step_h": "1", "solver": "cbc"},
        "baseline: case 1": {"step_h": "1", "solver": "highs"},
    }
    assert [quantity.heading for quantity in view.differences().index] == ["settled cost (EUR)", "saving (EUR)"]


def test_compare__ties_share_a_rank_and_are_said(store: sa.Engine):
    """A third of a cent is no lead."""
    view = compared(store, [dispatched(100.003, days=1), dispatched(100.0, days=2), dispatched(107.0, days=3)])

    assert view.tied == [1, 2]
    assert view.ranked["rank"].tolist() == [1, 1, 3]
    assert view.ranked["number"].tolist() == [1, 2, 3]
    assert view.best["number"] == 1
    assert view.conclusion().startswith("Cases 1 and 2 are best alike, the first of them with days=1")
    assert dict(view.headline())["Best cases"] == "1 and 2"


def test_compare__all_are_equal(store: sa.Engine):
    view = compared(store, [dispatched(100.0, solver="highs"), dispatched(100.0, solver="cbc")])

    assert view.conclusion() == "The 2 cases are equal, settled cost 100.00 EUR: what is swept has no effect."
    assert [label for label, _ in view.headline()] == ["Best cases", "Settled cost", "Cases compared"]


def test_compare__one_result_alone(store: sa.Engine):
    view = compared(store, [dispatched(100.0, solver="highs"), failed(solver="cbc")])

    assert view.conclusion() == (
        "Case 1 (solver=highs) is the only one that has a result: settled cost 100.00 EUR. "
        "Of 2 cases 1 failed; they are left out."
    )


def test_compare__by_a_measure_of_which_more_is_better(store: sa.Engine):
    """What costs 132 saves 18 against 150."""
    view = compared(store, FOUR, measure="saving")

    assert view.best["number"] == 3
    assert view.best["saving"] == pytest.approx(18.0)
    assert view.conclusion().startswith("Case 3 (step_h=0.5, solver=highs) is best: saving 18.00 EUR.")
    assert compared(store, FOUR, measure="saving", direction="least").best["number"] == 2


def test_compare__of_backtests_by_the_error_of_auto(store: sa.Engine):
    cases = [
        {"swept": {"training_days": days}, "scores": [("naive_day", {"mae": 1.0}), ("auto", {"mae": mae})]}
        for days, mae in ((30, 9.25), (365, 7.5), (90, 8.0))
    ]

    view = compared(store, cases, of="backtest")

    assert view.measure.name == "mae"
    assert view.conclusion().startswith("Case 2 (training_days=365) is best: mean absolute error 7.50 kW.")
    assert "It is training_days that makes the difference: 7.50 kW at 365 and 9.25 kW at 30." in view.conclusion()


def test_compare__cases_of_different_lengths_are_held_against_each_other_per_hour(store: sa.Engine):
    """60 for 12 h are 5 an hour; 96 for 24 h are 4, and better."""
    cases = [dispatched(60.0, hours=12, horizon_h=12.0), dispatched(96.0, hours=24, horizon_h=24.0)]

    by_hour, by_sum = compared(store, cases), compared(store, cases, measure="settled_cost")

    assert (by_hour.measure.name, by_hour.best["number"]) == ("settled_cost_per_h", 2)
    assert by_hour.conclusion().startswith("Case 2 (horizon_h=24.0) is best: settled cost per hour 4.00 EUR/h.")
    assert by_hour.conclusion().endswith("But the cases cover different times, and so are not about the same hours.")
    assert by_sum.best["number"] == 1
    assert by_sum.conclusion().endswith(
        "But the cases cover different times, and settled cost is a sum over them; "
        "compare by settled_cost_per_h instead."
    )
    assert by_sum.notes()[-1].startswith("the cases cover from 12 h to 24 h")


def test_compare__failed_and_waiting_cases_are_said(store: sa.Engine):
    waiting = {"swept": {"solver": "cbc", "step_h": 0.25}, "status": "waiting"}
    view = compared(store, [*FOUR, failed(solver="highs", step_h=0.25), waiting])

    assert "Of 6 cases 1 failed; they are left out." in view.conclusion()
    assert "1 of 6 cases have not ended yet: what is said here may change." in view.conclusion()
    assert view.cases.failures().to_dict("records") == [
        {"reason": "NoSolution: none", "cases": [5], "label": "solver=highs, step_h=0.25"}
    ]
    assert view.cases.facts()["Still waiting"] == 1
    assert view.pair().means["0.25"].isna().all()
    assert view.notes() == []


def test_compare__an_unbalanced_batch_is_said(store: sa.Engine):
    view = compared(store, [*FOUR[:3], failed(step_h=0.5, solver="cbc")])

    assert view.notes() == [
        "not every combination has a result: means of a parameter's values are over different others"
    ]


def test_compare__parameters_that_change_together_are_said(store: sa.Engine):
    cases = [dispatched(100.0, step_h=1.0, solver="highs"), dispatched(90.0, step_h=0.5, solver="cbc")]

    view = compared(store, cases)

    assert "But step_h and solver change together: what each does cannot be told apart." in view.conclusion()


def test_compare__cases_taken_from_earlier_runs_count_the_same(store: sa.Engine):
    run_id = list_cases(store, a_batch(store, [dispatched(99.0, solver="highs")]))[0].run_id

    view = compared(store, [{"swept": {"solver": "highs"}, "run_id": run_id}, dispatched(101.0, solver="cbc")])

    assert view.best["settled_cost"] == 99.0
    assert view.cases.facts()["Taken from earlier runs"] == 1


# ---------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"measure": "settled_cots"}, r"did you mean settled_cost\? there are settled_cost, "),
        ({"measure": "baseline"}, "no case of batch .* has it; did you mean baseline_cost"),
        ({"measure": "full_cycles"}, "measure = 'full_cycles': is not good or bad by itself; say direction"),
        ({"baseline": 9}, r"baseline = 9: batch .* has cases 1 to 5"),
        ({"baseline": 5}, "baseline = 5: this case is failed and has no result to compare with: NoSolution: none"),
    ],
)
def test_compare__what_cannot_be_used(store: sa.Engine, parameters: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        compared(store, [*FOUR, failed(step_h=2.0, solver="cbc")], **parameters)


def test_compare__batch_without_results(store: sa.Engine):
    with pytest.raises(
        InvalidInput,
        match=r"no case has a result \(2 failed\); case 1: Infeasible: x; .* sweep --resume --retry-failed",
    ):
        compared(store, [failed("Infeasible: x", solver="highs"), failed(solver="cbc")])


def test_compare__study_without_a_measure(store: sa.Engine):
    cases: list[dict[str, Any]] = [{"swept": {"site": name}, "scores": []} for name in ("bakery", "demo")]

    with pytest.raises(InvalidInput, match=r"its study, tariffs, keeps no cost and no error .* measure: cpu_seconds"):
        compared(store, cases, of="tariffs")
    assert compared(store, cases, of="tariffs", measure="cpu_seconds").measure.unit == "s"


def test_compare__two_currencies(store: sa.Engine):
    cases = [dispatched(1.0, site="demo"), dispatched(2.0, currency="USD", site="clinic")]

    with pytest.raises(InvalidInput, match="measure = 'settled_cost': is in EUR and in USD, which cannot be compared"):
        compared(store, cases)


def test_load_cases__no_batch_empty_batch_unknown_batch(store: sa.Engine):
    with pytest.raises(InvalidInput, match="make one, as with: ems batch dispatch battery-horizon"):
        load_cases(connect("sqlite://"), None)
    with pytest.raises(UnknownName, match="batch '20240101-000000-abcdef'"):
        load_cases(store, "20240101-000000-abcdef")
    with pytest.raises(InvalidInput, match="has no cases"):
        load_cases(store, a_batch(store, []))


def test_study__is_not_repeatable():
    assert not ComparisonStudy().is_repeatable()


# ---------------------------------------------------------------------------------------------- what parameters do
def grid(sizes: tuple[int, ...], values: list[float]) -> pd.DataFrame:
    places = np.indices(sizes).reshape(len(sizes), -1)
    frame = pd.DataFrame({f"p{at}": pd.Series(column, dtype="Int64") for at, column in enumerate(places)})
    return frame.assign(figure=values)


@settings(max_examples=examples(15), deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3).flatmap(
        lambda sizes: st.tuples(
            st.just(tuple(sizes)),
            st.lists(st.floats(-1e6, 1e6), min_size=int(np.prod(sizes)), max_size=int(np.prod(sizes))),
        )
    )
)
def test_main_effects__of_a_full_grid_sum_to_zero(case: tuple[tuple[int, ...], list[float]]):
    sizes, values = case
    frame = grid(sizes, values)
    names = [f"p{at}" for at in range(len(sizes))]

    effects = main_effects(frame, names, "figure")

    assert is_balanced(frame, names, "figure")
    for name, size in zip(names, sizes, strict=True):
        of_one = effects[effects["parameter"] == name]
        assert len(of_one) == size
        assert of_one["effect"].sum() == pytest.approx(0, abs=ROUNDING * 1e6 * size)
        assert (of_one["mean"] - of_one["effect"]).tolist() == pytest.approx([np.mean(values)] * size, abs=1e-3)
        assert ((of_one["least"] <= of_one["mean"] + 1e-6) & (of_one["mean"] <= of_one["most"] + 1e-6)).all()


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=4), st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=4))
def test_main_effects__of_a_sum_are_its_parts(first: list[float], second: list[float]):
    """Where a figure is a sum of what each parameter adds, effects differ as the parts do."""
    frame = grid((len(first), len(second)), [one + other for one in first for other in second])

    effects = main_effects(frame, ["p0", "p1"], "figure")

    for name, parts in (("p0", first), ("p1", second)):
        found = effects.loc[effects["parameter"] == name, "effect"].tolist()
        assert found == pytest.approx([part - np.mean(parts) for part in parts], abs=ROUNDING * 1e3)
        assert spreads(effects)[name] == pytest.approx(max(parts) - min(parts), abs=ROUNDING * 1e3)


def test_main_effects__order_and_kind_of_values():
    frame = pd.DataFrame(
        {
            "limit_s": pd.Series([60, None, 5], dtype="Int64"),
            "is_on": pd.Series([True, False, True], dtype="boolean"),
            "site": pd.Series(["b", "a", "b"], dtype="string"),
            "figure": [1.0, 2.0, np.nan],
        }
    )

    effects = main_effects(frame, ["limit_s", "is_on", "site"], "figure")

    assert effects["value"].tolist() == ["5", "60", "none", "no", "yes", "b", "a"]
    assert effects["x"].isna().all()
    assert effects["results"].tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert effects["heading"].iloc[0] == "limit_s (s)"
    assert tied_parameters(frame, ["is_on", "site"]) == [("is_on", "site")]


def test_pair_means__average_all_others():
    frame = grid((2, 2, 2), [1, 3, 5, 7, 2, 4, np.nan, np.nan])

    pair = pair_means(frame, "p0", "p1", "figure")

    assert pair.means.to_numpy().tolist()[0] == [2.0, 6.0]
    assert np.isnan(pair.means.loc["1", "1"])
    assert pair.results.to_numpy().tolist() == [[2, 2], [2, 0]]
    assert (pair.cases.to_numpy() == 2).all()


def test_words():
    assert [value_words(one) for one in (24.0, np.int64(7), np.True_, pd.NA, "x")] == ["24", "7", "yes", "none", "x"]
    assert numbers(range(1, 31)) == "1, 2, 3, 4, 5, 6, 7, 8 and 22 more"


# ---------------------------------------------------------------------------------------------- as people run it
def test_batch__best_case_has_the_least_settled_cost(project: Path):
    """Three small cases by real kernels, one of which fails; each cost is summed again from the rows of its bill."""
    from ems.batch.batches.opening import begin, prepare
    from ems.batch.batches.options import BatchOptions
    from ems.batch.batches.sweep import load_sweep
    from ems.batch.batches.worker import DONE, work
    from ems.database.batches import close_batch

    (project / "parameters" / "sweeps" / "tiny.yaml").write_text(
        "case: demo\n"
        "parameters: {horizon_h: 6, baseline_without: null, choose_plan: false, step_h: 1.0}\n"
        'grid: {start: ["2024-06-03T00:00", "2024-06-03T12:00", "2030-01-01T00:00"]}\n',
        encoding="utf-8",
    )
    engine = connect()
    opened = begin(engine, prepare("dispatch", load_sweep("dispatch", "tiny"), BatchOptions(attempts=1)))
    ended = work(engine, opened.id)
    batch = close_batch(engine, opened.id)

    done = run_ems(project, "run", "comparison", "dispatch-batch", "--quiet")

    view = ComparisonStudy().compare(load_cases(engine, None))
    bills = {
        case.number: float(read_costs(engine, f"{case.run_id}-plan")["cost"].sum())
        for case in list_cases(engine, batch.id, status="completed")
    }
    best = min(bills, key=bills.__getitem__)
    assert (ended, batch.status) == (DONE, "failed")
    assert len(bills) == 2
    assert view.best["number"] == best
    assert view.best["settled_cost"] == pytest.approx(bills[best], abs=0.005)
    assert done.returncode == 0, done.stderr
    (run,) = list_runs(engine, study="comparison")
    assert dict(run.headline)["Best case"] == str(best)
    page = (project / str(run.report_path)).read_text(encoding="utf-8")
    assert "1 case has no result" in page
    assert "start matters" in page or "It is start that makes the difference" in page


def test_report__all_parts_of_any_view(store: sa.Engine):
    """A batch whose names hold markup, with lists as values, a third failed."""
    cases = [
        dispatched(100.0 + at, site=f"<b>{at % 3}</b>", outages=[{"asset_id": "$x$"}] * (at % 2)) for at in range(6)
    ]
    view = compared(store, [*cases, failed("<script>alert(1)</script>", site="<b>4</b>", outages=[])])

    tables = [
        comparison_tables.show_failures(view.cases.failures()),
        comparison_tables.show_cases(view.listed(), view.parameters, view.quantities()),
        comparison_tables.show_settings(view.settings()),
        comparison_tables.show_differences(view.differences()),
        comparison_tables.show_effects(view.effects, view.measure),
    ]
    figures = [
        comparison_figures.plot_effects(view.effects, view.measure),
        comparison_figures.plot_pair(view.pair(), view.measure),
    ]

    for shown in [one._repr_html_() for one in tables] + [one.as_svg() for one in figures]:
        assert "<b>" not in shown
        assert "<script" not in shown


def test_compared_cases__long_reasons_are_cut(store: sa.Engine):
    view = compared(store, [dispatched(1.0, solver="highs"), failed("x " * 1000, solver="cbc")])

    assert len(view.cases.failures()["reason"].iloc[0]) == 300
    assert isinstance(view.cases, ComparedCases)
