"""Names and ids of server-sent events, as the contract of watchOrderStatus has them.

The generated server writes the data of each event only; without an id a client that lost its connection could not go
on where it stood.
"""

from __future__ import annotations

import json
from typing import Any

from shop.runtime.http_requests import AsgiReceive, AsgiScope, AsgiSend

from services.platform.telemetry import Asgi

NAME = b"order-status"
_DATA = b"data: "


class NamedEvents:
    """An ASGI application around another one, whose event streams are streams of order statuses."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve one connection."""
        streams = False

        async def sending(message: Any) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                streams = (b"content-type", b"text/event-stream") in message["headers"]
            elif streams and message.get("body", b"").startswith(_DATA):
                message["body"] = named(message["body"])
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def named(event: bytes) -> bytes:
    """One event with its name, and the version in its data as its id."""
    version = json.loads(event.removeprefix(_DATA))["version"]
    return b"event: %s\nid: %d\n%s" % (NAME, int(version), event)
