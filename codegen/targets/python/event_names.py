"""Names in the event modules: methods, handlers, and parameters beside the ones that are always there.

Names that would come out alike stay as the contract spells them, see
`codegen.targets.python.names.distinct`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from codegen.model.events import ChannelParameter, EventOperation, Message
from codegen.model.ids import MessageId, OperationId
from codegen.targets.python.names import distinct, exact, snake

ANNOTATIONS = frozenset({"bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple", "datetime"})
"""What signatures are written with: a method of such a name would stand in their way."""
_CALLED = ANNOTATIONS | {
    "current_traceparent",
    "current_tracestate",
    "decoded",
    "dispatcher",
    "fill_address",
    "frozenset",
    "headers_from_text",
    "headers_to_text",
    "isinstance",
    "new_event_id",
    "outgoing",
    "partial",
    "raw_headers",
    "timestamp",
    "utc_now",
}
TAKEN_BY_PUBLISHERS = _CALLED | {"decoders", "headers", "message", "payload", "reply", "self", "timeout"}
TAKEN_BY_EVENTS = _CALLED | {"address", "data", "event", "headers", "id", "self", "time"}
TAKEN_BY_CONSUMERS = _CALLED | {
    "concurrency",
    "consumer",
    "encode",
    "group",
    "handle",
    "handler",
    "options",
    "redelivery",
    "reply",
    "start",
    "transport",
}


def operation_names(operations: Iterable[EventOperation], reserved: Iterable[str] = ()) -> dict[OperationId, str]:
    """A function name for each operation."""
    return distinct({each.id: (snake(each.name), exact(each.name)) for each in operations}, frozenset(reserved))


def method_names(
    operations: Mapping[OperationId, tuple[EventOperation, Sequence[Message]]], reserved: frozenset[str] = frozenset()
) -> dict[tuple[OperationId, MessageId], str]:
    """A method for each message of each operation: named after the operation, and the message when it has several."""
    candidates: dict[tuple[OperationId, MessageId], tuple[str, ...]] = {}
    for operation, messages in operations.values():
        for message in messages:
            own = (snake(operation.name), exact(operation.name))
            candidates[operation.id, message.id] = (
                own
                if len(messages) == 1
                else (
                    f"{own[0]}_{snake(message.name)}",
                    f"{own[0]}_{exact(message.name)}",
                    f"{own[1]}_{exact(message.name)}",
                    f"{own[1]}_{exact(message.id)}",
                )
            )
    return distinct(candidates, reserved | ANNOTATIONS)


def handler_names(messages: Iterable[Message]) -> dict[MessageId, str]:
    """The parameter for the handler of each message of one operation."""
    return distinct(
        {
            each.id: tuple(f"on_{name}" for name in (snake(each.name), exact(each.name), exact(each.id)))
            for each in messages
        }
    )


def parameter_names(parameters: Iterable[ChannelParameter], taken: frozenset[str]) -> dict[str, str]:
    """The argument for each parameter of an address; `address_<name>` where another argument has the name."""
    plain = distinct({each.name: (snake(each.name), exact(each.name)) for each in parameters})
    return {
        name: f"address_{found.rstrip('_')}" if found in taken or found.startswith("on_") else found
        for name, found in plain.items()
    }
