"""The cases in PyPSA: a bus a site; import and export are generators, the battery is a storage unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pypsa

from benchmarks.peers import cases
from benchmarks.peers.cases import Case

USABLE_KWH = (cases.MAX_SOC - cases.MIN_SOC) * cases.CAPACITY_KWH
"""A storage unit has no lowest content; without standing loss its content is counted from there."""
START_KWH = (cases.INITIAL_SOC - cases.MIN_SOC) * cases.CAPACITY_KWH


def network_of(case: Case, initial_kwh: float = START_KWH) -> Any:
    """Return a case as a network."""
    network = pypsa.Network()
    network.set_snapshots(range(case.steps))
    network.snapshot_weightings.loc[:, :] = cases.STEP_H
    sites = pd.Index([f"site-{number}" for number in range(case.sites)])

    def per_site(values: np.ndarray, names: pd.Index) -> pd.DataFrame:
        columns = values if values.ndim == 2 else np.repeat(values[:, None], case.sites, axis=1)
        return pd.DataFrame(columns, index=network.snapshots, columns=names)

    network.add("Bus", sites)
    network.add("Load", sites + " load", bus=sites.values, p_set=per_site(case.demand_kw, sites + " load"))
    network.add(
        "Generator",
        sites + " pv",
        bus=sites.values,
        p_nom=1.0,
        p_max_pu=per_site(case.available_kw, sites + " pv"),
    )
    network.add(
        "Generator",
        sites + " import",
        bus=sites.values,
        p_nom=cases.CONNECTION_KW,
        marginal_cost=per_site(case.import_price_per_kwh, sites + " import"),
    )
    network.add(
        "Generator",
        sites + " export",
        bus=sites.values,
        p_nom=cases.CONNECTION_KW,
        p_min_pu=-1,
        p_max_pu=0,
        marginal_cost=per_site(case.export_price_per_kwh, sites + " export"),
    )
    final = np.full((case.steps, case.sites), np.nan)
    final[-1] = START_KWH  # what is left is always sold, so at least is equal
    network.add(
        "StorageUnit",
        sites + " battery",
        bus=sites.values,
        p_nom=cases.POWER_KW,
        max_hours=USABLE_KWH / cases.POWER_KW,
        efficiency_store=cases.EFFICIENCY,
        efficiency_dispatch=cases.EFFICIENCY,
        marginal_cost=cases.WEAR_PER_KWH,
        state_of_charge_initial=initial_kwh,
        state_of_charge_set=per_site(final, sites + " battery"),
    )
    return network


def least_cost(case: Case, initial_kwh: float = START_KWH) -> tuple[float, np.ndarray]:
    """Return the cheapest cost and the usable contents at the ends of the steps, shape (steps, sites)."""
    network = network_of(case, initial_kwh)

    def feeder(network: Any, snapshots: Any) -> None:
        if case.feeder_kw is None:
            return
        generation = network.model.variables["Generator-p"]
        names = network.generators.index
        through = generation.sel(name=names[names.str.endswith(("import", "export"))].tolist()).sum("name")
        network.model.add_constraints(through <= case.feeder_kw, name="feeder-most")
        network.model.add_constraints(through >= -case.feeder_kw, name="feeder-least")

    network.optimize(
        solver_name="highs",
        io_api="direct",
        include_objective_constant=False,
        extra_functionality=feeder,
        solver_options={"output_flag": False, "threads": 1},
    )
    return float(network.objective), network.storage_units_t.state_of_charge.to_numpy()


def roll(windows: list[Case]) -> float:
    """Return the sum of the costs of windows, each of which begins with the content after a day of the last."""
    total, content = 0.0, START_KWH
    for window in windows:
        cost, energy = least_cost(window, content)
        total += cost
        content = float(energy[cases.STEPS_OF_DAY - 1, 0])
    return total
