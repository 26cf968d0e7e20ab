"""JSON Schema 2020-12 as OpenAPI and AsyncAPI use it: schema nodes -> types and declarations.

Phases: `type_of` reads the schema where a value stands; every `$ref` target,
object, enumeration and union becomes a declaration, read once (`finish` works
off what references have queued); last, discriminators that the variants imply
are inferred. `allOf` is merged at the level of schema *pieces* (see
`codegen.load.schema_pieces`). What the graph cannot hold is reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Documents, Node
from codegen.load.schema_alternatives import UnionReader
from codegen.load.schema_enums import Listed, allows_null, lists_values, read_enumeration
from codegen.load.schema_keywords import (
    Name,
    doc_of,
    examples_of,
    extensions_of,
    is_component,
    joined_with,
    own_name,
    significant,
    telling,
)
from codegen.load.schema_pieces import (
    Dialect,
    Pieces,
    dialect_of,
    report_unexpressed,
)
from codegen.load.schema_scalars import TYPES, ConstraintReader, first_of, implied_type, primitive_of
from codegen.load.schema_unions import (
    InheritanceIndex,
)
from codegen.model.ids import TypeId
from codegen.model.types import (
    ANY,
    NO_CONSTRAINTS,
    Alias,
    Constant,
    Declaration,
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

_STRING = Scalar(primitive=Primitive.STRING)
_NEVER = Scalar(primitive=Primitive.NEVER)
_NULL = Scalar(primitive=Primitive.NULL)


class SchemaReader:
    """Reads schemas of all documents into one set of declarations."""

    def __init__(self, documents: Documents, diagnostics: Diagnostics) -> None:
        self._documents = documents
        self._diagnostics = diagnostics
        self._constraints = ConstraintReader(diagnostics)
        self.pieces = Pieces(documents, diagnostics)
        self._children = InheritanceIndex(documents)
        self._unions = UnionReader(self, documents, diagnostics)
        self.declarations: dict[TypeId, Declaration] = {}
        self.queued: set[TypeId] = set()
        self._queue: deque[tuple[Node, Name]] = deque()

    def type_of(self, node: Node, name: Name) -> Type:
        """The type that the schema at `node` describes.

        `name` is what an inline object, enumeration or union found here is
        called; a component keeps its own name.
        """
        if is_component(node):
            return self.declare(node)
        return self._read(node, name, named=False)

    def finish(self) -> dict[TypeId, Declaration]:
        """Read everything that references have queued; all declarations, in order of discovery."""
        while self._queue:
            node, name = self._queue.popleft()
            self._read_declaration(node, name)
        self._break_alias_cycles()
        for id_, declared in self.declarations.items():
            if isinstance(declared, Union):
                self.declarations[id_] = replace(declared, discriminator=self._unions.settled(declared))
        return self.declarations

    def _break_alias_cycles(self) -> None:
        for id_, declared in self.declarations.items():
            seen: set[TypeId] = set()
            current: Declaration | None = declared
            while isinstance(current, Alias) and current.id not in seen:
                seen.add(current.id)
                inner = current.type.inner if isinstance(current.type, Nullable) else current.type
                current = self.declarations.get(inner.target) if isinstance(inner, Reference) else None
            if isinstance(current, Alias) and current.id == id_ and isinstance(declared, Alias):
                self._diagnostics.error(
                    "schema/cyclic-alias",
                    "a schema that is only a name for itself",
                    declared.location,
                    hint="one of the schemas of the circle must be described by more than a `$ref`",
                )
                self.declarations[id_] = replace(declared, type=ANY)

    # -- declarations

    def declare(self, node: Node) -> Reference:
        """A reference to the schema at `node`, which is read later."""
        id_ = TypeId(node.id)
        if id_ not in self.queued:
            self.queued.add(id_)
            self._queue.append((node, own_name(node)))
        return Reference(target=id_)

    def _read_declaration(self, node: Node, name: Name) -> None:
        id_ = TypeId(node.id)
        if id_ in self.declarations:
            return
        children = self._children.of(node)
        if children:
            self._unions.inheritance(node, name, children)
            return
        found = self._read(node, name, named=True)
        if id_ not in self.declarations:
            self._add_alias(node, name, found)

    def _add_alias(self, node: Node, name: Name, target: Type) -> None:
        self.declarations[TypeId(node.id)] = Alias(
            type=target, **self.described(node, name), examples=examples_of(node)
        )

    def described(self, node: Node, name: Name) -> dict[str, Any]:
        """What every declaration has: id, name, documentation, identity and place."""
        value = node.value if isinstance(node.value, dict) else {}
        return {
            "id": TypeId(node.id),
            "name": name,
            "doc": doc_of(value),
            "deprecated": value.get("deprecated") is True,
            "identity": self._identity(node),
            "location": node.location,
            "extensions": extensions_of(value),
        }

    def _identity(self, node: Node) -> Identity | None:
        for key in ("x-proto-message", "x-proto-enum"):
            if node.has(key):
                target = node.text(key)
                if not target:
                    self._diagnostics.error(
                        "schema/shape",
                        f"`{key}` must be the full name of a proto type",
                        node.child(key).location,
                        hint="write such as `order.v1.Order`",
                    )
                    return None
                return Identity(
                    proto=TypeId(target.removeprefix(".")),
                    omitted=self._omitted(node),
                    location=node.child(key).location,
                )
        return None

    def _omitted(self, node: Node) -> tuple[str, ...]:
        omitted = node.value.get("x-proto-omit", [])
        if isinstance(omitted, list) and all(isinstance(name, str) for name in omitted):
            return tuple(omitted)
        self._diagnostics.error(
            "schema/shape",
            "`x-proto-omit` must be a list of field names",
            node.child("x-proto-omit").location,
            hint="write such as `x-proto-omit: [created_at]`",
        )
        return ()

    # -- reading

    def _read(self, node: Node, name: Name, *, named: bool) -> Type:
        if node.value is True or node.value == {} or node.value is None:
            return ANY
        if node.value is False:
            return _NEVER
        if not isinstance(node.value, dict):
            self._diagnostics.error(
                "schema/shape",
                "a schema must be an object or a boolean",
                node.location,
                hint="write `{}` for a schema that allows everything",
            )
            return ANY
        single = self._single_reference(node)
        if single is not None:
            return single
        return self.from_pieces(self.pieces.of(node), node, name, named=named)

    def _single_reference(self, node: Node) -> Type | None:
        """The reference, when the schema says nothing of its own beside it."""
        dialect = dialect_of(node.document)
        value: dict[str, Any] = node.value
        holder = node
        if "$ref" not in value:
            branches = value.get("allOf")
            if not (
                isinstance(branches, list)
                and len(branches) == 1
                and isinstance(branches[0], dict)
                and "$ref" in branches[0]
                and len(significant(branches[0])) == 1
            ):
                return None
            holder = node.child("allOf", 0)
        own = significant(value) - {"$ref", "allOf"}
        if own and not (dialect is Dialect.OPENAPI_30 and holder is node):
            return None
        target = self._documents.resolve(holder.value["$ref"], holder)
        if target is None:
            return ANY
        if isinstance(target.value, dict) and set(target.value) == {"$ref"} and self._documents.follow(target) is None:
            return ANY
        reference = self.declare(target) if isinstance(target.value, dict) else self._read(target, (), named=False)
        return Nullable(inner=reference) if value.get("nullable") is True and holder is not node else reference

    def from_pieces(
        self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, wrapped: bool = False
    ) -> Type:
        """`wrapped`: null is added around the type, so that a declaration made here is not yet the schema's own."""
        if any(piece.value is False for piece in pieces):
            return _NEVER
        report_unexpressed(pieces, self._diagnostics)
        for keyword in ("oneOf", "anyOf"):
            if any(piece.has(keyword) for piece in pieces):
                found = self._unions.alternatives(pieces, keyword, node, name, named=named, wrapped=wrapped)
                if found is not None:
                    return found
        if any(piece.has("const") for piece in pieces):
            value = first_of(pieces, "const")
            return _NULL if value is None else Constant(value=value)
        if any(lists_values(piece) for piece in pieces):
            return self._enumeration(pieces, node, name, named=named, wrapped=wrapped)
        types, nullable = self._types(pieces)
        found = self._of_types(types, pieces, node, name, named=named, wrapped=wrapped or nullable)
        return Nullable(inner=found) if nullable and found not in (ANY, _NULL) else found

    def _types(self, pieces: Sequence[Node]) -> tuple[list[str], bool]:
        allowed: list[str] | None = None
        unknown = False
        for piece in pieces:
            if not piece.has("type"):
                continue
            written = piece.value["type"]
            own = written if isinstance(written, list) else [written]
            for json_type in own:
                if json_type not in TYPES:
                    unknown = True
                    self._unknown_type(json_type, piece)
            own = [json_type for json_type in own if json_type in TYPES]
            if allowed is None:
                allowed = list(dict.fromkeys(own))
            else:
                allowed = [t for t in allowed if t in own or (t == "integer" and "number" in own)] + [
                    t for t in own if t == "integer" and "number" in allowed and t not in allowed
                ]
        nullable = bool(pieces) and isinstance(pieces[0].value, dict) and pieces[0].value.get("nullable") is True
        if allowed is None:
            implied = implied_type(pieces)
            return ([implied] if implied else []), nullable
        if "null" in allowed and len(allowed) > 1:
            allowed.remove("null")
            nullable = True
        if not allowed and not unknown:
            self._diagnostics.error(
                "schema/impossible",
                "allOf joins types that no value has together",
                pieces[0].location,
                hint="give the joined schemas one type",
            )
        return allowed, nullable

    def _unknown_type(self, json_type: object, piece: Node) -> None:
        close = get_close_matches(str(json_type), TYPES, n=1)
        self._diagnostics.error(
            "schema/unknown-type",
            f"`{json_type}` is no type of JSON Schema",
            piece.child("type").location,
            hint=f"did you mean `{close[0]}`?" if close else f"one of {', '.join(TYPES)}",
        )

    def _of_types(
        self, types: list[str], pieces: Sequence[Node], node: Node, name: Name, *, named: bool, wrapped: bool
    ) -> Type:
        if not types:
            return ANY
        if len(types) == 1:
            return self._of_type(types[0], pieces, node, name, named=named, suffix="value" if wrapped else "")
        variants = tuple(
            self._of_type(json_type, pieces, node, (*name, json_type), named=False, suffix=json_type)
            for json_type in types
        )
        return self._unions.union(UnionKind.ANY_OF, variants, node, name, wrapped=wrapped, suffix="type")

    def _of_type(
        self, json_type: str, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, suffix: str = ""
    ) -> Type:
        if json_type == "object":
            return self.object_of(pieces, node, name, named=named, suffix=suffix)
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
            return TupleOf(
                items=items,
                constraints=constraints,
                rest=(self.type_of(rest, (*name, "item")) if rest else ANY) if allows_rest else None,
            )
        lists = telling([piece.child("items") for piece in pieces if piece.has("items")])
        if len(lists) > 1:
            joined = [piece for each in lists for piece in self.pieces.of(each)]
            item = self.from_pieces(joined, joined_with(lists[0], lists[1:]), (*name, "item"), named=False)
            return ListOf(item=item, constraints=constraints)
        return ListOf(item=self.type_of(lists[0], (*name, "item")) if lists else ANY, constraints=constraints)

    @staticmethod
    def _array_parts(pieces: Sequence[Node]) -> tuple[list[Node], Node | None]:
        for piece in pieces:
            if piece.has("prefixItems"):
                return list(piece.child("prefixItems").items()), piece.child("items") if piece.has("items") else None
            if isinstance(first_of([piece], "items"), list):
                extra = piece.child("additionalItems") if piece.has("additionalItems") else None
                return list(piece.child("items").items()), extra
        return [], None

    # -- objects

    def object_of(self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, suffix: str = "") -> Type:
        """The map, or the reference to the record, that an object schema describes."""
        properties = self._properties(pieces)
        additional, declared = self._additional(pieces, name)
        constraints = self._constraints.read(pieces, "object")
        patterns = [
            (pattern, child) for piece in pieces for pattern, child in piece.child("patternProperties").members()
        ]
        if not properties:
            as_map = self._map(pieces, patterns, additional, declared, constraints, name)
            if as_map is not None:
                return as_map
        self._report_names(pieces)
        id_ = TypeId(f"{node.id}~{suffix}" if suffix else node.id)
        if suffix or not named:
            if id_ in self.queued:
                return Reference(target=id_)
            self.queued.add(id_)
        required = dict.fromkeys(key for piece in pieces for key in self._required(piece))
        record = Record(
            fields=tuple(self._field(key, nodes, key in required, name) for key, nodes in properties.items()),
            additional=additional,
            additional_declared=declared,
            pattern_properties=tuple((p, self.type_of(child, (*name, "pattern"))) for p, child in patterns),
            bases=self._bases(node),
            constraints=constraints,
            examples=examples_of(node),
            **(self.described(node, self.inner_name(node, name) if suffix == "value" else name) | {"id": id_}),
        )
        undescribed = tuple(
            Field(name=key, type=ANY, required=True, location=node.location)
            for key in required
            if key not in properties
        )
        if undescribed:
            record = replace(record, fields=(*record.fields, *undescribed))
        self.declarations[id_] = record
        return Reference(target=id_)

    def _map(
        self,
        pieces: Sequence[Node],
        patterns: list[tuple[str, Node]],
        additional: Type | None,
        declared: bool,
        constraints: Any,
        name: Name,
    ) -> Type | None:
        if any(self._required(piece) for piece in pieces):
            return None
        names = next((piece.child("propertyNames") for piece in pieces if piece.has("propertyNames")), None)
        key: Type = self.type_of(names, (*name, "key")) if names else _STRING
        if isinstance(key, Scalar) and key.primitive is Primitive.ANY:
            key = _STRING
        if patterns and (len(patterns) == 1 and (additional is None or not declared)):
            pattern, child = patterns[0]
            matched = Scalar(primitive=Primitive.STRING, constraints=replace(NO_CONSTRAINTS, pattern=pattern))
            return MapOf(
                key=matched if additional is None else key,
                value=self.type_of(child, (*name, "value")),
                constraints=constraints,
            )
        if patterns or additional is None:
            return None
        return MapOf(key=key, value=additional, constraints=constraints)

    def _report_names(self, pieces: Sequence[Node]) -> None:
        for piece in pieces:
            if piece.has("propertyNames"):
                self._diagnostics.unsupported(
                    "schema/propertynames",
                    "`propertyNames` beside `properties` is not checked by the models",
                    piece.child("propertyNames").location,
                    hint="validate it in the handler",
                )

    def _properties(self, pieces: Sequence[Node]) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for piece in [*pieces[1:], *pieces[:1]]:
            if piece.has("properties") and not isinstance(piece.value["properties"], dict):
                self._diagnostics.error(
                    "schema/shape",
                    "`properties` must be an object",
                    piece.child("properties").location,
                    hint="write each property as a member: `name: {type: string}`",
                )
            for key, child in piece.child("properties").members():
                found.setdefault(key, []).insert(0, child)
        return found

    def _required(self, piece: Node) -> list[str]:
        if not piece.has("required"):
            return []
        required = piece.value["required"]
        if isinstance(required, list) and all(isinstance(key, str) for key in required):
            return required
        if isinstance(required, bool) and dialect_of(piece.document) is not Dialect.OPENAPI_30:
            self._report_flag(piece)
        else:
            self._diagnostics.error(
                "schema/shape",
                "`required` must be a list of property names",
                piece.child("required").location,
                hint="whether one property is required is said by the schema around it",
            )
        return []

    def _report_flag(self, node: Node) -> None:
        self._diagnostics.warning(
            "schema/required-flag",
            "`required` on a property itself means nothing",
            node.child("required").location,
            hint="list the property under `required` of the schema around it",
        )

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
        chosen = telling(nodes)
        node = chosen[0]
        if len(chosen) == 1:
            found = self.type_of(node, (*name, key))
        else:
            joined = [piece for each in chosen for piece in self.pieces.of(each)]
            found = self.from_pieces(joined, joined_with(node, chosen[1:]), (*name, key), named=False)
        values = [each.value for each in nodes if isinstance(each.value, dict)]
        for each in nodes:
            if isinstance(each.value, dict) and isinstance(each.value.get("required"), bool):
                self._report_flag(each)
        default = next((v["default"] for v in values if "default" in v), None)
        return Field(
            name=key,
            type=found,
            required=required,
            doc=next((d for d in map(doc_of, values) if d), ""),
            default=default,
            has_default=any("default" in v for v in values),
            read_only=any(v.get("readOnly") is True for v in values),
            write_only=any(v.get("writeOnly") is True for v in values),
            deprecated=any(v.get("deprecated") is True for v in values),
            examples=examples_of(node),
            location=node.location,
            extensions=extensions_of(values[0]) if values else {},
        )

    def _bases(self, node: Node) -> tuple[TypeId, ...]:
        found = []
        for branch in node.child("allOf").items():
            if branch.has("$ref"):
                target = self._documents.resolve(branch.value["$ref"], branch)
                if target is not None:
                    found.append(self.declare(target).target)
        return tuple(found)

    # -- enumerations

    def _enumeration(self, pieces: Sequence[Node], node: Node, name: Name, *, named: bool, wrapped: bool) -> Type:
        types, nullable = self._types(pieces)
        nullable = nullable or allows_null(pieces)
        found = read_enumeration(pieces, types, named=named, diagnostics=self._diagnostics)
        if isinstance(found, Listed):
            return self.enum_of(found.values, node, name, is_open=found.open, nullable=nullable, wrapped=wrapped)
        return Nullable(inner=found) if nullable and found not in (ANY, _NULL) else found

    def enum_of(
        self, members: tuple[EnumValue, ...], node: Node, name: Name, *, is_open: bool, nullable: bool, wrapped: bool
    ) -> Type:
        """The enumeration of these values, declared at `node`."""
        id_ = TypeId(node.id)
        if nullable or wrapped:
            id_, name = TypeId(f"{node.id}~value"), self.inner_name(node, name)
        if id_ not in self.declarations:
            self.queued.add(id_)
            self.declarations[id_] = Enum(values=members, open=is_open, **(self.described(node, name) | {"id": id_}))
        reference = Reference(target=id_)
        return Nullable(inner=reference) if nullable else reference

    def inner_name(self, node: Node, name: Name) -> Name:
        """What is declared within a schema that adds null to it: the schema's name is taken where it has one."""
        return (*name, "value") if TypeId(node.id) in self.queued else name
