"""Generated client against generated server: every kind of call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.behaviour.http.serving import Served
from tests.behaviour.http.shop_api import ShopApi

Start = Callable[[Any], Awaitable[Served]]


async def check(credentials: Any, _: Any) -> Any:
    """Accepts `good` tokens and keys, and ann's password."""
    if credentials.value == "good":
        return f"{credentials.scheme.name} user"
    return "ann" if (credentials.username, credentials.password) == ("ann", "secret") else None


@pytest.fixture
def api(shop: Any) -> ShopApi:
    return ShopApi(shop)


@pytest.fixture
async def server(shop: Any, api: ShopApi, served: Start) -> Served:
    options = shop.http_server.ServerOptions(
        authenticators=dict.fromkeys(("bearer", "key", "login"), check), timeout=0.5, max_body_bytes=100_000
    )
    return await served(shop.server.create_app(api, options))


@pytest.fixture
async def client(shop: Any, server: Served) -> Any:
    async with shop.client.Client(server.url, bearer="good", key="good") as client:
        yield client


async def test_a_model_comes_back_with_its_types(client: Any, shop: Any) -> None:
    order = await client.get_order("7")
    assert order.total == Decimal("12.3")
    assert order.status is shop.models.Status.PAID
    assert order.created_at == datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("id", ["a/b", "../x", "a b", "ü", "100%", "a?b#c", "a+b", "latest ", "%2e%2e"])
async def test_a_path_parameter_stays_in_its_segment(client: Any, id: str) -> None:
    assert (await client.get_order(id)).id == id


@pytest.mark.parametrize("id", ["", ".", ".."])
async def test_a_path_parameter_that_would_change_the_path_is_refused(client: Any, shop: Any, id: str) -> None:
    with pytest.raises(shop.parameters.ParameterError):
        await client.get_order(id)


async def test_a_concrete_path_goes_before_a_template(client: Any) -> None:
    assert (await client.latest_order()).id == "latest"


async def test_parameters_of_every_place_arrive_as_typed_values(client: Any, api: ShopApi, shop: Any) -> None:
    await client.get_order("7", x_trace="a, b", session="s;1")
    assert api.calls[-1] == ("get_order", {"id": "7", "x_trace": "a, b", "session": "s;1"})
    wanted = shop.models.Filter(customer="a&b=c", min_total=5, tags=["x", "y"])
    await client.list_orders(page_size=3, status=[shop.models.Status.OPEN, shop.models.Status.PAID], filter=wanted)
    assert api.calls[-1][1] == {
        "page_token": None,
        "page_size": 3,
        "filter": wanted,
        "status": [shop.models.Status.OPEN, shop.models.Status.PAID],
    }


async def test_a_default_is_filled_in_by_the_server(client: Any, api: ShopApi) -> None:
    await client.list_orders()
    assert api.calls[-1][1]["page_size"] == 2


async def test_raw_calls_give_status_and_headers(client: Any) -> None:
    result = await client.raw.list_orders()
    assert (result.status, result.headers["x-ratelimit-remaining"]) == (200, "7")
    assert [order.id for order in result.value.orders] == ["0", "1"]


async def test_pages_are_one_iterator_by_token_link_and_offset(client: Any) -> None:
    assert [order.id async for order in client.iter_list_orders()] == ["0", "1", "2", "3", "4"]
    assert [n async for n in client.iter_list_linked()] == [10, 11, 20, 21, 30, 31]
    assert [n async for n in client.iter_list_by_offset(limit=2)] == [0, 1, 2, 3, 4]


async def test_an_empty_answer_is_none(client: Any) -> None:
    with pytest.warns(DeprecationWarning, match="deleteOrder"):
        assert await client.delete_order("7") is None


async def test_a_declared_error_comes_with_its_model(client: Any, shop: Any) -> None:
    body = shop.models.NewOrder(customer_id="taken", items=[{"sku": "a", "quantity": 1}])
    with pytest.raises(shop.errors.HttpConflict) as caught:
        await client.create_order(body)
    assert caught.value.model == shop.models.Conflict(existing="7")


async def test_a_problem_is_read_with_its_extensions(client: Any, shop: Any) -> None:
    with pytest.raises(shop.errors.HttpNotFound) as caught:
        await client.get_order("none")
    problem = caught.value.problem
    assert (problem.title, problem.detail, problem.extensions) == ("Not Found", "No such order.", {"order": "none"})
    assert caught.value.model.detail == "No such order."


async def test_events_are_an_iterator_of_models(client: Any) -> None:
    assert [order.note async for order in client.watch_order("7")] == [f"line {n}\nnext" for n in range(3)]


async def test_an_error_before_the_first_event_is_a_problem(client: Any, api: ShopApi, shop: Any) -> None:
    api.failures = [shop.problem.HttpProblem(403, "Not yours.")]
    with pytest.raises(shop.errors.HttpForbidden, match="Not yours"):
        _ = [order async for order in client.watch_order("7")]


async def test_a_stream_ends_when_its_client_goes_away(client: Any, api: ShopApi) -> None:
    stream = client.watch_order("endless")
    assert (await anext(stream)).id == "endless"
    await stream.aclose()
    async with asyncio.timeout(5):
        while not api.closed:  # noqa: ASYNC110 the handler ends in its own time
            await asyncio.sleep(0.01)


async def test_downloads_are_iterators_of_bytes(client: Any) -> None:
    assert b"".join([chunk async for chunk in client.download_label("1")]) == b"%PDF"
    assert sum([len(chunk) async for chunk in client.download_label("big")]) == 64 * 65536


async def test_a_file_is_uploaded_as_multipart(client: Any, api: ShopApi, shop: Any) -> None:
    photo = bytes(range(256)) + b"\r\n--boundary"
    stored = await client.upload_photo(
        shop.models.UploadPhotoRequest(title="ä", photo=photo, rating=3, meta=shop.models.Filter(tags=["a"]))
    )
    assert (stored.size, stored.title, stored.who) == (len(photo), "ä", "key user")
    received = api.calls[-1][1]["body"]
    assert (received.photo, received.rating, received.meta.tags) == (photo, 3, ["a"])
    file = shop.http_bodies.FilePart(b"123", 'na"me\r\n.png', "image/png")
    assert (await client.upload_photo({"title": "t", "photo": file})).size == 3


async def test_a_form_and_its_alternative_arrive_typed(client: Any, api: ShopApi, shop: Any) -> None:
    form = shop.models.LogInRequest(user="a b&c", remember=True, roles=["x", "y+z"])
    assert await client.log_in(form) == "wälcome"
    assert api.calls[-1][1] == {"body": form, "content_type": "application/x-www-form-urlencoded"}
    await client.log_in(shop.models.Filter(customer="c"), content_type="application/json")
    assert api.calls[-1][1]["body"] == shop.models.Filter(customer="c")


async def test_an_idempotency_key_is_made_and_kept_over_retries(client: Any, api: ShopApi, shop: Any) -> None:
    api.failures = [shop.problem.HttpProblem(503, headers={"retry-after": "0"}) for _ in range(2)]
    body = shop.models.NewOrder(customer_id="c", items=[{"sku": "a", "quantity": 1}])
    result = await client.raw.create_order(body)
    assert (result.status, result.headers["location"], result.value.id) == (201, "/orders/8", "8")
    keys = {call[1]["idempotency_key"] for call in api.calls}
    assert len(api.calls) == 3
    assert len(keys) == 1
    await client.create_order(body, idempotency_key="mine")
    assert api.calls[-1][1]["idempotency_key"] == "mine"
    await client.create_order(body, options=shop.http_client.CallOptions(idempotency_key="of the call"))
    assert api.calls[-1][1]["idempotency_key"] == "of the call"


async def test_a_call_with_a_second_effect_is_sent_once(client: Any, api: ShopApi, shop: Any) -> None:
    api.failures = [shop.problem.HttpProblem(503)]
    with pytest.raises(shop.errors.HttpServiceUnavailable):
        await client.log_in(shop.models.LogInRequest(user="a"))
    assert len(api.calls) == 1


async def test_a_deadline_ends_the_call(client: Any, api: ShopApi, shop: Any) -> None:
    api.delay = 0.3
    with pytest.raises(shop.errors.DeadlineExceeded):
        await client.get_order("7", options=shop.http_client.CallOptions(timeout=0.05))


async def test_a_handler_that_takes_too_long_is_a_gateway_timeout(client: Any, api: ShopApi, shop: Any) -> None:
    api.delay = 1.0
    with pytest.raises(shop.errors.HttpGatewayTimeout):
        await client.get_order("7", options=shop.http_client.CallOptions(retry=False))


async def test_the_breaker_opens_after_failures(server: Served, api: ShopApi, shop: Any) -> None:
    resilience = shop.resilience.Resilience(retry=shop.resilience.NO_RETRIES)
    async with shop.client.Client(server.url, bearer="good", resilience=resilience) as client:
        api.failures = [shop.problem.HttpProblem(500) for _ in range(5)]
        for _ in range(5):
            with pytest.raises(shop.errors.HttpInternalServerError):
                await client.get_order("7")
        with pytest.raises(shop.errors.CircuitOpen):
            await client.get_order("7")


async def test_the_trace_reaches_the_handler(
    client: Any, api: ShopApi, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    async def seen(name: str, arguments: dict[str, Any]) -> None:
        found.append(shop.context.current_trace().trace_id)

    monkeypatch.setattr(api, "_seen", seen)
    with shop.context.trace_scope() as trace:
        await client.get_order("7")
    assert found == [trace.trace_id]


async def test_nobody_there_is_a_transport_error(shop: Any) -> None:
    resilience = shop.resilience.Resilience(retry=shop.resilience.NO_RETRIES)
    async with shop.client.Client("http://127.0.0.1:1", resilience=resilience) as client:
        with pytest.raises(shop.errors.TransportError):
            await client.latest_order()


async def test_webhooks_and_callbacks_reach_their_receivers(shop: Any, served: Start, api: ShopApi) -> None:
    received = []

    class Receiver:
        async def stock_low(self, context: Any, *, body: Any) -> None:
            received.append(body)

        async def order_shipped(self, context: Any, *, body: Any) -> None:
            received.append(body)

    hooks = await served(shop.server.create_webhook_app(Receiver(), {"stock_low": "/hooks/stock"}))
    async with shop.client.WebhookSender() as sender:
        await sender.stock_low(f"{hooks.url}/hooks/stock", shop.models.Filter(customer="c"))
    calls = await served(shop.server.create_callback_app(Receiver()))
    async with shop.client.CallbackSender() as sender:
        await sender.order_shipped(f"{calls.url}/order_shipped?token=1", api.order("9"))
    assert received == [shop.models.Filter(customer="c"), api.order("9")]


@pytest.mark.parametrize(("credential", "status"), [({}, 401), ({"bearer": "bad"}, 401)])
async def test_missing_and_wrong_credentials_are_refused(
    server: Served, shop: Any, credential: dict[str, str], status: int
) -> None:
    async with shop.client.Client(server.url, **credential) as client:
        with pytest.raises(shop.errors.HttpUnauthorized) as caught:
            await client.get_order("7")
        assert caught.value.headers["www-authenticate"].startswith("Bearer")


async def test_alternatives_of_security_are_tried_in_order(server: Served, shop: Any, api: ShopApi) -> None:
    body = shop.models.UploadPhotoRequest(title="t", photo=b"1")
    async with shop.client.Client(server.url, login=shop.auth.Basic("ann", "secret")) as client:
        assert (await client.upload_photo(body)).who == "ann"
    async with shop.client.Client(server.url) as client:
        assert (await client.upload_photo(body)).who == "None"

    async def key() -> str:
        return "good"

    async with shop.client.Client(server.url, key=key) as client:
        assert (await client.upload_photo(body)).who == "key user"


async def test_a_scheme_without_authenticator_is_refused_at_the_start(shop: Any, api: ShopApi) -> None:
    with pytest.raises(ValueError, match="bearer"):
        shop.server.create_app(api)


async def _problem(url: str, method: str = "GET", **request: Any) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient() as http:
        response = await http.request(method, url, **request)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem


GOOD = {"authorization": "Bearer good"}


async def test_every_fault_of_a_request_is_named(server: Served) -> None:
    url = f"{server.url}/orders?page_size=1000&status=open,broken&filter[min_total]=x"
    status, problem = await _problem(url, headers=GOOD)
    assert status == 400
    assert [error["parameter"] for error in problem["errors"]] == ["page_size", "status", "filter[min_total]"]
    status, problem = await _problem(
        f"{server.url}/orders", "POST", headers=GOOD, json={"customer_id": "", "items": [{"sku": "a", "quantity": 0}]}
    )
    assert status == 400
    assert [error.get("parameter") or error["pointer"] for error in problem["errors"]] == [
        "Idempotency-Key",
        "/customer_id",
        "/items/0/quantity",
    ]


async def test_framework_and_protocol_errors_are_problems(server: Served, api: ShopApi) -> None:
    assert (await _problem(f"{server.url}/nothing"))[0] == 404
    assert (await _problem(f"{server.url}/orders", "PATCH", headers=GOOD))[0] == 405
    assert (await _problem(f"{server.url}/orders/latest", headers={"accept": "text/html"}))[0] == 406
    assert (await _problem(f"{server.url}/login", "POST", content=b"x", headers={"content-type": "text/x"}))[0] == 415
    assert (await _problem(f"{server.url}/login", "POST", json={"customer": "x" * 200_000}))[0] == 413
    assert (await _problem(f"{server.url}/login", "POST", content=b"{", headers={"content-type": "application/json"}))[
        0
    ] == 400


async def test_every_problem_gets_the_members_of_the_application(shop: Any, served: Start, api: ShopApi) -> None:
    options = shop.http_server.ServerOptions(
        authenticators=dict.fromkeys(("bearer", "key", "login"), check),
        describe_problem=lambda problem, scope: {"path": scope["path"], "code": f"E{problem.status}"},
    )
    server = await served(shop.server.create_app(api, options))
    for path, code in (("/nothing", "E404"), ("/orders", "E401"), ("/orders/latest?x", "E500")):
        api.failures = [RuntimeError()]
        _, problem = await _problem(f"{server.url}{path}")
        assert (problem["path"], problem["code"]) == (path.partition("?")[0], code)


async def test_an_unexpected_exception_shows_nothing_of_itself(
    server: Served, api: ShopApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.failures = [RuntimeError("database password is hunter2")]
    status, problem = await _problem(f"{server.url}/orders/latest")
    assert status == 500
    assert "hunter2" not in str(problem)
    assert "hunter2" in caplog.text


async def test_head_is_answered_as_get_without_body(server: Served) -> None:
    async with httpx.AsyncClient() as http:
        response = await http.head(f"{server.url}/orders/latest")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 10
