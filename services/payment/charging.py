"""ProcessPayment: the charge is stored before the provider is asked, and settled by whoever hears of its outcome first.

Between the two everything may be lost: the answer, the process, the webhook. The next attempt with the same key looks
for what the last one did, by the payment's own id at the provider, before it asks again with the same key.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payment.adapters import payments
from services.payment.adapters.announcements import announce
from services.payment.adapters.locks import Locks
from services.payment.adapters.methods import Instrument, Methods
from services.payment.domain import ChargeRequest, Money, Payment, PaymentGateway, PaymentStatus, Searching
from services.payment.errors import AlreadyPaid, InProgress, KeyReused, NotConfigured, ProviderUnavailable
from services.payment.lifecycle import (
    GIVEN_UP,
    OPEN,
    PROVIDER_ERROR,
    Charge,
    Failure,
    Provider,
    State,
    charged,
    declined,
    failed,
    news,
)
from services.platform.database import Database
from services.platform.gateways.errors import Declined, GatewayError, RateLimited, Rejected, UnknownReference
from services.platform.gateways.errors import KeyReused as KeyReusedAtProvider
from services.platform.outbox import Outbox

_CLOCKS_DIFFER = timedelta(minutes=5)
_WAITING = frozenset({PaymentStatus.PENDING, PaymentStatus.ACTION_REQUIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A charge that is asked for: what to charge is an instrument, or the name of a stored payment method."""

    order_id: str
    customer_id: str
    amount: Money
    key: str
    fingerprint: bytes
    payment_method_id: str = ""
    instrument: Instrument | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSettings:
    """Seconds. `deadline` is how long an attempt may reach the provider; `settle` is how long after that what it did
    may stay invisible. `return_url` is where customers come back to from their bank."""

    deadline: float = 30.0
    settle: float = 5.0
    return_url: str | None = None


class Charging:
    """Charges customers once for each key. `on_end` hears of every charge that ends, once."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        locks: Locks,
        methods: Methods,
        gateways: Mapping[Provider, PaymentGateway],
        settings: ChargingSettings | None = None,
        *,
        on_end: Callable[[State], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._locks = locks
        self._methods = methods
        self._gateways = gateways
        self._settings = settings or ChargingSettings()
        self._on_end = on_end

    def gateway(self, provider: Provider) -> PaymentGateway:
        """The provider's adapter. `NotConfigured` when there is none."""
        try:
            return self._gateways[provider]
        except KeyError:
            raise NotConfigured(provider) from None

    async def process(self, asked: Asked) -> Charge:
        """The payment after the attempt; a decline is a result. The errors of `services.payment.errors`."""
        known = await self._known(asked)
        if known is not None and known.state not in OPEN:
            return known
        async with self._locks.held(f"charge {asked.key}") as mine:
            if not mine:
                raise InProgress(asked.key)
            known = await self._known(asked)
            if known is None:
                instrument = await self._instrument(asked)
                return await self._attempt(await self._begin(asked, instrument.provider), instrument)
            if known.state not in OPEN:
                return known
            found = await self._look(known)
            # PayPal takes the money of an approved order when it is asked again; Stripe does so by itself.
            if found is None or (found.status in _WAITING and known.provider is Provider.PAYPAL):
                return await self._attempt(known, await self._instrument(asked))
            return await self.settle(known.payment_id, lambda charge: charged(charge, found))

    async def settle(self, payment_id: str, change: Callable[[Charge], Charge]) -> Charge:
        """Store what the payment has become, and tell it if it is new."""

        async def work(connection: AsyncConnection) -> tuple[Charge, State | None]:
            before = await payments.by_id(connection, payment_id, lock=True)
            if before is None:
                raise LookupError(payment_id)
            after = await payments.save(connection, before, change(before))
            await announce(self._outbox.within(connection), before, after)
            return after, news(before, after)

        charge, ended = await self._database.run(work)
        if ended is not None:
            self._on_end(ended)
        return charge

    async def resolve(self, charge: Charge) -> Charge:
        """Find out how an open charge ended; one that nobody knows of at the provider is given up.

        `ProviderUnavailable` while that cannot be said.
        """
        async with self._locks.held(f"charge {charge.idempotency_key}") as mine:
            if not mine:
                raise ProviderUnavailable("the charge is under way")
            found = await self._look(charge)
            if found is None:
                return await self._give_up(charge)
            if found.status is PaymentStatus.ACTION_REQUIRED:
                found = await self._cancelled(charge, found)
            return await self.settle(charge.payment_id, lambda current: charged(current, found))

    async def recheck(self, charge: Charge, *, give_up: datetime) -> None:
        """Settle a pending charge that the provider knows; give one up that it does not, if its last attempt was over
        by `give_up`. Nothing when it is being worked on, or had another attempt. `ProviderUnavailable`."""
        async with self._locks.held(f"charge {charge.idempotency_key}") as mine:
            found = await self._look(charge) if mine else None
            if found is not None:
                await self.settle(charge.payment_id, lambda current: charged(current, found))
            elif mine and isinstance(self.gateway(charge.provider), Searching):
                await self.settle(charge.payment_id, lambda current: _given_up(current, give_up))

    async def _known(self, asked: Asked) -> Charge | None:
        async with self._database.transaction() as connection:
            known = await payments.by_key(connection, asked.key)
        if known is not None and known.fingerprint != asked.fingerprint:
            raise KeyReused(asked.key)
        return known

    async def _instrument(self, asked: Asked) -> Instrument:
        """What to charge: looked up for each attempt, and kept nowhere."""
        found = asked.instrument or await self._methods.resolve(asked.customer_id, asked.payment_method_id)
        self.gateway(found.provider)
        return found

    async def _begin(self, asked: Asked, provider: Provider) -> Charge:
        now = utc_now()
        charge = Charge(
            payment_id=f"pay_{secrets.token_hex(10)}",
            order_id=asked.order_id,
            customer_id=asked.customer_id,
            amount=asked.amount,
            provider=provider,
            idempotency_key=asked.key,
            fingerprint=asked.fingerprint,
            created_at=now,
            updated_at=now,
            metadata=asked.metadata,
        )

        async def work(connection: AsyncConnection) -> None:
            others = await payments.of_order(connection, asked.order_id, lock=True)
            if any(other.state in OPEN for other in others):
                raise InProgress(asked.order_id)
            if any(other.state is not State.FAILED for other in others):
                raise AlreadyPaid(asked.order_id)
            await payments.add(connection, charge)

        await self._database.run(work)
        return charge

    async def _attempt(self, charge: Charge, instrument: Instrument) -> Charge:
        until = utc_now() + timedelta(seconds=self._settings.deadline)
        await self.settle(charge.payment_id, lambda current: replace(current, attempted_until=until))
        outcome = await self._ask(charge, instrument.token)
        return await self.settle(charge.payment_id, outcome)

    async def _ask(self, charge: Charge, token: str) -> Callable[[Charge], Charge]:
        """Ask the provider for the money; what its answer makes of the charge."""
        try:
            request = ChargeRequest(
                key=charge.idempotency_key,
                amount=charge.amount,
                method=token,
                order_id=charge.order_id,
                return_url=self._settings.return_url,
                shop_id=charge.payment_id,
                facts=charge.metadata,
            )
            found = await self.gateway(charge.provider).charge(request)
        except Declined as problem:
            code = problem.code
            return lambda current: declined(current, code)
        except (Rejected, UnknownReference, ValueError) as problem:
            failure = Failure(
                code=PROVIDER_ERROR,
                message="The payment could not be processed.",
                provider_code=problem.code if isinstance(problem, GatewayError) else "",
            )
            return lambda current: failed(current, failure)
        except KeyReusedAtProvider:
            raise
        except GatewayError as problem:
            await self._attempt_ended(charge)
            raise unavailable(problem) from problem
        return lambda current: charged(current, found)

    async def _attempt_ended(self, charge: Charge) -> None:
        now = utc_now()
        await self.settle(charge.payment_id, lambda current: replace(current, attempted_until=now))

    async def _look(self, charge: Charge) -> Payment | None:
        """Where the payment stands at the provider; None when nothing is known of it there, or cannot be asked."""
        gateway = self.gateway(charge.provider)
        try:
            if charge.provider_reference:
                return await gateway.payment(charge.provider_reference)
            if isinstance(gateway, Searching):
                return await gateway.find(charge.payment_id, since=charge.created_at - _CLOCKS_DIFFER)
        except GatewayError as problem:
            raise unavailable(problem) from problem
        return None

    async def _give_up(self, charge: Charge) -> Charge:
        last = charge.attempted_until or charge.created_at
        wait = (last + timedelta(seconds=self._settings.settle) - utc_now()).total_seconds()
        if wait > 0 or not isinstance(self.gateway(charge.provider), Searching):
            raise ProviderUnavailable("the outcome of the charge is not known yet", retry_after=max(wait, 1.0))
        return await self.settle(charge.payment_id, lambda current: failed(current, GIVEN_UP))

    async def _cancelled(self, charge: Charge, found: Payment) -> Payment:
        """A payment that waits for the customer, cancelled; or as it stands when the customer was quicker."""
        gateway = self.gateway(charge.provider)
        try:
            return await gateway.cancel(found.id, key=f"{charge.payment_id}/cancel")
        except Rejected:
            return await gateway.payment(found.id)
        except GatewayError as problem:
            raise unavailable(problem) from problem


def _given_up(charge: Charge, moment: datetime) -> Charge:
    over = (charge.attempted_until or charge.created_at) < moment
    return failed(charge, GIVEN_UP) if over else charge


def unavailable(problem: GatewayError) -> ProviderUnavailable:
    """For the caller, without the provider's words."""
    wait = problem.retry_after if isinstance(problem, RateLimited) else None
    return ProviderUnavailable(f"{problem.gateway} does not answer ({type(problem).__name__})", wait or 1.0)
