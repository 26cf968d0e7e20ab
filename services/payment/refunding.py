"""RefundPayment and the refunds of the queue: stored before the provider is asked, paid back once for each key."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payment.adapters import payments
from services.payment.adapters.announcements import announce_refund
from services.payment.charging import Charging, unavailable
from services.payment.domain import Money, Refund, RefundStatus, Searching
from services.payment.errors import KeyReused, UnknownPayment
from services.payment.lifecycle import OPEN, Charge, Repayment, amount_to_refund, repaid
from services.platform.database import Database
from services.platform.gateways.errors import Declined, GatewayError, Rejected, UnknownReference
from services.platform.gateways.errors import KeyReused as KeyReusedAtProvider
from services.platform.outbox import Outbox

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBack:
    """A refund that is asked for. `amount` None: all that is left. `reason` without its prefix."""

    payment_id: str
    amount: Money | None
    reason: str
    key: str


class Refunding:
    """Pays back what was charged."""

    def __init__(self, database: Database, outbox: Outbox, charging: Charging) -> None:
        self._database = database
        self._outbox = outbox
        self._charging = charging

    async def refund(self, asked: AskedBack) -> tuple[Charge, Repayment]:
        """The payment and the refund after the attempt.

        `UnknownPayment`, `KeyReused`, `ProviderUnavailable`, `lifecycle.NotRefundable`, `lifecycle.ExceedsPayment`.
        """
        charge, repayment = await self._known(asked)
        if repayment is None and charge.state in OPEN:
            await self._charging.resolve(charge)
        again = repayment is not None
        if repayment is None:
            charge, repayment = await self._begin(asked)
        if repayment.status is not RefundStatus.PENDING:
            return charge, repayment
        found = await self._ask(charge, repayment, again=again)
        return await self.settle(repayment.refund_id, found)

    async def payment(self, payment_id: str) -> Charge:
        """A payment as it is now. `UnknownPayment`."""
        async with self._database.transaction() as connection:
            found = await payments.by_id(connection, payment_id)
        if found is None:
            raise UnknownPayment(payment_id)
        return found

    async def settle(self, refund_id: str, found: Refund) -> tuple[Charge, Repayment]:
        """Store what the refund has become at the provider, and tell it if it is new."""

        async def work(connection: AsyncConnection) -> tuple[Charge, Repayment]:
            charge = await payments.of_refund(connection, refund_id, lock=True)
            before = await payments.refund_by_id(connection, refund_id)
            if charge is None or before is None:
                raise LookupError(refund_id)
            changed, after = repaid(charge, before, found)
            charge = await payments.save(connection, charge, changed)
            if after != before:
                await payments.save_refund(connection, after)
            await announce_refund(self._outbox.within(connection), charge, before, after)
            return charge, after

        charge, repayment = await self._database.run(work)
        if repayment.status is RefundStatus.FAILED:
            LOG.error("refund %s of payment %s failed at the provider", refund_id, charge.payment_id)
        return charge, repayment

    async def _known(self, asked: AskedBack) -> tuple[Charge, Repayment | None]:
        async with self._database.transaction() as connection:
            charge = await payments.by_id(connection, asked.payment_id)
            repayment = await payments.refund_by_key(connection, asked.key)
        if charge is None:
            raise UnknownPayment(asked.payment_id)
        if repayment is not None and not _same(asked, repayment, charge):
            raise KeyReused(asked.key)
        return charge, repayment

    async def _begin(self, asked: AskedBack) -> tuple[Charge, Repayment]:
        """Set the amount aside. Another call with the same key may have done so by now."""

        async def work(connection: AsyncConnection) -> tuple[Charge, Repayment]:
            charge = await payments.by_id(connection, asked.payment_id, lock=True)
            if charge is None:
                raise UnknownPayment(asked.payment_id)
            known = await payments.refund_by_key(connection, asked.key)
            if known is not None:
                return charge, known
            repayment = Repayment(
                refund_id=f"rfd_{secrets.token_hex(10)}",
                payment_id=charge.payment_id,
                amount=amount_to_refund(charge, await payments.refunds_of(connection, charge.payment_id), asked.amount),
                reason=asked.reason,
                idempotency_key=asked.key,
                created_at=utc_now(),
                whole=asked.amount is None,
            )
            await payments.add_refund(connection, repayment)
            return charge, repayment

        return await self._database.run(work)

    async def _ask(self, charge: Charge, repayment: Repayment, *, again: bool) -> Refund:
        gateway = self._charging.gateway(charge.provider)
        try:
            if repayment.provider_reference:
                return await gateway.refund_status(repayment.provider_reference)
            if again and isinstance(gateway, Searching):
                found = await gateway.find_refund(charge.provider_reference, repayment.refund_id)
                if found is not None:
                    return found
            return await gateway.refund(
                charge.provider_reference,
                key=repayment.idempotency_key,
                amount=repayment.amount,
                shop_id=repayment.refund_id,
            )
        except (Declined, Rejected, UnknownReference) as problem:
            LOG.warning("refund %s refused: %s", repayment.refund_id, problem.code or type(problem).__name__)
            return Refund(
                id="",
                payment_id=charge.provider_reference,
                amount=repayment.amount,
                status=RefundStatus.FAILED,
                failure=problem.code,
            )
        except KeyReusedAtProvider:
            raise
        except GatewayError as problem:
            raise unavailable(problem) from problem


def _same(asked: AskedBack, repayment: Repayment, charge: Charge) -> bool:
    """Whether a repetition asks for what was asked first; all of a payment may be asked for with its amount, too."""
    if asked.payment_id != repayment.payment_id:
        return False
    if asked.amount is None:
        return repayment.whole or repayment.amount == charge.amount
    return asked.amount == repayment.amount
