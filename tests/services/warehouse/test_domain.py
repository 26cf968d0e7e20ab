"""Laws of stock: nothing is promised twice, nothing is lost, whatever is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.warehouse.domain import (
    MOST_ON_HAND,
    MOST_PIECES,
    Allocation,
    Booking,
    Lack,
    Level,
    Line,
    Refusal,
    ReleaseReason,
    Reservation,
    Shortage,
    Status,
    adjust,
    allocate,
    commit,
    give_back,
    merged,
    release,
    take_out,
)

PRODUCTS = st.sampled_from(["tea", "mug", "pot"])
LINES = st.lists(st.builds(Line, product_id=PRODUCTS, quantity=st.integers(1, 60)), min_size=1, max_size=5)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@st.composite
def shelves(draw: st.DrawFn) -> tuple[Level, ...]:
    places = draw(st.lists(st.tuples(PRODUCTS, st.sampled_from(["berlin", "hamburg"])), unique=True, max_size=6))
    found = []
    for product, warehouse in places:
        on_hand = draw(st.integers(0, 100))
        reserved = draw(st.integers(0, on_hand))
        found.append(Level(product_id=product, warehouse_id=warehouse, on_hand=on_hand, reserved=reserved, version=3))
    return tuple(found)


def after(levels: tuple[Level, ...], bookings: tuple[Booking, ...]) -> tuple[Level, ...]:
    changed = {(b.level.product_id, b.level.warehouse_id): b.level for b in bookings}
    return tuple(changed.get((each.product_id, each.warehouse_id), each) for each in levels)


def free(levels: tuple[Level, ...], product: str) -> int:
    return sum(level.available for level in levels if level.product_id == product)


@given(LINES, shelves())
def test_all_lines_are_set_aside_or_none(lines: list[Line], levels: tuple[Level, ...]) -> None:
    wanted = {product: sum(x.quantity for x in lines if x.product_id == product) for product in ("tea", "mug", "pot")}
    found = allocate(lines, levels)
    if all(free(levels, product) >= pieces for product, pieces in wanted.items()):
        assert isinstance(found, Allocation)
        left = after(levels, found.bookings)
        assert {p: free(levels, p) - free(left, p) for p in wanted} == wanted
        assert sum(level.on_hand for level in left) == sum(level.on_hand for level in levels)
    else:
        assert isinstance(found, Shortage)
        assert all(each.available < each.requested == wanted[each.product_id] for each in found.lines)
        known = {level.product_id for level in levels}
        unknown = any(each.product_id not in known for each in found.lines)
        assert found.lack is (Lack.UNKNOWN_PRODUCT if unknown else Lack.OUT_OF_STOCK)


@given(LINES, shelves())
def test_what_is_given_back_can_be_promised_again(lines: list[Line], levels: tuple[Level, ...]) -> None:
    found = allocate(lines, levels)
    if isinstance(found, Allocation):
        held = after(levels, found.bookings)
        given_back = after(held, give_back(found.shares, held))
        shown = [(x.on_hand, x.reserved) for x in given_back]
        assert shown == [(x.on_hand, x.reserved) for x in levels]
        assert all(new.version >= old.version for new, old in zip(given_back, held, strict=True))


@given(LINES, shelves())
def test_what_leaves_was_set_aside_and_changes_nothing_that_is_free(
    lines: list[Line], levels: tuple[Level, ...]
) -> None:
    found = allocate(lines, levels)
    if isinstance(found, Allocation):
        held = after(levels, found.bookings)
        gone = after(held, take_out(found.shares, held))
        assert [x.available for x in gone] == [x.available for x in held]
        assert sum(x.on_hand for x in levels) - sum(x.on_hand for x in gone) == sum(x.quantity for x in lines)
        assert all(booking.available == 0 for booking in take_out(found.shares, held))


def test_one_warehouse_that_has_enough_is_preferred_to_two() -> None:
    levels = (
        Level(product_id="tea", warehouse_id="berlin", on_hand=2),
        Level(product_id="tea", warehouse_id="hamburg", on_hand=9),
    )
    found = allocate([Line(product_id="tea", quantity=3)], levels)
    assert isinstance(found, Allocation)
    assert [(share.warehouse_id, share.quantity) for share in found.shares] == [("hamburg", 3)]


@given(st.lists(st.builds(Line, product_id=PRODUCTS, quantity=st.integers(1, 999)), min_size=1, max_size=8))
def test_merged_lines_have_the_same_pieces_and_are_never_longer(lines: list[Line]) -> None:
    found = merged(lines)
    assert len(found) <= len(lines)
    assert all(1 <= line.quantity <= MOST_PIECES for line in found)
    for product in ("tea", "mug", "pot"):
        assert sum(x.quantity for x in found if x.product_id == product) == sum(
            x.quantity for x in lines if x.product_id == product
        )


@given(st.integers(0, 50), st.integers(0, 50), st.integers(-120, 120))
def test_a_correction_leaves_what_is_reserved(on_hand: int, reserved: int, delta: int) -> None:
    level = Level(product_id="tea", warehouse_id="berlin", on_hand=on_hand + reserved, reserved=reserved)
    booking = adjust(level, delta)
    if booking is None:
        assert level.on_hand + delta < reserved
    else:
        assert (booking.level.on_hand, booking.level.reserved) == (level.on_hand + delta, reserved)
        assert booking.available == delta


def test_more_than_64_bits_are_refused() -> None:
    with pytest.raises(OverflowError):
        adjust(Level(product_id="tea", warehouse_id="berlin", on_hand=1), MOST_ON_HAND)


@pytest.mark.parametrize(("on_hand", "reserved"), [(-1, 0), (1, 2), (1, -1)])
def test_a_level_that_cannot_be_is_no_value(on_hand: int, reserved: int) -> None:
    with pytest.raises(ValueError, match="cannot be reserved"):
        Level(product_id="tea", warehouse_id="berlin", on_hand=on_hand, reserved=reserved)


FINAL = {Status.COMMITTED: Refusal.COMMITTED, Status.RELEASED: Refusal.RELEASED, Status.EXPIRED: Refusal.EXPIRED}


@given(st.lists(st.sampled_from(["commit", *ReleaseReason]), max_size=6))
def test_a_reservation_ends_once(steps: list[str]) -> None:
    held = Reservation(
        reservation_id="r", order_id="o", lines=(), created_at=NOW, expires_at=NOW + timedelta(minutes=30)
    )
    for step in steps:
        moved = commit(held) if step == "commit" else release(held, ReleaseReason(step))
        if held.status is Status.ACTIVE:
            assert isinstance(moved, Reservation)
            assert moved.version == held.version + 1
            held = moved
        elif step == "commit":
            assert moved == (None if held.status is Status.COMMITTED else FINAL[held.status])
        else:
            assert moved == (Refusal.COMMITTED if held.status is Status.COMMITTED else None)
