-- Statements of revision 0005; each ends with a semicolon and an empty line.

CREATE TABLE batches (
    id VARCHAR(64) NOT NULL,
    study VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    sweep JSONB NOT NULL,
    options JSONB NOT NULL,
    code VARCHAR(64) NOT NULL,
    cases BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
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

COMMENT ON TABLE batches IS 'Many runs of one study, one for each case of a sweep.';
COMMENT ON COLUMN batches.id IS 'Sortable name: the time when the batch was opened, in UTC, and some random letters.';
COMMENT ON COLUMN batches.study IS 'Study that runs.';
COMMENT ON COLUMN batches.name IS 'Name of the sweep: of its file.';
COMMENT ON COLUMN batches.status IS 'How far it is: failed where a case ended without a result.';
COMMENT ON COLUMN batches.sweep IS 'What the sweep''s file says.';
COMMENT ON COLUMN batches.options IS 'How it runs: time limits, attempts, memory.';
COMMENT ON COLUMN batches.code IS 'Digest of notebook and package; another one is another result.';
COMMENT ON COLUMN batches.cases IS 'Number of its cases.';
COMMENT ON COLUMN batches.created_at IS 'When it was opened.';
COMMENT ON COLUMN batches.finished_at IS 'When it ended, in whatever way.';

CREATE TABLE batch_cases (
    batch_id VARCHAR(64) NOT NULL,
    number BIGINT NOT NULL,
    label VARCHAR(200) NOT NULL,
    key VARCHAR(64) NOT NULL,
    parameters JSONB NOT NULL,
    swept JSONB NOT NULL,
    status VARCHAR(9) NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    owner VARCHAR(200),
    lease_until TIMESTAMP WITH TIME ZONE,
    not_before TIMESTAMP WITH TIME ZONE,
    run_id VARCHAR(64),
    is_reused BOOLEAN NOT NULL,
    error VARCHAR(10000),
    finished_at TIMESTAMP WITH TIME ZONE,
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
    CONSTRAINT fk_batch_cases_batch_id_batches FOREIGN KEY(batch_id) REFERENCES batches (id) ON DELETE CASCADE
);

CREATE INDEX ix_batch_cases_batch_id_status ON batch_cases (batch_id, status);

CREATE INDEX ix_batch_cases_key_status ON batch_cases (key, status);

CREATE INDEX ix_batch_cases_run_id ON batch_cases (run_id);

COMMENT ON TABLE batch_cases IS 'One case of a batch, and who works on it.';
COMMENT ON COLUMN batch_cases.batch_id IS 'Batch.';
COMMENT ON COLUMN batch_cases.number IS 'Place in the sweep, from 1.';
COMMENT ON COLUMN batch_cases.label IS 'What is special about it, for people.';
COMMENT ON COLUMN batch_cases.key IS 'Digest of notebook, package, parameters and inputs: equal keys have equal results.';
COMMENT ON COLUMN batch_cases.parameters IS 'The parameters that were stated.';
COMMENT ON COLUMN batch_cases.swept IS 'Those of them in which the cases differ.';
COMMENT ON COLUMN batch_cases.status IS 'How far it is.';
COMMENT ON COLUMN batch_cases.attempts IS 'Attempts that were begun and count: those lost with their worker do not.';
COMMENT ON COLUMN batch_cases.fence IS 'Number of the newest lease; whoever holds an older one may write no more.';
COMMENT ON COLUMN batch_cases.owner IS 'Worker that holds the lease.';
COMMENT ON COLUMN batch_cases.lease_until IS 'When the lease ends unless it is renewed.';
COMMENT ON COLUMN batch_cases.not_before IS 'When it may be tried again.';
COMMENT ON COLUMN batch_cases.run_id IS 'Run that has its result, or the newest one that failed.';
COMMENT ON COLUMN batch_cases.is_reused IS 'Whether the result is that of an earlier run with the same key.';
COMMENT ON COLUMN batch_cases.error IS 'Why it has no result.';
COMMENT ON COLUMN batch_cases.finished_at IS 'When it ended.';

CREATE TABLE batch_attempts (
    batch_id VARCHAR(64) NOT NULL,
    number BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    owner VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    seconds DOUBLE PRECISION,
    peak_memory_mb DOUBLE PRECISION,
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

COMMENT ON TABLE batch_attempts IS 'One attempt at a case: a run in a worker.';
COMMENT ON COLUMN batch_attempts.batch_id IS 'Batch.';
COMMENT ON COLUMN batch_attempts.number IS 'Case.';
COMMENT ON COLUMN batch_attempts.fence IS 'Lease under which it ran.';
COMMENT ON COLUMN batch_attempts.run_id IS 'Run that it opened.';
COMMENT ON COLUMN batch_attempts.owner IS 'Worker: host, process and start.';
COMMENT ON COLUMN batch_attempts.status IS 'How it went: lost where its worker was gone.';
COMMENT ON COLUMN batch_attempts.started_at IS 'When it began.';
COMMENT ON COLUMN batch_attempts.finished_at IS 'When it ended.';
COMMENT ON COLUMN batch_attempts.seconds IS 'CPU seconds of its kernel.';
COMMENT ON COLUMN batch_attempts.peak_memory_mb IS 'Most memory that its kernel held.';
COMMENT ON COLUMN batch_attempts.error IS 'Why it failed.';

CREATE TABLE workflow_definitions (
    name VARCHAR(64) NOT NULL,
    version VARCHAR(64) NOT NULL,
    title VARCHAR(200) NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    tags JSONB NOT NULL,
    definition JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_workflow_definitions PRIMARY KEY (name, version),
    CONSTRAINT ck_workflow_definitions_name_length CHECK (length(name) <= 64),
    CONSTRAINT ck_workflow_definitions_version_length CHECK (length(version) >= 64 AND length(version) <= 64),
    CONSTRAINT ck_workflow_definitions_title_length CHECK (length(title) >= 1 AND length(title) <= 200)
);

CREATE INDEX ix_workflow_definitions_name_created_at ON workflow_definitions (name, created_at);

COMMENT ON TABLE workflow_definitions IS 'A workflow as its file stated it at some time.';
COMMENT ON COLUMN workflow_definitions.name IS 'Name of the workflow: of its file.';
COMMENT ON COLUMN workflow_definitions.version IS 'Digest of its text.';
COMMENT ON COLUMN workflow_definitions.title IS 'Title for people.';
COMMENT ON COLUMN workflow_definitions.is_enabled IS 'Whether schedules and triggers may start it.';
COMMENT ON COLUMN workflow_definitions.tags IS 'Words by which people find it.';
COMMENT ON COLUMN workflow_definitions.definition IS 'What its file says.';
COMMENT ON COLUMN workflow_definitions.created_at IS 'When this version was first seen.';

CREATE TABLE workflow_executions (
    id VARCHAR(64) NOT NULL,
    workflow VARCHAR(64) NOT NULL,
    version VARCHAR(64) NOT NULL,
    status VARCHAR(9) NOT NULL,
    trigger VARCHAR(8) NOT NULL,
    scheduled_for TIMESTAMP WITH TIME ZONE,
    parameters JSONB NOT NULL,
    is_cancelling BOOLEAN NOT NULL,
    fence BIGINT NOT NULL,
    host VARCHAR(200),
    process_id BIGINT,
    process_started_at TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
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
    CONSTRAINT fk_workflow_executions_workflow_version_workflow_definitions FOREIGN KEY(workflow, version) REFERENCES workflow_definitions (name, version) ON DELETE CASCADE
);

CREATE INDEX ix_workflow_executions_created_at ON workflow_executions (created_at);

CREATE INDEX ix_workflow_executions_status ON workflow_executions (status);

CREATE INDEX ix_workflow_executions_workflow_created_at ON workflow_executions (workflow, created_at);

CREATE UNIQUE INDEX uq_workflow_executions_workflow_scheduled_for ON workflow_executions (workflow, scheduled_for);

COMMENT ON TABLE workflow_executions IS 'One execution of a workflow.';
COMMENT ON COLUMN workflow_executions.id IS 'Sortable name: the time when it was opened, in UTC, and some random letters.';
COMMENT ON COLUMN workflow_executions.workflow IS 'Workflow.';
COMMENT ON COLUMN workflow_executions.version IS 'Version of its definition.';
COMMENT ON COLUMN workflow_executions.status IS 'How far it is.';
COMMENT ON COLUMN workflow_executions.trigger IS 'What started it.';
COMMENT ON COLUMN workflow_executions.scheduled_for IS 'Moment of the schedule that it belongs to; there is one execution for each.';
COMMENT ON COLUMN workflow_executions.parameters IS 'The workflow''s parameters with the values that held; secrets by name alone.';
COMMENT ON COLUMN workflow_executions.is_cancelling IS 'Whether a person asked it to end.';
COMMENT ON COLUMN workflow_executions.fence IS 'Number of the newest lease; a process that holds an older one may write no more.';
COMMENT ON COLUMN workflow_executions.host IS 'Machine on which its process is.';
COMMENT ON COLUMN workflow_executions.process_id IS 'Number of its process on that machine.';
COMMENT ON COLUMN workflow_executions.process_started_at IS 'Start of that process.';
COMMENT ON COLUMN workflow_executions.lease_until IS 'When another process may take it over, unless the lease is renewed.';
COMMENT ON COLUMN workflow_executions.created_at IS 'When it was opened.';
COMMENT ON COLUMN workflow_executions.started_at IS 'When the work began.';
COMMENT ON COLUMN workflow_executions.finished_at IS 'When it ended, in whatever way.';
COMMENT ON COLUMN workflow_executions.error IS 'Why it failed.';

CREATE TABLE task_executions (
    execution_id VARCHAR(64) NOT NULL,
    task_id VARCHAR(64) NOT NULL,
    item VARCHAR(200) NOT NULL,
    attempt BIGINT NOT NULL,
    kind VARCHAR(200) NOT NULL,
    status VARCHAR(9) NOT NULL,
    reason VARCHAR(10000),
    parameters JSONB NOT NULL,
    outputs JSONB NOT NULL,
    run_id VARCHAR(64),
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
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

COMMENT ON TABLE task_executions IS 'One attempt at a task of an execution, or why it was skipped.';
COMMENT ON COLUMN task_executions.execution_id IS 'Execution.';
COMMENT ON COLUMN task_executions.task_id IS 'Task of the workflow.';
COMMENT ON COLUMN task_executions.item IS 'Item of a task that runs for each of several; empty of others.';
COMMENT ON COLUMN task_executions.attempt IS 'Number of the attempt, from 1; 0 where it never began.';
COMMENT ON COLUMN task_executions.kind IS 'What it does: study, http, delay.';
COMMENT ON COLUMN task_executions.status IS 'How far it is.';
COMMENT ON COLUMN task_executions.reason IS 'Why it was skipped.';
COMMENT ON COLUMN task_executions.parameters IS 'Its parameters with the values that held; secrets by name alone.';
COMMENT ON COLUMN task_executions.outputs IS 'What later tasks may refer to.';
COMMENT ON COLUMN task_executions.run_id IS 'Run of a notebook that it opened.';
COMMENT ON COLUMN task_executions.started_at IS 'When it began.';
COMMENT ON COLUMN task_executions.finished_at IS 'When it ended.';
COMMENT ON COLUMN task_executions.error IS 'Why it failed.';

CREATE TABLE schedules (
    workflow VARCHAR(64) NOT NULL,
    handled_until TIMESTAMP WITH TIME ZONE,
    fence BIGINT NOT NULL,
    owner VARCHAR(200),
    lease_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_schedules PRIMARY KEY (workflow),
    CONSTRAINT ck_schedules_workflow_length CHECK (length(workflow) <= 64),
    CONSTRAINT ck_schedules_fence_range CHECK (fence >= 0 AND fence <= 9223372036854775807),
    CONSTRAINT ck_schedules_owner_length CHECK (length(owner) >= 1 AND length(owner) <= 200)
);

COMMENT ON TABLE schedules IS 'How far the schedule of a workflow is, and which process looks after it.';
COMMENT ON COLUMN schedules.workflow IS 'Workflow.';
COMMENT ON COLUMN schedules.handled_until IS 'Times up to this one have been started or skipped.';
COMMENT ON COLUMN schedules.fence IS 'Number of the newest lease.';
COMMENT ON COLUMN schedules.owner IS 'Process that holds the lease: host, number and start.';
COMMENT ON COLUMN schedules.lease_until IS 'When another process may look after it, unless the lease is renewed.';
