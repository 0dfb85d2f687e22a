"""Performance of assets over the period of a stored optimization, from its stored flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ems.assets.battery import Battery
from ems.assets.performance import performance_of
from ems.assets.portfolio import KINDS
from ems.database.optimizations import assets_of, read_results
from ems.errors import UnknownName, show

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ems.assets.asset import Asset
    from ems.assets.operation import Performance
    from ems.database.records import OptimizationAsset


def performance_of_job(engine: sa.Engine, job_id: str) -> list[Performance]:
    """Return what each asset of a stored optimization does in its period.

    Parameters
    ----------
    engine : Engine
    job_id : str
        Id of the optimization; its schedule, prices and the specs that were used are read from the database.

    Returns
    -------
    list of Performance
        One for each asset, in the order of ids; `create_performance` keeps those of assets in the register.

    Raises
    ------
    UnknownName
        If there is no such optimization, or it left no schedule.
    """
    frame = read_results(engine, job_id)
    if frame.empty:
        raise UnknownName(f"optimization {show(job_id)}", "has left no schedule")
    return [_performance(used, frame[frame["asset_id"] == used.asset_id]) for used in assets_of(engine, job_id)]


def asset_as_used(used: OptimizationAsset) -> Asset:
    """Return the record of an asset as it was in an optimization."""
    return KINDS[used.kind].from_mapping(used.spec, f"optimization {used.job_id}")


def _performance(used: OptimizationAsset, rows: object) -> Performance:
    import pandas as pd

    assert isinstance(rows, pd.DataFrame)
    asset = asset_as_used(used)
    numbers = rows.drop(columns=["job_id", "time", "asset_id", "step_h", "cost"], errors="ignore")
    flows = {str(name): numbers[name].to_numpy(dtype=float, na_value=np.nan) for name in numbers.columns}
    if isinstance(asset, Battery) and "energy_kwh" in flows:
        # Rows hold the content at the end of a step; the first one began with the initial content.
        flows["energy_kwh"] = np.concatenate(([asset.initial_soc * asset.content_kwh], flows["energy_kwh"]))
    return performance_of(
        asset, flows, rows["step_h"].to_numpy(dtype=float), period_start=rows["time"].iloc[0].to_pydatetime()
    )
