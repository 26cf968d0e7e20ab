"""The mock of PayPal: its parts put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from shop.external.paypal.http import server
from shop.external.paypal.http.operations import SCHEMES
from shop.runtime.http_operation import Operation, Scheme
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Authenticator, Credentials
from shop.runtime.http_server import Route
from shop.runtime.problem import HttpProblem

from harness.gateways.gateway import Action, Gateway, World
from harness.gateways.outcomes import ControlError
from harness.gateways.paypal import tokens
from harness.gateways.paypal.errors import OauthRefusal, Refusal, Wording
from harness.gateways.paypal.events import Events
from harness.gateways.paypal.issues import NAMES, status_of
from harness.gateways.paypal.orders import Orders
from harness.gateways.paypal.orders_api import OrdersApi
from harness.gateways.paypal.payments import Payments
from harness.gateways.paypal.payments_api import PaymentsApi
from harness.gateways.paypal.replies import Replies
from harness.gateways.paypal.request_ids import RequestIds
from harness.gateways.paypal.signing import Signer
from harness.gateways.paypal.state import State
from harness.gateways.paypal.views import Views
from harness.gateways.paypal.webhooks import Subscriptions
from harness.gateways.paypal.webhooks_api import WebhooksApi

MAX_PROCESSING = 10.0
_BAD = ("invalid", "expired")


class Api(OrdersApi, PaymentsApi, WebhooksApi):
    """Everything that the contract asks for."""

    def __init__(self, gateway: PaypalGateway) -> None:
        replies = Replies(gateway.debug_id)
        OrdersApi.__init__(self, gateway, gateway.orders, gateway.request_ids, replies)
        PaymentsApi.__init__(self, gateway, gateway.payments, gateway.request_ids, replies)
        WebhooksApi.__init__(self, gateway, gateway.subscriptions, gateway.signer, replies)


class PaypalGateway(Gateway):
    """PayPal's Orders v2, Payments v2 and Webhooks v1."""

    name: ClassVar[str] = "paypal"
    title: ClassVar[str] = "PayPal"
    hosts: ClassVar[tuple[str, ...]] = (
        "api-m.paypal.com",
        "api-m.sandbox.paypal.com",
        "api.paypal.com",
        "api.sandbox.paypal.com",
        "www.paypal.com",
        "www.sandbox.paypal.com",
    )
    idempotency_header: ClassVar[str] = "paypal-request-id"
    state: State

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.views = Views(world.url)
        self.signer = Signer(world.url)
        self.events = Events(world, self.views, self.signer, lambda: self.state)
        self.request_ids = RequestIds(world.clock.now, lambda: self.state.request_ids)
        self.payments = Payments(self)
        self.orders = Orders(self, self.payments)
        self.subscriptions = Subscriptions(self, self.signer)
        self._words = Wording(self.debug_id)

    def debug_id(self) -> str:
        """An id as PayPal's support asks for."""
        return self.world.ids.hex(13)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Basic for tokens, Bearer for the rest."""
        return SCHEMES

    def routes(self) -> Sequence[Route]:
        """Every operation of the contract."""
        return server.routes(Api(self))

    def authenticators(self) -> Mapping[str, Authenticator]:
        """Any client with a secret is known, except one whose id or secret says `invalid` or `expired`."""
        return {"clientCredentials": self._client, "accessToken": self._bearer}

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """The error in PayPal's words."""
        return self._words(problem, request, operation)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """A scripted error: `code` is the name of the error or an issue of its status."""
        if code and code not in {name for name, _ in NAMES.values()} and status_of(code) == status:
            return self._words(Refusal.of(code), None, None)
        return self._words(Refusal(status, name=code, message=message), None, None)

    def reset(self) -> None:
        """Nothing has happened. Tokens stay good, as they do in a sandbox."""
        self.state = State()

    def actions(self) -> Mapping[str, Action]:
        """What payers, banks and PayPal itself do."""
        return {
            "approve_order": self._approve_order,
            "settle_capture": self._settle_capture,
            "set_processing_time": self._set_processing_time,
            "webhook_authority": lambda _: {"pem": self.signer.root_pem()},
        }

    def instructions(self, url: str) -> str:
        """For `paypal-server-sdk`."""
        return (
            "from paypalserversdk.configuration import Configuration, Environment, Server\n"
            f'Configuration.environments[Environment.SANDBOX][Server.DEFAULT] = "{url}"'
        )

    async def _client(self, credentials: Credentials, _: RequestContext) -> str:
        said = credentials.username + credentials.password
        if not credentials.username or not credentials.password or any(word in said.lower() for word in _BAD):
            raise OauthRefusal(401, "invalid_client", "Client Authentication failed")
        return credentials.username

    async def _bearer(self, credentials: Credentials, _: RequestContext) -> str:
        client = tokens.client_of(credentials.value, self.world.clock.now())
        if client is None:
            raise OauthRefusal(401, "invalid_token", "The token passed in was not found in the system")
        return client

    def _approve_order(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        order_id, email = members.get("order_id", members.get("id")), members.get("email_address")
        if not isinstance(order_id, str) or not isinstance(email, str | None):
            raise ControlError(400, 'send {"order_id": ...}, and "email_address" of the payer if you like')
        try:
            order = self.orders.approve(order_id, email)
        except Refusal as refusal:
            raise ControlError(404 if refusal.status == 404 else 409, str(refusal.details[0]["description"])) from None
        return {"id": order.id, "status": order.status}

    def _settle_capture(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        capture = self.state.captures.get(str(members.get("capture_id", "")))
        status = members.get("status", "COMPLETED")
        if capture is None:
            raise ControlError(404, "there is no such capture: send its `capture_id`")
        if capture.status != "PENDING" or status not in ("COMPLETED", "DECLINED"):
            raise ControlError(409, "only a pending capture settles, as COMPLETED or DECLINED")
        self.payments.settle(capture, status)
        return {"id": capture.id, "status": capture.status}

    def _set_processing_time(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        seconds = members.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_PROCESSING:
            raise ControlError(400, f"`seconds` must be between 0 and {MAX_PROCESSING:g}")
        self.request_ids.processing = float(seconds)
        return {"seconds": self.request_ids.processing}
