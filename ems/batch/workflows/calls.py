"""Calls of studies, notebooks and functions, in the process of their task."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.batch.workflows.value_types import is_taken, type_of, words_of
from ems.errors import RunFailed, show

if TYPE_CHECKING:
    from sqlalchemy import Engine

Outcome = tuple[dict[str, Any], str | None]
"""Outputs, and the run that was opened."""


class StudyFailed(RunFailed):
    """A run that did not complete."""

    def __init__(self, said: str, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(said)


def call_study(fields: Mapping[str, Any], job: Mapping[str, Any]) -> Outcome:
    """Return what a run of a study has left.

    Raises
    ------
    StudyFailed
        If its notebook stopped.
    """
    from ems.batch.run import run_case
    from ems.batch.workflows.study_checks import case_of
    from ems.database.engine import connect

    case = case_of(fields["study"], fields["case"], fields["parameters"], job["workflow"])
    run = run_case(case, progress=False).run
    if run.status != "completed":
        raise StudyFailed(f"run {run.id} {run.status}: {run.error}", run.id)
    outputs = {
        "run_id": run.id,
        "status": run.status,
        "report": run.report_path,
        "notebook": run.notebook_path,
        "headline": dict(run.headline),
    }
    engine = connect()
    if fields["study"] == "dispatch":
        outputs |= _dispatch_outputs(engine, run.id)
    elif fields["study"] in ("forecast", "backtest"):
        outputs |= _forecast_outputs(engine, run.id)
    engine.dispose()
    return outputs, run.id


def _dispatch_outputs(engine: Engine, run_id: str) -> dict[str, Any]:
    from ems.database.optimizations import jobs_of

    names = ("total_cost", "baseline_cost", "settled_cost", "currency", "emissions_kg", "kpis")
    jobs = jobs_of(engine, run_id)
    return {name: getattr(jobs[0], name) for name in names} if jobs else dict.fromkeys(names)


def _forecast_outputs(engine: Engine, run_id: str) -> dict[str, Any]:
    from ems.database.forecast_queries import list_forecasts

    jobs = sorted(list_forecasts(engine, run_id=run_id, limit=1000), key=lambda job: (len(job.id), job.id))
    ids = [job.id for job in jobs]
    names = [job.variable if job.form == "forecast" else job.model for job in jobs]
    first = {"forecast_job": ids[0]} if jobs and jobs[0].form == "forecast" else {}
    return {**first, "forecast_jobs": ids, "job_of": dict(zip(names, ids, strict=True))}


def call_notebook(fields: Mapping[str, Any], job: Mapping[str, Any]) -> Outcome:
    """Return what a run of any notebook has left: its executed copy, and what its cell tagged outputs shows.

    Raises
    ------
    RunFailed
        If a cell stopped, or the outputs are not those which were promised.
    """
    from ems.batch.jupyter import execute
    from ems.batch.kernel import started_kernel
    from ems.batch.reporting import safe_notebook
    from ems.batch.site.places import reports_folder
    from ems.batch.workflows.code_checks import notebook_path
    from ems.folders import project_folder, shown_path, write_whole

    source = notebook_path(fields["notebook"])
    project, scratch = project_folder(), Path(job["folder"]) / f"{job['label']}.ipynb"
    with started_kernel(project, {"EMS_PROJECT": str(project)}) as kernel:
        given = _with_kernel(source, scratch.with_suffix(".given.ipynb"))
        done = execute(given, scratch, fields["parameters"], kernel, meanwhile=_nothing, progress=False)
    for left in (scratch, scratch.with_suffix(".given.ipynb")):
        left.unlink(missing_ok=True)
    kept = reports_folder() / "workflows" / job["execution"] / f"{job['label']}.ipynb"
    write_whole(kept, safe_notebook(done.notebook))
    if done.error is not None:
        raise RunFailed(f"notebook {source.name}: {done.error}; see {shown_path(kept)}")
    outputs = _shown_outputs(done.notebook) if fields["outputs"] else {}
    _check_outputs(outputs, fields["outputs"], f"notebook {source.name}")
    return {**{name: outputs[name] for name in fields["outputs"]}, "notebook": shown_path(kept)}, None


def _with_kernel(source: Path, copy: Path) -> Path:
    """Return a notebook that names its kernel: itself, or a copy where it names none."""
    import nbformat

    notebook = nbformat.read(str(source), as_version=4)
    if notebook.metadata.get("kernelspec", {}).get("name"):
        return source
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, str(copy))
    return copy


def _nothing() -> None:
    return None


def _shown_outputs(notebook: Any) -> dict[str, Any]:
    """Return what cells tagged outputs show as JSON: ``IPython.display.JSON({...})``."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        if "outputs" in cell.metadata.get("tags", ()):
            for output in cell.get("outputs", ()):
                shown = output.get("data", {}).get("application/json")
                found |= shown if isinstance(shown, Mapping) else {}
    return found


def call_function(fields: Mapping[str, Any], _job: Mapping[str, Any]) -> Outcome:
    """Return what a Python function gives for parameters.

    Raises
    ------
    RunFailed
        If it is not there, does not take the parameters, or gives other outputs than promised.
    """
    module, name = fields["function"].split(":")
    sys.path.insert(0, os.environ.get("EMS_PROJECT") or str(Path.cwd()))
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RunFailed(f"function {fields['function']}: {error}") from None
    if not callable(function):
        raise RunFailed(f"function {fields['function']}: is no function")
    try:
        inspect.signature(function).bind(**fields["parameters"])
    except TypeError as error:
        raise RunFailed(f"function {fields['function']}: {error}") from None
    except ValueError:
        pass  # some functions of C do not tell what they take
    given = function(**fields["parameters"])
    promised = fields["outputs"]
    if not promised:
        return {"result": given}, None
    if not isinstance(given, Mapping):
        raise RunFailed(f"function {fields['function']} gave {show(given)}; promised are {', '.join(promised)}")
    _check_outputs(given, promised, f"function {fields['function']}")
    return {key: given[key] for key in promised}, None


def _check_outputs(given: Mapping[str, Any], promised: Mapping[str, Any], what: str) -> None:
    """Refuse outputs that are missing or of another type than promised.

    Raises
    ------
    RunFailed
    """
    from ems.database.masking import storable

    findings = []
    for name, kind in promised.items():
        if name not in given:
            findings.append(f"output {name} is missing; there are {', '.join(map(str, given)) or 'none'}")
        elif given[name] is not None and not is_taken(type_of(storable(given[name])), kind):
            findings.append(f"output {name} = {show(given[name])}: must be {words_of(kind)}")
    if findings:
        raise RunFailed(f"{what}: " + "; ".join(findings))
