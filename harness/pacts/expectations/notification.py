"""What the notification service expects of order, payment and customer."""

from __future__ import annotations

from shop.notification.v1.events.consumers import (
    subscribe_acknowledge_order,
    subscribe_erase_contact_data,
    subscribe_refresh_contact_data,
    subscribe_tell_order_status,
    subscribe_tell_payment_failed,
    subscribe_tell_payment_refunded,
    subscribe_welcome_customer,
)

from harness.pacts.expectations import events
from harness.pacts.interactions import Expectations

EXPECTATIONS = (
    Expectations(
        consumer="notification",
        provider="order",
        interactions=(
            events.order_created(subscribe_acknowledge_order),
            events.order_status_changed(subscribe_tell_order_status, "ORDER_STATUS_CONFIRMED"),
        ),
    ),
    Expectations(
        consumer="notification",
        provider="payment",
        interactions=(
            events.payment_failed(subscribe_tell_payment_failed),
            events.payment_refunded(subscribe_tell_payment_refunded),
        ),
    ),
    Expectations(
        consumer="notification",
        provider="customer",
        interactions=(
            events.customer_created(subscribe_welcome_customer),
            events.customer_updated(subscribe_refresh_contact_data),
            events.customer_deleted(subscribe_erase_contact_data),
        ),
    ),
)
