"""Documents from elsewhere, only when the settings allow it: HTTP(S), time-out 10 s, bounded size."""

from __future__ import annotations

from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0


def is_remote(reference: str) -> bool:
    """Whether the reference is an absolute http or https URL."""
    return urlsplit(reference).scheme in ("http", "https")


def fetch(url: str, max_size: int) -> bytes | str:
    """The bytes behind `url`, or the reason why they cannot be had."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    request = Request(url, headers={"Accept": "application/yaml, application/json, */*;q=0.1"})  # noqa: S310 scheme is checked
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 scheme is checked
            content: bytes = answer.read(max_size + 1)
    except (OSError, HTTPException, ValueError) as problem:
        return str(problem)
    return content if len(content) <= max_size else f"more than the limit of {max_size:,} bytes"
