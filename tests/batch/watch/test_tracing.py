"""Spans: nothing without OpenTelemetry, and with it names, attributes and failures."""

from __future__ import annotations

import importlib.util

import pytest

from ems.batch.watch import tracing

HAS_SDK = importlib.util.find_spec("opentelemetry") is not None


@pytest.mark.skipif(HAS_SDK, reason="OpenTelemetry is installed")
def test_span__without_opentelemetry_does_nothing() -> None:
    done = []

    with tracing.span("ems.run", study="dispatch", case=None):
        done.append(1)
    with pytest.raises(ValueError, match="an error passes"), tracing.span("ems.run"):
        raise ValueError("an error passes")

    assert done == [1]


def test_span__is_recorded_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = pytest.importorskip("opentelemetry.sdk.trace", reason="the SDK of OpenTelemetry is not installed")
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(api, "get_tracer", provider.get_tracer)

    with pytest.raises(ValueError, match="asked"), tracing.span("ems.run", study="dispatch", case=None, rows=3):
        with tracing.span("ems.notebook"):
            pass
        raise ValueError("asked with password=abcdef")

    inner, outer = exporter.get_finished_spans()
    assert (inner.name, outer.name) == ("ems.notebook", "ems.run")
    assert inner.parent.span_id == outer.context.span_id
    assert dict(outer.attributes) == {"ems.study": "dispatch", "ems.rows": 3}
    assert outer.status.description == "ValueError: asked with password=***"
    assert outer.events == ()
