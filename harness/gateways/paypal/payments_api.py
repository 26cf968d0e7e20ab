"""The operations of authorizations, captures and refunds."""

from __future__ import annotations

from shop.external.paypal.http.models import (
    Authorization,
    Capture,
    CaptureRequest,
    ReauthorizeRequest,
    Refund,
    RefundRequest,
)
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_server import Reply

from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.payments import Payments
from harness.gateways.paypal.replies import Replies, is_minimal
from harness.gateways.paypal.request_ids import RequestIds
from harness.gateways.paypal.verdicts import check_mock_response, judge_of


class PaymentsApi:
    """Serves payments."""

    def __init__(self, desk: Desk, payments: Payments, request_ids: RequestIds, replies: Replies) -> None:
        self._desk = desk
        self._payments = payments
        self._request_ids = request_ids
        self._replies = replies

    async def get_authorization(
        self, context: RequestContext, *, authorization_id: str, paypal_mock_response: str | None, **_unused: object
    ) -> Reply[Authorization]:
        """Show an authorization."""
        check_mock_response(paypal_mock_response)
        return self._authorization(authorization_id, 200)

    async def capture_authorization(
        self,
        context: RequestContext,
        *,
        authorization_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        body: CaptureRequest | None,
        **_unused: object,
    ) -> Reply[Capture]:
        """Capture an authorization."""
        check_mock_response(paypal_mock_response)
        request, judge, key = body.to_dict() if body else {}, judge_of(context), paypal_request_id or ""
        outcome = await self._request_ids.once(
            context, paypal_request_id, lambda: self._payments.capture(authorization_id, request, judge, key).id
        )
        return self._capture(outcome.resource, 200 if outcome.replayed else 201, minimal=is_minimal(prefer))

    async def reauthorize_payment(
        self,
        context: RequestContext,
        *,
        authorization_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        body: ReauthorizeRequest | None,
        **_unused: object,
    ) -> Reply[Authorization]:
        """Authorize again."""
        request, key = body.to_dict() if body else {}, paypal_request_id or ""
        outcome = await self._request_ids.once(
            context, paypal_request_id, lambda: self._payments.reauthorize(authorization_id, request, key).id
        )
        return self._authorization(outcome.resource, 200 if outcome.replayed else 201, minimal=is_minimal(prefer))

    async def void_authorization(
        self,
        context: RequestContext,
        *,
        authorization_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        **_unused: object,
    ) -> Reply[Authorization | None]:
        """Void an authorization; the answer has a body only for `return=representation`."""
        check_mock_response(paypal_mock_response)
        key = paypal_request_id or ""
        outcome = await self._request_ids.once(
            context, paypal_request_id, lambda: self._payments.void(authorization_id, key).id
        )
        if is_minimal(prefer):
            return self._replies.empty()
        shown = self._authorization(outcome.resource, 200)
        return Reply(shown.value, shown.status, shown.headers)

    async def get_capture(
        self, context: RequestContext, *, capture_id: str, paypal_mock_response: str | None, **_unused: object
    ) -> Reply[Capture]:
        """Show a capture."""
        check_mock_response(paypal_mock_response)
        return self._capture(capture_id, 200)

    async def refund_capture(
        self,
        context: RequestContext,
        *,
        capture_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        body: RefundRequest | None,
        **_unused: object,
    ) -> Reply[Refund]:
        """Refund a capture."""
        check_mock_response(paypal_mock_response)
        request, key = body.to_dict() if body else {}, paypal_request_id or ""
        judge = judge_of(context, "REFUND_FAILED_INSUFFICIENT_FUNDS")
        outcome = await self._request_ids.once(
            context, paypal_request_id, lambda: self._payments.refund(capture_id, request, judge, key).id
        )
        return self._refund(outcome.resource, 200 if outcome.replayed else 201, minimal=is_minimal(prefer))

    async def get_refund(
        self, context: RequestContext, *, refund_id: str, paypal_mock_response: str | None, **_unused: object
    ) -> Reply[Refund]:
        """Show a refund."""
        check_mock_response(paypal_mock_response)
        return self._refund(refund_id, 200)

    def _authorization(self, id: str, status: int, *, minimal: bool = False) -> Reply[Authorization]:
        shown = self._desk.views.authorization(self._payments.authorization(id), minimal=minimal)
        return self._replies.of(Authorization, shown, status)

    def _capture(self, id: str, status: int, *, minimal: bool = False) -> Reply[Capture]:
        return self._replies.of(Capture, self._desk.views.capture(self._payments.captured(id), minimal=minimal), status)

    def _refund(self, id: str, status: int, *, minimal: bool = False) -> Reply[Refund]:
        return self._replies.of(Refund, self._desk.views.refund(self._payments.refunded(id), minimal=minimal), status)
