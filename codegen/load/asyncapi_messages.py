"""Messages of AsyncAPI 2.x and 3.x: payload, headers, correlation; traits merged in.

A message is known by the place of its definition, so that two documents that
refer to one definition mean one message.

Class of an inline payload: the message's own name when no schema and no other
message of the file has it, else the name with `payload` behind it (and the
channel before it, for messages defined inside channels).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from codegen.load.asyncapi_source import AREA, Source
from codegen.load.documents import Document, Node, unescape
from codegen.load.fields import check_fields, extensions_of, flag_of, is_object, text_of
from codegen.model.events import CorrelationId, Message, MessageExample
from codegen.model.ids import MessageId
from codegen.model.types import Type

MESSAGE_FIELDS = frozenset(
    {
        "headers",
        "payload",
        "correlationId",
        "contentType",
        "name",
        "title",
        "summary",
        "description",
        "tags",
        "externalDocs",
        "bindings",
        "examples",
        "traits",
        "deprecated",
        "$ref",
    }
)
MESSAGE_FIELDS_V2 = MESSAGE_FIELDS | {"messageId", "schemaFormat"}
EXPRESSION = re.compile(r"\$message\.(header|payload)(#(/.*)?)?", re.DOTALL)
_READABLE_FORMATS = (
    "application/vnd.aai.asyncapi",
    "application/schema+json",
    "application/schema+yaml",
    "application/vnd.oai.openapi",
)
_CONTAINER_KEYS = frozenset({"message", "", "oneOf"})


class MessageReader:
    """Reads each message definition once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[str, Message] = {}
        self._inline: dict[str, Counter[str]] = {}

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that were read, in order."""
        return tuple(self._found.values())

    def read(self, node: Node, fallback: tuple[str, ...]) -> Message | None:
        """The message at `node`, a `$ref` followed; `fallback` names one whose place gives no name."""
        target = self._source.follow(node)
        if target is None or not is_object(target, "a message", AREA, self._source.diagnostics):
            return None
        if target.id not in self._found:
            self._found[target.id] = self._read(target, fallback)
        return self._found[target.id]

    def _read(self, node: Node, fallback: tuple[str, ...]) -> Message:
        source = self._source
        fields = source.with_traits(node)
        known = MESSAGE_FIELDS_V2 if source.major == 2 else MESSAGE_FIELDS
        check_fields(fields.items(), known, "a message", AREA, source.diagnostics)
        name = _name(node, fields, fallback)
        schema_format = text_of(fields, "schemaFormat") if source.major == 2 else ""
        payload, refused = self._schema(fields.get("payload"), schema_format, self._payload_name(node, name, fallback))
        headers, _ = self._schema(fields.get("headers"), "", _headers_name(node, name, fields.get("headers")))
        return Message(
            id=MessageId(node.id),
            name=name,
            title=text_of(fields, "title"),
            summary=text_of(fields, "summary"),
            doc=text_of(fields, "description"),
            content_type=text_of(fields, "contentType") or _default_content_type(node.document, source.document),
            payload=payload,
            schema_format=refused,
            headers=headers,
            correlation_id=self._correlation(fields.get("correlationId")),
            bindings=raw_object(source, fields.get("bindings")),
            examples=_examples(fields.get("examples")),
            deprecated=flag_of(fields, "deprecated"),
            tags=tags_of(source, fields.get("tags")),
            location=node.location,
            extensions=extensions_of(fields.items()),
        )

    def _schema(self, node: Node | None, schema_format: str, name: tuple[str, ...]) -> tuple[Type | None, str | None]:
        """The type of a payload or of headers, and the format it is in when that one cannot be read."""
        if node is None:
            return None, None
        if schema_format and not readable(schema_format):
            report_format(self._source, node, schema_format)
            return None, schema_format
        target = self._source.follow(node) if node.has("$ref") else node
        if target is None:
            return None, None
        if is_multi_format(target):
            node, schema_format = target.child("schema"), target.text("schemaFormat")
        if schema_format and not readable(schema_format):
            report_format(self._source, node, schema_format)
            return None, schema_format
        return self._source.schemas.type_of(node, name), None

    def _payload_name(self, node: Node, name: str, fallback: tuple[str, ...]) -> tuple[str, ...]:
        inline = not _is_component(node)
        counts = self._names_in(node.document)
        if counts[_normal(name)] <= 1:
            return (name,)
        return (*fallback[:-1], name, "payload") if inline else (name, "payload")

    def _names_in(self, document: Document) -> Counter[str]:
        """How many schemas and messages of a file want each name."""
        if document.path not in self._inline:
            self._inline[document.path] = Counter(map(_normal, _names_of(document.data)))
        return self._inline[document.path]

    def _correlation(self, node: Node | None) -> CorrelationId | None:
        target = self._source.follow(node) if node is not None else None
        if target is None or not is_object(target, "`correlationId`", AREA, self._source.diagnostics):
            return None
        check_fields(target.members(), {"description", "location"}, "a correlation id", AREA, self._source.diagnostics)
        expression = target.text("location")
        if not check_expression(self._source, target.child("location")):
            return None
        return CorrelationId(expression=expression, doc=target.text("description"))


def check_expression(source: Source, node: Node) -> bool:
    """Whether the node is a runtime expression (`$message.header#/x`); reported when it is not."""
    if isinstance(node.value, str) and EXPRESSION.fullmatch(node.value):
        return True
    source.diagnostics.error(
        "asyncapi/expression",
        f"`{node.value}` is no runtime expression",
        node.location,
        hint="write `$message.header#/<pointer>` or `$message.payload#/<pointer>`",
    )
    return False


def is_multi_format(node: Node) -> bool:
    """Whether this is a Multi Format Schema Object (3.x): `{schemaFormat, schema}`."""
    return node.has("schemaFormat") and node.has("schema")


def readable(schema_format: str) -> bool:
    """Whether schemas of this format are JSON Schema in one of its spellings."""
    return schema_format.startswith(_READABLE_FORMATS)


def report_format(source: Source, node: Node, schema_format: str) -> None:
    """Say that a schema is in a format that is not read."""
    source.diagnostics.unsupported(
        "asyncapi/schema-format",
        f"schemas in the format `{schema_format}` are not read: the message has no type",
        node.location,
        hint="describe the payload with JSON Schema, or treat it as bytes",
    )


def raw_object(source: Source, node: Node | None) -> dict[str, Any]:
    """An object kept as it is, a `$ref` in its place and one level below followed."""
    target = source.follow(node) if node is not None else None
    if target is None:
        return {}
    followed = ((key, source.follow(child)) for key, child in target.members())
    return {key: child.value for key, child in followed if child is not None}


def tags_of(source: Source, node: Node | None) -> tuple[str, ...]:
    """The names of tags."""
    tags = [source.follow(tag) for tag in node.items()] if node is not None else []
    return tuple(tag.text("name") for tag in tags if tag is not None and tag.text("name"))


def _examples(node: Node | None) -> tuple[MessageExample, ...]:
    if node is None:
        return ()
    return tuple(
        MessageExample(
            name=example.text("name"),
            payload=example.child("payload").value,
            has_payload=example.has("payload"),
            headers=example.child("headers").value,
        )
        for example in node.items()
        if isinstance(example.value, dict)
    )


def _default_content_type(definition: Document, reader: Document) -> str | None:
    own = definition.data
    data = own if isinstance(own, dict) and "asyncapi" in own else reader.data
    default = data.get("defaultContentType") if isinstance(data, dict) else None
    return default if isinstance(default, str) else None


def _is_component(node: Node) -> bool:
    parent = node.pointer.rpartition("/")[0]
    return parent in ("", "/components/messages")


def _name(node: Node, fields: dict[str, Node], fallback: tuple[str, ...]) -> str:
    if node.key not in _CONTAINER_KEYS and not node.key.isdigit():
        return node.key
    return text_of(fields, "messageId") or text_of(fields, "name") or text_of(fields, "title") or "_".join(fallback)


def _headers_name(message: Node, name: str, headers: Node | None) -> tuple[str, ...]:
    """Headers of a trait are named by the trait: several messages have them."""
    if headers is None or headers.pointer.startswith(f"{message.pointer}/") or headers.pointer.count("/") < 2:
        return name, "headers"
    return unescape(headers.pointer.split("/")[-2]), "headers"


def _normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names_of(data: Any) -> list[str]:
    """Names that schemas and messages of a document would like to have."""
    if not isinstance(data, dict):
        return []
    components = data.get("components")
    found = [name for section in ("schemas", "messages") for name in _object(_object(components).get(section))]
    for channel in _object(data.get("channels")).values():
        for key, message in _object(_object(channel).get("messages")).items():
            if "$ref" not in _object(message):
                found.append(str(key))
        for action in ("publish", "subscribe"):
            message = _object(_object(_object(channel).get(action)).get("message"))
            listed = message.get("oneOf")
            options = [message, *(listed if isinstance(listed, list) else ())]
            found += [
                str(option.get("messageId") or option.get("name") or option.get("title") or "")
                for option in options
                if isinstance(option, dict) and "payload" in option
            ]
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
