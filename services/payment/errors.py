"""Why the payment service refuses: for those who call it, to be worded by `handlers`."""

from __future__ import annotations


class KeyReused(Exception):
    """The idempotency key was used for something else."""


class InProgress(Exception):
    """Another call works on the same payment, or on another payment of the same order."""


class AlreadyPaid(Exception):
    """The order has a payment that went through."""


class UnknownPayment(Exception):
    """There is no such payment."""


class UnknownMethod(Exception):
    """The customer has no such payment method."""


class NotConfigured(Exception):
    """The provider cannot be used in this installation."""


class ProviderUnavailable(Exception):
    """The provider did not answer; whether it did anything is found out by the next attempt."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds."""


class BadSignature(Exception):
    """The webhook was not signed by the provider, or too long ago."""


class NoEvent(Exception):
    """The webhook's body is no event."""
