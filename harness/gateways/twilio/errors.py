"""Twilio's errors: `{"code", "message", "more_info", "status"}`."""

from __future__ import annotations

from collections.abc import Mapping

from shop.external.twilio.http.models import Failure
from shop.runtime.problem import HttpProblem

_STATUS_CODES = {
    400: 20001,
    401: 20003,
    403: 20403,
    404: 20404,
    405: 20004,
    406: 20006,
    409: 20409,
    413: 20413,
    415: 20415,
    429: 20429,
    500: 20500,
    503: 20503,
    504: 20504,
}
_MESSAGES = {
    20001: "Invalid parameter",
    20003: "Authenticate",
    20004: "Method not allowed",
    20006: "Not acceptable",
    20009: "Resource not complete: it cannot be deleted before it has a final status",
    20403: "Forbidden",
    20404: "The requested resource was not found",
    20409: "Conflict",
    20413: "Request entity too large",
    20415: "Unsupported media type",
    20429: "Too Many Requests",
    20500: "Internal Server Error",
    20503: "Service Unavailable",
    20504: "Gateway timeout",
    21211: "Invalid 'To' Phone Number: {to}",
    21212: "Invalid 'From' Phone Number: {from_}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: (
        "The 'From' phone number provided ({from_}) is not a valid message-capable Twilio phone number for this "
        "destination."
    ),
    21609: "The 'StatusCallback' URL {url} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: ("Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' ({from_}) parameters"),
    21614: "'To' number is not a valid mobile number: {to}",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21620: "Invalid media URL(s)",
    21623: "Number of media files exceeds allowed limit",
    21701: "The Messaging Service does not exist",
    30409: "This message cannot be canceled",
    35111: "'SendAt' timestamp is missing",
    35114: "Scheduling does not support this timestamp",
}
DELIVERY_ERRORS = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
}
"""Why a message was not delivered, by code."""
BEFORE_SENDING = frozenset({30001, 30002})
"""These fail a message; the others leave it undelivered."""


class TwilioProblem(HttpProblem):
    """An answer with Twilio's error document."""

    def __init__(
        self, status: int, code: int = 0, message: str = "", headers: Mapping[str, str] | None = None, **facts: str
    ) -> None:
        code = code or _STATUS_CODES.get(status, 20500 if status >= 500 else 20001)
        text = message or _MESSAGES.get(code, "Invalid parameter").format_map(_Facts(facts))
        model = Failure.from_dict(
            {"code": code, "message": text, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
        )
        super().__init__(status, text, headers=headers, model=model)


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def status_of(code: int) -> int:
    """The HTTP status of an error code."""
    found = {known: status for status, known in _STATUS_CODES.items()}.get(code)
    return found or (409 if code in (20009, 30409) else 400)
