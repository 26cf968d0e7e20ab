"""Mode `durable` on a real Redis: nothing is lost, keys stay in order, what is given up is told with its reason."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from shop.runtime.transport import Drop, Outcome, ReceivedMessage, Redelivery, Retry, SubscribeOptions, Success

from harness.backends.redis import Redis
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.redis_streams.upkeep import StreamFigures, figures, trim
from tests.services.platform.conftest import QUICK
from tests.services.platform.reading import Handling, message, until


def by_prefix(received: ReceivedMessage) -> str:
    """`x:1` has the key `x`."""
    return received.body.decode().partition(":")[0]


async def pending(streams: RedisStreams, address: str, group: str = "g") -> list[dict[str, Any]]:
    found: Any = await streams.client.xpending_range(address, group, "-", "+", 100)
    return list(found)


async def letters(streams: RedisStreams, address: str = "dead") -> list[dict[str, Any]]:
    found: Any = await streams.client.xrange(address)
    return [{"data": fields[b"data"], **json.loads(fields[b"metadata"])} for _, fields in found]


async def left_by_the_dead(streams: RedisStreams, *texts: str) -> None:
    """Messages that a reader took and never acknowledged."""
    await streams.client.xgroup_create("a", "g", "0", mkstream=True)
    for text in texts:
        await streams.publish("a", message(text))
    await streams.client.xreadgroup("g", "dead reader", {"a": ">"})


class Ordered:
    """Notes what was handled per key; fails, and takes its time, now and then."""

    def __init__(self, failing: int = 3) -> None:
        self.done: dict[str, list[int]] = {}
        self._at_work: set[str] = set()
        self._pauses = itertools.cycle([0.0007, 0.0001, 0.0009, 0.0002, 0.0005, 0])
        self._failing = failing

    async def __call__(self, received: ReceivedMessage) -> Outcome:
        key, _, number = received.body.decode().partition(":")
        assert key not in self._at_work, "two of one key at a time"
        self._at_work.add(key)
        try:
            await asyncio.sleep(next(self._pauses))
        finally:
            self._at_work.remove(key)
        if received.attempt == 1 and int(number) % self._failing == 0:
            return Retry("once more", after=0.002)
        self.done.setdefault(key, []).append(int(number))
        return Success()

    @property
    def count(self) -> int:
        return sum(map(len, self.done.values()))


async def test_messages_of_one_key_stay_in_order_under_concurrency_and_retry_in_several_replicas(
    redis: Redis, streams: RedisStreams
) -> None:
    handling = Ordered()
    others = [RedisStreams(redis.url, settings=QUICK) for _ in range(2)]
    options = SubscribeOptions(concurrency=8, ordering_key=by_prefix)
    subscriptions = [await each.subscribe("a", "g", handling, options) for each in (streams, *others)]
    for number in range(60):
        for key in "xyz":
            await streams.publish("a", message(f"{key}:{number}"))
        if number == 30:
            await subscriptions[0].stop(grace=0)
    await until(lambda: handling.count >= 180)
    for key in "xyz":
        assert list(dict.fromkeys(handling.done[key])) == list(range(60))
    for each in others:
        await each.close()


async def test_the_next_reader_takes_over_what_is_pending_before_it_reads_on(streams: RedisStreams) -> None:
    await left_by_the_dead(streams, "x:1", "x:2")
    await streams.publish("a", message("x:3"))
    handling = Handling()
    await streams.subscribe("a", "g", handling, SubscribeOptions(ordering_key=by_prefix))
    await until(lambda: len(handling.seen) == 3)
    assert handling.attempts == [("x:1", 2), ("x:2", 2), ("x:3", 1)]


async def test_of_several_readers_of_ordered_messages_one_reads_and_another_follows_when_it_stops(
    redis: Redis, streams: RedisStreams
) -> None:
    other = RedisStreams(redis.url, settings=QUICK)
    first, second = Handling(), Handling()
    options = SubscribeOptions(ordering_key=by_prefix)
    reading = await streams.subscribe("a", "g", first, options)
    await streams.publish("a", message("1"))
    await until(lambda: first.seen == ["1"])
    await other.subscribe("a", "g", second, options)
    await streams.publish("a", message("2"))
    await until(lambda: first.seen == ["1", "2"])
    await reading.stop()
    await streams.publish("a", message("3"))
    await until(lambda: second.seen == ["3"])
    await other.close()


async def test_a_reader_that_lost_its_lease_lets_go_of_everything_until_it_has_it_again(streams: RedisStreams) -> None:
    handling = Handling(pause=0.4)
    await streams.subscribe("a", "g", handling, SubscribeOptions(ordering_key=by_prefix))
    await streams.publish("a", message("x:1"))
    await streams.publish("a", message("x:2"))
    await until(lambda: handling.running)
    await streams.client.set("treaty:reader:g:a", "another replica")
    await until(lambda: handling.cancelled == 1)
    await streams.publish("a", message("x:3"))
    await asyncio.sleep(0.3)
    assert handling.seen == ["x:1"]
    await streams.client.delete("treaty:reader:g:a")
    await until(lambda: len(handling.seen) == 4)
    assert handling.seen == ["x:1", "x:1", "x:2", "x:3"]
    await until(lambda: _settled(streams))


async def test_keys_given_at_publication_order_messages_within_a_subscription(streams: RedisStreams) -> None:
    handling = Ordered()
    await streams.subscribe("a", "g", handling, SubscribeOptions(concurrency=8))
    for number in range(30):
        for key in "xy":
            await streams.publish("a", message(f"{key}:{number}", key))
    await until(lambda: handling.count == 60)
    assert handling.done == {"x": list(range(30)), "y": list(range(30))}


async def test_a_message_that_waits_for_its_retry_holds_up_its_key_only(streams: RedisStreams) -> None:
    handling = Handling(Retry("later", after=0.2))
    await streams.subscribe("a", "g", handling, SubscribeOptions(concurrency=1, ordering_key=by_prefix))
    for text in ("x:1", "x:2", "y:1"):
        await streams.publish("a", message(text))
    await until(lambda: len(handling.seen) == 4)
    assert handling.seen == ["x:1", "y:1", "x:1", "x:2"]


async def test_an_entry_left_by_a_reader_that_died_is_delivered_again_with_its_attempt(streams: RedisStreams) -> None:
    await left_by_the_dead(streams, "1")
    handling = Handling()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await streams.subscribe("a", "g", handling)
    await until(lambda: handling.seen)
    assert loop.time() - began > QUICK.processing_timeout * 0.6
    assert handling.attempts == [("1", 2)]
    await until(lambda: _settled(streams))
    assert streams.counts["claimed"] == 1


async def _settled(streams: RedisStreams) -> bool:
    return not await pending(streams, "a")


async def test_a_handler_slower_than_the_processing_timeout_is_not_called_twice_while_it_lives(
    redis: Redis, streams: RedisStreams
) -> None:
    other = RedisStreams(redis.url, settings=QUICK)
    slow, idle = Handling(pause=QUICK.processing_timeout * 2.5), Handling()
    await streams.subscribe("a", "g", slow)
    await streams.publish("a", message("1"))
    await until(lambda: slow.seen)
    await other.subscribe("a", "g", idle)
    await until(lambda: slow.running == 0)
    await until(lambda: _settled(streams))
    assert (slow.attempts, idle.seen) == ([("1", 1)], [])
    await other.close()


async def test_a_dead_letter_is_the_message_with_the_reason_attempts_and_origin(streams: RedisStreams) -> None:
    handling = Handling(Retry("no\nstock"), Retry("no stock"))
    options = SubscribeOptions(dead_letter="dead", redelivery=Redelivery(max_attempts=2, initial_delay=0.01))
    id_ = await streams.publish("a", message("1", "k", tenant="t"))
    await streams.subscribe("a", "g", handling, options)
    await until(lambda: letters(streams))
    [letter] = await letters(streams)
    first_seen = handling.messages[0].first_seen
    assert letter == {
        "data": b"1",
        "tenant": "t",
        "partitionKey": "k",
        "content-type": "application/json",
        "x-dlq-reason": "no stock",
        "x-attempts": "2",
        "x-first-seen": first_seen.isoformat(),
        "x-origin-topic": "a",
        "x-origin-id": id_,
        "x-origin-group": "g",
    }
    assert handling.messages[1].first_seen == first_seen
    assert await _settled(streams)


async def test_a_message_whose_dead_letter_cannot_be_written_stays_pending_until_it_can(streams: RedisStreams) -> None:
    await streams.client.set("dead", "not a stream")
    handling = Handling(Drop("bad"))
    await streams.subscribe("a", "g", handling, SubscribeOptions(dead_letter="dead", concurrency=1))
    await streams.publish("a", message("bad"))
    await streams.publish("a", message("good"))
    await until(lambda: handling.seen == ["bad", "good"])
    await asyncio.sleep(0.3)
    assert [each["times_delivered"] for each in await pending(streams, "a")] == [1]
    await streams.client.delete("dead")
    await until(lambda: letters(streams))
    await until(lambda: _settled(streams))
    assert [letter["x-dlq-reason"] for letter in await letters(streams)] == ["bad"]
    assert handling.seen == ["bad", "good"]


async def test_a_message_given_up_without_dead_letters_is_told_in_the_log(
    streams: RedisStreams, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await streams.subscribe("a", "g", Handling(Drop("not ours")))
        await streams.publish("a", message("1"))
        await until(lambda: streams.counts["dropped"])
    assert "message dropped: address=a" in caplog.text
    await until(lambda: _settled(streams))


async def test_a_message_that_kills_its_readers_is_given_up_without_another_call(streams: RedisStreams) -> None:
    await left_by_the_dead(streams, "1")
    [left] = await pending(streams, "a")
    await streams.client.xclaim("a", "g", "dead", 0, [left["message_id"]], retrycount=5, justid=True)
    handling = Handling()
    await streams.subscribe("a", "g", handling, SubscribeOptions(dead_letter="dead"))
    await until(lambda: letters(streams))
    assert (await letters(streams))[0]["x-dlq-reason"] == "delivered 5 times without an outcome"
    assert handling.seen == []


async def test_an_entry_without_data_becomes_a_dead_letter(streams: RedisStreams) -> None:
    await streams.client.xadd("a", {"payload": "x"})
    await streams.subscribe("a", "g", Handling(), SubscribeOptions(dead_letter="dead"))
    await until(lambda: letters(streams))
    assert (await letters(streams))[0]["x-dlq-reason"].startswith("malformed: no field `data`")


async def test_entries_trimmed_while_pending_are_counted_and_leave_the_list_of_pending_ones(
    streams: RedisStreams, caplog: pytest.LogCaptureFixture
) -> None:
    await left_by_the_dead(streams, *"12345")
    await streams.client.xtrim("a", maxlen=2, approximate=False)
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    await until(lambda: len(handling.seen) == 2)
    await until(lambda: _settled(streams))
    assert sorted(handling.seen) == ["4", "5"]
    assert streams.counts["trimmed_pending"] == 3
    assert "3 of them are lost" in caplog.text


async def test_an_entry_trimmed_while_its_handler_runs_is_still_finished(streams: RedisStreams) -> None:
    slow = Handling(Retry("again", after=0), Drop("bad"), pause=QUICK.processing_timeout)
    await streams.subscribe("a", "g", slow, SubscribeOptions(dead_letter="dead"))
    await streams.publish("a", message("1"))
    await until(lambda: slow.running)
    await streams.client.xtrim("a", maxlen=0, approximate=False)
    await until(lambda: letters(streams))
    assert [letter["data"] for letter in await letters(streams)] == [b"1"]
    assert slow.attempts == [("1", 1), ("1", 2)]
    assert streams.counts["trimmed_pending"] == 1
    assert await _settled(streams)


async def test_a_graceful_stop_reads_nothing_more_and_gives_back_what_is_not_finished(redis: Redis) -> None:
    patient = replace(QUICK, processing_timeout=20.0)
    streams, other = (RedisStreams(redis.url, settings=patient) for _ in range(2))
    leaving, next_one = Handling(pause=0.15), Handling()
    subscription = await streams.subscribe("a", "g", leaving, SubscribeOptions(concurrency=1))
    for text in "123":
        await streams.publish("a", message(text))
    await until(lambda: _all_read(streams, 3))
    await subscription.stop(grace=5)
    await streams.publish("a", message("4"))
    assert leaving.cancelled == 0
    assert len(leaving.seen) < 3
    assert {each["times_delivered"] for each in await pending(streams, "a")} == {0}
    await other.subscribe("a", "g", next_one, SubscribeOptions(concurrency=1))
    await until(lambda: len(leaving.seen) + len(next_one.seen) == 4)
    assert sorted(leaving.attempts + next_one.attempts) == [("1", 1), ("2", 1), ("3", 1), ("4", 1)]
    await other.close()
    await streams.close()


async def _all_read(streams: RedisStreams, count: int) -> bool:
    found: Any = await streams.client.xinfo_groups("a")
    return bool(found[0]["entries-read"] == count)


async def test_a_handler_that_outlasts_the_grace_is_cancelled_and_its_message_delivered_again(
    streams: RedisStreams,
) -> None:
    stuck, next_one = Handling(pause=60), Handling()
    subscription = await streams.subscribe("a", "g", stuck)
    await streams.publish("a", message("1", "key"))
    await until(lambda: stuck.running)
    await asyncio.gather(subscription.stop(grace=0.01), subscription.stop(grace=0.01))
    assert stuck.cancelled == 1
    await streams.subscribe("a", "g", next_one)
    await until(lambda: next_one.seen)
    assert next_one.attempts == [("1", 2)]


async def test_a_reader_that_left_in_order_leaves_no_consumer_behind(streams: RedisStreams) -> None:
    subscription = await streams.subscribe("a", "g", Handling())
    await streams.publish("a", message("1"))
    await until(lambda: _consumers(streams))
    await until(lambda: _settled(streams))
    await subscription.stop()
    assert not await _consumers(streams)


async def _consumers(streams: RedisStreams) -> Sequence[Any]:
    found: Sequence[Any] = await streams.client.xinfo_consumers("a", "g")
    return found


async def test_everything_that_was_published_arrives_although_redis_is_killed_and_started_again(
    redis: Redis, streams: RedisStreams
) -> None:
    from shop.runtime.errors import TransportError

    handling = Handling(pause=0.002)
    await streams.subscribe("a", "g", handling, SubscribeOptions(ordering_key=lambda received: "one"))
    sent: list[str] = []

    async def publish() -> None:
        for number in range(150):
            text = str(number)
            while True:
                try:
                    await streams.publish("a", message(text))
                    break
                except TransportError:
                    await asyncio.sleep(0.05)
            sent.append(text)

    publishing = asyncio.create_task(publish())
    await until(lambda: len(sent) > 50)
    await asyncio.to_thread(redis.kill9)
    await asyncio.sleep(0.2)
    await asyncio.to_thread(redis.start)
    await publishing
    await until(lambda: len(set(handling.seen)) == 150, within=20)
    assert list(dict.fromkeys(handling.seen)) == sent
    await until(lambda: _settled(streams))


async def test_stopping_while_redis_is_away_does_not_take_long(redis: Redis, streams: RedisStreams) -> None:
    subscription = await streams.subscribe("a", "g", Handling())
    await asyncio.to_thread(redis.kill9)
    await asyncio.wait_for(subscription.stop(grace=1), 5)
    await asyncio.to_thread(redis.start)


async def test_pending_entries_and_memory_stay_bounded_while_many_wait_for_a_retry(streams: RedisStreams) -> None:
    settings = StreamSettings(processing_timeout=5, max_held=20, queue_depth=10)
    small = RedisStreams(streams._url, settings=settings)
    handling = Handling(*[Retry("later", after=0.3)] * 50)
    await small.subscribe("a", "g", handling)
    for number in range(100):
        await streams.publish("a", message(str(number)))
    await until(lambda: len(handling.seen) >= 20)
    await asyncio.sleep(0.1)
    assert len(await pending(streams, "a")) <= 30
    await until(lambda: len(set(handling.seen)) == 100)
    await until(lambda: _settled(streams))
    await small.close()


async def test_trimming_keeps_what_a_group_has_not_read_or_not_settled(streams: RedisStreams) -> None:
    for number in range(10):
        await streams.publish("a", message(str(number)))
    assert await trim(streams.client, "a", keep=0) == 0, "no group has read anything"
    await streams.client.xgroup_create("a", "fast", "0")
    await streams.client.xgroup_create("a", "slow", "0")
    taken: Any = await streams.client.xreadgroup("fast", "c", {"a": ">"}, count=10)
    read = taken[0][1]
    await streams.client.xack("a", "fast", *(id_ for id_, _ in read))
    assert await trim(streams.client, "a", keep=0) == 0, "the slow group has read nothing"
    await streams.client.xreadgroup("slow", "c", {"a": ">"}, count=5)
    await streams.client.xack("a", "slow", *(id_ for id_, _ in read[:3]))
    assert await trim(streams.client, "a", keep=0, most=2) == 2
    assert await trim(streams.client, "a", keep=8) == 0
    assert await trim(streams.client, "a", keep=0) == 1, "the fourth is pending"
    left: Any = await streams.client.xrange("a")
    assert left == read[3:]
    assert (await figures(streams.client, "a")).groups[1].trimmed_unread == 0


async def test_a_stream_is_trimmed_while_it_is_read_when_the_settings_say_so(redis: Redis) -> None:
    streams = RedisStreams(redis.url, settings=replace(QUICK, keep={"a": 5}))
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    for number in range(50):
        await streams.publish("a", message(str(number)))
    await until(lambda: len(handling.seen) == 50)
    await until(lambda: _length_is(streams, 5))
    await streams.close()


async def _length_is(streams: RedisStreams, length: int) -> bool:
    return (await figures(streams.client, "a")).length == length


async def test_entries_that_somebody_trims_before_a_group_reads_them_are_reported(
    streams: RedisStreams, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = await streams.subscribe("a", "g", Handling())
    await streams.publish("a", message("0"))
    await until(lambda: streams.counts["handled"])
    await subscription.stop()
    for number in range(10):
        await streams.publish("a", message(str(number)))
    await streams.client.xtrim("a", maxlen=4, approximate=False)
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    await until(lambda: len(handling.seen) == 4)
    assert streams.counts["trimmed_unread"] == 6
    assert "were trimmed before g read them" in caplog.text


async def test_figures_of_a_stream_tell_length_lag_and_what_is_pending(streams: RedisStreams) -> None:
    assert await figures(streams.client, "a") == StreamFigures(0, ())
    await left_by_the_dead(streams, "1", "2")
    await streams.publish("a", message("3"))
    found = await figures(streams.client, "a")
    [group] = found.groups
    assert (found.length, group.name, group.pending, group.lag, group.trimmed_unread) == (3, "g", 2, 1, 0)
    assert 0 <= group.oldest_pending < 5
