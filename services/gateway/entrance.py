"""What every request passes first: who calls is found out and told to the services behind, and counted."""

from __future__ import annotations

import math
from typing import Any, Protocol

from shop.runtime.context import TraceContext, current_trace, trace_scope
from shop.runtime.http_requests import AsgiReceive, AsgiScope, AsgiSend
from shop.runtime.http_responses import Sender
from shop.runtime.problem import HttpProblem

from services.gateway.adapters.authentication import SCOPE, Caller
from services.gateway.problems import translate
from services.platform.caller import CUSTOMER
from services.platform.rate_limit import Verdict
from services.platform.telemetry import Asgi

FREE = frozenset({"/livez", "/readyz"})
"""Probes of the platform are not counted."""
_CUSTOMER = CUSTOMER.encode()


class Identifies(Protocol):
    """Finds out who calls."""

    async def identify(self, authorization: str) -> Caller:
        """The caller by the header `Authorization`."""


class Limits(Protocol):
    """Counts requests."""

    async def ask(self, caller: str) -> Verdict:
        """Whether the caller may make a request now."""


class Entrance:
    """An ASGI application around another one. A caller is the subject of a valid token, else the client address."""

    def __init__(self, app: Asgi, callers: Identifies, limits: Limits) -> None:
        self._app = app
        self._callers = callers
        self._limits = limits

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in FREE:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        with trace_scope(current_trace() or TraceContext.parse(_text(headers, b"traceparent"))):
            caller = await self._callers.identify(_text(headers, b"authorization"))
            verdict = await self._limits.ask(_name(caller, scope))
            counted = _counted(send, verdict)
            if not verdict.allowed:
                await _refuse(scope, counted, verdict)
                return
            scope[SCOPE] = caller
            scope["headers"] = _announced(scope["headers"], caller)
            await self._app(scope, receive, counted)


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _name(caller: Caller, scope: AsgiScope) -> str:
    if caller.principal is not None:
        return f"customer:{caller.principal.subject}"
    client = scope.get("client")
    return f"address:{client[0] if client else ''}"


def _announced(headers: list[tuple[bytes, bytes]], caller: Caller) -> list[tuple[bytes, bytes]]:
    """The headers with the customer's name from the token, and never from the client."""
    found = [(name, value) for name, value in headers if name.lower() != _CUSTOMER]
    if caller.principal is not None:
        found.append((_CUSTOMER, caller.principal.subject.encode("ascii")))
    return found


def _counted(send: AsgiSend, verdict: Verdict) -> AsgiSend:
    """A `send` that adds the figures of the limit to the response."""
    figures = [(name.lower().encode(), value.encode()) for name, value in verdict.headers.items()]

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            told = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(each for each in figures if each[0] not in told)]
        await send(message)

    return sending


async def _refuse(scope: AsgiScope, send: AsgiSend, verdict: Verdict) -> None:
    wait = max(1, math.ceil(verdict.retry_after))
    problem = HttpProblem(
        429,
        f"Try again in {wait} seconds.",
        extensions={"retry_after": f"{wait}s"},
        headers={"retry-after": str(wait)},
    )
    await Sender(send, scope, translate=translate).problem(problem)
