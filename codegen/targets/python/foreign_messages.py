"""Messages of imported files that come with googleapis-common-protos: `<package>/google/type/money_pb2.py`.

That package has no type hints. The module re-exports its classes, so that there is one of each in a program; the stub
says what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.targets.files import GeneratedFile
from codegen.targets.python.layout import proto_module
from codegen.targets.python.messages import Stubs, descriptors_of, protoc_module
from codegen.targets.python.writer import MARK, docstring, printable


def emit_foreign_messages(graph: Graph, package: str) -> tuple[GeneratedFile, ...]:
    """A module and a stub for each foreign file whose types our protos use."""
    descriptors = descriptors_of(graph)
    wanted = sorted(_used(graph, descriptors))
    if not wanted:
        return ()
    stubs = Stubs(graph, package, descriptors, Diagnostics()).of(wanted)
    files = []
    for path in wanted:
        target = proto_module(package, path).replace(".", "/")
        mark = MARK.format(source=printable(path))
        about = docstring(f"`{printable(path)}`, as googleapis-common-protos has it.")
        module = f"{mark}\n{about}\n\nfrom {protoc_module(path)} import *\n"
        files += [
            GeneratedFile(path=f"{target}.py", content=module),
            GeneratedFile(path=f"{target}.pyi", content=f"{mark}\n{stubs[path]}"),
        ]
    return tuple(files)


def _used(graph: Graph, descriptors: Mapping[str, FileDescriptorProto]) -> set[str]:
    homes = {name: file.name for file in descriptors.values() for name in _declared(file)}
    found: set[str] = set()
    pending = list(graph.proto_files)
    for path in pending:
        file = descriptors[path]
        public = {file.dependency[index] for index in file.public_dependency}
        for name in sorted(public | {homes[used] for used in _referred_to(file) if used in homes}):
            if name not in found and name not in graph.proto_files and not name.startswith("google/protobuf/"):
                found.add(name)
                pending.append(name)
    return found


def _declared(file: FileDescriptorProto) -> Iterator[str]:
    prefix = f".{file.package}" if file.package else ""
    yield from (f"{prefix}.{enum.name}" for enum in file.enum_type)
    for message in file.message_type:
        yield from _declared_in(message, f"{prefix}.{message.name}")


def _declared_in(message: DescriptorProto, name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}.{enum.name}" for enum in message.enum_type)
    for nested in message.nested_type:
        yield from _declared_in(nested, f"{name}.{nested.name}")


def _referred_to(file: FileDescriptorProto) -> Iterator[str]:
    yield from (name for field in file.extension for name in (field.type_name, field.extendee))
    for service in file.service:
        yield from (name for method in service.method for name in (method.input_type, method.output_type))
    yield from _referred_to_by(file.message_type)


def _referred_to_by(messages: Iterable[DescriptorProto]) -> Iterator[str]:
    for message in messages:
        fields = (*message.field, *message.extension)
        yield from (name for field in fields for name in (field.type_name, field.extendee))
        yield from _referred_to_by(message.nested_type)
