"""Starts the notification service: `python -m services.notification.app`. Stops on SIGTERM,
after the calls under way.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.notification import api, consumers
from services.notification.adapters.contacts import Contacts
from services.notification.adapters.notifications import Notifications
from services.notification.adapters.sealing import Vault
from services.notification.adapters.sendgrid import SendGridMail
from services.notification.adapters.watched import Watched
from services.notification.config import Config
from services.notification.consumers import DeliveryQueue
from services.notification.delivering import Delivering
from services.notification.domain import Address, MailSender
from services.notification.handlers import NotificationHandlers
from services.notification.postbox import Postbox
from services.notification.telling import Telling
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.gateways.once import Search
from services.platform.health import Health, database_check, redis_check
from services.platform.logs import configure
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc, health_server
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.relay import Relay
from services.platform.telemetry import Telemetry, TracedTransport

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECTIONS = 20
"""To PostgreSQL: as many messages as may be under way."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry("notification", endpoint=config.otlp_endpoint or None)
    try:
        async with _sender(config) as sender:
            await _serve(config, telemetry, Watched(sender, telemetry))
    finally:
        await telemetry.close()


async def _serve(config: Config, telemetry: Telemetry, sender: MailSender) -> None:
    vault = Vault(config.data_key)
    contacts, notifications = Contacts(vault), Notifications(vault)
    database = Database(config.database_url, "notification", pool_size=CONNECTIONS)
    outbox = Outbox(database)
    settings = StreamSettings(
        processing_timeout=config.processing_timeout, redeliver_interval=config.redeliver_interval
    )
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    telemetry.metrics.show_counts(streams.counts)
    traced = TracedTransport(streams, telemetry)
    postbox = Postbox(outbox, notifications)
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, NotificationHandlers(database, postbox, notifications), telemetry.grpc_interceptor())
    health = Health([database_check(database), redis_check(streams.client)])
    limit = timedelta(seconds=config.attempt_limit)
    queue = DeliveryQueue(Delivering(database, outbox, notifications, contacts, sender, limit=limit))
    telling = Telling(database, postbox, contacts)
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        Relay(database, outbox, traced),
        health,
        Subscribed(partial(consumers.start, traced, telling, queue)),
        grpc,
        HealthOverGrpc(health, grpc),
        health_server(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


def _sender(config: Config) -> SendGridMail:
    return SendGridMail(
        config.sendgrid_key,
        sender=Address(email=config.sender_email, name=config.sender_name),
        base_url=config.sendgrid_url,
        policy=Policy(timeout=config.call_timeout, deadline=config.send_deadline),
        search=Search(settle=config.sendgrid_settle, every=min(2.0, config.sendgrid_settle / 4)),
    )


def main() -> None:
    """The process."""
    configure("notification")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
