"""Servers against requests that misbehave, straight at the ASGI interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from codegen.targets.python.runtime.context import current_trace
from codegen.targets.python.runtime.errors import InvalidArgument, NotFound, RpcError, Unavailable
from codegen.targets.python.runtime.http_operation import Answer, Content, Operation, Param
from codegen.targets.python.runtime.http_server import Reply, Route, build_app
from codegen.targets.python.runtime.resilience import current_deadline

ANY = (Answer("200", (Content("application/json"),)),)


def caller(*routes: Route, root: str = "") -> httpx.AsyncClient:
    app = build_app(routes, (), title="t", version="1")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, root_path=root), base_url="http://made")


async def echo(_: Any, **arguments: Any) -> Any:
    return arguments


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
async def test_a_deeply_nested_body_is_a_bad_request(kind: str) -> None:
    nested = b"[" * 200_000
    body = nested
    media_type = kind.partition(";")[0]
    if media_type != kind:
        body = (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\ncontent-type: application/json\r\n\r\n%b\r\n--b--\r\n'
        )
        body = body % nested
    operation: Operation[Any] = Operation("put", "POST", "/x", body=(Content(media_type, dict[str, Any]),), answers=ANY)
    async with caller(Route(operation, echo)) as client:
        answer = await client.post("/x", content=body, headers={"content-type": kind})
    assert answer.status_code == 400


async def test_a_deeply_nested_parameter_is_a_bad_request() -> None:
    param = Param("q", "query", "q", Any, "json", style="content")
    operation: Operation[Any] = Operation("get", "GET", "/x", params=(param,), answers=ANY)
    async with caller(Route(operation, echo)) as client:
        assert (await client.get("/x?q=" + "[" * 50_000)).status_code == 400


async def test_a_cookie_keeps_what_forms_would_split_or_change() -> None:
    params = tuple(Param(name, "cookie", name) for name in ("prefs", "token", "admin"))
    operation: Operation[Any] = Operation("get", "GET", "/x", params=params, answers=ANY)
    async with caller(Route(operation, echo)) as client:
        answer = await client.get("/x", headers={"cookie": "prefs=a&admin=1; token=a+b%2Bc=="})
    assert answer.json() == {"prefs": "a&admin=1", "token": "a+b+c==", "admin": None}


async def test_a_path_beside_the_root_path_is_not_served() -> None:
    operation: Operation[Any] = Operation("get", "GET", "/x", answers=ANY)
    async with caller(Route(operation, echo), root="/api") as client:
        assert (await client.get("/api/x")).status_code == 200
        assert (await client.get("/apisecret/x")).status_code == 404


NEGOTIATED: Operation[Any] = Operation(
    "get", "GET", "/x", answers=(Answer("200", (Content("text/csv"), Content("application/json; charset=utf-8"))),)
)


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        ("application/json", "application/json"),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json;q=0.5, text/*", "text/csv"),
        ("text/csv; q=0", None),
        ("text/csv;q=0.000, text/*;q=0", None),
        ("image/png, text/csv;q=0.2", "text/csv"),
        ("", "text/csv"),
    ],
)
async def test_the_accepted_representation_of_the_highest_weight_is_sent(accept: str, sent: str | None) -> None:
    async def handler(_: Any) -> Any:
        return Reply("a")

    async with caller(Route(NEGOTIATED, handler)) as client:
        answer = await client.get("/x", headers={"accept": accept})
    if sent is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"].partition(";")[0] == sent


async def test_the_trace_of_a_request_ends_with_it() -> None:
    operation: Operation[Any] = Operation("get", "GET", "/x", answers=ANY)
    async with caller(Route(operation, echo)) as client:
        await client.get("/x")
    assert current_trace() is None


@pytest.mark.parametrize("text", ["1٣", "٣"])
async def test_a_number_has_ascii_digits(text: str) -> None:
    operation: Operation[Any] = Operation(
        "get", "GET", "/x", params=(Param("n", "query", "n", int, "integer"),), answers=ANY
    )
    async with caller(Route(operation, echo)) as client:
        assert (await client.get("/x", params={"n": text})).status_code == 400


async def test_a_handler_that_sends_bytes_may_take_its_time_after_the_first() -> None:
    operation: Operation[Any] = Operation("load", "GET", "/x", answers=(Answer("200", (Content("application/pdf"),)),))

    async def handler(_: Any) -> Any:
        async def pieces() -> AsyncIterator[bytes]:
            yield str(current_deadline()).encode()

        return pieces()

    async with caller(Route(operation, handler)) as client:
        assert (await client.get("/x")).content == b"None"


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (NotFound("no task 7"), 404, "no task 7"),
        (InvalidArgument("bad"), 400, "bad"),
        (NotFound("what a peer said", remote=True), 500, "A service behind this one failed."),
        (Unavailable("10.0.0.7 refused", remote=True), 503, "A service behind this one failed."),
    ],
)
async def test_a_grpc_status_that_a_handler_raises_is_answered_as_http(
    error: RpcError, status: int, detail: str
) -> None:
    async def fail(_: Any) -> Any:
        raise error

    operation: Operation[Any] = Operation("get", "GET", "/x", answers=ANY)
    async with caller(Route(operation, fail)) as client:
        answer = await client.get("/x")
    assert answer.status_code == status
    assert answer.json()["detail"] == detail
