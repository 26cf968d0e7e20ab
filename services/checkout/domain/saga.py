"""Carrying an order through: charge it, wait for its stock, and undo in reverse order what must not stay.

Decisions only: what is called, repeated and remembered is the workflow's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from services.checkout.domain.checkout import ACCEPTED_ORDERS, FAILED_ORDERS


class Charge(StrEnum):
    """What became of the charge."""

    TAKEN = "TAKEN"
    DECLINED = "DECLINED"
    PENDING = "PENDING"
    """The provider has not decided yet."""
    OPEN = "OPEN"
    """The customer must approve at the provider, or somebody else has paid; the order's status will tell."""
    REFUSED = "REFUSED"
    """The payment service refused the request for good; no money moved."""
    UNKNOWN = "UNKNOWN"
    """No answer: it may have happened."""


class News(StrEnum):
    """What the workflow is told by events."""

    CONFIRMED = "CONFIRMED"
    SHORTAGE = "SHORTAGE"
    CLOSED = "CLOSED"
    """The order ended by itself: paid back, or its payment failed."""
    CANCELLED = "CANCELLED"


class Effect(StrEnum):
    """What a workflow answers for, in the order in which it happens."""

    ORDER = "ORDER"
    CHARGE = "CHARGE"


class Compensation(StrEnum):
    """What undoes an effect."""

    CANCEL_ORDER = "CANCEL_ORDER"
    REFUND = "REFUND"


class Ending(StrEnum):
    """How a workflow ends."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    """The payment was declined; there is nothing to undo."""
    COMPENSATED = "COMPENSATED"
    CLOSED = "CLOSED"
    """The order ended by itself."""
    PARKED = "PARKED"
    """A compensation was refused for good: people must look at it."""


_UNDONE_BY = {Effect.ORDER: Compensation.CANCEL_ORDER, Effect.CHARGE: Compensation.REFUND}


def reversed_effects(landed: Sequence[Effect]) -> tuple[Compensation, ...]:
    """What undoes effects that landed or may have landed, the last effect first."""
    return tuple(_UNDONE_BY[effect] for effect in reversed(landed))


def news_of(order_status: str) -> News | None:
    """What a status of the order, without its prefix, means for the workflow; None = it goes on waiting."""
    if order_status in ACCEPTED_ORDERS:
        return News.CONFIRMED
    if order_status == "CANCELLED":
        return News.CANCELLED
    return News.CLOSED if order_status in FAILED_ORDERS else None


def after_charge(charge: Charge) -> tuple[Ending | None, tuple[Compensation, ...]] | None:
    """How it ends, or what must be undone first; None = wait for news. A decline has been published by then."""
    if charge is Charge.DECLINED:
        return Ending.FAILED, ()
    if charge in (Charge.REFUSED, Charge.UNKNOWN):
        return after_news(None, charge)
    return None


def after_news(news: News | None, charge: Charge) -> tuple[Ending | None, tuple[Compensation, ...]]:
    """How it ends, or what must be undone first. `news` None: nobody told anything in time.

    A shortage leaves the order to the order service, which closes it when the money is back. A cancelled order
    needs its money back only, should any have moved.
    """
    if news is News.CONFIRMED:
        return Ending.COMPLETED, ()
    if news is News.CLOSED:
        return Ending.CLOSED, ()
    charged = () if charge in (Charge.DECLINED, Charge.REFUSED) else (Effect.CHARGE,)
    if news in (News.SHORTAGE, News.CANCELLED):
        return (None, reversed_effects(charged)) if charged else (Ending.CLOSED, ())
    return None, reversed_effects((Effect.ORDER, *charged))


def refund_reason(news: News | None) -> str:
    """By the names of payment.v1.RefundReason, without their prefix."""
    return "OUT_OF_STOCK" if news is News.SHORTAGE else "ORDER_CANCELLED"


def cancel_reason(charge: Charge) -> str:
    """Why the order is cancelled, as a code."""
    if charge is Charge.UNKNOWN:
        return "PAYMENT_UNAVAILABLE"
    return "PAYMENT_REFUSED" if charge is Charge.REFUSED else "TIMED_OUT"


def key_of(order_id: str, step: str) -> str:
    """The idempotency key of one step: `<order id>/charge`. The same however often the step is done again."""
    return f"{order_id}/{step}"
