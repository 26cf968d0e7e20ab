"""Events as they lie in Redis, read beside all consumers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import redis

from harness.pacts.observed import EventSeen

TIMEOUT = 20.0
POLL = 0.05


class NoEventError(AssertionError):
    """The provider did not publish what it should have."""


def read(url: str, channels: Iterable[str]) -> list[EventSeen]:
    """All entries of the channels' streams."""
    with redis.Redis.from_url(url, socket_timeout=10.0) as client:
        return [each for channel in channels for each in _entries(client, channel)]


def wait_for(
    url: str, channel: str, wanted: Callable[[Mapping[str, Any]], bool], *, timeout: float = TIMEOUT
) -> EventSeen:
    """The first event of a channel that is wanted; `NoEventError` when there is none within `timeout` seconds."""
    limit = time.monotonic() + timeout
    with redis.Redis.from_url(url, socket_timeout=10.0) as client:
        while True:
            found = _entries(client, channel)
            for each in found:
                if each.event is not None and wanted(each.event):
                    return each
            if time.monotonic() > limit:
                raise NoEventError(f"{channel}: none of {len(found)} events within {timeout:g} s")
            time.sleep(POLL)


def is_about(event: Mapping[str, Any], thing: str) -> bool:
    """Whether an id is the event's subject or transaction, or one of the first members of its data."""
    data = event.get("data")
    members = data.values() if isinstance(data, Mapping) else ()
    return thing in (event.get("subject"), event.get("correlationid")) or any(thing == each for each in members)


def _entries(client: redis.Redis, channel: str) -> list[EventSeen]:
    found: Any = client.xrange(channel)
    return [_seen(channel, entry.decode(), fields.get(b"data", b"")) for entry, fields in found]


def _seen(channel: str, entry: str, raw: bytes) -> EventSeen:
    try:
        event = json.loads(raw)
    except ValueError:
        event = None
    return EventSeen(channel=channel, entry=entry, raw=raw, event=event if isinstance(event, dict) else None)
