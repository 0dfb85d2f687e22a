"""Sweeps: files that say which cases of a study are run, as grids, lists, parallel lists and tables."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, JsonValue

from ems.batch.parameters import Case, value_of
from ems.errors import MOST_LISTED, InvalidInput, did_you_mean, show
from ems.folders import find_file, project_folder, shown_path
from ems.record import Record
from ems.studies.registry import study_class
from ems.studies.study import FileName, Study
from ems.yaml_text import read_yaml

MOST_CASES = 100_000
Values = Annotated[list[JsonValue], Field(min_length=1)]
Rows = Annotated[list[dict[str, JsonValue]], Field(min_length=1)]


class Sweep(Record):
    """What the file of a sweep says; the cases are the product of its parts."""

    case: FileName | None = None
    """Case that all begin with: a file in the study's parameters, or a path."""
    parameters: dict[str, JsonValue] = Field(default={})
    """Parameters of all cases; they win over those of the case."""
    grid: dict[str, Values] = Field(default={})
    """Values by parameter: every combination is a case."""
    zip: dict[str, Values] = Field(default={})
    """Values by parameter, all as many: the first of each are a case, the second of each, and so on."""
    list: Rows | None = None
    """Cases, each with its own parameters."""
    csv: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Table of cases beside the sweep's file: a column for each parameter, a row for each case."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return "the sweep"


@dataclass(frozen=True)
class SweptCase:
    """One case of a sweep.

    Parameters
    ----------
    case : Case
        With all parameters checked.
    swept : dict
        Those in which the cases differ.
    label : str
        What is special about it, for people.
    """

    case: Case
    swept: dict[str, Any]
    label: str


@dataclass(frozen=True)
class LoadedSweep:
    """A sweep with its cases.

    Parameters
    ----------
    name : str
    file : Path
    given : dict
        What its file says.
    cases : tuple of SweptCase
    """

    name: str
    file: Path
    given: dict[str, Any]
    cases: tuple[SweptCase, ...]


def load_sweep(study: str, sweep: str) -> LoadedSweep:
    """Return a sweep, with every case checked in full before anything runs.

    Parameters
    ----------
    study : str
        Name of the study.
    sweep : str
        Name of a file in ``parameters/sweeps``, or a path to a YAML file.

    Raises
    ------
    InvalidInput
        If the sweep or one of its cases cannot be used; all findings at once.
    """
    kind = study_class(study)
    file = find_file(sweep, project_folder() / "parameters" / "sweeps", (".yaml", ".yml"), "sweep")
    where = shown_path(file)
    given = read_yaml(file, where)
    asked = Sweep.from_mapping(given, where)
    base: dict[str, Any] = {}
    if asked.case is not None:
        place = project_folder() / "parameters" / study
        of_case = find_file(asked.case, place, (".yaml", ".yml"), f"case of study '{study}'")
        base = read_yaml(of_case, shown_path(of_case))
    base |= asked.parameters
    combinations = list(itertools.islice(_combinations(asked, kind, file, where), MOST_CASES + 1))
    if len(combinations) > MOST_CASES:
        raise InvalidInput(where, f"more than {MOST_CASES:,} cases; make several sweeps of it")
    return LoadedSweep(file.stem, file, given, tuple(_cases(kind, asked, base, combinations, where)))


def _combinations(asked: Sweep, kind: type[Study], file: Path, where: str) -> Iterator[dict[str, Any]]:
    findings = [
        f"{part}.{name}: study '{kind.name}' has no parameter of this name; {did_you_mean(name, kind.model_fields)}"
        for part, names in (
            ("parameters", asked.parameters),
            ("grid", asked.grid),
            ("zip", asked.zip),
            ("list", {name: 0 for one in asked.list or () for name in one}),
        )
        for name in names
        if name not in kind.model_fields
    ]
    lengths = {name: len(values) for name, values in asked.zip.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        findings.append(f"zip: all lists must be of one length; {said}")
    if asked.list is not None and asked.csv is not None:
        findings.append("list and csv: give one of the two")
    table = [] if asked.csv is None or findings else _table(asked.csv, kind, file, findings)
    parts = {"grid": set(asked.grid), "zip": set(asked.zip), "list": {n for one in asked.list or table for n in one}}
    for (one, names), (other, others) in itertools.combinations(parts.items(), 2):
        findings += [f"{name}: is in {one} and in {other}; keep it in one" for name in sorted(names & others)]
    if findings:
        raise InvalidInput(where, findings)
    grids = [dict(zip(asked.grid, values, strict=True)) for values in itertools.product(*asked.grid.values())]
    parallel = [dict(zip(asked.zip, values, strict=True)) for values in zip(*asked.zip.values(), strict=True)]
    for parts_of_case in itertools.product(asked.list or table or [{}], parallel or [{}], grids):
        yield {name: value for part in parts_of_case for name, value in part.items()}


def _table(name: str, kind: type[Study], file: Path, findings: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a table of cases, each cell as the parameter of its column takes it; an empty one is none."""
    path = file.parent / name
    if not path.is_file():
        findings.append(f"csv = {show(name)}: there is no such file beside the sweep's")
        return []
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, strict=True)
        columns = [str(column).strip() for column in reader.fieldnames or ()]
        unknown = [column for column in columns if column not in kind.model_fields]
        if unknown or not columns:
            hints = [f"column {show(one)}: {did_you_mean(one, kind.model_fields)}" for one in unknown]
            findings += [f"csv = {show(name)}: {hint}" for hint in hints or ["it is empty"]]
            return []
        try:
            lines = [(reader.line_num, list(row.values())) for row in reader]
        except csv.Error as error:
            findings.append(f"csv = {show(name)}, line {reader.line_num}: {error}")
            return []
    rows = []
    for number, cells in lines:
        if None in cells or len(cells) != len(columns) or any(isinstance(cell, list) for cell in cells):
            findings.append(f"csv = {show(name)}, line {number}: must have {len(columns)} cells")
            continue
        filled = {column: cell for column, cell in zip(columns, cells, strict=True) if str(cell).strip()}
        try:
            rows.append({column: value_of(kind, column, str(cell)) for column, cell in filled.items()})
        except InvalidInput as error:
            findings += [f"csv = {show(name)}, line {number}: {finding}" for finding in error.findings]
    if not rows and not findings:
        findings.append(f"csv = {show(name)}: has no rows below its heading")
    return rows


def _cases(
    kind: type[Study], asked: Sweep, base: Mapping[str, Any], combinations: list[dict[str, Any]], where: str
) -> Iterator[SweptCase]:
    findings: list[str] = []
    checked: set[str] = set()
    for number, combination in enumerate(combinations, start=1):
        label = label_of(combination) or asked.case or "defaults"
        given = {**base, **combination}
        try:
            study = kind.from_mapping(given, where)
            place = repr(sorted((name, repr(value)) for name, value in combination.items()))
            if place not in checked:
                study.check()
                checked.add(place)
        except InvalidInput as error:
            findings += [f"case {number} ({label}): {error.subject}: {finding}" for finding in error.findings]
            if len(findings) > MOST_LISTED:
                break
            continue
        as_json = study.as_json()
        stated = {name: as_json[name] for name in given}
        name = f"{Path(asked.case).stem if asked.case else 'sweep'}-{number}"
        yield SweptCase(Case(study, name, stated), {one: as_json[one] for one in combination}, label[:200])
    if findings:
        rest = len(findings) - MOST_LISTED
        raise InvalidInput(where, [*findings[:MOST_LISTED], *(["... and more"] if rest > 0 else [])])


def label_of(swept: Mapping[str, Any]) -> str:
    """Return what is special about a case in words: ``horizon_h=48, solver=cbc``."""
    return ", ".join(f"{name}={_short(value)}" for name, value in swept.items())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
