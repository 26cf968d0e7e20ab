"""Streams of a client, and what its calls have in common: what came besides a response, and errors from statuses."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, cast

import grpc

from .errors import RPC_ERRORS, Code, RpcDeadlineExceeded, RpcError
from .grpc_method import RequestT, ResponseT
from .resilience import Deadline, effective_deadline
from .rich_status import TRAILER, decode

if TYPE_CHECKING:
    from .grpc_client import ClientChannel

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]
"""Keys in lower case; those that end in `-bin` have bytes."""

PUSHBACK = "grpc-retry-pushback-ms"
_MOST_DIGITS = 16


@dataclass(slots=True, kw_only=True)
class ResponseInfo:
    """Pass one to a call to learn what came besides the response: `info.trailing`, `info.attempts`."""

    initial: Metadata = ()
    trailing: Metadata = ()
    attempts: int = 0
    """How often the call was sent."""


class ResponseStream(AsyncIterator[ResponseT]):
    """The responses of one call, as they come. The call begins with the first `async for` step.

    Leave it with `aclose`, or use it as a context manager, when not all responses are read: the server is then told.
    A repeatable call that fails before its first response is sent again.
    """

    def __init__(
        self,
        channel: ClientChannel,
        send: Callable[[float | None, Metadata], Any],
        deadline: float | Deadline | None,
        metadata: Metadata,
        *,
        key: str | None,
        info: ResponseInfo | None,
        repeatable: bool,
        source: RequestStream[Any] | None = None,
    ) -> None:
        self._channel = channel
        self._send = send
        self._until = effective_deadline(deadline, channel.options.stream_timeout)
        self._metadata = metadata
        self._key = key
        self._info = info
        self._repeatable = repeatable
        self._source = source
        self._call: Any = None
        self._ticket: int | None = None
        self._number = 0
        self._closed = False

    def __aiter__(self) -> ResponseStream[ResponseT]:
        return self

    async def __anext__(self) -> ResponseT:
        if self._closed:
            raise StopAsyncIteration
        while True:
            try:
                if self._call is None:
                    await self._begin()
                response = await self._call.read()
            except grpc.aio.AioRpcError as failure:
                await self._failed(rpc_error(failure), failure)
                continue
            except BaseException:
                self._settle(released=True)
                self._closed = True
                if self._source is not None and self._source.failure is not None:
                    raise self._source.failure from None
                raise
            if response is grpc.aio.EOF:
                await self._ended()
                raise StopAsyncIteration
            self._settle(released=False)
            self._repeatable = False
            return cast("ResponseT", response)

    async def _begin(self) -> None:
        time_left(self._until)
        breaker = self._channel.resilience.breaker
        self._ticket = breaker.acquire() if breaker is not None else None
        self._number += 1
        sent = await self._channel.signed(self._channel.metadata(self._metadata, self._key), self._until)
        self._call = self._send(time_left(self._until), sent)

    async def _failed(self, error: RpcError, cause: BaseException) -> None:
        breaker = self._channel.resilience.breaker
        if breaker is not None and self._ticket is not None:
            breaker.record(self._ticket, error)
            self._ticket = None
        if self._info is not None:
            self._info.trailing, self._info.attempts = error.trailing_metadata, self._number
        self._call = None
        try:
            await self._channel.resilience.before_next(error, self._number, self._until, self._repeatable)
        except RpcError:
            self._closed = True
            raise error from cause

    async def _ended(self) -> None:
        self._settle(released=False)
        self._closed = True
        if self._info is not None:
            await fill_info(self._info, self._call, self._number)

    def _settle(self, *, released: bool) -> None:
        breaker = self._channel.resilience.breaker
        if breaker is not None and self._ticket is not None:
            (breaker.released if released else breaker.succeeded)(self._ticket)
            self._ticket = None

    async def aclose(self) -> None:
        """Cancel the call unless it has ended."""
        self._closed = True
        self._settle(released=True)
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> ResponseStream[ResponseT]:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class RequestStream(Generic[RequestT]):
    """The caller's requests; keeps what the caller's iterator raised, which grpc would only log."""

    def __init__(self, requests: AsyncIterable[RequestT] | Iterable[RequestT]) -> None:
        self._requests = requests
        self.failure: Exception | None = None

    async def iterate(self) -> AsyncIterator[RequestT]:
        try:
            if isinstance(self._requests, AsyncIterable):
                async for request in self._requests:
                    yield request
            else:
                for request in self._requests:
                    yield request
        except Exception as failure:
            self.failure = failure
            raise


def time_left(until: Deadline | None) -> float | None:
    """Seconds for an attempt that begins now; `RpcDeadlineExceeded` when there are none."""
    if until is None:
        return None
    remaining = until.remaining
    if remaining <= 0.0:
        raise RpcDeadlineExceeded("the deadline passed before the call was sent")
    return remaining


async def fill_info(info: ResponseInfo, call: Any, attempts: int) -> None:
    """What came besides the response of a call that has ended."""
    info.initial = tuple(await call.initial_metadata() or ())
    info.trailing = tuple(await call.trailing_metadata() or ())
    info.attempts = attempts


def rpc_error(failure: grpc.aio.AioRpcError) -> RpcError:
    """The typed error for a status that grpc reports."""
    number: int = failure.code().value[0]
    trailing = tuple(cast("Iterable[tuple[str, str | bytes]]", failure.trailing_metadata() or ()))
    packed = next((value for name, value in trailing if name == TRAILER and isinstance(value, bytes)), None)
    found = RPC_ERRORS[Code(number)](
        failure.details() or "",
        details=decode(packed) if packed else (),
        trailing_metadata=trailing,
        retry_after=_pushback(trailing),
        remote=True,
    )
    found.__cause__ = failure
    return found


def _pushback(trailing: Iterable[tuple[str, str | bytes]]) -> float | None:
    """Seconds to wait (gRFC A6); -1 when the server asks not to retry."""
    for name, value in trailing:
        if name == PUSHBACK:
            known = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < _MOST_DIGITS
            return int(value) / 1000 if known else -1.0
    return None
