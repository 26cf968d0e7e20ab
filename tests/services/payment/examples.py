"""Requests and work for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shop.common.v1 import money_pb2
from shop.payment.v1 import payment_pb2
from shop.payment.v1.events.models import PaymentProcessingMessage
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import Outcome, ReceivedMessage

from tests.harness.gateways.receiver import Received
from tests.services.payment.conftest import Service

DELIVERY: Delivery[RawHeaders] = Delivery(
    headers={},
    message=ReceivedMessage(
        id="1-0", address="-", body=b"", content_type="application/json", headers={}, first_seen=datetime.now(UTC)
    ),
)


def euro(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency_code="EUR")


def charge(order: str = "ord_1", **changes: Any) -> payment_pb2.ProcessPaymentRequest:
    """35.69 EUR by a Visa card that is good."""
    given: dict[str, Any] = {
        "order_id": order,
        "customer_id": "cus_ada",
        "amount": euro(3569),
        "payment_method_id": "pm_visa",
        "metadata": {"channel": "web"},
        "idempotency_key": f"{order}/charge",
        **changes,
    }
    return payment_pb2.ProcessPaymentRequest(**given)


def refund(payment_id: str, key: str = "ord_1/refund", **changes: Any) -> payment_pb2.RefundPaymentRequest:
    """All of it, since stock is missing."""
    given: dict[str, Any] = {
        "payment_id": payment_id,
        "reason": payment_pb2.REFUND_REASON_OUT_OF_STOCK,
        "idempotency_key": key,
        **changes,
    }
    return payment_pb2.RefundPaymentRequest(**given)


def ingested(message: Received) -> payment_pb2.IngestWebhookRequest:
    """A webhook as the gateway passes it on."""
    return payment_pb2.IngestWebhookRequest(
        provider=payment_pb2.PAYMENT_PROVIDER_STRIPE,
        payload=message.body,
        signature=message.headers["stripe-signature"],
    )


async def work_off(service: Service) -> list[Outcome | None]:
    """Do all the work that was ever queued, as the queue might deliver it."""
    queued = [PaymentProcessingMessage.from_dict(each) for each in await service.told("payment-processing")]
    return [await service.work.process_payment_work(each, DELIVERY) for each in queued]


def refund_work(payment_id: str, order: str = "ord_1", key: str = "ord_1/refund") -> PaymentProcessingMessage:
    """What the order service queues."""
    return PaymentProcessingMessage.from_dict(
        {
            "specversion": "1.0", "id": "e1", "source": "order", "type": "payment-processing", "subject": payment_id,
            "time": "2026-02-01T10:15:31.204Z", "datacontenttype": "application/json", "correlationid": order,
            "aggregatetype": "payment", "aggregateversion": 2,
            "data": {
                "action": "refund", "payment_id": payment_id, "order_id": order,
                "reason": "REFUND_REASON_ORDER_CANCELLED", "idempotency_key": key,
            },
        }
    )  # fmt: skip
