"""A provider that is none: a gRPC server on raw bytes that answers generated clients as an interaction says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message

from harness.pacts.contracts import ERROR_TRAILER

GRACE = 0.1


@dataclass(frozen=True, slots=True)
class Received:
    """A call as it came over the wire."""

    rpc: str
    request: bytes
    metadata: tuple[tuple[str, str | bytes], ...]


@dataclass(slots=True)
class Stub:
    """Answers every call with `answer`, or with `status` and the answer as its detail; keeps what came."""

    address: str = ""
    status: str = "OK"
    answer: Message | None = None
    received: list[Received] = field(default_factory=list)

    async def serve(self, rpc: str, request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """One call."""
        metadata = tuple((str(key), value) for key, value in (context.invocation_metadata() or ()))
        self.received.append(Received(rpc, request, metadata))
        wire = self.answer.SerializeToString(deterministic=True) if self.answer is not None else b""
        if self.status != "OK":
            trailer = ((ERROR_TRAILER, wire),)
            await context.abort(grpc.StatusCode[self.status], "as the interaction says", trailing_metadata=trailer)
        return wire


class _AnyUnary(grpc.GenericRpcHandler):
    """Takes every RPC for a unary one."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        rpc = handler_call_details.method.removeprefix("/")

        async def serve(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            return await self._stub.serve(rpc, request, context)

        return grpc.unary_unary_rpc_method_handler(serve)


@asynccontextmanager
async def stub() -> AsyncIterator[Stub]:
    """A stub on a free port of the loopback, for the length of a block."""
    made = Stub()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_AnyUnary(made),))
    made.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield made
    finally:
        await server.stop(GRACE)
