-- Statements of revision 0005; each ends with a semicolon and an empty line.

CREATE TABLE batches (
    id VARCHAR(64) NOT NULL,
    study VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    sweep JSON NOT NULL,
    options JSON NOT NULL,
    code VARCHAR(64) NOT NULL,
    cases BIGINT NOT NULL,
    created_at DATETIME NOT NULL,
    finished_at DATETIME,
    CONSTRAINT pk_batches PRIMARY KEY (id),
    CONSTRAINT ck_batches_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_batches_study_length CHECK (length(study) <= 64),
    CONSTRAINT ck_batches_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_batches_status_choice CHECK (status IN ('open', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_batches_code_length CHECK (length(code) >= 64 AND length(code) <= 64),
    CONSTRAINT ck_batches_cases_range CHECK (cases >= 0 AND cases <= 9223372036854775807),
    CONSTRAINT ck_batches_end_has_time CHECK (status = 'open' OR finished_at IS NOT NULL)
);

CREATE INDEX ix_batches_created_at ON batches (created_at);

CREATE INDEX ix_batches_study_name ON batches (study, name);

CREATE TABLE batch_cases (
    batch_id VARCHAR(64) NOT NULL,
    number BIGINT NOT NULL,
    label VARCHAR(200) NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    parameters JSON NOT NULL,
    swept JSON NOT NULL,
    status VARCHAR(9) NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    owner VARCHAR(200),
    lease_until DATETIME,
    not_before DATETIME,
    run_id VARCHAR(64),
    is_reused BOOLEAN NOT NULL,
    error VARCHAR(10000),
    finished_at DATETIME,
    CONSTRAINT pk_batch_cases PRIMARY KEY (batch_id, number),
    CONSTRAINT ck_batch_cases_batch_id_length CHECK (length(batch_id) <= 64),
    CONSTRAINT ck_batch_cases_number_range CHECK (number >= 1 AND number <= 9223372036854775807),
    CONSTRAINT ck_batch_cases_label_length CHECK (length(label) >= 1 AND length(label) <= 200),
    CONSTRAINT ck_batch_cases_key_length CHECK (length(key) >= 64 AND length(key) <= 64),
    CONSTRAINT ck_batch_cases_status_choice CHECK (status IN ('waiting', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_batch_cases_attempts_range CHECK (attempts >= 0 AND attempts <= 9223372036854775807),
    CONSTRAINT ck_batch_cases_fence_range CHECK (fence >= 0 AND fence <= 9223372036854775807),
    CONSTRAINT ck_batch_cases_owner_length CHECK (length(owner) >= 1 AND length(owner) <= 200),
    CONSTRAINT ck_batch_cases_run_id_length CHECK (length(run_id) <= 64),
    CONSTRAINT ck_batch_cases_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_batch_cases_running_has_owner CHECK (status <> 'running' OR (owner IS NOT NULL AND lease_until IS NOT NULL)),
    CONSTRAINT ck_batch_cases_completed_has_run CHECK (status <> 'completed' OR run_id IS NOT NULL),
    CONSTRAINT ck_batch_cases_failure_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT fk_batch_cases_batch_id_batches FOREIGN KEY(batch_id) REFERENCES batches (id) ON DELETE CASCADE,
    CONSTRAINT ck_batch_cases_is_reused_choice CHECK (is_reused IN (0, 1))
);

CREATE INDEX ix_batch_cases_batch_id_status ON batch_cases (batch_id, status);

CREATE INDEX ix_batch_cases_key_status ON batch_cases ("key", status);

CREATE INDEX ix_batch_cases_run_id ON batch_cases (run_id);

CREATE TABLE batch_attempts (
    batch_id VARCHAR(64) NOT NULL,
    number BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    owner VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    started_at DATETIME NOT NULL,
    finished_at DATETIME,
    seconds DOUBLE,
    peak_memory_mb DOUBLE,
    error VARCHAR(10000),
    CONSTRAINT pk_batch_attempts PRIMARY KEY (batch_id, number, fence),
    CONSTRAINT ck_batch_attempts_batch_id_length CHECK (length(batch_id) <= 64),
    CONSTRAINT ck_batch_attempts_number_range CHECK (number >= 1 AND number <= 9223372036854775807),
    CONSTRAINT ck_batch_attempts_fence_range CHECK (fence >= 1 AND fence <= 9223372036854775807),
    CONSTRAINT ck_batch_attempts_run_id_length CHECK (length(run_id) <= 64),
    CONSTRAINT ck_batch_attempts_owner_length CHECK (length(owner) >= 1 AND length(owner) <= 200),
    CONSTRAINT ck_batch_attempts_status_choice CHECK (status IN ('running', 'completed', 'failed', 'lost', 'cancelled')),
    CONSTRAINT ck_batch_attempts_seconds_range CHECK (seconds >= 0 AND seconds <= 1e308),
    CONSTRAINT ck_batch_attempts_peak_memory_mb_range CHECK (peak_memory_mb >= 0 AND peak_memory_mb <= 1e308),
    CONSTRAINT ck_batch_attempts_error_length CHECK (length(error) <= 10000),
    CONSTRAINT fk_batch_attempts_batch_id_number_batch_cases FOREIGN KEY(batch_id, number) REFERENCES batch_cases (batch_id, number) ON DELETE CASCADE
);

CREATE INDEX ix_batch_attempts_run_id ON batch_attempts (run_id);

CREATE TABLE workflow_definitions (
    name VARCHAR(64) NOT NULL,
    version VARCHAR(64) NOT NULL,
    title VARCHAR(200) NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    tags JSON NOT NULL,
    definition JSON NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_workflow_definitions PRIMARY KEY (name, version),
    CONSTRAINT ck_workflow_definitions_name_length CHECK (length(name) <= 64),
    CONSTRAINT ck_workflow_definitions_version_length CHECK (length(version) >= 64 AND length(version) <= 64),
    CONSTRAINT ck_workflow_definitions_title_length CHECK (length(title) >= 1 AND length(title) <= 200),
    CONSTRAINT ck_workflow_definitions_is_enabled_choice CHECK (is_enabled IN (0, 1))
);

CREATE INDEX ix_workflow_definitions_name_created_at ON workflow_definitions (name, created_at);

CREATE TABLE workflow_executions (
    id VARCHAR(64) NOT NULL,
    workflow VARCHAR(64) NOT NULL,
    version VARCHAR(64) NOT NULL,
    status VARCHAR(9) NOT NULL,
    "trigger" VARCHAR(8) NOT NULL,
    scheduled_for DATETIME,
    parameters JSON NOT NULL,
    is_cancelling BOOLEAN NOT NULL,
    fence BIGINT NOT NULL,
    host VARCHAR(200),
    process_id BIGINT,
    process_started_at DATETIME,
    lease_until DATETIME,
    created_at DATETIME NOT NULL,
    started_at DATETIME,
    finished_at DATETIME,
    error VARCHAR(10000),
    CONSTRAINT pk_workflow_executions PRIMARY KEY (id),
    CONSTRAINT ck_workflow_executions_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_workflow_executions_workflow_length CHECK (length(workflow) <= 64),
    CONSTRAINT ck_workflow_executions_version_length CHECK (length(version) >= 64 AND length(version) <= 64),
    CONSTRAINT ck_workflow_executions_status_choice CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_workflow_executions_trigger_choice CHECK (trigger IN ('command', 'schedule', 'file', 'http')),
    CONSTRAINT ck_workflow_executions_fence_range CHECK (fence >= 0 AND fence <= 9223372036854775807),
    CONSTRAINT ck_workflow_executions_host_length CHECK (length(host) >= 1 AND length(host) <= 200),
    CONSTRAINT ck_workflow_executions_process_id_range CHECK (process_id > 0 AND process_id <= 9223372036854775807),
    CONSTRAINT ck_workflow_executions_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_workflow_executions_failure_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ck_workflow_executions_end_has_time CHECK (status IN ('pending', 'running') OR finished_at IS NOT NULL),
    CONSTRAINT fk_workflow_executions_workflow_version_workflow_definitions FOREIGN KEY(workflow, version) REFERENCES workflow_definitions (name, version) ON DELETE CASCADE,
    CONSTRAINT ck_workflow_executions_is_cancelling_choice CHECK (is_cancelling IN (0, 1))
);

CREATE INDEX ix_workflow_executions_created_at ON workflow_executions (created_at);

CREATE INDEX ix_workflow_executions_status ON workflow_executions (status);

CREATE INDEX ix_workflow_executions_workflow_created_at ON workflow_executions (workflow, created_at);

CREATE UNIQUE INDEX uq_workflow_executions_workflow_scheduled_for ON workflow_executions (workflow, scheduled_for);

CREATE TABLE task_executions (
    execution_id VARCHAR(64) NOT NULL,
    task_id VARCHAR(64) NOT NULL,
    item VARCHAR(200) NOT NULL,
    attempt BIGINT NOT NULL,
    kind VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    reason VARCHAR(10000),
    parameters JSON NOT NULL,
    outputs JSON NOT NULL,
    run_id VARCHAR(64),
    started_at DATETIME,
    finished_at DATETIME,
    error VARCHAR(10000),
    CONSTRAINT pk_task_executions PRIMARY KEY (execution_id, task_id, item, attempt),
    CONSTRAINT ck_task_executions_execution_id_length CHECK (length(execution_id) <= 64),
    CONSTRAINT ck_task_executions_task_id_length CHECK (length(task_id) <= 64),
    CONSTRAINT ck_task_executions_item_length CHECK (length(item) <= 200),
    CONSTRAINT ck_task_executions_attempt_range CHECK (attempt >= 0 AND attempt <= 9223372036854775807),
    CONSTRAINT ck_task_executions_kind_length CHECK (length(kind) >= 1 AND length(kind) <= 200),
    CONSTRAINT ck_task_executions_status_choice CHECK (status IN ('pending', 'running', 'completed', 'failed', 'skipped', 'cancelled')),
    CONSTRAINT ck_task_executions_reason_length CHECK (length(reason) <= 10000),
    CONSTRAINT ck_task_executions_run_id_length CHECK (length(run_id) <= 64),
    CONSTRAINT ck_task_executions_error_length CHECK (length(error) <= 10000),
    CONSTRAINT ck_task_executions_failure_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT ck_task_executions_skip_has_reason CHECK (status <> 'skipped' OR reason IS NOT NULL),
    CONSTRAINT fk_task_executions_execution_id_workflow_executions FOREIGN KEY(execution_id) REFERENCES workflow_executions (id) ON DELETE CASCADE
);

CREATE INDEX ix_task_executions_run_id ON task_executions (run_id);

CREATE TABLE schedules (
    workflow VARCHAR(64) NOT NULL,
    handled_until DATETIME,
    fence BIGINT NOT NULL,
    owner VARCHAR(200),
    lease_until DATETIME,
    CONSTRAINT pk_schedules PRIMARY KEY (workflow),
    CONSTRAINT ck_schedules_workflow_length CHECK (length(workflow) <= 64),
    CONSTRAINT ck_schedules_fence_range CHECK (fence >= 0 AND fence <= 9223372036854775807),
    CONSTRAINT ck_schedules_owner_length CHECK (length(owner) >= 1 AND length(owner) <= 200)
);
