"""The generated event modules are strictly typed, and so is the code of those who use them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.behaviour.events.conftest import PACKAGE, Generated

USER = f"""
from decimal import Decimal

from {PACKAGE}.meters.v1.events.consumers import MetersEventsConsumer, subscribe_meters_events
from {PACKAGE}.meters.v1.events.models import First, Reading, ReadingHeaders, Result, Sum
from {PACKAGE}.meters.v1.events.publishers import MetersEventsPublisher
from {PACKAGE}.order.v1.events.consumers import ShippingEventsConsumer, subscribe_handle_created
from {PACKAGE}.order.v1.events.models import OrderCancelledEvent, OrderCreated, OrderCreatedEvent, OrderCreatedStatus
from {PACKAGE}.order.v1.events.publishers import OrderEventsPublisher
from {PACKAGE}.runtime.consuming import Delivery, RawHeaders
from {PACKAGE}.runtime.in_process import InProcessTransport
from {PACKAGE}.runtime.transport import Drop, Outcome, Retry, Transport


class Shipping:
    async def handle_created(self, event: OrderCreatedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        return Retry("later") if event.data.total > Decimal(10) and delivery.attempt == 1 else None

    async def follow_orders_order_created(
        self, event: OrderCreatedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        return None

    async def follow_orders_order_cancelled(
        self, event: OrderCancelledEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        return Drop(event.data.reason)


class Meters:
    async def on_reading(self, payload: Reading, delivery: Delivery[ReadingHeaders]) -> Outcome | None:
        reveal_type(delivery.headers.hops)
        return None

    async def on_mixed_first(self, payload: First, delivery: Delivery[RawHeaders]) -> Outcome | None:
        return None

    async def on_mixed_second(self, payload: list[int], delivery: Delivery[RawHeaders]) -> Outcome | None:
        return None

    async def on_note_note(self, payload: str, delivery: Delivery[RawHeaders]) -> Outcome | None:
        return None

    async def on_note_blob(self, payload: bytes, delivery: Delivery[RawHeaders]) -> Outcome | None:
        return None

    async def add_up(self, payload: Sum, delivery: Delivery[RawHeaders]) -> Result | Retry | Drop:
        return Result(total=1)

    async def give_quote(self, payload: str, delivery: Delivery[RawHeaders]) -> int | Retry | Drop:
        return 1


async def main(transport: Transport) -> None:
    shipping: ShippingEventsConsumer = Shipping()
    meters: MetersEventsConsumer = Meters()
    await subscribe_handle_created(transport, shipping.handle_created, group="other")
    await subscribe_meters_events(transport, meters, region="north")
    publisher = OrderEventsPublisher(transport)
    sent = await publisher.publish_order_created(
        OrderCreated(order_id="o", total=Decimal(1), status=OrderCreatedStatus.NEW), subject="o"
    )
    reveal_type(sent)
    reveal_type(await MetersEventsPublisher(transport).request_sum(Sum(numbers=[1])))
    await publisher.publish_order_created("wrong", subject="o")


broker: Transport = InProcessTransport()
"""


def test_generated_events_and_their_users_pass_mypy_strict(made: Generated, tmp_path: Path) -> None:
    user = tmp_path / "user.py"
    user.write_text(USER, encoding="utf-8")
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            f"--cache-dir={tmp_path / 'cache'}",
            str(user),
            str(made.root / PACKAGE),
        ],
        cwd=made.root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in checked.stdout.splitlines() if " note: " in line or " error: " in line]
    notes = [line.split('"')[1] for line in found if "Revealed type" in line]
    assert [note.rpartition(".")[2] for note in notes] == ["int | None", "OrderCreatedEvent", "Result"]
    errors = [line.partition(" error: ")[2] for line in found if " error: " in line]
    assert len(errors) == 1
    assert 'incompatible type "str"; expected "OrderCreated"' in errors[0]
