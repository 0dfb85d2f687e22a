"""Time zones of the register's sites, read without the records of the register.

The list of runs is written after each run and tells local time. The columns are named here again because the
register's tables are made from the records of all kinds of assets, whose import takes longer than to write the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ems.database.engine import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SITES = sa.table("sites", *map(sa.column, ("id", "timezone", "status", "created_at")))


def site_timezones(engine: Engine) -> list[str]:
    """Return the time zone of each site that is not decommissioned, in the order in which they were entered."""
    columns = _SITES.c
    query = (
        sa.select(columns.timezone).where(columns.status != "decommissioned").order_by(columns.created_at, columns.id)
    )
    with reading(engine) as connection:
        return list(connection.execute(query).scalars())
