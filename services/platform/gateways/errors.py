"""What can go wrong at a gateway. A saga decides by the class: compensate, ask again, wait, or call a person."""

from __future__ import annotations


class GatewayError(Exception):
    """Base. `code` is the gateway's own; `request_id` is what its support asks for. No secret and no body is kept."""

    def __init__(
        self, gateway: str, operation: str, message: str, *, code: str = "", request_id: str = "", status: int = 0
    ) -> None:
        super().__init__(message)
        self.gateway = gateway
        self.operation = operation
        self.message = message
        self.code = code
        self.request_id = request_id
        self.status = status

    def __str__(self) -> str:
        extra = ", ".join(part for part in (self.code, self.request_id and f"request {self.request_id}") if part)
        return f"{self.gateway} {self.operation}: {self.message}{f' ({extra})' if extra else ''}"


class Declined(GatewayError):
    """The customer's bank or the gateway says no. Final for this attempt: another one needs another key."""


class Rejected(GatewayError):
    """The request is wrong, or not possible in this state. Repeating it changes nothing."""

    field: str = ""
    """What is wrong with it, where the gateway says it."""


class UnknownReference(GatewayError):
    """The gateway knows nothing of that name."""


class CredentialsRefused(GatewayError):
    """The gateway does not accept our credentials, also after they were renewed."""


class KeyReused(GatewayError):
    """The idempotency key was used for something else before: a bug in how it is made."""


class RateLimited(GatewayError):
    """Too many requests; nothing was done. `retry_after` in seconds, where the gateway says it."""

    retry_after: float | None = None


class Unavailable(GatewayError):
    """The gateway cannot be reached; nothing was done."""


class OutcomeUnknown(GatewayError):
    """No usable answer: the effect may have happened. Ask with the same key, or query before repeating."""
