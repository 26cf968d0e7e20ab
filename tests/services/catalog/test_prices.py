"""Prices: versions that are added, the one in force, and the event that tells of each."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from functools import partial

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.events.models import PriceChangedEvent
from shop.common.v1.money_pb2 import Money
from shop.runtime.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.domain import Money as Amount
from services.catalog.domain import NewPrice, price_at
from tests.services.catalog.conftest import Shop, eur
from tests.services.served import reason, stored_events


async def update(shop: Shop, key: str, amount: Money, **more: object) -> catalog_pb2.Price:
    request = catalog_pb2.UpdatePriceRequest(
        product_id="prd_tea",
        amount=amount,
        idempotency_key=key,
        **more,  # type: ignore[arg-type] # the test knows the members
    )
    return (await shop.client.update_price(request)).price


async def now_and_at(shop: Shop, at: Timestamp | None = None, currency: str | None = None) -> catalog_pb2.Price:
    request = catalog_pb2.GetPriceRequest(product_id="prd_tea", at=at, currency_code=currency)
    return (await shop.client.get_price(request)).price


def stamp(shop: Shop, **later: float) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(shop.clock.moment + timedelta(**later))
    return found


async def test_a_new_price_is_a_new_version_and_the_old_one_stays_readable(shop: Shop) -> None:
    await shop.store("prd_tea")
    before = stamp(shop)
    shop.clock.advance(timedelta(days=1))
    changed = await update(shop, "k1", eur(990), list_amount=eur(1250), reason="sale")
    assert (changed.version, changed.amount, changed.list_amount) == (2, eur(990), eur(1250))
    assert await now_and_at(shop) == changed
    old = await now_and_at(shop, before)
    assert (old.version, old.amount, old.HasField("list_amount")) == (1, eur(1250), False)
    found = (await shop.client.get_product(catalog_pb2.GetProductRequest(product_id="prd_tea"))).product
    assert (found.price, found.version) == (eur(990), 2)


async def test_every_price_is_told_with_the_one_before_it(shop: Shop) -> None:
    await shop.store("prd_tea")
    await update(shop, "k1", eur(990), reason="sale")
    await update(shop, "k2", Money(minor_units=1100, currency_code="USD"))
    first, second, dollars = [PriceChangedEvent.from_dict(each) for each in await stored_events(shop.database)]
    assert first.data.previous_amount is None
    assert second.data.previous_amount is not None
    assert (second.data.previous_amount.minor_units, second.data.amount.minor_units) == (1250, 990)
    assert (second.data.price_version, second.data.reason) == (2, "sale")
    assert (dollars.data.previous_amount, dollars.data.price_version) == (None, 1)
    assert [each.aggregateversion for each in (first, second, dollars)] == [1, 2, 3]
    assert {each.subject for each in (first, second, dollars)} == {"prd_tea"}


async def test_a_price_for_later_holds_from_then_on_whatever_came_meanwhile(shop: Shop) -> None:
    await shop.store("prd_tea")
    later = await update(shop, "k1", eur(900), effective_from=stamp(shop, days=7))
    shop.clock.advance(timedelta(days=1))
    await update(shop, "k2", eur(1100))
    assert (await now_and_at(shop)).amount == eur(1100)
    shop.clock.advance(timedelta(days=6))
    assert await now_and_at(shop) == later


async def test_the_database_finds_the_price_that_the_domain_says_is_in_force(shop: Shop) -> None:
    await shop.store("prd_tea")
    chance = random.Random(7)  # noqa: S311 the same prices in every run
    versions = [await shop.catalog.price("prd_tea", None, None)]
    for number in range(12):
        later = shop.clock.moment + timedelta(days=chance.choice([0, 0, 1, 2, 5]))
        wanted = NewPrice(product_id="prd_tea", amount=Amount(100 + number, "EUR"), effective_from=later)
        versions.append(await shop.database.run(partial(shop.catalog.change_price, asked=wanted)))
        shop.clock.advance(timedelta(hours=chance.choice([0, 7, 30])))
    for hours in range(0, 24 * 20, 5):
        moment = versions[0].effective_from + timedelta(hours=hours)
        assert await shop.catalog.price("prd_tea", None, moment) == price_at(versions, moment)


async def test_repeating_a_change_changes_nothing_and_answers_the_same(shop: Shop) -> None:
    await shop.store("prd_tea")
    first = await update(shop, "k1", eur(990))
    again = await asyncio.gather(*(update(shop, "k1", eur(990)) for _ in range(5)))
    assert all(each == first for each in again)
    assert len(await stored_events(shop.database)) == 2


async def test_of_many_calls_with_one_key_at_the_same_time_one_takes_effect(shop: Shop) -> None:
    await shop.store("prd_tea")
    answers = await asyncio.gather(*(update(shop, "k1", eur(990)) for _ in range(8)))
    assert {each.version for each in answers} == {2}
    assert len(await stored_events(shop.database)) == 2


async def test_a_key_that_was_used_for_another_request_is_refused(shop: Shop) -> None:
    await shop.store("prd_tea")
    await update(shop, "k1", eur(990))
    with pytest.raises(FailedPrecondition) as refused:
        await update(shop, "k1", eur(980))
    assert reason(refused.value).code == "IDEMPOTENCY_KEY_REUSED"


async def test_of_two_changes_of_the_same_version_one_is_refused(shop: Shop) -> None:
    await shop.store("prd_tea")
    answers = await asyncio.gather(
        *(update(shop, f"k{n}", eur(900 + n), expected_version=1) for n in range(4)), return_exceptions=True
    )
    refused = [each for each in answers if isinstance(each, Aborted)]
    assert len(refused) == 3
    assert {reason(each).code for each in refused} == {"VERSION_CONFLICT"}
    assert (await now_and_at(shop)).version == 2


@pytest.mark.parametrize(
    ("amount", "more", "field"),
    [
        (eur(0), {}, "amount.minor_units"),
        (eur(-1), {}, "amount.minor_units"),
        (Money(minor_units=1, currency_code="eur"), {}, "amount.currency_code"),
        (eur(10), {"list_amount": eur(10)}, "list_amount.minor_units"),
        (eur(10), {"list_amount": Money(minor_units=20, currency_code="USD")}, "list_amount.currency_code"),
        (eur(10), {"reason": "x" * 201}, "reason"),
        (eur(10), {"effective_from": Timestamp(seconds=1)}, "effective_from"),
        (eur(10), {"effective_from": Timestamp(seconds=2**60)}, "effective_from"),
    ],
)
async def test_a_price_that_breaks_a_rule_is_refused_with_its_field(
    shop: Shop, amount: Money, more: dict[str, object], field: str
) -> None:
    await shop.store("prd_tea")
    with pytest.raises(InvalidArgument) as refused:
        await update(shop, "k1", amount, **more)
    assert [each.field for each in reason(refused.value).errors] == [field]
    assert len(await stored_events(shop.database)) == 1


async def test_a_price_of_no_product_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound) as refused:
        await update(shop, "k1", eur(10))
    assert reason(refused.value).code == "NOT_FOUND"


async def test_a_price_is_in_one_currency_and_not_in_others(shop: Shop) -> None:
    await shop.store("prd_tea")
    await update(shop, "k1", Money(minor_units=1390, currency_code="USD"))
    assert (await now_and_at(shop, currency="USD")).amount.minor_units == 1390
    with pytest.raises(NotFound):
        await now_and_at(shop, currency="JPY")
    with pytest.raises(InvalidArgument):
        await now_and_at(shop, currency="yen")


async def test_many_prices_come_in_one_call_and_unknown_products_are_named(shop: Shop) -> None:
    await shop.store("prd_tea")
    await shop.store("prd_mug", price=eur(1490))
    request = catalog_pb2.GetPricesRequest(product_ids=["prd_none", "prd_mug", "prd_tea"])
    answer = await shop.client.get_prices(request)
    assert {key: price.amount.minor_units for key, price in answer.prices.items()} == {"prd_tea": 1250, "prd_mug": 1490}
    assert list(answer.missing_product_ids) == ["prd_none"]


@pytest.mark.parametrize(
    ("ids", "field"),
    [([], "product_ids"), (["a", "a"], "product_ids[1]"), (["a b"], "product_ids[0]"), (["a"] * 101, "product_ids")],
)
async def test_a_list_of_products_that_breaks_a_rule_is_refused(shop: Shop, ids: list[str], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await shop.client.get_prices(catalog_pb2.GetPricesRequest(product_ids=ids))
    assert [each.field for each in reason(refused.value).errors] == [field]


async def test_the_database_itself_refuses_to_overwrite_a_price(shop: Shop) -> None:
    await shop.store("prd_tea")
    with pytest.raises(DBAPIError, match="never overwritten"):
        async with shop.database.transaction() as connection:
            await connection.execute(text("UPDATE prices SET amount = 1"))
