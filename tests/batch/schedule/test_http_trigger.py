from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from schedule_world import World, make_small_project, remembered
from waiting import PATIENCE_S

from ems.batch.schedule.http_trigger import LARGEST_BODY_BYTES, Answer, TriggerServer, parse_address, parse_body
from ems.batch.schedule.inbox import MOST_WAITING
from ems.batch.schedule.serve import accepting
from ems.errors import InvalidInput

TOKEN = "a-token-of-enough-letters"
BY_HTTP = "trigger: {http: true}\nparameters: {site: {type: text}, days: {type: integer, default: 1}}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    project = make_small_project(tmp_path / "project", monkeypatch)
    world = World(project, remembered())
    world.write("nightly", BY_HTTP)
    world.write("hidden", "parameters: {site: {type: text}}")
    world.go(3)
    return world


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[TriggerServer]:
    monkeypatch.setenv("EMS_TRIGGER_TOKEN", TOKEN)
    server = TriggerServer("127.0.0.1:0", accepting(world.service))
    yield server
    server.close()


def call(
    server: TriggerServer,
    body: object = None,
    path: str = "/workflows/nightly",
    token: str | None = TOKEN,
    method: str = "POST",
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(server.address, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.headers["Server"].strip() == "ems"
    return answer.status, json.loads(text or b"{}")


def test_call__starts_the_workflow_under_the_id_it_was_told(world: World, server: TriggerServer) -> None:
    status, said = call(server, {"site": "harbour"})

    assert status == 202
    world.go(5)
    execution = world.execution(said["id"])
    assert (execution.workflow, execution.trigger) == ("nightly", "http")
    assert execution.parameters == {"site": "harbour", "days": 1}
    assert world.service.tools.inbox.waiting("nightly") == []


def test_call__is_kept_over_a_restart(world: World, server: TriggerServer) -> None:
    """What was accepted while the service could not start it any more is started by the next one, once."""
    _, said = call(server, {"site": "harbour"})
    world.service._release()

    world.go(5, world.new_service())
    world.service._release()
    world.go(5, world.new_service())

    assert [work.execution_id for work in world.works] == [said["id"]]


REFUSED = (
    ({"site": "x"}, "/workflows/nightly", None, "POST", 401, "Authorization: Bearer TOKEN"),
    ({"site": "x"}, "/workflows/nightly", TOKEN[:-1], "POST", 401, "Authorization"),
    ({"site": "x"}, "/workflows/none", "wrong", "POST", 401, "Authorization"),
    ({"site": "x"}, "/workflows/none", TOKEN, "POST", 404, "no workflow 'none' can be started by HTTP"),
    ({"site": "x"}, "/workflows/hidden", TOKEN, "POST", 404, "no workflow 'hidden'"),
    ({"site": "x"}, "/workflows/..%2Fx", TOKEN, "POST", 404, "only POST /workflows/NAME"),
    ({"site": "x"}, "/", TOKEN, "POST", 404, "only POST /workflows/NAME"),
    (None, "/workflows/nightly", TOKEN, "GET", 405, "only POST"),
    (None, "/workflows/nightly", None, "DELETE", 401, "Authorization"),
    ([1], "/workflows/nightly", TOKEN, "POST", 400, "must be a JSON object"),
    (b"{", "/workflows/nightly", TOKEN, "POST", 400, "is not JSON"),
    (b'{"days": NaN}', "/workflows/nightly", TOKEN, "POST", 400, "is not JSON"),
    (b"\xff", "/workflows/nightly", TOKEN, "POST", 400, "is not JSON in UTF-8"),
    (b'{"site": "a\\u0000"}', "/workflows/nightly", TOKEN, "POST", 400, "holds the character U+0000"),
    (b'{"site": "\\ud800"}', "/workflows/nightly", TOKEN, "POST", 400, "is not JSON in UTF-8"),
    (b"[" * 30_000, "/workflows/nightly", TOKEN, "POST", 400, "JSON"),
    ({"sit": "x"}, "/workflows/nightly", TOKEN, "POST", 400, "did you mean site?"),
    ({"site": 5}, "/workflows/nightly", TOKEN, "POST", 400, "parameters.site = 5: must be"),
    (None, "/workflows/nightly", TOKEN, "POST", 400, "parameters.site: is required"),
    (b" " * (LARGEST_BODY_BYTES + 1), "/workflows/nightly", TOKEN, "POST", 413, "at most 65536 bytes"),
)


def test_call__refused(world: World, server: TriggerServer) -> None:
    for body, path, token, method, status, said in REFUSED:
        found, answer = call(server, body, path, token, method)

        assert found == status, (body, path, answer)
        assert said in json.dumps(answer)
        assert "Traceback" not in json.dumps(answer)
    world.go(3)
    assert world.works == []


def test_call__disabled_or_stopping(world: World, server: TriggerServer) -> None:
    world.write("nightly", f"{BY_HTTP}\nenabled: false")
    world.go(3)
    assert call(server, {"site": "x"})[0] == 404
    world.write("nightly", BY_HTTP)
    world.go(3)
    world.service.stopping = "asked to"

    assert call(server, {"site": "x"})[0] == 503


def test_call__too_many_wait(world: World, server: TriggerServer) -> None:
    for _ in range(MOST_WAITING):
        assert accepting(world.service)("nightly", {"site": "x"}).status == 202

    assert call(server, {"site": "x"})[0] == 429


def test_call__fault_of_the_service_is_no_secret_spilled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_TRIGGER_TOKEN", TOKEN)

    def fail(_name: str, _parameters: dict[str, Any]) -> Answer:
        raise OSError("/secret/path")

    server = TriggerServer("0", fail)
    try:
        assert call(server, {}) == (500, {"error": "the service could not take it; its own messages say why"})
    finally:
        server.close()


def test_call__silence_and_nonsense_hold_nobody(world: World, server: TriggerServer) -> None:
    host, port = server.address.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(5)]
    silent[0].sendall(b"\x00\xff\r\n\r\n")

    assert call(server, {"site": "x"})[0] == 202
    for one in silent:
        one.close()


@pytest.mark.parametrize("address", ["", "x", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1", "host:80:x"])
def test_parse_address__refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="must be HOST:PORT, as in"):
        parse_address(address)


def test_server__needs_a_token_that_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMS_TRIGGER_TOKEN", raising=False)
    with pytest.raises(InvalidInput, match="EMS_TRIGGER_TOKEN: is not set"):
        TriggerServer("0", lambda _name, _parameters: Answer(202, {}))
    monkeypatch.setenv("EMS_TRIGGER_TOKEN", "short")
    with pytest.raises(InvalidInput, match="at least 16"):
        TriggerServer("0", lambda _name, _parameters: Answer(202, {}))


def test_server__address_in_use(server: TriggerServer) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be listened to: .*in use; choose another"):
        TriggerServer(server.address, lambda _name, _parameters: Answer(202, {}))


def test_parse_body__deep() -> None:
    answer = parse_body(b'{"a":' * 60 + b"1" + b"}" * 60)

    assert isinstance(answer, Answer)
    assert "nested deeper" in answer.content["error"]
