"""Malformed inputs, each as a project: what a person gave is refused with one clear error, or accepted with a word.

The cases lie outside this repository: in the folder that EMS_BAD_INPUTS names, or beside the checkout.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import nbformat.v4 as nb
import numpy as np
import pytest
import yaml
from neutral_cases import make_case_project

from ems.assets.portfolio import read_portfolio
from ems.batch.parameters import load_case
from ems.batch.reporting import make_page
from ems.batch.site.run_index import write_index
from ems.database.engine import connect
from ems.database.optimizations import jobs_of, read_results
from ems.database.runs import get_run, list_runs
from ems.errors import EmsError, EmsWarning
from ems.report import figures, tables
from ems.studies.forecast import ForecastStudy
from ems.yaml_text import read_yaml

FOLDER = Path(os.environ.get("EMS_BAD_INPUTS", Path(__file__).resolve().parents[2] / "shared/reference/bad_inputs"))
CASES = json.loads((FOLDER / "index.json").read_text()) if (FOLDER / "index.json").is_file() else []
PLANNED = ("control", "time", "value", "shape", "asset", "model", "config", "security", "forecast")
PWNED = Path("/tmp/pwned_by_param")

MESSAGES = {
    "time_missing_row": r"2024-03-04 10:00",
    "time_irregular_step": r"06:17|05:17",
    "time_epoch_future_year": r"9999",
    "value_nan_load": r"(?s)load_kw.*2024-03-04 06:00",
    "value_inf_load": r"(?s)load_kw.*(06|07):00",
    "value_text_in_number": r"(?s)load_kw.*'five'",
    "value_huge": r"1e\+?300",
    "shape_price_shorter": r"(?s)12 .*24|24 .*12",
    "shape_header_only": r"no rows",
    "shape_wrong_columns": r"(?s)load_kw.*Verbrauch",
    "shape_latin1": r"utf-8.*latin-1",
    "asset_negative_capacity": r"battery 'bat': capacity_kwh = -10 kWh: must be greater than 0 kWh",
    "asset_soc_initial_outside": r"initial_soc = 0\.95: must lie between min_soc = 0\.1 and max_soc = 0\.9",
    "asset_efficiency_gt_1": r"charge_efficiency = 1\.2: must be at most 1",
    "asset_pmin_gt_pmax": r"min_output_kw = 8 kW: must be at most max_output_kw = 5 kW",
    "asset_case_colliding_names": r"two assets have the id 'bat'",
    "asset_unknown_field": r"energy_capacityy: no such field",
    "asset_bool_number": r"max_charge_kw = true: must be a number",
    "asset_empty_name": r"name = '': must not be empty",
    "asset_ev_unreachable_target": r"energy_kwh = 40 kWh: at most 22 kWh can be reached",
    "model_infeasible_load": r"infeasible at 2024-03-03 23:00 UTC .*demand 100 kW.*short of 80 kW",
    "model_unknown_solver": r"gurobix.*highs, dp, cbc",
    "model_time_limit_zero": r"time_limit_s = 0 s: must be greater than 0 s",
    "model_horizon_zero": r"horizon_h = 0 h: must be greater than 0 h",
    "param_wrong_type": r"horizon_h = 'tomorrow': must be a number",
    "fc_history_too_short": r"0\.125 days of history before .* needs at least 2, of models that learn 13",
    "fc_leakage_future_rows": r"the file holds 48 values after the issue time; they were not used",
    "sec_path_traversal_report": r"report_name: no such field",
    "sec_null_byte": r"control character U\+0000",
    "sec_long_name": r"must have at most 200 characters",
}


@pytest.mark.skipif(not CASES, reason="no folder of malformed inputs; name one with EMS_BAD_INPUTS")
@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] in PLANNED], ids=lambda case: case["id"])
def test_bad_input(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path / "project"))
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    monkeypatch.delenv("EMS_RUN_ID", raising=False)
    PWNED.unlink(missing_ok=True)

    error, said = None, []
    try:
        use = _forecast if case["kind"] == "forecast" else _use
        said = use(FOLDER / case["id"], tmp_path / "project")
    except EmsError as failure:
        error = failure

    assert not PWNED.exists()
    if case["expect"] == "reject":
        assert error is not None, f"accepted; {case['must']}"
    if case["expect"] == "accept":
        assert error is None, str(error)
    if case["id"] == "ok_control":
        assert said == []
    if case["expect"] == "accept_with_warning":
        assert error is not None or said, f"no word was said; {case['must']}"
    if error is not None:
        _is_kind(str(error))
        assert re.search(MESSAGES.get(case["id"], ""), str(error)), str(error)
        assert not any((tmp_path / "project").rglob("*.html"))


def _forecast(case_folder: Path, folder: Path) -> list[str]:
    """Forecast the case's load from its issue time; return what the user was told."""
    made = make_case_project(case_folder, folder)
    names = {"issue_time": "start", "forecast_h": "horizon_h"}
    study = ForecastStudy(
        **{names.get(name, name): value for name, value in made.parameters.items() if name in names or name == "site"}
    )
    study.check()
    run = study.open_run()
    measured = study.load_history()
    assert np.isnan(measured.history.values[measured.at :]).all()
    view = study.forecast(measured, run)
    assert np.isfinite(view.forecast["demand_kw"].to_numpy()).all()
    assert view.outcome().get("mae", 1.0) > 0
    view.keep(run)
    return view.notes()


def _is_kind(message: str) -> None:
    assert len(message) > 20
    assert max(map(len, message.splitlines())) < 1000
    assert "Traceback" not in message
    assert "\x00" not in message


def _use(case_folder: Path, folder: Path) -> list[str]:
    """Take an input the whole way from its files to a report; return what the user was told."""
    case = json.loads((case_folder / "case.json").read_text())
    if case["file"].endswith((".yaml", ".yml")):
        file = case_folder / case["file"]
        assert all(not isinstance(value, bool) for value in dict(read_yaml(file).get("site", {})).values())
        read_portfolio(file)
        return []
    made = make_case_project(case_folder, folder)
    parameters = {name: value for name, value in made.parameters.items() if name not in ("asset_filter", "output_dir")}
    if "output_dir" in made.parameters:
        target = folder.parent / "elsewhere"
        target.mkdir()
        (folder / "reports").symlink_to(target)
    file = folder / "parameters" / "dispatch" / "case.yaml"
    file.write_text(yaml.safe_dump(parameters, allow_unicode=True), encoding="utf-8")
    study = load_case("dispatch", "case").study
    study.check()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = study.open_run()
        portfolio = study.load_portfolio()
        problem = study.pose_problem(portfolio)
    plan = study.plan(problem, run)
    shown = [
        tables.show_assets(portfolio),
        figures.plot_series(problem.series, portfolio),
        tables.show_facts(plan.proof()),
        figures.plot_power_balance(plan.result.flows, problem.series, portfolio),
        tables.show_costs(plan.costs(), plan.currency),
    ]
    run.store(plan)
    engine = connect()
    record = get_run(engine, run.id)
    page = make_page(engine, record, study, _notebook_of(shown))
    index = write_index(engine).read_text()
    _is_escaped(page, index, portfolio, record.title)
    (job,) = jobs_of(engine, run.id)
    assert job.status == "optimal"
    assert job.settled_cost == pytest.approx(job.objective_value, abs=1e-6)
    for asset in portfolio.assets:  # an id finds its own asset, whatever its name looks like
        assert set(read_results(engine, job.id, asset_id=asset.id)["asset_id"]) == {asset.id}
    assert read_results(engine, job.id, asset_id="%").empty
    assert len(list_runs(engine)) == 1
    engine.dispose()
    words = [str(one.message) for one in caught if issubclass(one.category, EmsWarning)]
    if (folder / "reports").is_symlink():
        words.append("a link")  # said by the command, see test_cli.py
    return words


def _notebook_of(shown: list[Any]) -> Any:
    outputs = []
    for one in shown:
        if hasattr(one, "_repr_mimebundle_"):
            data, metadata = one._repr_mimebundle_()
        else:
            data, metadata = {"text/html": one._repr_html_(), "text/plain": repr(one)}, {}
        outputs.append(nb.new_output("execute_result", data=data, metadata=metadata, execution_count=1))
    cells = [nb.new_markdown_cell("# Case")]
    cells += [nb.new_code_cell("show()", outputs=[output], execution_count=1) for output in outputs]
    return nb.new_notebook(cells=cells)


def _is_escaped(page: str, index: str, portfolio: Any, title: str) -> None:
    for text in (page, index):
        assert "<img src=x" not in text
        assert "<script>alert" not in text
    for asset in portfolio.assets:
        if "{{" in asset.name:
            assert "{{ 7*7 }}" in page
    if "<" in title:
        assert "&lt;img src=x" in page
