"""Carts: products and quantities, no prices. One line a product, in the order in which they were added."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from services.checkout.domain.refusals import Invalid, Refused

MAX_QUANTITY = 999
MAX_LINES = 100
"""What an order takes (order.v1.CreateOrderRequest.items)."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one product, 1 to 999."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What a customer means to buy. `version` grows with every change of the lines.

    `checkout_id` is the checkout that makes, or has made, an order of it: from then on the lines stay as they are.
    """

    cart_id: str
    customer_id: str
    currency: str
    created_at: datetime
    updated_at: datetime
    lines: tuple[Line, ...] = ()
    version: int = 1
    checkout_id: str | None = None


def check_id(value: str, field: str) -> str:
    """The value, which must be able to name something (1 to 64 letters, digits and `._:-`)."""
    if not _ID.fullmatch(value):
        raise Invalid(field, "must be 1 to 64 letters, digits, or one of ._:-")
    return value


def check_currency(value: str, field: str) -> str:
    """The value, which must look like an ISO 4217 code."""
    if not _CURRENCY.fullmatch(value):
        raise Invalid(field, "must be an ISO 4217 code in capitals")
    return value


def with_item(cart: Cart, product_id: str, quantity: int, now: datetime) -> Cart:
    """The cart with this quantity of the product; the same cart when it has it already."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Invalid("quantity", f"must be 1 to {MAX_QUANTITY}")
    _must_be_open(cart)
    wanted = Line(product_id, quantity)
    if wanted in cart.lines:
        return cart
    if any(line.product_id == product_id for line in cart.lines):
        lines = tuple(wanted if line.product_id == product_id else line for line in cart.lines)
    elif len(cart.lines) >= MAX_LINES:
        raise Refused("CART_FULL", f"A cart takes at most {MAX_LINES} products.")
    else:
        lines = (*cart.lines, wanted)
    return _changed(cart, lines, now)


def without_item(cart: Cart, product_id: str, now: datetime) -> Cart:
    """The cart without the product; the same cart when it is not in it."""
    _must_be_open(cart)
    lines = tuple(line for line in cart.lines if line.product_id != product_id)
    return cart if lines == cart.lines else _changed(cart, lines, now)


def _must_be_open(cart: Cart) -> None:
    if cart.checkout_id is not None:
        raise Refused("CART_CHECKED_OUT", f"An order was made of cart {cart.cart_id}.")


def _changed(cart: Cart, lines: tuple[Line, ...], now: datetime) -> Cart:
    return replace(cart, lines=lines, version=cart.version + 1, updated_at=now)
