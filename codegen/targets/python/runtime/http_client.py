"""The engine of generated HTTP clients: one call of one operation over httpx.

Phases of a call: arguments -> URL, headers, body -> attempts under deadline,
circuit breaker and retry policy -> response -> the contract's type, or an error.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar, cast
from urllib.parse import urljoin, urlsplit

import httpx

from .context import trace_headers
from .errors import DeadlineExceeded, HttpError, ProtocolError, TransportError, http_error_class
from .http_auth import Credential, Outgoing, apply
from .http_bodies import codec_of, encode, events, find_content
from .http_encoding import ACCEPTED, decoded, read_whole
from .http_operation import Answer, Operation, Param, Scheme, kind_of
from .models import ValidationError
from .parameters import cookie_pairs, expand_path, header_text, query_string
from .problem import read_problem
from .resilience import Deadline, Resilience, effective_deadline, new_idempotency_key
from .retry_after import seconds_to_wait

T = TypeVar("T")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_KEPT_OF_ERRORS = 8 * 1024
DEFAULT_MAX_RESPONSE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What one call does differently. `timeout` in seconds, for all attempts together."""

    timeout: float | Deadline | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    """Sent where the operation has such a header; a random one is made when none is given."""
    retry: bool = True
    base_url: str | None = None
    """Goes before that of the client and those that the contract gives the operation."""


_DEFAULT = CallOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResult(Generic[T]):
    """A successful response with everything around its value. Header names are in lower case."""

    value: T
    status: int
    headers: Mapping[str, str]
    url: str


@dataclass(slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None


@dataclass(slots=True, kw_only=True)
class HttpClient:
    """Calls operations of one API. Open for as long as it is used: `async with`, or `aclose` at the end.

    `base_url` is put before every path; `credentials` are by name of the security
    scheme; `max_response_bytes` bounds a body that is read as a whole, and one event of a stream.
    """

    base_url: str
    schemes: Sequence[Scheme] = ()
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    resilience: Resilience = field(default_factory=Resilience)
    user_agent: str = "treaty-client"
    headers: Mapping[str, str] = field(default_factory=dict)
    max_response_bytes: int = DEFAULT_MAX_RESPONSE
    http: httpx.AsyncClient | None = None
    _owned: httpx.AsyncClient | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections that this client opened itself."""
        if self._owned is not None:
            await self._owned.aclose()
            self._owned = None

    @property
    def _connection(self) -> httpx.AsyncClient:
        if self.http is not None:
            return self.http
        if self._owned is None:
            self._owned = httpx.AsyncClient(follow_redirects=False)
        return self._owned

    async def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any] = _NOTHING,
        body: Any = None,
        *,
        content_type: str | None = None,
        options: CallOptions | None = None,
        url: str | None = None,
    ) -> HttpResult[T]:
        """Call and read the whole answer. Raises `HttpError`, `ProtocolError`, `TransportError`, `DeadlineExceeded`.

        `url` is that of a webhook or callback, where the path is not the contract's.
        """
        options = options or _DEFAULT
        deadline = effective_deadline(options.timeout, self.resilience.timeout)
        request, repeatable = await self._prepare(operation, arguments, body, content_type, options, deadline, url)
        return await self._run(operation, request, repeatable and options.retry, deadline)

    async def follow(
        self, operation: Operation[T], url: str, previous: str, *, options: CallOptions | None = None
    ) -> HttpResult[T]:
        """GET a URL that a response of `operation` gave (`Link`, RFC 8288); refused when it leaves the origin."""
        target = urljoin(previous, url)
        if urlsplit(target)[:2] != urlsplit(previous)[:2]:
            raise ProtocolError(f"a link leads from {urlsplit(previous).netloc} to {urlsplit(target).netloc}")
        options = options or _DEFAULT
        deadline = effective_deadline(options.timeout, self.resilience.timeout)
        outgoing = await self._outgoing(operation, {}, options, deadline)
        given = urlsplit(target).query.split("&")
        target = _with_query(target, [pair for pair in outgoing.query if pair not in given])
        request = _Request(operation.method, target, outgoing.headers, None)
        return await self._run(operation, request, operation.repeatable and options.retry, deadline)

    async def _run(
        self, operation: Operation[T], request: _Request, repeatable: bool, deadline: Deadline | None
    ) -> HttpResult[T]:
        async def attempt(_: int) -> HttpResult[T]:
            return await self._attempt(operation, request, deadline)

        return await self.resilience.call(attempt, deadline=deadline, repeatable=repeatable)

    async def _attempt(self, operation: Operation[T], request: _Request, deadline: Deadline | None) -> HttpResult[T]:
        with _reported(request):
            async with asyncio.timeout(_left(deadline)):
                response = await self._open(request, deadline)
                try:
                    content = await read_whole(response, self.max_response_bytes, cut=response.status_code >= 400)
                finally:
                    await response.aclose()
        headers = _lower(response.headers)
        answer = _accepted(operation, response.status_code, headers, content)
        value = _decode(operation, answer, headers.get("content-type", ""), content)
        return HttpResult(value=cast("T", value), status=response.status_code, headers=headers, url=request.url)

    async def _open(self, request: _Request, deadline: Deadline | None) -> httpx.Response:
        """The response with its body still to be read."""
        built = self._connection.build_request(
            request.method, request.url, headers=request.headers, content=request.content, timeout=_left(deadline)
        )
        return await self._connection.send(built, stream=True, follow_redirects=False)

    async def stream_events(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any] = _NOTHING,
        body: Any = None,
        *,
        content_type: str | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[T]:
        """The data of each server-sent event. Only a time-out that is given counts, then for the whole stream."""
        async with self._stream(operation, arguments, body, content_type, options, "text/event-stream") as (
            response,
            chunks,
        ):
            sent = response.headers.get("content-type", "")
            if sent and kind_of(sent) != "events":
                raise ProtocolError(f"{operation.name}: the response is {sent!r}, no stream of events")
            content = find_content(_contents(operation), "text/event-stream")
            try:
                async for data in events(chunks, self.max_response_bytes):
                    if content is None or content.type is None:
                        yield cast("T", data)
                    else:
                        yield cast("T", _parsed(operation, "event", content.type, data.encode()))
            except ValueError as problem:
                raise ProtocolError(str(problem)) from problem

    async def stream_bytes(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any] = _NOTHING,
        body: Any = None,
        *,
        content_type: str | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[bytes]:
        """The body, piece by piece, of any size."""
        accepted = ", ".join(c.media_type for c in _contents(operation) if c.kind in ("bytes", "text")) or "*/*"
        async with self._stream(operation, arguments, body, content_type, options, accepted) as (_, chunks):
            async for chunk in chunks:
                yield chunk

    @asynccontextmanager
    async def _stream(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        body: Any,
        content_type: str | None,
        options: CallOptions | None,
        accept: str,
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """An open stream and its pieces. No time limit runs while the caller has one of them."""
        options = options or _DEFAULT
        deadline = effective_deadline(options.timeout)
        request, _ = await self._prepare(operation, arguments, body, content_type, options, deadline)
        request.headers["accept"] = accept
        response = await self._opened(operation, request, deadline)
        try:
            with _reported(request):
                yield response, _timely(decoded(response), deadline)
        finally:
            await response.aclose()

    async def _opened(self, operation: Operation[Any], request: _Request, deadline: Deadline | None) -> httpx.Response:
        """The response of a success. For the breaker the peer is well as soon as the stream is open."""
        breaker = self.resilience.breaker
        ticket = breaker.acquire() if breaker is not None else 0
        failure: BaseException | None = None
        try:
            with _reported(request):
                async with asyncio.timeout(_left(deadline)):
                    response = await self._open(request, deadline)
                    if 200 <= response.status_code < 300:
                        return response
                    try:
                        content = await read_whole(response, self.max_response_bytes, cut=True)
                    finally:
                        await response.aclose()
            _accepted(operation, response.status_code, _lower(response.headers), content)
            raise ProtocolError(f"status {response.status_code} is no stream")
        except BaseException as problem:
            failure = problem
            raise
        finally:
            if breaker is not None:
                breaker.record(ticket, failure)

    async def _prepare(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        body: Any,
        content_type: str | None,
        options: CallOptions,
        deadline: Deadline | None,
        url: str | None = None,
    ) -> tuple[_Request, bool]:
        by_place = _by_place(operation)
        if url is None:
            base = options.base_url or (
                urljoin(self.base_url + "/", operation.servers[0]) if operation.servers else self.base_url
            )
            url = base.rstrip("/") + expand_path(operation.path, by_place.get("path", ()), arguments)
        outgoing = await self._outgoing(operation, arguments, options, deadline)
        if "query" in by_place:
            query = query_string(by_place["query"], arguments)
            if query:
                outgoing.query.insert(0, query)
        url = _with_query(url, outgoing.query)
        content = None
        if body is not None:
            content = _encoded_body(operation, body, content_type, outgoing.headers)
        key_header = operation.idempotency_header
        if key_header is not None and key_header.lower() not in outgoing.headers:
            key = options.idempotency_key or new_idempotency_key()
            outgoing.headers[key_header.lower()] = header_text(key_header, key)
        repeatable = operation.repeatable or key_header is not None
        return _Request(operation.method, url, outgoing.headers, content), repeatable

    async def _outgoing(
        self, operation: Operation[Any], arguments: Mapping[str, Any], options: CallOptions, deadline: Deadline | None
    ) -> Outgoing:
        headers = {"user-agent": self.user_agent, "accept": _accept(operation), "accept-encoding": ACCEPTED}
        outgoing = Outgoing(headers, [], [])
        headers.update(trace_headers())
        for source in (self.headers, options.headers):
            headers.update((name.lower(), header_text(name, value)) for name, value in source.items())
        by_place = _by_place(operation)
        for param in by_place.get("header", ()):
            value = arguments.get(param.argument)
            if value is not None:
                headers[param.name.lower()] = header_text(
                    param.name, value, explode=param.explode, as_json=param.style == "content"
                )
        for param in by_place.get("cookie", ()):
            if arguments.get(param.argument) is not None:
                outgoing.cookies.extend(cookie_pairs(param, arguments[param.argument]))
        if operation.security and self.credentials:
            schemes = {scheme.name: scheme for scheme in self.schemes}
            try:
                async with asyncio.timeout(_left(deadline)):
                    await apply(operation.security, schemes, self.credentials, outgoing)
            except TimeoutError as late:
                raise DeadlineExceeded(f"{operation.name}: the credentials did not come in time") from late
        if outgoing.cookies:
            headers["cookie"] = "; ".join(outgoing.cookies)
        return outgoing


def _left(deadline: Deadline | None) -> float | None:
    return deadline.remaining if deadline is not None else None


async def _timely(pieces: AsyncIterator[bytes], deadline: Deadline | None) -> AsyncIterator[bytes]:
    """The pieces; `TimeoutError` when the deadline passes before the next one comes."""
    while True:
        try:
            async with asyncio.timeout(_left(deadline)):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        yield piece


@contextmanager
def _reported(request: _Request) -> Iterator[None]:
    """What goes wrong on the wire becomes one of our errors."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as problem:
        raise DeadlineExceeded(f"{request.method} {_shown(request.url)}: no answer in time") from problem
    except (httpx.TransportError, httpx.StreamError) as problem:
        detail = f"{type(problem).__name__} {problem}".strip()
        raise TransportError(f"{request.method} {_shown(request.url)}: {detail}") from problem
    except (httpx.DecodingError, httpx.InvalidURL) as problem:
        raise ProtocolError(f"{request.method} {_shown(request.url)}: {problem}") from problem


def _with_query(url: str, pairs: Sequence[str]) -> str:
    return url + ("&" if "?" in url else "?") + "&".join(pairs) if pairs else url


def _shown(url: str) -> str:
    """A URL for messages: without its query and user information, which may hold secrets."""
    return re.sub(r"//[^/]*@", "//", url.partition("?")[0])


def _by_place(operation: Operation[Any]) -> dict[str, list[Param]]:
    found: dict[str, list[Param]] | None = operation.cache.get("places")
    if found is None:
        found = {}
        for param in operation.params:
            found.setdefault(param.place, []).append(param)
        operation.cache["places"] = found
    return found


def _contents(operation: Operation[Any]) -> list[Any]:
    return [
        content
        for answer in operation.answers
        if answer.status[0] == "2" or answer.status == "default"
        for content in answer.content
    ]


def _accept(operation: Operation[Any]) -> str:
    found: str | None = operation.cache.get("accept")
    if found is None:
        kinds = [c.media_type for answer in operation.answers for c in answer.content if c.kind in ("json", "text")]
        found = ", ".join(dict.fromkeys(kinds)) or "*/*"
        operation.cache["accept"] = found
    return found


def _encoded_body(operation: Operation[Any], body: Any, content_type: str | None, headers: dict[str, str]) -> bytes:
    content = operation.body[0] if content_type is None else find_content(operation.body, content_type)
    if content is None:
        raise ValueError(f"{operation.name} takes no {content_type}")
    codec = codec_of(operation, ("body", content.media_type), content.type) if content.type is not None else None
    sent, encoded = encode(content, body, codec)
    headers["content-type"] = content_type if content_type and "*" in content.media_type else sent
    return encoded


def _lower(headers: httpx.Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.multi_items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _accepted(operation: Operation[Any], status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """The declared answer, when it means success; otherwise the fitting error is raised."""
    answer = operation.answer_to(status)
    success = 200 <= status < 300
    redirect = 300 <= status < 400 and answer is not None and answer.status != "default"
    if success and answer is not None and (answer.status != "default" or not operation.declares_success):
        return answer
    if redirect and answer is not None:
        return answer
    if success:
        raise ProtocolError(f"{operation.name}: status {status} is not in the contract")
    content_type = headers.get("content-type", "")
    raise http_error_class(status)(
        status,
        problem=read_problem(status, content_type, content),
        headers=headers,
        body=content[:_KEPT_OF_ERRORS],
        model=_error_model(operation, answer, content_type, content),
        retry_after=seconds_to_wait(headers.get("retry-after")),
    )


def _error_model(operation: Operation[Any], answer: Answer | None, content_type: str, content: bytes) -> Any:
    if answer is None or not content:
        return None
    try:
        return _decode(operation, answer, content_type, content)
    except ProtocolError:
        return None


def _decode(operation: Operation[Any], answer: Answer, content_type: str, content: bytes) -> Any:
    if not answer.content or (not content and (not content_type or operation.method == "HEAD")):
        return None
    described = find_content(answer.content, content_type or answer.content[0].media_type)
    if described is None:
        raise ProtocolError(f"{operation.name}: status {answer.status} has an undeclared type {content_type!r}")
    kind = described.kind
    if kind == "json":
        return _parsed(operation, (answer.status, described.media_type), described.type or Any, content)
    if kind == "text":
        return content.decode("utf-8", "replace")
    return content


def _parsed(operation: Operation[Any], key: object, annotation: Any, content: bytes) -> Any:
    try:
        return codec_of(operation, key, annotation).from_json(content)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise ProtocolError(
            f"{operation.name}: the response breaks the contract at /{place}: {first['msg']}"
        ) from problem


__all__ = ["DEFAULT_MAX_RESPONSE", "CallOptions", "HttpClient", "HttpError", "HttpResult"]
