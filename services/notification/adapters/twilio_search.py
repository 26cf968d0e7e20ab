"""Which message at Twilio, if any, an attempt has made, when its answer was lost.

Candidates went to the number from the sender since the attempt and have the text. The list cannot show the key, so
that others are told apart by what this process has sent and by what status callbacks have told. One that is left is
taken for ours; when there are more, nobody can tell.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

from shop.external.twilio.http.client import Client
from shop.external.twilio.http.models import Message, MessageList
from shop.runtime.http_client import CallOptions

from services.notification.domain import SmsKeys
from services.platform.gateways.calling import Caller
from services.platform.gateways.errors import OutcomeUnknown

SKEW = timedelta(seconds=60)
"""By which our clock and Twilio's may differ."""
PAGE_SIZE = 100
MAX_PAGES = 10
MAX_REMEMBERED = 10_000
_TRIAL = "sentfromyourtwiliotrialaccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A message that may be at Twilio."""

    key: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    since: datetime
    sender: str | None = None
    service: str | None = None

    def may_be(self, message: Message) -> bool:
        """Whether a message of the list can be it. A text that was removed can be any."""
        if message.direction != "outbound-api" or message.num_media != "0":
            return False
        if self.service not in (None, message.messaging_service_sid):
            return False
        return not message.body or folded(message.body) == folded(self.text)


@dataclass(slots=True)
class TwilioSearch:
    """Searches the list of messages; remembers the keys of those that it knows of."""

    client: Client
    caller: Caller
    options: CallOptions
    account: str
    keys: SmsKeys | None = None
    _known: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def remember(self, sid: str, key: str) -> None:
        """A message is that of a key."""
        self._known[sid] = key
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)

    async def find(self, sought: Sought) -> Message | None:
        """The message, None when there is none; `OutcomeUnknown` when several may be it."""
        undecided = []
        for message in await self._candidates(sought):
            key = await self._key_of(message.sid)
            if key == sought.key:
                return message
            if key is None:
                undecided.append(message)
        if len(undecided) > 1 or any(not each.body for each in undecided):
            raise OutcomeUnknown("twilio", "find", f"{len(undecided)} messages may be this one")
        if not undecided:
            return None
        self.remember(undecided[0].sid, sought.key)
        return undecided[0]

    async def _key_of(self, sid: str) -> str | None:
        key = self._known.get(sid)
        return key if key is not None or self.keys is None else await self.keys.key_of(sid)

    async def _candidates(self, sought: Sought) -> list[Message]:
        """Without DateSent, which leaves out what is queued still; the newest first, until before the attempt."""
        since = (sought.since - SKEW).replace(microsecond=0)
        found: list[Message] = []
        page, token = 0, None
        for _ in range(MAX_PAGES):
            listed = await self._page(sought, page, token)
            recent = [each for each in listed.messages if _created(each) >= since]
            found += (each for each in recent if sought.may_be(each))
            if listed.next_page_uri is None or not recent:
                return found
            page, token = page + 1, dict(parse_qsl(urlsplit(listed.next_page_uri).query)).get("PageToken")
        raise OutcomeUnknown("twilio", "find", "there are too many messages to this number")

    async def _page(self, sought: Sought, page: int, token: str | None) -> MessageList:
        return await self.caller.call(
            "find",
            lambda: self.client.list_messages(
                self.account,
                to=sought.to,
                from_=sought.sender,
                page_size=PAGE_SIZE,
                page=page or None,
                page_token=token,
                options=self.options,
            ),
            repeatable=True,
        )


def folded(text: str) -> str:
    """What Twilio leaves of a text: smart encoding replaces signs, and trial accounts put words before it."""
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", text)).casefold()
    return letters.removeprefix(_TRIAL)


def _created(message: Message) -> datetime:
    """What has no time that can be read counts as new."""
    try:
        found = parsedate_to_datetime(message.date_created)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
