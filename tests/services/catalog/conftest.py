"""The catalog on a real database, called over a real socket, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.common.v1.money_pb2 import Money
from shop.runtime.grpc_server import GrpcServer

from services.catalog import api
from services.catalog.catalog import Catalog
from services.catalog.handlers import CatalogEventsHandlers, CatalogHandlers
from services.platform.database import Database
from services.platform.outbox import Outbox
from tests.services.served import serving


@dataclass
class Clock:
    moment: datetime = datetime(2026, 2, 1, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


@dataclass(frozen=True)
class Shop:
    client: CatalogServiceClient
    database: Database
    catalog: Catalog
    events: CatalogEventsHandlers
    clock: Clock

    async def store(self, product_id: str, *, key: str = "", **changes: object) -> catalog_pb2.Product:
        """Upsert a product with some members."""
        request = catalog_pb2.UpsertProductRequest(
            product=product(product_id, **changes), idempotency_key=key or f"store-{product_id}"
        )
        return (await self.client.upsert_product(request)).product


@pytest.fixture
async def shop(service_database: Callable[[str], str]) -> AsyncIterator[Shop]:
    database = Database(service_database("catalog"), "catalog")
    clock = Clock()
    catalog = Catalog(database, Outbox(database), now=clock)
    server = GrpcServer()
    api.bind(server, CatalogHandlers(catalog, database))
    async with serving(server) as address, CatalogServiceClient(address) as client:
        yield Shop(client, database, catalog, CatalogEventsHandlers(catalog, database), clock)
    await database.close()


def eur(amount: int) -> Money:
    return Money(minor_units=amount, currency_code="EUR")


def product(product_id: str, **changes: object) -> catalog_pb2.Product:
    members = {
        "product_id": product_id,
        "sku": product_id.upper().replace("_", "-"),
        "name": "Green tea",
        "description": "Spring harvest.",
        "categories": ["tea"],
        "price": eur(1250),
        "status": catalog_pb2.PRODUCT_STATUS_ACTIVE,
        "weight_grams": 130,
        **changes,
    }
    return catalog_pb2.Product(**members)  # type: ignore[arg-type] # the test knows the members
