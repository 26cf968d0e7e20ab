"""Credentials that a server receives: which schemes a request satisfies (OpenAPI 3.1 section 4.8.30)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_plus

from .http_operation import Scheme, Use
from .problem import HttpProblem

if TYPE_CHECKING:
    from .http_requests import RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request presents for one scheme, and the scopes that the operation asks for.

    `value` is the token or key; for basic authentication `username` and `password` are set instead.
    """

    scheme: Scheme
    value: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()


Authenticator: TypeAlias = "Callable[[Credentials, RequestContext], Awaitable[Any]]"
"""Returns who the caller is (anything but None). None means not valid: 401. Raise `HttpProblem(403)` to forbid."""


async def authenticate(
    requirements: Sequence[Sequence[Use]],
    schemes: Mapping[str, Scheme],
    authenticators: Mapping[str, Authenticator],
    request: RequestContext,
) -> dict[str, Any]:
    """Principals by scheme, of the first alternative that is met. Raises `HttpProblem` 401 or what a hook raises."""
    refusal: HttpProblem | None = None
    anonymous = False
    for requirement in requirements:
        if not requirement:
            anonymous = True
            continue
        presented = [_presented(schemes[use.scheme], use, request) for use in requirement]
        if any(credentials is None for credentials in presented):
            continue
        principals = {}
        try:
            for credentials in presented:
                if credentials is not None:
                    principals[credentials.scheme.name] = await _principal(credentials, authenticators, request)
        except HttpProblem as problem:
            refusal = problem if refusal is None or problem.status != 401 else refusal
            continue
        return principals
    if refusal is not None:
        if refusal.status == 401 and "www-authenticate" not in {name.lower() for name in refusal.headers}:
            refusal.headers = {**refusal.headers, **_challenge(requirements, schemes, invalid=True)}
        raise refusal
    if anonymous:
        return {}
    raise HttpProblem(401, "Credentials are missing.", headers=_challenge(requirements, schemes, invalid=False))


async def _principal(
    credentials: Credentials, authenticators: Mapping[str, Authenticator], request: RequestContext
) -> Any:
    principal = await authenticators[credentials.scheme.name](credentials, request)
    if principal is None:
        raise HttpProblem(401, "The credentials are not valid.")
    return principal


def _presented(scheme: Scheme, use: Use, request: RequestContext) -> Credentials | None:
    """The credentials of a request for one scheme; None when it has none."""
    if scheme.kind == "mutualTLS":
        return Credentials(scheme=scheme, scopes=use.scopes)
    if scheme.kind == "apiKey":
        value = _api_key(scheme, request)
        return Credentials(scheme=scheme, value=value, scopes=use.scopes) if value else None
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    wanted = scheme.scheme.lower() if scheme.kind == "http" else "bearer"
    if kind.lower() != wanted or not value.strip():
        return None
    if wanted != "basic":
        return Credentials(scheme=scheme, value=value.strip(), scopes=use.scopes)
    try:
        username, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(scheme=scheme, username=username, password=password, scopes=use.scopes) if colon else None


def _api_key(scheme: Scheme, request: RequestContext) -> str:
    if scheme.place == "query":
        values = request.query.get(scheme.parameter)
        return unquote_plus(values[-1]) if values else ""
    if scheme.place == "cookie":
        values = request.cookies.get(scheme.parameter)
        return unquote_plus(values[-1]) if values else ""
    return request.headers.get(scheme.parameter.lower(), "")


def _challenge(
    requirements: Sequence[Sequence[Use]], schemes: Mapping[str, Scheme], *, invalid: bool
) -> dict[str, str]:
    """RFC 9110 section 11.6.1; an API key has no registered challenge, and 401 needs one."""
    found: dict[str, None] = {}
    for use in (use for requirement in requirements for use in requirement):
        scheme = schemes[use.scheme]
        if scheme.kind == "apiKey":
            found[f'ApiKey name="{scheme.parameter}", in="{scheme.place}"'] = None
        elif scheme.kind != "mutualTLS":
            name = scheme.scheme.capitalize() if scheme.kind == "http" else "Bearer"
            error = ', error="invalid_token"' if invalid and name == "Bearer" else ""
            found[f'{name} realm="api"{error}'] = None
    return {"www-authenticate": ", ".join(found)} if found else {}
