"""Calls of gateways: what is repeated, how long it takes, what is left in the end; idempotency keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop.runtime.errors import HttpError, HttpUnauthorized, TransportError, TreatyError, http_error_class

from services.platform.gateways.calling import Caller, Policy, Verdict
from services.platform.gateways.errors import CredentialsRefused, OutcomeUnknown, RateLimited, Rejected
from services.platform.gateways.keys import MAX_KEY, idempotency_key

PARTS = st.from_regex(r"[A-Za-z0-9._~-]{1,30}", fullmatch=True)


class Waits:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Token:
    renewed = 0

    def invalidate(self) -> None:
        self.renewed += 1


def judge(operation: str, problem: TreatyError) -> Verdict:
    if isinstance(problem, HttpUnauthorized):
        return Verdict(CredentialsRefused("g", operation, "no"))
    if isinstance(problem, HttpError) and problem.status == 429:
        return Verdict(RateLimited("g", operation, "slow"), repeat=True, wait=7.0)
    if isinstance(problem, HttpError) and problem.status == 400:
        return Verdict(Rejected("g", operation, "wrong"))
    return Verdict(OutcomeUnknown("g", operation, "lost"), repeat=True)


def failing(*problems: Exception) -> tuple[list[int], Callable[[], Awaitable[str]]]:
    left, calls = list(problems), [0]

    async def send() -> str:
        calls[0] += 1
        if left:
            raise left.pop(0)
        return "done"

    return calls, send


def http(status: int) -> HttpError:
    return http_error_class(status)(status)


async def test_what_may_be_repeated_is_repeated_with_growing_waits() -> None:
    waits = Waits()
    caller = Caller(judge=judge, sleep=waits, chance=lambda: 1.0)
    calls, send = failing(TransportError("x"), TransportError("x"), http(503))
    assert await caller.call("charge", send, repeatable=True) == "done"
    assert (calls, waits.seconds) == ([4], [0.5, 1.0, 2.0])


async def test_the_last_error_is_left_when_the_attempts_are_used_up() -> None:
    caller = Caller(judge=judge, sleep=Waits(), policy=Policy(attempts=3))
    calls, send = failing(*[TransportError("x")] * 9)
    with pytest.raises(OutcomeUnknown):
        await caller.call("charge", send, repeatable=True)
    assert calls == [3]


async def test_an_unknown_outcome_is_not_repeated_without_a_key() -> None:
    calls, send = failing(TransportError("x"))
    with pytest.raises(OutcomeUnknown):
        await Caller(judge=judge, sleep=Waits()).call("ship", send, repeatable=False)
    assert calls == [1]


async def test_a_rate_limit_is_waited_out_also_without_a_key() -> None:
    waits = Waits()
    calls, send = failing(http(429))
    assert await Caller(judge=judge, sleep=waits).call("ship", send, repeatable=False) == "done"
    assert (calls, waits.seconds) == ([2], [7.0])


@pytest.mark.parametrize("last", [429, 401])
async def test_an_attempt_that_did_nothing_does_not_hide_an_earlier_one_that_may_have(last: int) -> None:
    caller = Caller(judge=judge, sleep=Waits(), policy=Policy(attempts=2))
    _, send = failing(TransportError("x"), http(last), http(last))
    with pytest.raises(OutcomeUnknown):
        await caller.call("charge", send, repeatable=True)


async def test_a_wait_past_the_deadline_is_not_begun() -> None:
    waits = Waits()
    caller = Caller(judge=judge, sleep=waits, policy=Policy(deadline=5.0))
    _, send = failing(http(429))
    with pytest.raises(RateLimited):
        await caller.call("ship", send, repeatable=False)
    assert waits.seconds == []


async def test_a_wrong_request_is_not_repeated() -> None:
    calls, send = failing(http(400))
    with pytest.raises(Rejected):
        await Caller(judge=judge, sleep=Waits()).call("charge", send, repeatable=True)
    assert calls == [1]


async def test_refused_credentials_are_renewed_once() -> None:
    token = Token()
    caller = Caller(judge=judge, token=token, sleep=Waits())
    calls, send = failing(http(401))
    assert await caller.call("ship", send, repeatable=False) == "done"
    assert (token.renewed, calls) == (1, [2])
    calls, send = failing(http(401), http(401))
    with pytest.raises(CredentialsRefused):
        await caller.call("ship", send, repeatable=False)
    assert (token.renewed, calls) == (2, [2])


@given(PARTS, PARTS, st.integers(1, 99))
def test_a_key_is_the_same_for_the_same_step_and_differs_for_others(saga: str, step: str, attempt: int) -> None:
    key = idempotency_key(saga, step, attempt)
    assert key == idempotency_key(saga, step, attempt)
    assert key != idempotency_key(saga, step, attempt + 1)
    assert key != idempotency_key(saga + "x", step, attempt)
    assert len(key) <= MAX_KEY


@given(PARTS, PARTS, PARTS, PARTS)
def test_no_two_steps_share_a_key(saga: str, step: str, other_saga: str, other_step: str) -> None:
    same = idempotency_key(saga, step) == idempotency_key(other_saga, other_step)
    assert same == ((saga, step) == (other_saga, other_step))


@pytest.mark.parametrize(
    "arguments", [("", "s"), ("a", ""), ("a/b", "s"), ("a", "s s"), ("a", "s", 0), ("x" * 108, "s")]
)
def test_what_makes_no_key_is_refused(arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|counts from|characters"):
        idempotency_key(*arguments)
