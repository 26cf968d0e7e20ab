"""Every event that is consumed has a producer, and every event that is produced has a consumer.

The rule speaks where the contracts name owners: for channels of which some
operation carries `x-service`. An operation marked `x-external: true` has its
counterpart outside these contracts.
"""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.model.events import Action, EventOperation
from codegen.model.graph import Graph
from codegen.model.ids import ChannelId, MessageId


def check(graph: Graph, diagnostics: Diagnostics) -> None:
    """Match senders and receivers, channel by channel and message by message."""
    by_channel: dict[ChannelId, list[EventOperation]] = {}
    for operation in graph.event_operations.values():
        by_channel.setdefault(operation.channel, []).append(operation)
    targets = {channel.dead_letter for channel in graph.channels.values()}
    for channel_id, operations in by_channel.items():
        if not any(operation.service for operation in operations):
            continue
        sent = _messages(operations, Action.SEND)
        received = _messages(operations, Action.RECEIVE)
        for operation in operations:
            if operation.extensions.get("x-external") is True:
                continue
            others = sent if operation.action is Action.RECEIVE else received
            if operation.action is Action.RECEIVE and channel_id in targets:
                continue
            for message_id in operation.messages:
                if message_id not in others:
                    _report(graph, operation, message_id, diagnostics)
    _unused(graph, by_channel, targets, diagnostics)


def _messages(operations: list[EventOperation], action: Action) -> set[MessageId]:
    return {message for operation in operations if operation.action is action for message in operation.messages}


def _report(graph: Graph, operation: EventOperation, message_id: MessageId, diagnostics: Diagnostics) -> None:
    message = graph.messages[message_id].name if message_id in graph.messages else message_id
    consumed = operation.action is Action.RECEIVE
    diagnostics.error(
        "link/event-unproduced" if consumed else "link/event-unconsumed",
        f"`{operation.name}` {'receives' if consumed else 'sends'} `{message}`, which no operation "
        f"{'sends' if consumed else 'receives'}",
        operation.location,
        hint=f"describe the {'producer' if consumed else 'consumer'}, or mark the operation `x-external: true`",
    )


def _unused(
    graph: Graph,
    by_channel: dict[ChannelId, list[EventOperation]],
    targets: set[ChannelId | None],
    diagnostics: Diagnostics,
) -> None:
    owned = {
        operation.location.path for operations in by_channel.values() for operation in operations if operation.service
    }
    replies = {operation.reply.channel for operation in graph.event_operations.values() if operation.reply}
    for channel in graph.channels.values():
        idle = channel.id not in by_channel and channel.id not in targets and channel.id not in replies
        if idle and channel.location.path in owned:
            diagnostics.warning(
                "link/channel-unused",
                f"no operation uses the channel `{channel.name}`",
                channel.location,
                hint="describe who sends to it or receives from it, or remove it",
            )
