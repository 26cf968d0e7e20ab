"""The pieces of a schema: itself, what it refers to and what `allOf` joins, as one flat list.

A schema is the conjunction of its pieces, so objects, bounds and types are
merged by reading them one after another; the schema's own piece comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from enum import Enum

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents, Node

ANNOTATIONS = frozenset(
    {
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "externalDocs",
        "xml",
        "$comment",
        "nullable",
        "summary",
        "$schema",
        "$id",
        "$anchor",
        "definitions",
        "$defs",
        "contentSchema",
        "discriminator",
    }
)
_UNEXPRESSED = (
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "$dynamicRef",
    "$recursiveRef",
)
KEYWORDS = frozenset(
    {
        "type", "format", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
        "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties",
        "required", "properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "items",
        "prefixItems", "additionalItems", "propertyNames", "allOf", "oneOf", "anyOf", "contentEncoding",
        "contentMediaType", "contentSchema", "$ref", "$vocabulary", "$dynamicAnchor", "id",
    }
    | ANNOTATIONS
    | set(_UNEXPRESSED)
)  # fmt: skip


class Dialect(Enum):
    OPENAPI_30 = "openapi 3.0"
    JSON_SCHEMA = "2020-12"


def dialect_of(document: Document) -> Dialect:
    """OpenAPI 3.0 has a dialect of its own: `nullable`, boolean exclusive bounds, `$ref` without siblings."""
    version = document.data.get("openapi") if isinstance(document.data, dict) else None
    return Dialect.OPENAPI_30 if isinstance(version, str) and version.startswith("3.0") else Dialect.JSON_SCHEMA


class Pieces:
    """Collects pieces; a schema that contains itself by allOf is reported."""

    def __init__(self, documents: Documents, diagnostics: Diagnostics) -> None:
        self._documents = documents
        self._diagnostics = diagnostics

    def of(self, node: Node) -> list[Node]:
        """The pieces of the schema at `node`, its own first."""
        found: list[Node] = []
        self._collect(node, found, ())
        return found

    def _collect(self, node: Node, found: list[Node], open_ids: tuple[str, ...]) -> None:
        if node.id in open_ids:
            self._diagnostics.error(
                "schema/cyclic-allof",
                "a schema that contains itself through allOf or $ref",
                node.location,
                hint="remove the reference that leads back to the schema itself",
            )
            return
        if any(node.id == known.id for known in found) or node.value is True:
            return
        if node.value is not False and not isinstance(node.value, dict):
            self._diagnostics.error(
                "schema/shape",
                "a schema must be an object or a boolean",
                node.location,
                hint="write `{}` for a schema that allows everything",
            )
            return
        inside = (*open_ids, node.id)
        if isinstance(node.value, dict) and "$ref" in node.value:
            target = self._documents.resolve(node.value["$ref"], node)
            if dialect_of(node.document) is Dialect.JSON_SCHEMA:
                found.append(node)
            if target is not None:
                self._collect(target, found, inside)
        else:
            found.append(node)
        branches = node.value.get("allOf") if isinstance(node.value, dict) else None
        if branches is not None and not isinstance(branches, list):
            self._diagnostics.error(
                "schema/shape",
                "`allOf` must be a list of schemas",
                node.child("allOf").location,
                hint="write each schema as an item of a list",
            )
            return
        for branch in node.child("allOf").items():
            self._collect(branch, found, inside)


def report_unexpressed(pieces: Sequence[Node], diagnostics: Diagnostics) -> None:
    """Say which assertions the graph does not hold."""
    for piece in pieces:
        if not isinstance(piece.value, dict):
            continue
        for unknown in piece.value.keys() - KEYWORDS:
            _report_unknown(piece, unknown, diagnostics)
        for keyword in _UNEXPRESSED:
            if keyword in piece.value and not (keyword in ("then", "else") and "if" in piece.value):
                diagnostics.unsupported(
                    f"schema/{keyword.strip('$').lower()}",
                    f"`{keyword}` is not checked by the models",
                    piece.child(keyword).location,
                    hint="validate it in the handler",
                )


def _report_unknown(piece: Node, key: str, diagnostics: Diagnostics) -> None:
    """Other keys are annotations, by JSON Schema's own rule; one that is nearly a keyword is a slip."""
    close = [] if key.startswith("x-") else get_close_matches(key, KEYWORDS, n=1, cutoff=0.82)
    if close:
        diagnostics.warning(
            "schema/unknown-keyword",
            f"`{key}` is no keyword of JSON Schema and means nothing",
            piece.child(key).location,
            hint=f"did you mean `{close[0]}`?",
        )
