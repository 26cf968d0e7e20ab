"""What all parts of the OpenAPI loader share: references, shape checks, and the fields each object may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents, Node
from codegen.load.fields import check_fields
from codegen.model.types import JsonValue, Type

AREA = "openapi"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_SCHEMA_OR_CONTENT = "schema content style explode allowReserved example examples"

FIELDS: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "document": "openapi info jsonSchemaDialect servers paths webhooks components security tags externalDocs $self",
        "info": "title summary description termsOfService contact license version",
        "components": "schemas responses parameters examples requestBodies headers securitySchemes links callbacks "
        "pathItems mediaTypes",
        "path item": "$ref summary description servers parameters " + " ".join(METHODS),
        "operation": "tags summary description externalDocs operationId parameters requestBody responses callbacks "
        "deprecated security servers",
        "parameter": "name in description required deprecated allowEmptyValue " + _SCHEMA_OR_CONTENT,
        "header": "description required deprecated allowEmptyValue " + _SCHEMA_OR_CONTENT,
        "request body": "description content required",
        "media type": "schema example examples encoding itemSchema itemEncoding prefixEncoding",
        "encoding": "contentType headers style explode allowReserved encoding",
        "response": "summary description headers content links",
        "link": "operationRef operationId parameters requestBody description server",
        "server": "url description variables name",
        "server variable": "enum default description",
        "security scheme": "type description name in scheme bearerFormat flows openIdConnectUrl oauth2MetadataUrl "
        "deprecated",
    }.items()
}
"""Fixed fields per object, OpenAPI 3.0 to 3.2 together."""


class Schemas(Protocol):
    """Reads schemas: what the loader needs of `codegen.load.schemas.SchemaReader`."""

    def type_of(self, node: Node, name: tuple[str, ...]) -> Type:
        """The type a schema node describes; `name` for what has to be hoisted out of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One document being read."""

    document: Document
    documents: Documents
    schemas: Schemas
    diagnostics: Diagnostics

    @property
    def root(self) -> Node:
        """The whole document."""
        return self.documents.root_node(self.document)

    def object(self, node: Node, kind: str) -> Node | None:
        """The object at `node`, behind any reference, its fields checked; None, reported, when there is none."""
        found = self.documents.follow(node)
        if found is None:
            return None
        if not isinstance(found.value, dict):
            self.diagnostics.error(
                "openapi/shape",
                f"a {kind} must be an object",
                found.location,
                hint="write its members below it, as `name: value`",
            )
            return None
        self.check_fields(found, kind)
        return found

    def check_fields(self, node: Node, kind: str) -> None:
        """Warn of fields that the object does not have in OpenAPI."""
        check_fields(node.members(), FIELDS[kind], f"the {kind}", AREA, self.diagnostics)

    def unexpected(self, node: Node, key: str, expected: str) -> None:
        """Report that the member `key` is not what it must be."""
        self.diagnostics.error("openapi/shape", f"`{key}` must be {expected}", node.child(key).location)

    def flag(self, node: Node, key: str, default: bool = False) -> bool:
        """A boolean member."""
        value = node.value.get(key, default)
        if isinstance(value, bool):
            return value
        self.unexpected(node, key, "true or false")
        return default


def component(node: Node, section: str) -> str | None:
    """The key of the component that `node` is, when it stands in `components/<section>`."""
    prefix = f"/components/{section}/"
    rest = node.pointer.removeprefix(prefix)
    return node.key if rest != node.pointer and "/" not in rest else None


def examples(reading: Reading, node: Node) -> tuple[JsonValue, ...]:
    """The values of `example` and `examples` (OpenAPI 3.1 section 4.8.19)."""
    found = [node.value["example"]] if node.has("example") else []
    for _, example in node.child("examples").members():
        target = reading.documents.follow(example)
        if target is not None and target.has("value"):
            found.append(target.value["value"])
    return tuple(found)
