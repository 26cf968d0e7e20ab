"""All operations of the FedEx mock."""

from __future__ import annotations

from shop.external.fedex.http.models import Token, TokenRequest
from shop.runtime.http_requests import RequestContext

from harness.gateways.fedex.addresses import Addresses
from harness.gateways.fedex.errors import FedexProblem
from harness.gateways.fedex.pickups import Pickups
from harness.gateways.fedex.tracking import Tracking
from harness.gateways.parcels.access import acceptable


class FedexApi(Tracking, Pickups, Addresses):
    """What the generated server calls."""

    async def create_token(self, context: RequestContext, *, body: TokenRequest) -> Token:
        """Any client, except those that are called invalid or expired."""
        if not acceptable(body.client_id, body.client_secret):
            message = "The given client credentials were not valid. Please modify your request and try again."
            raise FedexProblem(401, "NOT.AUTHORIZED.ERROR", message)
        self.state.tokens += 1
        return Token(
            access_token=self.tokens.issue(body.client_id, self.state.tokens),
            token_type="bearer",  # noqa: S106 no secret, but the type's name
            expires_in=self.tokens.lifetime,
            scope="CXS",
        )
