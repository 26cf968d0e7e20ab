"""Laws of carts, prices, checkouts and of the saga, for all values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checkout.domain.cart import MAX_LINES, MAX_QUANTITY, Cart, with_item, without_item
from services.checkout.domain.checkout import (
    ACCEPTED_ORDERS,
    FAILED_ORDERS,
    Checkout,
    Status,
    ordered,
    settled,
    status_at,
)
from services.checkout.domain.pricing import STANDARD_RATES, PricedLine, Tariff, totals
from services.checkout.domain.refusals import Invalid, Refused
from services.checkout.domain.saga import (
    Charge,
    Compensation,
    Effect,
    Ending,
    News,
    after_charge,
    after_news,
    key_of,
    news_of,
    reversed_effects,
)

NOW = datetime(2026, 2, 1, tzinfo=UTC)
EMPTY = Cart(cart_id="c", customer_id="a", currency="EUR", created_at=NOW, updated_at=NOW)
changes = st.lists(
    st.tuples(st.sampled_from(["p1", "p2", "p3", "p4"]), st.one_of(st.none(), st.integers(1, MAX_QUANTITY))),
    max_size=20,
)


@given(changes)
def test_a_cart_is_what_was_last_said_of_each_product(said: list[tuple[str, int | None]]) -> None:
    cart, wanted = EMPTY, dict[str, int]()
    for product, quantity in said:
        before = cart
        if quantity is None:
            wanted.pop(product, None)
            cart = without_item(cart, product, NOW)
        else:
            wanted[product] = quantity
            cart = with_item(cart, product, quantity, NOW)
        assert (cart.version == before.version) == (cart.lines == before.lines)
    assert [(line.product_id, line.quantity) for line in cart.lines] == list(wanted.items())


@given(st.integers().filter(lambda quantity: not 1 <= quantity <= MAX_QUANTITY))
def test_no_other_quantity_fits(quantity: int) -> None:
    with pytest.raises(Invalid):
        with_item(EMPTY, "p", quantity, NOW)


def test_a_cart_holds_what_an_order_takes() -> None:
    cart = EMPTY
    for number in range(MAX_LINES):
        cart = with_item(cart, f"p{number}", 1, NOW)
    assert with_item(cart, "p0", 2, NOW).lines[0].quantity == 2
    with pytest.raises(Refused):
        with_item(cart, "one more", 1, NOW)


@given(
    st.lists(st.tuples(st.integers(1, MAX_QUANTITY), st.integers(1, 10**9)), min_size=1, max_size=10),
    st.sampled_from([*STANDARD_RATES, "US", "CH"]),
    st.integers(0, 10**6),
)
def test_totals_add_up_and_tax_is_never_off_by_more_than_half_a_minor_unit(
    lines: list[tuple[int, int]], country: str, flat_rate: int
) -> None:
    priced = [PricedLine("p", "s", "n", quantity, price) for quantity, price in lines]
    found = totals(priced, country, Tariff(flat_rate=flat_rate))
    assert found.subtotal == sum(quantity * price for quantity, price in lines)
    assert found.total == found.subtotal + found.shipping + found.tax - found.discount
    exact = (found.subtotal + found.shipping) * STANDARD_RATES.get(country, 0)
    assert abs(found.tax * 10_000 - exact) <= 5_000


STARTED = Checkout(checkout_id="k", cart_id="c", customer_id="a", session_id="s", created_at=NOW, updated_at=NOW)
events = st.lists(
    st.tuples(
        st.sampled_from(["PENDING", "PAID", *sorted(ACCEPTED_ORDERS), *sorted(FAILED_ORDERS)]),
        st.one_of(st.none(), st.just("OUT_OF_STOCK")),
    ),
    max_size=8,
)


@given(events)
def test_the_first_final_status_of_an_order_stays_that_of_its_checkout(said: list[tuple[str, str | None]]) -> None:
    checkout = ordered(STARTED, "o", NOW)
    decisive = [(status, reason) for status, reason in said if status in ACCEPTED_ORDERS | FAILED_ORDERS]
    for status, reason in said:
        checkout = settled(checkout, status, reason, NOW)
    if not decisive:
        assert checkout.status is Status.CONFIRMED
        return
    status, reason = decisive[0]
    assert checkout.status is (Status.COMPLETED if status in ACCEPTED_ORDERS else Status.FAILED)
    assert checkout.failure_code == (None if status in ACCEPTED_ORDERS else reason or f"ORDER_{status}")
    assert ordered(checkout, "another", NOW) is checkout


def test_a_checkout_that_is_being_confirmed_does_not_expire() -> None:
    later, lifetime = NOW + timedelta(days=2), timedelta(days=1)
    assert status_at(STARTED, later, lifetime) is Status.EXPIRED
    assert status_at(ordered(STARTED, "o", NOW), later, lifetime) is Status.CONFIRMED


@given(st.permutations(list(Effect)), st.integers(0, 2))
def test_what_landed_is_undone_last_first_and_once(effects: list[Effect], landed: int) -> None:
    done = effects[:landed]
    undone = reversed_effects(done)
    assert len(undone) == len(done)
    names = {Effect.ORDER: Compensation.CANCEL_ORDER, Effect.CHARGE: Compensation.REFUND}
    assert list(undone) == [names[effect] for effect in reversed(done)]


@given(st.sampled_from(list(Charge)), st.one_of(st.none(), st.sampled_from(list(News))))
def test_money_that_may_have_moved_is_kept_or_paid_back_and_never_forgotten(charge: Charge, news: News | None) -> None:
    decided = after_charge(charge)
    if decided is None:
        decided = after_news(news, charge)
    ending, undo = decided
    assert (ending is None) == bool(undo)
    if charge is Charge.DECLINED:
        assert ending is Ending.FAILED
    elif charge is Charge.REFUSED:
        assert undo == (Compensation.CANCEL_ORDER,)
    elif charge is Charge.UNKNOWN or news is None:
        assert undo == (Compensation.REFUND, Compensation.CANCEL_ORDER)
    elif news in (News.SHORTAGE, News.CANCELLED):
        assert undo == (Compensation.REFUND,)
    else:
        assert ending is (Ending.COMPLETED if news is News.CONFIRMED else Ending.CLOSED)


def test_every_status_of_an_order_but_those_on_the_way_ends_the_wait() -> None:
    waiting = {"PENDING", "PAID"}
    assert {status for status in waiting if news_of(status) is None} == waiting
    assert all(news_of(status) for status in ACCEPTED_ORDERS | FAILED_ORDERS)


def test_keys_tell_orders_and_steps_apart() -> None:
    keys = {key_of(order, step) for order in ("o1", "o2") for step in ("charge", "refund", "cancel")}
    assert len(keys) == 6
    assert key_of("o1", "charge") == "o1/charge"
