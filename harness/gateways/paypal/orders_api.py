"""The operations of orders, of tokens, and of the page where the payer decides."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit

from shop.external.paypal.http.models import AccessToken, Order, OrderActionRequest, OrderRequest, Patch, TokenRequest
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_server import Reply

from harness.gateways.paypal import tokens
from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.errors import OauthRefusal, Refusal
from harness.gateways.paypal.orders import Orders
from harness.gateways.paypal.replies import Replies, is_minimal
from harness.gateways.paypal.request_ids import RequestIds
from harness.gateways.paypal.state import Order as StoredOrder
from harness.gateways.paypal.verdicts import check_mock_response, judge_of

_SCOPES = (
    "https://uri.paypal.com/services/payments/payment/authcapture",
    "https://uri.paypal.com/services/payments/refund",
    "https://api.paypal.com/v1/payments/.*",
    "https://uri.paypal.com/services/applications/webhooks",
    "openid",
)
_URL = "%/:?#[]@!$&'()*+,;=~"
_PAGE = "<!doctype html><html><head><title>PayPal</title></head><body><p>{said}</p></body></html>"


class OrdersApi:
    """Serves orders."""

    def __init__(self, desk: Desk, orders: Orders, request_ids: RequestIds, replies: Replies) -> None:
        self._desk = desk
        self._orders = orders
        self._request_ids = request_ids
        self._replies = replies

    async def request_token(self, context: RequestContext, *, body: TokenRequest) -> Reply[AccessToken]:
        """A token for the client that has authenticated."""
        if body.grant_type != "client_credentials":
            raise OauthRefusal(400, "unsupported_grant_type", "unsupported grant_type")
        world = self._desk.world
        now = world.clock.now()
        token = {
            "scope": body.scope or " ".join(_SCOPES),
            "access_token": tokens.issue(str(context.principal), now, world.ids.hex(12)),
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": tokens.LIFETIME,
            "nonce": world.ids.hex(32),
        }
        return self._replies.of(AccessToken, token)

    async def create_order(
        self,
        context: RequestContext,
        *,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        body: OrderRequest,
        **_unused: object,
    ) -> Reply[Order]:
        """Create an order."""
        check_mock_response(paypal_mock_response)
        if body.payment_source is not None and paypal_request_id is None:
            raise Refusal.of("PAYPAL_REQUEST_ID_REQUIRED", field="PayPal-Request-Id", location="header")
        request, judge, key = body.to_dict(), judge_of(context), paypal_request_id or ""
        return await self._once(context, paypal_request_id, prefer, lambda: self._orders.create(request, judge, key))

    async def get_order(
        self,
        context: RequestContext,
        *,
        order_id: str,
        paypal_mock_response: str | None,
        **_unused: object,
    ) -> Reply[Order]:
        """Show an order."""
        check_mock_response(paypal_mock_response)
        return self._shown(self._orders.find(order_id), 200, minimal=False)

    async def patch_order(
        self,
        context: RequestContext,
        *,
        order_id: str,
        paypal_mock_response: str | None,
        body: list[Patch],
        **_unused: object,
    ) -> Reply[None]:
        """Change an order."""
        check_mock_response(paypal_mock_response)
        self._orders.patch(order_id, [patch.to_dict() for patch in body])
        return self._replies.empty()

    async def authorize_order(
        self,
        context: RequestContext,
        *,
        order_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        body: OrderActionRequest | None,
        **_unused: object,
    ) -> Reply[Order]:
        """Authorize the payment of an order."""
        check_mock_response(paypal_mock_response)
        request, judge, key = body.to_dict() if body else {}, judge_of(context), paypal_request_id or ""
        return await self._once(
            context, paypal_request_id, prefer, lambda: self._orders.authorize(order_id, request, judge, key)
        )

    async def capture_order(
        self,
        context: RequestContext,
        *,
        order_id: str,
        paypal_request_id: str | None,
        prefer: str | None,
        paypal_mock_response: str | None,
        body: OrderActionRequest | None,
        **_unused: object,
    ) -> Reply[Order]:
        """Capture the payment of an order."""
        check_mock_response(paypal_mock_response)
        request, judge, key = body.to_dict() if body else {}, judge_of(context), paypal_request_id or ""
        return await self._once(
            context, paypal_request_id, prefer, lambda: self._orders.capture(order_id, request, judge, key)
        )

    async def visit_checkout(self, context: RequestContext, *, token: str, cancel: bool | None) -> Reply[str | None]:
        """Let the payer approve, or cancel, and go back to the shop."""
        if cancel:
            return self._back(self._orders.find(token).cancel_url, {"token": token}, "You did not pay.")
        order = self._orders.approve(token)
        payer = str((order.payer or {}).get("payer_id", ""))
        return self._back(order.return_url, {"token": token, "PayerID": payer}, "You have approved the payment.")

    def _back(self, url: str, members: dict[str, str], said: str) -> Reply[str | None]:
        if not url:
            return self._replies.text(_PAGE.format(said=said))
        separator = "&" if urlsplit(url).query else "?"
        return self._replies.redirect(f"{quote(url, safe=_URL)}{separator}{urlencode(members)}")

    async def _once(
        self, context: RequestContext, request_id: str | None, prefer: str | None, effect: Callable[[], StoredOrder]
    ) -> Reply[Order]:
        outcome = await self._request_ids.once(context, request_id, lambda: effect().id)
        order = self._orders.find(outcome.resource)
        return self._shown(order, 200 if outcome.replayed else 201, minimal=is_minimal(prefer))

    def _shown(self, order: StoredOrder, status: int, *, minimal: bool) -> Reply[Order]:
        shown = self._desk.views.order(order, self._desk.state, minimal=minimal)
        return self._replies.of(Order, shown, status)
