"""The graph: everything the contracts say, linked. Nothing here does IO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum

from codegen.model.events import Application, Channel, EventOperation, Message
from codegen.model.ids import ChannelId, MessageId, OperationId, TypeId
from codegen.model.services import HttpBinding, HttpRole, Operation, Service
from codegen.model.types import Declaration
from codegen.model.workflows import Workflow


class ContractKind(PythonEnum):
    PROTO = "proto"
    OPENAPI = "openapi"
    ASYNCAPI = "asyncapi"
    ARAZZO = "arazzo"
    SCHEMA = "schema"
    """A file that other contracts refer to and that is none of the above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract file. `depends_on` are the files it refers to, directly."""

    path: str
    kind: ContractKind
    version: str
    """Of the format: `3.1.0`, `proto3`, `editions 2023`."""
    title: str = ""
    digest: str
    """SHA-256 of the bytes, hexadecimal."""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtoFile:
    """A proto source: its package and what it declares, in order of declaration."""

    path: str
    package: str
    syntax: str
    imports: tuple[str, ...]
    """Only those that are contracts of ours."""
    foreign_imports: tuple[str, ...] = ()
    """Those that come with protobuf or a library (`google/protobuf/...`)."""
    declarations: tuple[TypeId, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What one loader found in one contract; the same node classes as the graph, not yet linked."""

    contract: Contract
    declarations: tuple[Declaration, ...] = ()
    services: tuple[Service, ...] = ()
    operations: tuple[Operation, ...] = ()
    applications: tuple[Application, ...] = ()
    channels: tuple[Channel, ...] = ()
    messages: tuple[Message, ...] = ()
    event_operations: tuple[EventOperation, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    proto_file: ProtoFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All contracts, linked. Every mapping keeps the order of files (sorted by path), then of the file."""

    contracts: Mapping[str, Contract]
    declarations: Mapping[TypeId, Declaration]
    services: Mapping[str, Service]
    operations: Mapping[OperationId, Operation]
    applications: Mapping[str, Application]
    channels: Mapping[ChannelId, Channel]
    messages: Mapping[MessageId, Message]
    event_operations: Mapping[OperationId, EventOperation]
    workflows: Mapping[str, Workflow]
    proto_files: Mapping[str, ProtoFile]
    descriptor_set: bytes = b""
    """Serialised `google.protobuf.FileDescriptorSet` of all proto contracts and their imports, with source info."""
    published: Mapping[str, bytes] = field(default_factory=dict)
    """JSON of each OpenAPI document that needs no other file, by path: what its server shows the world."""
    declarations_of: Mapping[str, tuple[TypeId, ...]] = field(default_factory=dict)
    """Declarations by the path of their contract."""

    def http_operations(self, service: Service, role: HttpRole | None = None) -> Iterator[Operation]:
        """The HTTP operations of a service, all or those of one role."""
        for operation_id in service.operations:
            operation = self.operations[operation_id]
            if isinstance(operation.binding, HttpBinding) and role in (None, operation.binding.role):
                yield operation
