"""Spans and metrics by the architecture document's names; one trace from a request to what its event sets off."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shop.customer.v1.events.models import CustomerDeletedData
from shop.customer.v1.events.publishers import CustomerEventsPublisher
from shop.order.v1.events.consumers import subscribe_anonymise_orders_on_customer_deleted
from shop.runtime.context import TraceContext, current_trace, trace_scope
from shop.runtime.errors import Internal, NotFound
from shop.runtime.in_process import InProcessTransport
from shop.runtime.resilience import BreakerState
from shop.runtime.transport import utc_now

from services.platform.metrics import Metrics, Share
from services.platform.telemetry import Telemetry, TracedTransport
from tests.services.platform.reading import event, until


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Telemetry:
    return Telemetry("order", exporter=exporter)


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.metrics.registry.get_sample_value(name, {"service": "order", **labels})


async def test_an_event_carries_the_trace_to_whoever_handles_it(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    broker = InProcessTransport()
    transport = TracedTransport(broker, telemetry)
    handled: list[Any] = []

    async def handle(received: Any, delivery: Any) -> None:
        handled.append(current_trace())

    await subscribe_anonymise_orders_on_customer_deleted(transport, handle)
    with trace_scope(TraceContext.new()) as request, telemetry.span("http_request", "deleteCustomer"):
        await CustomerEventsPublisher(transport).publish_customer_deleted(
            CustomerDeletedData(customer_id="c1", deleted_at=utc_now()),
            subject="c1",
            correlationid="c1",
            aggregateversion=1,
        )
    await broker.drain()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {
        "http_request deleteCustomer", "event_publish customer-deleted", "event_handle customer-deleted"
    }  # fmt: skip
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {request.trace_id}
    assert handled[0].span_id == f"{spans['event_handle customer-deleted'].context.span_id:016x}"
    assert spans["event_publish customer-deleted"].attributes == {
        "span.type": "event_publish",
        "operation": "customer-deleted",
    }
    assert value(telemetry, "integration_latency_count", integration="customer-deleted") == 1.0
    await broker.close()


async def test_a_relay_publishes_within_the_trace_that_the_event_was_made_in(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    trace = TraceContext.new()
    await TracedTransport(InProcessTransport(), telemetry).publish("a", event("1", traceparent=trace.traceparent))
    [span] = exporter.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == trace.span_id


async def test_a_handler_that_fails_is_a_failed_span_and_counts_as_an_error(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    broker = InProcessTransport()

    async def handle(received: Any) -> Any:
        raise RuntimeError("no")

    transport = TracedTransport(broker, telemetry)
    subscription = await transport.subscribe("a", "g", handle)
    await transport.publish("a", event("1"))
    await until(lambda: len(exporter.get_finished_spans()) == 2)
    await subscription.stop(grace=0)
    await broker.close()
    assert [span.status.is_ok for span in exporter.get_finished_spans()] == [True, False]
    assert value(telemetry, "request_count_total", protocol="event", operation="handle a", outcome="error") == 1.0
    assert value(telemetry, "error_rate", protocol="event") == 0.5


class Method:
    service = "order.v1.OrderService"
    name = "GetOrder"


class Served:
    method = Method
    trace = TraceContext.new()


@pytest.mark.parametrize(
    ("error", "outcome", "rate"),
    [
        (None, "OK", 0.0),
        (NotFound("no"), "NOT_FOUND", 0.0),
        (Internal(), "INTERNAL", 1.0),
        (KeyError(), "KeyError", 1.0),
    ],
)
async def test_a_call_is_a_span_of_the_callers_trace_and_counted_by_its_status(
    telemetry: Telemetry, exporter: InMemorySpanExporter, error: Exception | None, outcome: str, rate: float
) -> None:
    served: Any = Served()

    async def serve() -> None:
        async with telemetry.grpc_interceptor()(served):
            if error is not None:
                raise error

    if error is None:
        await serve()
    else:
        with pytest.raises(type(error)):
            await serve()
    [span] = exporter.get_finished_spans()
    assert span.name == "grpc_request order.v1.OrderService/GetOrder"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == Served.trace.span_id
    labels = {"protocol": "grpc", "operation": "order.v1.OrderService/GetOrder"}
    assert value(telemetry, "request_count_total", outcome=outcome, **labels) == 1.0
    assert value(telemetry, "response_time_count", **labels) == 1.0
    assert value(telemetry, "error_rate", protocol="grpc") == rate


async def test_a_request_is_a_span_with_its_status(telemetry: Telemetry, exporter: InMemorySpanExporter) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    trace = TraceContext.new()
    observed: Any = telemetry.http_middleware(app, lambda scope: "getOrder")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(observed), base_url="http://order") as client:
        await client.get("/", headers={"traceparent": trace.traceparent})
    [span] = exporter.get_finished_spans()
    assert (span.name, span.status.is_ok) == ("http_request getOrder", False)
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 503
    assert f"{span.context.trace_id:032x}" == trace.trace_id
    assert value(telemetry, "error_rate", protocol="http") == 1.0


async def test_a_call_of_a_vendor_is_measured(telemetry: Telemetry, exporter: InMemorySpanExporter) -> None:
    async with telemetry.external_call("stripe", "createPaymentIntent"):
        pass
    assert exporter.get_finished_spans()[0].name == "external_api_call stripe.createPaymentIntent"
    labels = {"protocol": "external", "operation": "stripe.createPaymentIntent", "outcome": "OK"}
    assert value(telemetry, "request_count_total", **labels) == 1.0


async def test_spans_reach_a_collector_by_otlp() -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        telemetry = Telemetry("order", endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces")
        with telemetry.span("http_request", "getOrder"):
            pass
        await telemetry.close()
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
    assert [path for path, _ in received] == ["/v1/traces"]


def test_metrics_have_the_names_of_the_architecture_document() -> None:
    metrics = Metrics("order")
    metrics.orders.add(hit=True)
    metrics.payments.add(hit=True)
    metrics.payments.add(hit=False)
    metrics.ended("grpc", "GetOrder", "OK", 0.01, failed=False)
    metrics.integrated("order-created", 0.2)
    breaker = metrics.breaker("payment")
    for _ in range(5):
        breaker.failed(breaker.acquire())
    metrics.show_counts(Counter({"handled": 3}))
    body, headers = metrics.exposition()
    text = body.decode()
    assert headers["content-type"].startswith("text/plain")
    for line in (
        'request_count_total{operation="GetOrder",outcome="OK",protocol="grpc",service="order"} 1.0',
        'response_time_count{operation="GetOrder",protocol="grpc",service="order"} 1.0',
        'error_rate{protocol="grpc",service="order"} 0.0',
        'circuit_breaker_state{peer="payment",service="order"} 2.0',
        'order_completion_rate{service="order"} 1.0',
        'payment_success_rate{service="order"} 0.5',
        'integration_latency_count{integration="order-created",service="order"} 1.0',
        'event_count_total{kind="handled",service="order"} 3.0',
    ):
        assert line in text, text
    assert breaker.state is BreakerState.OPEN


def test_a_share_is_of_the_last_minutes_only() -> None:
    now = 0.0
    share = Share(window=10, clock=lambda: now)
    assert math.isnan(share.value)
    share.add(hit=True)
    now = 6.0
    share.add(hit=False)
    assert share.value == 0.5
    now = 11.0
    assert share.value == 0.0
    now = 30.0
    assert math.isnan(share.value)
