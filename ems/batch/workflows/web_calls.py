"""Requests by HTTP and messages to people, in the process of their task; by the standard library alone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ems.batch.workflows.references import as_text
from ems.errors import RunFailed, show

LONGEST_SILENCE_S = 60.0
"""How long a server may be silent; the time of the whole task is `timeout_s`."""
LARGEST_ANSWER_BYTES = 10_000_000
SHOWN_OF_ANSWER = 300

Outcome = tuple[dict[str, Any], str | None]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes no redirection: it would carry headers, and secrets in them, to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


def call_http(fields: Mapping[str, Any], _job: Mapping[str, Any]) -> Outcome:
    """Return status, headers and body of an answer; a body of JSON as data.

    Raises
    ------
    RunFailed
        If the server cannot be reached, or answers with a status that is no success.
    """
    body = fields["body"]
    data = None if body is None else json.dumps(body, allow_nan=False).encode()
    status, headers, answer = _ask(fields["method"], fields["url"], fields["headers"], data)
    is_good = status in fields["expected_status"] if fields["expected_status"] else 200 <= status < 300
    if not is_good:
        wanted = ", ".join(map(str, fields["expected_status"])) or "200 to 299"
        said = as_text(answer)[:SHOWN_OF_ANSWER]
        raise RunFailed(f"{_place(fields['url'])} answered with status {status}, expected is {wanted}: {said}")
    return {"status_code": status, "headers": headers, "body": answer}, None


def call_notify(fields: Mapping[str, Any], job: Mapping[str, Any]) -> Outcome:
    """Send a message to a webhook or by e-mail, and return that it was sent.

    Raises
    ------
    RunFailed
        If it could not be sent.
    """
    if fields["webhook"] is not None:
        text = {"text": fields["text"], "workflow": job["workflow"], "execution": job["execution"]}
        status, _, answer = _ask("POST", fields["webhook"], fields["headers"], json.dumps(text).encode())
        if not 200 <= status < 300:
            said = as_text(answer)[:SHOWN_OF_ANSWER]
            raise RunFailed(f"{_place(fields['webhook'])} answered with status {status}: {said}")
    else:
        _send_email(fields["email"], fields["text"])
    return {"sent": True}, None


def _ask(method: str, url: str, headers: Mapping[str, Any], data: bytes | None) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and body of an answer."""
    if not re.match(r"(?i)https?://[^/]", url):
        raise RunFailed("the address must begin with https:// or http://")
    sent = {"User-Agent": "ems", **{str(name): as_text(value) for name, value in headers.items()}}
    if data is not None:
        sent.setdefault("Content-Type", "application/json")
    bad = next((name for name, value in sent.items() if "\n" in value or "\r" in value), None)
    if bad is not None:
        raise RunFailed(f"header {show(bad)} must be one line")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirect(),
    ):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, data=data, headers=sent, method=method)  # noqa: S310 - checked above
        with opener.open(request, timeout=LONGEST_SILENCE_S) as answer:
            return answer.status, _plain(answer.headers), _body_of(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _plain(error.headers), _body_of(error)
    except urllib.error.URLError as error:
        raise RunFailed(f"{_place(url)} cannot be reached: {error.reason}") from None
    except (OSError, ValueError) as error:  # a time-out while reading, a header that is none
        raise RunFailed(f"{_place(url)}: {error}") from None


def _plain(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _body_of(answer: Any) -> Any:
    raw = answer.read(LARGEST_ANSWER_BYTES + 1)
    if len(raw) > LARGEST_ANSWER_BYTES:
        raise RunFailed(f"the answer is larger than {LARGEST_ANSWER_BYTES / 1e6:g} MB")
    text = raw.decode(answer.headers.get_content_charset() or "utf-8", errors="replace")
    if "json" in answer.headers.get_content_type():
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _place(url: str) -> str:
    """Return the server of an address: the rest may hold secrets."""
    return re.sub(r"(?i)^(https?://)(?:[^/@]*@)?([^/?#]*).*$", r"\1\2", url, flags=re.DOTALL)


def _send_email(email: Mapping[str, Any], text: str) -> None:
    import smtplib
    import ssl
    from email.message import EmailMessage

    message = EmailMessage()
    try:
        message["From"], message["To"] = email["sender"], ", ".join(email["to"])
        message["Subject"] = email["subject"]
    except ValueError as error:  # a line break in a header
        raise RunFailed(f"e-mail: {error}") from None
    message.set_content(text)
    secure, place = ssl.create_default_context(), (email["host"], int(email["port"]))
    try:
        is_tls = email["security"] == "tls"
        server = (
            smtplib.SMTP_SSL(*place, timeout=LONGEST_SILENCE_S, context=secure)
            if is_tls
            else smtplib.SMTP(*place, timeout=LONGEST_SILENCE_S)
        )
        with server:
            if email["security"] == "starttls":
                server.starttls(context=secure)
            if email["user"] is not None:
                server.login(email["user"], email["password"] or "")
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise RunFailed(f"e-mail by {email['host']}: {error}") from None
