"""Runs, optimizations with their assets, results and costs, and the timeline in its wide form.

Revision: 0001, the first one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

TIMELINE = """\
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


def upgrade() -> None:
    """Make the tables and the view."""
    op.create_table(
        "runs",
        sa.Column(
            "id",
            sa.String(64),
            nullable=False,
            comment="Sortable name: the time when the run was opened, in UTC, and some random letters.",
        ),
        sa.Column("study", sa.String(64), nullable=False, comment="Study that ran: name of its notebook."),
        sa.Column(
            "case_name", sa.String(200), nullable=False, comment="Case of the study: name of its parameter file."
        ),
        sa.Column("title", sa.String(200), nullable=False, comment="Title for people."),
        sa.Column("status", sa.String(9), nullable=False, comment="How far the run is."),
        sa.Column("parameters", JSON, nullable=False, comment="All parameters with the values that held."),
        sa.Column("versions", JSON, nullable=False, comment="Versions of the packages which took part."),
        sa.Column("inputs", JSON, nullable=False, comment="Files that were read: path and sha256."),
        sa.Column(
            "notes",
            JSON,
            nullable=False,
            comment="What a reader of the results should know: warnings and substitutions.",
        ),
        sa.Column(
            "headline",
            JSON,
            nullable=False,
            comment="The few results that stand first: label, and value with unit.",
        ),
        sa.Column("host", sa.String(200), nullable=True, comment="Machine on which the run's process is."),
        sa.Column(
            "process_id", sa.BigInteger(), nullable=True, comment="Number of the run's process on that machine."
        ),
        sa.Column(
            "process_started_at",
            MOMENT,
            nullable=True,
            comment="Start of that process; a number alone is given again to later processes.",
        ),
        sa.Column("created_at", MOMENT, nullable=False, comment="When the run was opened."),
        sa.Column("started_at", MOMENT, nullable=True, comment="When the work began."),
        sa.Column("finished_at", MOMENT, nullable=True, comment="When the run ended, in whatever way."),
        sa.Column("error", sa.String(10000), nullable=True, comment="Why the run failed."),
        sa.Column("report_path", sa.String(10000), nullable=True, comment="Report, relative to the project."),
        sa.Column(
            "notebook_path", sa.String(10000), nullable=True, comment="Executed notebook, relative to the project."
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("length(id) <= 64", name=op.f("ck_runs_id_length")),
        sa.CheckConstraint("length(study) <= 64", name=op.f("ck_runs_study_length")),
        sa.CheckConstraint(
            "length(case_name) >= 1 AND length(case_name) <= 200", name=op.f("ck_runs_case_name_length")
        ),
        sa.CheckConstraint("length(title) >= 1 AND length(title) <= 200", name=op.f("ck_runs_title_length")),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_runs_status_choice"),
        ),
        sa.CheckConstraint("length(host) >= 1 AND length(host) <= 200", name=op.f("ck_runs_host_length")),
        sa.CheckConstraint(
            "process_id > 0 AND process_id <= 9223372036854775807", name=op.f("ck_runs_process_id_range")
        ),
        sa.CheckConstraint("length(error) <= 10000", name=op.f("ck_runs_error_length")),
        sa.CheckConstraint("length(report_path) <= 10000", name=op.f("ck_runs_report_path_length")),
        sa.CheckConstraint("length(notebook_path) <= 10000", name=op.f("ck_runs_notebook_path_length")),
        sa.CheckConstraint("status <> 'failed' OR error IS NOT NULL", name=op.f("ck_runs_failure_has_error")),
        sa.CheckConstraint(
            "status IN ('pending', 'running') OR finished_at IS NOT NULL", name=op.f("ck_runs_end_has_time")
        ),
        comment="One run of a notebook with its parameters.",
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_study_created_at", "runs", ["study", "created_at"])
    op.create_table(
        "optimization_jobs",
        sa.Column("id", sa.String(64), nullable=False, comment="Name of the optimization."),
        sa.Column("run_id", sa.String(64), nullable=False, comment="Run which it belongs to."),
        sa.Column(
            "optimization_type",
            sa.String(200),
            nullable=False,
            comment="What was optimized: dispatch, rolling dispatch.",
        ),
        sa.Column("objective", sa.String(200), nullable=False, comment="What was made small: cost, emissions."),
        sa.Column("solver", sa.String(200), nullable=False, comment="Solver that was used."),
        sa.Column("solver_version", sa.String(200), nullable=True, comment="Its version."),
        sa.Column("status", sa.String(10), nullable=False, comment="What the solver found."),
        sa.Column(
            "objective_value",
            sa.Double(),
            nullable=True,
            comment="Value of the objective at the solution, in the objective's unit.",
        ),
        sa.Column(
            "total_cost",
            sa.Double(),
            nullable=True,
            comment="Cost of the schedule as the optimization counts it. [currency]",
        ),
        sa.Column(
            "baseline_cost",
            sa.Double(),
            nullable=True,
            comment="Cost of the case that it is compared with. [currency]",
        ),
        sa.Column(
            "settled_cost",
            sa.Double(),
            nullable=True,
            comment="Cost of the schedule as the settlement recomputes it. [currency]",
        ),
        sa.Column("currency", sa.String(3), nullable=True, comment="Currency of all costs, ISO 4217."),
        sa.Column(
            "bound",
            sa.Double(),
            nullable=True,
            comment="Value that no solution can undercut, in the objective's unit.",
        ),
        sa.Column(
            "gap", sa.Double(), nullable=True, comment="Relative distance between objective value and bound. [1]"
        ),
        sa.Column("solve_time_s", sa.Double(), nullable=True, comment="Time that the solver took. [s]"),
        sa.Column("variables", sa.BigInteger(), nullable=True, comment="Number of the model's variables."),
        sa.Column("constraints", sa.BigInteger(), nullable=True, comment="Number of the model's constraints."),
        sa.Column("steps", sa.BigInteger(), nullable=True, comment="Number of the horizon's steps."),
        sa.Column("error", sa.String(10000), nullable=True, comment="Why there is no solution."),
        sa.Column("created_at", MOMENT, nullable=False, comment="When it was kept."),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("length(id) <= 64", name=op.f("ck_optimization_jobs_id_length")),
        sa.CheckConstraint("length(run_id) <= 64", name=op.f("ck_optimization_jobs_run_id_length")),
        sa.CheckConstraint(
            "length(optimization_type) >= 1 AND length(optimization_type) <= 200",
            name=op.f("ck_optimization_jobs_optimization_type_length"),
        ),
        sa.CheckConstraint(
            "length(objective) >= 1 AND length(objective) <= 200",
            name=op.f("ck_optimization_jobs_objective_length"),
        ),
        sa.CheckConstraint(
            "length(solver) >= 1 AND length(solver) <= 200", name=op.f("ck_optimization_jobs_solver_length")
        ),
        sa.CheckConstraint(
            "length(solver_version) >= 1 AND length(solver_version) <= 200",
            name=op.f("ck_optimization_jobs_solver_version_length"),
        ),
        sa.CheckConstraint(
            "status IN ('optimal', 'feasible', 'infeasible', 'failed')",
            name=op.f("ck_optimization_jobs_status_choice"),
        ),
        sa.CheckConstraint(
            "objective_value >= -1e308 AND objective_value <= 1e308",
            name=op.f("ck_optimization_jobs_objective_value_range"),
        ),
        sa.CheckConstraint(
            "total_cost >= -1e308 AND total_cost <= 1e308", name=op.f("ck_optimization_jobs_total_cost_range")
        ),
        sa.CheckConstraint(
            "baseline_cost >= -1e308 AND baseline_cost <= 1e308",
            name=op.f("ck_optimization_jobs_baseline_cost_range"),
        ),
        sa.CheckConstraint(
            "settled_cost >= -1e308 AND settled_cost <= 1e308",
            name=op.f("ck_optimization_jobs_settled_cost_range"),
        ),
        sa.CheckConstraint(
            "length(currency) >= 3 AND length(currency) <= 3", name=op.f("ck_optimization_jobs_currency_length")
        ),
        sa.CheckConstraint("bound >= -1e308 AND bound <= 1e308", name=op.f("ck_optimization_jobs_bound_range")),
        sa.CheckConstraint("gap >= 0 AND gap <= 1e308", name=op.f("ck_optimization_jobs_gap_range")),
        sa.CheckConstraint(
            "solve_time_s >= 0 AND solve_time_s <= 1e308", name=op.f("ck_optimization_jobs_solve_time_s_range")
        ),
        sa.CheckConstraint(
            "variables >= 0 AND variables <= 9223372036854775807",
            name=op.f("ck_optimization_jobs_variables_range"),
        ),
        sa.CheckConstraint(
            "constraints >= 0 AND constraints <= 9223372036854775807",
            name=op.f("ck_optimization_jobs_constraints_range"),
        ),
        sa.CheckConstraint(
            "steps >= 0 AND steps <= 9223372036854775807", name=op.f("ck_optimization_jobs_steps_range")
        ),
        sa.CheckConstraint("length(error) <= 10000", name=op.f("ck_optimization_jobs_error_length")),
        sa.CheckConstraint(
            "status IN ('infeasible', 'failed') OR objective_value IS NOT NULL",
            name=op.f("ck_optimization_jobs_solution_has_value"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        comment="One optimization within a run: what was asked, and what the solver and the settlement say.",
    )
    op.create_index("ix_optimization_jobs_run_id", "optimization_jobs", ["run_id"])
    op.create_table(
        "optimization_assets",
        sa.Column("job_id", sa.String(64), nullable=False, comment="Optimization."),
        sa.Column("asset_id", sa.String(200), nullable=False, comment="Asset's id."),
        sa.Column("kind", sa.String(200), nullable=False, comment="Asset's kind: battery, load."),
        sa.Column("name", sa.String(200), nullable=False, comment="Asset's name for people."),
        sa.Column("site_id", sa.String(200), nullable=False, comment="Site that it is connected to."),
        sa.Column("capacity_kwh", sa.Double(), nullable=True, comment="Energy content when full; of storages. [kWh]"),
        sa.Column("spec", JSON, nullable=False, comment="All fields with the values that were used."),
        sa.PrimaryKeyConstraint("job_id", "asset_id"),
        sa.CheckConstraint("length(job_id) <= 64", name=op.f("ck_optimization_assets_job_id_length")),
        sa.CheckConstraint(
            "length(asset_id) >= 1 AND length(asset_id) <= 200",
            name=op.f("ck_optimization_assets_asset_id_length"),
        ),
        sa.CheckConstraint(
            "length(kind) >= 1 AND length(kind) <= 200", name=op.f("ck_optimization_assets_kind_length")
        ),
        sa.CheckConstraint(
            "length(name) >= 1 AND length(name) <= 200", name=op.f("ck_optimization_assets_name_length")
        ),
        sa.CheckConstraint(
            "length(site_id) >= 1 AND length(site_id) <= 200", name=op.f("ck_optimization_assets_site_id_length")
        ),
        sa.CheckConstraint(
            "capacity_kwh >= 0 AND capacity_kwh <= 1e308", name=op.f("ck_optimization_assets_capacity_kwh_range")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["optimization_jobs.id"], ondelete="CASCADE"),
        comment="An asset as it was in an optimization.",
    )
    op.create_table(
        "optimization_costs",
        sa.Column("job_id", sa.String(64), nullable=False, comment="Optimization."),
        sa.Column("asset_id", sa.String(200), nullable=False, comment="Asset which causes it."),
        sa.Column("cost_type", sa.String(200), nullable=False, comment="What it is paid for: energy, wear, fuel."),
        sa.Column(
            "cost",
            sa.Double(),
            nullable=False,
            comment="Cost over the whole horizon; negative when it earns. [currency]",
        ),
        sa.PrimaryKeyConstraint("job_id", "asset_id", "cost_type"),
        sa.CheckConstraint("length(job_id) <= 64", name=op.f("ck_optimization_costs_job_id_length")),
        sa.CheckConstraint(
            "length(asset_id) >= 1 AND length(asset_id) <= 200", name=op.f("ck_optimization_costs_asset_id_length")
        ),
        sa.CheckConstraint(
            "length(cost_type) >= 1 AND length(cost_type) <= 200",
            name=op.f("ck_optimization_costs_cost_type_length"),
        ),
        sa.CheckConstraint("cost >= -1e308 AND cost <= 1e308", name=op.f("ck_optimization_costs_cost_range")),
        sa.ForeignKeyConstraint(
            ["job_id", "asset_id"],
            ["optimization_assets.job_id", "optimization_assets.asset_id"],
            ondelete="CASCADE",
        ),
        comment="A part of a schedule's cost.",
    )
    op.create_table(
        "optimization_results",
        sa.Column("job_id", sa.String(64), nullable=False, comment="Optimization."),
        sa.Column("time", MOMENT, nullable=False, comment="Beginning of the step."),
        sa.Column("asset_id", sa.String(200), nullable=False, comment="Asset's id."),
        sa.Column("step_h", sa.Double(), nullable=False, comment="Length of the step. [h]"),
        sa.Column(
            "injection_kw",
            sa.Double(),
            nullable=False,
            comment="Power into the site's bus; negative when drawn from it. [kW]",
        ),
        sa.Column("charge_kw", sa.Double(), nullable=True, comment="Charging power, at the site's bus. [kW]"),
        sa.Column("discharge_kw", sa.Double(), nullable=True, comment="Discharging power, at the site's bus. [kW]"),
        sa.Column("energy_kwh", sa.Double(), nullable=True, comment="Energy content at the end of the step. [kWh]"),
        sa.Column("soc", sa.Double(), nullable=True, comment="State of charge at the end of the step. [1]"),
        sa.Column("import_kw", sa.Double(), nullable=True, comment="Power drawn from the grid. [kW]"),
        sa.Column("export_kw", sa.Double(), nullable=True, comment="Power fed into the grid. [kW]"),
        sa.Column("output_kw", sa.Double(), nullable=True, comment="Power of a generator. [kW]"),
        sa.Column(
            "is_on",
            sa.Boolean(create_constraint=True, name="is_on_choice"),
            nullable=True,
            comment="Whether a generator runs.",
        ),
        sa.Column("demand_kw", sa.Double(), nullable=True, comment="Power that a load asks for. [kW]"),
        sa.Column("served_kw", sa.Double(), nullable=True, comment="Power that a load gets. [kW]"),
        sa.Column(
            "unserved_kw", sa.Double(), nullable=True, comment="Power that a load asks for and does not get. [kW]"
        ),
        sa.Column("available_kw", sa.Double(), nullable=True, comment="Power that wind or sun would give. [kW]"),
        sa.Column("used_kw", sa.Double(), nullable=True, comment="Power of wind or sun that is used. [kW]"),
        sa.Column("curtailed_kw", sa.Double(), nullable=True, comment="Power of wind or sun that is not used. [kW]"),
        sa.Column("cost", sa.Double(), nullable=False, comment="Cost of the step; negative when it earns. [currency]"),
        sa.Column("extra", JSON, nullable=True, comment="Further variables of the asset's kind, by name."),
        sa.PrimaryKeyConstraint("job_id", "time", "asset_id"),
        sa.CheckConstraint("length(job_id) <= 64", name=op.f("ck_optimization_results_job_id_length")),
        sa.CheckConstraint(
            "length(asset_id) >= 1 AND length(asset_id) <= 200",
            name=op.f("ck_optimization_results_asset_id_length"),
        ),
        sa.CheckConstraint("step_h > 0 AND step_h <= 1e308", name=op.f("ck_optimization_results_step_h_range")),
        sa.CheckConstraint(
            "injection_kw >= -1e308 AND injection_kw <= 1e308",
            name=op.f("ck_optimization_results_injection_kw_range"),
        ),
        sa.CheckConstraint(
            "charge_kw >= -1e308 AND charge_kw <= 1e308", name=op.f("ck_optimization_results_charge_kw_range")
        ),
        sa.CheckConstraint(
            "discharge_kw >= -1e308 AND discharge_kw <= 1e308",
            name=op.f("ck_optimization_results_discharge_kw_range"),
        ),
        sa.CheckConstraint(
            "energy_kwh >= -1e308 AND energy_kwh <= 1e308", name=op.f("ck_optimization_results_energy_kwh_range")
        ),
        sa.CheckConstraint("soc >= -1e308 AND soc <= 1e308", name=op.f("ck_optimization_results_soc_range")),
        sa.CheckConstraint(
            "import_kw >= -1e308 AND import_kw <= 1e308", name=op.f("ck_optimization_results_import_kw_range")
        ),
        sa.CheckConstraint(
            "export_kw >= -1e308 AND export_kw <= 1e308", name=op.f("ck_optimization_results_export_kw_range")
        ),
        sa.CheckConstraint(
            "output_kw >= -1e308 AND output_kw <= 1e308", name=op.f("ck_optimization_results_output_kw_range")
        ),
        sa.CheckConstraint(
            "demand_kw >= -1e308 AND demand_kw <= 1e308", name=op.f("ck_optimization_results_demand_kw_range")
        ),
        sa.CheckConstraint(
            "served_kw >= -1e308 AND served_kw <= 1e308", name=op.f("ck_optimization_results_served_kw_range")
        ),
        sa.CheckConstraint(
            "unserved_kw >= -1e308 AND unserved_kw <= 1e308",
            name=op.f("ck_optimization_results_unserved_kw_range"),
        ),
        sa.CheckConstraint(
            "available_kw >= -1e308 AND available_kw <= 1e308",
            name=op.f("ck_optimization_results_available_kw_range"),
        ),
        sa.CheckConstraint(
            "used_kw >= -1e308 AND used_kw <= 1e308", name=op.f("ck_optimization_results_used_kw_range")
        ),
        sa.CheckConstraint(
            "curtailed_kw >= -1e308 AND curtailed_kw <= 1e308",
            name=op.f("ck_optimization_results_curtailed_kw_range"),
        ),
        sa.CheckConstraint("cost >= -1e308 AND cost <= 1e308", name=op.f("ck_optimization_results_cost_range")),
        sa.ForeignKeyConstraint(
            ["job_id", "asset_id"],
            ["optimization_assets.job_id", "optimization_assets.asset_id"],
            ondelete="CASCADE",
        ),
        comment="What an asset does in one step of a schedule; powers are means over the step.",
    )
    op.execute(TIMELINE)


def downgrade() -> None:
    """Remove the view and the tables."""
    op.execute("DROP VIEW optimization_timeline")
    op.drop_table("optimization_results")
    op.drop_table("optimization_costs")
    op.drop_table("optimization_assets")
    op.drop_table("optimization_jobs")
    op.drop_table("runs")
