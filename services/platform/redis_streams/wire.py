"""Fields of a stream entry: `data`, the bytes of the event, and `metadata`, a JSON object of texts.

The layout of Dapr's Redis component (components-contrib 1.18, pubsub/redis). `metadata` carries the headers and, under
Dapr's names, the ordering key (`partitionKey`) and the time to live (`ttlInSeconds`). The content type is written
where it is not that of a CloudEvent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shop.runtime.events import CONTENT_TYPE as CLOUD_EVENT
from shop.runtime.events import timestamp
from shop.runtime.transport import PublishedMessage

DATA = b"data"
METADATA = b"metadata"
PARTITION_KEY = "partitionKey"
TTL = "ttlInSeconds"
CONTENT_TYPE = "content-type"
EXPIRATION = "expiration"


class Malformed(Exception):
    """An entry without `data`: nothing that a publisher of ours or Dapr's wrote."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an entry says."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    ordering_key: str | None

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
    return body, json.dumps(metadata, ensure_ascii=False, separators=(",", ":")) if metadata else "{}"


def decode(fields: Mapping[bytes, bytes]) -> Content:
    """The content of an entry, its fields in any order, `metadata` present or not. `Malformed` without `data`."""
    body = fields.get(DATA)
    if body is None:
        raise Malformed(f"no field `data` among {sorted(fields)}")
    raw = fields.get(METADATA)
    if raw is None or raw == b"{}":
        return Content(body, CLOUD_EVENT, {}, None)
    metadata = _metadata(raw)
    key = metadata.pop(PARTITION_KEY, None)
    return Content(body, metadata.pop(CONTENT_TYPE, CLOUD_EVENT), metadata, key)


def expired(body: bytes, now: datetime) -> bool:
    """Whether the event's `expiration` has passed; only a CloudEvent has one."""
    if b'"expiration"' not in body:
        return False
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
        found: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


def _with_expiration(body: bytes, ttl: str, now: datetime) -> bytes:
    seconds = int(ttl) if ttl.isascii() and ttl.isdigit() else 0
    if seconds <= 0:
        raise ValueError(f"{TTL} is {ttl!r}, not a positive number of seconds")
    event: Any = json.loads(body)
    event[EXPIRATION] = timestamp(now + timedelta(seconds=seconds))
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
