"""The time that a mock believes in: the machine's, until a test moves it."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Unix time in seconds. It runs with the machine's clock, plus what was advanced, or stands still."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None
        self._moved: set[asyncio.Event] = set()

    def now(self) -> float:
        """The current time in seconds since 1970."""
        return time.time() + self._offset if self._frozen is None else self._frozen

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen is not None

    def advance(self, seconds: float) -> None:
        """Move forward; what is due by then happens at once. ValueError for less than nothing."""
        if not 0 <= seconds <= 10 * 366 * 86_400:
            raise ValueError("seconds must be between 0 and ten years")
        if self._frozen is None:
            self._offset += seconds
        else:
            self._frozen += seconds
        self._wake()

    def freeze(self, at: float | None = None) -> None:
        """Stand still, at `at` or at the current time, until `run`."""
        self._frozen = self.now() if at is None else at
        self._wake()

    def run(self) -> None:
        """Go on from where time stands."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time()
            self._frozen = None
            self._wake()

    def reset(self) -> None:
        """The machine's time again."""
        self._offset, self._frozen = 0.0, None
        self._wake()

    def position(self) -> tuple[float, float | None]:
        """What `restore` takes."""
        return self._offset, self._frozen

    def restore(self, position: tuple[float, float | None]) -> None:
        """Back to an earlier `position`."""
        self._offset, self._frozen = position
        self._wake()

    async def sleep_until(self, at: float, wake: asyncio.Event | None = None) -> None:
        """Wait for a time of this clock, or until `wake` is set."""
        moved = wake or asyncio.Event()
        self._moved.add(moved)
        try:
            while (left := at - self.now()) > 0:
                moved.clear()
                try:
                    await asyncio.wait_for(moved.wait(), None if self.frozen else min(left, 3600.0))
                except TimeoutError:
                    continue
                if wake is not None:
                    return
        finally:
            self._moved.discard(moved)

    def _wake(self) -> None:
        for event in self._moved:
            event.set()
