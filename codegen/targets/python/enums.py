"""Emits enumerations: `class OrderStatus(OpenEnum)`."""

from __future__ import annotations

import keyword

from codegen.diagnostics import Diagnostics
from codegen.model.types import Enum, EnumValue, JsonValue
from codegen.targets.python.names import Namespace, constant
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, docstring, text


def member_names(declared: Enum, diagnostics: Diagnostics) -> dict[int, str]:
    """The member of each value, by position; a value without a name of its own is reported and left out.

    Constant case where that tells the values apart, else the value's own
    spelling where it is an identifier (`asc` beside `ASC`).
    """
    values = [(i, v) for i, v in enumerate(declared.values) if v.value is not None]
    preferred = {i: _escaped(constant(value.name)) for i, value in values}
    counts: dict[str, int] = {}
    for name in preferred.values():
        counts[name] = counts.get(name, 0) + 1
    names = Namespace(f"enumeration {'.'.join(declared.name)}", diagnostics)
    found = {}
    for i, value in values:
        name = preferred[i]
        if counts[name] > 1 and _usable(value.name):
            name = value.name
        if names.claim(name, f"{value.location.pointer} ({value.name})", value.location):
            found[i] = name
    return found


def _usable(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_") \
        and name not in ("name", "value", "mro", "is_known")


def _escaped(name: str) -> str:
    return f"{name}_" if name == "MRO" else name


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
            diagnostics.unsupported("python/enum-value", "an array or object as enumeration value", value.location)
    base = file.ref(f"{spelling.layout.package}.runtime.open_enum", _base(usable))
    name = spelling.class_of(declared.id)[1]
    names = member_names(declared, diagnostics)
    file.lines(["", ""])
    with file.block(f"class {name}({base}):"):
        document(file, declared.doc, deprecated=declared.deprecated)
        if declared.open:
            file.lines(["", "__open__ = True", ""])
        for i, value in enumerate(declared.values):
            if i in names and value in usable:
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


