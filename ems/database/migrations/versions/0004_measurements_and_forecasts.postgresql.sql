-- Statements of revision 0004; each ends with a semicolon and an empty line.

CREATE TABLE meters (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    site_id VARCHAR(64),
    asset_id VARCHAR(64),
    serial_number VARCHAR(200),
    description VARCHAR(10000) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by VARCHAR(200) NOT NULL,
    CONSTRAINT pk_meters PRIMARY KEY (id),
    CONSTRAINT ck_meters_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_meters_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_meters_site_id_length CHECK (length(site_id) <= 64),
    CONSTRAINT ck_meters_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_meters_serial_number_length CHECK (length(serial_number) >= 1 AND length(serial_number) <= 200),
    CONSTRAINT ck_meters_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_meters_created_by_length CHECK (length(created_by) >= 1 AND length(created_by) <= 200),
    CONSTRAINT fk_meters_site_id_sites FOREIGN KEY(site_id) REFERENCES sites (id) ON DELETE RESTRICT,
    CONSTRAINT fk_meters_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE RESTRICT
);

CREATE INDEX ix_meters_asset_id ON meters (asset_id);

CREATE INDEX ix_meters_site_id ON meters (site_id);

COMMENT ON TABLE meters IS 'What measures: a device, or a source such as a market or a weather service.';
COMMENT ON COLUMN meters.id IS 'Id of the meter.';
COMMENT ON COLUMN meters.name IS 'What people call it; the id where nothing is given.';
COMMENT ON COLUMN meters.site_id IS 'Site of the register at which it is.';
COMMENT ON COLUMN meters.asset_id IS 'Asset of the register that it measures.';
COMMENT ON COLUMN meters.serial_number IS 'Number on the device, or the one by which its operator knows it.';
COMMENT ON COLUMN meters.description IS 'Anything else that people should know.';
COMMENT ON COLUMN meters.created_at IS 'When it was made.';
COMMENT ON COLUMN meters.created_by IS 'Who made it.';

CREATE TABLE series (
    id VARCHAR(64) NOT NULL,
    meter_id VARCHAR(64),
    asset_id VARCHAR(64),
    variable VARCHAR(200) NOT NULL,
    unit VARCHAR(200),
    kind VARCHAR(5) NOT NULL,
    step_h DOUBLE PRECISION NOT NULL,
    raster_start TIMESTAMP WITH TIME ZONE NOT NULL,
    timezone VARCHAR(200) NOT NULL,
    source VARCHAR(10000) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by VARCHAR(200) NOT NULL,
    CONSTRAINT pk_series PRIMARY KEY (id),
    CONSTRAINT ck_series_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_series_meter_id_length CHECK (length(meter_id) <= 64),
    CONSTRAINT ck_series_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_series_variable_length CHECK (length(variable) >= 1 AND length(variable) <= 200),
    CONSTRAINT ck_series_unit_length CHECK (length(unit) >= 1 AND length(unit) <= 200),
    CONSTRAINT ck_series_kind_choice CHECK (kind IN ('mean', 'total', 'state')),
    CONSTRAINT ck_series_step_h_range CHECK (step_h > 0 AND step_h <= 8784),
    CONSTRAINT ck_series_timezone_length CHECK (length(timezone) >= 1 AND length(timezone) <= 200),
    CONSTRAINT ck_series_source_length CHECK (length(source) <= 10000),
    CONSTRAINT ck_series_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_series_created_by_length CHECK (length(created_by) >= 1 AND length(created_by) <= 200),
    CONSTRAINT ck_series_has_owner CHECK (meter_id IS NOT NULL OR asset_id IS NOT NULL),
    CONSTRAINT ck_series_step_in_seconds CHECK (abs(step_h * 3600 - round(step_h * 3600)) < 0.001 AND step_h * 3600 > 0.999),
    CONSTRAINT fk_series_meter_id_meters FOREIGN KEY(meter_id) REFERENCES meters (id) ON DELETE RESTRICT,
    CONSTRAINT fk_series_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE RESTRICT
);

CREATE INDEX ix_series_asset_id_variable ON series (asset_id, variable);

CREATE INDEX ix_series_meter_id ON series (meter_id);

COMMENT ON TABLE series IS 'One variable on a raster of equal steps in UTC, as one meter or asset gives it.';
COMMENT ON COLUMN series.id IS 'Id of the series.';
COMMENT ON COLUMN series.meter_id IS 'Meter that gives it.';
COMMENT ON COLUMN series.asset_id IS 'Asset of the register that it belongs to; left out, it is the meter''s.';
COMMENT ON COLUMN series.variable IS 'What its values are, with the unit at the end: demand_kw.';
COMMENT ON COLUMN series.unit IS 'Unit of its values: the one that the variable''s name states, a price with its currency.';
COMMENT ON COLUMN series.kind IS 'What a value says of its step: the mean over it, the total within it, or the state at its beginning.';
COMMENT ON COLUMN series.step_h IS 'Length of a step, in whole seconds. [h]';
COMMENT ON COLUMN series.raster_start IS 'Beginning of any one step; each point lies whole steps away from it.';
COMMENT ON COLUMN series.timezone IS 'IANA name of the time zone by whose days values are summed up.';
COMMENT ON COLUMN series.source IS 'Where it comes from, in words.';
COMMENT ON COLUMN series.description IS 'Anything else that people should know.';
COMMENT ON COLUMN series.created_at IS 'When it was made.';
COMMENT ON COLUMN series.created_by IS 'Who made it.';

CREATE TABLE series_versions (
    series_id VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by VARCHAR(200) NOT NULL,
    source VARCHAR(10000),
    sha256 VARCHAR(200),
    new_points BIGINT NOT NULL,
    changed_points BIGINT NOT NULL,
    CONSTRAINT pk_series_versions PRIMARY KEY (series_id, version),
    CONSTRAINT ck_series_versions_series_id_length CHECK (length(series_id) <= 64),
    CONSTRAINT ck_series_versions_version_range CHECK (version >= 1 AND version <= 9223372036854775807),
    CONSTRAINT ck_series_versions_recorded_by_length CHECK (length(recorded_by) >= 1 AND length(recorded_by) <= 200),
    CONSTRAINT ck_series_versions_source_length CHECK (length(source) <= 10000),
    CONSTRAINT ck_series_versions_sha256_length CHECK (length(sha256) >= 1 AND length(sha256) <= 200),
    CONSTRAINT ck_series_versions_new_points_range CHECK (new_points >= 0 AND new_points <= 9223372036854775807),
    CONSTRAINT ck_series_versions_changed_points_range CHECK (changed_points >= 0 AND changed_points <= 9223372036854775807),
    CONSTRAINT fk_series_versions_series_id_series FOREIGN KEY(series_id) REFERENCES series (id) ON DELETE CASCADE
);

COMMENT ON TABLE series_versions IS 'One import into a series that changed something; counts from 1 in each series.';
COMMENT ON COLUMN series_versions.series_id IS 'Series.';
COMMENT ON COLUMN series_versions.version IS 'Number of the import.';
COMMENT ON COLUMN series_versions.recorded_at IS 'When it was kept; reading as of a moment goes by this.';
COMMENT ON COLUMN series_versions.recorded_by IS 'Who imported.';
COMMENT ON COLUMN series_versions.source IS 'File or service that the points came from.';
COMMENT ON COLUMN series_versions.sha256 IS 'Hash of that file.';
COMMENT ON COLUMN series_versions.new_points IS 'Points at times that had none.';
COMMENT ON COLUMN series_versions.changed_points IS 'Points whose value or quality is another than before.';

CREATE TABLE series_points (
    series_id VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    version BIGINT NOT NULL,
    value DOUBLE PRECISION,
    quality VARCHAR(11) NOT NULL,
    CONSTRAINT pk_series_points PRIMARY KEY (series_id, time, version),
    CONSTRAINT ck_series_points_series_id_length CHECK (length(series_id) <= 64),
    CONSTRAINT ck_series_points_version_range CHECK (version >= 1 AND version <= 9223372036854775807),
    CONSTRAINT ck_series_points_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT ck_series_points_quality_choice CHECK (quality = 'measured' OR quality = 'estimated' OR quality = 'substituted' OR quality = 'suspect' OR quality = 'missing'),
    CONSTRAINT ck_series_points_missing_has_no_value CHECK ((quality = 'missing') = (value IS NULL)),
    CONSTRAINT fk_series_points_series_id_version_series_versions FOREIGN KEY(series_id, version) REFERENCES series_versions (series_id, version) ON DELETE CASCADE
);

COMMENT ON TABLE series_points IS 'A value of a series; the one of the highest version holds, earlier ones stay.';
COMMENT ON COLUMN series_points.series_id IS 'Series.';
COMMENT ON COLUMN series_points.time IS 'Beginning of the step.';
COMMENT ON COLUMN series_points.version IS 'Import that brought it.';
COMMENT ON COLUMN series_points.value IS 'Value in the unit of the series; empty where the point is missing.';
COMMENT ON COLUMN series_points.quality IS 'How sure it is: measured, estimated, substituted, suspect, or missing.';

CREATE TABLE forecast_jobs (
    id VARCHAR(64) NOT NULL,
    run_id VARCHAR(64),
    form VARCHAR(8) NOT NULL,
    kind VARCHAR(200) NOT NULL,
    series_id VARCHAR(64),
    asset_id VARCHAR(64),
    variable VARCHAR(200) NOT NULL,
    units VARCHAR(200),
    model VARCHAR(200) NOT NULL,
    parameters JSONB NOT NULL,
    horizon_h DOUBLE PRECISION,
    step_h DOUBLE PRECISION,
    timezone VARCHAR(200),
    issued_at TIMESTAMP WITH TIME ZONE,
    status VARCHAR(9) NOT NULL,
    samples BIGINT,
    metrics JSONB NOT NULL,
    seconds DOUBLE PRECISION,
    seed BIGINT,
    versions JSONB NOT NULL,
    attributes JSONB NOT NULL,
    error VARCHAR(10000),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_forecast_jobs PRIMARY KEY (id),
    CONSTRAINT ck_forecast_jobs_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_forecast_jobs_run_id_length CHECK (length(run_id) <= 64),
    CONSTRAINT ck_forecast_jobs_form_choice CHECK (form IN ('forecast', 'backtest')),
    CONSTRAINT ck_forecast_jobs_kind_length CHECK (length(kind) >= 1 AND length(kind) <= 200),
    CONSTRAINT ck_forecast_jobs_series_id_length CHECK (length(series_id) <= 64),
    CONSTRAINT ck_forecast_jobs_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_forecast_jobs_variable_length CHECK (length(variable) >= 1 AND length(variable) <= 200),
    CONSTRAINT ck_forecast_jobs_units_length CHECK (length(units) >= 1 AND length(units) <= 200),
    CONSTRAINT ck_forecast_jobs_model_length CHECK (length(model) >= 1 AND length(model) <= 200),
    CONSTRAINT ck_forecast_jobs_horizon_h_range CHECK (horizon_h > 0 AND horizon_h <= 1e308),
    CONSTRAINT ck_forecast_jobs_step_h_range CHECK (step_h > 0 AND step_h <= 1e308),
    CONSTRAINT ck_forecast_jobs_timezone_length CHECK (length(timezone) >= 1 AND length(timezone) <= 200),
    CONSTRAINT ck_forecast_jobs_status_choice CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    CONSTRAINT ck_forecast_jobs_samples_range CHECK (samples >= 0 AND samples <= 9223372036854775807),
    CONSTRAINT ck_forecast_jobs_seconds_range CHECK (seconds >= 0 AND seconds <= 1e308),
    CONSTRAINT ck_forecast_jobs_seed_range CHECK (seed >= -9223372036854775807 AND seed <= 9223372036854775807),
    CONSTRAINT ck_forecast_jobs_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_forecast_jobs_failure_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ck_forecast_jobs_end_has_time CHECK (status IN ('pending', 'running') OR finished_at IS NOT NULL),
    CONSTRAINT ck_forecast_jobs_completed_is_issued CHECK (status <> 'completed' OR (issued_at IS NOT NULL AND step_h IS NOT NULL)),
    CONSTRAINT fk_forecast_jobs_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX ix_forecast_jobs_asset_id_variable_issued_at ON forecast_jobs (asset_id, variable, issued_at);

CREATE INDEX ix_forecast_jobs_created_at ON forecast_jobs (created_at);

CREATE INDEX ix_forecast_jobs_run_id ON forecast_jobs (run_id);

CREATE INDEX ix_forecast_jobs_series_id_issued_at ON forecast_jobs (series_id, issued_at);

CREATE INDEX ix_forecast_jobs_status ON forecast_jobs (status);

COMMENT ON TABLE forecast_jobs IS 'One forecast, or the backtest of one model: what was asked, and how it went.';
COMMENT ON COLUMN forecast_jobs.id IS 'Name of the job.';
COMMENT ON COLUMN forecast_jobs.run_id IS 'Run which it belongs to; none where it was made outside of a study.';
COMMENT ON COLUMN forecast_jobs.form IS 'Whether it foretells once, or as often as a backtest has folds.';
COMMENT ON COLUMN forecast_jobs.kind IS 'What is foretold: load, solar, wind, price.';
COMMENT ON COLUMN forecast_jobs.series_id IS 'Series of the database that it was learned from, where there is one.';
COMMENT ON COLUMN forecast_jobs.asset_id IS 'Asset that it is for; none where the target belongs to no asset.';
COMMENT ON COLUMN forecast_jobs.variable IS 'What is foretold, with its unit at the end: demand_kw.';
COMMENT ON COLUMN forecast_jobs.units IS 'Unit of the values.';
COMMENT ON COLUMN forecast_jobs.model IS 'Model that was used.';
COMMENT ON COLUMN forecast_jobs.parameters IS 'All parameters with the values that held.';
COMMENT ON COLUMN forecast_jobs.horizon_h IS 'Time from the first step''s beginning to the last step''s end; of a backtest that of its longest fold. [h]';
COMMENT ON COLUMN forecast_jobs.step_h IS 'Length of a step. [h]';
COMMENT ON COLUMN forecast_jobs.timezone IS 'IANA name of the time zone of its local days.';
COMMENT ON COLUMN forecast_jobs.issued_at IS 'Moment up to which it knew anything; of a backtest that of its last fold.';
COMMENT ON COLUMN forecast_jobs.status IS 'How far it is.';
COMMENT ON COLUMN forecast_jobs.samples IS 'Number of values that it was trained with.';
COMMENT ON COLUMN forecast_jobs.metrics IS 'Scores and other figures by name.';
COMMENT ON COLUMN forecast_jobs.seconds IS 'CPU seconds for each forecast, training included; of a backtest the mean of its folds.';
COMMENT ON COLUMN forecast_jobs.seed IS 'Seed of what is random in it.';
COMMENT ON COLUMN forecast_jobs.versions IS 'Versions of the packages which took part.';
COMMENT ON COLUMN forecast_jobs.attributes IS 'What the dataset says of itself and of its variables beside all this, notes among it.';
COMMENT ON COLUMN forecast_jobs.error IS 'Why it failed.';
COMMENT ON COLUMN forecast_jobs.created_at IS 'When it was asked for.';
COMMENT ON COLUMN forecast_jobs.started_at IS 'When the work began.';
COMMENT ON COLUMN forecast_jobs.finished_at IS 'When it ended, in whatever way.';

CREATE TABLE forecast_results (
    job_id VARCHAR(64) NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    quantile DOUBLE PRECISION NOT NULL,
    value DOUBLE PRECISION,
    CONSTRAINT pk_forecast_results PRIMARY KEY (job_id, issued_at, time, quantile),
    CONSTRAINT ck_forecast_results_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_forecast_results_quantile_range CHECK (quantile > 0 AND quantile < 1),
    CONSTRAINT ck_forecast_results_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT fk_forecast_results_job_id_forecast_jobs FOREIGN KEY(job_id) REFERENCES forecast_jobs (id) ON DELETE CASCADE
);

COMMENT ON TABLE forecast_results IS 'One quantile of a step, as it was foretold at a moment.';
COMMENT ON COLUMN forecast_results.job_id IS 'Job.';
COMMENT ON COLUMN forecast_results.issued_at IS 'Moment up to which it knew anything.';
COMMENT ON COLUMN forecast_results.time IS 'Beginning of the step.';
COMMENT ON COLUMN forecast_results.quantile IS 'Probability that the truth is not above the value.';
COMMENT ON COLUMN forecast_results.value IS 'Value in the unit of the job; empty where the model gives none.';

CREATE TABLE forecast_observations (
    job_id VARCHAR(64) NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    value DOUBLE PRECISION,
    CONSTRAINT pk_forecast_observations PRIMARY KEY (job_id, issued_at, time),
    CONSTRAINT ck_forecast_observations_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_forecast_observations_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT fk_forecast_observations_job_id_forecast_jobs FOREIGN KEY(job_id) REFERENCES forecast_jobs (id) ON DELETE CASCADE
);

COMMENT ON TABLE forecast_observations IS 'What came true in a step of a backtest, as the scores saw it.';
COMMENT ON COLUMN forecast_observations.job_id IS 'Job.';
COMMENT ON COLUMN forecast_observations.issued_at IS 'Moment at which the step was foretold.';
COMMENT ON COLUMN forecast_observations.time IS 'Beginning of the step.';
COMMENT ON COLUMN forecast_observations.value IS 'Value in the unit of the job; empty where none is known.';
