"""RPCs on raw bytes: a channel, descriptors and protobuf JSON, so that no generated client is believed."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc

from harness.pacts.contracts import ERROR_DETAIL, ERROR_TRAILER, Protos
from harness.pacts.observed import Observed, RpcSeen

DEADLINE = 30.0


class RefusedError(AssertionError):
    """A call that a provider state needs was refused."""


class Answer:
    """What came back: the name of the gRPC status, and protobuf JSON of the response or of the error's detail."""

    __slots__ = ("body", "message", "status")

    def __init__(self, status: str, body: Mapping[str, Any], message: str = "") -> None:
        self.status = status
        self.body = dict(body)
        self.message = message


class Caller:
    """Calls the services at `addresses` (`host:port` by name); the first part of a package names the service."""

    def __init__(self, protos: Protos, addresses: Mapping[str, str], observed: Observed) -> None:
        self._protos = protos
        self._observed = observed
        self._channels = {name: grpc.insecure_channel(address) for name, address in addresses.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels.values():
            channel.close()

    def call(self, rpc: str, request: Mapping[str, Any], *, deadline: float = DEADLINE) -> Answer:
        """One unary call, whatever its outcome. A `ContractsError` when the request is none of the RPC's."""
        method = self._protos.method(rpc)
        wire = self._protos.from_json(method.input_type.full_name, request).SerializeToString()
        service = rpc.partition(".")[0]
        invoke: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channels[service].unary_unary(f"/{rpc}")
        try:
            reply = invoke(wire, timeout=deadline)
        except grpc.RpcError as error:
            answer = self._refusal(error)
        else:
            answer = Answer("OK", self._protos.read(method.output_type.full_name, reply, defaults=True))
        self._observed.rpcs.append(RpcSeen(rpc=rpc, status=answer.status))
        return answer

    def done(self, rpc: str, request: Mapping[str, Any], *, deadline: float = DEADLINE) -> dict[str, Any]:
        """The response; `RefusedError` when there is none."""
        answer = self.call(rpc, request, deadline=deadline)
        if answer.status != "OK":
            raise RefusedError(f"{rpc}: {answer.status} {answer.message} {answer.body or ''}".strip())
        return answer.body

    def _refusal(self, error: Any) -> Answer:
        packed = next((value for key, value in error.trailing_metadata() or () if key == ERROR_TRAILER), None)
        detail = self._protos.read(ERROR_DETAIL, packed) if isinstance(packed, bytes) else {}
        return Answer(error.code().name, detail, str(error.details()))
