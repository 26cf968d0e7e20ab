"""Orders, made and looked at through the order service."""

from __future__ import annotations

from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import CancelOrderRequest, CreateOrderRequest, GetOrderRequest, OrderItem, OrderStatus

from services.checkout.domain.checkout import Checkout

PREFIX = "ORDER_STATUS_"
CHECKOUT = "checkout_id"
"""The fact, among those that travel with an order and its events, that names the checkout it comes from."""


class Orders:
    """The order service, in the words of this one. Statuses are without their prefix. Its errors are passed on."""

    def __init__(self, client: OrderServiceClient) -> None:
        self._client = client

    async def create(self, checkout: Checkout) -> str:
        """The id of the order of a checkout that was confirmed; the same one however often it is asked for."""
        reply = await self._client.create_order(_request(checkout))
        return reply.order.order_id

    async def status(self, order_id: str) -> str:
        """How far an order has come."""
        reply = await self._client.get_order(GetOrderRequest(order_id=order_id))
        return OrderStatus.Name(reply.order.status).removeprefix(PREFIX)

    async def cancel(self, order_id: str, reason: str, key: str) -> None:
        """Cancel an order; again is harmless."""
        await self._client.cancel_order(CancelOrderRequest(order_id=order_id, reason=reason, idempotency_key=key))


def _request(checkout: Checkout) -> CreateOrderRequest:
    """Made of what is stored only: a repetition with the same key must be the same request."""
    preview = checkout.preview
    if preview is None or checkout.payment_method_id is None:
        raise ValueError(f"checkout {checkout.checkout_id} is not confirmed")

    def money(minor_units: int) -> Money:
        return Money(minor_units=minor_units, currency_code=preview.currency)

    billing = preview.billing_address
    return CreateOrderRequest(
        customer_id=checkout.customer_id,
        checkout_id=checkout.checkout_id,
        items=[
            OrderItem(
                product_id=line.product_id,
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                unit_price=money(line.unit_price),
            )
            for line in preview.lines
        ],
        shipping_cost=money(preview.totals.shipping),
        tax=money(preview.totals.tax),
        discount=money(preview.totals.discount),
        total=money(preview.totals.total),
        shipping_address=Address(**preview.shipping_address),
        billing_address=None if billing is None else Address(**billing),
        payment_method_id=checkout.payment_method_id,
        metadata={"channel": "web", CHECKOUT: checkout.checkout_id},
        idempotency_key=checkout.checkout_id,
    )
