"""What events do to checkouts, and what the workflows of their orders are told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from shop.runtime.errors import FailedPrecondition, Unavailable
from shop.runtime.transport import Retry

from services.checkout.domain.saga import News
from services.platform.refusals import code_of
from tests.services.checkout.buying import Buyer
from tests.services.checkout.conftest import Service
from tests.services.checkout.happening import (
    NOW,
    delivery,
    order_processing,
    order_status,
    price_changed,
    shortage,
)
from tests.services.checkout.shop import CUP, TEA, Shop


@pytest.fixture
def ada(service: Service) -> Buyer:
    return Buyer(service.carts, service.checkouts)


async def told(service: Service, order_id: str, status: str, reason: str | None = None) -> None:
    await service.events.settle_checkout_on_order_status(order_status(order_id, status, reason), delivery())


async def test_an_accepted_order_completes_its_checkout_for_good(service: Service, ada: Buyer) -> None:
    checkout_id, order_id = await ada.buy()
    await told(service, order_id, "PAID")
    assert await ada.status(checkout_id) == ("CONFIRMED", "")
    await told(service, order_id, "CONFIRMED")
    assert await ada.status(checkout_id) == ("COMPLETED", "")
    await told(service, order_id, "REFUNDED", "CUSTOMER_REQUEST")
    assert await ada.status(checkout_id) == ("COMPLETED", "")
    assert [news for _, news, _ in service.told.news] == [News.CONFIRMED, News.CLOSED]


@pytest.mark.parametrize(
    ("status", "reason", "code", "news"),
    [
        ("FAILED", "PAYMENT_DECLINED", "PAYMENT_DECLINED", News.CLOSED),
        ("REFUNDED", "OUT_OF_STOCK", "OUT_OF_STOCK", News.CLOSED),
        ("CANCELLED", None, "ORDER_CANCELLED", News.CANCELLED),
    ],
)
async def test_a_failed_order_fails_its_checkout_and_sets_the_cart_free(
    service: Service, ada: Buyer, status: str, reason: str | None, code: str, news: News
) -> None:
    checkout_id = await ada.start(cart_id := await ada.cart())
    order_id = await ada.confirm(checkout_id, (await ada.preview(checkout_id)).total)
    event = order_status(order_id, status, reason)
    for _ in range(3):
        await service.events.settle_checkout_on_order_status(event, delivery())
    assert await ada.status(checkout_id) == ("FAILED", code)
    assert set(service.told.news) == {(order_id, news, event.id)}
    await ada.put(cart_id, 1)
    assert await ada.start(cart_id, "ses_2") != checkout_id


async def test_an_order_whose_creator_crashed_is_known_by_its_events(service: Service, ada: Buyer, shop: Shop) -> None:
    checkout_id = await ada.start(await ada.cart())
    total = (await ada.preview(checkout_id)).total

    def lose() -> None:
        raise Unavailable("the reply was lost")

    shop.hooks["CreateOrder after"] = lose
    with pytest.raises(Unavailable):
        await ada.confirm(checkout_id, total)
    order_id = shop.order_id(checkout_id)
    await service.events.process_order(order_processing(order_id, checkout_id), delivery())
    assert await ada.status(checkout_id) == ("CONFIRMED", "")
    shop.hooks.clear()
    assert await ada.confirm(checkout_id, total) == order_id
    assert [due.order_id for due in service.told.begun] == [order_id]


async def test_an_order_that_names_a_checkout_which_was_not_confirmed_is_not_believed(
    service: Service, ada: Buyer
) -> None:
    checkout_id = await ada.start(await ada.cart())
    event = order_status("ord_foreign", "FAILED", "PAYMENT_DECLINED", checkout_id=checkout_id)
    await service.events.settle_checkout_on_order_status(event, delivery())
    assert await ada.status(checkout_id) == ("STARTED", "")


async def test_an_order_is_begun_with_what_it_costs(service: Service, ada: Buyer) -> None:
    checkout_id, order_id = await ada.buy()
    await service.events.process_order(order_processing(order_id, checkout_id), delivery())
    (due,) = service.told.begun
    assert (due.order_id, due.payment_method_id, due.minor_units, due.currency) == (order_id, "pm_1", 3569, "EUR")


async def test_an_order_that_ended_before_it_was_processed_is_not_charged(service: Service, ada: Buyer) -> None:
    checkout_id, order_id = await ada.buy()
    service.told.known = False
    await told(service, order_id, "CANCELLED")
    await service.events.process_order(order_processing(order_id, checkout_id), delivery())
    assert service.told.begun == []


async def test_a_shortage_that_no_workflow_hears_is_delivered_again(service: Service) -> None:
    service.told.known = False
    outcome = await service.events.compensate_on_stock_shortage(shortage("ord_1"), delivery())
    assert isinstance(outcome, Retry)
    service.told.known = True
    assert await service.events.compensate_on_stock_shortage(shortage("ord_1"), delivery()) is None
    assert [news for _, news, _ in service.told.news] == [News.SHORTAGE]


async def test_previews_with_an_old_price_end_and_others_stay(service: Service, ada: Buyer) -> None:
    tea, cup = await ada.start(await ada.cart()), await ada.start(await ada.cart(1, CUP))
    totals = [(await ada.preview(each)).total for each in (tea, cup)]
    expire = service.events.expire_previews_on_price_changed
    await expire(price_changed(TEA, 1250), delivery())
    await expire(price_changed(TEA, 1400, "USD"), delivery())
    await expire(price_changed(CUP, 100, effective_from=NOW + timedelta(minutes=10)), delivery())
    await expire(price_changed(TEA, 1400), delivery())
    with pytest.raises(FailedPrecondition) as caught:
        await ada.confirm(tea, totals[0])
    assert code_of(caught.value) == "PREVIEW_EXPIRED"
    service.clock.advance(minutes=9)
    assert await ada.confirm(cup, totals[1])


async def test_events_and_a_confirmation_at_the_same_time_do_not_block_each_other(
    service: Service, ada: Buyer, shop: Shop
) -> None:
    checkouts = [await ada.start(await ada.cart()) for _ in range(8)]
    totals = [(await ada.preview(each)).total for each in checkouts]
    await asyncio.gather(
        *map(ada.confirm, checkouts, totals),
        *(
            service.events.settle_checkout_on_order_status(
                order_status(shop.order_id(each), "FAILED", "PAYMENT_DECLINED", checkout_id=each), delivery()
            )
            for each in checkouts
        ),
    )
    for each in checkouts:
        await told(service, shop.order_id(each), "FAILED", "PAYMENT_DECLINED")
        assert await ada.status(each) == ("FAILED", "PAYMENT_DECLINED")
