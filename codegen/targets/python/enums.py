"""Emits enumerations: `class OrderStatus(OpenEnum)`."""

from __future__ import annotations

import keyword

from codegen.diagnostics import Diagnostics
from codegen.model.types import Enum, EnumValue, JsonValue
from codegen.targets.python.names import Namespace, constant, distinct, exact, report_respelled, spelled
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, docstring, text

_TAKEN = frozenset({*dir(str), *dir(float), *keyword.kwlist, "name", "value", "mro", "MRO", "is_known"})


def member_names(declared: Enum, diagnostics: Diagnostics) -> dict[int, str]:
    """The member of each value, by position; a value without a name of its own is reported and left out.

    Constant case; where that does not tell the values apart, with their signs
    spelled out (`V1_DOT_0`), then in their own case (`asc` beside `ASC`).
    """
    scope = f"enumeration {'.'.join(declared.name)}"
    values = {i: v for i, v in enumerate(declared.values) if v.value is not None}
    chosen = distinct({i: (constant(value.name),) for i, value in values.items()}, _TAKEN)
    if len(set(chosen.values())) < len(chosen):
        chosen = distinct({i: _candidates(value) for i, value in values.items()}, _TAKEN)
        for i, value in values.items():
            report_respelled(value.name, constant(value.name), chosen[i], value.location, scope, diagnostics)
    names = Namespace(scope, diagnostics)
    return {
        i: chosen[i]
        for i, value in values.items()
        if names.claim(chosen[i], f"{value.location.pointer} ({value.name})", value.location)
    }


def _candidates(value: EnumValue) -> tuple[str, ...]:
    own = (
        constant(value.name),
        constant(spelled(value.name)),
        exact(value.name),
        constant(spelled(value.name, underscores=True)),
    )
    return (*own, f"TEXT_{own[0]}") if isinstance(value.value, str) else own


def member_of(declared: Enum, value: JsonValue) -> str | None:
    """The member that stands for a value."""
    names = member_names(declared, Diagnostics())
    for i, name in names.items():
        if _same(declared.values[i].value, value):
            return name
    return None


def _same(one: JsonValue, other: JsonValue) -> bool:
    return type(one) is type(other) and bool(one == other)


def _base(values: list[EnumValue]) -> str:
    if all(isinstance(value.value, str) for value in values):
        return "OpenEnum"
    if all(isinstance(value.value, int) and not isinstance(value.value, bool) for value in values):
        return "OpenIntEnum"
    return "OpenMixedEnum"


def emit_enum(declared: Enum, spelling: Spelling, file: PythonFile, diagnostics: Diagnostics) -> None:
    """The class, its members in the contract's order. Null is not a member: it makes the use nullable."""
    usable = [value for value in declared.values if isinstance(value.value, (str, int, float))]
    for value in declared.values:
        if isinstance(value.value, (list, dict)):
            diagnostics.unsupported(
                "python/enum-value",
                "an array or object as enumeration value",
                value.location,
                hint="keep to strings, numbers and booleans",
            )
    base = file.ref(f"{spelling.layout.package}.runtime.open_enum", _base(usable))
    name = spelling.class_of(declared.id)[1]
    names = member_names(declared, diagnostics)
    file.lines(["", ""])
    with file.block(f"class {name}({base}):"):
        document(file, declared.doc, deprecated=declared.deprecated)
        if declared.open:
            file.lines(["", "__open__ = True", ""])
        for i, value in enumerate(declared.values):
            if i in names and isinstance(value.value, (str, int, float)):
                spelled = text(value.value) if isinstance(value.value, str) else repr(value.value)
                file.line(f"{names[i]} = {spelled}")
                document(file, value.doc, deprecated=value.deprecated)
        if not usable:
            file.line("pass")


def document(file: PythonFile, doc: str, *, deprecated: bool = False, default: str = "") -> None:
    """The contract's description as a docstring, with what else a reader must know."""
    notes = [note for note in (doc.strip(), "Deprecated." if deprecated else "", default) if note]
    if notes:
        file.line(docstring("\n\n".join(notes)))
