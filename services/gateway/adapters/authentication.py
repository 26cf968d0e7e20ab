"""Who calls: the customer whose access token the request presents.

A token is verified once, by `Callers`, before anything is counted; the contract's security scheme reads the result.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from google.protobuf.json_format import MessageToDict
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.authentication_pb2 import GetSigningKeysRequest
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Authenticator, Credentials
from shop.runtime.problem import HttpProblem

from services.platform.security import FetchKeys, InvalidToken, KeySet, KeysUnavailable, Principal, TokenVerifier

LOG = logging.getLogger(__name__)
SCOPE = "gateway.caller"
"""Where a request keeps its `Caller`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token a request presents; or why there is nobody, as the answer for operations that need somebody."""

    principal: Principal | None = None
    refusal: HttpProblem | None = None


class Callers:
    """Finds out who calls."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def identify(self, authorization: str) -> Caller:
        """The caller by the header `Authorization`; nobody when it presents no bearer token."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return Caller()
        try:
            principal = await self._verifier.verify(token.strip())
        except KeysUnavailable:
            return Caller(refusal=HttpProblem(503, "Nobody can check tokens at the moment."))
        except InvalidToken as error:
            LOG.info("a token is refused: %s", error)
            return Caller(refusal=_refused(error))
        if not (principal.subject.isascii() and principal.subject.isprintable()):
            return Caller(refusal=_refused(InvalidToken("a subject that is no id")))
        return Caller(principal)


def _refused(error: InvalidToken) -> HttpProblem:
    if isinstance(error.__cause__, jwt.ExpiredSignatureError):
        return HttpProblem(401, "The access token has expired.", extensions={"code": "TOKEN_EXPIRED"})
    return HttpProblem(401, "The access token is not valid.", extensions={"code": "TOKEN_INVALID"})


async def bearer(credentials: Credentials, request: RequestContext) -> object | None:
    """The principal; `HttpProblem` 401, or 503 while nobody can tell."""
    caller: Caller = request.scope.get(SCOPE, Caller())
    if caller.refusal is not None:
        raise caller.refusal
    return caller.principal


AUTHENTICATORS: Mapping[str, Authenticator] = {
    # Access token from logIn. The gateway checks the signature against the keys of
    # getSigningKeys, `iss` = `auth-service`, `aud` = `api-gateway`, and `exp` with at most 60
    # seconds of leeway. `sub` is the customer id.
    "bearerAuth": bearer,
}


class WaitingKeySet(KeySet):
    """Keys that the first requests wait for: of several that come at once, one fetches."""

    def __init__(self, fetch: FetchKeys, *, spacing: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(fetch, spacing=spacing, clock=clock)
        self._first = asyncio.Lock()
        self._known = False

    async def find(self, kid: str) -> Any:
        """The key of that name; `InvalidToken` when there is none, `KeysUnavailable` when there are none at all."""
        if self._known:
            return await super().find(kid)
        async with self._first:
            try:
                key = await super().find(kid)
            except InvalidToken:
                self._known = True
                raise
            self._known = True
            return key


def keys_of(client: AuthenticationServiceClient, *, patience: float = 3.0) -> FetchKeys:
    """Fetches the key set of the customer service, within so many seconds."""

    async def fetch() -> Mapping[str, Any]:
        reply = await client.get_signing_keys(GetSigningKeysRequest(), deadline=patience)
        return MessageToDict(reply, preserving_proto_field_name=True)

    return fetch
