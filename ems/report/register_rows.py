"""What the register's figures and tables show of an asset besides its record: one row each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from ems.report.register_words import ALARM_ORDER


@dataclass(frozen=True)
class StatusRow:
    """What an asset last reported, judged at one moment.

    Parameters
    ----------
    asset_id, name, kind, site : str
        `site` is the name of its site.
    state : str
        ``online``, ``standby``, ``maintenance``, ``offline``, ``fault``, or ``unknown`` where it never reported.
    reason : str
        Why it counts as that, in words.
    rating_kw : float or None
        The power by which it is known.
    power_kw : float or None
        Power into its site's bus, of a message that is not stale.
    soc : float or None
        State of charge, 0 to 1, of a message that is not stale.
    alarm_level : str
        ``none``, ``info``, ``warning``, ``error`` or ``critical``.
    alarm : str
        Its message with the fault's code.
    reported_at : datetime or None
        Moment of the last message.
    """

    asset_id: str
    name: str
    kind: str
    site: str
    state: str = "unknown"
    reason: str = ""
    rating_kw: float | None = None
    power_kw: float | None = None
    soc: float | None = None
    alarm_level: str = "none"
    alarm: str = ""
    reported_at: dt.datetime | None = None

    @property
    def urgency(self) -> int:
        """Rank of its alarm: 0 is the most urgent."""
        return ALARM_ORDER.index(self.alarm_level) if self.alarm_level in ALARM_ORDER else 0


@dataclass(frozen=True)
class DueRow:
    """Work on an asset that is due, or was.

    Parameters
    ----------
    asset_id, name, kind, site : str
    due : date or None
        Day on which it is due; None where a limit is reached that no calendar tells.
    what : str
        Kind of work: ``preventive``.
    reason : str
        Why it is due, in words.
    is_overdue : bool
    """

    asset_id: str
    name: str
    kind: str
    site: str
    due: dt.date | None
    what: str
    reason: str
    is_overdue: bool = False


@dataclass(frozen=True)
class HealthRow:
    """How an asset ages.

    Parameters
    ----------
    asset_id, name, kind, site : str
    score : float or None
        From 1, as new, to 0, at its end; None where nothing is known.
    parts : sequence of str
        What the score is made of, in words.
    remaining_life_a : float or None
        Years until the end of its life.
    warranty : str
        How long the warranty lasts, in words.
    warranty_start, warranty_end : date or None
    """

    asset_id: str
    name: str
    kind: str
    site: str
    score: float | None = None
    parts: tuple[str, ...] = field(default=())
    remaining_life_a: float | None = None
    warranty: str = "unknown"
    warranty_start: dt.date | None = None
    warranty_end: dt.date | None = None
