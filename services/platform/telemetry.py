"""Traces and metrics of what a service does, by the architecture document's span types.

    http_request, grpc_request, event_publish, external_api_call; and event_handle for the other side of an event

A span is named by its type and operation, and has the type in the attribute `span.type`. Spans go to a collector by
OTLP over HTTP (Jaeger takes it). The trace goes along with calls and within events: whoever handles an event is a child
of whoever caused it, and the trace id is the correlation id of the logs.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, TypeAlias

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from shop.runtime.context import TRACEPARENT, TRACESTATE, TraceContext, current_trace
from shop.runtime.errors import Code, RpcError
from shop.runtime.grpc_server import Call, Interceptor
from shop.runtime.transport import (
    Handler,
    Outcome,
    PublishedMessage,
    ReceivedMessage,
    SubscribeOptions,
    Subscription,
    Success,
    Transport,
    utc_now,
)

from services.platform.metrics import Metrics

_OUR_FAULT = frozenset({Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS})
_TRACEPARENT_IN = re.compile(rb'"traceparent"\s*:\s*"([0-9a-f-]{55})"')
_TIME_IN = re.compile(rb'"time"\s*:\s*"([0-9T:.+Z-]{20,35})"')

Scope: TypeAlias = MutableMapping[str, Any]
Asgi: TypeAlias = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class Telemetry:
    """Spans and metrics of one process. Without `endpoint` and `exporter` spans are made, for the trace, but not sent.

    `endpoint` is that of an OTLP collector, `http://127.0.0.1:4318/v1/traces`.
    """

    def __init__(
        self,
        service: str,
        *,
        endpoint: str | None = None,
        exporter: SpanExporter | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics(service)
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        if exporter is not None:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        elif endpoint is not None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=5)))
        self._tracer = self._provider.get_tracer("treaty")

    async def close(self) -> None:
        """Send what is not sent yet; takes a few seconds at most."""
        await asyncio.to_thread(self._provider.shutdown)

    @contextmanager
    def span(
        self, kind: str, operation: str, *, parent: TraceContext | None = None, role: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[Span]:
        """A span of the type `kind`, within `parent`, else the current trace. An exception marks it as failed."""
        with self._tracer.start_as_current_span(
            f"{kind} {operation}",
            context=_context(parent or current_trace()),
            kind=role,
            attributes={"span.type": kind, "operation": operation},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    @asynccontextmanager
    async def external_call(self, vendor: str, operation: str) -> AsyncIterator[Span]:
        """Around one call of an external API."""
        called = f"{vendor}.{operation}"
        with (
            self._measured("external", called),
            self.span("external_api_call", called, role=SpanKind.CLIENT) as span,
        ):
            yield span

    def grpc_interceptor(self) -> Interceptor:
        """Around every call that a `GrpcServer` serves."""

        @asynccontextmanager
        async def around(call: Call) -> AsyncIterator[None]:
            operation = f"{call.method.service}/{call.method.name}"
            with (
                self._measured("grpc", operation),
                self.span("grpc_request", operation, parent=call.trace, role=SpanKind.SERVER),
            ):
                yield

        return around

    def http_middleware(self, app: Asgi, operation_of: Callable[[Scope], str | None]) -> Asgi:
        """An ASGI application around another one. `operation_of` names the operation; None is shown as `unknown`."""

        async def serve(scope: Scope, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            parent = TraceContext.parse(headers.get(TRACEPARENT), headers.get(TRACESTATE, ""))
            operation = operation_of(scope) or "unknown"
            status = 500
            began = time.perf_counter()

            async def sending(message: Any) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                with self.span("http_request", operation, parent=parent, role=SpanKind.SERVER) as span:
                    await app(scope, receive, sending)
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        span.set_status(Status(StatusCode.ERROR))
            finally:
                seconds = time.perf_counter() - began
                self.metrics.ended("http", operation, str(status), seconds, failed=status >= 500)

        return serve

    @contextmanager
    def _measured(self, protocol: str, operation: str) -> Iterator[None]:
        began = time.perf_counter()
        outcome, failed = "OK", False
        try:
            yield
        except RpcError as error:
            outcome, failed = error.code.name, error.code in _OUR_FAULT
            raise
        except asyncio.CancelledError:
            outcome = "CANCELLED"
            raise
        except Exception as error:
            outcome, failed = type(error).__name__, True
            raise
        finally:
            self.metrics.ended(protocol, operation, outcome, time.perf_counter() - began, failed=failed)


class TracedTransport:
    """A transport with spans and metrics around publishing and handling."""

    def __init__(self, inner: Transport, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    async def publish(self, address: str, message: PublishedMessage) -> str:
        """Publish within a span: of the current trace, else of the one that the event was made in."""
        parent = current_trace() or _trace_of(message.body, message.headers.get(TRACEPARENT))
        with (
            self._telemetry._measured("event", f"publish {address}"),
            self._telemetry.span("event_publish", address, parent=parent, role=SpanKind.PRODUCER),
        ):
            return await self._inner.publish(address, message)

    async def subscribe(
        self, address: str, group: str, handler: Handler, options: SubscribeOptions | None = None
    ) -> Subscription:
        """Handle each message within a span of the trace that it was made in."""
        telemetry, metrics = self._telemetry, self._telemetry.metrics

        async def handle(received: ReceivedMessage) -> Outcome:
            parent = _trace_of(received.body, received.headers.get(TRACEPARENT))
            began = time.perf_counter()
            outcome: Outcome | None = None
            with telemetry.span("event_handle", address, parent=parent, role=SpanKind.CONSUMER) as span:
                span.set_attribute("attempt", received.attempt)
                try:
                    outcome = await handler(received)
                finally:
                    said = "error" if outcome is None else type(outcome).__name__.lower()
                    span.set_attribute("outcome", said)
                    seconds = time.perf_counter() - began
                    failed = not isinstance(outcome, Success)
                    metrics.ended("event", f"handle {address}", said, seconds, failed=failed)
            happened = _time_of(received.body)
            if happened is not None and isinstance(outcome, Success):
                metrics.integrated(address, (utc_now() - happened).total_seconds())
            return outcome

        return await self._inner.subscribe(address, group, handle, options)

    async def close(self) -> None:
        """Close the transport."""
        await self._inner.close()


def _context(parent: TraceContext | None) -> Context:
    if parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED)
    known = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return otel.set_span_in_context(NonRecordingSpan(known), Context())


def _trace_of(body: bytes, header: str | None) -> TraceContext | None:
    """The trace that a message says it belongs to; found without reading all of it."""
    found = _TRACEPARENT_IN.search(body)
    return TraceContext.parse(found[1].decode() if found is not None else header)


def _time_of(body: bytes) -> datetime | None:
    found = _TIME_IN.search(body)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1].decode())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
