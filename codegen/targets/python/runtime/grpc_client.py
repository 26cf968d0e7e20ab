"""What generated gRPC clients stand on: one channel, and calls with deadline, retries, breaker, auth and trace.

A call is sent again only when that has no second effect: the RPC is safe or idempotent by contract, or carries an
idempotency key. All attempts of a call share its deadline and its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import grpc
from google.protobuf.message import Message

from .auth import AuthHook
from .context import trace_headers
from .errors import ProtocolError, RpcDeadlineExceeded
from .grpc_method import Method, RequestT, ResponseT
from .grpc_stream import Metadata, RequestStream, ResponseInfo, ResponseStream, fill_info, rpc_error, time_left
from .resilience import CircuitBreaker, Deadline, Resilience, RetryPolicy, effective_deadline, new_idempotency_key

__all__ = ["ClientChannel", "ClientOptions", "Metadata", "ResponseInfo", "ResponseStream", "items", "rpc_error"]

IDEMPOTENCY_KEY = "idempotency-key"
"""The metadata that carries the key."""
KEY_FIELD = "idempotency_key"
"""The request field that carries it instead, where there is one."""
PAGE_TOKEN = "page_token"
USER_AGENT = "treaty-python"

_ItemT = TypeVar("_ItemT")


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """How a client treats its peer. Times in seconds, sizes in bytes.

    `timeout` is the deadline of unary calls that state none, `stream_timeout` that of streams; None means that only
    the caller's own deadline applies. Without `credentials` the channel is plain text.
    """

    timeout: float | None = 30.0
    stream_timeout: float | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: Callable[[str], CircuitBreaker] | None = CircuitBreaker
    """Called with the target: every channel has a breaker of its own, unless this returns one that is shared."""
    auth: AuthHook | None = None
    metadata: Metadata = ()
    """Sent with every call."""
    credentials: grpc.ChannelCredentials | None = None
    user_agent: str = USER_AGENT
    max_receive_bytes: int = 4 * 1024 * 1024
    max_send_bytes: int = 4 * 1024 * 1024
    wait_for_ready: bool = False
    """Wait for a connection until the deadline, instead of failing while there is none."""
    interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
    channel_arguments: Sequence[tuple[str, Any]] = ()
    resilience: Resilience | None = None
    """Replaces `retry` and `breaker`: for tests that bring their own clock, sleep and random numbers."""


class ClientChannel:
    """A channel to one peer, opened at the first call. Closed with the client, unless it was given."""

    def __init__(self, target: str | grpc.aio.Channel, options: ClientOptions | None = None) -> None:
        self.options = options or ClientOptions()
        self._target = target
        self._channel = None if isinstance(target, str) else target
        make = self.options.breaker
        self.resilience = self.options.resilience or Resilience(
            retry=self.options.retry, breaker=make(target if isinstance(target, str) else "") if make else None
        )
        self._metadata = tuple(self.options.metadata)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The underlying channel."""
        if self._channel is None:
            self._channel = self._open(str(self._target))
        return self._channel

    def _open(self, target: str) -> grpc.aio.Channel:
        options = self.options
        arguments = [
            ("grpc.primary_user_agent", options.user_agent),
            ("grpc.max_receive_message_length", options.max_receive_bytes),
            ("grpc.max_send_message_length", options.max_send_bytes),
            ("grpc.initial_reconnect_backoff_ms", 200),
            *options.channel_arguments,
        ]
        interceptors = list(options.interceptors)
        if options.credentials is None:
            return grpc.aio.insecure_channel(target, options=arguments, interceptors=interceptors)
        return grpc.aio.secure_channel(target, options.credentials, options=arguments, interceptors=interceptors)

    async def ready(self) -> None:
        """Wait for the connection; put a time limit around it with `asyncio.timeout`."""
        await self.channel.channel_ready()

    async def aclose(self) -> None:
        """Close the channel, cancelling calls that are under way."""
        if self._channel is not None and isinstance(self._target, str):
            channel, self._channel = self._channel, None
            await channel.close()

    def metadata(self, own: Metadata, key: str | None) -> tuple[tuple[str, str | bytes], ...]:
        """What a call sends besides credentials: that of the client, the trace, the idempotency key, and its own."""
        marked = ((IDEMPOTENCY_KEY, key),) if key is not None else ()
        return (*self._metadata, *trace_headers(), *marked, *own)

    async def signed(self, metadata: Metadata, until: Deadline | None) -> Metadata:
        """The metadata with credentials; `RpcDeadlineExceeded` when they do not come in time."""
        auth = self.options.auth
        if auth is None:
            return metadata
        try:
            async with asyncio.timeout(time_left(until)):
                return (*metadata, *await auth())
        except TimeoutError as late:
            raise RpcDeadlineExceeded("the credentials did not come in time") from late

    def unary(self, method: Method[RequestT, ResponseT]) -> UnaryCall[RequestT, ResponseT]:
        """Call a unary RPC."""
        return UnaryCall(self, method)

    def server_stream(self, method: Method[RequestT, ResponseT]) -> ServerStreamCall[RequestT, ResponseT]:
        """Call an RPC that answers with a stream."""
        return ServerStreamCall(self, method)

    def client_stream(self, method: Method[RequestT, ResponseT]) -> ClientStreamCall[RequestT, ResponseT]:
        """Call an RPC that takes a stream."""
        return ClientStreamCall(self, method)

    def duplex(self, method: Method[RequestT, ResponseT]) -> DuplexCall[RequestT, ResponseT]:
        """Call an RPC with streams both ways."""
        return DuplexCall(self, method)


class UnaryCall(Generic[RequestT, ResponseT]):
    """A unary RPC on one channel."""

    __slots__ = ("_channel", "_method", "_send")

    def __init__(self, channel: ClientChannel, method: Method[RequestT, ResponseT]) -> None:
        self._channel = channel
        self._method = method
        self._send: Any = None

    async def __call__(
        self,
        request: RequestT,
        deadline: float | Deadline | None,
        metadata: Metadata,
        key: str | None,
        info: ResponseInfo | None,
    ) -> ResponseT:
        channel, method = self._channel, self._method
        if self._send is None:
            self._send = channel.channel.unary_unary(
                method.path, method.request.SerializeToString, method.response.FromString
            )
        until = effective_deadline(deadline, channel.options.timeout)
        if method.key_field:
            request, key = _with_key(request, key)
        repeatable = method.repeatable or method.key_field or key is not None
        resilience = channel.resilience
        breaker = resilience.breaker
        number = 1
        while True:
            timeout = time_left(until)
            ticket = breaker.acquire() if breaker is not None else 0
            try:
                sent: Metadata = channel.metadata(metadata, None if method.key_field else key)
                if channel.options.auth is not None:
                    sent = await channel.signed(sent, until)
                    timeout = time_left(until)
                call = self._send(
                    request, timeout=timeout, metadata=sent, wait_for_ready=channel.options.wait_for_ready
                )
                response: ResponseT = await call
            except grpc.aio.AioRpcError as failure:
                error = rpc_error(failure)
                if breaker is not None:
                    breaker.record(ticket, error)
                if info is not None:
                    info.trailing, info.attempts = error.trailing_metadata, number
                await resilience.before_next(error, number, until, repeatable)
                number += 1
            except BaseException:
                if breaker is not None:
                    breaker.released(ticket)
                raise
            else:
                if breaker is not None:
                    breaker.succeeded(ticket)
                if info is not None:
                    await fill_info(info, call, number)
                return response


class ServerStreamCall(Generic[RequestT, ResponseT]):
    """An RPC that answers with a stream, on one channel."""

    __slots__ = ("_channel", "_method")

    def __init__(self, channel: ClientChannel, method: Method[RequestT, ResponseT]) -> None:
        self._channel = channel
        self._method = method

    def __call__(
        self,
        request: RequestT,
        deadline: float | Deadline | None,
        metadata: Metadata,
        key: str | None,
        info: ResponseInfo | None,
    ) -> ResponseStream[ResponseT]:
        channel, method = self._channel, self._method
        if method.key_field:
            request, key = _with_key(request, key)

        def send(timeout: float | None, sent: Metadata) -> Any:
            stub = channel.channel.unary_stream(
                method.path, method.request.SerializeToString, method.response.FromString
            )
            return stub(request, timeout=timeout, metadata=sent, wait_for_ready=channel.options.wait_for_ready)

        return ResponseStream(
            channel,
            send,
            deadline,
            metadata,
            key=None if method.key_field else key,
            info=info,
            repeatable=method.repeatable or method.key_field or key is not None,
        )


class ClientStreamCall(Generic[RequestT, ResponseT]):
    """An RPC that takes a stream, on one channel. Never sent again: its requests are used up."""

    __slots__ = ("_channel", "_method")

    def __init__(self, channel: ClientChannel, method: Method[RequestT, ResponseT]) -> None:
        self._channel = channel
        self._method = method

    async def __call__(
        self,
        requests: AsyncIterable[RequestT] | Iterable[RequestT],
        deadline: float | Deadline | None,
        metadata: Metadata,
        key: str | None,
        info: ResponseInfo | None,
    ) -> ResponseT:
        channel, method = self._channel, self._method
        until = effective_deadline(deadline, channel.options.stream_timeout)
        source = RequestStream(requests)
        stub = channel.channel.stream_unary(method.path, method.request.SerializeToString, method.response.FromString)
        sent = await channel.signed(channel.metadata(metadata, key), until)
        timeout = time_left(until)
        breaker = channel.resilience.breaker
        ticket = breaker.acquire() if breaker is not None else 0
        outcome: BaseException | None = None
        try:
            call = stub(source.iterate(), timeout=timeout, metadata=sent, wait_for_ready=channel.options.wait_for_ready)
            response = await call
            if info is not None:
                await fill_info(info, call, 1)
        except grpc.aio.AioRpcError as failure:
            outcome = rpc_error(failure)
            raise outcome from failure
        except BaseException as failure:
            outcome = failure
            if source.failure is not None:
                raise source.failure from None
            raise
        finally:
            if breaker is not None:
                breaker.record(ticket, outcome)
        return response


class DuplexCall(Generic[RequestT, ResponseT]):
    """An RPC with streams both ways, on one channel. Never sent again: its requests are used up."""

    __slots__ = ("_channel", "_method")

    def __init__(self, channel: ClientChannel, method: Method[RequestT, ResponseT]) -> None:
        self._channel = channel
        self._method = method

    def __call__(
        self,
        requests: AsyncIterable[RequestT] | Iterable[RequestT],
        deadline: float | Deadline | None,
        metadata: Metadata,
        key: str | None,
        info: ResponseInfo | None,
    ) -> ResponseStream[ResponseT]:
        channel, method = self._channel, self._method
        source = RequestStream(requests)

        def send(timeout: float | None, sent: Metadata) -> Any:
            stub = channel.channel.stream_stream(
                method.path, method.request.SerializeToString, method.response.FromString
            )
            return stub(source.iterate(), timeout=timeout, metadata=sent, wait_for_ready=channel.options.wait_for_ready)

        return ResponseStream(channel, send, deadline, metadata, key=key, info=info, repeatable=False, source=source)


async def items(
    fetch: Callable[[RequestT], Awaitable[ResponseT]], request: RequestT, of: Callable[[ResponseT], Iterable[_ItemT]]
) -> AsyncIterator[_ItemT]:
    """The items of all pages (https://google.aip.dev/158), fetched as they are needed."""
    page = type(request)()
    page.CopyFrom(request)
    seen = {_field(page, PAGE_TOKEN)}
    while True:
        response = await fetch(page)
        for item in of(response):
            yield item
        token = _field(response, "next_page_token")
        if not token:
            return
        if token in seen:
            raise ProtocolError(f"the server gave the page token {token!r} twice")
        seen.add(token)
        setattr(page, PAGE_TOKEN, token)


def _field(message: Message, name: str) -> str:
    return cast("str", getattr(message, name))


def _with_key(request: RequestT, key: str | None) -> tuple[RequestT, str]:
    """The request with its idempotency key: its own, the caller's or a new one."""
    own = _field(request, KEY_FIELD)
    if own:
        return request, own
    keyed = type(request)()
    keyed.CopyFrom(request)
    chosen = key or new_idempotency_key()
    setattr(keyed, KEY_FIELD, chosen)
    return keyed, chosen
