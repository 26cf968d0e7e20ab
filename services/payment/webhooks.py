"""Providers' webhooks: stored once and queued, then digested in their turn."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence

from shop.payment.v1.events.models import WebhookWork
from shop.payment.v1.events.publishers import PaymentEventsPublisher
from shop.runtime.transport import utc_now
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payment.adapters import payments
from services.payment.adapters.announcements import provider
from services.payment.adapters.stripe_webhooks import Notice, check_signature, notice_of
from services.payment.adapters.tables import WEBHOOKS
from services.payment.charging import Charging, unavailable
from services.payment.domain import Payment, Refund
from services.payment.lifecycle import Charge, Provider, charged
from services.payment.refunding import Refunding
from services.platform.database import Database
from services.platform.gateways.errors import GatewayError, UnknownReference
from services.platform.outbox import Outbox

LOG = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Webhooks:
    """Takes the webhooks of Stripe. `signing_secrets` are those of the endpoint, several while one is replaced."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        charging: Charging,
        refunding: Refunding,
        *,
        signing_secrets: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._charging = charging
        self._refunding = refunding
        self._secrets = tuple(signing_secrets)
        self._clock = clock

    async def ingest(self, body: bytes, signature: str) -> None:
        """Store it and queue its digestion; one that is known changes nothing. `BadSignature`, `NoEvent`."""
        check_signature(body, signature, self._secrets, now=self._clock())
        notice = notice_of(body)
        await self._database.run(lambda connection: self._store(connection, notice, body))

    async def digest(self, webhook_id: str) -> None:
        """Bring what it is about up to date, once. `ProviderUnavailable` when Stripe cannot be asked."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.webhook_id == webhook_id))).first()
        if row is None or row.digested_at is not None:
            return
        notice = notice_of(bytes(row.body))
        try:
            if notice.refund_id:
                await self._digest_refund(notice)
            else:
                await self._digest_payment(notice)
        except UnknownReference:
            LOG.warning("webhook %s is about nothing that Stripe knows", webhook_id)
        except GatewayError as problem:
            raise unavailable(problem) from problem
        async with self._database.transaction() as connection:
            done = update(WEBHOOKS).where(WEBHOOKS.c.webhook_id == webhook_id)
            await connection.execute(done.values(digested_at=utc_now()))

    async def _store(self, connection: AsyncConnection, notice: Notice, body: bytes) -> None:
        id_, now = f"whk_{secrets.token_hex(10)}", utc_now()
        stored = await connection.execute(
            insert(WEBHOOKS)
            .values(
                webhook_id=id_,
                provider=str(Provider.STRIPE),
                provider_event_id=notice.event_id,
                event_type=notice.event_type,
                provider_reference=notice.reference,
                body=body,
                received_at=now,
                digested_at=None if notice.reference else now,
            )
            .on_conflict_do_nothing()
            .returning(WEBHOOKS.c.webhook_id)
        )
        if stored.first() is None or not notice.reference:
            return
        known = await self._known(connection, notice)
        subject = notice.reference if known is None else known.payment_id
        if not _ID.fullmatch(subject):
            subject = id_
        await PaymentEventsPublisher(self._outbox.within(connection)).enqueue_payment_webhook(
            WebhookWork(
                webhook_id=id_,
                provider=provider(Provider.STRIPE),
                provider_event_id=notice.event_id,
                event_type=notice.event_type,
                provider_reference=notice.reference,
            ),
            subject=subject,
            correlationid=subject if known is None else known.order_id,
            aggregateversion=1 if known is None else known.version,
        )

    async def _known(self, connection: AsyncConnection, notice: Notice) -> Charge | None:
        found = await payments.by_reference(connection, Provider.STRIPE, notice.reference)
        if found is None and notice.payment_id:
            found = await payments.by_id(connection, notice.payment_id)
        return found

    async def _digest_payment(self, notice: Notice) -> None:
        found = await self._charging.gateway(Provider.STRIPE).payment(notice.reference)
        async with self._database.transaction() as connection:
            charge = await self._known(connection, notice)
        if charge is None or not _is_of(charge, found):
            LOG.warning("webhook about a payment that is not ours: %s", notice.reference)
            return
        await self._charging.settle(charge.payment_id, lambda current: charged(current, found))

    async def _digest_refund(self, notice: Notice) -> None:
        found: Refund = await self._charging.gateway(Provider.STRIPE).refund_status(notice.refund_id)
        async with self._database.transaction() as connection:
            repayment = await payments.refund_by_reference(connection, found.id)
            if repayment is None and found.shop_id:
                repayment = await payments.refund_by_id(connection, found.shop_id)
        if repayment is None or repayment.amount != found.amount:
            LOG.warning("webhook about a refund that was not made here: %s", notice.refund_id)
            return
        await self._refunding.settle(repayment.refund_id, found)


def _is_of(charge: Charge, found: Payment) -> bool:
    """Whether the payment at the provider is that of the charge: id, order and amount must agree."""
    return (found.shop_id, found.order_id, found.amount) == (charge.payment_id, charge.order_id, charge.amount)
