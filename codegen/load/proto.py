"""Proto contracts -> fragments and the descriptor set that code is generated from.

1. protoc compiles all files at once (`proto_compile`).
2. Each file's descriptor is read into declarations, services and operations (`proto_elements`).
3. Declarations of imported files that are not contracts of ours (`google.rpc.Status`) come along with the first
   fragment that refers to them, so that every reference can be followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import Edition, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from codegen.diagnostics import Diagnostics
from codegen.load.proto_compile import compile_protos
from codegen.load.proto_elements import FileReader
from codegen.model.graph import Contract, ContractKind, Fragment, ProtoFile
from codegen.model.ids import Location, TypeId
from codegen.model.services import GrpcBinding, Operation
from codegen.model.types import Declaration, ListOf, MapOf, Nullable, Record, Reference, Type

_WITH_PROTOBUF = "google/protobuf/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtoSet:
    """`descriptor_set` is a serialised FileDescriptorSet with source info, imports before those who import them."""

    fragments: tuple[Fragment, ...]
    descriptor_set: bytes


def load_protos(
    root: Path,
    paths: Sequence[str],
    digests: Mapping[str, str],
    diagnostics: Diagnostics,
    *,
    unread: Sequence[str] = (),
) -> ProtoSet:
    """Load the proto files `paths` (relative to `root`, with `/`). `digests` are SHA-256 by path.

    `unread` are files that could not be read, which was reported: what imports them is left out.
    """
    wanted = [path for path in paths if _is_contract(path, diagnostics)]
    compiled, descriptor_set = compile_protos(root, wanted, diagnostics, unread=unread)
    if not compiled:
        return ProtoSet(fragments=(), descriptor_set=b"")
    files = {file.name: file for file in _read(descriptor_set).file}
    pool = _pool(files.values())
    ours = frozenset(compiled)
    _check_imports(files, ours, root, diagnostics)
    foreign = _Foreign({name: file for name, file in files.items() if name not in ours}, pool)
    fragments = tuple(_fragment(files[path], digests[path], ours, pool, foreign) for path in compiled)
    return ProtoSet(fragments=fragments, descriptor_set=descriptor_set)


def _read(descriptor_set: bytes) -> FileDescriptorSet:
    """The descriptors, read by classes that know no custom options.

    An option of a contract may have the number of one that some library in this process has registered with another
    type; the usual classes then refuse the whole set.
    """
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    neutral = GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))
    return cast("FileDescriptorSet", neutral.FromString(descriptor_set))


def _is_contract(path: str, diagnostics: Diagnostics) -> bool:
    if not path.startswith(_WITH_PROTOBUF):
        return True
    diagnostics.warning(
        "proto/bundled",
        "a copy of a file that comes with protobuf is not generated again",
        Location(path=path),
        hint="delete it; imports of it work without it",
    )
    return False


def _check_imports(
    files: Mapping[str, FileDescriptorProto], ours: frozenset[str], root: Path, diagnostics: Diagnostics
) -> None:
    for name in files:
        if name not in ours and not name.startswith(_WITH_PROTOBUF) and (root / name).is_file():
            diagnostics.error(
                "proto/import-not-a-contract",
                f"{name} is imported, but is not one of the contracts",
                Location(path=name),
                hint="add it to the contracts, or remove the import",
            )


def _pool(files: Iterable[FileDescriptorProto]) -> DescriptorPool | None:
    """A pool of all files when one of them uses editions, whose features protobuf resolves."""
    given = list(files)
    if not any(file.syntax == "editions" for file in given):
        return None
    pool = DescriptorPool()
    for file in given:
        pool.Add(file)
    return pool


def _fragment(
    file: FileDescriptorProto, digest: str, ours: frozenset[str], pool: DescriptorPool | None, foreign: _Foreign
) -> Fragment:
    reader = FileReader(file, pool)
    declarations = tuple(reader.declarations())
    services = tuple(reader.services())
    operations = tuple(operation for _, found in services for operation in found)
    imports = tuple(name for name in file.dependency if name in ours)
    return Fragment(
        contract=Contract(
            path=file.name,
            kind=ContractKind.PROTO,
            version=_version(file),
            title=file.package,
            digest=digest,
            depends_on=imports,
        ),
        declarations=(*declarations, *foreign.referred_to_by(declarations, operations)),
        services=tuple(service for service, _ in services),
        operations=operations,
        proto_file=ProtoFile(
            path=file.name,
            package=file.package,
            syntax=_version(file),
            imports=imports,
            foreign_imports=tuple(name for name in file.dependency if name not in ours),
            declarations=tuple(declared.id for declared in declarations),
            services=tuple(service.id for service, _ in services),
        ),
    )


def _version(file: FileDescriptorProto) -> str:
    if file.syntax == "editions":
        return "editions " + Edition.Name(file.edition).removeprefix("EDITION_")
    return file.syntax or "proto2"


class _Foreign:
    """Declarations of imported files; each is handed out once, to the first who refers to it."""

    def __init__(self, files: Mapping[str, FileDescriptorProto], pool: DescriptorPool | None) -> None:
        self._files = files
        self._pool = pool
        self._unread: dict[TypeId, Declaration] | None = None

    def referred_to_by(
        self, declarations: Iterable[Declaration], operations: Iterable[Operation]
    ) -> Iterator[Declaration]:
        """Those that are referred to, directly or through each other, and were not handed out yet."""
        pending = [target for declared in declarations for target in _targets(declared)]
        for operation in operations:
            if isinstance(operation.binding, GrpcBinding):
                pending += [operation.binding.input, operation.binding.output]
        for target in pending:
            found = self._all().pop(target, None)
            if found is not None:
                pending += _targets(found)
                yield found

    def _all(self) -> dict[TypeId, Declaration]:
        if self._unread is None:
            self._unread = {
                declared.id: declared
                for file in self._files.values()
                for declared in FileReader(file, self._pool).declarations()
            }
        return self._unread


def _targets(declared: Declaration) -> list[TypeId]:
    if not isinstance(declared, Record):
        return []
    return [target for field in declared.fields for target in _targets_of_type(field.type)]


def _targets_of_type(kind: Type) -> list[TypeId]:
    match kind:
        case Reference():
            return [kind.target]
        case ListOf():
            return _targets_of_type(kind.item)
        case MapOf():
            return [*_targets_of_type(kind.key), *_targets_of_type(kind.value)]
        case Nullable():
            return _targets_of_type(kind.inner)
        case _:
            return []
