"""Stock and reservations: what bookings do to levels, and what may become of a reservation.

Available stock is what is on hand minus what is reserved, and it never becomes negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

HOLD = timedelta(minutes=30)
"""How long a reservation holds when nobody says otherwise."""
LONGEST_HOLD = timedelta(hours=24)
MOST_PIECES = 999
"""Of one line."""
MOST_ON_HAND = 2**63 - 1


class Cause(StrEnum):
    """What a booking was made for."""

    RESERVATION = "reservation"
    RELEASE = "release"
    SHIPMENT = "shipment"
    ADJUSTMENT = "adjustment"


class Status(StrEnum):
    """States of a reservation; all but the first are final."""

    ACTIVE = "ACTIVE"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


class ReleaseReason(StrEnum):
    """Why a reservation is given back."""

    PAYMENT_FAILED = "PAYMENT_FAILED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    EXPIRED = "EXPIRED"


class Refusal(StrEnum):
    """Why a reservation cannot be moved to another state."""

    COMMITTED = "RESERVATION_COMMITTED"
    RELEASED = "RESERVATION_RELEASED"
    EXPIRED = "RESERVATION_EXPIRED"


class Lack(StrEnum):
    """Why an order cannot be served."""

    OUT_OF_STOCK = "OUT_OF_STOCK"
    UNKNOWN_PRODUCT = "UNKNOWN_PRODUCT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A product and a number of pieces."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Stock of one product in one warehouse. ValueError for a level that cannot be. `version` counts bookings."""

    product_id: str
    warehouse_id: str
    on_hand: int = 0
    reserved: int = 0
    version: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.reserved <= self.on_hand <= MOST_ON_HAND:
            raise ValueError(f"{self.reserved} pieces of {self.on_hand} cannot be reserved")

    @property
    def available(self) -> int:
        """Pieces that can still be promised."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A change of a level. `level` is the level after it."""

    level: Level
    on_hand: int = 0
    reserved: int = 0
    cause: Cause

    @property
    def available(self) -> int:
        """By how much the available pieces changed."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a line: pieces of one warehouse."""

    product_id: str
    warehouse_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """What can be delivered of one line; pieces over all warehouses."""

    product_id: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Where the pieces of an order are taken from."""

    shares: tuple[Share, ...]
    bookings: tuple[Booking, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """An order that cannot be served, and its lines that cannot."""

    lack: Lack
    lines: tuple[Available, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Stock set aside for an order. Times with a time zone. `version` counts its states from 1."""

    reservation_id: str
    order_id: str
    lines: tuple[Line, ...]
    status: Status = Status.ACTIVE
    version: int = 1
    created_at: datetime
    expires_at: datetime

    def moved(self, status: Status) -> Reservation:
        """In another state."""
        return replace(self, status=status, version=self.version + 1)


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Each product once, in order of its first line; never more pieces in one line than a line can have."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.product_id] = sums.get(line.product_id, 0) + line.quantity
    return tuple(
        Line(product_id=product, quantity=min(MOST_PIECES, pieces - done))
        for product, pieces in sums.items()
        for done in range(0, pieces, MOST_PIECES)
    )


def availability(lines: Sequence[Line], levels: Sequence[Level]) -> tuple[Available, ...]:
    """What can be delivered of each line. An unknown product has no pieces."""
    pieces: dict[str, int] = {}
    for level in levels:
        pieces[level.product_id] = pieces.get(level.product_id, 0) + level.available
    return tuple(
        Available(product_id=line.product_id, requested=line.quantity, available=pieces.get(line.product_id, 0))
        for line in lines
    )


def allocate(lines: Sequence[Line], levels: Sequence[Level]) -> Allocation | Shortage:
    """Set aside all lines or none, from as few warehouses a product as that takes."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    shelves = _by_product(levels)
    totals = [Line(product_id=product, quantity=pieces) for product, pieces in wanted.items()]
    short = tuple(each for each in availability(totals, levels) if each.available < each.requested)
    if short:
        unknown = any(each.product_id not in shelves for each in short)
        return Shortage(lack=Lack.UNKNOWN_PRODUCT if unknown else Lack.OUT_OF_STOCK, lines=short)
    shares = tuple(share for line in totals for share in _shares(line, shelves[line.product_id]))
    return Allocation(shares=shares, bookings=_booked(shares, levels, Cause.RESERVATION))


def give_back(shares: Sequence[Share], levels: Sequence[Level]) -> tuple[Booking, ...]:
    """What was set aside can be promised again."""
    return _booked(shares, levels, Cause.RELEASE)


def take_out(shares: Sequence[Share], levels: Sequence[Level]) -> tuple[Booking, ...]:
    """What was set aside has left the warehouse."""
    return _booked(shares, levels, Cause.SHIPMENT)


def adjust(level: Level, delta: int) -> Booking | None:
    """Correct what is on hand; None when less would be left than is reserved. OverflowError past 64 bits."""
    on_hand = level.on_hand + delta
    if on_hand < level.reserved:
        return None
    if on_hand > MOST_ON_HAND:
        raise OverflowError("more pieces than can be counted")
    after = replace(level, on_hand=on_hand, version=level.version + 1)
    return Booking(level=after, on_hand=delta, cause=Cause.ADJUSTMENT)


def release(reservation: Reservation, reason: ReleaseReason) -> Reservation | Refusal | None:
    """The reservation given back; None when that was done before."""
    if reservation.status is Status.COMMITTED:
        return Refusal.COMMITTED
    if reservation.status is not Status.ACTIVE:
        return None
    return reservation.moved(Status.EXPIRED if reason is ReleaseReason.EXPIRED else Status.RELEASED)


def commit(reservation: Reservation) -> Reservation | Refusal | None:
    """The reservation whose goods have left; None when that was done before.

    As long as it is active it can be committed, also past its time: only then is its stock still set aside.
    """
    if reservation.status is Status.COMMITTED:
        return None
    if reservation.status is Status.ACTIVE:
        return reservation.moved(Status.COMMITTED)
    return Refusal.EXPIRED if reservation.status is Status.EXPIRED else Refusal.RELEASED


def _by_product(levels: Sequence[Level]) -> Mapping[str, list[Level]]:
    found: dict[str, list[Level]] = {}
    for level in levels:
        found.setdefault(level.product_id, []).append(level)
    return found


def _shares(line: Line, shelves: Sequence[Level]) -> list[Share]:
    """From the fullest shelf on: one warehouse when one has enough."""
    left = line.quantity
    shares = []
    for shelf in sorted(shelves, key=lambda each: (-each.available, each.warehouse_id)):
        pieces = min(left, shelf.available)
        if pieces:
            shares.append(Share(product_id=line.product_id, warehouse_id=shelf.warehouse_id, quantity=pieces))
        left -= pieces
    return shares


def _booked(shares: Sequence[Share], levels: Sequence[Level], cause: Cause) -> tuple[Booking, ...]:
    known = {(level.product_id, level.warehouse_id): level for level in levels}
    bookings = []
    for share in shares:
        level = known[share.product_id, share.warehouse_id]
        reserved = share.quantity if cause is Cause.RESERVATION else -share.quantity
        on_hand = -share.quantity if cause is Cause.SHIPMENT else 0
        after = replace(
            level,
            on_hand=level.on_hand + on_hand,
            reserved=level.reserved + reserved,
            version=level.version + 1,
        )
        bookings.append(Booking(level=after, on_hand=on_hand, reserved=reserved, cause=cause))
    return tuple(bookings)
