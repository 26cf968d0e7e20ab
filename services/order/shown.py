"""Orders as messages of order.v1."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from shop.common.v1 import address_pb2, money_pb2
from shop.order.v1 import order_pb2

from services.order.adapters.orders import Addresses, Stored
from services.order.domain import Line, Money, Status


def shown(stored: Stored) -> order_pb2.Order:
    """The order with what is kept beside its events."""
    order, purchase = stored.order, stored.order.purchase
    return order_pb2.Order(
        order_id=order.id,
        customer_id=purchase.customer_id,
        items=[_item(line) for line in purchase.lines],
        status=status_of(order.status),
        subtotal=_money(purchase.subtotal),
        shipping_cost=_money(purchase.shipping_cost),
        tax=_money(purchase.tax),
        discount=_money(purchase.discount),
        total=_money(purchase.total),
        shipping_address=_address(stored.shipping_address),
        billing_address=_address(stored.billing_address),
        payment_id=order.payment_id,
        shipment_id=order.shipment_id,
        status_reason=order.reason,
        metadata=dict(purchase.metadata),
        version=order.version,
        created_at=moment(stored.created_at),
        updated_at=moment(stored.updated_at),
        shipping_rate_id=purchase.shipping_rate_id,
    )


def status_of(status: Status) -> order_pb2.OrderStatus.ValueType:
    """By the contract's name."""
    return order_pb2.OrderStatus.Value(f"ORDER_STATUS_{status}")


def moment(at: datetime) -> Timestamp:
    """With microseconds."""
    found = Timestamp()
    found.FromDatetime(at)
    return found


def _item(line: Line) -> order_pb2.OrderItem:
    return order_pb2.OrderItem(
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        unit_price=_money(line.unit_price),
    )


def _money(money: Money) -> money_pb2.Money:
    return money_pb2.Money(minor_units=money.amount, currency_code=money.currency)


def _address(kept: Addresses | None) -> address_pb2.Address | None:
    return None if kept is None else ParseDict(dict(kept), address_pb2.Address())
