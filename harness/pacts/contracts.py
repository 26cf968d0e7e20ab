"""The contracts as the harness reads them: the graph, and messages built from descriptors, without generated code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import descriptor_pb2, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from codegen.diagnostics import Diagnostics
from codegen.link.linker import link
from codegen.load.contracts import load_contracts
from codegen.load.listing import contract_files
from codegen.model.graph import Graph

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
GATEWAY = CONTRACTS / "gateway" / "v1" / "openapi.yaml"
ERROR_DETAIL = "common.v1.ErrorDetail"
ERROR_TRAILER = "error-detail-bin"


class ContractsError(RuntimeError):
    """The contracts cannot be used; the message says why."""


def load(root: Path = CONTRACTS) -> Graph:
    """All contracts, linked. `ContractsError` when one is wrong."""
    diagnostics = Diagnostics()
    found = load_contracts(root, contract_files(root), diagnostics)
    contracts = (*found.contracts, *(fragment.contract for fragment in found.fragments))
    graph = link(found.fragments, found.declarations, contracts, found.descriptor_set, diagnostics)
    if diagnostics.errors:
        raise ContractsError("\n".join(str(each) for each in diagnostics.errors))
    return graph


def gateway_document(path: Path = GATEWAY) -> dict[str, Any]:
    """The OpenAPI document of the gateway."""
    with path.open(encoding="utf-8") as stream:
        found: dict[str, Any] = yaml.safe_load(stream)
    return found


@dataclass(frozen=True)
class Protos:
    """Messages and RPCs by name, from a serialised `FileDescriptorSet`."""

    descriptor_set: bytes

    @cached_property
    def _pool(self) -> DescriptorPool:
        pool = DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self.descriptor_set).file:
            file.ClearField("source_code_info")
            pool.Add(file)
        return pool

    def method(self, name: str) -> MethodDescriptor:
        """The RPC `pkg.Service/Method`. `ContractsError` when there is none."""
        service, _, method = name.partition("/")
        try:
            return self._pool.FindServiceByName(service).methods_by_name[method]
        except KeyError:
            raise ContractsError(f"the contracts have no RPC {name}") from None

    def new(self, name: str) -> Message:
        """An empty message of this type."""
        try:
            return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))()
        except KeyError:
            raise ContractsError(f"the contracts have no message {name}") from None

    def from_json(self, name: str, value: Mapping[str, Any]) -> Message:
        """A message read from its protobuf JSON. `ContractsError` for fields that it does not have."""
        try:
            return json_format.ParseDict(dict(value), self.new(name), descriptor_pool=self._pool)
        except json_format.ParseError as problem:
            raise ContractsError(f"{name}: {problem}") from None

    def to_json(self, message: Message, *, defaults: bool = False) -> dict[str, Any]:
        """Protobuf JSON with field names as written; with `defaults` also fields that have their default value."""
        found: dict[str, Any] = json_format.MessageToDict(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=defaults,
            descriptor_pool=self._pool,
        )
        return found

    def read(self, name: str, wire: bytes, *, defaults: bool = False) -> dict[str, Any]:
        """The protobuf JSON of a message as it came over the wire."""
        message = self.new(name)
        message.ParseFromString(wire)
        return self.to_json(message, defaults=defaults)
