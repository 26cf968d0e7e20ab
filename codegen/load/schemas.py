"""JSON Schema 2020-12 as OpenAPI and AsyncAPI use it: schema nodes -> types and declarations.

Phases: `type_of` reads the schema where a value stands; every `$ref` target,
object, enumeration and union becomes a declaration, read once (`finish` works
off what references have queued); last, discriminators that the variants imply
are inferred. `allOf` is merged at the level of schema *pieces* (see
`codegen.load.schema_pieces`). What the graph cannot hold is reported.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Documents, Node
from codegen.load.schema_pieces import (
    ANNOTATIONS,
    Dialect,
    Pieces,
    dialect_of,
    report_unexpressed,
)
from codegen.load.schema_scalars import TYPES, ConstraintReader, first_of, implied_type, primitive_of
from codegen.load.schema_unions import (
    InheritanceIndex,
    branch_name,
    constants_as_enum,
    discriminator_of,
    inferred_discriminator,
    open_enum_branches,
    settled_discriminator,
)
from codegen.model.ids import TypeId
from codegen.model.types import (
    ANY,
    NO_CONSTRAINTS,
    Alias,
    Constant,
    Declaration,
    Discriminator,
    Enum,
    EnumValue,
    Field,
    Identity,
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
    UnionKind,
)

MAX_DISTRIBUTED = 64
NO_STAND_INS: Mapping[TypeId, TypeId] = MappingProxyType({})
_STRING = Scalar(primitive=Primitive.STRING)
_NEVER = Scalar(primitive=Primitive.NEVER)
_NULL = Scalar(primitive=Primitive.NULL)

Name = tuple[str, ...]


class SchemaReader:
    """Reads schemas of all documents into one set of declarations."""

    def __init__(self, documents: Documents, diagnostics: Diagnostics) -> None:
        self._documents = documents
        self._diagnostics = diagnostics
        self._constraints = ConstraintReader(diagnostics)
        self._pieces = Pieces(documents, diagnostics)
        self._children = InheritanceIndex(documents)
        self._declarations: dict[TypeId, Declaration] = {}
        self._written_tags: dict[TypeId, frozenset[str]] = {}
        self._inherited: set[TypeId] = set()
        self._queued: set[TypeId] = set()
        self._queue: deque[tuple[Node, Name]] = deque()

    def type_of(self, node: Node, name: Name) -> Type:
        """The type that the schema at `node` describes.

        `name` is what an inline object, enumeration or union found here is
        called; a component keeps its own name.
        """
        if _is_component(node):
            return self._declare(node)
        return self._read(node, name, named=False)

    def finish(self) -> dict[TypeId, Declaration]:
        """Read everything that references have queued; all declarations, in order of discovery."""
        while self._queue:
            node, name = self._queue.popleft()
            self._read_declaration(node, name)
        self._break_alias_cycles()
        for id_, declared in self._declarations.items():
            if isinstance(declared, Union):
                self._declarations[id_] = replace(declared, discriminator=self._settled(declared))
        return self._declarations

    def _settled(self, union: Union) -> Discriminator | None:
        given = union.discriminator
        if given is None or not given.explicit:
            return inferred_discriminator(union, self._declarations) or given
        found = settled_discriminator(union, given, self._written_tags[union.id], self._declarations,
                                      inherited=union.id in self._inherited)
        if found is None:
            self._diagnostics.unsupported(
                "schema/discriminator", f"`{given.property}` does not tell all variants apart: they are told apart by "
                "their shape", union.location)
        return found

    def _break_alias_cycles(self) -> None:
        for id_, declared in self._declarations.items():
            seen: set[TypeId] = set()
            current: Declaration | None = declared
            while isinstance(current, Alias) and current.id not in seen:
                seen.add(current.id)
                inner = current.type.inner if isinstance(current.type, Nullable) else current.type
                current = self._declarations.get(inner.target) if isinstance(inner, Reference) else None
            if isinstance(current, Alias) and current.id == id_ and isinstance(declared, Alias):
                self._diagnostics.error("schema/cyclic-alias", "a schema that is only a name for itself",
                                        declared.location)
                self._declarations[id_] = replace(declared, type=ANY)

    # -- declarations

    def _declare(self, node: Node) -> Reference:
        id_ = TypeId(node.id)
        if id_ not in self._queued:
            self._queued.add(id_)
            self._queue.append((node, _own_name(node)))
        return Reference(target=id_)

    def _read_declaration(self, node: Node, name: Name) -> None:
        id_ = TypeId(node.id)
        if id_ in self._declarations:
            return
        children = self._children.of(node)
        if children:
            self._inheritance(node, name, children)
            return
        found = self._read(node, name, named=True)
        if id_ not in self._declarations:
            self._add_alias(node, name, found)

    def _add_alias(self, node: Node, name: Name, target: Type) -> None:
        self._declarations[TypeId(node.id)] = Alias(type=target, **self._described(node, name), examples=_examples(node))

    def _described(self, node: Node, name: Name) -> dict[str, Any]:
        value = node.value if isinstance(node.value, dict) else {}
        return {
            "id": TypeId(node.id), "name": name, "doc": _doc(value), "deprecated": value.get("deprecated") is True,
            "identity": self._identity(node), "location": node.location, "extensions": _extensions(value),
        }

    def _identity(self, node: Node) -> Identity | None:
        for key in ("x-proto-message", "x-proto-enum"):
            if node.has(key):
                target = node.text(key)
                if not target:
                    self._diagnostics.error("schema/shape", f"`{key}` must be the full name of a proto type",
                                            node.child(key).location)
                    return None
                omitted = node.value.get("x-proto-omit", [])
                return Identity(proto=TypeId(target.removeprefix(".")), omitted=tuple(map(str, omitted)),
                                location=node.child(key).location)
        return None

    # -- reading

    def _read(self, node: Node, name: Name, *, named: bool) -> Type:
        if node.value is True or node.value == {} or node.value is None:
            return ANY
        if node.value is False:
            return _NEVER
        if not isinstance(node.value, dict):
            self._diagnostics.error("schema/shape", "a schema must be an object or a boolean", node.location)
            return ANY
        single = self._single_reference(node)
        if single is not None:
            return single
        return self._from_pieces(self._pieces.of(node), node, name, named=named)

    def _single_reference(self, node: Node) -> Type | None:
        """The reference, when the schema says nothing of its own beside it."""
        dialect = dialect_of(node.document)
        value: dict[str, Any] = node.value
        holder = node
        if "$ref" not in value:
            branches = value.get("allOf")
            if not (isinstance(branches, list) and len(branches) == 1 and isinstance(branches[0], dict)
                    and "$ref" in branches[0] and len(_significant(branches[0])) == 1):
                return None
            holder = node.child("allOf", 0)
        own = _significant(value) - {"$ref", "allOf"}
        if own and not (dialect is Dialect.OPENAPI_30 and holder is node):
            return None
        target = self._documents.resolve(holder.value["$ref"], holder)
        if target is None:
            return ANY
        if isinstance(target.value, dict) and set(target.value) == {"$ref"} and self._documents.follow(target) is None:
            return ANY
        reference = self._declare(target) if isinstance(target.value, dict) else self._read(target, (), named=False)
        return Nullable(inner=reference) if value.get("nullable") is True and holder is not node else reference

    def _from_pieces(self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool,
                     wrapped: bool = False) -> Type:
        """`wrapped`: null is added around the type, so that a declaration made here is not yet the schema's own."""
        if any(piece.value is False for piece in pieces):
            return _NEVER
        report_unexpressed(pieces, self._diagnostics)
        for keyword in ("oneOf", "anyOf"):
            if any(piece.has(keyword) for piece in pieces):
                found = self._alternatives(pieces, keyword, node, name, named=named, wrapped=wrapped)
                if found is not None:
                    return found
        if any(piece.has("const") for piece in pieces):
            value = first_of(pieces, "const")
            return _NULL if value is None else Constant(value=value)
        if any(piece.has("enum") or piece.has("x-extensible-enum") for piece in pieces):
            return self._enumeration(pieces, node, name, named=named, wrapped=wrapped)
        types, nullable = self._types(pieces)
        found = self._of_types(types, pieces, node, name, named=named, wrapped=wrapped or nullable)
        return Nullable(inner=found) if nullable and found not in (ANY, _NULL) else found

    def _types(self, pieces: Sequence[Node]) -> tuple[list[str], bool]:
        allowed: list[str] | None = None
        for piece in pieces:
            if not piece.has("type"):
                continue
            written = piece.value["type"]
            own = written if isinstance(written, list) else [written]
            for json_type in own:
                if json_type not in TYPES:
                    self._unknown_type(json_type, piece)
            own = [json_type for json_type in own if json_type in TYPES]
            if allowed is None:
                allowed = list(dict.fromkeys(own))
            else:
                allowed = [t for t in allowed if t in own or (t == "integer" and "number" in own)] + [
                    t for t in own if t == "integer" and "number" in allowed and t not in allowed]
        nullable = bool(pieces) and isinstance(pieces[0].value, dict) and pieces[0].value.get("nullable") is True
        if allowed is None:
            implied = implied_type(pieces)
            return ([implied] if implied else []), nullable
        if "null" in allowed and len(allowed) > 1:
            allowed.remove("null")
            nullable = True
        if not allowed:
            self._diagnostics.error("schema/impossible", "allOf joins types that no value has together",
                                    pieces[0].location)
        return allowed, nullable

    def _unknown_type(self, json_type: object, piece: Node) -> None:
        close = get_close_matches(str(json_type), TYPES, n=1)
        self._diagnostics.error("schema/unknown-type", f"`{json_type}` is no type of JSON Schema",
                                piece.child("type").location,
                                hint=f"did you mean `{close[0]}`?" if close else f"one of {', '.join(TYPES)}")

    def _of_types(self, types: list[str], pieces: Sequence[Node], node: Node, name: Name, *, named: bool,
                  wrapped: bool) -> Type:
        if not types:
            return ANY
        if len(types) == 1:
            return self._of_type(types[0], pieces, node, name, named=named, suffix="value" if wrapped else "")
        variants = tuple(self._of_type(json_type, pieces, node, (*name, json_type), named=False, suffix=json_type)
                         for json_type in types)
        return self._union(UnionKind.ANY_OF, variants, node, name, wrapped=wrapped, suffix="type")

    def _of_type(self, json_type: str, pieces: Sequence[Node], node: Node, name: Name, *, named: bool,
                 suffix: str = "") -> Type:
        if json_type == "object":
            return self._object(pieces, node, name, named=named, suffix=suffix)
        if json_type == "array":
            return self._array(pieces, name)
        primitive, written = primitive_of(json_type, pieces)
        return Scalar(primitive=primitive, format=written, constraints=self._constraints.read(pieces, json_type))

    # -- arrays

    def _array(self, pieces: Sequence[Node], name: Name) -> Type:
        constraints = self._constraints.read(pieces, "array")
        prefix, rest = self._array_parts(pieces)
        if prefix:
            items = tuple(self.type_of(item, (*name, f"item{i}")) for i, item in enumerate(prefix, 1))
            allows_rest = rest is None or rest.value is not False
            return TupleOf(items=items, constraints=constraints,
                           rest=(self.type_of(rest, (*name, "item")) if rest else ANY) if allows_rest else None)
        return ListOf(item=self.type_of(rest, (*name, "item")) if rest else ANY, constraints=constraints)

    @staticmethod
    def _array_parts(pieces: Sequence[Node]) -> tuple[list[Node], Node | None]:
        for piece in pieces:
            if piece.has("prefixItems"):
                return list(piece.child("prefixItems").items()), piece.child("items") if piece.has("items") else None
            if isinstance(first_of([piece], "items"), list):
                extra = piece.child("additionalItems") if piece.has("additionalItems") else None
                return list(piece.child("items").items()), extra
        holder = next((piece for piece in pieces if piece.has("items")), None)
        return [], holder.child("items") if holder else None

    # -- objects

    def _object(self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, suffix: str = "") -> Type:
        properties = self._properties(pieces)
        additional, declared = self._additional(pieces, name)
        constraints = self._constraints.read(pieces, "object")
        patterns = [(pattern, child) for piece in pieces for pattern, child in piece.child("patternProperties").members()]
        if not properties:
            as_map = self._map(pieces, patterns, additional, declared, constraints, name)
            if as_map is not None:
                return as_map
        self._report_names(pieces)
        id_ = TypeId(f"{node.id}~{suffix}" if suffix else node.id)
        if suffix or not named:
            if id_ in self._queued:
                return Reference(target=id_)
            self._queued.add(id_)
        required = {key for piece in pieces for key in self._required(piece)}
        record = Record(
            fields=tuple(self._field(key, nodes, key in required, name) for key, nodes in properties.items()),
            additional=additional, additional_declared=declared,
            pattern_properties=tuple((p, self.type_of(child, (*name, "pattern"))) for p, child in patterns),
            bases=self._bases(node), constraints=constraints, examples=_examples(node),
            **(self._described(node, self._inner_name(node, name) if suffix == "value" else name) | {"id": id_}))
        for key in required - properties.keys():
            record = replace(record, fields=(*record.fields, Field(
                name=key, type=ANY, required=True, location=node.location)))
        self._declarations[id_] = record
        return Reference(target=id_)

    def _map(self, pieces: Sequence[Node], patterns: list[tuple[str, Node]], additional: Type | None, declared: bool,
             constraints: Any, name: Name) -> Type | None:
        if any(self._required(piece) for piece in pieces):
            return None
        names = next((piece.child("propertyNames") for piece in pieces if piece.has("propertyNames")), None)
        key: Type = self.type_of(names, (*name, "key")) if names else _STRING
        if isinstance(key, Scalar) and key.primitive is Primitive.ANY:
            key = _STRING
        if patterns and (len(patterns) == 1 and (additional is None or not declared)):
            pattern, child = patterns[0]
            matched = Scalar(primitive=Primitive.STRING, constraints=replace(NO_CONSTRAINTS, pattern=pattern))
            return MapOf(key=matched if additional is None else key, value=self.type_of(child, (*name, "value")),
                         constraints=constraints)
        if patterns or additional is None:
            return None
        return MapOf(key=key, value=additional, constraints=constraints)

    def _report_names(self, pieces: Sequence[Node]) -> None:
        for piece in pieces:
            if piece.has("propertyNames"):
                self._diagnostics.unsupported("schema/propertynames", "`propertyNames` beside `properties` is not "
                                              "checked by the models", piece.child("propertyNames").location,
                                              hint="validate it in the handler")

    def _properties(self, pieces: Sequence[Node]) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for piece in [*pieces[1:], *pieces[:1]]:
            if piece.has("properties") and not isinstance(piece.value["properties"], dict):
                self._diagnostics.error("schema/shape", "`properties` must be an object",
                                        piece.child("properties").location)
            for key, child in piece.child("properties").members():
                found.setdefault(key, []).insert(0, child)
        return found

    def _required(self, piece: Node) -> list[str]:
        if not piece.has("required"):
            return []
        required = piece.value["required"]
        if isinstance(required, list) and all(isinstance(key, str) for key in required):
            return required
        if not (isinstance(required, bool) and dialect_of(piece.document) is not Dialect.OPENAPI_30):
            self._diagnostics.error("schema/shape", "`required` must be a list of property names",
                                    piece.child("required").location,
                                    hint="whether one property is required is said by the schema around it")
        return []

    def _additional(self, pieces: Sequence[Node], name: Name) -> tuple[Type | None, bool]:
        found: tuple[Type | None, bool] = (ANY, False)
        for piece in pieces:
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                if not piece.has(keyword):
                    continue
                child = piece.child(keyword)
                if child.value is False:
                    return None, True
                found = (self.type_of(child, (*name, "value")), True)
        return found

    def _field(self, key: str, nodes: list[Node], required: bool, name: Name) -> Field:
        telling = _telling(nodes)
        node = telling[0]
        if len(telling) == 1:
            found = self.type_of(node, (*name, key))
        else:
            joined = [piece for each in telling for piece in self._pieces.of(each)]
            found = self._from_pieces(joined, _joined_with(node, telling[1:]), (*name, key), named=False)
        values = [each.value for each in nodes if isinstance(each.value, dict)]
        default = next((v["default"] for v in values if "default" in v), None)
        return Field(
            name=key, type=found, required=required, doc=next((d for d in map(_doc, values) if d), ""),
            default=default, has_default=any("default" in v for v in values),
            read_only=any(v.get("readOnly") is True for v in values),
            write_only=any(v.get("writeOnly") is True for v in values),
            deprecated=any(v.get("deprecated") is True for v in values),
            examples=_examples(node), location=node.location,
            extensions=_extensions(values[0]) if values else {})

    def _bases(self, node: Node) -> tuple[TypeId, ...]:
        found = []
        for branch in node.child("allOf").items():
            if branch.has("$ref"):
                target = self._documents.resolve(branch.value["$ref"], branch)
                if target is not None:
                    found.append(self._declare(target).target)
        return tuple(found)

    # -- enumerations

    def _enumeration(self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, wrapped: bool) -> Type:
        holder = next(piece for piece in pieces if piece.has("enum") or piece.has("x-extensible-enum"))
        keyword = "enum" if holder.has("enum") else "x-extensible-enum"
        values = holder.value[keyword]
        if not isinstance(values, list) or not values:
            self._diagnostics.error("schema/shape", f"`{keyword}` must be a list of values",
                                    holder.child(keyword).location)
            return ANY
        if any(isinstance(value, (dict, list)) for value in values):
            self._diagnostics.unsupported("schema/enum-of-objects", "an enumeration of objects or arrays is read as "
                                          "any value", holder.child(keyword).location)
            return ANY
        types, nullable = self._types(pieces)
        nullable = nullable or None in values
        kept: dict[tuple[type, Any], int] = {}
        for i, value in enumerate(values):
            if value is not None:
                fitting = self._of_enum_type(value, types, holder.child(keyword, i))
                kept.setdefault((type(fitting), fitting), i)
        if not kept:
            return _NULL
        if len({value for _, value in kept}) < len(kept):
            self._diagnostics.unsupported("schema/enum-of-equals", "an enumeration of a boolean and the number equal "
                                          "to it is read as any value", holder.child(keyword).location)
            return ANY
        if {value for _, value in kept} == {True, False} and len(kept) == 2 and {t for t, _ in kept} == {bool}:
            plain = Scalar(primitive=Primitive.BOOLEAN)
            return Nullable(inner=plain) if nullable else plain
        if len(kept) == 1 and keyword == "enum" and (not named or next(iter(kept))[0] is bool):
            constant = Constant(value=next(iter(kept))[1])
            return Nullable(inner=constant) if nullable else constant
        labels = _enum_labels(holder, len(values))
        is_open = keyword == "x-extensible-enum" or holder.value.get("x-enum-open") is True
        members = tuple(
            EnumValue(name=labels[0][i] or _text_of(value), value=value, doc=labels[1][i],
                      location=holder.child(keyword, i).location)
            for (_, value), i in kept.items())
        return self._enum(members, node, name, is_open=is_open, nullable=nullable, wrapped=wrapped)

    def _of_enum_type(self, value: Any, types: list[str], where: Node) -> Any:
        """The value as the schema's type has it: YAML reads an unquoted `1.0` or `true` as no string."""
        if types == ["string"] and isinstance(value, (bool, int, float)):
            found: Any = _text_of(value)
        elif types == ["integer"] and isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)", value):
            found = int(value)
        else:
            return value
        self._diagnostics.warning("schema/enum-type", f"the value `{_text_of(value)}` is no {types[0]}", where.location,
                                  hint=f"it is read as {found!r}")
        return found

    def _enum(self, members: tuple[EnumValue, ...], node: Node, name: Name, *, is_open: bool, nullable: bool,
              wrapped: bool) -> Type:
        id_ = TypeId(node.id)
        if nullable or wrapped:
            id_, name = TypeId(f"{node.id}~value"), self._inner_name(node, name)
        if id_ not in self._declarations:
            self._queued.add(id_)
            self._declarations[id_] = Enum(values=members, open=is_open, **(self._described(node, name) | {"id": id_}))
        reference = Reference(target=id_)
        return Nullable(inner=reference) if nullable else reference

    def _inner_name(self, node: Node, name: Name) -> Name:
        """What is declared within a schema that adds null to it: the schema's name is taken where it has one."""
        return (*name, "value") if TypeId(node.id) in self._queued else name

    # -- unions

    def _alternatives(self, pieces: Sequence[Node], keyword: str, node: Node, name: Name, *,
                      named: bool, wrapped: bool) -> Type | None:
        """The union that `oneOf` or `anyOf` makes; None when it only asserts and the rest says the type."""
        holder = next(piece for piece in pieces if piece.has(keyword))
        branches = list(holder.child(keyword).items())
        if not branches:
            self._diagnostics.error("schema/shape", f"`{keyword}` must be a list of schemas",
                                    holder.child(keyword).location)
            return ANY
        others = [_without(piece, keyword) if piece is holder else piece for piece in pieces]
        others = [piece for piece in others if isinstance(piece.value, dict) and _significant(piece.value)]
        if holder is not pieces[0] and self._among(branches, pieces):
            return self._from_pieces(others, node, name, named=named, wrapped=wrapped) if others else ANY
        solid = [branch for branch in branches if not _is_null(branch)]
        nullable = len(solid) < len(branches) or holder.value.get("nullable") is True
        if not solid:
            return _NULL
        if all(_only_asserts(branch) for branch in solid):
            self._diagnostics.unsupported(f"schema/{keyword}-assertion", f"`{keyword}` that only states requirements is "
                                          "not checked by the models", holder.child(keyword).location)
            return self._from_pieces(others, node, name, named=named, wrapped=wrapped) if others else ANY
        members = constants_as_enum(solid, self._documents) or None
        if members:
            return self._enum(members, node, name, is_open=False, nullable=nullable, wrapped=wrapped)
        opened = open_enum_branches(solid, self._documents)
        if opened is not None:
            return self._enum(opened, node, name, is_open=True, nullable=nullable, wrapped=wrapped)
        shape_only = [piece for piece in others if _significant(piece.value) - {"type"}]
        if len(solid) == 1:
            joined = [*self._pieces.of(solid[0]), *others]
            found = self.type_of(solid[0], name) if not shape_only else self._from_pieces(
                joined, node, name, named=named, wrapped=wrapped or nullable)
        else:
            variants = tuple(self._variant(branch, shape_only, holder, node, (*name, branch_name(branch, position)))
                             for position, branch in enumerate(solid, 1))
            kind = UnionKind.ONE_OF if keyword == "oneOf" else UnionKind.ANY_OF
            found = self._union(kind, variants, node, name, wrapped=wrapped or nullable, holder=holder,
                                stand_ins=self._stand_ins(solid, variants))
        return Nullable(inner=found) if nullable and not isinstance(found, Nullable) else found

    def _among(self, branches: list[Node], pieces: Sequence[Node]) -> bool:
        """Whether one of the alternatives is the schema that is being read: a base that lists what extends it."""
        own = {piece.id for piece in pieces}
        return any(target is not None and target.id in own for target in map(self._target, branches))

    def _target(self, branch: Node) -> Node | None:
        return self._documents.resolve(branch.value["$ref"], branch) if branch.has("$ref") else None

    def _variant(self, branch: Node, others: list[Node], holder: Node, node: Node, name: Name) -> Type:
        pieces = self._pieces.of(branch) if others else []
        if not others or any(piece.id == holder.id for piece in pieces):
            return self.type_of(branch, name)
        joined = [branch, *pieces[0 if branch.has("$ref") else 1:], *others]
        joined = [piece for piece in joined if not piece.has("$ref")] or others
        own = branch if holder.id == node.id else _joined_with(branch, others)
        return self._from_pieces(joined, own, name, named=False)

    def _stand_ins(self, branches: list[Node], variants: tuple[Type, ...]) -> dict[TypeId, TypeId]:
        """Which declaration stands for each schema that a discriminator may name."""
        return {TypeId(target.id): variant.target for branch, variant in zip(branches, variants, strict=True)
                if isinstance(variant, Reference) and (target := self._target(branch)) is not None}

    def _union(self, kind: UnionKind, variants: tuple[Type, ...], node: Node, name: Name, *, wrapped: bool,
               holder: Node | None = None, suffix: str = "", stand_ins: Mapping[TypeId, TypeId] = NO_STAND_INS) -> Type:
        flat = tuple(dict.fromkeys(v.inner if isinstance(v, Nullable) else v for v in variants))
        has_null = any(isinstance(v, Nullable) for v in variants)
        if Reference(target=TypeId(node.id)) in flat:
            self._diagnostics.error("schema/cyclic-union", "a union that is one of its own variants", node.location)
            return ANY
        if len(flat) == 1:
            return Nullable(inner=flat[0]) if has_null else flat[0]
        id_ = TypeId(node.id)
        if has_null or wrapped:
            id_, name = TypeId(f"{node.id}~union"), self._inner_name(node, name)
        if id_ in self._declarations:
            id_ = TypeId(f"{node.id}~{suffix or 'union'}")
        self._queued.add(id_)
        found = discriminator_of(holder, self._documents, self._diagnostics) if holder else None
        if found is not None and holder is not None:
            self._written_tags[id_] = _written_tags(holder)
            found = replace(found, mapping=tuple((tag, stand_ins.get(target, target)) for tag, target in found.mapping))
        self._declarations[id_] = Union(kind=kind, variants=flat, discriminator=found, examples=_examples(node),
                                        **(self._described(node, name) | {"id": id_}))
        reference = Reference(target=id_)
        return Nullable(inner=reference) if has_null else reference

    def _inheritance(self, node: Node, name: Name, children: list[Node]) -> None:
        """A schema with a discriminator that others extend by allOf stands for any of them (OpenAPI 3.1, 4.8.25)."""
        variants: list[Type] = [self._declare(child) for child in children]
        base_id = TypeId(f"{node.id}~base")
        pieces = self._pieces.of(node)
        base = self._object(pieces, node, (*name, "base"), named=False, suffix="base")
        if isinstance(base, Reference) and base.target == base_id:
            variants.append(base)
        self._inherited.add(TypeId(node.id))
        self._written_tags[TypeId(node.id)] = _written_tags(node)
        self._declarations[TypeId(node.id)] = Union(
            kind=UnionKind.ANY_OF, variants=tuple(variants), examples=_examples(node),
            discriminator=discriminator_of(node, self._documents, self._diagnostics, variants=children, base=base_id),
            **self._described(node, name))


def _telling(nodes: list[Node]) -> list[Node]:
    """Those that say something about the value, the same reference once; the first when none does."""
    found: dict[str, Node] = {}
    for node in nodes:
        keys = _significant(node.value) if isinstance(node.value, dict) else set()
        if keys:
            alone = keys == {"$ref"}
            found.setdefault(f"{node.document.path} {node.value['$ref']}" if alone else node.id, node)
    return list(found.values()) or nodes[:1]


def _joined_with(node: Node, others: Sequence[Node]) -> Node:
    """The element as it is read together with others."""
    return replace(node, mark="~" + "+".join(other.id for other in others))


def _written_tags(holder: Node) -> frozenset[str]:
    return frozenset(key for key, _ in holder.child("discriminator", "mapping").members())


def _without(piece: Node, keyword: str) -> Node:
    rest = {key: value for key, value in piece.value.items() if key not in (keyword, "discriminator")}
    return Node(piece.document, piece.pointer, rest)


def _significant(value: dict[str, Any]) -> set[str]:
    return {key for key in value if key not in ANNOTATIONS and not key.startswith("x-")}


def _only_asserts(branch: Node) -> bool:
    if not isinstance(branch.value, dict) or "$ref" in branch.value:
        return False
    keys = _significant(branch.value)
    if "properties" in keys and all(isinstance(v, dict) and not _significant(v) - {"not", "const", "enum", "minLength"}
                                    for v in branch.value["properties"].values()) and "type" not in keys:
        keys = keys - {"properties"}
    return keys <= {"required", "not", "minProperties", "maxProperties", "dependentRequired"}


def _is_null(branch: Node) -> bool:
    value = branch.value
    return isinstance(value, dict) and (value.get("type") in ("null", ["null"]) or value.get("enum") == [None]
                                        or ("const" in value and value["const"] is None))


def _is_component(node: Node) -> bool:
    parts = node.pointer.split("/")
    if len(parts) == 4:
        return parts[1] == "components" and parts[2] == "schemas"
    return len(parts) == 3 and parts[1] in ("definitions", "$defs", "schemas")


def _own_name(node: Node) -> Name:
    """What a referenced schema is called: its key; of a whole file its stem; else the telling parts of the pointer."""
    if not node.pointer:
        return (node.document.path.rpartition("/")[2].split(".")[0],)
    if _is_component(node):
        return (node.key,)
    silent = {"properties", "schema", "content", "items", "components", "schemas", "definitions", "$defs", "paths",
              "allOf", "oneOf", "anyOf", "payload", "messages", "channels"}
    telling = [part for part in node.pointer.split("/")[1:] if part not in silent]
    return tuple(telling[-2:] or [node.key])


def _doc(value: dict[str, Any]) -> str:
    title, description = value.get("title"), value.get("description")
    if isinstance(description, str) and description.strip():
        return description
    return title if isinstance(title, str) else ""


def _examples(node: Node) -> tuple[Any, ...]:
    if not isinstance(node.value, dict):
        return ()
    many = node.value.get("examples")
    found = list(many) if isinstance(many, list) else []
    return (*found, node.value["example"]) if "example" in node.value else tuple(found)


def _text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _extensions(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key.startswith("x-")}


def _enum_labels(holder: Node, count: int) -> tuple[list[str], list[str]]:
    """Names and descriptions that generators' common extensions give to values."""
    def listed(*keys: str) -> list[str]:
        for key in keys:
            found = holder.value.get(key)
            if isinstance(found, list) and len(found) == count:
                return [item if isinstance(item, str) else "" for item in found]
        return [""] * count

    return listed("x-enum-varnames", "x-enumNames"), listed("x-enum-descriptions", "x-enumDescriptions")
