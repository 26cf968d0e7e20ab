"""The in-process transport when handlers are cut off from within, and requests that share a correlation id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from codegen.targets.python.runtime.in_process import InProcessTransport
from codegen.targets.python.runtime.message_parts import MessageExpression
from codegen.targets.python.runtime.process import Consumers
from codegen.targets.python.runtime.request_reply import Exchange, ReplyInbox
from codegen.targets.python.runtime.transport import (
    Outcome,
    PublishedMessage,
    ReceivedMessage,
    Redelivery,
    SubscribeOptions,
    Success,
)


async def test_a_handler_that_awaits_something_cancelled_has_failed_like_any_other() -> None:
    broker = InProcessTransport()
    attempts = 0

    async def handler(_: ReceivedMessage) -> Outcome:
        nonlocal attempts
        attempts += 1
        assert attempts < 50
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost
        return Success()

    options = SubscribeOptions(redelivery=Redelivery(max_attempts=3, initial_delay=0), dead_letter="dead")
    await broker.subscribe("a", "g", handler, options)
    await broker.publish("a", PublishedMessage(body=b"1"))
    await asyncio.wait_for(broker.drain(), 5)
    assert (attempts, len(broker.messages("dead"))) == (3, 1)
    await broker.close()


async def test_a_handler_may_stop_its_own_subscription() -> None:
    broker = InProcessTransport()

    async def handler(_: ReceivedMessage) -> Outcome:
        await subscription.stop()
        return Success()

    subscription = await broker.subscribe("a", "g", handler)
    await broker.publish("a", PublishedMessage(body=b"1"))
    await asyncio.wait_for(broker.wait_idle(), 2)
    assert broker.backlog("a", "g") == 0
    await broker.close()


async def test_a_message_that_is_no_json_to_any_depth_has_no_key() -> None:
    broker = InProcessTransport()
    expression = MessageExpression.parse("$message.payload#/id")
    seen = []

    async def handler(message: ReceivedMessage) -> Outcome:
        seen.append(message.id)
        return Success()

    await broker.subscribe("a", "g", handler, SubscribeOptions(ordering_key=expression.of))
    await broker.publish("a", PublishedMessage(body=b"[" * 200_000))
    await asyncio.wait_for(broker.drain(), 2)
    assert len(seen) == 1
    await broker.close()


async def test_requests_with_one_correlation_id_get_a_reply_each() -> None:
    broker = InProcessTransport()
    inbox = ReplyInbox(broker)
    exchange = Exchange(
        reply_address="replies",
        correlation=MessageExpression.parse("$message.payload#/id"),
        reply_correlation=MessageExpression.parse("$message.payload#/id"),
    )

    async def answer(message: ReceivedMessage) -> Outcome:
        await asyncio.sleep(0.01)
        await broker.publish("replies", PublishedMessage(body=message.body))
        return Success()

    await broker.subscribe("asked", "g", answer)
    request = PublishedMessage(body=b'{"id": "7"}')
    both = await asyncio.gather(*(inbox.request("asked", request, exchange, within=1) for _ in range(2)))
    assert len({reply.id for reply in both}) == 2
    await inbox.close()
    await broker.close()


class Carrier:
    """A transport that knows whether it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


class Stuck:
    """A subscription that cannot be stopped."""

    async def stop(self, *, grace: float | None = None) -> None:
        raise ConnectionError("gone")


async def test_a_transport_is_closed_when_subscribing_or_stopping_fails() -> None:
    async def refused(_: Carrier) -> Sequence[Stuck]:
        raise ConnectionError("no")

    async def stuck(_: Carrier) -> Sequence[Stuck]:
        return [Stuck()]

    first, second = Carrier(), Carrier()
    with pytest.raises(ConnectionError):
        await Consumers(first, refused).start()
    running = Consumers(second, stuck)
    await running.start()
    with pytest.raises(ConnectionError):
        await running.stop()
    assert (first.closed, second.closed) == (True, True)
