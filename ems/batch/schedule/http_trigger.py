"""Starting workflows by HTTP: ``POST /workflows/NAME`` with the parameters as JSON, answered by an id.

The server knows nothing but this one call. It asks for a token before anything else, compares it in constant time,
reads no more than a small body, and tells no more of an error than the caller needs.
"""

from __future__ import annotations

import hmac
import http.server
import json
import os
import re
import socket
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ems.errors import InvalidInput, show
from ems.folders import is_slug

TOKEN_VARIABLE = "EMS_TRIGGER_TOKEN"  # noqa: S105 - the name of the variable
SHORTEST_TOKEN = 16
LARGEST_BODY_BYTES = 64 * 1024
DEEPEST_BODY = 50
DRAINED_BYTES = 1_000_000
LONGEST_SILENCE_S = 10.0
STOP_POLL_S = 0.1
MOST_CALLS = 32
"""Calls answered at once; more are sent away, so that nobody can hold the service by holding connections."""
_PATH = re.compile(r"/workflows/([^/?#]+)/?\Z")


class Answer(NamedTuple):
    """What a call is answered: status code and content."""

    status: int
    content: dict[str, Any]


Accept = Callable[[str, dict[str, Any]], Answer]
"""Takes the name of a workflow and its parameters."""


class TriggerServer:
    """A small HTTP server beside the service.

    Parameters
    ----------
    address : str
        HOST:PORT; a port alone listens to this machine only.
    accept : callable (name, parameters)
        Called for each call that is allowed and readable; in a thread of its own.

    Raises
    ------
    InvalidInput
        If the address cannot be used, or there is no token.
    """

    def __init__(self, address: str, accept: Accept) -> None:
        host, port = parse_address(address)
        token = token_of_environment()
        try:
            self._server = _Server((host, port), _handler_of(token, accept))
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise InvalidInput(f"--http {show(address)}", f"cannot be listened to: {said}; choose another") from None
        self.address = f"{host}:{self._server.server_address[1]}"
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(STOP_POLL_S,), name="http trigger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port.

    >>> parse_address("8080"), parse_address("0.0.0.0:80"), parse_address("[::1]:8080")
    (('127.0.0.1', 8080), ('0.0.0.0', 80), ('::1', 8080))

    Raises
    ------
    InvalidInput
    """
    host, _, port = address.strip().rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdecimal() or int(port[:6]) > 65_535:
        raise InvalidInput(f"--http {show(address)}", "must be HOST:PORT, as in 127.0.0.1:8080; 8080 alone does, too")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def token_of_environment() -> str:
    """Return the token that callers must know.

    Raises
    ------
    InvalidInput
        If there is none, or it can be guessed.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii():
        problem = "holds other letters than ASCII" if not token.isascii() else f"has {len(token)} characters"
        problem = problem if token else "is not set"
        remedy = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one"
        raise InvalidInput(TOKEN_VARIABLE, f"{problem}; --http needs a token of at least {SHORTEST_TOKEN}: {remedy}")
    return token


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._free = threading.Semaphore(MOST_CALLS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who hangs up is no event; others were answered by the handler."""


def _handler_of(token: str, accept: Accept) -> type[http.server.BaseHTTPRequestHandler]:
    expected = f"Bearer {token}".encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        server_version = "ems"
        sys_version = ""
        timeout = LONGEST_SILENCE_S

        def do_POST(self) -> None:
            self._reply(self._answer())

        def _refuse_method(self) -> None:
            is_known = self._is_allowed()
            self._reply(Answer(405, {"error": "only POST /workflows/NAME is known here"}) if is_known else _UNKNOWN)

        do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method  # noqa: N815 - their names

        def _answer(self) -> Answer:
            if not self._is_allowed():
                return _UNKNOWN
            found = _PATH.match(self.path)
            if found is None or not is_slug(found[1]):
                return Answer(404, {"error": "only POST /workflows/NAME is known here"})
            body = self._body()
            if isinstance(body, Answer):
                return body
            try:
                return accept(found[1], body)
            except Exception:  # whatever it is, a caller learns no more
                return Answer(500, {"error": "the service could not take it; its own messages say why"})

        def _is_allowed(self) -> bool:
            given = self.headers.get("Authorization", "").strip().encode("utf-8", "replace")
            return hmac.compare_digest(given, expected)

        def _body(self) -> dict[str, Any] | Answer:
            length = self.headers.get("Content-Length", "0" if "Transfer-Encoding" not in self.headers else "")
            if not length.isascii() or not length.isdecimal():
                return Answer(400, {"error": "the request must say its Content-Length"})
            if len(length) > 9 or int(length) > LARGEST_BODY_BYTES:
                self.rfile.read(min(int(length[:9]), DRAINED_BYTES))  # else some callers see no answer
                return Answer(413, {"error": f"parameters may have at most {LARGEST_BODY_BYTES} bytes"})
            return parse_body(self.rfile.read(int(length)))

        def _reply(self, answer: Answer) -> None:
            content = json.dumps(answer.content).encode()
            self.close_connection = True
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            if answer.status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            if answer.status == 405:
                self.send_header("Allow", "POST")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """The service says what it starts; calls as such are no event."""

    return Handler


_UNKNOWN = Answer(401, {"error": "the header must be 'Authorization: Bearer TOKEN' with the service's token"})


def parse_body(body: bytes) -> dict[str, Any] | Answer:
    """Return the parameters that a body states, or the answer that says what is wrong with it."""
    if not body.strip():
        return {}
    try:
        given = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if not isinstance(given, dict):
            return Answer(400, {"error": 'the body must be a JSON object of parameters, as in {"site": "harbour"}'})
        if _depth(given) > DEEPEST_BODY:
            return Answer(400, {"error": f"the body is nested deeper than {DEEPEST_BODY} levels"})
        json.dumps(given, ensure_ascii=False).encode()
        if _has_nul(given):
            return Answer(400, {"error": "the body holds the character U+0000, which no database keeps"})
    except (ValueError, RecursionError):  # also of half a surrogate pair, which is no text
        return Answer(400, {"error": "the body is not JSON in UTF-8"})
    return given


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inner), default=0)


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(inner) for pair in value.items() for inner in pair)
    return any(map(_has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value
