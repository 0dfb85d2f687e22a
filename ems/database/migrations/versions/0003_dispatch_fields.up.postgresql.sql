-- Statements of revision 0003 (up); each ends with a semicolon and an empty line.

ALTER TABLE sites
    ADD COLUMN spill_cost_per_kwh DOUBLE PRECISION,
    ADD COLUMN unserved_cost_per_kwh DOUBLE PRECISION;

ALTER TABLE sites
    ADD CONSTRAINT ck_sites_spill_cost_per_kwh_range CHECK (spill_cost_per_kwh >= 0 AND spill_cost_per_kwh <= 1e308),
    ADD CONSTRAINT ck_sites_unserved_cost_per_kwh_range CHECK (unserved_cost_per_kwh >= 0 AND unserved_cost_per_kwh <= 1e308);

COMMENT ON COLUMN sites.spill_cost_per_kwh IS 'Cost of power that is thrown away at the bus; none may be where nothing is given. [currency/kWh]';
COMMENT ON COLUMN sites.unserved_cost_per_kwh IS 'Value of a kWh that the bus lacks, whatever it is for; nothing may lack where nothing is given. [currency/kWh]';

ALTER TABLE tariffs
    ADD COLUMN currency TEXT,
    ADD COLUMN holiday_calendar TEXT,
    ADD COLUMN tier_period VARCHAR(5) DEFAULT 'month' NOT NULL,
    ADD COLUMN metering VARCHAR(16) DEFAULT 'net_billing' NOT NULL,
    ADD COLUMN year_end_price_per_kwh DOUBLE PRECISION,
    ADD COLUMN year_end_month BIGINT DEFAULT 12 NOT NULL,
    ADD COLUMN price_series BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN price_factor DOUBLE PRECISION DEFAULT 1 NOT NULL,
    ADD COLUMN surcharge_per_kwh DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN export_factor DOUBLE PRECISION,
    ADD COLUMN export_deduction_per_kwh DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN levies JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN taxes JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN demand_charges JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN contracted_kw DOUBLE PRECISION,
    ADD COLUMN capacity_cost_per_kw_month DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN fixed_cost_per_month DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN fixed_cost_per_d DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN minimum_cost_per_month DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN minimum_cost_per_a DOUBLE PRECISION DEFAULT 0 NOT NULL;

ALTER TABLE tariffs
    ALTER COLUMN tier_period DROP DEFAULT,
    ALTER COLUMN metering DROP DEFAULT,
    ALTER COLUMN year_end_month DROP DEFAULT,
    ALTER COLUMN price_series DROP DEFAULT,
    ALTER COLUMN price_factor DROP DEFAULT,
    ALTER COLUMN surcharge_per_kwh DROP DEFAULT,
    ALTER COLUMN export_deduction_per_kwh DROP DEFAULT,
    ALTER COLUMN levies DROP DEFAULT,
    ALTER COLUMN taxes DROP DEFAULT,
    ALTER COLUMN demand_charges DROP DEFAULT,
    ALTER COLUMN capacity_cost_per_kw_month DROP DEFAULT,
    ALTER COLUMN fixed_cost_per_month DROP DEFAULT,
    ALTER COLUMN fixed_cost_per_d DROP DEFAULT,
    ALTER COLUMN minimum_cost_per_month DROP DEFAULT,
    ALTER COLUMN minimum_cost_per_a DROP DEFAULT;

ALTER TABLE tariffs
    ADD CONSTRAINT ck_tariffs_capacity_cost_per_kw_month_range CHECK (capacity_cost_per_kw_month >= 0 AND capacity_cost_per_kw_month <= 1e308),
    ADD CONSTRAINT ck_tariffs_contracted_kw_range CHECK (contracted_kw > 0 AND contracted_kw <= 1e308),
    ADD CONSTRAINT ck_tariffs_export_deduction_per_kwh_range CHECK (export_deduction_per_kwh >= -1e308 AND export_deduction_per_kwh <= 1e308),
    ADD CONSTRAINT ck_tariffs_export_factor_range CHECK (export_factor >= -1e308 AND export_factor <= 1e308),
    ADD CONSTRAINT ck_tariffs_fixed_cost_per_d_range CHECK (fixed_cost_per_d >= -1e308 AND fixed_cost_per_d <= 1e308),
    ADD CONSTRAINT ck_tariffs_fixed_cost_per_month_range CHECK (fixed_cost_per_month >= -1e308 AND fixed_cost_per_month <= 1e308),
    ADD CONSTRAINT ck_tariffs_metering_choice CHECK (metering IN ('net_billing', 'net_metering', 'buy_all_sell_all')),
    ADD CONSTRAINT ck_tariffs_minimum_cost_per_a_range CHECK (minimum_cost_per_a >= 0 AND minimum_cost_per_a <= 1e308),
    ADD CONSTRAINT ck_tariffs_minimum_cost_per_month_range CHECK (minimum_cost_per_month >= 0 AND minimum_cost_per_month <= 1e308),
    ADD CONSTRAINT ck_tariffs_price_factor_range CHECK (price_factor >= -1e308 AND price_factor <= 1e308),
    ADD CONSTRAINT ck_tariffs_surcharge_per_kwh_range CHECK (surcharge_per_kwh >= -1e308 AND surcharge_per_kwh <= 1e308),
    ADD CONSTRAINT ck_tariffs_tier_period_choice CHECK (tier_period IN ('month', 'day')),
    ADD CONSTRAINT ck_tariffs_year_end_month_range CHECK (year_end_month >= 1 AND year_end_month <= 12),
    ADD CONSTRAINT ck_tariffs_year_end_price_per_kwh_range CHECK (year_end_price_per_kwh >= -1e308 AND year_end_price_per_kwh <= 1e308);

COMMENT ON TABLE tariffs IS 'What energy and power cost by contract; the first of the periods that holds at a moment gives its price.';
COMMENT ON COLUMN tariffs.currency IS 'ISO 4217 code of its prices, which must be the portfolio''s.';
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

ALTER TABLE asset_groups
    ADD COLUMN max_import_kw DOUBLE PRECISION,
    ADD COLUMN max_export_kw DOUBLE PRECISION,
    ADD COLUMN sharing_fee_per_kwh DOUBLE PRECISION;

ALTER TABLE asset_groups
    ADD CONSTRAINT ck_asset_groups_max_export_kw_range CHECK (max_export_kw >= 0 AND max_export_kw <= 1e308),
    ADD CONSTRAINT ck_asset_groups_max_import_kw_range CHECK (max_import_kw >= 0 AND max_import_kw <= 1e308),
    ADD CONSTRAINT ck_asset_groups_sharing_fee_per_kwh_range CHECK (sharing_fee_per_kwh >= 0 AND sharing_fee_per_kwh <= 1e308);

COMMENT ON COLUMN asset_groups.max_import_kw IS 'Highest power that its members take together: from the grid where they are connections, otherwise from their sites. [kW]';
COMMENT ON COLUMN asset_groups.max_export_kw IS 'Highest power that its members give together: to the grid where they are connections, otherwise to their sites. [kW]';
COMMENT ON COLUMN asset_groups.sharing_fee_per_kwh IS 'Price of a kWh that one of its grid connections receives from another, as in an energy community; none share where nothing is given. [currency/kWh]';

ALTER TABLE optimization_jobs
    ADD COLUMN goal JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN emissions_kg DOUBLE PRECISION,
    ADD COLUMN kpis JSONB DEFAULT '{}' NOT NULL;

ALTER TABLE optimization_jobs
    ALTER COLUMN goal DROP DEFAULT,
    ALTER COLUMN kpis DROP DEFAULT;

ALTER TABLE optimization_jobs
    ADD CONSTRAINT ck_optimization_jobs_emissions_kg_range CHECK (emissions_kg >= -1e308 AND emissions_kg <= 1e308);

COMMENT ON COLUMN optimization_jobs.optimization_type IS 'What was decided: battery_dispatch, unit_commitment, peak_shaving.';
COMMENT ON COLUMN optimization_jobs.goal IS 'All that was said of what it is for: weights of the objective, outages.';
COMMENT ON COLUMN optimization_jobs.emissions_kg IS 'Carbon dioxide of the schedule. [kg]';
COMMENT ON COLUMN optimization_jobs.kpis IS 'Figures of the schedule by name, those of an asset after its id and a slash; null where one is not defined.';

ALTER TABLE battery_specs
    DROP CONSTRAINT ck_battery_specs_final_soc_rule_choice,
    DROP CONSTRAINT ck_battery_specs_max_charge_kw_range,
    DROP CONSTRAINT ck_battery_specs_max_discharge_kw_range,
    DROP CONSTRAINT ck_battery_specs_rated_power_kw_range;

ALTER TABLE battery_specs
    ADD COLUMN charge_taper JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN discharge_taper JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN may_charge_while_discharging BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN standing_loss_per_h DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN drain_kw DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN soc_targets JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN final_energy_value_per_kwh DOUBLE PRECISION,
    ADD COLUMN max_cycles_per_d DOUBLE PRECISION,
    ADD COLUMN cycle_depth_segments BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN charge_cost_per_kwh DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN holding_cost_per_kwh_h DOUBLE PRECISION DEFAULT 0 NOT NULL;

ALTER TABLE battery_specs
    ALTER COLUMN charge_taper DROP DEFAULT,
    ALTER COLUMN discharge_taper DROP DEFAULT,
    ALTER COLUMN may_charge_while_discharging DROP DEFAULT,
    ALTER COLUMN standing_loss_per_h DROP DEFAULT,
    ALTER COLUMN drain_kw DROP DEFAULT,
    ALTER COLUMN soc_targets DROP DEFAULT,
    ALTER COLUMN cycle_depth_segments DROP DEFAULT,
    ALTER COLUMN charge_cost_per_kwh DROP DEFAULT,
    ALTER COLUMN holding_cost_per_kwh_h DROP DEFAULT;

ALTER TABLE battery_specs
    ADD CONSTRAINT ck_battery_specs_charge_cost_per_kwh_range CHECK (charge_cost_per_kwh >= 0 AND charge_cost_per_kwh <= 1e308),
    ADD CONSTRAINT ck_battery_specs_cycle_depth_segments_range CHECK (cycle_depth_segments >= 0 AND cycle_depth_segments <= 50),
    ADD CONSTRAINT ck_battery_specs_drain_kw_range CHECK (drain_kw >= 0 AND drain_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_final_energy_value_per_kwh_range CHECK (final_energy_value_per_kwh >= -1e308 AND final_energy_value_per_kwh <= 1e308),
    ADD CONSTRAINT ck_battery_specs_final_soc_rule_choice CHECK (final_soc_rule IN ('at_least', 'exactly', 'free', 'cyclic')),
    ADD CONSTRAINT ck_battery_specs_holding_cost_per_kwh_h_range CHECK (holding_cost_per_kwh_h >= -1e308 AND holding_cost_per_kwh_h <= 1e308),
    ADD CONSTRAINT ck_battery_specs_max_charge_kw_range CHECK (max_charge_kw >= 0 AND max_charge_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_max_cycles_per_d_range CHECK (max_cycles_per_d > 0 AND max_cycles_per_d <= 1e308),
    ADD CONSTRAINT ck_battery_specs_max_discharge_kw_range CHECK (max_discharge_kw >= 0 AND max_discharge_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_one_price_of_wear CHECK (cycle_depth_segments = 0 OR (degradation_cost_per_kwh = 0 AND capital_cost IS NOT NULL)),
    ADD CONSTRAINT ck_battery_specs_power_given CHECK (rated_power_kw > 0 AND (max_charge_kw > 0 OR max_discharge_kw > 0)),
    ADD CONSTRAINT ck_battery_specs_rated_power_kw_range CHECK (rated_power_kw >= 0 AND rated_power_kw <= 1e308),
    ADD CONSTRAINT ck_battery_specs_standing_loss_per_h_range CHECK (standing_loss_per_h >= 0 AND standing_loss_per_h < 1),
    ADD CONSTRAINT ck_battery_specs_worth_of_rest CHECK (final_energy_value_per_kwh IS NULL OR final_soc_rule IN ('at_least', 'free'));

COMMENT ON COLUMN battery_specs.max_charge_kw IS 'Highest charging power, at the site''s bus; zero for a store that only gives. [kW]';
COMMENT ON COLUMN battery_specs.max_discharge_kw IS 'Highest discharging power, at the site''s bus; zero for a store that only takes. [kW]';
COMMENT ON COLUMN battery_specs.charge_taper IS 'Share of the charging limit that is allowed over the state of charge, as a concave line through points.';
COMMENT ON COLUMN battery_specs.discharge_taper IS 'Share of the discharging limit that is allowed over the state of charge, as a concave line through points.';
COMMENT ON COLUMN battery_specs.may_charge_while_discharging IS 'Whether it can do both in one step, as several units behind one meter can.';
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
COMMENT ON COLUMN battery_specs.degradation_cost_per_kwh IS 'Wear of the cells for each kWh discharged, at the site''s bus; none where depth segments price it. [currency/kWh]';
COMMENT ON COLUMN battery_specs.cycle_depth_segments IS 'Segments of depth by which wear is priced from the life curve and the capital cost; none where it is zero.';
COMMENT ON COLUMN battery_specs.charge_cost_per_kwh IS 'Cost of each kWh charged, at the site''s bus. [currency/kWh]';
COMMENT ON COLUMN battery_specs.holding_cost_per_kwh_h IS 'Cost of each kWh in the content at the end of a step, for each hour of the step. [currency/kWh·h]';

ALTER TABLE ev_charger_specs
    ADD COLUMN min_charge_kw DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN unmet_cost_per_kwh DOUBLE PRECISION,
    ADD COLUMN min_current_ampere DOUBLE PRECISION,
    ALTER COLUMN v2g_capable TYPE BOOLEAN USING v2g_capable AND smart_charging_capable,
    ADD COLUMN max_discharge_kw DOUBLE PRECISION,
    ADD COLUMN discharge_efficiency DOUBLE PRECISION DEFAULT 0.9 NOT NULL,
    ADD COLUMN discharge_cost_per_kwh DOUBLE PRECISION DEFAULT 0 NOT NULL;

ALTER TABLE ev_charger_specs
    ALTER COLUMN min_charge_kw DROP DEFAULT,
    ALTER COLUMN max_discharge_kw TYPE DOUBLE PRECISION USING max_power_kw,
    ALTER COLUMN max_discharge_kw SET NOT NULL,
    ALTER COLUMN discharge_efficiency DROP DEFAULT,
    ALTER COLUMN discharge_cost_per_kwh DROP DEFAULT;

ALTER TABLE ev_charger_specs
    ADD CONSTRAINT ck_ev_charger_specs_charge_order CHECK (min_charge_kw <= max_power_kw * 1.000000002),
    ADD CONSTRAINT ck_ev_charger_specs_current_is_power CHECK (min_current_ampere IS NULL OR max_current_ampere IS NOT NULL OR voltage_v IS NOT NULL),
    ADD CONSTRAINT ck_ev_charger_specs_discharge_cost_per_kwh_range CHECK (discharge_cost_per_kwh >= 0 AND discharge_cost_per_kwh <= 1e308),
    ADD CONSTRAINT ck_ev_charger_specs_discharge_efficiency_range CHECK (discharge_efficiency > 0 AND discharge_efficiency <= 1),
    ADD CONSTRAINT ck_ev_charger_specs_giving_waits CHECK (smart_charging_capable OR NOT v2g_capable),
    ADD CONSTRAINT ck_ev_charger_specs_max_discharge_kw_range CHECK (max_discharge_kw > 0 AND max_discharge_kw <= 1e308),
    ADD CONSTRAINT ck_ev_charger_specs_min_charge_kw_range CHECK (min_charge_kw >= 0 AND min_charge_kw <= 1e308),
    ADD CONSTRAINT ck_ev_charger_specs_min_current_ampere_range CHECK (min_current_ampere > 0 AND min_current_ampere <= 1e308),
    ADD CONSTRAINT ck_ev_charger_specs_unmet_cost_per_kwh_range CHECK (unmet_cost_per_kwh >= 0 AND unmet_cost_per_kwh <= 1e308);

COMMENT ON COLUMN ev_charger_specs.max_power_kw IS 'Highest charging power of a port, at the site''s bus; may change with time. [kW]';
COMMENT ON COLUMN ev_charger_specs.min_charge_kw IS 'Lowest power of a port that charges at all; follows from its lowest current. [kW]';
COMMENT ON COLUMN ev_charger_specs.unmet_cost_per_kwh IS 'Price of each kWh that a vehicle lacks at departure; nothing may lack where nothing is given, here or in its session. [currency/kWh]';
COMMENT ON COLUMN ev_charger_specs.min_current_ampere IS 'Lowest current of a port that charges; 6 A by IEC 61851-1. [A]';
COMMENT ON COLUMN ev_charger_specs.max_discharge_kw IS 'Highest power that a port gives back, at the site''s bus; the charging one where nothing is given; may change with time. [kW]';
COMMENT ON COLUMN ev_charger_specs.discharge_efficiency IS 'Energy given to the bus per energy taken from the vehicle. [1]';
COMMENT ON COLUMN ev_charger_specs.discharge_cost_per_kwh IS 'What each kWh given back costs, at the bus: wear of the battery, or what its driver gets. [currency/kWh]';

ALTER TABLE generator_specs
    DROP CONSTRAINT ck_generator_specs_min_downtime_h_range,
    DROP CONSTRAINT ck_generator_specs_min_uptime_h_range,
    DROP CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range,
    DROP CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range;

ALTER TABLE generator_specs
    ADD COLUMN quadratic_cost_per_kw2h DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN cost_curve JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN no_load_cost_per_h DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN startup_costs JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN is_committable BOOLEAN DEFAULT true NOT NULL,
    ADD COLUMN must_run BOOLEAN DEFAULT false NOT NULL,
    ALTER COLUMN min_uptime_h TYPE DOUBLE PRECISION,
    ALTER COLUMN min_downtime_h TYPE DOUBLE PRECISION,
    ADD COLUMN initial_is_on BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN initial_state_h DOUBLE PRECISION,
    ADD COLUMN initial_output_kw DOUBLE PRECISION,
    ADD COLUMN max_startup_kw DOUBLE PRECISION,
    ADD COLUMN max_shutdown_kw DOUBLE PRECISION;

ALTER TABLE generator_specs
    ALTER COLUMN quadratic_cost_per_kw2h DROP DEFAULT,
    ALTER COLUMN cost_curve DROP DEFAULT,
    ALTER COLUMN no_load_cost_per_h DROP DEFAULT,
    ALTER COLUMN startup_costs DROP DEFAULT,
    ALTER COLUMN is_committable DROP DEFAULT,
    ALTER COLUMN must_run DROP DEFAULT,
    ALTER COLUMN initial_is_on DROP DEFAULT;

ALTER TABLE generator_specs
    ADD CONSTRAINT ck_generator_specs_initial_output_kw_range CHECK (initial_output_kw >= 0 AND initial_output_kw <= 1e308),
    ADD CONSTRAINT ck_generator_specs_initial_state_h_range CHECK (initial_state_h >= 0 AND initial_state_h <= 1e308),
    ADD CONSTRAINT ck_generator_specs_max_shutdown_kw_range CHECK (max_shutdown_kw > 0 AND max_shutdown_kw <= 1e308),
    ADD CONSTRAINT ck_generator_specs_max_startup_kw_range CHECK (max_startup_kw > 0 AND max_startup_kw <= 1e308),
    ADD CONSTRAINT ck_generator_specs_min_downtime_h_range CHECK (min_downtime_h >= 0 AND min_downtime_h <= 1e308),
    ADD CONSTRAINT ck_generator_specs_min_uptime_h_range CHECK (min_uptime_h >= 0 AND min_uptime_h <= 1e308),
    ADD CONSTRAINT ck_generator_specs_no_load_cost_per_h_range CHECK (no_load_cost_per_h >= -1e308 AND no_load_cost_per_h <= 1e308),
    ADD CONSTRAINT ck_generator_specs_output_before CHECK (initial_is_on OR NOT is_committable OR coalesce(initial_output_kw, 0) = 0),
    ADD CONSTRAINT ck_generator_specs_quadratic_cost_per_kw2h_range CHECK (quadratic_cost_per_kw2h >= 0 AND quadratic_cost_per_kw2h <= 1e308),
    ADD CONSTRAINT ck_generator_specs_ramp_down_rate_kw_per_min_range CHECK (ramp_down_rate_kw_per_min >= 0 AND ramp_down_rate_kw_per_min <= 1e308),
    ADD CONSTRAINT ck_generator_specs_ramp_up_rate_kw_per_min_range CHECK (ramp_up_rate_kw_per_min >= 0 AND ramp_up_rate_kw_per_min <= 1e308),
    ADD CONSTRAINT ck_generator_specs_shutdown_order CHECK (min_output_kw <= max_shutdown_kw),
    ADD CONSTRAINT ck_generator_specs_startup_order CHECK (min_output_kw <= max_startup_kw);

COMMENT ON COLUMN generator_specs.fuel_cost_per_kwh IS 'Cost of fuel for a kWh of output; price of fuel by consumption where nothing is given, nothing beside a cost_curve. [currency/kWh]';
COMMENT ON COLUMN generator_specs.quadratic_cost_per_kw2h IS 'Cost of fuel for an hour at the square of the output in kW, on top of the others. [currency/kW²·h]';
COMMENT ON COLUMN generator_specs.cost_curve IS 'Cost of fuel over output, linear between points, from the lowest to the highest output; instead of a cost for a kWh.';
COMMENT ON COLUMN generator_specs.no_load_cost_per_h IS 'Cost of fuel for each hour on, whatever the output. [currency/h]';
COMMENT ON COLUMN generator_specs.startup_cost IS 'Cost of each start. [currency]';
COMMENT ON COLUMN generator_specs.startup_costs IS 'Cost of a start by the hours off before it, from hot to cold; instead of one cost.';
COMMENT ON COLUMN generator_specs.is_committable IS 'Whether it can be switched on and off; one that cannot always runs, without starts and their costs and times.';
COMMENT ON COLUMN generator_specs.must_run IS 'Whether it is on whenever it is available; it may start in the first step.';
COMMENT ON COLUMN generator_specs.initial_is_on IS 'Whether it was on before the horizon.';
COMMENT ON COLUMN generator_specs.initial_state_h IS 'Hours for which it had been on or off before the horizon; long where nothing is given. [h]';
COMMENT ON COLUMN generator_specs.initial_output_kw IS 'Output before the horizon, from which it ramps into the first step; any output where nothing is given and it was on. [kW]';
COMMENT ON COLUMN generator_specs.max_startup_kw IS 'Highest output in the step of a start. [kW]';
COMMENT ON COLUMN generator_specs.max_shutdown_kw IS 'Highest output in the last step before a stop. [kW]';
COMMENT ON COLUMN generator_specs.ramp_up_rate_kw_per_min IS 'How fast the output may rise above the lowest one, which a start reaches at once. [kW/min]';
COMMENT ON COLUMN generator_specs.ramp_down_rate_kw_per_min IS 'How fast the output may fall above the lowest one, from which a stop falls at once. [kW/min]';

ALTER TABLE grid_connection_specs
    ADD COLUMN demand_charges JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN demand_so_far JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN month_import_kwh_so_far DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN month_export_kwh_so_far DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN year_import_kwh_so_far DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN co2_intensity_kg_per_kwh DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN may_import_while_exporting BOOLEAN DEFAULT false NOT NULL;

ALTER TABLE grid_connection_specs
    ALTER COLUMN demand_charges DROP DEFAULT,
    ALTER COLUMN demand_so_far DROP DEFAULT,
    ALTER COLUMN month_import_kwh_so_far DROP DEFAULT,
    ALTER COLUMN month_export_kwh_so_far DROP DEFAULT,
    ALTER COLUMN year_import_kwh_so_far DROP DEFAULT,
    ALTER COLUMN co2_intensity_kg_per_kwh DROP DEFAULT,
    ALTER COLUMN may_import_while_exporting DROP DEFAULT;

ALTER TABLE grid_connection_specs
    ADD CONSTRAINT ck_grid_connection_specs_co2_intensity_kg_per_kwh_range CHECK (co2_intensity_kg_per_kwh >= 0 AND co2_intensity_kg_per_kwh <= 1e308),
    ADD CONSTRAINT ck_grid_connection_specs_month_export_kwh_so_far_range CHECK (month_export_kwh_so_far >= 0 AND month_export_kwh_so_far <= 1e308),
    ADD CONSTRAINT ck_grid_connection_specs_month_import_kwh_so_far_range CHECK (month_import_kwh_so_far >= 0 AND month_import_kwh_so_far <= 1e308),
    ADD CONSTRAINT ck_grid_connection_specs_year_import_kwh_so_far_range CHECK (year_import_kwh_so_far >= 0 AND year_import_kwh_so_far <= 1e308);

COMMENT ON COLUMN grid_connection_specs.max_import_kw IS 'Highest power taken from the grid; a series may replace it in each step. [kW]';
COMMENT ON COLUMN grid_connection_specs.max_export_kw IS 'Highest power fed into the grid; a series may replace it in each step. [kW]';
COMMENT ON COLUMN grid_connection_specs.demand_charges IS 'Prices of the highest powers of months, days or windows; those of the tariff add to them.';
COMMENT ON COLUMN grid_connection_specs.demand_so_far IS 'Peaks before the horizon by demand charge, in addition to those that the charges state.';
COMMENT ON COLUMN grid_connection_specs.month_import_kwh_so_far IS 'Energy bought before the horizon in the month in which it begins: the energy tiers of the tariff that it has filled.';
COMMENT ON COLUMN grid_connection_specs.month_export_kwh_so_far IS 'Energy sold before the horizon in the month in which it begins.';
COMMENT ON COLUMN grid_connection_specs.year_import_kwh_so_far IS 'Energy bought before the horizon in the calendar year in which it begins, for levies that end at a limit.';
COMMENT ON COLUMN grid_connection_specs.co2_intensity_kg_per_kwh IS 'Carbon dioxide emitted for each kWh that is bought. [kg/kWh]';
COMMENT ON COLUMN grid_connection_specs.may_import_while_exporting IS 'Whether import and export are metered apart, so that both may be in one step.';

ALTER TABLE load_specs
    ADD COLUMN recovered_share DOUBLE PRECISION DEFAULT 0 NOT NULL,
    ADD COLUMN recovery_h DOUBLE PRECISION,
    ADD COLUMN shiftable JSONB,
    ADD COLUMN thermal JSONB;

ALTER TABLE load_specs
    ALTER COLUMN recovered_share DROP DEFAULT;

ALTER TABLE load_specs
    ADD CONSTRAINT ck_load_specs_one_use CHECK (shiftable IS NULL OR thermal IS NULL),
    ADD CONSTRAINT ck_load_specs_recovered_share_range CHECK (recovered_share >= 0 AND recovered_share <= 1),
    ADD CONSTRAINT ck_load_specs_recovery_h_range CHECK (recovery_h > 0 AND recovery_h <= 1e308),
    ADD CONSTRAINT ck_load_specs_recovery_of_shed CHECK (is_sheddable OR recovered_share = 0),
    ADD CONSTRAINT ck_load_specs_recovery_time CHECK (recovery_h IS NULL OR recovered_share > 0),
    ADD CONSTRAINT ck_load_specs_shed_of_profile CHECK (NOT is_sheddable OR (shiftable IS NULL AND thermal IS NULL));

COMMENT ON TABLE load_specs IS 'A demand for power.';
COMMENT ON COLUMN load_specs.priority_level IS 'Rank among loads, 1 is served first; of loads with the same interruption cost the one with the larger number is shed first, and one without a number before all.';
COMMENT ON COLUMN load_specs.recovered_share IS 'Share of the energy not served that is drawn again later, by the end of the horizon at the latest. [1]';
COMMENT ON COLUMN load_specs.recovery_h IS 'Time within which that energy is drawn; any time where nothing is given. [h]';
COMMENT ON COLUMN load_specs.shiftable IS 'Use of power whose time may be chosen, in place of a profile.';
COMMENT ON COLUMN load_specs.thermal IS 'Zone that it heats or cools, in place of a profile.';
COMMENT ON COLUMN load_specs.interruption_cost_per_kwh IS 'Worth of a kWh that is not served; needed where the load is sheddable, and may change with time. [currency/kWh]';

ALTER TABLE optimization_costs
    DROP CONSTRAINT ck_optimization_costs_asset_id_length,
    DROP CONSTRAINT fk_optimization_costs_job_id_asset_id_optimization_assets,
    DROP CONSTRAINT pk_optimization_costs;

ALTER TABLE optimization_costs RENAME COLUMN asset_id TO owner_id;

ALTER TABLE optimization_costs
    ADD COLUMN owner_kind VARCHAR(7) DEFAULT 'asset' NOT NULL;

ALTER TABLE optimization_costs
    ALTER COLUMN owner_kind DROP DEFAULT;

ALTER TABLE optimization_costs
    ADD CONSTRAINT ck_optimization_costs_owner_id_length CHECK (length(owner_id) >= 1 AND length(owner_id) <= 200),
    ADD CONSTRAINT ck_optimization_costs_owner_kind_choice CHECK (owner_kind IN ('asset', 'site', 'reserve')),
    ADD CONSTRAINT fk_optimization_costs_job_id_optimization_jobs FOREIGN KEY (job_id) REFERENCES optimization_jobs(id) ON DELETE CASCADE,
    ADD CONSTRAINT pk_optimization_costs PRIMARY KEY (job_id, owner_kind, owner_id, cost_type);

COMMENT ON COLUMN optimization_costs.owner_kind IS 'What causes it: an asset, the bus of a site, a reserve.';
COMMENT ON COLUMN optimization_costs.owner_id IS 'Id of what causes it.';

ALTER TABLE solar_pv_specs
    ADD COLUMN variable_om_cost_per_kwh DOUBLE PRECISION DEFAULT 0.0 NOT NULL,
    ADD COLUMN curtailment_cost_per_kwh DOUBLE PRECISION DEFAULT 0.0 NOT NULL;

ALTER TABLE solar_pv_specs
    ALTER COLUMN variable_om_cost_per_kwh DROP DEFAULT,
    ALTER COLUMN curtailment_cost_per_kwh DROP DEFAULT;

ALTER TABLE solar_pv_specs
    ADD CONSTRAINT ck_solar_pv_specs_curtailment_cost_per_kwh_range CHECK (curtailment_cost_per_kwh >= 0 AND curtailment_cost_per_kwh <= 1e308),
    ADD CONSTRAINT ck_solar_pv_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= -1e308 AND variable_om_cost_per_kwh <= 1e308);

COMMENT ON COLUMN solar_pv_specs.variable_om_cost_per_kwh IS 'Operation and upkeep for each kWh used; negative where it is paid for, and may change with time. [currency/kWh]';
COMMENT ON COLUMN solar_pv_specs.curtailment_cost_per_kwh IS 'What each available kWh costs that is left unused. [currency/kWh]';

ALTER TABLE wind_turbine_specs
    ADD COLUMN variable_om_cost_per_kwh DOUBLE PRECISION DEFAULT 0.0 NOT NULL,
    ADD COLUMN curtailment_cost_per_kwh DOUBLE PRECISION DEFAULT 0.0 NOT NULL;

ALTER TABLE wind_turbine_specs
    ALTER COLUMN variable_om_cost_per_kwh DROP DEFAULT,
    ALTER COLUMN curtailment_cost_per_kwh DROP DEFAULT;

ALTER TABLE wind_turbine_specs
    ADD CONSTRAINT ck_wind_turbine_specs_curtailment_cost_per_kwh_range CHECK (curtailment_cost_per_kwh >= 0 AND curtailment_cost_per_kwh <= 1e308),
    ADD CONSTRAINT ck_wind_turbine_specs_variable_om_cost_per_kwh_range CHECK (variable_om_cost_per_kwh >= -1e308 AND variable_om_cost_per_kwh <= 1e308);

COMMENT ON COLUMN wind_turbine_specs.variable_om_cost_per_kwh IS 'Operation and upkeep for each kWh used; negative where it is paid for, and may change with time. [currency/kWh]';
COMMENT ON COLUMN wind_turbine_specs.curtailment_cost_per_kwh IS 'What each available kWh costs that is left unused. [currency/kWh]';

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

CREATE TRIGGER reserve_requirements_touch BEFORE UPDATE ON reserve_requirements FOR EACH ROW EXECUTE FUNCTION register_touch('id');

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
