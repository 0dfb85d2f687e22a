"""The study `forecast`: from a column of a file or the database to a forecast that is kept and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import campus_series
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from measured_samples import ASSETS, WARM, measured, written
from report_fixtures import Reports

from ems.cli import commands
from ems.database.forecast_queries import list_forecasts, read_forecast
from ems.database.runs import get_run
from ems.errors import EmsWarning, InvalidInput, MissingValues, UnknownName
from ems.forecast import store
from ems.studies.forecast import ForecastStudy
from ems.studies.forecast_source import MeasuredHistory
from ems.studies.forecast_view import ForecastView

WEATHER = ["temperature_forecast_degc", "ghi_forecast_w_per_m2", "wind_speed_forecast_m_per_s"]


def asked(**parameters: Any) -> ForecastStudy:
    return ForecastStudy(**{"site": "small", "model": "ridge", **WARM, **parameters})


def loaded(**parameters: Any) -> MeasuredHistory:
    return asked(**parameters).load_history()


def viewed(**parameters: Any) -> ForecastView:
    study = asked(**parameters)
    study.check()
    return study.forecast(study.load_history(), study.open_run())


# ---------------------------------------------------------------------------------------------- what is read
def test_load_history__takes_the_only_load_of_the_site(project: Path):
    series = measured()
    written(project, series)

    found = loaded()

    assert found.history.name == "demand_kw"
    assert found.history.kind == "load"
    assert found.history.units == "kW"
    assert found.issued_at == pd.Timestamp("2024-05-31")
    assert found.known.to_numpy() == pytest.approx(series["demand_kw"].to_numpy())
    assert (found.history.lower, found.history.upper) == (0, 100)
    assert "no country is stated: public holidays count as ordinary days" in found.history.notes


@pytest.mark.parametrize(
    ("asset", "variable", "kind", "units"),
    [("roof", "available_kw", "solar", "kW"), ("grid", "import_price_per_kwh", "price", "EUR/kWh")],
)
def test_load_history__variable_and_kind_follow_the_asset(
    project: Path, asset: str, variable: str, kind: str, units: str
):
    written(project, measured().assign(import_price_per_kwh=0.1))

    history = loaded(asset=asset).history

    assert (history.name, history.kind, history.units) == (variable, kind, units)
    assert history.upper == (50 if kind == "solar" else None)


def test_load_history__any_column_without_a_site(project: Path):
    written(project, measured().rename(columns={"time": "stamp", "demand_kw": "hall_mw"}))

    found = loaded(site=None, series="small", column="hall_mw", kind="load", timezone="Europe/Berlin", country="DE")

    assert found.history.name == "hall_mw"
    assert found.history.units == "MW"
    assert found.timezone == "Europe/Berlin"
    assert found.history.upper is None
    assert "column 'stamp', the first one, is read as time" in found.history.notes


def test_load_history__a_file_in_another_form(project: Path):
    plain = measured()
    local = plain["time"].dt.tz_convert("Europe/Berlin").dt.strftime("%d.%m.%Y %H:%M")
    text = plain.assign(time=local).to_csv(index=False, sep=";", decimal=",")
    (project / "data" / "series" / "german.csv").write_text(text, encoding="utf-8")

    form = {"separator": ";", "decimal": ",", "time_format": "%d.%m.%Y %H:%M"}
    given = {"series": "german", "column": "demand_kw", "kind": "load", "timezone": "Europe/Berlin", "form": form}
    found = loaded(site=None, **given)

    assert found.history.times[0] == pd.Timestamp("2024-05-01")
    assert found.known.to_numpy() == pytest.approx(plain["demand_kw"].to_numpy())


def test_load_history__only_its_own_column_must_be_there(project: Path):
    """The site file names columns for roof and grid which this file lacks."""
    form = {"columns": [{"column": "meter", "asset": "office", "variable": "demand_kw", "multiply_by": 0.001}]}
    form["columns"].append({"column": "sun", "asset": "roof", "variable": "available_kw"})
    written(project, measured()[["time", "demand_kw"]].rename(columns={"demand_kw": "meter"}), form=form)

    assert loaded().known.max() < 0.1
    with pytest.raises(InvalidInput, match="no column 'sun'"):
        loaded(asset="roof")


def test_load_history__a_plain_column_belongs_to_nobody_where_two_loads_are(project: Path):
    written(project, measured(), assets=[*ASSETS, {"kind": "load", "id": "shop", "rated_load_kw": 100}])

    with pytest.raises(InvalidInput, match=r"of loads there are 'office', 'shop'; name one asset"):
        loaded()
    with pytest.raises(InvalidInput, match=r"no column for demand_kw of 'shop': expected is 'shop\.demand_kw'"):
        loaded(asset="shop")


def test_load_history__country_follows_the_site(project: Path):
    written(project, measured(), site={"country": "DE", "state_province": "BY"})

    assert loaded().history.country == "DE-BY"
    assert loaded(country="FR").history.country == "FR"
    written(project, measured(), site={"country": "DE", "state_province": "Bavaria"})
    assert loaded().history.country == "DE"


def test_load_history__gaps_stay_gaps_and_missing_rows_are_told(project: Path):
    series = measured()
    series.loc[100:105, "demand_kw"] = np.nan
    written(project, series.drop(index=range(200, 203)))

    found = loaded()

    assert int(found.known.isna().sum()) == 9
    assert any(
        "3 rows are missing in the file, the first at 2024-05-09 08:00 UTC" in one for one in found.history.notes
    )
    assert [one.kind for one in found.anomalies if one.kind == "gap"] == ["gap", "gap"]


def test_load_history__bounds_come_from_what_was_measured(project: Path):
    series = measured()
    written(project, series.assign(demand_kw=3 * series["demand_kw"] - 100))

    with pytest.warns(EmsWarning, match="does it hold generation too"):
        history, stated = loaded().history, loaded(capacity=90).history

    assert (history.lower, history.upper) == (None, None)
    assert any("demand_kw was as low as" in one for one in history.notes)
    assert any("above rated_load_kw = 100 kW" in one for one in history.notes)
    assert stated.upper == 90
    assert any("above capacity = 90 kW" in one for one in stated.notes)


def test_load_history__a_spike_does_not_lift_the_bound(project: Path):
    series = measured()
    series.loc[300, "demand_kw"] = 900
    written(project, series)

    found, without = loaded(), loaded(leave_out_anomalies=True)

    assert [one.kind for one in found.anomalies] == ["spike"]
    assert found.history.upper == 100
    assert found.history.values[300] == 900
    assert np.isnan(without.history.values[300])
    assert without.known.iloc[300] == 900
    assert "1 value in anomalies was left out of what is learned from and scored" in without.history.notes


def test_load_history__signals_are_read_by_name(project: Path):
    written(project, measured())

    found = loaded(known_ahead=["outdoor_temperature_degc=temp"], known_past=["available_kw"])

    assert list(found.history.known_ahead) == ["outdoor_temperature_degc"]
    assert list(found.history.known_past) == ["available_kw"]
    with pytest.raises(InvalidInput, match=r"no column 'tmp'; did you mean temp\?"):
        loaded(known_ahead=["tmp"])


# ---------------------------------------------------------------------------------------------- no leakage
def test_forecast__what_the_file_holds_later_changes_nothing(project: Path):
    """A future of zeros is planted: the same forecast, and a word about it."""
    series = measured(40)
    written(project, series)
    written(project, series.assign(demand_kw=series["demand_kw"].where(series.index < 30 * 24, 0.0)), name="planted")
    given = {"start": "2024-05-31T00:00", "known_past": ["available_kw"]}

    honest, planted = viewed(**given), viewed(site="planted", **given)

    assert honest.forecast["demand_kw"].to_numpy() == pytest.approx(planted.forecast["demand_kw"].to_numpy())
    assert "the file holds 240 values after the issue time; they were not used" in honest.notes()
    assert np.isnan(honest.measured.history.values[30 * 24 :]).all()
    assert np.isnan(honest.measured.history.known_past["available_kw"][30 * 24 :]).all()


def test_forecast__tells_how_far_it_was_from_what_came(project: Path):
    """The day after is 7 kW above the forecast's median: seen by the outcome, not by the forecast."""
    series = measured(31)
    written(project, series)
    first = viewed(start="2024-05-31T00:00")
    series.loc[30 * 24 :, "demand_kw"] = first.median.to_numpy() + 7
    written(project, series)

    view = viewed(start="2024-05-31T00:00")

    assert view.outcome()["mae"] == pytest.approx(7, abs=1e-3)
    assert view.metrics()["outcome_mae"] == pytest.approx(7, abs=1e-3)
    assert "from which it was 7 kW away on average" in view.conclusion()
    assert view.came_array() is not None


# ---------------------------------------------------------------------------------------------- what is said and kept
def test_forecast__is_kept_with_its_job_and_closes_the_run(project: Path):
    written(project, measured())
    study = asked(known_ahead=[])
    run = study.open_run()
    view = study.forecast(study.load_history(), run)

    said = view.keep(run)

    (job,) = list_forecasts(run.engine, run_id=run.id)
    assert said == f"run {run.id}: 264 quantiles of forecast {job.id} are in the database"
    assert (job.status, job.kind, job.model, job.asset_id) == ("completed", "load", "ridge", "office")
    assert job.samples == view.fitted.samples
    assert job.metrics["mae"] == pytest.approx(view.scores[0].loc["ridge", "mae"])
    assert job.parameters == study.as_json()
    assert job.versions["lightgbm"]
    assert read_forecast(run.engine, job.id).identical(view.forecast)
    kept = get_run(run.engine, run.id)
    assert kept.status == "completed"
    assert dict(kept.headline)["Model"] == "ridge"


def test_forecast__quantiles_are_ordered_bounded_and_as_many_as_asked(project: Path):
    written(project, measured())

    view = viewed(quantiles=[0.1, 0.5, 0.9], capacity=50, horizon_h=6)

    values = view.forecast["demand_kw"].transpose("time", "quantile").to_numpy()
    assert values.shape == (6, 3)
    assert (np.diff(values, axis=1) >= 0).all()
    assert values.max() <= 50
    assert view.interval == pytest.approx((0.1, 0.9, 0.8))


def test_forecast__same_seed_same_forecast(project: Path):
    written(project, measured())

    first, again = viewed(model="lightgbm", seed=3), viewed(model="lightgbm", seed=3)

    assert first.forecast.identical(again.forecast)


def test_forecast__tells_the_days_before(project: Path):
    """Ridge knows the temperature of the day; the rules do not."""
    written(project, measured(46))

    view = viewed(known_ahead=["temp"], warm_up_days=14, start="2024-06-15T00:00")

    table, _ = view.scores
    assert table.loc["ridge", "skill_mae"] > 0.2
    assert set(view.warm_up.rules) == {"naive_day", "naive_week", "naive_kind_of_day", "naive_mean_of_weeks"}
    assert view.warm_up.dataset.sizes["issued_at"] == 9  # the first 5 of 14 have too few errors before them
    assert view.calibration().index.tolist() == view.study.quantiles
    assert "less than the best simple rule" in view.conclusion()
    assert view.candidates()["is_chosen"].tolist() == [True]


def test_forecast__auto_shows_what_it_chose_from(project: Path):
    written(project, measured(35))

    view = viewed(model="auto", model_options={"members": ["seasonal_naive", "ridge"]})

    table = view.candidates()
    assert set(table.index) == {"ensemble", "seasonal_naive", "ridge"}
    assert table["is_chosen"].sum() == 1
    assert table["mae"].is_monotonic_increasing
    assert "It was made by auto: " in view.conclusion()


def test_forecast__scenarios_are_few_and_weighted(project: Path):
    """Their mean is near the forecast's, each within the bounds; the same seed draws the same."""
    written(project, measured(40))

    view, again = (viewed(scenarios=5, warm_up_days=15, seed=4) for _ in range(2))

    assert view.scenarios is not None and again.scenarios is not None
    assert view.scenarios.identical(again.scenarios)
    assert dict(view.scenarios.sizes) == {"scenario": 5, "time": 24}
    assert view.scenarios["probability"].sum() == pytest.approx(1)
    mean = view.scenarios["demand_kw"].weighted(view.scenarios["probability"]).mean("scenario").to_numpy()
    assert np.abs(mean - view.median.to_numpy()).mean() < 1
    assert any(one.startswith("scenarios: correlation of errors") for one in view.notes())
    assert viewed().scenarios is None


def test_forecast__model_is_kept_under_a_name_where_one_is_given(project: Path):
    written(project, measured())

    view = viewed(save_model="office-load")

    (kept,) = view.kept_models()
    assert f"the fitted model is kept as {kept.id}" in view.notes()
    assert kept.scores["mae"] == pytest.approx(view.metrics()["mae"])
    again = store.load(kept.id).predict(view.measured.history)
    assert again["demand_kw"].to_numpy() == pytest.approx(view.forecast["demand_kw"].to_numpy())
    assert viewed().kept_models() == []


def test_forecast__importance_of_a_signal_that_makes_the_load(project: Path):
    """The load holds the temperature whole; the noise beside it tells nothing."""
    series = measured(42)
    noise = np.random.RandomState(5).standard_normal(len(series))
    written(project, series.assign(noise=noise))

    view = viewed(known_ahead=["temp", "noise"], start="2024-06-11T00:00", warm_up_days=14)

    table = view.importance().set_index("feature")["importance"]
    assert table["temp"] > 0.5
    assert abs(table["noise"]) < 0.05


def test_forecast__night_is_certain_where_the_place_is_known(project: Path):
    written(project, measured(30), site={"latitude": 0, "longitude": 0})

    view = viewed(asset="roof")

    is_dark = view.measured.history.is_dark
    assert is_dark is not None
    by_hour = is_dark.reshape(-1, 24)  # at the equator, the sun is up from about 05:55 to about 18:00
    assert by_hour[:, [0, 1, 2, 3, 4, 19, 20, 21, 22, 23]].all()
    assert not by_hour[:, 6:17].any()
    values = view.forecast["available_kw"].transpose("time", "quantile").to_numpy()
    assert (values[is_dark[-24:] == 1] == 0).all()
    assert values[12].max() > 5


def test_recipes__know_the_plant_and_its_place(project: Path):
    plant = {"kind": "solar_pv", "id": "roof", "rated_capacity_kw": 50, "tilt_angle_deg": 20, "azimuth_deg": 180}
    site = {"latitude": 50, "longitude": 10}
    written(project, measured(3).assign(ghi=100.0), site=site, assets=[plant])
    weather = ["ghi_w_per_m2=ghi", "outdoor_temperature_degc=temp"]

    study = asked(asset="roof", model="physical", known_ahead=weather)
    study.check()

    assert study.recipes(study.load_history().target)[0].members["physical"].asset.id == "roof"
    assert (
        "hybrid"
        in asked(asset="roof", model="auto", known_ahead=weather).recipes(study.load_history().target)[0].members
    )
    with pytest.raises(InvalidInput, match="outdoor_temperature_degc: must be known ahead"):
        asked(asset="roof", model="physical", known_ahead=weather[:1]).check()
    with pytest.raises(InvalidInput, match="needs a solar_pv or wind_turbine"):
        asked(site=None, series="small", column="temp", kind="load", timezone="UTC", model="physical").check()


@pytest.mark.parametrize(("day", "steps"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-07-01", 24)])
def test_forecast__a_local_day_has_as_many_hours_as_the_clock_gives_it(project: Path, day: str, steps: int):
    begin = pd.Timestamp(day) - pd.Timedelta(days=21)
    written(project, measured(21, begin=str(begin.date()), timezone="Europe/Berlin"), timezone="Europe/Berlin")

    view = viewed(start=f"{day}T00:00", model="seasonal_naive")

    local = pd.DatetimeIndex(view.forecast["time"].values).tz_localize("UTC").tz_convert("Europe/Berlin")
    assert len(local) == steps
    assert set(local.strftime("%Y-%m-%d")) == {day}


def test_forecast__that_fails_leaves_a_job_with_the_reason(project: Path):
    written(project, measured(3))
    study = asked(start="2024-05-03T00:00")
    run = study.open_run()

    with pytest.raises(InvalidInput, match=r"2 days of history .* needs at least 13") as failure:
        study.forecast(study.load_history(), run)

    assert "the file holds 24 values after the issue time; they were not used" in str(failure.value)
    (job,) = list_forecasts(run.engine, run_id=run.id)
    assert (job.status, job.model, job.variable) == ("failed", "ridge", "demand_kw")
    assert job.error == str(failure.value)


def test_forecast__signal_that_ends_with_the_history_is_refused(project: Path):
    written(project, measured())

    with pytest.raises(MissingValues, match=r"temp lacks 24 of 24 values from 2024-05-31 00:00 UTC"):
        viewed(known_ahead=["temp"], start=None)


# ---------------------------------------------------------------------------------------------- the database
@pytest.fixture
def kept(project: Path) -> Path:
    """A project whose register and measured series are in the database."""
    written(project, measured())
    arguments = [["assets", "import", "data/sites/small.yaml"]]
    for column, variable in (("demand_kw", "demand_kw"), ("temp", "outdoor_temperature_degc")):
        named = ["--column", column, "--variable", variable, "--series", column, "--asset", "office"]
        arguments.append(["series", "import", "data/series/small.csv", *named])
    for one in arguments:
        done = CliRunner().invoke(commands, one)
        assert done.exit_code == 0, done.output
    return project


def test_load_history__from_the_database_is_that_of_the_file(kept: Path):
    from_file = loaded(known_past=["temp"])
    found = loaded(site=None, source="database", asset="office", known_past=["temp"])

    assert found.history.values == pytest.approx(from_file.history.values, nan_ok=True)
    assert found.history.known_past["temp"] == pytest.approx(from_file.history.known_past["temp"], nan_ok=True)
    assert found.timezone == "UTC"
    assert found.columns.series_id == "demand_kw"
    by_series = loaded(site=None, source="database", column="demand_kw", kind="load")
    assert by_series.history.values == pytest.approx(from_file.history.values, nan_ok=True)
    assert by_series.history.name == "demand_kw"


def test_load_history__series_that_the_database_lacks(kept: Path):
    with pytest.raises(InvalidInput, match=r"available_kw of 'roof': has no series in the database"):
        loaded(source="database", asset="roof")
    with pytest.raises(UnknownName, match=r"series 'demandkw'.*did you mean demand_kw\?"):
        loaded(site=None, source="database", column="demandkw", kind="load")


# ---------------------------------------------------------------------------------------------- refused at once
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "rigde"}, r"model 'rigde': did you mean ridge\?"),
        ({"model_options": {"alpa": 1}}, r"options of model 'ridge'.*alpa: no such field"),
        ({"model_options": {"training_days": 9}}, "training_days: is a parameter of the study"),
        ({"quantiles": [0.1, 0.9]}, r"0\.5 must be among them"),
        ({"quantiles": [0.5, 0.1]}, "they must ascend"),
        ({"country": "XX"}, "country = 'XX': no holidays are known of it"),
        ({"series": "smal"}, r"series 'smal': not in data/series/; did you mean small\?"),
        ({"asset": "ofice"}, r"asset = 'ofice': no such asset; did you mean office\?"),
        ({"asset": "roof", "kind": "wind"}, "kind = 'wind': of solar_pv 'roof' available_kw is forecast"),
    ],
)
def test_check__refuses(project: Path, given: dict[str, Any], message: str):
    written(project, measured(3))

    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        asked(**given).check()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"column": "temp"}, "kind: is required with a column"),
        ({"column": "temp", "kind": "load", "asset": "office"}, "asset = 'office': has no effect beside column"),
        ({"site": None}, "column, series, timezone: required for a file without a site"),
        ({"source": "database", "series": "small"}, "series: has no effect where source = 'database'"),
        ({"source": "database", "form": {"decimal": ","}}, "form: has no effect where source = 'database'"),
        ({"form": {"fill_gaps": "previous"}}, "form: fill_gaps: gaps stay gaps in a forecast"),
        ({"form": {"seperator": ";"}}, r"form: seperator: no such field; did you mean separator\?"),
        ({"known_ahead": ["a=b", "a=c"]}, "a: two signals have this name"),
        ({"known_ahead": ["a"], "known_past": ["a"]}, "a: two signals have this name"),
        ({"known_ahead": ["=b"]}, "must be column, or name=column"),
        ({"known_ahead": ["time"]}, "time is a name that forecasts use themselves"),
        ({"column": "quantile", "kind": "load"}, "column = 'quantile': forecasts use this name themselves"),
        ({"timezone": "Berlin"}, "timezone = 'Berlin': no time zone of that name"),
        ({"scenarios": 1}, "scenarios = 1: must be 0, or at least 2"),
        ({"scenarios": 5, "warm_up_days": 10}, "warm_up_days = 10: must be at least 15 for scenarios"),
        ({"horizon_h": 0}, "horizon_h = 0 h: must be greater than 0 h"),
        ({"save_model": "Best!"}, "save_model = 'Best!': must be small letters"),
    ],
)
def test_study__refuses_what_has_no_effect_or_no_sense(given: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        ForecastStudy(**given)


def test_parameter_rows__lists_as_people_write_them():
    study = ForecastStudy(known_ahead=["a", "b=c"], quantiles=[0.1, 0.5], form={"decimal": ","})

    shown = {row["field"]: row["value"] for row in study.parameter_rows()}

    assert shown["known_ahead"] == "a, b=c"
    assert shown["quantiles"] == "0.1, 0.5"
    assert shown["form"] == "decimal: ,"
    assert shown["model_options"] == "none"


def test_report_timezone__of_the_site_where_it_can_be_read(project: Path):
    assert ForecastStudy().report_timezone() == "Europe/Berlin"
    assert ForecastStudy(timezone="Asia/Tokyo").report_timezone() == "Asia/Tokyo"
    assert ForecastStudy(site="nowhere").report_timezone() == "UTC"


# ---------------------------------------------------------------------------------------------- the campus
def test_campus__is_the_series_of_its_formulas():
    stored = pd.read_parquet(campus_series.FILE)

    made = campus_series.campus()

    assert stored.columns.tolist() == made.columns.tolist()
    assert (stored["time"] == made["time"]).all()
    for column in made.columns[1:]:
        assert (stored[column].isna() == made[column].isna()).all(), column
        # A last digit may be rounded otherwise by another machine's cosine.
        largest = 1.001 if "ghi" in column else (0.00011 if "price" in column else 0.41)
        assert np.nanmax(np.abs(stored[column] - made[column])) <= largest, column
    assert campus_series.FILE.stat().st_size < 600_000


def test_campus__faults_of_its_meter_are_found(project: Path):
    found = [(one.kind, f"{one.begin:%Y-%m-%d}") for one in ForecastStudy().load_history().anomalies]

    assert found == [
        ("gap", "2025-06-12"), ("frozen", "2025-09-16"), ("spike", "2025-11-18"), ("gap", "2026-02-10"),
        ("spike", "2026-02-24"), ("frozen", "2026-03-05"),
    ]  # fmt: skip


def test_run__demo_answers_and_keeps_its_answer(reports: Reports):
    assert "Buildings" in reports.said["forecast"].splitlines()[0]
    (job,) = list_forecasts(reports.connect(), run_id=reports.run("forecast").id)
    assert job.metrics["skill_mae"] > 0.1
    page = reports.pages["forecast"].read_text(encoding="utf-8")
    assert "33 values in anomalies were left out of what is learned from and scored" in page
    assert job.id in page
