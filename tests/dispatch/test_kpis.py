"""Figures of schedules, found by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import battery, generator, grid, load, prices, problem, solar

from ems.dispatch.kpis import kpis_of
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve

NEAR = 1e-5
"""Powers and money of these cases are below 1000; solvers keep constraints to 1e-6 and cost follows."""
EXACT = SolverOptions(mip_gap=0)


def near(*values: float) -> Any:
    return pytest.approx(list(values), abs=NEAR)


def test_kpis__shares_of_a_day_with_sun_and_a_store():
    """Sun of 40 and 0 kW, load of 10 and 30 kW, of which a store of 20 kWh moves 20: 10 kWh are sold, 10 bought.

    Of 40 kWh generated 30 are used or stored: 0.75. Of 40 kWh used 30 are not imported: 0.75. The import of 10 kW in
    one of two hours is a load factor of 0.5. The store is filled and emptied once.
    """
    assets = [solar(), battery(capacity_kwh=20, initial_soc=0), grid(), load()]
    series = {**prices(0.3, 0.1), "solar.available_kw": [40, 0], "load.demand_kw": [10, 30]}
    kpis = kpis_of(solve(problem(assets, series, [1, 1]), EXACT)).set_index("kpi").value
    assert kpis["self_consumption_share"] == pytest.approx(0.75, abs=NEAR)
    assert kpis["self_sufficiency_share"] == pytest.approx(0.75, abs=NEAR)
    assert kpis["import_load_factor"] == pytest.approx(0.5, abs=NEAR)
    found = [kpis[name] for name in ("peak_import_kw", "peak_export_kw", "charged_kwh", "discharged_kwh", "lost_kwh")]
    assert found == near(10, 10, 20, 20, 0)
    assert kpis["full_cycles"] == pytest.approx(1, abs=NEAR)


def test_kpis__what_is_not_defined_says_why():
    """Nothing is generated, and stored energy has no price where nothing can be bought."""
    assets = [generator(), load()]
    kpis = kpis_of(solve(problem(assets, {"load.demand_kw": 0}), EXACT)).set_index("kpi")
    for name in ("self_consumption_share", "self_sufficiency_share", "import_load_factor", "stored_price_per_kwh"):
        assert np.isnan(kpis.value[name])
        assert kpis.reason[name]
    assert kpis.reason[kpis.value.notna()].eq("").all()


def test_kpis__generator_hours_and_starts():
    """On in the first and third of three hours, off before: 2 h and 2 starts."""
    assets = [generator(min_output_kw=10), grid()]
    kpis = kpis_of(solve(problem(assets, prices([0.3, 0.05, 0.3]), [1, 1, 1]), EXACT)).set_index("kpi").value
    assert (kpis["running_h"], kpis["starts"]) == (2, 2)


def test_kpis__energy_sold_from_the_store_is_no_saving():
    """A store of 100 kWh sells 50 kWh at 0.20 and is left empty: 10 EUR, and just the worth of what is gone.

    The mean price of imports is 0.20, so that the SOC-neutral saving is nothing.
    """
    assets = [battery(final_soc_rule="free"), grid(), load()]
    asked = problem(assets, {**prices(0.2), "load.demand_kw": 10})
    result, baseline = solve(asked, EXACT), solve(asked.without("battery"), EXACT)
    kpis = kpis_of(result, baseline).set_index("kpi").value
    assert kpis["saving"] == pytest.approx(10, abs=NEAR)
    assert kpis["stored_change_kwh"] == pytest.approx(-50, abs=NEAR)
    assert kpis["stored_price_per_kwh"] == pytest.approx(0.2)
    assert kpis["soc_neutral_saving"] == pytest.approx(0, abs=NEAR)


def test_kpis__a_stated_worth_of_the_final_content_is_kept():
    """At 0.30 for each kWh left and 0.10 to buy, 50 kWh are bought: 5 EUR spent and 30 EUR of content at the end.

    Of those 30 EUR 15 were there at the beginning: the SOC-neutral saving is 15 - 5 = 10 EUR.
    """
    assets = [battery(final_soc_rule="free", final_energy_value_per_kwh=0.3), grid()]
    asked = problem(assets, prices(0.1, 0))
    result = solve(asked, EXACT)
    kpis = kpis_of(result, solve(asked.without("battery"), EXACT)).set_index("kpi").value
    assert kpis["saving"] == pytest.approx(25, abs=NEAR)
    assert kpis["soc_neutral_saving"] == pytest.approx(10, abs=NEAR)


def test_kpis__each_has_unit_and_meaning():
    found = kpis_of(solve(problem([battery(), generator(), grid()], prices(0.2)), EXACT))
    assert found.unit.ne("").all()
    assert found.meaning.str.endswith(".").all()
    assert found.set_index("kpi").unit[["total_cost", "stored_price_per_kwh"]].tolist() == ["EUR", "EUR/kWh"]
