"""What a generated gRPC client and server cost against hand-written grpc.aio, on loopback in one process.

Run: python -m tests.benchmarks.bench_grpc [calls]
Prints processor microseconds per call, client and server together: the lower quartile of rounds in random order.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc

from tests.behaviour.grpc.conftest import CONTRACTS, generate, write

PATH = "/shelf.v1.ShelfService/"
ROUNDS = 30
Measured = Callable[[int], Awaitable[None]]


def _handler(pb2: Any) -> Any:
    class Handler:
        async def get_book(self, request: Any, call: Any) -> Any:
            return pb2.GetBookResponse(note=request.id)

        async def watch(self, request: Any, call: Any) -> Any:
            for number in range(request.count):
                yield pb2.WatchResponse(number=number)

        def __getattr__(self, name: str) -> Any:
            return self.get_book

    return Handler()


async def _hand_written_server(pb2: Any) -> tuple[grpc.aio.Server, str]:
    handler = _handler(pb2)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "shelf.v1.ShelfService",
                {
                    "GetBook": grpc.unary_unary_rpc_method_handler(
                        handler.get_book, pb2.GetBookRequest.FromString, pb2.GetBookResponse.SerializeToString
                    ),
                    "Watch": grpc.unary_stream_rpc_method_handler(
                        handler.watch, pb2.WatchRequest.FromString, pb2.WatchResponse.SerializeToString
                    ),
                },
            ),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"127.0.0.1:{port}"


def _trace_header() -> tuple[tuple[str, str], ...]:
    return (("traceparent", f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-00"),)


def _hand_written(
    channel: grpc.aio.Channel, pb2: Any, metadata: Callable[[], tuple[tuple[str, str], ...]] = tuple
) -> dict[str, Measured]:
    get_book: Any = channel.unary_unary(
        PATH + "GetBook", pb2.GetBookRequest.SerializeToString, pb2.GetBookResponse.FromString
    )
    watch: Any = channel.unary_stream(PATH + "Watch", pb2.WatchRequest.SerializeToString, pb2.WatchResponse.FromString)

    async def unary(calls: int) -> None:
        for _ in range(calls):
            await get_book(pb2.GetBookRequest(id="b1"), timeout=30.0, metadata=metadata())

    async def stream(calls: int) -> None:
        async for _ in watch(pb2.WatchRequest(count=calls), timeout=30.0, metadata=metadata()):
            pass

    return {"unary": unary, "stream": stream}


def _generated(client: Any, pb2: Any) -> dict[str, Measured]:
    async def unary(calls: int) -> None:
        for _ in range(calls):
            await client.get_book(pb2.GetBookRequest(id="b1"))

    async def stream(calls: int) -> None:
        async for _ in client.watch(pb2.WatchRequest(count=calls), deadline=30.0):
            pass

    return {"unary": unary, "stream": stream}


async def _cost(measured: Measured, calls: int) -> float:
    started = time.process_time()
    await measured(calls)
    return (time.process_time() - started) / calls * 1e6


async def _bench(package: str, calls: int) -> None:
    pb2, generated, runtime = (
        importlib.import_module(f"{package}.{name}")
        for name in ("shelf.v1.shelf_pb2", "shelf.v1.shelf_grpc", "runtime.grpc_server")
    )
    plain_server, plain_address = await _hand_written_server(pb2)
    server = runtime.GrpcServer()
    generated.add_shelf_service(server, _handler(pb2))
    async with (
        server,
        grpc.aio.insecure_channel(plain_address) as to_plain,
        grpc.aio.insecure_channel(server.address) as to_generated,
        generated.ShelfServiceClient(plain_address) as client_to_plain,
        generated.ShelfServiceClient(server.address) as client,
    ):
        variants = {
            "hand-written client, hand-written server": _hand_written(to_plain, pb2),
            "the same, sending a trace header": _hand_written(to_plain, pb2, _trace_header),
            "generated client, hand-written server": _generated(client_to_plain, pb2),
            "hand-written client, generated server": _hand_written(to_generated, pb2),
            "generated client, generated server": _generated(client, pb2),
        }
        costs: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for name, kinds in random.sample(list(variants.items()), len(variants)):
                for kind, measured in kinds.items():
                    costs.setdefault((kind, name), []).append(await _cost(measured, calls))
    await plain_server.stop(None)
    for kind in ("unary", "stream"):
        typical = {name: statistics.quantiles(costs[kind, name], n=4)[0] for name in variants}
        base = typical["hand-written client, hand-written server"]
        for name in variants:
            print(f"{kind:7} {name:42} {typical[name]:8.1f} us  {typical[name] / base - 1:+7.1%}")


def main(calls: int) -> None:
    """Generate the contract of the behaviour tests, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        generate(write(CONTRACTS, Path(folder) / "contracts"), Path(folder), "bench_made")
        sys.path.insert(0, folder)
        asyncio.run(_bench("bench_made", calls))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
