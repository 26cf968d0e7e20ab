"""Calls over loopback that end in unusual ways."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.behaviour.grpc.conftest import Serve, Shelf
from tests.behaviour.grpc.test_calls import handler_of


@pytest.mark.parametrize("pushback", ["9" * 5000, "9" * 20, "-1", "x", "٣"])
async def test_a_pushback_that_is_no_sensible_number_means_no_repetition(
    shelf: Shelf, serving: Serve, pushback: str
) -> None:
    calls = 0

    async def method(_: Any, __: Any) -> Any:
        nonlocal calls
        calls += 1
        pair = ("grpc-retry-pushback-ms", pushback.encode("ascii", "replace").decode())
        raise shelf.errors.Unavailable("no", trailing_metadata=(pair,))

    async with serving(handler_of(get_book=method)) as client:
        with pytest.raises(shelf.errors.Unavailable):
            await client.get_book(shelf.pb2.GetBookRequest())
    assert calls == 1


async def test_credentials_that_do_not_come_end_with_the_deadline(shelf: Shelf, serving: Serve) -> None:
    async def never() -> Any:
        await asyncio.sleep(5)
        return ()

    async def method(_: Any, __: Any) -> Any:
        return shelf.pb2.GetBookResponse()

    began = time.monotonic()
    async with serving(handler_of(get_book=method), auth=never) as client:
        with pytest.raises(shelf.errors.DeadlineExceeded):
            await client.get_book(shelf.pb2.GetBookRequest(), deadline=0.1)
    assert time.monotonic() - began < 3


async def test_a_handler_that_awaits_something_cancelled_is_answered_at_once(shelf: Shelf, serving: Serve) -> None:
    async def method(_: Any, __: Any) -> Any:
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost

    async with serving(handler_of(get_book=method)) as client:
        with pytest.raises(shelf.errors.Internal):
            await asyncio.wait_for(client.get_book(shelf.pb2.GetBookRequest(), deadline=2), 4)


async def test_a_stream_that_its_caller_leaves_is_closed_before_its_interceptors_end(
    shelf: Shelf, serving: Serve
) -> None:
    order: list[str] = []
    ended = asyncio.Event()

    @asynccontextmanager
    async def around(_: Any) -> Any:
        try:
            yield
        finally:
            order.append("interceptor")
            ended.set()

    async def method(_: Any, __: Any) -> Any:
        try:
            while True:
                yield shelf.pb2.WatchResponse(number=1)
        finally:
            await asyncio.sleep(0)
            order.append("handler")

    async with serving(handler_of(watch=method), interceptors=(around,)) as client:
        async with client.watch(shelf.pb2.WatchRequest()) as numbers:
            await anext(numbers)
            await asyncio.sleep(0.2)
        await asyncio.wait_for(ended.wait(), 3)
    assert order == ["handler", "interceptor"]
