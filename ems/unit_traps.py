"""Numbers in another unit than their name says: what a value out of its bounds was most likely meant to be.

And numbers beyond anything there is, whatever their field: a solver drowns in them.

A remedy is offered only where one reading is far more likely than any other; otherwise a finding stays without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ems.units import unit_of

_LEAST_PERCENT = 2.0
"""A share of 1.2 may be a slip of the pen; from 2 upwards a share is percent, whatever the field."""
_LEAST_PERCENT_OF_EFFICIENCY = 20.0
"""An efficiency of 3 may be a coefficient of performance; equipment with 3 percent is not sold."""

# The unit a thousand times smaller, which people write instead.
_SMALLER = {"kW": "W", "kWh": "Wh", "kV": "V", "kVA": "VA", "kvar": "var"}
_LARGEST = {"kW": 1e12, "kWh": 1e12, "currency/kWh": 1e12}
"""More than the world uses: these meet in one sum with numbers around 1, to at least three digits."""
_LARGEST_OF_ALL = 1e24
"""Of what has another unit: a price and an amount that are in their ranges give a cost that is."""
_DIRECTIONS = ("charge", "discharge", "import", "export", "load", "output")


@cache
def largest_of(field_name: str) -> float:
    """Return the largest number, with either sign, that a field can have whatever its own bounds are.

    >>> largest_of("max_charge_kw"), largest_of("seed")
    (1000000000000.0, 1e+24)
    """
    return _LARGEST.get(unit_of(field_name) or "", _LARGEST_OF_ALL)


def remedy_for(field_name: str, value: float, bound: float) -> str:
    """Return the end of a sentence that says what a number was meant to be, or nothing where that is not sure.

    Parameters
    ----------
    field_name : str
        Name of the field; its unit is told by the name.
    value : float
        The number given, which is beyond the bound.
    bound : float
        The bound that it violates, on either side.

    Examples
    --------
    >>> remedy_for("min_soc", 10, 1)
    '; looks like percent, write 0.1'
    >>> remedy_for("azimuth_deg", 360, 360)
    '; north is 0, write 0'
    >>> remedy_for("capacity_kwh", -5, 0)
    ''
    """
    words = field_name.split("_")
    unit = unit_of(field_name) or ""
    if "azimuth" in words:
        return _azimuth(value)
    if unit == "1" or unit.startswith("1/"):
        return _percent(words, value, bound)
    if field_name == "latitude" and 90 < abs(value) <= 180:
        return "; looks like a longitude, are the two exchanged?"
    if value > bound:
        return _too_large(unit, value, bound)
    if value < 0 == bound and unit in ("kW", "kvar") and any(word in _DIRECTIONS for word in words):
        return f"; the name tells the direction, write {-value:g}"
    return ""


def megawatt_hints(kind: str, fields: Mapping[str, object]) -> list[str]:
    """Return a sentence for each power that other fields of the equipment show to be a thousand times too small.

    Parameters
    ----------
    kind : str
        Kind of the asset: ``battery``, ``solar_pv``, ``wind_turbine``.
    fields : mapping
        Its fields by name.

    Examples
    --------
    >>> megawatt_hints("wind_turbine", {"rated_capacity_kw": 3.45, "rotor_diameter_m": 126})
    ['rated_capacity_kw = 3.45 kW: a rotor of 126 m gives some thousand times more; looks like MW, write 3450']
    """
    number = _numbers_of(fields)
    findings = []
    rated_kw = number.get("rated_capacity_kw")
    diameter_m = number.get("rotor_diameter_m")
    if kind == "wind_turbine" and rated_kw and diameter_m and diameter_m >= 5:
        # Turbines are built for 150 to 600 W per m² of swept area; a thousandth of that is no turbine.
        density_w_per_m2 = rated_kw * 1000 / (diameter_m**2 * 3.1416 / 4)
        if density_w_per_m2 < 2:
            findings.append(_mega("rated_capacity_kw", rated_kw, f"a rotor of {diameter_m:g} m gives"))
    panels, panel_w = number.get("number_of_panels"), number.get("panel_capacity_w")
    if kind == "solar_pv" and rated_kw and panels and panel_w and 0 < rated_kw < panels * panel_w / 1000 / 100:
        findings.append(_mega("rated_capacity_kw", rated_kw, f"{panels:g} panels of {panel_w:g} W give"))
    capacity_kwh = number.get("capacity_kwh")
    if kind == "battery" and capacity_kwh:
        for name in ("rated_power_kw", "max_charge_kw", "max_discharge_kw"):
            power_kw = number.get(name)
            # The slowest storage on sale empties within some hundred hours; a thousandth of 1C would take 1000 h.
            if power_kw and capacity_kwh >= 100 and 0 < power_kw < capacity_kwh / 400:
                findings.append(_mega(name, power_kw, f"a battery of {capacity_kwh:g} kWh gives"))
    return findings


def _mega(name: str, value_kw: float, why: str) -> str:
    return f"{name} = {value_kw:g} kW: {why} some thousand times more; looks like MW, write {value_kw * 1000:g}"


def _numbers_of(fields: Mapping[str, object]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _azimuth(value: float) -> str:
    if value == 360:
        return "; north is 0, write 0"
    if -180 <= value < 0:
        # Some tools count from south with east negative; -90 may be east there and west here.
        return "; counted clockwise from north: east 90, south 180, west 270"
    return f"; a full turn is 360, write {value % 360:g}" if 360 < value <= 720 else ""


def _too_large(unit: str, value: float, bound: float) -> str:
    if unit == "°C" and value >= 200 and value - 273.15 <= bound:
        return f"; looks like kelvin, write {value - 273.15:.4g}"
    smaller = _SMALLER.get(unit)
    return f"; looks like {smaller}, write {value / 1000:g}" if smaller and value / 1000 <= bound else ""


def _percent(words: list[str], value: float, bound: float) -> str:
    share = value / 100
    if value > bound > 0:
        least = _LEAST_PERCENT_OF_EFFICIENCY if "efficiency" in words else _LEAST_PERCENT * min(bound, 1)
        return f"; looks like percent, write {share:g}" if value >= least and share <= bound else ""
    if value < bound < 0:
        return f"; looks like percent, write {share:g}" if share >= bound else ""
    return ""
