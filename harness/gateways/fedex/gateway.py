"""FedEx: rates, shipments with labels, tracking, pickups and addresses, behind OAuth 2.0 and mutual TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from shop.external.fedex.http.operations import SCHEMES
from shop.external.fedex.http.server import routes
from shop.runtime.http_operation import Operation, Scheme
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Authenticator, Credentials
from shop.runtime.http_server import Route
from shop.runtime.problem import HttpProblem

from harness.gateways.fedex.api import FedexApi
from harness.gateways.fedex.desk import State
from harness.gateways.fedex.errors import FedexProblem, customer_transaction, failed, translated
from harness.gateways.gateway import Action, Gateway, World
from harness.gateways.parcels.access import Standing


class FedexGateway(Gateway):
    """State and words of the mock."""

    name: ClassVar[str] = "fedex"
    title: ClassVar[str] = "FedEx"
    hosts: ClassVar[tuple[str, ...]] = ("apis.fedex.com", "apis-sandbox.fedex.com")
    mutual_tls: ClassVar[bool] = True

    def __init__(self, world: World) -> None:
        self._api = FedexApi(world)
        super().__init__(world)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Bearer tokens."""
        return SCHEMES

    def routes(self) -> Sequence[Route]:
        """Handlers whose errors get the number of their transaction."""
        return [replace(route, handler=self._numbered(route.handler)) for route in routes(self._api)]

    def _numbered(self, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def serve(context: RequestContext, **arguments: Any) -> Any:
            try:
                return await handler(context, **arguments)
            except FedexProblem as problem:
                raise self._stamped(problem, context) from None

        return serve

    def _stamped(self, problem: FedexProblem, context: RequestContext | None) -> FedexProblem:
        problem.model.transaction_id = self.world.ids.uuid()
        number = customer_transaction(context)
        if number:
            problem.model.customer_transaction_id = number
        return problem

    def authenticators(self) -> Mapping[str, Authenticator]:
        """Tokens of the mock's own."""
        return {"bearerAuth": self._authenticate}

    async def _authenticate(self, credentials: Credentials, context: RequestContext) -> str:
        standing = self._api.tokens.check(credentials.value, self.state.revoked)
        if standing is Standing.VALID:
            return credentials.value
        message = "" if standing is Standing.EXPIRED else "The given JWT is invalid. Please modify your request."
        raise self._stamped(FedexProblem(401, "NOT.AUTHORIZED.ERROR", message), context)

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """FedEx's words."""
        return self._stamped(translated(problem, operation), request)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """FedEx's body."""
        return self._stamped(failed(status, code, message), None)

    def reset(self) -> None:
        """No shipments, no pickups."""
        self.state = State()

    @property
    def state(self) -> State:
        """What the API works on."""
        return self._api.state

    @state.setter
    def state(self, state: State) -> None:
        self._api.state = state

    def actions(self) -> Mapping[str, Action]:
        """`set_tracking_status` moves a shipment, `expire_tokens` makes every token so far useless."""
        return {
            "set_tracking_status": self._api.journeys.set_tracking_status,
            "expire_tokens": self._expire_tokens,
        }

    def _expire_tokens(self, _members: Mapping[str, Any]) -> Mapping[str, Any]:
        self.state.revoked = self.state.tokens
        return {"revoked": self.state.revoked}

    def instructions(self, url: str) -> str:
        """For karrio, which has the hosts built in, and for any HTTP client."""
        return (
            "import karrio.sdk as karrio\n"
            'gateway = karrio.gateway["fedex"].create(\n'
            '    {"api_key": "key", "secret_key": "secret", "track_api_key": "key", "track_secret_key": "secret",\n'
            '     "account_number": "510087000", "account_country_code": "US", "test_mode": True}\n'
            ")\n"
            f'type(gateway.settings).server_url = property(lambda settings: "{url}")\n'
        )
