"""What a run has exercised of the contracts: operation x status, RPC x status, channel x message.

Pure functions of the graph and of what was seen. A row of something that is not part of the slice says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from codegen.model.events import Action, Message
from codegen.model.graph import Graph
from codegen.model.services import GrpcBinding, HttpBinding, HttpRole, Operation
from harness.pacts.observed import EventSeen, RpcSeen

GATEWAY = "gateway/v1/openapi.yaml"
OUTSIDE = "the service is not part of the slice"
_ERRORS = re.compile(r"\bErrors?:\s*(.*)", re.DOTALL)
_STATUS = re.compile(
    r"\b(INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|"
    r"OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|UNAUTHENTICATED|CANCELLED|DEADLINE_EXCEEDED)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation, RPC or channel. `seen` counts by status or message; `documented` is what the contract lists.

    `excluded` says why it cannot be exercised in this run; empty when it can.
    """

    name: str
    detail: str
    documented: tuple[str, ...]
    seen: Mapping[str, int]
    excluded: str = ""

    @property
    def hit(self) -> tuple[str, ...]:
        """What is documented and was seen."""
        return tuple(each for each in self.documented if self.seen.get(each))

    @property
    def missed(self) -> tuple[str, ...]:
        """What is documented and was not seen."""
        return tuple(each for each in self.documented if not self.seen.get(each))

    @property
    def unexpected(self) -> tuple[str, ...]:
        """What was seen and is not documented."""
        return tuple(sorted(each for each, count in self.seen.items() if count and each not in self.documented))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind. `note` says what its numbers do not mean."""

    title: str
    columns: str
    rows: Sequence[Row]
    note: str = ""

    @property
    def totals(self) -> tuple[int, int, int, int]:
        """(rows exercised, rows that can be, cells exercised, cells that can be)."""
        rows = [row for row in self.rows if not row.excluded]
        return (
            sum(any(row.seen.values()) for row in rows),
            len(rows),
            sum(len(row.hit) for row in rows),
            sum(len(row.documented) for row in rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The three tables."""

    http: Table
    rpc: Table
    events: Table

    @property
    def tables(self) -> tuple[Table, ...]:
        """All of them."""
        return (self.http, self.rpc, self.events)


@dataclass(slots=True)
class Seen:
    """What coverage counts."""

    http: Counter[tuple[str, int]] = field(default_factory=Counter)
    rpcs: Sequence[RpcSeen] = ()
    events: Sequence[EventSeen] = ()


def covered(graph: Graph, seen: Seen, services: Iterable[str]) -> Coverage:
    """Coverage of the contracts by what was seen; `services` are the names of those that ran."""
    running = frozenset(services)
    return Coverage(
        http=Table(
            title="HTTP",
            columns="operation x status",
            rows=[_http(graph, operation, seen.http, running) for operation in _fronts(graph)],
            note="Every exchange of the run with the gateway, judged by openapi-core; undocumented ones fail.",
        ),
        rpc=Table(
            title="gRPC",
            columns="RPC x status",
            rows=[_rpc(operation, seen.rpcs, running) for operation in _rpcs(graph)],
            note=(
                "Only calls of the run's own, on raw bytes; what services call among themselves is not counted. "
                "Statuses are those that the contract's comments list after `Errors:`."
            ),
        ),
        events=Table(
            title="Events",
            columns="channel x message",
            rows=_channels(graph, seen.events, running),
            note="Entries of the streams when the run ended, each held to the schema of its channel.",
        ),
    )


def documented_statuses(operation: Operation) -> tuple[str, ...]:
    """OK and the statuses that the comment of an RPC lists."""
    found = _ERRORS.search(operation.doc)
    listed = dict.fromkeys(_STATUS.findall(found[1])) if found else {}
    return ("OK", *listed)


def refuses_by_rule(graph: Graph) -> frozenset[str]:
    """HTTP operations whose RPC documents INVALID_ARGUMENT: some rules are such that no schema can say them."""
    return frozenset(
        operation.name
        for operation in _fronts(graph)
        if operation.fronts is not None
        and "INVALID_ARGUMENT" in documented_statuses(graph.operations[operation.fronts])
    )


def outside(graph: Graph, services: Iterable[str]) -> frozenset[str]:
    """HTTP operations whose service does not run."""
    running = frozenset(services)
    return frozenset(each.name for each in _fronts(graph) if each.fronts and _service(each.fronts) not in running)


def _service(rpc: str) -> str:
    return rpc.partition(".")[0]


def _fronts(graph: Graph) -> list[Operation]:
    return list(graph.http_operations(graph.services[GATEWAY], HttpRole.ENDPOINT))


def _http(graph: Graph, operation: Operation, seen: Counter[tuple[str, int]], running: frozenset[str]) -> Row:
    binding = operation.binding
    if not isinstance(binding, HttpBinding):
        raise TypeError(f"{operation.id} is no HTTP operation")
    away = operation.fronts is not None and _service(operation.fronts) not in running
    return Row(
        name=operation.name,
        detail=f"{binding.method} {binding.path}",
        documented=tuple(response.status for response in binding.responses),
        seen={str(status): count for (name, status), count in sorted(seen.items()) if name == operation.name},
        excluded=OUTSIDE if away else "",
    )


def _rpcs(graph: Graph) -> list[Operation]:
    return [each for each in graph.operations.values() if isinstance(each.binding, GrpcBinding)]


def _rpc(operation: Operation, seen: Sequence[RpcSeen], running: frozenset[str]) -> Row:
    counted = Counter(each.status for each in seen if each.rpc == operation.id)
    binding = operation.binding
    streaming = isinstance(binding, GrpcBinding) and (binding.client_streaming or binding.server_streaming)
    return Row(
        name=operation.id,
        detail="stream" if streaming else "unary",
        documented=documented_statuses(operation),
        seen=dict(sorted(counted.items())),
        excluded="" if _service(operation.id) in running else OUTSIDE,
    )


def _channels(graph: Graph, seen: Sequence[EventSeen], running: frozenset[str]) -> list[Row]:
    senders: dict[str, set[str]] = {}
    receivers: dict[str, set[str]] = {}
    for operation in graph.event_operations.values():
        parties = senders if operation.action is Action.SEND else receivers
        parties.setdefault(operation.channel, set()).add(operation.service or "?")
    counted: Counter[tuple[str, str]] = Counter()
    for each in seen:
        kind = str(each.event.get("type", "no event")) if each.event is not None else "no event"
        counted[each.channel, kind] += 1
    rows = []
    for channel in graph.channels.values():
        if channel.address is None:
            continue
        sending = senders.get(channel.id, set())
        # Dead letters are sent by whoever gives up, which no contract lists as an operation.
        excluded = OUTSIDE if sending and not sending & running else ""
        rows.append(
            Row(
                name=channel.address,
                detail=f"{', '.join(sorted(sending)) or 'who gives up'} -> "
                f"{', '.join(sorted(receivers.get(channel.id, set()))) or 'nobody'}",
                documented=tuple(_event_type(graph.messages[message]) for _, message in channel.messages),
                seen={kind: count for (address, kind), count in sorted(counted.items()) if address == channel.address},
                excluded=excluded,
            )
        )
    return rows


def _event_type(message: Message) -> str:
    """The CloudEvents type, as the contract's own example has it."""
    for example in message.examples:
        if isinstance(example.payload, Mapping) and isinstance(example.payload.get("type"), str):
            return str(example.payload["type"])
    return message.name
