"""The Retry-After header (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_DIGITS = 12
"""Of a number of seconds; more of them say nothing but "very long"."""


def seconds_to_wait(value: str | None) -> float | None:
    """Seconds from now, never negative; None when the header is absent or not understood."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:_MOST_DIGITS])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def header_value(seconds: float) -> str:
    """The header's value for a wait of so many seconds, rounded up."""
    return str(max(0, math.ceil(seconds)))
