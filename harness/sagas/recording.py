"""What a run leaves behind, as data: calls, events, what the gateways did, what the services kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP exchange with the gateway. `body` is JSON, None when there was none."""

    method: str
    path: str
    status: int
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a stream. `id` and `source` are those of the CloudEvent."""

    stream: str
    entry: str
    id: str
    source: str
    subject: str
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A product in the warehouse."""

    product_id: str
    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything that invariants judge, taken when nothing moves any more."""

    order_id: str
    status: str
    status_reason: str
    total: int
    """Of the order, in minor units."""
    calls: Sequence[Call] = ()
    events: Sequence[Event] = ()
    ledger: Sequence[Mapping[str, Any]] = ()
    """Of the payment gateway: entries that refer to this order."""
    mails: Sequence[Mapping[str, Any]] = ()
    stock_before: Mapping[str, Stock] = field(default_factory=dict)
    stock_after: Mapping[str, Stock] = field(default_factory=dict)
    ordered: Mapping[str, int] = field(default_factory=dict)
    """Product -> quantity."""
    outboxes: Mapping[str, int] = field(default_factory=dict)
    """Service -> messages that were not published yet."""
    pending: Mapping[str, int] = field(default_factory=dict)
    """`stream/group` -> entries that were delivered and not acknowledged."""

    def of(self, stream: str) -> list[Event]:
        """The events of one stream that are about this order."""
        return [
            event
            for event in self.events
            if event.stream == stream and self.order_id in (event.subject, event.data.get("order_id"))
        ]
