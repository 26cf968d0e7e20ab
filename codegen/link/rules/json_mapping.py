"""The proto3 JSON mapping between types (protobuf.dev, ProtoJSON format; names kept as written)."""

from __future__ import annotations

from enum import Enum as PythonEnum

from codegen.model.graph import Graph
from codegen.model.types import (
    Alias,
    Constant,
    Declaration,
    Enum,
    ListOf,
    MapOf,
    Nullable,
    Primitive,
    Record,
    Reference,
    Scalar,
    TupleOf,
    Type,
    Union,
)

P = Primitive
_TEXT = {P.STRING, P.UUID, P.URI, P.EMAIL, P.HOSTNAME, P.IPV4, P.IPV6, P.DATE, P.TIME, P.DECIMAL_STRING}
_ACCEPTS: dict[Primitive, set[Primitive]] = {
    P.STRING: _TEXT | {P.DURATION},
    P.BYTES: {P.BYTES},
    P.BOOLEAN: {P.BOOLEAN},
    P.INT32: {P.INT32, P.INTEGER},
    P.UINT32: {P.UINT32, P.INTEGER, P.INT64},
    P.INT64: {P.INT64, P.INTEGER, P.STRING, P.INT32},
    P.UINT64: {P.UINT64, P.INTEGER, P.STRING, P.INT64},
    P.FLOAT: {P.FLOAT, P.NUMBER, P.DOUBLE},
    P.DOUBLE: {P.DOUBLE, P.NUMBER, P.FLOAT},
    P.DATE_TIME: {P.DATE_TIME},
    P.DURATION: {P.DURATION, P.STRING},
    P.ANY: set(P),
    P.NULL: {P.NULL},
}


class Mismatch(PythonEnum):
    """What does not fit."""

    TYPE = "the type differs"
    LIST = "one is a list, the other is not"
    MAP = "one is a map, the other is not"
    ENTITY = "it is another entity"
    ENUM = "the enumeration differs"
    DECIMAL = "an exact decimal does not survive a binary float"
    NULL = "null has no proto counterpart"


def mismatch(graph: Graph, json_type: Type, proto_type: Type) -> Mismatch | None:
    """What keeps a JSON value of one type from being the mapping of the other; None when nothing does."""
    if isinstance(proto_type, Nullable):
        inner = json_type.inner if isinstance(json_type, Nullable) else json_type
        return mismatch(graph, inner, proto_type.inner)
    if isinstance(json_type, Nullable):
        return Mismatch.NULL
    if isinstance(json_type, Reference):
        target = graph.declarations.get(json_type.target)
        if isinstance(target, Alias):
            return mismatch(graph, target.type, proto_type)
        return _declared(graph, target, proto_type)
    if isinstance(proto_type, ListOf):
        if not isinstance(json_type, ListOf):
            return Mismatch.LIST
        return mismatch(graph, json_type.item, proto_type.item)
    if isinstance(proto_type, MapOf):
        return mismatch(graph, json_type.value, proto_type.value) if isinstance(json_type, MapOf) else Mismatch.MAP
    return _plain(graph, json_type, proto_type)


def _plain(graph: Graph, json_type: Type, proto_type: Type) -> Mismatch | None:
    if isinstance(proto_type, Scalar):
        if proto_type.primitive is P.ANY:
            return None
        if isinstance(json_type, ListOf | TupleOf):
            return Mismatch.LIST
        if isinstance(json_type, MapOf):
            return Mismatch.MAP
        return _scalar(json_type, proto_type.primitive)
    target = graph.declarations.get(proto_type.target) if isinstance(proto_type, Reference) else None
    if isinstance(target, Enum):
        if isinstance(json_type, Constant):
            return None if json_type.value in {value.name for value in target.values} else Mismatch.ENUM
        return None if isinstance(json_type, Scalar) and json_type.primitive is P.STRING else Mismatch.ENUM
    if isinstance(json_type, ListOf | TupleOf):
        return Mismatch.LIST
    if isinstance(target, Record) and isinstance(json_type, MapOf) and not target.fields:
        return None
    return Mismatch.ENTITY


def _scalar(json_type: Type, primitive: Primitive) -> Mismatch | None:
    if isinstance(json_type, Constant):
        fits = {P.STRING: str, P.BOOLEAN: bool, P.INT32: int, P.INT64: int}.get(primitive)
        return None if fits and isinstance(json_type.value, fits) else Mismatch.TYPE
    if not isinstance(json_type, Scalar):
        return Mismatch.TYPE
    if json_type.primitive is P.DECIMAL_NUMBER and primitive in (P.DOUBLE, P.FLOAT):
        return Mismatch.DECIMAL
    return None if json_type.primitive in _ACCEPTS.get(primitive, set()) else Mismatch.TYPE


def _declared(graph: Graph, declared: Declaration | None, proto_type: Type) -> Mismatch | None:
    if isinstance(proto_type, ListOf):
        return Mismatch.LIST
    if isinstance(proto_type, MapOf):
        return None if isinstance(declared, Record) else Mismatch.MAP
    target = graph.declarations.get(proto_type.target) if isinstance(proto_type, Reference) else None
    if isinstance(declared, Enum):
        return _enum(declared, target, proto_type)
    if not isinstance(target, Record):
        return None if isinstance(proto_type, Scalar) and proto_type.primitive is P.ANY else Mismatch.TYPE
    if declared is not None and declared.identity is not None:
        return None if declared.identity.proto == target.id else Mismatch.ENTITY
    if isinstance(declared, Union):
        return None
    if isinstance(declared, Record):
        names = {field.name for field in target.fields}
        return None if all(field.name in names for field in declared.fields) else Mismatch.ENTITY
    return Mismatch.ENTITY


def _enum(declared: Enum, target: Declaration | None, proto_type: Type) -> Mismatch | None:
    if isinstance(target, Enum):
        if declared.identity is not None:
            return None if declared.identity.proto == target.id else Mismatch.ENUM
        names = {value.name for value in target.values}
        return None if all(value.value in names for value in declared.values) else Mismatch.ENUM
    if isinstance(proto_type, Scalar) and proto_type.primitive in (P.STRING, P.ANY):
        return None if all(isinstance(value.value, str) for value in declared.values) else Mismatch.TYPE
    if isinstance(proto_type, Scalar) and proto_type.primitive in (P.INT32, P.INT64):
        return None if all(isinstance(value.value, int) for value in declared.values) else Mismatch.TYPE
    return Mismatch.ENUM
