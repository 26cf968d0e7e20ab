"""Products: stored, replaced, listed a page at a time, found by words."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.events.models import PriceChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import AlreadyExists, InvalidArgument, NotFound
from shop.runtime.transport import ReceivedMessage, utc_now
from shop.warehouse.v1.events.models import InventoryChangedEvent

from services.catalog.seed import PRODUCTS, seed
from tests.services.catalog.conftest import Shop, eur, product
from tests.services.served import reason, stored_events


def delivery() -> Delivery[RawHeaders]:
    message = ReceivedMessage(id="1-0", address="x", body=b"", content_type="", headers={}, first_seen=utc_now())
    return Delivery(headers={}, message=message)


async def names(shop: Shop, **asked: object) -> list[str]:
    request = catalog_pb2.ListProductsRequest(**asked)  # type: ignore[arg-type] # the test knows the members
    return [each.product_id for each in (await shop.client.list_products(request)).products]


async def test_a_product_is_read_as_it_was_stored(shop: Shop) -> None:
    made = await shop.store(
        "prd_tea",
        attributes={"weight": "100 g"},
        image_urls=["https://img.shop.example/tea.jpg"],
        handling_time={"seconds": 90},
    )
    assert (made.version, made.price, made.weight_grams) == (1, eur(1250), 130)
    assert made.handling_time.seconds == 90
    assert made.created_at.seconds == int(shop.clock.moment.timestamp())
    found = await shop.client.get_product(catalog_pb2.GetProductRequest(product_id="prd_tea"))
    assert found.product == made


async def test_there_is_no_unknown_product(shop: Shop) -> None:
    with pytest.raises(NotFound) as refused:
        await shop.client.get_product(catalog_pb2.GetProductRequest(product_id="prd_none"))
    assert (reason(refused.value).code, reason(refused.value).metadata["product_id"]) == ("NOT_FOUND", "prd_none")


async def test_storing_what_is_stored_changes_nothing(shop: Shop) -> None:
    made = await shop.store("prd_tea")
    shop.clock.advance(timedelta(minutes=1))
    assert await shop.store("prd_tea", key="another") == made
    assert len(await stored_events(shop.database)) == 1


async def test_a_change_grows_the_version_and_only_another_price_is_told(shop: Shop) -> None:
    await shop.store("prd_tea")
    assert (await shop.store("prd_tea", key="k2", name="Sencha")).version == 2
    assert len(await stored_events(shop.database)) == 1
    changed = await shop.store("prd_tea", key="k3", name="Sencha", price=eur(1100))
    assert (changed.version, changed.price) == (3, eur(1100))
    told = await stored_events(shop.database)
    assert [each["aggregateversion"] for each in told] == [1, 3]


async def test_two_products_never_have_one_sku(shop: Shop) -> None:
    await shop.store("prd_tea", sku="TEA")
    with pytest.raises(AlreadyExists) as refused:
        await shop.store("prd_other", sku="TEA")
    assert reason(refused.value).code == "SKU_TAKEN"
    await shop.store("prd_other", sku="OTHER")
    with pytest.raises(AlreadyExists):
        await shop.store("prd_other", key="k3", sku="TEA")


async def test_a_product_that_two_callers_create_at_the_same_time_exists_once(shop: Shop) -> None:
    made = await asyncio.gather(*(shop.store("prd_tea", key=f"k{n}") for n in range(6)))
    assert {each.version for each in made} == {1}
    assert len(await stored_events(shop.database)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"product_id": "prd tea", "sku": "TEA"}, "product.product_id"),
        ({"sku": "tea"}, "product.sku"),
        ({"name": ""}, "product.name"),
        ({"categories": ["tea", "Green Tea"]}, "product.categories[1]"),
        ({"image_urls": ["javascript:alert(1)"]}, "product.image_urls[0]"),
        ({"weight_grams": 0}, "product.weight_grams"),
        ({"handling_time": {"seconds": -1}}, "product.handling_time"),
        ({"status": 0}, "product.status"),
        ({"status": 77}, "product.status"),
        ({"price": {"minor_units": 5, "currency_code": "USD"}}, "product.price.currency_code"),
    ],
)
async def test_a_product_that_breaks_a_rule_is_refused_with_its_field(
    shop: Shop, changes: dict[str, object], field: str
) -> None:
    made = product(**{"product_id": "prd_tea", **changes})  # type: ignore[arg-type] # the test knows the members
    with pytest.raises(InvalidArgument) as refused:
        await shop.client.upsert_product(catalog_pb2.UpsertProductRequest(product=made, idempotency_key="k"))
    assert [each.field for each in reason(refused.value).errors] == [field]


async def test_a_list_has_active_products_unless_another_state_is_asked(shop: Shop) -> None:
    await shop.store("prd_tea")
    await shop.store("prd_old", status=catalog_pb2.PRODUCT_STATUS_DISCONTINUED, categories=["tea", "rare"])
    assert await names(shop) == ["prd_tea"]
    assert await names(shop, status=catalog_pb2.PRODUCT_STATUS_DISCONTINUED) == ["prd_old"]
    assert await names(shop, status=catalog_pb2.PRODUCT_STATUS_DISCONTINUED, category="rare") == ["prd_old"]
    assert await names(shop, category="rare") == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (catalog_pb2.PRODUCT_SORT_UNSPECIFIED, "43210"),
        (catalog_pb2.PRODUCT_SORT_PRICE_ASCENDING, "01234"),
        (catalog_pb2.PRODUCT_SORT_PRICE_DESCENDING, "43210"),
    ],
)
async def test_pages_in_every_order_hold_each_product_once(
    shop: Shop, sort: catalog_pb2.ProductSort.ValueType, expected: str
) -> None:
    for number in range(5):
        await shop.store(f"prd_{number}", price=eur(100 + number // 2))  # some cost the same
        shop.clock.advance(timedelta(milliseconds=1))
    seen, token = "", ""
    for _ in range(3):
        request = catalog_pb2.ListProductsRequest(page_size=2, page_token=token, sort=sort)
        page = await shop.client.list_products(request)
        seen, token = seen + "".join(each.product_id[-1] for each in page.products), page.next_page_token
    assert (seen, token) == (expected, "")


async def test_a_page_token_of_another_query_is_refused(shop: Shop) -> None:
    for number in range(2):
        await shop.store(f"prd_{number}")
    first = await shop.client.list_products(catalog_pb2.ListProductsRequest(page_size=1))
    cheap, newest = catalog_pb2.PRODUCT_SORT_PRICE_ASCENDING, catalog_pb2.PRODUCT_SORT_NEWEST
    for token, sort in (
        (first.next_page_token, cheap),
        ("nonsense", newest),
        ("é", newest),
        (base64.b64encode(b'["0123", 5]').decode(), newest),
    ):
        with pytest.raises(InvalidArgument) as refused:
            await shop.client.list_products(catalog_pb2.ListProductsRequest(page_token=token, sort=sort))
        assert [each.field for each in reason(refused.value).errors] == ["page_token"]
    for other in ({"category": "tea"}, {"page_size": 101}):
        asked = catalog_pb2.ListProductsRequest(page_token=first.next_page_token, **other)
        with pytest.raises(InvalidArgument):
            await shop.client.list_products(asked)


async def found(shop: Shop, query: str, **more: object) -> list[str]:
    request = catalog_pb2.SearchProductsRequest(query=query, **more)  # type: ignore[arg-type] # the test knows them
    return [hit.product.product_id for hit in (await shop.client.search_products(request)).hits]


async def test_a_search_finds_active_products_that_have_all_words_best_first(shop: Shop) -> None:
    await shop.store("prd_tea", name="Green tea", description="Leaves.")
    await shop.store("prd_mug", name="White mug", description="For green tea.", price=eur(500))
    await shop.store("prd_old", name="Green teas", status=catalog_pb2.PRODUCT_STATUS_DISCONTINUED)
    assert await found(shop, "green tea") == ["prd_tea", "prd_mug"]
    assert await found(shop, "white tea") == ["prd_mug"]
    assert await found(shop, "black tea") == []
    assert await found(shop, "green", min_price_minor_units=501) == ["prd_tea"]
    assert await found(shop, "green", max_price_minor_units=500) == ["prd_mug"]
    assert await found(shop, "green'); DROP TABLE products; --") == []
    with pytest.raises(InvalidArgument):
        await found(shop, "  ")


async def test_pages_of_a_search_hold_each_hit_once(shop: Shop) -> None:
    for number in range(5):
        await shop.store(f"prd_{number}")
    seen: list[str] = []
    token = ""
    for _ in range(3):
        request = catalog_pb2.SearchProductsRequest(query="tea", page_size=2, page_token=token)
        page = await shop.client.search_products(request)
        seen, token = seen + [hit.product.product_id for hit in page.hits], page.next_page_token
        assert page.total_size == 5
    assert (sorted(seen), token) == ([f"prd_{number}" for number in range(5)], "")


def stock(available: int, version: int, *, id: str) -> InventoryChangedEvent:
    level = {"product_id": "prd_tea", "warehouse_id": "whs_berlin", "on_hand": available, "reserved": 0}
    return InventoryChangedEvent.from_dict(
        {
            "specversion": "1.0",
            "id": id,
            "source": "warehouse",
            "type": "inventory-changed",
            "subject": "prd_tea",
            "time": "2026-02-01T10:00:00Z",
            "datacontenttype": "application/json",
            "correlationid": "prd_tea",
            "aggregatetype": "stock-level",
            "aggregateversion": version,
            "data": {
                "level": {**level, "available": available, "version": version},
                "delta": 1,
                "cause": "adjustment",
            },
        }
    )


async def test_hits_say_whether_there_is_stock_by_the_newest_level(shop: Shop) -> None:
    await shop.store("prd_tea")

    async def in_stock() -> bool:
        answer = await shop.client.search_products(catalog_pb2.SearchProductsRequest(query="tea"))
        return answer.hits[0].in_stock

    assert not await in_stock()
    await shop.events.refresh_stock_in_search_index(stock(5, 2, id="e2"), delivery())
    assert await in_stock()
    await shop.events.refresh_stock_in_search_index(stock(0, 1, id="e1"), delivery())
    assert await in_stock(), "an older level arrived late"
    await shop.events.refresh_stock_in_search_index(stock(0, 3, id="e3"), delivery())
    await shop.events.refresh_stock_in_search_index(stock(5, 2, id="e2"), delivery())
    assert not await in_stock()


async def test_the_index_follows_a_price_by_its_event_and_a_price_for_later_by_the_clock(shop: Shop) -> None:
    await shop.store("prd_tea")
    request = catalog_pb2.UpdatePriceRequest(product_id="prd_tea", amount=eur(700), idempotency_key="k1")
    await shop.client.update_price(request)
    assert await found(shop, "tea", max_price_minor_units=700) == []
    told = [PriceChangedEvent.from_dict(each) for each in await stored_events(shop.database)]
    await shop.events.refresh_price_in_search_index(told[-1], delivery())
    assert await found(shop, "tea", max_price_minor_units=700) == ["prd_tea"]

    request.amount.CopyFrom(eur(300))
    request.effective_from.FromDatetime(shop.clock.moment + timedelta(days=1))
    request.idempotency_key = "k2"
    await shop.client.update_price(request)
    assert await shop.database.run(shop.catalog.refresh_index) == 0
    shop.clock.advance(timedelta(days=1))
    assert await shop.database.run(shop.catalog.refresh_index) == 1
    assert await found(shop, "tea", max_price_minor_units=300) == ["prd_tea"]
    assert await shop.database.run(shop.catalog.refresh_index) == 0


async def test_seeding_again_adds_nothing_and_keeps_what_was_changed(shop: Shop) -> None:
    assert await seed(shop.database, shop.catalog) == len(PRODUCTS)
    request = catalog_pb2.UpdatePriceRequest(product_id="prd_tea_green", amount=eur(1), idempotency_key="k1")
    await shop.client.update_price(request)
    assert await seed(shop.database, shop.catalog) == 0
    for currency, green in (("EUR", 1), ("USD", 1390)):
        asked = catalog_pb2.GetPricesRequest(
            product_ids=[each.details.product_id for each in PRODUCTS], currency_code=currency
        )
        answer = await shop.client.get_prices(asked)
        assert (len(answer.prices), answer.prices["prd_tea_green"].amount.minor_units) == (len(PRODUCTS), green)
