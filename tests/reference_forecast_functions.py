"""Functions of the neutral form that are about forecasts: PV, wind and scores, by functions of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from reference_rules import NeutralCase

from ems.forecast import probability_scores, scores
from ems.forecast.irradiance import Irradiance, SunPath, Transposition, sky_diffuse_w_per_m2
from ems.forecast.power_curve import PowerCurve, power_by_coefficient_kw
from ems.forecast.pvwatts import ac_power_kw, dc_power_kw
from ems.forecast.wind_profile import (
    barometric_density_kg_per_m3,
    hub_wind_by_log_law,
    hub_wind_by_power_law,
    ideal_gas_density_kg_per_m3,
)

Table = Callable[[NeutralCase, Mapping[str, Any]], list[float]]


def _sky_diffuse(model: Transposition) -> Table:
    def table(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
        def of(name: str, default: float = 0.0) -> np.ndarray:
            return np.atleast_1d(np.asarray(inputs.get(name, default), dtype=float))

        sun = SunPath(of("zenith"), of("sun_azimuth", 180), of("dni_extra", 1367), np.zeros(1, dtype=int))
        light = Irradiance(of("ghi"), of("dni"), of("dhi"))
        return _listed(sky_diffuse_w_per_m2(model, of("tilt"), of("azimuth", 180), sun, light))

    return table


def pv_dc_power(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the power of panels."""
    given = (inputs[name] for name in ("G", "Tcell", "pdc0", "gamma"))
    return _listed(dc_power_kw(*given, low_light_factor=inputs.get("k", 0.0)))


def pv_ac_power(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the power of inverters."""
    return _listed(ac_power_kw(inputs["pdc"], inputs["pdc0"], inputs.get("eta", 0.96)))


def pv_dc_energy(case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the energy of panels after losses."""
    light, cell = case.values(inputs["G"]), case.values(inputs["Tcell"])
    power = dc_power_kw(light, cell, inputs["pdc0"], inputs["gamma"]) * (1 - inputs["losses_percent"] / 100)
    return [float(power @ case.step_h)]


def wind_speed_hub(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the wind speed at hub height by the law that is named."""
    speed, height, hub_height = inputs["v"], inputs["h0"], inputs["h"]
    if inputs["law"] == "log":
        return _listed(hub_wind_by_log_law(speed, height, hub_height, inputs["z0"], inputs.get("obstacle", 0.0)))
    exponent = inputs.get("exponent")
    if isinstance(exponent, str):
        above, below = exponent.split("/")
        exponent = float(above) / float(below)
    return _listed(hub_wind_by_power_law(speed, height, hub_height, exponent, inputs.get("z0")))


def air_density(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the density of the air at hub height by the formula that is named."""
    formula = {"barometric": barometric_density_kg_per_m3, "ideal_gas": ideal_gas_density_kg_per_m3}[inputs["density"]]
    return _listed(formula(inputs["p"], inputs["p_height"], inputs["h"], inputs["T"]))


def wind_speed_or_density(case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the one of both that is asked for."""
    return (air_density if "density" in inputs else wind_speed_hub)(case, inputs)


def wind_power(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the power by a curve of powers, or in W by one of power coefficients."""
    speeds = np.array(inputs["curve_v"])
    if "curve_cp" in inputs:
        density = {"density_kg_per_m3": np.array(inputs["rho"])} if "rho" in inputs else {}
        power_kw = power_by_coefficient_kw(
            inputs["v"], speeds, inputs["curve_cp"], inputs["rotor_diameter"], **density
        )
        return _listed(power_kw * 1000)
    density = inputs["rho"] if inputs.get("density_correction") else None
    return _listed(PowerCurve(speeds, np.array(inputs["curve_p"])).power_kw(inputs["v"], density))


METRICS: dict[str, Callable[..., Any]] = {
    "mae": scores.mae,
    "mse": scores.mse,
    "rmse": scores.rmse,
    "mase": scores.mase,
    "rmsse": scores.rmsse,
    "mape": scores.mape,
    "smape": scores.smape,
    "wape": scores.wape,
    "bias": scores.bias,
    "pinball": probability_scores.pinball_loss,
    "crps": probability_scores.crps_from_samples,
    "crps_quantiles": probability_scores.crps_from_quantiles,
    "coverage": probability_scores.coverage,
    "interval_score": probability_scores.interval_score,
}
ARGUMENTS = {
    "y_train": "history",
    "m": "season_steps",
    "q": "quantile",
    "quantile": "quantile",
    "lower": "lower",
    "upper": "upper",
    "share": "share",
}
"""What further inputs of a metric are called here."""


def forecast_metrics(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the metric that is named; with a reference forecast, the skill against it."""
    metric = METRICS[inputs["metric"].removeprefix("skill_")]
    given = {ARGUMENTS[name]: value for name, value in inputs.items() if name in ARGUMENTS}
    predicted = [np.asarray(inputs[name]) for name in ("f", "f_reference") if name in inputs]
    if "quantile" in given and np.ndim(given["quantile"]) == 0:
        predicted = [one[..., None] for one in predicted]
    values = [metric(inputs["y"], one, **given) for one in predicted] or [metric(inputs["y"], **given)]
    return [scores.skill(*values)] if inputs["metric"].startswith("skill_") else _listed(values[0])


def _listed(values: Any) -> list[float]:
    return [float(value) for value in np.ravel(values)]


FORECAST_FUNCTIONS: dict[str, Table] = {
    **{f"sky_diffuse_{model.replace('-', '_')}": _sky_diffuse(model) for model in get_args(Transposition)},
    "pv_dc_power": pv_dc_power,
    "pv_ac_power": pv_ac_power,
    "pv_dc_energy": pv_dc_energy,
    "wind_speed_hub": wind_speed_hub,
    "air_density": air_density,
    "wind_speed_hub / air_density": wind_speed_or_density,
    "wind_power": wind_power,
    "forecast_metrics": forecast_metrics,
}
"""What this package has of the functions of the form that are about forecasts, by the form's names."""
