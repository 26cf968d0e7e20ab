"""How text becomes a JSON value of a type, as the runtime's `Shape` literals (see `runtime.http_operation`)."""

from __future__ import annotations

from collections.abc import Iterable

from codegen.model.graph import Graph
from codegen.model.types import (
    Alias,
    Constant,
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
)
from codegen.targets.python.writer import text

_MAX_DEPTH = 6
_INTEGERS = (Primitive.INT32, Primitive.INT64, Primitive.UINT32, Primitive.UINT64, Primitive.INTEGER)
_SCALARS = {
    **dict.fromkeys(_INTEGERS, "integer"),
    Primitive.BOOLEAN: "boolean",
    Primitive.ANY: "json",
    **dict.fromkeys((Primitive.FLOAT, Primitive.DOUBLE, Primitive.NUMBER, Primitive.DECIMAL_NUMBER), "number"),
    Primitive.BINARY: "bytes",
}
_ORDER = ("'integer'", "'number'", "'boolean'", "'bytes'", "{", "[", "'string'", "'json'")
"""Alternatives are tried in this order: what refuses most goes first."""


def shape_of(graph: Graph, type_: Type, depth: int = 0) -> str:
    """The literal of a shape. Types that are too deep are read as JSON text."""
    if depth > _MAX_DEPTH:
        return "'json'"
    if isinstance(type_, Scalar):
        return repr(_SCALARS.get(type_.primitive, "string"))
    if isinstance(type_, Nullable):
        return shape_of(graph, type_.inner, depth)
    if isinstance(type_, Constant):
        return _of_values([type_.value])
    if isinstance(type_, ListOf):
        return f"[{shape_of(graph, type_.item, depth + 1)}]"
    if isinstance(type_, MapOf):
        return f"{{'*': {shape_of(graph, type_.value, depth + 1)}}}"
    if isinstance(type_, TupleOf):
        return f"[{_either(shape_of(graph, item, depth + 1) for item in type_.items)}]"
    return _of_declaration(graph, type_, depth)


def _of_declaration(graph: Graph, reference: Reference, depth: int) -> str:
    declared = graph.declarations[reference.target]
    if isinstance(declared, Alias):
        return shape_of(graph, declared.type, depth + 1)
    if isinstance(declared, Enum):
        return _of_values([value.value for value in declared.values])
    if isinstance(declared, Record):
        members = [f"{text(field.name)}: {shape_of(graph, field.type, depth + 1)}" for field in declared.fields]
        if declared.additional is not None and declared.additional_declared:
            members.append(f"'*': {shape_of(graph, declared.additional, depth + 1)}")
        return f"{{{', '.join(members)}}}"
    return _either(shape_of(graph, variant, depth + 1) for variant in declared.variants)


def _of_values(values: list[object]) -> str:
    kinds = {bool: "'boolean'", int: "'integer'", float: "'number'", str: "'string'"}
    return _either(kinds.get(type(value), "'json'") for value in values if value is not None)


def _either(shapes: Iterable[str]) -> str:
    found = dict.fromkeys(shapes)
    if len(found) == 1:
        return next(iter(found))
    if not found or any(shape[0] == "(" for shape in found):
        return "'json'"
    ordered = sorted(found, key=lambda shape: _ORDER.index(shape[0] if shape[0] in "{[" else shape))
    return f"({', '.join(ordered)})"
