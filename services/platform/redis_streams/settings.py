"""How streams are read. Times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Mode(Enum):
    """How messages are settled."""

    DURABLE = "durable"
    """Acknowledged only after success, or after the dead letter is written."""
    DAPR = "dapr"
    """As daprd 1.17 and 1.18 do: acknowledged after a failure, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """The defaults of `processing_timeout`, `redeliver_interval` and `queue_depth` are Dapr's.

    A group that is shared with a live daprd needs the `processing_timeout` of its component.
    """

    processing_timeout: float = 60.0
    """An entry that nobody kept alive for so long is taken over by another reader; so is a lease."""
    redeliver_interval: float = 15.0
    """Between looks for such entries."""
    queue_depth: int = 100
    """Entries read ahead of the handlers."""
    max_held: int = 10_000
    """Entries in memory, those that wait for a retry or for their key included; reading stops there."""
    block: float = 2.0
    """How long one read waits for entries."""
    command_timeout: float = 5.0
    longest_pause: float = 1.0
    """Between tries to reach a Redis that is away."""
    connections: int = 32
    """Messages that are published at a time."""
    exclusive: bool | None = None
    """Whether one subscription of a group reads a stream at a time, the others standing by, which keeps the order of
    keys across replicas. None: where the subscription states its ordering key."""

    keep: Mapping[str, int] = field(default_factory=dict)
    """By address: how many of the newest entries stay when a stream is trimmed; what a group needs stays anyway.
    A stream that is not named is never trimmed."""

    @property
    def keep_alive(self) -> float:
        """How often held entries and leases are renewed."""
        return self.processing_timeout / 3
