"""Groups of assets, their members, and what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ems.record import Metadata, Name, NonNegative, Record, Slug, Text


class Group(Record):
    """Assets that are looked at or run together; groups may nest: a microgrid in a virtual power plant."""

    id: Slug
    """Id of the group."""
    name: Name
    """What people call it; the id where nothing is given. Acts in reports."""
    group_type: Literal["microgrid", "vpp", "portfolio", "system", "custom"] = "custom"
    """What kind of group it is. Acts in filters and reports."""
    description: Text = ""
    """What it is for. Describes only."""
    site_id: Slug | None = None
    """Site of the group, where all of it is at one; a group may span sites. Acts in filters."""
    parent_group_id: Slug | None = None
    """Group that it is part of. Acts in filters and summaries, which take nested groups along."""
    max_import_kw: NonNegative | None = None
    """Highest power that its members take together: from the grid where they are connections, otherwise from their
    sites. Acts in dispatch and settlement."""
    max_export_kw: NonNegative | None = None
    """Highest power that its members give together: to the grid where they are connections, otherwise to their sites.
    Acts in dispatch and settlement."""
    sharing_fee_per_kwh: NonNegative | None = None
    """Price of a kWh that one of its grid connections receives from another, as in an energy community; none share
    where nothing is given. Acts in dispatch and settlement."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id as the name, where no name is given."""
        return {"name": given["id"]} if "name" not in given and "id" in given else {}

    @property
    def is_limited(self) -> bool:
        """Whether the power of its members together has a limit."""
        return self.max_import_kw is not None or self.max_export_kw is not None

    @model_validator(mode="after")
    def _not_its_own_parent(self) -> Group:
        if self.parent_group_id == self.id:
            raise ValueError(f"parent_group_id = '{self.id}': a group cannot be part of itself")
        return self


class GroupMember(Record):
    """An asset in a group."""

    asset_id: Slug
    """Asset. Acts in filters and summaries."""
    group_id: Slug
    """Group. Acts in filters and summaries."""
    role: Name | None = None
    """What the asset does in the group. Acts in reports."""
    priority: Annotated[int, Field(ge=0)] | None = None
    """Rank in the group; 1 comes first. Acts in the order of lists."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""


class Dependency(Record):
    """A sentence about two assets: the one requires, feeds, controls, monitors or is backup for the other."""

    asset_id: Slug
    """Subject of the sentence: this asset requires or feeds the other. Acts in what an outage takes down."""
    depends_on_asset_id: Slug
    """Object of the sentence. Acts in what an outage takes down."""
    dependency_type: Literal["requires", "feeds", "controls", "monitors", "backup_for"]
    """Verb of the sentence. Acts in what an outage takes down."""
    is_critical: bool = False
    """Whether the one cannot go on at all without the other. Acts in what an outage takes down."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    @model_validator(mode="after")
    def _not_on_itself(self) -> Dependency:
        if self.asset_id == self.depends_on_asset_id:
            raise ValueError(f"depends_on_asset_id = '{self.asset_id}': an asset cannot depend on itself")
        return self


def nesting_cycle(parents: Mapping[str, str | None]) -> list[str]:
    """Return the groups of a circle of parents, in order, or nothing where groups nest properly.

    >>> nesting_cycle({"a": "b", "b": "a", "c": None})
    ['a', 'b', 'a']
    """
    sound: set[str] = set()
    for start in parents:
        path: list[str] = []
        at: str | None = start
        while at is not None and at not in sound:
            if at in path:
                return [*path[path.index(at) :], at]
            path.append(at)
            at = parents.get(at)
        sound.update(path)
    return []


def with_nested(group_id: str, groups: Iterable[Group]) -> set[str]:
    """Return the ids of a group and of all groups nested in it."""
    children: dict[str, list[str]] = {}
    for group in groups:
        if group.parent_group_id is not None:
            children.setdefault(group.parent_group_id, []).append(group.id)
    found, waiting = set(), [group_id]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += children.get(at, [])
    return found


def members_of(group_id: str, groups: Iterable[Group], members: Iterable[GroupMember]) -> set[str]:
    """Return the ids of the assets in a group and in all groups nested in it."""
    inside = with_nested(group_id, groups)
    return {member.asset_id for member in members if member.group_id in inside}
