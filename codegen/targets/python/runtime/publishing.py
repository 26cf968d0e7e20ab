"""What generated publishers share: from an encoded payload to a message with headers, key and trace."""

from __future__ import annotations

from collections.abc import Mapping

from .context import trace_headers
from .message_parts import MESSAGE_NAME, MessageExpression
from .transport import PublishedMessage


def outgoing(
    body: bytes,
    content_type: str,
    *,
    headers: Mapping[str, str] | None = None,
    name: str | None = None,
    ordering_key: str | MessageExpression | None = None,
    traced: bool = False,
) -> PublishedMessage:
    """The message to publish.

    `name` is the contract's name of the message, sent as a header. `traced` says that the body carries the trace
    already; otherwise it goes into the headers.
    """
    found = {} if traced else dict(trace_headers())
    if name is not None:
        found[MESSAGE_NAME] = name
    found.update(headers or {})
    message = PublishedMessage(body=body, content_type=content_type, headers=found)
    key = ordering_key.of(message) if isinstance(ordering_key, MessageExpression) else ordering_key
    if key is None:
        return message
    return PublishedMessage(body=body, content_type=content_type, headers=found, ordering_key=key)
