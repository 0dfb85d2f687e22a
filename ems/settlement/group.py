"""Settlement of a group: the fee for energy that its connections share, and its limits replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ems.assets.asset import Asset
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group
from ems.settlement.grid_connection import at_the_meter
from ems.settlement.ledger import Ledger, Replay


def bill(group: Group, members: Sequence[Asset], ledger: Ledger) -> None:
    """Write what each connection pays for the energy that others of the group share with it.

    Parameters
    ----------
    group : Group
    members : sequence of Asset
        The active assets in it and in groups nested in it.
    ledger : Ledger
    """
    if group.sharing_fee_per_kwh is None:
        return
    for member in members:
        if isinstance(member, GridConnection) and ledger.has("shared_in_kw", member.id):
            fee = np.full(len(ledger.step_h), group.sharing_fee_per_kwh)
            ledger.add_energy(member.id, "sharing_cost", ledger.flow("shared_in_kw", member.id), fee)


def replay(group: Group, members: Sequence[Asset], injections_kw: Mapping[str, np.ndarray], replay: Replay) -> None:
    """Check the limits that members share, and that what some share out others share in.

    Parameters
    ----------
    group : Group
    members : sequence of Asset
        The active assets in it and in groups nested in it.
    injections_kw : mapping of str to ndarray (steps,)
        Power of each asset into its site's bus, by id.
    replay : Replay
    """
    taken = np.zeros(len(replay.times))
    open_share = np.zeros(len(replay.times))
    largest_kw = 0.0
    for member in members:
        if isinstance(member, GridConnection):
            power = at_the_meter("import", member.id, replay) - at_the_meter("export", member.id, replay)
            for sign, name in ((1, "shared_in_kw"), (-1, "shared_out_kw")):
                if replay.has(name, member.id):
                    open_share += sign * replay.flow(name, member.id)
        else:
            power = -injections_kw[member.id]
        taken += power
        largest_kw = max(largest_kw, float(np.abs(power).max()))
    owner = f"group {group.id}"
    if group.max_import_kw is not None:
        replay.note(
            owner, f"takes more than {group.max_import_kw:g} kW", taken - group.max_import_kw, scale=largest_kw
        )
    if group.max_export_kw is not None:
        replay.note(
            owner, f"gives more than {group.max_export_kw:g} kW", -taken - group.max_export_kw, scale=largest_kw
        )
    if group.sharing_fee_per_kwh is not None:
        replay.note(owner, "shares in other energy than it shares out", np.abs(open_share), scale=largest_kw)
