"""Checkouts: started, previewed, confirmed, and then completed or failed as the order fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.checkout.domain.cart import Cart
from services.checkout.domain.pricing import PricedLine, Totals
from services.checkout.domain.refusals import Refused


class Status(StrEnum):
    """By the names of checkout.v1.CheckoutStatus, without their prefix."""

    STARTED = "STARTED"
    PREVIEWED = "PREVIEWED"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


OPEN = (Status.STARTED, Status.PREVIEWED)
ACCEPTED_ORDERS = frozenset({"CONFIRMED", "SHIPPED", "DELIVERED"})
FAILED_ORDERS = frozenset({"FAILED", "REFUNDED", "CANCELLED"})
"""Statuses of orders, without their prefix, that complete or fail a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the customer was shown. Addresses are kept as they came: members of common.v1.Address by name.

    `cart_version` tells whether the cart was changed since.
    """

    lines: tuple[PricedLine, ...]
    currency: str
    totals: Totals
    shipping_address: Mapping[str, str]
    billing_address: Mapping[str, str] | None
    cart_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A customer's way from a cart to an order.

    `payment_method_id` is set from the moment that an order may exist: what was previewed then is what is ordered.
    """

    checkout_id: str
    cart_id: str
    customer_id: str
    session_id: str
    created_at: datetime
    updated_at: datetime
    status: Status = Status.STARTED
    preview: Preview | None = None
    preview_expires_at: datetime | None = None
    payment_method_id: str | None = None
    order_id: str | None = None
    failure_code: str | None = None


def status_at(checkout: Checkout, now: datetime, lifetime: timedelta) -> Status:
    """The status; an open checkout that nothing has happened to for `lifetime` has expired."""
    idle = now - checkout.updated_at
    if checkout.status in OPEN and checkout.payment_method_id is None and idle >= lifetime:
        return Status.EXPIRED
    return checkout.status


def must_be_open(checkout: Checkout, now: datetime, lifetime: timedelta) -> None:
    """Refuses CHECKOUT_CLOSED what cannot be previewed any more."""
    status = status_at(checkout, now, lifetime)
    if status not in OPEN or checkout.payment_method_id is not None:
        said = "is being confirmed" if status in OPEN else f"is {status.lower()}"
        raise Refused("CHECKOUT_CLOSED", f"Checkout {checkout.checkout_id} {said}.")


def previewed(checkout: Checkout, preview: Preview, now: datetime, valid: timedelta) -> Checkout:
    """The checkout with this preview in place of the one before."""
    return replace(checkout, status=Status.PREVIEWED, preview=preview, preview_expires_at=now + valid, updated_at=now)


def agreed(checkout: Checkout, cart: Cart, expected: tuple[int, str], now: datetime, lifetime: timedelta) -> Preview:
    """The preview that the customer may order by: there is one, it holds, and its total is the expected one.

    `expected` is the total as (minor units, currency).
    """
    must_be_open(checkout, now, lifetime)
    preview, until = checkout.preview, checkout.preview_expires_at
    if preview is None or until is None:
        raise Refused("PREVIEW_REQUIRED", f"Checkout {checkout.checkout_id} was not previewed.")
    if now >= until or cart.version != preview.cart_version:
        raise Refused("PREVIEW_EXPIRED", "The preview does not hold any more; preview the order again.")
    if cart.checkout_id not in (None, checkout.checkout_id):
        raise Refused("CART_CHECKED_OUT", f"An order was made of cart {cart.cart_id}.")
    if expected != (preview.totals.total, preview.currency):
        raise price_changed(preview.totals.total, preview.currency)
    return preview


def price_changed(total: int, currency: str) -> Refused:
    """The refusal that names the total of now."""
    return Refused(
        "PRICE_CHANGED",
        f"The total is now {total} minor units of {currency}.",
        current_total=str(total),
        currency_code=currency,
    )


def ordered(checkout: Checkout, order_id: str, now: datetime) -> Checkout:
    """The checkout once its order is known; a status that the order has brought about already stays."""
    if checkout.order_id is not None:
        return checkout
    status = Status.CONFIRMED if checkout.status in OPEN else checkout.status
    return replace(checkout, order_id=order_id, status=status, updated_at=now)


def settled(checkout: Checkout, order_status: str, reason: str | None, now: datetime) -> Checkout:
    """The checkout after its order moved to a status; COMPLETED and FAILED are final."""
    if checkout.status is not Status.CONFIRMED:
        return checkout
    if order_status in ACCEPTED_ORDERS:
        return replace(checkout, status=Status.COMPLETED, updated_at=now)
    if order_status in FAILED_ORDERS:
        return replace(checkout, status=Status.FAILED, failure_code=reason or f"ORDER_{order_status}", updated_at=now)
    return checkout
