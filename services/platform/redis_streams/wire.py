"""Fields of a stream entry: `data`, the bytes of the event, and `metadata`, a JSON object of texts.

The layout of Dapr's Redis component (components-contrib 1.18, pubsub/redis). `metadata` carries the headers and, under
Dapr's names, the ordering key (`partitionKey`) and the time to live (`ttlInSeconds`). The content type is written
where it is not that of a CloudEvent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from shop.runtime.events import CONTENT_TYPE as CLOUD_EVENT
from shop.runtime.events import timestamp
from shop.runtime.transport import PublishedMessage

DATA = b"data"
METADATA = b"metadata"
PARTITION_KEY = "partitionKey"
TTL = "ttlInSeconds"
CONTENT_TYPE = "content-type"
EXPIRATION = "expiration"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Malformed(Exception):
    """An entry without `data`: nothing that a publisher of ours or Dapr's wrote."""


class Content(NamedTuple):
    """What an entry says."""

    body: bytes
    content_type: str = CLOUD_EVENT
    headers: Mapping[str, str] = _NO_HEADERS
    ordering_key: str | None = None

    def message(self) -> PublishedMessage:
        """The same, to publish it again."""
        return PublishedMessage(
            body=self.body, content_type=self.content_type, headers=self.headers, ordering_key=self.ordering_key
        )


def encode(message: PublishedMessage, now: datetime) -> tuple[bytes, str]:
    """`data` and `metadata` of a message. `ValueError` for a time to live that is no positive number of seconds."""
    metadata = dict(message.headers)
    if message.ordering_key is not None:
        metadata[PARTITION_KEY] = message.ordering_key
    body = message.body
    if message.content_type != CLOUD_EVENT:
        metadata[CONTENT_TYPE] = message.content_type
    elif TTL in metadata:
        body = _with_expiration(body, metadata[TTL], now)
    return body, _to_json(metadata) if metadata else "{}"


def decode(fields: Sequence[bytes]) -> Content:
    """The content of an entry from its names and values in turn, in any order. `Malformed` when there is no `data`."""
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    body = named.get(DATA)
    if body is None:
        raise Malformed(f"no field `data` among {sorted(named)}")
    raw = named.get(METADATA)
    if raw is None or raw == b"{}":
        return Content(body)
    metadata = _metadata(raw)
    key = metadata.pop(PARTITION_KEY, None)
    return Content(body, metadata.pop(CONTENT_TYPE, CLOUD_EVENT), metadata, key)


def may_expire(body: bytes) -> bool:
    """Whether it is worth asking if the event is `expired`."""
    return b'"expiration"' in body


def expired(body: bytes, now: datetime) -> bool:
    """Whether the event's `expiration` has passed; only a CloudEvent has one."""
    try:
        found = json.loads(body)
        moment = datetime.fromisoformat(found[EXPIRATION])
    except (ValueError, RecursionError, KeyError, TypeError):
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now


def milliseconds(entry_id: bytes) -> int:
    """When Redis stored the entry, by its id: milliseconds since 1970."""
    return int(entry_id.partition(b"-")[0])


def _metadata(raw: bytes) -> dict[str, str]:
    try:
        found: Any = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    for name, value in found.items():
        if not isinstance(value, str):
            found[name] = json.dumps(value)
    return found


def _with_expiration(body: bytes, ttl: str, now: datetime) -> bytes:
    seconds = int(ttl) if ttl.isascii() and ttl.isdigit() else 0
    if seconds <= 0:
        raise ValueError(f"{TTL} is {ttl!r}, not a positive number of seconds")
    event: Any = json.loads(body)
    event[EXPIRATION] = timestamp(now + timedelta(seconds=seconds))
    return _to_json(event).encode()
