"""Credentials that a client sends, by the security schemes of the contract (OpenAPI 3.1 section 4.8.27)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

import httpx

from .auth import Basic, RefreshingToken, Token
from .errors import ProtocolError, TransportError, http_error_class
from .http_operation import Scheme, Use
from .parameters import header_text

Credential: TypeAlias = str | Callable[[], Awaitable[str | Sequence[tuple[str, str]]]]
"""A fixed token or key, or an async function that gives a token, a key or headers (the hooks of `auth`).

Functions are called for every call, so they should keep what they fetch.
"""


@dataclass(slots=True)
class Outgoing:
    """What credentials add to a request."""

    headers: dict[str, str]
    query: list[str]
    cookies: list[str]


async def apply(
    alternatives: Sequence[Sequence[Use]],
    schemes: Mapping[str, Scheme],
    credentials: Mapping[str, Credential],
    outgoing: Outgoing,
) -> None:
    """Add the credentials of the first alternative that is complete; nothing when none is."""
    for requirement in alternatives:
        known = [use for use in requirement if use.scheme in credentials or schemes[use.scheme].kind == "mutualTLS"]
        if len(known) != len(requirement):
            continue
        for use in requirement:
            scheme = schemes[use.scheme]
            if scheme.kind != "mutualTLS":
                await _add(scheme, credentials[use.scheme], outgoing)
        return


async def _add(scheme: Scheme, credential: Credential, outgoing: Outgoing) -> None:
    found = credential if isinstance(credential, str) else await credential()
    if not isinstance(found, str):
        outgoing.headers.update((name.lower(), header_text(name, value)) for name, value in found)
        return
    value = header_text(scheme.name, found)
    if scheme.kind != "apiKey":
        prefix = scheme.scheme.capitalize() if scheme.kind == "http" else "Bearer"
        outgoing.headers["authorization"] = f"{prefix} {value}"
    elif scheme.place == "query":
        outgoing.query.append(f"{quote(scheme.parameter, safe='')}={quote(value, safe='')}")
    elif scheme.place == "cookie":
        outgoing.cookies.append(f"{scheme.parameter}={quote(value, safe='')}")
    else:
        outgoing.headers[scheme.parameter.lower()] = value


def present(credentials: Mapping[str, Credential | None]) -> dict[str, Credential]:
    """Those that are given."""
    return {name: credential for name, credential in credentials.items() if credential is not None}


def client_credentials(
    token_url: str,
    client_id: str,
    client_secret: str,
    *,
    scopes: Sequence[str] = (),
    http: httpx.AsyncClient | None = None,
    timeout: float = 10.0,
) -> RefreshingToken:
    """A credential by the OAuth 2.0 client credentials grant (RFC 6749 section 4.4), fetched when needed and kept.

    `timeout` in seconds. A token without `expires_in` is used for five minutes.
    """
    basic = Basic(quote(client_id, safe=""), quote(client_secret, safe=""))
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})

    async def fetch() -> Token:
        headers = {"accept": "application/json", **dict(await basic())}
        try:
            if http is not None:
                return _token(await http.post(token_url, data=form, headers=headers, timeout=timeout))
            async with httpx.AsyncClient(timeout=timeout) as own:
                return _token(await own.post(token_url, data=form, headers=headers))
        except httpx.HTTPError as problem:
            raise TransportError(f"no token: {type(problem).__name__}") from problem

    return RefreshingToken(fetch)


def _token(response: httpx.Response) -> Token:
    if response.status_code != 200:
        raise http_error_class(response.status_code)(response.status_code, body=response.content[:4096])
    try:
        answer = response.json()
        return Token(str(answer["access_token"]), float(answer.get("expires_in", 300)))
    except (ValueError, KeyError, TypeError) as problem:
        raise ProtocolError("the token endpoint gave no access_token") from problem
