"""Runs as their records tell them: the study with the parameters that held."""

from __future__ import annotations

from ems.batch.parameters import Case
from ems.database.records import Run
from ems.studies.registry import study_class
from ems.studies.study import Study


def study_of(run: Run) -> Study:
    """Return the study of a run with all parameters that held then.

    Raises
    ------
    InvalidInput
        If this version of the package has no such study, or does not take one of its parameters any more.
    """
    return study_class(run.study).from_mapping(run.parameters, f"the record of run {run.id}")


def case_of(run: Run) -> Case:
    """Return the case that repeats a run: what was not the present default is stated, the rest follows."""
    study = study_of(run)
    fields = type(study).model_fields
    stated = study.as_json()
    default = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    given = {name: value for name, value in stated.items() if getattr(study, name) != default[name]}
    return Case(type(study).from_mapping(given, f"the record of run {run.id}"), run.case_name, given)
