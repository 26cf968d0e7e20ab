"""What the mock remembers: messages, one per recipient, the settings of the event webhook, the rate window."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

KINDS = {
    "processed": "processed",
    "deferred": "deferred",
    "delivered": "delivered",
    "bounce": "bounce",
    "dropped": "dropped",
    "open": "open",
    "click": "click",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "group_unsubscribe",
    "group_resubscribe": "group_resubscribe",
}
"""Events of the webhook and the settings that switch them on."""
RATE_LIMIT = 600
RATE_WINDOW = 60.0
_STATUS = {
    "processed": "processing",
    "deferred": "processing",
    "delivered": "delivered",
    "bounce": "not_delivered",
    "dropped": "not_delivered",
}


def initial_settings() -> dict[str, Any]:
    """Of an account that has not set up a webhook."""
    return {
        "enabled": False,
        "url": "",
        **dict.fromkeys(KINDS.values(), True),
        "oauth_client_id": None,
        "oauth_token_url": None,
    }


@dataclass(slots=True)
class MailMessage:
    """A mail to one recipient."""

    msg_id: str
    request_id: str
    from_email: str
    to_email: str
    subject: str
    at: float
    template_id: str = ""
    asm_group_id: int = 0
    api_key_id: str = ""
    originating_ip: str = ""
    categories: tuple[str, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)
    status: str = "processing"
    last_event: float = 0.0
    opens: int = 0
    clicks: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    """In the form of the activity API."""

    def happened(self, kind: str, at: float, facts: dict[str, Any]) -> None:
        """Take note of an event of the webhook."""
        self.status = _STATUS.get(kind, self.status)
        self.last_event = at
        self.opens += kind == "open"
        self.clicks += kind == "click"
        event: dict[str, Any] = {"event_name": kind, "processed": timestamp(at)}
        if "reason" in facts:
            event["reason"] = facts["reason"]
        if "attempt" in facts:
            event["attempt_num"] = int(facts["attempt"])
        if "url" in facts:
            event["url"] = facts["url"]
        if kind == "bounce":
            event["bounce_type"] = "soft" if facts.get("type") == "blocked" else "hard"
        self.events.append(event)

    def summary(self) -> dict[str, Any]:
        """As the search shows it."""
        return {
            "from_email": self.from_email,
            "msg_id": self.msg_id,
            "subject": self.subject,
            "to_email": self.to_email,
            "status": self.status,
            "opens_count": self.opens,
            "clicks_count": self.clicks,
            "last_event_time": timestamp(self.last_event),
        }


@dataclass(slots=True)
class MailState:
    """Plain data."""

    messages: dict[str, MailMessage] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=initial_settings)
    signed: bool = False
    key: str = ""
    """Private key of signed events as text; empty until it is needed."""
    automatic: bool = True
    """Whether mails are delivered by themselves."""
    window_start: float = 0.0
    window_used: int = 0


def timestamp(at: float) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
