"""What an event is, and what the analytics service asks of those who collect them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

Value: TypeAlias = "str | int | float"
Param: TypeAlias = "Value | Sequence[Mapping[str, Value]]"
"""A list is for the items of a purchase."""
_KEY = re.compile(r"[A-Za-z0-9._~/-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Whose events they are: `client_id` of the browser or device, `user_id` our own pseudonym of a customer."""

    client_id: str = field(repr=False)
    user_id: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ValueError("a client id is needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `key` is the idempotency key of its step, and goes with it so that repetitions show.

    `at` is when, with a time zone; None for now.
    """

    key: str
    name: str
    params: Mapping[str, Param] = field(default_factory=dict, repr=False)
    at: datetime | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError("an idempotency key is needed: at most 100 letters, digits and . _ ~ / -")
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("`at` needs a time zone")


class EventSink(Protocol):
    """Collects events."""

    async def record(self, visitor: Visitor, events: Sequence[Event]) -> bool:
        """Whether all of them were taken. Trouble of the vendor is no reason to raise, and nothing is repeated.

        `services.platform.gateways.errors.Rejected`, before anything is sent, for events that the vendor would drop
        in silence: a fault of the program.
        """
        ...
