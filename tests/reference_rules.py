"""The rules of the neutral form `ems-case/1` for dispatches, checked and priced by their own arithmetic.

Nothing here is shared with the package, so that it can say which of two answers is right. Numbers are in the units of
the case; a flow is an array over the steps under the form's own names: ``grid.imp``, ``battery.c``, ``unit.u``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from reference_groups import Groups, label_of
from reference_units import audit_generator, audit_reserve

TOLERANCE = 1e-6
"""Of a solver, as a share of the largest power or energy of a case."""


@dataclass(frozen=True)
class NeutralCase:
    """A case as its folder states it.

    Parameters
    ----------
    given : mapping
        ``case.json``.
        A field of an asset or an option that is null is one that is absent.
    columns : mapping of str to ndarray (steps,)
        ``series.csv`` without its times; texts where the labels of groups are no numbers.
    """

    given: Mapping[str, Any]
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stated = {
            name: _stated(self.given[name]) for name in ("assets", "options") if self.given.get(name) is not None
        }
        object.__setattr__(self, "given", {**{k: v for k, v in self.given.items() if v is not None}, **stated})

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.given["time"]["n"])

    @property
    def step_h(self) -> np.ndarray:
        """Length of each step in hours."""
        return np.broadcast_to(np.asarray(self.given["time"]["step_h"], dtype=float), self.steps)

    @property
    def options(self) -> Mapping[str, Any]:
        """What holds for the whole bus."""
        return self.given.get("options", {})

    def values(self, value: Any, default: float = 0.0) -> np.ndarray:
        """Return a number, a list or a named series as an array over the steps."""
        if value is None:
            value = default
        if isinstance(value, Mapping):
            value = self.columns[value["series"]] * value.get("scale", 1.0)
        array: np.ndarray = np.broadcast_to(np.asarray(value, dtype=float), self.steps)
        return array

    def labels(self, value: Any) -> list[str]:
        """Return the label of a group in each step: a number, a text, a list or a named series of them."""
        if isinstance(value, Mapping):
            scale = value.get("scale")
            value = self.columns[value["series"]] if scale is None else self.values(value)
        labels = [label_of(0 if value is None else value)] if np.ndim(value) == 0 else [*map(label_of, value)]
        return labels * self.steps if len(labels) == 1 else labels

    def of_type(self, *types: str) -> Iterator[Mapping[str, Any]]:
        """Give the assets of some types."""
        return (asset for asset in self.given["assets"] if asset["type"] in types)


def _stated(value: Any) -> Any:
    """Return a value without the fields that are null."""
    if isinstance(value, Mapping):
        return {name: _stated(inner) for name, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list | tuple) else value


def read_case(folder: Path) -> NeutralCase:
    """Return the case of a folder."""
    columns: dict[str, np.ndarray] = {}
    if (folder / "series.csv").is_file():
        with (folder / "series.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = {name: _column([row[name] for row in rows]) for name in rows[0] if name != "time"}
    return NeutralCase(json.loads((folder / "case.json").read_text(encoding="utf-8")), columns)


def _column(cells: list[str]) -> np.ndarray:
    """Return a column as numbers, or as the texts that it holds."""
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array(cells)


@dataclass
class Audit:
    """What a schedule costs and which rules it breaks.

    Parameters
    ----------
    case : NeutralCase
    flows : mapping of str to ndarray (steps,)
    """

    case: NeutralCase
    flows: Mapping[str, np.ndarray]
    costs: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    derived: dict[str, np.ndarray] = field(default_factory=dict)
    """Flows that follow from others: contents of stores, spilled and unserved power of the bus."""

    @property
    def total_cost(self) -> float:
        """Money spent in the whole horizon."""
        return sum(self.costs.values())

    def flow(self, name: str, default: float | None = None) -> np.ndarray:
        """Return a flow; where it may be absent, its default."""
        if name not in self.flows and default is not None:
            return np.full(self.case.steps, default)
        return np.asarray(self.flows[name], dtype=float)

    def pay(self, what: str, money: Any) -> None:
        """Add to a type of cost."""
        self.costs[what] = self.costs.get(what, 0.0) + float(np.sum(money))

    def at_most(self, rule: str, values: Any, limits: Any, scale: Any = 0.0) -> None:
        """Note a rule that is broken where values lie above limits."""
        values, limits = np.broadcast_arrays(
            np.atleast_1d(np.asarray(values, dtype=float)), np.asarray(limits, dtype=float)
        )
        if not values.size:
            return
        finite = np.concatenate([values[np.isfinite(values)], limits[np.isfinite(limits)], np.ravel(scale)])
        tolerance = TOLERANCE * (1 + np.abs(finite).max(initial=0.0))
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero(~(values - limits <= tolerance))
        if bad.size:
            t = int(bad[0])
            self.broken.append(f"{rule}: {values[t]:.9g} > {limits[t]:.9g} in step {t}")

    def equal(self, rule: str, values: Any, others: Any, scale: Any = 0.0) -> None:
        """Note a rule that is broken where two sides differ."""
        self.at_most(rule, values, others, scale)
        self.at_most(rule, others, values, scale)

    def within(self, rule: str, values: Any, low: Any, high: Any) -> None:
        """Note a rule that is broken where values leave a range."""
        self.at_most(f"{rule} too high", values, high)
        self.at_most(f"{rule} too low", low, values)

    def never_both(self, rule: str, one: np.ndarray, other: np.ndarray) -> None:
        """Note steps in which two flows are both above zero."""
        self.at_most(rule, np.minimum(one, other), 0.0, scale=np.maximum(one, other))


def audit(case: NeutralCase, flows: Mapping[str, np.ndarray]) -> Audit:
    """Return cost and broken rules of a schedule; ``broken`` is empty where it is right."""
    found = Audit(case, flows)
    into_bus = np.zeros(case.steps)
    size = np.zeros(case.steps)
    for asset in case.given["assets"]:
        power = _AUDITS[asset["type"]](asset, found)
        into_bus = into_bus + power
        size = np.maximum(size, np.abs(power))
    options = case.options
    # Powers that come and go at once are seen as their difference alone, and priced so.
    for name, slack, price in (
        ("spill", np.maximum(into_bus, 0.0), options.get("spill_cost")),
        ("unserved", np.maximum(-into_bus, 0.0), options.get("unserved_cost")),
    ):
        if price is None:
            found.at_most(f"balance of the bus ({name})", slack, 0.0, scale=size)
        else:
            found.pay(name, case.values(price) * slack * case.step_h)
            found.derived[f"bus.{name}"] = slack
    if "reserve" in options:
        audit_reserve(options["reserve"], found)
    return found


def _load(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case = asset["name"], found.case
    power, shed = case.values(asset["power"]), found.flow(f"{asset['name']}.shed", 0.0)
    is_firm = asset.get("shed_cost") is None
    # A load of negative power feeds the bus, and nothing of it is shed.
    found.within(f"{name} shed", shed, 0.0, 0.0 if is_firm else np.maximum(power, 0.0))
    if not is_firm:
        found.pay("shed", case.values(asset["shed_cost"]) * shed * case.step_h)
    return shed - power


def _renewable(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case = asset["name"], found.case
    used, available = found.flow(f"{name}.p"), case.values(asset["power_available"])
    found.within(f"{name} power", used, 0.0 if asset.get("curtailable", True) else available, available)
    found.pay("production", case.values(asset.get("marginal_cost")) * used * case.step_h)
    return used


def _grid(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case = asset["name"], found.case
    bought, sold = found.flow(f"{name}.imp"), found.flow(f"{name}.exp")
    found.within(f"{name} import", bought, 0.0, case.values(asset.get("import_limit"), np.inf))
    found.within(f"{name} export", sold, 0.0, case.values(asset.get("export_limit"), np.inf))
    if not asset.get("allow_simultaneous", False):
        found.never_both(f"{name} imports and exports", bought, sold)
    found.pay("energy_import", case.values(asset["import_price"]) * bought * case.step_h)
    found.pay("energy_export", -case.values(asset.get("export_price")) * sold * case.step_h)
    for charge in asset.get("demand_charges", ()):
        power = sold if charge.get("basis", "import") == "export" else bought
        found.pay("demand_charge", demand_cost(charge, power, case))
    return bought - sold


def demand_cost(charge: Mapping[str, Any], power: np.ndarray, case: NeutralCase) -> float:
    """Return what the peaks of all groups cost."""
    groups = Groups.of(charge, case)
    group = groups.of_step
    counts = case.values(charge.get("mask"), 1.0) > 0
    billed_groups = list(dict.fromkeys(group.tolist()))
    prior = charge.get("prior_peak", 0.0)
    # Groups before the horizon have no steps, but a ratchet may look back at their peaks.
    earlier = sorted({*groups.by_number(prior)} - set(billed_groups)) if isinstance(prior, Mapping) else []
    numbers = [*earlier, *billed_groups]
    peaks = {
        number: max(_of_group(prior, number, groups), float(power[counts & (group == number)].max(initial=0.0)))
        for number in numbers
    }
    ratchet = charge.get("ratchet") or {}
    total = 0.0
    for number in billed_groups:
        position = numbers.index(number)
        back = [one for one in groups.named(ratchet.get("months", ())) if one in peaks]
        if "previous_n" in ratchet:
            back = numbers[max(0, position - int(ratchet["previous_n"])) : position]
        least = ratchet.get("fraction", 0.0) * max((peaks[one] for one in back), default=0.0)
        billed = max(peaks[number] - charge.get("free_allowance", 0.0), least, 0.0)
        total += billed * _of_group(charge["rate"], number, groups)
    return total


def _of_group(value: Any, number: int, groups: Groups) -> float:
    """Return a group's number of a value that may be a map by group."""
    return groups.by_number(value).get(number, 0.0) if isinstance(value, Mapping) else float(value)


def _battery(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case, size = asset["name"], found.case, asset["energy_capacity"]
    charge, discharge = found.flow(f"{name}.c"), found.flow(f"{name}.d")
    found.within(f"{name} charge", charge, 0.0, case.values(asset["charge_power_max"]))
    found.within(f"{name} discharge", discharge, 0.0, case.values(asset["discharge_power_max"]))
    if not asset.get("allow_simultaneous", False):
        found.never_both(f"{name} charges and discharges", charge, discharge)
    rule = asset.get("soc_final_rule", ">=" if "soc_final" in asset else "free")
    # Without a start of its own a cycle begins where the schedule says that it ends.
    start = asset["soc_initial"] * size if "soc_initial" in asset else float(found.flow(f"{name}.e")[-1])
    keep = (1 - asset.get("standing_loss_per_h", 0.0)) ** case.step_h
    flows = asset.get("eta_charge", 1.0) * charge - discharge / asset.get("eta_discharge", 1.0)
    gains = (flows - case.values(asset.get("drain"))) * case.step_h
    content = _contents(start, keep, gains)
    found.derived[f"{name}.e"] = content
    if f"{name}.e" in found.flows:
        found.equal(f"{name} content", found.flow(f"{name}.e"), content, scale=size)
    low, high = case.values(asset.get("soc_min"), 0.0) * size, case.values(asset.get("soc_max"), 1.0) * size
    found.within(f"{name} content", content, low, high)
    wishes = [
        (target["step"], target["soc"] * size, target.get("rule", ">=")) for target in asset.get("soc_targets", ())
    ]
    if rule == "cyclic":
        wishes.append((case.steps - 1, start, "=="))
    elif rule != "free":
        wishes.append((case.steps - 1, asset["soc_final"] * size, rule))
    for step, wanted, sign in wishes:
        if sign in (">=", "=="):
            found.at_most(f"{name} target at end of step {step}", wanted, content[step], scale=size)
        if sign in ("<=", "=="):
            found.at_most(f"{name} target at end of step {step}", content[step], wanted, scale=size)
    found.pay("storage", case.values(asset.get("charge_cost")) * charge * case.step_h)
    found.pay("storage", case.values(asset.get("discharge_cost")) * discharge * case.step_h)
    found.pay("storage", case.values(asset.get("holding_cost")) * content * case.step_h)
    return discharge - charge


def _ev_charger(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case, size = asset["name"], found.case, asset["energy_capacity"]
    there = np.zeros(case.steps)
    there[asset["arrival_step"] : asset["departure_step"]] = 1
    charge, discharge = found.flow(f"{name}.c"), found.flow(f"{name}.d", 0.0)
    back = case.values(asset.get("discharge_power_max")) if asset.get("v2g", False) else 0.0
    found.within(f"{name} charge", charge, 0.0, case.values(asset["charge_power_max"]) * there)
    found.within(f"{name} discharge", discharge, 0.0, back * there)
    found.never_both(f"{name} charges and discharges", charge, discharge)
    gains = (asset.get("eta_charge", 1.0) * charge - discharge / asset.get("eta_discharge", 1.0)) * case.step_h
    content = _contents(asset.get("energy_initial", 0.0), np.ones(case.steps), gains)
    found.derived[f"{name}.e"] = content
    found.within(f"{name} content", content, 0.0, size)
    missing = asset.get("energy_target", 0.0) - content[asset["departure_step"] - 1]
    if asset.get("unmet_cost") is None:
        found.at_most(f"{name} energy at departure", missing, 0.0, scale=size)
    else:
        found.pay("unmet", asset["unmet_cost"] * max(missing, 0.0))
    found.pay("storage", case.values(asset.get("discharge_cost")) * discharge * case.step_h)
    return discharge - charge


def _contents(start: float, keep: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Return the content of a store at the end of each step."""
    content, contents = float(start), []
    for kept, gain in zip(keep, gains, strict=True):
        content = content * kept + gain
        contents.append(content)
    return np.array(contents)


def _shiftable_load(asset: Mapping[str, Any], found: Audit) -> np.ndarray:
    name, case = asset["name"], found.case
    on = found.flow(f"{name}.on")
    found.equal(f"{name} is on or off", np.abs(on - np.round(on)), 0.0, scale=100.0)
    on = np.round(on)
    found.at_most(f"{name} runs where it is not allowed", on, case.values(asset.get("allowed"), 1.0) > 0)
    found.equal(f"{name} steps on", on.sum(), asset["duration_steps"])
    if not asset.get("interruptible", False):
        found.equal(f"{name} blocks", np.sum(np.diff(on, prepend=0.0) > 0), 1.0)
    return -case.values(asset["power"]) * on


_AUDITS: Any = {
    "load": _load,
    "solar_pv": _renewable,
    "wind_turbine": _renewable,
    "grid_connection": _grid,
    "battery": _battery,
    "ev_charger": _ev_charger,
    "shiftable_load": _shiftable_load,
    "generator": audit_generator,
}
