"""Forked kernels: isolated, drawn, random, limited, and gone with whoever asked for them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import psutil
import pytest
from forked_commands import run_forked
from jupyter_client.kernelspec import NoSuchKernel
from processes import command_line
from waiting import PATIENCE_S, wait_for

from ems.batch.engine.code_state import code_digest, code_stamp
from ems.batch.engine.zygote import IDLE_S, PRELOADED_LATER, WORTH_MORE, import_each
from ems.batch.engine.zygote_client import start_zygote
from ems.batch.jupyter import load_papermill
from ems.errors import InvalidInput

load_papermill()  # makes the engine known


def notebook_of(folder: Path, *sources: str) -> Path:
    """Write a notebook of code cells, the first of them tagged as parameters."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = folder / "in.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def run(path: Path, engine: str = "ems", **options: object) -> nbformat.NotebookNode:
    """Run a notebook as papermill's users do, and return what was written."""
    output = path.with_name("out.ipynb")
    papermill.execute_notebook(path, output, engine_name=engine, progress_bar=False, kernel_name="python3", **options)
    return nbformat.read(output, as_version=4)


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what each code cell printed or gave."""
    return [
        "".join(out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_engine__is_known_to_the_stock_command(tmp_path: Path) -> None:
    """``papermill in.ipynb out.ipynb --engine ems`` finds it by its entry point."""
    path = notebook_of(tmp_path, "number = 1", "print(number * 2)")

    program = str(Path(sys.executable).parent / "papermill")
    command = [program, str(path), str(tmp_path / "out.ipynb"), "--engine", "ems", "-p", "number", "21"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)

    assert done.returncode == 0, done.stderr
    assert "42\n" in texts(nbformat.read(tmp_path / "out.ipynb", as_version=4))


def test_engine__gives_what_the_stock_engine_gives(tmp_path: Path) -> None:
    path = notebook_of(
        tmp_path,
        "rows = 3",
        "import pandas as pd\npd.DataFrame({'power_kw': range(rows)})",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)",
        "from ems.report.figure import ReportFigure\nf = ReportFigure('one')\nf.subplots().plot([1, 2])\nf",
        "{'a': [1, None, 2.5]}",
        "import os\nos.getcwd()",
        "print('one', end=' ')\ndisplay({'b': 2})\nprint('two', end='', flush=True)\nprint(' three')\n'four'",
    )

    own, stock = run(path, parameters={"rows": 2}), run(path, "nbclient", parameters={"rows": 2})

    assert [cell.get("outputs") for cell in own.cells] == [cell.get("outputs") for cell in stock.cells]
    assert [cell.source for cell in own.cells] == [cell.source for cell in stock.cells]


def test_engine__pyplot_shows_its_figures(tmp_path: Path) -> None:
    """The inline backend looks for its shell when it is imported: it must be imported in the child."""
    path = notebook_of(tmp_path, "x = 1", "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2, x])")

    own = run(path)

    assert [list(out.data) for out in own.cells[1].outputs] == [["image/png", "text/plain"]]


def test_engine__kernels_are_isolated_and_draw_their_own_random_numbers(tmp_path: Path) -> None:
    path = notebook_of(
        tmp_path,
        "x = 1",
        "import numpy as np, random, os\nprint(np.random.random(), random.random(), os.urandom(4).hex())",
        "import pandas\nprint(hasattr(pandas, 'mark_of_a_run'))\npandas.mark_of_a_run = 1",
    )

    first, second = texts(run(path)), texts(run(path))

    assert set(first[1].split()).isdisjoint(second[1].split())
    assert first[2] == second[2] == "False\n"


def test_zygote__has_one_thread_and_a_frozen_heap(tmp_path: Path) -> None:
    """A lock that another thread held during the fork would stay locked; a heap not frozen is copied page by page."""
    process = psutil.Process(start_zygote().process.pid)
    path = notebook_of(tmp_path, "x = 1", "import gc\nprint(gc.get_freeze_count(), gc.isenabled())")

    frozen, is_enabled = texts(run(path))[-1].split()

    assert process.num_threads() == 1
    assert int(frozen) > 100_000
    assert is_enabled == "True"


def test_zygote__imports_more_where_many_kernels_are_forked(tmp_path: Path) -> None:
    """What only some notebooks need is there from the fourth kernel on, or soon after; it starts no thread either."""
    process = psutil.Process(start_zygote().process.pid)
    path = notebook_of(tmp_path, "x = 1", f"import sys\nprint({PRELOADED_LATER[-1]!r} in sys.modules)")
    end, said = time.monotonic() + PATIENCE_S, "False\n"

    for _ in range(WORTH_MORE):
        run(path)
    while said == "False\n" and time.monotonic() < end:
        time.sleep(2 * IDLE_S)
        said = texts(run(path))[-1]

    assert said == "True\n"
    assert process.num_threads() == 1


def test_import__of_a_broken_package_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that the system lacks gives an OSError: the process with all its kernels must outlive it."""
    (tmp_path / "broken_here.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    (tmp_path / "whole_here.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    import_each(["broken_here", "not_there_at_all", "whole_here"])

    assert "whole_here" in sys.modules


def test_kernel__does_not_look_at_each_module(tmp_path: Path) -> None:
    """A list of all modules, for a debugger, would copy a seventh of what a run copies of the zygote's memory."""
    look = "import sys, ipykernel.ipkernel as k\nprint(get_ipython().kernel._kernel_modules, k.sys is sys)"
    path = notebook_of(tmp_path, "x = 1", look)

    assert texts(run(path))[-1] == "[] True\n"


def test_kernel__waits_for_its_streams_only_where_they_hold_something(tmp_path: Path) -> None:
    count = (
        "import sys\nasked, thread = [], sys.stdout.pub_thread\nusual = thread.schedule\n"
        "thread.schedule = lambda what: (asked.append(what), usual(what))\n"
        "sys.stdout.flush()\nof_nothing = len(asked)\n"
        "sys.stdout.write('words ')\nsys.stdout.flush()\nthread.schedule = usual\nprint(of_nothing, len(asked) > 1)"
    )
    path = notebook_of(tmp_path, "x = 1", count)

    assert texts(run(path))[-1] == "words 0 True\n"


def test_engine__parameters_arrive_as_typed(tmp_path: Path) -> None:
    given = {
        "text": "007",
        "none": None,
        "number": 3,
        "share": 0.25,
        "yes": True,
        "values": [1, "a", None],
        "map": {"k": [1.5]},
        "day": "2024-03-31",
    }
    comparison = f"print([{', '.join(given)}] == {list(given.values())!r})"
    path = notebook_of(tmp_path, "\n".join(f"{name} = 0" for name in given), comparison)

    assert texts(run(path, parameters=given))[-1] == "True\n"


def test_engine__failed_cell_is_marked_and_later_ones_stay_pending(tmp_path: Path) -> None:
    path = notebook_of(tmp_path, "x = 1", "1 / 0", "print('never')")

    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        run(path)

    cells = [cell for cell in nbformat.read(tmp_path / "out.ipynb", as_version=4).cells if cell.cell_type == "code"]
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "failed", "pending"]


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", {}, "the kernel died in cell 2"),
        ("import time\ntime.sleep(3600)", {"run_timeout": 600}, r"longer than 600 s; it was in cell 2"),
        ("import time\ntime.sleep(3600)", {"execution_timeout": 5}, r"cell 2 took longer than 5 s"),
    ],
)
def test_engine__broken_off_cell_is_not_called_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, options: dict[str, int], said: str
) -> None:
    """Papermill's own engine writes the cell in which a kernel died as completed."""
    begun = tmp_path / "begun"
    path = notebook_of(tmp_path, f"open({str(begun)!r}, 'w').close()", source, "print('never')")
    # Of the run's ten minutes the first cell takes all but two seconds, however long the kernel took to start.
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 598 * begun.exists())
    monkeypatch.setattr("ems.batch.engine.papermill_engine.time", clock)

    with pytest.raises(Exception, match=said):
        run(path, **options)

    written = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert [cell.metadata.papermill.status for cell in written.cells] == ["completed", "interrupted", "pending"]
    assert not psutil.Process(start_zygote().process.pid).children()


def test_engine__memory_limit_gives_an_error_not_a_full_machine(tmp_path: Path) -> None:
    path = notebook_of(tmp_path, "x = 1", "import numpy as np\nbig = np.ones(300 * 1024**2, dtype='u1').repeat(8)")

    with pytest.raises(papermill.PapermillExecutionError, match="MemoryError"):
        run(path, memory_limit_mb=1024)


@pytest.mark.parametrize(("every_s", "fewest", "most"), [(0.0, 20, 20), (3600.0, 0, 0)])
def test_engine__writes_the_notebook_whole_and_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_s: float, fewest: int, most: int
) -> None:
    """Whoever looks while it runs finds a whole notebook; papermill writes each twice a cell, in place."""
    monkeypatch.setattr("ems.batch.engine.papermill_engine.SAVE_EVERY_S", every_s)
    output = repr(str(tmp_path / "out.ipynb"))
    look = f"print(len(json.load(open({output}))['cells']) if os.path.exists({output}) else '')"
    path = notebook_of(tmp_path, "import json, os", *[look] * 20)

    seen = [text for text in texts(run(path))[1:] if text.strip()]

    assert fewest <= len(seen) <= most
    assert set(seen) <= {"21\n"}
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize("killed", ["owner", "zygote"])
def test_kernels__are_gone_when_what_they_come_from_is_killed(tmp_path: Path, killed: str) -> None:
    """With signal 9: kernel, what it started, and the zygote end with their owner; kernels end with their zygote."""
    started = "import subprocess, time\nsubprocess.Popen(['sleep', '97531'])\ntime.sleep(60)"
    path = notebook_of(tmp_path, "x = 1", started)
    code = (
        "import papermill\nfrom ems.batch.jupyter import load_papermill\nload_papermill()\n"
        f"papermill.execute_notebook({str(path)!r}, None, engine_name='ems', kernel_name='python3')"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    family: list[psutil.Process] = []
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not any("97531" in command_line(one) for one in family):
        time.sleep(0.2)
        family = psutil.Process(owner.pid).children(recursive=True)
    zygote = next(one for one in family if one.ppid() == owner.pid)

    (owner if killed == "owner" else zygote).send_signal(signal.SIGKILL)

    gone, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
    owner.wait(timeout=PATIENCE_S)
    assert len(gone) >= 3
    assert not alive


def test_engine__takes_a_stock_kernel_with_a_word_where_it_cannot_fork(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMS_ZYGOTE", str(tmp_path / "nobody-listens"))
    monkeypatch.setattr("ems.batch.engine.zygote_client.LONGEST_START_S", 0.2)
    path = notebook_of(tmp_path, "x = 1", "print(x + 1)")

    assert texts(run(path))[-1] == "2\n"
    assert "a kernel is started the slow way" in capsys.readouterr().err


def test_engine__another_kernel_is_not_replaced_by_a_fork(tmp_path: Path) -> None:
    """A notebook of another environment must not run in this one; a limit that would not hold is refused."""
    path = notebook_of(tmp_path, "x = 1")

    with pytest.raises(NoSuchKernel, match="of-another-environment"):
        papermill.execute_notebook(path, None, engine_name="ems", kernel_name="of-another-environment")
    with pytest.raises(InvalidInput, match="memory_limit_mb = 512 MB: kernel 'of-another-environment' is not forked"):
        papermill.execute_notebook(
            path, None, engine_name="ems", kernel_name="of-another-environment", memory_limit_mb=512
        )


def test_zygote__that_was_killed_is_started_anew(tmp_path: Path) -> None:
    path = notebook_of(tmp_path, "x = 1", "print(x + 1)")
    killed = start_zygote().process
    killed.kill()
    killed.wait()

    assert texts(run(path))[-1] == "2\n"


def test_engine__leaves_no_open_files_and_threads(tmp_path: Path) -> None:
    """A process that runs thousands of notebooks must not run out of them."""
    path = notebook_of(tmp_path, "x = 1")
    run(path)
    process = psutil.Process()
    gc.collect()  # what earlier tests have left must not hide a leak by going now
    fds, threads = process.num_fds(), process.num_threads()

    for _ in range(3):
        run(path)

    wait_for(lambda: process.num_fds() <= fds and process.num_threads() <= threads)  # ZeroMQ closes a little later


def test_code__stamp_and_digest_change_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the package is edited, the zygote of the older code forks no more."""
    monkeypatch.setattr("ems.batch.engine.code_state.PACKAGE", tmp_path)
    (tmp_path / "one.py").write_text("a = 1")
    stamp, digest = code_stamp(), code_digest()
    (tmp_path / "one.py").write_text("a = 2")
    os.utime(tmp_path / "one.py", ns=(1, time.time_ns() + 10**9))

    assert code_stamp() != stamp
    assert code_digest() != digest


def test_rehearse__goes_through(tmp_path: Path) -> None:
    """In the zygote a rehearsal that is broken only costs time, unseen."""
    done = run_forked("ems.batch.engine.rehearsal:rehearse", [], tmp_path, os.environ, timeout_s=PATIENCE_S)

    assert done.returncode == 0, done.stderr
