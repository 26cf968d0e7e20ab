"""What every mock is made of, and what it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from harness.gateways.agenda import Agenda
from harness.gateways.clock import Clock
from harness.gateways.ids import Ids
from harness.gateways.ledger import Ledger
from harness.gateways.webhooks import Webhooks

if TYPE_CHECKING:
    from shop.runtime.http_operation import Operation, Scheme
    from shop.runtime.http_requests import RequestContext
    from shop.runtime.http_security import Authenticator
    from shop.runtime.http_server import Route
    from shop.runtime.problem import HttpProblem

Action: TypeAlias = "Callable[[Mapping[str, Any]], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]"
"""A control call of one vendor: a JSON object in, a JSON object out. It raises `ControlError` for bad input."""


class World:
    """What a mock works with. `url` is its own base URL, without a slash at the end."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.url = ""
        self.clock = Clock()
        self.ids = Ids(seed)
        self.ledger = Ledger(self.clock)
        self.agenda = Agenda(self.clock)
        self.webhooks = Webhooks(self.clock, seed)

    def reset(self) -> None:
        """As at the start."""
        for part in (self.clock, self.ids, self.ledger, self.agenda, self.webhooks):
            part.reset()


class Gateway(ABC):
    """A vendor's API: its state, what serves its operations, and how it words errors."""

    name: ClassVar[str]
    title: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    """The vendor's own host names, which proxy mode maps to the mock."""
    idempotency_header: ClassVar[str] = ""
    """In lower case; empty when the vendor has none."""
    max_body_bytes: ClassVar[int] = 1024 * 1024
    mutual_tls: ClassVar[bool] = False
    """Whether its TLS listener demands a certificate of the caller."""
    state: Any
    """Plain data, copied by snapshots; callbacks of the agenda look things up in it by their ids."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reset()

    @property
    @abstractmethod
    def schemes(self) -> Sequence[Scheme]:
        """The security schemes of the contract."""

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Every operation with what serves it."""

    @abstractmethod
    def authenticators(self) -> Mapping[str, Authenticator]:
        """By security scheme."""

    @abstractmethod
    def translate(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """The vendor's words for an error of the framework: bad input, unknown path, wrong method, a crash."""

    @abstractmethod
    def failure(self, status: int, code: str = "", message: str = "") -> HttpProblem:
        """The vendor's body for a failure that a test has scripted."""

    @abstractmethod
    def reset(self) -> None:
        """Begin with an empty state."""

    @abstractmethod
    def instructions(self, url: str) -> str:
        """How to point the vendor's SDK at `url`, in a few lines of Python."""

    def actions(self) -> Mapping[str, Action]:
        """The vendor's own control calls: what a customer, a bank or a carrier does."""
        return {}

    def response_headers(self, context: RequestContext | None) -> Sequence[tuple[str, str]]:
        """Headers that the vendor adds to every answer."""
        return ()
