"""A user's own code against the generated package, under mypy --strict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.behaviour.grpc.conftest import CONTRACTS, generate, write

USE = """
from collections.abc import AsyncIterator

from typed_made.shelf.v1 import shelf_pb2 as pb2
from typed_made.shelf.v1.shelf_grpc import ShelfServiceClient, ShelfServiceHandler, add_shelf_service
from typed_made.runtime.errors import NotFound
from typed_made.runtime.grpc_client import ClientOptions, ResponseInfo
from typed_made.runtime.grpc_server import Call, GrpcServer


class Shelf:
    async def get_book(self, request: pb2.GetBookRequest, call: Call) -> pb2.GetBookResponse:
        raise NotFound(request.id)

    async def list_books(self, request: pb2.ListBooksRequest, call: Call) -> pb2.ListBooksResponse:
        return pb2.ListBooksResponse()

    async def lend(self, request: pb2.LendRequest, call: Call) -> pb2.LendResponse:
        return pb2.LendResponse(key=call.idempotency_key or "")

    async def reserve(self, request: pb2.ReserveRequest, call: Call) -> pb2.ReserveResponse:
        return pb2.ReserveResponse()

    async def watch(self, request: pb2.WatchRequest, call: Call) -> AsyncIterator[pb2.WatchResponse]:
        yield pb2.WatchResponse(number=1)

    async def upload(self, requests: AsyncIterator[pb2.UploadRequest], call: Call) -> pb2.UploadResponse:
        return pb2.UploadResponse(size=sum([len(found.part) async for found in requests]))

    async def chat(self, requests: AsyncIterator[pb2.ChatRequest], call: Call) -> AsyncIterator[pb2.ChatResponse]:
        async for request in requests:
            yield pb2.ChatResponse(text=request.text)

    async def close(self, request: pb2.CloseRequest, call: Call) -> pb2.CloseResponse:
        return pb2.CloseResponse()


handler: ShelfServiceHandler = Shelf()


async def use() -> None:
    server = GrpcServer()
    add_shelf_service(server, handler)
    async with server, ShelfServiceClient(server.address, options=ClientOptions(timeout=1.0)) as client:
        info = ResponseInfo()
        found = await client.get_book(pb2.GetBookRequest(id="b1"), deadline=2.0, info=info)
        reveal_type(found.book.price.minor)
        async for book in client.list_books_items(pb2.ListBooksRequest()):
            reveal_type(book)
        async for event in client.watch(pb2.WatchRequest()):
            reveal_type(event.number)
        await client.get_book(pb2.LendRequest())  # WRONG
        await client.upload([pb2.ChatRequest()])  # WRONG
"""


@pytest.mark.slow
def test_the_generated_package_and_code_that_uses_it_are_strictly_typed(tmp_path: Path) -> None:
    generate(write(CONTRACTS, tmp_path / "contracts"), tmp_path, "typed_made")
    (tmp_path / "use.py").write_text(USE)
    environment = {**os.environ, "MYPYPATH": "", "PYTHONPATH": ""}
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "use.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = [number for number, line in enumerate(USE.split("\n"), 1) if line.endswith("# WRONG")]
    errors = [line for line in ran.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[:2] for line in errors] == [["use.py", str(number)] for number in wrong], ran.stdout
    notes = [line.rpartition("Revealed type is ")[2] for line in ran.stdout.splitlines() if "Revealed" in line]
    assert [note.strip('"').rpartition(".")[2] for note in notes] == ["int", "Book", "int"]
