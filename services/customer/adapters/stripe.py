"""Stripe, as far as storing a card needs it: whether it knows a payment method, and what may be shown of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from shop.external.stripe.http.client import SERVERS, Client
from shop.external.stripe.http.models import ErrorAnswer
from shop.runtime.errors import CircuitOpen, HttpError, TreatyError
from shop.runtime.http_client import CallOptions

from services.customer.domain import Card, NotPossible
from services.platform.gateways.calling import Caller, Policy, Verdict
from services.platform.gateways.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReference,
)
from services.platform.telemetry import Telemetry

if TYPE_CHECKING:
    from types import TracebackType

GATEWAY = "stripe"
API_VERSION = "2026-10-28.endive"


class StripeCards:
    """Looks up payment methods made in the browser. Times of `policy` in seconds."""

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

    async def card(self, token: str) -> Card:
        """What may be shown of a card. `NotPossible` TOKEN_REFUSED when Stripe has no such card."""
        try:
            found = await self._caller.call(
                "card", lambda: self._client.get_payment_method(token, options=self._options), repeatable=True
            )
        except (UnknownReference, Rejected):
            raise NotPossible("Stripe does not know the token", code="TOKEN_REFUSED") from None
        if found.card is None:
            raise NotPossible(f"the token is that of a {found.type}, not of a card", code="TOKEN_REFUSED")
        card = found.card
        return Card(brand=card.brand, last4=card.last4, expiry_month=card.exp_month, expiry_year=card.exp_year)


class TracedCards:
    """The same, each lookup in a span and counted."""

    def __init__(self, inner: StripeCards, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    async def card(self, token: str) -> Card:
        """What may be shown of a card; see `StripeCards`."""
        async with self._telemetry.external_call(GATEWAY, "getPaymentMethod"):
            return await self._inner.card(token)


class NoCards:
    """Stands where there are no credentials of Stripe."""

    async def card(self, token: str) -> Card:
        """`Unavailable`: nobody can be asked."""
        raise Unavailable(GATEWAY, "card", "there are no credentials of Stripe")


def judge(operation: str, problem: TreatyError) -> Verdict:
    """What an error of the client means; lookups may always be repeated (docs.stripe.com/error-low-level)."""
    if isinstance(problem, CircuitOpen):
        return Verdict(Unavailable(GATEWAY, operation, str(problem)))
    if not isinstance(problem, HttpError):
        return Verdict(OutcomeUnknown(GATEWAY, operation, str(problem)), repeat=True)
    error = problem.model.error if isinstance(problem.model, ErrorAnswer) else None
    status, code = problem.status, (error.code if error is not None else None) or ""
    about: dict[str, Any] = {"code": code, "request_id": problem.headers.get("request-id", ""), "status": status}
    may_repeat = problem.headers.get("stripe-should-retry") != "false"
    if status == 429:
        limited = RateLimited(GATEWAY, operation, "too many requests", **about)
        limited.retry_after = problem.retry_after
        return Verdict(limited, repeat=may_repeat, wait=problem.retry_after)
    if status >= 500 or status == 409:
        return Verdict(OutcomeUnknown(GATEWAY, operation, f"HTTP {status}", **about), repeat=may_repeat)
    kind = {401: CredentialsRefused, 403: CredentialsRefused, 404: UnknownReference}.get(status, Rejected)
    return Verdict(kind(GATEWAY, operation, f"HTTP {status}", **about))
