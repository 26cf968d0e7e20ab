"""What the warehouse service does when it is called, and when it is told."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from shop.order.v1.events.models import OrderStatus, OrderStatusChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import FailedPrecondition, NotFound, Unimplemented
from shop.runtime.grpc_server import Call
from shop.runtime.transport import Outcome
from shop.warehouse.v1 import warehouse_pb2
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.commands import Command, fingerprint_of
from services.platform.database import Database
from services.platform.inbox import first_time
from services.platform.refusals import invalid, refusal
from services.warehouse import answers, remembered, requests
from services.warehouse.adapters import reservations
from services.warehouse.domain import Line, Refusal, ReleaseReason, Reservation, Shortage, merged
from services.warehouse.stockroom import Stockroom

LOG = logging.getLogger(__name__)
CONSUMER = "warehouse"


class WarehouseHandlers:
    """Serves warehouse.v1.WarehouseService."""

    def __init__(self, database: Database, stockroom: Stockroom) -> None:
        self._database = database
        self._stockroom = stockroom

    async def check_availability(
        self, request: warehouse_pb2.CheckAvailabilityRequest, call: Call, /
    ) -> warehouse_pb2.CheckAvailabilityResponse:
        """Tells whether quantities are available now. Promises nothing: only a reservation does."""
        lines = requests.lines_of(request)
        async with self._database.transaction() as connection:
            found = await self._stockroom.available(connection, lines)
        return warehouse_pb2.CheckAvailabilityResponse(
            all_available=all(each.available >= each.requested for each in found),
            lines=[
                warehouse_pb2.Availability(
                    product_id=each.product_id, requested=each.requested, available=each.available
                )
                for each in found
            ],
        )

    async def reserve_stock(
        self, request: warehouse_pb2.ReserveStockRequest, call: Call, /
    ) -> warehouse_pb2.ReserveStockResponse:
        """Reserves all lines or none, and publishes stock-reserved or stock-reservation-failed.
        Errors: FAILED_PRECONDITION OUT_OF_STOCK, NOT_FOUND (unknown product).

        A shortage is answered with the same error when the call is repeated. An order that has an active reservation
        of other lines is refused with FAILED_PRECONDITION ALREADY_RESERVED.
        """
        lines, hold, key = requests.checked_reservation(request, call)
        command = Command(scope="ReserveStock", key=key, fingerprint=fingerprint_of(request, "idempotency_key"))

        async def reserve(connection: AsyncConnection) -> Reservation | Shortage:
            earlier = await command.earlier_answer(connection)
            if earlier is None:
                return await self._reserve(connection, command, request.order_id, lines, hold)
            answer = remembered.read(earlier)
            return answer if isinstance(answer, Shortage) else await _reservation(connection, answer)

        found = await self._database.run(reserve)
        if isinstance(found, Shortage):
            raise answers.missing(found)
        return warehouse_pb2.ReserveStockResponse(reservation=answers.reservation(found))

    async def release_reservation(
        self, request: warehouse_pb2.ReleaseReservationRequest, call: Call, /
    ) -> warehouse_pb2.ReleaseReservationResponse:
        """Gives reserved stock back and publishes reservation-released. Compensates ReserveStock.
        Releasing a released or expired reservation succeeds.
        Errors: NOT_FOUND, FAILED_PRECONDITION RESERVATION_COMMITTED.
        """
        reservation_id, reason = requests.reservation_id_of(request), requests.reason_of(request)

        async def release(connection: AsyncConnection) -> Reservation | Refusal:
            return await self._stockroom.release(connection, await _reservation(connection, reservation_id), reason)

        return warehouse_pb2.ReleaseReservationResponse(reservation=await self._moved(release))

    async def commit_reservation(
        self, request: warehouse_pb2.CommitReservationRequest, call: Call, /
    ) -> warehouse_pb2.CommitReservationResponse:
        """Takes reserved stock out for good, when the parcel leaves, and publishes
        inventory-changed. Errors: NOT_FOUND, FAILED_PRECONDITION RESERVATION_RELEASED or
        RESERVATION_EXPIRED.
        """
        reservation_id = requests.reservation_id_of(request)

        async def commit(connection: AsyncConnection) -> Reservation | Refusal:
            return await self._stockroom.commit_in_time(connection, await _reservation(connection, reservation_id))

        return warehouse_pb2.CommitReservationResponse(reservation=await self._moved(commit))

    async def adjust_stock(
        self, request: warehouse_pb2.AdjustStockRequest, call: Call, /
    ) -> warehouse_pb2.AdjustStockResponse:
        """Corrects the stock on hand after a delivery, a stocktake or a loss, and publishes
        inventory-changed. Errors: FAILED_PRECONDITION BELOW_RESERVED.
        """
        key = requests.checked_adjustment(request, call)
        command = Command(scope="AdjustStock", key=key, fingerprint=fingerprint_of(request, "idempotency_key"))

        async def adjust(connection: AsyncConnection) -> bytes:
            earlier = await command.earlier_answer(connection)
            return earlier if earlier is not None else await self._adjust(connection, command, request)

        return warehouse_pb2.AdjustStockResponse.FromString(await self._database.run(adjust))

    def sync_stock(
        self, requests: AsyncIterator[warehouse_pb2.SyncStockRequest], call: Call, /
    ) -> AsyncIterator[warehouse_pb2.SyncStockResponse]:
        """Stocktake with hand scanners; not offered yet."""
        raise refusal(Unimplemented, "NOT_OFFERED", "SyncStock is not offered yet")

    async def _reserve(
        self,
        connection: AsyncConnection,
        command: Command,
        order_id: str,
        lines: tuple[Line, ...],
        hold: timedelta | None,
    ) -> Reservation | Shortage:
        found = await self._stockroom.reserve(connection, order_id, lines, hold=hold)
        if isinstance(found, Shortage):
            await command.answered(connection, remembered.shortage(found))
            return found
        if sorted(found.lines, key=_product) != sorted(lines, key=_product):
            facts = {"reservation_id": found.reservation_id}
            raise refusal(FailedPrecondition, "ALREADY_RESERVED", "the order has reserved other lines", facts=facts)
        await command.answered(connection, remembered.reservation(found))
        return found

    async def _adjust(
        self, connection: AsyncConnection, command: Command, request: warehouse_pb2.AdjustStockRequest
    ) -> bytes:
        reason = warehouse_pb2.AdjustmentReason.Name(request.reason)
        try:
            level = await self._stockroom.adjust(
                connection, request.product_id, request.warehouse_id, request.delta, reason=reason
            )
        except OverflowError as error:
            raise invalid("delta", "must not lead to more than 64 bits can count") from error
        if level is None:
            raise refusal(FailedPrecondition, "BELOW_RESERVED", "less would be left than is reserved")
        answer = warehouse_pb2.AdjustStockResponse(level=answers.level(level)).SerializeToString()
        await command.answered(connection, answer)
        return answer

    async def _moved(
        self, move: Callable[[AsyncConnection], Awaitable[Reservation | Refusal]]
    ) -> warehouse_pb2.Reservation:
        found = await self._database.run(move)
        if isinstance(found, Refusal):
            raise answers.unmoved(found)
        return answers.reservation(found)


class WarehouseEventsHandlers:
    """Receives what warehouse/v1/asyncapi.yaml says that this service receives."""

    def __init__(self, database: Database, stockroom: Stockroom) -> None:
        self._database = database
        self._stockroom = stockroom

    async def reserve_and_settle_stock_on_order_status(
        self, event: OrderStatusChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Reserves stock when the order is paid, or reports the shortage; commits the reservation
        when the order ships; releases it when the order is cancelled or refunded.

        Events that came before, or that a newer one of the order has overtaken, change nothing.
        """

        async def follow(connection: AsyncConnection) -> None:
            if not await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                return
            known = await reservations.lock_order(connection, event.data.order_id)
            if event.aggregateversion > known:
                await reservations.note_version(connection, event.data.order_id, event.aggregateversion)
                await self._follow(connection, event)

        await self._database.run(follow)
        return None

    async def _follow(self, connection: AsyncConnection, event: OrderStatusChangedEvent) -> None:
        order_id, status = event.data.order_id, event.data.status
        if status == OrderStatus.ORDER_STATUS_PAID:
            lines = merged(Line(product_id=item.product_id, quantity=item.quantity) for item in event.data.items)
            await self._stockroom.reserve(connection, order_id, lines, cause=event.id)
            return
        if status not in _SETTLING:
            return
        reservation = await reservations.latest_of(connection, order_id)
        if reservation is None:
            if status == OrderStatus.ORDER_STATUS_SHIPPED:
                LOG.error("order %s shipped without a reservation: its stock needs a count", order_id)
            return
        reason = _SETTLING[status]
        if reason is not None:
            moved = await self._stockroom.release(connection, reservation, reason, cause=event.id)
        else:
            moved = await self._stockroom.commit(connection, reservation, cause=event.id)
        if isinstance(moved, Refusal):
            LOG.error("order %s is %s, but %s: its stock needs a count", order_id, status, moved.value)


_SETTLING: dict[OrderStatus, ReleaseReason | None] = {
    OrderStatus.ORDER_STATUS_SHIPPED: None,
    OrderStatus.ORDER_STATUS_CANCELLED: ReleaseReason.ORDER_CANCELLED,
    OrderStatus.ORDER_STATUS_REFUNDED: ReleaseReason.ORDER_CANCELLED,
    OrderStatus.ORDER_STATUS_FAILED: ReleaseReason.PAYMENT_FAILED,
}
"""Statuses that end a reservation, and why it is given back; None where its goods have left."""


async def _reservation(connection: AsyncConnection, reservation_id: str) -> Reservation:
    found = await reservations.find(connection, reservation_id)
    if found is None:
        raise refusal(NotFound, "NOT_FOUND", "there is no such reservation")
    return found


def _product(line: Line) -> str:
    return line.product_id
