"""Deadlines, retries, circuit breaker and idempotency keys, for every client of every protocol.

Nothing here does IO. Clock, sleep and random numbers are parameters, so that tests need not wait.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from .errors import CircuitOpen, DeadlineExceeded, TreatyError

_T = TypeVar("_T")

Clock = Callable[[], float]
"""Seconds that never go back, from any start."""
Sleep = Callable[[float], Awaitable[None]]


class Deadline:
    """A point in time by which a call must be done. Seconds, on a monotonic clock."""

    __slots__ = ("_clock", "at")

    def __init__(self, at: float, clock: Clock = time.monotonic) -> None:
        self.at = at
        self._clock = clock

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        left = self.at - self._clock()
        return max(0.0, left)

    @property
    def expired(self) -> bool:
        return self._clock() >= self.at

    def __repr__(self) -> str:
        return f"Deadline(in {self.at - self._clock():.3f} s)"


_current_deadline: ContextVar[Deadline | None] = ContextVar("treaty_deadline", default=None)


def current_deadline() -> Deadline | None:
    """The deadline of the call that is being served, or of the enclosing `deadline_scope`."""
    return _current_deadline.get()


def effective_deadline(own: float | Deadline | None, default: float | None = None) -> Deadline | None:
    """The deadline of a new call: its own (seconds or absolute), else the default, and never later than the current."""
    outer = _current_deadline.get()
    if own is None:
        own = default
    if own is None:
        return outer
    mine = own if isinstance(own, Deadline) else Deadline(time.monotonic() + own)
    return outer if outer is not None and outer.remaining < mine.remaining else mine


@contextmanager
def deadline_scope(deadline: float | Deadline | None) -> Iterator[Deadline | None]:
    """Calls made inside end by `deadline` (seconds or absolute) and by that of the enclosing scope."""
    effective = effective_deadline(deadline)
    token = _current_deadline.set(effective)
    try:
        yield effective
    finally:
        _current_deadline.reset(token)


def enter_deadline(deadline: Deadline | None) -> None:
    """Set the deadline of the current task until it ends: for servers, whose calls are tasks of their own."""
    _current_deadline.set(deadline)


def new_idempotency_key() -> str:
    """A key that marks repetitions of one call as such: a random UUID (RFC 9562, version 4)."""
    return str(uuid.uuid4())


def is_retryable(error: TreatyError) -> bool:
    """The error says that the same call may succeed when repeated."""
    return error.retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failed call is sent again. Delays in seconds.

    The delay before attempt n+1 is drawn evenly from 0 to `initial_backoff * multiplier ** (n - 1)`, at most
    `max_backoff` (full jitter). A delay that the peer asks for (`Retry-After`, `grpc-retry-pushback-ms`,
    `RetryInfo`) goes before, unless it is longer than `max_pushback`: then the error is raised.
    Whether a call may be repeated at all is not decided here: only calls without a second effect are.
    """

    max_attempts: int = 4
    initial_backoff: float = 0.1
    max_backoff: float = 5.0
    multiplier: float = 2.0
    jitter: bool = True
    max_pushback: float = 30.0
    retry_on: Callable[[TreatyError], bool] = is_retryable

    def backoff(self, attempt: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait after attempt number `attempt` (from 1) failed."""
        try:
            ceiling = min(self.max_backoff, self.initial_backoff * self.multiplier ** (attempt - 1))
        except OverflowError:
            ceiling = self.max_backoff
        return ceiling * draw() if self.jitter else ceiling

    def delay(
        self, error: TreatyError, attempt: int, deadline: Deadline | None, draw: Callable[[], float] = random.random
    ) -> float | None:
        """Seconds until the next attempt, or None when there is none: `error` is final."""
        if attempt >= self.max_attempts or not self.retry_on(error):
            return None
        pushback = error.retry_after
        if pushback is None:
            wait = self.backoff(attempt, draw)
        elif pushback < 0 or pushback > self.max_pushback:
            return None
        else:
            wait = pushback
        if deadline is not None and wait >= deadline.remaining:
            return None
        return wait


NO_RETRIES = RetryPolicy(max_attempts=1)


class BreakerState(Enum):
    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """Calls are refused until the recovery time-out is over."""
    HALF_OPEN = "half_open"
    """A few calls are let through to see whether the peer is well again."""


StateChange = Callable[["CircuitBreaker", BreakerState, BreakerState], None]


class CircuitBreaker:
    """Stops calls to a peer that keeps failing (integration architecture: 5 failures, 30 s, 3 trial calls).

    `failure_threshold` failures in a row open it. After `recovery_timeout` seconds `half_open_max_calls` trial
    calls are admitted: when all of them succeed it closes, and any failure opens it again. Results of calls that
    began before the last change of state do not count. For one event loop; not safe across threads.
    """

    def __init__(
        self,
        name: str = "",
        *,
        failure_threshold: int = 5,
        recovery_timeout: float = 30.0,
        half_open_max_calls: int = 3,
        clock: Clock = time.monotonic,
        on_change: StateChange | None = None,
    ) -> None:
        self.name = name
        self.failure_threshold = failure_threshold
        self.recovery_timeout = recovery_timeout
        self.half_open_max_calls = half_open_max_calls
        self._clock = clock
        self._on_change = on_change
        self._state = BreakerState.CLOSED
        self._era = 0
        self._failures = 0
        self._successes = 0
        self._trials = 0
        self._opened_at = 0.0

    @property
    def state(self) -> BreakerState:
        """The state now; an open breaker whose time-out is over is half open."""
        if self._state is BreakerState.OPEN and self._clock() - self._opened_at >= self.recovery_timeout:
            self._enter(BreakerState.HALF_OPEN)
        return self._state

    @property
    def failures(self) -> int:
        """Failures in a row while closed."""
        return self._failures

    def acquire(self) -> int:
        """Admit a call, or raise `CircuitOpen`. Give the returned ticket to exactly one of the three methods below."""
        if self._state is BreakerState.CLOSED:
            return self._era
        if self.state is BreakerState.OPEN:
            raise CircuitOpen(self.name, self._opened_at + self.recovery_timeout - self._clock())
        if self._trials >= self.half_open_max_calls:
            raise CircuitOpen(self.name, 0.0)
        self._trials += 1
        return self._era

    def succeeded(self, ticket: int) -> None:
        """The admitted call got an answer from a peer that is well."""
        if ticket != self._era:
            return
        self._failures = 0
        if self._state is BreakerState.HALF_OPEN:
            self._successes += 1
            if self._successes >= self.half_open_max_calls:
                self._enter(BreakerState.CLOSED)

    def failed(self, ticket: int) -> None:
        """The admitted call failed in a way that speaks against the peer."""
        if ticket != self._era:
            return
        self._failures += 1
        if self._state is BreakerState.HALF_OPEN or self._failures >= self.failure_threshold:
            self._enter(BreakerState.OPEN)

    def released(self, ticket: int) -> None:
        """The admitted call says nothing about the peer: it was cancelled."""
        if ticket == self._era and self._state is BreakerState.HALF_OPEN:
            self._trials -= 1

    def record(self, ticket: int, error: BaseException | None) -> None:
        """Whichever of the three fits the outcome of the call."""
        if error is None:
            self.succeeded(ticket)
        elif not isinstance(error, TreatyError):
            self.released(ticket)
        elif error.trips_breaker:
            self.failed(ticket)
        else:
            self.succeeded(ticket)

    def _enter(self, state: BreakerState) -> None:
        before, self._state = self._state, state
        self._era += 1
        self._failures = self._successes = self._trials = 0
        if state is BreakerState.OPEN:
            self._opened_at = self._clock()
        if self._on_change is not None:
            self._on_change(self, before, state)


@dataclass(slots=True, kw_only=True)
class Resilience:
    """How a client treats its peer; shared by all calls of that client.

    `timeout` is the deadline, in seconds, of calls that state none. `breaker` None means no breaker.
    """

    timeout: float | None = 30.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: CircuitBreaker | None = field(default_factory=CircuitBreaker)
    sleep: Sleep = asyncio.sleep
    random: Callable[[], float] = random.random
    on_retry: Callable[[TreatyError, int, float], None] | None = None
    """Told of each repetition: the error, the number of the attempt that failed, the seconds until the next."""

    async def call(self, attempt: Callable[[int], Awaitable[_T]], *, deadline: Deadline | None, repeatable: bool) -> _T:
        """Run `attempt(number)` (from 1) until it succeeds or its error is final.

        `repeatable`: the call is safe or idempotent, or carries an idempotency key; otherwise it is sent once.
        """
        number = 1
        while True:
            if deadline is not None and deadline.expired:
                raise DeadlineExceeded("the deadline passed before the call was sent")
            breaker = self.breaker
            ticket = breaker.acquire() if breaker is not None else 0
            try:
                result = await attempt(number)
            except TreatyError as error:
                if breaker is not None:
                    breaker.record(ticket, error)
                await self.before_next(error, number, deadline, repeatable)
                number += 1
            except BaseException:
                if breaker is not None:
                    breaker.released(ticket)
                raise
            else:
                if breaker is not None:
                    breaker.succeeded(ticket)
                return result

    async def before_next(self, error: TreatyError, number: int, deadline: Deadline | None, repeatable: bool) -> None:
        """Wait until the next attempt, or raise `error` when it is final."""
        wait = self.retry.delay(error, number, deadline, self.random) if repeatable else None
        if wait is None:
            raise error
        if self.on_retry is not None:
            self.on_retry(error, number, wait)
        if wait > 0.0:
            await self.sleep(wait)
