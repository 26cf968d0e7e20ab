"""The life of an order as pure functions: `decide` turns a command into events, `evolve` events into an order.

Events of other services arrive late, twice, and in any order between services. A command that says nothing new, or
comes too late, decides no event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Status(StrEnum):
    """States of an order: `order.v1.OrderStatus` without its prefix."""

    PENDING = "PENDING"
    PAID = "PAID"
    CONFIRMED = "CONFIRMED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"


FINAL = frozenset({Status.DELIVERED, Status.CANCELLED, Status.REFUNDED, Status.FAILED})
PAYMENT_DECLINED, CUSTOMER_REQUEST = "PAYMENT_DECLINED", "CUSTOMER_REQUEST"
OUT_OF_STOCK, ORDER_CANCELLED, DUPLICATE = "OUT_OF_STOCK", "ORDER_CANCELLED", "DUPLICATE"


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in the smallest unit of the currency (ISO 4217)."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many pieces of a product, at the price of the moment of the order."""

    product_id: str
    sku: str
    name: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What was agreed. All money in one currency; `total` is subtotal + shipping_cost + tax - discount."""

    order_id: str
    customer_id: str
    checkout_id: str
    payment_method_id: str
    lines: tuple[Line, ...]
    shipping_cost: Money
    tax: Money
    discount: Money
    total: Money
    shipping_rate_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def subtotal(self) -> Money:
        """Sum of all lines."""
        return Money(sum(line.quantity * line.unit_price.amount for line in self.lines), self.total.currency)

    @property
    def adds_up(self) -> bool:
        """Whether the total is the sum of its parts, and is not negative."""
        due = self.subtotal.amount + self.shipping_cost.amount + self.tax.amount - self.discount.amount
        return self.total.amount == due >= 0


# ---- events


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    purchase: Purchase


@dataclass(frozen=True, slots=True)
class OrderPaid:
    payment_id: str


@dataclass(frozen=True, slots=True)
class LatePaymentNoted:
    """Money came for an order that does not want it."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class ReservationNoted:
    reservation_id: str


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    reservation_id: str


@dataclass(frozen=True, slots=True)
class ShortageNoted:
    code: str


@dataclass(frozen=True, slots=True)
class CancellationRequested:
    reason: str


@dataclass(frozen=True, slots=True)
class RefundRequested:
    """`key` is the idempotency key of the refund: whoever asks for the same refund uses the same one."""

    payment_id: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    reason: str


@dataclass(frozen=True, slots=True)
class OrderFailed:
    reason: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    reason: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class ShipmentNoted:
    shipment_id: str


@dataclass(frozen=True, slots=True)
class OrderShipped:
    shipment_id: str


@dataclass(frozen=True, slots=True)
class OrderDelivered:
    shipment_id: str


@dataclass(frozen=True, slots=True)
class PersonalDataErased:
    """Names and addresses, which are kept beside the events, are gone."""


Event = (
    OrderPlaced | OrderPaid | LatePaymentNoted | ReservationNoted | OrderConfirmed | ShortageNoted
    | CancellationRequested | RefundRequested | OrderCancelled | OrderFailed | OrderRefunded | ShipmentNoted
    | OrderShipped | OrderDelivered | PersonalDataErased
)  # fmt: skip


# ---- the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order after some events. `version` counts them."""

    purchase: Purchase
    version: int = 1
    status: Status = Status.PENDING
    reason: str | None = None
    """Why it was cancelled, failed or refunded."""
    payment_id: str | None = None
    payments: frozenset[str] = frozenset()
    """All payments whose money came."""
    reservation_id: str | None = None
    shipment_id: str | None = None
    shortage: str | None = None
    cancellation: str | None = None
    refund_requested: bool = False
    erased: bool = False

    @property
    def id(self) -> str:
        """Its name."""
        return self.purchase.order_id

    @property
    def closing(self) -> bool:
        """Whether it is to be paid back: it is neither confirmed nor shipped any more."""
        return self.refund_requested or self.shortage is not None or self.cancellation is not None


def evolve(order: Order | None, event: Event) -> Order:
    """The order after the event. ValueError for a history that does not begin with OrderPlaced."""
    if isinstance(event, OrderPlaced):
        return Order(purchase=event.purchase)
    if order is None:
        raise ValueError(f"no order to apply {type(event).__name__} to")
    return replace(_changed(order, event), version=order.version + 1)


def fold(events: Iterable[Event], order: Order | None = None) -> Order | None:
    """The order after all of them; None when there are none."""
    for event in events:
        order = evolve(order, event)
    return order


def _changed(order: Order, event: Event) -> Order:
    match event:
        case OrderPaid(payment):
            seen = order.payments | {payment}
            return replace(order, status=Status.PAID, payment_id=payment, payments=seen)
        case LatePaymentNoted(payment):
            return replace(order, payment_id=order.payment_id or payment, payments=order.payments | {payment})
        case ReservationNoted(reservation):
            return replace(order, reservation_id=reservation)
        case OrderConfirmed(reservation):
            return replace(order, status=Status.CONFIRMED, reservation_id=reservation)
        case ShortageNoted(code):
            return replace(order, shortage=code)
        case CancellationRequested(reason):
            return replace(order, cancellation=reason)
        case RefundRequested(payment):
            return replace(order, refund_requested=order.refund_requested or payment == order.payment_id)
        case OrderCancelled(reason):
            return replace(order, status=Status.CANCELLED, reason=reason)
        case OrderFailed(reason, payment):
            return replace(order, status=Status.FAILED, reason=reason, payment_id=payment)
        case OrderRefunded(reason, payment):
            seen = order.payments | {payment}
            return replace(order, status=Status.REFUNDED, reason=reason, payment_id=payment, payments=seen)
        case ShipmentNoted(shipment):
            return replace(order, shipment_id=shipment)
        case OrderShipped(shipment):
            return replace(order, status=Status.SHIPPED, shipment_id=shipment)
        case OrderDelivered(shipment):
            return replace(order, status=Status.DELIVERED, shipment_id=shipment)
        case PersonalDataErased():
            return replace(order, erased=True)
        case OrderPlaced():
            raise ValueError("an order is placed once")


# ---- commands and decisions


class Shipped(Exception):
    """The order is on its way: it cannot be cancelled any more."""


def pay(order: Order, payment_id: str) -> tuple[Event, ...]:
    """A payment of the order went through."""
    if payment_id in order.payments:
        return ()
    if order.status is Status.PENDING:
        paid: tuple[Event, ...] = (OrderPaid(payment_id),)
        if order.reservation_id is not None and not order.closing:
            paid += (OrderConfirmed(order.reservation_id),)
        return paid
    unwanted = LatePaymentNoted(payment_id)
    if not order.payments:
        return unwanted, RefundRequested(payment_id, ORDER_CANCELLED, refund_key(order))
    return unwanted, RefundRequested(payment_id, DUPLICATE, f"{refund_key(order)}/{payment_id}")


def decline(order: Order, payment_id: str) -> tuple[Event, ...]:
    """A payment of the order was declined."""
    return (OrderFailed(PAYMENT_DECLINED, payment_id),) if order.status is Status.PENDING else ()


def reserve(order: Order, reservation_id: str) -> tuple[Event, ...]:
    """Stock for all lines is set aside."""
    if order.status is Status.PAID and not order.closing:
        return (OrderConfirmed(reservation_id),)
    waiting = order.status in (Status.PENDING, Status.PAID)
    return (ReservationNoted(reservation_id),) if waiting and order.reservation_id != reservation_id else ()


def miss(order: Order, code: str) -> tuple[Event, ...]:
    """Stock is missing; the checkout service sees to the refund."""
    waiting = order.status in (Status.PENDING, Status.PAID) and order.shortage is None
    return (ShortageNoted(code),) if waiting else ()


def lapse(order: Order) -> tuple[Event, ...]:
    """The reservation ended by itself."""
    if order.status not in (Status.PAID, Status.CONFIRMED) or order.payment_id is None or order.closing:
        return ()
    refund = RefundRequested(order.payment_id, OUT_OF_STOCK, refund_key(order))
    return ShortageNoted(OUT_OF_STOCK), refund


def refund(order: Order, payment_id: str, *, reason: str, fully: bool) -> tuple[Event, ...]:
    """Money was paid back. `reason` counts when the order itself knows none."""
    if not fully or order.status in FINAL or order.payment_id not in (None, payment_id):
        return ()
    return (OrderRefunded(order.shortage or order.cancellation or reason, payment_id),)


def cancel(order: Order, reason: str) -> tuple[Event, ...]:
    """Somebody does not want the order any more. `Shipped` when it is too late."""
    if order.status in (Status.SHIPPED, Status.DELIVERED):
        raise Shipped(order.id)
    if order.status is Status.PENDING:
        return (OrderCancelled(reason),)
    if order.status in FINAL or order.payment_id is None or order.cancellation is not None:
        return ()
    asked: tuple[Event, ...] = (CancellationRequested(reason),)
    if not order.refund_requested:
        asked += (RefundRequested(order.payment_id, ORDER_CANCELLED, refund_key(order)),)
    return asked


def note_shipment(order: Order, shipment_id: str) -> tuple[Event, ...]:
    """There is a label."""
    return (ShipmentNoted(shipment_id),) if order.shipment_id is None and order.status not in FINAL else ()


def ship(order: Order, shipment_id: str) -> tuple[Event, ...]:
    """The carrier has the parcel."""
    return (OrderShipped(shipment_id),) if order.status in (Status.PAID, Status.CONFIRMED) else ()


def deliver(order: Order, shipment_id: str) -> tuple[Event, ...]:
    """The customer has it. The news that it was shipped may come later, or never."""
    shipped = ship(order, shipment_id)
    on_its_way = order.status is Status.SHIPPED or shipped
    return (*shipped, OrderDelivered(shipment_id)) if on_its_way else ()


def erase(order: Order) -> tuple[Event, ...]:
    """The customer was erased."""
    return () if order.erased else (PersonalDataErased(),)


def refund_key(order: Order) -> str:
    """The idempotency key of the refund of an order, the same for all who ask for it: an order is paid back once."""
    return f"{order.id}/refund"
