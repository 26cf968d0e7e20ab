"""Emits records: `class Order(Model)`."""

from __future__ import annotations

import keyword
import re

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location
from codegen.model.types import (
    ANY,
    Alias,
    Constant,
    Constraints,
    Enum,
    Field,
    Nullable,
    Primitive,
    Record,
    Reference,
    Scalar,
    Type,
)
from codegen.targets.python.constraints import TEXT
from codegen.targets.python.enums import document, member_of
from codegen.targets.python.names import Namespace, distinct, exact, report_respelled, snake, spelled
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, json_literal, text

RESERVED = frozenset(
    {
        # pydantic.BaseModel
        "construct",
        "copy",
        "dict",
        "from_orm",
        "json",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "schema",
        "schema_json",
        "update_forward_refs",
        "validate",
        "model_computed_fields",
        "model_config",
        "model_construct",
        "model_copy",
        "model_dump",
        "model_dump_json",
        "model_extra",
        "model_fields",
        "model_fields_set",
        "model_json_schema",
        "model_parametrized_name",
        "model_post_init",
        "model_rebuild",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
        # the runtime's Model, and abc.ABCMeta
        "from_json",
        "from_dict",
        "to_json",
        "to_dict",
        "mro",
        "register",
        # names that annotations use
        "bool",
        "bytes",
        "float",
        "int",
        "list",
        "str",
        "tuple",
    }
)
"""Attribute names that a field may not hide; it gets a trailing underscore."""
_TAKEN = RESERVED | frozenset(keyword.kwlist)

_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*_?\Z")


def attribute_names(fields: tuple[Field, ...], scope: str, diagnostics: Diagnostics) -> dict[str, str]:
    """The attribute of each property; one whose name is taken is reported and left out.

    A name that is snake case already stays; others become it. Properties that
    would share one name have their signs spelled out, or keep their case.
    """
    chosen = distinct({field.name: (_preferred(field.name),) for field in fields}, _TAKEN)
    if len(set(chosen.values())) < len(chosen):
        chosen = distinct({field.name: _candidates(field.name) for field in fields}, _TAKEN)
        for field in fields:
            name = chosen[field.name]
            report_respelled(field.name, _preferred(field.name), name, field.location, scope, diagnostics)
    names = Namespace(scope, diagnostics)
    return {
        field.name: chosen[field.name]
        for field in fields
        if names.claim(chosen[field.name], field.name, field.location)
    }


def _preferred(name: str) -> str:
    return name if _SNAKE.match(name) else snake(name)


def _candidates(name: str) -> tuple[str, ...]:
    return _preferred(name), snake(spelled(name)), exact(name), snake(spelled(name, underscores=True))


class RecordEmitter:
    """Writes the records of one module."""

    def __init__(self, spelling: Spelling, file: PythonFile, cyclic: frozenset[str], diagnostics: Diagnostics) -> None:
        self._spelling = spelling
        self._file = file
        self._cyclic = cyclic
        self._diagnostics = diagnostics

    def emit(self, record: Record, *, written: bool) -> None:
        """One class; with `written`, that of requests, without the readOnly fields."""
        name = self._spelling.class_of(record.id, written=written)[1]
        withheld = [field.name for field in record.fields if (field.read_only if written else field.write_only)]
        fields = tuple(field for field in record.fields if field.name not in withheld)
        attributes = attribute_names(fields, f"class {name}", self._diagnostics)
        self._file.lines(["", ""])
        with self._file.block(f"class {name}({self._bases(record, bool(withheld))}):"):
            document(self._file, record.doc, deprecated=record.deprecated)
            self._additional(record, written=written)
            if withheld:
                self._withhold(withheld)
            self._count(record.constraints)
            for field in fields:
                if field.name in attributes:
                    self._field(field, attributes[field.name], written=written)
        self._report(record)

    def _bases(self, record: Record, directed: bool) -> str:
        base = self._file.ref(
            f"{self._spelling.layout.package}.runtime.models", "DirectedModel" if directed else "Model"
        )
        closed = record.additional is None and not record.pattern_properties
        return f'{base}, extra="forbid"' if closed else base

    def _additional(self, record: Record, *, written: bool) -> None:
        types = [type_ for _, type_ in record.pattern_properties]
        if record.additional is not None:
            types.append(record.additional)
        if not types or ANY in types:
            return
        spelled = self._file_type(types, record.location, written)
        self._file.line(f"__pydantic_extra__: dict[str, {spelled}]")

    def _file_type(self, types: list[Type], location: Location, written: bool) -> str:
        spelled = [
            self._spelling.annotation(type_, self._file, written=written, location=location, typing_only=self._cyclic)
            for type_ in types
        ]
        return self._spelling.either(spelled, self._file)

    def _withhold(self, names: list[str]) -> None:
        class_var = self._file.ref("typing", "ClassVar")
        listed = ", ".join(text(name) for name in names)
        self._file.line(f"__withheld__: {class_var}[frozenset[str]] = frozenset({{{listed}}})")

    def _count(self, rules: Constraints) -> None:
        if rules.min_properties or rules.max_properties is not None:
            count = f"{self._runtime('property_count')}({rules.min_properties}, {rules.max_properties})"
            validator = self._file.ref("pydantic", "model_validator")
            self._file.line(f'_properties_are_counted = {validator}(mode="after")({count})')

    def _field(self, field: Field, attribute: str, *, written: bool) -> None:
        spelled = self._spelling.annotation(
            field.type, self._file, written=written, location=field.location, typing_only=self._cyclic
        )
        default = self._default(field)
        nullable = self._spelling.accepts_null(field.type)
        if default is None and not field.required:
            default = "None"
            if not nullable:
                spelled = f"{self._runtime('Omissible')}[{spelled}]"
        if attribute != field.name:
            alias = f"{self._file.ref('pydantic', 'Field')}(alias={text(field.name)})"
            spelled = f"{self._file.ref('typing', 'Annotated')}[{spelled}, {alias}]"
        self._file.line(f"{attribute}: {spelled}" + (f" = {default}" if default is not None else ""))
        unfilled = field.has_default and default == "None" and field.default is not None
        note = f"Absent means `{_short(field.default)}`." if unfilled else ""
        document(self._file, field.doc, deprecated=field.deprecated, default=note)

    def _default(self, field: Field) -> str | None:
        if field.required:
            if isinstance(field.type, Constant) and isinstance(field.type.value, (str, int)):
                return f"{self._runtime('constant')}({json_literal(field.type.value)})"
            return None
        if not field.has_default or field.default is None:
            return None
        return self._literal_default(field.type, field)

    def _literal_default(self, type_: Type, field: Field) -> str | None:
        value = field.default
        if isinstance(type_, Nullable):
            return self._literal_default(type_.inner, field)
        if isinstance(type_, Constant):
            fits = type_.value == value and isinstance(value, (str, int))
            return json_literal(value) if fits else None
        if isinstance(type_, Reference):
            declared = self._spelling.graph.declarations[type_.target]
            if isinstance(declared, Alias):
                return self._literal_default(declared.type, field)
            return self._enum_default(declared, type_, field) if isinstance(declared, Enum) else None
        return self._scalar_default(type_, field) if isinstance(type_, Scalar) else None

    def _enum_default(self, declared: Enum, type_: Reference, field: Field) -> str | None:
        module, name = self._spelling.class_of(type_.target)
        member = member_of(declared, field.default)
        if member is None:
            self._mismatch(field)
        if member is None or module in self._cyclic:
            return None
        return f"{self._file.ref(module, name)}.{member}"

    def _scalar_default(self, type_: Scalar, field: Field) -> str | None:
        value, primitive = field.default, type_.primitive
        if primitive in TEXT:
            fits = isinstance(value, str)
        elif primitive is Primitive.BOOLEAN:
            fits = isinstance(value, bool)
        elif primitive in _INTEGERS:
            value = int(value) if isinstance(value, float) and value.is_integer() else value
            fits = isinstance(value, int) and not isinstance(value, bool)
        elif primitive in (Primitive.NUMBER, Primitive.FLOAT, Primitive.DOUBLE):
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif primitive in (Primitive.DECIMAL_NUMBER, Primitive.DECIMAL_STRING):
            return f"{self._file.ref('decimal', 'Decimal')}({text(str(value))})"
        else:
            return None
        if not fits:
            self._mismatch(field)
        return json_literal(value) if fits else None

    def _mismatch(self, field: Field) -> None:
        self._diagnostics.warning(
            "python/default",
            f"the default {_short(field.default)} of `{field.name}` is not a value of its type",
            field.location,
            hint="the attribute is absent by default instead",
        )

    def _report(self, record: Record) -> None:
        if record.pattern_properties:
            self._diagnostics.unsupported(
                "python/pattern-properties",
                "the names of pattern properties are not checked; their values are kept",
                record.location,
                hint="check the names in your own code",
            )

    def _runtime(self, name: str) -> str:
        return self._file.ref(f"{self._spelling.layout.package}.runtime.models", name)


_INTEGERS = frozenset({Primitive.INTEGER, Primitive.INT32, Primitive.INT64, Primitive.UINT32, Primitive.UINT64})


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
