"""What generated consumers share: which message arrived, decoding it, and calling its typed handler.

A message that cannot be decoded, or that the contract does not know, can never
be handled: it is dropped, which means the dead letters where there are any.
Values that the contract does not list (enumerations, unions, properties) are
kept, as clients do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar

from .context import TRACEPARENT, TRACESTATE, TraceContext, trace_scope
from .errors import ProtocolError
from .message_parts import MESSAGE_NAME
from .models import ValidationError
from .transport import Drop, Handler, Outcome, ReceivedMessage, Subscription, Success

PayloadT = TypeVar("PayloadT")
HeadersT = TypeVar("HeadersT")
RawHeaders: TypeAlias = Mapping[str, str]
UNDECODABLE = (ValidationError, ProtocolError, UnicodeDecodeError)
"""What decoding a body raises when the body does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Generic[HeadersT]):
    """What came with a payload."""

    headers: HeadersT
    message: ReceivedMessage

    @property
    def id(self) -> str:
        """The transport's id of the message. For "seen before?" use the event's own `source` and `id`."""
        return self.message.id

    @property
    def address(self) -> str:
        """Where it was published."""
        return self.message.address

    @property
    def attempt(self) -> int:
        """Which delivery this is, from 1."""
        return self.message.attempt

    @property
    def first_seen(self) -> datetime:
        """When the message was first delivered to this group, UTC."""
        return self.message.first_seen


MessageHandler: TypeAlias = Callable[[PayloadT, Delivery[HeadersT]], Awaitable[Outcome | None]]
"""Handles one message. None means success; an exception means another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[PayloadT, HeadersT]):
    """One message of a channel and its handler. `event_type` is the CloudEvents `type` that tells it from others."""

    name: str
    decode: Callable[[bytes], PayloadT]
    headers: Callable[[Mapping[str, str]], HeadersT]
    handle: MessageHandler[PayloadT, HeadersT]
    event_type: str | None = None


def dispatcher(*routes: Route[Any, Any], ignored: frozenset[str] = frozenset()) -> Handler:
    """A transport handler that finds the route of each message and calls it.

    `ignored` are event types and message names of the same channel that this consumer does not want.
    """
    return _Dispatcher(routes, ignored).handle


@dataclass(frozen=True, slots=True)
class _Dispatcher:
    routes: tuple[Route[Any, Any], ...]
    ignored: frozenset[str]
    by_type: dict[str, Route[Any, Any]] = field(init=False)

    def __post_init__(self) -> None:
        typed = {route.event_type: route for route in self.routes if route.event_type is not None}
        object.__setattr__(self, "by_type", typed)

    async def handle(self, message: ReceivedMessage) -> Outcome:
        envelope = _envelope(message.body) if self.by_type else {}
        found = self._candidates(message, envelope)
        if not isinstance(found, tuple):
            return found
        problems = []
        for route in found:
            try:
                payload = route.decode(message.body)
                headers = route.headers(message.headers)
            except UNDECODABLE as error:
                problems.append(f"{route.name}: {summary(error)}")
                continue
            with trace_scope(_trace(message, envelope)):
                outcome = await route.handle(payload, Delivery(headers=headers, message=message))
            return Success() if outcome is None else outcome
        return Drop(f"undecodable: {'; '.join(problems)}")

    def _candidates(
        self, message: ReceivedMessage, envelope: Mapping[str, Any]
    ) -> tuple[Route[Any, Any], ...] | Outcome:
        """The routes to try in turn, or what to do with a message that is none of them."""
        event_type = envelope.get("type")
        if self.by_type and isinstance(event_type, str):
            route = self.by_type.get(event_type)
            return (route,) if route is not None else self._unknown(event_type, "event type")
        name = message.headers.get(MESSAGE_NAME)
        if name is not None:
            named = tuple(route for route in self.routes if route.name == name)
            return named or self._unknown(name, "message")
        return self.routes

    def _unknown(self, name: str, what: str) -> Outcome:
        return Success() if name in self.ignored else Drop(f"unknown {what} {name!r}")


def _envelope(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _trace(message: ReceivedMessage, envelope: Mapping[str, Any]) -> TraceContext | None:
    for carrier in (envelope, message.headers):
        parent, state = carrier.get(TRACEPARENT), carrier.get(TRACESTATE)
        if isinstance(parent, str):
            found = TraceContext.parse(parent, state if isinstance(state, str) else "")
            if found is not None:
                return found
    return None


def summary(error: Exception) -> str:
    """Why a body could not be decoded, in one line."""
    if isinstance(error, ValidationError):
        shown = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_url=False)[:3]]
        return ", ".join(shown)
    return str(error)


class Subscriptions:
    """Several subscriptions that start and stop together; `async with` stops them at its end."""

    def __init__(self, *members: Subscription) -> None:
        self._members = members

    @classmethod
    async def start(cls, *starting: Coroutine[Any, Any, Subscription]) -> Self:
        """Await the subscriptions in turn; when one fails, those before it are stopped."""
        started: list[Subscription] = []
        try:
            for each in starting:
                started.append(await each)  # noqa: PERF401 those before a failure are needed
        except BaseException:
            for each in starting:
                each.close()
            await cls(*started).stop(grace=0)
            raise
        return cls(*started)

    async def stop(self, *, grace: float | None = None) -> None:
        """Stop all: no new messages, `grace` seconds for handlers that run."""
        await asyncio.gather(*(member.stop(grace=grace) for member in self._members))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
