"""Unions of schemas: discriminators, inheritance by allOf, and enumerations written as unions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents, Node, escape
from codegen.model.ids import TypeId
from codegen.model.types import (
    Alias,
    Constant,
    Declaration,
    Discriminator,
    Enum,
    EnumValue,
    Nullable,
    Record,
    Reference,
    Union,
)


def branch_name(branch: Node, position: int) -> str:
    """What distinguishes one branch: its reference, title, or constant; its position when nothing does."""
    value = branch.value if isinstance(branch.value, dict) else {}
    reference = value.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2].rpartition("#")[2] or reference
    if isinstance(value.get("title"), str):
        return str(value["title"])
    properties = value.get("properties")
    if isinstance(properties, dict):
        for schema in properties.values():
            constant = _constant_of(schema)
            if isinstance(constant, str):
                return constant
    kind = value.get("type")
    return kind if isinstance(kind, str) and kind not in ("object", "array") else f"option{position}"


def _constant_of(schema: object) -> object:
    if not isinstance(schema, dict):
        return None
    values = schema.get("enum")
    if isinstance(values, list) and len(values) == 1:
        return values[0]
    return schema.get("const")


def constants_as_enum(branches: list[Node], documents: Documents) -> tuple[EnumValue, ...]:
    """`oneOf: [{const, title, description}, ...]` as enumeration values; empty when any branch is something else."""
    found = []
    for branch in branches:
        target = documents.follow(branch) if branch.has("$ref") else branch
        value = target.value if target is not None else None
        if not isinstance(value, dict):
            return ()
        constant = value.get("const")
        extra = set(value) - {"const", "title", "description", "type", "deprecated", "format"}
        if isinstance(constant, (dict, list)) or constant is None or any(not key.startswith("x-") for key in extra):
            return ()
        title, description = value.get("title"), value.get("description")
        found.append(
            EnumValue(
                name=title if isinstance(title, str) and title else str(constant),
                value=constant,
                doc=description if isinstance(description, str) else "",
                deprecated=value.get("deprecated") is True,
                location=branch.location,
            )
        )
    return tuple(found) if len({repr(v.value) for v in found}) == len(found) else ()


def open_enum_branches(branches: list[Node], documents: Documents) -> tuple[EnumValue, ...] | None:
    """`anyOf: [{enum: [...]}, {type: string}]`: an open enumeration. None when it is not that."""
    if len(branches) != 2:
        return None
    targets = [documents.follow(branch) if branch.has("$ref") else branch for branch in branches]
    listed = [t for t in targets if t is not None and t.has("enum")]
    free = [
        t
        for t in targets
        if t is not None
        and isinstance(t.value, dict)
        and t.value.get("type") == "string"
        and not set(t.value) - {"type", "description", "title"}
    ]
    if len(listed) != 1 or len(free) != 1:
        return None
    values = listed[0].value["enum"]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return tuple(
        EnumValue(name=value, value=value, location=listed[0].child("enum", i).location)
        for i, value in enumerate(dict.fromkeys(values))
    )


def discriminator_of(
    holder: Node,
    documents: Documents,
    diagnostics: Diagnostics,
    *,
    variants: list[Node] | None = None,
    base: TypeId | None = None,
) -> Discriminator | None:
    """The explicit discriminator at `holder`, implicit names included (OpenAPI 3.1 section 4.8.25).

    AsyncAPI's is the property's name alone; constants of the variants, when they have them, then say more.
    """
    node = holder.child("discriminator")
    if not isinstance(node.value, dict | str):
        return None
    asyncapi = isinstance(node.value, str)
    name = str(node.value) if asyncapi else node.text("propertyName")
    if not name:
        diagnostics.error(
            "schema/discriminator",
            "a discriminator needs `propertyName`",
            node.location,
            hint="name the property that tells the variants apart",
        )
        return None
    mapping: dict[str, TypeId] = {}
    for value, target_node in node.child("mapping").members():
        target = _mapped(target_node, documents)
        if target is not None:
            mapping[value] = _stands_for(target, holder, base)
    explicit = set(mapping.values())
    if variants is None:
        branches = [*holder.child("oneOf").items(), *holder.child("anyOf").items()]
        variants = [
            found
            for branch in branches
            if branch.has("$ref")
            if (found := documents.resolve(branch.value["$ref"], branch)) is not None
        ]
    for variant in variants:
        if TypeId(variant.id) not in explicit:
            mapping.setdefault(variant.key, TypeId(variant.id))
    if base is not None and base not in explicit:
        mapping.setdefault(holder.key, base)
    return Discriminator(property=name, mapping=tuple(mapping.items()), explicit=not asyncapi)


def _stands_for(target: Node, holder: Node, base: TypeId | None) -> TypeId:
    return base if base is not None and target.id == holder.id else TypeId(target.id)


def _mapped(node: Node, documents: Documents) -> Node | None:
    """The schema that one value of a mapping names: a schema's name, or a reference."""
    reference = node.value
    is_file = isinstance(reference, str) and reference.endswith((".yaml", ".yml", ".json"))
    if isinstance(reference, str) and not is_file and "#" not in reference and "/" not in reference:
        reference = f"#/components/schemas/{escape(reference)}"
    return documents.resolve(reference, node)


def inferred_discriminator(union: Union, declarations: Mapping[TypeId, Declaration]) -> Discriminator | None:
    """The property at which every variant has a required constant of its own, when there is one."""
    records = []
    for variant in union.variants:
        target = declarations.get(variant.target) if isinstance(variant, Reference) else None
        if not isinstance(target, Record):
            return None
        records.append(target)
    for candidate in records[0].fields:
        mapping: dict[str, TypeId] = {}
        for record in records:
            field = next((f for f in record.fields if f.name == candidate.name and f.required), None)
            constant = _field_constant(field.type, declarations) if field else None
            if isinstance(constant, str):
                mapping[constant] = record.id
        if len(mapping) == len(records):
            return Discriminator(property=candidate.name, mapping=tuple(mapping.items()), explicit=False)
    return None


def _field_constant(found: Any, declarations: Mapping[TypeId, Declaration]) -> object:
    if isinstance(found, Constant):
        return found.value
    target = declarations.get(found.target) if isinstance(found, Reference) else None
    if isinstance(target, Enum) and len(target.values) == 1 and not target.open:
        return target.values[0].value
    return None


def settled_discriminator(
    union: Union,
    given: Discriminator,
    written: Collection[str],
    declarations: Mapping[TypeId, Declaration],
    *,
    inherited: bool,
) -> Discriminator | None:
    """The explicit discriminator of `union` with every value that can stand at the property; None when it tells not
    all variants apart.

    `written` are the values that the contract maps itself. Of the others, the
    constants of the variants count; the name of a schema does for a variant
    that has none (OpenAPI 3.1, 4.8.25), and for each that is found by inheritance.
    """
    mapping = {tag: target for tag, target in given.mapping if tag in written}
    constants = {variant: _constants(variant, given.property, declarations) for variant in union.variants}
    times = Counter(tag for tags in constants.values() for tag in tags)
    for variant, tags in constants.items():
        own = {tag: variant.target for tag in tags if times[tag] == 1 and isinstance(variant, Reference)}
        mapping = own | mapping
        if not own:
            mapping = {
                tag: target
                for tag, target in given.mapping
                if isinstance(variant, Reference) and target == variant.target and target not in mapping.values()
            } | mapping
    told = {Reference(target=target) for target in mapping.values()}
    if not inherited and (any(variant not in told for variant in union.variants) or not times.keys() <= mapping.keys()):
        return None
    order = {variant: position for position, variant in enumerate(union.variants)}
    listed = sorted(mapping.items(), key=lambda item: order.get(Reference(target=item[1]), len(order)))
    return replace(given, mapping=tuple(listed))


def _constants(found: Any, property_: str, declarations: Mapping[TypeId, Declaration]) -> tuple[str, ...]:
    """The values, as text, that the property of a variant is limited to; none when it is not, or has none."""
    declared = declarations.get(found.target) if isinstance(found, Reference) else None
    if isinstance(declared, Alias):
        return _constants(declared.type, property_, declarations)
    if isinstance(declared, Union):
        return tuple(tag for variant in declared.variants for tag in _constants(variant, property_, declarations))
    if not isinstance(declared, Record):
        return ()
    field = next((field for field in declared.fields if field.name == property_), None)
    values = _values(field.type, declarations) if field else []
    return tuple(str(value) for value in values if isinstance(value, (str, int)) and not isinstance(value, bool))


def _values(found: Any, declarations: Mapping[TypeId, Declaration]) -> list[object]:
    if isinstance(found, Nullable):
        return _values(found.inner, declarations)
    if isinstance(found, Constant):
        return [found.value]
    declared = declarations.get(found.target) if isinstance(found, Reference) else None
    if isinstance(declared, Alias):
        return _values(declared.type, declarations)
    return [value.value for value in declared.values] if isinstance(declared, Enum) and not declared.open else []


class InheritanceIndex:
    """Component schemas that extend, by allOf, one that has a discriminator but no oneOf."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._by_document: dict[str, dict[str, list[Node]]] = {}

    def of(self, node: Node) -> list[Node]:
        """The schemas of the same document that extend the one at `node`, directly or not."""
        if not node.has("discriminator") or node.has("oneOf") or node.has("anyOf"):
            return []
        index = self._by_document.get(node.document.path)
        if index is None:
            index = self._by_document[node.document.path] = self._scan(node.document)
        found: dict[str, Node] = {}
        waiting = [node.pointer]
        while waiting:
            for child in index.get(waiting.pop(0), []):
                if child.pointer not in found and child.pointer != node.pointer:
                    found[child.pointer] = child
                    waiting.append(child.pointer)
        return list(found.values())

    def _scan(self, document: Document) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for _, schema in self._documents.root_node(document).child("components", "schemas").members():
            for branch in schema.child("allOf").items():
                reference = branch.value.get("$ref") if isinstance(branch.value, dict) else None
                if isinstance(reference, str) and reference.startswith("#"):
                    found.setdefault(reference[1:], []).append(schema)
        return found
