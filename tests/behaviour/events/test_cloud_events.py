"""CloudEvents from a generated publisher to a generated consumer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.runtime.events import CloudEvent
from tests.behaviour.events.conftest import Generated


def order(made: Generated, **changes: Any) -> Any:
    values = {"order_id": "o1", "total": Decimal("35.69"), "status": "new"} | changes
    return made.order__v1__events__models.OrderCreated(**values)


class Recorder:
    """A consumer that keeps what it gets and does as told."""

    def __init__(self, *outcomes: Any) -> None:
        self.seen: list[Any] = []
        self.deliveries: list[Any] = []
        self._outcomes = list(outcomes)

    async def __call__(self, event: Any, delivery: Any) -> Any:
        self.seen.append(event)
        self.deliveries.append(delivery)
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_a_published_event_reaches_the_handler_as_its_model(made: Generated, transport: Any) -> None:
    handler = Recorder()
    await made.order__v1__events__consumers.subscribe_handle_created(transport, handler)
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    sent = await publisher.publish_order_created(order(made), subject="o1", aggregateversion=4)
    await transport.drain()
    [event] = handler.seen
    assert event == sent
    assert type(event).__name__ == "OrderCreatedEvent"
    assert event.data.total == Decimal("35.69")
    assert handler.deliveries[0].attempt == 1


async def test_id_time_source_type_and_trace_are_filled_in(made: Generated, transport: Any) -> None:
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    with made.runtime__context.trace_scope() as trace:
        event = await publisher.publish_order_created(order(made), subject="o1")
    [message] = transport.messages("order-created")
    body = json.loads(message.body)
    assert message.content_type == "application/cloudevents+json"
    assert message.ordering_key == "o1"
    assert body["source"] == "order"
    assert body["type"] == "order-created"
    assert body["specversion"] == "1.0"
    assert body["datacontenttype"] == "application/json"
    assert body["id"] == event.id
    assert trace.trace_id in body["traceparent"]
    assert datetime.fromisoformat(body["time"]).tzinfo is not None
    assert body["time"].endswith("Z")
    assert b'"total":35.69' in message.body


async def test_id_and_time_can_be_given_and_absent_attributes_are_not_written(made: Generated, transport: Any) -> None:
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport, source="/shop/orders")
    moment = datetime(2026, 2, 1, 10, 15, 31, 204000, tzinfo=UTC)
    event = await publisher.publish_order_created(order(made), subject="o1", id="fixed", time=moment)
    body = json.loads(transport.messages("order-created")[0].body)
    assert (event.id, event.time, body["source"]) == ("fixed", moment, "/shop/orders")
    assert "aggregateversion" not in body
    assert "tracestate" not in body


async def test_handlers_run_in_the_trace_of_the_publisher(made: Generated, transport: Any) -> None:
    traces = []

    async def handler(event: Any, delivery: Any) -> None:
        traces.append(made.runtime__context.current_trace().trace_id)

    await made.order__v1__events__consumers.subscribe_handle_created(transport, handler)
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    with made.runtime__context.trace_scope() as trace:
        await publisher.publish_order_created(order(made), subject="o1")
    await transport.drain()
    assert traces == [trace.trace_id]


async def test_an_enumeration_value_that_the_contract_does_not_list_survives(made: Generated, transport: Any) -> None:
    handler = Recorder()
    await made.order__v1__events__consumers.subscribe_handle_created(transport, handler)
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    await publisher.publish_order_created(order(made), subject="o1")
    [message] = transport.messages("order-created")
    newer = message.body.replace(b'"new"', b'"teleported"')
    await transport.publish("order-created", made.runtime__transport.PublishedMessage(body=newer))
    await transport.drain()
    assert json.loads(handler.seen[1].to_json())["data"]["status"] == "teleported"


async def test_messages_of_one_channel_are_told_apart_by_their_type(made: Generated, transport: Any) -> None:
    created, cancelled = Recorder(), Recorder()
    await made.order__v1__events__consumers.subscribe_follow_orders(
        transport, on_order_created=created, on_order_cancelled=cancelled
    )
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    await publisher.publish_order_order_created(order(made), subject="o1")
    reason = made.order__v1__events__models.OrderCancelledEventData(reason="no stock")
    await publisher.publish_order_order_cancelled(reason, subject="o1")
    await transport.drain()
    assert [type(event).__name__ for event in created.seen] == ["OrderCreatedEvent"]
    assert [event.data.reason for event in cancelled.seen] == ["no stock"]


async def test_other_messages_of_the_channel_are_passed_over(made: Generated, transport: Any) -> None:
    await made.order__v1__events__consumers.subscribe_follow_orders(
        transport, on_order_created=Recorder(), on_order_cancelled=Recorder()
    )
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    await publisher.publish_order_order_archived({"any": 1}, subject="o1")
    await transport.drain()
    assert transport.messages("order-dead-letters") == ()


async def test_an_unknown_event_type_is_a_dead_letter(made: Generated, transport: Any) -> None:
    await made.order__v1__events__consumers.subscribe_follow_orders(
        transport, on_order_created=Recorder(), on_order_cancelled=Recorder()
    )
    body = b'{"specversion":"1.0","id":"1","source":"x","type":"order-eaten"}'
    await transport.publish("orders", made.runtime__transport.PublishedMessage(body=body))
    await transport.drain()
    [letter] = transport.messages("order-dead-letters")
    assert letter.headers["x-dlq-reason"] == "unknown event type 'order-eaten'"
    assert letter.body == body


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"type":"order-created"}', b"\xff\xfe"])
async def test_what_cannot_be_decoded_is_a_dead_letter_at_once(made: Generated, transport: Any, body: bytes) -> None:
    handler = Recorder()
    await made.order__v1__events__consumers.subscribe_handle_created(transport, handler)
    await transport.publish("order-created", made.runtime__transport.PublishedMessage(body=body))
    await transport.drain()
    [letter] = transport.messages("order-dead-letters")
    assert letter.headers["x-dlq-reason"].startswith("undecodable: OrderCreated: ")
    assert letter.headers["x-attempts"] == "1"
    assert handler.seen == []


async def test_redelivery_follows_the_contract_and_ends_with_a_dead_letter(
    made: Generated, transport: Any, clock: Any
) -> None:
    handler = Recorder(*(RuntimeError("database away") for _ in range(5)))
    await made.order__v1__events__consumers.subscribe_handle_created(transport, handler)
    publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
    await publisher.publish_order_created(order(made), subject="o1")
    start = clock.now().isoformat()
    attempts = []
    for _ in range(4):
        await transport.wait_idle()
        attempts.append(len(handler.seen))
        await clock.advance(1, settle=transport.wait_idle)
    assert attempts == [1, 2, 2, 3]
    [letter] = transport.messages("order-dead-letters")
    assert letter.headers == {
        "x-dlq-reason": "RuntimeError: database away",
        "x-attempts": "3",
        "x-first-seen": start,
        "x-origin-topic": "order-created",
        "x-origin-id": "1",
        "x-origin-group": "shipping",
    }
    assert letter.body == transport.messages("order-created")[0].body
    assert [delivery.attempt for delivery in handler.deliveries] == [1, 2, 3]


async def test_the_whole_consumer_is_subscribed_in_one_call(made: Generated, transport: Any) -> None:
    class Shipping:
        handle_created = Recorder()
        follow_orders_order_created = Recorder()
        follow_orders_order_cancelled = Recorder()

    consumer = Shipping()
    async with await made.order__v1__events__consumers.subscribe_shipping_events(transport, consumer):
        publisher = made.order__v1__events__publishers.OrderEventsPublisher(transport)
        await publisher.publish_order_created(order(made), subject="o1")
        await publisher.publish_order_order_created(order(made), subject="o1")
        await transport.drain()
    assert len(consumer.handle_created.seen) == len(consumer.follow_orders_order_created.seen) == 1


async def test_when_one_subscription_fails_those_before_it_are_stopped(made: Generated, transport: Any) -> None:
    class Broken:
        def __init__(self) -> None:
            self.open = 0

        async def subscribe(self, address: str, *rest: Any) -> Any:
            if address == "orders":
                raise made.runtime__errors.TransportError("away")
            self.open += 1
            return self

        async def stop(self, *, grace: float | None = None) -> None:
            self.open -= 1

    class Shipping:
        handle_created = follow_orders_order_created = follow_orders_order_cancelled = Recorder()

    broken = Broken()
    with pytest.raises(made.runtime__errors.TransportError):
        await made.order__v1__events__consumers.subscribe_shipping_events(broken, Shipping())
    assert broken.open == 0


def test_published_events_pass_the_cloudevents_sdk(made: Generated) -> None:
    """The Python SDK of CloudEvents reads our bytes and finds the same attributes."""
    pytest.importorskip("cloudevents")
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent as Reference

    moment = datetime(2026, 2, 1, 10, 15, 31, 204000, tzinfo=UTC)
    ours = CloudEvent(
        id="1",
        source="order",
        type="order-created",
        time=moment,
        subject="o1",
        data={"total": 1},
        extensions={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
    )
    theirs = JSONFormat().read(Reference, ours.to_json())
    assert theirs.get_id() == "1"
    assert theirs.get_time() == moment
    assert theirs.get_data() == {"total": 1}
    assert theirs.get_extension("traceparent") == ours.extensions["traceparent"]
    assert CloudEvent.from_json(JSONFormat().write(theirs)) == ours


@given(
    st.builds(
        CloudEvent,
        id=st.text(min_size=1, alphabet='a0-ü\u2603"\\\n'),
        source=st.from_regex(r"[a-z/:.]{1,20}", fullmatch=True),
        type=st.just("a.b"),
        time=st.datetimes(timezones=st.just(UTC)),
        subject=st.none() | st.just("s"),
        data=st.none() | st.binary(min_size=1) | st.dictionaries(st.just("k"), st.integers() | st.just("ä<>&")),
        extensions=st.dictionaries(
            st.from_regex(r"x[a-z0-9]{1,8}", fullmatch=True),
            st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.just("t"),
        ),
    )
)
def test_an_event_survives_a_round_trip(event: CloudEvent) -> None:
    assert CloudEvent.from_json(event.to_json()) == event


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"source": ""},
        {"source": "a b"},
        {"type": ""},
        {"subject": ""},
        {"dataschema": "relative"},
        {"datacontenttype": "nonsense"},
        {"extensions": {"event_id": "x"}},
        {"extensions": {"Trace": "x"}},
        {"extensions": {"n": 2**31}},
        {"extensions": {"n": 1.5}},
        {"extensions": {"data": "x"}},
        {"time": datetime(2026, 1, 1)},  # noqa: DTZ001 a time without zone is what is refused
    ],
)
def test_an_attribute_that_breaks_the_specification_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        CloudEvent(**({"id": "1", "source": "s", "type": "t"} | change))
