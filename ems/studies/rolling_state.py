"""Checkpoints of a closed loop: one file, written whole, from which a broken loop goes on as if it were not."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ems.errors import InvalidInput
from ems.folders import shown_path, write_whole
from ems.studies.rolling_case import Key

FORM = 1
"""Version of what a checkpoint holds."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a loop before a decision.

    Parameters
    ----------
    decision : int
        Number of the next decision.
    flows, planned : dict of (asset, name) to ndarray (steps,)
        What was done and planned so far.
    notes : tuple of str
    contents_kwh : dict of str to float
    peaks_kw : dict of str to ndarray (periods,)
    memory : dict of str to ndarray
        What the policy carries on.
    """

    decision: int
    flows: dict[Key, np.ndarray]
    planned: dict[Key, np.ndarray]
    notes: tuple[str, ...]
    contents_kwh: dict[str, float]
    peaks_kw: dict[str, np.ndarray]
    memory: dict[str, Any]


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write the state of a loop before a decision."""
    arrays: dict[str, Any] = {}
    for group, found in (("flows", state.flows), ("planned", state.planned)):
        arrays |= {f"{group}|{owner}|{name}": values for (owner, name), values in found.items()}
    arrays |= {f"peaks|{name}": values for name, values in state.peaks_kw.items()}
    arrays |= {f"memory|{name}": values for name, values in state.memory.items()}
    # Floats as they are in memory: text would round them.
    arrays |= {f"content|{name}": np.array(value) for name, value in state.contents_kwh.items()}
    arrays["about"] = np.array(json.dumps({"form": FORM, "decision": state.decision, "notes": list(state.notes)}))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(path, buffer.getvalue())


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the state of a loop from its file.

    Raises
    ------
    InvalidInput
        If the file is no checkpoint of this form.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        is_known = about["form"] == FORM
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"checkpoint {shown_path(path)}", f"cannot be read: {error}; delete it to begin anew"
        ) from None
    if not is_known:
        raise InvalidInput(f"checkpoint {shown_path(path)}", "is of another version; delete it to begin anew")
    groups: dict[str, dict[Any, Any]] = {"flows": {}, "planned": {}, "peaks": {}, "memory": {}, "content": {}}
    for name, values in arrays.items():
        group, rest = name.split("|", maxsplit=1)
        key = tuple(rest.split("|")) if group in ("flows", "planned") else rest
        groups[group][key] = float(values) if group == "content" else values
    return Checkpoint(
        decision=int(about["decision"]),
        flows=groups["flows"],
        planned=groups["planned"],
        notes=tuple(about["notes"]),
        contents_kwh=groups["content"],
        peaks_kw=groups["peaks"],
        memory=groups["memory"],
    )
