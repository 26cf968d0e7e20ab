"""What both modes of the transport do alike, on a real Redis: the wire, groups, competition, expiry, dead letters."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
from shop.runtime.errors import TransportError
from shop.runtime.events import CloudEvent
from shop.runtime.resilience import current_deadline, deadline_scope
from shop.runtime.transport import (
    Outcome,
    PublishedMessage,
    ReceivedMessage,
    Redelivery,
    Retry,
    StartAt,
    SubscribeOptions,
    Success,
)

from harness.backends.redis import Redis
from services.platform.redis_streams import Mode, RedisStreams
from tests.services.platform.conftest import QUICK
from tests.services.platform.reading import Handling, event, message, until

FEW = Redelivery(max_attempts=2, initial_delay=0.01)


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
async def streams(redis: Redis, request: pytest.FixtureRequest) -> AsyncIterator[RedisStreams]:
    found = RedisStreams(redis.url, mode=request.param, settings=QUICK)
    yield found
    await found.close()


async def entries(streams: RedisStreams, address: str) -> list[dict[bytes, bytes]]:
    found: Any = await streams.client.xrange(address)
    return [fields for _, fields in found]


async def pending(streams: RedisStreams, address: str, group: str) -> int:
    found: Any = await streams.client.xpending(address, group)
    return int(found["pending"])


async def test_an_event_is_stored_in_the_fields_of_daprs_component(streams: RedisStreams) -> None:
    sent = CloudEvent(id="1", source="order", type="order-created", time=None, data={"n": 1})
    await streams.publish(
        "orders",
        PublishedMessage(
            body=sent.to_json(),
            content_type="application/cloudevents+json",
            headers={"tenant": "t"},
            ordering_key="o1",
        ),
    )
    await streams.publish("orders", event("2"))
    first, second = await entries(streams, "orders")
    assert first == {
        b"data": b'{"data":{"n":1},"datacontenttype":"application/json","id":"1","source":"order",'
        b'"specversion":"1.0","type":"order-created"}',
        b"metadata": b'{"tenant":"t","partitionKey":"o1"}',
    }
    assert second[b"metadata"] == b"{}"


@pytest.mark.parametrize(
    "fields",
    [
        {"data": b"x", "metadata": b'{"a":"1"}'},
        {"metadata": b'{"a":"1"}', "data": b"x"},
        {"data": b"x"},
        {"data": b"x", "metadata": b"[]"},
        {"data": b"x", "metadata": b"{no json"},
        {"data": b"x", "metadata": b"{}", "more": b"?"},
    ],
)
async def test_fields_are_read_by_name_and_metadata_may_be_missing_or_broken(
    streams: RedisStreams, fields: dict[Any, Any]
) -> None:
    await streams.client.xadd("a", fields)
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    await until(lambda: handling.seen)
    assert handling.seen == ["x"]
    expected = {"a": "1"} if b'"a"' in fields.get("metadata", b"") else {}
    assert handling.messages[0].headers == expected
    assert handling.messages[0].content_type == "application/cloudevents+json"


async def test_a_message_arrives_as_it_was_published(streams: RedisStreams) -> None:
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    binary = b'{"data_base64":"//79AA==","big":12345678901234567890,"text":"<>&"}'
    sent = PublishedMessage(body=binary, content_type="text/x", headers={"h": "\u00e4 \u2603"}, ordering_key="k")
    id_ = await streams.publish("a", sent)
    await until(lambda: handling.messages)
    [received] = handling.messages
    assert (received.body, received.content_type, dict(received.headers)) == (binary, "text/x", {"h": "\u00e4 \u2603"})
    assert (received.id, received.address, received.ordering_key, received.attempt) == (id_, "a", "k", 1)
    assert received.first_seen.tzinfo is not None


async def test_a_new_group_replays_history_and_two_groups_both_get_all(streams: RedisStreams) -> None:
    for number in range(5):
        await streams.publish("a", message(str(number)))
    one, two = Handling(), Handling()
    await streams.subscribe("a", "one", one)
    await streams.subscribe("a", "two", two)
    await until(lambda: len(one.seen) == len(two.seen) == 5)
    assert sorted(one.seen) == sorted(two.seen) == list("01234")
    await until(lambda: _none_pending(streams, "a", "one", "two"))


async def _none_pending(streams: RedisStreams, address: str, *groups: str) -> bool:
    return not any([await pending(streams, address, group) for group in groups])


async def test_competing_subscriptions_share_the_messages_without_loss_or_repetition(
    redis: Redis, streams: RedisStreams
) -> None:
    other = RedisStreams(redis.url, mode=streams.mode, settings=QUICK)
    handlers = [Handling(pause=0.001) for _ in range(3)]
    for handling, transport in zip(handlers, (streams, other, streams), strict=True):
        await transport.subscribe("a", "g", handling, SubscribeOptions(concurrency=4))
    sent = [str(number) for number in range(300)]
    for text in sent:
        await streams.publish("a", message(text))
    await until(lambda: sum(len(handling.seen) for handling in handlers) >= 300)
    await asyncio.sleep(0.05)
    assert sorted((text for handling in handlers for text in handling.seen), key=int) == sent
    assert all(handling.seen for handling in handlers)
    assert max(handling.most for handling in handlers) <= 4
    await other.close()


@pytest.mark.slow
async def test_a_thousand_messages_with_failures_now_and_then_all_arrive(streams: RedisStreams) -> None:
    done: list[str] = []
    calls = itertools.count(1)

    async def handle(received: ReceivedMessage) -> Outcome:
        call = next(calls)
        if call <= 2 or call % 5 == 0:
            raise ConnectionError("now and then")
        done.append(received.body.decode())
        return Success()

    options = SubscribeOptions(redelivery=Redelivery(max_attempts=20, initial_delay=0.001, max_delay=0.01))
    await streams.subscribe("a", "g", handle, options)
    sent = {str(number) for number in range(1000)}
    for text in sorted(sent):
        await streams.publish("a", message(text))
    await until(lambda: len(set(done)) == 1000, within=30)
    assert set(done) == sent
    if streams.mode is Mode.DURABLE:
        assert len(done) == 1000


async def test_nothing_comes_from_an_address_that_is_not_subscribed(streams: RedisStreams) -> None:
    handling = Handling()
    await streams.subscribe("mine", "g", handling)
    await streams.publish("other", message("no"))
    await streams.publish("mine", message("yes"))
    await until(lambda: handling.seen)
    await asyncio.sleep(0.05)
    assert handling.seen == ["yes"]


async def test_a_group_comes_back_after_everything_was_flushed(redis: Redis, streams: RedisStreams) -> None:
    handling = Handling()
    await streams.subscribe("a", "g", handling)
    await streams.publish("a", message("1"))
    await until(lambda: handling.seen == ["1"])
    redis.flush()
    await streams.publish("a", message("2"))
    await until(lambda: handling.seen == ["1", "2"])
    await until(lambda: _none_pending(streams, "a", "g"))


async def test_an_expired_event_is_not_handled_but_becomes_a_dead_letter(streams: RedisStreams) -> None:
    handling = Handling()
    await streams.publish("a", event("old", expiration="2026-01-01T00:00:00Z"))
    await streams.publish("a", event("new", expiration="2999-01-01T00:00:00Z"))
    await streams.publish("a", event("never"))
    await streams.subscribe("a", "g", handling, SubscribeOptions(dead_letter="dead"))
    await until(lambda: len(handling.seen) == 2)
    assert sorted(json.loads(text)["id"] for text in handling.seen) == ["never", "new"]
    await until(lambda: entries(streams, "dead"))
    [letter] = await entries(streams, "dead")
    assert json.loads(letter[b"data"])["id"] == "old"
    assert streams.counts["expired"] == 1


async def test_a_time_to_live_at_publication_becomes_the_events_expiration(streams: RedisStreams) -> None:
    await streams.publish(
        "a",
        PublishedMessage(
            body=event("1").body, content_type="application/cloudevents+json", headers={"ttlInSeconds": "60"}
        ),
    )
    [stored] = await entries(streams, "a")
    assert json.loads(stored[b"data"])["expiration"].endswith("Z")
    with pytest.raises(ValueError, match="ttlInSeconds is 'soon'"):
        await streams.publish(
            "a",
            PublishedMessage(
                body=event("1").body, content_type="application/cloudevents+json", headers={"ttlInSeconds": "soon"}
            ),
        )


async def test_a_poisoned_message_goes_to_the_dead_letters_and_the_others_keep_flowing(streams: RedisStreams) -> None:
    handled: list[str] = []

    async def handle(received: ReceivedMessage) -> Outcome:
        if received.body == b"poison":
            raise RuntimeError("cannot")
        handled.append(received.body.decode())
        return Success()

    await streams.subscribe("a", "g", handle, SubscribeOptions(dead_letter="dead", redelivery=FEW, concurrency=2))
    for text in ("1", "poison", "2", "3"):
        await streams.publish("a", message(text))
    await until(lambda: entries(streams, "dead"))
    await until(lambda: len(handled) == 3)
    [letter] = await entries(streams, "dead")
    assert letter[b"data"] == b"poison"
    await until(lambda: _none_pending(streams, "a", "g"))
    assert streams.counts["dead_letters"] == 1


async def test_handlers_inherit_nothing_from_publisher_or_each_other(streams: RedisStreams) -> None:
    from contextvars import ContextVar

    leaking: ContextVar[str] = ContextVar("leaking", default="clean")
    found = []

    async def handle(received: ReceivedMessage) -> Outcome:
        found.append((current_deadline(), leaking.get()))
        leaking.set("dirty")
        await asyncio.sleep(0)
        return Success()

    with deadline_scope(5.0):
        for number in range(10):
            await streams.publish("a", message(str(number)))
        await streams.subscribe("a", "g", handle, SubscribeOptions(concurrency=1))
    await until(lambda: len(found) == 10)
    assert set(found) == {(None, "clean")}


async def test_a_handler_may_stop_its_own_subscription(streams: RedisStreams) -> None:
    stopped = asyncio.Event()

    async def handle(received: ReceivedMessage) -> Outcome:
        await subscription.stop(grace=1)
        stopped.set()
        return Success()

    subscription = await streams.subscribe("a", "g", handle)
    await streams.publish("a", message("1"))
    await asyncio.wait_for(stopped.wait(), 5)
    await subscription.stop()


async def test_a_retry_says_itself_when_it_comes(streams: RedisStreams) -> None:
    handling = Handling(Retry("later", after=0.05))
    loop = asyncio.get_running_loop()
    await streams.subscribe("a", "g", handling, SubscribeOptions(redelivery=Redelivery(initial_delay=30)))
    began = loop.time()
    await streams.publish("a", message("1"))
    await until(lambda: len(handling.seen) == 2)
    assert 0.05 <= loop.time() - began < 2
    assert handling.attempts == [("1", 1), ("1", 2)]


async def test_publishing_to_what_is_no_stream_is_a_transport_error(streams: RedisStreams) -> None:
    await streams.client.set("a", "text")
    with pytest.raises(TransportError, match="not known to be published to a"):
        await streams.publish("a", message("1"))
    with pytest.raises(TransportError, match="cannot subscribe to a for g"):
        await streams.subscribe("a", "g", Handling())


async def test_concurrency_below_one_is_refused(streams: RedisStreams) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        await streams.subscribe("a", "g", Handling(), SubscribeOptions(concurrency=0, start=StartAt.NOW))
