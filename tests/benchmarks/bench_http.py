"""What generated HTTP code costs against code written by hand: `python -m tests.benchmarks.bench_http`.

Server: one GET with a path and a query parameter and one POST with a body, driven through ASGI without sockets.
Client: the same GET over a loopback socket, against plain httpx. Prints one line of JSON; times in microseconds.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Query
from fastapi import Path as PathParameter
from pydantic import BaseModel, Field

from tests.behaviour.http.serving import serve
from tests.generating import generated

ROUNDS, CALLS = 15, 300

CONTRACT = """
openapi: 3.1.0
info: {title: Bench, version: '1'}
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, default: 10}}
      responses: &one
        '200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  /orders:
    post:
      operationId: makeOrder
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
      responses: *one
components:
  schemas:
    Item:
      type: object
      required: [sku, quantity]
      properties: {sku: {type: string}, quantity: {type: integer, minimum: 1}}
    Order:
      type: object
      required: [id, items, total]
      properties:
        id: {type: string}
        items: {type: array, items: {$ref: '#/components/schemas/Item'}}
        total: {type: integer}
        note: {type: string}
"""

BODY = {"id": "7", "items": [{"sku": f"s{n}", "quantity": n + 1} for n in range(5)], "total": 5}


class HandItem(BaseModel):
    sku: str
    quantity: Annotated[int, Field(ge=1)]


class HandOrder(BaseModel):
    id: str
    items: list[HandItem]
    total: int
    note: str | None = None


def hand_written() -> FastAPI:
    """The same operations as anybody writes them."""
    app = FastAPI()
    order = HandOrder.model_validate(BODY)

    @app.get("/orders/{id}", response_model_exclude_none=True)
    async def get_order(id: Annotated[str, PathParameter()], limit: Annotated[int, Query(ge=1)] = 10) -> HandOrder:
        return order

    @app.post("/orders", response_model_exclude_none=True)
    async def make_order(body: HandOrder) -> HandOrder:
        return body

    return app


def from_contract(package: str) -> FastAPI:
    """The generated application."""
    models = importlib.import_module(f"{package}.api.v1.http.models")
    server = importlib.import_module(f"{package}.api.v1.http.server")
    order = models.Order.from_dict(BODY)

    class Api:
        async def get_order(self, context: Any, *, id: str, limit: int) -> Any:
            return order

        async def make_order(self, context: Any, *, body: Any) -> Any:
            return body

    app: FastAPI = server.create_app(Api())
    return app


async def _request(app: FastAPI, method: str, path: str, query: bytes, body: bytes) -> bytes:
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"x"),
            (b"accept", b"*/*"),
            (b"user-agent", b"bench"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent
    found: bytes = sent[1]["body"]
    return found


async def _median(calls: dict[str, Callable[[], Awaitable[object]]]) -> dict[str, float]:
    """Microseconds of one call: median of rounds that alternate between the candidates."""
    for call in calls.values():
        for _ in range(CALLS):
            await call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                await call()
            times[name].append((time.perf_counter() - start) / CALLS * 1e6)
    return {name: round(statistics.median(found), 1) for name, found in times.items()}


async def measure(package: str) -> dict[str, dict[str, float]]:
    """All comparisons."""
    hand, made = hand_written(), from_contract(package)
    body = json.dumps(BODY).encode()
    found = {
        "server GET": await _median(
            {
                "hand": lambda: _request(hand, "GET", "/orders/7", b"limit=3", b""),
                "generated": lambda: _request(made, "GET", "/orders/7", b"limit=3", b""),
            }
        ),
        "server POST": await _median(
            {
                "hand": lambda: _request(hand, "POST", "/orders", b"", body),
                "generated": lambda: _request(made, "POST", "/orders", b"", body),
            }
        ),
    }
    client_module = importlib.import_module(f"{package}.api.v1.http.client")
    served = await serve(made)
    async with httpx.AsyncClient(base_url=served.url) as plain, client_module.Client(served.url) as client:

        async def by_hand() -> object:
            response = await plain.get("/orders/7", params={"limit": 3}, timeout=30)
            response.raise_for_status()
            return HandOrder.model_validate_json(response.content)

        found["client GET"] = await _median({"hand": by_hand, "generated": lambda: client.get_order("7", limit=3)})
    await served.stop()
    return found


def main() -> None:
    """Generate, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        root, diagnostics = generated(Path(folder), {"api/v1/openapi.yaml": CONTRACT}, "bench_http_made")
        assert not diagnostics.errors, list(diagnostics)
        sys.path.insert(0, str(root))
        found = asyncio.run(measure("bench_http_made"))
    for times in found.values():
        times["ratio"] = round(times["generated"] / times["hand"], 3)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
