"""The engine of generated HTTP servers: operations bound to the methods of a handler, inside a FastAPI application.

Phases of a request: route -> security -> parameters and body, all faults
together -> handler -> response held to the contract. Every error, also those
of the framework, is answered with a problem document (RFC 9457).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from .context import TraceContext, enter_trace
from .errors import CircuitOpen, DeadlineExceeded, ProblemDetails, TransportError
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
from .http_routing import Router
from .http_security import Authenticator, authenticate
from .parameters import header_text
from .problem import MEDIA_TYPE, Fault, HttpProblem, phrase, problem_json
from .resilience import deadline_scope
from .retry_after import header_value

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


@dataclass(frozen=True, slots=True)
class _Bound:
    """A route with everything that can be decided before the first request."""

    operation: Operation[Any]
    handler: Handler
    has_body: bool
    streams: bool
    offered: tuple[str, ...]


class ContractRoute(BaseRoute):
    """All operations of one contract as one route of a Starlette or FastAPI application."""

    def __init__(self, routes: Iterable[Route], schemes: Iterable[Scheme] = (),
                 options: ServerOptions | None = None) -> None:
        self._options = options or ServerOptions()
        self._schemes = {scheme.name: scheme for scheme in schemes}
        self._router: Router[_Bound] = Router()
        for route in routes:
            self._check(route.operation)
            path = route.operation.path if route.path is None else route.path
            self._router.add(route.operation.method, self._options.prefix + path, _bound(route))

    def _check(self, operation: Operation[Any]) -> None:
        missing = {use.scheme for requirement in operation.security for use in requirement
                   } - self._options.authenticators.keys()
        if missing:
            raise ValueError(f"{operation.name} needs an authenticator for {', '.join(sorted(missing))}")

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Starlette's question whether a request is ours: full for every known path."""
        if scope["type"] != "http":
            return Match.NONE, {}
        raw = scope.get("raw_path")
        path = raw.decode("ascii", "replace") if raw else scope["path"]
        root = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root):]
        found = self._router.find(path.partition("?")[0])
        return (Match.NONE, {}) if found is None else (Match.FULL, {"treaty": found})

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Not offered: paths are those of the contract."""
        from starlette.routing import NoMatchFound

        raise NoMatchFound(name, path_params)

    async def handle(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve one request."""
        methods, values = scope["treaty"]
        method: str = scope["method"]
        target = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        sender = _Sender(send, head=method == "HEAD")
        if target is None:
            allowed = ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else ())}))
            await sender.problem(HttpProblem(405, f"{method} is not allowed here.", headers={"allow": allowed}))
            return
        bound, names = target
        context = RequestContext(bound.operation, method, scope["path"], read_headers(scope), scope)
        trace = TraceContext.parse(context.headers.get("traceparent"), context.headers.get("tracestate", ""))
        enter_trace(trace or TraceContext.new())
        try:
            await self._serve(bound, context, dict(zip(names, values, strict=True)), receive, sender)
        except HttpProblem as problem:
            await sender.problem(problem, bound.operation)
        except (DeadlineExceeded, TimeoutError):
            await sender.problem(HttpProblem(504, "The request took too long."))
        except CircuitOpen as problem:
            wait = header_value(problem.retry_after or 1.0)
            await sender.problem(HttpProblem(503, "A service behind this one is not available.",
                                             headers={"retry-after": wait}))
        except TransportError:
            _log.exception("%s: a service behind this one cannot be reached", bound.operation.name)
            await sender.problem(HttpProblem(503, "A service behind this one is not available."))
        except Exception:
            _log.exception("%s failed", bound.operation.name)
            await sender.problem(HttpProblem(500, "The server failed to handle the request."))

    async def _serve(self, bound: _Bound, context: RequestContext, path_values: Mapping[str, str],
                     receive: AsgiReceive, sender: _Sender) -> None:
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
            await _answer(operation, bound.handler(context, **arguments), context, sender)
            return
        with deadline_scope(None if bound.streams else options.timeout):
            async with asyncio.timeout(options.timeout) as limit:
                await _answer(operation, bound.handler(context, **arguments), context, sender, limit)


def _bound(route: Route) -> _Bound:
    operation = route.operation
    offered = tuple(dict.fromkeys(content.media_type for answer in operation.answers
                                  if answer.status[0] == "2" or answer.status == "default"
                                  for content in answer.content))
    streams = any(kind_of(media_type) == "events" for media_type in offered)
    return _Bound(operation, route.handler, bool(operation.body), streams, offered)


def _prefers_422(operation: Operation[Any]) -> bool:
    statuses = {answer.status for answer in operation.answers}
    return "422" in statuses and "400" not in statuses


def _check_accept(bound: _Bound, context: RequestContext) -> None:
    accept = context.headers.get("accept")
    if accept is None or accept == "*/*" or not bound.offered or accept in bound.offered:
        return
    for wanted in accept.split(","):
        name, _, weight = wanted.strip().lower().partition(";")
        name = name.strip()
        if weight.replace(" ", "") in ("q=0", "q=0.0"):
            continue
        for offered in bound.offered:
            if name in ("*/*", offered.lower()) or offered == "*/*" or (
                    name.endswith("/*") and offered.lower().startswith(name[:-1])):
                return
    raise HttpProblem(406, f"This operation offers {', '.join(bound.offered)}.")


async def _answer(operation: Operation[Any], result: Any, context: RequestContext, sender: _Sender,
                  limit: asyncio.Timeout | None = None) -> None:
    if not isinstance(result, AsyncIterable):
        result = await result
    reply = result if isinstance(result, Reply) else Reply(result)
    status, answer = _declared(operation, reply)
    headers = [(name.lower(), header_text(name, value)) for name, value in reply.headers.items() if value is not None]
    if isinstance(reply.value, AsyncIterable):
        await _stream(operation, answer, status, headers, reply, context, sender, limit)
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
    return any(not isinstance(t, type) or isinstance(value, t) or isinstance(value, AsyncIterable) for t in types)


def _chosen(answer: Answer, reply: Reply[Any], context: RequestContext) -> Content:
    if reply.media_type is not None:
        found = find_content(answer.content, reply.media_type)
        if found is None:
            raise TypeError(f"{reply.media_type} is not declared for status {answer.status}")
        return found
    if len(answer.content) > 1:
        streams = isinstance(reply.value, AsyncIterable)
        for wanted in context.headers.get("accept", "").split(","):
            found = find_content(answer.content, wanted)
            if found is not None and "*" not in wanted and (found.kind in ("events", "bytes") or not streams):
                return found
        if streams:
            return next((c for c in answer.content if c.kind in ("events", "bytes")), answer.content[0])
    return answer.content[0]


async def _stream(operation: Operation[Any], answer: Answer, status: int, headers: list[tuple[str, str]],
                  reply: Reply[Any], context: RequestContext, sender: _Sender, limit: asyncio.Timeout | None) -> None:
    """The first item is awaited before the status is sent, so that an early failure is still a problem document."""
    content = _chosen(answer, reply, context)
    iterator: AsyncIterator[Any] = aiter(reply.value)
    headers = [("content-type", content.media_type), *headers]
    if content.kind == "events":
        headers.append(("cache-control", "no-store"))
    try:
        chunk: bytes | None = _chunk(operation, content, await anext(iterator))
    except StopAsyncIteration:
        chunk = None
    if limit is not None:
        limit.reschedule(None)
    await sender.start(status, headers)
    try:
        while chunk is not None and not sender.head:
            await sender.chunk(chunk)
            try:
                chunk = _chunk(operation, content, await anext(iterator))
            except StopAsyncIteration:
                break
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
    await sender.end()


def _chunk(operation: Operation[Any], content: Content, item: Any) -> bytes:
    if content.kind != "events":
        return bytes(item)
    if content.type is None:
        return event(item if isinstance(item, bytes) else str(item).encode())
    return event(codec_of(operation, "event", content.type).to_json(item))


class _Sender:
    """Writes one response."""

    __slots__ = ("_send", "head", "started")

    def __init__(self, send: AsgiSend, *, head: bool) -> None:
        self._send = send
        self.head = head
        self.started = False

    async def send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if status >= 200 and status not in (204, 304):
            raw.append((b"content-length", str(len(body)).encode()))
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
        await self._send({"type": "http.response.body", "body": b"" if self.head else body})

    async def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.started = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def chunk(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def problem(self, problem: HttpProblem, operation: Operation[Any] | None = None) -> None:
        """Answer with a problem, in the declared form of its status where its model says so."""
        if self.started:
            raise ConnectionAbortedError("the response was cut off") from problem
        content_type, body = _problem_body(problem, operation)
        headers = [(name.lower(), header_text(name, value)) for name, value in problem.headers.items()]
        await self.send(problem.status, [("content-type", content_type), *headers], body)


def _problem_body(problem: HttpProblem, operation: Operation[Any] | None) -> tuple[str, bytes]:
    answer = operation.answer_to(problem.status) if operation is not None else None
    if problem.model is not None and operation is not None and answer is not None and answer.content:
        content = find_content(answer.content, MEDIA_TYPE) or answer.content[0]
        codec = codec_of(operation, (answer.status, content.media_type), content.type) if content.type else None
        return encode(content, problem.model, codec)
    return MEDIA_TYPE, problem_json(problem.problem or ProblemDetails(status=problem.status))


def build_app(routes: Iterable[Route], schemes: Iterable[Scheme], *, title: str, version: str,
               options: ServerOptions | None = None, contract: bytes | None = None) -> FastAPI:
    """A FastAPI application that serves the routes; `contract` is served at `/openapi.json`."""
    app = FastAPI(title=title, version=version, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.append(ContractRoute(routes, schemes, options))
    if contract is not None:
        async def serve_contract(_: Request) -> Response:
            return Response(contract, media_type="application/json")

        app.router.add_route("/openapi.json", serve_contract, methods=["GET"])
    install_problem_handlers(app)
    return app


def install_problem_handlers(app: FastAPI) -> None:
    """Make problem documents of the framework's own errors: 404, 405, 422, 500."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(Exception, _on_exception)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(getattr(error, "detail", ""))
    headers = getattr(error, "headers", None) or {}
    return _problem_response(HttpProblem(status, "" if detail == phrase(status) else detail, headers=headers))


async def _on_validation_error(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [Fault(str(one["msg"]), parameter=str(one["loc"][-1])) for one in found]
    return _problem_response(HttpProblem(422, "The request is not valid.", errors=faults))


async def _on_exception(_: Request, __: Exception) -> Response:
    return _problem_response(HttpProblem(500, "The server failed to handle the request."))


def _problem_response(problem: HttpProblem) -> Response:
    body = problem_json(problem.problem or ProblemDetails(status=problem.status))
    return Response(body, problem.status, dict(problem.headers), MEDIA_TYPE)


__all__ = ["ContractRoute", "Reply", "RequestContext", "Route", "ServerOptions", "build_app",
           "install_problem_handlers"]
