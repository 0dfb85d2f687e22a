"""The data of a study's report: which datasets and tables each study puts beside it, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.folders import data_folder, write_whole
from ems.report.data_files import ReportData, time_columns, wide_table
from ems.units import unit_of

if TYPE_CHECKING:
    from ems.studies.backtest_view import BacktestView
    from ems.studies.comparison_view import ComparisonView
    from ems.studies.dispatch_plan import DispatchPlan
    from ems.studies.forecast_view import ForecastView
    from ems.studies.register_view import RegisterView
    from ems.studies.rolling_words import RollingAnswer
    from ems.studies.sizing_view import SizingView
    from ems.studies.tariffs_view import TariffsView


def write_data(data: ReportData, study: str, run_id: str) -> list[Path]:
    """Write the data of a run's report and return the files."""
    about = {"study": study, "run": run_id, "source": "ems"}
    paths = []
    for name, content in data.files(about):
        paths.append(data_folder(study, run_id) / name)
        write_whole(paths[-1], content)
    return paths


def data_of_dispatch(plan: DispatchPlan) -> ReportData:
    """Return the schedule with its inputs, prices and costs by step; the costs beside the baseline's; the KPIs."""
    result = plan.result
    given = result.problem.series
    inputs = given[[name for name in given.data_vars if name not in result.flows]]
    # The bus of a site has its name; the coordinate `site` tells where an asset is.
    price = result.price_per_kwh.rename(site="bus").to_dataset(name="price_per_kwh")
    parts = [result.flows, inputs, result.cost, price]
    parts = [part.drop_vars([name for name in part.coords if name not in part.dims]) for part in parts]
    dataset = xr.merge(parts, join="outer", compat="override")
    dataset = dataset.assign_coords({name: result.flows[name] for name in ("step_h", "kind", "name", "site")})
    dataset = dataset.assign_attrs(currency=plan.currency, timezone=plan.timezone)
    with_costs = [("plan", result), *([("baseline", plan.baseline)] if plan.baseline is not None else [])]
    costs = pd.concat([one.costs.assign(case=case) for case, one in with_costs], ignore_index=True)
    return ReportData(
        dataset,
        {
            "schedule": wide_table(dataset, plan.timezone),
            "costs": costs[["case", "asset", "cost_type", "cost"]].assign(unit=plan.currency),
            "kpis": plan.kpis[["kpi", "asset", "value", "unit"]],
        },
    )


def data_of_forecast(view: ForecastView) -> ReportData:
    """Return the quantiles by step with what came, and the scores of the days before."""
    values, levels = view.forecast[view.variable], view.forecast["quantile"].to_numpy()
    table = pd.DataFrame(time_columns(pd.DatetimeIndex(view.forecast["time"].to_numpy()), view.timezone))
    by_step = values.transpose("time", "quantile").to_numpy()
    for at, level in enumerate(levels.tolist()):
        table[f"q{level:g}.{view.variable}"] = by_step[:, at]
    scores = view.scores[0].rename_axis("model").reset_index().assign(unit=view.units)
    dataset = view.forecast.assign_attrs(timezone=view.timezone)
    return ReportData(_told(dataset), {"forecast": table, "scores": scores})


def data_of_backtest(view: BacktestView) -> ReportData:
    """Return all that models would have forecast, with what came; the scores by model, and by lead time."""
    dataset, name = view.test.dataset, view.measured.history.name
    predicted = dataset["predicted"].transpose("model", "issued_at", "step", "quantile")
    models, folds, steps, _ = predicted.shape
    shape = (models, folds, steps)
    times = dataset["time"].transpose("issued_at", "step").to_numpy()
    observed = dataset["observed"].transpose("issued_at", "step").to_numpy()

    def spread(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, shape).ravel()

    is_step = spread(~np.isnat(times))
    issued_at = np.datetime_as_string(dataset["issued_at"].to_numpy(), unit="s")
    columns: dict[str, Any] = {
        "model": spread(dataset["model"].to_numpy()[:, None, None])[is_step],
        "issued_at_utc": spread(np.char.add(issued_at, "Z")[None, :, None])[is_step],
        **time_columns(pd.DatetimeIndex(spread(times[None])[is_step]), view.timezone),
        f"observed.{name}": spread(observed[None])[is_step],
    }
    for at, level in enumerate(dataset["quantile"].to_numpy().tolist()):
        columns[f"q{level:g}.{name}"] = predicted.to_numpy()[..., at].ravel()[is_step]
    scores = view.scores.rename_axis("model").reset_index().assign(unit=view.units)
    return ReportData(
        _told(dataset.assign_attrs(timezone=view.timezone)),
        {"forecasts": pd.DataFrame(columns), "scores": scores, "errors_by_lead": view.by_lead().reset_index()},
    )


def data_of_tariffs(view: TariffsView) -> ReportData:
    """Return what each tariff costs, all lines of all bills, and the finance of a battery under each."""
    ranking = view.ranking.reset_index()
    bills = pd.concat(
        [
            lines.assign(tariff=tariff, operation=operation)
            for tariff, by_operation in view.bills.items()
            for operation, lines in by_operation.items()
        ],
        ignore_index=True,
    )
    order = ["tariff", "operation", *(name for name in bills.columns if name not in ("tariff", "operation"))]
    sums = bills.groupby(["tariff", "operation", "month", "cost_type"])["cost"].sum()
    dataset = xr.Dataset.from_dataframe(view.ranking)
    dataset["billed_cost"] = sums.to_xarray().fillna(0.0)
    return ReportData(
        _told(dataset.assign_attrs(currency=view.currency, timezone=view.metered.timezone)),
        {"tariffs": ranking.assign(currency=view.currency), "bills": bills[order].assign(currency=view.currency)},
    )


def data_of_rolling(answer: RollingAnswer) -> ReportData:
    """Return flows and what plans expected by policy and step, the policies' figures, and the ledger of regret."""
    result = answer.result
    timezone, currency = result.case.timezone, result.case.portfolio.currency
    flows = pd.concat(
        [wide_table(result.dataset.sel(policy=policy), timezone).assign(policy=policy) for policy in result.policies],
        ignore_index=True,
    )
    tables = {
        "flows": flows[["policy", *(name for name in flows.columns if name != "policy")]],
        "policies": result.summary.reset_index().assign(currency=currency),
    }
    if answer.ledger is not None:
        tables["ledger"] = answer.ledger.parts.rename(columns={"part": "cost"}).assign(currency=currency)
    figures = xr.Dataset.from_dataframe(result.summary).rename({name: f"total_{name}" for name in result.summary})
    return ReportData(_told(result.dataset.merge(figures).assign_attrs(currency=currency, timezone=timezone)), tables)


def data_of_sizing(view: SizingView) -> ReportData:
    """Return the year without and with the investment by step, the sweep of sizes, and the assumptions' effects."""
    timezone = view.case.portfolio.sites[0].timezone
    years = {"without": view.without, "with": view.best}
    flows = xr.concat(
        [year.flows.drop_vars([c for c in year.flows.coords if c not in year.flows.dims]) for year in years.values()],
        pd.Index(list(years), name="case"),
        join="outer",
        coords="minimal",
        compat="override",
    )
    sweep = xr.Dataset.from_dataframe(view.sweep.rename_axis("point")).rename(
        {name: f"sweep_{name}" for name in view.sweep}
    )
    dataset = flows.merge(sweep).assign_attrs(currency=view.currency, timezone=timezone)
    money = {"currency": view.currency}
    tables = {
        "year": wide_table(flows, timezone),
        "sweep": view.sweep.assign(**money),
        "assumptions": view.tornado.assign(**money),
    }
    return ReportData(_told(dataset), tables)


def data_of_register(view: RegisterView) -> ReportData:
    """Return the assets with their state, the work that is due, and how they age."""
    tables = {"assets": _rows(view.statuses), "maintenance": _rows(view.dues), "health": _rows(view.health)}
    found = [
        xr.Dataset.from_dataframe(table.set_index("asset_id"))
        for name, table in tables.items()
        if name != "maintenance"
    ]
    work = xr.Dataset.from_dataframe(tables["maintenance"].rename_axis("work")).rename(
        {name: f"work_{name}" for name in tables["maintenance"].columns}
    )
    dataset = xr.merge([*found, work], compat="override", join="outer")
    return ReportData(_told(dataset.assign_attrs(timezone=view.timezone)), tables)


def data_of_comparison(view: ComparisonView) -> ReportData:
    """Return the ranked cases with parameters and figures, and what each parameter does."""
    cases = view.listed().reset_index(drop=True)
    dataset = xr.Dataset.from_dataframe(cases.set_index("number"))
    return ReportData(_told(dataset.assign_attrs(currency=view.currency)), {"cases": cases, "effects": view.effects})


# ---------------------------------------------------------------------------------------------- inside
def _rows(records: Sequence[Any]) -> pd.DataFrame:
    """Return records as a table of texts and numbers; several words of one field are joined."""
    rows = [
        {
            name: "; ".join(map(str, value)) if isinstance(value, tuple) else value
            for name, value in asdict(one).items()
        }
        for one in records
    ]
    table = pd.DataFrame(rows)
    texts = [name for name in table.columns if table[name].dtype.kind == "O"]
    return table.assign(**{name: [_text(value) for value in table[name]] for name in texts})


def _text(value: object) -> str:
    if _is_missing(value):
        return ""
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _told(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose texts are texts throughout, and whose numbers say their unit."""
    currency = str(dataset.attrs.get("currency", "currency"))
    changed: Mapping[Any, Any] = {
        name: (variable.dims, _of_numpy(variable.to_numpy().ravel(), is_text=variable.dtype.kind == "O"))
        for name, variable in dataset.data_vars.items()
        if variable.ndim == 1 and (variable.dtype.kind == "O" or not isinstance(variable.dtype, np.dtype))
    }
    whole = dataset.assign(changed)
    for name in whole.data_vars:
        unit = unit_of(str(name), currency)
        if unit and whole[name].dtype.kind in "iuf":
            whole[name].attrs.setdefault("units", unit)
    return whole


def _of_numpy(values: Any, *, is_text: bool) -> list[Any]:
    """Return texts, or numbers of pandas' own kinds, as numpy and NetCDF know them: empty and NaN where missing."""
    if is_text:
        return ["" if _is_missing(value) else str(value) for value in values]
    return [float("nan") if _is_missing(value) else float(value) for value in values]


def _is_missing(value: object) -> bool:
    """Return whether a cell holds nothing: None, NaN, NaT, or pandas' NA, which has no truth of its own."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
