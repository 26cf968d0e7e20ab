"""Carts and checkouts as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from services.checkout.domain.cart import Cart, Line
from services.checkout.domain.checkout import Checkout, Preview, Status
from services.checkout.domain.pricing import PricedLine, Totals


def cart_of(row: Row[Any], lines: Sequence[Row[Any]]) -> Cart:
    """The cart of a row of `carts` and its rows of `cart_lines`, in their order."""
    return Cart(
        cart_id=row.cart_id,
        customer_id=row.customer_id,
        currency=row.currency,
        created_at=row.created_at,
        updated_at=row.updated_at,
        lines=tuple(Line(line.product_id, line.quantity) for line in lines),
        version=row.version,
        checkout_id=row.checkout_id,
    )


def cart_row(cart: Cart) -> dict[str, Any]:
    """The columns of a cart."""
    return {
        "cart_id": cart.cart_id,
        "customer_id": cart.customer_id,
        "currency": cart.currency,
        "version": cart.version,
        "checkout_id": cart.checkout_id,
        "created_at": cart.created_at,
        "updated_at": cart.updated_at,
    }


def line_rows(cart: Cart) -> list[dict[str, Any]]:
    """The rows of the lines of a cart."""
    return [
        {"cart_id": cart.cart_id, "position": position, "product_id": line.product_id, "quantity": line.quantity}
        for position, line in enumerate(cart.lines)
    ]


def checkout_of(row: Row[Any]) -> Checkout:
    """The checkout of a row of `checkouts`."""
    return Checkout(
        checkout_id=row.checkout_id,
        cart_id=row.cart_id,
        customer_id=row.customer_id,
        session_id=row.session_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=Status(row.status),
        preview=None if row.preview is None else _preview_of(row.preview),
        preview_expires_at=row.preview_expires_at,
        payment_method_id=row.payment_method_id,
        order_id=row.order_id,
        failure_code=row.failure_code,
    )


def checkout_row(checkout: Checkout) -> dict[str, Any]:
    """The columns of a checkout."""
    preview = checkout.preview
    return {
        "checkout_id": checkout.checkout_id,
        "cart_id": checkout.cart_id,
        "customer_id": checkout.customer_id,
        "session_id": checkout.session_id,
        "status": checkout.status.value,
        "preview": None if preview is None else _preview_json(preview),
        "preview_expires_at": checkout.preview_expires_at,
        "payment_method_id": checkout.payment_method_id,
        "order_id": checkout.order_id,
        "failure_code": checkout.failure_code,
        "created_at": checkout.created_at,
        "updated_at": checkout.updated_at,
    }


def _preview_json(preview: Preview) -> dict[str, Any]:
    return {
        "lines": [asdict(line) for line in preview.lines],
        "currency": preview.currency,
        "totals": asdict(preview.totals),
        "shipping_address": dict(preview.shipping_address),
        "billing_address": None if preview.billing_address is None else dict(preview.billing_address),
        "cart_version": preview.cart_version,
    }


def _preview_of(stored: Mapping[str, Any]) -> Preview:
    return Preview(
        lines=tuple(PricedLine(**line) for line in stored["lines"]),
        currency=stored["currency"],
        totals=Totals(**stored["totals"]),
        shipping_address=stored["shipping_address"],
        billing_address=stored["billing_address"],
        cart_version=stored["cart_version"],
    )
