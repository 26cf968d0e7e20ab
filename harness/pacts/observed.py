"""What a run has seen, as data: HTTP exchanges, RPCs, events. Coverage and judgement are functions of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its answer. Header names are in lower case; `url` is path and query as sent."""

    method: str
    url: str
    request_headers: Sequence[tuple[str, str]] = ()
    request_body: bytes = b""
    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    complete: bool = True
    """False when the connection ended before the answer did, as with an event stream that is left."""

    @property
    def path(self) -> str:
        """Without the query."""
        return self.url.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcSeen:
    """One RPC and the name of its status."""

    rpc: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """One entry of a stream. `event` is the CloudEvent, None when the entry has none that can be read."""

    channel: str
    entry: str
    raw: bytes
    event: Mapping[str, Any] | None


@dataclass(slots=True)
class Observed:
    """Grows during a run."""

    exchanges: list[Exchange] = field(default_factory=list)
    rpcs: list[RpcSeen] = field(default_factory=list)
    events: list[EventSeen] = field(default_factory=list)
