"""What tests of transports share: a handler that notes what it saw, and waiting for a condition."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from shop.runtime.transport import Outcome, PublishedMessage, ReceivedMessage, Success

JSON = "application/json"


def message(text: str, key: str | None = None, **headers: str) -> PublishedMessage:
    """A small message."""
    return PublishedMessage(body=text.encode(), ordering_key=key, headers=headers)


def event(id_: str, **more: Any) -> PublishedMessage:
    """A CloudEvent in structured mode."""
    body = {"specversion": "1.0", "id": id_, "source": "tests", "type": "t", "data": {}, **more}
    return PublishedMessage(body=json.dumps(body).encode(), content_type="application/cloudevents+json")


class Handling:
    """Handles messages with the given outcomes in turn, then with success."""

    def __init__(self, *outcomes: Outcome, pause: float = 0.0) -> None:
        self.seen: list[str] = []
        self.messages: list[ReceivedMessage] = []
        self.running = self.most = 0
        self.cancelled = 0
        self._outcomes = list(outcomes)
        self._pause = pause

    async def __call__(self, received: ReceivedMessage) -> Outcome:
        self.seen.append(received.body.decode())
        self.messages.append(received)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self._pause)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return self._outcomes.pop(0) if self._outcomes else Success()

    @property
    def attempts(self) -> list[tuple[str, int]]:
        """(body, attempt) of each delivery."""
        return [(received.body.decode(), received.attempt) for received in self.messages]


async def until(condition: Callable[[], Any | Awaitable[Any]], *, within: float = 10.0) -> None:
    """Return when the condition holds; an `AssertionError` after `within` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert loop.time() < end, "it did not come to that in time"
        await asyncio.sleep(0.01)
