"""What the network between clients and an engine can be made to do. Data only; `relay` carries it out.

`up` is from client to engine, `down` from engine to client. Several faults may be in force at once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Direction = Literal["up", "down", "both"]
Connections = Literal["all", "existing", "new"]
"""`existing`: those that were open when the fault was added; `new`: those opened since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What every fault says: which bytes of which connections it is about."""

    direction: Direction = "both"
    connections: Connections = "all"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"{type(self).__name__}: {name} is {value}; it cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Fault):
    """Bytes arrive `seconds` later, give or take `jitter` seconds (evenly spread), in order."""

    seconds: float
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Fault):
    """No more than so many bytes a second, on each connection."""

    bytes_per_second: float

    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        if not self.bytes_per_second:
            raise ValueError("Rate: bytes_per_second is 0; that is a Blackhole")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackhole(Fault):
    """Nothing arrives, connections stay open; what was held arrives when the fault is removed, as TCP would repeat it.

    New connections are accepted (by the proxy) and hear nothing: there is no way to drop a SYN from here.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Fault):
    """New connections are refused, as if nothing listened. Open ones go on; direction and connections do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Fault):
    """Connections are reset (RST): the existing ones at once, new ones when they are accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Fault):
    """A connection is reset once `after_bytes` more bytes passed in the direction (`both`: in either)."""

    after_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReply(Fault):
    """A request that contains `match` (any, when empty) is carried out, its answer is not delivered.

    As soon as the answer is there, the connection is reset (`reset`), closed (`close`) or silent from then on
    (`silence`, until the client gives up). `times` such requests; then the fault is spent. `direction` does not count.
    """

    match: bytes = b""
    times: int = 1
    then: Literal["reset", "close", "silence"] = "reset"


KINDS: dict[str, type[Fault]] = {
    kind.__name__: kind for kind in (Latency, Rate, Blackhole, Refuse, Reset, Cut, LostReply)
}


def to_wire(fault: Fault) -> dict[str, Any]:
    """As JSON takes it; bytes are written as Latin-1."""
    members = {
        name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in asdict(fault).items()
    }
    return {"kind": type(fault).__name__, **members}


def from_wire(members: dict[str, Any]) -> Fault:
    """What `to_wire` wrote."""
    kind = KINDS[members["kind"]]
    given = {name: value for name, value in members.items() if name != "kind"}
    if kind is LostReply:
        given["match"] = given["match"].encode("latin-1")
    return kind(**given)


def line(members: dict[str, Any]) -> bytes:
    """One message of the proxy's control connection."""
    return json.dumps(members).encode() + b"\n"
