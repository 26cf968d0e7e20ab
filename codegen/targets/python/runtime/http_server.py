"""The engine of generated HTTP servers: operations bound to the methods of a handler, as an ASGI application.

It stands alone (`ContractApp`) or in a FastAPI application (`build_app`, which imports FastAPI when it is called).

Phases of a request: route -> security -> parameters and body, all faults
together -> handler -> response held to the contract. Every error, also those
of the framework, is answered with a problem document (RFC 9457).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from .context import TraceContext, trace_scope
from .errors import CircuitOpen, DeadlineExceeded, RpcError, TransportError
from .http_accept import preference
from .http_bodies import codec_of, encode, event, find_content
from .http_operation import Answer, Content, Operation, Scheme, kind_of
from .http_requests import (
    AsgiReceive,
    AsgiScope,
    AsgiSend,
    RequestContext,
    read_arguments,
    read_body,
    read_bytes,
    read_headers,
)
from .http_responses import Describe, Sender, Translate
from .http_routing import Router
from .http_security import Authenticator, authenticate
from .parameters import header_text
from .problem import Fault, HttpProblem, problem_of_rpc
from .resilience import deadline_scope
from .retry_after import header_value

if TYPE_CHECKING:
    from fastapi import FastAPI

T = TypeVar("T")
Handler: TypeAlias = Callable[..., Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A handler's result with a status, headers or media type of its own choice, all as the contract declares them."""

    value: T
    status: int | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and what serves it: called with the request's context, then the arguments by name.

    `path` goes before the operation's own: receivers of webhooks choose theirs.
    """

    operation: Operation[Any]
    handler: Handler
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """`timeout`: seconds a handler may take, a stream until its first item; then 504. `prefix` precedes all paths."""

    max_body_bytes: int = 1024 * 1024
    timeout: float | None = 30.0
    prefix: str = ""
    authenticators: Mapping[str, Authenticator] = field(default_factory=dict)
    """By security scheme. Every scheme that a bound operation needs must be there."""
    describe_problem: Describe | None = None
    """Members that every problem document gets: `instance`-like facts, a trace id, a code."""
    translate_problem: Translate | None = None
    """Replaces problem documents, for an API that words its errors in another way."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """A route with everything that can be decided before the first request."""

    operation: Operation[Any]
    handler: Handler
    has_body: bool
    streams: bool
    offered: tuple[str, ...]


Binding: TypeAlias = "tuple[Mapping[str, tuple[_Bound, tuple[str, ...]]], tuple[str, ...]]"
"""What serves a path, by method, and the values of the path's variables."""


class ContractApp:
    """All operations of one contract as an ASGI application, or as a part of a larger one by `find` and `serve`."""

    def __init__(
        self, routes: Iterable[Route], schemes: Iterable[Scheme] = (), options: ServerOptions | None = None
    ) -> None:
        self._options = options or ServerOptions()
        self._schemes = {scheme.name: scheme for scheme in schemes}
        self._router: Router[_Bound] = Router()
        for route in routes:
            self._check(route.operation)
            path = route.operation.path if route.path is None else route.path
            self._router.add(route.operation.method, self._options.prefix + path, _bound(route))

    def _check(self, operation: Operation[Any]) -> None:
        missing = {
            use.scheme for requirement in operation.security for use in requirement
        } - self._options.authenticators.keys()
        if missing:
            raise ValueError(f"{operation.name} needs an authenticator for {', '.join(sorted(missing))}")

    def find(self, scope: AsgiScope) -> Binding | None:
        """What serves the path of a request, whatever its method."""
        raw = scope.get("raw_path")
        path = raw.decode("ascii", "replace") if raw else scope["path"]
        root = scope.get("root_path", "")
        if root and (path == root or path.startswith(root.rstrip("/") + "/")):
            path = path[len(root.rstrip("/")) :]
        return self._router.find(path.partition("?")[0])

    def operation(self, scope: AsgiScope) -> Operation[Any] | None:
        """The operation that a request asks for."""
        found = self.find(scope)
        target = found[0].get(scope["method"]) if found is not None else None
        return target[0].operation if target is not None else None

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve one connection; what is no HTTP request is not answered."""
        if scope["type"] != "http":
            return
        found = self.find(scope)
        if found is None:
            path = scope["path"]
            await self._sender(scope, send).problem(HttpProblem(404, f"There is nothing at {path}.", instance=path))
            return
        await self.serve(found, scope, receive, send)

    async def serve(self, binding: Binding, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve a request whose path was found."""
        methods, values = binding
        method: str = scope["method"]
        target = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        sender = self._sender(scope, send)
        if target is None:
            allowed = ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else ())}))
            problem = HttpProblem(
                405, f"{method} is not allowed here.", instance=scope["path"], headers={"allow": allowed}
            )
            await sender.problem(problem)
            return
        bound, names = target
        context = RequestContext(bound.operation, method, scope["path"], read_headers(scope), scope)
        scope["treaty.request"] = context
        trace = TraceContext.parse(context.headers.get("traceparent"), context.headers.get("tracestate", ""))
        with trace_scope(trace):
            await self._guarded(bound, context, dict(zip(names, values, strict=True)), receive, sender)

    def _sender(self, scope: AsgiScope, send: AsgiSend) -> Sender:
        return Sender(send, scope, self._options.describe_problem, self._options.translate_problem)

    async def _guarded(
        self,
        bound: _Bound,
        context: RequestContext,
        path_values: Mapping[str, str],
        receive: AsgiReceive,
        sender: Sender,
    ) -> None:
        """Serve, and answer every error with a problem document."""
        try:
            await self._serve(bound, context, path_values, receive, sender)
        except HttpProblem as problem:
            await sender.problem(problem, bound.operation)
        except (DeadlineExceeded, TimeoutError):
            await sender.problem(HttpProblem(504, "The request took too long."), bound.operation)
        except CircuitOpen as problem:
            wait = header_value(problem.retry_after or 1.0)
            unavailable = HttpProblem(503, "A service behind this one is not available.", headers={"retry-after": wait})
            await sender.problem(unavailable, bound.operation)
        except TransportError:
            _log.exception("%s: a service behind this one cannot be reached", bound.operation.name)
            await sender.problem(HttpProblem(503, "A service behind this one is not available."), bound.operation)
        except RpcError as error:
            if error.remote:
                _log.exception("%s: a service behind this one failed", bound.operation.name)
            await sender.problem(problem_of_rpc(error), bound.operation)
        except Exception:
            _log.exception("%s failed", bound.operation.name)
            await sender.problem(HttpProblem(500, "The server failed to handle the request."), bound.operation)

    async def _serve(
        self,
        bound: _Bound,
        context: RequestContext,
        path_values: Mapping[str, str],
        receive: AsgiReceive,
        sender: Sender,
    ) -> None:
        operation, options = bound.operation, self._options
        if operation.security:
            context.principals = await authenticate(operation.security, self._schemes, options.authenticators, context)
        _check_accept(bound, context)
        faults: list[Fault] = []
        arguments = read_arguments(operation, context, path_values, faults)
        if bound.has_body:
            context.body = await read_bytes(context, receive, options.max_body_bytes)
            arguments["body"] = read_body(operation, context, context.body, faults)
            if len(operation.body) > 1:
                arguments["content_type"] = context.headers.get("content-type", "").partition(";")[0].strip().lower()
        if faults:
            status = 422 if _prefers_422(operation) else 400
            raise HttpProblem(status, "The request does not match the contract.", errors=faults)
        if options.timeout is None:
            await _answer(operation, bound.handler(context, **arguments), context, receive, sender)
            return
        with deadline_scope(None if bound.streams else options.timeout):
            async with asyncio.timeout(options.timeout) as limit:
                await _answer(operation, bound.handler(context, **arguments), context, receive, sender, limit)


def _bound(route: Route) -> _Bound:
    operation = route.operation
    offered = tuple(
        dict.fromkeys(
            content.media_type
            for answer in operation.answers
            if answer.status[0] == "2" or answer.status == "default"
            for content in answer.content
        )
    )
    streams = any(kind_of(media_type) in ("events", "bytes") for media_type in offered)
    return _Bound(operation, route.handler, bool(operation.body), streams, offered)


def _prefers_422(operation: Operation[Any]) -> bool:
    statuses = {answer.status for answer in operation.answers}
    return "422" in statuses and "400" not in statuses


def _check_accept(bound: _Bound, context: RequestContext) -> None:
    accept = context.headers.get("accept")
    if accept is None or accept == "*/*" or not bound.offered or accept in bound.offered:
        return
    if not any(preference(accept, offered)[0] for offered in bound.offered):
        raise HttpProblem(406, f"This operation offers {', '.join(bound.offered)}.")


async def _answer(
    operation: Operation[Any],
    result: Any,
    context: RequestContext,
    receive: AsgiReceive,
    sender: Sender,
    limit: asyncio.Timeout | None = None,
) -> None:
    if not isinstance(result, AsyncIterable):
        result = await result
    reply = result if isinstance(result, Reply) else Reply(result)
    status, answer = _declared(operation, reply)
    headers = [(name.lower(), header_text(name, value)) for name, value in reply.headers.items() if value is not None]
    if isinstance(reply.value, AsyncIterable):
        content = _chosen(answer, reply, context)
        await _stream(operation, content, status, headers, aiter(reply.value), receive, sender, limit)
        return
    if not answer.content:
        if reply.value is not None:
            raise TypeError(f"{operation.name}: status {status} has no body in the contract")
        await sender.send(status, headers, b"")
        return
    content = _chosen(answer, reply, context)
    codec = codec_of(operation, (answer.status, content.media_type), content.type) if content.type is not None else None
    content_type, body = encode(content, reply.value, codec)
    await sender.send(status, [("content-type", content_type), *headers], body)


def _declared(operation: Operation[Any], reply: Reply[Any]) -> tuple[int, Answer]:
    """The status and the declared answer of a result: as asked for, or the first success that fits its type."""
    if reply.status is not None:
        answer = operation.answer_to(reply.status)
        if answer is None:
            raise TypeError(f"{operation.name}: status {reply.status} is not in the contract")
        return reply.status, answer
    fallback: Answer | None = None
    for answer in operation.answers:
        if answer.status[0] != "2" and not (answer.status == "default" and not operation.declares_success):
            continue
        fallback = fallback or answer
        if _fits(answer, reply.value):
            return _status_of(answer), answer
    if fallback is None:
        raise TypeError(f"{operation.name}: the contract has no success; name the status with Reply")
    return _status_of(fallback), fallback


def _status_of(answer: Answer) -> int:
    return int(answer.status) if answer.status.isdigit() else 200


def _fits(answer: Answer, value: Any) -> bool:
    if value is None:
        return not answer.content
    types = [content.type for content in answer.content]
    return isinstance(value, AsyncIterable) or any(not isinstance(t, type) or isinstance(value, t) for t in types)


def _chosen(answer: Answer, reply: Reply[Any], context: RequestContext) -> Content:
    if reply.media_type is not None:
        found = find_content(answer.content, reply.media_type)
        if found is None:
            raise TypeError(f"{reply.media_type} is not declared for status {answer.status}")
        return found
    if len(answer.content) > 1:
        streams = isinstance(reply.value, AsyncIterable)
        fitting = [c for c in answer.content if (c.kind in ("events", "bytes") if streams else c.kind != "events")]
        accept = context.headers.get("accept", "")
        return max(fitting or answer.content, key=lambda content: preference(accept, content.media_type))
    return answer.content[0]


async def _stream(
    operation: Operation[Any],
    content: Content,
    status: int,
    headers: list[tuple[str, str]],
    iterator: AsyncIterator[Any],
    receive: AsgiReceive,
    sender: Sender,
    limit: asyncio.Timeout | None,
) -> None:
    """The first item is awaited before the status is sent, so that an early failure is still a problem document."""
    headers = [("content-type", content.media_type), *headers]
    if content.kind == "events":
        headers.append(("cache-control", "no-store"))
    try:
        try:
            chunk: bytes | None = _chunk(operation, content, await anext(iterator))
        except StopAsyncIteration:
            chunk = None
        if limit is not None:
            limit.reschedule(None)
        await sender.start(status, headers)
        async with _while_connected(receive):
            while chunk is not None and not sender.head:
                await sender.chunk(chunk)
                try:
                    chunk = _chunk(operation, content, await anext(iterator))
                except StopAsyncIteration:
                    break
            await sender.end()
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


@asynccontextmanager
async def _while_connected(receive: AsgiReceive) -> AsyncIterator[None]:
    """Ends the block, without an error, when the client goes away: an endless stream would never notice."""
    serving = asyncio.current_task()
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        if serving is not None:
            serving.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not gone or serving is None:
            raise
        serving.uncancel()
    finally:
        watcher.cancel()


def _chunk(operation: Operation[Any], content: Content, item: Any) -> bytes:
    if content.kind != "events":
        return bytes(item)
    if content.type is None:
        return event(item if isinstance(item, bytes) else str(item).encode())
    return event(codec_of(operation, "event", content.type).to_json(item))


def build_app(
    routes: Iterable[Route],
    schemes: Iterable[Scheme],
    *,
    title: str,
    version: str,
    options: ServerOptions | None = None,
    contract: bytes | None = None,
) -> FastAPI:
    """A FastAPI application that serves the routes; `contract` is served at `/openapi.json`."""
    from .http_fastapi import application

    served = ContractApp(routes, schemes, options)
    return application(served, title=title, version=version, options=options, contract=contract)


__all__ = ["ContractApp", "Reply", "RequestContext", "Route", "ServerOptions", "build_app"]
