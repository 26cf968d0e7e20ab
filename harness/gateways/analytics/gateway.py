"""The mock of Google Analytics 4's Measurement Protocol.

`collect` answers 204 to everything. It counts events whose payload and own rules are kept, of a measurement id `G-...`
or of an app, with any API secret but an empty one and those that contain `invalid`, `expired` or `revoked`. `validate`
says what is wrong, looks at no secret and counts nothing.

In the ledger: one entry `event` for each event, its status recorded, or duplicate for a purchase or refund whose
`transaction_id` was there before in that stream, its reference the `transaction_id`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from shop.external.analytics.http import operations, server
from shop.external.analytics.http.models import Payload, ValidationResult
from shop.runtime.problem import HttpProblem

from harness.gateways.analytics.rules import TOO_LARGE, Checked, check
from harness.gateways.gateway import Gateway

if TYPE_CHECKING:
    from shop.runtime.http_operation import Operation, Scheme
    from shop.runtime.http_requests import RequestContext
    from shop.runtime.http_security import Authenticator
    from shop.runtime.http_server import Route

    from harness.gateways.gateway import World

MEASUREMENT_ID = "G-TREATYMOCK"
API_SECRET = "treaty-mock-api-secret"
_STREAM = ("measurement_id", "firebase_app_id", "api_secret")
_WEB_STREAM = re.compile(r"G-[A-Z0-9]{4,16}", re.ASCII)
_REFUSED = ("invalid", "expired", "revoked")
_ONCE = ("purchase", "refund")


@dataclass(slots=True)
class AnalyticsState:
    """Transactions that were counted: (stream, event name, transaction id)."""

    transactions: set[tuple[str, str, str]] = field(default_factory=set)


class AnalyticsGateway(Gateway):
    """Collect and validate."""

    name = "analytics"
    title = "Google Analytics 4"
    hosts = ("www.google-analytics.com", "region1.google-analytics.com")
    state: AnalyticsState

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.api = AnalyticsApi(self)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """None: the secret is a parameter that is never refused."""
        return operations.SCHEMES

    def routes(self) -> Sequence[Route]:
        """Of the contract."""
        return server.routes(self.api)

    def authenticators(self) -> Mapping[str, Authenticator]:
        """None."""
        return {}

    def reset(self) -> None:
        """No events."""
        self.state = AnalyticsState()

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """A page of Google's front end."""
        text = message or "That is all we know."
        page = f"<!DOCTYPE html><html lang=en><title>Error {status}</title><p><b>{status}.</b> {code} {text}</html>"
        return HttpProblem(status, text, model=page)

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """What breaks the contract is answered as the vendor does: 204, or 200 with what is wrong."""
        if request is None or operation is None or problem.status >= 500 or problem.status in (404, 405):
            return self.failure(problem.status)
        checked = TOO_LARGE if problem.status == 413 else self.checked(request)
        if operation.name == operations.COLLECT.name:
            self.count(request, checked)
            return HttpProblem(204)
        return HttpProblem(200, model=result_of(checked))

    def instructions(self, url: str) -> str:
        """There is no official SDK for servers."""
        return (
            "import httpx\n\n"
            f'stream = {{"measurement_id": "{MEASUREMENT_ID}", "api_secret": "{API_SECRET}"}}\n'
            'payload = {"client_id": "555.1234567890", "events": [{"name": "purchase", "params": {"value": 9.9}}]}\n'
            f'httpx.post("{url}/mp/collect", params=stream, json=payload)\n'
        )

    def checked(self, request: RequestContext) -> Checked:
        """The body of a request, and what is wrong with it."""
        return check(request.body, _stream(request), self.world.clock.now())

    def count(self, request: RequestContext, checked: Checked) -> None:
        """Take the valid events into the ledger."""
        stream = _stream(request)
        secret, source = stream["api_secret"], stream["measurement_id"] or stream["firebase_app_id"]
        if not secret or any(word in secret.lower() for word in _REFUSED):
            return
        if not stream["firebase_app_id"] and not _WEB_STREAM.fullmatch(source):
            return
        for event in checked.valid_events():
            self._record(source, event, checked.payload)

    def _record(self, stream: str, event: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        params = event.get("params", {})
        transaction = str(params.get("transaction_id", ""))
        status = "recorded"
        if transaction and event["name"] in _ONCE:
            key = (stream, event["name"], transaction)
            status = "duplicate" if key in self.state.transactions else "recorded"
            self.state.transactions.add(key)
        facts = {name: params[name] for name in ("value", "currency") if name in params}
        client = payload.get("client_id") or payload.get("app_instance_id")
        self.world.ledger.record(
            "event",
            id=self.world.ids.uuid(),
            status=status,
            reference=transaction,
            data={"name": event["name"], "stream": stream, "client": client, **facts},
        )


class AnalyticsApi:
    """Implements the generated `Api`. Bodies are read again as they came: rules count more than types here."""

    def __init__(self, gateway: AnalyticsGateway) -> None:
        self._gateway = gateway

    async def collect(
        self,
        context: RequestContext,
        *,
        measurement_id: str | None,
        firebase_app_id: str | None,
        api_secret: str | None,
        body: Payload | None,
        content_type: str,
    ) -> None:
        """204."""
        self._gateway.count(context, self._gateway.checked(context))

    async def validate(
        self,
        context: RequestContext,
        *,
        measurement_id: str | None,
        firebase_app_id: str | None,
        api_secret: str | None,
        body: Payload | None,
        content_type: str,
    ) -> ValidationResult:
        """200."""
        return result_of(self._gateway.checked(context))


def result_of(checked: Checked) -> ValidationResult:
    """The answer of `validate`."""
    return ValidationResult.from_dict({"validationMessages": [fault.as_dict() for fault in checked.faults]})


def _stream(request: RequestContext) -> dict[str, str]:
    return {name: unquote_plus(request.query.get(name, [""])[-1]) for name in _STREAM}
