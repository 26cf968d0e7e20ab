"""Requests over channels: a message goes out, and the reply with the same correlation id is waited for.

The requester reads replies as a group of its own, so that it sees them all
and takes those it waits for. Where the contract names no correlation id, the
header `correlationid` carries it; where it names no reply channel, the
requester has an address of its own and sends it along.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from .consuming import UNDECODABLE, Delivery, MessageHandler, summary
from .errors import DeadlineExceeded, ProtocolError
from .message_parts import MESSAGE_NAME, MessageExpression
from .resilience import effective_deadline
from .transport import (
    Drop,
    Outcome,
    PublishedMessage,
    ReceivedMessage,
    Retry,
    StartAt,
    SubscribeOptions,
    Subscription,
    Success,
    Transport,
)

PayloadT = TypeVar("PayloadT")
HeadersT = TypeVar("HeadersT")
ReplyT = TypeVar("ReplyT")
DEFAULT_CORRELATION = MessageExpression("header", ("correlationid",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """How the contract ties a reply to its request.

    `reply_to` says where a request carries the reply address. `replies` are the names of the messages that can be
    one: what has another name, as the request itself on a channel for both, is none.
    """

    reply_address: str | None
    reply_to: MessageExpression | None = None
    correlation: MessageExpression = DEFAULT_CORRELATION
    reply_correlation: MessageExpression = DEFAULT_CORRELATION
    replies: frozenset[str] = frozenset()

    def may_be_reply(self, message: ReceivedMessage) -> bool:
        """Whether the message's name, when it has one, is that of a reply."""
        name = message.headers.get(MESSAGE_NAME)
        return name is None or not self.replies or name in self.replies


def decoded(reply: ReceivedMessage, decoders: Mapping[str, Callable[[bytes], ReplyT]]) -> ReplyT:
    """The reply, read as the message that its name header says; without one, as the first that it fits.

    `ProtocolError` when it is none of them.
    """
    named = reply.headers.get(MESSAGE_NAME)
    tried = decoders if named is None else {name: decode for name, decode in decoders.items() if name == named}
    problems = []
    for name, decode in tried.items():
        try:
            return decode(reply.body)
        except UNDECODABLE as error:
            problems.append(f"{name}: {summary(error)}")
    raise ProtocolError(f"unreadable reply: {'; '.join(problems) or f'unknown message {named!r}'}")


class ReplyInbox:
    """Sends requests and hands each reply to whoever waits for it, the first of those with one correlation id."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._own_address = f"replies.{uuid.uuid4()}"
        self._waiting: dict[tuple[str, str], list[tuple[Exchange, asyncio.Future[ReceivedMessage]]]] = {}
        self._subscriptions: dict[tuple[str, MessageExpression], Subscription] = {}
        self._subscribing = asyncio.Lock()

    async def request(
        self, address: str, message: PublishedMessage, exchange: Exchange, *, within: float
    ) -> ReceivedMessage:
        """Publish and wait for the reply, `within` seconds at most. `DeadlineExceeded` when none came."""
        reply_address = exchange.reply_address or self._own_address
        message, correlation = _correlated(message, exchange, reply_address)
        await self._listen(reply_address, exchange.reply_correlation)
        waiting = (reply_address, correlation)
        reply: asyncio.Future[ReceivedMessage] = asyncio.get_running_loop().create_future()
        mine = exchange, reply
        self._waiting.setdefault(waiting, []).append(mine)
        try:
            await self._transport.publish(address, message)
            deadline = effective_deadline(within)
            return await asyncio.wait_for(reply, deadline.remaining if deadline else within)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no reply from {address!r} within {within:g} s") from error
        finally:
            self._waiting[waiting].remove(mine)
            if not self._waiting[waiting]:
                del self._waiting[waiting]

    async def _listen(self, address: str, correlation: MessageExpression) -> None:
        async with self._subscribing:
            if (address, correlation) in self._subscriptions:
                return

            async def receive(message: ReceivedMessage) -> Outcome:
                for exchange, waiting in self._waiting.get((address, correlation.of(message) or ""), ()):
                    if not waiting.done() and exchange.may_be_reply(message):
                        waiting.set_result(message)
                        break
                return Success()

            self._subscriptions[address, correlation] = await self._transport.subscribe(
                address, f"replies.{uuid.uuid4()}", receive, SubscribeOptions(start=StartAt.NOW)
            )

    async def close(self) -> None:
        """Stop reading replies; requests under way time out."""
        for subscription in self._subscriptions.values():
            await subscription.stop(grace=0)
        self._subscriptions.clear()


def _correlated(message: PublishedMessage, exchange: Exchange, reply_address: str) -> tuple[PublishedMessage, str]:
    headers = dict(message.headers)
    if exchange.reply_to is not None and exchange.reply_to.header:
        headers.setdefault(exchange.reply_to.header, reply_address)
    if exchange.correlation.header:
        correlation = headers.setdefault(exchange.correlation.header, str(uuid.uuid4()))
        return replace(message, headers=headers), correlation
    found = exchange.correlation.of(message)
    if found is None:
        raise ValueError(f"the request has no correlation id at /{'/'.join(exchange.correlation.path)} of its payload")
    return replace(message, headers=headers), found


@dataclass(frozen=True, kw_only=True)
class Replying(Generic[PayloadT, HeadersT, ReplyT]):
    """A message handler that publishes what the typed handler returns; `Retry` and `Drop` are passed on instead."""

    transport: Transport
    exchange: Exchange
    answer: Callable[[PayloadT, Delivery[HeadersT]], Awaitable[ReplyT | Retry | Drop]]
    encode: Callable[[ReplyT], PublishedMessage]

    @property
    def handler(self) -> MessageHandler[PayloadT, HeadersT]:
        """For a `Route`."""
        return self._handle

    async def _handle(self, payload: PayloadT, delivery: Delivery[HeadersT]) -> Outcome:
        request = delivery.message
        asked = self.exchange.reply_to.of(request) if self.exchange.reply_to else None
        address = asked or self.exchange.reply_address
        if address is None:
            return Drop("the request names no address for the reply")
        reply = await self.answer(payload, delivery)
        if isinstance(reply, (Retry, Drop)):
            return reply
        message = self.encode(reply)
        correlation = self.exchange.correlation.of(request)
        header = self.exchange.reply_correlation.header
        if header and correlation is not None:
            message = replace(message, headers={**message.headers, header: correlation})
        await self.transport.publish(address, message)
        return Success()
