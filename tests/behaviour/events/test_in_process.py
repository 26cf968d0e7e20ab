"""The in-process transport keeps the promises that generated consumers rely on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.runtime.in_process import InProcessTransport, ManualClock
from codegen.targets.python.runtime.transport import (
    Acknowledge,
    Drop,
    GiveUp,
    PublishedMessage,
    ReceivedMessage,
    Redeliver,
    Redelivery,
    Retry,
    StartAt,
    SubscribeOptions,
    Success,
    decide,
)


@pytest.fixture
async def broker() -> AsyncIterator[InProcessTransport]:
    found = InProcessTransport()
    yield found
    await found.close()


def message(text: str, key: str | None = None) -> PublishedMessage:
    return PublishedMessage(body=text.encode(), ordering_key=key)


class Reader:
    def __init__(self, *outcomes: Any, pause: float = 0) -> None:
        self.seen: list[str] = []
        self.running = self.most = 0
        self._outcomes = list(outcomes)
        self._pause = pause

    async def __call__(self, received: ReceivedMessage) -> Any:
        self.seen.append(received.body.decode())
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self._pause)
        finally:
            self.running -= 1
        return self._outcomes.pop(0) if self._outcomes else Success()


async def test_competing_consumers_share_and_two_groups_both_get_all(broker: InProcessTransport) -> None:
    one, two, other = Reader(pause=0.001), Reader(pause=0.001), Reader()
    await broker.subscribe("a", "shared", one, SubscribeOptions(concurrency=2))
    await broker.subscribe("a", "shared", two, SubscribeOptions(concurrency=2))
    await broker.subscribe("a", "audit", other)
    sent = [str(n) for n in range(40)]
    for text in sent:
        await broker.publish("a", message(text))
    await broker.drain()
    assert sorted(one.seen + two.seen, key=int) == sent
    assert min(len(one.seen), len(two.seen)) > 5
    assert other.seen == sent
    assert max(one.most, two.most) == 2


async def test_messages_of_one_key_stay_in_order_while_other_keys_go_on(broker: InProcessTransport) -> None:
    order: dict[str, list[int]] = {"x": [], "y": [], "z": []}
    at_work: set[str] = set()
    pauses = itertools.cycle([0.0007, 0.0001, 0.0009, 0.0002, 0.0005, 0])

    async def handle(received: ReceivedMessage) -> Any:
        key, _, number = received.body.decode().partition(":")
        assert key not in at_work
        at_work.add(key)
        await asyncio.sleep(next(pauses))
        at_work.remove(key)
        if received.attempt == 1 and int(number) % 3 == 0:
            return Retry("once more", after=0.001)
        order[key].append(int(number))
        return Success()

    for member in range(3):
        await broker.subscribe("a", "g", handle, SubscribeOptions(concurrency=4 + member))
    for number in range(20):
        for key in order:
            await broker.publish("a", message(f"{key}:{number}", key))
    await broker.drain()
    assert order == {key: list(range(20)) for key in "xyz"}


async def test_a_message_that_waits_for_its_retry_holds_up_its_key_only() -> None:
    clock = ManualClock()
    broker = InProcessTransport(sleep=clock.sleep, now=clock.now)
    reader = Reader(Retry("later"))
    await broker.subscribe("a", "g", reader, SubscribeOptions(concurrency=1))
    for text, key in (("x1", "x"), ("x2", "x"), ("y1", "y")):
        await broker.publish("a", message(text, key))
    await broker.wait_idle()
    assert reader.seen == ["x1", "y1"]
    assert broker.backlog("a", "g") == 2
    await clock.advance(1, settle=broker.wait_idle)
    assert reader.seen == ["x1", "y1", "x1", "x2"]
    assert broker.backlog("a", "g") == 0


async def test_a_new_group_replays_history_unless_it_starts_now(broker: InProcessTransport) -> None:
    await broker.publish("a", message("old"))
    replaying, fresh = Reader(), Reader()
    await broker.subscribe("a", "replaying", replaying)
    await broker.subscribe("a", "fresh", fresh, SubscribeOptions(start=StartAt.NOW))
    await broker.publish("a", message("new"))
    await broker.drain()
    assert (replaying.seen, fresh.seen) == (["old", "new"], ["new"])


async def test_messages_wait_for_a_group_whose_members_are_away(broker: InProcessTransport) -> None:
    first, second = Reader(), Reader()
    subscription = await broker.subscribe("a", "g", first)
    await broker.publish("a", message("1"))
    await broker.drain()
    await subscription.stop()
    await broker.publish("a", message("2"))
    await broker.wait_idle()
    await broker.subscribe("a", "g", second)
    await broker.drain()
    assert (first.seen, second.seen) == (["1"], ["2"])


async def test_a_graceful_stop_lets_running_handlers_end_and_takes_nothing_new(broker: InProcessTransport) -> None:
    leaving, staying = Reader(pause=0.01), Reader()
    subscription = await broker.subscribe("a", "g", leaving, SubscribeOptions(concurrency=1))
    await broker.publish("a", message("1"))
    await broker.publish("a", message("2"))
    await asyncio.sleep(0)
    await subscription.stop()
    assert (leaving.seen, leaving.running) == (["1"], 0)
    await broker.subscribe("a", "g", staying)
    await broker.drain()
    assert staying.seen == ["2"]


async def test_a_handler_that_outlasts_the_grace_is_cancelled_and_its_message_delivered_again(
    broker: InProcessTransport,
) -> None:
    attempts = []

    async def stuck(received: ReceivedMessage) -> Any:
        await asyncio.Event().wait()

    async def next_one(received: ReceivedMessage) -> Any:
        attempts.append(received.attempt)
        return Success()

    subscription = await broker.subscribe("a", "g", stuck)
    await broker.publish("a", message("1", "key"))
    await asyncio.sleep(0)
    await subscription.stop(grace=0.001)
    await subscription.stop(grace=0.001)
    await broker.subscribe("a", "g", next_one)
    await broker.drain()
    assert attempts == [2]


async def test_given_up_messages_without_a_dead_letter_address_are_recorded(broker: InProcessTransport) -> None:
    await broker.subscribe("a", "g", Reader(Drop("not ours")))
    await broker.publish("a", message("1"))
    await broker.drain()
    assert [(lost.body, reason) for lost, reason in broker.dropped] == [(b"1", "not ours")]


async def test_a_dead_letter_keeps_the_headers_of_its_message(broker: InProcessTransport) -> None:
    await broker.subscribe("a", "g", Reader(Drop("no\nway")), SubscribeOptions(dead_letter="dead"))
    await broker.publish("a", PublishedMessage(body=b"1", content_type="text/x", headers={"tenant": "t"}))
    await broker.drain()
    [letter] = broker.messages("dead")
    assert (letter.headers["tenant"], letter.headers["x-dlq-reason"], letter.content_type) == ("t", "no way", "text/x")


@given(st.data())
def test_whatever_fails_every_message_is_handled_and_keys_stay_in_order(data: st.DataObject) -> None:
    """The law behind the in-process transport, under any keys, failures, members and stops."""
    keys = data.draw(st.lists(st.sampled_from("xyz"), max_size=12))
    failures = data.draw(st.lists(st.integers(0, 2), min_size=len(keys), max_size=len(keys)))
    members = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    stops_after = data.draw(st.none() | st.integers(0, 3))

    async def run() -> list[tuple[str, int]]:
        broker = InProcessTransport()
        done: list[tuple[str, int]] = []

        async def handle(received: ReceivedMessage) -> Any:
            key, _, number = received.body.decode().partition(":")
            await asyncio.sleep(0)
            if received.attempt <= failures[int(number)]:
                return Retry("again", after=0)
            done.append((key, int(number)))
            return Success()

        subscriptions = [await broker.subscribe("a", "g", handle, SubscribeOptions(concurrency=n)) for n in members]
        for number, key in enumerate(keys):
            await broker.publish("a", message(f"{key}:{number}", key))
            if number == stops_after:
                await subscriptions[0].stop(grace=0)
                await broker.subscribe("a", "g", handle)
        await broker.drain()
        await broker.close()
        return done

    done = asyncio.run(run())
    assert sorted(number for _, number in done) == list(range(len(keys)))
    for key in "xyz":
        assert [n for k, n in done if k == key] == [n for n, k in enumerate(keys) if k == key]


async def test_handlers_inherit_nothing_from_the_publisher(broker: InProcessTransport) -> None:
    from codegen.targets.python.runtime.resilience import current_deadline, deadline_scope

    deadlines = []

    async def handle(received: ReceivedMessage) -> Any:
        deadlines.append(current_deadline())
        return Success()

    await broker.subscribe("a", "g", handle)
    with deadline_scope(5.0):
        await broker.publish("a", message("1"))
    await broker.drain()
    assert deadlines == [None]


async def test_a_poison_message_does_not_hold_up_the_others() -> None:
    clock = ManualClock()
    broker = InProcessTransport(sleep=clock.sleep, now=clock.now)

    async def handle(received: ReceivedMessage) -> Any:
        return Retry("poison") if received.body == b"bad" else Success()

    await broker.subscribe(
        "a",
        "g",
        handle,
        SubscribeOptions(
            concurrency=1, dead_letter="dead", redelivery=Redelivery(max_attempts=4, initial_delay=1, max_delay=2)
        ),
    )
    for text in ("bad", "good", "fine"):
        await broker.publish("a", message(text))
    await broker.wait_idle()
    assert broker.backlog("a", "g") == 1
    await clock.advance(4.9, settle=broker.wait_idle)
    assert broker.messages("dead") == ()
    await clock.advance(0.1, settle=broker.wait_idle)
    assert [letter.headers["x-attempts"] for letter in broker.messages("dead")] == ["4"]


@given(
    attempt=st.integers(1, 10_000),
    attempts=st.integers(1, 10_000),
    initial=st.floats(0, 100),
    longest=st.floats(0, 1000),
    multiplier=st.floats(1, 10),
)
def test_a_failure_is_redelivered_until_the_last_attempt(
    attempt: int, attempts: int, initial: float, longest: float, multiplier: float
) -> None:
    policy = Redelivery(max_attempts=attempts, initial_delay=initial, max_delay=longest, multiplier=multiplier)
    decision = decide(Retry("why"), attempt, policy)
    if attempt >= attempts:
        assert decision == GiveUp("why")
    else:
        assert isinstance(decision, Redeliver)
        assert 0 <= decision.after <= longest
    assert decide(Success(), attempt, policy) == Acknowledge()
    assert decide(Drop("no"), attempt, policy) == GiveUp("no")
