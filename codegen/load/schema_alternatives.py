"""`oneOf` and `anyOf`: what kind of choice they are, their variants, and inheritance by allOf.

Works for one `SchemaReader`, which reads what stands within the alternatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Documents, Node
from codegen.load.schema_keywords import (
    Name,
    examples_of,
    is_null,
    joined_with,
    only_asserts,
    significant,
    without,
    written_tags,
)
from codegen.load.schema_unions import (
    branch_name,
    constants_as_enum,
    discriminator_of,
    inferred_discriminator,
    open_enum_branches,
    settled_discriminator,
)
from codegen.model.ids import TypeId
from codegen.model.types import ANY, Discriminator, Nullable, Primitive, Reference, Scalar, Type, Union, UnionKind

if TYPE_CHECKING:
    from codegen.load.schemas import SchemaReader

MAX_JOINED = 2_000
"""Alternatives that are joined with what stands beside them, in one run: each level of nesting multiplies them."""
NO_STAND_INS: Mapping[TypeId, TypeId] = MappingProxyType({})
_NULL = Scalar(primitive=Primitive.NULL)


class UnionReader:
    """Reads alternatives into unions, enumerations or the type that they amount to."""

    def __init__(self, reader: SchemaReader, documents: Documents, diagnostics: Diagnostics) -> None:
        self._reader = reader
        self._documents = documents
        self._diagnostics = diagnostics
        self._written_tags: dict[TypeId, frozenset[str]] = {}
        self._inherited: set[TypeId] = set()
        self._joined = 0

    def settled(self, union: Union) -> Discriminator | None:
        """The discriminator, once all variants are known; None, reported, when it does not tell them apart."""
        given = union.discriminator
        if given is None or not given.explicit:
            return inferred_discriminator(union, self._reader.declarations) or given
        found = settled_discriminator(
            union, given, self._written_tags[union.id], self._reader.declarations, inherited=union.id in self._inherited
        )
        if found is None:
            self._diagnostics.unsupported(
                "schema/discriminator",
                f"`{given.property}` does not tell all variants apart: they are told apart by their shape",
                union.location,
            )
        return found

    def alternatives(
        self, pieces: Sequence[Node], keyword: str, node: Node, name: Name, *, named: bool, wrapped: bool
    ) -> Type | None:
        """The union that `oneOf` or `anyOf` makes; None when it only asserts and the rest says the type."""
        holder = next(piece for piece in pieces if piece.has(keyword))
        branches = list(holder.child(keyword).items())
        if not branches:
            self._diagnostics.error(
                "schema/shape",
                f"`{keyword}` must be a list of schemas",
                holder.child(keyword).location,
                hint="write each schema as an item of a list",
            )
            return ANY
        others = [without(piece, keyword) if piece is holder else piece for piece in pieces]
        others = [piece for piece in others if isinstance(piece.value, dict) and significant(piece.value)]
        if holder is not pieces[0] and self._among(branches, pieces):
            return self._reader.from_pieces(others, node, name, named=named, wrapped=wrapped) if others else ANY
        solid = [branch for branch in branches if not is_null(branch)]
        nullable = len(solid) < len(branches) or holder.value.get("nullable") is True
        if not solid:
            return _NULL
        if all(only_asserts(branch) for branch in solid):
            self._diagnostics.unsupported(
                f"schema/{keyword}-assertion",
                f"`{keyword}` that only states requirements is not checked by the models",
                holder.child(keyword).location,
            )
            return self._reader.from_pieces(others, node, name, named=named, wrapped=wrapped) if others else ANY
        members = constants_as_enum(solid, self._documents) or None
        if members:
            return self._reader.enum_of(members, node, name, is_open=False, nullable=nullable, wrapped=wrapped)
        opened = open_enum_branches(solid, self._documents)
        if opened is not None:
            return self._reader.enum_of(opened, node, name, is_open=True, nullable=nullable, wrapped=wrapped)
        shape_only = [piece for piece in others if significant(piece.value) - {"type"}]
        if len(solid) == 1:
            joined = [*self._reader.pieces.of(solid[0]), *others]
            found = (
                self._reader.type_of(solid[0], name)
                if not shape_only
                else self._reader.from_pieces(joined, node, name, named=named, wrapped=wrapped or nullable)
            )
        else:
            variants = tuple(
                self._variant(branch, shape_only, holder, node, (*name, branch_name(branch, position)))
                for position, branch in enumerate(solid, 1)
            )
            kind = UnionKind.ONE_OF if keyword == "oneOf" else UnionKind.ANY_OF
            found = self.union(
                kind,
                variants,
                node,
                name,
                wrapped=wrapped or nullable,
                holder=holder,
                stand_ins=self._stand_ins(solid, variants),
            )
        return Nullable(inner=found) if nullable and not isinstance(found, Nullable) else found

    def _among(self, branches: list[Node], pieces: Sequence[Node]) -> bool:
        """Whether one of the alternatives is the schema that is being read: a base that lists what extends it."""
        own = {piece.id for piece in pieces}
        return any(target is not None and target.id in own for target in map(self._target, branches))

    def _target(self, branch: Node) -> Node | None:
        return self._documents.resolve(branch.value["$ref"], branch) if branch.has("$ref") else None

    def _variant(self, branch: Node, others: list[Node], holder: Node, node: Node, name: Name) -> Type:
        pieces = self._reader.pieces.of(branch) if others else []
        self._joined += bool(others)
        if self._joined > MAX_JOINED:
            self._diagnostics.unsupported(
                "schema/too-many-variants",
                f"more than {MAX_JOINED:,} alternatives are to be "
                "joined with what stands beside them: the rest is read as any value",
                holder.location,
                hint="name the combinations that are meant",
            )
            return ANY
        if not others or any(piece.id == holder.id for piece in pieces):
            return self._reader.type_of(branch, name)
        joined = [branch, *pieces[0 if branch.has("$ref") else 1 :], *others]
        joined = [piece for piece in joined if not piece.has("$ref")] or others
        own = branch if holder.id == node.id else joined_with(branch, others)
        return self._reader.from_pieces(joined, own, name, named=False)

    def _stand_ins(self, branches: list[Node], variants: tuple[Type, ...]) -> dict[TypeId, TypeId]:
        """Which declaration stands for each schema that a discriminator may name."""
        return {
            TypeId(target.id): variant.target
            for branch, variant in zip(branches, variants, strict=True)
            if isinstance(variant, Reference) and (target := self._target(branch)) is not None
        }

    def union(
        self,
        kind: UnionKind,
        variants: tuple[Type, ...],
        node: Node,
        name: Name,
        *,
        wrapped: bool,
        holder: Node | None = None,
        suffix: str = "",
        stand_ins: Mapping[TypeId, TypeId] = NO_STAND_INS,
    ) -> Type:
        """The declared union of the variants, null apart; the one variant when there is no choice."""
        flat = tuple(dict.fromkeys(v.inner if isinstance(v, Nullable) else v for v in variants))
        has_null = any(isinstance(v, Nullable) for v in variants)
        if Reference(target=TypeId(node.id)) in flat:
            self._diagnostics.error(
                "schema/cyclic-union",
                "a union that is one of its own variants",
                node.location,
                hint="remove the variant that refers to the union itself",
            )
            return ANY
        if len(flat) == 1:
            return Nullable(inner=flat[0]) if has_null else flat[0]
        id_ = TypeId(node.id)
        if has_null or wrapped:
            id_, name = TypeId(f"{node.id}~union"), self._reader.inner_name(node, name)
        if id_ in self._reader.declarations:
            id_ = TypeId(f"{node.id}~{suffix or 'union'}")
        self._reader.queued.add(id_)
        found = discriminator_of(holder, self._documents, self._diagnostics) if holder else None
        if found is not None and holder is not None:
            self._written_tags[id_] = written_tags(holder)
            found = replace(found, mapping=tuple((tag, stand_ins.get(target, target)) for tag, target in found.mapping))
        self._reader.declarations[id_] = Union(
            kind=kind,
            variants=flat,
            discriminator=found,
            examples=examples_of(node),
            **(self._reader.described(node, name) | {"id": id_}),
        )
        reference = Reference(target=id_)
        return Nullable(inner=reference) if has_null else reference

    def inheritance(self, node: Node, name: Name, children: list[Node]) -> None:
        """A schema with a discriminator that others extend by allOf stands for any of them (OpenAPI 3.1, 4.8.25)."""
        variants: list[Type] = [self._reader.declare(child) for child in children]
        base_id = TypeId(f"{node.id}~base")
        pieces = self._reader.pieces.of(node)
        base = self._reader.object_of(pieces, node, (*name, "base"), named=False, suffix="base")
        if isinstance(base, Reference) and base.target == base_id:
            variants.append(base)
        self._inherited.add(TypeId(node.id))
        self._written_tags[TypeId(node.id)] = written_tags(node)
        self._reader.declarations[TypeId(node.id)] = Union(
            kind=UnionKind.ANY_OF,
            variants=tuple(variants),
            examples=examples_of(node),
            discriminator=discriminator_of(node, self._documents, self._diagnostics, variants=children, base=base_id),
            **self._reader.described(node, name),
        )
