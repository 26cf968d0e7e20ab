"""How SendGrid words errors: `{"errors": [{"message", "field", "help"}]}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shop.external.sendgrid.http.models import Failure
from shop.runtime.problem import HttpProblem

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
_COMMON = {
    400: "Bad Request",
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden",
    404: "not found",
    405: "method not allowed",
    406: "Not Acceptable",
    413: "Payload Too Large",
    415: "Content-Type should be application/json.",
    429: "too many requests",
    503: "service unavailable",
    504: "gateway timeout",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. `anchor` is the place on the page of mail errors."""

    message: str
    field: str | None = None
    anchor: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The member of `errors`."""
        return {
            "message": self.message,
            "field": self.field,
            "help": None if self.anchor is None else f"{HELP}#{self.anchor}",
        }


class SendGridProblem(HttpProblem):
    """An answer with SendGrid's error document."""

    def __init__(self, status: int, *mistakes: Mistake, headers: Mapping[str, str] | None = None) -> None:
        found = mistakes or (Mistake(common_message(status)),)
        model = Failure.from_dict({"errors": [each.as_dict() for each in found]})
        super().__init__(status, found[0].message, headers=headers, model=model)


def common_message(status: int) -> str:
    """What SendGrid says for a status when there is nothing more to say."""
    return _COMMON.get(status, "Internal Server Error" if status >= 500 else "Bad Request")


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise 400 when there are any."""
    found = tuple(mistakes)
    if found:
        raise SendGridProblem(400, *found)
