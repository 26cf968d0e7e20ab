"""What an error of the client means at UPS, by status and code (developer guides: "Error Codes" of each API).

UPS's messages may quote a request, so that only codes are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shop.external.ups.http.models import ErrorEnvelope
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

GATEWAY = "ups"
TOO_MANY = "10429"
CANCELLED_BEFORE = frozenset({"190117", "9510116"})
NOT_OFFERED = frozenset({
    "110108", "110208", "110308", "111035", "111050", "111055", "111100", "111210",
})  # fmt: skip
"""Codes of rating that say that UPS does not carry that, or not there."""
NO_SUCH_COUNTRY = "264002"
"""Of address validation, which UPS has for few countries."""
NOT_FOUND = "151044"
"""Of tracking by reference: UPS has heard of no such shipment."""
_UNKNOWN = frozenset({"151018", NOT_FOUND, "190100", "190102", "300007", "300014", "9510115"})
_FIELDS: Mapping[str, str] = {
    "01": "origin", "02": "destination", "03": "origin", "05": "service", "06": "parcels", "07": "label_format",
}  # fmt: skip
"""By the two digits after 11 (rating) or 12 (shipping)."""
_CODE = re.compile(r"[A-Z0-9]{1,12}")


def judge(operation: str, problem: TreatyError) -> Verdict:
    """The error for callers, and whether the request may be sent again."""
    if not isinstance(problem, HttpError):
        return unanswered(GATEWAY, operation, problem)
    status, code = problem.status, _code(problem)
    about: dict[str, Any] = {"code": code, "status": status}
    text = f"HTTP {status}"
    if status == 429 or code == TOO_MANY:
        limited = RateLimited(GATEWAY, operation, "too many requests", **about)
        limited.retry_after = problem.retry_after
        return Verdict(limited, repeat=True, wait=problem.retry_after)
    if status >= 500 or status == 408:
        return Verdict(OutcomeUnknown(GATEWAY, operation, text, **about), repeat=True, wait=problem.retry_after)
    if status in (401, 403):
        return Verdict(CredentialsRefused(GATEWAY, operation, text, **about))
    kind: type[GatewayError] = UnknownReference if code in _UNKNOWN else Rejected
    error = kind(GATEWAY, operation, text, **about)
    if isinstance(error, Rejected) and re.fullmatch(r"1[12]\d{4}", code):
        error.field = _FIELDS.get(code[2:4], "")
    return Verdict(error)


def _code(problem: HttpError) -> str:
    errors = problem.model.response.errors if isinstance(problem.model, ErrorEnvelope) else []
    return errors[0].code if errors and _CODE.fullmatch(errors[0].code) else ""
