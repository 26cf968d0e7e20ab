"""Pages and filters of the list of messages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from harness.gateways.inprocess import RunningMock

FROM, TO, OTHER = "+15005550006", "+14155552671", "+4930901820"
DAY = 86_400


@pytest.fixture
def bodies(mock: RunningMock, client: Any) -> list[str]:
    """Five messages, the newest first."""
    for number in range(5):
        client.messages.create(to=OTHER if number == 2 else TO, from_=FROM, body=f"m{number}")
    return [f"m{number}" for number in reversed(range(5))]


def test_pages_follow_each_other_to_the_end(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    assert [each.body for each in client.messages.stream(page_size=2)] == bodies
    assert [each.body for each in client.messages.list(limit=3, page_size=2)] == bodies[:3]
    assert len(mock.control.requests("listMessages")) == 5


def test_a_page_has_twilios_links(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    first = client.messages.page(page_size=2)
    second = first.next_page()
    third = second.next_page()
    assert [each.body for each in third] == bodies[4:]
    assert third.next_page_url is None
    assert first.previous_page_url is None
    assert [each.body for each in third.previous_page()] == bodies[2:4]
    assert [each.body for each in third.previous_page().previous_page()] == bodies[:2]


def test_a_page_past_the_end_is_empty(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    page = client.messages.page(page_number=2026, page_size=1)
    assert list(page) == []
    assert page.next_page_url is None


def test_a_new_message_does_not_move_a_page(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    first = client.messages.page(page_size=2)
    client.messages.create(to=TO, from_=FROM, body="new")
    assert [each.body for each in first.next_page()] == bodies[2:4]


def test_filters_choose_by_numbers(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    assert [each.body for each in client.messages.list(to=OTHER)] == ["m2"]
    assert [each.body for each in client.messages.list(to="+49 30 901820", page_size=1)] == ["m2"]
    assert len(client.messages.list(from_=FROM)) == 5
    assert client.messages.list(from_="+15005550009") == []


def test_filters_keep_on_the_next_page(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    assert [each.body for each in client.messages.list(to=TO, page_size=1)] == ["m4", "m3", "m1", "m0"]


def test_filters_choose_by_time(mock: RunningMock, client: Any) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    mock.control.freeze(noon.timestamp())
    for number in range(3):
        client.messages.create(to=TO, from_=FROM, body=f"m{number}")
        mock.control.advance(DAY)

    def found(**filters: Any) -> list[str]:
        return [each.body for each in client.messages.list(**filters)]

    assert found(date_sent=date(2026, 3, 2)) == ["m1"]
    assert found(date_sent_after=noon + timedelta(hours=12)) == ["m2", "m1"]
    assert found(date_sent_before=noon + timedelta(hours=12)) == ["m0"]
    assert found(date_sent_after=date(2026, 3, 2), date_sent_before=date(2026, 3, 3)) == ["m1"]


def test_an_account_sees_its_own_messages_only(mock: RunningMock, client: Any, bodies: list[str]) -> None:
    from tests.harness.gateways.twilio.conftest import connected

    assert connected(mock, "AC" + "1" * 32, "token").messages.list() == []
