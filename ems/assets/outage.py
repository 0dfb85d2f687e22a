"""What an outage of one asset takes down with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ems.assets.group import Dependency


@dataclass(frozen=True)
class Affected:
    """An asset that goes down because another one is out.

    Parameters
    ----------
    asset_id : str
    chain : tuple of str
        Ids from the asset whose outage began it to this one; each takes down the next.
    reason : str
        The chain in words: ``'feeder' is out; 'pump' requires 'feeder'``.
    is_critical : bool
        Whether one dependency of the chain at least is marked as critical.
    """

    asset_id: str
    chain: tuple[str, ...]
    reason: str
    is_critical: bool


@dataclass(frozen=True)
class _Supply:
    """What keeps an asset alive: the provider, and how it is said."""

    provider: str
    words: str
    is_critical: bool
    is_one_of_many: bool


def affected_by(asset_id: str, dependencies: Iterable[Dependency]) -> tuple[Affected, ...]:
    """Return what an outage of one asset takes down with it, nearest first, each with its reason.

    A dependency reads as a sentence, ``asset_id <type> depends_on_asset_id``:

    - A requires B: without B, A is out.
    - A feeds B: without A, B is out, unless another one feeds it still; a critical feeder cannot be spared.
    - A controls B: without A, B is out where that is critical; otherwise it goes on as it was set.
    - A monitors B: neither takes the other down.
    - A is backup for B: whatever B gives to others goes on while A is there; B itself is out.

    Parameters
    ----------
    asset_id : str
        The asset that is out.
    dependencies : iterable of Dependency
        They may go round in circles.

    Returns
    -------
    tuple of Affected
        Without the asset itself; empty where nothing depends on it.
    """
    supplies: dict[str, list[_Supply]] = defaultdict(list)
    backups: dict[str, set[str]] = defaultdict(set)
    fed_by: dict[str, set[str]] = defaultdict(set)
    takers: dict[str, list[str]] = defaultdict(list)
    for one in dependencies:
        giver, taker = _direction(one)
        if one.dependency_type == "backup_for":
            backups[one.depends_on_asset_id].add(one.asset_id)
            # When the backup fails after the asset it stands for, those who live on it have to be looked at again.
            takers[one.asset_id].append(one.depends_on_asset_id)
        elif giver is not None and taker is not None:
            supplies[taker].append(
                _Supply(giver, _words(one), one.is_critical, one.dependency_type == "feeds" and not one.is_critical)
            )
            takers[giver].append(taker)
            if one.dependency_type == "feeds":
                fed_by[taker].add(giver)

    out: dict[str, Affected] = {asset_id: Affected(asset_id, (asset_id,), f"'{asset_id}' is out", False)}

    def is_lost(provider: str) -> bool:
        return provider in out and not any(backup not in out for backup in backups[provider])

    def cause_of(taker: str) -> _Supply | None:
        for supply in supplies[taker]:
            if is_lost(supply.provider) and not (
                supply.is_one_of_many and any(not is_lost(feeder) for feeder in fed_by[taker])
            ):
                return supply
        return None

    waiting = [asset_id]
    while waiting:
        giver = waiting.pop(0)
        reached = list(takers[giver])
        # A backup that is lost uncovers the takers of the assets it stands for.
        reached += [taker for stood_for in takers[giver] if giver in backups[stood_for] for taker in takers[stood_for]]
        for taker in dict.fromkeys(reached):
            cause = None if taker in out else cause_of(taker)
            if cause is not None:
                before = out[cause.provider]
                out[taker] = Affected(
                    taker,
                    (*before.chain, taker),
                    f"{before.reason}; {cause.words}",
                    before.is_critical or cause.is_critical,
                )
                waiting.append(taker)
    del out[asset_id]
    return tuple(out.values())


def _direction(one: Dependency) -> tuple[str | None, str | None]:
    """Return who gives and who takes; nobody where an outage goes neither way."""
    if one.dependency_type == "requires":
        return one.depends_on_asset_id, one.asset_id
    if one.dependency_type == "feeds" or (one.dependency_type == "controls" and one.is_critical):
        return one.asset_id, one.depends_on_asset_id
    return None, None


def _words(one: Dependency) -> str:
    if one.dependency_type == "requires":
        return f"'{one.asset_id}' requires '{one.depends_on_asset_id}'"
    verb = {"feeds": "fed", "controls": "controlled"}[one.dependency_type]
    return f"'{one.depends_on_asset_id}' is {verb} by '{one.asset_id}'"
