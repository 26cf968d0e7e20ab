"""The connection under a request, for faults that HTTP cannot express."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_AT_ONCE = struct.pack("ii", 1, 0)


class OpenProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, which lets the application see its transport."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["treaty.transport"] = self.transport  # type: ignore[typeddict-unknown-key] # an extension of ours


Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def reset(scope: MutableMapping[str, Any], receive: Receive) -> None:
    """Reset the connection: the peer sees ECONNRESET."""
    transport: asyncio.Transport = scope["treaty.transport"]
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()
    await _gone(receive)


async def cut_off(scope: MutableMapping[str, Any], receive: Receive) -> None:
    """Close the connection after what was written."""
    transport: asyncio.Transport = scope["treaty.transport"]
    transport.close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Uvicorn would answer 500 for an application that returns while the connection stands."""
    try:
        async with asyncio.timeout(1.0):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return
