"""`make bench-orders`: orders a second through the whole platform, and where the time goes, by span.

Everything runs as `make up` starts it. Shoppers register and put a cart
together first; what is timed is from the confirmation of the checkout to the
confirmed order. The services send their traces to a receiver in this process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.environment.running import Environment, environment
from harness.environment.services import SLICE
from harness.sagas.scenarios import CONFIRMED, PRODUCT
from harness.sagas.shopper import Shopper

LIMITLESS = {"GATEWAY_REQUESTS_PER_MINUTE": "1000000", "GATEWAY_BURST": "100000"}
SHOWN_SPANS = 20


class Spans:
    """Durations in milliseconds by service and span."""

    def __init__(self) -> None:
        self.durations: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, body: bytes) -> None:
        """Count what one export holds (OTLP, protobuf)."""
        exported = ExportTraceServiceRequest.FromString(body)
        with self._lock:
            for resource in exported.resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                service = names.get("service.name", "?")
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
                        self.durations[service, span.name].append(took)


@contextmanager
def collector() -> Iterator[tuple[str, Spans]]:
    """(endpoint, spans): a receiver of OTLP over HTTP on loopback."""
    spans = Spans()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            spans.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", spans
    finally:
        server.shutdown()
        server.server_close()


def prepared(running: Environment, number: int) -> tuple[Shopper, str, str, dict[str, object]]:
    """A shopper whose checkout waits for confirmation."""
    shopper = Shopper(running.gateway_url, f"bench-{int(time.time())}-{number}")
    shopper.register()
    shopper.log_in()
    card = shopper.add_card("pm_card_visa")
    checkout, total = shopper.check_out(shopper.fill_cart({PRODUCT: 1}))
    return shopper, checkout, card, dict(total)


def measured(running: Environment, orders: int, at_once: int) -> tuple[float, list[float]]:
    """(orders a second, seconds of each)."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting = list(pool.map(lambda number: prepared(running, number), range(orders)))

        def place(ready: tuple[Shopper, str, str, dict[str, object]]) -> float:
            shopper, checkout, card, total = ready
            begun = time.perf_counter()
            order = shopper.confirm(checkout, card, total)
            shopper.wait_for(order, CONFIRMED, every=0.05)
            return time.perf_counter() - begun

        begun = time.perf_counter()
        took = list(pool.map(place, waiting))
        elapsed = time.perf_counter() - begun
    for shopper, *_ in waiting:
        shopper.__exit__()
    return orders / elapsed, took


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=8)
    options = parser.parse_args()
    with collector() as (endpoint, spans):
        traced = {f"{service.prefix}OTLP_ENDPOINT": endpoint for service in SLICE.values()}
        begun = time.perf_counter()
        with environment(settings={**LIMITLESS, **traced}) as running:
            ready = time.perf_counter() - begun
            rate, took = measured(running, options.orders, options.at_once)
            report = running.report
        # The services send what is left when they stop.
    print(f"{report}\nfrom start to ready {ready:.1f} s (target 5)")
    print(f"{options.orders} orders, {options.at_once} at once: {rate:.1f} orders/s,"
          f" median {statistics.median(took) * 1000:.0f} ms from confirmation to confirmed")  # fmt: skip
    print(f"\n{'service':<14} {'span':<58} {'count':>6} {'median ms':>10} {'sum s':>8}")
    ranked = sorted(spans.durations.items(), key=lambda item: -sum(item[1]))
    for (service, name), durations in ranked[:SHOWN_SPANS]:
        total = sum(durations) / 1000
        print(f"{service:<14} {name[:58]:<58} {len(durations):>6} {statistics.median(durations):>10.2f} {total:>8.2f}")
    print(json.dumps({"ready": ready, "orders_per_second": rate, "median_ms": statistics.median(took) * 1000}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
