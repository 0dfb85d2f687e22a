"""Templates of typical equipment: fields with the source of their figures; one YAML file each, in a folder a kind.

Prices stand in no template: they belong to a country and a year. Fields that only a person can tell are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ems.assets.portfolio import KINDS, AnyAsset
from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.yaml_text import read_yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Template:
    """Typical equipment.

    Parameters
    ----------
    kind : str
        Kind of asset.
    name : str
        Name within its kind: ``bess-lfp-100kw``.
    title : str
        What it is, in one line.
    sources : tuple of str
        Where its figures come from.
    fields : mapping
        Values of an asset's fields.
    ask : mapping of str to str
        Fields that are required and not typical, with what to give.
    """

    kind: str
    name: str
    title: str
    sources: tuple[str, ...]
    fields: Mapping[str, Any]
    ask: Mapping[str, str] = field(default_factory=dict)


@cache
def list_templates(kind: str | None = None) -> tuple[Template, ...]:
    """Return the templates of a kind, or of all kinds, by kind and name.

    Raises
    ------
    UnknownName
        If there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownName(f"kind {show(kind)}", f"there is no such kind of asset; {did_you_mean(kind, KINDS)}")
    files = sorted(path for one in KINDS if kind in (None, one) for path in (FOLDER / one).glob("*.yaml"))
    return tuple(_read(path) for path in files)


def find_template(kind: str, name: str) -> Template:
    """Return a template.

    Raises
    ------
    UnknownName
        If there is no such kind, or no such template of it.
    """
    known = {template.name: template for template in list_templates(kind)}
    if name not in known:
        raise UnknownName(f"template {show(name)}", f"{kind} has no such template; {did_you_mean(name, known)}")
    return known[name]


def new_from_template(kind: str, template: str, id: str, **changes: Any) -> AnyAsset:
    """Return a new asset of typical equipment.

    Parameters
    ----------
    kind : str
    template : str
        Name of a template of the kind.
    id : str
        Id of the new asset.
    **changes
        Values of fields, which win over those of the template; ``site_id`` among them.

    Raises
    ------
    InvalidInput
        If there is no such template, a field that it asks for is missing, or a value cannot be used.
    """
    chosen = find_template(kind, template)
    missing = [
        f"{name}: {what}; the template cannot know it" for name, what in chosen.ask.items() if name not in changes
    ]
    if missing:
        raise InvalidInput(f"{kind} {show(id)} from template {show(template)}", missing)
    asset: AnyAsset = KINDS[kind](**{"id": id, **chosen.fields, **changes})  # type: ignore[assignment]
    return asset


def _read(path: Path) -> Template:
    given = read_yaml(path)
    return Template(
        path.parent.name, path.stem, given["title"], tuple(given["sources"]), given["asset"], given.get("ask", {})
    )
