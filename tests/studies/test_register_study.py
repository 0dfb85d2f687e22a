"""The study `register`: from a site file, or the database, to the rows and sentences of its report."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from report_fixtures import Reports

from ems.assets.operation import AssetStatus
from ems.database.engine import connect
from ems.database.operation import create_maintenance, report_statuses
from ems.database.register_portfolio import save_portfolio
from ems.database.runs import get_run, list_runs
from ems.errors import InvalidInput, UnknownName
from ems.studies.register import RegisterStudy

MORNING = "2025-06-30T10:00"


def demo(**changes: object) -> RegisterStudy:
    return RegisterStudy(**{"site": "harbour", "operation": "harbour", "as_of": MORNING, **changes})


def test_look_at__site_file_alone_knows_no_status(project: Path):
    study = demo(operation=None)

    view = study.look_at(study.load_portfolio())

    assert {row.state for row in view.statuses} == {"unknown"}
    assert view.states == {}
    assert "How the assets run is not known here." in view.conclusion()
    assert "Status and maintenance records are unknown" in " ".join(view.notes())
    assert "Alarms" not in dict(view.headline())


def test_look_at__demo_counts(project: Path):
    """13 of 14 assets are in use; of those 12 reported, one 168 min ago, one a fault: 10 are available."""
    study = demo()

    view = study.look_at(study.load_portfolio())

    assert dict(view.headline()) == {
        "Assets": "13",
        "Sites": "2",
        "Generation": "1,080 kW",
        "Storage": "1,060 kWh",
        "Online or on standby": "10 of 13",
        "Alarms": "3",
        "Overdue work": "1",
        "Due within 90 d": "4",
    }
    assert "Not available: Quay turbine, Carport. 1 asset never reported." in view.conclusion()
    assert view.notes() == ["The register as of 2025-06-30 10:00 CEST."]


def test_look_at__silence_is_offline_and_hides_what_was_said_before(project: Path):
    """The turbine's last message of 07:12 is 168 min old at 10:00."""
    states = {}
    for limit_min in (167, 168):
        study = demo(stale_after_min=limit_min)
        view = study.look_at(study.load_portfolio())
        (states[limit_min],) = [(row.state, row.power_kw) for row in view.statuses if row.asset_id == "quay-turbine"]

    assert states == {167: ("offline", None), 168: ("online", 41)}


def test_look_at__horizon_bounds_what_is_due(project: Path):
    """Planned are 3 July, 12 and 18 August and 14 September; the capacity test of 12 June is overdue."""
    due = {}
    for days in (3, 49, 76):
        study = demo(horizon_d=days)
        view = study.look_at(study.load_portfolio())
        due[days] = [row.due.isoformat() for row in view.dues if row.due is not None]

    assert due[3] == ["2025-06-12", "2025-07-03"]
    assert due[49] == [*due[3], "2025-08-12", "2025-08-18"]
    assert due[76] == [*due[49], "2025-09-14"]


def test_load_portfolio__only_site_and_group(project: Path):
    """The virtual plant has 3 assets and its nested microgrid 3; one of them is at the depot."""
    assert len(demo(group="elbe-vpp").load_portfolio().assets) == 6
    depot = demo(group="elbe-vpp", only_site="depot").load_portfolio()

    assert [asset.id for asset in depot.assets] == ["depot-battery"]
    assert [site.id for site in depot.sites] == ["depot"]
    assert {group.id for group in depot.groups} == {"elbe-vpp", "quay-microgrid"}
    assert depot.dependencies == ()


def test_load_portfolio__part_drops_what_refers_out_of_it(project: Path):
    """The carport's battery is not in the group of charging and of the carport alone."""
    path = project / "data" / "sites" / "harbour.yaml"
    text = path.read_text().replace("members:\n", "members:\n  - {asset_id: carport, group_id: charging}\n", 1)
    path.write_text(text)

    part = demo(group="charging").load_portfolio()

    (carport,) = [asset for asset in part.assets if asset.id == "carport"]
    assert carport.battery_asset_id is None


def test_load_portfolio__misspelt_group(project: Path):
    with pytest.raises(InvalidInput, match="did you mean elbe-vpp"):
        demo(group="elbe-vp").load_portfolio()


def test_load_portfolio__nothing_left(project: Path):
    with pytest.raises(InvalidInput, match="no asset is there"):
        demo(group="quay-microgrid", only_site="depot").load_portfolio()


def test_register_study__operation_without_a_site_file():
    with pytest.raises(InvalidInput, match="the database tells statuses and maintenance"):
        RegisterStudy(site=None, operation="harbour")


def test_check__operation_file_that_is_not_there(project: Path):
    with pytest.raises(UnknownName, match="did you mean harbour"):
        demo(operation="harbor").check()


def test_look_at__operation_file_names_every_finding(project: Path):
    (project / "data" / "operation" / "bad.yaml").write_text(
        "statuses:\n"
        "  - {asset_id: cranes, reported_at: '2025-06-30T09:00:00+02:00', current_soc: 10}\n"
        "maintenance:\n"
        "  - {id: m1, asset_id: cranes, status: completed}\n"
        "staff: []\n"
    )
    study = demo(operation="bad")

    with pytest.raises(InvalidInput) as caught:
        study.look_at(study.load_portfolio())

    said = str(caught.value)
    assert "bad.yaml" in said
    assert "statuses.1" in said and "current_soc = 10" in said
    assert "maintenance.1" in said and "completed_date" in said
    assert "staff: no such list" in said


def test_look_at__latest_status_at_the_moment_counts(project: Path):
    (project / "data" / "operation" / "two.yaml").write_text(
        "statuses:\n"
        "  - {asset_id: cranes, reported_at: '2025-06-30T09:59:00+02:00', online: true, operational_status: online}\n"
        "  - {asset_id: cranes, reported_at: '2025-06-30T09:50:00+02:00', online: true, operational_status: fault}\n"
    )
    states = {}
    for moment in ("2025-06-30T09:49", "2025-06-30T09:58", MORNING):
        study = demo(operation="two", as_of=moment)
        states[moment] = study.look_at(study.load_portfolio()).states["cranes"]

    assert list(states.values()) == ["unknown", "fault", "online"]


@pytest.fixture
def kept(project: Path) -> RegisterStudy:
    """The demo's portfolio and operation in the database."""
    study = demo()
    portfolio, engine = study.load_portfolio(), connect()
    save_portfolio(engine, portfolio)
    operation = study.look_at(portfolio).operation
    report_statuses(engine, operation.statuses)
    for record in operation.maintenance:
        create_maintenance(engine, record)
    return RegisterStudy(site=None, as_of=MORNING)


def test_look_at__database_says_what_the_files_say(kept: RegisterStudy):
    from_files, view = demo(), kept.look_at(kept.load_portfolio())

    expected = from_files.look_at(from_files.load_portfolio())
    assert view.headline() == expected.headline()
    assert view.statuses == expected.statuses
    assert view.dues == expected.dues
    assert view.health == expected.health
    assert kept.report_timezone() == "Europe/Berlin"


def test_look_at__database_at_an_earlier_moment(kept: RegisterStudy):
    """Cranes report a fault at 12:00; at 10:00 nobody could know, and what they said at 09:58 holds."""
    later = AssetStatus(
        asset_id="cranes",
        reported_at=dt.datetime(2025, 6, 30, 10, tzinfo=dt.UTC),
        online=True,
        operational_status="fault",
    )
    report_statuses(connect(), [later])
    portfolio = kept.load_portfolio()

    assert kept.look_at(portfolio).states["cranes"] == "online"
    assert kept.replace(as_of="2025-06-30T12:01").look_at(portfolio).states["cranes"] == "fault"


def test_load_portfolio__part_of_the_database(kept: RegisterStudy):
    part = kept.replace(only_site="depot", group="elbe-vpp").load_portfolio()

    assert [asset.id for asset in part.assets] == ["depot-battery"]


def test_load_portfolio__empty_register(project: Path):
    study = RegisterStudy(site=None)

    with pytest.raises(InvalidInput, match="ems assets import"):
        study.load_portfolio()
    assert study.report_timezone() == "UTC"


def test_timezone__is_that_of_the_first_site(project: Path):
    assert demo().report_timezone() == "Europe/Berlin"


def test_look_at__without_a_moment_is_now(project: Path):
    study = demo(as_of=None)

    before = dt.datetime.now(dt.UTC)
    view = study.look_at(study.load_portfolio())

    assert before <= view.now <= dt.datetime.now(dt.UTC)


def test_run__report_says_what_stands_in_the_register(reports: Reports):
    page = reports.pages["register"].read_text(encoding="utf-8")
    run = reports.run("register")
    assert run.status == "completed"
    assert {item["path"] for item in run.inputs} == {"data/sites/harbour.yaml", "data/operation/harbour.yaml"}
    assert ("Alarms", "3") in run.headline
    assert 'alt="One-line diagram of Harbour terminal' in page
    assert "insulation resistance too low on string 2" in page
    assert len(page.encode()) < 300_000
    assert [one.case_name for one in list_runs(reports.connect(), study="register")] == ["demo"]


def test_complete__run_by_hand_is_closed_with_its_answer(project: Path):
    run = demo().open_run()

    run.complete([("Assets", "13")], ["as of then"])

    kept = get_run(run.engine, run.id)
    assert (kept.status, kept.headline, kept.notes) == ("completed", (("Assets", "13"),), ("as of then",))
