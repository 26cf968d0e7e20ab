"""Emits unions and aliases: `Payment = TypeAliasType(...)`."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.diagnostics import Diagnostics
from codegen.model.ids import TypeId
from codegen.model.types import (
    Alias,
    Constant,
    Enum,
    Field,
    Nullable,
    Record,
    Reference,
    Scalar,
    Type,
    Union,
)
from codegen.targets.python.constraints import INTEGERS
from codegen.targets.python.enums import document
from codegen.targets.python.names import snake
from codegen.targets.python.types import Spelling, uses
from codegen.targets.python.writer import PythonFile, text


class UnionEmitter:
    """Writes the unions and aliases of one module. `cyclic`: modules that import this one."""

    def __init__(self, spelling: Spelling, file: PythonFile, cyclic: frozenset[str], diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._spelling = spelling
        self._file = file
        self._cyclic = cyclic

    def simple_alias(self, alias: Alias) -> None:
        """An alias of a scalar, as a plain assignment."""
        name = self._spelling.class_of(alias.id)[1]
        spelled = self._spelling.annotation(alias.type, self._file, location=alias.location)
        self._file.lines(["", f"{name}: {self._file.ref('typing', 'TypeAlias')} = {spelled}"])
        document(self._file, alias.doc, deprecated=alias.deprecated)

    def emit_in_order(self, declared: Sequence[Union | Alias]) -> None:
        """Each after those it names; one within a cycle is quoted."""
        late: dict[TypeId, Union | Alias] = {one.id: one for one in declared}
        done: set[TypeId] = set()
        for one in declared:
            self._emit_after_needs(one, late, done, [])

    def _emit_after_needs(
        self, one: Union | Alias, late: dict[TypeId, Union | Alias], done: set[TypeId], waiting: list[TypeId]
    ) -> None:
        if one.id in done or one.id in waiting:
            return
        for used in uses(one):
            if used in late:
                self._emit_after_needs(late[used], late, done, [*waiting, one.id])
        quoted = any(
            (used in late and used not in done) or self._spelling.class_of(used)[0] in self._cyclic
            for used in uses(one)
        )
        for written in (False, True) if self._spelling.is_split(one.id) else (False,):
            if isinstance(one, Union):
                self._union(one, quoted=quoted, written=written)
            else:
                self._alias(one, quoted=quoted, written=written)
        done.add(one.id)

    def _alias(self, alias: Alias, *, quoted: bool, written: bool) -> None:
        if self._endless(alias.type, alias):
            self._assign(alias, self._file.ref("typing", "Any"), quoted=False, written=written)
            return
        spelled = self._spelling.annotation(
            alias.type, self._file, written=written, typing_only=self._cyclic, location=alias.location
        )
        self._assign(alias, spelled, quoted=quoted, written=written)

    def _union(self, union: Union, *, quoted: bool, written: bool) -> None:
        members = [
            self._spelling.annotation(
                variant, self._file, written=written, typing_only=self._cyclic, location=union.location
            )
            for variant in union.variants
            if not self._endless(variant, union)
        ]
        if not members:
            members = [self._file.ref("typing", "Any")]
        if union.discriminator is None:
            self._assign(union, self._spelling.either(members, self._file), quoted=quoted, written=written)
            return
        self._unknown(union, union.discriminator.property, written=written)
        nullable = any(self._spelling.accepts_null(variant) for variant in union.variants)
        objects = [member.removesuffix(" | None") for member in members if member != "None"]
        either = self._spelling.either([*objects, self._spelling.unknown_of(union.id, written=written)], self._file)
        runtime = f"{self._spelling.layout.package}.runtime.unions"
        discriminated = self._file.ref(runtime, "Discriminated")
        property_ = union.discriminator.property
        numeric = self._is_numeric(union, property_)
        mapping = ", ".join(
            f"{tag if numeric else text(tag)}: {self._target(target, written)}"
            for tag, target in union.discriminator.mapping
        )
        optional = ", optional=True" if self._is_optional(union, property_) else ""
        rule = f"{discriminated}({text(property_)}, {text(_attribute(property_))}, {{{mapping}}}{optional})"
        spelled = f"{self._file.ref('typing', 'Annotated')}[{either}, {rule}]"
        self._assign(union, f"{spelled} | None" if nullable else spelled, quoted=quoted, written=written)

    def _property(self, type_: Type, property_: str) -> Field | None:
        """The property of a variant; None when the variant is no record or does not have it."""
        declared = self._spelling.graph.declarations[type_.target] if isinstance(type_, Reference) else None
        if isinstance(declared, Alias):
            return self._property(declared.type, property_)
        fields = declared.fields if isinstance(declared, Record) else ()
        return next((field for field in fields if field.name == property_), None)

    def _is_optional(self, union: Union, property_: str) -> bool:
        found = [self._property(variant, property_) for variant in union.variants]
        return any(field is not None and not field.required for field in found)

    def _is_numeric(self, union: Union, property_: str) -> bool:
        """Whether the values at the property are integers."""
        return any(
            field is not None and self._holds_integers(field.type)
            for field in (self._property(variant, property_) for variant in union.variants)
        )

    def _holds_integers(self, type_: Type) -> bool:
        if isinstance(type_, Nullable):
            return self._holds_integers(type_.inner)
        if isinstance(type_, Constant):
            return isinstance(type_.value, int)
        declared = self._spelling.graph.declarations[type_.target] if isinstance(type_, Reference) else None
        if isinstance(declared, Alias):
            return self._holds_integers(declared.type)
        if isinstance(declared, Enum):
            return all(isinstance(value.value, int) for value in declared.values)
        return isinstance(type_, Scalar) and type_.primitive in INTEGERS

    def _target(self, target: TypeId, written: bool) -> str:
        module, name = self._spelling.class_of(target, written=written)
        return self._file.ref(module, name, typing_only=module in self._cyclic)

    def _endless(self, type_: Type, one: Union | Alias) -> bool:
        endless = self._spelling.is_endless(type_, one.id)
        if endless:
            self._diagnostics.error(
                "python/endless",
                f"`{'.'.join(one.name)}` refers back to itself with no object or array in between",
                one.location,
                hint="checking a value against it would never end (JSON Schema 2020-12 core, 9.4.1)",
            )
        return endless

    def _unknown(self, union: Union, property_: str, *, written: bool) -> None:
        name = self._spelling.class_of(union.id, written=written)[1]
        base = self._file.ref(f"{self._spelling.layout.package}.runtime.unions", "UnknownVariant")
        self._file.lines(["", ""])
        with self._file.block(f"class {self._spelling.unknown_of(union.id, written=written)}({base}):"):
            document(self._file, f"A `{name}` whose `{property_}` the contract does not list; all its data is kept.")
            attribute = _attribute(property_)
            kind = "int" if self._is_numeric(union, property_) else "str"
            if attribute == property_:
                self._file.line(f"{attribute}: {kind}")
            else:
                alias = f"{self._file.ref('pydantic', 'Field')}(alias={text(property_)})"
                self._file.line(f"{attribute}: {self._file.ref('typing', 'Annotated')}[{kind}, {alias}]")

    def _assign(self, declared: Union | Alias, spelled: str, *, quoted: bool, written: bool) -> None:
        """Quoted: what the expression names is defined later; it is read when first used."""
        name = self._spelling.class_of(declared.id, written=written)[1]
        alias_type = self._file.ref("typing_extensions", "TypeAliasType")
        self._file.lines(["", "", f"{name} = {alias_type}({text(name)}, {text(spelled) if quoted else spelled})"])
        document(self._file, declared.doc, deprecated=declared.deprecated)


def _attribute(property_: str) -> str:
    return property_ if property_.isidentifier() and property_.islower() else snake(property_)
