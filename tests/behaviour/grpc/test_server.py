"""What every generated server has besides its services: health, reflection, graceful drain."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tests.behaviour.grpc.conftest import Serve, Shelf
from tests.behaviour.grpc.test_calls import handler_of

SERVICE = "shelf.v1.ShelfService"


async def test_health_answers_for_the_server_and_for_each_service(shelf: Shelf, serving: Serve) -> None:
    async with serving(handler_of()) as client, grpc.aio.insecure_channel(client.server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            found = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert found.status == health_pb2.HealthCheckResponse.SERVING
        await client.server.set_serving(SERVICE, serving=False)
        found = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))
        assert found.status == health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("version", ["v1alpha", "v1"])
async def test_reflection_lists_services_and_gives_files_under_their_contract_names(
    shelf: Shelf, serving: Serve, version: str
) -> None:
    async with serving(handler_of()) as client, grpc.aio.insecure_channel(client.server.address) as channel:
        reflect: Any = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        asked = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
        ]
        listed, described = [answer async for answer in reflect(iter(asked))]
    assert {found.name for found in listed.list_services_response.service} >= {SERVICE, "grpc.health.v1.Health"}
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(found)
        for found in described.file_descriptor_response.file_descriptor_proto
    ]
    assert "shelf/v1/shelf.proto" in [file.name for file in files]


async def test_a_draining_server_finishes_its_calls(shelf: Shelf, serving: Serve) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def lend(request: Any, call: Any) -> Any:
        entered.set()
        await leave.wait()
        return shelf.pb2.LendResponse(key="done")

    async with serving(handler_of(lend=lend)) as client:
        call = asyncio.create_task(client.lend(shelf.pb2.LendRequest()))
        await entered.wait()
        stopping = asyncio.create_task(client.server.stop(5.0))
        await asyncio.sleep(0.05)
        with pytest.raises(shelf.errors.Unavailable):
            async with shelf.grpc.ShelfServiceClient(client.server.address) as late:
                await late.lend(shelf.pb2.LendRequest())
        leave.set()
        assert (await call).key == "done"
        await asyncio.wait_for(stopping, 5)


async def test_a_service_is_added_once_and_before_the_start(shelf: Shelf) -> None:
    server = shelf.server.GrpcServer()
    shelf.grpc.add_shelf_service(server, handler_of())
    with pytest.raises(ValueError, match=SERVICE):
        shelf.grpc.add_shelf_service(server, handler_of())
    async with server:
        with pytest.raises(RuntimeError, match="before the server starts"):
            server.add("other", [])
