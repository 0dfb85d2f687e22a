-- Statements of revision 0003 (down); each ends with a semicolon and an empty line.

DROP TABLE optimization_site_results;

DROP TABLE optimization_reserve_results;

DROP TABLE reserve_requirements;

CREATE TEMPORARY TABLE kept AS SELECT * FROM sites;

DROP TABLE sites;

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
    latitude DOUBLE,
    longitude DOUBLE,
    site_type VARCHAR(11),
    total_capacity_kw DOUBLE,
    status VARCHAR(14) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    metadata JSON NOT NULL,
    stated JSON,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
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
    CONSTRAINT uq_sites_code UNIQUE (code)
);

INSERT INTO sites (
    id,
    name,
    code,
    timezone,
    country,
    address,
    city,
    state_province,
    postal_code,
    latitude,
    longitude,
    site_type,
    total_capacity_kw,
    status,
    description,
    metadata,
    stated,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    id,
    name,
    code,
    timezone,
    country,
    address,
    city,
    state_province,
    postal_code,
    latitude,
    longitude,
    site_type,
    total_capacity_kw,
    status,
    description,
    metadata,
    stated,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_sites_name_id ON sites (name, id);

CREATE INDEX ix_sites_position ON sites (position);

CREATE TRIGGER sites_touch AFTER UPDATE ON sites
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE sites SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)
    SELECT 'sites', NEW.id, 'update', version, updated_at, updated_by
    FROM sites WHERE rowid = NEW.rowid;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM tariffs;

DROP TABLE tariffs;

CREATE TABLE tariffs (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    periods JSON NOT NULL,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_tariffs PRIMARY KEY (id),
    CONSTRAINT ck_tariffs_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_tariffs_name_length CHECK (length(name) >= 1 AND length(name) <= 200)
);

INSERT INTO tariffs (
    id,
    name,
    periods,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    id,
    name,
    periods,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_tariffs_position ON tariffs (position);

CREATE TRIGGER tariffs_touch AFTER UPDATE ON tariffs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE tariffs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)
    SELECT 'tariffs', NEW.id, 'update', version, updated_at, updated_by
    FROM tariffs WHERE rowid = NEW.rowid;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM asset_groups;

DROP TABLE asset_groups;

CREATE TABLE asset_groups (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    group_type VARCHAR(9) NOT NULL,
    description VARCHAR(10000) NOT NULL,
    site_id VARCHAR(64),
    parent_group_id VARCHAR(64),
    metadata JSON NOT NULL,
    stated JSON,
    position BIGINT DEFAULT '0' NOT NULL,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_asset_groups PRIMARY KEY (id),
    CONSTRAINT ck_asset_groups_id_length CHECK (length(id) <= 64),
    CONSTRAINT ck_asset_groups_name_length CHECK (length(name) >= 1 AND length(name) <= 200),
    CONSTRAINT ck_asset_groups_group_type_choice CHECK (group_type IN ('microgrid', 'vpp', 'portfolio', 'system', 'custom')),
    CONSTRAINT ck_asset_groups_description_length CHECK (length(description) <= 10000),
    CONSTRAINT ck_asset_groups_site_id_length CHECK (length(site_id) <= 64),
    CONSTRAINT ck_asset_groups_parent_group_id_length CHECK (length(parent_group_id) <= 64),
    CONSTRAINT ck_asset_groups_not_its_own_parent CHECK (parent_group_id <> id),
    CONSTRAINT fk_asset_groups_site_id_sites FOREIGN KEY(site_id) REFERENCES sites (id) ON DELETE RESTRICT,
    CONSTRAINT fk_asset_groups_parent_group_id_asset_groups FOREIGN KEY(parent_group_id) REFERENCES asset_groups (id) DEFERRABLE INITIALLY DEFERRED
);

INSERT INTO asset_groups (
    id,
    name,
    group_type,
    description,
    site_id,
    parent_group_id,
    metadata,
    stated,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    id,
    name,
    group_type,
    description,
    site_id,
    parent_group_id,
    metadata,
    stated,
    position,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_asset_groups_parent_group_id ON asset_groups (parent_group_id);

CREATE INDEX ix_asset_groups_position ON asset_groups (position);

CREATE INDEX ix_asset_groups_site_id ON asset_groups (site_id);

CREATE TRIGGER asset_groups_touch AFTER UPDATE ON asset_groups
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE asset_groups SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)
    SELECT 'asset_groups', NEW.id, 'update', version, updated_at, updated_by
    FROM asset_groups WHERE rowid = NEW.rowid;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM optimization_jobs;

DROP TABLE optimization_jobs;

CREATE TABLE optimization_jobs (
    id VARCHAR(64) NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    optimization_type VARCHAR(200) NOT NULL,
    objective VARCHAR(200) NOT NULL,
    solver VARCHAR(200) NOT NULL,
    solver_version VARCHAR(200),
    status VARCHAR(10) NOT NULL,
    objective_value DOUBLE,
    total_cost DOUBLE,
    baseline_cost DOUBLE,
    settled_cost DOUBLE,
    currency VARCHAR(3),
    bound DOUBLE,
    gap DOUBLE,
    solve_time_s DOUBLE,
    variables BIGINT,
    constraints BIGINT,
    steps BIGINT,
    error VARCHAR(10000),
    created_at DATETIME NOT NULL,
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

INSERT INTO optimization_jobs (
    id,
    run_id,
    optimization_type,
    objective,
    solver,
    solver_version,
    status,
    objective_value,
    total_cost,
    baseline_cost,
    settled_cost,
    currency,
    bound,
    gap,
    solve_time_s,
    variables,
    constraints,
    steps,
    error,
    created_at
)
SELECT
    id,
    run_id,
    optimization_type,
    objective,
    solver,
    solver_version,
    status,
    objective_value,
    total_cost,
    baseline_cost,
    settled_cost,
    currency,
    bound,
    gap,
    solve_time_s,
    variables,
    constraints,
    steps,
    error,
    created_at
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_optimization_jobs_run_id ON optimization_jobs (run_id);

CREATE TEMPORARY TABLE kept AS SELECT * FROM battery_specs;

DROP TABLE battery_specs;

CREATE TABLE battery_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'battery' NOT NULL,
    capacity_kwh DOUBLE NOT NULL,
    usable_capacity_kwh DOUBLE NOT NULL,
    rated_power_kw DOUBLE NOT NULL,
    max_charge_kw DOUBLE NOT NULL,
    max_discharge_kw DOUBLE NOT NULL,
    continuous_charge_kw DOUBLE,
    continuous_discharge_kw DOUBLE,
    round_trip_efficiency DOUBLE NOT NULL,
    charge_efficiency DOUBLE NOT NULL,
    discharge_efficiency DOUBLE NOT NULL,
    min_soc DOUBLE NOT NULL,
    max_soc DOUBLE NOT NULL,
    initial_soc DOUBLE NOT NULL,
    final_soc_rule VARCHAR(8) NOT NULL,
    target_soc DOUBLE NOT NULL,
    chemistry VARCHAR(22),
    cell_voltage_v DOUBLE,
    number_of_cells BIGINT,
    operating_temp_min_degc DOUBLE,
    operating_temp_max_degc DOUBLE,
    optimal_temp_degc DOUBLE,
    cooling_type VARCHAR(13),
    cycle_life BIGINT,
    calendar_life_a DOUBLE,
    degradation_rate_per_cycle DOUBLE,
    degradation_cost_per_kwh DOUBLE NOT NULL,
    current_cycle_count DOUBLE NOT NULL,
    state_of_health DOUBLE NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE,
    ramp_down_rate_kw_per_s DOUBLE,
    response_time_ms DOUBLE,
    auxiliary_load_kw DOUBLE NOT NULL,
    capital_cost DOUBLE,
    installation_cost DOUBLE,
    maintenance_cost_per_a DOUBLE,
    communication_protocol VARCHAR(200),
    control_mode VARCHAR(9),
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_battery_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_battery_specs_capacity_kwh_range CHECK (capacity_kwh > 0 AND capacity_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_usable_capacity_kwh_range CHECK (usable_capacity_kwh > 0 AND usable_capacity_kwh <= 1e308),
    CONSTRAINT ck_battery_specs_rated_power_kw_range CHECK (rated_power_kw > 0 AND rated_power_kw <= 1e308),
    CONSTRAINT ck_battery_specs_max_charge_kw_range CHECK (max_charge_kw > 0 AND max_charge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_max_discharge_kw_range CHECK (max_discharge_kw > 0 AND max_discharge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_continuous_charge_kw_range CHECK (continuous_charge_kw > 0 AND continuous_charge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_continuous_discharge_kw_range CHECK (continuous_discharge_kw > 0 AND continuous_discharge_kw <= 1e308),
    CONSTRAINT ck_battery_specs_round_trip_efficiency_range CHECK (round_trip_efficiency > 0 AND round_trip_efficiency <= 1),
    CONSTRAINT ck_battery_specs_charge_efficiency_range CHECK (charge_efficiency > 0 AND charge_efficiency <= 1),
    CONSTRAINT ck_battery_specs_discharge_efficiency_range CHECK (discharge_efficiency > 0 AND discharge_efficiency <= 1),
    CONSTRAINT ck_battery_specs_min_soc_range CHECK (min_soc >= 0 AND min_soc <= 1),
    CONSTRAINT ck_battery_specs_max_soc_range CHECK (max_soc >= 0 AND max_soc <= 1),
    CONSTRAINT ck_battery_specs_initial_soc_range CHECK (initial_soc >= 0 AND initial_soc <= 1),
    CONSTRAINT ck_battery_specs_final_soc_rule_choice CHECK (final_soc_rule IN ('at_least', 'exactly', 'free')),
    CONSTRAINT ck_battery_specs_target_soc_range CHECK (target_soc >= 0 AND target_soc <= 1),
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
    CONSTRAINT fk_battery_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);

INSERT INTO battery_specs (
    asset_id,
    kind,
    capacity_kwh,
    usable_capacity_kwh,
    rated_power_kw,
    max_charge_kw,
    max_discharge_kw,
    continuous_charge_kw,
    continuous_discharge_kw,
    round_trip_efficiency,
    charge_efficiency,
    discharge_efficiency,
    min_soc,
    max_soc,
    initial_soc,
    final_soc_rule,
    target_soc,
    chemistry,
    cell_voltage_v,
    number_of_cells,
    operating_temp_min_degc,
    operating_temp_max_degc,
    optimal_temp_degc,
    cooling_type,
    cycle_life,
    calendar_life_a,
    degradation_rate_per_cycle,
    degradation_cost_per_kwh,
    current_cycle_count,
    state_of_health,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    response_time_ms,
    auxiliary_load_kw,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    communication_protocol,
    control_mode,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    capacity_kwh,
    usable_capacity_kwh,
    rated_power_kw,
    max_charge_kw,
    max_discharge_kw,
    continuous_charge_kw,
    continuous_discharge_kw,
    round_trip_efficiency,
    charge_efficiency,
    discharge_efficiency,
    min_soc,
    max_soc,
    initial_soc,
    final_soc_rule,
    target_soc,
    chemistry,
    cell_voltage_v,
    number_of_cells,
    operating_temp_min_degc,
    operating_temp_max_degc,
    optimal_temp_degc,
    cooling_type,
    cycle_life,
    calendar_life_a,
    degradation_rate_per_cycle,
    degradation_cost_per_kwh,
    current_cycle_count,
    state_of_health,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    response_time_ms,
    auxiliary_load_kw,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    communication_protocol,
    control_mode,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_battery_specs_chemistry ON battery_specs (chemistry);

CREATE TRIGGER battery_specs_touch AFTER UPDATE ON battery_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE battery_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM ev_charger_specs;

DROP TABLE ev_charger_specs;

CREATE TABLE ev_charger_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'ev_charger' NOT NULL,
    max_power_kw DOUBLE NOT NULL,
    number_of_ports BIGINT NOT NULL,
    simultaneous_charging BOOLEAN NOT NULL,
    smart_charging_capable BOOLEAN NOT NULL,
    charge_efficiency DOUBLE NOT NULL,
    sessions JSON NOT NULL,
    charger_level VARCHAR(10),
    connector_type VARCHAR(7),
    voltage_v DOUBLE,
    max_current_ampere DOUBLE,
    v2g_capable BOOLEAN NOT NULL,
    load_balancing BOOLEAN NOT NULL,
    networked BOOLEAN NOT NULL,
    communication_protocol VARCHAR(200),
    ocpp_version VARCHAR(200),
    usage_fee_per_kwh DOUBLE,
    idle_fee_per_min DOUBLE,
    session_fee DOUBLE,
    max_session_duration_min DOUBLE,
    reservation_capable BOOLEAN NOT NULL,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_ev_charger_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_ev_charger_specs_max_power_kw_range CHECK (max_power_kw > 0 AND max_power_kw <= 1e308),
    CONSTRAINT ck_ev_charger_specs_number_of_ports_range CHECK (number_of_ports >= 1 AND number_of_ports <= 9223372036854775807),
    CONSTRAINT ck_ev_charger_specs_charge_efficiency_range CHECK (charge_efficiency > 0 AND charge_efficiency <= 1),
    CONSTRAINT ck_ev_charger_specs_charger_level_choice CHECK (charger_level IN ('level_1', 'level_2', 'dc_fast', 'ultra_fast')),
    CONSTRAINT ck_ev_charger_specs_connector_type_choice CHECK (connector_type IN ('type_1', 'type_2', 'ccs', 'chademo', 'tesla', 'gbt')),
    CONSTRAINT ck_ev_charger_specs_voltage_v_range CHECK (voltage_v > 0 AND voltage_v <= 1e308),
    CONSTRAINT ck_ev_charger_specs_max_current_ampere_range CHECK (max_current_ampere > 0 AND max_current_ampere <= 1e308),
    CONSTRAINT ck_ev_charger_specs_communication_protocol_length CHECK (length(communication_protocol) >= 1 AND length(communication_protocol) <= 200),
    CONSTRAINT ck_ev_charger_specs_ocpp_version_length CHECK (length(ocpp_version) >= 1 AND length(ocpp_version) <= 200),
    CONSTRAINT ck_ev_charger_specs_usage_fee_per_kwh_range CHECK (usage_fee_per_kwh >= 0 AND usage_fee_per_kwh <= 1e308),
    CONSTRAINT ck_ev_charger_specs_idle_fee_per_min_range CHECK (idle_fee_per_min >= 0 AND idle_fee_per_min <= 1e308),
    CONSTRAINT ck_ev_charger_specs_session_fee_range CHECK (session_fee >= 0 AND session_fee <= 1e308),
    CONSTRAINT ck_ev_charger_specs_max_session_duration_min_range CHECK (max_session_duration_min > 0 AND max_session_duration_min <= 1e308),
    CONSTRAINT ck_ev_charger_specs_kind_choice CHECK (kind = 'ev_charger'),
    CONSTRAINT ck_ev_charger_specs_simultaneous_charging_choice CHECK (simultaneous_charging IN (0, 1)),
    CONSTRAINT ck_ev_charger_specs_smart_charging_capable_choice CHECK (smart_charging_capable IN (0, 1)),
    CONSTRAINT ck_ev_charger_specs_v2g_capable_choice CHECK (v2g_capable IN (0, 1)),
    CONSTRAINT ck_ev_charger_specs_load_balancing_choice CHECK (load_balancing IN (0, 1)),
    CONSTRAINT ck_ev_charger_specs_networked_choice CHECK (networked IN (0, 1)),
    CONSTRAINT ck_ev_charger_specs_reservation_capable_choice CHECK (reservation_capable IN (0, 1)),
    CONSTRAINT fk_ev_charger_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);

INSERT INTO ev_charger_specs (
    asset_id,
    kind,
    max_power_kw,
    number_of_ports,
    simultaneous_charging,
    smart_charging_capable,
    charge_efficiency,
    sessions,
    charger_level,
    connector_type,
    voltage_v,
    max_current_ampere,
    v2g_capable,
    load_balancing,
    networked,
    communication_protocol,
    ocpp_version,
    usage_fee_per_kwh,
    idle_fee_per_min,
    session_fee,
    max_session_duration_min,
    reservation_capable,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    max_power_kw,
    number_of_ports,
    simultaneous_charging,
    smart_charging_capable,
    charge_efficiency,
    sessions,
    charger_level,
    connector_type,
    voltage_v,
    max_current_ampere,
    v2g_capable,
    load_balancing,
    networked,
    communication_protocol,
    ocpp_version,
    usage_fee_per_kwh,
    idle_fee_per_min,
    session_fee,
    max_session_duration_min,
    reservation_capable,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE TRIGGER ev_charger_specs_touch AFTER UPDATE ON ev_charger_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE ev_charger_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM generator_specs;

DROP TABLE generator_specs;

CREATE TABLE generator_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'generator' NOT NULL,
    rated_capacity_kw DOUBLE NOT NULL,
    max_output_kw DOUBLE NOT NULL,
    min_output_kw DOUBLE NOT NULL,
    generator_type VARCHAR(11),
    prime_mover VARCHAR(20),
    fuel_type VARCHAR(200),
    fuel_tank_capacity_l DOUBLE,
    fuel_consumption_l_per_kwh DOUBLE,
    fuel_cost_per_l DOUBLE,
    fuel_cost_per_kwh DOUBLE NOT NULL,
    startup_cost DOUBLE NOT NULL,
    shutdown_cost DOUBLE NOT NULL,
    maintenance_cost_per_h DOUBLE NOT NULL,
    variable_om_cost_per_kwh DOUBLE NOT NULL,
    min_uptime_h BIGINT NOT NULL,
    min_downtime_h BIGINT NOT NULL,
    startup_time_min DOUBLE,
    shutdown_time_min DOUBLE,
    efficiency_at_rated_load DOUBLE,
    efficiency_at_min_load DOUBLE,
    heat_rate_btu_per_kwh DOUBLE,
    ramp_up_rate_kw_per_min DOUBLE,
    ramp_down_rate_kw_per_min DOUBLE,
    co2_emissions_kg_per_kwh DOUBLE NOT NULL,
    nox_emissions_kg_per_kwh DOUBLE,
    sox_emissions_kg_per_kwh DOUBLE,
    particulate_emissions_kg_per_kwh DOUBLE,
    waste_heat_recovery_capable BOOLEAN NOT NULL,
    waste_heat_capacity_kw DOUBLE,
    operating_h DOUBLE NOT NULL,
    maintenance_interval_h DOUBLE,
    next_maintenance_h DOUBLE,
    noise_level_db DOUBLE,
    requires_permit BOOLEAN NOT NULL,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
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
    CONSTRAINT ck_generator_specs_startup_cost_range CHECK (startup_cost >= 0 AND startup_cost <= 1e308),
    CONSTRAINT ck_generator_specs_shutdown_cost_range CHECK (shutdown_cost >= 0 AND shutdown_cost <= 1e308),
    CONSTRAINT ck_generator_specs_maintenance_cost_per_h_range CHECK (maintenance_cost_per_h >= 0 AND maintenance_cost_per_h <= 1e308),
    CONSTRAINT ck_generator_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= 0 AND variable_om_cost_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_min_uptime_h_range CHECK (min_uptime_h >= 0 AND min_uptime_h <= 9223372036854775807),
    CONSTRAINT ck_generator_specs_min_downtime_h_range CHECK (min_downtime_h >= 0 AND min_downtime_h <= 9223372036854775807),
    CONSTRAINT ck_generator_specs_startup_time_min_range CHECK (startup_time_min >= 0 AND startup_time_min <= 1e308),
    CONSTRAINT ck_generator_specs_shutdown_time_min_range CHECK (shutdown_time_min >= 0 AND shutdown_time_min <= 1e308),
    CONSTRAINT ck_generator_specs_efficiency_at_rated_load_range CHECK (efficiency_at_rated_load > 0 AND efficiency_at_rated_load <= 1),
    CONSTRAINT ck_generator_specs_efficiency_at_min_load_range CHECK (efficiency_at_min_load > 0 AND efficiency_at_min_load <= 1),
    CONSTRAINT ck_generator_specs_heat_rate_btu_per_kwh_range CHECK (heat_rate_btu_per_kwh > 0 AND heat_rate_btu_per_kwh <= 1e308),
    CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range CHECK (ramp_up_rate_kw_per_min > 0 AND ramp_up_rate_kw_per_min <= 1e308),
    CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range CHECK (ramp_down_rate_kw_per_min > 0 AND ramp_down_rate_kw_per_min <= 1e308),
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
    CONSTRAINT ck_generator_specs_waste_heat_recovery_capable_choice CHECK (waste_heat_recovery_capable IN (0, 1)),
    CONSTRAINT ck_generator_specs_requires_permit_choice CHECK (requires_permit IN (0, 1)),
    CONSTRAINT fk_generator_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);

INSERT INTO generator_specs (
    asset_id,
    kind,
    rated_capacity_kw,
    max_output_kw,
    min_output_kw,
    generator_type,
    prime_mover,
    fuel_type,
    fuel_tank_capacity_l,
    fuel_consumption_l_per_kwh,
    fuel_cost_per_l,
    fuel_cost_per_kwh,
    startup_cost,
    shutdown_cost,
    maintenance_cost_per_h,
    variable_om_cost_per_kwh,
    min_uptime_h,
    min_downtime_h,
    startup_time_min,
    shutdown_time_min,
    efficiency_at_rated_load,
    efficiency_at_min_load,
    heat_rate_btu_per_kwh,
    ramp_up_rate_kw_per_min,
    ramp_down_rate_kw_per_min,
    co2_emissions_kg_per_kwh,
    nox_emissions_kg_per_kwh,
    sox_emissions_kg_per_kwh,
    particulate_emissions_kg_per_kwh,
    waste_heat_recovery_capable,
    waste_heat_capacity_kw,
    operating_h,
    maintenance_interval_h,
    next_maintenance_h,
    noise_level_db,
    requires_permit,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    rated_capacity_kw,
    max_output_kw,
    min_output_kw,
    generator_type,
    prime_mover,
    fuel_type,
    fuel_tank_capacity_l,
    fuel_consumption_l_per_kwh,
    fuel_cost_per_l,
    fuel_cost_per_kwh,
    startup_cost,
    shutdown_cost,
    maintenance_cost_per_h,
    variable_om_cost_per_kwh,
    CAST(round(min_uptime_h) AS INTEGER),
    CAST(round(min_downtime_h) AS INTEGER),
    startup_time_min,
    shutdown_time_min,
    efficiency_at_rated_load,
    efficiency_at_min_load,
    heat_rate_btu_per_kwh,
    ramp_up_rate_kw_per_min,
    ramp_down_rate_kw_per_min,
    co2_emissions_kg_per_kwh,
    nox_emissions_kg_per_kwh,
    sox_emissions_kg_per_kwh,
    particulate_emissions_kg_per_kwh,
    waste_heat_recovery_capable,
    waste_heat_capacity_kw,
    operating_h,
    maintenance_interval_h,
    next_maintenance_h,
    noise_level_db,
    requires_permit,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_generator_specs_generator_type ON generator_specs (generator_type);

CREATE TRIGGER generator_specs_touch AFTER UPDATE ON generator_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE generator_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM grid_connection_specs;

DROP TABLE grid_connection_specs;

CREATE TABLE grid_connection_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'grid_connection' NOT NULL,
    max_import_kw DOUBLE NOT NULL,
    max_export_kw DOUBLE NOT NULL,
    rated_capacity_kw DOUBLE,
    import_enabled BOOLEAN NOT NULL,
    export_enabled BOOLEAN NOT NULL,
    tariff_id VARCHAR(64),
    import_price_per_kwh DOUBLE,
    export_price_per_kwh DOUBLE,
    connection_type VARCHAR(14),
    voltage_level_kv DOUBLE,
    frequency_hz DOUBLE NOT NULL,
    phases BIGINT,
    transformer_capacity_kva DOUBLE,
    transformer_losses_kw DOUBLE NOT NULL,
    min_power_factor DOUBLE,
    max_power_factor DOUBLE,
    max_reactive_import_kvar DOUBLE,
    max_reactive_export_kvar DOUBLE,
    grid_code VARCHAR(200),
    fault_ride_through_capable BOOLEAN NOT NULL,
    utility_company VARCHAR(200),
    meter_id VARCHAR(200),
    connection_point_id VARCHAR(200),
    tariff_type VARCHAR(17),
    demand_charge_applicable BOOLEAN NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE,
    ramp_down_rate_kw_per_s DOUBLE,
    connection_fee DOUBLE,
    monthly_service_charge DOUBLE,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_grid_connection_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_grid_connection_specs_max_import_kw_range CHECK (max_import_kw >= 0 AND max_import_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_max_export_kw_range CHECK (max_export_kw >= 0 AND max_export_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
    CONSTRAINT ck_grid_connection_specs_tariff_id_length CHECK (length(tariff_id) <= 64),
    CONSTRAINT ck_grid_connection_specs_import_price_per_kwh_range CHECK (import_price_per_kwh >= -1e308 AND import_price_per_kwh <= 1e308),
    CONSTRAINT ck_grid_connection_specs_export_price_per_kwh_range CHECK (export_price_per_kwh >= -1e308 AND export_price_per_kwh <= 1e308),
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
    CONSTRAINT ck_grid_connection_specs_import_enabled_choice CHECK (import_enabled IN (0, 1)),
    CONSTRAINT ck_grid_connection_specs_export_enabled_choice CHECK (export_enabled IN (0, 1)),
    CONSTRAINT ck_grid_connection_specs_fault_ride_through_capable_choice CHECK (fault_ride_through_capable IN (0, 1)),
    CONSTRAINT ck_grid_connection_specs_demand_charge_applicable_choice CHECK (demand_charge_applicable IN (0, 1)),
    CONSTRAINT fk_grid_connection_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE,
    CONSTRAINT fk_grid_connection_specs_tariff_id_tariffs FOREIGN KEY(tariff_id) REFERENCES tariffs (id) ON DELETE RESTRICT
);

INSERT INTO grid_connection_specs (
    asset_id,
    kind,
    max_import_kw,
    max_export_kw,
    rated_capacity_kw,
    import_enabled,
    export_enabled,
    tariff_id,
    import_price_per_kwh,
    export_price_per_kwh,
    connection_type,
    voltage_level_kv,
    frequency_hz,
    phases,
    transformer_capacity_kva,
    transformer_losses_kw,
    min_power_factor,
    max_power_factor,
    max_reactive_import_kvar,
    max_reactive_export_kvar,
    grid_code,
    fault_ride_through_capable,
    utility_company,
    meter_id,
    connection_point_id,
    tariff_type,
    demand_charge_applicable,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    connection_fee,
    monthly_service_charge,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    max_import_kw,
    max_export_kw,
    rated_capacity_kw,
    import_enabled,
    export_enabled,
    tariff_id,
    import_price_per_kwh,
    export_price_per_kwh,
    connection_type,
    voltage_level_kv,
    frequency_hz,
    phases,
    transformer_capacity_kva,
    transformer_losses_kw,
    min_power_factor,
    max_power_factor,
    max_reactive_import_kvar,
    max_reactive_export_kvar,
    grid_code,
    fault_ride_through_capable,
    utility_company,
    meter_id,
    connection_point_id,
    tariff_type,
    demand_charge_applicable,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    connection_fee,
    monthly_service_charge,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_grid_connection_specs_tariff_id ON grid_connection_specs (tariff_id);

CREATE TRIGGER grid_connection_specs_touch AFTER UPDATE ON grid_connection_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE grid_connection_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM load_specs;

DROP TABLE load_specs;

CREATE TABLE load_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'load' NOT NULL,
    load_type VARCHAR(12),
    rated_load_kw DOUBLE NOT NULL,
    average_load_kw DOUBLE,
    peak_load_kw DOUBLE,
    min_load_kw DOUBLE,
    is_flexible BOOLEAN NOT NULL,
    is_critical BOOLEAN NOT NULL,
    is_sheddable BOOLEAN NOT NULL,
    priority_level BIGINT,
    max_curtailment DOUBLE,
    curtailment_response_time_s DOUBLE,
    max_curtailment_duration_min DOUBLE,
    min_recovery_time_min DOUBLE,
    load_factor DOUBLE,
    voltage_tolerance DOUBLE,
    frequency_tolerance_hz DOUBLE,
    operating_h_per_d DOUBLE,
    operating_d_per_week BIGINT,
    seasonal_variation BOOLEAN NOT NULL,
    electricity_cost_per_kwh DOUBLE,
    demand_charge_per_kw DOUBLE,
    interruption_cost_per_kwh DOUBLE,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
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
    CONSTRAINT ck_load_specs_is_flexible_choice CHECK (is_flexible IN (0, 1)),
    CONSTRAINT ck_load_specs_is_critical_choice CHECK (is_critical IN (0, 1)),
    CONSTRAINT ck_load_specs_is_sheddable_choice CHECK (is_sheddable IN (0, 1)),
    CONSTRAINT ck_load_specs_seasonal_variation_choice CHECK (seasonal_variation IN (0, 1)),
    CONSTRAINT fk_load_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);

INSERT INTO load_specs (
    asset_id,
    kind,
    load_type,
    rated_load_kw,
    average_load_kw,
    peak_load_kw,
    min_load_kw,
    is_flexible,
    is_critical,
    is_sheddable,
    priority_level,
    max_curtailment,
    curtailment_response_time_s,
    max_curtailment_duration_min,
    min_recovery_time_min,
    load_factor,
    voltage_tolerance,
    frequency_tolerance_hz,
    operating_h_per_d,
    operating_d_per_week,
    seasonal_variation,
    electricity_cost_per_kwh,
    demand_charge_per_kw,
    interruption_cost_per_kwh,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    load_type,
    rated_load_kw,
    average_load_kw,
    peak_load_kw,
    min_load_kw,
    is_flexible,
    is_critical,
    is_sheddable,
    priority_level,
    max_curtailment,
    curtailment_response_time_s,
    max_curtailment_duration_min,
    min_recovery_time_min,
    load_factor,
    voltage_tolerance,
    frequency_tolerance_hz,
    operating_h_per_d,
    operating_d_per_week,
    seasonal_variation,
    electricity_cost_per_kwh,
    demand_charge_per_kw,
    interruption_cost_per_kwh,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE TRIGGER load_specs_touch AFTER UPDATE ON load_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE load_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM optimization_costs;

DROP TABLE optimization_costs;

CREATE TABLE optimization_costs (
    job_id VARCHAR(64) NOT NULL,
    asset_id VARCHAR(200) NOT NULL,
    cost_type VARCHAR(200) NOT NULL,
    cost DOUBLE NOT NULL,
    CONSTRAINT pk_optimization_costs PRIMARY KEY (job_id, asset_id, cost_type),
    CONSTRAINT ck_optimization_costs_job_id_length CHECK (length(job_id) <= 64),
    CONSTRAINT ck_optimization_costs_asset_id_length CHECK (length(asset_id) >= 1 AND length(asset_id) <= 200),
    CONSTRAINT ck_optimization_costs_cost_type_length CHECK (length(cost_type) >= 1 AND length(cost_type) <= 200),
    CONSTRAINT ck_optimization_costs_cost_range CHECK (cost >= -1e308 AND cost <= 1e308),
    CONSTRAINT fk_optimization_costs_job_id_asset_id_optimization_assets FOREIGN KEY(job_id, asset_id) REFERENCES optimization_assets (job_id, asset_id) ON DELETE CASCADE
);

INSERT INTO optimization_costs (
    job_id,
    asset_id,
    cost_type,
    cost
)
SELECT
    job_id,
    owner_id,
    cost_type,
    cost
FROM kept
WHERE owner_kind = 'asset';

DROP TABLE kept;

CREATE TEMPORARY TABLE kept AS SELECT * FROM solar_pv_specs;

DROP TABLE solar_pv_specs;

CREATE TABLE solar_pv_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'solar_pv' NOT NULL,
    rated_capacity_kw DOUBLE NOT NULL,
    is_curtailable BOOLEAN NOT NULL,
    dc_capacity_kw DOUBLE NOT NULL,
    ac_capacity_kw DOUBLE NOT NULL,
    panel_type VARCHAR(15),
    number_of_panels BIGINT,
    panel_capacity_w DOUBLE,
    panel_efficiency DOUBLE,
    panel_area_m2 DOUBLE,
    temperature_coefficient_per_k DOUBLE,
    tilt_angle_deg DOUBLE,
    azimuth_deg DOUBLE,
    tracking_type VARCHAR(11),
    inverter_type VARCHAR(16),
    inverter_efficiency DOUBLE,
    inverter_capacity_kw DOUBLE,
    number_of_inverters BIGINT,
    performance_ratio DOUBLE,
    degradation_rate_per_a DOUBLE NOT NULL,
    system_losses DOUBLE NOT NULL,
    installation_type VARCHAR(19),
    shading_factor DOUBLE NOT NULL,
    soiling_factor DOUBLE NOT NULL,
    grid_tied BOOLEAN NOT NULL,
    has_battery_storage BOOLEAN NOT NULL,
    battery_asset_id VARCHAR(64),
    capital_cost DOUBLE,
    installation_cost DOUBLE,
    maintenance_cost_per_a DOUBLE,
    expected_annual_production_kwh DOUBLE,
    actual_annual_production_kwh DOUBLE,
    capacity_factor DOUBLE,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_solar_pv_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_solar_pv_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
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
    CONSTRAINT ck_solar_pv_specs_is_curtailable_choice CHECK (is_curtailable IN (0, 1)),
    CONSTRAINT ck_solar_pv_specs_grid_tied_choice CHECK (grid_tied IN (0, 1)),
    CONSTRAINT ck_solar_pv_specs_has_battery_storage_choice CHECK (has_battery_storage IN (0, 1)),
    CONSTRAINT fk_solar_pv_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE,
    CONSTRAINT fk_solar_pv_specs_battery_asset_id_assets FOREIGN KEY(battery_asset_id) REFERENCES assets (id) ON DELETE RESTRICT
);

INSERT INTO solar_pv_specs (
    asset_id,
    kind,
    rated_capacity_kw,
    is_curtailable,
    dc_capacity_kw,
    ac_capacity_kw,
    panel_type,
    number_of_panels,
    panel_capacity_w,
    panel_efficiency,
    panel_area_m2,
    temperature_coefficient_per_k,
    tilt_angle_deg,
    azimuth_deg,
    tracking_type,
    inverter_type,
    inverter_efficiency,
    inverter_capacity_kw,
    number_of_inverters,
    performance_ratio,
    degradation_rate_per_a,
    system_losses,
    installation_type,
    shading_factor,
    soiling_factor,
    grid_tied,
    has_battery_storage,
    battery_asset_id,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    expected_annual_production_kwh,
    actual_annual_production_kwh,
    capacity_factor,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    rated_capacity_kw,
    is_curtailable,
    dc_capacity_kw,
    ac_capacity_kw,
    panel_type,
    number_of_panels,
    panel_capacity_w,
    panel_efficiency,
    panel_area_m2,
    temperature_coefficient_per_k,
    tilt_angle_deg,
    azimuth_deg,
    tracking_type,
    inverter_type,
    inverter_efficiency,
    inverter_capacity_kw,
    number_of_inverters,
    performance_ratio,
    degradation_rate_per_a,
    system_losses,
    installation_type,
    shading_factor,
    soiling_factor,
    grid_tied,
    has_battery_storage,
    battery_asset_id,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    expected_annual_production_kwh,
    actual_annual_production_kwh,
    capacity_factor,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE INDEX ix_solar_pv_specs_battery_asset_id ON solar_pv_specs (battery_asset_id);

CREATE TRIGGER solar_pv_specs_touch AFTER UPDATE ON solar_pv_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE solar_pv_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;

CREATE TEMPORARY TABLE kept AS SELECT * FROM wind_turbine_specs;

DROP TABLE wind_turbine_specs;

CREATE TABLE wind_turbine_specs (
    asset_id VARCHAR(64) NOT NULL,
    kind TEXT DEFAULT 'wind_turbine' NOT NULL,
    rated_capacity_kw DOUBLE NOT NULL,
    is_curtailable BOOLEAN NOT NULL,
    turbine_type VARCHAR(15),
    turbine_class VARCHAR(200),
    rotor_diameter_m DOUBLE NOT NULL,
    hub_height_m DOUBLE NOT NULL,
    swept_area_m2 DOUBLE NOT NULL,
    number_of_blades BIGINT,
    blade_length_m DOUBLE,
    cut_in_wind_speed_m_per_s DOUBLE NOT NULL,
    rated_wind_speed_m_per_s DOUBLE NOT NULL,
    cut_out_wind_speed_m_per_s DOUBLE NOT NULL,
    survival_wind_speed_m_per_s DOUBLE,
    power_coefficient DOUBLE,
    capacity_factor DOUBLE,
    generator_type VARCHAR(20),
    pitch_control BOOLEAN NOT NULL,
    yaw_control BOOLEAN NOT NULL,
    variable_speed BOOLEAN NOT NULL,
    grid_tied BOOLEAN NOT NULL,
    voltage_regulation_capable BOOLEAN NOT NULL,
    reactive_power_control BOOLEAN NOT NULL,
    ramp_up_rate_kw_per_s DOUBLE,
    ramp_down_rate_kw_per_s DOUBLE,
    noise_level_db DOUBLE,
    shadow_flicker_h_per_a DOUBLE,
    capital_cost DOUBLE,
    installation_cost DOUBLE,
    maintenance_cost_per_a DOUBLE,
    expected_annual_production_kwh DOUBLE,
    actual_annual_production_kwh DOUBLE,
    operating_h DOUBLE NOT NULL,
    availability DOUBLE,
    created_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    created_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    updated_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    updated_by VARCHAR(200) DEFAULT 'sql' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    CONSTRAINT pk_wind_turbine_specs PRIMARY KEY (asset_id),
    CONSTRAINT ck_wind_turbine_specs_rated_capacity_kw_range CHECK (rated_capacity_kw > 0 AND rated_capacity_kw <= 1e308),
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
    CONSTRAINT ck_wind_turbine_specs_is_curtailable_choice CHECK (is_curtailable IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_pitch_control_choice CHECK (pitch_control IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_yaw_control_choice CHECK (yaw_control IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_variable_speed_choice CHECK (variable_speed IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_grid_tied_choice CHECK (grid_tied IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_voltage_regulation_capable_choice CHECK (voltage_regulation_capable IN (0, 1)),
    CONSTRAINT ck_wind_turbine_specs_reactive_power_control_choice CHECK (reactive_power_control IN (0, 1)),
    CONSTRAINT fk_wind_turbine_specs_asset_id_kind_assets FOREIGN KEY(asset_id, kind) REFERENCES assets (id, kind) ON DELETE CASCADE
);

INSERT INTO wind_turbine_specs (
    asset_id,
    kind,
    rated_capacity_kw,
    is_curtailable,
    turbine_type,
    turbine_class,
    rotor_diameter_m,
    hub_height_m,
    swept_area_m2,
    number_of_blades,
    blade_length_m,
    cut_in_wind_speed_m_per_s,
    rated_wind_speed_m_per_s,
    cut_out_wind_speed_m_per_s,
    survival_wind_speed_m_per_s,
    power_coefficient,
    capacity_factor,
    generator_type,
    pitch_control,
    yaw_control,
    variable_speed,
    grid_tied,
    voltage_regulation_capable,
    reactive_power_control,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    noise_level_db,
    shadow_flicker_h_per_a,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    expected_annual_production_kwh,
    actual_annual_production_kwh,
    operating_h,
    availability,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
)
SELECT
    asset_id,
    kind,
    rated_capacity_kw,
    is_curtailable,
    turbine_type,
    turbine_class,
    rotor_diameter_m,
    hub_height_m,
    swept_area_m2,
    number_of_blades,
    blade_length_m,
    cut_in_wind_speed_m_per_s,
    rated_wind_speed_m_per_s,
    cut_out_wind_speed_m_per_s,
    survival_wind_speed_m_per_s,
    power_coefficient,
    capacity_factor,
    generator_type,
    pitch_control,
    yaw_control,
    variable_speed,
    grid_tied,
    voltage_regulation_capable,
    reactive_power_control,
    ramp_up_rate_kw_per_s,
    ramp_down_rate_kw_per_s,
    noise_level_db,
    shadow_flicker_h_per_a,
    capital_cost,
    installation_cost,
    maintenance_cost_per_a,
    expected_annual_production_kwh,
    actual_annual_production_kwh,
    operating_h,
    availability,
    created_at,
    created_by,
    updated_at,
    updated_by,
    version
FROM kept;

DROP TABLE kept;

CREATE TRIGGER wind_turbine_specs_touch AFTER UPDATE ON wind_turbine_specs
WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at
BEGIN
    UPDATE wind_turbine_specs SET
        version = OLD.version + 1,
        updated_at = max(strftime('%Y-%m-%d %H:%M:%f000', 'now'), strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')),
        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN 'sql' ELSE NEW.updated_by END
    WHERE rowid = NEW.rowid;
    UPDATE assets SET version = version WHERE id = NEW.asset_id;
END;
