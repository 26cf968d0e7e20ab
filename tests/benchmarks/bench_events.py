"""What the event transport costs against bare redis-py on the same stream of the same Redis.

Run: python -m tests.benchmarks.bench_events [messages]
Prints processor microseconds of this process per message and messages a second: the lower quartile of rounds in random
order, and the transport's share on top. The hand-written consumer reads 100 entries at a time, reads `metadata`, awaits
a handler, and acknowledges each entry when it is handled, or all of a read together, which loses them all when it dies.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from shop.runtime.transport import Outcome, PublishedMessage, ReceivedMessage, SubscribeOptions, Success

from harness.backends.session import backends
from services.platform.redis_streams import RedisStreams

ROUNDS = 9
BODY = json.dumps(
    {
        "specversion": "1.0",
        "id": "7f0c2c0e-1f4e-4b52-9f1e-0d6b3a9f7c11",
        "source": "order",
        "type": "order-created",
        "subject": "ord_81c0d4",
        "time": "2026-02-01T10:15:31.204000Z",
        "datacontenttype": "application/json",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {"order_id": "ord_81c0d4", "customer_id": "cus_1", "total_amount": 41.97, "currency": "EUR"},
    }
).encode()
KEY = "ord_81c0d4"
Measured = Callable[[int], Awaitable[None]]


def _bare(client: Redis) -> dict[str, Measured]:
    async def publish(messages: int) -> None:
        for _ in range(messages):
            await client.xadd("bench", {"data": BODY, "metadata": json.dumps({"partitionKey": KEY})})

    async def handle(body: bytes, metadata: dict[str, str]) -> bool:
        return bool(body)

    async def consume(messages: int, *, together: bool) -> None:
        await client.xgroup_create("bench", "bare", "0", mkstream=True)
        done = 0
        while done < messages:
            found: Any = await client.xreadgroup("bare", "one", {"bench": ">"}, count=100, block=1000)
            ids = []
            for id_, fields in found[0][1]:
                if await handle(fields[b"data"], json.loads(fields[b"metadata"])):
                    ids.append(id_)
                    if not together:
                        await client.xack("bench", "bare", id_)
                done += 1
            if together:
                await client.xack("bench", "bare", *ids)
        await client.xgroup_destroy("bench", "bare")

    return {
        "publish": publish,
        "consume": lambda messages: consume(messages, together=False),
        "consume, acknowledged together": lambda messages: consume(messages, together=True),
    }


def _transport(streams: RedisStreams) -> dict[str, Measured]:
    async def publish(messages: int) -> None:
        message = PublishedMessage(body=BODY, content_type="application/cloudevents+json", ordering_key=KEY)
        for _ in range(messages):
            await streams.publish("bench", message)

    async def consume(messages: int, options: SubscribeOptions) -> None:
        left = messages
        over = asyncio.Event()

        async def handle(received: ReceivedMessage) -> Outcome:
            nonlocal left
            left -= 1
            if left == 0:
                over.set()
            return Success()

        subscription = await streams.subscribe("bench", "ours", handle, options)
        await over.wait()
        await subscription.stop()
        await streams.client.xgroup_destroy("bench", "ours")

    keyed = SubscribeOptions(ordering_key=lambda received: received.ordering_key)
    return {
        "publish": publish,
        "consume": lambda messages: consume(messages, keyed),
        "consume, acknowledged together": lambda messages: consume(messages, SubscribeOptions()),
    }


async def _cost(measured: Measured, messages: int) -> tuple[float, float]:
    began, clock = time.process_time(), time.perf_counter()
    await measured(messages)
    return (time.process_time() - began) / messages * 1e6, messages / (time.perf_counter() - clock)


async def _bench(url: str, messages: int) -> None:
    client: Any = Redis.from_url(url, protocol=2)
    streams = RedisStreams(url)
    sides = {"bare": _bare(client), "transport": _transport(streams)}
    costs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    cases = [(case, side) for side, measured in sides.items() for case in measured]
    for _ in range(ROUNDS):
        random.shuffle(cases)
        for case, side in cases:
            if case == "publish":
                await client.delete("bench")
            elif await client.xlen("bench") < messages:
                await sides["bare"]["publish"](messages - int(await client.xlen("bench")))
            costs.setdefault((case, side), []).append(await _cost(sides[side][case], messages))
    print(f"{'':34}{'bare redis-py':>22}{'transport':>22}{'on top':>9}")
    for case in sides["bare"]:
        shown = []
        for side in sides:
            processor = statistics.quantiles([cpu for cpu, _ in costs[case, side]], n=4)[0]
            rate = statistics.quantiles([rate for _, rate in costs[case, side]], n=4)[2]
            shown.append((processor, rate))
        columns = "".join(f"{processor:>10.1f} us {rate:>7.0f}/s" for processor, rate in shown)
        print(f"{case:34}{columns}{shown[1][0] / shown[0][0] - 1:>8.1%}")
    await streams.close()
    await client.aclose()


def main() -> None:
    """The table."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with backends() as running:
        print(running.redis.version)
        asyncio.run(_bench(running.redis.direct_url, messages))


if __name__ == "__main__":
    main()
