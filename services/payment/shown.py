"""Payments and refunds as messages of payment.v1."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from shop.common.v1 import money_pb2
from shop.payment.v1 import payment_pb2

from services.payment.domain import Money
from services.payment.lifecycle import Charge, Failure, Repayment


def shown(charge: Charge) -> payment_pb2.Payment:
    """The payment without what is nobody's business: key and attempts."""
    return payment_pb2.Payment(
        payment_id=charge.payment_id,
        order_id=charge.order_id,
        customer_id=charge.customer_id,
        amount=_money(charge.amount),
        refunded_amount=_money(Money(charge.refunded, charge.amount.currency)),
        provider=payment_pb2.PaymentProvider.Value(f"PAYMENT_PROVIDER_{charge.provider}"),
        provider_reference=charge.provider_reference,
        status=payment_pb2.PaymentStatus.Value(f"PAYMENT_STATUS_{charge.state}"),
        failure=_failure(charge.failure),
        next_action_url=charge.next_action_url,
        created_at=_moment(charge.created_at),
        updated_at=_moment(charge.updated_at),
    )


def shown_refund(repayment: Repayment) -> payment_pb2.Refund:
    """The refund."""
    return payment_pb2.Refund(
        refund_id=repayment.refund_id,
        payment_id=repayment.payment_id,
        amount=_money(repayment.amount),
        status=payment_pb2.RefundStatus.Value(f"REFUND_STATUS_{repayment.status.name}"),
        reason=payment_pb2.RefundReason.Value(f"REFUND_REASON_{repayment.reason}"),
        provider_reference=repayment.provider_reference,
        created_at=_moment(repayment.created_at),
    )


def _failure(failure: Failure | None) -> payment_pb2.PaymentFailure | None:
    if failure is None:
        return None
    return payment_pb2.PaymentFailure(
        code=failure.code,
        message=failure.message,
        provider_code=failure.provider_code,
        retryable=failure.retryable,
    )


def _money(money: Money) -> money_pb2.Money:
    return money_pb2.Money(minor_units=money.amount, currency_code=money.currency)


def _moment(at: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(at)
    return found
