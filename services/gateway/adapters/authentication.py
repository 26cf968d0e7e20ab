"""Who calls: a function for each security scheme of the contracts."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shop.runtime.http_requests import RequestContext
from shop.runtime.http_security import Authenticator, Credentials

LOG = logging.getLogger(__name__)


async def refuse(credentials: Credentials, request: RequestContext) -> object | None:
    """Lets nobody in, and says so.

    Replace it with a function that returns who the caller is, or None for credentials that
    are not valid (401). Raise `HttpProblem(403)` to forbid.
    """
    LOG.warning(
        "%s is refused: nothing checks the credentials of `%s` yet (see %s)",
        request.operation.name,
        credentials.scheme.name,
        __name__,
    )
    return None


AUTHENTICATORS: Mapping[str, Authenticator] = {
    # Access token from logIn. The gateway checks the signature against the keys of
    # getSigningKeys, `iss` = `auth-service`, `aud` = `api-gateway`, and `exp` with at most 60
    # seconds of leeway. `sub` is the customer id.
    "bearerAuth": refuse,
}
