"""One emitted package that most tests share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.models.emitting import Emitted, emit, openapi

SCHEMAS: dict[str, Any] = {
    "Presence": {
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "a": {"type": "string"},
            "b": {"type": ["string", "null"]},
            "c": {"type": "string", "minLength": 2},
            "d": {"type": ["string", "null"]},
            "e": {"type": "integer", "default": 5},
        },
    },
    "Status": {"type": "string", "enum": ["pending", "in-progress", "done"]},
    "OpenStatus": {"type": "string", "enum": ["on", "off"], "x-enum-open": True},
    "Level": {"type": "integer", "enum": [1, 2, 3]},
    "Mixed": {"enum": ["auto", 1, 2.5]},
    "MaybeStatus": {"type": ["string", "null"], "enum": ["x", "y", None]},
    "Letters": {"type": "string", "enum": ["asc", "ASC", "+1", "-1"]},
    "Enums": {
        "type": "object",
        "properties": {
            "status": {"$ref": "#/components/schemas/Status"},
            "open": {"$ref": "#/components/schemas/OpenStatus"},
            "level": {"$ref": "#/components/schemas/Level"},
            "mixed": {"$ref": "#/components/schemas/Mixed"},
            "maybe": {"$ref": "#/components/schemas/MaybeStatus"},
            "preset": {"allOf": [{"$ref": "#/components/schemas/Status"}], "default": "done"},
        },
    },
    "Card": {
        "type": "object",
        "required": ["kind", "number"],
        "properties": {"kind": {"type": "string"}, "number": {"type": "string"}},
    },
    "Wallet": {
        "type": "object",
        "required": ["kind", "owner"],
        "properties": {"kind": {"const": "wallet"}, "owner": {"type": "string"}},
    },
    "Payment": {
        "oneOf": [{"$ref": "#/components/schemas/Card"}, {"$ref": "#/components/schemas/Wallet"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {
                "card": "#/components/schemas/Card",
                "debit": "#/components/schemas/Card",
                "wallet": "#/components/schemas/Wallet",
            },
        },
    },
    "Bill": {
        "type": "object",
        "required": ["payment"],
        "properties": {
            "payment": {"$ref": "#/components/schemas/Payment"},
            "fallbacks": {"type": "array", "items": {"$ref": "#/components/schemas/Payment"}},
        },
    },
    "Numbers": {
        "type": "object",
        "properties": {
            "price": {"type": "number", "format": "decimal", "minimum": 0},
            "free": {"type": "number", "format": "decimal"},
            "text": {"type": "string", "format": "decimal"},
            "ratio": {"type": "number"},
            "small": {"type": "integer", "format": "int32"},
            "wide": {"type": "integer", "format": "int64", "minimum": 0},
            "any": {"type": "integer", "exclusiveMinimum": 0, "maximum": 10, "multipleOf": 2},
        },
    },
    "Times": {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "clock": {"type": "string", "format": "time"},
            "length": {"type": "string", "format": "duration"},
            "id": {"type": "string", "format": "uuid"},
            "octets": {"type": "string", "format": "byte"},
        },
    },
    "Node": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "parent": {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
        },
    },
    "Tree": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}]},
    "Forest": {"type": "object", "properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
    "Shapes": {
        "type": "object",
        "properties": {
            "pair": {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "integer"}],
                "items": False,
                "minItems": 2,
            },
            "up_to": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            "tail": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "minItems": 1},
            "unique": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 3},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            "anything": {},
            "nothing": False,
            "code": {"type": "string", "pattern": "^\\d{2}$"},
            "guarded": {"type": "string", "pattern": "^(?!root)\\w+$"},
            "half": {"const": 2.5},
        },
    },
    "Closed": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    "Patch": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 2,
        "properties": {"a": {"type": "integer"}, "b": {"type": ["integer", "null"]}},
    },
    "Counters": {
        "type": "object",
        "properties": {"label": {"type": "string"}},
        "additionalProperties": {"type": "integer"},
    },
    "Shadows": {
        "type": "object",
        "required": ["copy", "fooBar"],
        "properties": {
            **{
                name: {"type": "string"}
                for name in (
                    "copy",
                    "json",
                    "schema",
                    "model_config",
                    "register",
                    "class",
                    "to_json",
                    "list",
                    "str",
                    "self",
                    "fooBar",
                    "foo_bar",
                    "@id",
                    "2nd",
                    "_links",
                    "X-Rate",
                    "model_fields",
                    "date",
                    "datetime",
                    "Any",
                )
            },
            "day": {"type": "string", "format": "date"},
            "names": {"type": "array", "items": {"type": "string"}},
        },
    },
    "Account": {
        "type": "object",
        "required": ["id", "name", "password"],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "name": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
        },
    },
    "Accounts": {
        "type": "object",
        "properties": {"accounts": {"type": "array", "items": {"$ref": "#/components/schemas/Account"}}},
    },
    "Code": {"type": "string", "minLength": 3, "description": "A short code."},
    "Loose": {
        "anyOf": [{"type": "integer"}, {"type": "boolean"}, {"$ref": "#/components/schemas/Closed"}, {"type": "null"}]
    },
    "Coded": {
        "type": "object",
        "properties": {"code": {"$ref": "#/components/schemas/Code"}, "loose": {"$ref": "#/components/schemas/Loose"}},
    },
}


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """The package emitted from `SCHEMAS`."""
    return emit(tmp_path_factory.mktemp("models"), {"openapi.json": openapi(SCHEMAS)})


@pytest.fixture(scope="session")
def models(emitted: Emitted) -> Any:
    """Its models module."""
    return emitted.models
