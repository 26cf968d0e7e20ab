"""Mode `dapr`: what daprd 1.17 and 1.18 do where it differs from `durable`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from shop.runtime.transport import Drop, Redelivery, Retry, SubscribeOptions

from harness.backends.redis import Redis
from services.platform.redis_streams import Mode, RedisStreams
from tests.services.platform.conftest import QUICK
from tests.services.platform.reading import Handling, message, until

ONCE = Redelivery(max_attempts=1)


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    found = RedisStreams(redis.url, mode=Mode.DAPR, settings=QUICK)
    yield found
    await found.close()


async def pending(streams: RedisStreams) -> int:
    found: Any = await streams.client.xpending("a", "g")
    return int(found["pending"])


async def test_without_a_policy_one_failure_loses_the_message(streams: RedisStreams) -> None:
    handling = Handling(Retry("not now"))
    await streams.subscribe("a", "g", handling, SubscribeOptions(redelivery=ONCE))
    await streams.publish("a", message("1"))
    await until(lambda: streams.counts["dropped"])
    await asyncio.sleep(QUICK.processing_timeout * 1.5)
    assert (handling.seen, await pending(streams)) == (["1"], 0)


async def test_a_dead_letter_that_cannot_be_written_loses_the_message(streams: RedisStreams) -> None:
    await streams.client.set("dead", "not a stream")
    await streams.subscribe("a", "g", Handling(Drop("bad")), SubscribeOptions(dead_letter="dead"))
    await streams.publish("a", message("1"))
    await until(lambda: streams.counts["lost"])
    await asyncio.sleep(0.05)
    assert await pending(streams) == 0


async def test_a_dead_letter_is_the_unchanged_message_without_a_reason(streams: RedisStreams) -> None:
    await streams.subscribe("a", "g", Handling(Drop("bad")), SubscribeOptions(dead_letter="dead"))
    await streams.publish("a", message("1", tenant="t"))
    await until(lambda: streams.counts["dead_letters"])
    found: Any = await streams.client.xrange("dead")
    [[_, fields]] = found
    assert fields[b"data"] == b"1"
    assert json.loads(fields[b"metadata"]) == {"tenant": "t", "content-type": "application/json"}


async def test_a_handler_slower_than_the_processing_timeout_runs_twice_at_a_time(streams: RedisStreams) -> None:
    slow = Handling(pause=QUICK.processing_timeout * 2)
    await streams.subscribe("a", "g", slow)
    await streams.publish("a", message("1"))
    await until(lambda: slow.most == 2)


async def test_what_failed_after_the_processing_timeout_stays_pending(streams: RedisStreams) -> None:
    handling = Handling(Retry("late"), pause=QUICK.processing_timeout * 1.2)
    await streams.subscribe("a", "g", handling, SubscribeOptions(redelivery=ONCE, concurrency=1))
    await streams.publish("a", message("1"))
    await until(lambda: len(handling.seen) >= 2)


async def test_every_replica_reads_under_the_name_of_the_group(redis: Redis, streams: RedisStreams) -> None:
    other = RedisStreams(redis.url, mode=Mode.DAPR, settings=QUICK)
    for each in (streams, other):
        await each.subscribe("a", "g", Handling())
    await streams.publish("a", message("1"))
    await until(lambda: streams.counts["handled"] + other.counts["handled"])
    found: Any = await streams.client.xinfo_consumers("a", "g")
    assert [consumer["name"] for consumer in found] == [b"g"]
    await other.close()


async def test_what_a_stop_cuts_off_stays_pending_and_comes_back_after_the_processing_timeout(
    redis: Redis, streams: RedisStreams
) -> None:
    stuck, next_one = Handling(pause=60), Handling()
    subscription = await streams.subscribe("a", "g", stuck)
    await streams.publish("a", message("1"))
    await until(lambda: stuck.running)
    await subscription.stop(grace=0.01)
    assert await pending(streams) == 1
    other = RedisStreams(redis.url, mode=Mode.DAPR, settings=QUICK)
    await other.subscribe("a", "g", next_one)
    await until(lambda: next_one.seen)
    await other.close()


async def test_entries_trimmed_while_pending_are_counted(streams: RedisStreams) -> None:
    await streams.client.xgroup_create("a", "g", "0", mkstream=True)
    for number in range(5):
        await streams.publish("a", message(str(number)))
    await streams.client.xreadgroup("g", "g", {"a": ">"})
    await streams.client.xtrim("a", maxlen=2, approximate=False)
    await streams.subscribe("a", "g", Handling())
    await until(lambda: streams.counts["handled"] == 2)
    assert streams.counts["trimmed_pending"] == 3
