"""The zoomable view as text: which lines it has, with which values, and that no text of people can act in it."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pandas as pd

from ems.report.zoom_page import MOST_GROUPS, MOST_LINES, zoom_page

TIMES = pd.date_range("2024-06-01", periods=4, freq="15min", tz="UTC")


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"time_utc": TIMES.astype(str), "time_local": TIMES.astype(str), "step_h": 0.25, **columns})


def data_of(page: str | None) -> dict:
    assert page is not None
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def made(tables: dict[str, pd.DataFrame], title: str = "A title") -> str | None:
    return zoom_page(tables, title, "Europe/Berlin", "EUR", "../run.html")


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_zoom_page__a_panel_for_each_unit_and_a_line_for_each_column():
    columns = {"load.demand_kw": [1.5, 2, 3, np.nan], "bat.charge_kw": 0.0, "bat.end_energy_kwh": [1.0, 2, 3, 4]}
    data = data_of(made({"schedule": table(**columns), "costs": pd.DataFrame({"cost": [1.0]})}))

    assert [panel["title"] for panel in data["panels"]] == ["Power (kW)", "Energy (kWh)"]
    (power, energy) = (panel["lines"] for panel in data["panels"])
    assert [line["name"] for line in power] == ["load demand", "bat charge"]
    assert [line["is_end"] for line in (*power, *energy)] == [False, False, True]
    assert np.array_equal(unpacked(power[0]["values"], "<f4"), np.array([1.5, 2, 3, np.nan], "f4"), equal_nan=True)
    (times,) = data["times"]
    assert unpacked(times, "<f8").tolist() == [moment.timestamp() * 1000 for moment in TIMES]


def test_zoom_page__texts_tell_lines_apart_and_too_many_are_left_out():
    two = pd.concat([table(policy=name, **{"bat.charge_kw": 1.0}) for name in ("plan", "rule")])
    many = pd.concat([table(policy=f"p{at}", **{"bat.charge_kw": 1.0}) for at in range(MOST_GROUPS + 1)])

    (panel,) = data_of(made({"flows": two}))["panels"]
    assert [line["name"] for line in panel["lines"]] == ["plan: bat charge", "rule: bat charge"]
    assert made({"flows": many}) is None


def test_zoom_page__many_lines_of_a_unit_are_several_panels():
    data = data_of(made({"flows": table(**{f"a{at}.charge_kw": 1.0 for at in range(MOST_LINES + 1)})}))

    assert [(panel["title"], len(panel["lines"])) for panel in data["panels"]] == [
        ("Power (kW), 1", MOST_LINES),
        ("Power (kW), 2", 1),
    ]


def test_zoom_page__nothing_over_time_is_no_page():
    assert made({"costs": pd.DataFrame({"asset": ["a"], "cost": [1.0]})}) is None
    assert made({"empty": table(**{"a.charge_kw": np.nan})}) is None
    assert made({"once": table(**{"a.charge_kw": 1.0}).iloc[:1]}) is None


def test_zoom_page__texts_of_people_stay_texts():
    evil = "</script><script>alert(1)</script>"
    page = made({"flows": table(policy=evil, **{f"{evil}.charge_kw": 1.0})}, title=evil)

    assert page is not None
    assert page.count("<script") == 2
    assert "<script>alert" not in page
    assert data_of(page)["panels"][0]["lines"][0]["name"] == f"{evil}: {evil} charge"
    assert "default-src 'none'" in page
