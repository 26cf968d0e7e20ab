"""What the customer service does when somebody logs in or out."""

from __future__ import annotations

from shop.customer.v1 import authentication_pb2
from shop.runtime.grpc_server import Call

from services.customer import translation
from services.customer.authentication import Authentication
from services.customer.domain import LONGEST_EMAIL, LONGEST_PASSWORD, Invalid, Unknown

_LONGEST_TOKEN = 512


class AuthenticationHandlers:
    """Serves customer.v1.AuthenticationService."""

    def __init__(self, authentication: Authentication) -> None:
        self._authentication = authentication

    async def authenticate(
        self, request: authentication_pb2.AuthenticateRequest, call: Call, /
    ) -> authentication_pb2.AuthenticateResponse:
        """Checks a password and returns a first pair of tokens. A wrong password and an unknown
        address give the same answer, so that nobody can find out who is a customer.
        Errors: UNAUTHENTICATED, RESOURCE_EXHAUSTED (too many attempts).
        """
        if len(request.email) > LONGEST_EMAIL or len(request.password) > LONGEST_PASSWORD:
            raise Unknown("e-mail address or password is wrong")
        tokens = await self._authentication.log_in(request.email, request.password)
        return authentication_pb2.AuthenticateResponse(tokens=translation.tokens_message(tokens))

    async def refresh_token(
        self, request: authentication_pb2.RefreshTokenRequest, call: Call, /
    ) -> authentication_pb2.RefreshTokenResponse:
        """Exchanges a refresh token for a new pair; the old refresh token dies. Presenting a
        dead token again revokes the whole family of tokens. Errors: UNAUTHENTICATED.
        """
        tokens = await self._authentication.refresh(request.refresh_token)
        return authentication_pb2.RefreshTokenResponse(tokens=translation.tokens_message(tokens))

    async def revoke_token(
        self, request: authentication_pb2.RevokeTokenRequest, call: Call, /
    ) -> authentication_pb2.RevokeTokenResponse:
        """Ends a session: the refresh token and all tokens descended from it die. Revoking an
        unknown token succeeds.
        """
        if not 1 <= len(request.refresh_token) <= _LONGEST_TOKEN:
            raise Invalid(("refresh_token", f"must have 1 to {_LONGEST_TOKEN} characters"))
        await self._authentication.log_out(request.refresh_token)
        return authentication_pb2.RevokeTokenResponse()

    async def get_signing_keys(
        self, request: authentication_pb2.GetSigningKeysRequest, call: Call, /
    ) -> authentication_pb2.GetSigningKeysResponse:
        """Returns the public keys that verify access tokens, as an RFC 7517 key set."""
        keys = [translation.key_message(key) for key in self._authentication.tokens.key_set]
        return authentication_pb2.GetSigningKeysResponse(keys=keys)
