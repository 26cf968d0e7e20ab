"""Carts and checkouts at the service's interface: a real database, real sockets, small servers around it."""

from __future__ import annotations

import asyncio

import pytest
from shop.checkout.v1.cart_pb2 import CreateCartRequest, GetCartRequest, RemoveCartItemRequest
from shop.checkout.v1.checkout_pb2 import ConfirmCheckoutRequest, PreviewOrderRequest, StartCheckoutRequest
from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money
from shop.runtime.errors import (
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    RpcError,
    Unavailable,
)

from services.platform.caller import CUSTOMER
from services.platform.refusals import code_of, detail_of
from tests.services.checkout.buying import ADA, BERLIN, Buyer
from tests.services.checkout.conftest import Service
from tests.services.checkout.shop import CUP, OLD, TEA, Shop


@pytest.fixture
def ada(service: Service) -> Buyer:
    return Buyer(service.carts, service.checkouts)


def fail(error: Exception) -> None:
    raise error


async def test_a_cart_keeps_its_lines_in_the_order_in_which_they_came(service: Service, ada: Buyer) -> None:
    cart_id = await ada.cart(2)
    await ada.put(cart_id, 1, CUP)
    await ada.put(cart_id, 5, TEA)
    cart = (await service.carts.get_cart(GetCartRequest(cart_id=cart_id))).cart
    assert [(item.product_id, item.quantity) for item in cart.items] == [(TEA, 5), (CUP, 1)]
    await service.carts.remove_cart_item(RemoveCartItemRequest(cart_id=cart_id, product_id=TEA))
    await service.carts.remove_cart_item(RemoveCartItemRequest(cart_id=cart_id, product_id=TEA))
    cart = (await service.carts.get_cart(GetCartRequest(cart_id=cart_id))).cart
    assert [item.product_id for item in cart.items] == [CUP]


async def test_a_cart_is_made_once_for_a_key(service: Service) -> None:
    request = CreateCartRequest(customer_id=ADA, currency_code="EUR", idempotency_key="k1")
    made = await asyncio.gather(*(service.carts.create_cart(request) for _ in range(8)))
    assert len({reply.cart.cart_id for reply in made}) == 1
    other = CreateCartRequest(customer_id="cus_bob", currency_code="EUR", idempotency_key="k1")
    assert (await service.carts.create_cart(other)).cart.cart_id != made[0].cart.cart_id
    with pytest.raises(FailedPrecondition) as caught:
        await service.carts.create_cart(CreateCartRequest(customer_id=ADA, currency_code="USD", idempotency_key="k1"))
    assert code_of(caught.value) == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    ("quantity", "product", "field"), [(0, TEA, ""), (1000, TEA, "quantity"), (1, "a b", "product_id")]
)
async def test_what_does_not_fit_a_cart_is_named(ada: Buyer, quantity: int, product: str, field: str) -> None:
    cart_id = await ada.cart(0)
    with pytest.raises(InvalidArgument) as caught:
        await ada.put(cart_id, quantity, product)
    detail = detail_of(caught.value)
    assert detail is not None
    assert detail.code == "INVALID_ARGUMENT"
    assert [error.field for error in detail.errors] == [field or "quantity"]
    assert [violation.field for violation in caught.value.field_violations] == [field or "quantity"]


async def test_products_are_looked_up_before_they_go_into_a_cart(ada: Buyer) -> None:
    cart_id = await ada.cart(0)
    with pytest.raises(NotFound):
        await ada.put(cart_id, 1, "prd_none")
    with pytest.raises(FailedPrecondition) as caught:
        await ada.put(cart_id, 1, OLD)
    assert code_of(caught.value) == "PRODUCT_NOT_FOR_SALE"
    with pytest.raises(NotFound):
        await ada.put("crt_none", 1)


async def test_starting_a_cart_again_in_its_session_returns_the_open_checkout(ada: Buyer) -> None:
    cart_id = await ada.cart()
    started = await asyncio.gather(*(ada.start(cart_id) for _ in range(6)))
    assert len(set(started)) == 1
    assert await ada.start(cart_id, "ses_2") != started[0]


async def test_an_empty_cart_and_an_unknown_one_are_not_checked_out(ada: Buyer) -> None:
    with pytest.raises(FailedPrecondition) as caught:
        await ada.start(await ada.cart(0))
    assert code_of(caught.value) == "CART_EMPTY"
    with pytest.raises(NotFound):
        await ada.start("crt_none")


async def test_nobody_checks_out_or_sees_what_belongs_to_another_customer(service: Service, ada: Buyer) -> None:
    cart_id = await ada.cart()
    checkout_id = await ada.start(cart_id)
    bob = ((CUSTOMER, "cus_bob"),)
    refused = [
        service.checkouts.start_checkout(StartCheckoutRequest(cart_id=cart_id, customer_id="cus_bob", session_id="s")),
        service.carts.get_cart(GetCartRequest(cart_id=cart_id), metadata=bob),
        service.carts.create_cart(CreateCartRequest(customer_id=ADA, currency_code="EUR"), metadata=bob),
        service.checkouts.preview_order(
            PreviewOrderRequest(checkout_id=checkout_id, shipping_address=BERLIN), metadata=bob
        ),
        service.checkouts.confirm_checkout(ConfirmCheckoutRequest(checkout_id=checkout_id), metadata=bob),
    ]
    for each in await asyncio.gather(*refused, return_exceptions=True):
        assert isinstance(each, PermissionDenied)
        assert code_of(each) == "NOT_OWNER"


async def test_a_preview_adds_up_to_the_example_of_the_contract(ada: Buyer, shop: Shop) -> None:
    cart_id = await ada.cart(2)
    await ada.put(cart_id, 1, CUP)
    shown = await ada.preview(await ada.start(cart_id))
    assert [(item.product_id, item.line_total.minor_units, item.in_stock) for item in shown.items] == [
        (TEA, 2500, True),
        (CUP, 899, False),
    ]
    assert shown.items[0].name == "Fine tea_green"
    await ada.carts.remove_cart_item(RemoveCartItemRequest(cart_id=cart_id, product_id=CUP))
    shown = await ada.preview(await ada.start(cart_id))
    amounts = (shown.subtotal, shown.shipping_cost, shown.tax, shown.discount, shown.total)
    assert [amount.minor_units for amount in amounts] == [2500, 499, 570, 0, 3569]
    assert {amount.currency_code for amount in amounts} == {"EUR"}


async def test_a_warehouse_that_is_away_hides_no_preview(ada: Buyer, shop: Shop) -> None:
    shop.hooks["CheckAvailability before"] = lambda: fail(Unavailable("away"))
    shown = await ada.preview(await ada.start(await ada.cart()))
    assert shown.items[0].in_stock


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"city": ""}, "shipping_address.city"),
        ({"country_code": "de"}, "shipping_address.country_code"),
        ({"recipient_name": " "}, "shipping_address.recipient_name"),
    ],
)
async def test_an_address_no_carrier_can_use_is_named(ada: Buyer, change: dict[str, str], field: str) -> None:
    checkout_id = await ada.start(await ada.cart())
    members = {each.name: value for each, value in BERLIN.ListFields()} | change
    with pytest.raises(InvalidArgument) as caught:
        await ada.checkouts.preview_order(
            PreviewOrderRequest(checkout_id=checkout_id, shipping_address=Address(**members))
        )
    assert [violation.field for violation in caught.value.field_violations] == [field]


async def test_points_and_rates_that_do_not_exist_are_refused(ada: Buyer) -> None:
    checkout_id = await ada.start(await ada.cart())
    request = PreviewOrderRequest(checkout_id=checkout_id, shipping_address=BERLIN, redeem_points=5)
    with pytest.raises(FailedPrecondition) as caught:
        await ada.checkouts.preview_order(request)
    assert code_of(caught.value) == "INSUFFICIENT_POINTS"
    request = PreviewOrderRequest(checkout_id=checkout_id, shipping_address=BERLIN, shipping_rate_id="rat_1")
    with pytest.raises(InvalidArgument):
        await ada.checkouts.preview_order(request)


async def test_confirming_makes_the_previewed_order_once(service: Service, ada: Buyer, shop: Shop) -> None:
    cart_id = await ada.cart()
    checkout_id = await ada.start(cart_id)
    total = (await ada.preview(checkout_id)).total
    orders = await asyncio.gather(*(ada.confirm(checkout_id, total, f"pm_{number}") for number in range(6)))
    assert len(set(orders)) == 1
    assert shop.effects == ["order"]
    request = shop.orders[checkout_id]
    assert request.total.minor_units == 3569
    assert request.metadata["checkout_id"] == checkout_id
    assert request.shipping_address == BERLIN
    assert await ada.status(checkout_id) == ("CONFIRMED", "")
    for attempt in (ada.put(cart_id, 3), ada.start(cart_id, "ses_other")):
        with pytest.raises(FailedPrecondition) as caught:
            await attempt
        assert code_of(caught.value) == "CART_CHECKED_OUT"
    with pytest.raises(FailedPrecondition) as caught:
        await ada.preview(checkout_id)
    assert code_of(caught.value) == "CHECKOUT_CLOSED"


async def test_two_sessions_make_one_order_of_one_cart(ada: Buyer, shop: Shop) -> None:
    cart_id = await ada.cart()
    checkouts = [await ada.start(cart_id, f"ses_{number}") for number in range(4)]
    totals = [(await ada.preview(checkout_id)).total for checkout_id in checkouts]
    done = await asyncio.gather(*map(ada.confirm, checkouts, totals), return_exceptions=True)
    refused = [each for each in done if isinstance(each, RpcError)]
    assert len(refused) == 3
    assert {code_of(each) for each in refused} == {"CART_CHECKED_OUT"}
    assert shop.effects == ["order"]


async def test_nobody_pays_a_price_they_did_not_see(service: Service, ada: Buyer, shop: Shop) -> None:
    checkout_id = await ada.start(await ada.cart())

    async def refused(total: Money) -> RpcError:
        with pytest.raises(FailedPrecondition) as caught:
            await ada.confirm(checkout_id, total)
        return caught.value

    assert code_of(await refused(Money(minor_units=1, currency_code="EUR"))) == "PREVIEW_REQUIRED"
    total = (await ada.preview(checkout_id)).total
    error = await refused(Money(minor_units=1, currency_code="EUR"))
    detail = detail_of(error)
    assert detail is not None
    assert (detail.code, detail.metadata["current_total"], detail.metadata["currency_code"]) == (
        "PRICE_CHANGED",
        "3569",
        "EUR",
    )
    shop.prices[TEA] = 1300
    detail = detail_of(await refused(total))
    assert detail is not None
    assert (detail.code, detail.metadata["current_total"]) == ("PRICE_CHANGED", "3688")
    shop.prices[TEA] = 1250
    service.clock.advance(minutes=31)
    assert code_of(await refused(total)) == "PREVIEW_EXPIRED"
    total = (await ada.preview(checkout_id)).total
    assert await ada.confirm(checkout_id, total)
    assert shop.effects == ["order"]


async def test_a_cart_that_was_changed_must_be_previewed_again(ada: Buyer, shop: Shop) -> None:
    cart_id = await ada.cart(1)
    checkout_id = await ada.start(cart_id)
    total = (await ada.preview(checkout_id)).total
    await ada.put(cart_id, 5)
    with pytest.raises(FailedPrecondition) as caught:
        await ada.confirm(checkout_id, total)
    assert code_of(caught.value) == "PREVIEW_EXPIRED"
    assert shop.orders == {}


async def test_an_order_whose_reply_was_lost_is_found_by_the_next_confirmation(ada: Buyer, shop: Shop) -> None:
    checkout_id = await ada.start(await ada.cart())
    total = (await ada.preview(checkout_id)).total
    shop.hooks["CreateOrder after"] = lambda: fail(Unavailable("the reply was lost"))
    with pytest.raises(Unavailable):
        await ada.confirm(checkout_id, total)
    shop.hooks.clear()
    shop.prices[TEA] = 9999
    assert await ada.confirm(checkout_id, total) == shop.order_id(checkout_id)
    assert shop.effects == ["order"]
    assert await ada.status(checkout_id) == ("CONFIRMED", "")


async def test_an_order_that_is_refused_sets_cart_and_checkout_free(ada: Buyer, shop: Shop) -> None:
    cart_id = await ada.cart()
    checkout_id = await ada.start(cart_id)
    total = (await ada.preview(checkout_id)).total
    shop.hooks["CreateOrder before"] = lambda: fail(InvalidArgument("it does not add up"))
    with pytest.raises(Internal):
        await ada.confirm(checkout_id, total)
    shop.hooks.clear()
    await ada.put(cart_id, 3)
    assert await ada.confirm(checkout_id, (await ada.preview(checkout_id)).total)


async def test_a_checkout_that_nobody_goes_on_with_expires(service: Service, ada: Buyer) -> None:
    cart_id = await ada.cart()
    checkout_id = await ada.start(cart_id)
    service.clock.advance(hours=24)
    assert await ada.status(checkout_id) == ("EXPIRED", "")
    with pytest.raises(FailedPrecondition) as caught:
        await ada.preview(checkout_id)
    assert code_of(caught.value) == "CHECKOUT_CLOSED"
    assert await ada.start(cart_id) != checkout_id


async def test_a_key_gives_the_first_answer_and_refuses_another_request(service: Service, ada: Buyer) -> None:
    cart_id, other = await ada.cart(), await ada.cart(1)
    request = StartCheckoutRequest(cart_id=cart_id, customer_id=ADA, session_id="s")
    first = await service.checkouts.start_checkout(request, idempotency_key="k")
    service.clock.advance(hours=25)
    assert await service.checkouts.start_checkout(request, idempotency_key="k") == first
    request.cart_id = other
    with pytest.raises(FailedPrecondition):
        await service.checkouts.start_checkout(request, idempotency_key="k")
