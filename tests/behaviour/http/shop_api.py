"""A handler of the generated `Api`, with what tests need to see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


class ShopApi:
    """Serves the shop from memory."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[Exception] = []
        self.delay = 0.0
        self.closed = False

    async def _seen(self, name: str, arguments: dict[str, Any]) -> None:
        self.calls.append((name, arguments))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.failures:
            raise self.failures.pop(0)

    def order(self, id: str) -> Any:
        models = self._shop.models
        return models.Order(
            id=id, status=models.Status.PAID, total=Decimal("12.30"), created_at=datetime(2026, 11, 23, 12, tzinfo=UTC)
        )

    async def list_orders(self, context: Any, **arguments: Any) -> Any:
        await self._seen("list_orders", arguments)
        start = int(arguments["page_token"] or 0)
        end = start + arguments["page_size"]
        page = self._shop.models.OrderPage(orders=[self.order(str(i)) for i in range(start, min(end, 5))])
        if end < 5:
            page.next_page_token = str(end)
        return self._shop.http_server.Reply(page, headers={"X-RateLimit-Remaining": 7})

    async def create_order(self, context: Any, **arguments: Any) -> Any:
        await self._seen("create_order", arguments)
        if arguments["body"].customer_id == "taken":
            raise self._shop.problem.HttpProblem(409, model=self._shop.models.Conflict(existing="7"))
        return self._shop.http_server.Reply(self.order("8"), headers={"Location": "/orders/8"})

    async def get_order(self, context: Any, **arguments: Any) -> Any:
        await self._seen("get_order", arguments)
        if arguments["id"] == "none":
            raise self._shop.problem.HttpProblem(404, "No such order.", extensions={"order": "none"})
        return self.order(arguments["id"])

    async def delete_order(self, context: Any, **arguments: Any) -> None:
        await self._seen("delete_order", arguments)

    async def watch_order(self, context: Any, *, id: str) -> AsyncIterator[Any]:
        await self._seen("watch_order", {"id": id})
        try:
            while id == "endless":
                yield self.order(id)
                await asyncio.sleep(0.001)
        finally:
            self.closed = True
        for number in range(3):
            order = self.order(id)
            order.note = f"line {number}\nnext"
            yield order

    async def download_label(self, context: Any, *, id: str) -> Any:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield b"x" * 65536

        return chunks() if id == "big" else b"%PDF"

    async def latest_order(self, context: Any) -> Any:
        await self._seen("latest_order", {})
        return self.order("latest")

    async def upload_photo(self, context: Any, *, body: Any) -> Any:
        await self._seen("upload_photo", {"body": body})
        return self._shop.models.UploadPhotoResponse(size=len(body.photo), who=str(context.principal), title=body.title)

    async def log_in(self, context: Any, *, body: Any, content_type: str) -> str:
        await self._seen("log_in", {"body": body, "content_type": content_type})
        return "wälcome"

    async def list_linked(self, context: Any, *, page: int | None) -> Any:
        number = page or 1
        following = {"Link": f'</links?page={number + 1}>; rel="next", </links>; rel=first'} if number < 3 else {}
        return self._shop.http_server.Reply([number * 10, number * 10 + 1], headers=following)

    async def list_by_offset(self, context: Any, *, offset: int | None, limit: int | None) -> Any:
        return self._shop.models.ListByOffsetResponse(items=list(range(offset or 0, min((offset or 0) + 2, 5))))
