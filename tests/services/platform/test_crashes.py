"""Processes that are killed with SIGKILL in the middle of their work, and replies that are lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from typing import Any

import pytest
from shop.runtime.errors import TransportError

from harness.backends.faults import LostReply
from harness.backends.redis import Redis
from services.platform.database import Database
from services.platform.outbox import Outbox
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay, RelaySettings
from tests.services.platform.conftest import QUICK, SCHEMA
from tests.services.platform.reading import Handling, message, until

RELAY = """
import asyncio, sys
from services.platform.database import Database
from services.platform.outbox import Outbox
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay, RelaySettings

async def main():
    database = Database(sys.argv[1], sys.argv[2])
    relay = Relay(database, Outbox(database), RedisStreams(sys.argv[3]), RelaySettings(batch=50, standby=0.05))
    await relay.start()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
CONSUMER = """
import asyncio, sys
from services.platform.redis_streams import RedisStreams, StreamSettings
from shop.runtime.transport import SubscribeOptions

async def handle(received):
    print("handling", received.body.decode(), flush=True)
    await asyncio.sleep(60)

async def main():
    streams = RedisStreams(sys.argv[1], settings=StreamSettings(processing_timeout=0.6, redeliver_interval=0.1))
    await streams.subscribe("a", "g", handle, SubscribeOptions(concurrency=2))
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def started(source: str, *arguments: str) -> asyncio.subprocess.Process:
    """A process that has said its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30)
    return process


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    await process.communicate()


@pytest.mark.slow
async def test_a_relay_that_is_killed_leaves_nothing_unpublished_and_repeats_with_the_same_id(
    dsn: str, redis: Redis, streams: RedisStreams
) -> None:
    database = Database(dsn, SCHEMA)
    outbox = Outbox(database)
    dying = await started(RELAY, dsn, SCHEMA, redis.url)
    total = 600
    for begin in range(0, total, 20):
        async with database.transaction() as connection:
            for number in range(begin, begin + 20):
                body = json.dumps({"id": str(number)})
                await outbox.put(connection, "a", message(body, key=str(number % 3)))
        if begin == 200:
            await until(lambda: streams.client.xlen("a"))
            await killed(dying)
    relay = Relay(database, outbox, streams, RelaySettings(standby=0.05))
    await relay.start()

    async def empty() -> bool:
        return await outbox.size() == 0

    await until(empty, within=20)
    await relay.stop(5)
    found: Any = await streams.client.xrange("a")
    ids = [int(json.loads(fields[b"data"])["id"]) for _, fields in found]
    first = list(dict.fromkeys(ids))
    assert sorted(first) == list(range(total))
    for key in range(3):
        mine = [number for number in first if number % 3 == key]
        assert mine == sorted(mine)
    assert max(Counter(ids).values()) <= 2
    await database.close()


@pytest.mark.slow
async def test_messages_of_a_consumer_that_is_killed_are_delivered_again_with_the_next_attempt(
    redis: Redis, streams: RedisStreams
) -> None:
    for text in "123":
        await streams.publish("a", message(text))
    dying = await started(CONSUMER, redis.url)
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    await asyncio.sleep(QUICK.processing_timeout * 1.5)
    assert handling.seen == [], "its reader lives"
    await killed(dying)
    await until(lambda: len(handling.seen) == 3)
    assert sorted(handling.attempts) == [("1", 2), ("2", 2), ("3", 2)]


async def test_a_publication_whose_reply_is_lost_is_an_error_and_stored_once(redis: Redis) -> None:
    streams = RedisStreams(redis.url, settings=QUICK)
    await streams.publish("a", message("before"))
    with redis.faults.add(LostReply(match=b"XADD")), pytest.raises(TransportError):
        await streams.publish("a", message("ambiguous"))
    assert await streams.client.xlen("a") == 2
    await streams.close()
