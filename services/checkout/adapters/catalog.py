"""Products and prices, asked of the catalog service; whether stock is there, of the warehouse service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.catalog.v1.catalog_pb2 import PRODUCT_STATUS_ACTIVE, GetPricesRequest, GetProductRequest, Product
from shop.runtime.errors import NotFound, TreatyError
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient
from shop.warehouse.v1.warehouse_pb2 import CheckAvailabilityRequest, StockLine

from services.checkout.domain.cart import Line
from services.checkout.domain.pricing import PricedLine
from services.checkout.domain.refusals import Refused

LOG = logging.getLogger(__name__)


class Catalog:
    """What the catalog says of products. Its errors of availability are passed on."""

    def __init__(self, client: CatalogServiceClient) -> None:
        self._client = client

    async def for_sale(self, product_id: str) -> Product:
        """A product that can be bought; `NotFound`, or refused PRODUCT_NOT_FOR_SALE."""
        reply = await self._client.get_product(GetProductRequest(product_id=product_id))
        if reply.product.status != PRODUCT_STATUS_ACTIVE:
            raise not_for_sale(product_id)
        return reply.product

    async def prices(self, product_ids: Iterable[str], currency: str) -> Mapping[str, int]:
        """Prices of one piece in minor units; refused PRODUCT_NOT_FOR_SALE when one has no price in the currency."""
        request = GetPricesRequest(product_ids=product_ids, currency_code=currency)
        reply = await self._client.get_prices(request)
        found = {
            product_id: price.amount.minor_units
            for product_id, price in reply.prices.items()
            if price.amount.currency_code == currency
        }
        for product_id in request.product_ids:
            if product_id not in found:
                raise not_for_sale(product_id)
        return found

    async def priced(self, lines: Sequence[Line], currency: str) -> tuple[PricedLine, ...]:
        """The lines with names and prices of now."""
        prices, products = await asyncio.gather(
            self.prices([line.product_id for line in lines], currency), asyncio.gather(*map(self._sold, lines))
        )
        return tuple(
            PricedLine(line.product_id, product.sku, product.name, line.quantity, prices[line.product_id])
            for line, product in zip(lines, products, strict=True)
        )

    async def _sold(self, line: Line) -> Product:
        """A product of a cart: that it is gone is no fault of the request."""
        try:
            return await self.for_sale(line.product_id)
        except NotFound:
            raise not_for_sale(line.product_id) from None


class Stock:
    """What the warehouse says of availability: a hint, so that silence is no error."""

    def __init__(self, client: WarehouseServiceClient, *, patience: float = 2.0) -> None:
        self._client = client
        self._patience = patience

    async def missing(self, lines: Sequence[Line]) -> frozenset[str]:
        """Products that cannot be delivered in full now; none when the warehouse does not answer in time."""
        request = CheckAvailabilityRequest(
            lines=[StockLine(product_id=line.product_id, quantity=line.quantity) for line in lines]
        )
        try:
            reply = await self._client.check_availability(request, deadline=self._patience)
        except TreatyError as error:
            LOG.warning("the warehouse does not say what is in stock: %s", error)
            return frozenset()
        return frozenset(line.product_id for line in reply.lines if line.available < line.requested)


def not_for_sale(product_id: str) -> Refused:
    """The refusal of a product that cannot be bought."""
    return Refused("PRODUCT_NOT_FOR_SALE", f"Product {product_id} is not for sale.", product_id=product_id)
