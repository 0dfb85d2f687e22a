"""The register in the database as the study `register` reads it."""

from __future__ import annotations

import datetime as dt

from ems.assets.portfolio import Portfolio
from ems.database.engine import connect
from ems.database.operation import list_maintenance, status_history, statuses
from ems.database.register_portfolio import load_portfolio
from ems.studies.register_source import Operation


def portfolio_in_database(site_id: str | None, group_id: str | None) -> Portfolio:
    """Return the portfolio of the register, or the part of it at a site and in a group.

    Raises
    ------
    InvalidInput
        If there is no such site or group, or nothing is left.
    """
    return load_portfolio(connect(), site=site_id, group=group_id)


def operation_in_database(portfolio: Portfolio, now: dt.datetime) -> Operation:
    """Return the last status that each asset had reported at a moment, and all maintenance records."""
    engine = connect()
    ids = {asset.id for asset in portfolio.assets}
    current = [one.status for one in statuses(engine, now) if one.asset_id in ids and one.status is not None]
    known = [one for one in current if one.reported_at <= now]
    for one in current:
        if one.reported_at > now:
            # The end is excluded, and the moment itself counts.
            before = status_history(engine, one.asset_id, until=now + dt.timedelta(microseconds=1), limit=1)
            known += before
    return Operation(tuple(known), tuple(one for one in list_maintenance(engine) if one.asset_id in ids))
