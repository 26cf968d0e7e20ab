"""Which orders are refused, and why; how money is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shop.common.v1 import money_pb2
from shop.order.v1 import order_pb2
from shop.runtime.errors import InvalidArgument

from services.order.adapters.announcements import major_units
from services.order.domain import Money
from services.order.purchases import MAX_SHOWN, placing_of
from services.platform.refusals import detail_of
from tests.services.order.examples import create, euro

LINE = create().items[0]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"items": []}, ["items"]),
        ({"items": [LINE] * 101}, ["items"]),
        ({"items": [LINE, LINE], "total": euro(6069)}, ["items[1].product_id"]),
        ({"items": [order_pb2.OrderItem(product_id="p", quantity=0, unit_price=euro(1))]}, ["items[0].quantity"]),
        ({"items": [order_pb2.OrderItem(product_id="p", quantity=1)]}, ["items[0].unit_price"]),
        ({"total": euro(3570)}, ["total"]),
        ({"total": None}, ["total"]),
        ({"tax": money_pb2.Money(minor_units=570, currency_code="USD")}, ["tax.currency_code"]),
        ({"discount": euro(-1)}, ["discount.minor_units"]),
        ({"customer_id": "", "payment_method_id": "a b"}, ["customer_id", "payment_method_id"]),
        ({"shipping_address": None}, ["shipping_address"]),
        ({"idempotency_key": "k" * 256}, ["idempotency_key"]),
    ],
)
def test_a_wrong_order_is_refused_with_the_fields_that_are_wrong(changes: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        placing_of(create(**changes), "ord_1")
    detail = detail_of(caught.value)
    assert detail is not None
    named = [error.field for error in detail.errors]
    assert [field for field in fields if field not in named] == []
    assert len(named) <= MAX_SHOWN


def test_a_discount_is_taken_off_and_the_key_is_not_part_of_what_is_asked() -> None:
    asked = placing_of(create(discount=euro(69), total=euro(3500)), "ord_1")
    assert asked.purchase.total == Money(3500, "EUR")
    assert (
        asked.fingerprint
        == placing_of(create(discount=euro(69), total=euro(3500), idempotency_key="other"), "ord_2").fingerprint
    )


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(3569, "EUR"), "35.69"),
        (Money(3569, "JPY"), "3569"),
        (Money(3569, "KWD"), "3.569"),
        (Money(0, "EUR"), "0.00"),
    ],
)
def test_an_amount_in_major_units_has_the_decimal_places_of_its_currency(money: Money, text: str) -> None:
    assert major_units(money) == Decimal(text)
