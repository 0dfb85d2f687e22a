"""Random dispatches that have a schedule but for one cause, which is put in on purpose and known by name."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from builders import START, battery, charger, generator, grid, load, prices, problem, session, solar

from ems.dispatch.goal import Goal
from ems.dispatch.problem import DispatchProblem


@dataclass(frozen=True)
class Contradiction:
    """A dispatch without a schedule.

    Parameters
    ----------
    problem : DispatchProblem
    owner : str
        Record in which the cause lies.
    fields : tuple of str
        Fields of which one at least has to be named.
    """

    problem: DispatchProblem
    owner: str
    fields: tuple[str, ...]


@dataclass
class Plant:
    """A site that is being put together: 4 to 24 steps, a connection with room to spare, and some company."""

    rng: random.Random
    assets: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    goal: Goal | None = None

    def __post_init__(self) -> None:
        self.steps = self.rng.randint(6, 24)
        self.step_h = self.rng.choice([0.25, 0.5, 1.0])

    @property
    def length_h(self) -> float:
        return self.steps * self.step_h

    def profile(self, low: float, high: float) -> list[float]:
        return [round(self.rng.uniform(low, high), 1) for _ in range(self.steps)]

    def add(self, asset: Any, **values: Any) -> None:
        self.assets.append(asset)
        self.values.update({f"{asset.id}.{name}": value for name, value in values.items()})

    def connect(self, **fields: Any) -> None:
        self.assets.append(grid(**{"max_import_kw": 1000, "max_export_kw": 1000, **fields}))
        self.values.update(prices(self.profile(0.05, 0.4), 0.02))

    def company(self) -> None:
        """Add what neither helps nor hurts: a sheddable load, sun that may be curtailed, and a site of its own."""
        if self.rng.random() < 0.7:
            worth = {"is_sheddable": True, "interruption_cost_per_kwh": 1}
            self.add(load(id="optional", **worth), demand_kw=self.profile(0, 10))
        if self.rng.random() < 0.5:
            self.add(grid(id="far-grid", site_id="far"))
            self.values.update(prices(self.profile(0.05, 0.4), 0.02, asset="far-grid"))
            self.add(load(id="far-load", site_id="far"), demand_kw=self.profile(0, 50))
            if self.rng.random() < 0.5:
                self.add(solar(id="far-sun", site_id="far"), available_kw=self.profile(0, 40))

    def build(self, owner: str, *fields: str) -> Contradiction:
        self.company()
        steps_h = [self.step_h] * self.steps
        return Contradiction(problem(self.assets, self.values, steps_h, goal=self.goal, **self.fields), owner, fields)


def small_import_limit(plant: Plant) -> Contradiction:
    """Demand of at least 60 kW with 20 kW of sun and a battery that is empty soon, behind 25 kW."""
    plant.connect(max_import_kw=25)
    plant.add(load(), demand_kw=plant.profile(60, 90))
    plant.add(solar(), available_kw=plant.profile(0, 20))
    plant.add(battery(capacity_kwh=10, max_charge_kw=10, max_discharge_kw=10))
    return plant.build("grid", "max_import_kw")


def final_soc_unreachable(plant: Plant) -> Contradiction:
    """Half of what is missing can be charged until the end."""
    plant.connect()
    slow_kw = 0.5 * 50 / plant.length_h
    plant.add(battery(initial_soc=0.2, target_soc=0.7, max_charge_kw=slow_kw))
    plant.add(load(), demand_kw=plant.profile(5, 50))
    return plant.build("battery", "target_soc", "max_charge_kw")


def soc_target_unreachable(plant: Plant) -> Contradiction:
    """The content that is wanted at a moment is twice what can be there by then."""
    plant.connect()
    at = plant.rng.randint(2, plant.steps - 1)
    moment = START + dt.timedelta(hours=at * plant.step_h)
    charge_kw = 20 / (at * plant.step_h)
    target = {"time": moment, "soc": 0.6}
    plant.add(battery(initial_soc=0.2, final_soc_rule="free", max_charge_kw=charge_kw, soc_targets=[target]))
    return plant.build("battery", "soc_targets", "max_charge_kw")


def ports_share_too_little(plant: Plant) -> Contradiction:
    """Two vehicles want 0.8 of what the whole charger can give in the time of their stay."""
    plant.connect()
    energy_kwh = 0.8 * 10 * plant.length_h
    stays = [session(0, plant.length_h, energy_kwh), session(0, plant.length_h, energy_kwh)]
    plant.add(charger(charge_efficiency=1, number_of_ports=2, simultaneous_charging=False, sessions=stays))
    return plant.build("charger", "sessions", "max_power_kw")


def fleet_limit(plant: Plant) -> Contradiction:
    """Two chargers that need 8 kW each on average, and 12 kW for both."""
    plant.connect()
    for name in ("charger-a", "charger-b"):
        stay = session(0, plant.length_h, 8 * plant.length_h)
        plant.add(charger(id=name, charge_efficiency=1, sessions=[stay]))
    plant.fields = group_of("fleet", ["charger-a", "charger-b"], max_import_kw=12)
    return plant.build("fleet", "max_import_kw")


def group_of(name: str, members: list[str], **limits: float) -> dict[str, Any]:
    return {
        "groups": [{"id": name, **limits}],
        "members": [{"asset_id": one, "group_id": name} for one in members],
    }


def must_run_with_nowhere_to_go(plant: Plant) -> Contradiction:
    """At least 20 kW have to be given, at most 15 kW are used, and nothing can be sold."""
    plant.connect(max_export_kw=0)
    plant.add(load(), demand_kw=plant.profile(1, 5))
    plant.add(generator(min_output_kw=20, must_run=True))
    return plant.build("generator", "must_run", "min_output_kw")


def uptime_against_fuel(plant: Plant) -> Contradiction:
    """On before the horizon and held on for longer than its tank lasts at the lowest output."""
    plant.connect()
    held_h = plant.length_h * 0.75
    litres = 0.3 * 10 * held_h / 2
    plant.add(
        generator(
            min_output_kw=10,
            min_uptime_h=held_h + 1,
            initial_is_on=True,
            initial_state_h=1,
            fuel_consumption_l_per_kwh=0.3,
            fuel_tank_capacity_l=litres,
        )
    )
    plant.add(load(), demand_kw=plant.profile(0, 30))
    return plant.build("generator", "min_uptime_h", "fuel_tank_capacity_l")


def ramp_too_slow(plant: Plant) -> Contradiction:
    """An island whose demand jumps from 10 to 35 kW, with a generator that rises by 5 kW in a step."""
    at = plant.rng.randint(2, plant.steps - 1)
    demand = [10.0] * at + [35.0] * (plant.steps - at)
    rate = 5 / (plant.step_h * 60)
    plant.add(generator(ramp_up_rate_kw_per_min=rate))
    plant.add(load(), demand_kw=demand)
    return plant.build("generator", "ramp_up_rate_kw_per_min")


def reserve_above_capacity(plant: Plant) -> Contradiction:
    """40 kW of generator for a reserve of 60 kW."""
    plant.connect()
    plant.add(load(), demand_kw=plant.profile(5, 50))
    plant.add(generator(min_output_kw=plant.rng.choice([0, 10])))
    kind = plant.rng.choice(["headroom", "ramp_limited"])
    reserve = {"id": "spinning", "kind": kind, "requirement_kw": 60, "providers": ["generator"]}
    plant.fields = {"reserves": [reserve]}
    return plant.build("spinning", "requirement_kw")


def outage_without_sources(plant: Plant) -> Contradiction:
    """The connection is out for some steps, in which a small battery lasts for a part of the first."""
    plant.connect()
    plant.add(load(), demand_kw=plant.profile(20, 40))
    plant.add(battery(capacity_kwh=2, max_charge_kw=5, max_discharge_kw=5))
    first = plant.rng.randint(1, plant.steps - 2)
    begin = START + dt.timedelta(hours=first * plant.step_h)
    end = begin + dt.timedelta(hours=plant.step_h)
    plant.goal = Goal(outages=[{"asset_id": "grid", "begin": begin, "end": end}])
    return plant.build("grid", "max_import_kw")


def heater_too_small(plant: Plant) -> Contradiction:
    """It takes 10 kW of heat to keep 20 °C at 0 °C outside; the heater gives 4."""
    plant.connect()
    zone = {
        "capacitance_kwh_per_k": 0.5,
        "resistance_k_per_kw": 2,
        "max_power_kw": 4,
        "cop": 1,
        "comfort_min_degc": 20,
        "comfort_max_degc": 24,
        "initial_temperature_degc": 20,
    }
    plant.add(load(id="office", thermal=zone), outdoor_temperature_degc=plant.profile(-2, 2))
    plant.add(load(), demand_kw=plant.profile(0, 30))
    return plant.build("office", "thermal", "comfort")


def feeder_limit(plant: Plant) -> Contradiction:
    """Two sites that take 40 kW at least each, behind a feeder of 70 kW."""
    plant.connect()
    plant.add(load(), demand_kw=plant.profile(40, 60))
    plant.add(grid(id="next-grid", site_id="next", max_import_kw=500))
    plant.values.update(prices(plant.profile(0.05, 0.4), 0.02, asset="next-grid"))
    plant.add(load(id="next-load", site_id="next"), demand_kw=plant.profile(40, 60))
    plant.fields = group_of("feeder", ["grid", "next-grid"], max_import_kw=70)
    return plant.build("feeder", "max_import_kw")


CAUSES: tuple[Callable[[Plant], Contradiction], ...] = (
    small_import_limit,
    final_soc_unreachable,
    soc_target_unreachable,
    ports_share_too_little,
    fleet_limit,
    must_run_with_nowhere_to_go,
    uptime_against_fuel,
    ramp_too_slow,
    reserve_above_capacity,
    outage_without_sources,
    heater_too_small,
    feeder_limit,
)


def contradiction(seed: int) -> Contradiction:
    """Return the contradiction of a seed; seeds go through the causes one after the other."""
    return CAUSES[seed % len(CAUSES)](Plant(random.Random(seed)))
