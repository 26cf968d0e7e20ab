"""Proto declarations as Python expressions: which generated or bundled module holds a message class."""

from __future__ import annotations

import keyword

from codegen.model.graph import Graph
from codegen.model.ids import TypeId
from codegen.model.types import Enum, Nullable, Primitive, Reference, Scalar, Type
from codegen.targets.python.layout import Layout
from codegen.targets.python.writer import PythonFile

_PYTHON = {
    Primitive.STRING: "str",
    Primitive.BYTES: "bytes",
    Primitive.BOOLEAN: "bool",
    Primitive.FLOAT: "float",
    Primitive.DOUBLE: "float",
    Primitive.INT32: "int",
    Primitive.INT64: "int",
    Primitive.UINT32: "int",
    Primitive.UINT64: "int",
}


def message_class(graph: Graph, layout: Layout, type_id: TypeId) -> tuple[str, str] | None:
    """(module, name within the module) of a message or enumeration; None when Python cannot spell its name."""
    declared = graph.declarations[type_id]
    path = declared.location.path
    if any(keyword.iskeyword(part) for part in declared.name):
        return None
    if path in graph.proto_files or not path.startswith("google/protobuf/"):
        module = layout.proto_module(path)
    else:
        module = path.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"
    return module, ".".join(declared.name)


def message_ref(file: PythonFile, graph: Graph, layout: Layout, type_id: TypeId) -> str | None:
    """The class as an expression in `file`: `checkout_pb2.StartCheckoutRequest`."""
    found = message_class(graph, layout, type_id)
    if found is None:
        return None
    module, name = found
    return f"{file.ref(module)}.{name}"


def item_annotation(file: PythonFile, graph: Graph, layout: Layout, kind: Type, proto_type: str) -> str | None:
    """The annotation of one value of a field; `proto_type` is the field's `proto.type`."""
    match kind:
        case Reference():
            found = message_ref(file, graph, layout, kind.target)
            is_enum = isinstance(graph.declarations[kind.target], Enum)
            return f"{found}.ValueType" if found and is_enum else found
        case Scalar() | Nullable() if proto_type.startswith("google.protobuf."):
            return None
        case Scalar():
            return _PYTHON.get(kind.primitive)
        case _:
            return None
