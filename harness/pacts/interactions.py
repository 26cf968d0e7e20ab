"""What a consumer does with a provider and needs of its answer, as data: HTTP calls, RPCs and events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Call: TypeAlias = Callable[[Any], Awaitable[Any]]
"""Makes the call through a generated client, which it is given."""
Subscribe: TypeAlias = Callable[..., Awaitable[Any]]
"""A generated `subscribe_...`: takes a transport and a handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What must be so at the provider before the interaction; see `harness.pacts.states`."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def given(name: str, **parameters: Any) -> State:
    """A state by its name."""
    return State(name=name, parameters=parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpInteraction:
    """A request of a generated HTTP client and the answer that it can use.

    `from_state` says what comes from the provider state when it is verified: `path`, or a JSON path into the body, by
    an expression such as `/orders/${order_id}`. With `token` the request carries one.
    """

    case: str
    call: Call
    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token: bool = True
    status: int = 200
    answer: Any = None
    answer_type: str = "application/json"
    states: Sequence[State] = ()
    from_state: Mapping[str, str] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """Unique in a pact."""
        return f"{self.method} {self.case}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcInteraction:
    """An RPC of a generated gRPC client and the answer that it can use, both in protobuf JSON.

    `status` is the name of a gRPC code; when it is not OK the answer is a `common.v1.ErrorDetail`. `from_state` says
    which request fields come from the provider state when it is verified: JSON path -> expression.
    """

    rpc: str
    """`pkg.Service/Method`."""
    case: str
    client: Callable[[str], Any]
    """The generated client class; given an address."""
    call: Call
    answer: Any
    status: str = "OK"
    states: Sequence[State] = ()
    from_state: Mapping[str, str] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """Unique in a pact; begins with the RPC."""
        return f"{self.rpc}: {self.case}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInteraction:
    """An event that a generated consumer can handle. `event` is the whole CloudEvent."""

    channel: str
    case: str
    subscribe: Subscribe
    event: Any
    states: Sequence[State] = ()

    @property
    def description(self) -> str:
        """Unique in a pact; begins with the channel."""
        return f"{self.channel}: {self.case}"


Interaction: TypeAlias = HttpInteraction | RpcInteraction | EventInteraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What one consumer expects of one provider."""

    consumer: str
    provider: str
    interactions: Sequence[Interaction]
    http_client: Callable[..., Any] | None = None
    """The generated client class, when there are HTTP interactions."""

    @property
    def name(self) -> str:
        """Of the pact file, without its suffix."""
        return f"{self.consumer}-{self.provider}"
