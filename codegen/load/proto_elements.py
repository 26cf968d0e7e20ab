"""Descriptors -> records, enumerations, services and operations of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool

from codegen.load import proto_source as at
from codegen.load.proto_source import ElementPath, SourceMap
from codegen.model.ids import OperationId, TypeId
from codegen.model.services import GrpcBinding, Idempotency, Operation, Service
from codegen.model.types import (
    ANY,
    Declaration,
    Enum,
    EnumValue,
    Field,
    ListOf,
    MapOf,
    Nullable,
    Oneof,
    Presence,
    Primitive,
    Record,
    Reference,
    Scalar,
    Type,
)

_F = FieldDescriptorProto

_SCALARS: Mapping[int, tuple[str, Primitive]] = {
    _F.TYPE_DOUBLE: ("double", Primitive.DOUBLE),
    _F.TYPE_FLOAT: ("float", Primitive.FLOAT),
    _F.TYPE_INT64: ("int64", Primitive.INT64),
    _F.TYPE_UINT64: ("uint64", Primitive.UINT64),
    _F.TYPE_INT32: ("int32", Primitive.INT32),
    _F.TYPE_FIXED64: ("fixed64", Primitive.UINT64),
    _F.TYPE_FIXED32: ("fixed32", Primitive.UINT32),
    _F.TYPE_BOOL: ("bool", Primitive.BOOLEAN),
    _F.TYPE_STRING: ("string", Primitive.STRING),
    _F.TYPE_BYTES: ("bytes", Primitive.BYTES),
    _F.TYPE_UINT32: ("uint32", Primitive.UINT32),
    _F.TYPE_SFIXED32: ("sfixed32", Primitive.INT32),
    _F.TYPE_SFIXED64: ("sfixed64", Primitive.INT64),
    _F.TYPE_SINT32: ("sint32", Primitive.INT32),
    _F.TYPE_SINT64: ("sint64", Primitive.INT64),
}
_SCALAR_TYPES: Mapping[int, Scalar] = {number: Scalar(primitive=kind) for number, (_, kind) in _SCALARS.items()}
_STRING = Scalar(primitive=Primitive.STRING)

WELL_KNOWN: Mapping[str, Type] = {
    "google.protobuf.Timestamp": Scalar(primitive=Primitive.DATE_TIME),
    "google.protobuf.Duration": Scalar(primitive=Primitive.DURATION),
    "google.protobuf.FieldMask": Scalar(primitive=Primitive.STRING, format="field-mask"),
    "google.protobuf.Struct": MapOf(key=_STRING, value=ANY),
    "google.protobuf.Value": ANY,
    "google.protobuf.ListValue": ListOf(item=ANY),
    "google.protobuf.NullValue": Scalar(primitive=Primitive.NULL),
    "google.protobuf.Any": Scalar(primitive=Primitive.ANY, format="google.protobuf.Any"),
    **{
        f"google.protobuf.{name}Value": Nullable(inner=Scalar(primitive=kind))
        for name, kind in (
            ("Double", Primitive.DOUBLE),
            ("Float", Primitive.FLOAT),
            ("Int64", Primitive.INT64),
            ("UInt64", Primitive.UINT64),
            ("Int32", Primitive.INT32),
            ("UInt32", Primitive.UINT32),
            ("Bool", Primitive.BOOLEAN),
            ("String", Primitive.STRING),
            ("Bytes", Primitive.BYTES),
        )
    },
}
"""Types with a JSON form of their own (https://protobuf.dev/programming-guides/json/). A field keeps the name of its
proto type in `extensions["proto.type"]`."""

_IDEMPOTENCY: Mapping[int, Idempotency] = {
    MethodOptions.NO_SIDE_EFFECTS: Idempotency.SAFE,
    MethodOptions.IDEMPOTENT: Idempotency.IDEMPOTENT,
}


class FileReader:
    """Reads the declarations and services of one file. `pool` is needed for editions only (feature resolution)."""

    def __init__(self, file: FileDescriptorProto, pool: DescriptorPool | None) -> None:
        self._file = file
        self._source = SourceMap(file)
        self._pool = pool if file.syntax == "editions" else None
        self._proto3 = file.syntax == "proto3"

    def declarations(self) -> Iterator[Declaration]:
        """Messages with the types nested in them, then enumerations, in the order of the file."""
        for index, message in enumerate(self._file.message_type):
            yield from self._message(message, (at.MESSAGE, index), ())
        for index, enum in enumerate(self._file.enum_type):
            yield self._enum(enum, (at.ENUM, index), ())

    def _full_name(self, names: Sequence[str]) -> str:
        return ".".join([self._file.package, *names] if self._file.package else names)

    def _message(self, message: DescriptorProto, path: ElementPath, outer: tuple[str, ...]) -> Iterator[Declaration]:
        name = (*outer, message.name)
        full = self._full_name(name)
        entries = {f".{full}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
        yield Record(
            id=TypeId(full),
            name=name,
            location=self._source.location(path, full),
            doc=self._source.doc(path),
            deprecated=message.options.deprecated,
            fields=tuple(
                self._field(field, (*path, at.FIELD, index), full, message, entries)
                for index, field in enumerate(message.field)
            ),
            oneofs=self._oneofs(message, path),
            extensions={**_reserved(message, past_end=1), **_extension_ranges(message)},
        )
        for index, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                yield from self._message(nested, (*path, at.NESTED_MESSAGE, index), name)
        for index, enum in enumerate(message.enum_type):
            yield self._enum(enum, (*path, at.NESTED_ENUM, index), name)

    def _oneofs(self, message: DescriptorProto, path: ElementPath) -> tuple[Oneof, ...]:
        members: dict[int, list[str]] = {}
        for field in message.field:
            if _in_oneof(field):
                members.setdefault(field.oneof_index, []).append(field.name)
        return tuple(
            Oneof(
                name=message.oneof_decl[index].name, fields=tuple(names), doc=self._source.doc((*path, at.ONEOF, index))
            )
            for index, names in sorted(members.items())
        )

    def _field(
        self,
        field: FieldDescriptorProto,
        path: ElementPath,
        owner: str,
        message: DescriptorProto,
        entries: Mapping[str, DescriptorProto],
    ) -> Field:
        full = f"{owner}.{field.name}"
        presence = self._presence(field, full)
        kind, spelled = _type_of(field, entries)
        extensions: dict[str, Any] = {"proto.type": spelled}
        if field.type == _F.TYPE_GROUP:
            extensions["proto.group"] = True
        default = _default(field)
        return Field(
            name=field.name,
            type=kind,
            required=presence is Presence.REQUIRED,
            doc=self._source.doc(path),
            default=default,
            has_default=default is not None,
            deprecated=field.options.deprecated,
            location=self._source.location(path, full),
            number=field.number,
            json_name=field.json_name,
            presence=presence,
            oneof=message.oneof_decl[field.oneof_index].name if _in_oneof(field) else None,
            extensions=extensions,
        )

    def _presence(self, field: FieldDescriptorProto, full_name: str) -> Presence:
        if field.label == _F.LABEL_REPEATED:
            return Presence.IMPLICIT
        if self._pool is not None:
            described = self._pool.FindFieldByName(full_name)
            if described.is_required:
                return Presence.REQUIRED
            return Presence.EXPLICIT if described.has_presence else Presence.IMPLICIT
        if field.label == _F.LABEL_REQUIRED:
            return Presence.REQUIRED
        tracked = not self._proto3 or field.HasField("oneof_index") or field.type in (_F.TYPE_MESSAGE, _F.TYPE_GROUP)
        return Presence.EXPLICIT if tracked else Presence.IMPLICIT

    def _enum(self, enum: EnumDescriptorProto, path: ElementPath, outer: tuple[str, ...]) -> Enum:
        name = (*outer, enum.name)
        full = self._full_name(name)
        closed = not self._proto3 if self._pool is None else self._pool.FindEnumTypeByName(full).is_closed
        return Enum(
            id=TypeId(full),
            name=name,
            location=self._source.location(path, full),
            doc=self._source.doc(path),
            deprecated=enum.options.deprecated,
            open=not closed,
            extensions=_reserved(enum, past_end=0),
            values=tuple(self._enum_value(enum, index, path, full) for index in range(len(enum.value))),
        )

    def _enum_value(self, enum: EnumDescriptorProto, index: int, path: ElementPath, full: str) -> EnumValue:
        value, place = enum.value[index], (*path, at.ENUM_VALUE, index)
        return EnumValue(
            name=value.name,
            value=value.number,
            doc=self._source.doc(place),
            deprecated=value.options.deprecated,
            location=self._source.location(place, f"{full}.{value.name}"),
        )

    def services(self) -> Iterator[tuple[Service, tuple[Operation, ...]]]:
        """Each service with its RPCs, in the order of the file."""
        for index, service in enumerate(self._file.service):
            path = (at.SERVICE, index)
            full = self._full_name((service.name,))
            operations = tuple(self._operations(service, path, full))
            yield (
                Service(
                    id=full,
                    name=service.name,
                    operations=tuple(operation.id for operation in operations),
                    doc=self._source.doc(path),
                    deprecated=service.options.deprecated,
                    location=self._source.location(path, full),
                ),
                operations,
            )

    def _operations(self, service: ServiceDescriptorProto, path: ElementPath, full: str) -> Iterator[Operation]:
        for index, method in enumerate(service.method):
            place = (*path, at.METHOD, index)
            rpc = f"{full}/{method.name}"
            yield Operation(
                id=OperationId(rpc),
                name=method.name,
                doc=self._source.doc(place),
                deprecated=method.options.deprecated,
                location=self._source.location(place, rpc),
                idempotency=_IDEMPOTENCY.get(method.options.idempotency_level, Idempotency.UNKNOWN),
                binding=GrpcBinding(
                    service=full,
                    method=method.name,
                    input=TypeId(method.input_type.removeprefix(".")),
                    output=TypeId(method.output_type.removeprefix(".")),
                    client_streaming=method.client_streaming,
                    server_streaming=method.server_streaming,
                ),
            )


def _in_oneof(field: FieldDescriptorProto) -> bool:
    return field.HasField("oneof_index") and not field.proto3_optional


def _type_of(field: FieldDescriptorProto, entries: Mapping[str, DescriptorProto]) -> tuple[Type, str]:
    entry = entries.get(field.type_name)
    if entry is not None:
        key, key_name = _single_type(entry.field[0])
        value, value_name = _single_type(entry.field[1])
        return MapOf(key=key, value=value), f"map<{key_name}, {value_name}>"
    single, spelled = _single_type(field)
    return (ListOf(item=single) if field.label == _F.LABEL_REPEATED else single), spelled


def _single_type(field: FieldDescriptorProto) -> tuple[Type, str]:
    scalar = _SCALARS.get(field.type)
    if scalar is not None:
        return _SCALAR_TYPES[field.type], scalar[0]
    name = field.type_name.removeprefix(".")
    return WELL_KNOWN.get(name) or Reference(target=TypeId(name)), name


def _default(field: FieldDescriptorProto) -> str | int | float | bool | None:
    """The default of proto2 and editions; that of an enumeration is its value's name, that of bytes C-escaped."""
    if not field.HasField("default_value"):
        return None
    written = field.default_value
    if field.type == _F.TYPE_BOOL:
        return written == "true"
    if field.type in (_F.TYPE_FLOAT, _F.TYPE_DOUBLE):
        return float(written)
    return written if field.type in (_F.TYPE_STRING, _F.TYPE_BYTES, _F.TYPE_ENUM) else int(written)


def _reserved(element: DescriptorProto | EnumDescriptorProto, *, past_end: int) -> dict[str, Any]:
    """`{"proto.reserved": {"ranges": [[first, last], ...], "names": [...]}}`, both ends included."""
    ranges = [[found.start, found.end - past_end] for found in element.reserved_range]
    names = list(element.reserved_name)
    return {"proto.reserved": {"ranges": ranges, "names": names}} if ranges or names else {}


def _extension_ranges(message: DescriptorProto) -> dict[str, Any]:
    ranges = [[found.start, found.end - 1] for found in message.extension_range]
    return {"proto.extension_ranges": ranges} if ranges else {}
