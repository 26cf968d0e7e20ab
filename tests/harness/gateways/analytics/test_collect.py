"""`collect` answers 204 to everything and counts what is valid."""

from typing import Any

import httpx
import pytest

from harness.gateways.analytics.gateway import AnalyticsGateway
from harness.gateways.gateway import World
from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.analytics.conftest import Sender

PURCHASE = {"name": "purchase", "params": {"transaction_id": "o1", "value": 9.9, "currency": "EUR"}}


def payload(*events: Any, **members: Any) -> dict[str, Any]:
    return {"client_id": "555.123", "events": list(events), **members}


def test_events_are_counted_with_their_transaction(mock: RunningMock, send: Sender) -> None:
    answer = send(payload(PURCHASE, {"name": "login"}))
    assert (answer.status_code, answer.content) == (204, b"")
    purchase, login = mock.control.ledger("event")
    assert (purchase["reference"], purchase["status"]) == ("o1", "recorded")
    assert purchase["data"] == {
        "name": "purchase",
        "stream": "G-TREATYMOCK",
        "client": "555.123",
        "value": 9.9,
        "currency": "EUR",
    }
    assert login["data"]["name"] == "login"


def test_a_repeated_purchase_is_marked_as_a_duplicate(mock: RunningMock, send: Sender) -> None:
    for _ in range(2):
        send(payload(PURCHASE, {"name": "login"}))
    send(payload(PURCHASE), measurement_id="G-OTHER")
    found = [each["status"] for each in mock.control.ledger(reference="o1")]
    assert found == ["recorded", "duplicate", "recorded"]


@pytest.mark.parametrize(
    "stream",
    [
        {"api_secret": None},
        {"api_secret": ""},
        {"api_secret": "invalid"},
        {"measurement_id": None},
        {"measurement_id": "UA-1"},
    ],
)
def test_a_wrong_stream_or_secret_is_dropped_silently(
    mock: RunningMock, send: Sender, stream: dict[str, str | None]
) -> None:
    assert send(payload(PURCHASE), **stream).status_code == 204
    assert mock.control.ledger() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"events": 5}',
        b'{"events": [{"name": "login"}]}',
        b'{"client_id": 5, "events": []}',
        b'{"client_id": "1", "events": [{"name": "a", "params": {"v": 1e999}}]}',
    ],
)
def test_what_cannot_be_read_is_dropped_silently(mock: RunningMock, send: Sender, body: bytes) -> None:
    answer = send(body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert mock.control.ledger() == []


@pytest.mark.parametrize("size", [130_001, 2_000_000])
def test_more_than_130_kb_are_dropped_silently(mock: RunningMock, send: Sender, size: int) -> None:
    assert send(payload(PURCHASE, padding="x" * size)).status_code == 204
    assert mock.control.ledger() == []


def test_a_bad_event_does_not_take_the_others_along(mock: RunningMock, send: Sender) -> None:
    send(payload({"name": "_bad"}, PURCHASE, {"name": 5}, {"name": "ok", "params": 5}))
    assert [each["data"]["name"] for each in mock.control.ledger()] == ["purchase"]


def test_a_body_of_any_content_type_or_none_is_read(mock: RunningMock) -> None:
    query = {"measurement_id": "G-TREATYMOCK", "api_secret": "x"}
    raw = b'{"client_id": "1", "events": [{"name": "login"}]}'
    for headers in ({}, {"content-type": "text/plain;charset=UTF-8"}, {"content-type": "application/json"}):
        answer = httpx.post(f"{mock.url}/mp/collect", params=query, content=raw, headers=headers)
        assert answer.status_code == 204
    assert len(mock.control.ledger()) == 3


def test_an_app_has_its_own_identifiers(mock: RunningMock, send: Sender) -> None:
    app = {"measurement_id": None, "firebase_app_id": "1:2:android:3"}
    assert send({"app_instance_id": "a" * 32, "events": [{"name": "login"}]}, **app).status_code == 204
    assert mock.control.ledger()[0]["data"]["stream"] == "1:2:android:3"


def test_the_secret_is_not_recorded(mock: RunningMock, send: Sender) -> None:
    send(payload(PURCHASE), api_secret="very-secret")
    assert "very-secret" not in str(mock.control.requests())
    assert "very-secret" not in str(mock.control.ledger())


def test_scripted_failures_are_pages_of_the_front_end(mock: RunningMock, send: Sender) -> None:
    mock.control.script({"status": 503}, {"lost": True})
    answer = send(payload(PURCHASE))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    with pytest.raises(httpx.TransportError):
        send(payload(PURCHASE))
    assert len(mock.control.ledger()) == 1


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/mp/collect", 405), ("POST", "/collect", 404)])
def test_other_methods_and_paths_are_refused(mock: RunningMock, method: str, path: str, status: int) -> None:
    assert httpx.request(method, mock.url + path).status_code == status


def test_instructions_are_python_that_runs(mock: RunningMock) -> None:
    exec(AnalyticsGateway(World()).instructions(mock.url), {})  # noqa: S102 it is our own text
    assert len(mock.control.ledger()) == 1
