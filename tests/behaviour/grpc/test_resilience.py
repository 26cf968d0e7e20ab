"""Deadlines, retries, breaker, idempotency keys, trace and credentials of generated clients, over loopback."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.behaviour.grpc.conftest import Serve, Shelf, instant
from tests.behaviour.grpc.test_calls import handler_of


class Failing:
    """A method that fails with the given errors, one per call, then answers."""

    def __init__(self, answer: Any, *errors: Exception) -> None:
        self.errors = list(errors)
        self.answer = answer
        self.requests: list[Any] = []
        self.calls: list[Any] = []

    async def __call__(self, request: Any, call: Any) -> Any:
        self.requests.append(request)
        self.calls.append(call)
        if self.errors:
            raise self.errors.pop(0)
        return self.answer


async def test_a_safe_call_is_repeated_after_unavailable(shelf: Shelf, serving: Serve) -> None:
    method = Failing(shelf.pb2.GetBookResponse(note="yes"), *(shelf.errors.Unavailable("no") for _ in range(3)))
    told = []
    resilience = instant(shelf, on_retry=lambda error, number, wait: told.append((error.code.name, number)))
    async with serving(handler_of(get_book=method), resilience=resilience) as client:
        info = shelf.client.ResponseInfo()
        assert (await client.get_book(shelf.pb2.GetBookRequest(), info=info)).note == "yes"
    assert info.attempts == len(method.requests) == 4
    assert told == [("UNAVAILABLE", 1), ("UNAVAILABLE", 2), ("UNAVAILABLE", 3)]


async def test_a_call_with_effects_and_no_key_is_sent_once(shelf: Shelf, serving: Serve) -> None:
    method = Failing(shelf.pb2.LendResponse(), shelf.errors.Unavailable("no"))
    async with serving(handler_of(lend=method)) as client:
        with pytest.raises(shelf.errors.Unavailable):
            await client.lend(shelf.pb2.LendRequest())
    assert len(method.requests) == 1


async def test_an_error_that_repeating_cannot_mend_is_raised_at_once(shelf: Shelf, serving: Serve) -> None:
    method = Failing(None, shelf.errors.NotFound("no such book"))
    async with serving(handler_of(get_book=method)) as client:
        with pytest.raises(shelf.errors.NotFound):
            await client.get_book(shelf.pb2.GetBookRequest())
    assert len(method.requests) == 1


async def test_the_last_error_is_raised_when_the_attempts_are_used_up(shelf: Shelf, serving: Serve) -> None:
    method = Failing(None, *(shelf.errors.Unavailable(str(number)) for number in range(9)))
    resilience = instant(shelf, retry=shelf.resilience.RetryPolicy(max_attempts=3))
    async with serving(handler_of(get_book=method), resilience=resilience) as client:
        with pytest.raises(shelf.errors.Unavailable, match="2"):
            await client.get_book(shelf.pb2.GetBookRequest())
    assert len(method.requests) == 3


async def test_a_key_makes_a_call_repeatable_and_stays_the_same(shelf: Shelf, serving: Serve) -> None:
    method = Failing(shelf.pb2.LendResponse(), shelf.errors.Unavailable("no"), shelf.errors.Unavailable("no"))
    async with serving(handler_of(lend=method)) as client:
        await client.lend(shelf.pb2.LendRequest(), idempotency_key="k1")
    assert [call.idempotency_key for call in method.calls] == ["k1", "k1", "k1"]


async def test_a_request_with_a_key_field_gets_one_key_for_all_attempts(shelf: Shelf, serving: Serve) -> None:
    method = Failing(shelf.pb2.ReserveResponse(), shelf.errors.Unavailable("no"))
    async with serving(handler_of(reserve=method)) as client:
        request = shelf.pb2.ReserveRequest(id="b1")
        await client.reserve(request)
        await client.reserve(request)
        await client.reserve(shelf.pb2.ReserveRequest(idempotency_key="own"), idempotency_key="other")
        await client.reserve(request, idempotency_key="given")
    first, again, second, own, given = (found.idempotency_key for found in method.requests)
    assert first == again != second
    assert len(first) == 36
    assert (own, given) == ("own", "given")
    assert not request.idempotency_key


async def test_the_server_may_name_the_delay_or_forbid_repeating(shelf: Shelf, serving: Serve) -> None:
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    errors, details = shelf.errors, shelf.details
    method = Failing(
        shelf.pb2.GetBookResponse(),
        errors.Unavailable("a", trailing_metadata=(("grpc-retry-pushback-ms", "1500"),)),
        errors.ResourceExhausted("b", details=[details.RetryInfo(retry_delay=0.25)]),
        errors.Unavailable("c", trailing_metadata=(("grpc-retry-pushback-ms", "-1"),)),
    )
    async with serving(handler_of(get_book=method), resilience=instant(shelf, sleep=sleep)) as client:
        with pytest.raises(errors.Unavailable, match="c"):
            await client.get_book(shelf.pb2.GetBookRequest())
    assert waits == [1.5, 0.25]


async def test_a_stream_is_begun_again_only_before_its_first_response(shelf: Shelf, serving: Serve) -> None:
    begun = []

    async def watch(request: Any, call: Any) -> Any:
        begun.append(call)
        if len(begun) == 1:
            raise shelf.errors.Unavailable("before the first")
        yield shelf.pb2.WatchResponse(number=1)
        raise shelf.errors.Unavailable("after the first")

    async with serving(handler_of(watch=watch)) as client:
        stream = client.watch(shelf.pb2.WatchRequest())
        assert (await anext(stream)).number == 1
        with pytest.raises(shelf.errors.Unavailable, match="after the first"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert len(begun) == 2


async def test_a_deadline_ends_the_call_and_the_handler(shelf: Shelf, serving: Serve) -> None:
    cancelled = asyncio.Event()

    async def get_book(request: Any, call: Any) -> Any:
        assert call.deadline.remaining < 0.3  # the wire rounds up
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(handler_of(get_book=get_book)) as client:
        started = time.monotonic()
        with pytest.raises(shelf.errors.DeadlineExceeded) as caught:
            await client.get_book(shelf.pb2.GetBookRequest(), deadline=0.2)
        assert time.monotonic() - started < 2
        assert isinstance(caught.value, shelf.errors.RpcError)
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_nested_call_never_outlives_the_outer_one(shelf: Shelf, serving: Serve) -> None:
    left: dict[str, float] = {}
    clients: list[Any] = []

    async def lend(request: Any, call: Any) -> Any:
        left["outer"] = call.deadline.remaining
        await clients[0].get_book(shelf.pb2.GetBookRequest(), deadline=100.0)
        return shelf.pb2.LendResponse()

    async def get_book(request: Any, call: Any) -> Any:
        left["inner"] = call.deadline.remaining
        return shelf.pb2.GetBookResponse()

    async with serving(handler_of(lend=lend, get_book=get_book)) as client:
        clients.append(client)
        await client.lend(shelf.pb2.LendRequest(), deadline=5.0)
        with shelf.resilience.deadline_scope(3.0):
            await client.get_book(shelf.pb2.GetBookRequest())
            assert left["inner"] < 3.1  # the wire rounds up
        await client.lend(shelf.pb2.LendRequest(), deadline=5.0)
    assert left["inner"] - 0.1 < left["outer"] < 5.1


async def test_no_attempt_is_made_when_the_deadline_would_pass_before_it(shelf: Shelf, serving: Serve) -> None:
    method = Failing(None, shelf.errors.Unavailable("no", trailing_metadata=(("grpc-retry-pushback-ms", "9000"),)))
    async with serving(handler_of(get_book=method)) as client:
        with pytest.raises(shelf.errors.Unavailable):
            await client.get_book(shelf.pb2.GetBookRequest(), deadline=5.0)
        with pytest.raises(shelf.errors.DeadlineExceeded):
            await client.get_book(shelf.pb2.GetBookRequest(), deadline=0.0)
    assert len(method.requests) == 1


async def test_the_breaker_opens_after_five_failures_and_closes_after_three_successes(
    shelf: Shelf, serving: Serve
) -> None:
    now = [100.0]
    changes = []
    breaker = shelf.resilience.CircuitBreaker(
        "shelf", clock=lambda: now[0], on_change=lambda found, before, after: changes.append(after.value)
    )
    method = Failing(shelf.pb2.LendResponse(), *(shelf.errors.Unavailable("no") for _ in range(5)))
    async with serving(handler_of(lend=method), resilience=instant(shelf, breaker=breaker)) as client:
        for _ in range(5):
            with pytest.raises(shelf.errors.Unavailable):
                await client.lend(shelf.pb2.LendRequest())
        with pytest.raises(shelf.errors.CircuitOpen) as caught:
            await client.lend(shelf.pb2.LendRequest())
        assert (len(method.requests), caught.value.retry_after) == (5, 30.0)
        now[0] += 30.0
        for _ in range(3):
            await client.lend(shelf.pb2.LendRequest())
    assert changes == ["open", "half_open", "closed"]


async def test_an_answer_like_not_found_does_not_open_the_breaker(shelf: Shelf, serving: Serve) -> None:
    breaker = shelf.resilience.CircuitBreaker(failure_threshold=2)
    method = Failing(None, *(shelf.errors.NotFound("no") for _ in range(9)))
    async with serving(handler_of(lend=method), resilience=instant(shelf, breaker=breaker)) as client:
        for _ in range(9):
            with pytest.raises(shelf.errors.NotFound):
                await client.lend(shelf.pb2.LendRequest())
    assert breaker.state is shelf.resilience.BreakerState.CLOSED


async def test_clients_with_the_same_options_have_breakers_of_their_own(shelf: Shelf) -> None:
    options = shelf.client.ClientOptions()
    one, other = (shelf.client.ClientChannel(target, options).resilience.breaker for target in ("a:1", "b:1"))
    assert (one.name, other.name) == ("a:1", "b:1")
    assert one is not other


async def test_trace_context_reaches_the_handler_and_the_calls_it_makes(shelf: Shelf, serving: Serve) -> None:
    seen: list[Any] = []
    clients: list[Any] = []

    async def lend(request: Any, call: Any) -> Any:
        seen.append(call.trace)
        await clients[0].get_book(shelf.pb2.GetBookRequest())
        return shelf.pb2.LendResponse()

    async def get_book(request: Any, call: Any) -> Any:
        seen.append(call.trace)
        return shelf.pb2.GetBookResponse()

    trace = shelf.context.TraceContext("ab" * 16, "cd" * 8, True, "vendor=1")
    async with serving(handler_of(lend=lend, get_book=get_book)) as client:
        clients.append(client)
        with shelf.context.trace_scope(trace):
            await client.lend(shelf.pb2.LendRequest())
        await client.lend(shelf.pb2.LendRequest())
    assert seen[:2] == [trace, trace]
    assert seen[2].trace_id == seen[3].trace_id != trace.trace_id


async def test_the_span_of_opentelemetry_goes_before(shelf: Shelf, serving: Serve) -> None:
    telemetry = pytest.importorskip("opentelemetry.trace")
    method = Failing(shelf.pb2.LendResponse())
    span = telemetry.NonRecordingSpan(telemetry.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=1))
    async with serving(handler_of(lend=method)) as client:
        with telemetry.use_span(span):
            await client.lend(shelf.pb2.LendRequest())
    assert (method.calls[0].trace.trace_id, method.calls[0].trace.sampled) == (f"{0xABC:032x}", True)


async def test_credentials_are_asked_for_before_every_attempt(shelf: Shelf, serving: Serve) -> None:
    tokens = iter(["t1", "t2"])

    async def fetch() -> Any:
        return shelf.auth.Token(next(tokens), expires_in=0.0)

    method = Failing(shelf.pb2.GetBookResponse(), shelf.errors.Unavailable("no"))
    async with serving(handler_of(get_book=method), auth=shelf.auth.RefreshingToken(fetch, leeway=0.0)) as client:
        await client.get_book(shelf.pb2.GetBookRequest())
    assert [call.header("authorization") for call in method.calls] == ["Bearer t1", "Bearer t2"]


async def test_a_token_is_fetched_once_for_calls_that_wait_together(shelf: Shelf) -> None:
    fetched = []

    async def fetch() -> Any:
        fetched.append(1)
        await asyncio.sleep(0)
        return shelf.auth.Token("t", expires_in=3600.0)

    hook = shelf.auth.RefreshingToken(fetch)
    assert set(await asyncio.gather(*(hook() for _ in range(5)))) == {(("authorization", "Bearer t"),)}
    assert len(fetched) == 1
