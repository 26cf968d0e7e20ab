"""A small contract, generated into a package of its own and imported: client and server meet over loopback sockets."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import codegen.targets.python
from codegen.diagnostics import Diagnostics, as_text
from codegen.load.proto import ProtoSet, load_protos
from codegen.model.graph import Graph
from codegen.targets.python.foreign_messages import emit_foreign_messages
from codegen.targets.python.grpc import emit_proto_file
from codegen.targets.python.layout import Layout
from codegen.targets.python.messages import emit_messages

PACKAGE = "grpc_behaviour"

CONTRACTS = {
    "price/v1/money.proto": """
syntax = "proto3";
package price.v1;
message Money { int64 minor = 1; string currency = 2; }
""",
    "shelf/v1/shelf.proto": """
syntax = "proto3";
package shelf.v1;
import "price/v1/money.proto";

// Lends books.
service ShelfService {
  // One book.
  rpc GetBook(GetBookRequest) returns (GetBookResponse) { option idempotency_level = NO_SIDE_EFFECTS; }
  // Books, page by page.
  rpc ListBooks(ListBooksRequest) returns (ListBooksResponse) { option idempotency_level = NO_SIDE_EFFECTS; }
  // Lends a book: not repeatable.
  rpc Lend(LendRequest) returns (LendResponse);
  // Reserves a book, once per key.
  rpc Reserve(ReserveRequest) returns (ReserveResponse);
  rpc Watch(WatchRequest) returns (stream WatchResponse) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Upload(stream UploadRequest) returns (UploadResponse);
  rpc Chat(stream ChatRequest) returns (stream ChatResponse);
  // Named like a method that clients often have.
  rpc Close(CloseRequest) returns (CloseResponse);
}

message Book { string id = 1; price.v1.Money price = 2; }
message GetBookRequest { string id = 1; }
message GetBookResponse { Book book = 1; string note = 2; }
message ListBooksRequest { int32 page_size = 1; string page_token = 2; }
message ListBooksResponse { repeated Book books = 1; string next_page_token = 2; }
message LendRequest { string id = 1; }
message LendResponse { string key = 1; }
message ReserveRequest { string id = 1; string idempotency_key = 2; }
message ReserveResponse { string key = 1; }
message WatchRequest { int32 count = 1; }
message WatchResponse { int32 number = 1; }
message UploadRequest { bytes part = 1; }
message UploadResponse { int64 size = 1; }
message ChatRequest { string text = 1; }
message ChatResponse { string text = 1; }
message CloseRequest {}
message CloseResponse {}
""",
}

Shelf = Any
"""The generated modules, by attribute: pb2, grpc, errors, details, resilience, client, server, context, auth."""
Serve = Callable[..., AbstractAsyncContextManager[Any]]


def graph_of(loaded: ProtoSet) -> Graph:
    """The graph of proto fragments alone."""
    fragments = loaded.fragments
    return Graph(
        contracts={found.contract.path: found.contract for found in fragments},
        declarations={declared.id: declared for found in fragments for declared in found.declarations},
        services={service.id: service for found in fragments for service in found.services},
        operations={operation.id: operation for found in fragments for operation in found.operations},
        applications={},
        channels={},
        messages={},
        event_operations={},
        workflows={},
        proto_files={found.proto_file.path: found.proto_file for found in fragments if found.proto_file},
        descriptor_set=loaded.descriptor_set,
    )


def generate(contracts: Path, out: Path, package: str) -> Diagnostics:
    """Generate the proto contracts of a folder into `out/package`, runtime included."""
    paths = sorted(path.relative_to(contracts).as_posix() for path in contracts.rglob("*.proto"))
    diagnostics = Diagnostics()
    digests = {path: hashlib.sha256((contracts / path).read_bytes()).hexdigest() for path in paths}
    graph = graph_of(load_protos(contracts, paths, digests, diagnostics))
    layout = Layout(graph, package, diagnostics)
    files = [*emit_messages(graph, layout, paths, diagnostics), *emit_foreign_messages(graph, package)]
    for path in graph.proto_files:
        files += emit_proto_file(graph, layout, path, diagnostics)
    for file in files:
        target = out / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(str(file.content), encoding="utf-8")
    shutil.copytree(
        Path(codegen.targets.python.__path__[0]) / "runtime",
        out / package / "runtime",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for folder in [out / package, *(path for path in (out / package).rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (out / package / "py.typed").touch()
    return diagnostics


def write(contracts: dict[str, str], folder: Path) -> Path:
    """Write contract texts below a folder, and return it."""
    for path, source in contracts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(source, encoding="utf-8")
    return folder


class _Modules:
    def __init__(self, package: str) -> None:
        names = {
            "pb2": "shelf.v1.shelf_pb2",
            "grpc": "shelf.v1.shelf_grpc",
            "money": "price.v1.money_pb2",
            "errors": "runtime.errors",
            "details": "runtime.error_details",
            "resilience": "runtime.resilience",
            "client": "runtime.grpc_client",
            "server": "runtime.grpc_server",
            "context": "runtime.context",
            "auth": "runtime.auth",
            "rich_status": "runtime.rich_status",
        }
        for attribute, module in names.items():
            setattr(self, attribute, importlib.import_module(f"{package}.{module}"))


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """The generated package, imported."""
    out = tmp_path_factory.mktemp("generated")
    diagnostics = generate(write(CONTRACTS, tmp_path_factory.mktemp("contracts")), out, PACKAGE)
    assert not len(diagnostics), as_text(diagnostics)
    sys.path.insert(0, str(out))
    yield _Modules(PACKAGE)
    sys.path.remove(str(out))


@pytest.fixture
def serving(shelf: Shelf) -> Serve:
    """`async with serving(handler) as client`: a server on loopback, and a client with the given options."""

    @asynccontextmanager
    async def serve(handler: object, *, interceptors: tuple[Any, ...] = (), **options: Any) -> AsyncIterator[Any]:
        server = shelf.server.GrpcServer(grace=1.0)
        shelf.grpc.add_shelf_service(server, handler, interceptors=interceptors)
        async with server:
            settings = shelf.client.ClientOptions(**{"resilience": instant(shelf), **options})
            async with shelf.grpc.ShelfServiceClient(server.address, options=settings) as client:
                client.server = server
                yield client

    return serve


def instant(shelf: Shelf, **changes: Any) -> Any:
    """Resilience that does not wait between attempts."""

    async def no_sleep(seconds: float) -> None:
        return None

    return shelf.resilience.Resilience(**{"sleep": no_sleep, "breaker": None, **changes})
