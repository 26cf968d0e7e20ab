"""How a `Type` is spelled in Python, and which class stands for a declaration in which direction.

A declaration whose fields are partly readOnly or writeOnly (or that contains
such a one) has two classes: `Order` for what is received from the service,
`OrderRequest` for what is sent to it. That follows from the declaration alone,
not from who uses it, so that a contract's models depend on no other contract
than those it refers to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass

from codegen.diagnostics import Diagnostics
from codegen.model.graph import ContractKind, Graph
from codegen.model.ids import NOWHERE, Location, TypeId
from codegen.model.types import (
    Alias,
    Constant,
    Constraints,
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
from codegen.targets.python.constraints import (
    TEXT,
    decimal_text,
    length_arguments,
    number_arguments,
    pattern_parts,
)
from codegen.targets.python.layout import Layout
from codegen.targets.python.writer import PythonFile, json_literal, text

_RUNTIME_SCALARS = {
    Primitive.BYTES: "Base64",
    Primitive.INT32: "Int32",
    Primitive.INT64: "Int64",
    Primitive.UINT32: "UInt32",
    Primitive.UINT64: "UInt64",
    Primitive.DECIMAL_NUMBER: "DecimalNumber",
    Primitive.DECIMAL_STRING: "DecimalText",
    Primitive.DATE: "Date",
    Primitive.TIME: "WallTime",
    Primitive.DATE_TIME: "DateTime",
    Primitive.DURATION: "Duration",
    Primitive.UUID: "Uuid",
    Primitive.NEVER: "Never",
}
_PLAIN = {
    Primitive.BOOLEAN: "bool",
    Primitive.INTEGER: "int",
    Primitive.FLOAT: "float",
    Primitive.DOUBLE: "float",
    Primitive.NUMBER: "float",
    Primitive.BINARY: "bytes",
    Primitive.NULL: "None",
    **dict.fromkeys(TEXT, "str"),
}
_PLAIN_INTEGERS = frozenset({Primitive.INT32, Primitive.INT64, Primitive.UINT32, Primitive.UINT64})
_WIDE = frozenset({Primitive.INT64, Primitive.UINT64})
_DECIMALS = frozenset({Primitive.DECIMAL_NUMBER, Primitive.DECIMAL_STRING})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """Where a type is being spelled."""

    file: PythonFile
    written: bool
    bare: bool = False
    typing_only: frozenset[str] = frozenset()
    """Modules imported only for type checkers at the top, because they import this one."""
    location: Location = NOWHERE


class Spelling:
    """Python annotations for the types of one graph. Build it once per run."""

    def __init__(self, graph: Graph, layout: Layout, diagnostics: Diagnostics) -> None:
        self.graph = graph
        self.layout = layout
        self.diagnostics = diagnostics
        self._split = _reaching(graph, {i for i, d in graph.declarations.items() if _has_direction(d)})
        self._taken = _class_names(graph, layout)
        self._request_names = _request_names(graph, layout, self._split, set(self._taken))
        self._same_value = {
            type_id: [target for type_ in _variants(declared) for target in _same_value(type_)]
            for type_id, declared in graph.declarations.items()
        }
        self.contract_uses = _contract_uses(graph)
        """Paths of the contracts whose declarations each contract names."""

    def reporting_to(self, diagnostics: Diagnostics) -> Spelling:
        """The same spelling, its complaints gathered elsewhere; costs nothing."""
        other = copy(self)
        other.diagnostics = diagnostics
        return other

    def is_split(self, type_id: TypeId) -> bool:
        """Whether requests and responses see the declaration differently."""
        return type_id in self._split

    def class_of(self, type_id: TypeId, *, written: bool = False) -> tuple[str, str]:
        """(module, name) of the class or alias; with `written`, of the one that requests are made of."""
        module, name = self.layout.class_of(type_id)
        return module, self._request_names[type_id] if written and self.is_split(type_id) else name

    def unknown_of(self, type_id: TypeId, *, written: bool = False) -> str:
        """The class for members of a union that the contract does not list: `UnknownPayment`; where the contract
        has one itself, `OtherPayment`."""
        module, name = self.class_of(type_id, written=written)
        names = [prefix + name for prefix in ("Unknown", "Other", "Unlisted")]
        return next((free for free in names if (module, free) not in self._taken), names[0])

    def annotation(
        self,
        type_: Type,
        file: PythonFile,
        *,
        written: bool = False,
        location: Location = NOWHERE,
        typing_only: frozenset[str] = frozenset(),
    ) -> str:
        """The run-time annotation of a value, constraints included. Names it needs are imported into `file`."""
        return self._spell(type_, _Use(file=file, written=written, location=location, typing_only=typing_only))

    def plain(
        self, type_: Type, file: PythonFile, *, written: bool = False, typing_only: frozenset[str] = frozenset()
    ) -> str:
        """The type alone, as signatures show it: no constraints."""
        return self._spell(type_, _Use(file=file, written=written, bare=True, typing_only=typing_only))

    def is_endless(self, type_: Type, within: TypeId) -> bool:
        """Whether reading the type leads back to `within` without an object or array in between."""
        found = _closure(set(_same_value(type_)), self._same_value)
        return within in found

    def accepts_null(self, type_: Type) -> bool:
        """Whether null is a value of the type."""
        return self._accepts_null(type_, frozenset())

    def _accepts_null(self, type_: Type, seen: frozenset[TypeId]) -> bool:
        if isinstance(type_, Nullable):
            return True
        if isinstance(type_, Scalar):
            return type_.primitive in (Primitive.ANY, Primitive.NULL)
        if isinstance(type_, Constant):
            return type_.value is None
        if not isinstance(type_, Reference) or type_.target in seen:
            return False
        declared = self.graph.declarations[type_.target]
        seen |= {type_.target}
        if isinstance(declared, Alias):
            return self._accepts_null(declared.type, seen)
        if isinstance(declared, Union):
            return any(self._accepts_null(variant, seen) for variant in declared.variants)
        return isinstance(declared, Enum) and any(value.value is None for value in declared.values)

    def _spell(self, type_: Type, use: _Use) -> str:
        if isinstance(type_, Scalar):
            return self._scalar(type_, use)
        if isinstance(type_, Reference):
            return self._reference(type_, use)
        if isinstance(type_, Nullable):
            return self.either([self._spell(type_.inner, use), "None"], use.file)
        if isinstance(type_, Constant):
            return self._constant(type_, use)
        if isinstance(type_, ListOf):
            return self._list(type_, use)
        if isinstance(type_, MapOf):
            spelled = f"dict[{self._spell(type_.key, use)}, {self._spell(type_.value, use)}]"
            return self._annotated(
                spelled, _counted(type_.constraints.min_properties, type_.constraints.max_properties, use), use
            )
        return self._tuple(type_, use)

    def either(self, parts: Iterable[str], file: PythonFile) -> str:
        """`A | B`, each once, None at the end."""
        flat = dict.fromkeys(piece for part in parts for piece in _split_none(part))
        any_value = file.ref("typing", "Any") if "Any" in flat else ""
        if any_value in flat:
            return any_value
        ordered = [part for part in flat if part != "None"] + (["None"] if "None" in flat else [])
        return " | ".join(ordered)

    def _reference(self, type_: Reference, use: _Use) -> str:
        module, name = self.class_of(type_.target, written=use.written)
        typing_only = module in use.typing_only
        local = use.file.ref(module, name, typing_only=typing_only)
        declared = self.graph.declarations[type_.target]
        if isinstance(declared, Enum) and any(value.value is None for value in declared.values):
            return self.either([local, "None"], use.file)
        return local

    def _constant(self, type_: Constant, use: _Use) -> str:
        value = type_.value
        if value is None:
            return "None"
        if isinstance(value, (str, bool, int)):
            return f"{use.file.ref('typing', 'Literal')}[{text(value) if isinstance(value, str) else repr(value)}]"
        plain = {
            float: "float",
            list: f"list[{use.file.ref('typing', 'Any')}]",
            dict: f"dict[str, {use.file.ref('typing', 'Any')}]",
        }[type(value)]
        equals = f"{self._runtime('EqualTo', use)}({json_literal(value)})"
        return self._annotated(plain, [equals], use)

    def _list(self, type_: ListOf, use: _Use) -> str:
        rules = type_.constraints
        metadata = _counted(rules.min_items, rules.max_items, use)
        if rules.unique_items and not use.bare:
            metadata.append(f"{self._runtime('Unique', use)}()")
        return self._annotated(f"list[{self._spell(type_.item, use)}]", metadata, use)

    def _tuple(self, type_: TupleOf, use: _Use) -> str:
        items = [self._spell(item, use) for item in type_.items]
        rules = type_.constraints
        least = min(rules.min_items or 0, len(items))
        lengths = [f"tuple[{', '.join(items[:length]) or '()'}]" for length in range(least, len(items))]
        if type_.rest is None:
            return self.either([*lengths, f"tuple[{', '.join(items) or '()'}]"], use.file)
        tail = f"*tuple[{self._spell(type_.rest, use)}, ...]"
        if use.bare:
            return self.either([*lengths, f"tuple[{', '.join([*items, tail])}]"], use.file)
        metadata = [
            f"{self._runtime('TupleWithRest', use)}()",
            *_counted(rules.min_items if (rules.min_items or 0) > len(items) else None, rules.max_items, use),
        ]
        return self.either([*lengths, self._annotated(f"tuple[{', '.join([*items, tail])}]", metadata, use)], use.file)

    def _scalar(self, type_: Scalar, use: _Use) -> str:
        primitive, rules = type_.primitive, type_.constraints
        if primitive is Primitive.ANY:
            return use.file.ref("typing", "Any")
        if use.bare and primitive in _PLAIN_INTEGERS:
            return "int"
        if use.bare and primitive in _DECIMALS:
            return use.file.ref("decimal", "Decimal")
        if primitive in TEXT:
            return self._annotated("str", self._text_rules(rules, use), use)
        if primitive in _DECIMALS:
            return self._decimal(type_, use)
        numbers = number_arguments(primitive, rules, use.file, self.diagnostics, use.location)
        if primitive in _PLAIN_INTEGERS and numbers and not use.bare:
            wide = [self._runtime("WIDE", use)] if primitive in _WIDE else []
            return self._annotated("int", [_field(numbers, use), *wide], use)
        name = _RUNTIME_SCALARS.get(primitive)
        if name is not None:
            self._report_ignored(primitive, rules, use)
            return self._runtime(name, use)
        return self._annotated(_PLAIN[primitive], [_field(numbers, use)] if numbers and not use.bare else [], use)

    def _decimal(self, type_: Scalar, use: _Use) -> str:
        if type_.primitive is Primitive.DECIMAL_STRING:
            rules = decimal_text(type_.constraints, self.diagnostics, use.location)
            if not rules:
                return self._runtime("DecimalText", use)
            exact = f"{self._runtime('ExactText', use)}({', '.join(rules)})"
            return self._annotated(use.file.ref("decimal", "Decimal"), [exact], use)
        numbers = number_arguments(type_.primitive, type_.constraints, use.file, self.diagnostics, use.location)
        if not numbers:
            return self._runtime("DecimalNumber", use)
        return self._annotated(
            use.file.ref("decimal", "Decimal"), [_field(numbers, use), self._runtime("EXACT_NUMBER", use)], use
        )

    def _text_rules(self, rules: Constraints, use: _Use) -> list[str]:
        if use.bare:
            return []
        arguments, matches = pattern_parts(rules, self.diagnostics, use.location)
        arguments = length_arguments(rules.min_length, rules.max_length) + arguments
        found = [_field(arguments, use)] if arguments else []
        return found + ([f"{self._runtime('Matches', use)}({matches})"] if matches else [])

    def _report_ignored(self, primitive: Primitive, rules: Constraints, use: _Use) -> None:
        ignored = [name for name in ("min_length", "max_length", "pattern") if getattr(rules, name) is not None]
        if ignored and not use.bare and primitive not in _PLAIN_INTEGERS:
            self.diagnostics.unsupported(
                "python/constraint",
                f"{', '.join(ignored)} on a {primitive.value} value is not checked",
                use.location,
                hint="the format says more than the length or pattern; drop one of them",
            )

    def _annotated(self, spelled: str, metadata: list[str], use: _Use) -> str:
        if use.bare or not metadata:
            return spelled
        return f"{use.file.ref('typing', 'Annotated')}[{spelled}, {', '.join(metadata)}]"

    def _runtime(self, name: str, use: _Use) -> str:
        return use.file.ref(f"{self.layout.package}.runtime.scalars", name)


def _split_none(part: str) -> list[str]:
    return [part.removesuffix(" | None"), "None"] if part.endswith(" | None") else [part]


def _field(arguments: list[str], use: _Use) -> str:
    return f"{use.file.ref('pydantic', 'Field')}({', '.join(arguments)})"


def _counted(least: int | None, most: int | None, use: _Use) -> list[str]:
    arguments = length_arguments(least, most)
    return [_field(arguments, use)] if arguments and not use.bare else []


def parts(type_: Type) -> Iterator[TypeId]:
    """The declarations that a type names directly."""
    if isinstance(type_, Reference):
        yield type_.target
    elif isinstance(type_, ListOf):
        yield from parts(type_.item)
    elif isinstance(type_, MapOf):
        yield from parts(type_.key)
        yield from parts(type_.value)
    elif isinstance(type_, Nullable):
        yield from parts(type_.inner)
    elif isinstance(type_, TupleOf):
        for item in (*type_.items, *([type_.rest] if type_.rest else ())):
            yield from parts(item)


def uses(declared: Declaration) -> Iterator[TypeId]:
    """The declarations that a declaration names directly."""
    if isinstance(declared, Record):
        for field in declared.fields:
            yield from parts(field.type)
        for type_ in (declared.additional, *(value for _, value in declared.pattern_properties)):
            if type_ is not None:
                yield from parts(type_)
    elif isinstance(declared, Union):
        for variant in declared.variants:
            yield from parts(variant)
        if declared.discriminator:
            yield from (target for _, target in declared.discriminator.mapping)
    elif isinstance(declared, Alias):
        yield from parts(declared.type)


def _variants(declared: Declaration) -> tuple[Type, ...]:
    if isinstance(declared, Union):
        return declared.variants
    return (declared.type,) if isinstance(declared, Alias) else ()


def _same_value(type_: Type) -> Iterator[TypeId]:
    """The declarations that apply to the very value a type describes."""
    while isinstance(type_, Nullable):
        type_ = type_.inner
    if isinstance(type_, Reference):
        yield type_.target


def _has_direction(declared: Declaration) -> bool:
    return isinstance(declared, Record) and any(field.read_only or field.write_only for field in declared.fields)


def _reaching(graph: Graph, targets: set[TypeId]) -> set[TypeId]:
    """`targets` and every declaration that contains one of them."""
    users: dict[TypeId, list[TypeId]] = {}
    for type_id, declared in graph.declarations.items():
        for used in uses(declared):
            users.setdefault(used, []).append(type_id)
    return _closure(targets, users)


def _closure(roots: set[TypeId], steps: dict[TypeId, list[TypeId]]) -> set[TypeId]:
    found, waiting = set(roots), list(roots)
    while waiting:
        for reached in steps.get(waiting.pop(), ()):
            if reached not in found:
                found.add(reached)
                waiting.append(reached)
    return found


def _with_models(graph: Graph) -> set[str]:
    return {
        path
        for path, contract in graph.contracts.items()
        if contract.kind not in (ContractKind.PROTO, ContractKind.ARAZZO)
    }


def _class_names(graph: Graph, layout: Layout) -> frozenset[tuple[str, str]]:
    with_models = _with_models(graph)
    return frozenset(
        layout.class_of(type_id)
        for path, ids in graph.declarations_of.items()
        if path in with_models
        for type_id in ids
    )


def _request_names(graph: Graph, layout: Layout, split: set[TypeId], taken: set[tuple[str, str]]) -> dict[TypeId, str]:
    """`OrderRequest`; where the contract has one itself `OrderInput`, and then `OrderToSend`."""
    with_models = _with_models(graph)
    found = {}
    for type_id in graph.declarations:
        if type_id in split and graph.declarations[type_id].location.path in with_models:
            module, name = layout.class_of(type_id)
            names = [name + suffix for suffix in ("Request", "Input", "ToSend")]
            found[type_id] = next((free for free in names if (module, free) not in taken), names[0])
            taken.add((module, found[type_id]))
    return found


def _contract_uses(graph: Graph) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for declared in graph.declarations.values():
        for used in uses(declared):
            found.setdefault(declared.location.path, set()).add(graph.declarations[used].location.path)
    return found
