"""A JSON schema that names a proto type (`x-proto-message`, `x-proto-enum`) describes the same entity.

The measure is the proto3 JSON mapping with field names kept as written: same
field set, types, enum values, case, and presence. 64-bit integers may be JSON
strings (the mapping) or integers.
"""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.link.rules.json_mapping import Mismatch, mismatch
from codegen.model.graph import Graph
from codegen.model.types import (
    Declaration,
    Enum,
    Field,
    Identity,
    Nullable,
    Presence,
    Record,
    Reference,
)


def check(graph: Graph, diagnostics: Diagnostics) -> None:
    """Hold every declared identity to its proto type."""
    for declared in graph.declarations.values():
        if declared.identity is not None:
            _check_identity(graph, declared, declared.identity, diagnostics)


def _check_identity(graph: Graph, declared: Declaration, identity: Identity, diagnostics: Diagnostics) -> None:
    target = graph.declarations.get(identity.proto)
    if target is None:
        diagnostics.error(
            "link/entity-unknown",
            f"`{identity.proto}` is no proto type of these contracts",
            identity.location,
            hint="write the full name: `package.Message`",
        )
    elif isinstance(target, Enum):
        _check_enum(declared, target, identity, diagnostics)
    elif isinstance(declared, Record) and isinstance(target, Record):
        _check_record(graph, declared, target, identity, diagnostics)
    else:
        diagnostics.error(
            "link/entity-kind",
            f"`{'.'.join(declared.name)}` is no object with named fields, `{identity.proto}` is a message",
            identity.location,
            related=(target.location,),
            hint="describe it as an object with `properties`, or name an enum by `x-proto-enum`",
        )


def _check_enum(declared: Declaration, target: Enum, identity: Identity, diagnostics: Diagnostics) -> None:
    if not isinstance(declared, Enum):
        diagnostics.error(
            "link/entity-kind",
            f"`{'.'.join(declared.name)}` is no enumeration, `{identity.proto}` is",
            identity.location,
            related=(target.location,),
            hint="give the schema `type: string` and an `enum`, or name a message by `x-proto-message`",
        )
        return
    zero = target.values[0].name if target.values and target.values[0].value == 0 else None
    wanted = [value.name for value in target.values]
    have = [value.value for value in declared.values]
    missing = [name for name in wanted if name not in have and name != zero]
    extra = [value for value in declared.values if value.value not in wanted]
    if missing:
        diagnostics.error(
            "link/entity-enum-values",
            f"`{'.'.join(declared.name)}` lacks {_listed(missing)} of `{identity.proto}`",
            declared.location,
            related=(target.location,),
            hint="add them to `enum`, spelled as in proto",
        )
    for value in extra:
        diagnostics.error(
            "link/entity-enum-values",
            f"`{value.value}` is no value of `{identity.proto}`",
            value.location,
            related=(target.location,),
            hint=_case_hint(str(value.value), wanted),
        )


def _check_record(graph: Graph, declared: Record, target: Record, identity: Identity, diagnostics: Diagnostics) -> None:
    own = {field.name: field for field in declared.fields}
    wanted = {field.name: field for field in target.fields}
    for name in identity.omitted:
        if name not in wanted:
            diagnostics.error(
                "link/entity-field-missing",
                f"`x-proto-omit` names `{name}`, which `{identity.proto}` has not",
                identity.location,
                related=(target.location,),
                hint="remove it from `x-proto-omit`, or correct the name",
            )
    for name, proto_field in wanted.items():
        if name not in own and name not in identity.omitted and not _case_hint(name, list(own)):
            diagnostics.error(
                "link/entity-field-missing",
                f"`{'.'.join(declared.name)}` lacks the field `{name}` of `{identity.proto}`",
                declared.location,
                related=(proto_field.location,),
                hint="add it, or list it under `x-proto-omit`",
            )
    for name, field in own.items():
        if name not in wanted:
            diagnostics.error(
                "link/entity-field-extra",
                f"`{name}` is no field of `{identity.proto}`",
                field.location,
                related=(target.location,),
                hint=_case_hint(name, list(wanted)),
            )
        else:
            check_field(graph, field, wanted[name], diagnostics)


def check_field(graph: Graph, field: Field, proto_field: Field, diagnostics: Diagnostics) -> None:
    """Hold one JSON property (or parameter, as a `Field`) to the proto field it maps to."""
    found = mismatch(graph, field.type, proto_field.type)
    if found is Mismatch.NULL:
        diagnostics.error(
            "link/entity-presence",
            f"`{field.name}` may be null, the proto field cannot",
            field.location,
            related=(proto_field.location,),
            hint="absence says it: leave the property out",
        )
    elif found is not None:
        diagnostics.error(
            "link/entity-field-type",
            f"`{field.name}`: {found.value} ({_spell(proto_field)} in proto)",
            field.location,
            related=(proto_field.location,),
            hint="write the type that the proto3 JSON mapping gives the proto field, or change the proto field",
        )
    if field.required and _may_be_absent(proto_field):
        diagnostics.error(
            "link/entity-presence",
            f"`{field.name}` is required, but the proto field may be absent",
            field.location,
            related=(proto_field.location,),
            hint="drop it from `required`, or drop `optional` in proto",
        )


def _may_be_absent(proto_field: Field) -> bool:
    if proto_field.oneof is not None:
        return True
    inner = proto_field.type.inner if isinstance(proto_field.type, Nullable) else proto_field.type
    is_message = isinstance(inner, Reference) or str(proto_field.extensions.get("proto.type", "")).startswith(
        "google.protobuf."
    )
    return proto_field.presence is Presence.EXPLICIT and not is_message


def _spell(proto_field: Field) -> str:
    return f"`{proto_field.extensions.get('proto.type') or type(proto_field.type).__name__.lower()}`"


def _case_hint(name: str, candidates: list[str]) -> str:
    folded = name.replace("_", "").replace("-", "").lower()
    same = [c for c in candidates if c != name and c.replace("_", "").replace("-", "").lower() == folded]
    return f"same name in another case: write `{same[0]}` in both" if same else ""


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
