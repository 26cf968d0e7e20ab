"""Clients against servers that misbehave: endless, too large, too slow, or leading in circles."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from codegen.targets.python.runtime import http_bodies, http_pages
from codegen.targets.python.runtime.auth import RefreshingToken, Token
from codegen.targets.python.runtime.context import TraceContext
from codegen.targets.python.runtime.errors import (
    DeadlineExceeded,
    HttpClientError,
    HttpNotFound,
    HttpServiceUnavailable,
    ProtocolError,
)
from codegen.targets.python.runtime.http_client import CallOptions, HttpClient, HttpResult
from codegen.targets.python.runtime.http_operation import Answer, Content, Operation, Param, Scheme, Use
from codegen.targets.python.runtime.parameters import expand_path
from codegen.targets.python.runtime.resilience import BreakerState, CircuitBreaker, Resilience, RetryPolicy
from codegen.targets.python.runtime.retry_after import seconds_to_wait

JSON: Operation[Any] = Operation("get", "GET", "/x", answers=(Answer("200", (Content("application/json"),)),))
EVENTS: Operation[Any] = Operation("watch", "GET", "/e", answers=(Answer("200", (Content("text/event-stream"),)),))
BYTES: Operation[Any] = Operation("load", "GET", "/b", answers=(Answer("200", (Content("application/pdf"),)),))


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, with a pause before each but the first."""

    def __init__(self, *pieces: bytes, pause: float = 0.0) -> None:
        self._pieces = pieces
        self._pause = pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self._pieces):
            await asyncio.sleep(self._pause if number else 0)
            yield piece


def client(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> HttpClient:
    """A client of a peer that answers so."""
    transport = httpx.MockTransport(answer)
    options.setdefault("resilience", Resilience(retry=RetryPolicy(max_attempts=1), breaker=None))
    return HttpClient(base_url="http://peer", http=httpx.AsyncClient(transport=transport), **options)


def peer_of(answer: httpx.Response) -> HttpClient:
    """A client of a peer that gives this answer."""
    return client(lambda _: answer)


def stream(*pieces: bytes, pause: float = 0.0, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Pieces(*pieces, pause=pause))


def events(pieces: int, pause: float = 0.0) -> httpx.Response:
    return stream(*[b'data: {"n": 1}\n\n'] * pieces, pause=pause, content_type="text/event-stream")


async def leave(reading: Any) -> None:
    """Close a stream of events before its end."""
    await reading.aclose()


async def test_the_deadline_of_a_stream_never_strikes_in_the_code_between_two_events() -> None:
    peer = client(lambda _: events(3))
    reading = peer.stream_events(EVENTS, options=CallOptions(timeout=0.05))
    await anext(reading)
    await asyncio.sleep(0.15)
    with pytest.raises(DeadlineExceeded):
        await anext(reading)


async def test_a_stream_that_was_left_cancels_nobody_later() -> None:
    left = client(lambda _: events(3)).stream_events(EVENTS, options=CallOptions(timeout=0.05))
    await anext(left)
    await asyncio.sleep(0.15)
    await leave(left)


async def test_a_stream_whose_next_event_is_late_ends_with_its_deadline() -> None:
    peer = client(lambda _: events(3, pause=5))
    with pytest.raises(DeadlineExceeded):
        async for _ in peer.stream_events(EVENTS, options=CallOptions(timeout=0.05)):
            pass


async def test_open_streams_close_a_breaker_that_is_half_open() -> None:
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=0.0)
    breaker.failed(breaker.acquire())
    peer = client(lambda _: events(2, pause=0.01), resilience=Resilience(breaker=breaker))
    streams = [peer.stream_events(EVENTS) for _ in range(3)]
    for each in streams:
        await anext(each)
    assert breaker.state is BreakerState.CLOSED
    for each in streams:
        await leave(each)


@pytest.mark.parametrize("layers", [1, 2, 3])
async def test_a_compressed_body_is_refused_before_it_takes_much_memory(layers: int) -> None:
    body = bytes(64_000_000)
    for _ in range(layers):
        body = gzip.compress(body)
    peer = client(
        lambda _: stream(body, content_type="application/json", content_encoding=", ".join(["gzip"] * layers)),
        max_response_bytes=10_000,
    )
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        await peer.call(JSON)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", "x-gzip"])
async def test_a_compressed_body_is_read(encoding: str) -> None:
    text = b'{"n": "' + b"ab" * 200_000 + b'"}'
    compressed = {"gzip": gzip.compress(text), "x-gzip": gzip.compress(text), "deflate": zlib.compress(text)}
    body = compressed.get(encoding, text)
    pieces = [body[i : i + 100] for i in range(0, len(body), 100)]
    peer = client(lambda _: stream(*pieces, content_type="application/json", content_encoding=encoding))
    assert len((await peer.call(JSON)).value["n"]) == 400_000


async def test_a_compressed_body_that_ends_early_or_is_none_is_an_error() -> None:
    for body in (gzip.compress(b'{"n": 1}' * 100)[:20], b'{"n": 1}'):
        answer = stream(body, content_type="application/json", content_encoding="gzip")
        with pytest.raises(ProtocolError):
            await peer_of(answer).call(JSON)


async def test_an_error_with_a_large_body_is_still_that_error() -> None:
    peer = client(lambda _: stream(b"x" * 40_000, status=503), max_response_bytes=10_000)
    with pytest.raises(HttpServiceUnavailable):
        await peer.call(JSON)
    announced = client(lambda _: httpx.Response(404, content=b"x" * 50_000))
    with pytest.raises(HttpNotFound):
        async for _ in announced.stream_bytes(BYTES):
            pass


async def test_the_answer_to_head_may_announce_any_length() -> None:
    head: Operation[Any] = Operation(
        "peek", "HEAD", "/x", answers=(Answer("200", (Content("application/json"),)),), repeatable=True
    )
    answer = httpx.Response(
        200, headers={"content-length": "99999999999", "content-type": "application/json"}, stream=Pieces()
    )
    result = await client(lambda _: answer).call(head)
    assert (result.value, result.headers["content-length"]) == (None, "99999999999")


async def test_credentials_that_do_not_come_end_with_the_deadline() -> None:
    async def never() -> str:
        await asyncio.sleep(5)
        return "key"

    scheme = Scheme("key", "apiKey", place="header", parameter="x-key")
    asked: Operation[Any] = Operation("get", "GET", "/x", answers=JSON.answers, security=((Use("key"),),))
    peer = client(lambda _: httpx.Response(200, json={}), schemes=(scheme,), credentials={"key": never})
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await peer.call(asked, options=CallOptions(timeout=0.05))
    assert time.monotonic() - began < 2


async def test_a_followed_link_carries_a_key_of_the_query_too() -> None:
    scheme = Scheme("key", "apiKey", place="query", parameter="api key")
    asked: Operation[Any] = Operation("get", "GET", "/x", answers=JSON.answers, security=((Use("key"),),))
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={})

    peer = client(answer, schemes=(scheme,), credentials={"key": "s3"})
    first = await peer.call(asked)
    await peer.follow(asked, "/x?page=2", first.url)
    await peer.follow(asked, "/x?page=3&api%20key=s3", first.url)
    assert seen == [
        "http://peer/x?api%20key=s3",
        "http://peer/x?page=2&api%20key=s3",
        "http://peer/x?page=3&api%20key=s3",
    ]


async def test_pages_that_lead_in_a_circle_are_an_error() -> None:
    async def by_token(token: str | None) -> str | None:
        return "b" if token == "a" else "a"

    with pytest.raises(ProtocolError):
        async for _ in http_pages.by_token(by_token, "token", lambda page: page, lambda _: [1]):
            pass

    async def first() -> HttpResult[Any]:
        return HttpResult(value=[1], status=200, headers={"link": "</x>; rel=next"}, url="http://peer/x")

    async def follow(_: str, __: str) -> HttpResult[Any]:
        return await first()

    with pytest.raises(ProtocolError):
        async for _ in http_pages.by_link(first, follow, lambda page: page):
            pass


async def read(*pieces: bytes, limit: int = 1000) -> list[str]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [data async for data in http_bodies.events(chunks(), limit)]


async def test_a_byte_order_mark_before_the_first_event_is_skipped() -> None:
    assert await read(b"\xef\xbb\xbfdata: 1\n\n") == ["1"]
    assert await read(b"\xef", b"\xbb", b"\xbfdata: 1\n", b"\n") == ["1"]


async def test_an_event_of_many_lines_is_limited_as_a_whole() -> None:
    with pytest.raises(ValueError, match="more than"):
        await read(*[b"data: x\n"] * 500)
    with pytest.raises(ValueError, match="more than"):
        await read(b"data: " + b"x" * 1001)


async def test_many_small_events_in_one_piece_are_no_large_event() -> None:
    assert len(await read(b"data: x\n\n" * 500)) == 500


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_events_are_read_with_every_line_end_in_pieces_of_every_size(end: str, size: int) -> None:
    text = end.join(
        [": hello", "data: 1", "id: 7", "data:2", "", "retry: 5", "", "data", "", "data: ü", "", "data: cut"]
    )
    raw = text.encode()
    assert await read(*(raw[i : i + size] for i in range(0, len(raw), size))) == ["1\n2", "", "ü"]


async def test_a_long_line_in_small_pieces_takes_time_in_proportion() -> None:
    began = time.monotonic()
    await read(b"data: ", *[b"x" * 50] * 40_000, b"\n\n", limit=4_000_000)
    assert time.monotonic() - began < 2


async def test_an_answer_of_another_kind_is_no_stream_of_events() -> None:
    peer = client(lambda _: httpx.Response(200, json={"n": 1}))
    with pytest.raises(ProtocolError):
        async for _ in peer.stream_events(EVENTS):
            pass


async def test_a_deeply_nested_problem_document_is_still_that_status() -> None:
    body = b"[" * 200_000
    peer = client(lambda _: httpx.Response(418, headers={"content-type": "application/problem+json"}, content=body))
    with pytest.raises(HttpClientError) as caught:
        await peer.call(JSON)
    assert caught.value.problem is None


def test_a_wait_of_centuries_is_a_long_wait_and_nonsense_is_none() -> None:
    assert (seconds_to_wait("99999999999") or 0) > 1e9
    assert (seconds_to_wait("9" * 400) or 0) > 1e9
    assert seconds_to_wait("Wed, 21 Oct 99999999999999999 07:28:00 GMT") is None


@pytest.mark.parametrize("state", ["a=1\r\nx-evil: 1", "a=ü", "a=\x00", "a=" + "x" * 10_000])
def test_a_trace_state_that_no_header_can_carry_is_left_out(state: str) -> None:
    found = TraceContext.parse(f"00-{'1' * 32}-{'2' * 16}-01", state)
    assert found is not None
    assert found.state == ""


def test_the_backoff_of_a_very_late_attempt_is_the_longest() -> None:
    assert RetryPolicy(max_attempts=5000, jitter=False).backoff(4000) == 5.0


async def test_a_token_of_a_short_life_is_fetched_once_for_all_calls_that_wait() -> None:
    fetched = 0

    async def fetch() -> Token:
        nonlocal fetched
        fetched += 1
        await asyncio.sleep(0)
        return Token("t", 20)

    token = RefreshingToken(fetch, leeway=30)
    await asyncio.gather(*(token() for _ in range(5)))
    assert fetched == 1


@pytest.mark.parametrize(("value", "explode", "path"), [("", False, "/;c"), (["", "b"], True, "/;c;c=b")])
def test_an_empty_matrix_parameter_has_no_equals_sign(value: Any, explode: bool, path: str) -> None:
    param = Param("c", "path", "c", style="matrix", explode=explode)
    assert expand_path("/{c}", (param,), {"c": value}) == path
