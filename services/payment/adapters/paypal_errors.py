"""What an error of the client means at PayPal, by status and issue ("Responses", Orders v2 and Payments v2).

Repeated, with the same request id, are network failures, 408, 409, 429 and 5xx: what was asked may have been done.
"""

from __future__ import annotations

from typing import Any

from shop.external.paypal.http.models import Error, OauthError
from shop.runtime.errors import CircuitOpen, HttpError, TreatyError

from services.platform.gateways.calling import Verdict
from services.platform.gateways.errors import (
    CredentialsRefused,
    Declined,
    GatewayError,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReference,
)

GATEWAY = "paypal"
FORGOTTEN = "DUPLICATE_INVOICE_ID"
"""Money was taken for this step when PayPal still knew the request id: the account refuses a second payment."""
SETTLED = frozenset({"ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_AUTHORIZED", "PREVIOUSLY_VOIDED"})
"""Issues that say that the step is done already; how it ended is read from the order."""
DECLINES = frozenset({
    "AUTHORIZATION_DENIED", "CARD_CLOSED", "CARD_EXPIRED", "COMPLIANCE_VIOLATION", "INSTRUMENT_DECLINED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED", "PAYER_ACCOUNT_RESTRICTED", "PAYER_ACTION_REQUIRED", "PAYER_CANNOT_PAY",
    "PAYMENT_DENIED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "REFUND_FAILED_INSUFFICIENT_FUNDS",
    "TRANSACTION_LIMIT_EXCEEDED", "TRANSACTION_REFUSED",
})  # fmt: skip


def judge(operation: str, problem: TreatyError) -> Verdict:
    """The error for callers, and whether the request may be sent again."""
    if isinstance(problem, CircuitOpen):
        return Verdict(Unavailable(GATEWAY, operation, str(problem)))
    if not isinstance(problem, HttpError):
        return Verdict(OutcomeUnknown(GATEWAY, operation, str(problem)), repeat=True)
    code, message = _said(problem)
    about: dict[str, Any] = {"code": code, "request_id": _debug_id(problem), "status": problem.status}
    if problem.status == 429:
        limited = RateLimited(GATEWAY, operation, message, **about)
        limited.retry_after = problem.retry_after
        return Verdict(limited, repeat=True, wait=problem.retry_after)
    if problem.status in (408, 409) or problem.status >= 500:
        return Verdict(OutcomeUnknown(GATEWAY, operation, message, **about), repeat=True, wait=problem.retry_after)
    return Verdict(_kind(problem, code)(GATEWAY, operation, message, **about))


def _kind(problem: HttpError, code: str) -> type[GatewayError]:
    if problem.status in (401, 403):
        return CredentialsRefused
    if problem.status == 404 and isinstance(problem.model, Error):
        return UnknownReference
    if code == FORGOTTEN:
        return OutcomeUnknown
    if code == "DUPLICATE_REQUEST_ID":
        return KeyReused
    return Declined if code in DECLINES else Rejected


def _said(problem: HttpError) -> tuple[str, str]:
    """Code and message; a page of a proxy, or nothing at all, is only its status."""
    model = problem.model
    if isinstance(model, OauthError):
        return model.error, model.error_description
    if not isinstance(model, Error):
        return "", f"HTTP {problem.status}"
    detail = next(iter(model.details or ()), None)
    if detail is None:
        return model.name, model.message
    return detail.issue, detail.description or model.message


def _debug_id(problem: HttpError) -> str:
    return problem.headers.get("paypal-debug-id", "")
