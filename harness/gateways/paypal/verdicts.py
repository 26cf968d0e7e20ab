"""What a test wants to happen to a payment: by `PayPal-Mock-Response`, or by a scripted decline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from shop.runtime.http_requests import RequestContext

from harness.gateways.outcomes import scripted_decline
from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.issues import PENDING_REASONS

_ISSUE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_PROCESSOR_CODE = re.compile(r"[0-9][0-9A-Z]{3}")
MOCK_RESPONSE = "PayPal-Mock-Response"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a payment ends: well, `PENDING` for a reason, or `DECLINED` by the processor with its response code."""

    reason: str | None = None
    response_code: str | None = None

    @property
    def status(self) -> str:
        """The status of the capture."""
        return "DECLINED" if self.response_code else "PENDING" if self.reason else "COMPLETED"


GOOD = Verdict()
Judge: TypeAlias = Callable[[], Verdict]
"""Asked once the request is known to be right. Raises the `Refusal` of a declined payment."""


def judge_of(context: RequestContext, otherwise: str = "INSTRUMENT_DECLINED") -> Judge:
    """What was scripted for the request: an issue code, a processor's code, a reason to be pending, or `otherwise`."""
    return lambda: _judged(context, otherwise)


def _judged(context: RequestContext, otherwise: str) -> Verdict:
    code = scripted_decline(context)
    if code is None:
        return GOOD
    if _PROCESSOR_CODE.fullmatch(code):
        return Verdict(response_code=code)
    if code in PENDING_REASONS:
        return Verdict(reason=code)
    raise Refusal.of(code if _ISSUE.fullmatch(code) else otherwise)


def check_mock_response(header: str | None) -> None:
    """Raises the error that the header asks for (PayPal, "Negative testing")."""
    if header is None:
        return
    try:
        asked = json.loads(header)["mock_application_codes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        asked = None
    codes = [asked] if isinstance(asked, str) else asked
    if not isinstance(codes, list) or not codes or not all(isinstance(c, str) and _ISSUE.fullmatch(c) for c in codes):
        raise Refusal.of("INVALID_PARAMETER_SYNTAX", field=MOCK_RESPONSE, value=header, location="header")
    raise Refusal.of(codes[0])
