"""What other services are told about payments."""

from __future__ import annotations

from shop.common.v1.schemas.models import Money as MoneyModel
from shop.payment.v1.events.models import (
    PaymentFailedData,
    PaymentFailure,
    PaymentProvider,
    PaymentRefundedData,
    PaymentSucceededData,
    RefundReason,
)
from shop.payment.v1.events.publishers import PaymentEventsPublisher
from shop.runtime.transport import Transport

from services.payment.domain import Money, RefundStatus
from services.payment.lifecycle import Charge, Provider, Repayment, State, news


async def announce(transport: Transport, before: Charge, after: Charge) -> None:
    """Tell how a charge ended, when this change is its end."""
    publisher = PaymentEventsPublisher(transport)
    told = news(before, after)
    if told is State.SUCCEEDED:
        await publisher.publish_payment_succeeded(
            PaymentSucceededData(
                payment_id=after.payment_id,
                order_id=after.order_id,
                customer_id=after.customer_id,
                amount=money(after.amount),
                provider=provider(after.provider),
                provider_reference=after.provider_reference,
                metadata=dict(after.metadata) or None,
            ),
            subject=after.payment_id,
            correlationid=after.order_id,
            aggregateversion=after.version,
        )
    elif told is State.FAILED and after.failure is not None:
        await publisher.publish_payment_failed(
            PaymentFailedData(
                payment_id=after.payment_id,
                order_id=after.order_id,
                customer_id=after.customer_id,
                amount=money(after.amount),
                provider=provider(after.provider),
                failure=PaymentFailure(
                    code=after.failure.code,
                    message=after.failure.message,
                    provider_code=after.failure.provider_code,
                    retryable=after.failure.retryable,
                ),
                metadata=dict(after.metadata) or None,
            ),
            subject=after.payment_id,
            correlationid=after.order_id,
            aggregateversion=after.version,
        )


async def announce_refund(transport: Transport, charge: Charge, before: Repayment, after: Repayment) -> None:
    """Tell that a refund went through, when this change is that. `charge` is as it is after it."""
    if before.status is after.status or after.status is not RefundStatus.SUCCEEDED:
        return
    await PaymentEventsPublisher(transport).publish_payment_refunded(
        PaymentRefundedData(
            payment_id=charge.payment_id,
            order_id=charge.order_id,
            customer_id=charge.customer_id,
            refund_id=after.refund_id,
            amount=money(after.amount),
            refunded_total=money(Money(charge.refunded, charge.amount.currency)),
            fully_refunded=charge.state is State.REFUNDED,
            reason=RefundReason(f"REFUND_REASON_{after.reason}"),
            metadata=dict(charge.metadata) or None,
        ),
        subject=charge.payment_id,
        correlationid=charge.order_id,
        aggregateversion=charge.version,
    )


def money(amount: Money) -> MoneyModel:
    """As events write it."""
    return MoneyModel(minor_units=amount.amount, currency_code=amount.currency)


def provider(name: Provider) -> PaymentProvider:
    """By the contract's name."""
    return PaymentProvider(f"PAYMENT_PROVIDER_{name}")
