"""Stripe: payment intents through the client that is generated from contracts/external/stripe.

Repeated are network failures, 409, 429 and 5xx, always with the key of the
step, and never what `Stripe-Should-Retry` forbids (docs.stripe.com/error-low-level).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from shop.external.stripe.http.client import SERVERS, Client
from shop.external.stripe.http.models import (
    Charge,
    ErrorAnswer,
    PaymentIntent,
    PaymentIntentCapture,
    PaymentIntentCreate,
    PaymentIntentList,
    RangeQueryOption2,
    RefundCreate,
)
from shop.external.stripe.http.models import Refund as StripeRefund
from shop.runtime.errors import CircuitOpen, HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.payment.domain import Card, ChargeRequest, Money, Payment, PaymentStatus, Refund, RefundStatus
from services.platform.gateways.calling import Caller, Policy, Verdict
from services.platform.gateways.errors import (
    CredentialsRefused,
    Declined,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReference,
)

if TYPE_CHECKING:
    from types import TracebackType

GATEWAY = "stripe"
API_VERSION = "2026-10-28.endive"
PAYMENT_ID, REFUND_ID = "payment_id", "refund_id"
"""Where the shop's own ids are kept: members of the metadata."""
_EXPAND = ["latest_charge"]
_PAGE = 100
_STATUS: Mapping[str, PaymentStatus] = {
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_confirmation": PaymentStatus.PENDING,
    "requires_action": PaymentStatus.ACTION_REQUIRED,
    "processing": PaymentStatus.PENDING,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.CANCELED,
}
_REFUND_STATUS: Mapping[str, RefundStatus] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class StripeGateway:
    """A `PaymentGateway`. Use it as an asynchronous context manager, or close it with `aclose`."""

    def __init__(self, secret_key: str, *, base_url: str = SERVERS[0], policy: Policy | None = None) -> None:
        self._client = Client(base_url, secret_key=secret_key, headers={"stripe-version": API_VERSION})
        self._caller = Caller(judge=judge, policy=policy or Policy())
        self._options = CallOptions(timeout=self._caller.policy.timeout, retry=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def charge(self, request: ChargeRequest) -> Payment:
        """Create and confirm a payment intent in one step."""
        asked: dict[str, Any] = {
            "amount": request.amount.amount,
            "currency": request.amount.currency.lower(),
            "payment_method": request.method,
            "payment_method_types": ["card"],
            "confirm": True,
            "capture_method": "automatic" if request.capture else "manual",
            "metadata": _metadata(request),
            "expand": _EXPAND,
        }
        if request.customer is not None:
            asked["customer"] = request.customer
        if request.return_url is not None:
            asked["return_url"] = request.return_url
        body = PaymentIntentCreate(**asked)
        found = await self._caller.call(
            "charge",
            lambda: self._client.create_payment_intent(body, idempotency_key=request.key, options=self._options),
            repeatable=True,
        )
        return _payment(found)

    async def capture(self, payment_id: str, *, key: str, amount: Money | None = None) -> Payment:
        """Take what was held."""
        body = PaymentIntentCapture(amount_to_capture=amount.amount if amount else None, expand=_EXPAND)
        found = await self._caller.call(
            "capture",
            lambda: self._client.capture_payment_intent(
                payment_id, idempotency_key=key, body=body, options=self._options
            ),
            repeatable=True,
        )
        return _payment(found)

    async def cancel(self, payment_id: str, *, key: str) -> Payment:
        """Release what was held."""
        found = await self._caller.call(
            "cancel",
            lambda: self._client.cancel_payment_intent(payment_id, idempotency_key=key, options=self._options),
            repeatable=True,
        )
        return _payment(found)

    async def refund(self, payment_id: str, *, key: str, amount: Money | None = None, shop_id: str = "") -> Refund:
        """Give back what was taken."""
        body = RefundCreate(
            payment_intent=payment_id,
            amount=amount.amount if amount else None,
            metadata={REFUND_ID: shop_id} if shop_id else None,
        )
        found = await self._caller.call(
            "refund",
            lambda: self._client.create_refund(idempotency_key=key, body=body, options=self._options),
            repeatable=True,
        )
        return _refund(found)

    async def payment(self, payment_id: str) -> Payment:
        """Where a payment stands."""
        found = await self._caller.call(
            "payment",
            lambda: self._client.get_payment_intent(payment_id, expand=_EXPAND, options=self._options),
            repeatable=True,
        )
        return _payment(found)

    async def refund_status(self, refund_id: str) -> Refund:
        """Where a refund stands."""
        found = await self._caller.call(
            "refund_status",
            lambda: self._client.get_refund(refund_id, options=self._options),
            repeatable=True,
        )
        return _refund(found)

    async def find(self, shop_id: str, *, since: datetime) -> Payment | None:
        """The payment with this id in its metadata, the newest first; lists are consistent, searches are not."""
        created = RangeQueryOption2(gte=int(since.timestamp()))
        last: str | None = None
        while True:
            page = await self._list(created, last)
            for intent in page.data:
                if intent.metadata.get(PAYMENT_ID) == shop_id:
                    return _payment(intent)
            if not page.has_more or not page.data:
                return None
            last = page.data[-1].id

    async def find_refund(self, payment_id: str, shop_id: str) -> Refund | None:
        """The refund with this id in its metadata, among the newest 100 of the payment."""
        page = await self._caller.call(
            "find_refund",
            lambda: self._client.list_refunds(payment_intent=payment_id, limit=_PAGE, options=self._options),
            repeatable=True,
        )
        return next((_refund(each) for each in page.data if each.metadata.get(REFUND_ID) == shop_id), None)

    async def _list(self, created: RangeQueryOption2, last: str | None) -> PaymentIntentList:
        return await self._caller.call(
            "find",
            lambda: self._client.list_payment_intents(
                created=created,
                limit=_PAGE,
                starting_after=last,
                expand=["data.latest_charge"],
                options=self._options,
            ),
            repeatable=True,
        )


def _metadata(request: ChargeRequest) -> dict[str, str]:
    own = {"order_id": request.order_id, PAYMENT_ID: request.shop_id}
    return {**request.facts, **{name: value for name, value in own.items() if value}}


def _payment(intent: PaymentIntent) -> Payment:
    charge = intent.latest_charge if isinstance(intent.latest_charge, Charge) else None
    details = charge.payment_method_details if charge is not None else None
    card = details.card if details is not None else None
    action = intent.next_action
    failure = intent.last_payment_error
    return Payment(
        id=intent.id,
        status=_STATUS.get(intent.status, PaymentStatus.PENDING),
        amount=Money(intent.amount, intent.currency.upper()),
        captured=intent.amount_received,
        refunded=_refunded(intent, charge),
        order_id=intent.metadata.get("order_id", ""),
        shop_id=intent.metadata.get(PAYMENT_ID, ""),
        card=None if card is None else Card(brand=card.brand or "", last4=card.last4 or ""),
        action_url=action.redirect_to_url.url if action is not None and action.redirect_to_url is not None else None,
        failure="" if failure is None else failure.decline_code or failure.code or "",
    )


def _refunded(intent: PaymentIntent, charge: Charge | None) -> int:
    """Stripe counts what was held and released as refunded, too."""
    if charge is None or not charge.captured:
        return 0
    released = charge.amount - charge.amount_captured if intent.status == "succeeded" else 0
    return max(0, charge.amount_refunded - released)


def _refund(found: StripeRefund) -> Refund:
    payment = found.payment_intent
    return Refund(
        id=found.id,
        payment_id=payment if isinstance(payment, str) else "",
        amount=Money(found.amount, found.currency.upper()),
        status=_REFUND_STATUS.get(found.status, RefundStatus.PENDING),
        failure=found.failure_reason or "",
        shop_id=found.metadata.get(REFUND_ID, ""),
    )


def judge(operation: str, problem: TreatyError) -> Verdict:
    """What an error of the client means at Stripe."""
    if isinstance(problem, CircuitOpen):
        return Verdict(Unavailable(GATEWAY, operation, str(problem)))
    if not isinstance(problem, HttpError):
        # Sent, or half sent: with the same key, repeating it is harmless.
        return Verdict(OutcomeUnknown(GATEWAY, operation, str(problem)), repeat=True)
    error = problem.model.error if isinstance(problem.model, ErrorAnswer) else None
    status, code = problem.status, (error.code if error is not None else None) or ""
    message = error.message if error is not None else f"HTTP {status}"
    about: dict[str, Any] = {"code": code, "request_id": problem.headers.get("request-id", ""), "status": status}
    advice = problem.headers.get("stripe-should-retry")
    repeat = advice == "true" or (advice != "false" and (status in (409, 429) or status >= 500))
    if status == 429 or code in ("rate_limit", "lock_timeout"):
        limited = RateLimited(GATEWAY, operation, message, **about)
        limited.retry_after = problem.retry_after
        return Verdict(limited, repeat=advice != "false", wait=problem.retry_after)
    if status >= 500 or status == 409:
        return Verdict(OutcomeUnknown(GATEWAY, operation, message, **about), repeat=repeat)
    if status == 402:
        about["code"] = (error.decline_code if error is not None else None) or code
        return Verdict(Declined(GATEWAY, operation, message, **about), repeat=False)
    kind = {401: CredentialsRefused, 403: CredentialsRefused, 404: UnknownReference}.get(status, Rejected)
    if error is not None and error.type == "idempotency_error":
        kind = KeyReused
    elif code == "resource_missing":
        kind = UnknownReference
    return Verdict(kind(GATEWAY, operation, message, **about), repeat=repeat)
