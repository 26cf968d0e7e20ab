"""What the warehouse tells others, written into the outbox with the change that it tells of."""

from __future__ import annotations

from collections.abc import Sequence

from shop.common.v1.schemas.models import StockLine
from shop.runtime.transport import Transport
from shop.warehouse.v1.events.models import (
    Availability,
    InventoryChangedData,
    InventoryChangedDataCause,
    ReleaseReason,
    ReservationReleasedData,
    StockLevel,
    StockReservationFailedData,
    StockReservationFailedDataCode,
    StockReservedData,
)
from shop.warehouse.v1.events.publishers import WarehouseEventsPublisher

from services.warehouse import domain
from services.warehouse.domain import Booking, Reservation, Shortage


class News:
    """Events of one transaction. `transport` is that of the outbox within it, `cause` the id of the event that led to
    them, None for a request.
    """

    def __init__(self, transport: Transport, *, cause: str | None = None) -> None:
        self._publisher = WarehouseEventsPublisher(transport)
        self._cause = cause

    async def booked(self, bookings: Sequence[Booking], order_id: str | None = None) -> None:
        """Levels changed."""
        for booking in bookings:
            level = booking.level
            subject = f"{level.product_id}.{level.warehouse_id}"
            data = InventoryChangedData(
                level=StockLevel(
                    product_id=level.product_id,
                    warehouse_id=level.warehouse_id,
                    on_hand=level.on_hand,
                    reserved=level.reserved,
                    available=level.available,
                    version=level.version,
                ),
                delta=booking.available,
                cause=InventoryChangedDataCause(booking.cause.value),
                order_id=order_id,
            )
            await self._publisher.publish_inventory_changed(
                data,
                subject=subject,
                correlationid=order_id or subject,
                aggregateversion=level.version,
                causationid=self._cause,
            )

    async def reserved(self, reservation: Reservation) -> None:
        """All lines of an order are set aside."""
        data = StockReservedData(
            reservation_id=reservation.reservation_id,
            order_id=reservation.order_id,
            lines=_lines(reservation),
            expires_at=reservation.expires_at,
        )
        await self._publisher.publish_stock_reserved(
            data,
            subject=reservation.reservation_id,
            correlationid=reservation.order_id,
            aggregateversion=reservation.version,
            causationid=self._cause,
        )

    async def released(self, reservation: Reservation, reason: domain.ReleaseReason) -> None:
        """A reservation no longer holds."""
        data = ReservationReleasedData(
            reservation_id=reservation.reservation_id,
            order_id=reservation.order_id,
            lines=_lines(reservation),
            reason=ReleaseReason(f"RELEASE_REASON_{reason.value}"),
        )
        await self._publisher.publish_reservation_released(
            data,
            subject=reservation.reservation_id,
            correlationid=reservation.order_id,
            aggregateversion=reservation.version,
            causationid=self._cause,
        )

    async def short(self, order_id: str, shortage: Shortage, *, count: int) -> None:
        """An order cannot be served, for the `count`th time."""
        data = StockReservationFailedData(
            order_id=order_id,
            code=StockReservationFailedDataCode(shortage.lack.value),
            shortages=[
                Availability(product_id=each.product_id, requested=each.requested, available=each.available)
                for each in shortage.lines
            ],
        )
        await self._publisher.publish_stock_reservation_failed(
            data, subject=order_id, correlationid=order_id, aggregateversion=count, causationid=self._cause
        )


def _lines(reservation: Reservation) -> list[StockLine]:
    return [StockLine(product_id=line.product_id, quantity=line.quantity) for line in reservation.lines]
