"""`make bench-mocks`: payments a second through the Stripe mock, beside the HTTP stack underneath; time to ready.

The mock runs in one process, the load in this one: sixteen connections, each
request with an idempotency key of its own. `bare` is uvicorn with an
application that reads the body and answers as many bytes, without any work.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvloop

CONNECTIONS, REQUESTS, ROUNDS = 16, 4800, 3
TARGET_RATE, TARGET_READY = 1500.0, 0.6
CREATE = "amount=2000&currency=usd&payment_method_types[0]=card&metadata[order_id]=o1"
PAY = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&metadata[order_id]=o1"

BARE = """
import asyncio, sys, uvicorn
from harness.gateways.transport import OpenProtocol

async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    body = b"x" * int(sys.argv[1])
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

async def main():
    config = uvicorn.Config(app, port=0, http=OpenProtocol, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(f"Bare http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await serving

import uvloop
uvloop.run(main())
"""


@contextmanager
def started(command: list[str], name: str) -> Iterator[tuple[int, float]]:
    """(port, seconds until the first answer) of a process that prints `<name> ... http://127.0.0.1:<port>`."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        found = None
        while found is None:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{name} did not start")
            found = re.match(rf"{name}\b.*?http://127\.0\.0\.1:(\d+)", line)
        yield int(found[1]), time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def requests(form: str) -> Callable[[], bytes]:
    """Requests with a new key each."""
    count = 0
    body = form.encode()
    head = (
        "POST /v1/payment_intents HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk_test_123\r\n"
        "content-type: application/x-www-form-urlencoded\r\nstripe-version: 2026-10-28.endive\r\n"
        f"content-length: {len(body)}\r\nidempotency-key: "
    )

    def make() -> bytes:
        nonlocal count
        count += 1
        return f"{head}{time.monotonic_ns()}-{count}\r\n\r\n".encode() + body

    return make


async def _connection(port: int, make: Callable[[], bytes], count: int, took: list[float]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = 0
    for _ in range(count):
        begun = time.perf_counter()
        writer.write(make())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = int(re.findall(rb"content-length: (\d+)", head)[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - begun)
    writer.close()
    return length


async def _load(port: int, form: str) -> tuple[float, float, int]:
    """(requests a second, median milliseconds, bytes of an answer): the best of three rounds."""
    best = (0.0, 0.0, 0)
    for _ in range(ROUNDS):
        took: list[float] = []
        make = requests(form)
        begun = time.perf_counter()
        lengths = await asyncio.gather(
            *(_connection(port, make, REQUESTS // CONNECTIONS, took) for _ in range(CONNECTIONS))
        )
        rate = REQUESTS / (time.perf_counter() - begun)
        best = max(best, (rate, statistics.median(took) * 1000, lengths[0]))
    return best


def main() -> int:
    """Measure and print."""
    treaty = [sys.executable, "-m", "codegen", "mock"]
    rows = []
    with started([*treaty, "stripe"], "Stripe") as (port, _):
        for case, form in (("create", CREATE), ("create and confirm", PAY)):
            rate, milliseconds, size = uvloop.run(_load(port, form))
            rows.append({"case": case, "rate": rate, "ms": milliseconds, "bytes": size})
    with started([sys.executable, "-c", BARE, str(rows[0]["bytes"])], "Bare") as (port, _):
        rate, milliseconds, size = uvloop.run(_load(port, CREATE))
        rows.append({"case": "bare HTTP stack", "rate": rate, "ms": milliseconds, "bytes": size})
    print(f"{'POST /v1/payment_intents':<28} {'requests/s':>10} {'median ms':>10} {'bytes':>7} {'target':>7}")
    for row in rows:
        target = f"{TARGET_RATE:.0f}" if row["case"] == "create" else ""
        print(f"{row['case']:<28} {row['rate']:>10.0f} {row['ms']:>10.2f} {row['bytes']:>7} {target:>7}")
    ready = {}
    for names in (["stripe"], []):
        seconds = []
        for _ in range(5):
            with started([*treaty, *names], "Stripe") as (_, took):
                seconds.append(took)
        ready["all seven" if not names else "stripe"] = statistics.median(seconds)
    print(f"\n{'from process start to ready':<28} {'seconds':>10} {'target':>29}")
    for names_shown, took in ready.items():
        print(f"{names_shown:<28} {took:>10.2f} {TARGET_READY:>29}")
    print(json.dumps({"rates": rows, "ready": ready}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
