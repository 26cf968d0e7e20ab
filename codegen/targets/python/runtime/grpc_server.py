"""What generated gRPC servers stand on: a server with health, reflection and graceful drain, and typed calls.

A handler raises `errors.NotFound(...)` and the like to answer with that status and its details. Anything else that it
raises is logged, and answered with INTERNAL and no more: texts of other exceptions never leave the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib import import_module
from typing import Any, NoReturn, Self, TypeAlias, cast

import grpc

from .context import TRACEPARENT, TRACESTATE, TraceContext, enter_trace
from .errors import (
    CircuitOpen,
    Code,
    DeadlineExceeded,
    Internal,
    RpcDeadlineExceeded,
    RpcError,
    TransportError,
    Unavailable,
)
from .grpc_method import Method, RequestT, ResponseT
from .resilience import Deadline, enter_deadline
from .rich_status import TRAILER, encode

LOG = logging.getLogger("treaty.grpc")

_STATUS: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_PASSED_ON = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})


class Call:
    """One call that is being served: who calls, by when, and what to send besides the response."""

    __slots__ = ("_context", "_metadata", "deadline", "method", "principal", "trace")

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], method: Method[Any, Any]) -> None:
        self._context = context
        self.method = method
        metadata = cast("Sequence[tuple[str, str | bytes]] | None", context.invocation_metadata())
        self._metadata: Mapping[str, str | bytes] = dict(metadata) if metadata is not None else {}
        self.trace = TraceContext.parse(self.header(TRACEPARENT), self.header(TRACESTATE) or "") or TraceContext.new()
        """The trace the call belongs to; a new one when the caller sent none."""
        remaining = cast("float | None", context.time_remaining())
        self.deadline = None if remaining is None else Deadline.after(remaining)
        """By when the caller wants the answer. Calls that the handler makes inherit it."""
        self.principal: object = None
        """Who calls; set by an interceptor that checks credentials."""

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What the caller sent, by lower-case name; of repeated names the last."""
        return self._metadata

    def header(self, name: str) -> str | None:
        """A text entry of the metadata."""
        value = self._metadata.get(name)
        return value if isinstance(value, str) else None

    @property
    def idempotency_key(self) -> str | None:
        """The key that repetitions of this call share, when the caller sent one in the metadata."""
        return self.header("idempotency-key")

    @property
    def peer(self) -> str:
        """The caller's address: `ipv4:127.0.0.1:50123`."""
        return self._context.peer()

    @property
    def peer_identities(self) -> tuple[bytes, ...]:
        """Names in the client certificate, when TLS is mutual."""
        return tuple(self._context.peer_identities() or ())

    def set_trailing_metadata(self, *pairs: tuple[str, str | bytes]) -> None:
        """Send these after the response."""
        self._context.set_trailing_metadata(pairs)

    async def send_initial_metadata(self, *pairs: tuple[str, str | bytes]) -> None:
        """Send these now, before the first response."""
        await self._context.send_initial_metadata(pairs)

    def enter(self) -> None:
        """Make trace and deadline those of the current task."""
        enter_trace(self.trace)
        enter_deadline(self.deadline)


Interceptor: TypeAlias = Callable[[Call], AbstractAsyncContextManager[None]]
"""Entered around every call, in the given order. An error it raises is answered like one of the handler."""

RpcHandler: TypeAlias = Callable[[Sequence[Interceptor]], "tuple[str, grpc.RpcMethodHandler[Any, Any]]"]
"""Gives the RPC's name and its grpc handler."""


def unary(method: Method[RequestT, ResponseT], handler: Callable[[RequestT, Call], Awaitable[ResponseT]]) -> RpcHandler:
    """Serve a unary RPC."""
    return lambda interceptors: (
        method.name,
        grpc.unary_unary_rpc_method_handler(
            _single(method, handler, interceptors),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        ),
    )


def server_stream(
    method: Method[RequestT, ResponseT], handler: Callable[[RequestT, Call], AsyncIterator[ResponseT]]
) -> RpcHandler:
    """Serve an RPC that answers with a stream."""
    return lambda interceptors: (
        method.name,
        grpc.unary_stream_rpc_method_handler(
            _several(method, handler, interceptors),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        ),
    )


def client_stream(
    method: Method[RequestT, ResponseT], handler: Callable[[AsyncIterator[RequestT], Call], Awaitable[ResponseT]]
) -> RpcHandler:
    """Serve an RPC that takes a stream."""
    return lambda interceptors: (
        method.name,
        grpc.stream_unary_rpc_method_handler(
            _single(method, handler, interceptors),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        ),
    )


def duplex(
    method: Method[RequestT, ResponseT], handler: Callable[[AsyncIterator[RequestT], Call], AsyncIterator[ResponseT]]
) -> RpcHandler:
    """Serve an RPC with streams both ways."""
    return lambda interceptors: (
        method.name,
        grpc.stream_stream_rpc_method_handler(
            _several(method, handler, interceptors),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        ),
    )


def _single(
    method: Method[Any, Any], handler: Callable[[Any, Call], Awaitable[Any]], interceptors: Sequence[Interceptor]
) -> Callable[[Any, Any], Awaitable[Any]]:
    async def serve(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        call = Call(context, method)
        call.enter()
        try:
            if not interceptors:
                return await handler(request, call)
            async with AsyncExitStack() as around:
                for interceptor in interceptors:
                    await around.enter_async_context(interceptor(call))
                return await handler(request, call)
        except (Exception, asyncio.CancelledError) as error:  # the edge: whatever a handler raises becomes a status
            await _answer(context, error, method)

    return serve


def _several(
    method: Method[Any, Any], handler: Callable[[Any, Call], AsyncIterator[Any]], interceptors: Sequence[Interceptor]
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def serve(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        call = Call(context, method)
        call.enter()
        try:
            async with AsyncExitStack() as around:
                for interceptor in interceptors:
                    await around.enter_async_context(interceptor(call))
                responses = handler(request, call)
                close = getattr(responses, "aclose", None)
                if close is not None:
                    around.push_async_callback(close)
                async for response in responses:
                    yield response
        except (Exception, asyncio.CancelledError) as error:  # the edge: whatever a handler raises becomes a status
            await _answer(context, error, method)

    return serve


async def _answer(
    context: grpc.aio.ServicerContext[Any, Any], error: Exception | asyncio.CancelledError, method: Method[Any, Any]
) -> NoReturn:
    """End the call with the status that fits the error; a call that was cancelled itself has no one to answer."""
    task = asyncio.current_task()
    cancelled = isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)
    if cancelled or isinstance(error, grpc.aio.AbortError):
        raise error
    status = _status_of(error)
    if status is None:
        LOG.error("%s failed", method.path, exc_info=error)
        status = Internal("internal error")
    trailing = (*context.trailing_metadata(), *status.trailing_metadata)
    if status.details:
        trailing = (*trailing, (TRAILER, encode(status.code, status.message, status.details)))
    await context.abort(_STATUS[status.code], status.message, trailing)
    raise AssertionError("abort returned")


def _status_of(error: BaseException) -> RpcError | None:
    """The status a caller may see: what the handler raised for it, or that another service does not answer."""
    if isinstance(error, RpcError) and not error.remote:
        return error
    if isinstance(error, RpcError) and error.code not in _PASSED_ON:
        return None
    if isinstance(error, DeadlineExceeded):
        return RpcDeadlineExceeded("a call to another service took too long")
    if isinstance(error, (CircuitOpen, TransportError, RpcError)):
        return Unavailable("another service is not available")
    return None


class GrpcServer:
    """A grpc.aio server. Sizes in bytes, times in seconds.

    `address` is `host:port`, on loopback by default; port 0 lets the system choose, see `port` after `start`.
    Without `credentials` it speaks plain text. `arguments` are channel arguments of grpc.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:0",
        *,
        credentials: grpc.ServerCredentials | None = None,
        health: bool = True,
        reflection: bool = True,
        max_receive_bytes: int = 4 * 1024 * 1024,
        max_send_bytes: int = 4 * 1024 * 1024,
        max_concurrent_calls: int | None = None,
        grace: float = 10.0,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        arguments: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self.grace = grace
        self.port = 0
        self._address = address
        self._credentials = credentials
        self._with_health = health
        self._with_reflection = reflection
        self._max_concurrent_calls = max_concurrent_calls
        self._interceptors = interceptors
        self._arguments = [
            ("grpc.max_receive_message_length", max_receive_bytes),
            ("grpc.max_send_message_length", max_send_bytes),
            ("grpc.so_reuseport", 0),
            *arguments,
        ]
        self._handlers: dict[str, grpc.GenericRpcHandler] = {}
        self._server: grpc.aio.Server | None = None
        self._health: Any = None

    def add(self, service: str, handlers: Sequence[RpcHandler], interceptors: Sequence[Interceptor] = ()) -> None:
        """Serve a service, given by its full name. Before `start`; a service is added once."""
        if self._server is not None:
            raise RuntimeError("services are added before the server starts")
        if service in self._handlers:
            raise ValueError(f"{service} is served already")
        self._handlers[service] = grpc.method_handlers_generic_handler(
            service, dict(handler(interceptors) for handler in handlers)
        )

    @property
    def services(self) -> tuple[str, ...]:
        """Full names of the services, in the order they were added."""
        return tuple(self._handlers)

    @property
    def address(self) -> str:
        """Where the server listens: `127.0.0.1:50051`."""
        return f"{self._address.rpartition(':')[0]}:{self.port}"

    async def start(self) -> str:
        """Begin to serve; returns the address."""
        server = grpc.aio.server(
            options=self._arguments,
            interceptors=list(self._interceptors),
            maximum_concurrent_rpcs=self._max_concurrent_calls,
        )
        server.add_generic_rpc_handlers(tuple(self._handlers.values()))
        if self._with_health:
            self._health = await _add_health(server, self.services)
        if self._with_reflection:
            _add_reflection(server, self.services, with_health=self._with_health)
        if self._credentials is None:
            self.port = server.add_insecure_port(self._address)
        else:
            self.port = server.add_secure_port(self._address, self._credentials)
        await server.start()
        self._server = server
        return self.address

    async def set_serving(self, service: str, *, serving: bool) -> None:
        """Change what the health service says of a service; `""` stands for the server as a whole."""
        if self._health is not None:
            await self._health.set(service, _serving_status(serving=serving))

    async def stop(self, grace: float | None = None) -> None:
        """Report not serving, refuse new calls, let those under way finish for `grace` seconds, then cancel them."""
        if self._server is None:
            return
        server, self._server = self._server, None
        if self._health is not None:
            await self._health.enter_graceful_shutdown()
        await server.stop(self.grace if grace is None else grace)

    async def wait(self) -> None:
        """Return when the server was stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()


def _serving_status(*, serving: bool) -> Any:
    answer = import_module("grpc_health.v1.health_pb2").HealthCheckResponse
    return answer.SERVING if serving else answer.NOT_SERVING


async def _add_health(server: grpc.aio.Server, services: Sequence[str]) -> Any:
    servicer = import_module("grpc_health.v1.health").aio.HealthServicer()
    import_module("grpc_health.v1.health_pb2_grpc").add_HealthServicer_to_server(servicer, server)
    for service in ("", *services):
        await servicer.set(service, _serving_status(serving=True))
    return servicer


def _add_reflection(server: grpc.aio.Server, services: Sequence[str], *, with_health: bool) -> None:
    """Reflection under its older and its present name; the messages of both are the same."""
    reflection = import_module("grpc_reflection.v1alpha.reflection")
    messages = import_module("grpc_reflection.v1alpha.reflection_pb2")
    standard = ("grpc.health.v1.Health",) if with_health else ()
    servicer = reflection.aio.ReflectionServicer((*services, *standard, reflection.SERVICE_NAME))
    method = {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=messages.ServerReflectionRequest.FromString,
            response_serializer=messages.ServerReflectionResponse.SerializeToString,
        )
    }
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(name, method)
            for name in ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)
        )
    )
