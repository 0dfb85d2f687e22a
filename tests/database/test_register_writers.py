"""Many writers at once, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from register_samples import sample_portfolio

from ems.database.history import history_of
from ems.database.operation import get_status, status_history
from ems.database.register import get_entry
from ems.database.register_portfolio import save_portfolio
from ems.database.register_queries import count_assets, list_groups

TESTS = Path(__file__).resolve().parents[1]
WRITERS = 50

# Loaded once and then split: fifty interpreters that each load everything would measure that alone.
START = """
import multiprocessing, sys
sys.path.insert(0, {tests!r})
from register_samples import battery, maintenance, sample_portfolio, status
from ems.assets.group import Group
from ems.database.engine import connect
from ems.database.operation import create_maintenance, report_status
from ems.database.register import *
from ems.database.register_portfolio import save_portfolio
from ems.errors import DatabaseProblem, InvalidInput

URL = sys.argv[1]
connect(URL).dispose()  # loads the driver

def write(number):
    engine = connect(URL)
{work}
    engine.dispose()

def safely(number):
    try:
        write(number)
    except BaseException as error:
        return f"writer {{number}}: {{type(error).__name__}}: {{error}}"

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool({writers}) as pool:
        wrong = [said for said in pool.map(safely, range({writers}), chunksize=1) if said]
    print("\\n".join(wrong))
    sys.exit(len(wrong) > 0)
"""

COUNT_UP = """
    while True:
        entry = get_entry(engine, "diesel")
        changes = {"operating_h": entry.record.operating_h + 1}
        try:
            update_asset(engine, "diesel", changes, version=entry.version, by=f"w-{number}")
            break
        except DatabaseProblem as problem:
            if "was changed after version" not in str(problem):
                raise
"""
EVERYTHING = """
    create_asset(engine, battery(f"own-{number}"), f"w-{number}")
    update_asset(engine, f"own-{number}", {"capacity_kwh": 100 + number}, by=f"w-{number}")
    update_asset(engine, "bat", {"metadata": {"last": number}}, by=f"w-{number}")
    report_status(engine, status("bat", minutes_ago=number))
    create_maintenance(engine, maintenance(f"m-{number}"), f"w-{number}")
"""
SAME_PORTFOLIO = """
    save_portfolio(engine, sample_portfolio(), f"w-{number}")
"""
NEST = """
    create_group(engine, Group(id=f"g-{number}", parent_group_id="plant"))
    try:
        update_group(engine, "plant", {"parent_group_id": f"g-{number}"})
    except InvalidInput as error:
        assert "circle" in str(error)
    else:
        raise AssertionError("a group is in itself")
"""


@pytest.fixture
def address(engine: sa.Engine) -> str:
    """The address of a register with the sample portfolio; this process keeps no connection to it."""
    save_portfolio(engine, sample_portfolio(), "ana")
    engine.dispose()
    return engine.url.render_as_string(hide_password=False)


def run_writers(address: str, work: str, writers: int = WRITERS) -> None:
    program = START.format(tests=str(TESTS), work=work, writers=writers)
    done = subprocess.run([sys.executable, "-c", program, address], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_writers__no_update_is_lost(engine: sa.Engine, address: str) -> None:
    """Fifty processes add an hour each to what they read: 50 h, version 51, and 50 lines of history in a row."""
    run_writers(address, COUNT_UP)
    entry = get_entry(engine, "diesel")
    assert (entry.record.operating_h, entry.version) == (50, 51)
    lines = history_of(engine, "diesel", field="operating_h")
    assert [(line.old, line.new) for line in lines] == [(hours, hours + 1) for hours in range(49, -1, -1)]
    assert {line.changed_by for line in lines} == {f"w-{number}" for number in range(WRITERS)}


def test_writers__nobody_sees_a_lock(engine: sa.Engine, address: str) -> None:
    """Twenty processes each make, change and report; all of it is there afterwards."""
    run_writers(address, EVERYTHING, 20)
    assert count_assets(engine) == 7 + 20
    assert all(get_entry(engine, f"own-{number}").record.capacity_kwh == 100 + number for number in range(20))
    assert get_entry(engine, "bat").version == 1 + 20
    assert len(status_history(engine, "bat")) == 20
    assert get_status(engine, "bat") == status_history(engine, "bat")[0]
    assert len(history_of(engine, table_name="maintenance_records")) == 20


def test_writers__same_portfolio_into_an_empty_register(engine: sa.Engine) -> None:
    """One of twenty makes it, the others find it just so."""
    engine.dispose()
    run_writers(engine.url.render_as_string(hide_password=False), SAME_PORTFOLIO, 20)
    assert count_assets(engine) == 7
    lines = history_of(engine, limit=1000)
    assert {line.operation for line in lines} == {"create"}
    assert len(lines) == 19
    assert len({line.changed_by for line in lines}) == 1


def test_writers__groups_are_never_nested_in_a_circle(engine: sa.Engine, address: str) -> None:
    run_writers(address, NEST, 10)
    assert next(group for group in list_groups(engine) if group.id == "plant").parent_group_id is None
