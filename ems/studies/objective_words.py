"""What a schedule is judged by, in words: names, units and amounts of measures."""

from __future__ import annotations

from ems.units import unit_of

OBJECTIVES = {
    "cost": "total cost",
    "weighted": "cost and weighted others together",
    "emissions_kg": "carbon dioxide emitted",
    "import_kwh": "energy taken from the grid",
    "peak_import_kw": "highest import",
    "unserved_cost": "worth of what is not served",
}
"""What a schedule is judged by, by the name of the measure."""
HEADLINES = {
    "weighted": "Cost with weights",
    "emissions_kg": "Emissions",
    "import_kwh": "Energy from the grid",
    "unserved_cost": "Worth not served",
}
"""The same in two or three words, where a headline does not say it anyway."""
MEASURES = {"emissions": "emissions_kg", "self_consumption": "import_kwh", "peak": "peak_import_kw"}
"""Name of the measure that an objective minimises, where it is another one."""


def measure_of(optimization_type: str, objective: str) -> str:
    """Return the name of the measure that a goal minimises first.

    >>> measure_of("battery_dispatch", "emissions"), measure_of("resilience", "cost")
    ('emissions_kg', 'unserved_cost')
    """
    return "unserved_cost" if optimization_type == "resilience" else MEASURES.get(objective, objective)


def objective_words(measure: str) -> str:
    """Return what a schedule is judged by, in words."""
    return OBJECTIVES.get(measure, measure.replace("_", " "))


def money(value: float, currency: str, digits: int = 2) -> str:
    """Return an amount with its currency.

    >>> money(-0.001, "EUR")
    '0.00 EUR'
    """
    # Adding zero turns the -0.00 of a rounding error into 0.00.
    return f"{round(value, digits) + 0.0:,.{digits}f} {currency}"


def measured(value: float, measure: str, currency: str, digits: int = 4) -> str:
    """Return the value of a measure with its unit.

    >>> measured(12.34567, "emissions_kg", "EUR")
    '12.3457 kg'
    """
    unit = currency if measure == "weighted" else unit_of(measure, currency)
    return money(value, unit or "", digits).rstrip()
