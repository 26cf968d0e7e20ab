"""Laws of retry policy and circuit breaker, without a network and without waiting."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.runtime import errors
from codegen.targets.python.runtime.context import TraceContext
from codegen.targets.python.runtime.resilience import (
    BreakerState,
    CircuitBreaker,
    Deadline,
    RetryPolicy,
    deadline_scope,
    effective_deadline,
)

UNAVAILABLE = errors.Unavailable("no")


@given(st.integers(1, 50), st.floats(0.0, 1.0), st.floats(0.001, 10.0), st.floats(1.0, 4.0))
def test_a_backoff_is_never_longer_than_the_maximum(attempt: int, drawn: float, initial: float, factor: float) -> None:
    policy = RetryPolicy(initial_backoff=initial, multiplier=factor, max_backoff=5.0)
    assert 0.0 <= policy.backoff(attempt, lambda: drawn) <= min(5.0, initial * factor ** (attempt - 1)) + 1e-9


@given(st.floats(0.0, 100.0), st.integers(1, 9))
def test_the_peers_delay_is_kept_exactly_or_not_waited_for(asked: float, attempt: int) -> None:
    error = errors.Unavailable("no", retry_after=asked)
    delay = RetryPolicy(max_attempts=5, max_pushback=30.0).delay(error, attempt, None)
    assert delay == (asked if attempt < 5 and asked <= 30.0 else None)


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_no_wait_reaches_past_the_deadline(left: float, asked: float) -> None:
    error = errors.Unavailable("no", retry_after=asked)
    delay = RetryPolicy().delay(error, 1, Deadline(left, lambda: 0.0))
    assert delay == (asked if asked < left else None)


@given(st.lists(st.sampled_from(["ok", "fail", "cancel", "wait"]), max_size=60))
def test_the_breaker_follows_its_rules_whatever_happens(events: list[str]) -> None:
    now = [0.0]
    breaker = CircuitBreaker(clock=lambda: now[0])
    state, failures, successes, opened = BreakerState.CLOSED, 0, 0, 0.0
    for event in events:
        if event == "wait":
            now[0] += 30.0
        if state is BreakerState.OPEN and now[0] - opened >= 30.0:
            state, successes = BreakerState.HALF_OPEN, 0
        assert breaker.state is state
        if event == "wait":
            continue
        if state is BreakerState.OPEN:
            with pytest.raises(errors.CircuitOpen):
                breaker.acquire()
            continue
        ticket = breaker.acquire()
        if event == "cancel":
            breaker.released(ticket)
        elif event == "ok":
            breaker.succeeded(ticket)
            failures, successes = 0, successes + 1
            if state is BreakerState.HALF_OPEN and successes == 3:
                state = BreakerState.CLOSED
        else:
            breaker.failed(ticket)
            failures += 1
            if state is BreakerState.HALF_OPEN or failures == 5:
                state, failures, opened = BreakerState.OPEN, 0, now[0]
    assert breaker.state is state


def test_a_half_open_breaker_admits_three_calls_at_once_and_no_more() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failure_threshold=1, clock=lambda: now[0])
    breaker.failed(breaker.acquire())
    now[0] = 31.0
    tickets = [breaker.acquire() for _ in range(3)]
    with pytest.raises(errors.CircuitOpen):
        breaker.acquire()
    breaker.released(tickets[0])
    assert breaker.acquire() == tickets[0]


def test_results_of_calls_from_before_the_breaker_opened_do_not_count() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failure_threshold=1, clock=lambda: now[0])
    late = breaker.acquire()
    breaker.failed(breaker.acquire())
    now[0] = 31.0
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.failed(late)
    assert breaker.state is BreakerState.HALF_OPEN


def test_an_inner_scope_cannot_extend_the_outer_deadline() -> None:
    with deadline_scope(1.0) as outer, deadline_scope(60.0) as inner:
        assert inner is outer
        assert effective_deadline(30.0) is outer
    assert effective_deadline(None) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_a_trace_context_survives_its_header(trace: int, span: int, sampled: bool) -> None:
    context = TraceContext(f"{trace:032x}", f"{span:016x}", sampled)
    assert TraceContext.parse(context.traceparent) == context


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{'0' * 32}-{'a' * 16}-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-{'a' * 16}-01",
        f"00-{'A' * 32}-{'a' * 16}-01",
        f"00-{'a' * 32}-{'a' * 16}-01-more",
    ],
)
def test_an_invalid_trace_header_is_ignored(header: str) -> None:
    assert TraceContext.parse(header) is None


@pytest.mark.parametrize(
    "error",
    [
        errors.CircuitOpen("orders", 2.0),
        errors.InvalidArgument("bad", trailing_metadata=(("a", "b"),)),
        errors.HttpError(503, problem=errors.ProblemDetails(title="down"), headers={"a": "b"}),
        errors.DeadlineExceeded("late"),
    ],
)
def test_errors_survive_pickling(error: errors.TreatyError) -> None:
    again = copy.copy(error)
    assert pickle.dumps(error)
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)
