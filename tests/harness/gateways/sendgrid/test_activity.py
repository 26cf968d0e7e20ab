"""The email activity, which answers whether a mail was sent."""

from collections.abc import Callable
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError, NotFoundError

from harness.gateways.inprocess import RunningMock

Maker = Callable[..., Any]


def found(client: Any, query: str, **more: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = client.client.messages.get(query_params={"query": query, **more}).to_dict[
        "messages"
    ]
    return messages


def test_a_mail_whose_answer_was_lost_is_found_by_its_custom_argument(
    mock: RunningMock, client: Any, mail: Maker
) -> None:
    mock.control.script({"lost": True})
    with pytest.raises(OSError):
        client.send(mail(key="saga-1:mail"))
    (message,) = found(client, "(unique_args['key']=\"saga-1:mail\")")
    assert message["to_email"] == "ada@example.com"
    assert found(client, "(unique_args['key']=\"saga-2:mail\")") == []


def test_a_mail_that_was_refused_is_not_found(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.script({"reset": True})
    with pytest.raises(OSError):
        client.send(mail(key="saga-1:mail"))
    assert found(client, "unique_args['key']=\"saga-1:mail\"") == []


def test_the_status_follows_the_events(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.freeze()
    client.send(mail("ada@example.com", "bounce@example.com"))
    query = 'from_email="shop@example.com"'
    assert {each["status"] for each in found(client, query)} == {"processing"}
    mock.control.advance(1)
    statuses = {each["to_email"]: each["status"] for each in found(client, query)}
    assert statuses == {"ada@example.com": "delivered", "bounce@example.com": "not_delivered"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ('to_email="ada@example.com"', 1),
        ('to_email!="ada@example.com"', 1),
        ('to_email LIKE "%@example.com"', 2),
        ('to_email LIKE "a%b%"', 0),
        ('subject="Your order" AND to_email="bob@example.com"', 1),
        ('to_email="ada@example.com" OR to_email="bob@example.com"', 2),
        ('status IN ("processing","delivered")', 2),
        ('NOT (to_email="ada@example.com")', 1),
        ('last_event_time > TIMESTAMP "2001-01-01T00:00:00Z"', 2),
        ('last_event_time BETWEEN TIMESTAMP "2001-01-01T00:00:00Z" AND TIMESTAMP "2002-01-01T00:00:00Z"', 0),
        ("opens_count < 1", 2),
        ('Contains(categories,"receipts")', 0),
    ],
)
def test_conditions_choose_messages(mock: RunningMock, client: Any, mail: Maker, query: str, count: int) -> None:
    client.send(mail("ada@example.com", "bob@example.com"))
    assert len(found(client, query)) == count


def test_the_limit_cuts_the_list(mock: RunningMock, client: Any, mail: Maker) -> None:
    client.send(mail(*(f"a{number}@example.com" for number in range(12))))
    assert len(found(client, 'subject="Your order"')) == 10
    assert len(found(client, 'subject="Your order"', limit=12)) == 12


@pytest.mark.parametrize(
    "query",
    [
        "nonsense",
        "to_email",
        "to_email = ",
        'color="red"',
        '(to_email="a"',
        'to_email="a" to_email="b"',
        "(" * 500,
        "'",
    ],
)
def test_a_query_that_cannot_be_read_answers_400(mock: RunningMock, client: Any, query: str) -> None:
    with pytest.raises(BadRequestsError) as caught:
        found(client, query)
    assert caught.value.to_dict["errors"][0]["field"] == "query"


def test_one_message_shows_its_events_and_arguments(mock: RunningMock, client: Any, mail: Maker) -> None:
    client.send(mail("defer@example.com", order_id="o1"))
    mock.control.advance(10)
    (message,) = found(client, "unique_args['order_id']=\"o1\"")
    detail = client.client.messages._(message["msg_id"]).get().to_dict
    assert [each["event_name"] for each in detail["events"]] == ["processed", "deferred", "delivered"]
    assert detail["unique_args"] == '{"order_id": "o1"}'
    with pytest.raises(NotFoundError):
        client.client.messages._("nothing").get()
