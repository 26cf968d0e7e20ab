"""What an error of the client means at FedEx, by status and code ("Error codes", developer.fedex.com).

FedEx's messages may quote a request, so that only codes and names of fields are kept.
"""

from __future__ import annotations

import re
from typing import Any

from shop.external.fedex.http.models import ErrorResponse
from shop.runtime.errors import HttpError, TreatyError

from services.platform.gateways.calling import Verdict
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    UnknownReference,
)
from services.platform.gateways.unanswered import unanswered

GATEWAY = "fedex"
CANCELLED_BEFORE = frozenset({"CANCELSHIPMENT.TRACKINGNUMBER.DELETED", "PICKUP.ALREADY.CANCELLED"})
NOT_OFFERED = frozenset({
    "DIMENSIONS.EXCEEDS.LIMITS", "MAXIMUM.WEIGHT.EXCEEDED", "RECIPIENT.COUNTRY.UNSERVICED",
    "SERVICETYPE.NOT.ALLOWED", "SHIPPER.COUNTRY.UNSERVICED",
})  # fmt: skip
"""Codes of rates that say that FedEx does not carry that, or not there."""
_UNKNOWN = frozenset({
    "PICKUP.CONFIRMATIONCODE.INVALID", "TRACKING.TRACKINGNUMBER.INVALID", "TRACKING.TRACKINGNUMBER.NOTFOUND",
})  # fmt: skip
_CODE = re.compile(r"[A-Z0-9._]{1,80}")
_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,120}")
_TRANSACTION = re.compile(r"[A-Za-z0-9-]{1,60}")


def judge(operation: str, problem: TreatyError) -> Verdict:
    """The error for callers, and whether the request may be sent again."""
    if not isinstance(problem, HttpError):
        return unanswered(GATEWAY, operation, problem)
    status = problem.status
    model = problem.model if isinstance(problem.model, ErrorResponse) else None
    code = code_of(model)
    about: dict[str, Any] = {"code": code, "request_id": _transaction(model), "status": status}
    text = f"HTTP {status}"
    if status == 429:
        limited = RateLimited(GATEWAY, operation, "too many requests", **about)
        limited.retry_after = problem.retry_after
        return Verdict(limited, repeat=True, wait=problem.retry_after)
    if status >= 500 or status == 408:
        return Verdict(OutcomeUnknown(GATEWAY, operation, text, **about), repeat=True, wait=problem.retry_after)
    if status in (401, 403):
        return Verdict(CredentialsRefused(GATEWAY, operation, text, **about))
    kind: type[GatewayError] = UnknownReference if code in _UNKNOWN else Rejected
    error = kind(GATEWAY, operation, text, **about)
    if isinstance(error, Rejected):
        error.field = _field(model)
    return Verdict(error)


def code_of(model: ErrorResponse | None) -> str:
    """The code of the first error."""
    code = model.errors[0].code if model is not None and model.errors else ""
    return code if _CODE.fullmatch(code) else ""


def _transaction(model: ErrorResponse | None) -> str:
    return model.transaction_id if model is not None and _TRANSACTION.fullmatch(model.transaction_id) else ""


def _field(model: ErrorResponse | None) -> str:
    """What is wrong with a request, as bean validation names it: `NotNull.requestedShipment.shipper`."""
    listed = (model.errors[0].parameter_list or []) if model is not None and model.errors else []
    key = listed[0].key.partition(".")[2] if listed else ""
    return key if _FIELD.fullmatch(key) else ""
