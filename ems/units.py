"""Units live in names: the vocabulary of suffixes, read by messages, columns, axes and field tables.

A number carries its unit at the end of its name. Money is in the portfolio's currency and is told by a word
(``cost``, ``price``); shares are fractions from 0 to 1 and are told by a word (``soc``, ``efficiency``).
"""

from __future__ import annotations

from functools import cache

# Of two units that share a letter, the one used more often here keeps it: `a` is a year, an ampere is spelt out.
UNITS = {
    "kw": "kW", "kwh": "kWh",
    "kwh_h": "kWh·h", "kw_h": "kW·h", "kw2h": "kW²·h", "kh": "K·h", "w": "W", "mw": "MW", "mwh": "MWh", "kva": "kVA",
    "kvar": "kvar", "h": "h", "min": "min", "s": "s", "ms": "ms", "a": "a", "d": "d",
    "v": "V", "kv": "kV", "ampere": "A", "hz": "Hz",
    "pa": "Pa", "m3": "m³",
    "deg": "°", "degc": "°C", "k": "K", "m": "m", "m2": "m²", "l": "l", "kg": "kg", "btu": "Btu", "db": "dB",
    "cycle": "cycle", "week": "week",
}  # fmt: skip
ONLY_BELOW = {"month": "month", "kw_month": "kW·month", "kw_a": "kW·a"}
"""Units that stand only below a line: a month by itself is a number of the calendar."""
MONEY = frozenset({"cost", "price", "fee", "revenue", "profit", "saving", "charge"})
FRACTIONS = frozenset(
    {"soc", "efficiency", "factor", "share", "gap", "losses", "availability", "curtailment", "coefficient", "ratio"}
    | {"health", "tolerance"}
)


@cache
def unit_of(name: str, currency: str = "currency") -> str | None:
    """Return the unit that a name states, or None where it states none.

    Parameters
    ----------
    name : str
        Name of a field, parameter, variable or column.
    currency : str
        ISO 4217 code of the portfolio's currency; the word ``currency`` where it is not known.

    Examples
    --------
    >>> unit_of("max_charge_kw")
    'kW'
    >>> unit_of("import_price_per_kwh", "EUR")
    'EUR/kWh'
    >>> unit_of("ramp_up_kw_per_min"), unit_of("min_soc"), unit_of("solver")
    ('kW/min', '1', None)
    """
    words = name.split("_")
    if "per" in words[1:-1]:
        at = len(words) - 1 - words[::-1].index("per")
        below = {**UNITS, **ONLY_BELOW}.get("_".join(words[at + 1 :]))
        if below is None:
            return None
        above = words[at - 1]
        # A rate of a tariff is money; a rate of something, as of degradation, is a share.
        is_money = above in MONEY or above == "value" or (above in ("rate", "rates") and at == 1)
        return f"{UNITS.get(above) or (currency if is_money else '1')}/{below}"
    last = words[-1]
    if len(words) > 2 and "_".join(words[-2:]) in UNITS:
        return UNITS["_".join(words[-2:])]
    if len(words) > 1 and last in UNITS:
        return UNITS[last]
    if last in MONEY:
        return currency
    return "1" if last in FRACTIONS else None


def with_unit(value: object, name: str, currency: str = "currency") -> str:
    """Return a value with the unit of its name, as text: ``-5 kWh``; fractions stay bare.

    >>> with_unit(-5, "capacity_kwh")
    '-5 kWh'
    """
    unit = unit_of(name, currency)
    return f"{value}" if unit in (None, "1") else f"{value} {unit}"
