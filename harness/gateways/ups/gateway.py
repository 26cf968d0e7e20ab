"""UPS: rating, shipping with labels, tracking, pickups and addresses, behind OAuth 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from shop.external.ups.http.operations import SCHEMES
from shop.external.ups.http.server import routes
from shop.runtime.http_operation import Operation, Scheme
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Authenticator, Credentials
from shop.runtime.http_server import Route
from shop.runtime.problem import HttpProblem

from harness.gateways.gateway import Action, Gateway, World
from harness.gateways.parcels.access import Standing, acceptable
from harness.gateways.ups.api import UpsApi
from harness.gateways.ups.desk import State
from harness.gateways.ups.errors import UpsProblem, failed, translated


class UpsGateway(Gateway):
    """State and words of the mock."""

    name: ClassVar[str] = "ups"
    title: ClassVar[str] = "UPS"
    hosts: ClassVar[tuple[str, ...]] = ("onlinetools.ups.com", "wwwcie.ups.com")

    def __init__(self, world: World) -> None:
        self._api = UpsApi(world)
        super().__init__(world)

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Client credentials for a token, the token for the rest."""
        return SCHEMES

    def routes(self) -> Sequence[Route]:
        """All of the contract."""
        return routes(self._api)

    def authenticators(self) -> Mapping[str, Authenticator]:
        """Tokens are the mock's own; any client, except those that are called invalid or expired."""
        return {"clientCredentials": self._authenticate_client, "bearerAuth": self._authenticate}

    async def _authenticate_client(self, credentials: Credentials, _context: RequestContext) -> str:
        if not acceptable(credentials.username, credentials.password):
            raise UpsProblem(401, "10401")
        return credentials.username

    async def _authenticate(self, credentials: Credentials, _context: RequestContext) -> str:
        if self._api.tokens.check(credentials.value, self.state.revoked) is not Standing.VALID:
            raise UpsProblem(401, "250002")
        return credentials.value

    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """UPS's words."""
        return translated(problem, operation)

    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """UPS's body."""
        return failed(status, code, message)

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
            'gateway = karrio.gateway["ups"].create(\n'
            '    {"client_id": "id", "client_secret": "secret", "account_number": "A1B2C3",\n'
            '     "account_country_code": "US", "test_mode": True}\n'
            ")\n"
            f'type(gateway.settings).server_url = property(lambda settings: "{url}")\n'
        )
