"""Servers whose contract takes a body of any kind, and answers errors with a status that has no body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.behaviour.http.serving import Served

Start = Callable[[Any], Awaitable[Served]]


def _app(shop: Any, options: Any = None) -> Any:
    """POST /any takes every media type, POST /json only its own."""
    make = shop.http_operation
    kinds = {"/any": "*/*", "/json": "application/json"}

    async def take(context: Any, *, body: Any) -> None:
        assert body == {"a": 1}

    routes = [
        shop.http_server.Route(
            make.Operation(path, "POST", path, body=(make.Content(kind),), answers=(make.Answer("204"),)), take
        )
        for path, kind in kinds.items()
    ]
    return shop.http_server.ContractApp(routes, (), options)


async def _post(server: Served, path: str, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(server.url + path, content=content)


async def test_a_body_without_content_type_fits_a_contract_that_takes_any(shop: Any, served: Start) -> None:
    server = await served(_app(shop))
    assert (await _post(server, "/any", b'{"a": 1}')).status_code == 204
    assert (await _post(server, "/json", b'{"a": 1}')).status_code == 415


async def test_a_problem_that_is_translated_to_204_has_no_body(shop: Any, served: Start) -> None:
    options = shop.http_server.ServerOptions(translate_problem=lambda *_: shop.problem.HttpProblem(204))
    answer = await _post(await served(_app(shop, options)), "/any", b"{")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
