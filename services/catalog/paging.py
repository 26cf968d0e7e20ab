"""Page tokens: opaque, and bound to the query they continue."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Any

from services.catalog.domain import Invalid

LARGEST_PAGE = 100
USUAL_PAGE = 20


def page_size(asked: int) -> int:
    """1 to 100; 0 means 20. `Invalid` otherwise."""
    if not 0 <= asked <= LARGEST_PAGE:
        raise Invalid(("page_size", f"must be 1 to {LARGEST_PAGE}, or 0 for {USUAL_PAGE}"))
    return asked or USUAL_PAGE


def write_token(query: tuple[object, ...], place: list[Any]) -> str:
    """A token for the page that begins behind `place` (JSON values)."""
    return base64.urlsafe_b64encode(json.dumps([_digest(query), place]).encode()).decode().rstrip("=")


def read_token(query: tuple[object, ...], token: str) -> list[Any]:
    """Where the page before ended. `Invalid` for what is no token, and for that of another query."""
    try:
        digest, place = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Invalid(("page_token", "is no token of this service")) from None
    if digest != _digest(query) or not isinstance(place, list):
        raise Invalid(("page_token", "belongs to another query"))
    return place


def _digest(query: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(query).encode()).hexdigest()[:16]


def position(value: datetime | int) -> str | int:
    """A value that a list is sorted by, for a token."""
    return value.isoformat() if isinstance(value, datetime) else value


def read_position(place: list[Any]) -> tuple[datetime | int, str]:
    """The same, back from a token, with the id beside it."""
    match place:
        case [int(value), str(id_)]:
            return value, id_
        case [str(text), str(id_)]:
            try:
                return datetime.fromisoformat(text), id_
            except ValueError:
                pass
    raise Invalid(("page_token", "is no token of this service"))
