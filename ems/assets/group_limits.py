"""Part of a dispatch of groups: limits that members share, and energy that they exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ems.assets.asset import Asset
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group, GroupMember, members_of
from ems.assets.unit import Unit
from ems.errors import InvalidInput


def group_findings(
    groups: Sequence[Group], members: Sequence[GroupMember], kinds: Mapping[str, type[Asset]]
) -> list[str]:
    """Return what is wrong with the limits and the sharing of groups, one sentence each.

    Parameters
    ----------
    groups : sequence of Group
    members : sequence of GroupMember
    kinds : mapping of str to class of Asset
        Kind of each asset by its id, whether it takes part or not.
    """
    findings = []
    sharing_groups: dict[str, list[str]] = {}
    for group in groups:
        inside = sorted(members_of(group.id, groups, members))
        findings += _mixed(group, {one: kinds[one] for one in inside})
        if group.is_limited and not inside:
            findings.append(f"group '{group.id}': has a limit but no members; add them, or drop the limit")
        if group.sharing_fee_per_kwh is not None:
            connections = [one for one in inside if issubclass(kinds[one], GridConnection)]
            if len(connections) < 2:
                findings.append(
                    f"group '{group.id}': sharing_fee_per_kwh needs two grid connections or more that share, and it "
                    f"has {len(connections)}; add members, or drop the fee"
                )
            for one in connections:
                sharing_groups.setdefault(one, []).append(group.id)
    for asset_id, sharing in sharing_groups.items():
        if len(sharing) > 1:
            findings.append(
                f"grid connection '{asset_id}': is in the sharing groups '{sharing[0]}' and '{sharing[1]}', so that "
                "nobody knows with whom it shares; keep sharing_fee_per_kwh in one of them"
            )
    return findings


def _mixed(group: Group, kinds: Mapping[str, type[Asset]]) -> list[str]:
    """Return a finding where a limit is on both the grid's side and the site's side of connections."""
    connections = [one for one, kind in kinds.items() if issubclass(kind, GridConnection)]
    others = [one for one, kind in kinds.items() if not issubclass(kind, GridConnection)]
    if not (group.is_limited and connections and others):
        return []
    return [
        f"group '{group.id}': its limit would count power twice, at grid connection '{connections[0]}' and at "
        f"{kinds[others[0]].model_fields['kind'].default} '{others[0]}' behind one; limit connections or other assets"
    ]


def declare_group(group: Group, members: Sequence[Asset], units: Mapping[str, Unit], unit: Unit) -> None:
    """Declare the limits that members of a group share, and that energy shared out is shared in.

    sum of net_import[member, t] <= max_import, and >= -max_export
    sum of shared_in[connection, t] == sum of shared_out[connection, t]

    Parameters
    ----------
    group : Group
    members : list of Asset
        Those that take part, of nested groups, too.
    units : mapping of str to Unit
        By id of asset, with their powers declared.
    unit : Unit
        The group's own.

    Raises
    ------
    InvalidInput
        If limited members are connections as well as other assets.
    """
    findings = _mixed(group, {member.id: type(member) for member in members})
    if findings:
        raise InvalidInput("this dispatch", findings)
    if group.max_import_kw is not None and members:
        unit.add_constraint("group_import_limit", lambda t: _net_import_kw(members, units, t) <= group.max_import_kw)
    if group.max_export_kw is not None and members:
        unit.add_constraint("group_export_limit", lambda t: -_net_import_kw(members, units, t) <= group.max_export_kw)
    sharing = [member.id for member in members if units[member.id].has("shared_in_kw")]
    if group.sharing_fee_per_kwh is not None and sharing:

        def energy_sharing(t: Any) -> Any:
            return _sum(units[one].shared_in_kw[t] for one in sharing) == _sum(
                units[one].shared_out_kw[t] for one in sharing
            )

        unit.add_constraint("energy_sharing", energy_sharing)


def _net_import_kw(members: Iterable[Asset], units: Mapping[str, Unit], t: Any) -> Any:
    """Return the power that members take together: connections from the grid, other assets from their sites."""
    return _sum(
        member.net_import_kw(units[member.id], t)
        if isinstance(member, GridConnection)
        else -member.injection_kw(units[member.id], t)
        for member in members
    )


def _sum(terms: Iterable[Any]) -> Any:
    first, *others = terms
    return sum(others, start=first)
