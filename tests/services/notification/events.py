"""Events that the notification service hears of."""

from __future__ import annotations

from typing import Any

from shop.customer.v1.events.models import CustomerCreatedEvent, CustomerDeletedEvent, CustomerUpdatedEvent
from shop.order.v1.events.models import OrderCreatedEvent, OrderStatusChangedEvent
from shop.payment.v1.events.models import PaymentFailedEvent, PaymentRefundedEvent

from tests.services.notification.conftest import envelope

MONEY = {"minor_units": 3569, "currency_code": "EUR"}
ITEMS = [{"product_id": "tea", "sku": "TEA", "name": "Tea", "quantity": 2, "unit_price": MONEY}]
EMAIL = "ada.lovelace@example.com"


def registered(
    customer: str = "cus_1", *, email: str = EMAIL, version: int = 1, **profile: Any
) -> CustomerCreatedEvent:
    given = {"given_name": "Ada", "family_name": "Lovelace", "locale": "en", **profile}
    data = {"customer_id": customer, "email": email, "profile": given}
    return CustomerCreatedEvent.from_json(
        envelope("customer-created", customer, data, version=version, source="customer")
    )


def updated(customer: str = "cus_1", *, version: int = 2, **profile: Any) -> CustomerUpdatedEvent:
    data = {"customer_id": customer, "profile": profile, "changed_fields": sorted(profile)}
    return CustomerUpdatedEvent.from_json(
        envelope("customer-updated", customer, data, version=version, source="customer")
    )


def deleted(customer: str = "cus_1", *, version: int = 9) -> CustomerDeletedEvent:
    data = {"customer_id": customer, "deleted_at": "2026-02-01T10:15:31.204Z"}
    return CustomerDeletedEvent.from_json(
        envelope("customer-deleted", customer, data, version=version, source="customer")
    )


def ordered(order: str = "ord_1", customer: str = "cus_1") -> OrderCreatedEvent:
    data = {"order_id": order, "customer_id": customer, "total_amount": 35.6, "currency": "EUR", "items": ITEMS}
    return OrderCreatedEvent.from_json(envelope("order-created", order, data))


def moved(status: str, order: str = "ord_1", customer: str = "cus_1") -> OrderStatusChangedEvent:
    data = {
        "order_id": order,
        "customer_id": customer,
        "previous_status": "ORDER_STATUS_PAID",
        "status": f"ORDER_STATUS_{status}",
        "items": ITEMS,
        "total": MONEY,
        "changed_at": "2026-02-01T10:15:31.204Z",
    }
    return OrderStatusChangedEvent.from_json(envelope("order-status-changed", order, data, version=3))


def declined(order: str = "ord_1", customer: str = "cus_1") -> PaymentFailedEvent:
    failure = {"code": "CARD_DECLINED", "message": "No.", "provider_code": "do_not_honor", "retryable": False}
    data = {
        "payment_id": "pay_1",
        "order_id": order,
        "customer_id": customer,
        "amount": MONEY,
        "provider": "PAYMENT_PROVIDER_STRIPE",
        "failure": failure,
    }
    return PaymentFailedEvent.from_json(envelope("payment-failed", "pay_1", data, source="payment"))


def refunded(order: str = "ord_1", customer: str = "cus_1") -> PaymentRefundedEvent:
    data = {
        "payment_id": "pay_1",
        "order_id": order,
        "customer_id": customer,
        "refund_id": "ref_1",
        "amount": MONEY,
        "refunded_total": MONEY,
        "fully_refunded": True,
        "reason": "REFUND_REASON_OUT_OF_STOCK",
    }
    return PaymentRefundedEvent.from_json(envelope("payment-refunded", "pay_1", data, source="payment"))
