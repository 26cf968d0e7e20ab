"""What a payment is, and what the payment service asks of a gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

_CARD_NUMBER = re.compile(r"(?:\d[ -]?){12,19}")


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in the smallest unit of the currency (ISO 4217, upper case). ValueError for what is none."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"{self.currency!r} is no ISO 4217 code")
        if self.amount < 0:
            raise ValueError("an amount of money is not negative")


class PaymentStatus(StrEnum):
    """Where a payment stands at the gateway."""

    PENDING = "pending"
    ACTION_REQUIRED = "action_required"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELED = "canceled"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """Where a refund stands at the gateway."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """Money to take. `key` is the idempotency key of this step; `method` is a token of the gateway, never a card.

    `capture` False only holds the money. `return_url` is where the customer comes back to from a page of the bank.
    `shop_id` is the payment's own id here, and `facts` are shown to people, where the gateway keeps such things.
    """

    key: str
    amount: Money
    method: str
    order_id: str
    customer: str | None = None
    capture: bool = True
    return_url: str | None = None
    shop_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if _CARD_NUMBER.fullmatch(self.method):
            raise ValueError("`method` must be a token of the gateway: card numbers are not accepted here")
        if not self.key:
            raise ValueError("an idempotency key is needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What may be kept and shown of a card (PCI DSS 3.4.1)."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment at the gateway. `captured` and `refunded` in the smallest unit."""

    id: str
    status: PaymentStatus
    amount: Money
    captured: int = 0
    refunded: int = 0
    order_id: str = ""
    shop_id: str = ""
    """The payment's own id here, where the gateway keeps it."""
    card: Card | None = None
    action_url: str | None = None
    """Where the customer has to go when the status is ACTION_REQUIRED."""
    failure: str = ""
    """The gateway's reason when the last attempt failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back."""

    id: str
    payment_id: str
    amount: Money
    status: RefundStatus
    failure: str = ""
    shop_id: str = ""
    """The refund's own id here, where the gateway keeps it."""


class PaymentGateway(Protocol):
    """What every payment gateway offers. All methods raise `services.platform.gateways.errors.GatewayError`.

    `key` is the idempotency key of the step: repeating a call with it changes nothing.
    """

    async def charge(self, request: ChargeRequest) -> Payment:
        """Take or hold money. `Declined` when the bank says no."""
        ...

    async def capture(self, payment_id: str, *, key: str, amount: Money | None = None) -> Payment:
        """Take what was held, or a part of it; the rest is released."""
        ...

    async def cancel(self, payment_id: str, *, key: str) -> Payment:
        """Release what was held; `Rejected` when money was taken already."""
        ...

    async def refund(self, payment_id: str, *, key: str, amount: Money | None = None, shop_id: str = "") -> Refund:
        """Give back what was taken, or a part of it. `shop_id` is the refund's own id here."""
        ...

    async def payment(self, payment_id: str) -> Payment:
        """Where a payment stands."""
        ...

    async def refund_status(self, refund_id: str) -> Refund:
        """Where a refund stands."""
        ...


@runtime_checkable
class Searching(Protocol):
    """A gateway that finds what was done by the shop's own ids: what a lost answer would have said."""

    async def find(self, shop_id: str, *, since: datetime) -> Payment | None:
        """The payment that a charge made since then; None when there is none now."""
        ...

    async def find_refund(self, payment_id: str, shop_id: str) -> Refund | None:
        """The refund that was made of the gateway's payment; None when there is none now."""
        ...
