"""What happens later by itself: a refund that settles, a message that is delivered, a parcel that moves."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from harness.gateways.clock import Clock


class Agenda:
    """Callbacks at times of the mock's clock. They are kept by snapshots, so they hold ids, not objects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._added = asyncio.Event()

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back in so many seconds of the mock's clock."""
        self._sequence += 1
        heapq.heappush(self._heap, (self._clock.now() + seconds, self._sequence, callback))
        self._added.set()

    def run_due(self) -> None:
        """Call back whatever is due, in order of time, also what that adds."""
        while self._heap and self._heap[0][0] <= self._clock.now():
            heapq.heappop(self._heap)[2]()

    async def run(self) -> None:
        """Call back until cancelled."""
        while True:
            self.run_due()
            await self._clock.sleep_until(self._heap[0][0] if self._heap else self._clock.now() + 86_400, self._added)

    def reset(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._sequence = 0

    def position(self) -> object:
        """What `restore` takes."""
        return list(self._heap), self._sequence

    def restore(self, position: Any) -> None:
        """Back to an earlier `position`."""
        heap, self._sequence = position
        self._heap = list(heap)
        self._added.set()
