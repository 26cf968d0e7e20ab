"""Scalars of JSON Schema: type and format -> primitive, assertions -> constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Node
from codegen.model.types import Constraints, Primitive

TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

_STRINGS = {
    "date-time": Primitive.DATE_TIME,
    "date": Primitive.DATE,
    "time": Primitive.TIME,
    "duration": Primitive.DURATION,
    "uuid": Primitive.UUID,
    "uri": Primitive.URI,
    "url": Primitive.URI,
    "email": Primitive.EMAIL,
    "hostname": Primitive.HOSTNAME,
    "ipv4": Primitive.IPV4,
    "ipv6": Primitive.IPV6,
    "byte": Primitive.BYTES,
    "binary": Primitive.BINARY,
    "decimal": Primitive.DECIMAL_STRING,
}
_INTEGERS = {"int32": Primitive.INT32, "int64": Primitive.INT64, "uint32": Primitive.UINT32, "uint64": Primitive.UINT64}
_NUMBERS = {"float": Primitive.FLOAT, "double": Primitive.DOUBLE, "decimal": Primitive.DECIMAL_NUMBER}

_COUNTS = {
    "minLength": "string",
    "maxLength": "string",
    "minItems": "array",
    "maxItems": "array",
    "minProperties": "object",
    "maxProperties": "object",
}
_NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_FIELDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "minProperties": "min_properties",
    "maxProperties": "max_properties",
}


def primitive_of(json_type: str, pieces: Sequence[Node]) -> tuple[Primitive, str | None]:
    """The primitive of one JSON type and the format as written (RFC 3339, OpenAPI's format registry)."""
    found = first_of(pieces, "format")
    text = found if isinstance(found, str) else None
    if json_type == "string":
        if text is None and first_of(pieces, "contentEncoding") in ("base64", "base64url"):
            return Primitive.BYTES, None
        if text is None and first_of(pieces, "contentMediaType") == "application/octet-stream":
            return Primitive.BINARY, None
        return _STRINGS.get(text or "", Primitive.STRING), text
    if json_type == "integer":
        return _INTEGERS.get(text or "", Primitive.INTEGER), text
    if json_type == "number":
        return _NUMBERS.get(text or "", Primitive.NUMBER), text
    return (Primitive.BOOLEAN if json_type == "boolean" else Primitive.NULL), text


def first_of(pieces: Sequence[Node], key: str) -> Any:
    """The value of `key` in the first piece that has it."""
    for piece in pieces:
        if isinstance(piece.value, dict) and key in piece.value:
            return piece.value[key]
    return None


def implied_type(pieces: Sequence[Node]) -> str | None:
    """The type that a schema without `type` means by its keywords."""
    for key, json_type in (
        ("properties", "object"),
        ("additionalProperties", "object"),
        ("patternProperties", "object"),
        ("items", "array"),
        ("prefixItems", "array"),
        ("required", "object"),
        ("pattern", "string"),
        ("minLength", "string"),
        ("maxLength", "string"),
        ("contentEncoding", "string"),
        ("minProperties", "object"),
        ("maxProperties", "object"),
        ("minItems", "array"),
        ("maxItems", "array"),
        ("minimum", "number"),
        ("maximum", "number"),
    ):
        if any(isinstance(piece.value, dict) and key in piece.value for piece in pieces):
            return json_type
    return "string" if first_of(pieces, "format") in _STRINGS else None


class ConstraintReader:
    """Assertions of the pieces of one schema, the tightest of each, for one JSON type."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics

    def read(self, pieces: Sequence[Node], json_type: str) -> Constraints:
        """The constraints that apply to values of `json_type`."""
        found: dict[str, Any] = {}
        for piece in pieces:
            if not isinstance(piece.value, dict):
                continue
            if json_type in ("number", "integer"):
                self._numeric(piece, found)
            for key, applies in _COUNTS.items():
                if applies == json_type and key in piece.value:
                    self._count(piece, key, found)
            if json_type == "string" and "pattern" in piece.value:
                self._pattern(piece, found)
            if json_type == "array" and piece.value.get("uniqueItems") is True:
                found["unique_items"] = True
        return Constraints(**found)

    def _numeric(self, piece: Node, found: dict[str, Any]) -> None:
        for key in _NUMERIC:
            value = piece.value.get(key)
            if value is None:
                continue
            if isinstance(value, bool) and key.startswith("exclusive"):
                bound = piece.value.get("minimum" if key == "exclusiveMinimum" else "maximum")
                if value and isinstance(bound, (int, float)):
                    self._tighten(found, key, bound)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                self._tighten(found, key, value)
            else:
                self._wrong(piece, key, "a number")

    def _count(self, piece: Node, key: str, found: dict[str, Any]) -> None:
        value = piece.value[key]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self._wrong(piece, key, "a whole number of at least 0")
        else:
            self._tighten(found, key, value)

    @staticmethod
    def _tighten(found: dict[str, Any], key: str, value: float) -> None:
        name = _FIELDS[key]
        known = found.get(name)
        if known is None:
            found[name] = value
        else:
            found[name] = max(known, value) if "min" in name or name == "multiple_of" else min(known, value)

    def _pattern(self, piece: Node, found: dict[str, Any]) -> None:
        pattern = piece.value["pattern"]
        if not isinstance(pattern, str):
            self._wrong(piece, "pattern", "a string")
        elif found.setdefault("pattern", pattern) != pattern:
            found["pattern"] = f"(?=[\\s\\S]*(?:{pattern}))[\\s\\S]*(?:{found['pattern']})"

    def _wrong(self, piece: Node, key: str, expected: str) -> None:
        self._diagnostics.error("schema/shape", f"`{key}` must be {expected}", piece.child(key).location)
