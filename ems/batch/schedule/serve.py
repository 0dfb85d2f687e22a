"""The service put together for a project: files, database, clock, and the server for requests."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable
from typing import Any

from ems.batch.schedule.clock import Clock, SystemClock
from ems.batch.schedule.definitions import Definitions, load_startable
from ems.batch.schedule.http_trigger import Answer, TriggerServer, parse_address, token_of_environment
from ems.batch.schedule.inbox import MOST_WAITING, Inbox
from ems.batch.schedule.lane import Tools
from ems.batch.schedule.ledger import Ledger
from ems.batch.schedule.service import Service
from ems.batch.schedule.starts import Start, Starter, command_starter
from ems.database.run_id import new_run_id
from ems.errors import InvalidInput
from ems.folders import project_folder


def serve(
    say: Callable[[str], None],
    *,
    once: bool = False,
    until: dt.datetime | None = None,
    http: str | None = None,
    most_at_once: int | None = None,
    clock: Clock | None = None,
) -> tuple[int, bool]:
    """Run the service of the project; return the number of failures, and whether running work was ended.

    Parameters
    ----------
    say : callable (text)
        Where it tells what it does.
    once : bool
        Whether to do what is due now and end.
    until : datetime, optional
        When to end.
    http : str, optional
        HOST:PORT for requests; without it none are taken.
    most_at_once : int, optional
        Most workflows that run at the same time.
    clock : Clock, optional
        The machine's unless given.

    Raises
    ------
    InvalidInput
        If requests cannot be taken at that address.
    DatabaseProblem
        If the database cannot be reached at the beginning; later that is borne.
    """
    from ems.database.engine import connect

    if http is not None:  # before a database is opened, or made
        parse_address(http)
        token_of_environment()
    service = make_service(say, Ledger(connect()), clock=clock, most_at_once=most_at_once)
    server = TriggerServer(http, accepting(service)) if http is not None else None
    if server is not None:
        say(f"listening: POST http://{server.address}/workflows/NAME starts workflows with 'http: true'")
    try:
        failures = service.run(once=once, until=until)
    finally:
        if server is not None:
            server.close()
    return failures, service.was_ended


def make_service(
    say: Callable[[str], None],
    ledger: Ledger,
    *,
    clock: Clock | None = None,
    start: Starter | None = None,
    most_at_once: int | None = None,
) -> Service:
    """Return the service of the project."""
    project = project_folder()
    definitions = Definitions(project / "parameters" / "workflows", load_startable, say)
    clock = clock or SystemClock()
    tools = Tools(ledger, clock, say, start or command_starter(project), Inbox(project), project)
    return Service(definitions, tools, most_at_once)


def accepting(service: Service) -> Callable[[str, dict[str, Any]], Answer]:
    """Return what answers requests: a start is checked and kept, its id is told; the service makes it soon."""

    def accept(name: str, parameters: dict[str, Any]) -> Answer:
        lane = service.lanes.get(name)
        workflow = lane.workflow if lane is not None else None
        trigger = workflow.spec.trigger if workflow is not None else None
        if workflow is None or trigger is None or not trigger.http or not workflow.spec.enabled:
            return Answer(404, {"error": f"no workflow '{name}' can be started by HTTP"})
        elsewhere = service.holder_elsewhere(name, socket.gethostname())
        if elsewhere is not None:
            return Answer(503, {"error": f"another copy of the service, on {elsewhere}, looks after '{name}'"})
        if service.stopping:
            return Answer(503, {"error": "the service is stopping"})
        try:
            check_parameters(name, parameters)
        except InvalidInput as error:
            return Answer(400, {"error": error.subject, "findings": list(error.findings)})
        start = Start(name, "http", new_run_id(service.tools.clock.now()), None, parameters)
        if not service.tools.inbox.put(start):
            return Answer(429, {"error": f"{MOST_WAITING} starts of '{name}' wait already; try again later"})
        service.wake.set()
        return Answer(202, {"id": start.id, "workflow": name})

    return accept


def check_parameters(name: str, parameters: dict[str, Any]) -> None:
    """Refuse parameters with which a workflow cannot run.

    Raises
    ------
    InvalidInput
    """
    from ems.batch.workflows.checks import load_workflow

    load_workflow(name, parameters)
