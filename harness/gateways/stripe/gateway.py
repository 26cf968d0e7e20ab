"""Stripe as a mock: credentials, headers, control calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from shop.external.stripe.http import operations
from shop.external.stripe.http.server import routes
from shop.runtime.http_server import Route

from harness.gateways.gateway import Action, Gateway, World
from harness.gateways.outcomes import ControlError, scripted_decline
from harness.gateways.stripe import disputes, objects, payments, refunds, webhooks
from harness.gateways.stripe.account import API_VERSION, Account
from harness.gateways.stripe.api_customers import Customers
from harness.gateways.stripe.api_events import Events, is_http_url
from harness.gateways.stripe.api_payments import Payments
from harness.gateways.stripe.api_refunds import Refunds
from harness.gateways.stripe.errors import StripeError, of_problem
from harness.gateways.stripe.idempotency import once
from harness.gateways.stripe.requests import check, lenient, subject
from harness.gateways.stripe.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shop.runtime.http_operation import Operation, Scheme
    from shop.runtime.http_requests import RequestContext
    from shop.runtime.http_security import Authenticator, Credentials
    from shop.runtime.problem import HttpProblem

_KEY = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]{3,}")


class StripeApi(Payments, Refunds, Customers, Events):
    """Every operation of the contract."""


class StripeGateway(Gateway):
    """The mock of api.stripe.com."""

    name: ClassVar[str] = "stripe"
    title: ClassVar[str] = "Stripe"
    hosts: ClassVar[tuple[str, ...]] = ("api.stripe.com", "files.stripe.com", "connect.stripe.com", "q.stripe.com")
    idempotency_header: ClassVar[str] = "idempotency-key"

    def __init__(self, world: World) -> None:
        self.account = Account(world)
        super().__init__(world)

    @property
    def state(self) -> State:
        """What the account holds."""
        return self.account.state

    @state.setter
    def state(self, value: State) -> None:
        # A request that was under way when a snapshot was taken does not go on in it.
        value.remembered = {scope: first for scope, first in value.remembered.items() if not first.running}
        self.account.state = value

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Bearer and basic."""
        return operations.SCHEMES

    def routes(self) -> Sequence[Route]:
        """Every POST runs once for each idempotency key."""
        found = []
        for route in routes(StripeApi(self.account)):
            handler = self._serving(route.handler)
            if route.operation.method == "POST":
                handler = once(self.account, handler)
            handler = self._checked(handler, subject(route.operation))
            found.append(replace(route, operation=lenient(route.operation), handler=handler))
        return found

    def _serving(self, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def serve(context: RequestContext, **arguments: Any) -> Any:
            self.account.serving(context, scripted_decline(context))
            return await handler(context, **arguments)

        return serve

    def _checked(
        self, handler: Callable[..., Awaitable[Any]], asked: tuple[str, bool]
    ) -> Callable[..., Awaitable[Any]]:
        async def serve(context: RequestContext, **arguments: Any) -> Any:
            try:
                check(context, asked, getattr(arguments.get("body"), "expand", None) or arguments.get("expand"))
                return await handler(context, **arguments)
            except StripeError as problem:
                raise self._logged(problem, context) from problem

        return serve

    def _logged(self, problem: StripeError, context: RequestContext) -> StripeError:
        return problem.logged(self.account.request_id(context), self.account.now())

    def authenticators(self) -> Mapping[str, Authenticator]:
        """A secret test key, as bearer token or as user name."""

        async def check(credentials: Credentials, _: RequestContext) -> str:
            key = credentials.value or credentials.username
            if _KEY.fullmatch(key) and "invalid" not in key and "expired" not in key:
                return key
            if key.startswith("pk_"):
                text = "This API call cannot be made with a publishable API key. Please use a secret API key. You can"
                text += " find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
                raise StripeError(403, text, code="secret_key_required")
            hidden = f"{key[:8]}{'*' * max(4, len(key) - 12)}{key[-4:]}"
            if "expired" in key:
                raise StripeError(401, f"Expired API Key provided: {hidden}", code="api_key_expired")
            raise StripeError(401, f"Invalid API Key provided: {hidden}")

        return {"secretKey": check, "basicKey": check}

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """Stripe's words."""
        if problem.status == 401:
            text = "You did not provide an API key. You need to provide your API key in the Authorization header, using"
            text += " Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication"
            headers = {"www-authenticate": 'Basic realm="Stripe"'}
            return StripeError(
                401, f"{text} for details, or we can help at https://support.stripe.com/.", headers=headers
            )
        path = problem.problem.instance if problem.problem else ""
        found = of_problem(problem, request, request.method if request else "", path)
        return found if request is None else self._logged(found, request)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """A scripted failure; 429 is `rate_limit` and 409 `lock_timeout` unless told otherwise."""
        code = code or {429: "rate_limit", 409: "lock_timeout"}.get(status, "")
        if code == "rate_limit":
            text = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
        elif code == "lock_timeout":
            text = "This object cannot be accessed right now because another API request or Stripe process is currently"
            text += " accessing it. If you see this error intermittently, retry the request."
        else:
            text = "An unknown error occurred." if status >= 500 else "The request could not be completed."
        if status == 402:
            return StripeError(
                402, message or "Your card was declined.", code=code or "card_declined", type="card_error"
            )
        kind = "api_error" if status >= 500 else "invalid_request_error"
        return StripeError(status, message or text, code=code, type=kind)

    def response_headers(self, context: RequestContext | None) -> Sequence[tuple[str, str]]:
        """Request id, version, and what idempotency did."""
        if context is None:
            return [("request-id", f"req_{self.world.ids.token(14)}"), ("stripe-version", API_VERSION)]
        found = [
            ("request-id", self.account.request_id(context)),
            ("stripe-version", context.headers.get("stripe-version", API_VERSION)),
        ]
        key = context.headers.get("idempotency-key")
        if key and context.method == "POST":
            found.append(("idempotency-key", key))
        first = context.scope.get("stripe.original")
        if first is not None:
            found.append(("original-request", first))
        if context.scope.get("stripe.replayed"):
            found.append(("idempotent-replayed", "true"))
        return found

    def reset(self) -> None:
        """An account without anything in it."""
        self.account.state = State()

    def instructions(self, url: str) -> str:
        """For stripe-python."""
        return (
            "import stripe\n"
            f'client = stripe.StripeClient("sk_test_123", base_addresses={{"api": "{url}"}})\n'
            'client.v1.payment_intents.create({"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", '
            '"confirm": True})'
        )

    # ---- control calls

    def actions(self) -> Mapping[str, Action]:
        """What a customer, a bank or the dashboard does."""
        return {
            "complete_authentication": self._complete_authentication,
            "create_dispute": self._create_dispute,
            "decide_dispute": self._decide_dispute,
            "settle_refund": self._settle_refund,
            "add_webhook_endpoint": self._add_webhook_endpoint,
            "rotate_webhook_secret": self._rotate_webhook_secret,
        }

    def _named(self, kind: str, body: Mapping[str, Any], member: str) -> dict[str, Any]:
        self.account.by_itself()
        found = self.state.table(kind).get(str(body.get(member, "")))
        if found is None:
            raise ControlError(404, f"`{member}` must name a {kind.replace('_', ' ')}")
        return found

    def _complete_authentication(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The customer finishes 3-D Secure: `{"payment_intent": id, "succeeded": true}`."""
        intent = self._named("payment_intent", body, "payment_intent")
        if intent["status"] != "requires_action":
            raise ControlError(409, f"the payment intent is {intent['status']}, not requires_action")
        payments.authenticated(self.account, intent, succeeded=body.get("succeeded", True) is True)
        return {"status": intent["status"]}

    def _create_dispute(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A customer objects: `{"charge": id, "reason": "fraudulent"}`."""
        charge = self._named("charge", body, "charge")
        reason = body.get("reason", "fraudulent")
        if reason not in disputes.REASONS:
            raise ControlError(400, f"`reason` must be one of {', '.join(disputes.REASONS)}")
        if charge["status"] != "succeeded" or charge["disputed"]:
            raise ControlError(409, "only a charge that succeeded can be disputed, and once")
        return {"dispute": disputes.open_dispute(self.account, charge, reason)["id"]}

    def _decide_dispute(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The bank decides: `{"dispute": id, "won": true}`."""
        found = self._named("dispute", body, "dispute")
        if found["status"] not in disputes.OPEN:
            raise ControlError(409, f"the dispute is {found['status']}")
        disputes.decide(self.account, found, won=body.get("won", False) is True)
        return {"status": found["status"]}

    def _settle_refund(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The bank answers: `{"refund": id, "succeeded": false}`."""
        found = self._named("refund", body, "refund")
        refunds.settle(self.account, found["id"], succeeded=body.get("succeeded", True) is True)
        return {"status": found["status"]}

    def _add_webhook_endpoint(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Register a URL with a secret of one's choice: `{"url": ..., "secret": "whsec_...", "events": ["*"]}`.

        `api_version`: that of the receiver's SDK; those for Go, Java and .NET refuse events of another.
        """
        url, secret, events = body.get("url"), body.get("secret"), body.get("events", ["*"])
        version = body.get("api_version")
        if not isinstance(url, str) or not isinstance(secret, str | None) or not isinstance(version, str | None):
            raise ControlError(400, "`url`, `secret` and `api_version` must be texts")
        if not isinstance(events, list) or not events or not all(isinstance(each, str) for each in events):
            raise ControlError(400, "`events` must be a list of names")
        if not is_http_url(url):
            raise ControlError(400, "`url` must be an HTTP URL")
        given = {"url": url, "enabled_events": events, "api_version": version}
        found = self.account.add(objects.webhook_endpoint(self.account, given))
        chosen = secret or f"whsec_{self.world.ids.token(32)}"
        self.state.secrets[found["id"]] = [chosen]
        return {"webhook_endpoint": found["id"], "secret": chosen}

    def _rotate_webhook_secret(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Roll a secret; the old one signs beside the new one: `{"webhook_endpoint": id}`."""
        found = self._named("webhook_endpoint", body, "webhook_endpoint")
        return {"secret": webhooks.rotate(self.account, found["id"])}
