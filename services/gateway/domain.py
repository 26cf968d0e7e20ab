"""The gateway's words for errors: stable codes, and the names of kinds of problem (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping

KINDS = "https://api.shop.example/problems/"
"""Where kinds of problem are described; contracts/gateway/v1/openapi.yaml, the examples of its responses."""

CODES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_CONTENT",
    429: "RATE_LIMITED",
    503: "UPSTREAM_UNAVAILABLE",
    504: "UPSTREAM_TIMEOUT",
}
"""What is said where nobody says more. An error of ours has no code: there is nothing to branch on."""


def kind_of(code: str) -> str:
    """The name of a kind: `.../problems/price-changed`; `about:blank` without a code."""
    return KINDS + code.lower().replace("_", "-") if code else "about:blank"


def duration(seconds: float, nanos: int) -> str:
    """A duration in the JSON form of protobuf: `1.500s`, at most nine places."""
    fraction = f"{nanos:09d}".rstrip("0")
    return f"{int(seconds)}.{fraction}s" if fraction else f"{int(seconds)}s"


def whole_seconds(text: str) -> int:
    """The seconds of such a duration, rounded up, for `Retry-After`."""
    return math.ceil(float(text.removesuffix("s")))
