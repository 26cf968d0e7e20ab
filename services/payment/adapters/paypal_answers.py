"""What PayPal answers, as the payment service sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shop.external.paypal.http import models
from shop.external.paypal.http.models import Authorization, AuthorizationStatus, Capture, CaptureStatus, OrderStatus

from services.payment.adapters.paypal_errors import GATEWAY
from services.payment.adapters.paypal_money import money_of
from services.payment.domain import Card, Money, Payment, PaymentStatus, Refund, RefundStatus
from services.platform.gateways.errors import Declined, OutcomeUnknown

_TAKEN = (CaptureStatus.COMPLETED, CaptureStatus.PARTIALLY_REFUNDED, CaptureStatus.REFUNDED)
_REFUSED = (CaptureStatus.DECLINED, CaptureStatus.FAILED)
_NOT_GIVEN = (models.RefundStatus.CANCELLED, models.RefundStatus.FAILED)
_BY_ORDER: Mapping[OrderStatus, PaymentStatus] = {
    OrderStatus.CREATED: PaymentStatus.ACTION_REQUIRED,
    OrderStatus.SAVED: PaymentStatus.ACTION_REQUIRED,
    OrderStatus.PAYER_ACTION_REQUIRED: PaymentStatus.ACTION_REQUIRED,
    OrderStatus.VOIDED: PaymentStatus.CANCELED,
}
_BY_AUTHORIZATION: Mapping[AuthorizationStatus, PaymentStatus] = {
    AuthorizationStatus.CREATED: PaymentStatus.AUTHORIZED,
    AuthorizationStatus.DENIED: PaymentStatus.FAILED,
    AuthorizationStatus.VOIDED: PaymentStatus.CANCELED,
}
_BY_REFUND: Mapping[models.RefundStatus, RefundStatus] = {
    models.RefundStatus.COMPLETED: RefundStatus.SUCCEEDED,
    models.RefundStatus.CANCELLED: RefundStatus.FAILED,
    models.RefundStatus.FAILED: RefundStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Paid:
    """An order with one purchase unit, and what was made of it, the oldest first."""

    order: models.Order
    unit: models.PurchaseUnit
    authorizations: Sequence[Authorization]
    captures: Sequence[Capture]
    refunds: Sequence[models.Refund]

    @classmethod
    def of(cls, operation: str, order: models.Order) -> Paid:
        """`OutcomeUnknown` for an order that shows no purchase unit."""
        unit = next(iter(order.purchase_units or ()), None)
        if unit is None:
            raise OutcomeUnknown(GATEWAY, operation, f"order {order.id} shows no purchase unit")
        made = unit.payments or models.Payments()
        return cls(order, unit, made.authorizations or (), made.captures or (), made.refunds or ())

    @property
    def capture(self) -> Capture | None:
        """The capture that took the money, or is about to."""
        return next((each for each in self.captures if each.status not in _REFUSED), None)


def payment_of(operation: str, paid: Paid) -> Payment:
    """Where the payment of an order stands."""
    order, status = paid.order, _status(paid)
    amount = _money(operation, paid.unit.amount)
    card = order.payment_source.card if order.payment_source is not None else None
    return Payment(
        id=order.id,
        status=status,
        amount=amount,
        captured=sum(_money(operation, each.amount).amount for each in paid.captures if each.status in _TAKEN),
        refunded=sum(_money(operation, each.amount).amount for each in paid.refunds if each.status not in _NOT_GIVEN),
        order_id=paid.unit.custom_id or "",
        card=None if card is None else Card(brand=(card.brand or "").lower(), last4=card.last_digits or ""),
        action_url=_page(order) if status is PaymentStatus.ACTION_REQUIRED else None,
        failure=_failure(paid),
    )


def accepted(operation: str, paid: Paid) -> Payment:
    """The payment; `Declined` when the bank has refused it."""
    payment = payment_of(operation, paid)
    if payment.status is PaymentStatus.FAILED:
        raise Declined(GATEWAY, operation, "the payment was declined", code=payment.failure)
    return payment


def check_captured(operation: str, capture: Capture) -> None:
    """`Declined` when the bank has refused it."""
    if capture.status in _REFUSED:
        raise Declined(GATEWAY, operation, "the capture was declined", code=_reason(capture))


def refund_of(operation: str, refund: models.Refund, payment_id: str) -> Refund:
    """Where a refund stands."""
    return Refund(
        id=refund.id,
        payment_id=payment_id,
        amount=_money(operation, refund.amount),
        status=_BY_REFUND.get(refund.status, RefundStatus.PENDING),
        failure=(refund.status_details.reason or "") if refund.status_details and refund.status in _NOT_GIVEN else "",
    )


def captured_by(refund: models.Refund) -> str | None:
    """The id of the capture that a refund belongs to, which is only in its links."""
    href = next((link.href for link in refund.links if link.rel == "up"), "")
    return href.rpartition("/captures/")[2].partition("/")[0] if "/captures/" in href else None


def order_of(capture: Capture) -> str:
    """The id of the order of a capture."""
    related = capture.supplementary_data.related_ids if capture.supplementary_data is not None else None
    return (related.order_id or "") if related is not None else ""


def _status(paid: Paid) -> PaymentStatus:
    if any(each.status in _TAKEN for each in paid.captures):
        return PaymentStatus.CAPTURED
    if paid.capture is not None:
        return PaymentStatus.PENDING
    if paid.authorizations:
        return _BY_AUTHORIZATION.get(paid.authorizations[-1].status, PaymentStatus.PENDING)
    if paid.captures:
        return PaymentStatus.FAILED
    return _BY_ORDER.get(paid.order.status, PaymentStatus.PENDING)


def _failure(paid: Paid) -> str:
    if paid.captures:
        return _reason(paid.captures[-1]) if paid.captures[-1].status in _REFUSED else ""
    denied = [each for each in paid.authorizations if each.status == AuthorizationStatus.DENIED]
    return _reason(denied[-1]) if denied else ""


def _reason(made: Capture | Authorization) -> str:
    code = made.processor_response.response_code if made.processor_response is not None else None
    return code or (made.status_details.reason if made.status_details is not None else None) or made.status.value


def _page(order: models.Order) -> str | None:
    return next((link.href for link in order.links if link.rel in ("payer-action", "approve")), None)


def _money(operation: str, amount: models.Amount | models.Money | None) -> Money:
    try:
        if amount is None:
            raise ValueError("the answer shows no amount")
        return money_of(amount.currency_code, amount.value)
    except ValueError as problem:
        raise OutcomeUnknown(GATEWAY, operation, str(problem)) from None
