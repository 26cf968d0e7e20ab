"""Events that several consumers receive, each with the members that its data must have."""

from __future__ import annotations

from typing import Any

from harness.pacts.expectations.shapes import CARD, CUSTOMER, ORDER, PAYMENT, PRODUCT
from harness.pacts.interactions import EventInteraction, Subscribe, given
from harness.pacts.matching import Exactly, cloud_event, identifier, moment, money, one_of

RESERVATION = "rsv_c20b51"
ITEMS = [
    {
        "product_id": identifier(PRODUCT),
        "sku": "TEA-GREEN-100",
        "name": "Green tea, 100 g",
        "quantity": 2,
        "unit_price": money(1250),
    }
]
_CHANGES = {
    "ORDER_STATUS_PAID": ("ORDER_STATUS_PENDING", "", "a confirmed order"),
    "ORDER_STATUS_CONFIRMED": ("ORDER_STATUS_PAID", "", "a confirmed order"),
    "ORDER_STATUS_FAILED": ("ORDER_STATUS_PENDING", "PAYMENT_DECLINED", "an order whose card was declined"),
    "ORDER_STATUS_REFUNDED": ("ORDER_STATUS_PAID", "OUT_OF_STOCK", "an order has run out of stock"),
}
"""Status -> status before, reason, the provider state that brings it about."""


def order_created(subscribe: Subscribe) -> EventInteraction:
    """Of a web order."""
    return EventInteraction(
        channel="order-created",
        case="a web order",
        subscribe=subscribe,
        event=cloud_event(
            "order-created",
            source="order",
            subject=ORDER,
            aggregate="order",
            data={
                "order_id": identifier(ORDER),
                "customer_id": identifier(CUSTOMER),
                "total_amount": 35.69,
                "currency": Exactly("EUR"),
                "items": ITEMS,
            },
        ),
        states=(given("a confirmed order"),),
    )


def order_status_changed(subscribe: Subscribe, status: str) -> EventInteraction:
    """An order has come to this status."""
    before, reason, state = _CHANGES[status]
    data: dict[str, Any] = {
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "previous_status": Exactly(before),
        "status": Exactly(status),
        "items": ITEMS,
        "total": money(3569),
        "changed_at": moment(),
    }
    if reason:
        data["reason"] = Exactly(reason)
    return EventInteraction(
        channel="order-status-changed",
        case=status,
        subscribe=subscribe,
        event=cloud_event("order-status-changed", source="order", subject=ORDER, aggregate="order", data=data),
        states=(given(state),),
    )


def payment_succeeded(subscribe: Subscribe) -> EventInteraction:
    """The money for an order is ours."""
    data = {**_paid(), "provider_reference": "pi_3QK1xY2eZvKYlo2C"}
    return _of_payment("payment-succeeded", "a good card", subscribe, data, "a confirmed order")


def payment_failed(subscribe: Subscribe) -> EventInteraction:
    """A card was declined."""
    failure = {
        "code": one_of("CARD_DECLINED", "INSUFFICIENT_FUNDS"),
        "message": "The card has insufficient funds.",
        "provider_code": "insufficient_funds",
        "retryable": False,
    }
    data = {**_paid(), "failure": failure}
    return _of_payment("payment-failed", "a declined card", subscribe, data, "an order whose card was declined")


def payment_refunded(subscribe: Subscribe) -> EventInteraction:
    """All of it was paid back."""
    data = {
        "payment_id": identifier(PAYMENT),
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "refund_id": identifier("rfd_1d77e3"),
        "amount": money(3569),
        "refunded_total": money(3569),
        "fully_refunded": Exactly(True),
        "reason": Exactly("REFUND_REASON_OUT_OF_STOCK"),
    }
    return _of_payment("payment-refunded", "stock was missing", subscribe, data, "an order has run out of stock")


def _paid() -> dict[str, Any]:
    return {
        "payment_id": identifier(PAYMENT),
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "amount": money(3569),
        "provider": Exactly("PAYMENT_PROVIDER_STRIPE"),
    }


def _of_payment(channel: str, case: str, subscribe: Subscribe, data: Any, state: str) -> EventInteraction:
    return EventInteraction(
        channel=channel,
        case=case,
        subscribe=subscribe,
        event=cloud_event(channel, source="payment", subject=PAYMENT, aggregate="payment", data=data),
        states=(given(state),),
    )


def stock_reserved(subscribe: Subscribe) -> EventInteraction:
    """All lines of an order are set aside."""
    return EventInteraction(
        channel="stock-reserved",
        case="a paid order",
        subscribe=subscribe,
        event=cloud_event(
            "stock-reserved",
            source="warehouse",
            subject=RESERVATION,
            aggregate="reservation",
            data={
                "reservation_id": identifier(RESERVATION),
                "order_id": identifier(ORDER),
                "lines": [{"product_id": identifier(PRODUCT), "quantity": 2}],
                "expires_at": moment(),
            },
        ),
        states=(given("a confirmed order"),),
    )


def stock_reservation_failed(subscribe: Subscribe) -> EventInteraction:
    """An order could not be served."""
    return EventInteraction(
        channel="stock-reservation-failed",
        case="stock is missing after payment",
        subscribe=subscribe,
        event=cloud_event(
            "stock-reservation-failed",
            source="warehouse",
            subject=ORDER,
            aggregate="order",
            data={
                "order_id": identifier(ORDER),
                "code": Exactly("OUT_OF_STOCK"),
                "shortages": [{"product_id": identifier(PRODUCT), "requested": 2, "available": 1}],
            },
        ),
        states=(given("an order has run out of stock"),),
    )


def inventory_changed(subscribe: Subscribe) -> EventInteraction:
    """Pieces were set aside for an order."""
    level = {
        "product_id": identifier(PRODUCT),
        "warehouse_id": identifier("whs_berlin"),
        "on_hand": 120,
        "reserved": 12,
        "available": 108,
        "version": 57,
    }
    return EventInteraction(
        channel="inventory-changed",
        case="a reservation",
        subscribe=subscribe,
        event=cloud_event(
            "inventory-changed",
            source="warehouse",
            subject="prd_tea_green.whs_berlin",
            aggregate="stock-level",
            data={"level": level, "delta": -2, "cause": "reservation", "order_id": identifier(ORDER)},
        ),
        states=(given("a confirmed order"),),
    )


def customer_created(subscribe: Subscribe) -> EventInteraction:
    """Somebody registered."""
    data = {
        "customer_id": identifier(CUSTOMER),
        "email": "ada@example.com",
        "profile": {"given_name": "Ada", "family_name": "Lovelace", "locale": "de-DE", "marketing_consent": False},
    }
    return _of_customer("customer-created", "a registration", subscribe, data, "a customer")


def customer_updated(subscribe: Subscribe) -> EventInteraction:
    """The language was changed."""
    data = {
        "customer_id": identifier(CUSTOMER),
        "profile": {"locale": "en-GB"},
        "changed_fields": ["locale"],
    }
    return _of_customer("customer-updated", "another language", subscribe, data, "a customer has changed the language")


def customer_deleted(subscribe: Subscribe) -> EventInteraction:
    """A customer was erased."""
    data = {"customer_id": identifier(CUSTOMER), "deleted_at": moment()}
    return _of_customer("customer-deleted", "an erasure", subscribe, data, "a customer was erased")


def payment_method_added(subscribe: Subscribe) -> EventInteraction:
    """A card was stored."""
    data = {
        "customer_id": identifier(CUSTOMER),
        "payment_method_id": identifier(CARD),
        "type": Exactly("PAYMENT_METHOD_TYPE_CARD"),
        "is_default": True,
    }
    return _of_customer("payment-method-added", "a card", subscribe, data, "a customer with a card")


def _of_customer(channel: str, case: str, subscribe: Subscribe, data: Any, state: str) -> EventInteraction:
    return EventInteraction(
        channel=channel,
        case=case,
        subscribe=subscribe,
        event=cloud_event(channel, source="customer", subject=CUSTOMER, aggregate="customer", data=data),
        states=(given(state),),
    )
