"""What payments and refunds become, as pure functions: an answer and a webhook say the same, in either order.

What they return equals what they were given when there is nothing new; `news` then is empty, so that each change is
told once, whoever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from services.payment.domain import Money, Payment, PaymentStatus, Refund, RefundStatus


class Provider(StrEnum):
    """`payment.v1.PaymentProvider` without its prefix."""

    STRIPE = "STRIPE"
    PAYPAL = "PAYPAL"


class State(StrEnum):
    """`payment.v1.PaymentStatus` without its prefix."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


OPEN = frozenset({State.PENDING, State.REQUIRES_ACTION})
REFUNDABLE = frozenset({State.SUCCEEDED, State.PARTIALLY_REFUNDED})
PROVIDER_ERROR = "PROVIDER_ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a charge failed: `code` is the same for all providers (payment.v1.PaymentFailure)."""

    code: str
    message: str
    provider_code: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A payment as this service keeps it. `version` grows by one with every change."""

    payment_id: str
    order_id: str
    customer_id: str
    amount: Money
    provider: Provider
    idempotency_key: str
    fingerprint: bytes
    created_at: datetime
    updated_at: datetime
    state: State = State.PENDING
    refunded: int = 0
    provider_reference: str = ""
    failure: Failure | None = None
    next_action_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    attempted_until: datetime | None = None
    """By when the last attempt has reached the provider, or never will."""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """A refund as this service keeps it."""

    refund_id: str
    payment_id: str
    amount: Money
    reason: str
    idempotency_key: str
    created_at: datetime
    whole: bool = False
    """All that was left was asked for, not an amount."""
    status: RefundStatus = RefundStatus.PENDING
    provider_reference: str = ""


class NotRefundable(Exception):
    """Nothing was taken, or nothing is left to pay back."""


class ExceedsPayment(Exception):
    """More is asked for than is left."""


# ---- charges


def charged(charge: Charge, found: Payment) -> Charge:
    """The charge after the provider said where the payment stands.

    Money that came after all counts, also for a charge that was given up.
    """
    known = replace(charge, provider_reference=charge.provider_reference or found.id)
    if found.status is PaymentStatus.CAPTURED and charge.state in OPEN | {State.FAILED}:
        return replace(known, state=State.SUCCEEDED, failure=None, next_action_url=None)
    if found.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED) and charge.state in OPEN:
        return declined(known, found.failure or str(found.status))
    if found.status is PaymentStatus.ACTION_REQUIRED and charge.state is State.PENDING:
        return replace(known, state=State.REQUIRES_ACTION, next_action_url=found.action_url)
    return known


def declined(charge: Charge, provider_code: str) -> Charge:
    """The charge after the provider said no."""
    return failed(charge, failure_of(provider_code))


def failed(charge: Charge, failure: Failure) -> Charge:
    """The charge after it failed, unless its outcome was known before."""
    if charge.state not in OPEN:
        return charge
    return replace(charge, state=State.FAILED, failure=failure, next_action_url=None)


GIVEN_UP = Failure(
    code=PROVIDER_ERROR, message="The payment provider did not answer.", provider_code="no_answer", retryable=True
)
"""Of a charge that was asked back before anybody knew of it."""


def news(before: Charge, after: Charge) -> State | None:
    """The state that others must be told of; None when it is not new, or nobody's business."""
    if after.state is before.state:
        return None
    return after.state if after.state in (State.SUCCEEDED, State.FAILED) else None


# ---- refunds


def refundable(charge: Charge, repayments: Iterable[Repayment]) -> int:
    """What may still be paid back, in the smallest unit: what is under way counts as gone."""
    if charge.state not in REFUNDABLE:
        return 0
    pending = sum(each.amount.amount for each in repayments if each.status is RefundStatus.PENDING)
    return charge.amount.amount - charge.refunded - pending


def amount_to_refund(charge: Charge, repayments: Iterable[Repayment], asked: Money | None) -> Money:
    """How much is to be paid back. `NotRefundable`, `ExceedsPayment`."""
    left = refundable(charge, repayments)
    if left <= 0:
        raise NotRefundable(charge.payment_id)
    if asked is None:
        return Money(left, charge.amount.currency)
    if asked.currency != charge.amount.currency or asked.amount > left:
        raise ExceedsPayment(charge.payment_id)
    return asked


def repaid(charge: Charge, repayment: Repayment, found: Refund) -> tuple[Charge, Repayment]:
    """Both after the provider said where the refund stands. A refund that ended changes no more."""
    if repayment.status is not RefundStatus.PENDING:
        return charge, repayment
    known = replace(repayment, provider_reference=repayment.provider_reference or found.id, status=found.status)
    if found.status is not RefundStatus.SUCCEEDED:
        return charge, known
    refunded = charge.refunded + repayment.amount.amount
    state = State.REFUNDED if refunded >= charge.amount.amount else State.PARTIALLY_REFUNDED
    return replace(charge, refunded=refunded, state=state), known


# ---- why charges fail

_EXPIRED = frozenset({"expired_card", "CARD_EXPIRED"})
_FRAUD = frozenset({"fraudulent", "merchant_blacklist", "lost_card", "stolen_card", "pickup_card", "highest_risk_level",
                    "COMPLIANCE_VIOLATION"})  # fmt: skip
_PROVIDER = frozenset({"processing_error", "issuer_not_available", "try_again_later", "reenter_transaction"})
_AGAIN = _PROVIDER | {"approve_with_id"}
_MESSAGES = {
    "INSUFFICIENT_FUNDS": "The card has insufficient funds.",
    "EXPIRED_CARD": "The card has expired.",
    "FRAUD_SUSPECTED": "The payment was declined.",
    PROVIDER_ERROR: "The payment could not be processed.",
    "CARD_DECLINED": "The card was declined.",
}


def failure_of(provider_code: str) -> Failure:
    """What a provider's decline code means. Suspicions are not told to the customer."""
    code = "CARD_DECLINED"
    if provider_code == "insufficient_funds":
        code = "INSUFFICIENT_FUNDS"
    elif provider_code in _EXPIRED:
        code = "EXPIRED_CARD"
    elif provider_code in _FRAUD:
        code = "FRAUD_SUSPECTED"
    elif provider_code in _PROVIDER:
        code = PROVIDER_ERROR
    return Failure(code=code, message=_MESSAGES[code], provider_code=provider_code, retryable=provider_code in _AGAIN)
