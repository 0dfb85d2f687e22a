"""Commands that tests run by the hundred: each in a process of its own, forked where all is imported already."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ems.batch.engine.zygote import ENVIRONMENT

SERVER = Path(__file__).with_name("command_server.py")
LONGEST_START_S = 60.0


def run_forked(
    function: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a command, as ``ems.cli:main``, in a folder; return what ``subprocess.run`` would, -9 if it was killed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        _connect(connection, _address())
        asked = {
            "function": function,
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
        }
        data = json.dumps(asked).encode()
        sent = socket.send_fds(connection, [data], [out.fileno(), err.fileno()])
        connection.sendall(data[sent:])  # a large environment goes in parts
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(16)
        code = json.loads(answer) if answer else -9
        said = [_text_of(file) for file in (out, err)]
    return subprocess.CompletedProcess([function, *arguments], code, *said)


def _text_of(file: tempfile._TemporaryFileWrapper[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


@functools.cache
def _address() -> str:
    """Start this process' server, which ends when this process does."""
    address = str(Path(tempfile.mkdtemp(prefix="ems-")) / "s")
    own, its = socket.socketpair()
    own.set_inheritable(False)
    subprocess.Popen(
        [sys.executable, str(SERVER), address, str(its.fileno())],
        pass_fds=(its.fileno(),),
        stdin=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
        start_new_session=True,
    )
    its.close()
    _kept.append(own)
    return address


def _connect(connection: socket.socket, address: str) -> None:
    end = time.monotonic() + LONGEST_START_S
    while True:
        try:
            return connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):  # it has not come to listen yet
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


_kept: list[socket.socket] = []
"""Ends of pairs whose closing, when this process ends, ends its server."""
