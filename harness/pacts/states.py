"""Provider states: what a pact means by `a confirmed order`, brought about by calling the services themselves.

Each state is a function of the shop that returns values for the interaction: ids, keys, tokens. `about` names the
thing whose events the interaction is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.pacts.shop import DECLINED, GOOD, Shop

Values: TypeAlias = dict[str, str]
Provide: TypeAlias = Callable[[Shop], Values]


class UnknownState(KeyError):
    """No such state: a pact asks for something that nobody can bring about."""


def provide(shop: Shop, name: str, parameters: Mapping[str, Any] | None = None) -> Values:
    """Bring the state about. `UnknownState`; `RefusedError` when a service refuses."""
    del parameters  # they tell readers of the pact which thing is meant; the shop has one of each
    try:
        state = STATES[name]
    except KeyError:
        raise UnknownState(f"nobody knows how to bring about {name!r}") from None
    return {"key": shop.fresh("key"), "new_order_id": shop.fresh("ord"), **state(shop)}


def _customer(shop: Shop) -> Values:
    return shop.regular().values()


def _new_address(shop: Shop) -> Values:
    return {"email": f"{shop.fresh('new')}@example.com"}


def _with_card(shop: Shop) -> Values:
    return {**shop.regular().values(), "payment_method_id": shop.card(shop.regular(), GOOD)}


def _with_declined_card(shop: Shop) -> Values:
    return {**shop.regular().values(), "payment_method_id": shop.card(shop.regular(), DECLINED)}


def _with_spare_card(shop: Shop) -> Values:
    return {**shop.regular().values(), "payment_method_id": shop.new_card(shop.regular(), GOOD)}


def _with_address(shop: Shop) -> Values:
    return {**shop.regular().values(), "address_id": shop.new_address(shop.regular())}


def _leaving(shop: Shop) -> Values:
    return shop.register().values()


def _erased(shop: Shop) -> Values:
    customer = shop.register()
    shop.caller.done("customer.v1.CustomerService/DeleteCustomer", {"customer_id": customer.customer_id})
    return customer.values()


def _other_language(shop: Shop) -> Values:
    customer = shop.register()
    request = {"customer_id": customer.customer_id, "profile": {"locale": "en-GB"}}
    shop.caller.done("customer.v1.CustomerService/UpdateCustomer", request)
    return customer.values()


def _session(shop: Shop) -> Values:
    return {**shop.regular().values(), "refresh_token": shop.log_in(shop.regular())["refresh_token"]}


def _product(shop: Shop) -> Values:
    return {"product_id": shop.product(), "about": shop.product()}


def _in_stock(shop: Shop) -> Values:
    shop.restock()
    return _product(shop)


def _indexed(shop: Shop) -> Values:
    shop.wait_indexed()
    return _product(shop)


def _repriced(shop: Shop) -> Values:
    product = shop.reprice()
    return {"product_id": product, "about": product}


def _empty_cart(shop: Shop) -> Values:
    return {**shop.regular().values(), "cart_id": shop.cart(shop.regular(), {})}


def _cart(shop: Shop) -> Values:
    return {**shop.regular().values(), "cart_id": shop.cart(shop.regular(), {shop.product(): 2})}


def _checkout(shop: Shop) -> Values:
    values = _cart(shop)
    return {**values, "checkout_id": shop.start_checkout(shop.regular(), values["cart_id"])}


def _previewed(shop: Shop) -> Values:
    values = {**_checkout(shop), **_with_card(shop)}
    return {**values, "total": str(shop.preview(values["checkout_id"])["minor_units"])}


def _unpayable(shop: Shop) -> Values:
    order_id = shop.order_directly(shop.regular(), payment_method_id="pm_of_nobody")
    return {**shop.regular().values(), "order_id": order_id, "about": order_id}


def _lone_payment(shop: Shop) -> Values:
    return {**shop.regular().values(), "payment_id": shop.pay_directly(shop.regular())}


STATES: Mapping[str, Provide] = {
    "a customer": _customer,
    "an address that nobody uses": _new_address,
    "a customer with a card": _with_card,
    "a customer with a declined card": _with_declined_card,
    "a customer with a card that is not used": _with_spare_card,
    "a customer with an address": _with_address,
    "a customer who leaves": _leaving,
    "a customer was erased": _erased,
    "a customer has changed the language": _other_language,
    "a session": _session,
    "a product for sale": _product,
    "a product in stock": _in_stock,
    "a product that the index knows": _indexed,
    "a price has changed": _repriced,
    "an empty cart": _empty_cart,
    "a cart with goods": _cart,
    "a checkout": _checkout,
    "a checkout and a card": lambda shop: {**_checkout(shop), **_with_card(shop)},
    "a previewed checkout": _previewed,
    "a previewed checkout of two packets of tea": _previewed,
    "a confirmed order": lambda shop: shop.journey("confirmed"),
    "an order whose card was declined": lambda shop: shop.journey("declined"),
    "an order has run out of stock": lambda shop: shop.journey("refunded"),
    "an order that nobody pays": _unpayable,
    "a payment of no order": _lone_payment,
}
