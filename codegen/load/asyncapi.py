"""AsyncAPI 2.0-2.6, 3.0 and 3.1 -> applications, channels, messages, operations.

Phases: version -> servers and security -> schemas of the components (handed to
the schema reader) -> channels with their messages -> operations -> fragment.
What 2.x says differently is in `codegen.load.asyncapi_v2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from codegen.diagnostics import Diagnostics
from codegen.load.asyncapi_channels import (
    dead_letter_of,
    ordering_key_of,
    parameters_of,
    retry_of,
    security_of,
    security_schemes_of,
    servers_of,
    warn_of_channel_extensions,
)
from codegen.load.asyncapi_messages import (
    MessageReader,
    check_expression,
    is_multi_format,
    raw_object,
    readable,
    report_format,
    tags_of,
)
from codegen.load.asyncapi_source import AREA, Source
from codegen.load.asyncapi_v2 import read_v2
from codegen.load.documents import Document, Documents, Node
from codegen.load.fields import check_fields, check_sections, extensions_of, flag_of, is_object, text_of
from codegen.load.schemas import SchemaReader
from codegen.model.events import Action, Application, Channel, EventOperation, Reply
from codegen.model.graph import Contract, ContractKind, Fragment
from codegen.model.ids import ChannelId, MessageId, OperationId

_VERSION = re.compile(r"(?:(2)\.[0-6]|(3)\.[01])\.\d+(?:-.+)?")
ROOT_FIELDS = {
    2: frozenset(
        {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "components", "tags", "externalDocs"}
    ),
    3: frozenset({"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}),
}
COMPONENT_FIELDS = frozenset(
    {
        "schemas",
        "servers",
        "channels",
        "operations",
        "messages",
        "securitySchemes",
        "serverVariables",
        "parameters",
        "correlationIds",
        "replies",
        "replyAddresses",
        "externalDocs",
        "tags",
        "operationTraits",
        "messageTraits",
        "serverBindings",
        "channelBindings",
        "operationBindings",
        "messageBindings",
    }
)
CHANNEL_FIELDS = frozenset(
    {
        "address",
        "messages",
        "title",
        "summary",
        "description",
        "servers",
        "parameters",
        "tags",
        "externalDocs",
        "bindings",
        "$ref",
    }
)
OPERATION_FIELDS = frozenset(
    {
        "action",
        "channel",
        "title",
        "summary",
        "description",
        "security",
        "tags",
        "externalDocs",
        "bindings",
        "traits",
        "messages",
        "reply",
        "deprecated",
        "$ref",
    }
)
REPLY_FIELDS = frozenset({"address", "channel", "messages", "$ref"})


def load_asyncapi(
    document: Document, documents: Documents, schemas: SchemaReader, diagnostics: Diagnostics
) -> Fragment:
    """What one AsyncAPI document says. Declarations stay with the schema reader."""
    root = documents.root_node(document)
    version = str(root.child("asyncapi").value)
    match = _VERSION.fullmatch(version)
    if match is None:
        diagnostics.error(
            "asyncapi/version",
            f"AsyncAPI {version} is not supported",
            root.child("asyncapi").location,
            hint="2.0 to 2.6, 3.0 and 3.1 are; `asyncapi convert` updates older documents",
        )
        return Fragment(contract=_contract(document, documents, version, ""))
    source = Source(
        document=document,
        documents=documents,
        schemas=schemas,
        diagnostics=diagnostics,
        major=int(match[1] or match[2]),
    )
    check_fields(root.members(), ROOT_FIELDS[source.major], "an AsyncAPI document", AREA, diagnostics)
    check_fields(root.child("components").members(), COMPONENT_FIELDS, "`components`", AREA, diagnostics)
    check_sections(
        root, ("info", "servers", "channels", "operations", "components"), (), AREA, "bad-value", diagnostics
    )
    check_sections(root.child("components"), COMPONENT_FIELDS - {"$ref"}, (), AREA, "bad-value", diagnostics)
    _read_schemas(source)
    messages = MessageReader(source)
    found = read_v2(source, messages) if source.major == 2 else _Reader(source, messages).read()
    channels, operations = found
    for name, node in source.members(root, "components", "messages"):
        messages.read(node, (name,))
    title = root.child("info").text("title")
    return Fragment(
        contract=_contract(document, documents, version, title),
        applications=(_application(source, version, channels, operations),),
        channels=channels,
        messages=messages.messages,
        event_operations=operations,
    )


def _contract(document: Document, documents: Documents, version: str, title: str) -> Contract:
    depends_on = documents.references.get(document.path, set()) - {document.path}
    return Contract(
        path=document.path,
        kind=ContractKind.ASYNCAPI,
        version=version,
        title=title,
        digest=document.digest,
        depends_on=tuple(sorted(depends_on)),
    )


def _application(
    source: Source, version: str, channels: tuple[Channel, ...], operations: tuple[EventOperation, ...]
) -> Application:
    root = source.root
    info = root.child("info")
    if not info.text("title"):
        source.diagnostics.error(
            "asyncapi/missing-field",
            "the document has no `info.title`",
            info.location,
            hint="give the application a title and a version under `info`",
        )
    return Application(
        id=source.document.path,
        name=info.text("title") or source.document.path,
        version=_text(info, "version"),
        doc=info.text("description"),
        protocol_version=version,
        servers=servers_of(source),
        security_schemes=security_schemes_of(source),
        channels=tuple(c.id for c in channels),
        channel_keys=_channel_keys(source, channels),
        operations=tuple(o.id for o in operations),
        location=root.location,
        extensions=extensions_of(root.members()),
    )


def _channel_keys(source: Source, channels: tuple[Channel, ...]) -> tuple[tuple[str, ChannelId], ...]:
    known = {channel.id for channel in channels}
    listed = ((key, node, source.follow(node)) for key, node in source.members(source.root, "channels"))
    places = ((key, (ChannelId(node.id), ChannelId(target.id))) for key, node, target in listed if target is not None)
    return tuple((key, id_) for key, ids in places for id_ in ids if id_ in known)


def _text(node: Node, key: str) -> str:
    value = node.child(key).value
    return "" if value is None else str(value)


def _read_schemas(source: Source) -> None:
    for name, node in source.members(source.root, "components", "schemas"):
        schema = node
        if is_multi_format(node):
            schema = node.child("schema")
            if not readable(node.text("schemaFormat")):
                report_format(source, schema, node.text("schemaFormat"))
                continue
        source.schemas.type_of(schema, (name,))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Channels and operations of AsyncAPI 3.x."""

    source: Source
    messages: MessageReader

    def read(self) -> tuple[tuple[Channel, ...], tuple[EventOperation, ...]]:
        channels: dict[ChannelId, Channel] = {}
        for name, node in self.source.members(self.source.root, "channels"):
            self._channel(node, name, channels)
        operations = []
        for name, node in self.source.members(self.source.root, "operations"):
            target = self.source.follow(node)
            if target is not None and is_object(target, "an operation", AREA, self.source.diagnostics):
                operation = self._operation(name, target, channels)
                operations += [operation] if operation else []
        return tuple(channels.values()), tuple(operations)

    def _channel(self, node: Node, name: str, channels: dict[ChannelId, Channel]) -> Channel | None:
        target = self.source.follow(node)
        if target is None or not is_object(target, "a channel", AREA, self.source.diagnostics):
            return None
        id_ = ChannelId(target.id)
        if id_ not in channels:
            channels[id_] = self._read_channel(target, target.key or name)
        return channels[id_]

    def _read_channel(self, node: Node, name: str) -> Channel:
        source = self.source
        check_fields(node.members(), CHANNEL_FIELDS, "a channel", AREA, source.diagnostics)
        address = node.text("address") or None
        messages: list[tuple[str, MessageId]] = []
        for key, item in source.members(node, "messages"):
            message = self.messages.read(item, (name, key))
            messages += [(key, message.id)] if message else []
        bindings = node.child("bindings")
        return Channel(
            id=ChannelId(node.id),
            name=name,
            address=address,
            title=node.text("title"),
            doc=node.text("description") or node.text("summary"),
            parameters=parameters_of(source, node, address),
            messages=tuple(messages),
            servers=_server_names(node.child("servers")),
            bindings=raw_object(source, bindings),
            ordering_key=ordering_key_of(source, node),
            retry=retry_of(source, node),
            dead_letter=dead_letter_of(source, node),
            tags=tags_of(source, node.child("tags")),
            location=node.location,
            extensions=extensions_of(node.members()),
        )

    def _operation(self, name: str, node: Node, channels: dict[ChannelId, Channel]) -> EventOperation | None:
        source = self.source
        fields = source.with_traits(node)
        check_fields(fields.items(), OPERATION_FIELDS, "an operation", AREA, source.diagnostics)
        warn_of_channel_extensions(source, fields)
        action = node.text("action")
        if action not in ("send", "receive"):
            source.diagnostics.error(
                "asyncapi/action",
                f"the operation `{name}` must `send` or `receive`",
                node.child("action").location,
                hint="write `action: send` or `action: receive`",
            )
            return None
        if not node.has("channel"):
            source.diagnostics.error(
                "asyncapi/missing-field",
                f"the operation `{name}` names no channel",
                node.location,
                hint="add `channel: {$ref: '#/channels/...'}`",
            )
            return None
        channel = self._channel(node.child("channel"), node.child("channel").text("$ref").rpartition("/")[2], channels)
        if channel is None:
            return None
        return EventOperation(
            id=OperationId(node.id),
            name=name,
            action=Action(action),
            channel=channel.id,
            messages=self._messages_of(fields.get("messages"), channel, name),
            service=text_of(fields, "x-service") or text_of(dict(source.root.members()), "x-service") or None,
            consumer_group=text_of(fields, "x-consumer-group") or None,
            reply=self._reply(fields.get("reply"), channels, name),
            title=text_of(fields, "title"),
            summary=text_of(fields, "summary"),
            doc=text_of(fields, "description"),
            deprecated=flag_of(fields, "deprecated"),
            tags=tags_of(source, fields.get("tags")),
            security=security_of(source, fields.get("security")),
            bindings=raw_object(source, fields.get("bindings")),
            location=node.location,
            extensions=extensions_of(fields.items()),
        )

    def _messages_of(self, node: Node | None, channel: Channel, operation: str) -> tuple[MessageId, ...]:
        """Those the operation names, all of its channel when it names none."""
        allowed = [id_ for _, id_ in channel.messages]
        if node is None or node.value is None:
            return tuple(dict.fromkeys(allowed))
        found: list[MessageId] = []
        for item in node.items():
            target = self.source.follow(item)
            if target is None:
                continue
            if target.id in allowed:
                found.append(MessageId(target.id))
                continue
            self.source.diagnostics.error(
                "asyncapi/foreign-message",
                f"the operation `{operation}` uses a message that its channel `{channel.name}` does not have",
                item.location,
                related=(channel.location,),
                hint=f"add the message to the channel and refer to `#/channels/{channel.name}/messages/...`",
            )
        return tuple(dict.fromkeys(found))

    def _reply(self, node: Node | None, channels: dict[ChannelId, Channel], operation: str) -> Reply | None:
        target = self.source.follow(node) if node is not None else None
        if target is None or not is_object(target, "`reply`", AREA, self.source.diagnostics):
            return None
        check_fields(target.members(), REPLY_FIELDS, "a reply", AREA, self.source.diagnostics)
        address = self.source.follow(target.child("address"))
        expression = None
        if (
            address is not None
            and address.value is not None
            and check_expression(self.source, address.child("location"))
        ):
            expression = address.text("location")
        channel = None
        if target.has("channel"):
            channel = self._channel(target.child("channel"), "reply", channels)
        messages: tuple[MessageId, ...] = ()
        if channel is not None:
            messages = self._messages_of(target.child("messages"), channel, operation)
        return Reply(channel=channel.id if channel else None, address_expression=expression, messages=messages)


def _server_names(node: Node) -> tuple[str, ...]:
    return tuple(item.text("$ref").rpartition("/")[2] for item in node.items() if item.text("$ref"))
