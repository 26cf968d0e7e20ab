"""Messages, and the credentials that accounts were first seen with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API_VERSION = "2010-04-01"
PRICE = 790
"""Of a segment, in hundred-thousandths of a dollar."""
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})


@dataclass(slots=True)
class SmsMessage:
    """A message. `callback` is posted to when the status changes; `generation` ends the progress planned before."""

    sid: str
    account: str
    to: str
    sender: str | None
    service: str | None
    body: str
    segments: int
    media: int
    callback: str
    created: float
    updated: float
    status: str = "queued"
    sent: float | None = None
    error: int | None = None
    error_message: str | None = None
    priced: bool = False
    generation: int = 0

    @property
    def uri(self) -> str:
        """Its path without the ending."""
        return f"/{API_VERSION}/Accounts/{self.account}/Messages/{self.sid}"

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        known = self.service is None or self.sent is not None
        return {
            "account_sid": self.account,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created),
            "date_sent": None if self.sent is None else rfc2822(self.sent),
            "date_updated": rfc2822(self.updated),
            "direction": "outbound-api",
            "error_code": self.error,
            "error_message": self.error_message,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": str(self.media),
            "num_segments": str(self.segments if known else 0),
            "price": f"-{self.segments * PRICE / 100_000:.5f}" if self.priced else None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{self.uri}/Media.json"},
            "to": self.to,
            "uri": f"{self.uri}.json",
        }


@dataclass(slots=True)
class SmsState:
    """Plain data."""

    messages: dict[str, SmsMessage] = field(default_factory=dict)
    """By SID, the oldest first."""
    tokens: dict[str, str] = field(default_factory=dict)
    """The auth token of an account."""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The secret of an API key, and the account it belongs to."""
    automatic: bool = True
    """Whether messages are sent by themselves."""


def rfc2822(at: float) -> str:
    """`Thu, 24 Aug 2023 05:01:45 +0000`."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC))
