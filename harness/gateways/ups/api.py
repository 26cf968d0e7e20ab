"""All operations of the UPS mock."""

from __future__ import annotations

from shop.external.ups.http.models import Token, TokenRequest
from shop.runtime.http_requests import RequestContext

from harness.gateways.ups.addresses import Addresses
from harness.gateways.ups.pickups import Pickups
from harness.gateways.ups.tracking import Tracking


class UpsApi(Tracking, Pickups, Addresses):
    """What the generated server calls."""

    async def create_token(self, context: RequestContext, *, x_merchant_id: str | None, body: TokenRequest) -> Token:
        """For the client that was authenticated."""
        client = str(context.principal)
        self.state.tokens += 1
        return Token(
            token_type="Bearer",  # noqa: S106 no secret, but the type's name
            issued_at=str(int(self.world.clock.now() * 1000)),
            client_id=client,
            access_token=self.tokens.issue(client, self.state.tokens),
            scope="",
            expires_in=str(self.tokens.lifetime),
            refresh_count="0",
            status="approved",
        )
