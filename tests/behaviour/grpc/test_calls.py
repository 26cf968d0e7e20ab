"""Generated clients against generated servers over loopback: the four kinds of RPC, errors, metadata, pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from tests.behaviour.grpc.conftest import Serve, Shelf


def handler_of(**methods: Any) -> Any:
    """A handler with these methods; the others are there and must not be called."""

    async def absent(request: Any, call: Any) -> Any:
        raise AssertionError("not expected in this test")

    names = ("get_book", "list_books", "lend", "reserve", "watch", "upload", "chat", "close")
    return type("Handler", (), {name: staticmethod(methods.get(name, absent)) for name in names})()


async def test_a_unary_call_returns_the_typed_response(shelf: Shelf, serving: Serve) -> None:
    async def get_book(request: Any, call: Any) -> Any:
        price = shelf.money.Money(minor=1250, currency="EUR")
        return shelf.pb2.GetBookResponse(book=shelf.pb2.Book(id=request.id, price=price))

    async with serving(handler_of(get_book=get_book)) as client:
        response = await client.get_book(shelf.pb2.GetBookRequest(id="b1"))
    assert (response.book.id, response.book.price.minor) == ("b1", 1250)


async def test_an_rpc_named_close_is_callable_and_does_not_close_the_client(shelf: Shelf, serving: Serve) -> None:
    async def close(request: Any, call: Any) -> Any:
        return shelf.pb2.CloseResponse()

    async with serving(handler_of(close=close)) as client:
        await client.close(shelf.pb2.CloseRequest())
        assert await client.close(shelf.pb2.CloseRequest()) == shelf.pb2.CloseResponse()


async def test_a_server_stream_is_an_async_iterator(shelf: Shelf, serving: Serve) -> None:
    async def watch(request: Any, call: Any) -> AsyncIterator[Any]:
        for number in range(request.count):
            yield shelf.pb2.WatchResponse(number=number)

    async with serving(handler_of(watch=watch)) as client:
        info = shelf.client.ResponseInfo()
        numbers = [found.number async for found in client.watch(shelf.pb2.WatchRequest(count=4), info=info)]
    assert numbers == [0, 1, 2, 3]
    assert info.attempts == 1


async def test_leaving_a_stream_early_cancels_the_handler(shelf: Shelf, serving: Serve) -> None:
    ended = asyncio.Event()

    async def watch(request: Any, call: Any) -> AsyncIterator[Any]:
        try:
            yield shelf.pb2.WatchResponse(number=1)
            await asyncio.sleep(30)
        finally:
            ended.set()

    async with serving(handler_of(watch=watch)) as client:
        async with client.watch(shelf.pb2.WatchRequest()) as stream:
            assert (await anext(stream)).number == 1
        await asyncio.wait_for(ended.wait(), 5)


async def test_a_client_stream_takes_async_and_plain_iterables(shelf: Shelf, serving: Serve) -> None:
    async def upload(requests: AsyncIterator[Any], call: Any) -> Any:
        return shelf.pb2.UploadResponse(size=sum([len(found.part) async for found in requests]))

    async def parts() -> AsyncIterator[Any]:
        for _ in range(3):
            yield shelf.pb2.UploadRequest(part=b"12345")

    async with serving(handler_of(upload=upload)) as client:
        assert (await client.upload(parts())).size == 15
        assert (await client.upload([shelf.pb2.UploadRequest(part=b"1")])).size == 1


async def test_an_error_of_the_callers_own_iterator_reaches_the_caller(shelf: Shelf, serving: Serve) -> None:
    async def upload(requests: AsyncIterator[Any], call: Any) -> Any:
        return shelf.pb2.UploadResponse(size=sum([len(found.part) async for found in requests]))

    async def chat(requests: AsyncIterator[Any], call: Any) -> AsyncIterator[Any]:
        async for found in requests:
            yield shelf.pb2.ChatResponse(text=found.text)

    async def broken(message: Any) -> AsyncIterator[Any]:
        yield message
        raise LookupError("no more parts")

    async with serving(handler_of(upload=upload, chat=chat)) as client:
        with pytest.raises(LookupError, match="no more parts"):
            await client.upload(broken(shelf.pb2.UploadRequest(part=b"1")))
        with pytest.raises(LookupError, match="no more parts"):
            [found async for found in client.chat(broken(shelf.pb2.ChatRequest(text="1")))]


async def test_a_bidirectional_stream_answers_while_requests_still_come(shelf: Shelf, serving: Serve) -> None:
    answered: asyncio.Queue[str] = asyncio.Queue()

    async def chat(requests: AsyncIterator[Any], call: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield shelf.pb2.ChatResponse(text=request.text.upper())

    async def conversation() -> AsyncIterator[Any]:
        yield shelf.pb2.ChatRequest(text="a")
        yield shelf.pb2.ChatRequest(text=f"b after {await asyncio.wait_for(answered.get(), 5)}")

    async with serving(handler_of(chat=chat)) as client:
        texts = []
        async for response in client.chat(conversation()):
            texts.append(response.text)
            answered.put_nowait(response.text)
    assert texts == ["A", "B AFTER A"]


async def test_an_error_arrives_with_code_message_and_details(shelf: Shelf, serving: Serve) -> None:
    details = shelf.details
    given = (
        details.BadRequest(field_violations=(details.FieldViolation(field="id", description="is empty", reason="X"),)),
        details.ErrorInfo(reason="NO_ID", domain="shelf", metadata={"a": "1"}),
        details.PreconditionFailure(
            violations=(details.PreconditionViolation(type="T", subject="s", description="d"),)
        ),
        details.QuotaFailure(violations=(details.QuotaViolation(subject="s", description="d"),)),
        details.ResourceInfo(resource_type="book", resource_name="b1"),
        details.RequestInfo(request_id="r1"),
        details.Help(links=(details.HelpLink(url="https://example.org", description="d"),)),
        details.LocalizedMessage(locale="de", message="fehlt"),
        details.RetryInfo(retry_delay=1.5),
        details.UnknownDetail(type_url="type.googleapis.com/shelf.v1.Book", value=b"\n\x02b1"),
    )

    async def get_book(request: Any, call: Any) -> Any:
        raise shelf.errors.InvalidArgument(
            "id is missing", details=given, trailing_metadata=(("x-hint", "look again"),)
        )

    async with serving(handler_of(get_book=get_book)) as client:
        with pytest.raises(shelf.errors.InvalidArgument, match="INVALID_ARGUMENT: id is missing") as caught:
            await client.get_book(shelf.pb2.GetBookRequest())
    assert caught.value.details == given
    assert caught.value.field_violations[0].field == "id"
    assert ("x-hint", "look again") in caught.value.trailing_metadata
    assert caught.value.remote
    assert caught.value.retry_after == 1.5


async def test_every_code_becomes_its_own_class(shelf: Shelf, serving: Serve) -> None:
    async def lend(request: Any, call: Any) -> Any:
        raise shelf.errors.RPC_ERRORS[shelf.errors.Code[request.id]]("as asked")

    async with serving(handler_of(lend=lend)) as client:
        for code, kind in shelf.errors.RPC_ERRORS.items():
            with pytest.raises(kind) as caught:
                await client.lend(shelf.pb2.LendRequest(id=code.name))
            assert caught.value.code is code


async def test_the_text_of_an_unexpected_exception_stays_in_the_servers_log(
    shelf: Shelf, serving: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def lend(request: Any, call: Any) -> Any:
        raise RuntimeError("password=hunter2")

    async with serving(handler_of(lend=lend)) as client:
        with caplog.at_level(logging.ERROR, logger="treaty.grpc"), pytest.raises(shelf.errors.Internal) as caught:
            await client.lend(shelf.pb2.LendRequest())
    assert "hunter2" not in f"{caught.value} {caught.value.trailing_metadata}"
    assert "hunter2" in caplog.text


async def test_an_error_of_another_service_is_not_passed_on(shelf: Shelf, serving: Serve) -> None:
    async def get_book(request: Any, call: Any) -> Any:
        raise shelf.errors.PermissionDenied("secret of the other service", remote=True)

    async def lend(request: Any, call: Any) -> Any:
        raise shelf.errors.CircuitOpen("stock", 3.0)

    async with serving(handler_of(get_book=get_book, lend=lend)) as client:
        with pytest.raises(shelf.errors.Internal, match="internal error"):
            await client.get_book(shelf.pb2.GetBookRequest())
        with pytest.raises(shelf.errors.Unavailable):
            await client.lend(shelf.pb2.LendRequest())


async def test_metadata_goes_both_ways(shelf: Shelf, serving: Serve) -> None:
    async def lend(request: Any, call: Any) -> Any:
        await call.send_initial_metadata(("x-first", "1"))
        call.set_trailing_metadata(("x-last", "2"), ("x-raw-bin", b"\x00\xff"))
        assert call.peer.startswith("ipv4:127.0.0.1")
        return shelf.pb2.LendResponse(key=call.header("x-tenant") or "")

    async with serving(handler_of(lend=lend), metadata=(("x-tenant", "t1"),)) as client:
        info = shelf.client.ResponseInfo()
        response = await client.lend(shelf.pb2.LendRequest(), info=info)
        other = await client.lend(shelf.pb2.LendRequest(), metadata=(("x-tenant", "t2"),))
    assert (response.key, other.key) == ("t1", "t2")
    assert ("x-first", "1") in info.initial
    assert {("x-last", "2"), ("x-raw-bin", b"\x00\xff")} <= set(info.trailing)


async def test_all_items_of_all_pages_are_iterated(shelf: Shelf, serving: Serve) -> None:
    asked = []

    async def list_books(request: Any, call: Any) -> Any:
        asked.append((request.page_size, request.page_token))
        start = int(request.page_token or 0)
        books = [shelf.pb2.Book(id=str(number)) for number in range(start, min(start + request.page_size, 5))]
        return shelf.pb2.ListBooksResponse(books=books, next_page_token=str(start + 2) if start + 2 < 5 else "")

    async with serving(handler_of(list_books=list_books)) as client:
        request = shelf.pb2.ListBooksRequest(page_size=2)
        ids = [book.id async for book in client.list_books_items(request)]
    assert ids == ["0", "1", "2", "3", "4"]
    assert asked == [(2, ""), (2, "2"), (2, "4")]
    assert not request.page_token


async def test_a_page_token_that_repeats_ends_in_an_error_instead_of_a_loop(shelf: Shelf, serving: Serve) -> None:
    async def list_books(request: Any, call: Any) -> Any:
        return shelf.pb2.ListBooksResponse(next_page_token="again")

    async with serving(handler_of(list_books=list_books)) as client:
        with pytest.raises(shelf.errors.ProtocolError, match="again"):
            [book async for book in client.list_books_items(shelf.pb2.ListBooksRequest())]


async def test_interceptors_surround_every_kind_of_call_and_may_refuse_it(shelf: Shelf, serving: Serve) -> None:
    seen = []

    @asynccontextmanager
    async def authenticate(call: Any) -> AsyncIterator[None]:
        if call.header("authorization") != "Bearer t0ken":
            raise shelf.errors.Unauthenticated("who are you?")
        call.principal = "alice"
        yield
        seen.append(call.method.name)

    async def lend(request: Any, call: Any) -> Any:
        return shelf.pb2.LendResponse(key=call.principal)

    async def watch(request: Any, call: Any) -> AsyncIterator[Any]:
        yield shelf.pb2.WatchResponse()

    async with serving(handler_of(lend=lend, watch=watch), interceptors=(authenticate,)) as client:
        with pytest.raises(shelf.errors.Unauthenticated):
            await client.lend(shelf.pb2.LendRequest())
        with pytest.raises(shelf.errors.Unauthenticated):
            await anext(client.watch(shelf.pb2.WatchRequest()))
        token = (("authorization", "Bearer t0ken"),)
        assert (await client.lend(shelf.pb2.LendRequest(), metadata=token)).key == "alice"
        assert len([found async for found in client.watch(shelf.pb2.WatchRequest(), metadata=token)]) == 1
    assert seen == ["Lend", "Watch"]


async def test_a_channel_that_was_given_stays_open(shelf: Shelf, serving: Serve) -> None:
    async def close(request: Any, call: Any) -> Any:
        return shelf.pb2.CloseResponse()

    async with serving(handler_of(close=close)) as client, grpc.aio.insecure_channel(client.server.address) as channel:
        for _ in range(2):
            async with shelf.grpc.ShelfServiceClient(channel) as own:
                await own.close(shelf.pb2.CloseRequest())


async def test_a_message_over_the_size_limit_is_refused(shelf: Shelf, serving: Serve) -> None:
    async def lend(request: Any, call: Any) -> Any:
        return shelf.pb2.LendResponse()

    async with serving(handler_of(lend=lend), max_send_bytes=-1) as client:
        with pytest.raises(shelf.errors.ResourceExhausted):
            await client.lend(shelf.pb2.LendRequest(id="x" * (5 * 1024 * 1024)))
