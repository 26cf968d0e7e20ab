"""What the order service does when it is told: each event of another service becomes a decision about its order.

An event is handled once (inbox); one about an order that does not exist can never be handled, since an order is there
before anything that it sets off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shop.customer.v1.events.models import CustomerDeletedEvent
from shop.payment.v1.events.models import (
    PaymentFailedEvent,
    PaymentRefundedEvent,
    PaymentSucceededEvent,
)
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import Drop, Outcome
from shop.shipping.v1.events.models import ShipmentCreatedEvent, ShipmentStatus, ShipmentStatusChangedEvent
from shop.warehouse.v1.events.models import (
    ReleaseReason,
    ReservationReleasedEvent,
    StockReservationFailedEvent,
    StockReservedEvent,
)

from services.order import domain
from services.order.adapters.announcements import Cause
from services.order.adapters.orders import Orders
from services.order.domain import Event, Order

_UNDER_WAY = frozenset({ShipmentStatus.SHIPMENT_STATUS_IN_TRANSIT, ShipmentStatus.SHIPMENT_STATUS_OUT_FOR_DELIVERY})


class OrderEventsHandlers:
    """Receives what order/v1/asyncapi.yaml says that this service receives."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def confirm_order_on_stock_reserved(
        self, event: StockReservedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Notes the reservation and moves the order to ORDER_STATUS_CONFIRMED."""
        data = event.data
        return await self._change(
            data.order_id, Cause(event.source, event.id), lambda order: domain.reserve(order, data.reservation_id)
        )

    async def note_stock_shortage(
        self, event: StockReservationFailedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Notes why the order will be paid back; the checkout service sees to the refund."""
        code = str(event.data.code)
        return await self._change(
            event.data.order_id, Cause(event.source, event.id), lambda order: domain.miss(order, code)
        )

    async def note_reservation_released(
        self, event: ReservationReleasedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Refunds an order whose reservation lapsed before shipment."""
        if event.data.reason != ReleaseReason.RELEASE_REASON_EXPIRED:
            return None
        return await self._change(event.data.order_id, Cause(event.source, event.id), domain.lapse)

    async def pay_order_on_payment_succeeded(
        self, event: PaymentSucceededEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Moves the order to ORDER_STATUS_PAID, also when the reply of the payment service was
        lost.
        """
        data = event.data
        return await self._change(
            data.order_id, Cause(event.source, event.id), lambda order: domain.pay(order, data.payment_id)
        )

    async def fail_order_on_payment_failed(
        self, event: PaymentFailedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Moves the order to ORDER_STATUS_FAILED."""
        data = event.data
        return await self._change(
            data.order_id, Cause(event.source, event.id), lambda order: domain.decline(order, data.payment_id)
        )

    async def refund_order_on_payment_refunded(
        self, event: PaymentRefundedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Moves the order to ORDER_STATUS_REFUNDED."""
        data = event.data
        reason = str(data.reason).removeprefix("REFUND_REASON_")
        return await self._change(
            data.order_id,
            Cause(event.source, event.id),
            lambda order: domain.refund(order, data.payment_id, reason=reason, fully=data.fully_refunded),
        )

    async def note_shipment_created(
        self, event: ShipmentCreatedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Writes the shipment into the order."""
        data = event.data
        return await self._change(
            data.order_id, Cause(event.source, event.id), lambda order: domain.note_shipment(order, data.shipment_id)
        )

    async def follow_shipment(
        self, event: ShipmentStatusChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Moves the order to ORDER_STATUS_SHIPPED when the carrier has the parcel, and to
        ORDER_STATUS_DELIVERED on delivery.
        """
        data = event.data
        if data.status in _UNDER_WAY:
            decision = domain.ship
        elif data.status == ShipmentStatus.SHIPMENT_STATUS_DELIVERED:
            decision = domain.deliver
        else:
            return None
        return await self._change(
            data.order_id, Cause(event.source, event.id), lambda order: decision(order, data.shipment_id)
        )

    async def anonymise_orders_on_customer_deleted(
        self, event: CustomerDeletedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Removes names and addresses from the orders of the customer."""
        for order_id in await self._orders.of_customer(event.data.customer_id):
            # One transaction an order; `erase` decides nothing the second time, so no inbox is needed.
            await self._orders.change(order_id, domain.erase)
        return None

    async def _change(
        self, order_id: str, cause: Cause, decision: Callable[[Order], Sequence[Event]]
    ) -> Outcome | None:
        if await self._orders.change(order_id, decision, cause=cause) is None:
            return Drop(f"there is no order {order_id}")
        return None
