"""Types of the graph: what a value may be, without any language or syntax.

A *type* (`Type`) stands where a value stands: in a field, a parameter, a
payload. A *declaration* (`Declaration`) is a type with a name and an id that
other types point to with `Reference`. Inline objects, enumerations and unions
of the contracts are declarations too: their `name` is then a tuple that says
where they were found (``("Order", "items", "item")``), and a target joins it
in its own casing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum
from typing import Any, TypeAlias

from codegen.model.ids import Location, TypeId

JsonValue: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of these."""


class Primitive(PythonEnum):
    """The scalar kinds. Names follow JSON Schema formats and proto scalars."""

    STRING = "string"
    BYTES = "bytes"
    """Octets: proto `bytes`; in JSON a base64 string (`contentEncoding: base64`, `format: byte`)."""
    BINARY = "binary"
    """A raw body or file part (`format: binary`), never inside JSON."""
    BOOLEAN = "boolean"
    INT32 = "int32"
    INT64 = "int64"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INTEGER = "integer"
    """Without a stated width."""
    FLOAT = "float"
    DOUBLE = "double"
    NUMBER = "number"
    """JSON `number` without a format."""
    DECIMAL_NUMBER = "decimal_number"
    """JSON `number` with `format: decimal`: exact, never a binary float."""
    DECIMAL_STRING = "decimal_string"
    """JSON `string` with `format: decimal`: exact."""
    DATE = "date"
    TIME = "time"
    DATE_TIME = "date_time"
    """RFC 3339, always with an offset."""
    DURATION = "duration"
    """JSON `string` with `format: duration` (ISO 8601), or proto Duration."""
    UUID = "uuid"
    URI = "uri"
    EMAIL = "email"
    HOSTNAME = "hostname"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ANY = "any"
    """Any JSON value, `{}` or `true` in JSON Schema."""
    NULL = "null"
    NEVER = "never"
    """`false` in JSON Schema: no value is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Assertions of JSON Schema 2020-12, validation vocabulary, on one value.

    Exclusive bounds are numbers (the boolean spelling of OpenAPI 3.0 is
    normalised by the loader). `pattern` is an ECMA-262 regular expression,
    unanchored, as the contract has it.
    """

    minimum: float | int | None = None
    maximum: float | int | None = None
    exclusive_minimum: float | int | None = None
    exclusive_maximum: float | int | None = None
    multiple_of: float | int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int | None = None
    max_properties: int | None = None


NO_CONSTRAINTS = Constraints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A primitive with its assertions. `format` is kept as written."""

    primitive: Primitive
    format: str | None = None
    constraints: Constraints = NO_CONSTRAINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A use of a declaration."""

    target: TypeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """An array whose items are all of one type."""

    item: Type
    constraints: Constraints = NO_CONSTRAINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class TupleOf:
    """`prefixItems`: one type per position; `rest` for those after them, None when none are allowed."""

    items: tuple[Type, ...]
    rest: Type | None = None
    constraints: Constraints = NO_CONSTRAINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """An object with free keys. `key` is a string scalar in JSON, any map key scalar in proto."""

    key: Type
    value: Type
    constraints: Constraints = NO_CONSTRAINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Nullable:
    """`inner` or null: `nullable: true` (3.0), `type: [x, "null"]`, or a null branch of a union."""

    inner: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """`const`, or an enumeration of one value that is not a named schema."""

    value: JsonValue


Type: TypeAlias = Scalar | Reference | ListOf | TupleOf | MapOf | Nullable | Constant

ANY = Scalar(primitive=Primitive.ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Says that a JSON schema describes the same entity as a proto type (`x-proto-message`, `x-proto-enum`)."""

    proto: TypeId
    omitted: tuple[str, ...] = ()
    """Proto fields the schema leaves out on purpose (`x-proto-omit`)."""
    location: Location


class Presence(PythonEnum):
    """Whether absence can be told from the default (protobuf's field presence guide)."""

    IMPLICIT = "implicit"
    EXPLICIT = "explicit"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A member of a record. `name` is the name on the wire, as the contract has it."""

    name: str
    type: Type
    required: bool
    doc: str = ""
    default: JsonValue = None
    has_default: bool = False
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    examples: tuple[JsonValue, ...] = ()
    location: Location
    # proto only
    number: int | None = None
    json_name: str | None = None
    presence: Presence | None = None
    oneof: str | None = None
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oneof:
    """A proto oneof: at most one of the named fields is set."""

    name: str
    fields: tuple[str, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object with named fields: a proto message or a JSON Schema object.

    `additional` is the type of further properties: None when they are
    forbidden, ANY when the contract is silent. `bases` are the declarations
    that `allOf` composed this record from; their fields are already merged
    into `fields`.
    """

    id: TypeId
    name: tuple[str, ...]
    fields: tuple[Field, ...]
    additional: Type | None = ANY
    additional_declared: bool = False
    """Whether the contract states `additionalProperties` or `unevaluatedProperties`."""
    pattern_properties: tuple[tuple[str, Type], ...] = ()
    bases: tuple[TypeId, ...] = ()
    oneofs: tuple[Oneof, ...] = ()
    constraints: Constraints = NO_CONSTRAINTS
    doc: str = ""
    deprecated: bool = False
    examples: tuple[JsonValue, ...] = ()
    identity: Identity | None = None
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumValue:
    """One value. `name` is the proto name or the value's text; `value` what stands on the wire."""

    name: str
    value: JsonValue
    doc: str = ""
    deprecated: bool = False
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum:
    """A closed or open set of values.

    `open` means that the contract itself says more values may come
    (`x-extensible-enum`, `x-enum-open`, proto3). Clients keep unknown values
    in any case; servers reject them in requests unless it is open.
    """

    id: TypeId
    name: tuple[str, ...]
    values: tuple[EnumValue, ...]
    open: bool = False
    doc: str = ""
    deprecated: bool = False
    identity: Identity | None = None
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discriminator:
    """OpenAPI's discriminator: which property names the variant, and how its values map."""

    property: str
    mapping: tuple[tuple[str, TypeId], ...]
    """Every value with its target, the implicit ones (schema names) included."""
    explicit: bool = True
    """False when inferred: every variant has a required constant at `property`."""


class UnionKind(PythonEnum):
    ONE_OF = "oneOf"
    ANY_OF = "anyOf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """A value of one of several types."""

    id: TypeId
    name: tuple[str, ...]
    kind: UnionKind
    variants: tuple[Type, ...]
    discriminator: Discriminator | None = None
    doc: str = ""
    deprecated: bool = False
    examples: tuple[JsonValue, ...] = ()
    identity: Identity | None = None
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A named schema that is neither object, enumeration nor union: `OrderId: {type: string}`."""

    id: TypeId
    name: tuple[str, ...]
    type: Type
    doc: str = ""
    deprecated: bool = False
    examples: tuple[JsonValue, ...] = ()
    identity: Identity | None = None
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


Declaration: TypeAlias = Record | Enum | Union | Alias
