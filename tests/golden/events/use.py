"""A published event reaches its consumer typed and complete; work that fails is tried again, then set aside."""

import asyncio
from decimal import Decimal

from golden.events.consumers import (
    MailEventsConsumer,
    WorkerEventsConsumer,
    subscribe_mail_events,
    subscribe_worker_events,
)
from golden.events.models import Created, Job, OrderCreated
from golden.events.publishers import OrderEventsPublisher
from golden.runtime.consuming import Delivery, RawHeaders
from golden.runtime.in_process import InProcessTransport


class Mail(MailEventsConsumer):
    def __init__(self) -> None:
        self.seen: list[OrderCreated] = []

    async def mail_created(self, event: OrderCreated, delivery: Delivery[RawHeaders]) -> None:
        self.seen.append(event)


class Worker(WorkerEventsConsumer):
    def __init__(self) -> None:
        self.attempts: list[tuple[str, int]] = []

    async def do_work(self, payload: Job, delivery: Delivery[RawHeaders]) -> None:
        self.attempts.append((payload.id, delivery.attempt))
        if payload.poison:
            raise RuntimeError("cannot be done")


async def main() -> None:
    transport = InProcessTransport()
    mail, worker = Mail(), Worker()
    publisher = OrderEventsPublisher(transport)
    mails = await subscribe_mail_events(transport, mail)
    workers = await subscribe_worker_events(transport, worker)
    sent = await publisher.publish_created(Created(order_id="o1", total=Decimal("35.69")), subject="o1")
    await publisher.enqueue_work(Job(id="good"))
    await publisher.enqueue_work(Job(id="bad", poison=True))
    await transport.drain()
    assert mail.seen == [sent] and sent.source == "order" and sent.type == "order-created"
    assert sent.data.total == Decimal("35.69") and sent.time.tzinfo is not None
    assert sorted(worker.attempts) == [("bad", 1), ("bad", 2), ("bad", 3), ("good", 1)]
    (dead,) = transport.messages("order-work-dead")
    assert Job.from_json(dead.body).id == "bad" and dead.headers["x-attempts"] == "3"
    await mails.stop()
    await workers.stop()


asyncio.run(main())
