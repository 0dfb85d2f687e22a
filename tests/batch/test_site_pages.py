"""The pages made from the database: what they say, what they refuse, and how they stay cheap."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from site_samples import EVIL, WORKFLOW, a_failed_run, a_plan, fill

from ems.assets.portfolio import Site
from ems.batch.site import run_index
from ems.batch.site.places import PAGES
from ems.batch.site.run_index import write_index
from ems.batch.site.write import write_site
from ems.cli import commands
from ems.database.engine import connect
from ems.database.latest import latest_executions, latest_forecast_jobs, recent_optimizations
from ems.database.records import Run
from ems.database.register import create_site
from ems.database.run_lines import count_runs, run_lines, run_spans
from ems.database.runs import complete_run, open_run, start_run
from ems.errors import InvalidInput, UnknownName


def now() -> dt.datetime:
    """The moment of the call, not of the import: statuses grow old while other tests run."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def made(project: Path, *sites: str) -> dict[str, str]:
    """The pages of a filled database by their names, of the moment of its data: midnight cannot come in between."""
    engine, moment = connect(), now()
    fill(engine, moment)
    report = project / "reports" / "dispatch" / "plan-5.html"
    report.parent.mkdir(parents=True)
    report.write_text("<!doctype html>")
    with pytest.MonkeyPatch.context() as patch:
        clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda _: moment), UTC=dt.UTC)
        patch.setattr("ems.batch.site.write.dt", clock)
        write_site(engine, sites=sites)
    engine.dispose()
    return {name: (project / "reports" / "site" / name).read_text() for name in PAGES}


def test_write_site__pages_say_what_the_database_knows(project: Path):
    """Measured is 5 kW above the middle; a plan that is compared with 162.50 EUR and costs 100 EUR saves 62.50 EUR."""
    pages = made(project)

    assert "2 of 13" in pages["index.html"]  # online or on standby
    assert "overdue by 9 days" in pages["index.html"]
    assert "interrupted" in pages["index.html"]
    assert "No prices." not in pages["index.html"]  # the same case succeeded since
    assert "62.50 EUR" in pages["optimizations.html"]
    assert 'href="../dispatch/plan-5.html"' in pages["optimizations.html"]
    assert "gap 0.05%" in pages["optimizations.html"]
    assert ">5 kW" in pages["forecasts.html"]
    assert "of 12 steps" in pages["forecasts.html"]
    assert 'class="fan"' in pages["forecasts.html"]
    assert "F-214: insulation too low" in pages["alarms.html"]
    assert re.search(r"no message for 5\.\d h", pages["alarms.html"])
    assert "switchgear cleaned" in pages["maintenance.html"]
    assert "capacity test" in pages["maintenance.html"]
    assert "data:image/svg+xml;base64," in pages["workflows.html"]
    assert f'id="{WORKFLOW}"' in pages["workflows.html"]
    assert "ems workflow run daily-home" in pages["workflows.html"]
    assert "--status failed" in pages["batches.html"]


def test_write_site__nothing_acts_and_nothing_comes_from_elsewhere(project: Path):
    pages = made(project)
    pages["runs"] = (project / "reports" / "index.html").read_text()

    for name, page in pages.items():
        assert EVIL not in page, name
        assert re.findall(r'(?:src|href)="(?!data:|#|\.\.?/|[a-z-]+\.html|site/)[^"]*"', page) == [], name
        assert "default-src 'none'" in page, name
        assert "data/ems.sqlite" in page, name
    assert sum("&lt;img src=x onerror" in page for page in pages.values()) >= 6


def test_write_site__each_link_between_pages_leads_somewhere(project: Path):
    made(project)

    for path in [*(project / "reports" / "site").glob("*.html"), project / "reports" / "index.html"]:
        page = path.read_text()
        for href in re.findall(r'href="([^"]*)"', page):
            file, _, anchor = href.partition("#")
            if file.startswith("data:"):
                continue
            target = path.parent / file if file else path
            assert target.is_file(), f"{path.name}: {href}"
            assert not anchor or f'id="{anchor}"' in target.read_text(), f"{path.name}: {href}"


def test_write_site__of_one_site(project: Path):
    pages = made(project, "depot")

    assert "Only site depot." in pages["assets.html"]
    assert "Carport" in pages["assets.html"]
    assert "Quay battery" not in pages["assets.html"]
    assert "plan-4" in pages["optimizations.html"]
    assert "plan-5" not in pages["optimizations.html"]
    assert "cold-store" not in pages["forecasts.html"]
    assert "Only site" not in pages["batches.html"]


def test_write_site__empty_database_says_what_to_do(project: Path):
    write_site(connect())

    said = {name: (project / "reports" / "site" / name).read_text() for name in PAGES}
    for name in ("index.html", "assets.html", "alarms.html", "maintenance.html"):
        assert "ems assets import data/sites/harbour.yaml" in said[name]
    assert "ems run forecast demo" in said["forecasts.html"]
    assert "ems run dispatch demo" in said["optimizations.html"]
    assert "ems batch dispatch battery-horizon" in said["batches.html"]


def test_pages__tell_times_of_the_sites_files_and_then_of_the_register(project: Path):
    """Most site files of the project are in Berlin; the register then holds one site of New York alone."""
    engine = connect()
    a_failed_run(engine, "lost", "No prices.", "Lost")
    write_site(engine)
    lists = [project / "reports" / "index.html", project / "reports" / "site" / "optimizations.html"]
    before = [path.read_text() for path in lists]
    create_site(engine, Site(id="pier", name="Pier", timezone="America/New_York"))
    write_site(engine)
    after = [path.read_text() for path in lists]

    assert all("Times in Europe/Berlin" in page for page in before)
    assert all("Times in America/New_York" in page for page in after)


def test_write_site__out_is_whole_by_itself(project: Path, tmp_path: Path):
    made(project)
    reports = project / "reports" / "dispatch"
    (reports / "plan-5.ipynb").write_text("{}")
    (reports / "plan-5").mkdir()
    (reports / "plan-5" / "costs.csv").write_text("cost\n")
    (reports / "of-no-run.html").write_text("<!doctype html>")
    out = tmp_path / "www" / "ems"

    done = CliRunner().invoke(commands, ["report", "site", "--out", str(out)])

    assert done.exit_code == 0, done.output
    assert done.output.strip() == str(out / "site" / "index.html")
    assert (out / "index.html").is_file()
    copied = sorted(path.relative_to(out / "dispatch").as_posix() for path in (out / "dispatch").rglob("*.*"))
    assert copied == ["plan-5.html", "plan-5.ipynb", "plan-5/costs.csv"]


def test_write_site__refused_before_anything_is_written(project: Path, tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(InvalidInput, match="is a file; name a folder"):
        write_site(connect(), file)
    with pytest.raises(UnknownName, match="site 'nowhere'"):
        write_site(connect(), sites=["nowhere"])
    assert not (project / "reports").exists()


def test_write_site__start_page_of_somebody_else_is_kept(project: Path, tmp_path: Path):
    (tmp_path / "index.html").write_text("my own page")

    with pytest.raises(InvalidInput, match="was not made by ems and would be lost"):
        write_site(connect(), tmp_path)

    assert (tmp_path / "index.html").read_text() == "my own page"
    assert not (tmp_path / "site").exists()


def test_write_site__own_folder_is_written_again(project: Path, tmp_path: Path):
    first = write_site(connect(), tmp_path)

    assert write_site(connect(), tmp_path) == first


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such rights")
def test_write_site__folder_without_rights(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import os

    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")

    with pytest.raises(InvalidInput, match="cannot be written"):
        write_site(connect(), folder)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux")
@pytest.mark.parametrize("folder", ["/proc/pages", "/proc"])
def test_write_site__folder_that_the_system_refuses(project: Path, folder: str):
    """Root may write everywhere, says the system, and then refuses."""
    with pytest.raises(InvalidInput, match=rf"folder {folder}: .*cannot be written"):
        write_site(connect(), Path(folder))


def test_write_index__older_runs_have_pages_of_their_own(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Of 7 runs in blocks of 2 the last 3 are on the index, and 4 on two pages."""
    monkeypatch.setattr(run_index, "BLOCK", 2)
    engine = connect()
    for number in range(7):
        a_plan(engine, f"plan-{number}", site="harbour", saving=1)

    index = write_index(engine).read_text()

    site = project / "reports" / "site"
    assert re.findall(r">Plan of (plan-\d)<", index) == ["plan-6", "plan-5", "plan-4"]
    assert "plan-1</small>" in (site / "runs-1.html").read_text()
    assert "plan-3</small>" in (site / "runs-2.html").read_text()
    assert 'href="site/runs-1.html"' in index
    before = (site / "runs-1.html").stat().st_mtime_ns
    write_index(engine)
    assert (site / "runs-1.html").stat().st_mtime_ns == before


def test_write_index__page_with_a_run_at_work_is_written_again(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_index, "BLOCK", 1)
    engine = connect()
    open_run(engine, Run(id="slow", study="dispatch", case_name="slow", title="Slow"))
    start_run(engine, "slow")
    for number in range(2):
        a_plan(engine, f"plan-{number}", site="harbour", saving=1)
    page = project / "reports" / "site" / "runs-1.html"

    write_index(engine)
    assert ">running<" in page.read_text()
    complete_run(engine, "slow")
    write_index(engine)

    assert ">running<" not in page.read_text()


def test_write_index__attention_ends_with_success(project: Path):
    engine = connect()
    a_failed_run(engine, "bad", "No prices.", "Plan", case="demo")
    assert "Needs attention" in write_index(engine).read_text()

    a_plan(engine, "good", site="harbour", saving=1, case="demo")

    assert "Needs attention" not in write_index(engine).read_text()


def test_run_lines__any_part_oldest_first(engine: sa.Engine):
    for number in range(5):
        a_plan(engine, f"plan-{number}", site="harbour", saving=1)

    assert [one.id for one in run_lines(engine, 1, 3)] == ["plan-1", "plan-2", "plan-3"]
    assert run_lines(engine, 4, 9)[0].total_cost == 100.25
    assert (count_runs(engine), count_runs(engine, status="failed")) == (5, 0)
    assert count_runs(engine, since=now() + dt.timedelta(days=1)) == 0
    spans = run_spans(engine, 2)
    assert len(spans) == 3
    assert spans[0][0] < spans[0][1] < spans[1][0]
    assert spans[2][0] == spans[2][1]


def test_latest__newest_of_each(project: Path, engine: sa.Engine):
    fill(engine, now())

    assert [one.workflow for one in latest_executions(engine)] == [WORKFLOW]
    assert [one.id for one in latest_forecast_jobs(engine, status="completed")] == ["f-good"]
    assert [one.id for one in latest_forecast_jobs(engine)] == ["f-bad"]
    depot = recent_optimizations(engine, sites=["depot"])
    assert [one.job.run_id for one in depot] == ["plan-4", "plan-2", "plan-0"]
    assert depot[0].sites == ("depot",)
    assert len(recent_optimizations(engine, limit=3)) == 3
