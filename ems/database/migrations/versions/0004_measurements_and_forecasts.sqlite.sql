-- Statements of revision 0004; each ends with a semicolon and an empty line.

CREATE TABLE meters (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    site_id VARCHAR(64),
    asset_id VARCHAR(64),
    serial_number VARCHAR(200),
    description VARCHAR(10000) NOT NULL,
    created_at DATETIME NOT NULL,
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

CREATE TABLE series (
    id VARCHAR(64) NOT NULL,
    meter_id VARCHAR(64),
    asset_id VARCHAR(64),
    variable VARCHAR(200) NOT NULL,
    unit VARCHAR(200),
    kind VARCHAR(5) NOT NULL,
    step_h DOUBLE NOT NULL,
    raster_start DATETIME NOT NULL,
    timezone VARCHAR(200) NOT NULL,
    source VARCHAR(10000) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    created_at DATETIME NOT NULL,
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

CREATE TABLE series_versions (
    series_id VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    recorded_at DATETIME NOT NULL,
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

CREATE TABLE series_points (
    series_id VARCHAR(64) NOT NULL,
    time DATETIME NOT NULL,
    version BIGINT NOT NULL,
    value DOUBLE,
    quality VARCHAR(11) NOT NULL,
    CONSTRAINT pk_series_points PRIMARY KEY (series_id, time, version),
    CONSTRAINT ck_series_points_series_id_length CHECK (length(series_id) <= 64),
    CONSTRAINT ck_series_points_version_range CHECK (version >= 1 AND version <= 9223372036854775807),
    CONSTRAINT ck_series_points_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT ck_series_points_quality_choice CHECK (quality = 'measured' OR quality = 'estimated' OR quality = 'substituted' OR quality = 'suspect' OR quality = 'missing'),
    CONSTRAINT ck_series_points_missing_has_no_value CHECK ((quality = 'missing') = (value IS NULL)),
    CONSTRAINT fk_series_points_series_id_version_series_versions FOREIGN KEY(series_id, version) REFERENCES series_versions (series_id, version) ON DELETE CASCADE
)
 WITHOUT ROWID;

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
    parameters JSON NOT NULL,
    horizon_h DOUBLE,
    step_h DOUBLE,
    timezone VARCHAR(200),
    issued_at DATETIME,
    status VARCHAR(9) NOT NULL,
    samples BIGINT,
    metrics JSON NOT NULL,
    seconds DOUBLE,
    seed BIGINT,
    versions JSON NOT NULL,
    attributes JSON NOT NULL,
    error VARCHAR(10000),
    created_at DATETIME NOT NULL,
    started_at DATETIME,
    finished_at DATETIME,
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

CREATE TABLE forecast_results (
    job_id VARCHAR(64) NOT NULL,
    issued_at DATETIME NOT NULL,
    time DATETIME NOT NULL,
    quantile DOUBLE NOT NULL,
    value DOUBLE,
    CONSTRAINT pk_forecast_results PRIMARY KEY (job_id, issued_at, time, quantile),
    CONSTRAINT ck_forecast_results_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_forecast_results_quantile_range CHECK (quantile > 0 AND quantile < 1),
    CONSTRAINT ck_forecast_results_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT fk_forecast_results_job_id_forecast_jobs FOREIGN KEY(job_id) REFERENCES forecast_jobs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE forecast_observations (
    job_id VARCHAR(64) NOT NULL,
    issued_at DATETIME NOT NULL,
    time DATETIME NOT NULL,
    value DOUBLE,
    CONSTRAINT pk_forecast_observations PRIMARY KEY (job_id, issued_at, time),
    CONSTRAINT ck_forecast_observations_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_forecast_observations_value_range CHECK (value >= -1e308 AND value <= 1e308),
    CONSTRAINT fk_forecast_observations_job_id_forecast_jobs FOREIGN KEY(job_id) REFERENCES forecast_jobs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
