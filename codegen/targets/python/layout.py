"""Which module each contract becomes, and which class each declaration.

`contracts/gateway/v1/openapi.yaml` becomes the package `<package>.gateway.v1.http`,
`asyncapi.yaml` becomes `events`, any other file its own stem (`orders.v2.openapi.yaml` is
`orders_v2`), or what the settings call it; a proto file stays
at its place: `<package>/checkout/v1/checkout_pb2.py`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from codegen.diagnostics import Diagnostics
from codegen.model.graph import ContractKind, Graph
from codegen.model.ids import Location, OperationId, TypeId
from codegen.model.services import Service
from codegen.model.types import Declaration
from codegen.targets.python.names import Namespace, distinct, exact, module_name, pascal, snake

_BUILTINS = frozenset(name for name in dir(builtins) if name[0].islower())
RPC_RESERVED = frozenset({"aclose", "bool", "bytes", "float", "int", "object", "str"})
"""Taken by the clients themselves, or used in the annotations of their methods."""
_STEMS = {"openapi": "http", "asyncapi": "events"}


class Layout:
    """Answers where things are. `package` is the dotted root of the generated package."""

    def __init__(
        self, graph: Graph, package: str, diagnostics: Diagnostics, renamed: Mapping[str, str] | None = None
    ) -> None:
        self.package = package
        self._graph = graph
        self._renamed = renamed or {}
        self._packages: dict[str, str] = {}
        self._methods: dict[str, dict[OperationId, str]] = {}
        self._classes: dict[TypeId, str] = {}
        modules = Namespace(f"package {package}", diagnostics)
        for contract in graph.contracts.values():
            if contract.kind in (ContractKind.PROTO, ContractKind.ARAZZO):
                continue
            dotted = self._dotted(contract.path)
            modules.claim(dotted, contract.path, Location(path=contract.path))
            self._packages[contract.path] = dotted
        for path, ids in graph.declarations_of.items():
            if path in self._packages:
                self._name_classes(path, [graph.declarations[i] for i in ids], diagnostics)

    def _dotted(self, path: str) -> str:
        pure = PurePosixPath(path)
        parts = [module_name(part) for part in pure.parent.parts]
        chosen = self._renamed.get(path) or self._renamed.get(f"{path}#")
        stem = chosen or pure.name.rpartition(".")[0]
        for kind in _STEMS:
            stem = stem.removesuffix(f".{kind}") if stem != f".{kind}" else stem
        return ".".join([self.package, *parts, _STEMS.get(stem, module_name(stem))])

    def _name_classes(self, path: str, declarations: list[Declaration], diagnostics: Diagnostics) -> None:
        names = Namespace(f"module {self.models_module(path)}", diagnostics)
        own = distinct(
            {
                declared.id: (pascal(declared.name),)
                for declared in declarations
                if len(declared.name) == 1 and declared.id not in self._renamed
            },
            _BUILTINS,
        )
        for declared in sorted(declarations, key=lambda d: len(d.name) > 1):
            name = self._renamed.get(declared.id) or own.get(declared.id) or pascal(declared.name)
            if len(declared.name) > 1 and name in names:
                name = pascal([*declared.name, type(declared).__name__])
            if len(declared.name) > 1 and name in names:
                name = pascal(declared.location.pointer.split("/")[1:])
            if len(declared.name) > 1 and name in names:
                name = exact(declared.location.pointer.removeprefix("/").replace("/", "_"))
            names.claim(name, declared.location.pointer or "/".join(declared.name), declared.location)
            self._classes[declared.id] = name

    def chosen_name(self, location: Location) -> str | None:
        """The name that the settings give an element, by `path#pointer` of its place."""
        return self._renamed.get(f"{location.path}#{location.pointer}")

    def service_stems(self, service: Service) -> tuple[str, str]:
        """What a proto service is called in classes and in functions: apart from the others of its file."""
        siblings = [each for each in self._graph.services.values() if each.location.path == service.location.path]
        names = {each.id: self.chosen_name(each.location) or each.name for each in siblings}
        classes = distinct({id_: (pascal([name]), exact(name)) for id_, name in names.items()})
        functions = distinct({id_: (snake(name), exact(name)) for id_, name in names.items()})
        return classes[service.id], functions[service.id]

    def method_names(self, service: str) -> Mapping[OperationId, str]:
        """The method for each RPC of a proto service in clients and handlers."""
        if service not in self._methods:
            operations = [self._graph.operations[id_] for id_ in self._graph.services[service].operations]
            names = {each.id: self.chosen_name(each.location) or each.name for each in operations}
            self._methods[service] = distinct(
                {id_: (snake(name), exact(name)) for id_, name in names.items()}, RPC_RESERVED
            )
        return self._methods[service]

    def contract_package(self, path: str) -> str:
        """The dotted package of an OpenAPI, AsyncAPI or schema file."""
        return self._packages[path]

    def models_module(self, path: str) -> str:
        """The module that holds the models of one contract."""
        return f"{self._packages[path]}.models"

    def class_of(self, type_id: TypeId) -> tuple[str, str]:
        """(module, class name) of a JSON-side declaration."""
        path = self._graph.declarations[type_id].location.path
        return self.models_module(path), self._classes[type_id]

    def proto_module(self, path: str, suffix: str = "_pb2") -> str:
        """The module of a proto file, see `proto_module`."""
        return proto_module(self.package, path, suffix)


def proto_module(package: str, path: str, suffix: str = "_pb2") -> str:
    """`checkout/v1/checkout.proto` -> `<package>.checkout.v1.checkout_pb2`.

    protoc's own spelling, but for parts that could not be imported: `lambda/v1` becomes `lambda_.v1`.
    """
    *folders, stem = path.removesuffix(".proto").split("/")
    return ".".join([package, *(_proto_module_part(part) for part in folders), _proto_module_part(stem + suffix)])


def _proto_module_part(part: str) -> str:
    plain = re.sub(r"\W", "_", part)
    if plain[:1].isdigit():
        return f"n{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) else plain
