"""Trace context: which request of a user all these calls belong to (W3C Trace Context, level 1).

The trace id is the correlation id of logs, calls and events. When OpenTelemetry is in use its current span goes
before ours; this module never imports it.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACESTATE = re.compile(r"[\x20-\x7e]{0,4096}")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16


@dataclass(frozen=True, slots=True)
class TraceContext:
    """`trace_id` 32 and `span_id` 16 lower-case hexadecimal digits; `state` is the `tracestate` header, opaque."""

    trace_id: str
    span_id: str
    sampled: bool = False
    state: str = ""

    @classmethod
    def new(cls, *, sampled: bool = False) -> TraceContext:
        """The root of a new trace."""
        return cls(f"{random.getrandbits(128) or 1:032x}", f"{random.getrandbits(64) or 1:016x}", sampled)

    @classmethod
    def parse(cls, traceparent: str | None, tracestate: str = "") -> TraceContext | None:
        """The context of a `traceparent` header; None when there is none or it is not valid.

        A `tracestate` that no header could carry on is left out: it may come from the body of an event.
        """
        found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return None
        state = tracestate if _TRACESTATE.fullmatch(tracestate) else ""
        return cls(trace_id, span_id, bool(int(flags, 16) & 1), state)

    @property
    def traceparent(self) -> str:
        """The value of the `traceparent` header."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> TraceContext:
        """The same trace with a span id of its own."""
        return TraceContext(self.trace_id, f"{random.getrandbits(64) or 1:016x}", self.sampled, self.state)


_current: ContextVar[TraceContext | None] = ContextVar("treaty_trace", default=None)


def current_trace() -> TraceContext | None:
    """OpenTelemetry's current span if there is one, else what `trace_scope` or the server set."""
    return _opentelemetry_span() or _current.get()


def enter_trace(trace: TraceContext | None) -> None:
    """Set the trace of the current task until it ends: for servers, whose calls are tasks of their own."""
    _current.set(trace)


@contextmanager
def trace_scope(trace: TraceContext | None = None) -> Iterator[TraceContext]:
    """Calls made inside belong to `trace`; to a new one by default."""
    trace = trace or TraceContext.new()
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def trace_headers() -> tuple[tuple[str, str], ...]:
    """The headers that a call made now sends along: those of the current trace, or of a new one."""
    trace = current_trace()
    if trace is None:
        return ((TRACEPARENT, f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-00"),)
    if trace.state:
        return ((TRACEPARENT, trace.traceparent), (TRACESTATE, trace.state))
    return ((TRACEPARENT, trace.traceparent),)


def _opentelemetry_span() -> TraceContext | None:
    telemetry = sys.modules.get("opentelemetry.trace")
    if telemetry is None:
        return None
    span = telemetry.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return TraceContext(
        f"{span.trace_id:032x}", f"{span.span_id:016x}", bool(span.trace_flags & 1), span.trace_state.to_header()
    )
