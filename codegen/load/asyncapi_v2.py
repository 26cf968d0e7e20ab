"""AsyncAPI 2.x, mapped to the terms of 3.0.

A channel's key is its address. The document is written from the view of the
application's *users*: what they `publish` the application receives, and what
they `subscribe` to it sends (AsyncAPI 2.6, Channel Item Object).
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.load.asyncapi_channels import (
    dead_letter_of,
    ordering_key_of,
    parameters_of,
    retry_of,
    security_of,
    warn_of_channel_extensions,
)
from codegen.load.asyncapi_messages import MessageReader, raw_object, tags_of
from codegen.load.asyncapi_source import AREA, Source
from codegen.load.documents import Node
from codegen.load.fields import check_fields, extensions_of, flag_of, is_object, text_of
from codegen.model.events import Action, Channel, EventOperation, Message
from codegen.model.ids import ChannelId, MessageId, OperationId

CHANNEL_FIELDS = frozenset({"description", "servers", "subscribe", "publish", "parameters", "bindings", "$ref"})
OPERATION_FIELDS = frozenset(
    {
        "operationId",
        "summary",
        "description",
        "security",
        "tags",
        "externalDocs",
        "bindings",
        "traits",
        "message",
        "deprecated",
        "$ref",
    }
)
_ACTIONS = {"publish": Action.RECEIVE, "subscribe": Action.SEND}


def read_v2(source: Source, messages: MessageReader) -> tuple[tuple[Channel, ...], tuple[EventOperation, ...]]:
    """Channels and operations of a 2.x document.

    A definition that several addresses refer to is a channel for each, with operations of its own.
    """
    reader = _Reader(source, messages, {})
    channels: dict[ChannelId, Channel] = {}
    operations: list[EventOperation] = []
    for address, node in source.members(source.root, "channels"):
        target = source.follow(node)
        if target is None or not is_object(target, "a channel", AREA, source.diagnostics):
            continue
        id_ = ChannelId(node.id if target.id in channels else target.id)
        found = reader.operations(address, target, id_)
        channels[id_] = reader.channel(address, target, id_, found)
        operations += [operation for operation, _ in found]
    return tuple(channels.values()), tuple(operations)


@dataclass(frozen=True, slots=True)
class _Reader:
    source: Source
    messages: MessageReader
    names: dict[str, Node]

    def channel(
        self, address: str, node: Node, id_: ChannelId, operations: list[tuple[EventOperation, tuple[Message, ...]]]
    ) -> Channel:
        source = self.source
        check_fields(node.members(), CHANNEL_FIELDS, "a channel", AREA, source.diagnostics)
        messages = {message.id: message.name for _, carried in operations for message in carried}
        return Channel(
            id=id_,
            name=address,
            address=address,
            doc=node.text("description"),
            parameters=parameters_of(source, node, address),
            messages=tuple((name, id_) for id_, name in messages.items()),
            servers=tuple(str(item.value) for item in node.child("servers").items()),
            bindings=raw_object(source, node.child("bindings")),
            ordering_key=ordering_key_of(source, node),
            retry=retry_of(source, node),
            dead_letter=dead_letter_of(source, node),
            location=node.location,
            extensions=extensions_of(node.members()),
        )

    def operations(
        self, address: str, channel: Node, id_: ChannelId
    ) -> list[tuple[EventOperation, tuple[Message, ...]]]:
        found = []
        for key, action in _ACTIONS.items():
            node = channel.child(key)
            if channel.has(key) and is_object(node, f"`{key}`", AREA, self.source.diagnostics):
                found.append(self._operation(address, node, action, id_))
        return found

    def _operation(
        self, address: str, node: Node, action: Action, channel: ChannelId
    ) -> tuple[EventOperation, tuple[Message, ...]]:
        source = self.source
        fields = source.with_traits(node)
        check_fields(fields.items(), OPERATION_FIELDS, "an operation", AREA, source.diagnostics)
        warn_of_channel_extensions(source, fields)
        named = text_of(fields, "operationId")
        id_ = OperationId(node.id)
        if not node.id.startswith(f"{channel}/"):
            id_, named = OperationId(f"{channel}/{node.key}"), f"{named} {address}" if named else ""
        name = self._name(address, node, action, named)
        messages = self._messages(fields.get("message"), name)
        operation = EventOperation(
            id=id_,
            name=name,
            action=action,
            channel=channel,
            messages=tuple(MessageId(message.id) for message in messages),
            service=text_of(fields, "x-service") or text_of(dict(source.root.members()), "x-service") or None,
            consumer_group=text_of(fields, "x-consumer-group") or None,
            summary=text_of(fields, "summary"),
            doc=text_of(fields, "description"),
            deprecated=flag_of(fields, "deprecated"),
            tags=tags_of(source, fields.get("tags")),
            security=security_of(source, fields.get("security")),
            bindings=raw_object(source, fields.get("bindings")),
            location=node.location,
            extensions=extensions_of(fields.items()),
        )
        return operation, messages

    def _name(self, address: str, node: Node, action: Action, operation_id: str) -> str:
        name = operation_id or f"{action.value}_{address}"
        other = self.names.setdefault(name, node)
        if other is not node:
            self.source.diagnostics.error(
                "asyncapi/duplicate-operation",
                f"two operations are called `{name}`",
                node.location,
                related=(other.location,),
                hint="give one of them another `operationId`",
            )
        return name

    def _messages(self, node: Node | None, operation: str) -> tuple[Message, ...]:
        target = self.source.follow(node) if node is not None else None
        if target is None:
            return ()
        options = list(target.child("oneOf").items()) if target.has("oneOf") else [target]
        several = len(options) > 1
        found = [
            self.messages.read(option, (operation, str(i + 1)) if several else (operation,))
            for i, option in enumerate(options)
        ]
        return tuple(message for message in found if message is not None)
