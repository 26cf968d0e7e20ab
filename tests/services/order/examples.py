"""Requests and events for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shop.common.v1 import address_pb2, money_pb2
from shop.customer.v1.events.models import CustomerDeletedEvent
from shop.order.v1 import order_pb2
from shop.payment.v1.events.models import PaymentFailedEvent, PaymentRefundedEvent, PaymentSucceededEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.events import new_event_id
from shop.runtime.transport import ReceivedMessage
from shop.shipping.v1.events.models import ShipmentCreatedEvent, ShipmentStatusChangedEvent
from shop.warehouse.v1.events.models import (
    ReservationReleasedEvent,
    StockReservationFailedEvent,
    StockReservedEvent,
)

NOW = "2026-02-01T10:15:31.204Z"
EURO = {"minor_units": 3569, "currency_code": "EUR"}
DELIVERY: Delivery[RawHeaders] = Delivery(
    headers={},
    message=ReceivedMessage(
        id="1-0", address="-", body=b"", content_type="application/json", headers={}, first_seen=datetime.now(UTC)
    ),
)


def euro(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="EUR")


def create(key: str = "chk_1", **changes: Any) -> order_pb2.CreateOrderRequest:
    """Two packets of tea for 35.69 EUR."""
    given: dict[str, Any] = {
        "customer_id": "cus_ada",
        "checkout_id": key,
        "items": [
            order_pb2.OrderItem(
                product_id="prd_tea", sku="TEA", name="Green tea", quantity=2, unit_price=euro(1250)
            )
        ],
        "shipping_cost": euro(499),
        "tax": euro(570),
        "total": euro(3569),
        "shipping_address": address_pb2.Address(
            recipient_name="Ada Lovelace", line1="Unter den Linden 6", city="Berlin", postal_code="10117",
            country_code="DE",
        ),
        "payment_method_id": "pm_1",
        "metadata": {"channel": "web"},
        "idempotency_key": key,
        **changes,
    }  # fmt: skip
    return order_pb2.CreateOrderRequest(**given)


def _envelope(type_: str, aggregate: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": new_event_id(), "source": aggregate, "type": type_, "subject": subject, "time": NOW,
        "datacontenttype": "application/json", "correlationid": data.get("order_id", subject),
        "aggregatetype": aggregate, "aggregateversion": 2, "data": data,
    }  # fmt: skip


def succeeded(order_id: str, payment_id: str = "pay_1") -> PaymentSucceededEvent:
    data = {
        "payment_id": payment_id, "order_id": order_id, "customer_id": "cus_ada", "amount": EURO,
        "provider": "PAYMENT_PROVIDER_STRIPE", "provider_reference": "pi_1",
    }  # fmt: skip
    return PaymentSucceededEvent.from_dict(_envelope("payment-succeeded", "payment", payment_id, data))


def payment_failed(order_id: str, payment_id: str = "pay_1") -> PaymentFailedEvent:
    failure = {"code": "CARD_DECLINED", "message": "No.", "provider_code": "generic_decline", "retryable": False}
    data = {
        "payment_id": payment_id, "order_id": order_id, "customer_id": "cus_ada", "amount": EURO,
        "provider": "PAYMENT_PROVIDER_STRIPE", "failure": failure,
    }  # fmt: skip
    return PaymentFailedEvent.from_dict(_envelope("payment-failed", "payment", payment_id, data))


def refunded(
    order_id: str, payment_id: str = "pay_1", *, reason: str = "OUT_OF_STOCK", fully: bool = True
) -> PaymentRefundedEvent:
    data = {
        "payment_id": payment_id, "order_id": order_id, "customer_id": "cus_ada", "refund_id": "rfd_1",
        "amount": EURO, "refunded_total": EURO, "fully_refunded": fully, "reason": f"REFUND_REASON_{reason}",
    }  # fmt: skip
    return PaymentRefundedEvent.from_dict(_envelope("payment-refunded", "payment", payment_id, data))


def reserved(order_id: str) -> StockReservedEvent:
    data = {
        "reservation_id": "rsv_1", "order_id": order_id, "lines": [{"product_id": "prd_tea", "quantity": 2}],
        "expires_at": NOW,
    }  # fmt: skip
    return StockReservedEvent.from_dict(_envelope("stock-reserved", "reservation", "rsv_1", data))


def shortage(order_id: str) -> StockReservationFailedEvent:
    missing = {"product_id": "prd_tea", "requested": 2, "available": 0, "sufficient": False}
    data = {"order_id": order_id, "code": "OUT_OF_STOCK", "shortages": [missing]}
    return StockReservationFailedEvent.from_dict(_envelope("stock-reservation-failed", "order", order_id, data))


def released(order_id: str, reason: str = "EXPIRED") -> ReservationReleasedEvent:
    data = {
        "reservation_id": "rsv_1", "order_id": order_id, "lines": [{"product_id": "prd_tea", "quantity": 2}],
        "reason": f"RELEASE_REASON_{reason}",
    }  # fmt: skip
    return ReservationReleasedEvent.from_dict(_envelope("reservation-released", "reservation", "rsv_1", data))


def shipment_created(order_id: str) -> ShipmentCreatedEvent:
    data = {"shipment_id": "shp_1", "order_id": order_id, "carrier": "CARRIER_UPS", "tracking_number": "1Z"}
    return ShipmentCreatedEvent.from_dict(_envelope("shipment-created", "shipment", "shp_1", data))


def shipment(order_id: str, status: str) -> ShipmentStatusChangedEvent:
    data = {
        "shipment_id": "shp_1", "order_id": order_id, "carrier": "CARRIER_UPS", "tracking_number": "1Z",
        "previous_status": "SHIPMENT_STATUS_LABEL_CREATED", "status": f"SHIPMENT_STATUS_{status}", "occurred_at": NOW,
    }  # fmt: skip
    return ShipmentStatusChangedEvent.from_dict(_envelope("shipment-status-changed", "shipment", "shp_1", data))


def customer_deleted(customer_id: str = "cus_ada") -> CustomerDeletedEvent:
    return CustomerDeletedEvent.from_dict(
        _envelope("customer-deleted", "customer", customer_id, {"customer_id": customer_id, "deleted_at": NOW})
    )
