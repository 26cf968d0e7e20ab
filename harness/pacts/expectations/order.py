"""What the order service expects of payment, warehouse and customer."""

from __future__ import annotations

from shop.order.v1.events.consumers import (
    subscribe_anonymise_orders_on_customer_deleted,
    subscribe_confirm_order_on_stock_reserved,
    subscribe_fail_order_on_payment_failed,
    subscribe_note_stock_shortage,
    subscribe_pay_order_on_payment_succeeded,
    subscribe_refund_order_on_payment_refunded,
)

from harness.pacts.expectations import events
from harness.pacts.interactions import Expectations

EXPECTATIONS = (
    Expectations(
        consumer="order",
        provider="payment",
        interactions=(
            events.payment_succeeded(subscribe_pay_order_on_payment_succeeded),
            events.payment_failed(subscribe_fail_order_on_payment_failed),
            events.payment_refunded(subscribe_refund_order_on_payment_refunded),
        ),
    ),
    Expectations(
        consumer="order",
        provider="warehouse",
        interactions=(
            events.stock_reserved(subscribe_confirm_order_on_stock_reserved),
            events.stock_reservation_failed(subscribe_note_stock_shortage),
        ),
    ),
    Expectations(
        consumer="order",
        provider="customer",
        interactions=(events.customer_deleted(subscribe_anonymise_orders_on_customer_deleted),),
    ),
)
