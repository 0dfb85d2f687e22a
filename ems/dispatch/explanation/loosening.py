"""Loosening: the fields of assets that are limits, which way each loosens, and an asset with one of them moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ems.assets.asset import Asset, AssetInputs
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.load import Load

UP, DOWN, EITHER = 1, -1, 0
LOOSENED: Mapping[str, Mapping[str, int]] = {
    "battery": {
        "max_charge_kw": UP,
        "max_discharge_kw": UP,
        "continuous_charge_kw": UP,
        "continuous_discharge_kw": UP,
        "min_soc": DOWN,
        "max_soc": UP,
        "target_soc": EITHER,
        "soc_targets.soc": EITHER,
        "charge_taper.share": UP,
        "discharge_taper.share": UP,
        "max_cycles_per_d": UP,
        "ramp_up_rate_kw_per_s": UP,
        "ramp_down_rate_kw_per_s": UP,
    },
    "ev_charger": {
        "max_power_kw": UP,
        "max_discharge_kw": UP,
        "min_charge_kw": DOWN,
        "sessions.energy_kwh": DOWN,
        "sessions.battery_capacity_kwh": UP,
    },
    "generator": {
        "max_output_kw": UP,
        "min_output_kw": DOWN,
        "max_startup_kw": UP,
        "max_shutdown_kw": UP,
        "ramp_up_rate_kw_per_min": UP,
        "ramp_down_rate_kw_per_min": UP,
        "fuel_tank_capacity_l": UP,
    },
    "grid_connection": {
        "max_import_kw": UP,
        "max_export_kw": UP,
        "transformer_capacity_kva": UP,
        "ramp_up_rate_kw_per_s": UP,
        "ramp_down_rate_kw_per_s": UP,
    },
    "load": {
        "max_curtailment": UP,
        "rated_load_kw": UP,
        "thermal.max_power_kw": UP,
        "thermal.comfort_min_degc": DOWN,
        "thermal.comfort_max_degc": UP,
    },
}
"""Fields that people can change, a part after its field, and which way each loosens its limit."""

NOT_BELOW_ZERO = ("min_soc", "min_output_kw", "min_charge_kw")
"""Lower limits that at nothing are none."""


def is_stated(asset: Asset, inputs: AssetInputs, name: str) -> bool:
    """Return whether a limit is stated, as a field or a series, and has an effect."""
    first, _, part = name.partition(".")
    value = getattr(asset, first)
    if first == "fuel_tank_capacity_l" and getattr(asset, "fuel_consumption_l_per_kwh", None) is None:
        return False
    if isinstance(asset, Generator) and len(asset.cost_curve) == 1 and first in ("min_output_kw", "max_output_kw"):
        return False  # a curve of one point leads nowhere else
    if isinstance(asset, EvCharger) and first == "max_discharge_kw":
        return asset.v2g_capable
    if isinstance(asset, Load) and first in ("max_curtailment", "rated_load_kw"):
        return asset.is_sheddable and value is not None and not (first == "max_curtailment" and value >= 1)
    if part and isinstance(value, tuple):
        return any(getattr(one, part) is not None for one in value)
    return value is not None or first in inputs.series


def moved(asset: Asset, inputs: AssetInputs, name: str, by: float) -> tuple[Asset, AssetInputs]:
    """Return an asset and its inputs with a field moved; unchecked, as the next number may be past a bound."""
    first, _, part = name.partition(".")
    value: Any = getattr(asset, first)
    if name in inputs.series:
        return asset, replace(inputs, series={**inputs.series, name: inputs.series[name] + by})
    if part == "energy_kwh":  # a vehicle's battery stays as it is
        value = tuple(
            one.model_copy(update={"energy_kwh": one.energy_kwh + by, "battery_capacity_kwh": one.highest_energy_kwh})
            for one in value
        )
    elif part and isinstance(value, tuple):
        value = tuple(
            one if getattr(one, part) is None else one.model_copy(update={part: getattr(one, part) + by})
            for one in value
        )
    elif part:
        value = value.model_copy(update={part: getattr(value, part) + by})
    else:
        value = value + by
    changes = {first: value}
    if isinstance(asset, Generator) and asset.cost_curve and first in ("min_output_kw", "max_output_kw"):
        changes["cost_curve"] = _longer_curve(asset.cost_curve, by, at_end=first == "max_output_kw")
    return asset.model_copy(update=changes), inputs


def _longer_curve(curve: Sequence[Any], by: float, *, at_end: bool) -> tuple[Any, ...]:
    """Return a curve whose first or last line goes on by some kW."""
    end, near = (curve[-1], curve[-2]) if at_end else (curve[0], curve[1])
    rise = (end.cost_per_h - near.cost_per_h) / (end.output_kw - near.output_kw)
    moved = end.model_copy(update={"output_kw": end.output_kw + by, "cost_per_h": end.cost_per_h + rise * by})
    return (*curve[:-1], moved) if at_end else (moved, *curve[1:])


def value_of(asset: Asset, inputs: AssetInputs, name: str) -> np.ndarray:
    """Return a limit in each step, or of each part."""
    first, _, part = name.partition(".")
    if name in inputs.series:
        return inputs.series[name]
    value = getattr(asset, first)
    parts = value if isinstance(value, tuple) else (value,)
    stated = [getattr(one, part) if part else one for one in parts]
    return np.array([one for one in stated if one is not None], dtype=float)
