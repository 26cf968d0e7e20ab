"""Enumerations: `enum` and `x-extensible-enum` -> the type they make, and their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Node
from codegen.load.schema_keywords import text_of
from codegen.model.types import ANY, Constant, EnumValue, Primitive, Scalar, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The values of an enumeration, null apart."""

    values: tuple[EnumValue, ...]
    nullable: bool
    open: bool


def lists_values(piece: Node) -> bool:
    """Whether the schema enumerates its values."""
    return piece.has("enum") or piece.has("x-extensible-enum")


def read_enumeration(
    pieces: Sequence[Node], types: list[str], *, named: bool, diagnostics: Diagnostics
) -> Listed | Type:
    """The values, or the simpler type that they amount to: a constant, boolean, null, or any value.

    `types` are the JSON types that the schema allows besides null; a schema that is `named` keeps an enumeration of
    one value.
    """
    holder = next(piece for piece in pieces if lists_values(piece))
    keyword = "enum" if holder.has("enum") else "x-extensible-enum"
    values, place = holder.value[keyword], holder.child(keyword)
    if not isinstance(values, list) or not values:
        diagnostics.error(
            "schema/shape",
            f"`{keyword}` must be a list of values",
            place.location,
            hint="write each value as an item of a list",
        )
        return ANY
    if any(isinstance(value, (dict, list)) for value in values):
        diagnostics.unsupported(
            "schema/enum-of-objects",
            "an enumeration of objects or arrays is read as any value",
            place.location,
            hint="check such values in your own code, or tell the objects apart with `oneOf`",
        )
        return ANY
    kept: dict[tuple[type, Any], int] = {}
    for i, value in enumerate(values):
        if value is not None:
            fitting = _fitting(value, types, place, i, diagnostics)
            kept.setdefault((type(fitting), fitting), i)
    simple = _simple(
        [value for _, value in kept], named=named or keyword != "enum", place=place, diagnostics=diagnostics
    )
    if simple is not None:
        return simple
    names, docs = _labels(holder, len(values))
    return Listed(
        values=tuple(
            EnumValue(name=names[i] or text_of(value), value=value, doc=docs[i], location=place.child(i).location)
            for (_, value), i in kept.items()
        ),
        nullable=None in values,
        open=keyword != "enum" or holder.value.get("x-enum-open") is True,
    )


def allows_null(pieces: Sequence[Node]) -> bool:
    """Whether null is among the values."""
    holder = next(piece for piece in pieces if lists_values(piece))
    values = holder.value.get("enum", holder.value.get("x-extensible-enum"))
    return isinstance(values, list) and None in values


def _simple(values: list[Any], *, named: bool, place: Node, diagnostics: Diagnostics) -> Type | None:
    if not values:
        return Scalar(primitive=Primitive.NULL)
    if len(set(values)) < len(values):
        diagnostics.unsupported(
            "schema/enum-of-equals",
            "an enumeration of a boolean and the number equal to it is read as any value",
            place.location,
            hint="keep the boolean or the number, not both",
        )
        return ANY
    if all(isinstance(value, bool) for value in values):
        return Scalar(primitive=Primitive.BOOLEAN) if len(values) > 1 else Constant(value=values[0])
    return Constant(value=values[0]) if len(values) == 1 and not named else None


def _fitting(value: Any, types: list[str], place: Node, position: int, diagnostics: Diagnostics) -> Any:
    """The value as the schema's type has it: YAML reads an unquoted `1.0` or `true` as no string."""
    if types == ["string"] and isinstance(value, (bool, int, float)):
        found: Any = text_of(value)
    elif types == ["integer"] and isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d{0,30})", value):
        found = int(value)
    else:
        return value
    diagnostics.warning(
        "schema/enum-type",
        f"the value `{text_of(value)}` is no {types[0]}",
        place.child(position).location,
        hint=f"it is read as {found!r}",
    )
    return found


def _labels(holder: Node, count: int) -> tuple[list[str], list[str]]:
    """Names and descriptions that generators' common extensions give to values."""

    def listed(*keys: str) -> list[str]:
        for key in keys:
            found = holder.value.get(key)
            if isinstance(found, list) and len(found) == count:
                return [item if isinstance(item, str) else "" for item in found]
        return [""] * count

    return listed("x-enum-varnames", "x-enumNames"), listed("x-enum-descriptions", "x-enumDescriptions")
