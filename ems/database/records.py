"""What is kept of runs and their optimizations: the records, and the tables and the view which follow from them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from ems.database.tables import UtcDateTime, table_of
from ems.record import FromList, Moment, Name, NonNegative, Positive, Record, Slug, Text

RunStatus = Literal["pending", "running", "completed", "failed", "cancelled"]
ACTIVE: tuple[RunStatus, ...] = ("pending", "running")
Label = Annotated[tuple[str, str], FromList]

JobStatus = Literal["optimal", "feasible", "infeasible", "failed"]
OwnerKind = Literal["asset", "site", "reserve"]
Count = Annotated[int, Field(ge=0)]
Currency = Annotated[str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]


def utc_now() -> dt.datetime:
    """Return the present moment in UTC."""
    return dt.datetime.now(dt.UTC)


class Run(Record):
    """One run of a notebook with its parameters."""

    id: Slug
    """Sortable name: the time when the run was opened, in UTC, and some random letters."""
    study: Slug
    """Study that ran: name of its notebook."""
    case_name: Name
    """Case of the study: name of its parameter file."""
    title: Name
    """Title for people."""
    status: RunStatus = "pending"
    """How far the run is."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """All parameters with the values that held."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages which took part."""
    inputs: Annotated[tuple[dict[str, str], ...], FromList] = ()
    """Files that were read: path and sha256."""
    notes: Annotated[tuple[str, ...], FromList] = ()
    """What a reader of the results should know: warnings and substitutions."""
    headline: Annotated[tuple[Label, ...], FromList] = ()
    """The few results that stand first: label, and value with unit."""
    host: Name | None = None
    """Machine on which the run's process is."""
    process_id: Annotated[int, Field(gt=0)] | None = None
    """Number of the run's process on that machine."""
    process_started_at: Moment | None = None
    """Start of that process; a number alone is given again to later processes."""
    created_at: Moment = Field(default_factory=utc_now)
    """When the run was opened."""
    started_at: Moment | None = None
    """When the work began."""
    finished_at: Moment | None = None
    """When the run ended, in whatever way."""
    error: Text | None = None
    """Why the run failed."""
    report_path: Text | None = None
    """Report, relative to the project."""
    notebook_path: Text | None = None
    """Executed notebook, relative to the project."""

    @property
    def duration_s(self) -> float | None:
        """How long the work took, or takes until now; None where it has not begun."""
        if self.started_at is None:
            return None
        return max(0.0, ((self.finished_at or utc_now()) - self.started_at).total_seconds())


class OptimizationJob(Record):
    """One optimization within a run: what was asked, and what the solver and the settlement say."""

    id: Slug
    """Name of the optimization."""
    run_id: Slug
    """Run which it belongs to."""
    optimization_type: Name
    """What was decided: battery_dispatch, unit_commitment, peak_shaving."""
    objective: Name
    """What was made small: cost, emissions."""
    goal: dict[str, Any] = Field(default_factory=dict)
    """All that was said of what it is for: weights of the objective, outages."""
    solver: Name
    """Solver that was used."""
    solver_version: Name | None = None
    """Its version."""
    status: JobStatus
    """What the solver found."""
    objective_value: float | None = None
    """Value of the objective at the solution, in the objective's unit."""
    total_cost: float | None = None
    """Cost of the schedule as the optimization counts it."""
    baseline_cost: float | None = None
    """Cost of the case that it is compared with."""
    settled_cost: float | None = None
    """Cost of the schedule as the settlement recomputes it."""
    currency: Currency | None = None
    """Currency of all costs, ISO 4217."""
    bound: float | None = None
    """Value that no solution can undercut, in the objective's unit."""
    gap: NonNegative | None = None
    """Relative distance between objective value and bound."""
    emissions_kg: float | None = None
    """Carbon dioxide of the schedule."""
    kpis: dict[str, float | None] = Field(default_factory=dict)
    """Figures of the schedule by name, those of an asset after its id and a slash; null where one is not defined."""
    solve_time_s: NonNegative | None = None
    """Time that the solver took."""
    variables: Count | None = None
    """Number of the model's variables."""
    constraints: Count | None = None
    """Number of the model's constraints."""
    steps: Count | None = None
    """Number of the horizon's steps."""
    error: Text | None = None
    """Why there is no solution."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was kept."""


class OptimizationAsset(Record):
    """An asset as it was in an optimization."""

    job_id: Slug
    """Optimization."""
    asset_id: Name
    """Asset's id."""
    kind: Name
    """Asset's kind: battery, load."""
    name: Name
    """Asset's name for people."""
    site_id: Name
    """Site that it is connected to."""
    capacity_kwh: NonNegative | None = None
    """Energy content when full; of storages."""
    spec: dict[str, Any]
    """All fields with the values that were used."""


class OptimizationResult(Record):
    """What an asset does in one step of a schedule; powers are means over the step."""

    job_id: Slug
    """Optimization."""
    time: Moment
    """Beginning of the step."""
    asset_id: Name
    """Asset's id."""
    step_h: Positive
    """Length of the step."""
    injection_kw: float
    """Power into the site's bus; negative when drawn from it."""
    charge_kw: float | None = None
    """Charging power, at the site's bus."""
    discharge_kw: float | None = None
    """Discharging power, at the site's bus."""
    energy_kwh: float | None = None
    """Energy content at the end of the step."""
    soc: float | None = None
    """State of charge at the end of the step."""
    import_kw: float | None = None
    """Power drawn from the grid."""
    export_kw: float | None = None
    """Power fed into the grid."""
    output_kw: float | None = None
    """Power of a generator."""
    is_on: bool | None = None
    """Whether a generator runs."""
    demand_kw: float | None = None
    """Power that a load asks for."""
    served_kw: float | None = None
    """Power that a load gets."""
    unserved_kw: float | None = None
    """Power that a load asks for and does not get."""
    available_kw: float | None = None
    """Power that wind or sun would give."""
    used_kw: float | None = None
    """Power of wind or sun that is used."""
    curtailed_kw: float | None = None
    """Power of wind or sun that is not used."""
    cost: float
    """Cost of the step; negative when it earns."""
    extra: dict[str, Any] | None = None
    """Further variables of the asset's kind, by name."""


class OptimizationSiteResult(Record):
    """What happens at the bus of a site in one step of a schedule; powers are means over the step."""

    job_id: Slug
    """Optimization."""
    time: Moment
    """Beginning of the step."""
    site_id: Name
    """Site's id."""
    step_h: Positive
    """Length of the step."""
    price_per_kwh: float | None = None
    """What one more kWh of demand at the site would cost."""
    spilled_kw: float | None = None
    """Power that the bus throws away."""
    missing_kw: float | None = None
    """Power that the bus lacks."""


class OptimizationReserveResult(Record):
    """What stands ready for a reserve in one step of a schedule."""

    job_id: Slug
    """Optimization."""
    time: Moment
    """Beginning of the step."""
    reserve_id: Name
    """Reserve's id."""
    step_h: Positive
    """Length of the step."""
    offered_kw: float
    """Power that stands ready."""


class OptimizationCost(Record):
    """A part of a schedule's cost."""

    job_id: Slug
    """Optimization."""
    owner_kind: OwnerKind = "asset"
    """What causes it: an asset, the bus of a site, a reserve."""
    owner_id: Name
    """Id of what causes it."""
    cost_type: Name
    """What it is paid for: energy, wear, fuel."""
    cost: float
    """Cost over the whole horizon; negative when it earns."""


RUNS = table_of(
    Run,
    "runs",
    primary_key="id",
    indices=("created_at", ("study", "created_at"), "status"),
    checks={
        "failure_has_error": "status <> 'failed' OR error IS NOT NULL",
        "end_has_time": "status IN ('pending', 'running') OR finished_at IS NOT NULL",
    },
)

JOBS = table_of(
    OptimizationJob,
    "optimization_jobs",
    primary_key="id",
    foreign_keys={"run_id": "runs"},
    indices=("run_id",),
    checks={"solution_has_value": "status IN ('infeasible', 'failed') OR objective_value IS NOT NULL"},
)

ASSETS = table_of(
    OptimizationAsset,
    "optimization_assets",
    primary_key=("job_id", "asset_id"),
    foreign_keys={"job_id": "optimization_jobs"},
)

RESULTS = table_of(
    OptimizationResult,
    "optimization_results",
    primary_key=("job_id", "time", "asset_id"),
    foreign_keys={("job_id", "asset_id"): "optimization_assets"},
)

SITE_RESULTS = table_of(
    OptimizationSiteResult,
    "optimization_site_results",
    primary_key=("job_id", "time", "site_id"),
    foreign_keys={"job_id": "optimization_jobs"},
)

RESERVE_RESULTS = table_of(
    OptimizationReserveResult,
    "optimization_reserve_results",
    primary_key=("job_id", "time", "reserve_id"),
    foreign_keys={"job_id": "optimization_jobs"},
)

# What causes a cost need not be an asset: the bus of a site and a reserve do, too.
COSTS = table_of(
    OptimizationCost,
    "optimization_costs",
    primary_key=("job_id", "owner_kind", "owner_id", "cost_type"),
    foreign_keys={"job_id": "optimization_jobs"},
)

OF_SCHEDULE = (RESULTS, SITE_RESULTS, RESERVE_RESULTS, COSTS, ASSETS)
"""What belongs to a schedule and goes with it, in an order in which rows can be deleted."""

# Powers are summed over all assets which have them, so that a step's balance closes in the view.
TIMELINE_VIEW = """\
CREATE VIEW optimization_timeline AS
SELECT
    results.job_id,
    results.time,
    MIN(results.step_h) AS step_h,
    SUM(CASE WHEN assets.kind = 'battery' THEN results.energy_kwh END)
        / NULLIF(
            SUM(CASE WHEN assets.kind = 'battery' AND results.energy_kwh IS NOT NULL THEN assets.capacity_kwh END), 0
        ) AS soc,
    SUM(results.charge_kw) AS charge_kw,
    SUM(results.discharge_kw) AS discharge_kw,
    SUM(results.import_kw) AS import_kw,
    SUM(results.export_kw) AS export_kw,
    SUM(CASE WHEN assets.kind = 'generator' THEN results.output_kw END) AS generator_output_kw,
    SUM(CASE WHEN assets.kind = 'generator' THEN CASE WHEN results.is_on THEN 1 ELSE 0 END END) AS generators_on,
    SUM(results.served_kw) AS served_kw,
    SUM(results.used_kw) AS renewable_used_kw,
    SUM(results.curtailed_kw) AS renewable_curtailed_kw,
    SUM(results.cost) AS interval_cost
FROM optimization_results AS results
JOIN optimization_assets AS assets ON assets.job_id = results.job_id AND assets.asset_id = results.asset_id
GROUP BY results.job_id, results.time
"""

TIMELINE = sa.table(
    "optimization_timeline",
    sa.column("job_id", sa.String()),
    sa.column("time", UtcDateTime()),
    *(
        sa.column(name, sa.Double())
        for name in ("step_h", "soc", "charge_kw", "discharge_kw", "import_kw", "export_kw", "generator_output_kw")
    ),
    sa.column("generators_on", sa.BigInteger()),
    *(
        sa.column(name, sa.Double())
        for name in ("served_kw", "renewable_used_kw", "renewable_curtailed_kw", "interval_cost")
    ),
)
"""The wide form of a schedule: one row a step, summed over assets; empty where no asset has such a value."""
