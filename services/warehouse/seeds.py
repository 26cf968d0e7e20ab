"""Stock for demonstrations and tests: what the catalog's demonstration products start with."""

from __future__ import annotations

import logging

from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.commands import FOR_EVER, Command
from services.platform.database import Database
from services.platform.idempotency import fingerprint
from services.warehouse.stockroom import Stockroom

LOG = logging.getLogger(__name__)
DEMO: tuple[tuple[str, str, int], ...] = (
    ("prd_tea_green", "whs_berlin", 1000),
    ("prd_tea_black", "whs_berlin", 1000),
    ("prd_mug_white", "whs_berlin", 500),
    ("prd_mug_white", "whs_hamburg", 250),
    ("prd_teapot_iron", "whs_berlin", 100),
    ("prd_kettle_copper", "whs_berlin", 1),
)
"""(product, warehouse, pieces); of the copper kettle there is one, so that orders can run out of stock."""


class Seeds:
    """A part of a process that books, when it starts, the deliveries that were not booked before."""

    services = ("demonstration stock",)

    def __init__(self, database: Database, stockroom: Stockroom) -> None:
        self._database = database
        self._stockroom = stockroom

    async def start(self) -> str:
        """Book them."""
        booked = sum([await self._database.run(_Delivery(self._stockroom, *each)) for each in DEMO])
        return f"{booked} deliveries booked, {len(DEMO) - booked} were booked before"

    async def stop(self, grace: float | None = None) -> None:
        """The stock stays."""


class _Delivery:
    def __init__(self, stockroom: Stockroom, product_id: str, warehouse_id: str, pieces: int) -> None:
        self._stockroom = stockroom
        self._product_id = product_id
        self._warehouse_id = warehouse_id
        self._pieces = pieces

    async def __call__(self, connection: AsyncConnection) -> bool:
        place = f"{self._product_id}.{self._warehouse_id}"
        command = Command(scope="seed", key=place, fingerprint=fingerprint(place.encode()))
        if await command.earlier_answer(connection, keep=FOR_EVER) is not None:
            return False
        level = await self._stockroom.adjust(
            connection, self._product_id, self._warehouse_id, self._pieces, reason="ADJUSTMENT_REASON_DELIVERY"
        )
        await command.answered(connection, str(level).encode())
        LOG.info("seeded %d pieces of %s", self._pieces, place)
        return True
