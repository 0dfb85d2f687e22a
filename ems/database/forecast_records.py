"""What is kept of forecasts: the jobs which made them, their quantiles, and what was observed in a backtest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ems.database.records import RUNS, Count, utc_now
from ems.database.tables import table_of
from ems.record import Moment, Name, NonNegative, Positive, Record, Slug, Text

ForecastStatus = Literal["pending", "running", "completed", "failed"]
ForecastForm = Literal["forecast", "backtest"]

assert RUNS.name == "runs", "jobs of forecasts refer to runs"


class ForecastJob(Record):
    """One forecast, or the backtest of one model: what was asked, and how it went."""

    id: Slug
    """Name of the job."""
    run_id: Slug | None = None
    """Run which it belongs to; none where it was made outside of a study."""
    form: ForecastForm = "forecast"
    """Whether it foretells once, or as often as a backtest has folds."""
    kind: Name
    """What is foretold: load, solar, wind, price."""
    series_id: Slug | None = None
    """Series of the database that it was learned from, where there is one."""
    asset_id: Slug | None = None
    """Asset that it is for; none where the target belongs to no asset."""
    variable: Name
    """What is foretold, with its unit at the end: demand_kw."""
    units: Name | None = None
    """Unit of the values."""
    model: Name
    """Model that was used."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """All parameters with the values that held."""
    horizon_h: Positive | None = None
    """Time from the first step's beginning to the last step's end; of a backtest that of its longest fold."""
    step_h: Positive | None = None
    """Length of a step."""
    timezone: Name | None = None
    """IANA name of the time zone of its local days."""
    issued_at: Moment | None = None
    """Moment up to which it knew anything; of a backtest that of its last fold."""
    status: ForecastStatus = "pending"
    """How far it is."""
    samples: Count | None = None
    """Number of values that it was trained with."""
    metrics: dict[str, Any] = Field(default_factory=dict)
    """Scores and other figures by name."""
    seconds: NonNegative | None = None
    """CPU seconds for each forecast, training included; of a backtest the mean of its folds."""
    seed: int | None = None
    """Seed of what is random in it."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages which took part."""
    attributes: dict[str, Any] = Field(default_factory=dict)
    """What the dataset says of itself and of its variables beside all this, notes among it."""
    error: Text | None = None
    """Why it failed."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was asked for."""
    started_at: Moment | None = None
    """When the work began."""
    finished_at: Moment | None = None
    """When it ended, in whatever way."""


class ForecastResult(Record):
    """One quantile of a step, as it was foretold at a moment."""

    job_id: Slug
    """Job."""
    issued_at: Moment
    """Moment up to which it knew anything."""
    time: Moment
    """Beginning of the step."""
    quantile: Annotated[float, Field(gt=0, lt=1)]
    """Probability that the truth is not above the value."""
    value: float | None = None
    """Value in the unit of the job; empty where the model gives none."""


class ForecastObservation(Record):
    """What came true in a step of a backtest, as the scores saw it."""

    job_id: Slug
    """Job."""
    issued_at: Moment
    """Moment at which the step was foretold."""
    time: Moment
    """Beginning of the step."""
    value: float | None = None
    """Value in the unit of the job; empty where none is known."""


FORECAST_JOBS = table_of(
    ForecastJob,
    "forecast_jobs",
    primary_key="id",
    foreign_keys={"run_id": "runs"},
    indices=(
        "run_id",
        "created_at",
        "status",
        ("asset_id", "variable", "issued_at"),
        ("series_id", "issued_at"),
    ),
    checks={
        "failure_has_error": "status <> 'failed' OR error IS NOT NULL",
        "end_has_time": "status IN ('pending', 'running') OR finished_at IS NOT NULL",
        "completed_is_issued": "status <> 'completed' OR (issued_at IS NOT NULL AND step_h IS NOT NULL)",
    },
)

FORECAST_RESULTS = table_of(
    ForecastResult,
    "forecast_results",
    primary_key=("job_id", "issued_at", "time", "quantile"),
    foreign_keys={"job_id": "forecast_jobs"},
)

FORECAST_OBSERVATIONS = table_of(
    ForecastObservation,
    "forecast_observations",
    primary_key=("job_id", "issued_at", "time"),
    foreign_keys={"job_id": "forecast_jobs"},
)

OF_FORECAST = (FORECAST_RESULTS, FORECAST_OBSERVATIONS)
"""What a job has found, and goes with it."""

# Rows lie in the order of their key: half the space on SQLite.
for _table in OF_FORECAST:
    _table.dialect_options["sqlite"]["with_rowid"] = False
