-- Derived from the records by ems.database.schema.schema_text; change the records, not this file.

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

CREATE TABLE portfolios (
    id VARCHAR(64) NOT NULL,
    currency TEXT NOT NULL,
    series JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_portfolios PRIMARY KEY (id),
    CONSTRAINT ck_portfolios_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_portfolios_one CHECK (id = 'default'),
    CONSTRAINT ck_portfolios_currency_length CHECK (length(currency) = 3)
);
COMMENT ON TABLE portfolios IS 'What holds for the whole portfolio of a database.';
COMMENT ON COLUMN portfolios.id IS 'Always default: a database holds one portfolio.';
COMMENT ON COLUMN portfolios.currency IS 'ISO 4217 code of the currency of every price and cost.';
COMMENT ON COLUMN portfolios.series IS 'How the columns of a file of series belong to the assets.';
COMMENT ON COLUMN portfolios.created_at IS 'When it was made.';
COMMENT ON COLUMN portfolios.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN portfolios.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN portfolios.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN portfolios.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE register_changes (
    id BIGSERIAL NOT NULL,
    table_name VARCHAR(200) NOT NULL,
    row_id VARCHAR(200) NOT NULL,
    field VARCHAR(200),
    "old" JSONB,
    "new" JSONB,
    operation VARCHAR(6) NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_by VARCHAR(200) NOT NULL,
    CONSTRAINT pk_register_changes PRIMARY KEY (id),
    CONSTRAINT ck_register_changes_table_name_length CHECK (length(table_name) >= 1 AND length(table_name) <= 200),
    CONSTRAINT ck_register_changes_row_id_length CHECK (length(row_id) >= 1 AND length(row_id) <= 200),
    CONSTRAINT ck_register_changes_field_length CHECK (length(field) >= 1 AND length(field) <= 200),
    CONSTRAINT ck_register_changes_operation_choice CHECK (operation IN ('create', 'update', 'delete')),
    CONSTRAINT ck_register_changes_version_range CHECK (version >= 0 AND version <= 9223372036854775807),
    CONSTRAINT ck_register_changes_changed_by_length CHECK (length(changed_by) >= 1 AND length(changed_by) <= 200)
);
CREATE INDEX ix_register_changes_changed_at ON register_changes (changed_at);
CREATE INDEX ix_register_changes_table_name_row_id ON register_changes (table_name, row_id);
COMMENT ON TABLE register_changes IS 'A change of one field, or the making or removal of a whole row.';
COMMENT ON COLUMN register_changes.id IS 'Counts changes in their order.';
COMMENT ON COLUMN register_changes.table_name IS 'Table of the row; what belongs to an asset stands under assets.';
COMMENT ON COLUMN register_changes.row_id IS 'Id of the row; where its key has several parts, they are joined by a slash.';
COMMENT ON COLUMN register_changes.field IS 'Field that was changed; none where a whole row was made, removed, or changed past the functions.';
COMMENT ON COLUMN register_changes."old" IS 'Value before; of a whole row, the fields that were stated.';
COMMENT ON COLUMN register_changes."new" IS 'Value afterwards; of a whole row, the fields that were stated.';
COMMENT ON COLUMN register_changes.operation IS 'What was done.';
COMMENT ON COLUMN register_changes.version IS 'Version of the row that the change made.';
COMMENT ON COLUMN register_changes.changed_at IS 'When.';
COMMENT ON COLUMN register_changes.changed_by IS 'By whom; sql where a statement came past the functions.';

CREATE TABLE reserve_requirements (
    id VARCHAR(64) NOT NULL,
    kind VARCHAR(12) NOT NULL,
    direction VARCHAR(4) NOT NULL,
    requirement_kw DOUBLE PRECISION,
    price_per_kw_h DOUBLE PRECISION NOT NULL,
    duration_h DOUBLE PRECISION NOT NULL,
    providers JSONB NOT NULL,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_reserve_requirements PRIMARY KEY (id),
    CONSTRAINT ck_reserve_requirements_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_reserve_requirements_kind_choice CHECK (kind IN ('capacity', 'ramp_limited', 'headroom')),
    CONSTRAINT ck_reserve_requirements_direction_choice CHECK (direction IN ('up', 'down')),
    CONSTRAINT ck_reserve_requirements_requirement_kw_range CHECK (requirement_kw >= 0 AND requirement_kw <= 1e308),
    CONSTRAINT ck_reserve_requirements_price_per_kw_h_range CHECK (price_per_kw_h >= 0 AND price_per_kw_h <= 1e308),
    CONSTRAINT ck_reserve_requirements_duration_h_range CHECK (duration_h > 0 AND duration_h <= 1e308),
    CONSTRAINT ck_reserve_requirements_down_is_headroom CHECK (direction = 'up' OR kind = 'headroom'),
    CONSTRAINT ck_reserve_requirements_capacity_has_no_price CHECK (kind <> 'capacity' OR price_per_kw_h = 0)
);
CREATE INDEX ix_reserve_requirements_position ON reserve_requirements (position);
COMMENT ON TABLE reserve_requirements IS 'Power that must be able to come on top of the schedule, or to go off it, in every step.';
COMMENT ON COLUMN reserve_requirements.id IS 'Id of the requirement.';
COMMENT ON COLUMN reserve_requirements.kind IS 'What counts: all capacity of generators on line against demand and requirement together (capacity); what generators alone can add within a step (ramp_limited); what generators, batteries and renewables can change within their limits (headroom).';
COMMENT ON COLUMN reserve_requirements.direction IS 'Whether power is added to the bus or taken off it.';
COMMENT ON COLUMN reserve_requirements.requirement_kw IS 'Reserve that is required in each step; a series reserve_requirement_kw of the same id where it changes. [kW]';
COMMENT ON COLUMN reserve_requirements.price_per_kw_h IS 'What is paid for each kW that stands ready for an hour; then more than is required may be offered. [currency/kW·h]';
COMMENT ON COLUMN reserve_requirements.duration_h IS 'Hours for which a store must be able to deliver it. [h]';
COMMENT ON COLUMN reserve_requirements.providers IS 'Assets that may offer it; all that can where nothing is given.';
COMMENT ON COLUMN reserve_requirements.position IS 'Place in the order of entry.';
COMMENT ON COLUMN reserve_requirements.created_at IS 'When it was made.';
COMMENT ON COLUMN reserve_requirements.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN reserve_requirements.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN reserve_requirements.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN reserve_requirements.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE TABLE sites (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    code VARCHAR(200),
    timezone TEXT NOT NULL,
    country TEXT,
    address VARCHAR(10000),
    city VARCHAR(200),
    state_province VARCHAR(200),
    postal_code VARCHAR(200),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    site_type VARCHAR(11),
    total_capacity_kw DOUBLE PRECISION,
    status VARCHAR(14) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    spill_cost_per_kwh DOUBLE PRECISION,
    unserved_cost_per_kwh DOUBLE PRECISION,
    metadata JSONB NOT NULL,
    stated JSONB,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_sites PRIMARY KEY (id),
    CONSTRAINT ck_sites_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_sites_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_sites_code_length CHECK (length(code) >= 1 AND length(code) <= 200),
    CONSTRAINT ck_sites_address_length CHECK (length(address) <= 10000),
    CONSTRAINT ck_sites_city_length CHECK (length(city) >= 1 AND length(city) <= 200),
    CONSTRAINT ck_sites_state_province_length CHECK (length(state_province) >= 1 AND length(state_province) <= 200),
    CONSTRAINT ck_sites_postal_code_length CHECK (length(postal_code) >= 1 AND length(postal_code) <= 200),
    CONSTRAINT ck_sites_latitude_range CHECK (latitude >= -90 AND latitude <= 90),
    CONSTRAINT ck_sites_longitude_range CHECK (longitude >= -180 AND longitude <= 180),
    CONSTRAINT ck_sites_site_type_choice CHECK (site_type IN ('commercial', 'industrial', 'residential', 'utility')),
    CONSTRAINT ck_sites_total_capacity_kw_range CHECK (total_capacity_kw >= 0 AND total_capacity_kw <= 1e308),
    CONSTRAINT ck_sites_status_choice CHECK (status IN ('active', 'inactive', 'maintenance', 'decommissioned')),
    CONSTRAINT ck_sites_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_sites_spill_cost_per_kwh_range CHECK (spill_cost_per_kwh >= 0 AND spill_cost_per_kwh <= 1e308),
    CONSTRAINT ck_sites_unserved_cost_per_kwh_range CHECK (unserved_cost_per_kwh >= 0 AND unserved_cost_per_kwh <= 1e308),
    CONSTRAINT uq_sites_code UNIQUE (code)
);
CREATE INDEX ix_sites_name_id ON sites (name, id);
CREATE INDEX ix_sites_position ON sites (position);
COMMENT ON TABLE sites IS 'A place with one power bus.';
COMMENT ON COLUMN sites.id IS 'Id of the site.';
COMMENT ON COLUMN sites.name IS 'What people call it; the id where nothing is given.';
COMMENT ON COLUMN sites.code IS 'Short code that its owner uses; no two sites share one.';
COMMENT ON COLUMN sites.timezone IS 'IANA name of its time zone, as in Europe/Berlin.';
COMMENT ON COLUMN sites.country IS 'ISO 3166 code of the country.';
COMMENT ON COLUMN sites.address IS 'Street and number.';
COMMENT ON COLUMN sites.city IS 'Town.';
COMMENT ON COLUMN sites.state_province IS 'State or province.';
COMMENT ON COLUMN sites.postal_code IS 'Postal code.';
COMMENT ON COLUMN sites.latitude IS 'Degrees north of the equator.';
COMMENT ON COLUMN sites.longitude IS 'Degrees east of Greenwich.';
COMMENT ON COLUMN sites.site_type IS 'Who uses the site.';
COMMENT ON COLUMN sites.total_capacity_kw IS 'Power of all its generation, as its owner states it. [kW]';
COMMENT ON COLUMN sites.status IS 'Whether it is in use.';
COMMENT ON COLUMN sites.description IS 'What the site is.';
COMMENT ON COLUMN sites.spill_cost_per_kwh IS 'Cost of power that is thrown away at the bus; none may be where nothing is given. [currency/kWh]';
COMMENT ON COLUMN sites.unserved_cost_per_kwh IS 'Value of a kWh that the bus lacks, whatever it is for; nothing may lack where nothing is given. [currency/kWh]';
COMMENT ON COLUMN sites.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN sites.stated IS 'Fields that were stated, where others follow from them; empty where all were.';
COMMENT ON COLUMN sites.position IS 'Place in the order of entry.';
COMMENT ON COLUMN sites.created_at IS 'When it was made.';
COMMENT ON COLUMN sites.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN sites.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN sites.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN sites.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE tariffs (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    currency TEXT,
    periods JSONB NOT NULL,
    holiday_calendar TEXT,
    tier_period VARCHAR(5) NOT NULL,
    metering VARCHAR(16) NOT NULL,
    year_end_price_per_kwh DOUBLE PRECISION,
    year_end_month BIGINT NOT NULL,
    price_series BOOLEAN NOT NULL,
    price_factor DOUBLE PRECISION NOT NULL,
    surcharge_per_kwh DOUBLE PRECISION NOT NULL,
    export_factor DOUBLE PRECISION,
    export_deduction_per_kwh DOUBLE PRECISION NOT NULL,
    levies JSONB NOT NULL,
    taxes JSONB NOT NULL,
    demand_charges JSONB NOT NULL,
    contracted_kw DOUBLE PRECISION,
    capacity_cost_per_kw_month DOUBLE PRECISION NOT NULL,
    fixed_cost_per_month DOUBLE PRECISION NOT NULL,
    fixed_cost_per_d DOUBLE PRECISION NOT NULL,
    minimum_cost_per_month DOUBLE PRECISION NOT NULL,
    minimum_cost_per_a DOUBLE PRECISION NOT NULL,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_tariffs PRIMARY KEY (id),
    CONSTRAINT ck_tariffs_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_tariffs_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_tariffs_tier_period_choice CHECK (tier_period IN ('month', 'day')),
    CONSTRAINT ck_tariffs_metering_choice CHECK (metering IN ('net_billing', 'net_metering', 'buy_all_sell_all')),
    CONSTRAINT ck_tariffs_year_end_price_per_kwh_range CHECK (year_end_price_per_kwh >= -1e308 AND year_end_price_per_kwh <= 1e308),
    CONSTRAINT ck_tariffs_year_end_month_range CHECK (year_end_month >= 1 AND year_end_month <= 12),
    CONSTRAINT ck_tariffs_price_factor_range CHECK (price_factor >= -1e308 AND price_factor <= 1e308),
    CONSTRAINT ck_tariffs_surcharge_per_kwh_range CHECK (surcharge_per_kwh >= -1e308 AND surcharge_per_kwh <= 1e308),
    CONSTRAINT ck_tariffs_export_factor_range CHECK (export_factor >= -1e308 AND export_factor <= 1e308),
    CONSTRAINT ck_tariffs_export_deduction_per_kwh_range CHECK (export_deduction_per_kwh >= -1e308 AND export_deduction_per_kwh <= 1e308),
    CONSTRAINT ck_tariffs_contracted_kw_range CHECK (contracted_kw > 0 AND contracted_kw <= 1e308),
    CONSTRAINT ck_tariffs_capacity_cost_per_kw_month_range CHECK (capacity_cost_per_kw_month >= 0 AND capacity_cost_per_kw_month <= 1e308),
    CONSTRAINT ck_tariffs_fixed_cost_per_month_range CHECK (fixed_cost_per_month >= -1e308 AND fixed_cost_per_month <= 1e308),
    CONSTRAINT ck_tariffs_fixed_cost_per_d_range CHECK (fixed_cost_per_d >= -1e308 AND fixed_cost_per_d <= 1e308),
    CONSTRAINT ck_tariffs_minimum_cost_per_month_range CHECK (minimum_cost_per_month >= 0 AND minimum_cost_per_month <= 1e308),
    CONSTRAINT ck_tariffs_minimum_cost_per_a_range CHECK (minimum_cost_per_a >= 0 AND minimum_cost_per_a <= 1e308)
);
CREATE INDEX ix_tariffs_position ON tariffs (position);
COMMENT ON TABLE tariffs IS 'What energy and power cost by contract; the first of the periods that holds at a moment gives its price.';
COMMENT ON COLUMN tariffs.id IS 'Id of the tariff.';
COMMENT ON COLUMN tariffs.name IS 'What people call it.';
COMMENT ON COLUMN tariffs.currency IS 'ISO 4217 code of its prices, which must be the portfolio''s.';
COMMENT ON COLUMN tariffs.periods IS 'Energy periods; together they cover every hour of the year.';
COMMENT ON COLUMN tariffs.holiday_calendar IS 'Country, or country and region, whose public holidays are no weekdays: DE, DE-BY, US.';
COMMENT ON COLUMN tariffs.tier_period IS 'What the ends of energy tiers are stated for; of a day, they are times the days of the month, and the month''s energy fills them.';
COMMENT ON COLUMN tariffs.metering IS 'How import and export meet: each step by itself; exported kWh of a period balance imported ones of the month and the rest goes into the next month; or all generation is sold and all demand bought.';
COMMENT ON COLUMN tariffs.year_end_price_per_kwh IS 'Price paid for kWh of net metering that are left at the end of the year; none is paid where there is none. [currency/kWh]';
COMMENT ON COLUMN tariffs.year_end_month IS 'Last month of a year of net metering.';
COMMENT ON COLUMN tariffs.price_series IS 'Whether prices follow the market''s: the connection''s series import_price_per_kwh.';
COMMENT ON COLUMN tariffs.price_factor IS 'What the market''s price is multiplied by for import. [1]';
COMMENT ON COLUMN tariffs.surcharge_per_kwh IS 'What the supplier adds to the market''s price. [1/kWh]';
COMMENT ON COLUMN tariffs.export_factor IS 'What the market''s price is multiplied by for export; exports do not follow the market where there is none. [1]';
COMMENT ON COLUMN tariffs.export_deduction_per_kwh IS 'What the buyer takes off the market''s price of exports. [1/kWh]';
COMMENT ON COLUMN tariffs.levies IS 'Amounts for each kWh on top.';
COMMENT ON COLUMN tariffs.taxes IS 'Shares of other charges on top.';
COMMENT ON COLUMN tariffs.demand_charges IS 'Prices of the highest powers; those of the connection add to them.';
COMMENT ON COLUMN tariffs.contracted_kw IS 'Power that the capacity fee is paid for. [kW]';
COMMENT ON COLUMN tariffs.capacity_cost_per_kw_month IS 'Fee for a contracted kW and month. [currency/kW·month]';
COMMENT ON COLUMN tariffs.fixed_cost_per_month IS 'Fixed charge of a month. [currency/month]';
COMMENT ON COLUMN tariffs.fixed_cost_per_d IS 'Fixed charge of a day. [currency/d]';
COMMENT ON COLUMN tariffs.minimum_cost_per_month IS 'Least that a month costs before taxes. [currency/month]';
COMMENT ON COLUMN tariffs.minimum_cost_per_a IS 'Least that a year costs before taxes. [currency/a]';
COMMENT ON COLUMN tariffs.position IS 'Place in the order of entry.';
COMMENT ON COLUMN tariffs.created_at IS 'When it was made.';
COMMENT ON COLUMN tariffs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN tariffs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN tariffs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN tariffs.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE TABLE asset_groups (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    group_type VARCHAR(9) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    site_id VARCHAR(64),
    parent_group_id VARCHAR(64),
    max_import_kw DOUBLE PRECISION,
    max_export_kw DOUBLE PRECISION,
    sharing_fee_per_kwh DOUBLE PRECISION,
    metadata JSONB NOT NULL,
    stated JSONB,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_groups PRIMARY KEY (id),
    CONSTRAINT ck_asset_groups_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_asset_groups_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_asset_groups_group_type_choice CHECK (group_type IN ('microgrid', 'vpp', 'portfolio', 'system', 'custom')),
    CONSTRAINT ck_asset_groups_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_asset_groups_site_id_length CHECK (length(site_id) <= 64),
    CONSTRAINT ck_asset_groups_parent_group_id_length CHECK (length(parent_group_id) <= 64),
    CONSTRAINT ck_asset_groups_max_import_kw_range CHECK (max_import_kw >= 0 AND max_import_kw <= 1e308),
    CONSTRAINT ck_asset_groups_max_export_kw_range CHECK (max_export_kw >= 0 AND max_export_kw <= 1e308),
    CONSTRAINT ck_asset_groups_sharing_fee_per_kwh_range CHECK (sharing_fee_per_kwh >= 0 AND sharing_fee_per_kwh <= 1e308),
    CONSTRAINT ck_asset_groups_not_its_own_parent CHECK (parent_group_id <> id),
    CONSTRAINT fk_asset_groups_site_id_sites FOREIGN KEY(site_id) REFERENCES sites (id) ON DELETE RESTRICT,
    CONSTRAINT fk_asset_groups_parent_group_id_asset_groups FOREIGN KEY(parent_group_id) REFERENCES asset_groups (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ix_asset_groups_parent_group_id ON asset_groups (parent_group_id);
CREATE INDEX ix_asset_groups_position ON asset_groups (position);
CREATE INDEX ix_asset_groups_site_id ON asset_groups (site_id);
COMMENT ON TABLE asset_groups IS 'Assets that are looked at or run together; groups may nest: a microgrid in a virtual power plant.';
COMMENT ON COLUMN asset_groups.id IS 'Id of the group.';
COMMENT ON COLUMN asset_groups.name IS 'What people call it; the id where nothing is given.';
COMMENT ON COLUMN asset_groups.group_type IS 'What kind of group it is.';
COMMENT ON COLUMN asset_groups.description IS 'What it is for.';
COMMENT ON COLUMN asset_groups.site_id IS 'Site of the group, where all of it is at one; a group may span sites.';
COMMENT ON COLUMN asset_groups.parent_group_id IS 'Group that it is part of.';
COMMENT ON COLUMN asset_groups.max_import_kw IS 'Highest power that its members take together: from the grid where they are connections, otherwise from their sites. [kW]';
COMMENT ON COLUMN asset_groups.max_export_kw IS 'Highest power that its members give together: to the grid where they are connections, otherwise to their sites. [kW]';
COMMENT ON COLUMN asset_groups.sharing_fee_per_kwh IS 'Price of a kWh that one of its grid connections receives from another, as in an energy community; none share where nothing is given. [currency/kWh]';
COMMENT ON COLUMN asset_groups.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN asset_groups.stated IS 'Fields that were stated, where others follow from them; empty where all were.';
COMMENT ON COLUMN asset_groups.position IS 'Place in the order of entry.';
COMMENT ON COLUMN asset_groups.created_at IS 'When it was made.';
COMMENT ON COLUMN asset_groups.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_groups.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN asset_groups.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_groups.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE assets (
    kind TEXT NOT NULL,
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    site_id VARCHAR(64) NOT NULL,
    status VARCHAR(14) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    location VARCHAR(10000),
    installation_date DATE,
    commissioning_date DATE,
    warranty_expiry_date DATE,
    manufacturer VARCHAR(200),
    model VARCHAR(200),
    serial_number VARCHAR(200),
    metadata JSONB NOT NULL,
    stated JSONB,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_assets PRIMARY KEY (id),
    CONSTRAINT ck_assets_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_assets_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_assets_site_id_length CHECK (length(site_id) <= 64),
    CONSTRAINT ck_assets_status_choice CHECK (status IN ('active', 'inactive', 'maintenance', 'decommissioned')),
    CONSTRAINT ck_assets_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_assets_location_length CHECK (length(location) <= 10000),
    CONSTRAINT ck_assets_manufacturer_length CHECK (length(manufacturer) >= 1 AND length(manufacturer) <= 200),
    CONSTRAINT ck_assets_model_length CHECK (length(model) >= 1 AND length(model) <= 200),
    CONSTRAINT ck_assets_serial_number_length CHECK (length(serial_number) >= 1 AND length(serial_number) <= 200),
    CONSTRAINT ck_assets_kind_choice CHECK (kind IN ('battery', 'ev_charger', 'generator', 'grid_connection', 'load', 'solar_pv', 'wind_turbine')),
    CONSTRAINT uq_assets_id_kind UNIQUE (id, kind),
    CONSTRAINT fk_assets_site_id_sites FOREIGN KEY(site_id) REFERENCES sites (id) ON DELETE RESTRICT
);
CREATE INDEX ix_assets_kind_name_id ON assets (kind, name, id);
CREATE INDEX ix_assets_name_id ON assets (name, id);
CREATE INDEX ix_assets_position ON assets (position);
CREATE INDEX ix_assets_site_id_name_id ON assets (site_id, name, id);
CREATE INDEX ix_assets_status_name_id ON assets (status, name, id);
COMMENT ON TABLE assets IS 'A thing at a site that takes part in its power balance.';
COMMENT ON COLUMN assets.kind IS 'Kind of the asset.';
COMMENT ON COLUMN assets.id IS 'Id of the asset, unique in the portfolio.';
COMMENT ON COLUMN assets.name IS 'What people call it; the id where nothing is given.';
COMMENT ON COLUMN assets.site_id IS 'Site to whose bus it is connected; the portfolio''s only site where nothing is given.';
COMMENT ON COLUMN assets.status IS 'Whether it takes part: only an active asset does.';
COMMENT ON COLUMN assets.description IS 'What it is, in words.';
COMMENT ON COLUMN assets.location IS 'Where at the site it stands.';
COMMENT ON COLUMN assets.installation_date IS 'Day on which it was installed.';
COMMENT ON COLUMN assets.commissioning_date IS 'Day on which it went into operation.';
COMMENT ON COLUMN assets.warranty_expiry_date IS 'Last day of its warranty.';
COMMENT ON COLUMN assets.manufacturer IS 'Who made it.';
COMMENT ON COLUMN assets.model IS 'Type designation of its maker.';
COMMENT ON COLUMN assets.serial_number IS 'Number of the single piece.';
COMMENT ON COLUMN assets.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN assets.stated IS 'Fields that were stated, where others follow from them; empty where all were.';
COMMENT ON COLUMN assets.position IS 'Place in the order of entry.';
COMMENT ON COLUMN assets.created_at IS 'When it was made.';
COMMENT ON COLUMN assets.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN assets.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN assets.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN assets.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE TABLE optimization_jobs (
    id VARCHAR(64) NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    optimization_type VARCHAR(200) NOT NULL,
    objective VARCHAR(200) NOT NULL,
    goal JSONB NOT NULL,
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
    emissions_kg DOUBLE PRECISION,
    kpis JSONB NOT NULL,
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
    CONSTRAINT ck_optimization_jobs_emissions_kg_range CHECK (emissions_kg >= -1e308 AND emissions_kg <= 1e308),
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
COMMENT ON COLUMN optimization_jobs.optimization_type IS 'What was decided: battery_dispatch, unit_commitment, peak_shaving.';
COMMENT ON COLUMN optimization_jobs.objective IS 'What was made small: cost, emissions.';
COMMENT ON COLUMN optimization_jobs.goal IS 'All that was said of what it is for: weights of the objective, outages.';
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
COMMENT ON COLUMN optimization_jobs.emissions_kg IS 'Carbon dioxide of the schedule. [kg]';
COMMENT ON COLUMN optimization_jobs.kpis IS 'Figures of the schedule by name, those of an asset after its id and a slash; null where one is not defined.';
COMMENT ON COLUMN optimization_jobs.solve_time_s IS 'Time that the solver took. [s]';
COMMENT ON COLUMN optimization_jobs.variables IS 'Number of the model''s variables.';
COMMENT ON COLUMN optimization_jobs.constraints IS 'Number of the model''s constraints.';
COMMENT ON COLUMN optimization_jobs.steps IS 'Number of the horizon''s steps.';
COMMENT ON COLUMN optimization_jobs.error IS 'Why there is no solution.';
COMMENT ON COLUMN optimization_jobs.created_at IS 'When it was kept.';

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

CREATE TABLE asset_dependencies (
    asset_id VARCHAR(64) NOT NULL,
    depends_on_asset_id VARCHAR(64) NOT NULL,
    dependency_type VARCHAR(10) NOT NULL,
    is_critical BOOLEAN NOT NULL,
    metadata JSONB NOT NULL,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_dependencies PRIMARY KEY (asset_id, depends_on_asset_id, dependency_type),
    CONSTRAINT ck_asset_dependencies_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_asset_dependencies_depends_on_asset_id_length CHECK (length(depends_on_asset_id) <= 64),
    CONSTRAINT ck_asset_dependencies_dependency_type_choice CHECK (dependency_type IN ('requires', 'feeds', 'controls', 'monitors', 'backup_for')),
    CONSTRAINT ck_asset_dependencies_not_on_itself CHECK (asset_id <> depends_on_asset_id),
    CONSTRAINT fk_asset_dependencies_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE,
    CONSTRAINT fk_asset_dependencies_depends_on_asset_id_assets FOREIGN KEY(depends_on_asset_id) REFERENCES assets (id) ON DELETE RESTRICT
);
CREATE INDEX ix_asset_dependencies_depends_on_asset_id ON asset_dependencies (depends_on_asset_id);
CREATE INDEX ix_asset_dependencies_position ON asset_dependencies (position);
COMMENT ON TABLE asset_dependencies IS 'A sentence about two assets: the one requires, feeds, controls, monitors or is backup for the other.';
COMMENT ON COLUMN asset_dependencies.asset_id IS 'Subject of the sentence: this asset requires or feeds the other.';
COMMENT ON COLUMN asset_dependencies.depends_on_asset_id IS 'Object of the sentence.';
COMMENT ON COLUMN asset_dependencies.dependency_type IS 'Verb of the sentence.';
COMMENT ON COLUMN asset_dependencies.is_critical IS 'Whether the one cannot go on at all without the other.';
COMMENT ON COLUMN asset_dependencies.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN asset_dependencies.position IS 'Place in the order of entry.';
COMMENT ON COLUMN asset_dependencies.created_at IS 'When it was made.';
COMMENT ON COLUMN asset_dependencies.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_dependencies.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN asset_dependencies.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_dependencies.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE asset_group_members (
    asset_id VARCHAR(64) NOT NULL,
    group_id VARCHAR(64) NOT NULL,
    role VARCHAR(200),
    priority BIGINT,
    metadata JSONB NOT NULL,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_group_members PRIMARY KEY (asset_id, group_id),
    CONSTRAINT ck_asset_group_members_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_asset_group_members_group_id_length CHECK (length(group_id) <= 64),
    CONSTRAINT ck_asset_group_members_role_length CHECK (length(role) >= 1 AND length(role) <= 200),
    CONSTRAINT ck_asset_group_members_priority_range CHECK (priority >= 0 AND priority <= 9223372036854775807),
    CONSTRAINT fk_asset_group_members_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE,
    CONSTRAINT fk_asset_group_members_group_id_asset_groups FOREIGN KEY(group_id) REFERENCES asset_groups (id) ON DELETE CASCADE
);
CREATE INDEX ix_asset_group_members_group_id ON asset_group_members (group_id);
CREATE INDEX ix_asset_group_members_position ON asset_group_members (position);
COMMENT ON TABLE asset_group_members IS 'An asset in a group.';
COMMENT ON COLUMN asset_group_members.asset_id IS 'Asset.';
COMMENT ON COLUMN asset_group_members.group_id IS 'Group.';
COMMENT ON COLUMN asset_group_members.role IS 'What the asset does in the group.';
COMMENT ON COLUMN asset_group_members.priority IS 'Rank in the group; 1 comes first.';
COMMENT ON COLUMN asset_group_members.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN asset_group_members.position IS 'Place in the order of entry.';
COMMENT ON COLUMN asset_group_members.created_at IS 'When it was made.';
COMMENT ON COLUMN asset_group_members.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_group_members.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN asset_group_members.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_group_members.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE asset_performance (
    id VARCHAR(64) NOT NULL,
    asset_id VARCHAR(64) NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    total_energy_generated_kwh DOUBLE PRECISION,
    total_energy_consumed_kwh DOUBLE PRECISION,
    total_energy_charged_kwh DOUBLE PRECISION,
    total_energy_discharged_kwh DOUBLE PRECISION,
    average_efficiency DOUBLE PRECISION,
    capacity_factor DOUBLE PRECISION,
    availability DOUBLE PRECISION,
    total_revenue DOUBLE PRECISION,
    total_cost DOUBLE PRECISION,
    net_profit DOUBLE PRECISION,
    co2_avoided_kg DOUBLE PRECISION,
    co2_emitted_kg DOUBLE PRECISION,
    operating_h DOUBLE PRECISION,
    number_of_starts BIGINT,
    number_of_faults BIGINT,
    downtime_h DOUBLE PRECISION,
    metadata JSONB NOT NULL,
    stated JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_performance PRIMARY KEY (id),
    CONSTRAINT ck_asset_performance_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_asset_performance_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_asset_performance_total_energy_generated_kwh_range CHECK (total_energy_generated_kwh >= -1e308 AND total_energy_generated_kwh <= 1e308),
    CONSTRAINT ck_asset_performance_total_energy_consumed_kwh_range CHECK (total_energy_consumed_kwh >= -1e308 AND total_energy_consumed_kwh <= 1e308),
    CONSTRAINT ck_asset_performance_total_energy_charged_kwh_range CHECK (total_energy_charged_kwh >= 0 AND total_energy_charged_kwh <= 1e308),
    CONSTRAINT ck_asset_performance_total_energy_discharged_kwh_range CHECK (total_energy_discharged_kwh >= 0 AND total_energy_discharged_kwh <= 1e308),
    CONSTRAINT ck_asset_performance_average_efficiency_range CHECK (average_efficiency >= 0 AND average_efficiency <= 1e308),
    CONSTRAINT ck_asset_performance_capacity_factor_range CHECK (capacity_factor >= 0 AND capacity_factor <= 1e308),
    CONSTRAINT ck_asset_performance_availability_range CHECK (availability >= 0 AND availability <= 1),
    CONSTRAINT ck_asset_performance_total_revenue_range CHECK (total_revenue >= -1e308 AND total_revenue <= 1e308),
    CONSTRAINT ck_asset_performance_total_cost_range CHECK (total_cost >= -1e308 AND total_cost <= 1e308),
    CONSTRAINT ck_asset_performance_net_profit_range CHECK (net_profit >= -1e308 AND net_profit <= 1e308),
    CONSTRAINT ck_asset_performance_co2_avoided_kg_range CHECK (co2_avoided_kg >= -1e308 AND co2_avoided_kg <= 1e308),
    CONSTRAINT ck_asset_performance_co2_emitted_kg_range CHECK (co2_emitted_kg >= 0 AND co2_emitted_kg <= 1e308),
    CONSTRAINT ck_asset_performance_operating_h_range CHECK (operating_h >= 0 AND operating_h <= 1e308),
    CONSTRAINT ck_asset_performance_number_of_starts_range CHECK (number_of_starts >= 0 AND number_of_starts <= 9223372036854775807),
    CONSTRAINT ck_asset_performance_number_of_faults_range CHECK (number_of_faults >= 0 AND number_of_faults <= 9223372036854775807),
    CONSTRAINT ck_asset_performance_downtime_h_range CHECK (downtime_h >= 0 AND downtime_h <= 1e308),
    CONSTRAINT ck_asset_performance_period_order CHECK (period_end > period_start),
    CONSTRAINT fk_asset_performance_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE
);
CREATE INDEX ix_asset_performance_asset_id_period_start ON asset_performance (asset_id, period_start);
COMMENT ON TABLE asset_performance IS 'What an asset did in a period; a figure that is not known or does not apply is left out.';
COMMENT ON COLUMN asset_performance.id IS 'Id of the record.';
COMMENT ON COLUMN asset_performance.asset_id IS 'Asset.';
COMMENT ON COLUMN asset_performance.period_start IS 'Beginning of the period.';
COMMENT ON COLUMN asset_performance.period_end IS 'End of the period.';
COMMENT ON COLUMN asset_performance.total_energy_generated_kwh IS 'Energy given into the bus; at a grid connection, energy bought. [kWh]';
COMMENT ON COLUMN asset_performance.total_energy_consumed_kwh IS 'Energy taken from the bus for good; at a grid connection, energy sold and lost. [kWh]';
COMMENT ON COLUMN asset_performance.total_energy_charged_kwh IS 'Energy that a battery took from the bus. [kWh]';
COMMENT ON COLUMN asset_performance.total_energy_discharged_kwh IS 'Energy that a battery gave to the bus. [kWh]';
COMMENT ON COLUMN asset_performance.average_efficiency IS 'Energy out, and left in store, per energy in. [1]';
COMMENT ON COLUMN asset_performance.capacity_factor IS 'Mean power as a share of the rated one. [1]';
COMMENT ON COLUMN asset_performance.availability IS 'Share of the period in which it could run. [1]';
COMMENT ON COLUMN asset_performance.total_revenue IS 'Money earned. [currency]';
COMMENT ON COLUMN asset_performance.total_cost IS 'Money spent. [currency]';
COMMENT ON COLUMN asset_performance.net_profit IS 'Money earned less money spent; follows from the two. [currency]';
COMMENT ON COLUMN asset_performance.co2_avoided_kg IS 'Carbon dioxide that the grid did not emit because of it. [kg]';
COMMENT ON COLUMN asset_performance.co2_emitted_kg IS 'Carbon dioxide emitted by it, or by the grid for what was bought. [kg]';
COMMENT ON COLUMN asset_performance.operating_h IS 'Hours in which it ran. [h]';
COMMENT ON COLUMN asset_performance.number_of_starts IS 'How often a generator was started.';
COMMENT ON COLUMN asset_performance.number_of_faults IS 'How often it failed.';
COMMENT ON COLUMN asset_performance.downtime_h IS 'Hours in which it could not run. [h]';
COMMENT ON COLUMN asset_performance.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN asset_performance.stated IS 'Fields that were stated, where others follow from them; empty where all were.';
COMMENT ON COLUMN asset_performance.created_at IS 'When it was made.';
COMMENT ON COLUMN asset_performance.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_performance.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN asset_performance.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_performance.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE asset_status (
    asset_id VARCHAR(64) NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    online BOOLEAN NOT NULL,
    operational_status VARCHAR(11) NOT NULL,
    current_power_kw DOUBLE PRECISION,
    current_soc DOUBLE PRECISION,
    fault_code VARCHAR(200),
    alarm_level VARCHAR(8) NOT NULL,
    alarm_message VARCHAR(10000),
    last_communication TIMESTAMP WITH TIME ZONE,
    metadata JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_status PRIMARY KEY (asset_id),
    CONSTRAINT ck_asset_status_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_asset_status_operational_status_choice CHECK (operational_status IN ('online', 'offline', 'standby', 'fault', 'maintenance')),
    CONSTRAINT ck_asset_status_current_power_kw_range CHECK (current_power_kw >= -1e308 AND current_power_kw <= 1e308),
    CONSTRAINT ck_asset_status_current_soc_range CHECK (current_soc >= 0 AND current_soc <= 1),
    CONSTRAINT ck_asset_status_fault_code_length CHECK (length(fault_code) >= 1 AND length(fault_code) <= 200),
    CONSTRAINT ck_asset_status_alarm_level_choice CHECK (alarm_level IN ('none', 'info', 'warning', 'error', 'critical')),
    CONSTRAINT ck_asset_status_alarm_message_length CHECK (length(alarm_message) <= 10000),
    CONSTRAINT ck_asset_status_alarm_has_level CHECK (alarm_message IS NULL OR alarm_message = '' OR alarm_level <> 'none'),
    CONSTRAINT fk_asset_status_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE
);
CREATE INDEX ix_asset_status_alarm_level ON asset_status (alarm_level);
COMMENT ON TABLE asset_status IS 'What an asset says of itself at a moment.';
COMMENT ON COLUMN asset_status.asset_id IS 'Asset.';
COMMENT ON COLUMN asset_status.reported_at IS 'When this was the state.';
COMMENT ON COLUMN asset_status.online IS 'Whether the asset could be reached.';
COMMENT ON COLUMN asset_status.operational_status IS 'What it was doing.';
COMMENT ON COLUMN asset_status.current_power_kw IS 'Power into the site''s bus; negative where it takes power. [kW]';
COMMENT ON COLUMN asset_status.current_soc IS 'State of charge. [1]';
COMMENT ON COLUMN asset_status.fault_code IS 'Code of the fault, in the words of its maker.';
COMMENT ON COLUMN asset_status.alarm_level IS 'How grave its alarm is.';
COMMENT ON COLUMN asset_status.alarm_message IS 'What the alarm says.';
COMMENT ON COLUMN asset_status.last_communication IS 'When the last message came in.';
COMMENT ON COLUMN asset_status.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN asset_status.created_at IS 'When it was made.';
COMMENT ON COLUMN asset_status.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_status.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN asset_status.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN asset_status.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE asset_status_history (
    asset_id VARCHAR(64) NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    online BOOLEAN NOT NULL,
    operational_status VARCHAR(11) NOT NULL,
    current_power_kw DOUBLE PRECISION,
    current_soc DOUBLE PRECISION,
    fault_code VARCHAR(200),
    alarm_level VARCHAR(8) NOT NULL,
    alarm_message VARCHAR(10000),
    last_communication TIMESTAMP WITH TIME ZONE,
    metadata JSONB NOT NULL,
    CONSTRAINT pk_asset_status_history PRIMARY KEY (asset_id, reported_at),
    CONSTRAINT ck_asset_status_history_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_asset_status_history_operational_status_choice CHECK (operational_status IN ('online', 'offline', 'standby', 'fault', 'maintenance')),
    CONSTRAINT ck_asset_status_history_current_power_kw_range CHECK (current_power_kw >= -1e308 AND current_power_kw <= 1e308),
    CONSTRAINT ck_asset_status_history_current_soc_range CHECK (current_soc >= 0 AND current_soc <= 1),
    CONSTRAINT ck_asset_status_history_fault_code_length CHECK (length(fault_code) >= 1 AND length(fault_code) <= 200),
    CONSTRAINT ck_asset_status_history_alarm_level_choice CHECK (alarm_level IN ('none', 'info', 'warning', 'error', 'critical')),
    CONSTRAINT ck_asset_status_history_alarm_message_length CHECK (length(alarm_message) <= 10000),
    CONSTRAINT ck_asset_status_history_alarm_has_level CHECK (alarm_message IS NULL OR alarm_message = '' OR alarm_level <> 'none'),
    CONSTRAINT fk_asset_status_history_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE
);
COMMENT ON TABLE asset_status_history IS 'What an asset says of itself at a moment.';
COMMENT ON COLUMN asset_status_history.asset_id IS 'Asset.';
COMMENT ON COLUMN asset_status_history.reported_at IS 'When this was the state.';
COMMENT ON COLUMN asset_status_history.online IS 'Whether the asset could be reached.';
COMMENT ON COLUMN asset_status_history.operational_status IS 'What it was doing.';
COMMENT ON COLUMN asset_status_history.current_power_kw IS 'Power into the site''s bus; negative where it takes power. [kW]';
COMMENT ON COLUMN asset_status_history.current_soc IS 'State of charge. [1]';
COMMENT ON COLUMN asset_status_history.fault_code IS 'Code of the fault, in the words of its maker.';
COMMENT ON COLUMN asset_status_history.alarm_level IS 'How grave its alarm is.';
COMMENT ON COLUMN asset_status_history.alarm_message IS 'What the alarm says.';
COMMENT ON COLUMN asset_status_history.last_communication IS 'When the last message came in.';
COMMENT ON COLUMN asset_status_history.metadata IS 'Anything else, by name.';

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

CREATE TABLE battery_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'battery' NOT NULL,
    capacity_kwh DOUBLE PRECISION NOT NULL,
    usable_capacity_kwh DOUBLE PRECISION NOT NULL,
    rated_power_kw DOUBLE PRECISION NOT NULL,
    max_charge_kw DOUBLE PRECISION NOT NULL,
    max_discharge_kw DOUBLE PRECISION NOT NULL,
    continuous_charge_kw DOUBLE PRECISION,
    continuous_discharge_kw DOUBLE PRECISION,
    charge_taper JSONB NOT NULL,
    discharge_taper JSONB NOT NULL,
    may_charge_while_discharging BOOLEAN NOT NULL,
    round_trip_efficiency DOUBLE PRECISION NOT NULL,
    charge_efficiency DOUBLE PRECISION NOT NULL,
    discharge_efficiency DOUBLE PRECISION NOT NULL,
    standing_loss_per_h DOUBLE PRECISION NOT NULL,
    drain_kw DOUBLE PRECISION NOT NULL,
    min_soc DOUBLE PRECISION NOT NULL,
    max_soc DOUBLE PRECISION NOT NULL,
    initial_soc DOUBLE PRECISION NOT NULL,
    final_soc_rule VARCHAR(8) NOT NULL,
    target_soc DOUBLE PRECISION NOT NULL,
    soc_targets JSONB NOT NULL,
    final_energy_value_per_kwh DOUBLE PRECISION,
    max_cycles_per_d DOUBLE PRECISION,
    chemistry VARCHAR(22),
    cell_voltage_v DOUBLE PRECISION,
    number_of_cells BIGINT,
    operating_temp_min_degc DOUBLE PRECISION,
    operating_temp_max_degc DOUBLE PRECISION,
    optimal_temp_degc DOUBLE PRECISION,
    cooling_type VARCHAR(13),
    cycle_life BIGINT,
    calendar_life_a DOUBLE PRECISION,
    degradation_rate_per_cycle DOUBLE PRECISION,
    degradation_cost_per_kwh DOUBLE PRECISION NOT NULL,
    cycle_depth_segments BIGINT NOT NULL,
    charge_cost_per_kwh DOUBLE PRECISION NOT NULL,
    holding_cost_per_kwh_h DOUBLE PRECISION NOT NULL,
    current_cycle_count DOUBLE PRECISION NOT NULL,
    state_of_health DOUBLE PRECISION NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE PRECISION,
    ramp_down_rate_kw_per_s DOUBLE PRECISION,
    response_time_ms DOUBLE PRECISION,
    auxiliary_load_kw DOUBLE PRECISION NOT NULL,
    capital_cost DOUBLE PRECISION,
    installation_cost DOUBLE PRECISION,
    maintenance_cost_per_a DOUBLE PRECISION,
    communication_protocol VARCHAR(200),
    control_mode VARCHAR(9),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_battery_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_battery_specs_capacity_kwh_range CHECK (capacity_kwh > 0 AND capacity_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_usable_capacity_kwh_range CHECK (usable_capacity_kwh > 0 AND usable_capacity_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_rated_power_kw_range CHECK (rated_power_kw >= 0 AND rated_power_kw <= 1e308),
    CONSTRAINT ck_battery_specs_max_charge_kw_range CHECK (max_charge_kw >= 0 AND max_charge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_max_discharge_kw_range CHECK (max_discharge_kw >= 0 AND max_discharge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_continuous_charge_kw_range CHECK (continuous_charge_kw > 0 AND continuous_charge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_continuous_discharge_kw_range CHECK (continuous_discharge_kw > 0 AND continuous_discharge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_round_trip_efficiency_range CHECK (round_trip_efficiency > 0 AND round_trip_efficiency <= 1),
    CONSTRAINT ck_battery_specs_charge_efficiency_range CHECK (charge_efficiency > 0 AND charge_efficiency <= 1),
    CONSTRAINT ck_battery_specs_discharge_efficiency_range CHECK (discharge_efficiency > 0 AND discharge_efficiency <= 1),
    CONSTRAINT ck_battery_specs_standing_loss_per_h_range CHECK (standing_loss_per_h >= 0 AND standing_loss_per_h < 1),
    CONSTRAINT ck_battery_specs_drain_kw_range CHECK (drain_kw >= 0 AND drain_kw <= 1e308),
    CONSTRAINT ck_battery_specs_min_soc_range CHECK (min_soc >= 0 AND min_soc <= 1),
    CONSTRAINT ck_battery_specs_max_soc_range CHECK (max_soc >= 0 AND max_soc <= 1),
    CONSTRAINT ck_battery_specs_initial_soc_range CHECK (initial_soc >= 0 AND initial_soc <= 1),
    CONSTRAINT ck_battery_specs_final_soc_rule_choice CHECK (final_soc_rule IN ('at_least', 'exactly', 'free', 'cyclic')),
    CONSTRAINT ck_battery_specs_target_soc_range CHECK (target_soc >= 0 AND target_soc <= 1),
    CONSTRAINT ck_battery_specs_final_energy_value_per_kwh_range CHECK (final_energy_value_per_kwh >= -1e308 AND final_energy_value_per_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_max_cycles_per_d_range CHECK (max_cycles_per_d > 0 AND max_cycles_per_d <= 1e308),
    CONSTRAINT ck_battery_specs_chemistry_choice CHECK (chemistry IN ('lithium_ion', 'lithium_iron_phosphate', 'lead_acid', 'nickel_metal_hydride', 'sodium_sulfur', 'flow_battery', 'other')),
    CONSTRAINT ck_battery_specs_cell_voltage_v_range CHECK (cell_voltage_v > 0 AND cell_voltage_v <= 1e308),
    CONSTRAINT ck_battery_specs_number_of_cells_range CHECK (number_of_cells >= 1 AND number_of_cells <= 9223372036854775807),
    CONSTRAINT ck_battery_specs_operating_temp_min_degc_range CHECK (operating_temp_min_degc >= -1e308 AND operating_temp_min_degc <= 1e308),
    CONSTRAINT ck_battery_specs_operating_temp_max_degc_range CHECK (operating_temp_max_degc >= -1e308 AND operating_temp_max_degc <= 1e308),
    CONSTRAINT ck_battery_specs_optimal_temp_degc_range CHECK (optimal_temp_degc >= -1e308 AND optimal_temp_degc <= 1e308),
    CONSTRAINT ck_battery_specs_cooling_type_choice CHECK (cooling_type IN ('air_cooled', 'liquid_cooled', 'passive', 'none')),
    CONSTRAINT ck_battery_specs_cycle_life_range CHECK (cycle_life >= 1 AND cycle_life <= 9223372036854775807),
    CONSTRAINT ck_battery_specs_calendar_life_a_range CHECK (calendar_life_a > 0 AND calendar_life_a <= 1e308),
    CONSTRAINT ck_battery_specs_degradation_rate_per_cycle_range CHECK (degradation_rate_per_cycle >= 0 AND degradation_rate_per_cycle <= 1e308),
    CONSTRAINT ck_battery_specs_degradation_cost_per_kwh_range CHECK (degradation_cost_per_kwh >= 0 AND degradation_cost_per_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_cycle_depth_segments_range CHECK (cycle_depth_segments >= 0 AND cycle_depth_segments <= 50),
    CONSTRAINT ck_battery_specs_charge_cost_per_kwh_range CHECK (charge_cost_per_kwh >= 0 AND charge_cost_per_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_holding_cost_per_kwh_h_range CHECK (holding_cost_per_kwh_h >= -1e308 AND holding_cost_per_kwh_h <= 1e308),
    CONSTRAINT ck_battery_specs_current_cycle_count_range CHECK (current_cycle_count >= 0 AND current_cycle_count <= 1e308),
    CONSTRAINT ck_battery_specs_state_of_health_range CHECK (state_of_health > 0 AND state_of_health <= 1),
    CONSTRAINT ck_battery_specs_ramp_up_rate_kw_per_s_range CHECK (ramp_up_rate_kw_per_s > 0 AND ramp_up_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_battery_specs_ramp_down_rate_kw_per_s_range CHECK (ramp_down_rate_kw_per_s > 0 AND ramp_down_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_battery_specs_response_time_ms_range CHECK (response_time_ms >= 0 AND response_time_ms <= 1e308),
    CONSTRAINT ck_battery_specs_auxiliary_load_kw_range CHECK (auxiliary_load_kw >= 0 AND auxiliary_load_kw <= 1e308),
    CONSTRAINT ck_battery_specs_capital_cost_range CHECK (capital_cost >= 0 AND capital_cost <= 1e308),
    CONSTRAINT ck_battery_specs_installation_cost_range CHECK (installation_cost >= 0 AND installation_cost <= 1e308),
    CONSTRAINT ck_battery_specs_maintenance_cost_per_a_range CHECK (maintenance_cost_per_a >= 0 AND maintenance_cost_per_a <= 1e308),
    CONSTRAINT ck_battery_specs_communication_protocol_length CHECK (length(communication_protocol) >= 1 AND length(communication_protocol) <= 200),
    CONSTRAINT ck_battery_specs_control_mode_choice CHECK (control_mode IN ('manual', 'automatic', 'remote', 'hybrid')),
    CONSTRAINT ck_battery_specs_kind_choice CHECK (kind = 'battery'),
    CONSTRAINT ck_battery_specs_usable_order CHECK (usable_capacity_kwh <= capacity_kwh),
    CONSTRAINT ck_battery_specs_soc_order CHECK (min_soc < max_soc),
    CONSTRAINT ck_battery_specs_initial_soc_order CHECK (initial_soc BETWEEN min_soc AND max_soc),
    CONSTRAINT ck_battery_specs_target_soc_order CHECK (target_soc BETWEEN min_soc AND max_soc),
    CONSTRAINT ck_battery_specs_temperature_order CHECK (operating_temp_min_degc < operating_temp_max_degc),
    CONSTRAINT ck_battery_specs_efficiency_product CHECK (abs(charge_efficiency * discharge_efficiency - round_trip_efficiency) <= 0.005001),
    CONSTRAINT ck_battery_specs_power_given CHECK (rated_power_kw > 0 AND (max_charge_kw > 0 OR max_discharge_kw > 0)),
    CONSTRAINT ck_battery_specs_worth_of_rest CHECK (final_energy_value_per_kwh IS NULL OR final_soc_rule IN ('at_least', 'free')),
    CONSTRAINT ck_battery_specs_one_price_of_wear CHECK (cycle_depth_segments = 0 OR (degradation_cost_per_kwh = 0 AND capital_cost IS NOT NULL)),
    CONSTRAINT fk_battery_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);
CREATE INDEX ix_battery_specs_chemistry ON battery_specs (chemistry);
COMMENT ON TABLE battery_specs IS 'A store of electric energy behind an inverter; powers are measured at the site''s bus.';
COMMENT ON COLUMN battery_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN battery_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN battery_specs.capacity_kwh IS 'Energy content at a state of charge of 1, when new. [kWh]';
COMMENT ON COLUMN battery_specs.usable_capacity_kwh IS 'Part of the capacity that may be used; all of it where nothing is given. [kWh]';
COMMENT ON COLUMN battery_specs.rated_power_kw IS 'Power on the name plate; the greater of both directions where nothing is given. [kW]';
COMMENT ON COLUMN battery_specs.max_charge_kw IS 'Highest charging power, at the site''s bus; zero for a store that only gives. [kW]';
COMMENT ON COLUMN battery_specs.max_discharge_kw IS 'Highest discharging power, at the site''s bus; zero for a store that only takes. [kW]';
COMMENT ON COLUMN battery_specs.continuous_charge_kw IS 'Charging power that can be kept up; holds where it is below the highest. [kW]';
COMMENT ON COLUMN battery_specs.continuous_discharge_kw IS 'Discharging power that can be kept up; holds where it is below the highest. [kW]';
COMMENT ON COLUMN battery_specs.charge_taper IS 'Share of the charging limit that is allowed over the state of charge, as a concave line through points.';
COMMENT ON COLUMN battery_specs.discharge_taper IS 'Share of the discharging limit that is allowed over the state of charge, as a concave line through points.';
COMMENT ON COLUMN battery_specs.may_charge_while_discharging IS 'Whether it can do both in one step, as several units behind one meter can.';
COMMENT ON COLUMN battery_specs.round_trip_efficiency IS 'Energy out per energy in, of a whole cycle; the product of both ways, else 0.95. [1]';
COMMENT ON COLUMN battery_specs.charge_efficiency IS 'Energy stored per energy taken from the bus; follows from the round trip, or equals the other way. [1]';
COMMENT ON COLUMN battery_specs.discharge_efficiency IS 'Energy given to the bus per energy taken from the store; derived like the charging one. [1]';
COMMENT ON COLUMN battery_specs.standing_loss_per_h IS 'Share of the content that is lost in each hour. [1/h]';
COMMENT ON COLUMN battery_specs.drain_kw IS 'Power that is taken from the content at all times. [kW]';
COMMENT ON COLUMN battery_specs.min_soc IS 'Lowest state of charge in operation, at the end of each step. [1]';
COMMENT ON COLUMN battery_specs.max_soc IS 'Highest state of charge in operation, at the end of each step. [1]';
COMMENT ON COLUMN battery_specs.initial_soc IS 'State of charge at the beginning of the horizon; free to choose with a cyclic rule. [1]';
COMMENT ON COLUMN battery_specs.final_soc_rule IS 'How the state of charge at the end of the horizon relates to the target, or, where it is cyclic, to that at the beginning.';
COMMENT ON COLUMN battery_specs.target_soc IS 'State of charge wanted at the end of the horizon, at least or exactly; the initial one where nothing is given. [1]';
COMMENT ON COLUMN battery_specs.soc_targets IS 'States of charge wanted at given moments.';
COMMENT ON COLUMN battery_specs.final_energy_value_per_kwh IS 'Worth of each kWh that is left at the end of the horizon, with a rule of at least or free. [currency/kWh]';
COMMENT ON COLUMN battery_specs.max_cycles_per_d IS 'Energy discharged from the content in a calendar day of the site, as a number of contents. [1/d]';
COMMENT ON COLUMN battery_specs.chemistry IS 'What its cells are made of.';
COMMENT ON COLUMN battery_specs.cell_voltage_v IS 'Nominal voltage of a cell. [V]';
COMMENT ON COLUMN battery_specs.number_of_cells IS 'Cells in the whole battery.';
COMMENT ON COLUMN battery_specs.operating_temp_min_degc IS 'Lowest temperature of operation. [°C]';
COMMENT ON COLUMN battery_specs.operating_temp_max_degc IS 'Highest temperature of operation. [°C]';
COMMENT ON COLUMN battery_specs.optimal_temp_degc IS 'Temperature at which it ages least. [°C]';
COMMENT ON COLUMN battery_specs.cooling_type IS 'How it is cooled.';
COMMENT ON COLUMN battery_specs.cycle_life IS 'Full cycles until the end of life.';
COMMENT ON COLUMN battery_specs.calendar_life_a IS 'Years until the end of life without any cycle. [a]';
COMMENT ON COLUMN battery_specs.degradation_rate_per_cycle IS 'Loss of capacity with each full cycle, as a share. [1/cycle]';
COMMENT ON COLUMN battery_specs.degradation_cost_per_kwh IS 'Wear of the cells for each kWh discharged, at the site''s bus; none where depth segments price it. [currency/kWh]';
COMMENT ON COLUMN battery_specs.cycle_depth_segments IS 'Segments of depth by which wear is priced from the life curve and the capital cost; none where it is zero.';
COMMENT ON COLUMN battery_specs.charge_cost_per_kwh IS 'Cost of each kWh charged, at the site''s bus. [currency/kWh]';
COMMENT ON COLUMN battery_specs.holding_cost_per_kwh_h IS 'Cost of each kWh in the content at the end of a step, for each hour of the step. [currency/kWh·h]';
COMMENT ON COLUMN battery_specs.current_cycle_count IS 'Full cycles so far.';
COMMENT ON COLUMN battery_specs.state_of_health IS 'Share of the capacity that is left. [1]';
COMMENT ON COLUMN battery_specs.ramp_up_rate_kw_per_s IS 'How fast the power into the bus may rise. [kW/s]';
COMMENT ON COLUMN battery_specs.ramp_down_rate_kw_per_s IS 'How fast the power into the bus may fall. [kW/s]';
COMMENT ON COLUMN battery_specs.response_time_ms IS 'Time from an order to its power. [ms]';
COMMENT ON COLUMN battery_specs.auxiliary_load_kw IS 'Power that its cooling and control draw from the bus at all times. [kW]';
COMMENT ON COLUMN battery_specs.capital_cost IS 'Price of the equipment. [currency]';
COMMENT ON COLUMN battery_specs.installation_cost IS 'Price of putting it up. [currency]';
COMMENT ON COLUMN battery_specs.maintenance_cost_per_a IS 'Cost of its upkeep. [currency/a]';
COMMENT ON COLUMN battery_specs.communication_protocol IS 'How it is talked to: modbus_tcp, sunspec.';
COMMENT ON COLUMN battery_specs.control_mode IS 'Who decides what it does.';
COMMENT ON COLUMN battery_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN battery_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN battery_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN battery_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN battery_specs.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE ev_charger_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'ev_charger' NOT NULL,
    max_power_kw DOUBLE PRECISION NOT NULL,
    min_charge_kw DOUBLE PRECISION NOT NULL,
    number_of_ports BIGINT NOT NULL,
    simultaneous_charging BOOLEAN NOT NULL,
    smart_charging_capable BOOLEAN NOT NULL,
    charge_efficiency DOUBLE PRECISION NOT NULL,
    sessions JSONB NOT NULL,
    unmet_cost_per_kwh DOUBLE PRECISION,
    charger_level VARCHAR(10),
    connector_type VARCHAR(7),
    voltage_v DOUBLE PRECISION,
    max_current_ampere DOUBLE PRECISION,
    min_current_ampere DOUBLE PRECISION,
    v2g_capable BOOLEAN NOT NULL,
    max_discharge_kw DOUBLE PRECISION NOT NULL,
    discharge_efficiency DOUBLE PRECISION NOT NULL,
    discharge_cost_per_kwh DOUBLE PRECISION NOT NULL,
    load_balancing BOOLEAN NOT NULL,
    networked BOOLEAN NOT NULL,
    communication_protocol VARCHAR(200),
    ocpp_version VARCHAR(200),
    usage_fee_per_kwh DOUBLE PRECISION,
    idle_fee_per_min DOUBLE PRECISION,
    session_fee DOUBLE PRECISION,
    max_session_duration_min DOUBLE PRECISION,
    reservation_capable BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_ev_charger_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_ev_charger_specs_max_power_kw_range CHECK (max_power_kw > 0 AND max_power_kw <= 1e308),
    CONSTRAINT ck_ev_charger_specs_min_charge_kw_range CHECK (min_charge_kw >= 0 AND min_charge_kw <= 1e308),
    CONSTRAINT ck_ev_charger_specs_number_of_ports_range CHECK (number_of_ports >= 1 AND number_of_ports <= 9223372036854775807),
    CONSTRAINT ck_ev_charger_specs_charge_efficiency_range CHECK (charge_efficiency > 0 AND charge_efficiency <= 1),
    CONSTRAINT ck_ev_charger_specs_unmet_cost_per_kwh_range CHECK (unmet_cost_per_kwh >= 0 AND unmet_cost_per_kwh <= 1e308),
    CONSTRAINT ck_ev_charger_specs_charger_level_choice CHECK (charger_level IN ('level_1', 'level_2', 'dc_fast', 'ultra_fast')),
    CONSTRAINT ck_ev_charger_specs_connector_type_choice CHECK (connector_type IN ('type_1', 'type_2', 'ccs', 'chademo', 'tesla', 'gbt')),
    CONSTRAINT ck_ev_charger_specs_voltage_v_range CHECK (voltage_v > 0 AND voltage_v <= 1e308),
    CONSTRAINT ck_ev_charger_specs_max_current_ampere_range CHECK (max_current_ampere > 0 AND max_current_ampere <= 1e308),
    CONSTRAINT ck_ev_charger_specs_min_current_ampere_range CHECK (min_current_ampere > 0 AND min_current_ampere <= 1e308),
    CONSTRAINT ck_ev_charger_specs_max_discharge_kw_range CHECK (max_discharge_kw > 0 AND max_discharge_kw <= 1e308),
    CONSTRAINT ck_ev_charger_specs_discharge_efficiency_range CHECK (discharge_efficiency > 0 AND discharge_efficiency <= 1),
    CONSTRAINT ck_ev_charger_specs_discharge_cost_per_kwh_range CHECK (discharge_cost_per_kwh >= 0 AND discharge_cost_per_kwh <= 1e308),
    CONSTRAINT ck_ev_charger_specs_communication_protocol_length CHECK (length(communication_protocol) >= 1 AND length(communication_protocol) <= 200),
    CONSTRAINT ck_ev_charger_specs_ocpp_version_length CHECK (length(ocpp_version) >= 1 AND length(ocpp_version) <= 200),
    CONSTRAINT ck_ev_charger_specs_usage_fee_per_kwh_range CHECK (usage_fee_per_kwh >= 0 AND usage_fee_per_kwh <= 1e308),
    CONSTRAINT ck_ev_charger_specs_idle_fee_per_min_range CHECK (idle_fee_per_min >= 0 AND idle_fee_per_min <= 1e308),
    CONSTRAINT ck_ev_charger_specs_session_fee_range CHECK (session_fee >= 0 AND session_fee <= 1e308),
    CONSTRAINT ck_ev_charger_specs_max_session_duration_min_range CHECK (max_session_duration_min > 0 AND max_session_duration_min <= 1e308),
    CONSTRAINT ck_ev_charger_specs_kind_choice CHECK (kind = 'ev_charger'),
    CONSTRAINT ck_ev_charger_specs_giving_waits CHECK (smart_charging_capable OR NOT v2g_capable),
    CONSTRAINT ck_ev_charger_specs_current_is_power CHECK (min_current_ampere IS NULL OR max_current_ampere IS NOT NULL OR voltage_v IS NOT NULL),
    CONSTRAINT ck_ev_charger_specs_charge_order CHECK (min_charge_kw <= max_power_kw * 1.000000002),
    CONSTRAINT fk_ev_charger_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);
COMMENT ON TABLE ev_charger_specs IS 'A charging point for vehicles, which chooses when to charge within each stay.';
COMMENT ON COLUMN ev_charger_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN ev_charger_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN ev_charger_specs.max_power_kw IS 'Highest charging power of a port, at the site''s bus; may change with time. [kW]';
COMMENT ON COLUMN ev_charger_specs.min_charge_kw IS 'Lowest power of a port that charges at all; follows from its lowest current. [kW]';
COMMENT ON COLUMN ev_charger_specs.number_of_ports IS 'Vehicles that can be plugged in at the same time.';
COMMENT ON COLUMN ev_charger_specs.simultaneous_charging IS 'Whether every port can give its full power at once; otherwise all share that of one.';
COMMENT ON COLUMN ev_charger_specs.smart_charging_capable IS 'Whether charging can wait; otherwise each vehicle is charged at once as fast as it goes.';
COMMENT ON COLUMN ev_charger_specs.charge_efficiency IS 'Energy stored in the vehicle per energy taken from the bus; 0.9 is usual for on-board chargers. [1]';
COMMENT ON COLUMN ev_charger_specs.sessions IS 'Stays of vehicles.';
COMMENT ON COLUMN ev_charger_specs.unmet_cost_per_kwh IS 'Price of each kWh that a vehicle lacks at departure; nothing may lack where nothing is given, here or in its session. [currency/kWh]';
COMMENT ON COLUMN ev_charger_specs.charger_level IS 'Class of its power.';
COMMENT ON COLUMN ev_charger_specs.connector_type IS 'Plug.';
COMMENT ON COLUMN ev_charger_specs.voltage_v IS 'Nominal voltage. [V]';
COMMENT ON COLUMN ev_charger_specs.max_current_ampere IS 'Highest current of a port. [A]';
COMMENT ON COLUMN ev_charger_specs.min_current_ampere IS 'Lowest current of a port that charges; 6 A by IEC 61851-1. [A]';
COMMENT ON COLUMN ev_charger_specs.v2g_capable IS 'Whether vehicles can give power back.';
COMMENT ON COLUMN ev_charger_specs.max_discharge_kw IS 'Highest power that a port gives back, at the site''s bus; the charging one where nothing is given; may change with time. [kW]';
COMMENT ON COLUMN ev_charger_specs.discharge_efficiency IS 'Energy given to the bus per energy taken from the vehicle. [1]';
COMMENT ON COLUMN ev_charger_specs.discharge_cost_per_kwh IS 'What each kWh given back costs, at the bus: wear of the battery, or what its driver gets. [currency/kWh]';
COMMENT ON COLUMN ev_charger_specs.load_balancing IS 'Whether it shares power with other chargers.';
COMMENT ON COLUMN ev_charger_specs.networked IS 'Whether it can be reached from afar.';
COMMENT ON COLUMN ev_charger_specs.communication_protocol IS 'How it is talked to.';
COMMENT ON COLUMN ev_charger_specs.ocpp_version IS 'Version of the Open Charge Point Protocol.';
COMMENT ON COLUMN ev_charger_specs.usage_fee_per_kwh IS 'What a driver pays for a kWh taken from the bus. [currency/kWh]';
COMMENT ON COLUMN ev_charger_specs.idle_fee_per_min IS 'What a driver pays for standing after charging. [currency/min]';
COMMENT ON COLUMN ev_charger_specs.session_fee IS 'What a driver pays for a stay. [currency]';
COMMENT ON COLUMN ev_charger_specs.max_session_duration_min IS 'Longest stay. [min]';
COMMENT ON COLUMN ev_charger_specs.reservation_capable IS 'Whether a stay can be booked.';
COMMENT ON COLUMN ev_charger_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN ev_charger_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN ev_charger_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN ev_charger_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN ev_charger_specs.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE TABLE generator_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'generator' NOT NULL,
    rated_capacity_kw DOUBLE PRECISION NOT NULL,
    max_output_kw DOUBLE PRECISION NOT NULL,
    min_output_kw DOUBLE PRECISION NOT NULL,
    generator_type VARCHAR(11),
    prime_mover VARCHAR(20),
    fuel_type VARCHAR(200),
    fuel_tank_capacity_l DOUBLE PRECISION,
    fuel_consumption_l_per_kwh DOUBLE PRECISION,
    fuel_cost_per_l DOUBLE PRECISION,
    fuel_cost_per_kwh DOUBLE PRECISION NOT NULL,
    quadratic_cost_per_kw2h DOUBLE PRECISION NOT NULL,
    cost_curve JSONB NOT NULL,
    no_load_cost_per_h DOUBLE PRECISION NOT NULL,
    startup_cost DOUBLE PRECISION NOT NULL,
    startup_costs JSONB NOT NULL,
    shutdown_cost DOUBLE PRECISION NOT NULL,
    maintenance_cost_per_h DOUBLE PRECISION NOT NULL,
    variable_om_cost_per_kwh DOUBLE PRECISION NOT NULL,
    is_committable BOOLEAN NOT NULL,
    must_run BOOLEAN NOT NULL,
    min_uptime_h DOUBLE PRECISION NOT NULL,
    min_downtime_h DOUBLE PRECISION NOT NULL,
    initial_is_on BOOLEAN NOT NULL,
    initial_state_h DOUBLE PRECISION,
    initial_output_kw DOUBLE PRECISION,
    startup_time_min DOUBLE PRECISION,
    shutdown_time_min DOUBLE PRECISION,
    max_startup_kw DOUBLE PRECISION,
    max_shutdown_kw DOUBLE PRECISION,
    efficiency_at_rated_load DOUBLE PRECISION,
    efficiency_at_min_load DOUBLE PRECISION,
    heat_rate_btu_per_kwh DOUBLE PRECISION,
    ramp_up_rate_kw_per_min DOUBLE PRECISION,
    ramp_down_rate_kw_per_min DOUBLE PRECISION,
    co2_emissions_kg_per_kwh DOUBLE PRECISION NOT NULL,
    nox_emissions_kg_per_kwh DOUBLE PRECISION,
    sox_emissions_kg_per_kwh DOUBLE PRECISION,
    particulate_emissions_kg_per_kwh DOUBLE PRECISION,
    waste_heat_recovery_capable BOOLEAN NOT NULL,
    waste_heat_capacity_kw DOUBLE PRECISION,
    operating_h DOUBLE PRECISION NOT NULL,
    maintenance_interval_h DOUBLE PRECISION,
    next_maintenance_h DOUBLE PRECISION,
    noise_level_db DOUBLE PRECISION,
    requires_permit BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_generator_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_generator_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
    CONSTRAINT ck_generator_specs_max_output_kw_range CHECK (max_output_kw > 0 AND max_output_kw <= 1e308),
    CONSTRAINT ck_generator_specs_min_output_kw_range CHECK (min_output_kw >= 0 AND min_output_kw <= 1e308),
    CONSTRAINT ck_generator_specs_generator_type_choice CHECK (generator_type IN ('diesel', 'natural_gas', 'biogas', 'dual_fuel', 'gasoline', 'propane', 'other')),
    CONSTRAINT ck_generator_specs_prime_mover_choice CHECK (prime_mover IN ('reciprocating_engine', 'gas_turbine', 'micro_turbine', 'fuel_cell', 'steam_turbine')),
    CONSTRAINT ck_generator_specs_fuel_type_length CHECK (length(fuel_type) >= 1 AND length(fuel_type) <= 200),
    CONSTRAINT ck_generator_specs_fuel_tank_capacity_l_range CHECK (fuel_tank_capacity_l > 0 AND fuel_tank_capacity_l <= 1e308),
    CONSTRAINT ck_generator_specs_fuel_consumption_l_per_kwh_range CHECK (fuel_consumption_l_per_kwh > 0 AND fuel_consumption_l_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_fuel_cost_per_l_range CHECK (fuel_cost_per_l >= 0 AND fuel_cost_per_l <= 1e308),
    CONSTRAINT ck_generator_specs_fuel_cost_per_kwh_range CHECK (fuel_cost_per_kwh >= 0 AND fuel_cost_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_quadratic_cost_per_kw2h_range CHECK (quadratic_cost_per_kw2h >= 0 AND quadratic_cost_per_kw2h <= 1e308),
    CONSTRAINT ck_generator_specs_no_load_cost_per_h_range CHECK (no_load_cost_per_h >= -1e308 AND no_load_cost_per_h <= 1e308),
    CONSTRAINT ck_generator_specs_startup_cost_range CHECK (startup_cost >= 0 AND startup_cost <= 1e308),
    CONSTRAINT ck_generator_specs_shutdown_cost_range CHECK (shutdown_cost >= 0 AND shutdown_cost <= 1e308),
    CONSTRAINT ck_generator_specs_maintenance_cost_per_h_range CHECK (maintenance_cost_per_h >= 0 AND maintenance_cost_per_h <= 1e308),
    CONSTRAINT ck_generator_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= 0 AND variable_om_cost_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_min_uptime_h_range CHECK (min_uptime_h >= 0 AND min_uptime_h <= 1e308),
    CONSTRAINT ck_generator_specs_min_downtime_h_range CHECK (min_downtime_h >= 0 AND min_downtime_h <= 1e308),
    CONSTRAINT ck_generator_specs_initial_state_h_range CHECK (initial_state_h >= 0 AND initial_state_h <= 1e308),
    CONSTRAINT ck_generator_specs_initial_output_kw_range CHECK (initial_output_kw >= 0 AND initial_output_kw <= 1e308),
    CONSTRAINT ck_generator_specs_startup_time_min_range CHECK (startup_time_min >= 0 AND startup_time_min <= 1e308),
    CONSTRAINT ck_generator_specs_shutdown_time_min_range CHECK (shutdown_time_min >= 0 AND shutdown_time_min <= 1e308),
    CONSTRAINT ck_generator_specs_max_startup_kw_range CHECK (max_startup_kw > 0 AND max_startup_kw <= 1e308),
    CONSTRAINT ck_generator_specs_max_shutdown_kw_range CHECK (max_shutdown_kw > 0 AND max_shutdown_kw <= 1e308),
    CONSTRAINT ck_generator_specs_efficiency_at_rated_load_range CHECK (efficiency_at_rated_load > 0 AND efficiency_at_rated_load <= 1),
    CONSTRAINT ck_generator_specs_efficiency_at_min_load_range CHECK (efficiency_at_min_load > 0 AND efficiency_at_min_load <= 1),
    CONSTRAINT ck_generator_specs_heat_rate_btu_per_kwh_range CHECK (heat_rate_btu_per_kwh > 0 AND heat_rate_btu_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range CHECK (ramp_up_rate_kw_per_min >= 0 AND ramp_up_rate_kw_per_min <= 1e308),
    CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range CHECK (ramp_down_rate_kw_per_min >= 0 AND ramp_down_rate_kw_per_min <= 1e308),
    CONSTRAINT ck_generator_specs_co2_emissions_kg_per_kwh_range CHECK (co2_emissions_kg_per_kwh >= 0 AND co2_emissions_kg_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_nox_emissions_kg_per_kwh_range CHECK (nox_emissions_kg_per_kwh >= 0 AND nox_emissions_kg_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_sox_emissions_kg_per_kwh_range CHECK (sox_emissions_kg_per_kwh >= 0 AND sox_emissions_kg_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_particulate_emissions_kg_per_kwh_range CHECK (particulate_emissions_kg_per_kwh >= 0 AND particulate_emissions_kg_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_waste_heat_capacity_kw_range CHECK (waste_heat_capacity_kw >= 0 AND waste_heat_capacity_kw <= 1e308),
    CONSTRAINT ck_generator_specs_operating_h_range CHECK (operating_h >= 0 AND operating_h <= 1e308),
    CONSTRAINT ck_generator_specs_maintenance_interval_h_range CHECK (maintenance_interval_h > 0 AND maintenance_interval_h <= 1e308),
    CONSTRAINT ck_generator_specs_next_maintenance_h_range CHECK (next_maintenance_h >= 0 AND next_maintenance_h <= 1e308),
    CONSTRAINT ck_generator_specs_noise_level_db_range CHECK (noise_level_db >= 0 AND noise_level_db <= 1e308),
    CONSTRAINT ck_generator_specs_kind_choice CHECK (kind = 'generator'),
    CONSTRAINT ck_generator_specs_output_order CHECK (min_output_kw <= max_output_kw),
    CONSTRAINT ck_generator_specs_tank_use CHECK (fuel_tank_capacity_l IS NULL OR fuel_consumption_l_per_kwh IS NOT NULL),
    CONSTRAINT ck_generator_specs_startup_order CHECK (min_output_kw <= max_startup_kw),
    CONSTRAINT ck_generator_specs_shutdown_order CHECK (min_output_kw <= max_shutdown_kw),
    CONSTRAINT ck_generator_specs_output_before CHECK (initial_is_on OR NOT is_committable OR coalesce(initial_output_kw, 0) = 0),
    CONSTRAINT fk_generator_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);
CREATE INDEX ix_generator_specs_generator_type ON generator_specs (generator_type);
COMMENT ON TABLE generator_specs IS 'A generator that burns fuel and is switched on and off.';
COMMENT ON COLUMN generator_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN generator_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN generator_specs.rated_capacity_kw IS 'Power on the name plate; the highest output where nothing is given. [kW]';
COMMENT ON COLUMN generator_specs.max_output_kw IS 'Highest output when on. [kW]';
COMMENT ON COLUMN generator_specs.min_output_kw IS 'Lowest output when on. [kW]';
COMMENT ON COLUMN generator_specs.generator_type IS 'What it burns, roughly.';
COMMENT ON COLUMN generator_specs.prime_mover IS 'What drives it.';
COMMENT ON COLUMN generator_specs.fuel_type IS 'What it burns, exactly.';
COMMENT ON COLUMN generator_specs.fuel_tank_capacity_l IS 'Fuel at the site; with the consumption, a budget of the horizon. [l]';
COMMENT ON COLUMN generator_specs.fuel_consumption_l_per_kwh IS 'Fuel for a kWh of output. [l/kWh]';
COMMENT ON COLUMN generator_specs.fuel_cost_per_l IS 'Price of fuel; with the consumption it gives the fuel cost where none is stated. [currency/l]';
COMMENT ON COLUMN generator_specs.fuel_cost_per_kwh IS 'Cost of fuel for a kWh of output; price of fuel by consumption where nothing is given, nothing beside a cost_curve. [currency/kWh]';
COMMENT ON COLUMN generator_specs.quadratic_cost_per_kw2h IS 'Cost of fuel for an hour at the square of the output in kW, on top of the others. [currency/kW²·h]';
COMMENT ON COLUMN generator_specs.cost_curve IS 'Cost of fuel over output, linear between points, from the lowest to the highest output; instead of a cost for a kWh.';
COMMENT ON COLUMN generator_specs.no_load_cost_per_h IS 'Cost of fuel for each hour on, whatever the output. [currency/h]';
COMMENT ON COLUMN generator_specs.startup_cost IS 'Cost of each start. [currency]';
COMMENT ON COLUMN generator_specs.startup_costs IS 'Cost of a start by the hours off before it, from hot to cold; instead of one cost.';
COMMENT ON COLUMN generator_specs.shutdown_cost IS 'Cost of each stop. [currency]';
COMMENT ON COLUMN generator_specs.maintenance_cost_per_h IS 'Cost of upkeep for each hour on. [currency/h]';
COMMENT ON COLUMN generator_specs.variable_om_cost_per_kwh IS 'Cost of operation and upkeep for a kWh of output, beside the fuel. [currency/kWh]';
COMMENT ON COLUMN generator_specs.is_committable IS 'Whether it can be switched on and off; one that cannot always runs, without starts and their costs and times.';
COMMENT ON COLUMN generator_specs.must_run IS 'Whether it is on whenever it is available; it may start in the first step.';
COMMENT ON COLUMN generator_specs.min_uptime_h IS 'Hours that it stays on once started. [h]';
COMMENT ON COLUMN generator_specs.min_downtime_h IS 'Hours that it stays off once stopped. [h]';
COMMENT ON COLUMN generator_specs.initial_is_on IS 'Whether it was on before the horizon.';
COMMENT ON COLUMN generator_specs.initial_state_h IS 'Hours for which it had been on or off before the horizon; long where nothing is given. [h]';
COMMENT ON COLUMN generator_specs.initial_output_kw IS 'Output before the horizon, from which it ramps into the first step; any output where nothing is given and it was on. [kW]';
COMMENT ON COLUMN generator_specs.startup_time_min IS 'Time from an order to the first power. [min]';
COMMENT ON COLUMN generator_specs.shutdown_time_min IS 'Time from an order to the last power. [min]';
COMMENT ON COLUMN generator_specs.max_startup_kw IS 'Highest output in the step of a start. [kW]';
COMMENT ON COLUMN generator_specs.max_shutdown_kw IS 'Highest output in the last step before a stop. [kW]';
COMMENT ON COLUMN generator_specs.efficiency_at_rated_load IS 'Power out per power of fuel at the highest output.';
COMMENT ON COLUMN generator_specs.efficiency_at_min_load IS 'Power out per power of fuel at the lowest output.';
COMMENT ON COLUMN generator_specs.heat_rate_btu_per_kwh IS 'Heat of fuel for a kWh of output. [Btu/kWh]';
COMMENT ON COLUMN generator_specs.ramp_up_rate_kw_per_min IS 'How fast the output may rise above the lowest one, which a start reaches at once. [kW/min]';
COMMENT ON COLUMN generator_specs.ramp_down_rate_kw_per_min IS 'How fast the output may fall above the lowest one, from which a stop falls at once. [kW/min]';
COMMENT ON COLUMN generator_specs.co2_emissions_kg_per_kwh IS 'Carbon dioxide for a kWh of output. [kg/kWh]';
COMMENT ON COLUMN generator_specs.nox_emissions_kg_per_kwh IS 'Nitrogen oxides for a kWh of output. [kg/kWh]';
COMMENT ON COLUMN generator_specs.sox_emissions_kg_per_kwh IS 'Sulphur oxides for a kWh of output. [kg/kWh]';
COMMENT ON COLUMN generator_specs.particulate_emissions_kg_per_kwh IS 'Particles for a kWh of output. [kg/kWh]';
COMMENT ON COLUMN generator_specs.waste_heat_recovery_capable IS 'Whether its heat can be used.';
COMMENT ON COLUMN generator_specs.waste_heat_capacity_kw IS 'Heat that can be used at the highest output. [kW]';
COMMENT ON COLUMN generator_specs.operating_h IS 'Hours that it has run. [h]';
COMMENT ON COLUMN generator_specs.maintenance_interval_h IS 'Hours run between two services. [h]';
COMMENT ON COLUMN generator_specs.next_maintenance_h IS 'Count of hours run at which the next service is due. [h]';
COMMENT ON COLUMN generator_specs.noise_level_db IS 'Sound beside it. [dB]';
COMMENT ON COLUMN generator_specs.requires_permit IS 'Whether an authority must allow it to run.';
COMMENT ON COLUMN generator_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN generator_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN generator_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN generator_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN generator_specs.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE grid_connection_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'grid_connection' NOT NULL,
    max_import_kw DOUBLE PRECISION NOT NULL,
    max_export_kw DOUBLE PRECISION NOT NULL,
    rated_capacity_kw DOUBLE PRECISION,
    import_enabled BOOLEAN NOT NULL,
    export_enabled BOOLEAN NOT NULL,
    tariff_id VARCHAR(64),
    import_price_per_kwh DOUBLE PRECISION,
    export_price_per_kwh DOUBLE PRECISION,
    demand_charges JSONB NOT NULL,
    demand_so_far JSONB NOT NULL,
    month_import_kwh_so_far DOUBLE PRECISION NOT NULL,
    month_export_kwh_so_far DOUBLE PRECISION NOT NULL,
    year_import_kwh_so_far DOUBLE PRECISION NOT NULL,
    co2_intensity_kg_per_kwh DOUBLE PRECISION NOT NULL,
    may_import_while_exporting BOOLEAN NOT NULL,
    connection_type VARCHAR(14),
    voltage_level_kv DOUBLE PRECISION,
    frequency_hz DOUBLE PRECISION NOT NULL,
    phases BIGINT,
    transformer_capacity_kva DOUBLE PRECISION,
    transformer_losses_kw DOUBLE PRECISION NOT NULL,
    min_power_factor DOUBLE PRECISION,
    max_power_factor DOUBLE PRECISION,
    max_reactive_import_kvar DOUBLE PRECISION,
    max_reactive_export_kvar DOUBLE PRECISION,
    grid_code VARCHAR(200),
    fault_ride_through_capable BOOLEAN NOT NULL,
    utility_company VARCHAR(200),
    meter_id VARCHAR(200),
    connection_point_id VARCHAR(200),
    tariff_type VARCHAR(17),
    demand_charge_applicable BOOLEAN NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE PRECISION,
    ramp_down_rate_kw_per_s DOUBLE PRECISION,
    connection_fee DOUBLE PRECISION,
    monthly_service_charge DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_grid_connection_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_grid_connection_specs_max_import_kw_range CHECK (max_import_kw >= 0 AND max_import_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_max_export_kw_range CHECK (max_export_kw >= 0 AND max_export_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_tariff_id_length CHECK (length(tariff_id) <= 64),
    CONSTRAINT ck_grid_connection_specs_import_price_per_kwh_range CHECK (import_price_per_kwh >= -1e308 AND import_price_per_kwh <= 1e308),
    CONSTRAINT ck_grid_connection_specs_export_price_per_kwh_range CHECK (export_price_per_kwh >= -1e308 AND export_price_per_kwh <= 1e308),
    CONSTRAINT ck_grid_connection_specs_month_import_kwh_so_far_range CHECK (month_import_kwh_so_far >= 0 AND month_import_kwh_so_far <= 1e308),
    CONSTRAINT ck_grid_connection_specs_month_export_kwh_so_far_range CHECK (month_export_kwh_so_far >= 0 AND month_export_kwh_so_far <= 1e308),
    CONSTRAINT ck_grid_connection_specs_year_import_kwh_so_far_range CHECK (year_import_kwh_so_far >= 0 AND year_import_kwh_so_far <= 1e308),
    CONSTRAINT ck_grid_connection_specs_co2_intensity_kg_per_kwh_range CHECK (co2_intensity_kg_per_kwh >= 0 AND co2_intensity_kg_per_kwh <= 1e308),
    CONSTRAINT ck_grid_connection_specs_connection_type_choice CHECK (connection_type IN ('low_voltage', 'medium_voltage', 'high_voltage', 'transmission')),
    CONSTRAINT ck_grid_connection_specs_voltage_level_kv_range CHECK (voltage_level_kv > 0 AND voltage_level_kv <= 1e308),
    CONSTRAINT ck_grid_connection_specs_frequency_hz_range CHECK (frequency_hz > 0 AND frequency_hz <= 1e308),
    CONSTRAINT ck_grid_connection_specs_phases_choice CHECK (phases IN (1, 3)),
    CONSTRAINT ck_grid_connection_specs_transformer_capacity_kva_range CHECK (transformer_capacity_kva > 0 AND transformer_capacity_kva <= 1e308),
    CONSTRAINT ck_grid_connection_specs_transformer_losses_kw_range CHECK (transformer_losses_kw >= 0 AND transformer_losses_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_min_power_factor_range CHECK (min_power_factor >= -1 AND min_power_factor <= 1),
    CONSTRAINT ck_grid_connection_specs_max_power_factor_range CHECK (max_power_factor >= -1 AND max_power_factor <= 1),
    CONSTRAINT ck_grid_connection_specs_max_reactive_import_kvar_range CHECK (max_reactive_import_kvar >= 0 AND max_reactive_import_kvar <= 1e308),
    CONSTRAINT ck_grid_connection_specs_max_reactive_export_kvar_range CHECK (max_reactive_export_kvar >= 0 AND max_reactive_export_kvar <= 1e308),
    CONSTRAINT ck_grid_connection_specs_grid_code_length CHECK (length(grid_code) >= 1 AND length(grid_code) <= 200),
    CONSTRAINT ck_grid_connection_specs_utility_company_length CHECK (length(utility_company) >= 1 AND length(utility_company) <= 200),
    CONSTRAINT ck_grid_connection_specs_meter_id_length CHECK (length(meter_id) >= 1 AND length(meter_id) <= 200),
    CONSTRAINT ck_grid_connection_specs_connection_point_id_length CHECK (length(connection_point_id) >= 1 AND length(connection_point_id) <= 200),
    CONSTRAINT ck_grid_connection_specs_tariff_type_choice CHECK (tariff_type IN ('flat_rate', 'time_of_use', 'real_time_pricing', 'demand_charge')),
    CONSTRAINT ck_grid_connection_specs_ramp_up_rate_kw_per_s_range CHECK (ramp_up_rate_kw_per_s > 0 AND ramp_up_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_grid_connection_specs_ramp_down_rate_kw_per_s_range CHECK (ramp_down_rate_kw_per_s > 0 AND ramp_down_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_grid_connection_specs_connection_fee_range CHECK (connection_fee >= 0 AND connection_fee <= 1e308),
    CONSTRAINT ck_grid_connection_specs_monthly_service_charge_range CHECK (monthly_service_charge >= 0 AND monthly_service_charge <= 1e308),
    CONSTRAINT ck_grid_connection_specs_kind_choice CHECK (kind = 'grid_connection'),
    CONSTRAINT ck_grid_connection_specs_one_price CHECK (tariff_id IS NULL OR (import_price_per_kwh IS NULL AND export_price_per_kwh IS NULL)),
    CONSTRAINT ck_grid_connection_specs_power_factor_order CHECK (abs(min_power_factor) <= abs(max_power_factor)),
    CONSTRAINT fk_grid_connection_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE,
    CONSTRAINT fk_grid_connection_specs_tariff_id_tariffs FOREIGN KEY(tariff_id) REFERENCES tariffs (id) ON DELETE RESTRICT
);
CREATE INDEX ix_grid_connection_specs_tariff_id ON grid_connection_specs (tariff_id);
COMMENT ON TABLE grid_connection_specs IS 'The point of common coupling, where energy is bought and sold.';
COMMENT ON COLUMN grid_connection_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN grid_connection_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN grid_connection_specs.max_import_kw IS 'Highest power taken from the grid; a series may replace it in each step. [kW]';
COMMENT ON COLUMN grid_connection_specs.max_export_kw IS 'Highest power fed into the grid; a series may replace it in each step. [kW]';
COMMENT ON COLUMN grid_connection_specs.rated_capacity_kw IS 'Power agreed with the grid operator. [kW]';
COMMENT ON COLUMN grid_connection_specs.import_enabled IS 'Whether power may be taken from the grid at all.';
COMMENT ON COLUMN grid_connection_specs.export_enabled IS 'Whether power may be fed into the grid at all.';
COMMENT ON COLUMN grid_connection_specs.tariff_id IS 'Tariff that gives the prices of energy.';
COMMENT ON COLUMN grid_connection_specs.import_price_per_kwh IS 'Price of energy bought, where one holds at all times; otherwise a tariff or a series gives it. [currency/kWh]';
COMMENT ON COLUMN grid_connection_specs.export_price_per_kwh IS 'Price of energy sold, where one holds at all times; otherwise a tariff or a series gives it. [currency/kWh]';
COMMENT ON COLUMN grid_connection_specs.demand_charges IS 'Prices of the highest powers of months, days or windows; those of the tariff add to them.';
COMMENT ON COLUMN grid_connection_specs.demand_so_far IS 'Peaks before the horizon by demand charge, in addition to those that the charges state.';
COMMENT ON COLUMN grid_connection_specs.month_import_kwh_so_far IS 'Energy bought before the horizon in the month in which it begins: the energy tiers of the tariff that it has filled.';
COMMENT ON COLUMN grid_connection_specs.month_export_kwh_so_far IS 'Energy sold before the horizon in the month in which it begins.';
COMMENT ON COLUMN grid_connection_specs.year_import_kwh_so_far IS 'Energy bought before the horizon in the calendar year in which it begins, for levies that end at a limit.';
COMMENT ON COLUMN grid_connection_specs.co2_intensity_kg_per_kwh IS 'Carbon dioxide emitted for each kWh that is bought. [kg/kWh]';
COMMENT ON COLUMN grid_connection_specs.may_import_while_exporting IS 'Whether import and export are metered apart, so that both may be in one step.';
COMMENT ON COLUMN grid_connection_specs.connection_type IS 'Level of the grid that it belongs to.';
COMMENT ON COLUMN grid_connection_specs.voltage_level_kv IS 'Nominal voltage. [kV]';
COMMENT ON COLUMN grid_connection_specs.frequency_hz IS 'Nominal frequency. [Hz]';
COMMENT ON COLUMN grid_connection_specs.phases IS 'Number of phases.';
COMMENT ON COLUMN grid_connection_specs.transformer_capacity_kva IS 'Apparent power of the transformer; times the least power factor it bounds import and export. [kVA]';
COMMENT ON COLUMN grid_connection_specs.transformer_losses_kw IS 'Power that the transformer loses at all times. [kW]';
COMMENT ON COLUMN grid_connection_specs.min_power_factor IS 'Least power factor in operation; negative where current leads. [1]';
COMMENT ON COLUMN grid_connection_specs.max_power_factor IS 'Greatest power factor in operation. [1]';
COMMENT ON COLUMN grid_connection_specs.max_reactive_import_kvar IS 'Highest reactive power taken from the grid. [kvar]';
COMMENT ON COLUMN grid_connection_specs.max_reactive_export_kvar IS 'Highest reactive power fed into the grid. [kvar]';
COMMENT ON COLUMN grid_connection_specs.grid_code IS 'Rules of the grid that it keeps: VDE-AR-N 4105.';
COMMENT ON COLUMN grid_connection_specs.fault_ride_through_capable IS 'Whether it stays connected during faults of the grid.';
COMMENT ON COLUMN grid_connection_specs.utility_company IS 'Who supplies energy or runs the grid.';
COMMENT ON COLUMN grid_connection_specs.meter_id IS 'Number of the meter.';
COMMENT ON COLUMN grid_connection_specs.connection_point_id IS 'Number of the point of common coupling.';
COMMENT ON COLUMN grid_connection_specs.tariff_type IS 'Kind of contract, in words; the tariff itself gives the prices.';
COMMENT ON COLUMN grid_connection_specs.demand_charge_applicable IS 'Whether the contract has a price of peaks.';
COMMENT ON COLUMN grid_connection_specs.ramp_up_rate_kw_per_s IS 'How fast the power from the grid may rise. [kW/s]';
COMMENT ON COLUMN grid_connection_specs.ramp_down_rate_kw_per_s IS 'How fast the power from the grid may fall. [kW/s]';
COMMENT ON COLUMN grid_connection_specs.connection_fee IS 'Price of the connection, paid once. [currency]';
COMMENT ON COLUMN grid_connection_specs.monthly_service_charge IS 'Fixed price of a month. [currency]';
COMMENT ON COLUMN grid_connection_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN grid_connection_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN grid_connection_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN grid_connection_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN grid_connection_specs.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE load_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'load' NOT NULL,
    load_type VARCHAR(12),
    rated_load_kw DOUBLE PRECISION NOT NULL,
    average_load_kw DOUBLE PRECISION,
    peak_load_kw DOUBLE PRECISION,
    min_load_kw DOUBLE PRECISION,
    is_flexible BOOLEAN NOT NULL,
    is_critical BOOLEAN NOT NULL,
    is_sheddable BOOLEAN NOT NULL,
    priority_level BIGINT,
    max_curtailment DOUBLE PRECISION,
    curtailment_response_time_s DOUBLE PRECISION,
    max_curtailment_duration_min DOUBLE PRECISION,
    min_recovery_time_min DOUBLE PRECISION,
    recovered_share DOUBLE PRECISION NOT NULL,
    recovery_h DOUBLE PRECISION,
    shiftable JSONB,
    thermal JSONB,
    load_factor DOUBLE PRECISION,
    voltage_tolerance DOUBLE PRECISION,
    frequency_tolerance_hz DOUBLE PRECISION,
    operating_h_per_d DOUBLE PRECISION,
    operating_d_per_week BIGINT,
    seasonal_variation BOOLEAN NOT NULL,
    electricity_cost_per_kwh DOUBLE PRECISION,
    demand_charge_per_kw DOUBLE PRECISION,
    interruption_cost_per_kwh DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_load_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_load_specs_load_type_choice CHECK (load_type IN ('residential', 'commercial', 'industrial', 'agricultural', 'critical', 'flexible')),
    CONSTRAINT ck_load_specs_rated_load_kw_range CHECK (rated_load_kw > 0 AND rated_load_kw <= 1e308),
    CONSTRAINT ck_load_specs_average_load_kw_range CHECK (average_load_kw >= 0 AND average_load_kw <= 1e308),
    CONSTRAINT ck_load_specs_peak_load_kw_range CHECK (peak_load_kw >= 0 AND peak_load_kw <= 1e308),
    CONSTRAINT ck_load_specs_min_load_kw_range CHECK (min_load_kw >= 0 AND min_load_kw <= 1e308),
    CONSTRAINT ck_load_specs_priority_level_range CHECK (priority_level >= 1 AND priority_level <= 10),
    CONSTRAINT ck_load_specs_max_curtailment_range CHECK (max_curtailment >= 0 AND max_curtailment <= 1),
    CONSTRAINT ck_load_specs_curtailment_response_time_s_range CHECK (curtailment_response_time_s >= 0 AND curtailment_response_time_s <= 1e308),
    CONSTRAINT ck_load_specs_max_curtailment_duration_min_range CHECK (max_curtailment_duration_min >= 0 AND max_curtailment_duration_min <= 1e308),
    CONSTRAINT ck_load_specs_min_recovery_time_min_range CHECK (min_recovery_time_min >= 0 AND min_recovery_time_min <= 1e308),
    CONSTRAINT ck_load_specs_recovered_share_range CHECK (recovered_share >= 0 AND recovered_share <= 1),
    CONSTRAINT ck_load_specs_recovery_h_range CHECK (recovery_h > 0 AND recovery_h <= 1e308),
    CONSTRAINT ck_load_specs_load_factor_range CHECK (load_factor >= 0 AND load_factor <= 1),
    CONSTRAINT ck_load_specs_voltage_tolerance_range CHECK (voltage_tolerance >= 0 AND voltage_tolerance <= 1),
    CONSTRAINT ck_load_specs_frequency_tolerance_hz_range CHECK (frequency_tolerance_hz >= 0 AND frequency_tolerance_hz <= 1e308),
    CONSTRAINT ck_load_specs_operating_h_per_d_range CHECK (operating_h_per_d >= 0 AND operating_h_per_d <= 24),
    CONSTRAINT ck_load_specs_operating_d_per_week_range CHECK (operating_d_per_week >= 0 AND operating_d_per_week <= 7),
    CONSTRAINT ck_load_specs_electricity_cost_per_kwh_range CHECK (electricity_cost_per_kwh >= 0 AND electricity_cost_per_kwh <= 1e308),
    CONSTRAINT ck_load_specs_demand_charge_per_kw_range CHECK (demand_charge_per_kw >= 0 AND demand_charge_per_kw <= 1e308),
    CONSTRAINT ck_load_specs_interruption_cost_per_kwh_range CHECK (interruption_cost_per_kwh >= 0 AND interruption_cost_per_kwh <= 1e308),
    CONSTRAINT ck_load_specs_kind_choice CHECK (kind = 'load'),
    CONSTRAINT ck_load_specs_power_order CHECK (min_load_kw <= peak_load_kw),
    CONSTRAINT ck_load_specs_critical_is_served CHECK (NOT (is_critical AND is_sheddable)),
    CONSTRAINT ck_load_specs_shedding_price CHECK (is_sheddable = (interruption_cost_per_kwh IS NOT NULL)),
    CONSTRAINT ck_load_specs_one_use CHECK (shiftable IS NULL OR thermal IS NULL),
    CONSTRAINT ck_load_specs_shed_of_profile CHECK (NOT is_sheddable OR (shiftable IS NULL AND thermal IS NULL)),
    CONSTRAINT ck_load_specs_recovery_of_shed CHECK (is_sheddable OR recovered_share = 0),
    CONSTRAINT ck_load_specs_recovery_time CHECK (recovery_h IS NULL OR recovered_share > 0),
    CONSTRAINT fk_load_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);
COMMENT ON TABLE load_specs IS 'A demand for power.';
COMMENT ON COLUMN load_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN load_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN load_specs.load_type IS 'Who uses the power.';
COMMENT ON COLUMN load_specs.rated_load_kw IS 'Highest power that it is built for. [kW]';
COMMENT ON COLUMN load_specs.average_load_kw IS 'Mean power. [kW]';
COMMENT ON COLUMN load_specs.peak_load_kw IS 'Highest power measured. [kW]';
COMMENT ON COLUMN load_specs.min_load_kw IS 'Lowest power measured. [kW]';
COMMENT ON COLUMN load_specs.is_flexible IS 'Whether it can be moved in time.';
COMMENT ON COLUMN load_specs.is_critical IS 'Whether it must be served in any case; such a load cannot be sheddable.';
COMMENT ON COLUMN load_specs.is_sheddable IS 'Whether demand may be left unserved, at the interruption cost.';
COMMENT ON COLUMN load_specs.priority_level IS 'Rank among loads, 1 is served first; of loads with the same interruption cost the one with the larger number is shed first, and one without a number before all.';
COMMENT ON COLUMN load_specs.max_curtailment IS 'Share of the demand that may be left unserved in a step; all of it where nothing is given. [1]';
COMMENT ON COLUMN load_specs.curtailment_response_time_s IS 'Time from an order to less power. [s]';
COMMENT ON COLUMN load_specs.max_curtailment_duration_min IS 'Longest time with less power. [min]';
COMMENT ON COLUMN load_specs.min_recovery_time_min IS 'Shortest time between two such times. [min]';
COMMENT ON COLUMN load_specs.recovered_share IS 'Share of the energy not served that is drawn again later, by the end of the horizon at the latest. [1]';
COMMENT ON COLUMN load_specs.recovery_h IS 'Time within which that energy is drawn; any time where nothing is given. [h]';
COMMENT ON COLUMN load_specs.shiftable IS 'Use of power whose time may be chosen, in place of a profile.';
COMMENT ON COLUMN load_specs.thermal IS 'Zone that it heats or cools, in place of a profile.';
COMMENT ON COLUMN load_specs.load_factor IS 'Mean power as a share of the peak. [1]';
COMMENT ON COLUMN load_specs.voltage_tolerance IS 'Deviation of voltage that it bears, as a share. [1]';
COMMENT ON COLUMN load_specs.frequency_tolerance_hz IS 'Deviation of frequency that it bears. [Hz]';
COMMENT ON COLUMN load_specs.operating_h_per_d IS 'Hours of a day in which it runs. [h/d]';
COMMENT ON COLUMN load_specs.operating_d_per_week IS 'Days of a week on which it runs. [d/week]';
COMMENT ON COLUMN load_specs.seasonal_variation IS 'Whether its power changes with the season.';
COMMENT ON COLUMN load_specs.electricity_cost_per_kwh IS 'What its user pays for energy. [currency/kWh]';
COMMENT ON COLUMN load_specs.demand_charge_per_kw IS 'What its user pays for the peak of a month. [currency/kW]';
COMMENT ON COLUMN load_specs.interruption_cost_per_kwh IS 'Worth of a kWh that is not served; needed where the load is sheddable, and may change with time. [currency/kWh]';
COMMENT ON COLUMN load_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN load_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN load_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN load_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN load_specs.version IS 'Counts changes from 1; a trigger moves it.';

CREATE TABLE maintenance_records (
    id VARCHAR(64) NOT NULL,
    asset_id VARCHAR(64) NOT NULL,
    maintenance_type VARCHAR(15) NOT NULL,
    scheduled_date DATE,
    completed_date DATE,
    duration_h DOUBLE PRECISION,
    performed_by VARCHAR(200),
    service_provider VARCHAR(200),
    description VARCHAR(10000) NOT NULL,
    work_performed VARCHAR(10000) NOT NULL,
    parts_replaced JSONB NOT NULL,
    cost DOUBLE PRECISION,
    downtime_h DOUBLE PRECISION,
    next_maintenance_date DATE,
    status VARCHAR(11) NOT NULL,
    metadata JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_maintenance_records PRIMARY KEY (id),
    CONSTRAINT ck_maintenance_records_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_maintenance_records_asset_id_length CHECK (length(asset_id) <= 64),
    CONSTRAINT ck_maintenance_records_maintenance_type_choice CHECK (maintenance_type IN ('preventive', 'corrective', 'predictive', 'condition_based', 'emergency')),
    CONSTRAINT ck_maintenance_records_duration_h_range CHECK (duration_h >= 0 AND duration_h <= 1e308),
    CONSTRAINT ck_maintenance_records_performed_by_length CHECK (length(performed_by) >= 1 AND length(performed_by) <= 200),
    CONSTRAINT ck_maintenance_records_service_provider_length CHECK (length(service_provider) >= 1 AND length(service_provider) <= 200),
    CONSTRAINT ck_maintenance_records_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_maintenance_records_work_performed_length CHECK (length(work_performed) <= 10000),
    CONSTRAINT ck_maintenance_records_cost_range CHECK (cost >= 0 AND cost <= 1e308),
    CONSTRAINT ck_maintenance_records_downtime_h_range CHECK (downtime_h >= 0 AND downtime_h <= 1e308),
    CONSTRAINT ck_maintenance_records_status_choice CHECK (status IN ('scheduled', 'in_progress', 'completed', 'cancelled', 'overdue')),
    CONSTRAINT ck_maintenance_records_completed_has_date CHECK ((status = 'completed') = (completed_date IS NOT NULL)),
    CONSTRAINT ck_maintenance_records_planned_has_date CHECK (status NOT IN ('scheduled', 'overdue') OR scheduled_date IS NOT NULL),
    CONSTRAINT ck_maintenance_records_next_order CHECK (next_maintenance_date > coalesce(completed_date, scheduled_date)),
    CONSTRAINT fk_maintenance_records_asset_id_assets FOREIGN KEY(asset_id) REFERENCES assets (id) ON DELETE CASCADE
);
CREATE INDEX ix_maintenance_records_asset_id ON maintenance_records (asset_id);
CREATE INDEX ix_maintenance_records_status_scheduled_date ON maintenance_records (status, scheduled_date);
COMMENT ON TABLE maintenance_records IS 'A piece of maintenance: planned, under way or done.';
COMMENT ON COLUMN maintenance_records.id IS 'Id of the record.';
COMMENT ON COLUMN maintenance_records.asset_id IS 'Asset that is maintained.';
COMMENT ON COLUMN maintenance_records.maintenance_type IS 'Why it is done.';
COMMENT ON COLUMN maintenance_records.scheduled_date IS 'Day for which it is planned.';
COMMENT ON COLUMN maintenance_records.completed_date IS 'Day on which it was done.';
COMMENT ON COLUMN maintenance_records.duration_h IS 'Hours of work. [h]';
COMMENT ON COLUMN maintenance_records.performed_by IS 'Who did it.';
COMMENT ON COLUMN maintenance_records.service_provider IS 'Company that did it.';
COMMENT ON COLUMN maintenance_records.description IS 'What is to be done.';
COMMENT ON COLUMN maintenance_records.work_performed IS 'What was done.';
COMMENT ON COLUMN maintenance_records.parts_replaced IS 'Parts that were replaced.';
COMMENT ON COLUMN maintenance_records.cost IS 'What it cost. [currency]';
COMMENT ON COLUMN maintenance_records.downtime_h IS 'Hours during which the asset could not run. [h]';
COMMENT ON COLUMN maintenance_records.next_maintenance_date IS 'Day by which the next one is due.';
COMMENT ON COLUMN maintenance_records.status IS 'How far it is; overdue follows from the day by itself.';
COMMENT ON COLUMN maintenance_records.metadata IS 'Anything else, by name.';
COMMENT ON COLUMN maintenance_records.created_at IS 'When it was made.';
COMMENT ON COLUMN maintenance_records.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN maintenance_records.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN maintenance_records.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN maintenance_records.version IS 'Counts changes from 1; a trigger moves it.';

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
    owner_kind VARCHAR(7) NOT NULL,
    owner_id VARCHAR(200) NOT NULL,
    cost_type VARCHAR(200) NOT NULL,
    cost DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_optimization_costs PRIMARY KEY (job_id, owner_kind, owner_id, cost_type),
    CONSTRAINT ck_optimization_costs_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_costs_owner_kind_choice CHECK (owner_kind IN ('asset', 'site', 'reserve')),
    CONSTRAINT ck_optimization_costs_owner_id_length CHECK (length(owner_id) >= 1 AND length(owner_id) <= 200),
    CONSTRAINT ck_optimization_costs_cost_type_length CHECK (length(cost_type) >= 1 AND length(cost_type) <= 200),
    CONSTRAINT ck_optimization_costs_cost_range CHECK (cost >= -1e308 AND cost <= 1e308),
    CONSTRAINT fk_optimization_costs_job_id_optimization_jobs FOREIGN KEY(job_id) REFERENCES optimization_jobs (id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_costs IS 'A part of a schedule''s cost.';
COMMENT ON COLUMN optimization_costs.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_costs.owner_kind IS 'What causes it: an asset, the bus of a site, a reserve.';
COMMENT ON COLUMN optimization_costs.owner_id IS 'Id of what causes it.';
COMMENT ON COLUMN optimization_costs.cost_type IS 'What it is paid for: energy, wear, fuel.';
COMMENT ON COLUMN optimization_costs.cost IS 'Cost over the whole horizon; negative when it earns. [currency]';

CREATE TABLE optimization_reserve_results (
    job_id VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    reserve_id VARCHAR(200) NOT NULL,
    step_h DOUBLE PRECISION NOT NULL,
    offered_kw DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_optimization_reserve_results PRIMARY KEY (job_id, time, reserve_id),
    CONSTRAINT ck_optimization_reserve_results_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_reserve_results_reserve_id_length CHECK (length(reserve_id) >= 1 AND length(reserve_id) <= 200),
    CONSTRAINT ck_optimization_reserve_results_step_h_range CHECK (step_h > 0 AND step_h <= 1e308),
    CONSTRAINT ck_optimization_reserve_results_offered_kw_range CHECK (offered_kw >= -1e308 AND offered_kw <= 1e308),
    CONSTRAINT fk_optimization_reserve_results_job_id_optimization_jobs FOREIGN KEY(job_id) REFERENCES optimization_jobs (id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_reserve_results IS 'What stands ready for a reserve in one step of a schedule.';
COMMENT ON COLUMN optimization_reserve_results.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_reserve_results.time IS 'Beginning of the step.';
COMMENT ON COLUMN optimization_reserve_results.reserve_id IS 'Reserve''s id.';
COMMENT ON COLUMN optimization_reserve_results.step_h IS 'Length of the step. [h]';
COMMENT ON COLUMN optimization_reserve_results.offered_kw IS 'Power that stands ready. [kW]';

CREATE TABLE optimization_site_results (
    job_id VARCHAR(64) NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    site_id VARCHAR(200) NOT NULL,
    step_h DOUBLE PRECISION NOT NULL,
    price_per_kwh DOUBLE PRECISION,
    spilled_kw DOUBLE PRECISION,
    missing_kw DOUBLE PRECISION,
    CONSTRAINT pk_optimization_site_results PRIMARY KEY (job_id, time, site_id),
    CONSTRAINT ck_optimization_site_results_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_site_results_site_id_length CHECK (length(site_id) >= 1 AND length(site_id) <= 200),
    CONSTRAINT ck_optimization_site_results_step_h_range CHECK (step_h > 0 AND step_h <= 1e308),
    CONSTRAINT ck_optimization_site_results_price_per_kwh_range CHECK (price_per_kwh >= -1e308 AND price_per_kwh <= 1e308),
    CONSTRAINT ck_optimization_site_results_spilled_kw_range CHECK (spilled_kw >= -1e308 AND spilled_kw <= 1e308),
    CONSTRAINT ck_optimization_site_results_missing_kw_range CHECK (missing_kw >= -1e308 AND missing_kw <= 1e308),
    CONSTRAINT fk_optimization_site_results_job_id_optimization_jobs FOREIGN KEY(job_id) REFERENCES optimization_jobs (id) ON DELETE CASCADE
);
COMMENT ON TABLE optimization_site_results IS 'What happens at the bus of a site in one step of a schedule; powers are means over the step.';
COMMENT ON COLUMN optimization_site_results.job_id IS 'Optimization.';
COMMENT ON COLUMN optimization_site_results.time IS 'Beginning of the step.';
COMMENT ON COLUMN optimization_site_results.site_id IS 'Site''s id.';
COMMENT ON COLUMN optimization_site_results.step_h IS 'Length of the step. [h]';
COMMENT ON COLUMN optimization_site_results.price_per_kwh IS 'What one more kWh of demand at the site would cost. [currency/kWh]';
COMMENT ON COLUMN optimization_site_results.spilled_kw IS 'Power that the bus throws away. [kW]';
COMMENT ON COLUMN optimization_site_results.missing_kw IS 'Power that the bus lacks. [kW]';

CREATE TABLE solar_pv_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'solar_pv' NOT NULL,
    rated_capacity_kw DOUBLE PRECISION NOT NULL,
    is_curtailable BOOLEAN NOT NULL,
    variable_om_cost_per_kwh DOUBLE PRECISION NOT NULL,
    curtailment_cost_per_kwh DOUBLE PRECISION NOT NULL,
    dc_capacity_kw DOUBLE PRECISION NOT NULL,
    ac_capacity_kw DOUBLE PRECISION NOT NULL,
    panel_type VARCHAR(15),
    number_of_panels BIGINT,
    panel_capacity_w DOUBLE PRECISION,
    panel_efficiency DOUBLE PRECISION,
    panel_area_m2 DOUBLE PRECISION,
    temperature_coefficient_per_k DOUBLE PRECISION,
    tilt_angle_deg DOUBLE PRECISION,
    azimuth_deg DOUBLE PRECISION,
    tracking_type VARCHAR(11),
    inverter_type VARCHAR(16),
    inverter_efficiency DOUBLE PRECISION,
    inverter_capacity_kw DOUBLE PRECISION,
    number_of_inverters BIGINT,
    performance_ratio DOUBLE PRECISION,
    degradation_rate_per_a DOUBLE PRECISION NOT NULL,
    system_losses DOUBLE PRECISION NOT NULL,
    installation_type VARCHAR(19),
    shading_factor DOUBLE PRECISION NOT NULL,
    soiling_factor DOUBLE PRECISION NOT NULL,
    grid_tied BOOLEAN NOT NULL,
    has_battery_storage BOOLEAN NOT NULL,
    battery_asset_id VARCHAR(64),
    capital_cost DOUBLE PRECISION,
    installation_cost DOUBLE PRECISION,
    maintenance_cost_per_a DOUBLE PRECISION,
    expected_annual_production_kwh DOUBLE PRECISION,
    actual_annual_production_kwh DOUBLE PRECISION,
    capacity_factor DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_solar_pv_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_solar_pv_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
    CONSTRAINT ck_solar_pv_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= -1e308 AND variable_om_cost_per_kwh <= 1e308),
    CONSTRAINT ck_solar_pv_specs_curtailment_cost_per_kwh_range CHECK (curtailment_cost_per_kwh >= 0 AND curtailment_cost_per_kwh <= 1e308),
    CONSTRAINT ck_solar_pv_specs_dc_capacity_kw_range CHECK (dc_capacity_kw > 0 AND dc_capacity_kw <= 1e308),
    CONSTRAINT ck_solar_pv_specs_ac_capacity_kw_range CHECK (ac_capacity_kw > 0 AND ac_capacity_kw <= 1e308),
    CONSTRAINT ck_solar_pv_specs_panel_type_choice CHECK (panel_type IN ('monocrystalline', 'polycrystalline', 'thin_film', 'bifacial', 'other')),
    CONSTRAINT ck_solar_pv_specs_number_of_panels_range CHECK (number_of_panels >= 1 AND number_of_panels <= 9223372036854775807),
    CONSTRAINT ck_solar_pv_specs_panel_capacity_w_range CHECK (panel_capacity_w > 0 AND panel_capacity_w <= 1e308),
    CONSTRAINT ck_solar_pv_specs_panel_efficiency_range CHECK (panel_efficiency > 0 AND panel_efficiency <= 1),
    CONSTRAINT ck_solar_pv_specs_panel_area_m2_range CHECK (panel_area_m2 > 0 AND panel_area_m2 <= 1e308),
    CONSTRAINT ck_solar_pv_specs_temperature_coefficient_per_k_range CHECK (temperature_coefficient_per_k >= -0.02 AND temperature_coefficient_per_k <= 0),
    CONSTRAINT ck_solar_pv_specs_tilt_angle_deg_range CHECK (tilt_angle_deg >= 0 AND tilt_angle_deg <= 90),
    CONSTRAINT ck_solar_pv_specs_azimuth_deg_range CHECK (azimuth_deg >= 0 AND azimuth_deg < 360),
    CONSTRAINT ck_solar_pv_specs_tracking_type_choice CHECK (tracking_type IN ('fixed', 'single_axis', 'dual_axis', 'none')),
    CONSTRAINT ck_solar_pv_specs_inverter_type_choice CHECK (inverter_type IN ('string_inverter', 'micro_inverter', 'central_inverter', 'hybrid_inverter')),
    CONSTRAINT ck_solar_pv_specs_inverter_efficiency_range CHECK (inverter_efficiency > 0 AND inverter_efficiency <= 1),
    CONSTRAINT ck_solar_pv_specs_inverter_capacity_kw_range CHECK (inverter_capacity_kw > 0 AND inverter_capacity_kw <= 1e308),
    CONSTRAINT ck_solar_pv_specs_number_of_inverters_range CHECK (number_of_inverters >= 1 AND number_of_inverters <= 9223372036854775807),
    CONSTRAINT ck_solar_pv_specs_performance_ratio_range CHECK (performance_ratio > 0 AND performance_ratio <= 1),
    CONSTRAINT ck_solar_pv_specs_degradation_rate_per_a_range CHECK (degradation_rate_per_a >= 0 AND degradation_rate_per_a < 1),
    CONSTRAINT ck_solar_pv_specs_system_losses_range CHECK (system_losses >= 0 AND system_losses < 1),
    CONSTRAINT ck_solar_pv_specs_installation_type_choice CHECK (installation_type IN ('ground_mount', 'rooftop', 'carport', 'floating', 'building_integrated')),
    CONSTRAINT ck_solar_pv_specs_shading_factor_range CHECK (shading_factor >= 0 AND shading_factor <= 1),
    CONSTRAINT ck_solar_pv_specs_soiling_factor_range CHECK (soiling_factor >= 0 AND soiling_factor <= 1),
    CONSTRAINT ck_solar_pv_specs_battery_asset_id_length CHECK (length(battery_asset_id) <= 64),
    CONSTRAINT ck_solar_pv_specs_capital_cost_range CHECK (capital_cost >= 0 AND capital_cost <= 1e308),
    CONSTRAINT ck_solar_pv_specs_installation_cost_range CHECK (installation_cost >= 0 AND installation_cost <= 1e308),
    CONSTRAINT ck_solar_pv_specs_maintenance_cost_per_a_range CHECK (maintenance_cost_per_a >= 0 AND maintenance_cost_per_a <= 1e308),
    CONSTRAINT ck_solar_pv_specs_expected_annual_production_kwh_range CHECK (expected_annual_production_kwh >= 0 AND expected_annual_production_kwh <= 1e308),
    CONSTRAINT ck_solar_pv_specs_actual_annual_production_kwh_range CHECK (actual_annual_production_kwh >= 0 AND actual_annual_production_kwh <= 1e308),
    CONSTRAINT ck_solar_pv_specs_capacity_factor_range CHECK (capacity_factor >= 0 AND capacity_factor <= 1),
    CONSTRAINT ck_solar_pv_specs_kind_choice CHECK (kind = 'solar_pv'),
    CONSTRAINT ck_solar_pv_specs_battery_is_named CHECK (battery_asset_id IS NULL OR has_battery_storage),
    CONSTRAINT fk_solar_pv_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE,
    CONSTRAINT fk_solar_pv_specs_battery_asset_id_assets FOREIGN KEY(battery_asset_id) REFERENCES assets (id) ON DELETE RESTRICT
);
CREATE INDEX ix_solar_pv_specs_battery_asset_id ON solar_pv_specs (battery_asset_id);
COMMENT ON TABLE solar_pv_specs IS 'A photovoltaic plant behind its inverter.';
COMMENT ON COLUMN solar_pv_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN solar_pv_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN solar_pv_specs.rated_capacity_kw IS 'Highest power under rated conditions, at the site''s bus. [kW]';
COMMENT ON COLUMN solar_pv_specs.is_curtailable IS 'Whether available power may be left unused.';
COMMENT ON COLUMN solar_pv_specs.variable_om_cost_per_kwh IS 'Operation and upkeep for each kWh used; negative where it is paid for, and may change with time. [currency/kWh]';
COMMENT ON COLUMN solar_pv_specs.curtailment_cost_per_kwh IS 'What each available kWh costs that is left unused. [currency/kWh]';
COMMENT ON COLUMN solar_pv_specs.dc_capacity_kw IS 'Power of all panels under standard conditions; the rated one where nothing is given. [kW]';
COMMENT ON COLUMN solar_pv_specs.ac_capacity_kw IS 'Power that its inverters can give; what they are rated for, else the rated one. [kW]';
COMMENT ON COLUMN solar_pv_specs.panel_type IS 'What its panels are made of.';
COMMENT ON COLUMN solar_pv_specs.number_of_panels IS 'Panels in the whole plant.';
COMMENT ON COLUMN solar_pv_specs.panel_capacity_w IS 'Power of a panel under standard conditions. [W]';
COMMENT ON COLUMN solar_pv_specs.panel_efficiency IS 'Share of the sun''s power that a panel turns into power. [1]';
COMMENT ON COLUMN solar_pv_specs.panel_area_m2 IS 'Area of all panels. [m²]';
COMMENT ON COLUMN solar_pv_specs.temperature_coefficient_per_k IS 'Change of power with each kelvin of the cells, as a share; negative. [1/K]';
COMMENT ON COLUMN solar_pv_specs.tilt_angle_deg IS 'Angle between panels and ground. [°]';
COMMENT ON COLUMN solar_pv_specs.azimuth_deg IS 'Direction that panels face, clockwise from north: 180 is south. [°]';
COMMENT ON COLUMN solar_pv_specs.tracking_type IS 'How panels follow the sun.';
COMMENT ON COLUMN solar_pv_specs.inverter_type IS 'Kind of its inverters.';
COMMENT ON COLUMN solar_pv_specs.inverter_efficiency IS 'Share of the panels'' power that comes out of an inverter. [1]';
COMMENT ON COLUMN solar_pv_specs.inverter_capacity_kw IS 'Power of all inverters together. [kW]';
COMMENT ON COLUMN solar_pv_specs.number_of_inverters IS 'Inverters in the whole plant.';
COMMENT ON COLUMN solar_pv_specs.performance_ratio IS 'Yield as a share of what the sun would give at rated efficiency. [1]';
COMMENT ON COLUMN solar_pv_specs.degradation_rate_per_a IS 'Loss of power with each year, as a share. [1/a]';
COMMENT ON COLUMN solar_pv_specs.system_losses IS 'Share that is lost in cables, mismatch and downtime. [1]';
COMMENT ON COLUMN solar_pv_specs.installation_type IS 'Where its panels are mounted.';
COMMENT ON COLUMN solar_pv_specs.shading_factor IS 'Share of the sun''s power that shade leaves. [1]';
COMMENT ON COLUMN solar_pv_specs.soiling_factor IS 'Share of the sun''s power that dirt leaves. [1]';
COMMENT ON COLUMN solar_pv_specs.grid_tied IS 'Whether it needs the grid to run.';
COMMENT ON COLUMN solar_pv_specs.has_battery_storage IS 'Whether a battery stands behind the same inverter.';
COMMENT ON COLUMN solar_pv_specs.battery_asset_id IS 'That battery.';
COMMENT ON COLUMN solar_pv_specs.capital_cost IS 'Price of the equipment. [currency]';
COMMENT ON COLUMN solar_pv_specs.installation_cost IS 'Price of putting it up. [currency]';
COMMENT ON COLUMN solar_pv_specs.maintenance_cost_per_a IS 'Cost of its upkeep. [currency/a]';
COMMENT ON COLUMN solar_pv_specs.expected_annual_production_kwh IS 'Energy that a year should give. [kWh]';
COMMENT ON COLUMN solar_pv_specs.actual_annual_production_kwh IS 'Energy that the last full year gave. [kWh]';
COMMENT ON COLUMN solar_pv_specs.capacity_factor IS 'Mean power as a share of the rated one. [1]';
COMMENT ON COLUMN solar_pv_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN solar_pv_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN solar_pv_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN solar_pv_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN solar_pv_specs.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE TABLE wind_turbine_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'wind_turbine' NOT NULL,
    rated_capacity_kw DOUBLE PRECISION NOT NULL,
    is_curtailable BOOLEAN NOT NULL,
    variable_om_cost_per_kwh DOUBLE PRECISION NOT NULL,
    curtailment_cost_per_kwh DOUBLE PRECISION NOT NULL,
    turbine_type VARCHAR(15),
    turbine_class VARCHAR(200),
    rotor_diameter_m DOUBLE PRECISION NOT NULL,
    hub_height_m DOUBLE PRECISION NOT NULL,
    swept_area_m2 DOUBLE PRECISION NOT NULL,
    number_of_blades BIGINT,
    blade_length_m DOUBLE PRECISION,
    cut_in_wind_speed_m_per_s DOUBLE PRECISION NOT NULL,
    rated_wind_speed_m_per_s DOUBLE PRECISION NOT NULL,
    cut_out_wind_speed_m_per_s DOUBLE PRECISION NOT NULL,
    survival_wind_speed_m_per_s DOUBLE PRECISION,
    power_coefficient DOUBLE PRECISION,
    capacity_factor DOUBLE PRECISION,
    generator_type VARCHAR(20),
    pitch_control BOOLEAN NOT NULL,
    yaw_control BOOLEAN NOT NULL,
    variable_speed BOOLEAN NOT NULL,
    grid_tied BOOLEAN NOT NULL,
    voltage_regulation_capable BOOLEAN NOT NULL,
    reactive_power_control BOOLEAN NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE PRECISION,
    ramp_down_rate_kw_per_s DOUBLE PRECISION,
    noise_level_db DOUBLE PRECISION,
    shadow_flicker_h_per_a DOUBLE PRECISION,
    capital_cost DOUBLE PRECISION,
    installation_cost DOUBLE PRECISION,
    maintenance_cost_per_a DOUBLE PRECISION,
    expected_annual_production_kwh DOUBLE PRECISION,
    actual_annual_production_kwh DOUBLE PRECISION,
    operating_h DOUBLE PRECISION NOT NULL,
    availability DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_wind_turbine_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_wind_turbine_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= -1e308 AND variable_om_cost_per_kwh <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_curtailment_cost_per_kwh_range CHECK (curtailment_cost_per_kwh >= 0 AND curtailment_cost_per_kwh <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_turbine_type_choice CHECK (turbine_type IN ('horizontal_axis', 'vertical_axis')),
    CONSTRAINT ck_wind_turbine_specs_turbine_class_length CHECK (length(turbine_class) >= 1 AND length(turbine_class) <= 200),
    CONSTRAINT ck_wind_turbine_specs_rotor_diameter_m_range CHECK (rotor_diameter_m > 0 AND rotor_diameter_m <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_hub_height_m_range CHECK (hub_height_m > 0 AND hub_height_m <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_swept_area_m2_range CHECK (swept_area_m2 > 0 AND swept_area_m2 <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_number_of_blades_range CHECK (number_of_blades >= 1 AND number_of_blades <= 9223372036854775807),
    CONSTRAINT ck_wind_turbine_specs_blade_length_m_range CHECK (blade_length_m > 0 AND blade_length_m <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_cut_in_wind_speed_m_per_s_range CHECK (cut_in_wind_speed_m_per_s >= 0 AND cut_in_wind_speed_m_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_rated_wind_speed_m_per_s_range CHECK (rated_wind_speed_m_per_s > 0 AND rated_wind_speed_m_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_cut_out_wind_speed_m_per_s_range CHECK (cut_out_wind_speed_m_per_s > 0 AND cut_out_wind_speed_m_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_survival_wind_speed_m_per_s_range CHECK (survival_wind_speed_m_per_s > 0 AND survival_wind_speed_m_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_power_coefficient_range CHECK (power_coefficient > 0 AND power_coefficient <= 0.59),
    CONSTRAINT ck_wind_turbine_specs_capacity_factor_range CHECK (capacity_factor >= 0 AND capacity_factor <= 1),
    CONSTRAINT ck_wind_turbine_specs_generator_type_choice CHECK (generator_type IN ('synchronous', 'asynchronous', 'doubly_fed_induction', 'permanent_magnet')),
    CONSTRAINT ck_wind_turbine_specs_ramp_up_rate_kw_per_s_range CHECK (ramp_up_rate_kw_per_s > 0 AND ramp_up_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_ramp_down_rate_kw_per_s_range CHECK (ramp_down_rate_kw_per_s > 0 AND ramp_down_rate_kw_per_s <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_noise_level_db_range CHECK (noise_level_db >= 0 AND noise_level_db <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_shadow_flicker_h_per_a_range CHECK (shadow_flicker_h_per_a >= 0 AND shadow_flicker_h_per_a <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_capital_cost_range CHECK (capital_cost >= 0 AND capital_cost <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_installation_cost_range CHECK (installation_cost >= 0 AND installation_cost <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_maintenance_cost_per_a_range CHECK (maintenance_cost_per_a >= 0 AND maintenance_cost_per_a <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_expected_annual_production_kwh_range CHECK (expected_annual_production_kwh >= 0 AND expected_annual_production_kwh <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_actual_annual_production_kwh_range CHECK (actual_annual_production_kwh >= 0 AND actual_annual_production_kwh <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_operating_h_range CHECK (operating_h >= 0 AND operating_h <= 1e308),
    CONSTRAINT ck_wind_turbine_specs_availability_range CHECK (availability >= 0 AND availability <= 1),
    CONSTRAINT ck_wind_turbine_specs_kind_choice CHECK (kind = 'wind_turbine'),
    CONSTRAINT ck_wind_turbine_specs_cut_in_order CHECK (cut_in_wind_speed_m_per_s < rated_wind_speed_m_per_s),
    CONSTRAINT ck_wind_turbine_specs_cut_out_order CHECK (rated_wind_speed_m_per_s < cut_out_wind_speed_m_per_s),
    CONSTRAINT ck_wind_turbine_specs_survival_order CHECK (cut_out_wind_speed_m_per_s <= survival_wind_speed_m_per_s),
    CONSTRAINT fk_wind_turbine_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);
COMMENT ON TABLE wind_turbine_specs IS 'A wind turbine or a farm of them.';
COMMENT ON COLUMN wind_turbine_specs.asset_id IS 'Asset.';
COMMENT ON COLUMN wind_turbine_specs.kind IS 'Kind of the asset.';
COMMENT ON COLUMN wind_turbine_specs.rated_capacity_kw IS 'Highest power under rated conditions, at the site''s bus. [kW]';
COMMENT ON COLUMN wind_turbine_specs.is_curtailable IS 'Whether available power may be left unused.';
COMMENT ON COLUMN wind_turbine_specs.variable_om_cost_per_kwh IS 'Operation and upkeep for each kWh used; negative where it is paid for, and may change with time. [currency/kWh]';
COMMENT ON COLUMN wind_turbine_specs.curtailment_cost_per_kwh IS 'What each available kWh costs that is left unused. [currency/kWh]';
COMMENT ON COLUMN wind_turbine_specs.turbine_type IS 'How its axis stands.';
COMMENT ON COLUMN wind_turbine_specs.turbine_class IS 'Class of wind that it is made for, by IEC 61400: IIIA.';
COMMENT ON COLUMN wind_turbine_specs.rotor_diameter_m IS 'Diameter of the rotor. [m]';
COMMENT ON COLUMN wind_turbine_specs.hub_height_m IS 'Height of the hub above ground. [m]';
COMMENT ON COLUMN wind_turbine_specs.swept_area_m2 IS 'Area that the rotor sweeps; that of its circle where nothing is given. [m²]';
COMMENT ON COLUMN wind_turbine_specs.number_of_blades IS 'Blades of the rotor.';
COMMENT ON COLUMN wind_turbine_specs.blade_length_m IS 'Length of a blade. [m]';
COMMENT ON COLUMN wind_turbine_specs.cut_in_wind_speed_m_per_s IS 'Speed at which it begins to give power. [m/s]';
COMMENT ON COLUMN wind_turbine_specs.rated_wind_speed_m_per_s IS 'Speed from which it gives its rated power. [m/s]';
COMMENT ON COLUMN wind_turbine_specs.cut_out_wind_speed_m_per_s IS 'Speed at which it stops to save itself. [m/s]';
COMMENT ON COLUMN wind_turbine_specs.survival_wind_speed_m_per_s IS 'Speed that it withstands at rest. [m/s]';
COMMENT ON COLUMN wind_turbine_specs.power_coefficient IS 'Share of the wind''s power that it takes; below the limit of Betz. [1]';
COMMENT ON COLUMN wind_turbine_specs.capacity_factor IS 'Mean power as a share of the rated one. [1]';
COMMENT ON COLUMN wind_turbine_specs.generator_type IS 'Kind of its generator.';
COMMENT ON COLUMN wind_turbine_specs.pitch_control IS 'Whether blades turn to limit the power.';
COMMENT ON COLUMN wind_turbine_specs.yaw_control IS 'Whether the rotor turns into the wind.';
COMMENT ON COLUMN wind_turbine_specs.variable_speed IS 'Whether the rotor''s speed follows the wind.';
COMMENT ON COLUMN wind_turbine_specs.grid_tied IS 'Whether it needs the grid to run.';
COMMENT ON COLUMN wind_turbine_specs.voltage_regulation_capable IS 'Whether it can hold the voltage.';
COMMENT ON COLUMN wind_turbine_specs.reactive_power_control IS 'Whether it can give reactive power.';
COMMENT ON COLUMN wind_turbine_specs.ramp_up_rate_kw_per_s IS 'How fast its power may rise. [kW/s]';
COMMENT ON COLUMN wind_turbine_specs.ramp_down_rate_kw_per_s IS 'How fast its power may fall. [kW/s]';
COMMENT ON COLUMN wind_turbine_specs.noise_level_db IS 'Sound at its foot. [dB]';
COMMENT ON COLUMN wind_turbine_specs.shadow_flicker_h_per_a IS 'Hours of a year in which its shadow flickers on neighbours. [h/a]';
COMMENT ON COLUMN wind_turbine_specs.capital_cost IS 'Price of the equipment. [currency]';
COMMENT ON COLUMN wind_turbine_specs.installation_cost IS 'Price of putting it up. [currency]';
COMMENT ON COLUMN wind_turbine_specs.maintenance_cost_per_a IS 'Cost of its upkeep. [currency/a]';
COMMENT ON COLUMN wind_turbine_specs.expected_annual_production_kwh IS 'Energy that a year should give. [kWh]';
COMMENT ON COLUMN wind_turbine_specs.actual_annual_production_kwh IS 'Energy that the last full year gave. [kWh]';
COMMENT ON COLUMN wind_turbine_specs.operating_h IS 'Hours that it has run. [h]';
COMMENT ON COLUMN wind_turbine_specs.availability IS 'Share of the time in which it can run. [1]';
COMMENT ON COLUMN wind_turbine_specs.created_at IS 'When it was made.';
COMMENT ON COLUMN wind_turbine_specs.created_by IS 'Who made it; sql where a statement came past the functions.';
COMMENT ON COLUMN wind_turbine_specs.updated_at IS 'When it was changed last; a trigger moves it.';
COMMENT ON COLUMN wind_turbine_specs.updated_by IS 'Who changed it last; sql where a statement came past the functions.';
COMMENT ON COLUMN wind_turbine_specs.version IS 'Counts changes from 1; a trigger moves it.';

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

CREATE VIEW assets_overview AS
SELECT
    assets.id,
    assets.kind,
    assets.name,
    assets.location,
    assets.status,
    assets.site_id,
    sites.name AS site_name,
    CASE assets.kind
        WHEN 'battery' THEN battery.capacity_kwh
        WHEN 'ev_charger' THEN charger.max_power_kw
            * CASE WHEN charger.simultaneous_charging THEN charger.number_of_ports ELSE 1 END
        WHEN 'generator' THEN generator.rated_capacity_kw
        WHEN 'grid_connection' THEN grid.max_import_kw
        WHEN 'load' THEN load.rated_load_kw
        WHEN 'solar_pv' THEN solar.rated_capacity_kw
        WHEN 'wind_turbine' THEN wind.rated_capacity_kw
    END AS capacity,
    CASE assets.kind WHEN 'battery' THEN 'kWh' ELSE 'kW' END AS capacity_unit,
    asset_status.operational_status,
    asset_status.online,
    assets.created_at
FROM assets
JOIN sites ON sites.id = assets.site_id
LEFT JOIN battery_specs AS battery ON battery.asset_id = assets.id
LEFT JOIN ev_charger_specs AS charger ON charger.asset_id = assets.id
LEFT JOIN generator_specs AS generator ON generator.asset_id = assets.id
LEFT JOIN grid_connection_specs AS grid ON grid.asset_id = assets.id
LEFT JOIN load_specs AS load ON load.asset_id = assets.id
LEFT JOIN solar_pv_specs AS solar ON solar.asset_id = assets.id
LEFT JOIN wind_turbine_specs AS wind ON wind.asset_id = assets.id
LEFT JOIN asset_status ON asset_status.asset_id = assets.id;

CREATE FUNCTION register_touch() RETURNS trigger LANGUAGE plpgsql AS $touch$
BEGIN
    IF NEW.version IS DISTINCT FROM OLD.version + 1 OR NEW.updated_at <= OLD.updated_at THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
        IF NEW.updated_by = OLD.updated_by THEN
            NEW.updated_by := 'sql';
        END IF;
        INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)
        SELECT TG_TABLE_NAME, string_agg(to_jsonb(NEW) ->> name, '/' ORDER BY place), 'update',
            NEW.version, NEW.updated_at, NEW.updated_by
        FROM unnest(TG_ARGV) WITH ORDINALITY AS keys (name, place);
    END IF;
    RETURN NEW;
END
$touch$;

CREATE FUNCTION register_touch_spec() RETURNS trigger LANGUAGE plpgsql AS $touch$
BEGIN
    IF NEW.version IS DISTINCT FROM OLD.version + 1 OR NEW.updated_at <= OLD.updated_at THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
        IF NEW.updated_by = OLD.updated_by THEN
            NEW.updated_by := 'sql';
        END IF;
        UPDATE assets SET version = version WHERE id = NEW.asset_id;
    END IF;
    RETURN NEW;
END
$touch$;
CREATE TRIGGER portfolios_touch BEFORE UPDATE ON portfolios FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER sites_touch BEFORE UPDATE ON sites FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER tariffs_touch BEFORE UPDATE ON tariffs FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER assets_touch BEFORE UPDATE ON assets FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER battery_specs_touch BEFORE UPDATE ON battery_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER ev_charger_specs_touch BEFORE UPDATE ON ev_charger_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER generator_specs_touch BEFORE UPDATE ON generator_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER grid_connection_specs_touch BEFORE UPDATE ON grid_connection_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER load_specs_touch BEFORE UPDATE ON load_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER solar_pv_specs_touch BEFORE UPDATE ON solar_pv_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER wind_turbine_specs_touch BEFORE UPDATE ON wind_turbine_specs FOR EACH ROW EXECUTE FUNCTION register_touch_spec();
CREATE TRIGGER asset_groups_touch BEFORE UPDATE ON asset_groups FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER asset_group_members_touch BEFORE UPDATE ON asset_group_members FOR EACH ROW EXECUTE FUNCTION register_touch('asset_id', 'group_id');
CREATE TRIGGER asset_dependencies_touch BEFORE UPDATE ON asset_dependencies FOR EACH ROW EXECUTE FUNCTION register_touch('asset_id', 'depends_on_asset_id', 'dependency_type');
CREATE TRIGGER reserve_requirements_touch BEFORE UPDATE ON reserve_requirements FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER asset_status_touch BEFORE UPDATE ON asset_status FOR EACH ROW EXECUTE FUNCTION register_touch('asset_id');
CREATE TRIGGER maintenance_records_touch BEFORE UPDATE ON maintenance_records FOR EACH ROW EXECUTE FUNCTION register_touch('id');
CREATE TRIGGER asset_performance_touch BEFORE UPDATE ON asset_performance FOR EACH ROW EXECUTE FUNCTION register_touch('id');
