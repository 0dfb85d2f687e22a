"""StoredModel: what is told of a fitted forecaster in the registry, alone or beside others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FACTS = (
    "name", "model", "choice", "is_promoted", "variable", "asset", "trained_from", "trained_until", "samples",
    "horizon_h", "seed",
)  # fmt: skip
"""Fields that stand side by side where models are compared."""


@dataclass(frozen=True)
class StoredModel:
    """A fitted forecaster in the registry, without what it has learned.

    Parameters
    ----------
    id : str
        ``<name>-<UTC time>-<random letters>``, sortable by time.
    name : str
    model : str
        Name of the recipe: a model, ``ensemble`` or ``auto``.
    choice : str
        What the recipe came to: a member, or ``ensemble``.
    variable, asset, kind, units, timezone : str
        Of the series that is forecast.
    step_h, horizon_h : float
    signals : tuple of str
        Signals known ahead that a forecast needs.
    members : tuple of str
        Members that could be fitted.
    options : mapping of str to mapping
        All options of each member.
    created_at, trained_from, trained_until : datetime
        UTC.
    samples : int
    seed : int, optional
        Of the members that draw at random.
    scores : mapping of str to float
        As they were given; None where one is undefined.
    versions : mapping of str to str
        Of Python and of packages, when it was kept.
    notes : tuple of str
    sha256 : str
    is_promoted : bool
    """

    id: str
    name: str
    model: str
    choice: str
    variable: str
    asset: str
    kind: str
    units: str
    timezone: str
    step_h: float
    horizon_h: float
    signals: tuple[str, ...]
    members: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]
    created_at: dt.datetime
    trained_from: dt.datetime
    trained_until: dt.datetime
    samples: int
    seed: int | None
    scores: Mapping[str, float | None]
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    sha256: str
    is_promoted: bool

    def as_json(self) -> dict[str, Any]:
        """Return all fields as plain numbers, texts, lists and mappings."""
        moments = {
            name: one.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
            for name, one in vars(self).items()
            if isinstance(one, dt.datetime)
        }
        return asdict(self) | moments


def stored_model(manifest: Mapping[str, Any], *, is_promoted: bool) -> StoredModel:
    """Return what a manifest tells of a model."""
    recipe, traits = manifest["recipe"], manifest["traits"]

    def moment(name: str) -> dt.datetime:
        return dt.datetime.fromisoformat(manifest[name]).replace(tzinfo=dt.UTC)

    return StoredModel(
        id=manifest["id"],
        name=manifest["name"],
        model=recipe["name"],
        choice=manifest["choice"],
        variable=traits["name"],
        asset=traits["asset"],
        kind=traits["kind"],
        units=traits["units"],
        timezone=traits["timezone"],
        step_h=traits["step_h"],
        horizon_h=manifest["horizon_h"],
        signals=tuple(traits["signals"]),
        members=tuple(manifest["fitted"]),
        options={one["name"]: one["options"] for one in recipe["members"]},
        created_at=moment("created_at"),
        trained_from=moment("trained_from"),
        trained_until=moment("trained_until"),
        samples=manifest["samples"],
        seed=manifest["seed"],
        scores=manifest["scores"],
        versions=manifest["versions"],
        notes=tuple(manifest["notes"]),
        sha256=manifest["sha256"],
        is_promoted=is_promoted,
    )


def side_by_side(models: Sequence[StoredModel]) -> pd.DataFrame:
    """Return models as a table, one row an id: facts, scores, and the options that differ.

    Parameters
    ----------
    models : sequence of StoredModel

    Returns
    -------
    DataFrame
        Facts as ``trained_from`` and ``samples``; a column for each score, NaN where it is undefined; a column
        ``member.option`` for each option in which models that have this member differ, None for those without it.
    """
    import pandas as pd

    table = pd.DataFrame(
        {fact: [getattr(one, fact) for one in models] for fact in FACTS}, index=pd.Index([one.id for one in models])
    )
    table["seed"] = table["seed"].astype("Int64")
    table["members"] = [", ".join(one.members) for one in models]
    for score in dict.fromkeys(score for one in models for score in one.scores):
        table[score] = [_nan(one.scores.get(score)) for one in models]
    options = [
        {f"{member}.{option}": value for member, own in one.options.items() for option, value in own.items()}
        for one in models
    ]
    for option in dict.fromkeys(option for one in options for option in one):
        stated = [one[option] for one in options if option in one]
        if any(value != stated[0] for value in stated):
            table[option] = pd.Series([one.get(option) for one in options], dtype=object, index=table.index)
    return table.rename_axis("id")


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value
