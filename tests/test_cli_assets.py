"""The register from the command line, as a person meets it; each command on a database of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from ems.assets.exchange import read_register
from ems.assets.operation import AssetStatus, MaintenanceRecord
from ems.assets.portfolio import KINDS as RECORDS
from ems.assets.portfolio import read_portfolio
from ems.cli import commands
from ems.cli.assets import PLACES
from ems.cli.assets_list import KINDS, STATUSES
from ems.cli.assets_operation import LEVELS
from ems.cli.wording import printable
from ems.database.engine import connect
from ems.database.operation import create_maintenance, report_status

ASSET_COLUMNS = "kind,id,site_id,rated_load_kw\n"

Ems = Callable[..., Result]


@pytest.fixture
def ems(project: Path, monkeypatch: pytest.MonkeyPatch) -> Ems:
    """A function that calls `ems assets` in a project with an empty database."""
    monkeypatch.setenv("EMS_USER", "anna")

    def call(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(commands, ["assets", *arguments])
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def filled(ems: Ems) -> Ems:
    """The same with the assets of the demo site: battery, grid, workshop."""
    ems("import", "data/sites/demo.yaml")
    return ems


# ---------------------------------------------------------------------------------- import and export
def test_import__shows_first_then_does_then_finds_nothing_to_do(ems):
    dry = ems("import", "data/sites/demo.yaml", "--dry-run")
    assert "new     battery 'battery'" in dry.stdout
    assert "dry run, nothing was changed: 6 created, 0 changed, 0 unchanged" in dry.stdout
    assert "no assets" in ems("list").stdout

    assert ems("import", "data/sites/demo.yaml").stdout.endswith("6 created, 0 changed, 0 unchanged\n")
    assert ems("import", "data/sites/demo.yaml").stdout == "0 created, 0 changed, 6 unchanged\n"


def test_import__names_what_changes(filled, project):
    text = (project / "data/sites/demo.yaml").read_text().replace("capacity_kwh: 100", "capacity_kwh: 150")
    (project / "new.yaml").write_text(text)

    said = filled("import", "new.yaml").stdout

    assert "change  battery 'battery': capacity_kwh 100 kWh -> 150 kWh" in said
    assert "0 created, 1 changed" in said


def test_import__all_or_nothing(filled, project):
    (project / "more.csv").write_text(ASSET_COLUMNS + "load,good,demo,5\nload,bad,demo,-5\n")

    refused = filled("import", "more.csv", code=2)

    assert "more.csv, row 3 (load 'bad'), column rated_load_kw = -5 kW: must be greater than 0 kW" in refused.stderr
    assert "'good'" not in filled("list", "--json").stdout
    filled("show", "good", code=2)


def test_import__refers_to_what_is_there_already(filled, project):
    """The only site of the register is taken where a table names none; an unknown one is refused."""
    (project / "more.csv").write_text("kind,id,rated_load_kw\nload,second,5\n")
    filled("import", "more.csv")
    assert "site_id        demo" in filled("show", "second").stdout

    (project / "more.csv").write_text(ASSET_COLUMNS + "load,third,demmo,5\n")
    assert (
        "load 'third': site_id = 'demmo': no such site; did you mean demo?"
        in filled("import", "more.csv", code=2).stderr
    )


def test_import__currency_of_a_new_register(ems, project):
    (project / "tables").mkdir()
    (project / "tables/sites.csv").write_text("id,timezone\nhere,UTC\n")
    (project / "tables/assets.csv").write_text("kind,id,rated_load_kw\nload,l1,5\n")

    assert "currency" in ems("import", "tables", code=2).stderr
    ems("import", "tables", "--currency", "CHF")
    assert "CHF" in ems("import", "tables", "--currency", "EUR", code=2).stderr


def test_import__notes_what_looks_wrong(filled, project):
    (project / "w.yaml").write_text(
        "assets: [{kind: wind_turbine, id: w, rated_capacity_kw: 3.4, rotor_diameter_m: 130, hub_height_m: 110,"
        " cut_in_wind_speed_m_per_s: 4, rated_wind_speed_m_per_s: 9.8, cut_out_wind_speed_m_per_s: 25}]"
    )

    done = filled("import", "w.yaml")

    assert done.stderr.startswith("note: w.yaml, asset 1, rated_capacity_kw = 3.4 kW")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["all.yaml", "all.xlsx", "tables"])
def test_export__what_is_written_is_read_equal(name, filled, project):
    filled("export", name)

    assert read_register(project / name).portfolio() == read_portfolio(project / "data/sites/demo.yaml")
    assert filled("import", name).stdout == "0 created, 0 changed, 6 unchanged\n"


@pytest.mark.parametrize("name", ["all.yaml", "tables"])
def test_export__replaces_only_when_told(name, filled):
    filled("export", name)

    assert "is there already; add --overwrite to replace it" in filled("export", name, code=2).stderr
    filled("export", name, "--overwrite")


def test_export__other_ending(filled):
    assert "must end with .yaml or .xlsx" in filled("export", "all.ods", code=2).stderr


# ---------------------------------------------------------------------------------- lists
def test_list__filters_and_order(filled):
    filled("new", "load", "--id", "small", "-s", "rated_load_kw=5", "-s", "name=50%_off")

    def ids(*options: str) -> list[str]:
        return [row["id"] for row in json.loads(filled("list", "--json", *options).stdout)["rows"]]

    assert ids("--kind", "load") == ["small", "workshop"]
    assert ids("--kind", "load", "--sort", "-capacity") == ["workshop", "small"]
    assert ids("--where", "rated_load_kw=5") == ["small"]
    assert ids("--text", "50%_OFF") == ["small"]
    assert ids("--text", "%") == ["small"]  # stands for itself, not for anything
    assert ids("--site", "demo", "--status", "decommissioned") == []


def test_list__next_page(filled):
    first = json.loads(filled("list", "--json", "--limit", "2").stdout)
    second = json.loads(filled("list", "--json", "--limit", "2", "--after", first["next"]).stdout)

    assert [row["id"] for row in first["rows"] + second["rows"]] == ["battery", "grid", "workshop"]
    assert second["next"] is None
    assert f"more with: --after {first['next']}" in filled("list", "--limit", "2").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--where", "chemisty=lead_acid"), "did you mean chemistry?"),
        (("--where", "chemistry"), "must be field=value, as in chemistry=lead_acid"),
        (("--where", "capacity_kwh=much"), "must be a number"),
        (("--site", "demmo"), "did you mean demo?"),
        (("--after", "nonsense"), "after"),
        (("--kind", "batery"), "batery"),
    ],
)
def test_list__option_that_cannot_be_used(options, message, filled):
    assert message in filled("list", *options, code=2).stderr


def test_lists__of_an_empty_register(ems):
    assert ems("list").stdout == "no assets; add some with: ems assets import FILE\n"
    assert ems("sites").stdout == "no sites; add some with: ems assets import FILE\n"
    assert ems("groups").stdout == "no groups; add some with: ems assets import FILE\n"
    assert ems("history").stdout == "no changes\n"


def test_groups__stand_below_each_other(ems, project):
    ems("import", "data/sites/harbour.yaml")

    lines = ems("groups").stdout.splitlines()

    assert "  elbe-vpp  Elbe virtual plant (vpp)" in lines
    assert "    quay-microgrid  Quay microgrid (microgrid at harbour)" in lines
    assert "      - quay-battery  grid forming" in lines


# ---------------------------------------------------------------------------------- one asset
def test_show__marks_what_is_derived(filled):
    lines = [line.split() for line in filled("show", "battery").stdout.splitlines()]

    assert ["capacity_kwh", "100", "kWh"] in lines
    assert ["usable_capacity_kwh", "100", "kWh", "derived"] in lines
    assert ["degradation_cost_per_kwh", "0.01", "EUR/kWh"] in lines
    assert ["version", "1"] in lines
    assert not any(line[0] == "cycle_life" for line in lines)
    assert any(
        line[0] == "cycle_life" for line in map(str.split, filled("show", "battery", "--all").stdout.splitlines())
    )


def test_show__unknown_asset(filled):
    assert "asset 'batery': is not in the register; did you mean battery?" in filled("show", "batery", code=2).stderr


def test_new__from_a_template(filled):
    said = filled("new", "battery", "--template", "bess-lfp-100kw", "--id", "b2", "-s", "capacity_kwh=300").stdout

    assert said.startswith("battery 'b2' created at site 'demo', version 1\nsource: ")
    shown = [line.split() for line in filled("show", "b2").stdout.splitlines()]
    assert ["capacity_kwh", "300", "kWh"] in shown
    assert ["chemistry", "lithium_iron_phosphate"] in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("battery", "--id", "b2"), "capacity_kwh: is required (in kWh)"),
        (("battery", "--id", "b2", "--template", "bes-lfp-100kw"), "did you mean bess-lfp-100kw?"),
        (("generator", "--id", "g", "--template", "diesel-100kw"), "fuel_cost_per_l: price of a litre of diesel"),
        (("load", "--id", "workshop", "-s", "rated_load_kw=5"), "load 'workshop': is there already, made by anna"),
        (("load", "--id", "l", "-s", "rated_load=5"), "did you mean rated_load_kw?"),
        (("load", "--id", "l", "-s", "rated_load_kw"), "must be field=value"),
        (("load", "--id", "l", "-s", "rated_load_kw=1", "-s", "rated_load_kw=2"), "is given twice; keep one"),
        (("load", "--id", "l", "-s", "rated_load_kw=5 kW"), "the unit is in the column's name, write 5"),
        (("load", "--id", "l", "--site", "demmo", "-s", "rated_load_kw=5"), "no such site; did you mean demo?"),
    ],
)
def test_new__that_cannot_be(arguments, message, filled):
    assert message in filled("new", *arguments, code=2).stderr


def test_new__without_any_site(ems):
    refused = ems("new", "load", "--id", "l", "-s", "rated_load_kw=5", code=2)

    assert "which site? say --site; `ems assets sites` lists them" in refused.stderr


def test_update__changes_and_takes_back(filled):
    assert filled("update", "battery", "usable_capacity_kwh=90").stdout == (
        "usable_capacity_kwh: 100 kWh -> 90 kWh\nbattery 'battery' is at version 2\n"
    )
    assert "usable_capacity_kwh: 90 kWh -> 100 kWh" in filled("update", "battery", "usable_capacity_kwh=").stdout


def test_update__texts_dates_truth_and_json(filled):
    filled(
        "update",
        "workshop",
        "is_critical=true",
        "installation_date=2024-06-01",
        "name== \u202eodd",
        'metadata={"a": 1}',
    )

    shown = json.loads(filled("show", "workshop", "--json").stdout)
    assert (shown["is_critical"], shown["installation_date"]) == (True, "2024-06-01")
    assert (shown["name"], shown["metadata"], shown["version"]) == ("= \u202eodd", {"a": 1}, 2)
    assert "= \\u202eodd" in filled("list").stdout  # a sign that turns the writing around is shown, not sent


def test_update__stale(filled):
    filled("update", "battery", "max_charge_kw=40")

    refused = filled("update", "battery", "max_charge_kw=30", "--version", "1", code=4)

    assert "battery 'battery' was changed after version 1 and is at version 2" in refused.stderr
    assert "anna" in refused.stderr
    assert "max_charge_kw 50 kW -> 40 kW" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("min_soc=10", "min_soc = 10: must be at most 1; looks like percent, write 0.1"),
        ("max_charge=5", "did you mean max_charge_kw?"),
        ("zzz=5", "zzz: no such field; `ems assets show ID --all` shows the fields of a kind"),
        ("kind=load", "kind"),
        ("id=other", "cannot change"),
        ("site_id=demmo", "did you mean demo?"),
        ("capacity_kwh=", "capacity_kwh"),
    ],
)
def test_update__that_cannot_be(setting, message, filled):
    assert message in filled("update", "battery", setting, code=2).stderr
    assert '"version": 1' in filled("show", "battery", "--json").stdout


def test_delete__soft_then_for_good(filled):
    assert filled("delete", "battery").stdout == "battery 'battery' is decommissioned\n"
    assert '"status": "decommissioned"' in filled("show", "battery", "--json").stdout

    assert filled("delete", "battery", "--permanent").stdout == "battery 'battery' is gone; its history stays\n"
    filled("show", "battery", code=2)
    assert [line.split()[4] for line in filled("history", "battery").stdout.splitlines()] == [
        "delete",
        "update",
        "create",
    ]


def test_history__who_changed_what(filled):
    filled("update", "battery", "max_charge_kw=40")

    (line,) = filled("history", "battery", "--field", "max_charge_kw").stdout.splitlines()

    assert line.endswith("UTC  anna  update  assets battery  max_charge_kw: 50 kW -> 40 kW")
    assert json.loads(filled("history", "--limit", "1", "--json").stdout)[0]["new"] == 40


def test_outage__names_the_chain(ems):
    ems("import", "data/sites/harbour.yaml")

    assert "cranes (critical): 'quay-grid' is out; 'cranes' is fed by 'quay-grid'" in ems("outage", "quay-grid").stdout
    assert ems("outage", "workshop").stdout == "an outage of load 'workshop' takes nothing else down\n"


# ---------------------------------------------------------------------------------- operation
def test_status__silence_and_alarms(filled):
    engine = connect()
    for asset, minutes, level in (("battery", 1, "none"), ("grid", 60, "error")):
        message = "breaker open" if level == "error" else None
        report_status(
            engine,
            AssetStatus(
                asset_id=asset,
                reported_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes),
                online=True,
                operational_status="online",
                current_power_kw=12,
                alarm_level=level,
                alarm_message=message,
            ),
        )

    lines = {line.split()[0]: line for line in filled("status").stdout.splitlines()}
    assert "online" in lines["battery"]
    assert "12 kW" in lines["battery"]
    assert "offline: no message for 60 min" in lines["grid"]
    assert "nothing was ever reported" in lines["workshop"]
    assert "3 assets, 1 heard of within 15 min" in filled("status").stdout
    assert "3 assets, 2 heard of within 120 min" in filled("status", "--stale-after", "120").stdout
    assert "breaker open" in filled("alarms").stdout
    assert filled("alarms", "--level", "critical").stdout == "no alarm of level critical or graver\n"
    assert json.loads(filled("alarms", "--json").stdout)[0]["asset_id"] == "grid"


def test_maintenance__overdue_by_itself(filled):
    today = dt.datetime.now(dt.UTC).date()
    for record, days in (("m1", -3), ("m2", 30), ("m3", 300)):
        day = today + dt.timedelta(days=days)
        create_maintenance(connect(), MaintenanceRecord(id=record, asset_id="battery", scheduled_date=day))

    listed = {
        line.split()[0]: line for line in filled("maintenance", "list", "--asset", "battery").stdout.splitlines()
    }
    assert "overdue" in listed["m1"]
    assert "scheduled" in listed["m2"]
    assert filled("maintenance", "list", "--asset", "grid").stdout == "no maintenance records\n"
    due = filled("maintenance", "due", "--days", "90").stdout.splitlines()
    assert [line.split()[0] for line in due[1:]] == ["overdue", "due"]
    assert len(json.loads(filled("maintenance", "due", "--days", "365", "--json").stdout)) == 3
    assert "did you mean battery?" in filled("maintenance", "list", "--asset", "batery", code=2).stderr


# ---------------------------------------------------------------------------------- help
def test_help__every_command_explains_itself(ems):
    for command in PLACES:
        assert "Usage:" in ems(command, "--help").stdout


def test_choices__are_those_of_the_records():
    """Help says the choices without loading a record, so that they are written twice."""
    assert tuple(RECORDS) == KINDS
    assert get_args(RECORDS["load"].model_fields["status"].annotation) == STATUSES
    assert get_args(AssetStatus.model_fields["alarm_level"].annotation) == ("none", *LEVELS)


def test_templates__list_and_sources(ems):
    assert "bess-lfp-100kw" in ems("templates", "battery").stdout
    assert "source: " in ems("templates", "generator", "--sources").stdout
    assert "fuel_cost_per_l: to be given; price of a litre of diesel" in ems("templates", "--sources").stdout
    assert "did you mean battery?" in ems("templates", "batery", code=2).stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\u001b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("👩\u200d🔧", "👩\u200d🔧"),
        (True, "true"),
        (0.1, "0.1"),
    ],
)
def test_printable__steers_no_terminal(text, shown):
    assert printable(text) == shown
