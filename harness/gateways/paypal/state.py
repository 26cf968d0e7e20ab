"""What the mock remembers. Amounts are integers of the smallest unit, times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Order:
    """`units` are purchase units as they were sent, each with a `reference_id`; `source` has no card data."""

    id: str
    intent: str
    status: str
    units: list[Json]
    instruction: str | None
    payer: Json | None
    source: Json | None
    return_url: str
    cancel_url: str
    created: float
    updated: float
    authorizations: list[str] = field(default_factory=list)
    captures: list[str] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The one currency of the order."""
        return str(self.units[0]["amount"]["currency_code"])


@dataclass(slots=True, kw_only=True)
class Authorization:
    """`captured` counts what was captured of it and of its reauthorization; `parent` is set on a reauthorization."""

    id: str
    order_id: str
    reference_id: str
    amount: int
    currency: str
    status: str
    invoice_id: str | None
    custom_id: str | None
    expires: float
    created: float
    updated: float
    reason: str | None = None
    parent: str | None = None
    captured: int = 0
    renewed: bool = False


@dataclass(slots=True, kw_only=True)
class Capture:
    """Money taken, for a purchase unit of an order."""

    id: str
    order_id: str
    reference_id: str
    authorization_id: str | None
    amount: int
    currency: str
    status: str
    invoice_id: str | None
    custom_id: str | None
    created: float
    updated: float
    final: bool = True
    reason: str | None = None
    response_code: str | None = None
    note: str | None = None
    refunded: int = 0


@dataclass(slots=True, kw_only=True)
class Refund:
    """Money given back. `total` is what had been refunded of the capture, this refund included."""

    id: str
    capture_id: str
    order_id: str
    reference_id: str
    amount: int
    currency: str
    total: int
    invoice_id: str | None
    custom_id: str | None
    note: str | None
    created: float


@dataclass(slots=True, kw_only=True)
class Webhook:
    """A subscription: `events` are names, or `*`."""

    id: str
    url: str
    events: list[str]


@dataclass(slots=True, kw_only=True)
class Remembered:
    """What a `PayPal-Request-Id` was used for."""

    fingerprint: str
    resource: str
    expires: float


@dataclass(slots=True, kw_only=True)
class State:
    """Everything, by id."""

    orders: dict[str, Order] = field(default_factory=dict)
    authorizations: dict[str, Authorization] = field(default_factory=dict)
    captures: dict[str, Capture] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)
    transmissions: dict[str, bytes] = field(default_factory=dict)
    """Bodies of deliveries by transmission id, byte for byte."""
    request_ids: dict[str, Remembered] = field(default_factory=dict)
    invoices: dict[str, str] = field(default_factory=dict)
    """The order of each invoice that was captured."""
    refund_invoices: set[str] = field(default_factory=set)
