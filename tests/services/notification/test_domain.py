"""What a mail and a text message may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from services.notification.domain import Address, Earlier, Mail, Sms

TO = Address(email="ada@example.com")


@pytest.mark.parametrize(
    "made",
    [
        lambda: Address(email="ada"),
        lambda: Address(email="ada@example.com, bob@example.com"),
        lambda: Address(email="ada@example.com\nbcc"),
        lambda: Mail(key="", to=TO, subject="s", text="t"),
        lambda: Mail(key='k" OR 1=1', to=TO, subject="s", text="t"),
        lambda: Mail(key="k" * 109, to=TO, subject="s", text="t"),
        lambda: Mail(key="k", to=TO, subject="", text="t"),
        lambda: Mail(key="k", to=TO, subject="s", text=""),
        lambda: Sms(key="k", to="0151 234", text="t"),
        lambda: Sms(key="k", to="whatsapp:+14155552671", text="t"),
        lambda: Sms(key="k", to="+14155552671", text=""),
        lambda: Sms(key="k", to="+14155552671", text="x" * 1601),
    ],
)
def test_what_cannot_be_sent_cannot_be_made_and_is_not_quoted(made: Callable[[], object]) -> None:
    with pytest.raises(ValueError) as caught:
        made()
    assert not any(word in str(caught.value) for word in ("ada", "bob", "0151", "2671"))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001 that is what is refused
    ],
)
def test_earlier_attempts_have_an_order_and_a_time_zone(first: datetime, last: datetime) -> None:
    with pytest.raises(ValueError):
        Earlier(first=first, last=last)
