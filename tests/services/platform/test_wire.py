"""Fields of a stream entry: what goes in comes out, and what others write is understood."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from shop.runtime.events import CloudEvent
from shop.runtime.transport import PublishedMessage

from services.platform.redis_streams import wire

NOW = datetime(2026, 2, 1, tzinfo=UTC)
CLOUD_EVENT = "application/cloudevents+json"
HEADERS = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name not in {"partitionKey", "content-type", "ttlInSeconds"}), st.text()
)


@given(st.binary(), st.text(min_size=1), HEADERS, st.none() | st.text())
def test_a_message_survives(body: bytes, content_type: str, headers: dict[str, str], key: str | None) -> None:
    sent = PublishedMessage(body=body, content_type=content_type, headers=headers, ordering_key=key)
    data, metadata = wire.encode(sent, NOW)
    assert all(isinstance(value, str) for value in json.loads(metadata).values())
    for fields in ([b"data", data, b"metadata", metadata.encode()], [b"metadata", metadata.encode(), b"data", data]):
        assert wire.decode(fields).message() == sent


@given(st.binary())
def test_metadata_of_others_never_makes_reading_fail(metadata: bytes) -> None:
    assert wire.decode([b"metadata", metadata, b"data", b"x"]).body == b"x"


def test_values_of_metadata_that_are_no_texts_are_kept_as_json() -> None:
    found = wire.decode([b"data", b"x", b"metadata", b'{"n":1,"deep":{"a":[true]},"t":"x"}'])
    assert found.headers == {"n": "1", "deep": '{"a": [true]}', "t": "x"}


def test_the_event_that_dapr_stores_is_read_as_it_is() -> None:
    """components-contrib 1.18, pubsub/envelope.go: keys sorted, <>& escaped, time in the local zone."""
    data = (
        b'{"data":{"text":"\\u003c\\u0026\\u003e"},"datacontenttype":"application/json","id":"5929","pubsubname":"pubsub",'
        b'"source":"checkout","specversion":"1.0","time":"2026-11-23T03:44:00+01:00","topic":"orders",'
        b'"traceid":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",'
        b'"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","tracestate":"",'
        b'"type":"com.dapr.event.sent"}'
    )
    found = wire.decode([b"metadata", b"{}", b"data", data])
    event = CloudEvent.from_json(found.body)
    assert (found.content_type, event.data, event.extensions["topic"]) == (CLOUD_EVENT, {"text": "<&>"}, "orders")
    assert event.trace is not None


def test_our_events_are_events_for_the_official_library() -> None:
    event = CloudEvent(id="1", source="order", type="t", data={"big": 12345678901234567890}, extensions={"a": 1})
    data, _ = wire.encode(PublishedMessage(body=event.to_json(), content_type=CLOUD_EVENT), NOW)
    read = JSONFormat().read(None, data)
    assert (read.get_id(), read.get_source(), read.get_data()) == ("1", "order", {"big": 12345678901234567890})


@given(st.integers(1, 10**6))
def test_a_time_to_live_ends_when_it_says(seconds: int) -> None:
    event = CloudEvent(id="1", source="order", type="t")
    sent = PublishedMessage(body=event.to_json(), content_type=CLOUD_EVENT, headers={"ttlInSeconds": str(seconds)})
    body, _ = wire.encode(sent, NOW)
    assert wire.may_expire(body)
    assert not wire.expired(body, NOW + timedelta(seconds=seconds - 0.001))
    assert wire.expired(body, NOW + timedelta(seconds=seconds))
    assert CloudEvent.from_json(body).id == "1"


@pytest.mark.parametrize("ttl", ["0", "-1", "1.5", "", "\u0663"])
def test_a_time_to_live_that_is_none_is_refused(ttl: str) -> None:
    sent = PublishedMessage(body=b"{}", content_type=CLOUD_EVENT, headers={"ttlInSeconds": ttl})
    with pytest.raises(ValueError, match="ttlInSeconds"):
        wire.encode(sent, NOW)


@pytest.mark.parametrize(
    "body",
    [b'"expiration"', b'["expiration"]', b'{"expiration":1}', b'{"expiration":"soon"}', b'{"a":"expiration"}'],
)
def test_what_only_looks_like_an_expiration_is_none(body: bytes) -> None:
    assert not wire.expired(body, NOW)
