"""An HTTP client calls the generated front, which calls a gRPC server: three generated pieces over two real sockets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import uvicorn
from golden import orders_pb2 as pb
from golden.http.client import Client
from golden.http.front import Front
from golden.http.models import NewOrder, Status
from golden.http.server import create_app
from golden.orders_grpc import OrderServiceClient, OrderServiceHandler, add_order_service
from golden.runtime.errors import HttpError, NotFound
from golden.runtime.grpc_server import Call, GrpcServer


class Orders(OrderServiceHandler):
    """Keeps orders in memory."""

    def __init__(self) -> None:
        self.by_key: dict[str, pb.Order] = {}

    async def place_order(self, request: pb.PlaceOrderRequest, call: Call, /) -> pb.PlaceOrderResponse:
        if request.idempotency_key not in self.by_key:
            order = pb.Order(id=f"o{len(self.by_key) + 1}", total_cents=request.quantity * 2**40, status=pb.STATUS_OPEN)
            order.created_at.FromDatetime(datetime(2026, 11, 23, 12, tzinfo=UTC))
            self.by_key[request.idempotency_key] = order
        return pb.PlaceOrderResponse(order=self.by_key[request.idempotency_key])

    async def get_order(self, request: pb.GetOrderRequest, call: Call, /) -> pb.GetOrderResponse:
        for order in self.by_key.values():
            if order.id == request.order_id:
                return pb.GetOrderResponse(order=order)
        raise NotFound(f"no order {request.order_id}")

    async def list_orders(self, request: pb.ListOrdersRequest, call: Call, /) -> pb.ListOrdersResponse:
        start, size = int(request.page_token or 0), request.page_size or 1
        orders = list(self.by_key.values())
        following = str(start + size) if start + size < len(orders) else ""
        return pb.ListOrdersResponse(orders=orders[start : start + size], next_page_token=following)

    async def watch_order(self, request: pb.GetOrderRequest, call: Call, /) -> AsyncIterator[pb.Order]:
        for status in (pb.STATUS_OPEN, pb.STATUS_DONE):
            yield pb.Order(id=request.order_id, status=status)

    async def import_orders(
        self, requests: AsyncIterator[pb.PlaceOrderRequest], call: Call, /
    ) -> pb.ImportOrdersResponse:
        return pb.ImportOrdersResponse(stored=len([request async for request in requests]))

    async def quote(self, requests: AsyncIterator[pb.PlaceOrderRequest], call: Call, /) -> AsyncIterator[pb.Order]:
        async for request in requests:
            yield pb.Order(total_cents=request.quantity)


async def over_grpc(client: OrderServiceClient) -> None:
    asked = [pb.PlaceOrderRequest(sku="a", quantity=n) for n in (1, 2, 3)]
    assert (await client.import_orders(asked)).stored == 3
    assert [order.total_cents async for order in client.quote(asked)] == [1, 2, 3]


async def over_http(client: Client) -> None:
    first = await client.place_order(NewOrder(sku="a", quantity=3), idempotency_key="k1")
    again = await client.place_order(NewOrder(sku="a", quantity=3), idempotency_key="k1")
    assert first == again and first.total_cents == 3 * 2**40 and first.status is Status.STATUS_OPEN
    assert first.created_at == datetime(2026, 11, 23, 12, tzinfo=UTC) and first.note is None
    await client.place_order(NewOrder(sku="b", quantity=1))
    assert (await client.get_order(id="o2")).id == "o2"
    assert [order.id async for order in client.iter_list_orders(page_size=1)] == ["o1", "o2"]
    assert [order.status async for order in client.watch_order(id="o1")] == [Status.STATUS_OPEN, Status.STATUS_DONE]
    for call, status in ((client.get_order(id="../x"), 404), (client.list_orders(page_size=1000), 400)):
        try:
            await call
        except HttpError as problem:
            assert problem.status == status, problem
        else:
            raise AssertionError(f"{status} was expected")


async def main() -> None:
    server = GrpcServer()
    add_order_service(server, Orders())
    await server.start()
    async with OrderServiceClient(server.address) as orders:
        await over_grpc(orders)
        app = create_app(Front(order_service=orders))
        http = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
        serving = asyncio.create_task(http.serve())
        while not http.started:
            await asyncio.sleep(0.01)
        port = http.servers[0].sockets[0].getsockname()[1]
        async with Client(f"http://127.0.0.1:{port}") as client:
            await over_http(client)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            published = await browser.get("/openapi.json")
        assert published.json()["paths"]["/orders"]["post"]["operationId"] == "placeOrder"
        assert "x-grpc" not in published.text and "x-proto" not in published.text
        http.should_exit = True
        await serving
    await server.stop()


asyncio.run(main())
