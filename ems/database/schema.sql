-- Derived from the records by ems.database.schema.schema_text; change the records, not this file.

CREATE TABLE runs (
    id VARCHAR(64) NOT NULL,
    study VARCHAR(64) NOT NULL,
    case_name VARCHAR(200) NOT NULL,
    title VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    parameters JSONB NOT NULL,
    versions JSONB NOT NULL,
    inputs JSONB NOT NULL,
    notes JSONB NOT NULL,
    headline JSONB NOT NULL,
    host VARCHAR(200),
    process_id BIGINT,
    process_started_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    error VARCHAR(10000),
    report_path VARCHAR(10000),
    notebook_path VARCHAR(10000),
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT ck_runs_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_runs_study_length CHECK (length(study) <= 64),
    CONSTRAINT ck_runs_case_name_length CHECK (length(case_name) >= 1 AND length(case_name) <= 200),
    CONSTRAINT ck_runs_title_length CHECK (length(title) >= 1 AND length(title) <= 200),
    CONSTRAINT ck_runs_status_choice CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_runs_host_length CHECK (length(host) >= 1 AND length(host) <= 200),
    CONSTRAINT ck_runs_process_id_range CHECK (process_id > 0 AND process_id <= 9223372036854775807),
    CONSTRAINT ck_runs_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_runs_report_path_length CHECK (length(report_path) <= 10000),
    CONSTRAINT ck_runs_notebook_path_length CHECK (length(notebook_path) <= 10000),
    CONSTRAINT ck_runs_failure_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ck_runs_end_has_time CHECK (status IN ('pending', 'running') OR finished_at IS NOT NULL)
);
CREATE INDEX ix_runs_created_at ON runs (created_at);
CREATE INDEX ix_runs_status ON runs (status);
CREATE INDEX ix_runs_study_created_at ON runs (study, created_at);
COMMENT ON TABLE runs IS 'One run of a notebook with its parameters.';
COMMENT ON COLUMN runs.id IS 'Sortable name: the time when the run was opened, in UTC, and some random letters.';
COMMENT ON COLUMN runs.study IS 'Study that ran: name of its notebook.';
COMMENT ON COLUMN runs.case_name IS 'Case of the study: name of its parameter file.';
COMMENT ON COLUMN runs.title IS 'Title for people.';
COMMENT ON COLUMN runs.status IS 'How far the run is.';
COMMENT ON COLUMN runs.parameters IS 'All parameters with the values that held.';
COMMENT ON COLUMN runs.versions IS 'Versions of the packages which took part.';
COMMENT ON COLUMN runs.inputs IS 'Files that were read: path and sha256.';
COMMENT ON COLUMN runs.notes IS 'What a reader of the results should know: warnings and substitutions.';
COMMENT ON COLUMN runs.headline IS 'The few results that stand first: label, and value with unit.';
COMMENT ON COLUMN runs.host IS 'Machine on which the run''s process is.';
COMMENT ON COLUMN runs.process_id IS 'Number of the run''s process on that machine.';
COMMENT ON COLUMN runs.process_started_at IS 'Start of that process; a number alone is given again to later processes.';
COMMENT ON COLUMN runs.created_at IS 'When the run was opened.';
COMMENT ON COLUMN runs.started_at IS 'When the work began.';
COMMENT ON COLUMN runs.finished_at IS 'When the run ended, in whatever way.';
COMMENT ON COLUMN runs.error IS 'Why the run failed.';
COMMENT ON COLUMN runs.report_path IS 'Report, relative to the project.';
COMMENT ON COLUMN runs.notebook_path IS 'Executed notebook, relative to the project.';

CREATE TABLE optimization_jobs (
    id VARCHAR(64) NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    optimization_type VARCHAR(200) NOT NULL,
    objective VARCHAR(200) NOT NULL,
    solver VARCHAR(200) NOT NULL,
    solver_version VARCHAR(200),
    status VARCHAR(10) NOT NULL,
    objective_value DOUBLE PRECISION,
    total_cost DOUBLE PRECISION,
    baseline_cost DOUBLE PRECISION,
    settled_cost DOUBLE PRECISION,
    currency VARCHAR(3),
    bound DOUBLE PRECISION,
    gap DOUBLE PRECISION,
    solve_time_s DOUBLE PRECISION,
    variables BIGINT,
    constraints BIGINT,
    steps BIGINT,
    error VARCHAR(10000),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_optimization_jobs PRIMARY KEY (id),
    CONSTRAINT ck_optimization_jobs_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_optimization_jobs_run_id_length CHECK (length(run_id) <= 64),
    CONSTRAINT ck_optimization_jobs_optimization_type_length CHECK (length(optimization_type) >= 1 AND length(optimization_type) <= 200),
    CONSTRAINT ck_optimization_jobs_objective_length CHECK (length(objective) >= 1 AND length(objective) <= 200),
    CONSTRAINT ck_optimization_jobs_solver_length CHECK (length(solver) >= 1 AND length(solver) <= 200),
    CONSTRAINT ck_optimization_jobs_solver_version_length CHECK (length(solver_version) >= 1 AND length(solver_version) <= 200),
    CONSTRAINT ck_optimization_jobs_status_choice CHECK (status IN ('optimal', 'feasible', 'infeasible', 'failed')),
    CONSTRAINT ck_optimization_jobs_objective_value_range CHECK (objective_value >= -1e308 AND objective_value <= 1e308),
    CONSTRAINT ck_optimization_jobs_total_cost_range CHECK (total_cost >= -1e308 AND total_cost <= 1e308),
    CONSTRAINT ck_optimization_jobs_baseline_cost_range CHECK (baseline_cost >= -1e308 AND baseline_cost <= 1e308),
    CONSTRAINT ck_optimization_jobs_settled_cost_range CHECK (settled_cost >= -1e308 AND settled_cost <= 1e308),
    CONSTRAINT ck_optimization_jobs_currency_length CHECK (length(currency) >= 3 AND length(currency) <= 3),
    CONSTRAINT ck_optimization_jobs_bound_range CHECK (bound >= -1e308 AND bound <= 1e308),
    CONSTRAINT ck_optimization_jobs_gap_range CHECK (gap >= 0 AND gap <= 1e308),
    CONSTRAINT ck_optimization_jobs_solve_time_s_range CHECK (solve_time_s >= 0 AND solve_time_s <= 1e308),
    CONSTRAINT ck_optimization_jobs_variables_range CHECK (variables >= 0 AND variables <= 9223372036854775807),
    CONSTRAINT ck_optimization_jobs_constraints_range CHECK (constraints >= 0 AND constraints <= 9223372036854775807),
    CONSTRAINT ck_optimization_jobs_steps_range CHECK (steps >= 0 AND steps <= 9223372036854775807),
    CONSTRAINT ck_optimization_jobs_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_optimization_jobs_solution_has_value CHECK (status IN ('infeasible', 'failed') OR objective_value IS NOT NULL),
    CONSTRAINT fk_optimization_jobs_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE INDEX ix_optimization_jobs_run_id ON optimization_jobs (run_id);
COMMENT ON TABLE optimization_jobs IS 'One optimization within a run: what was asked, and what the solver and the settlement say.';
COMMENT ON COLUMN optimization_jobs.id IS 'Name of the optimization.';
COMMENT ON COLUMN optimization_jobs.run_id IS 'Run which it belongs to.';
COMMENT ON COLUMN optimization_jobs.optimization_type IS 'What was optimized: dispatch, rolling dispatch.';
COMMENT ON COLUMN optimization_jobs.objective IS 'What was made small: cost, emissions.';
COMMENT ON COLUMN optimization_jobs.solver IS 'Solver that was used.';
COMMENT ON COLUMN optimization_jobs.solver_version IS 'Its version.';
COMMENT ON COLUMN optimization_jobs.status IS 'What the solver found.';
COMMENT ON COLUMN optimization_jobs.objective_value IS 'Value of the objective at the solution, in the objective''s unit.';
COMMENT ON COLUMN optimization_jobs.total_cost IS 'Cost of the schedule as the optimization counts it. [currency]';
COMMENT ON COLUMN optimization_jobs.baseline_cost IS 'Cost of the case that it is compared with. [currency]';
COMMENT ON COLUMN optimization_jobs.settled_cost IS 'Cost of the schedule as the settlement recomputes it. [currency]';
COMMENT ON COLUMN optimization_jobs.currency IS 'Currency of all costs, ISO 4217.';
COMMENT ON COLUMN optimization_jobs.bound IS 'Value that no solution can undercut, in the objective''s unit.';
COMMENT ON COLUMN optimization_jobs.gap IS 'Relative distance between objective value and bound. [1]';
COMMENT ON COLUMN optimization_jobs.solve_time_s IS 'Time that the solver took. [s]';
COMMENT ON COLUMN optimization_jobs.variables IS 'Number of the model''s variables.';
COMMENT ON COLUMN optimization_jobs.constraints IS 'Number of the model''s constraints.';
COMMENT ON COLUMN optimization_jobs.steps IS 'Number of the horizon''s steps.';
COMMENT ON COLUMN optimization_jobs.error IS 'Why there is no solution.';
COMMENT ON COLUMN optimization_jobs.created_at IS 'When it was kept.';

CREATE TABLE optimization_assets (
    job_id VARCHAR(64) NOT NULL,
    asset_id VARCHAR(200) NOT NULL,
    kind VARCHAR(200) NOT NULL,
    name VARCHAR(200) NOT NULL,
    site_id VARCHAR(200) NOT NULL,
    capacity_kwh DOUBLE PRECISION,
    spec JSONB NOT NULL,
    CONSTRAINT pk_optimization_assets PRIMARY KEY (job_id, asset_id),
    CONSTRAINT ck_optimization_assets_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_assets_asset_id_length CHECK (length(asset_id) >= 1 AND length(asset_id) <= 200),
    CONSTRAINT ck_optimization_assets_kind_length CHECK (length(kind) >= 1 AND length(kind) <= 200),
    CONSTRAINT ck_optimization_assets_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_optimization_assets_site_id_length CHECK (length(site_id) >= 1 AND length(site_id) <= 200),
    CONSTRAINT ck_optimization_assets_capacity_kwh_range CHECK (capacity_kwh >= 0 AND capacity_kwh <= 1e308),
    CONSTRAINT fk_optimization_assets_job_id_optimization_jobs FOREIGN KEY(job_id) REFERENCES optimization_jobs (id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_assets IS 'An asset as it was in an optimization.';
COMMENT ON COLUMN optimization_assets.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_assets.asset_id IS 'Asset''s id.';
COMMENT ON COLUMN optimization_assets.kind IS 'Asset''s kind: battery, load.';
COMMENT ON COLUMN optimization_assets.name IS 'Asset''s name for people.';
COMMENT ON COLUMN optimization_assets.site_id IS 'Site that it is connected to.';
COMMENT ON COLUMN optimization_assets.capacity_kwh IS 'Energy content when full; of storages. [kWh]';
COMMENT ON COLUMN optimization_assets.spec IS 'All fields with the values that were used.';

CREATE TABLE optimization_costs (
    job_id VARCHAR(64) NOT NULL,
    asset_id VARCHAR(200) NOT NULL,
    cost_type VARCHAR(200) NOT NULL,
    cost DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_optimization_costs PRIMARY KEY (job_id, asset_id, cost_type),
    CONSTRAINT ck_optimization_costs_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_costs_asset_id_length CHECK (length(asset_id) >= 1 AND length(asset_id) <= 200),
    CONSTRAINT ck_optimization_costs_cost_type_length CHECK (length(cost_type) >= 1 AND length(cost_type) <= 200),
    CONSTRAINT ck_optimization_costs_cost_range CHECK (cost >= -1e308 AND cost <= 1e308),
    CONSTRAINT fk_optimization_costs_job_id_asset_id_optimization_assets FOREIGN KEY(job_id, asset_id) REFERENCES optimization_assets (job_id, asset_id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_costs IS 'A part of a schedule''s cost.';
COMMENT ON COLUMN optimization_costs.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_costs.asset_id IS 'Asset which causes it.';
COMMENT ON COLUMN optimization_costs.cost_type IS 'What it is paid for: energy, wear, fuel.';
COMMENT ON COLUMN optimization_costs.cost IS 'Cost over the whole horizon; negative when it earns. [currency]';

CREATE TABLE optimization_results (
    job_id VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    asset_id VARCHAR(200) NOT NULL,
    step_h DOUBLE PRECISION NOT NULL,
    injection_kw DOUBLE PRECISION NOT NULL,
    charge_kw DOUBLE PRECISION,
    discharge_kw DOUBLE PRECISION,
    energy_kwh DOUBLE PRECISION,
    soc DOUBLE PRECISION,
    import_kw DOUBLE PRECISION,
    export_kw DOUBLE PRECISION,
    output_kw DOUBLE PRECISION,
    is_on BOOLEAN,
    demand_kw DOUBLE PRECISION,
    served_kw DOUBLE PRECISION,
    unserved_kw DOUBLE PRECISION,
    available_kw DOUBLE PRECISION,
    used_kw DOUBLE PRECISION,
    curtailed_kw DOUBLE PRECISION,
    cost DOUBLE PRECISION NOT NULL,
    extra JSONB,
    CONSTRAINT pk_optimization_results PRIMARY KEY (job_id, time, asset_id),
    CONSTRAINT ck_optimization_results_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_results_asset_id_length CHECK (length(asset_id) >= 1 AND length(asset_id) <= 200),
    CONSTRAINT ck_optimization_results_step_h_range CHECK (step_h > 0 AND step_h <= 1e308),
    CONSTRAINT ck_optimization_results_injection_kw_range CHECK (injection_kw >= -1e308 AND injection_kw <= 1e308),
    CONSTRAINT ck_optimization_results_charge_kw_range CHECK (charge_kw >= -1e308 AND charge_kw <= 1e308),
    CONSTRAINT ck_optimization_results_discharge_kw_range CHECK (discharge_kw >= -1e308 AND discharge_kw <= 1e308),
    CONSTRAINT ck_optimization_results_energy_kwh_range CHECK (energy_kwh >= -1e308 AND energy_kwh <= 1e308),
    CONSTRAINT ck_optimization_results_soc_range CHECK (soc >= -1e308 AND soc <= 1e308),
    CONSTRAINT ck_optimization_results_import_kw_range CHECK (import_kw >= -1e308 AND import_kw <= 1e308),
    CONSTRAINT ck_optimization_results_export_kw_range CHECK (export_kw >= -1e308 AND export_kw <= 1e308),
    CONSTRAINT ck_optimization_results_output_kw_range CHECK (output_kw >= -1e308 AND output_kw <= 1e308),
    CONSTRAINT ck_optimization_results_demand_kw_range CHECK (demand_kw >= -1e308 AND demand_kw <= 1e308),
    CONSTRAINT ck_optimization_results_served_kw_range CHECK (served_kw >= -1e308 AND served_kw <= 1e308),
    CONSTRAINT ck_optimization_results_unserved_kw_range CHECK (unserved_kw >= -1e308 AND unserved_kw <= 1e308),
    CONSTRAINT ck_optimization_results_available_kw_range CHECK (available_kw >= -1e308 AND available_kw <= 1e308),
    CONSTRAINT ck_optimization_results_used_kw_range CHECK (used_kw >= -1e308 AND used_kw <= 1e308),
    CONSTRAINT ck_optimization_results_curtailed_kw_range CHECK (curtailed_kw >= -1e308 AND curtailed_kw <= 1e308),
    CONSTRAINT ck_optimization_results_cost_range CHECK (cost >= -1e308 AND cost <= 1e308),
    CONSTRAINT fk_optimization_results_job_id_asset_id_optimization_assets FOREIGN KEY(job_id, asset_id) REFERENCES optimization_assets (job_id, asset_id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_results IS 'What an asset does in one step of a schedule; powers are means over the step.';
COMMENT ON COLUMN optimization_results.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_results.time IS 'Beginning of the step.';
COMMENT ON COLUMN optimization_results.asset_id IS 'Asset''s id.';
COMMENT ON COLUMN optimization_results.step_h IS 'Length of the step. [h]';
COMMENT ON COLUMN optimization_results.injection_kw IS 'Power into the site''s bus; negative when drawn from it. [kW]';
COMMENT ON COLUMN optimization_results.charge_kw IS 'Charging power, at the site''s bus. [kW]';
COMMENT ON COLUMN optimization_results.discharge_kw IS 'Discharging power, at the site''s bus. [kW]';
COMMENT ON COLUMN optimization_results.energy_kwh IS 'Energy content at the end of the step. [kWh]';
COMMENT ON COLUMN optimization_results.soc IS 'State of charge at the end of the step. [1]';
COMMENT ON COLUMN optimization_results.import_kw IS 'Power drawn from the grid. [kW]';
COMMENT ON COLUMN optimization_results.export_kw IS 'Power fed into the grid. [kW]';
COMMENT ON COLUMN optimization_results.output_kw IS 'Power of a generator. [kW]';
COMMENT ON COLUMN optimization_results.is_on IS 'Whether a generator runs.';
COMMENT ON COLUMN optimization_results.demand_kw IS 'Power that a load asks for. [kW]';
COMMENT ON COLUMN optimization_results.served_kw IS 'Power that a load gets. [kW]';
COMMENT ON COLUMN optimization_results.unserved_kw IS 'Power that a load asks for and does not get. [kW]';
COMMENT ON COLUMN optimization_results.available_kw IS 'Power that wind or sun would give. [kW]';
COMMENT ON COLUMN optimization_results.used_kw IS 'Power of wind or sun that is used. [kW]';
COMMENT ON COLUMN optimization_results.curtailed_kw IS 'Power of wind or sun that is not used. [kW]';
COMMENT ON COLUMN optimization_results.cost IS 'Cost of the step; negative when it earns. [currency]';
COMMENT ON COLUMN optimization_results.extra IS 'Further variables of the asset''s kind, by name.';

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
GROUP BY results.job_id, results.time;
