-- Statements of revision 0003 (down); each ends with a semicolon and an empty line.

DROP TABLE optimization_site_results;

DROP TABLE optimization_reserve_results;

DROP TABLE reserve_requirements;

ALTER TABLE sites
    DROP CONSTRAINT ck_sites_spill_cost_per_kwh_range,
    DROP CONSTRAINT ck_sites_unserved_cost_per_kwh_range;

ALTER TABLE sites
    DROP COLUMN spill_cost_per_kwh,
    DROP COLUMN unserved_cost_per_kwh;

ALTER TABLE tariffs
    DROP CONSTRAINT ck_tariffs_capacity_cost_per_kw_month_range,
    DROP CONSTRAINT ck_tariffs_contracted_kw_range,
    DROP CONSTRAINT ck_tariffs_export_deduction_per_kwh_range,
    DROP CONSTRAINT ck_tariffs_export_factor_range,
    DROP CONSTRAINT ck_tariffs_fixed_cost_per_d_range,
    DROP CONSTRAINT ck_tariffs_fixed_cost_per_month_range,
    DROP CONSTRAINT ck_tariffs_metering_choice,
    DROP CONSTRAINT ck_tariffs_minimum_cost_per_a_range,
    DROP CONSTRAINT ck_tariffs_minimum_cost_per_month_range,
    DROP CONSTRAINT ck_tariffs_price_factor_range,
    DROP CONSTRAINT ck_tariffs_surcharge_per_kwh_range,
    DROP CONSTRAINT ck_tariffs_tier_period_choice,
    DROP CONSTRAINT ck_tariffs_year_end_month_range,
    DROP CONSTRAINT ck_tariffs_year_end_price_per_kwh_range;

ALTER TABLE tariffs
    DROP COLUMN capacity_cost_per_kw_month,
    DROP COLUMN contracted_kw,
    DROP COLUMN currency,
    DROP COLUMN demand_charges,
    DROP COLUMN export_deduction_per_kwh,
    DROP COLUMN export_factor,
    DROP COLUMN fixed_cost_per_d,
    DROP COLUMN fixed_cost_per_month,
    DROP COLUMN holiday_calendar,
    DROP COLUMN levies,
    DROP COLUMN metering,
    DROP COLUMN minimum_cost_per_a,
    DROP COLUMN minimum_cost_per_month,
    DROP COLUMN price_factor,
    DROP COLUMN price_series,
    DROP COLUMN surcharge_per_kwh,
    DROP COLUMN taxes,
    DROP COLUMN tier_period,
    DROP COLUMN year_end_month,
    DROP COLUMN year_end_price_per_kwh;

COMMENT ON TABLE tariffs IS 'What energy costs by contract; the first of the periods that holds at a moment gives its price.';

ALTER TABLE asset_groups
    DROP CONSTRAINT ck_asset_groups_max_export_kw_range,
    DROP CONSTRAINT ck_asset_groups_max_import_kw_range,
    DROP CONSTRAINT ck_asset_groups_sharing_fee_per_kwh_range;

ALTER TABLE asset_groups
    DROP COLUMN max_export_kw,
    DROP COLUMN max_import_kw,
    DROP COLUMN sharing_fee_per_kwh;

ALTER TABLE optimization_jobs
    DROP CONSTRAINT ck_optimization_jobs_emissions_kg_range;

ALTER TABLE optimization_jobs
    DROP COLUMN emissions_kg,
    DROP COLUMN goal,
    DROP COLUMN kpis;

COMMENT ON COLUMN optimization_jobs.optimization_type IS 'What was optimized: dispatch, rolling dispatch.';

ALTER TABLE battery_specs
    DROP CONSTRAINT ck_battery_specs_charge_cost_per_kwh_range,
    DROP CONSTRAINT ck_battery_specs_cycle_depth_segments_range,
    DROP CONSTRAINT ck_battery_specs_drain_kw_range,
    DROP CONSTRAINT ck_battery_specs_final_energy_value_per_kwh_range,
    DROP CONSTRAINT ck_battery_specs_final_soc_rule_choice,
    DROP CONSTRAINT ck_battery_specs_holding_cost_per_kwh_h_range,
    DROP CONSTRAINT ck_battery_specs_max_charge_kw_range,
    DROP CONSTRAINT ck_battery_specs_max_cycles_per_d_range,
    DROP CONSTRAINT ck_battery_specs_max_discharge_kw_range,
    DROP CONSTRAINT ck_battery_specs_one_price_of_wear,
    DROP CONSTRAINT ck_battery_specs_power_given,
    DROP CONSTRAINT ck_battery_specs_rated_power_kw_range,
    DROP CONSTRAINT ck_battery_specs_standing_loss_per_h_range,
    DROP CONSTRAINT ck_battery_specs_worth_of_rest;

ALTER TABLE battery_specs
    DROP COLUMN charge_cost_per_kwh,
    DROP COLUMN charge_taper,
    DROP COLUMN cycle_depth_segments,
    DROP COLUMN discharge_taper,
    DROP COLUMN drain_kw,
    DROP COLUMN final_energy_value_per_kwh,
    DROP COLUMN holding_cost_per_kwh_h,
    DROP COLUMN max_cycles_per_d,
    DROP COLUMN may_charge_while_discharging,
    DROP COLUMN soc_targets,
    DROP COLUMN standing_loss_per_h;

ALTER TABLE battery_specs
    ADD CONSTRAINT ck_battery_specs_final_soc_rule_choice CHECK (final_soc_rule IN ('at_least', 'exactly', 'free')),
    ADD CONSTRAINT ck_battery_specs_max_charge_kw_range CHECK (max_charge_kw > 0 AND max_charge_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_max_discharge_kw_range CHECK (max_discharge_kw > 0 AND max_discharge_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_rated_power_kw_range CHECK (rated_power_kw > 0 AND rated_power_kw <= 1e308);

COMMENT ON COLUMN battery_specs.max_charge_kw IS 'Highest charging power, at the site''s bus. [kW]';
COMMENT ON COLUMN battery_specs.max_discharge_kw IS 'Highest discharging power, at the site''s bus. [kW]';
COMMENT ON COLUMN battery_specs.min_soc IS 'Lowest state of charge in operation. [1]';
COMMENT ON COLUMN battery_specs.max_soc IS 'Highest state of charge in operation. [1]';
COMMENT ON COLUMN battery_specs.initial_soc IS 'State of charge at the beginning of the horizon. [1]';
COMMENT ON COLUMN battery_specs.final_soc_rule IS 'How the state of charge at the end of the horizon relates to the target.';
COMMENT ON COLUMN battery_specs.target_soc IS 'State of charge wanted at the end of the horizon; the initial one where nothing is given. [1]';
COMMENT ON COLUMN battery_specs.degradation_cost_per_kwh IS 'Wear of the cells for each kWh discharged, at the site''s bus. [currency/kWh]';

ALTER TABLE ev_charger_specs
    DROP CONSTRAINT ck_ev_charger_specs_charge_order,
    DROP CONSTRAINT ck_ev_charger_specs_current_is_power,
    DROP CONSTRAINT ck_ev_charger_specs_discharge_cost_per_kwh_range,
    DROP CONSTRAINT ck_ev_charger_specs_discharge_efficiency_range,
    DROP CONSTRAINT ck_ev_charger_specs_giving_waits,
    DROP CONSTRAINT ck_ev_charger_specs_max_discharge_kw_range,
    DROP CONSTRAINT ck_ev_charger_specs_min_charge_kw_range,
    DROP CONSTRAINT ck_ev_charger_specs_min_current_ampere_range,
    DROP CONSTRAINT ck_ev_charger_specs_unmet_cost_per_kwh_range;

ALTER TABLE ev_charger_specs
    DROP COLUMN discharge_cost_per_kwh,
    DROP COLUMN discharge_efficiency,
    DROP COLUMN max_discharge_kw,
    DROP COLUMN min_charge_kw,
    DROP COLUMN min_current_ampere,
    DROP COLUMN unmet_cost_per_kwh;

COMMENT ON COLUMN ev_charger_specs.max_power_kw IS 'Highest charging power of a port, at the site''s bus. [kW]';

ALTER TABLE generator_specs
    DROP CONSTRAINT ck_generator_specs_initial_output_kw_range,
    DROP CONSTRAINT ck_generator_specs_initial_state_h_range,
    DROP CONSTRAINT ck_generator_specs_max_shutdown_kw_range,
    DROP CONSTRAINT ck_generator_specs_max_startup_kw_range,
    DROP CONSTRAINT ck_generator_specs_min_downtime_h_range,
    DROP CONSTRAINT ck_generator_specs_min_uptime_h_range,
    DROP CONSTRAINT ck_generator_specs_no_load_cost_per_h_range,
    DROP CONSTRAINT ck_generator_specs_output_before,
    DROP CONSTRAINT ck_generator_specs_quadratic_cost_per_kw2h_range,
    DROP CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range,
    DROP CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range,
    DROP CONSTRAINT ck_generator_specs_shutdown_order,
    DROP CONSTRAINT ck_generator_specs_startup_order;

ALTER TABLE generator_specs
    ALTER COLUMN min_uptime_h TYPE BIGINT USING CAST(round(min_uptime_h) AS BIGINT),
    ALTER COLUMN min_downtime_h TYPE BIGINT USING CAST(round(min_downtime_h) AS BIGINT),
    DROP COLUMN cost_curve,
    DROP COLUMN initial_is_on,
    DROP COLUMN initial_output_kw,
    DROP COLUMN initial_state_h,
    DROP COLUMN is_committable,
    DROP COLUMN max_shutdown_kw,
    DROP COLUMN max_startup_kw,
    DROP COLUMN must_run,
    DROP COLUMN no_load_cost_per_h,
    DROP COLUMN quadratic_cost_per_kw2h,
    DROP COLUMN startup_costs;

ALTER TABLE generator_specs
    ADD CONSTRAINT ck_generator_specs_min_downtime_h_range CHECK (min_downtime_h >= 0 AND min_downtime_h <= 9223372036854775807),
    ADD CONSTRAINT ck_generator_specs_min_uptime_h_range CHECK (min_uptime_h >= 0 AND min_uptime_h <= 9223372036854775807),
    ADD CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range CHECK (ramp_down_rate_kw_per_min > 0 AND ramp_down_rate_kw_per_min <= 1e308),
    ADD CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range CHECK (ramp_up_rate_kw_per_min > 0 AND ramp_up_rate_kw_per_min <= 1e308);

COMMENT ON COLUMN generator_specs.fuel_cost_per_kwh IS 'Cost of fuel for a kWh of output; price of fuel by consumption where nothing is given. [currency/kWh]';
COMMENT ON COLUMN generator_specs.startup_cost IS 'Cost of each start; a generator that runs in the first step has been started in it. [currency]';
COMMENT ON COLUMN generator_specs.ramp_up_rate_kw_per_min IS 'How fast the output may rise; a start reaches the lowest output at once. [kW/min]';
COMMENT ON COLUMN generator_specs.ramp_down_rate_kw_per_min IS 'How fast the output may fall; a stop falls from the lowest output at once. [kW/min]';

ALTER TABLE grid_connection_specs
    DROP CONSTRAINT ck_grid_connection_specs_co2_intensity_kg_per_kwh_range,
    DROP CONSTRAINT ck_grid_connection_specs_month_export_kwh_so_far_range,
    DROP CONSTRAINT ck_grid_connection_specs_month_import_kwh_so_far_range,
    DROP CONSTRAINT ck_grid_connection_specs_year_import_kwh_so_far_range;

ALTER TABLE grid_connection_specs
    DROP COLUMN co2_intensity_kg_per_kwh,
    DROP COLUMN demand_charges,
    DROP COLUMN demand_so_far,
    DROP COLUMN may_import_while_exporting,
    DROP COLUMN month_export_kwh_so_far,
    DROP COLUMN month_import_kwh_so_far,
    DROP COLUMN year_import_kwh_so_far;

COMMENT ON COLUMN grid_connection_specs.max_import_kw IS 'Highest power taken from the grid. [kW]';
COMMENT ON COLUMN grid_connection_specs.max_export_kw IS 'Highest power fed into the grid. [kW]';

ALTER TABLE load_specs
    DROP CONSTRAINT ck_load_specs_one_use,
    DROP CONSTRAINT ck_load_specs_recovered_share_range,
    DROP CONSTRAINT ck_load_specs_recovery_h_range,
    DROP CONSTRAINT ck_load_specs_recovery_of_shed,
    DROP CONSTRAINT ck_load_specs_recovery_time,
    DROP CONSTRAINT ck_load_specs_shed_of_profile;

ALTER TABLE load_specs
    DROP COLUMN recovered_share,
    DROP COLUMN recovery_h,
    DROP COLUMN shiftable,
    DROP COLUMN thermal;

COMMENT ON TABLE load_specs IS 'A demand for power, firm or sheddable at a price.';
COMMENT ON COLUMN load_specs.priority_level IS 'Rank among loads, 1 is served first.';
COMMENT ON COLUMN load_specs.interruption_cost_per_kwh IS 'Worth of a kWh that is not served; needed where the load is sheddable. [currency/kWh]';

ALTER TABLE optimization_costs
    DROP CONSTRAINT ck_optimization_costs_owner_id_length,
    DROP CONSTRAINT ck_optimization_costs_owner_kind_choice,
    DROP CONSTRAINT fk_optimization_costs_job_id_optimization_jobs,
    DROP CONSTRAINT pk_optimization_costs;

ALTER TABLE optimization_costs RENAME COLUMN owner_id TO asset_id;

DELETE FROM optimization_costs WHERE NOT (owner_kind = 'asset');

ALTER TABLE optimization_costs
    DROP COLUMN owner_kind;

ALTER TABLE optimization_costs
    ADD CONSTRAINT ck_optimization_costs_asset_id_length CHECK (((length((asset_id)::text) >= 1) AND (length((asset_id)::text) <= 200))),
    ADD CONSTRAINT fk_optimization_costs_job_id_asset_id_optimization_assets FOREIGN KEY (job_id, asset_id) REFERENCES optimization_assets(job_id, asset_id) ON DELETE CASCADE,
    ADD CONSTRAINT pk_optimization_costs PRIMARY KEY (job_id, asset_id, cost_type);

COMMENT ON COLUMN optimization_costs.asset_id IS 'Asset which causes it.';

ALTER TABLE solar_pv_specs
    DROP CONSTRAINT ck_solar_pv_specs_curtailment_cost_per_kwh_range,
    DROP CONSTRAINT ck_solar_pv_specs_variable_om_cost_per_kwh_range;

ALTER TABLE solar_pv_specs
    DROP COLUMN curtailment_cost_per_kwh,
    DROP COLUMN variable_om_cost_per_kwh;

ALTER TABLE wind_turbine_specs
    DROP CONSTRAINT ck_wind_turbine_specs_curtailment_cost_per_kwh_range,
    DROP CONSTRAINT ck_wind_turbine_specs_variable_om_cost_per_kwh_range;

ALTER TABLE wind_turbine_specs
    DROP COLUMN curtailment_cost_per_kwh,
    DROP COLUMN variable_om_cost_per_kwh;
