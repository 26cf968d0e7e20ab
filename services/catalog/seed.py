"""The shop's first products: `python -m services.catalog.seed` stores them; what is stored already stays as it is."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.adapters import prices
from services.catalog.catalog import Catalog
from services.catalog.config import Config
from services.catalog.domain import Details, Money, NewPrice
from services.catalog.migrating import migrate
from services.platform import logs
from services.platform.database import Database
from services.platform.outbox import Outbox

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seed:
    """A product with its price in minor units of each currency."""

    details: Details
    eur: int
    usd: int


def _seed(product_id: str, sku: str, name: str, text: str, category: str, grams: int, eur: int, usd: int) -> Seed:
    details = Details(
        product_id=product_id,
        sku=sku,
        name=name,
        description=text,
        categories=(category,),
        attributes={"weight": f"{grams} g"},
        image_urls=(f"https://img.shop.example/{product_id.removeprefix('prd_').replace('_', '-')}.jpg",),
        weight_grams=grams,
    )
    return Seed(details, eur, usd)


PRODUCTS = (
    _seed("prd_tea_green", "TEA-GREEN-100", "Green tea, 100 g", "Spring harvest from **Uji**.", "tea", 130, 1250, 1390),
    _seed("prd_tea_black", "TEA-BLACK-100", "Black tea, 100 g", "Second flush from **Assam**.", "tea", 130, 990, 1090),
    _seed("prd_mug_white", "MUG-WHITE", "White mug", "Porcelain, 300 ml.", "mugs", 380, 1490, 1590),
    _seed("prd_teapot_iron", "TEAPOT-IRON", "Iron teapot", "Cast iron, 800 ml.", "teapots", 1900, 5900, 6400),
    _seed(
        "prd_kettle_copper", "KETTLE-COPPER", "Copper kettle", "The last of its kind.", "kettles", 2100, 12900, 13900
    ),
)
"""Names as in the examples of the contracts. `prd_kettle_copper` is meant to be the one that runs out of stock."""


async def seed(database: Database, catalog: Catalog) -> int:
    """Store what is not there yet, in one transaction a product; returns how many products were new.

    Products and prices that exist are not touched: somebody may have changed them since.
    """
    added = 0
    for each in PRODUCTS:
        added += await database.run(partial(_add, each, catalog))
    return added


async def _add(wanted: Seed, catalog: Catalog, connection: AsyncConnection) -> bool:
    if await prices.newest_version(connection, wanted.details.product_id, catalog.currency):
        return False
    amounts = {"EUR": wanted.eur, "USD": wanted.usd}
    first = Money(amounts.pop(catalog.currency), catalog.currency)
    await catalog.upsert(connection, wanted.details, first)
    for currency, amount in amounts.items():
        asked = NewPrice(product_id=wanted.details.product_id, amount=Money(amount, currency))
        await catalog.change_price(connection, asked)
    return True


class Seeds:
    """A part of a process that stores the first products before anything is served."""

    services = ("first products",)

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    async def start(self) -> str:
        """Store what is not there yet."""
        return f"{await seed(self._database, self._catalog)} new ones"

    async def stop(self, grace: float | None = None) -> None:
        """There is nothing to stop."""


async def run(config: Config) -> int:
    """Migrate and seed the database of `config`."""
    database = Database(config.database_url, config.schema)
    try:
        await database.wait(config.start_timeout)
        await migrate(database)
        return await seed(database, Catalog(database, Outbox(database), currency=config.currency))
    finally:
        await database.close()


def main() -> None:
    """The process. Events of the new prices stay in the outbox until the service runs."""
    logs.configure("catalog")
    added = asyncio.run(run(Config.from_environment(os.environ)))
    LOG.info("%d products added", added)


if __name__ == "__main__":
    main()
