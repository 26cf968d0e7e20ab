"""What can be done with stock: each in one transaction, with the events that tell of it.

Rows are locked in the order: idempotency key or inbox, order, reservation, levels.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.outbox import Outbox
from services.warehouse.adapters import reservations, stock
from services.warehouse.adapters.news import News
from services.warehouse.domain import (
    HOLD,
    Allocation,
    Available,
    Booking,
    Level,
    Line,
    Refusal,
    ReleaseReason,
    Reservation,
    Share,
    Shortage,
    Status,
    adjust,
    allocate,
    availability,
    commit,
    give_back,
    merged,
    release,
    take_out,
)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Stockroom:
    """Works in transactions of its callers. `hold` is how long reservations last by default."""

    def __init__(self, outbox: Outbox, *, hold: timedelta = HOLD, now: Callable[[], datetime] = utc_now) -> None:
        self._outbox = outbox
        self._hold = hold
        self._now = now

    async def available(self, connection: AsyncConnection, lines: Sequence[Line]) -> tuple[Available, ...]:
        """What can be delivered of each line now."""
        return availability(lines, await stock.levels_of(connection, {line.product_id for line in lines}))

    async def reserve(
        self,
        connection: AsyncConnection,
        order_id: str,
        lines: Sequence[Line],
        *,
        hold: timedelta | None = None,
        cause: str | None = None,
    ) -> Reservation | Shortage:
        """Set aside all lines for an order, or none. The active reservation of the order, when it has one."""
        await reservations.lock_order(connection, order_id)
        existing = await reservations.latest_of(connection, order_id)
        if existing is not None and existing.status is Status.ACTIVE:
            return existing
        levels = await stock.levels_of(connection, {line.product_id for line in lines}, lock=True)
        found = allocate(lines, levels)
        if isinstance(found, Shortage):
            count = await reservations.count_shortage(connection, order_id)
            await self._news(connection, cause).short(order_id, found, count=count)
            return found
        return await self._set_aside(connection, order_id, merged(lines), found, hold or self._hold, cause)

    async def release(
        self, connection: AsyncConnection, reservation: Reservation, reason: ReleaseReason, *, cause: str | None = None
    ) -> Reservation | Refusal:
        """Give back what is set aside; `reservation` is locked. Nothing when that was done before."""
        moved = release(reservation, reason)
        if moved is None:
            return reservation
        if isinstance(moved, Reservation):
            await self._settle(connection, moved, give_back, cause)
            await self._news(connection, cause).released(moved, reason)
        return moved

    async def commit(
        self, connection: AsyncConnection, reservation: Reservation, *, cause: str | None = None
    ) -> Reservation | Refusal:
        """What is set aside has left; `reservation` is locked. Nothing when that was done before."""
        moved = commit(reservation)
        if moved is None:
            return reservation
        if isinstance(moved, Reservation):
            await self._settle(connection, moved, take_out, cause)
        return moved

    async def commit_in_time(self, connection: AsyncConnection, reservation: Reservation) -> Reservation | Refusal:
        """As `commit`, but a reservation past its time lapses instead."""
        if reservation.status is Status.ACTIVE and reservation.expires_at <= self._now():
            await self.release(connection, reservation, ReleaseReason.EXPIRED)
            return Refusal.EXPIRED
        return await self.commit(connection, reservation)

    async def adjust(
        self, connection: AsyncConnection, product_id: str, warehouse_id: str, delta: int, *, reason: str
    ) -> Level | None:
        """Correct what is on hand; None when less would be left than is reserved. OverflowError past 64 bits."""
        level = await stock.level_of(connection, product_id, warehouse_id)
        booking = adjust(level, delta)
        if booking is None:
            return None
        await stock.book(connection, [booking], reason=reason)
        await self._news(connection, None).booked([booking])
        return booking.level

    async def lapse_one(self, connection: AsyncConnection) -> Reservation | None:
        """Give back one reservation past its time; None when there is none left."""
        found = await reservations.lapsed(connection, self._now())
        if found is not None:
            await self.release(connection, found, ReleaseReason.EXPIRED)
        return found

    async def _set_aside(
        self,
        connection: AsyncConnection,
        order_id: str,
        lines: tuple[Line, ...],
        allocation: Allocation,
        hold: timedelta,
        cause: str | None,
    ) -> Reservation:
        now = self._now()
        made = Reservation(
            reservation_id=f"rsv_{secrets.token_hex(8)}",
            order_id=order_id,
            lines=lines,
            created_at=now,
            expires_at=now + hold,
        )
        await stock.book(connection, allocation.bookings, order_id=order_id)
        await reservations.add(connection, made, allocation.shares)
        news = self._news(connection, cause)
        await news.booked(allocation.bookings, order_id)
        await news.reserved(made)
        return made

    async def _settle(
        self,
        connection: AsyncConnection,
        moved: Reservation,
        book: Callable[[Sequence[Share], Sequence[Level]], tuple[Booking, ...]],
        cause: str | None,
    ) -> None:
        shares = await reservations.shares_of(connection, moved.reservation_id)
        levels = await stock.levels_of(connection, {share.product_id for share in shares}, lock=True)
        bookings = book(shares, levels)
        await stock.book(connection, bookings, order_id=moved.order_id)
        await reservations.move(connection, moved)
        await self._news(connection, cause).booked(bookings, moved.order_id)

    def _news(self, connection: AsyncConnection, cause: str | None) -> News:
        return News(self._outbox.within(connection), cause=cause)
