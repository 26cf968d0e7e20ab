"""`PayPal-Request-Id`: one effect for all requests that carry the same id.

An id belongs to an operation and a client. Orders keeps it for six hours, Payments for 45 days. The same id with
another request is 422 DUPLICATE_REQUEST_ID. While the first request is under way, Payments answers 409
PREVIOUS_REQUEST_IN_PROGRESS to the second, which Orders does not document: there the second waits. A refused request
has had no effect and is not remembered.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from shop.runtime.http_requests import RequestContext

from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.state import Remembered

ORDERS_KEEP = 6 * 3600.0
PAYMENTS_KEEP = 45 * 86400.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The id of what the request made, and whether an earlier request had made it."""

    resource: str
    replayed: bool


@dataclass(slots=True)
class RequestIds:
    """`remembered` is a part of the state, asked for anew each time: a reset replaces it.

    `processing`: seconds that a request with an id takes, so that a test can send the same one meanwhile.
    """

    now: Callable[[], float]
    remembered: Callable[[], dict[str, Remembered]]
    processing: float = 0.0
    _running: dict[str, asyncio.Event] = field(default_factory=dict)

    async def once(self, context: RequestContext, request_id: str | None, effect: Callable[[], str]) -> Outcome:
        """What `effect` made, now or before; it returns the id of its resource and is called at most once."""
        if request_id is None:
            return Outcome(effect(), replayed=False)
        key = f"{context.operation.name} {context.principal} {request_id}"
        payments = context.operation.path.startswith("/v2/payments/")
        while key in self._running:
            if payments:
                raise Refusal.of("PREVIOUS_REQUEST_IN_PROGRESS")
            await self._running[key].wait()
        fingerprint = _fingerprint(context)
        known = self.remembered().get(key)
        if known is not None and known.expires > self.now():
            if known.fingerprint != fingerprint:
                raise Refusal.of("DUPLICATE_REQUEST_ID", field="PayPal-Request-Id", value=request_id, location="header")
            return Outcome(known.resource, replayed=True)
        done = self._running[key] = asyncio.Event()
        try:
            await asyncio.sleep(self.processing)
            resource = effect()
            expires = self.now() + (PAYMENTS_KEEP if payments else ORDERS_KEEP)
            self.remembered()[key] = Remembered(fingerprint=fingerprint, resource=resource, expires=expires)
        finally:
            del self._running[key]
            done.set()
        return Outcome(resource, replayed=False)


def _fingerprint(context: RequestContext) -> str:
    """Path and body; neither spaces nor the order of members make a difference."""
    body = json.dumps(json.loads(context.body), sort_keys=True) if context.body else ""
    return hashlib.sha256(f"{context.path}\n{body}".encode()).hexdigest()
