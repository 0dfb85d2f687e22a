"""Spans for OpenTelemetry, where it is installed; without it they cost nothing and do nothing.

Who wants them installs ``opentelemetry-distro`` and an exporter, and runs ``opentelemetry-instrument ems run ...``.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ems.database.masking import storable, storable_text


@contextmanager
def span(name: str, **attributes: str | float | None) -> Iterator[None]:
    """Record the time that a piece of work takes, with what it was for, and whether it failed.

    Parameters
    ----------
    name : str
        As ``ems.notebook``.
    **attributes
        Texts and numbers; those that are None are left out. Secrets in them and in errors are hidden.
    """
    api = _api()
    if api is None:
        yield
        return
    given = {f"ems.{key}": storable(value) for key, value in attributes.items() if value is not None}
    tracer = api.get_tracer("ems")
    with tracer.start_as_current_span(
        name, attributes=given, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            said = storable_text(f"{type(error).__name__}: {error}")
            current.set_status(api.Status(api.StatusCode.ERROR, said))
            raise


@cache
def _api() -> Any:
    """Return OpenTelemetry's interface for traces, or None where it is not installed."""
    if importlib.util.find_spec("opentelemetry") is None:
        return None
    try:
        return importlib.import_module("opentelemetry.trace")
    except ImportError:  # the name of the family is there, its interface is not
        return None
