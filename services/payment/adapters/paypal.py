"""PayPal: Orders v2 and Payments v2 through the client that is generated from contracts/external/paypal.

The id of a payment is that of its order. It exists before the payer approves, and everything that is made later
(authorization, capture, refunds) is found through it; PayPal refunds captures, which are looked up there.

A charge's `method` is one of

* `paypal`: the payer approves on PayPal's page. The payment is ACTION_REQUIRED and says where; the same charge with
  the same key, after the approval, takes the money.
* `paypal:<id>`, `venmo:<id>`, `card:<id>`: a payment token of the vault; `agreement:<id>`: a billing agreement.
  These need no payer and are taken at once.
* `order:<id>`: an order that the shop has made before and that the payer has approved or is to approve. Its amount
  must be the charge's and its `custom_id` the charge's `order_id`, so that one order cannot pay for two.

Every call of a step has a `PayPal-Request-Id` made from the step's key, and is repeated with it. Orders forgets the
ids after six hours, Payments after 45 days. A charge that is repeated later makes another order with the same
`invoice_id`, which an account that blocks accidental payments refuses when the first one was paid: that is
`OutcomeUnknown` with the code DUPLICATE_INVOICE_ID. Whoever knows the id of the payment charges `order:<id>` instead.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

from shop.external.paypal.http.client import SERVERS, Client
from shop.external.paypal.http.models import CaptureRequest, Order, OrderStatus, RefundRequest, TokenRequest
from shop.runtime.auth import Basic, Token
from shop.runtime.errors import ProtocolError
from shop.runtime.http_client import CallOptions

from services.payment.adapters.paypal_answers import (
    Paid,
    accepted,
    captured_by,
    check_captured,
    order_of,
    payment_of,
    refund_of,
)
from services.payment.adapters.paypal_errors import GATEWAY, SETTLED, judge
from services.payment.adapters.paypal_requests import amount_of, approved_order, order_request, request_id
from services.payment.domain import ChargeRequest, Money, Payment, PaymentStatus, Refund
from services.platform.gateways.calling import Caller, Policy
from services.platform.gateways.errors import GatewayError, OutcomeUnknown, Rejected
from services.platform.gateways.tokens import SharedToken

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")
_WHOLE = "return=representation"


class PaypalGateway:
    """A `PaymentGateway`. Use it as an asynchronous context manager, or close it with `aclose`.

    `clock` is that by which access tokens end, in seconds from any start.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        base_url: str = SERVERS[0],
        policy: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        token = SharedToken(self._fetch_token, clock=clock)
        self._client = Client(base_url, client_credentials=Basic(client_id, client_secret), access_token=token)
        self._caller = Caller(judge=judge, policy=policy or Policy(), token=token)
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
        """Create the order, or find it, and take or hold its money once the payer has agreed."""
        order_id = approved_order(request)
        order = await self._create(request) if order_id is None else await self._find(request, order_id)
        if order.status == OrderStatus.APPROVED:
            order = await self._pay(request, order.id)
        return accepted("charge", Paid.of("charge", order))

    async def capture(self, payment_id: str, *, key: str, amount: Money | None = None) -> Payment:
        """Take what was held."""
        paid = await self._paid("capture", payment_id)
        if not paid.authorizations:
            raise Rejected(GATEWAY, "capture", f"payment {payment_id} holds no money")
        authorization = paid.authorizations[-1].id
        body = CaptureRequest(amount=amount_of(amount, "capture"), final_capture=True)
        capture = await self._call(
            "capture",
            lambda: self._client.capture_authorization(
                authorization, paypal_request_id=request_id(key), prefer=_WHOLE, body=body, options=self._options
            ),
        )
        check_captured("capture", capture)
        return payment_of("capture", await self._changed("capture", payment_id))

    async def cancel(self, payment_id: str, *, key: str) -> Payment:
        """Release what was held. An order that was not paid holds nothing: PayPal lets it end by itself."""
        paid = await self._paid("cancel", payment_id)
        if paid.capture is not None:
            raise Rejected(GATEWAY, "cancel", f"payment {payment_id} was taken already", code="PREVIOUSLY_CAPTURED")
        payment = payment_of("cancel", paid)
        if payment.status is PaymentStatus.CANCELED:
            return payment
        if not paid.authorizations:
            return replace(payment, status=PaymentStatus.CANCELED, action_url=None)
        authorization = paid.authorizations[0].id
        await self._unless_settled(
            "cancel",
            lambda: self._client.void_authorization(
                authorization, paypal_request_id=request_id(key), prefer=_WHOLE, options=self._options
            ),
        )
        return payment_of("cancel", await self._changed("cancel", payment_id))

    async def refund(self, payment_id: str, *, key: str, amount: Money | None = None) -> Refund:
        """Give back what was taken."""
        capture = (await self._paid("refund", payment_id)).capture
        if capture is None:
            raise Rejected(GATEWAY, "refund", f"nothing was taken of payment {payment_id}")
        body = RefundRequest(amount=amount_of(amount, "refund"))
        found = await self._call(
            "refund",
            lambda: self._client.refund_capture(
                capture.id, paypal_request_id=request_id(key), prefer=_WHOLE, body=body, options=self._options
            ),
        )
        return refund_of("refund", found, payment_id)

    async def payment(self, payment_id: str) -> Payment:
        """Where a payment stands."""
        return payment_of("payment", await self._paid("payment", payment_id))

    async def refund_status(self, refund_id: str) -> Refund:
        """Where a refund stands. Its payment is found through the capture."""
        found = await self._call("refund_status", lambda: self._client.get_refund(refund_id, options=self._options))
        capture_id = captured_by(found)
        if capture_id is None:
            return refund_of("refund_status", found, "")
        capture = await self._call("refund_status", lambda: self._client.get_capture(capture_id, options=self._options))
        return refund_of("refund_status", found, order_of(capture))

    # ---- orders

    async def _create(self, request: ChargeRequest) -> Order:
        body, once = order_request(request), request_id(request.key, "create")
        return await self._call(
            "charge",
            lambda: self._client.create_order(body, paypal_request_id=once, prefer=_WHOLE, options=self._options),
        )

    async def _find(self, request: ChargeRequest, order_id: str) -> Order:
        """An order from outside: whoever names it must not choose what it pays for."""
        order = await self._order("charge", order_id)
        found = payment_of("charge", Paid.of("charge", order))
        if len(order.purchase_units or ()) != 1 or found.order_id != request.order_id:
            raise Rejected(GATEWAY, "charge", f"order {order_id} was made for something else")
        if found.amount != request.amount:
            raise Rejected(GATEWAY, "charge", f"order {order_id} has another amount")
        return order

    async def _pay(self, request: ChargeRequest, order_id: str) -> Order:
        act, call = (
            (self._client.capture_order, "capture") if request.capture else (self._client.authorize_order, "authorize")
        )
        once = request_id(request.key, call)
        order = await self._unless_settled(
            "charge",
            lambda: act(order_id, paypal_request_id=once, prefer=_WHOLE, options=self._options),
        )
        return order or (await self._changed("charge", order_id)).order

    async def _paid(self, operation: str, order_id: str) -> Paid:
        return Paid.of(operation, await self._order(operation, order_id))

    async def _changed(self, operation: str, order_id: str) -> Paid:
        """The order after the step's effect: whatever keeps it from being read, the effect has happened."""
        try:
            return await self._paid(operation, order_id)
        except GatewayError as problem:
            about = {"code": problem.code, "request_id": problem.request_id}
            raise OutcomeUnknown(GATEWAY, operation, problem.message, status=problem.status, **about) from problem

    async def _order(self, operation: str, order_id: str) -> Order:
        return await self._call(operation, lambda: self._client.get_order(order_id, options=self._options))

    # ---- calls

    async def _call(self, operation: str, send: Callable[[], Awaitable[T]]) -> T:
        """Everything is repeatable here: it reads, or has a request id."""
        return await self._caller.call(operation, send, repeatable=True)

    async def _unless_settled(self, operation: str, send: Callable[[], Awaitable[T]]) -> T | None:
        """None when PayPal says that it was done before, by a request whose id it has forgotten."""
        try:
            return await self._call(operation, send)
        except Rejected as problem:
            if problem.code not in SETTLED:
                raise
            return None

    async def _fetch_token(self) -> Token:
        asked = TokenRequest(grant_type="client_credentials")
        try:
            answer = await self._client.request_token(asked, options=self._options)
        except ProtocolError:
            # Its cause shows the answer, and so the token.
            raise ProtocolError("the answer to a request of an access token cannot be read") from None
        return Token(answer.access_token, answer.expires_in)
