"""What mails and text messages are, and what the notification service asks of those who send them.

Addresses, numbers and texts are left out of every `repr`, so that no log or traceback has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

MAX_SMS = 1600
"""Characters of a text message, in all its segments (Twilio's error 21617)."""
_KEY = re.compile(r"[A-Za-z0-9._~/-]{1,108}")
_ADDRESS = re.compile(r"[^\s@<>\"\\,;]{1,64}@[^\s@<>\"\\,;]{1,255}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class DeliveryStatus(StrEnum):
    """What became of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Of a mailbox. ValueError for what is none, which is not quoted."""

    email: str = field(repr=False)
    name: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.email):
            raise ValueError("`email` is no address of a mailbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one customer. `key` is the idempotency key of this step."""

    key: str
    to: Address = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    order_id: str = ""

    def __post_init__(self) -> None:
        _check_key(self.key)
        if not self.subject or not self.text:
            raise ValueError("a mail needs a subject and a text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """A text message. `key` is the idempotency key of this step, `to` a number in E.164."""

    key: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    order_id: str = ""

    def __post_init__(self) -> None:
        _check_key(self.key)
        if not _NUMBER.fullmatch(self.to):
            raise ValueError("`to` must be a telephone number in E.164")
        if not 1 <= len(self.text) <= MAX_SMS:
            raise ValueError(f"a text message has 1 to {MAX_SMS} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the vendor took. `id` is its name for the message."""

    id: str
    status: DeliveryStatus
    failure: str = ""
    """The vendor's code when it was not delivered, where it has one."""
    recovered: bool = False
    """An earlier attempt had sent it; this one only found it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Attempts with a key whose outcome nobody saw. Times with a time zone.

    `first` is when the first of them began. `last` is when something can have been sent at the latest: when the last
    call raised `OutcomeUnknown`, or when its process died.
    """

    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        if self.first.tzinfo is None or self.last.tzinfo is None:
            raise ValueError("`first` and `last` need a time zone")
        if self.last < self.first:
            raise ValueError("`last` is before `first`")


class MailSender(Protocol):
    """Sends mails. All methods raise `services.platform.gateways.errors.GatewayError`."""

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        """Send a mail once.

        With `earlier`, after a crash for example, the vendor is asked before anything is sent. None says that the key
        is used for the first time. `OutcomeUnknown` when it cannot be told whether the mail was sent: call again later,
        with `earlier`.
        """
        ...

    async def status(self, mail_id: str) -> Receipt:
        """What became of a mail; `UnknownReference` when the vendor does not know it, or not yet."""
        ...


class SmsSender(Protocol):
    """Sends text messages. All methods raise `services.platform.gateways.errors.GatewayError`."""

    async def send(self, sms: Sms, *, earlier: Earlier | None = None) -> Receipt:
        """Send a text message once; `earlier` as for mails."""
        ...

    async def status(self, sms_id: str) -> Receipt:
        """What became of a text message."""
        ...


class SmsKeys(Protocol):
    """What status callbacks have told: they bring the key of a message together with its id."""

    async def key_of(self, sms_id: str) -> str | None:
        """The key that a message was sent with; None as long as no callback has told it."""
        ...


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError("an idempotency key is needed: at most 108 letters, digits and . _ ~ / -")
