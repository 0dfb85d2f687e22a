"""Keys of runs: equal keys have equal results, so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from ems.batch.engine.code_state import code_digest
from ems.folders import project_folder, sha256_of
from ems.studies.study import Study


def code_of(study: str) -> str:
    """Return the digest of all code that makes a study's result: its notebook, this package, the libraries.

    Parameters
    ----------
    study : str
        Name of the study.
    """
    from ems.studies.study_run import versions

    notebook = project_folder() / "notebooks" / f"{study}.ipynb"
    said = {"notebook": sha256_of(notebook), "package": code_digest(), "versions": versions()}
    return _digest(said)


def key_of(study: Study, code: str, occasion: str) -> str:
    """Return the key of a run: a digest of code, all parameters, and the content of the files that are read.

    Parameters
    ----------
    study : Study
    code : str
        As of `code_of`.
    occasion : str
        What tells this run from all others where the study is not repeatable: it reads a database, or the clock.
    """
    from ems.studies.study_run import input_files

    inputs = [_content_of(path) for path in input_files(study)]
    said = {"study": study.name, "code": code, "parameters": study.as_json(), "inputs": inputs}
    return _digest(said if study.is_repeatable() else {**said, "occasion": occasion})


def _content_of(path: Path) -> str:
    state = path.stat()
    return _hashed(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _hashed(path: Path, _mtime_ns: int, _size: int) -> str:
    return sha256_of(path)


def _digest(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
