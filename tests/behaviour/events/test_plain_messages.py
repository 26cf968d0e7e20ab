"""Messages that are no CloudEvents: JSON with headers, several per channel, text, bytes, requests and replies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.behaviour.events.conftest import Generated


def modules(made: Generated) -> tuple[Any, Any, Any]:
    return (made.meters__v1__events__publishers, made.meters__v1__events__consumers, made.meters__v1__events__models)


async def test_headers_parameters_and_payload_arrive_typed(made: Generated, transport: Any) -> None:
    publishers, consumers, models = modules(made)
    seen = []

    async def handler(payload: Any, delivery: Any) -> None:
        seen.append((payload, delivery.headers, delivery.address))

    await consumers.subscribe_on_reading(transport, handler, region="north")
    publisher = publishers.MetersEventsPublisher(transport)
    headers = models.ReadingHeaders(meter_id="m1", hops=2)
    await publisher.send_reading(models.Reading(value=1.5), headers=headers, region="north")
    await publisher.send_reading(models.Reading(value=9.0), headers=headers, region="south")
    await transport.drain()
    assert seen == [(models.Reading(value=1.5), headers, "meters/north/readings")]
    assert transport.messages("meters/north/readings")[0].ordering_key == "m1"


async def test_an_empty_address_parameter_is_refused(made: Generated, transport: Any) -> None:
    publishers, _, models = modules(made)
    publisher = publishers.MetersEventsPublisher(transport)
    with pytest.raises(ValueError, match="region"):
        await publisher.send_reading(models.Reading(value=1.0), headers=models.ReadingHeaders(meter_id="m"), region="")


async def test_headers_that_break_the_contract_make_the_message_undecodable(made: Generated, transport: Any) -> None:
    _, consumers, _ = modules(made)

    async def handler(payload: Any, delivery: Any) -> None:
        raise AssertionError

    await consumers.subscribe_on_reading(transport, handler, region="north")
    message = made.runtime__transport.PublishedMessage(body=b'{"value":1}', headers={"hops": "many"})
    await transport.publish("meters/north/readings", message)
    await transport.drain()
    [(_, reason)] = transport.dropped
    assert "meter-id" in reason


@pytest.mark.parametrize("named", [True, False], ids=["named by our publisher", "from a stranger"])
async def test_messages_without_a_type_are_told_apart(made: Generated, transport: Any, named: bool) -> None:
    publishers, consumers, models = modules(made)
    first: list[Any] = []
    second: list[Any] = []

    async def on_first(payload: Any, delivery: Any) -> None:
        first.append(payload)

    async def on_second(payload: Any, delivery: Any) -> None:
        second.append(payload)

    await consumers.subscribe_on_mixed(transport, on_first=on_first, on_second=on_second)
    if named:
        publisher = publishers.MetersEventsPublisher(transport)
        await publisher.send_mixed_second([1, 2])
        await publisher.send_mixed_first(models.First(a="x"))
    else:
        for body in (b"[1,2]", b'{"a":"x"}'):
            await transport.publish("mixed", made.runtime__transport.PublishedMessage(body=body))
    await transport.drain()
    assert (first, second) == ([models.First(a="x")], [[1, 2]])


async def test_text_and_bytes_travel_as_they_are(made: Generated, transport: Any) -> None:
    publishers, consumers, _ = modules(made)
    seen: list[Any] = []

    async def handler(payload: Any, delivery: Any) -> None:
        seen.append(payload)

    await consumers.subscribe_on_note(transport, on_note=handler, on_blob=handler)
    publisher = publishers.MetersEventsPublisher(transport)
    await publisher.send_note_note("grüße")
    await publisher.send_note_blob(b"\x00\xff")
    await transport.drain()
    assert seen == ["grüße", b"\x00\xff"]


async def test_concurrent_requests_get_their_own_replies(made: Generated, transport: Any) -> None:
    publishers, consumers, models = modules(made)

    async def add_up(payload: Any, delivery: Any) -> Any:
        await asyncio.sleep(0.001 * (5 - len(payload.numbers)))
        return models.Result(total=sum(payload.numbers))

    await consumers.subscribe_add_up(transport, add_up)
    publisher = publishers.MetersEventsPublisher(transport)
    replies = await asyncio.gather(*(publisher.request_sum(models.Sum(numbers=[1] * n)) for n in range(5)))
    await publisher.aclose()
    assert [reply.total for reply in replies] == [0, 1, 2, 3, 4]


async def test_a_reply_goes_to_the_address_that_the_request_names(made: Generated, transport: Any) -> None:
    publishers, consumers, _ = modules(made)

    async def give(payload: str, delivery: Any) -> int:
        return len(payload)

    await consumers.subscribe_give_quote(transport, give)
    asking, bystander = (publishers.MetersEventsPublisher(transport) for _ in range(2))
    four, six = await asyncio.gather(asking.request_quote("four"), bystander.request_quote("sixsix"))
    assert (four, six) == (4, 6)
    await asking.aclose()
    await bystander.aclose()


async def test_a_request_without_an_answer_ends_with_deadline_exceeded(made: Generated, transport: Any) -> None:
    publishers, _, models = modules(made)
    publisher = publishers.MetersEventsPublisher(transport)
    with pytest.raises(made.runtime__errors.DeadlineExceeded, match="sums"):
        await publisher.request_sum(models.Sum(numbers=[]), timeout=0.01)
    await publisher.aclose()


async def test_a_handler_may_ask_for_another_attempt_instead_of_replying(
    made: Generated, transport: Any, clock: Any
) -> None:
    publishers, consumers, models = modules(made)
    outcomes: list[Any] = [made.runtime__transport.Retry("busy", after=3), models.Result(total=7)]

    async def add_up(payload: Any, delivery: Any) -> Any:
        return outcomes.pop(0)

    await consumers.subscribe_add_up(transport, add_up)
    publisher = publishers.MetersEventsPublisher(transport)
    request = asyncio.ensure_future(publisher.request_sum(models.Sum(numbers=[7]), timeout=5))
    await asyncio.sleep(0.01)
    await clock.advance(3, settle=transport.wait_idle)
    assert (await request).total == 7
    await publisher.aclose()


async def test_each_reply_arrives_as_the_message_that_was_answered_though_requests_share_its_channel(
    made: Generated, transport: Any
) -> None:
    publishers, consumers, models = (
        made.ticks__v1__events__publishers,
        made.ticks__v1__events__consumers,
        made.ticks__v1__events__models,
    )

    async def answer(payload: Any, delivery: Any) -> Any:
        return models.Ok(id=payload.id) if payload.wants == "ok" else models.No(id=payload.id, why="not asked nicely")

    publisher = publishers.TicksEventsPublisher(transport)
    await consumers.subscribe_answer(transport, answer)
    replies = [await publisher.ask(models.Ask(id=i, wants=wanted)) for i, wanted in enumerate(("ok", "no"))]
    await publisher.aclose()
    assert replies == [models.Ok(id=0), models.No(id=1, why="not asked nicely")]


async def test_a_reply_without_a_name_is_the_first_that_it_fits(made: Generated, transport: Any) -> None:
    publishers, models = made.ticks__v1__events__publishers, made.ticks__v1__events__models
    stranger = made.runtime__transport

    async def answer(message: Any) -> Any:
        if b"wants" in message.body:
            await transport.publish("socket", stranger.PublishedMessage(body=b'{"id": 7, "why": "closed"}'))
        return stranger.Success()

    await transport.subscribe("socket", "strangers", answer, stranger.SubscribeOptions())
    publisher = publishers.TicksEventsPublisher(transport)
    assert await publisher.ask(models.Ask(id=7, wants="ok")) == models.No(id=7, why="closed")
    await publisher.aclose()


async def test_names_that_would_come_out_alike_or_are_taken_stay_apart(made: Generated, transport: Any) -> None:
    publishers, consumers = made.ticks__v1__events__publishers, made.ticks__v1__events__consumers
    assert {"send_tick_Tick_dot_Up", "send_tick_tick_up", "send_tick", "aclose", "aclose_", "str_"} <= set(
        dir(publishers.TicksEventsPublisher)
    )
    publisher, seen = publishers.TicksEventsPublisher(transport), []

    class Consumer:
        def __getattr__(self, name: str) -> Any:
            async def handle(payload: Any, delivery: Any) -> None:
                seen.append((name, payload, delivery.address))

            return handle

    await consumers.subscribe_ticks_events(
        transport,
        Consumer(),
        payload="a",
        message="b",
        self="c",
        address_outgoing="d",
        address_transport="e",
        late_address="x",
        later_address="y",
    )
    await publisher.send_tick_Tick_dot_Up(
        1, address_payload="a", address_message="b", address_self="c", address_outgoing="d", transport="e"
    )
    await publisher.send_tick(2, address="x")
    await publisher.aclose_(3, address="y")
    await transport.drain()
    assert sorted(seen) == [
        ("on_tick", 2, "x"),
        ("on_tick_Tick_dot_Up", 1, "ticks/a/b/c/d/e"),
        ("ticks_events", 3, "y"),
    ]
