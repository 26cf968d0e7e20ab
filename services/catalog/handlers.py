"""What the catalog service does when it is called, and when it is told."""

from __future__ import annotations

from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.events.models import PriceChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.grpc_server import Call
from shop.runtime.transport import Outcome
from shop.warehouse.v1.events.models import InventoryChangedEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog import translation
from services.catalog.adapters import search
from services.catalog.adapters.products import Query, Sort
from services.catalog.adapters.search import Wanted
from services.catalog.catalog import Catalog
from services.catalog.domain import Invalid, Status
from services.catalog.paging import page_size, position, read_position, read_token, write_token
from services.platform.commands import fingerprint_of, first_answer
from services.platform.database import Database
from services.platform.inbox import first_time

_SORTS = {
    catalog_pb2.PRODUCT_SORT_UNSPECIFIED: Sort.NEWEST,
    catalog_pb2.PRODUCT_SORT_NEWEST: Sort.NEWEST,
    catalog_pb2.PRODUCT_SORT_PRICE_ASCENDING: Sort.CHEAPEST,
    catalog_pb2.PRODUCT_SORT_PRICE_DESCENDING: Sort.DEAREST,
}
_DEEPEST_HIT = 10_000
CONSUMER = "catalog-search"


class CatalogHandlers:
    """Serves catalog.v1.CatalogService."""

    def __init__(self, catalog: Catalog, database: Database) -> None:
        self._catalog = catalog
        self._database = database

    async def get_product(
        self, request: catalog_pb2.GetProductRequest, call: Call, /
    ) -> catalog_pb2.GetProductResponse:
        """Returns a product. Errors: NOT_FOUND."""
        found = await self._catalog.product(request.product_id)
        return catalog_pb2.GetProductResponse(product=translation.product_message(found))

    async def list_products(
        self, request: catalog_pb2.ListProductsRequest, call: Call, /
    ) -> catalog_pb2.ListProductsResponse:
        """Lists products a page at a time. Errors: INVALID_ARGUMENT (a page token of another
        query).
        """
        status = Status.ACTIVE
        if request.HasField("status"):
            status = translation.status_of(request.status, "status")
        if request.sort not in _SORTS:
            raise Invalid(("sort", "must be an order of products"))
        sort, limit = _SORTS[request.sort], page_size(request.page_size)
        category = request.category if request.HasField("category") else None
        asked = ("list", status, category, sort)
        after = read_position(read_token(asked, request.page_token)) if request.page_token else None
        if after is not None and isinstance(after[0], int) is (sort is Sort.NEWEST):
            raise Invalid(("page_token", "is no token of this service"))
        query = Query(status=status, category=category, sort=sort, after=after, limit=limit)
        found = await self._catalog.products(query)
        token = ""
        if len(found) > limit:
            found, last = found[:limit], found[limit - 1]
            reached = last.created_at if sort is Sort.NEWEST else last.price.minor_units
            token = write_token(asked, [position(reached), last.details.product_id])
        shown = [translation.product_message(each) for each in found]
        return catalog_pb2.ListProductsResponse(products=shown, next_page_token=token)

    async def search_products(
        self, request: catalog_pb2.SearchProductsRequest, call: Call, /
    ) -> catalog_pb2.SearchProductsResponse:
        """Full-text search over names and descriptions of active products. The index follows the
        catalog within seconds. Errors: INVALID_ARGUMENT.
        """
        if not 1 <= len(request.query.strip()) <= 200:
            raise Invalid(("query", "must have 1 to 200 characters"))
        category = request.category if request.HasField("category") else None
        lowest = request.min_price_minor_units if request.HasField("min_price_minor_units") else None
        highest = request.max_price_minor_units if request.HasField("max_price_minor_units") else None
        limit = page_size(request.page_size)
        asked = ("search", request.query, category, lowest, highest)
        skip = _skip(read_token(asked, request.page_token)) if request.page_token else 0
        wanted = Wanted(words=request.query, category=category, lowest=lowest, highest=highest, skip=skip, limit=limit)
        hits, total = await self._catalog.search(wanted)
        more = skip + len(hits) < min(total, _DEEPEST_HIT) and bool(hits)
        return catalog_pb2.SearchProductsResponse(
            hits=[
                catalog_pb2.SearchHit(
                    product=translation.product_message(hit.product), score=hit.score, in_stock=hit.in_stock
                )
                for hit in hits
            ],
            next_page_token=write_token(asked, [skip + len(hits)]) if more else "",
            total_size=total,
        )

    async def get_price(self, request: catalog_pb2.GetPriceRequest, call: Call, /) -> catalog_pb2.GetPriceResponse:
        """Returns the price of a product, now or at an earlier moment. Errors: NOT_FOUND (no such
        product, or no price in that currency).
        """
        at = translation.moment_of(request.at, "at") if request.HasField("at") else None
        currency = request.currency_code if request.HasField("currency_code") else None
        found = await self._catalog.price(request.product_id, currency, at)
        return catalog_pb2.GetPriceResponse(price=translation.price_message(found))

    async def get_prices(self, request: catalog_pb2.GetPricesRequest, call: Call, /) -> catalog_pb2.GetPricesResponse:
        """Returns the prices of many products in one call, as the checkout needs them. Unknown
        products are reported in the response, not as an error.
        """
        currency = request.currency_code if request.HasField("currency_code") else None
        found, missing = await self._catalog.prices(tuple(request.product_ids), currency)
        prices = {product_id: translation.price_message(price) for product_id, price in found.items()}
        return catalog_pb2.GetPricesResponse(prices=prices, missing_product_ids=missing)

    async def upsert_product(
        self, request: catalog_pb2.UpsertProductRequest, call: Call, /
    ) -> catalog_pb2.UpsertProductResponse:
        """Creates a product or replaces it. For merchandising and for seeding a new environment.
        Errors: INVALID_ARGUMENT, ALREADY_EXISTS SKU_TAKEN.
        """
        details, price = translation.details_of(request.product)

        async def work(connection: AsyncConnection) -> catalog_pb2.UpsertProductResponse:
            stored = await self._catalog.upsert(connection, details, price)
            return catalog_pb2.UpsertProductResponse(product=translation.product_message(stored))

        return await first_answer(
            self._database,
            work,
            scope="UpsertProduct",
            key=request.idempotency_key,
            fingerprint=fingerprint_of(request, "idempotency_key"),
            response=catalog_pb2.UpsertProductResponse,
        )

    async def update_price(
        self, request: catalog_pb2.UpdatePriceRequest, call: Call, /
    ) -> catalog_pb2.UpdatePriceResponse:
        """Sets a new price and publishes price-changed. Prices are never overwritten: each change is
        a new version. Errors: NOT_FOUND, INVALID_ARGUMENT, ABORTED VERSION_CONFLICT.
        """
        asked = translation.new_price_of(request)

        async def work(connection: AsyncConnection) -> catalog_pb2.UpdatePriceResponse:
            price = await self._catalog.change_price(connection, asked)
            return catalog_pb2.UpdatePriceResponse(price=translation.price_message(price))

        return await first_answer(
            self._database,
            work,
            scope="UpdatePrice",
            key=request.idempotency_key,
            fingerprint=fingerprint_of(request, "idempotency_key"),
            response=catalog_pb2.UpdatePriceResponse,
        )


def _skip(place: list[object]) -> int:
    match place:
        case [int(skip)] if 0 <= skip <= _DEEPEST_HIT:
            return skip
    raise Invalid(("page_token", "is no token of this service"))


class CatalogEventsHandlers:
    """Receives what catalog/v1/asyncapi.yaml says that this service receives."""

    def __init__(self, catalog: Catalog, database: Database) -> None:
        self._catalog = catalog
        self._database = database

    async def refresh_stock_in_search_index(
        self, event: InventoryChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Keeps `in_stock` of the search index fresh."""
        level = event.data.level
        async with self._database.transaction() as connection:
            if await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                await search.note_stock(
                    connection,
                    product_id=level.product_id,
                    warehouse_id=level.warehouse_id,
                    available=level.available,
                    version=level.version,
                )
        return None

    async def refresh_price_in_search_index(
        self, event: PriceChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Puts the price that holds now into the search index: this one, unless it holds from later on."""
        async with self._database.transaction() as connection:
            if await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                await self._catalog.refresh_index(connection, event.data.product_id)
        return None
