"""Small measured series in a project, for the studies of forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ASSETS: list[dict[str, Any]] = [
    {"kind": "load", "id": "office", "rated_load_kw": 100},
    {"kind": "solar_pv", "id": "roof", "rated_capacity_kw": 50},
    {"kind": "grid_connection", "id": "grid", "max_import_kw": 100, "max_export_kw": 100},
]
WARM = {"warm_up_days": 7, "training_days": 28}
"""Little to learn from, for tests of what is around the models."""


def measured(days: float = 30, *, begin: str = "2024-05-01", timezone: str = "UTC", seed: int = 1) -> pd.DataFrame:
    """Hours from a local midnight on: a load of 40 kW that follows the clock, the temperature and chance."""
    time = pd.date_range(pd.Timestamp(begin, tz=timezone), periods=round(24 * days), freq="h").tz_convert("UTC")
    h = time.tz_convert(timezone).hour.to_numpy()
    draws = np.random.RandomState(seed)
    of_day = 3 * draws.standard_normal(len(time) // 24 + 1)[np.arange(len(time)) // 24]
    degc = 15 + 5 * np.sin(2 * np.pi * (h - 9) / 24) + of_day + draws.standard_normal(len(time))
    load = 40 + 20 * np.sin(2 * np.pi * (h - 6) / 24) + degc + draws.standard_normal(len(time))
    sun = np.maximum(np.sin(np.pi * (h - 6) / 12), 0) * (30 + 4 * draws.standard_normal(len(time)))
    return pd.DataFrame({"time": time, "demand_kw": load, "available_kw": np.maximum(sun, 0), "temp": degc})


def written(
    folder: Path,
    series: pd.DataFrame,
    *,
    name: str = "small",
    timezone: str = "UTC",
    site: dict[str, Any] | None = None,
    assets: list[dict[str, Any]] | None = None,
    form: dict[str, Any] | None = None,
) -> None:
    """Write a site and its series."""
    given = {
        "currency": "EUR",
        "site": {"id": name, "timezone": timezone, **(site or {})},
        "assets": assets or ASSETS,
        **({"series": form} if form else {}),
    }
    (folder / "data" / "sites" / f"{name}.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    file = series.copy()
    if pd.api.types.is_datetime64_any_dtype(file.iloc[:, 0]):
        file.isetitem(0, file.iloc[:, 0].map(lambda one: one.isoformat()))
    file.to_csv(folder / "data" / "series" / f"{name}.csv", index=False)
