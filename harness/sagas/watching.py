"""Events as they lie in the streams, read from Redis itself, beside all consumers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import redis

from harness.sagas.recording import Event

STREAMS = (
    "order-created",
    "order-status-changed",
    "order-processing",
    "payment-succeeded",
    "payment-failed",
    "payment-refunded",
    "payment-processing",
    "stock-reserved",
    "stock-reservation-failed",
    "reservation-released",
    "inventory-changed",
    "notification-delivery",
    "notification-sent",
    "notification-failed",
    "customer-created",
    "payment-method-added",
)
_BLOCK_MS = 250


class Watcher:
    """Reads the streams from where they end now, in a thread, until it is left."""

    def __init__(
        self, url: str, streams: Iterable[str] = STREAMS, *, tell: Callable[[Event], None] | None = None
    ) -> None:
        self.events: list[Event] = []
        self._url = url
        self._streams = tuple(streams)
        self._tell = tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._last: dict[str, str] = {}

    def __enter__(self) -> Self:
        client = redis.Redis.from_url(self._url, socket_timeout=5.0)
        with client:
            for stream in self._streams:
                newest: Any = client.xrevrange(stream, count=1)
                self._last[stream] = newest[0][0].decode() if newest else "0-0"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._read()
            except redis.RedisError:
                # It is away, as some scenarios want it; what it kept is read when it is back.
                self._ended.wait(0.2)

    def _read(self) -> None:
        with redis.Redis.from_url(self._url, socket_timeout=5.0) as client:
            while not self._ended.is_set():
                found: Any = client.xread(dict(self._last), count=100, block=_BLOCK_MS)
                for stream, entries in found or []:
                    for entry, fields in entries:
                        self._last[stream.decode()] = entry.decode()
                        self._keep(parsed(stream.decode(), entry.decode(), fields))

    def _keep(self, event: Event) -> None:
        self.events.append(event)
        if self._tell is not None:
            self._tell(event)


def parsed(stream: str, entry: str, fields: Mapping[bytes, bytes]) -> Event:
    """An entry as an event; without the parts that it does not have."""
    try:
        body = json.loads(fields.get(b"data", b"{}"))
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    data = body.get("data")
    return Event(
        stream=stream,
        entry=entry,
        id=str(body.get("id", "")),
        source=str(body.get("source", "")),
        subject=str(body.get("subject", "")),
        type=str(body.get("type", "")),
        data=data if isinstance(data, dict) else {},
    )


def unsettled(url: str, streams: Iterable[str] = STREAMS) -> dict[str, int]:
    """`stream/group` -> entries that are delivered and not acknowledged, or not delivered yet."""
    found: dict[str, int] = {}
    with redis.Redis.from_url(url, socket_timeout=5.0) as client:
        for stream in streams:
            if not client.exists(stream):
                continue
            groups: Any = client.xinfo_groups(stream)
            for group in groups:
                found[f"{stream}/{group['name'].decode()}"] = int(group["pending"]) + int(group.get("lag") or 0)
    return found
