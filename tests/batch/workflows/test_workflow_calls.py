"""Requests, messages, notebooks and studies as tasks; secrets are used and never kept."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from workflow_world import call, rows, run, write_workflow

from ems.batch.workflows.execution import resume_execution, run_workflow

SECRET = "kP9/xQ z-very-secret"


class Server:
    """A web server that keeps what it was asked, and answers as it is told to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                headers = dict(self.headers)
                server.asked.append({"method": self.command, "path": self.path, "headers": headers, "body": body})
                status, kind, text = server.answer(self.path, headers)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status == 302:
                    self.send_header("Location", "/json")
                with contextlib.suppress(ConnectionError):  # who asked has gone
                    self.end_headers()
                    self.wfile.write(text.encode())

            do_GET = do_POST = _answer  # noqa: N815 - names of the library

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def asked_for(self, path: str) -> dict[str, Any]:
        """The one request of this path: tasks that run side by side ask in any order."""
        (found,) = (asked for asked in self.asked if asked["path"] == path)
        return found

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, str]:
        place = path.partition("?")[0]
        if place == "/echo":
            return 200, "application/json", json.dumps({"you": headers.get("Authorization")})
        if place == "/trap":
            return 200, "text/plain", "${secrets.OTHER_TOKEN}"
        if place == "/gone":
            return 404, "text/plain", "no such thing"
        if place == "/moved":
            return 302, "text/plain", ""
        if place == "/slow":
            self._closing.wait()
        return 200, "application/json", '{"price": 0.25, "list": [1, 2]}'

    def close(self) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    yield found
    found.close()


def test_http__answer_is_an_output(project: Path, server: Server) -> None:
    tasks = [
        {
            "id": "ask",
            "kind": "http",
            "method": "POST",
            "url": f"{server.url}/json?site=${{parameters.site}}",
            "headers": {"X-Number": "${parameters.n}"},
            "body": {"site": "${parameters.site}", "n": "${parameters.n}"},
        },
        {
            "id": "use",
            "kind": "transform",
            "depends_on": ["ask"],
            "outputs": {"a": "tasks.ask.outputs.body.price * 4 + tasks.ask.outputs.body.list[1]"},
        },
    ]

    done = run(project, tasks, parameters={"site": "campus", "n": 3})

    assert done.status == "completed", done.error
    assert rows(done)["use"].outputs == {"a": 3.0}
    assert rows(done)["ask"].outputs["status_code"] == 200
    (asked,) = server.asked
    assert asked["method"] == "POST"
    assert asked["path"] == "/json?site=campus"
    assert asked["headers"]["X-Number"] == "3"
    assert json.loads(asked["body"]) == {"site": "campus", "n": 3}


def test_http__what_is_no_success_is_told(project: Path, server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        tasks = [
            {"id": "gone", "kind": "http", "url": f"{server.url}/gone?token=x"},
            {"id": "wanted", "kind": "http", "url": f"{server.url}/gone", "expected_status": [404]},
            {"id": "moved", "kind": "http", "url": f"{server.url}/moved"},
            {"id": "nobody", "kind": "http", "url": nobody},
            {"id": "slow", "kind": "http", "url": f"{server.url}/slow", "timeout_s": 0.5},
            {"id": "header", "kind": "http", "url": server.url, "headers": {"X": "a\nb"}},
        ]
        found = rows(run(project, tasks))

    assert found["gone"].error == f"{server.url} answered with status 404, expected is 200 to 299: no such thing"
    assert found["wanted"].outputs["body"] == "no such thing"
    assert "answered with status 302" in str(found["moved"].error)
    assert "cannot be reached" in str(found["nobody"].error)
    assert found["slow"].error == "took longer than timeout_s = 0.5 s"
    assert found["header"].error == "header 'X' must be one line"
    assert not any(asked["path"] == "/json" for asked in server.asked)


def test_secrets__are_used_and_never_kept(
    project: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The server hears the secret; database, logs, files and messages do not, whatever comes back from a call."""
    monkeypatch.setenv("CAMPUS_ACCESS", SECRET)  # a name that does not say that it is secret
    monkeypatch.setenv("OTHER_TOKEN", "another-secret-value")
    tasks = [
        {
            "id": "ask",
            "kind": "http",
            "url": f"{server.url}/echo",
            "headers": {"Authorization": "Bearer ${secrets.CAMPUS_ACCESS}"},
        },
        {"id": "trap", "kind": "http", "url": f"{server.url}/trap"},
        {
            "id": "sent",
            "kind": "http",
            "method": "POST",
            "url": f"{server.url}/json",
            "depends_on": ["trap"],
            "body": {"text": "${tasks.trap.outputs.body}"},
        },
        call("tell", "tell", secret="${secrets.CAMPUS_ACCESS}"),
        call("fail", "fail", text="it was ${secrets.CAMPUS_ACCESS}", continue_on_error=True),
        call("again", "fail_until", path="count", attempts=2, depends_on=["tell"]),
        call("late", "tell", secret="${secrets.CAMPUS_ACCESS}", depends_on=["again"]),
    ]

    done = run_workflow(write_workflow(project, tasks))
    done = resume_execution(done.id)

    assert done.status == "completed", done.error
    found = rows(done)
    assert server.asked_for("/echo")["headers"]["Authorization"] == f"Bearer {SECRET}"
    assert found["ask"].outputs["body"] == {"you": "Bearer ***"}
    assert found["ask"].parameters["headers"] == {"Authorization": "Bearer ${secrets.CAMPUS_ACCESS}"}
    assert found["tell"].outputs == {"result": {"said": "<***>", "list": ["***"]}}
    assert found["fail"].error == "ValueError: it was ***"
    assert json.loads(server.asked_for("/json")["body"]) == {"text": "${secrets.OTHER_TOKEN}"}
    kept = b"".join(path.read_bytes() for path in (project / "data").glob("ems.sqlite*"))
    kept += b"".join(path.read_bytes() for path in (project / ".ems").rglob("*") if path.is_file())
    kept += "".join(capfd.readouterr()).encode()
    assert b"the secret is ***" in kept
    for form in (SECRET, "another-secret-value", json.dumps(SECRET)[1:-1]):
        assert form.encode() not in kept


def test_secrets__removed_before_a_resume_are_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_ACCESS", SECRET)
    tasks = [
        call("bad", "fail_until", path="count", attempts=2),
        call("tell", "tell", secret="${secrets.CAMPUS_ACCESS}", depends_on=["bad"]),
    ]
    failed = run(project, tasks)
    monkeypatch.delenv("CAMPUS_ACCESS")

    with pytest.raises(ValueError, match="the environment variable CAMPUS_ACCESS is not set"):
        resume_execution(failed.id, progress=False)


def test_notify__by_webhook(project: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "hook-secret-part")
    tasks = [
        call("bad", "fail", continue_on_error=True),
        {
            "id": "alarm",
            "kind": "notify",
            "when": "failure",
            "depends_on": ["bad"],
            "text": "task bad ${tasks.bad.status} in ${execution.id}",
            "webhook": f"{server.url}/${{secrets.HOOK}}",
        },
    ]

    done = run(project, tasks)

    (asked,) = server.asked
    assert asked["path"] == "/hook-secret-part"
    assert json.loads(asked["body"]) == {
        "text": f"task bad failed in {done.id}",
        "workflow": "trial",
        "execution": done.id,
    }
    assert rows(done)["alarm"].outputs == {"sent": True}


class _Mail(socketserver.StreamRequestHandler):
    """A mail server that keeps one message."""

    def handle(self) -> None:
        def say(text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "EHLO":
                say("250-here\r\n250 AUTH PLAIN")
            elif word == "AUTH":
                self.server.heard.append(line)  # type: ignore[attr-defined]
                say("235 welcome")
            elif word == "DATA":
                say("354 go on")
                while (text := self.rfile.readline().decode()).strip() != ".":
                    self.server.heard.append(text.strip())  # type: ignore[attr-defined]
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 well")


def test_notify__by_email(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_ACCESS", "mail-secret")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.heard = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        email = {
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "security": "none",
            "user": "ems",
            "password": "${secrets.MAIL_ACCESS}",
            "sender": "ems@example.org",
            "to": ["a@example.org", "b@example.org"],
            "subject": "Battery of ${parameters.site}",
        }
        tasks = [
            {"id": "good", "kind": "notify", "text": "It costs 5 EUR.", "email": email},
            {"id": "bad", "kind": "notify", "text": "x", "email": {**email, "subject": "${parameters.lines}"}},
        ]
        found = rows(run(project, tasks, parameters={"site": "Süd", "lines": "a\nBcc: evil@example.org"}))
        heard = "\n".join(server.heard)  # type: ignore[attr-defined]
        server.shutdown()

    assert found["good"].status == "completed"
    assert "AUTH PLAIN AGVtcwBtYWlsLXNlY3JldA==" in heard  # ems, mail-secret
    assert "To: a@example.org, b@example.org" in heard
    assert "Battery of" in heard
    assert "It costs 5 EUR." in heard
    assert found["bad"].status == "failed"
    assert "evil" not in heard
    assert "mail-secret" not in str(found["good"].as_json()) + str(found["bad"].as_json())


def test_notebook__takes_parameters_and_gives_outputs(project: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("n = 1\nname = 'x'", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "from IPython.display import JSON\nJSON({'squared': n**2, 'name': name})", metadata={"tags": ["outputs"]}
        ),
    ]
    (project / "notebooks" / "small.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    tasks = [
        {
            "id": "square",
            "notebook": "notebooks/small.ipynb",
            "parameters": {"n": "${parameters.n}"},
            "outputs": {"squared": "number", "name": "text"},
        }
    ]

    done = run(project, tasks, parameters={"n": 7})

    outputs = rows(done)["square"].outputs
    assert done.status == "completed", done.error
    assert outputs["squared"] == 49
    assert outputs["name"] == "x"
    assert outputs["notebook"] == f"reports/workflows/{done.id}/square.ipynb"
    assert "n = 7" in (project / outputs["notebook"]).read_text()


def test_study__runs_and_gives_its_figures(project: Path) -> None:
    """The demo costs 135.08 EUR with the battery and 138.49 EUR without: 3.41 EUR saved."""
    tasks = [
        {"id": "plan", "study": "dispatch", "case": "demo", "parameters": {"horizon_h": "${parameters.hours}"}},
        {
            "id": "saving",
            "kind": "transform",
            "depends_on": ["plan"],
            "outputs": {
                "saving": "round(tasks.plan.outputs.baseline_cost - tasks.plan.outputs.total_cost, 2)",
                "settled": "round(tasks.plan.outputs.settled_cost, 2)",
                "cost": "tasks.plan.outputs.headline['Total cost']",
            },
        },
    ]

    done = run(project, tasks, parameters={"hours": 24})

    plan = rows(done)["plan"]
    assert done.status == "completed", done.error
    assert rows(done)["saving"].outputs == {"saving": 3.41, "settled": 135.08, "cost": "135.08 EUR"}
    assert plan.run_id == plan.outputs["run_id"]
    assert plan.outputs["currency"] == "EUR"
    assert (project / plan.outputs["report"]).is_file()
    assert (project / plan.outputs["notebook"]).is_file()
    assert any(name.startswith("battery/") for name in plan.outputs["kpis"])
