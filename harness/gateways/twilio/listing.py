"""Pages of messages, and the filters of the list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

from harness.gateways.twilio.errors import TwilioProblem
from harness.gateways.twilio.numbers import recipient, sender
from harness.gateways.twilio.state import SmsMessage

Condition: TypeAlias = Callable[[SmsMessage], bool]
_TOKEN = re.compile(r"PA(?:SM|MM)[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is asked for; times as text in ISO 8601.

    The SDK sends a date as midnight, so that `sent` means the whole day, and the others the second.
    """

    to: str | None = None
    sender: str | None = None
    sent: str | None = None
    sent_before: str | None = None
    sent_after: str | None = None

    def conditions(self) -> list[Condition]:
        """What a message has to fulfil. A message that is not sent yet counts by its creation."""
        found: list[Condition] = []
        if self.to:
            to = recipient(self.to) or self.to
            found.append(lambda message: message.to == to)
        if self.sender:
            from_ = sender(self.sender) or self.sender
            found.append(lambda message: message.sender == from_)
        if self.sent:
            day = _read(self.sent).date()
            found.append(lambda message: datetime.fromtimestamp(_time(message), UTC).date() == day)
        if self.sent_before:
            until = _read(self.sent_before).timestamp()
            found.append(lambda message: _time(message) <= until)
        if self.sent_after:
            since = _read(self.sent_after).timestamp()
            found.append(lambda message: _time(message) >= since)
        return found

    def query(self) -> dict[str, str]:
        """As parameters of a link."""
        pairs = (
            ("To", self.to),
            ("From", self.sender),
            ("DateSent", self.sent),
            ("DateSent<", self.sent_before),
            ("DateSent>", self.sent_after),
        )
        return {name: value for name, value in pairs if value}


def page_of(
    messages: Sequence[SmsMessage], filters: Filters, path: str, *, size: int, number: int, token: str | None
) -> dict[str, Any]:
    """A page, newest message first. The token names the message before the page, so that new ones move nothing."""
    conditions = filters.conditions()
    fitting = [each for each in reversed(messages) if all(fits(each) for fits in conditions)]
    start = number * size
    if token:
        if not _TOKEN.fullmatch(token):
            raise TwilioProblem(400, 20001, "Invalid PageToken")
        places = [place for place, each in enumerate(fitting) if each.sid == token[2:]]
        start = places[0] + 1 if places else len(fitting)
    shown = fitting[start : start + size]
    following = fitting[start + size : start + size + 1]

    def link(page: int, **more: str) -> str:
        return f"{path}?{urlencode({**filters.query(), 'PageSize': size, 'Page': page, **more})}"

    before = next((each.sid for each in fitting[start - size - 1 : start - size]), "") if start > size else ""
    previous = link(number - 1, **({"PageToken": f"PA{before}"} if before else {})) if number else None
    return {
        "messages": [each.as_dict() for each in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": max(start, start + len(shown) - 1),
        "uri": link(number, **({"PageToken": token} if token else {})),
        "first_page_uri": link(0),
        "next_page_uri": link(number + 1, PageToken=f"PA{shown[-1].sid}") if following else None,
        "previous_page_uri": previous,
    }


def instant(text: str) -> datetime | None:
    """ISO 8601 with a time of day, UTC when it does not say; None when it is something else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _read(text: str) -> datetime:
    """In UTC."""
    found = instant(text)
    try:
        if found is not None:
            return found.astimezone(UTC)
    except OverflowError:
        found = None
    raise TwilioProblem(400, 20001, f"Invalid date: {text}")


def _time(message: SmsMessage) -> float:
    return int(message.created if message.sent is None else message.sent)
