"""`validate` says what is wrong, with Google's codes."""

import time
from typing import Any

import pytest

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.analytics.conftest import Sender

EVENT: dict[str, Any] = {"name": "login", "params": {"method": "mail"}}
NOW = int(time.time() * 1_000_000)
HOUR = 3_600_000_000


def payload(*events: Any, **members: Any) -> dict[str, Any]:
    return {"client_id": "555.123", "events": list(events), **members}


def test_a_valid_payload_has_no_messages_and_counts_nothing(mock: RunningMock, send: Sender) -> None:
    good = payload(
        EVENT,
        {"name": "purchase", "params": {"value": 1, "currency": "EUR", "items": [{"item_id": "sku"}]}},
        user_properties={"tier": {"value": "gold"}},
        consent={"ad_user_data": "DENIED"},
        timestamp_micros=NOW - 71 * HOUR,
        validation_behavior="ENFORCE_RECOMMENDATIONS",
    )
    answer = send(good, debug=True)
    assert (answer.status_code, answer.json()) == (200, {"validationMessages": []})
    assert mock.control.ledger() == []


def test_a_bad_name_is_worded_as_google_does(mock: RunningMock, send: Sender) -> None:
    assert send(payload({"name": "_badEventName"}), debug=True).json()["validationMessages"] == [
        {
            "fieldPath": "events",
            "description": (
                "Event at index: [0] has invalid name [_badEventName]. Names must start with an alphabetic character."
            ),
            "validationCode": "NAME_INVALID",
        }
    ]


def test_a_missing_client_is_worded_as_google_does(mock: RunningMock, send: Sender) -> None:
    assert send({"events": [EVENT]}, debug=True).json()["validationMessages"] == [
        {
            "fieldPath": "client_id",
            "description": "Measurement requires a client_id.",
            "validationCode": "VALUE_REQUIRED",
        }
    ]


CASES: list[tuple[Any, str, str | None]] = [
    (b"{", "VALUE_INVALID", None),
    (b"[]", "VALUE_INVALID", None),
    (b"", "VALUE_INVALID", None),
    ({"client_id": "1"}, "VALUE_REQUIRED", "events"),
    ({"client_id": "1", "events": {}}, "VALUE_INVALID", "events"),
    ({"client_id": 1, "events": [EVENT]}, "VALUE_INVALID", "client_id"),
    (payload(), "VALUE_REQUIRED", "events"),
    (payload(*[EVENT] * 26), "VALUE_OUT_OF_BOUNDS", "events"),
    (payload(5), "VALUE_INVALID", "events"),
    (payload({}), "VALUE_REQUIRED", "events"),
    (payload({"name": "a-b"}), "NAME_INVALID", "events"),
    (payload({"name": "a" * 41}), "NAME_INVALID", "events"),
    (payload({"name": "session_start"}), "NAME_RESERVED", "events"),
    (payload({"name": "firebase_x"}), "NAME_RESERVED", "events"),
    (payload({"name": "a", "params": {f"p{n}": 1 for n in range(26)}}), "EXCEEDED_MAX_ENTITIES", "events.params"),
    (payload({"name": "a", "params": {"google_x": 1}}), "NAME_RESERVED", "events.params.google_x"),
    (payload({"name": "a", "params": {"1x": 1}}), "NAME_INVALID", "events.params.1x"),
    (payload({"name": "a", "params": {"x": "y" * 101}}), "VALUE_OUT_OF_BOUNDS", "events.params.x"),
    (payload({"name": "a", "params": {"x": {"y": 1}}}), "VALUE_INVALID", "events.params.x"),
    (payload({"name": "a", "params": {"currency": "euro"}}), "VALUE_INVALID", "events.params.currency"),
    (payload({"name": "a", "params": {"value": "1"}}), "VALUE_INVALID", "events.params.value"),
    (payload({"name": "a", "params": {"items": [{}]}}), "VALUE_REQUIRED", "events.params.items"),
    (
        payload({"name": "a", "params": {"items": [{"item_id": "x"}] * 201}}),
        "EXCEEDED_MAX_ENTITIES",
        "events.params.items",
    ),
    (payload(EVENT, timestamp_micros=NOW - 73 * HOUR), "VALUE_INVALID", "timestamp_micros"),
    (payload(EVENT, timestamp_micros=NOW + HOUR), "VALUE_INVALID", "timestamp_micros"),
    (payload(EVENT, timestamp_micros="soon"), "VALUE_INVALID", "timestamp_micros"),
    (payload(EVENT, timestamp_micros=10**30), "VALUE_INVALID", "timestamp_micros"),
    (payload({**EVENT, "timestamp_micros": NOW - 73 * HOUR}), "VALUE_INVALID", "events.timestamp_micros"),
    (
        payload(EVENT, user_properties={f"p{n}": {"value": 1} for n in range(26)}),
        "EXCEEDED_MAX_ENTITIES",
        "user_properties",
    ),
    (payload(EVENT, user_properties={"user_id": {"value": 1}}), "NAME_RESERVED", "user_properties"),
    (payload(EVENT, user_properties={"a" * 25: {"value": 1}}), "NAME_INVALID", "user_properties"),
    (payload(EVENT, user_properties={"a": {"value": "x" * 37}}), "VALUE_OUT_OF_BOUNDS", "user_properties"),
    (payload(EVENT, user_properties={"a": 1}), "VALUE_INVALID", "user_properties"),
    (payload(EVENT, consent={"ad_user_data": "MAYBE"}), "VALUE_INVALID", "consent.ad_user_data"),
    (payload(EVENT, user_id="x" * 257), "VALUE_OUT_OF_BOUNDS", "user_id"),
    (payload(EVENT, padding="x" * 130_000), "VALUE_OUT_OF_BOUNDS", None),
    (payload(EVENT, padding="x" * 2_000_000), "VALUE_OUT_OF_BOUNDS", None),
    (b'{"client_id": "1", "client_id": "2", "events": [{"name": "a"}]}', "NAME_DUPLICATED", "client_id"),
    (
        payload({"name": "purchase", "params": {"value": 1}}, validation_behavior="ENFORCE_RECOMMENDATIONS"),
        "VALUE_REQUIRED",
        "events.params.currency",
    ),
]


@pytest.mark.parametrize(("body", "code", "path"), CASES, ids=range(len(CASES)))
def test_one_fault_gives_one_message(mock: RunningMock, send: Sender, body: Any, code: str, path: str | None) -> None:
    answer = send(body, debug=True)
    assert answer.status_code == 200
    (message,) = answer.json()["validationMessages"]
    assert (message["validationCode"], message.get("fieldPath")) == (code, path)
    send(body)
    assert mock.control.ledger() == []


def test_a_stream_is_required_and_the_secret_is_not_looked_at(mock: RunningMock, send: Sender) -> None:
    messages = send(payload(EVENT), debug=True, measurement_id=None).json()["validationMessages"]
    assert [each["fieldPath"] for each in messages] == ["measurement_id"]
    assert send(payload(EVENT), debug=True, api_secret=None).json() == {"validationMessages": []}
