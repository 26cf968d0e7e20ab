"""Charges and refunds through the payment service."""

from __future__ import annotations

from dataclasses import dataclass

from shop.common.v1.money_pb2 import Money
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.payment.v1.payment_pb2 import (
    PAYMENT_STATUS_FAILED,
    PAYMENT_STATUS_PARTIALLY_REFUNDED,
    PAYMENT_STATUS_PENDING,
    PAYMENT_STATUS_REFUNDED,
    PAYMENT_STATUS_SUCCEEDED,
    REFUND_STATUS_FAILED,
    GetPaymentStatusRequest,
    Payment,
    ProcessPaymentRequest,
    RefundPaymentRequest,
    RefundReason,
)
from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

from services.checkout.domain.saga import Charge
from services.platform.refusals import code_of

REFUSALS = (InvalidArgument, NotFound, FailedPrecondition, PermissionDenied)
"""What asking again would not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an order costs, and how it is paid. `minor_units` of `currency`."""

    order_id: str
    customer_id: str
    payment_method_id: str
    minor_units: int
    currency: str


class Payments:
    """The payment service, in the words of this one. Errors that time may heal are passed on."""

    def __init__(self, client: PaymentServiceClient) -> None:
        self._client = client

    async def charge(self, due: Due, key: str) -> Charge:
        """Charge the customer once under the key. A decline is an answer; a refusal means that no money moved."""
        request = ProcessPaymentRequest(
            order_id=due.order_id,
            customer_id=due.customer_id,
            amount=Money(minor_units=due.minor_units, currency_code=due.currency),
            payment_method_id=due.payment_method_id,
            idempotency_key=key,
        )
        try:
            reply = await self._client.process_payment(request)
        except REFUSALS as error:
            return Charge.OPEN if code_of(error) == "ORDER_ALREADY_PAID" else Charge.REFUSED
        return _charge(reply.payment)

    async def of_order(self, order_id: str) -> tuple[str, Charge]:
        """(payment, what became of it) of the newest payment of an order; ("", REFUSED) when there is none."""
        try:
            reply = await self._client.get_payment_status(GetPaymentStatusRequest(order_id=order_id))
        except NotFound:
            return "", Charge.REFUSED
        return reply.payment.payment_id, _charge(reply.payment)

    async def refund(self, payment_id: str, reason: str, key: str) -> bool:
        """Pay all of it back, once under the key; whether the money is on its way, or was back already."""
        request = RefundPaymentRequest(
            payment_id=payment_id,
            reason=RefundReason.Value(f"REFUND_REASON_{reason}"),
            idempotency_key=key,
        )
        try:
            reply = await self._client.refund_payment(request)
        except REFUSALS:
            found = await self._client.get_payment_status(GetPaymentStatusRequest(payment_id=payment_id))
            return found.payment.status == PAYMENT_STATUS_REFUNDED
        return reply.refund.status != REFUND_STATUS_FAILED


def _charge(payment: Payment) -> Charge:
    if payment.status == PAYMENT_STATUS_FAILED:
        return Charge.DECLINED
    if payment.status == PAYMENT_STATUS_PENDING:
        return Charge.PENDING
    taken = (PAYMENT_STATUS_SUCCEEDED, PAYMENT_STATUS_PARTIALLY_REFUNDED, PAYMENT_STATUS_REFUNDED)
    return Charge.TAKEN if payment.status in taken else Charge.OPEN
