"""Carts and checkouts as messages of the contracts, and addresses from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from shop.checkout.v1 import cart_pb2, checkout_pb2
from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money

from services.checkout.domain.cart import Cart
from services.checkout.domain.checkout import Checkout, Preview, Status

PREFIX = "CHECKOUT_STATUS_"


def timestamp(moment: datetime) -> Timestamp:
    """A moment as protobuf has it."""
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def cart_message(cart: Cart) -> cart_pb2.Cart:
    """The cart with its lines."""
    return cart_pb2.Cart(
        cart_id=cart.cart_id,
        customer_id=cart.customer_id,
        items=[cart_pb2.CartItem(product_id=line.product_id, quantity=line.quantity) for line in cart.lines],
        currency_code=cart.currency,
        created_at=timestamp(cart.created_at),
        updated_at=timestamp(cart.updated_at),
    )


def status_name(status: Status) -> str:
    """The name of the enumeration's value."""
    return f"{PREFIX}{status.value}"


def status_number(status: Status) -> checkout_pb2.CheckoutStatus.ValueType:
    """The enumeration's value."""
    return checkout_pb2.CheckoutStatus.Value(status_name(status))


def address_members(address: Address) -> Mapping[str, str]:
    """The members that are set, by name."""
    return {field.name: str(value) for field, value in address.ListFields()}


def preview_message(
    checkout: Checkout, preview: Preview, missing: Collection[str]
) -> checkout_pb2.PreviewOrderResponse:
    """The preview of a checkout. `missing` are products that cannot be delivered in full now."""

    def money(minor_units: int) -> Money:
        return Money(minor_units=minor_units, currency_code=preview.currency)

    return checkout_pb2.PreviewOrderResponse(
        checkout_id=checkout.checkout_id,
        items=[
            checkout_pb2.CheckoutItem(
                product_id=line.product_id,
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                unit_price=money(line.unit_price),
                line_total=money(line.total),
                in_stock=line.product_id not in missing,
            )
            for line in preview.lines
        ],
        subtotal=money(preview.totals.subtotal),
        shipping_cost=money(preview.totals.shipping),
        tax=money(preview.totals.tax),
        discount=money(preview.totals.discount),
        total=money(preview.totals.total),
        expires_at=None if checkout.preview_expires_at is None else timestamp(checkout.preview_expires_at),
    )


def status_message(checkout: Checkout, status: Status) -> checkout_pb2.GetCheckoutStatusResponse:
    """How far a checkout has come."""
    return checkout_pb2.GetCheckoutStatusResponse(
        checkout_id=checkout.checkout_id,
        status=status_number(status),
        order_id=checkout.order_id,
        failure_code=checkout.failure_code if status is Status.FAILED else None,
        created_at=timestamp(checkout.created_at),
        updated_at=timestamp(checkout.updated_at),
    )
