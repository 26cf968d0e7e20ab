"""The steps of an order's workflow: each one call to another service, repeated under one key until it is answered.

A step never raises: what it returns is what the workflow remembers, and decides by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, RpcError, TreatyError, Unavailable
from shop.runtime.resilience import RetryPolicy

from services.checkout.adapters.orders import Orders
from services.checkout.adapters.payments import Due, Payments
from services.checkout.domain.saga import Charge, News, key_of, refund_reason

LOG = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long steps are repeated. Times in seconds."""

    charge: float = 60.0
    """A charge that gets no answer for so long is given up, and undone."""
    look: float = 10.0
    first_pause: float = 0.2
    longest_pause: float = 30.0


@dataclass(frozen=True, slots=True)
class Steps:
    """What a workflow does to the world."""

    orders: Orders
    payments: Payments
    patience: Patience

    async def charge(self, due: Due) -> str:
        """A `Charge`, UNKNOWN when there was no answer in time."""
        key = key_of(due.order_id, "charge")
        result = await self._answer(
            f"charge of {due.order_id}", lambda: self.payments.charge(due, key), self.patience.charge
        )
        return (result or Charge.UNKNOWN).value

    async def look(self, order_id: str) -> str:
        """The status of the order; empty when nobody says."""
        return (
            await self._answer(f"status of {order_id}", lambda: self.orders.status(order_id), self.patience.look) or ""
        )

    async def refund(self, order_id: str, news: str) -> bool:
        """Pay back what was charged for the order, if anything was; asked until there is an answer.

        False: refused for good. `news` is why, empty when nothing was heard.
        """
        return await self._insist(f"refund of {order_id}", lambda: self._refund(order_id, News(news) if news else None))

    async def cancel(self, order_id: str, reason: str) -> bool:
        """Cancel the order; asked until there is an answer. False: refused for good."""
        return await self._insist(f"cancellation of {order_id}", lambda: self._cancel(order_id, reason))

    async def _refund(self, order_id: str, news: News | None) -> bool:
        payment_id, charge = await self.payments.of_order(order_id)
        if charge is Charge.PENDING:
            raise Unavailable(f"payment {payment_id} is not decided yet")
        if charge is not Charge.TAKEN:
            LOG.info("order %s: nothing to pay back, the charge is %s", order_id, charge)
            return True
        return await self.payments.refund(payment_id, refund_reason(news), key_of(order_id, "refund"))

    async def _cancel(self, order_id: str, reason: str) -> bool:
        try:
            await self.orders.cancel(order_id, reason, key_of(order_id, "cancel"))
        except (FailedPrecondition, InvalidArgument, NotFound) as error:
            LOG.warning("order %s is not cancelled: %s", order_id, error)
            return False
        return True

    async def _insist(self, what: str, call: Callable[[], Awaitable[bool]]) -> bool:
        answer = await self._answer(what, call, None)
        return answer is True

    async def _answer(self, what: str, call: Callable[[], Awaitable[T]], patience: float | None) -> T | None:
        """The answer of a call that is repeated for `patience` seconds, for ever when it is None."""
        loop = asyncio.get_running_loop()
        until = None if patience is None else loop.time() + patience
        pauses = RetryPolicy(initial_backoff=self.patience.first_pause, max_backoff=self.patience.longest_pause)
        attempt = 0
        while True:
            attempt += 1
            try:
                return await call()
            except TreatyError as error:
                pause = max(pauses.backoff(attempt), _asked_for(error))
                LOG.warning("%s: attempt %d: %s; again in %.1f s", what, attempt, error, pause)
            if until is not None and loop.time() + pause >= until:
                LOG.error("%s: no answer within %.0f s", what, patience)
                return None
            await asyncio.sleep(pause)


def _asked_for(error: TreatyError) -> float:
    """Seconds that a peer, or the breaker in front of it, asked to wait."""
    wait = error.retry_after or 0.0
    return min(max(wait, 0.0), 60.0) if isinstance(error, RpcError) or wait > 0 else 0.0
