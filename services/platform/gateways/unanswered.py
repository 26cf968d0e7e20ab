"""What it means when a gateway's answer did not come, or cannot be read."""

from __future__ import annotations

import httpx
from shop.runtime.errors import CircuitOpen, DeadlineExceeded, ProtocolError, TransportError, TreatyError

from services.platform.gateways.calling import Verdict
from services.platform.gateways.errors import OutcomeUnknown, Unavailable
from services.platform.gateways.tokens import NoToken

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def unanswered(gateway: str, operation: str, problem: TreatyError) -> Verdict:
    """The verdict on any error but `HttpError`: `Unavailable` when nothing was sent, else `OutcomeUnknown`.

    Messages are fixed texts, and what quotes the answer is cut off the chain of causes.
    """
    if isinstance(problem, CircuitOpen):
        return Verdict(Unavailable(gateway, operation, "the circuit breaker is open"))
    if isinstance(problem, NoToken):
        return Verdict(Unavailable(gateway, operation, "no access token"), repeat=True)
    if isinstance(problem.__cause__, _NEVER_SENT):
        return Verdict(Unavailable(gateway, operation, "no connection"), repeat=True)
    if isinstance(problem, ProtocolError):
        problem.__cause__ = None
        return Verdict(OutcomeUnknown(gateway, operation, "the answer cannot be read"), repeat=True)
    text = "the call failed"
    if isinstance(problem, DeadlineExceeded):
        text = "no answer in time"
    elif isinstance(problem, TransportError):
        text = "the connection broke"
    return Verdict(OutcomeUnknown(gateway, operation, text), repeat=True)
