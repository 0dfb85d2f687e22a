"""The check of notebooks and functions before they run: that they are there, and which parameters they take."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ems.batch.workflows.parsing import module_tree
from ems.batch.workflows.references import BadReference, whole_reference
from ems.batch.workflows.scope import Scope
from ems.batch.workflows.task_spec import FunctionTask, NotebookTask
from ems.batch.workflows.value_types import ValueType, is_taken, type_of, words_of
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import project_folder


def notebook_path(given: str) -> Path:
    """Return the path of a notebook of the project.

    Raises
    ------
    InvalidInput
        If it is not there, no notebook, or outside of the project.
    """
    project, subject = project_folder(), f"notebook = {show(given)}"
    if "\0" in given:
        raise InvalidInput(subject, "a path cannot hold a NUL character")
    path = (project / given).resolve()
    if not path.is_relative_to(project):
        raise InvalidInput(subject, "must be a file within the project")
    if path.suffix != ".ipynb":
        raise InvalidInput(subject, "must end with .ipynb")
    if not path.is_file():
        known = [file.relative_to(project).as_posix() for file in (project / "notebooks").rglob("*.ipynb")]
        raise InvalidInput(subject, f"there is no such file in the project; {did_you_mean(given, known)}")
    return path


def notebook_findings(task: NotebookTask, scope: Scope) -> Iterator[str]:
    """Return a finding for each thing that is wrong with a notebook task."""
    try:
        path = notebook_path(task.notebook)
        cells = _cells_of(path)
    except InvalidInput as error:
        yield str(error)
        return
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", ())]
    if task.parameters and not tagged:
        yield f"notebook = {show(task.notebook)}: no cell is tagged parameters, so it can take none"
        return
    known = _assigned_in("".join("".join(cell.get("source", "")) + "\n" for cell in tagged))
    yield from _parameter_findings(task.parameters, known, scope, f"notebook {show(task.notebook)}")
    outputs = [cell for cell in cells if "outputs" in cell.get("metadata", {}).get("tags", ())]
    if task.outputs and not outputs:
        yield f"outputs: no cell of notebook {show(task.notebook)} is tagged outputs, which shows them as JSON"


def _cells_of(path: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell for cell in cells if isinstance(cell, dict)]
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        raise InvalidInput(f"notebook {show(path.name)}", "cannot be read as a notebook") from None


def _assigned_in(source: str) -> dict[str, ValueType]:
    """Return the names that a cell assigns, with the types of plain values."""
    found: dict[str, ValueType] = {}
    try:
        body = module_tree(source).body
    except (SyntaxError, ValueError, RecursionError):
        return found
    for statement in body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        value = getattr(statement, "value", None)
        for target in targets:
            if isinstance(target, ast.Name):
                kind = type_of(value.value) if isinstance(value, ast.Constant) else "any"
                found[target.id] = "number" if kind == "integer" else kind
    return found


def _parameter_findings(
    given: Mapping[str, Any], known: Mapping[str, ValueType], scope: Scope, what: str
) -> Iterator[str]:
    for name, value in given.items():
        if name not in known:
            yield f"parameters.{name}: {what} has no parameter of this name; {did_you_mean(name, known)}"
            continue
        try:
            whole = whole_reference(value) if isinstance(value, str) else None
            found = type_of(value) if whole is None else scope.type_at(whole)
        except BadReference:
            continue  # told already
        if not is_taken(found, known[name]):
            yield f"parameters.{name} = {show(value)}: gives {words_of(found)}; must be {words_of(known[name])}"


# ---------------------------------------------------------------------------------------------- functions
def function_findings(task: FunctionTask, scope: Scope) -> Iterator[str]:
    """Return a finding for each thing that is wrong with a function task; nothing of the module is run for it."""
    module, name = task.function.split(":")
    subject = f"function = {show(task.function)}"
    source = _source_of(module)
    if source is None:
        yield f"{subject}: there is no module {show(module)} in the project or the environment"
        return
    if source == "":
        return  # compiled: it is looked at when it is called
    try:
        body = module_tree(source).body
    except (SyntaxError, ValueError, RecursionError) as error:
        yield f"{subject}: module {show(module)} cannot be read: {error}"
        return
    defined = {one.name: one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    others = {alias.asname or alias.name for one in body if isinstance(one, ast.ImportFrom) for alias in one.names}
    others |= set(_assigned_in(source))
    if name not in defined and name not in others and "*" not in others:
        yield f"{subject}: module {show(module)} has no function {show(name)}; {did_you_mean(name, defined)}"
    found = defined.get(name)
    if isinstance(found, ast.FunctionDef):
        yield from _argument_findings(task, found, scope)


def _argument_findings(task: FunctionTask, found: ast.FunctionDef, scope: Scope) -> Iterator[str]:
    arguments = found.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    plain = {"str": "text", "float": "number", "int": "integer", "bool": "boolean", "list": "list", "dict": "mapping"}
    known: dict[str, ValueType] = {}
    for one in named:
        word = one.annotation.id if isinstance(one.annotation, ast.Name) else ""
        known[one.arg] = plain.get(word, "any")  # type: ignore[assignment]
    given = task.parameters
    if arguments.kwarg is not None:
        given = {name: value for name, value in given.items() if name in known}
    yield from _parameter_findings(given, known, scope, f"function {show(task.function)}")
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = [one.arg for one in positional[: len(positional) - len(arguments.defaults)]]
    needed += [
        one.arg for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    for name in needed:
        if name not in task.parameters:
            yield f"parameters.{name}: is required by function {show(task.function)}"


def _source_of(module: str) -> str | None:
    """Return the source of a module without running any of it: empty where it has none, None where it is not there.

    The project's folder comes first, as in the process in which the function is called.
    """
    parts = module.split(".")
    folders = [str(project_folder()), *(entry for entry in sys.path if entry)]
    for number, part in enumerate(parts, 1):
        is_last = number == len(parts)
        inner: list[str] = []
        for folder in folders:
            base = Path(folder) / part
            if is_last and base.with_suffix(".py").is_file():
                return base.with_suffix(".py").read_text(encoding="utf-8", errors="replace")
            if is_last and (base / "__init__.py").is_file():
                return (base / "__init__.py").read_text(encoding="utf-8", errors="replace")
            if is_last and Path(folder).is_dir() and any(Path(folder).glob(f"{part}.*.so")):
                return ""
            if base.is_dir():
                inner.append(str(base))
        if not is_last and not inner:
            break
        folders = inner
    # What stands in no folder: part of the interpreter, or found by an editable installation.
    return "" if parts[0] in sys.builtin_module_names or _is_findable(parts) else None


def _is_findable(parts: list[str]) -> bool:
    import importlib.util

    try:
        found = importlib.util.find_spec(parts[0])
    except (ImportError, ValueError):
        return False
    if found is None or len(parts) == 1:
        return found is not None
    places = [Path(place).joinpath(*parts[1:]) for place in found.submodule_search_locations or ()]
    return any(place.with_suffix(".py").is_file() or place.is_dir() for place in places)
