"""A service's process: waits for what it needs, says so, gives up in time; drains in order when it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.backends.redis import Redis
from services.platform.database import Database, DatabaseUnavailable
from services.platform.outbox import Outbox
from services.platform.process import BrokerPart, BrokerUnavailable, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from tests.services.platform.conftest import SCHEMA, TABLES
from tests.services.platform.reading import Handling, message, until

NOWHERE = "127.0.0.1:9"

SERVICE = """
import asyncio, sys
from functools import partial
from pathlib import Path
from shop.runtime.process import serve
from shop.runtime.transport import PublishedMessage, Success
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.inbox import first_time
from services.platform.logs import configure
from services.platform.outbox import Outbox
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay

async def main(dsn, schema, tables, url):
    configure("order")
    database, streams = Database(dsn, schema), RedisStreams(url)
    outbox = Outbox(database)

    async def handle(received):
        print("handling", flush=True)
        await asyncio.sleep(0.5)
        async with database.transaction() as connection:
            await first_time(connection, consumer="order", source="tests", id=received.id)
            await outbox.put(connection, "out", PublishedMessage(body=b"done " + received.body))
        return Success()

    async def subscribe():
        return [await streams.subscribe("in", "order", handle)]

    await serve(
        DatabasePart(database, Path(tables)),
        BrokerPart(streams),
        Relay(database, outbox, streams),
        Health([database_check(database), redis_check(streams.client)]),
        Subscribed(subscribe),
        grace=5.0,
    )

asyncio.run(main(*sys.argv[1:]))
"""


async def test_without_a_database_the_start_ends_after_its_time_with_the_reason() -> None:
    part = DatabasePart(Database(f"postgresql://u:p@{NOWHERE}/d", "order"), TABLES, wait=0.3)
    with pytest.raises(DatabaseUnavailable, match=r"no PostgreSQL at 127\.0\.0\.1:9"):
        await part.start()
    await part.stop()


async def test_without_redis_the_start_ends_after_its_time_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    streams = RedisStreams(f"redis://:secret@{NOWHERE}/0")
    began = time.monotonic()
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(BrokerUnavailable, match=r"no Redis at 127.0.0.1:9 after 0\.\d"),
    ):
        await BrokerPart(streams, wait=0.3, pause=0.05).start()
    assert time.monotonic() - began < 2
    assert "waiting for Redis at 127.0.0.1:9" in caplog.text
    assert "secret" not in caplog.text
    await streams.close()


async def test_the_start_goes_on_when_redis_comes(redis: Redis) -> None:
    await asyncio.to_thread(redis.kill9)
    streams = RedisStreams(redis.url, settings=StreamSettings(command_timeout=1.0))
    part = BrokerPart(streams, wait=20, pause=0.05)
    starting = asyncio.create_task(part.start())
    await asyncio.sleep(0.2)
    assert not starting.done()
    await asyncio.to_thread(redis.start)
    assert await asyncio.wait_for(starting, 20) == f"{redis.host}:{redis.port}"
    await part.stop()


async def test_subscriptions_stop_together(streams: RedisStreams) -> None:
    handling = Handling(pause=0.1)

    async def subscribe() -> list[Any]:
        return [await streams.subscribe(address, "g", handling) for address in "ab"]

    part = Subscribed(subscribe)
    assert await part.start() == "2 subscriptions"
    for address in "ab":
        await streams.publish(address, message("1"))
    await until(lambda: handling.running == 2)
    await part.stop(grace=5)
    assert (handling.running, handling.cancelled) == (0, 0)


@pytest.mark.slow
async def test_a_service_that_is_told_to_stop_finishes_what_it_began_and_publishes_it(
    dsn: str, redis: Redis, streams: RedisStreams, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, dsn, SCHEMA, str(TABLES), redis.url, stdout=-1, stderr=-1
    )
    await streams.publish("in", message("1"))
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"handling\n"
    process.send_signal(signal.SIGTERM)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, said.decode()
    found: Any = await streams.client.xrange("out")
    assert [fields[b"data"] for _, fields in found] == [b"done 1"]
    database = Database(dsn, SCHEMA)
    assert await Outbox(database).size() == 0
    await database.close()
    summary: Any = await streams.client.xpending("in", "order")
    assert summary["pending"] == 0
