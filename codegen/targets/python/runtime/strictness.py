"""Whether values that the contract does not know are kept (clients) or refused (servers reading requests)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_STRICT: ContextVar[bool] = ContextVar("strict_requests", default=False)


@contextmanager
def strict_requests() -> Iterator[None]:
    """Inside, unknown enumeration values, unknown union members and properties of the other direction are errors."""
    token = _STRICT.set(True)
    try:
        yield
    finally:
        _STRICT.reset(token)


def is_strict() -> bool:
    """Whether the caller runs inside `strict_requests`."""
    return _STRICT.get()
