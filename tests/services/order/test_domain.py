"""Laws of an order's life, whatever comes, in any order, any number of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order import domain
from services.order.adapters.event_json import from_json, to_json, type_of
from services.order.domain import (
    FINAL,
    Event,
    Line,
    Money,
    Order,
    OrderPlaced,
    Purchase,
    RefundRequested,
    Shipped,
    Status,
    evolve,
    fold,
)

News = tuple[str, Callable[[Order], Sequence[Event]]]
PURCHASE = Purchase(
    order_id="ord_1",
    customer_id="cus_1",
    checkout_id="chk_1",
    payment_method_id="pm_1",
    lines=(Line(product_id="prd", sku="S", name="N", quantity=2, unit_price=Money(1250, "EUR")),),
    shipping_cost=Money(499, "EUR"),
    tax=Money(570, "EUR"),
    discount=Money(0, "EUR"),
    total=Money(3569, "EUR"),
    metadata={"channel": "web"},
)
PAY, PAY_AGAIN = "pay_1", "pay_2"
ALL: tuple[News, ...] = (
    ("pay", lambda o: domain.pay(o, PAY)),
    ("pay again", lambda o: domain.pay(o, PAY_AGAIN)),
    ("decline", lambda o: domain.decline(o, PAY)),
    ("reserve", lambda o: domain.reserve(o, "rsv_1")),
    ("miss", lambda o: domain.miss(o, "OUT_OF_STOCK")),
    ("lapse", domain.lapse),
    ("refund", lambda o: domain.refund(o, PAY, reason="OUT_OF_STOCK", fully=True)),
    ("refund a part", lambda o: domain.refund(o, PAY, reason="OUT_OF_STOCK", fully=False)),
    ("cancel", lambda o: domain.cancel(o, "CUSTOMER_REQUEST")),
    ("label", lambda o: domain.note_shipment(o, "shp_1")),
    ("ship", lambda o: domain.ship(o, "shp_1")),
    ("deliver", lambda o: domain.deliver(o, "shp_1")),
    ("erase", domain.erase),
)
BY_NAME = dict(ALL)
NEXT = {
    Status.PENDING: {Status.PAID, Status.CANCELLED, Status.FAILED, Status.REFUNDED},
    Status.PAID: {Status.CONFIRMED, Status.SHIPPED, Status.REFUNDED},
    Status.CONFIRMED: {Status.SHIPPED, Status.REFUNDED},
    Status.SHIPPED: {Status.DELIVERED, Status.REFUNDED},
}


def decided(order: Order, news: Callable[[Order], Sequence[Event]]) -> Sequence[Event]:
    try:
        return news(order)
    except Shipped:
        return ()


def lived(names: Sequence[str]) -> tuple[Order, list[Event]]:
    """The order after the news, and its events."""
    events: list[Event] = [OrderPlaced(PURCHASE)]
    order = evolve(None, events[0])
    for name in names:
        for event in decided(order, BY_NAME[name]):
            order = evolve(order, event)
            events.append(event)
    return order, events


LIVES = st.lists(st.sampled_from([name for name, _ in ALL]), max_size=12)


@given(LIVES)
def test_an_order_moves_along_the_contract_only_and_never_out_of_a_final_status(names: list[str]) -> None:
    order, events = lived(names)
    status = Status.PENDING
    for version in range(2, len(events) + 1):
        now = fold(events[:version])
        assert now is not None and now.version == version
        assert now.status is status or now.status in NEXT.get(status, set())
        status = now.status
    assert order == fold(events)


@given(LIVES, st.sampled_from([name for name, _ in ALL]))
def test_news_that_are_repeated_at_once_change_nothing(names: list[str], again: str) -> None:
    order, _ = lived([*names, again])
    assert decided(order, BY_NAME[again]) == ()


@given(LIVES)
def test_money_is_asked_back_at_most_once_a_payment_and_always_with_the_same_key(names: list[str]) -> None:
    _, events = lived(names)
    asked = [event for event in events if isinstance(event, RefundRequested)]
    assert len({event.payment_id for event in asked}) == len(asked)
    for event in asked:
        assert event.key in ("ord_1/refund", f"ord_1/refund/{event.payment_id}")


def test_money_that_was_asked_back_is_not_asked_back_again_by_a_cancellation() -> None:
    _, events = lived(["pay", "reserve", "lapse", "cancel"])
    assert sum(isinstance(event, RefundRequested) for event in events) == 1


@given(LIVES)
def test_money_that_came_for_an_order_that_ended_without_it_is_asked_back(names: list[str]) -> None:
    order, events = lived(names)
    if order.status in (Status.CANCELLED, Status.FAILED):
        asked = {event.payment_id for event in events if isinstance(event, RefundRequested)}
        assert order.payments <= asked


@given(LIVES)
def test_events_survive_being_stored(names: list[str]) -> None:
    _, events = lived(names)
    assert [from_json(type_of(event), to_json(event)) for event in events] == events


@pytest.mark.parametrize(
    ("news", "status", "reason"),
    [
        (("pay", "reserve"), Status.CONFIRMED, None),
        (("pay", "refund"), Status.REFUNDED, "OUT_OF_STOCK"),
        (("pay", "miss", "refund"), Status.REFUNDED, "OUT_OF_STOCK"),
        (("pay", "pay", "reserve", "reserve"), Status.CONFIRMED, None),
    ],
)
def test_in_whatever_order_it_hears_of_it_an_order_ends_alike(
    news: tuple[str, ...], status: Status, reason: str | None
) -> None:
    ends = {lived(order)[0].status for order in permutations(news)}
    reasons = {lived(order)[0].reason for order in permutations(news)}
    assert (ends, reasons) == ({status}, {reason})


@pytest.mark.parametrize(
    ("life", "status"),
    [
        (("pay", "reserve", "label", "ship", "deliver"), Status.DELIVERED),
        (("pay", "reserve", "deliver", "ship"), Status.DELIVERED),
        (("decline", "reserve", "cancel"), Status.FAILED),
        (("cancel", "decline", "ship"), Status.CANCELLED),
        (("pay", "miss", "reserve"), Status.PAID),
        (("pay", "cancel", "reserve"), Status.PAID),
        (("pay", "reserve", "cancel", "refund"), Status.REFUNDED),
        (("pay", "reserve", "lapse", "refund"), Status.REFUNDED),
    ],
)
def test_a_life_ends_where_the_contract_says(life: tuple[str, ...], status: Status) -> None:
    assert lived(life)[0].status is status


def test_what_was_shipped_cannot_be_cancelled() -> None:
    with pytest.raises(Shipped):
        domain.cancel(lived(["pay", "ship"])[0], "CUSTOMER_REQUEST")


def test_every_final_status_can_be_reached() -> None:
    lives = (("pay", "deliver"), ("cancel",), ("pay", "refund"), ("decline",))
    assert {lived(life)[0].status for life in lives} == FINAL


def test_a_history_begins_with_the_purchase() -> None:
    with pytest.raises(ValueError, match="no order"):
        evolve(None, domain.OrderPaid("pay_1"))
