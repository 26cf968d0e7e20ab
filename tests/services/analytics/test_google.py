"""Events through Google Analytics as the analytics service sees them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.gateways.analytics.gateway import API_SECRET, MEASUREMENT_ID
from harness.gateways.inprocess import RunningMock, running
from services.analytics.adapters.google import GoogleAnalytics
from services.analytics.adapters.google_events import batches, shown
from services.analytics.domain import Event, Visitor
from services.analytics.privacy import is_personal
from services.platform.gateways.errors import Rejected
from tests.services.logs import everything_logged

VISITOR = Visitor(client_id="555.1234567890", user_id="c-77")


@pytest.fixture(scope="module")
def served() -> Iterator[RunningMock]:
    with running("analytics") as mocks:
        yield mocks.analytics


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


@pytest.fixture
async def google(mock: RunningMock) -> AsyncIterator[GoogleAnalytics]:
    async with GoogleAnalytics(MEASUREMENT_ID, API_SECRET, base_url=mock.url, timeout=0.3) as sink:
        yield sink


def event(name: str = "purchase", number: int = 1, at: datetime | None = None, **params: Any) -> Event:
    return event_of(params, name, number, at)


def event_of(params: Mapping[str, Any], name: str = "purchase", number: int = 1, at: datetime | None = None) -> Event:
    return Event(key=f"o{number}/track", name=name, params=params, at=at)


async def test_a_purchase_is_counted(google: GoogleAnalytics, mock: RunningMock) -> None:
    items = [{"item_id": "sku-1", "item_name": "Teapot", "price": 9.5, "quantity": 2}]
    bought = event(transaction_id="o1", value=19.0, currency="EUR", items=items, at=datetime.now(UTC))
    assert await google.record(VISITOR, [bought])
    (entry,) = mock.control.ledger("event")
    assert (entry["status"], entry["reference"], entry["data"]["value"]) == ("recorded", "o1", 19.0)
    assert entry["data"]["client"] == VISITOR.client_id


async def test_many_events_go_in_batches_of_25(google: GoogleAnalytics, mock: RunningMock) -> None:
    assert await google.record(VISITOR, [event("view_item", number) for number in range(60)])
    assert len(mock.control.ledger("event")) == 60
    assert len(mock.control.requests("collect")) == 3
    assert await google.record(VISITOR, [])


def test_large_events_go_in_smaller_batches() -> None:
    large = [{"name": "purchase", "params": {"n": number, "x": "y" * 50_000}} for number in range(5)]
    assert [len(batch) for batch in batches(large)] == [2, 2, 1]


@pytest.mark.parametrize("outcome", [{"status": 500}, {"html": 502}, {"reset": True}, {"lost": True}, {"hang": 2.0}])
async def test_trouble_of_the_vendor_is_told_and_neither_raised_nor_repeated(
    google: GoogleAnalytics, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome)
    began = time.monotonic()
    assert not await google.record(VISITOR, [event()])
    assert time.monotonic() - began < 1.9
    assert len(mock.control.requests()) == 1
    assert await google.record(VISITOR, [event(number=2)])


async def test_the_time_out_is_for_all_batches_together(google: GoogleAnalytics, mock: RunningMock) -> None:
    mock.control.script({"hang": 2.0}, times=4)
    began = time.monotonic()
    assert not await google.record(VISITOR, [event("view_item", number) for number in range(100)])
    assert time.monotonic() - began < 1.9


async def test_a_vendor_that_cannot_be_reached_is_no_reason_to_raise() -> None:
    async with GoogleAnalytics(MEASUREMENT_ID, API_SECRET, base_url="http://127.0.0.1:9") as google:
        assert not await google.record(VISITOR, [event()])


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (event("1st"), "name"),
        (event("add-to-cart"), "name"),
        (event("x" * 41), "name"),
        (event("session_start"), "name"),
        (event("ga_special"), "name"),
        (event("purchase", ga_x=1), "params"),
        (event_of({"a b": 1}), "params"),
        (event_of({f"p{number}": number for number in range(25)}), "params"),
        (event("purchase", value=float("nan")), "params.value"),
        (event("purchase", list=[1]), "params.list"),
        (event("purchase", items="tea"), "params.items"),
        (event("purchase", items=[{"price": 1}]), "params.items"),
    ],
)
async def test_what_google_would_drop_in_silence_is_rejected_before_anything_is_sent(
    google: GoogleAnalytics, mock: RunningMock, bad: Event, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        await google.record(VISITOR, [event(), bad])
    assert caught.value.field == field
    assert mock.control.requests() == []


async def test_events_older_than_three_days_are_not_taken(google: GoogleAnalytics, mock: RunningMock) -> None:
    old = event(number=2, at=datetime.now(UTC) - timedelta(hours=73))
    assert not await google.record(VISITOR, [event(), old])
    assert len(mock.control.ledger("event")) == 1


def test_long_values_are_cut_to_what_is_kept() -> None:
    params = shown(event(coupon="c" * 200, page_location="p" * 2000))[0]["params"]
    assert (len(params["coupon"]), len(params["page_location"])) == (100, 1000)


def test_every_event_has_its_key() -> None:
    assert shown(event())[0] == {"name": "purchase", "params": {"idempotency_key": "o1/track"}}
    with pytest.raises(ValueError):
        Event(key="", name="purchase")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "x"),
        ("userEmail", "x"),
        ("EMAIL", "x"),
        ("email2", "x"),
        ("phone_number", 4915123456789),
        ("first_name", "Ada"),
        ("shipping_address", "x"),
        ("note", "write to ada@example.com"),
        ("page_location", "https://shop.example/?m=ada%40example.com"),
        ("note", "+49 (151) 234-5678"),
        ("page_location", "https://shop.example/?p=%2B491512345678"),
    ],
)
def test_personal_data_are_known_by_name_or_value(name: str, value: str | int) -> None:
    assert is_personal(name, value)
    document, left_out = shown(event_of({"items": [{"item_id": "1", name: value}], name: value}))
    assert left_out == [name, name]
    assert document["params"] == {"items": [{"item_id": "1"}], "idempotency_key": "o1/track"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("item_name", "Teapot 2000"),
        ("transaction_id", "4915123456789"),
        ("value", 19.0),
        ("coupon", "SPRING+2026"),
        ("shipping_tier", "express 2026-01-31"),
        ("telemetry", "x"),
    ],
)
def test_other_data_are_kept(name: str, value: str | float) -> None:
    assert shown(event_of({name: value}))[1] == []


async def test_a_user_id_that_is_an_address_is_left_out_and_a_client_id_is_refused(
    google: GoogleAnalytics, mock: RunningMock
) -> None:
    with everything_logged() as written:
        assert await google.record(Visitor(client_id="1.2", user_id="ada@example.com"), [event()])
    assert any("user_id" in text for text in written)
    assert not any("ada@" in text for text in written)
    with pytest.raises(Rejected):
        await google.record(Visitor(client_id="ada@example.com"), [event()])


@pytest.mark.parametrize("outcome", [{}, {"status": 500}, {"html": 404}, {"lost": True}, {"hang": 1.0}])
async def test_no_log_shows_the_secret_or_personal_data(
    google: GoogleAnalytics, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome)
    with everything_logged() as written:
        await google.record(VISITOR, [event(email="ada@example.com", note="call +14155552671")])
    answered = not {"lost", "hang"} & outcome.keys()
    assert any(text.startswith("httpx ") and "/mp/collect" in text for text in written) == answered
    private = (API_SECRET, "api_secret", "ada@", "4155552671", VISITOR.client_id, VISITOR.user_id)
    assert [word for word in private for text in (*written, repr(VISITOR), repr(google)) if word in text] == []
