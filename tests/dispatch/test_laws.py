"""Laws that every dispatch keeps, whatever its assets, prices and steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from builders import problem
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_problems import dispatches
from rescaling import rescaled_problem

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import AnyAsset
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

EXACT = SolverOptions(mip_gap=0)
# Solvers keep each constraint to 1e-6 in kW; a content is the sum of up to 24 of them.
NEAR_KW, NEAR_KWH = 1e-5, 1e-4


def laws(max_examples: int):
    return settings(
        max_examples=examples(max_examples),
        deadline=None,  # the first solve of a process imports the solver
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def flow(result: DispatchResult, asset: AnyAsset, name: str) -> np.ndarray:
    values: np.ndarray = result.flows[name].sel(asset=asset.id).to_numpy()
    return values


def money_moved(result: DispatchResult) -> float:
    """What is paid and earned, without regard to sign: the scale of a cost that may sum to nothing."""
    over_steps = float(np.nansum(np.abs(result.cost.to_dataarray())))
    return max(1.0, over_steps, float(result.costs["cost"].abs().sum()))


def same_cost(one: float, other: float, result: DispatchResult) -> bool:
    return abs(one - other) <= 1e-6 * money_moved(result)


@laws(30)
@given(dispatches())
def test_solve__balances_limits_and_energy(asked):
    """Written anew from the definitions; `violations_of` says the same and is held against it."""
    result = solve(asked)
    for site in asked.portfolio.sites:
        members = [asset for asset in asked.assets if asset.site_id == site.id]
        balance = sum(flow(result, asset, "injection_kw") for asset in members)
        np.testing.assert_allclose(balance, 0, atol=NEAR_KW)
    for asset in asked.assets:
        check_asset(result, asset)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []


def check_asset(result: DispatchResult, asset: AnyAsset) -> None:  # noqa: PLR0912, PLR0915 - one law a kind
    step_h = result.problem.horizon.step_h
    if isinstance(asset, Battery):
        charge, discharge = flow(result, asset, "charge_kw"), flow(result, asset, "discharge_kw")
        energy = flow(result, asset, "energy_kwh")
        kept = (1 - asset.standing_loss_per_h) ** step_h
        stored = charge * asset.charge_efficiency - discharge / asset.discharge_efficiency - asset.drain_kw
        np.testing.assert_allclose(energy[1:], energy[:-1] * kept + stored * step_h, atol=NEAR_KWH)
        if asset.final_soc_rule == "cyclic":
            assert energy[0] == pytest.approx(energy[-1], abs=NEAR_KWH)
        else:
            assert energy[0] == pytest.approx(asset.initial_soc * asset.content_kwh)
        assert energy[1:].min() >= asset.min_soc * asset.content_kwh - NEAR_KWH
        assert energy[1:].max() <= asset.max_soc * asset.content_kwh + NEAR_KWH
        assert min(charge.min(), discharge.min()) >= 0
        assert charge.max() <= asset.max_charge_kw + NEAR_KW
        assert discharge.max() <= asset.max_discharge_kw + NEAR_KW
        if not asset.may_charge_while_discharging:
            assert np.minimum(charge, discharge).max() <= NEAR_KW
        surplus = energy[-1] - asset.target_soc * asset.content_kwh
        if asset.final_soc_rule == "exactly":
            assert surplus == pytest.approx(0, abs=NEAR_KWH)
        elif asset.final_soc_rule == "at_least":
            assert surplus >= -NEAR_KWH
    elif isinstance(asset, GridConnection):
        imports, exports = flow(result, asset, "import_kw"), flow(result, asset, "export_kw")
        assert min(imports.min(), exports.min()) >= 0
        assert imports.max() <= asset.max_import_kw + NEAR_KW
        assert exports.max() <= asset.max_export_kw + NEAR_KW
        if not asset.may_import_while_exporting:
            assert np.minimum(imports, exports).max() <= NEAR_KW
    elif isinstance(asset, Load):
        check_load(result, asset)
    elif isinstance(asset, VariableRenewable):
        used = flow(result, asset, "used_kw")
        available = result.problem.inputs_of(asset).series["available_kw"]
        assert (used <= available + NEAR_KW).all()
        assert (used >= np.minimum(available, 0) - NEAR_KW).all()
        if not asset.is_curtailable:
            np.testing.assert_allclose(used, available, atol=NEAR_KW)
    elif isinstance(asset, Generator):
        output = flow(result, asset, "output_kw")
        is_off = np.abs(output) <= NEAR_KW
        assert (is_off | ((output >= asset.min_output_kw - NEAR_KW) & (output <= asset.max_output_kw + NEAR_KW))).all()
    else:
        assert isinstance(asset, EvCharger)
        charge = flow(result, asset, "charge_kw")
        assert charge.min() >= 0
        assert charge.max() <= asset.total_limit_kw + NEAR_KW
        if not asset.v2g_capable:
            wanted = sum(stay.energy_kwh for stay in asset.sessions)
            room = sum(
                (stay.battery_capacity_kwh or stay.arrival_energy_kwh + stay.energy_kwh) - stay.arrival_energy_kwh
                for stay in asset.sessions
            )
            stored = charge @ step_h * asset.charge_efficiency
            assert stored <= room + NEAR_KWH
            if all(stay.unmet_cost_per_kwh is None for stay in asset.sessions) and asset.unmet_cost_per_kwh is None:
                assert stored >= wanted - NEAR_KWH


def check_load(result: DispatchResult, asset: Load) -> None:
    """A profile is served but for what is shed; a use runs its time; a zone draws no more than it can."""
    injection, step_h = flow(result, asset, "injection_kw"), result.problem.horizon.step_h
    if asset.shiftable is not None:
        wanted_kwh = asset.shiftable.power_kw * asset.shiftable.duration_h * asset.shiftable.runs
        assert -injection @ step_h == pytest.approx(wanted_kwh, abs=NEAR_KWH)
        assert -injection.min() <= asset.shiftable.power_kw + NEAR_KW
    elif asset.thermal is not None:
        assert (injection <= NEAR_KW).all()
        assert (injection >= -asset.thermal.max_power_kw - NEAR_KW).all()
        if asset.thermal.discomfort_cost_per_kh is None:
            temperature = flow(result, asset, "temperature_degc")
            assert asset.thermal.comfort_min_degc - 1e-4 <= temperature.min()
            assert temperature.max() <= asset.thermal.comfort_max_degc + 1e-4
    else:
        unserved = flow(result, asset, "unserved_kw")
        demand = result.problem.inputs_of(asset).series["demand_kw"]
        assert unserved.min() >= 0
        assert (unserved <= (demand if asset.is_sheddable else 0) + NEAR_KW).all()
        if not asset.recovered_share:
            np.testing.assert_allclose(injection, unserved - demand, atol=NEAR_KW)


@laws(30)
@given(dispatches())
def test_solve__objective_is_the_cost_of_the_schedule_and_the_bill(asked):
    """Three ways to one number: the solver's, the formulas on its schedule, and the invoice."""
    result = solve(asked)
    assert same_cost(result.solution.objective, result.total_cost, result)
    assert same_cost(settle(result.flows, asked.series, asked.portfolio).total_cost, result.total_cost, result)
    assert result.bound <= result.total_cost + 1e-6 * money_moved(result)


def with_assets(asked: DispatchProblem, assets: list[AnyAsset], series: xr.Dataset | None = None) -> DispatchProblem:
    return DispatchProblem(
        asked.portfolio.replace(assets=tuple(assets)), asked.horizon, asked.series if series is None else series
    )


def relaxations(asset: AnyAsset) -> list[AnyAsset]:
    """The asset with one limit loosened in turn; each schedule of the tighter one is one of the looser.

    A better efficiency is no looser limit: where a price is negative, a lossy battery is paid for its losses. Nor is
    a lower least output where ramps count from it, or more power where vehicles charge as fast as they can.
    """
    if isinstance(asset, Battery):
        changes: list[dict[str, Any]] = [
            {"max_charge_kw": asset.max_charge_kw * 1.5},
            {"max_discharge_kw": asset.max_discharge_kw * 1.5},
            {"max_cycles_per_d": None},
            {"charge_taper": (), "discharge_taper": ()},
        ]
        if not (asset.charge_taper or asset.discharge_taper or asset.cycle_depth_segments):
            changes.append({"min_soc": 0, "max_soc": 1})
        if asset.final_soc_rule != "cyclic":
            changes.append({"final_soc_rule": "free"})
    elif isinstance(asset, GridConnection):
        changes = [{name: getattr(asset, name) + 10} for name in ("max_import_kw", "max_export_kw")]
    elif isinstance(asset, Generator):
        changes = [] if asset.cost_curve else [{"max_output_kw": asset.max_output_kw * 1.5}]
        if not (asset.cost_curve or asset.ramp_up_rate_kw_per_min or asset.ramp_down_rate_kw_per_min):
            changes.append({"min_output_kw": 0})
    elif isinstance(asset, VariableRenewable):
        changes = [{"is_curtailable": True, "curtailment_cost_per_kwh": 0}]
    elif isinstance(asset, Load):
        is_plain = asset.shiftable is None and asset.thermal is None and not asset.is_sheddable
        changes = [{"is_sheddable": True, "interruption_cost_per_kwh": 1}] if is_plain else []
    else:
        changes = [{"max_power_kw": asset.max_power_kw * 1.5}] if asset.smart_charging_capable else []
    return [asset.replace(**change) for change in changes]


@laws(20)
@given(dispatches(largest_steps=12), st.data())
def test_solve__a_relaxed_limit_never_costs_more(asked, data):
    assets = list(asked.assets)
    place = data.draw(st.integers(0, len(assets) - 1))
    looser = relaxations(assets[place])
    tight = solve(asked, EXACT)
    for one in looser:
        relaxed = solve(with_assets(asked, [*assets[:place], one, *assets[place + 1 :]]), EXACT)
        assert relaxed.total_cost <= tight.total_cost + 1e-6 * money_moved(tight), one


@laws(15)
@given(dispatches(largest_steps=12), st.sampled_from([0.5, 2.0, 10.0]))
def test_solve__scaling_all_prices_scales_the_cost(asked, factor):
    result = solve(asked, EXACT)
    scaled = solve(rescaled_problem(asked, money=factor), EXACT)
    assert same_cost(scaled.total_cost / factor, result.total_cost, result)


@laws(15)
@given(dispatches(largest_steps=12), st.sampled_from([0.001, 1000.0]))
def test_solve__unit_of_power_does_not_matter(asked, factor):
    """A plant of megawatts has the plan and the cost of one of kilowatts at a thousandth of the prices."""
    result = solve(asked, EXACT)
    scaled = solve(rescaled_problem(asked, power=factor), EXACT)
    assert abs(scaled.total_cost - result.total_cost) <= 1e-5 * money_moved(result)


@laws(15)
@given(dispatches(largest_steps=12), st.randoms(use_true_random=False))
def test_solve__order_of_assets_does_not_matter(asked, random):
    shuffled = list(asked.assets)
    random.shuffle(shuffled)
    result = solve(asked, EXACT)
    assert same_cost(solve(with_assets(asked, shuffled), EXACT).total_cost, result.total_cost, result)


@laws(15)
@given(dispatches(largest_steps=12))
def test_solve__highs_and_cbc_agree(asked):
    """Both prove their answer; a gap of 1e-6 is left to each."""
    highs = solve(asked, EXACT)
    cbc = solve(asked, SolverOptions(solver="cbc", mip_gap=0))
    assert (highs.status, cbc.status) == ("optimal", "optimal")
    assert same_cost(cbc.total_cost, highs.total_cost, highs)
    assert violations_of(cbc.flows, asked.series, asked.portfolio) == []


def depends_on_steps(asset: AnyAsset) -> bool:
    """Whether what an asset does within a step is judged at its end only, so that finer steps judge it otherwise."""
    if isinstance(asset, Battery):
        return bool(asset.standing_loss_per_h or asset.holding_cost_per_kwh_h)
    if isinstance(asset, Load):
        return asset.thermal is not None or asset.recovered_share > 0
    return isinstance(asset, EvCharger)


@laws(10)
@given(dispatches(largest_steps=12), st.sampled_from([2, 4]))
def test_solve__finer_steps_never_cost_more(asked, parts):
    """A schedule of coarse steps is one of the finer steps, too, and starts cost the same.

    Not so with a vehicle that comes within a coarse step, where its mean power meets sun from before it came, and with
    whatever is judged at the ends of steps: those assets are left out. Nor with ramps, which look at the jump between
    two steps and not at what is level within one.
    """
    without_ramps = [
        asset.replace(**{name: None for name in type(asset).model_fields if name.startswith("ramp_")})
        for asset in asked.assets
        if not depends_on_steps(asset)
    ]
    asked = with_assets(asked, without_ramps)
    fine_h = [step / parts for step in asked.horizon.steps_h for _ in range(parts)]
    values = {
        f"{asset.id}.{name}": np.repeat(array, parts).tolist()
        for asset in asked.assets
        for name, array in asked.inputs_of(asset).series.items()
    }
    coarse = solve(asked, EXACT)
    fine = solve(problem(list(asked.assets), values, fine_h), EXACT)
    assert fine.total_cost <= coarse.total_cost + 1e-6 * money_moved(coarse)
