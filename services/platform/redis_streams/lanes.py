"""Which of the entries that a subscription holds may be handled next. Does no IO.

Entries with one key form a lane: one of them is at work, or waits for its retry, and the others wait behind it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from shop.runtime.transport import ReceivedMessage


@dataclass(slots=True, eq=False)
class Entry:
    """A message that the group has not acknowledged and that this subscription holds."""

    id: bytes
    message: ReceivedMessage
    """As it is, or will be next, given to the handler; with the number of that attempt."""
    key: str | None = None
    running: bool = False
    doomed: str | None = None
    """Why it is given up; its dead letter is not written yet."""
    trimmed: bool = False
    """Redis has it no longer: what is here is all there is."""

    @property
    def attempt_begins(self) -> tuple[bytes, int, int]:
        """(id, number of the attempt, milliseconds since 1970 when it was first seen)."""
        return self.id, self.message.attempt, int(self.message.first_seen.timestamp() * 1000)


class Lanes:
    """Entries that are ready, and those that wait for their key. An entry that waits for its retry is in neither."""

    def __init__(self) -> None:
        self.held: dict[bytes, Entry] = {}
        self.ready: deque[Entry] = deque()
        self._behind: dict[str, deque[Entry]] = {}

    def admit(self, entry: Entry) -> None:
        """Take an entry: behind those of its key, when there are any. One that is held already is ignored."""
        if entry.id in self.held:
            return
        self.held[entry.id] = entry
        if entry.key is not None:
            behind = self._behind.get(entry.key)
            if behind is not None:
                behind.append(entry)
                return
            self._behind[entry.key] = deque()
        self.ready.append(entry)

    def take(self) -> Entry | None:
        """The next entry that may be handled."""
        if not self.ready:
            return None
        entry = self.ready.popleft()
        entry.running = True
        return entry

    def again(self, entry: Entry) -> None:
        """An entry that was taken is ready once more; its key was not free in between."""
        if self.held.get(entry.id) is entry:
            entry.running = False
            self.ready.append(entry)

    def done(self, entry: Entry) -> None:
        """The entry is settled, or lost; the next one of its key becomes ready."""
        if self.held.get(entry.id) is not entry:
            return
        del self.held[entry.id]
        entry.running = False
        if entry.key is None:
            return
        behind = self._behind[entry.key]
        if behind:
            self.ready.append(behind.popleft())
        else:
            del self._behind[entry.key]

    def lose(self, id_: bytes) -> Entry | None:
        """Another reader has the entry: forget it, unless it is at work. Returns it when it was held."""
        entry = self.held.get(id_)
        if entry is None or entry.running:
            return entry
        behind = self._behind.get(entry.key) if entry.key is not None else None
        if behind is not None and entry in behind:
            behind.remove(entry)
            del self.held[id_]
            return entry
        if entry in self.ready:
            self.ready.remove(entry)
        self.done(entry)
        return entry

    def clear(self) -> list[Entry]:
        """Forget everything; returns what was held."""
        found = list(self.held.values())
        self.held.clear()
        self.ready.clear()
        self._behind.clear()
        return found
