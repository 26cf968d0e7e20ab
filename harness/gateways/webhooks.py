"""Webhooks: signed, delivered after the answer, repeated until the receiver says 2xx, and spoilt on request."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from harness.gateways.clock import Clock
from harness.gateways.outcomes import ControlError

if TYPE_CHECKING:
    import httpx

RETRY_DELAYS = (1.0, 5.0, 25.0, 120.0, 600.0, 3600.0)
"""Seconds of the mock's clock between attempts: as vendors do over days, quicker at the beginning."""
TIMEOUT = 10.0
MAX_KEPT = 10_000
FAULTS = (
    "duplicate",
    "delay",
    "drop",
    "reorder",
    "bad_signature",
    "stale",
    "rotated_secret",
    "before_answer",
)
STALE_SECONDS = 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a signature covers. `bad`: sign with a key that is not the receiver's; `rotated`: while a secret changes."""

    body: bytes
    at: float
    url: str
    delivery_id: str
    bad: bool = False
    rotated: bool = False


Sign: TypeAlias = Callable[[Stamp], Mapping[str, str]]
"""The headers of one attempt."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One message to one receiver."""

    id: str
    url: str
    event: str
    event_id: str
    body: bytes
    content_type: str
    sign: Sign
    due: float
    faults: tuple[str, ...] = ()
    statuses: list[int] = field(default_factory=list)
    """Of each attempt; 0 when there was no answer."""
    state: str = "pending"

    def as_dict(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id,
            "url": self.url,
            "event": self.event,
            "event_id": self.event_id,
            "state": self.state,
            "statuses": list(self.statuses),
            "faults": list(self.faults),
            "due": self.due,
        }


@dataclass(slots=True)
class _Fault:
    event: str
    fault: str
    left: int
    seconds: float


@dataclass(slots=True)
class Batch:
    """What one request has emitted, kept back until its answer is sent."""

    deliveries: list[Delivery] = field(default_factory=list)
    open: bool = True


_batch: ContextVar[Batch | None] = ContextVar("batch", default=None)


class Webhooks:
    """The deliveries of one mock."""

    def __init__(self, clock: Clock, seed: int = 1) -> None:
        self.retry_delays: Sequence[float] = RETRY_DELAYS
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 the same seed must give the same identifiers
        self._faults: list[_Fault] = []
        self._log: deque[Delivery] = deque(maxlen=MAX_KEPT)
        self._queue: list[Delivery] = []
        self._held: list[Delivery] = []
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By receiver: messages to one arrive in the order in which they were due."""

    # ---- what mocks use

    def emit(
        self,
        *,
        url: str,
        event: str,
        event_id: str,
        body: bytes,
        sign: Sign,
        content_type: str = "application/json",
        delay: float = 0.0,
    ) -> None:
        """Send a message, after the answer to the request under way. `delay` in seconds of the mock's clock."""
        number = f"{self._random.getrandbits(64):016x}"
        found = Delivery(number, url, event, event_id, body, content_type, sign, self._clock.now() + delay)
        self._log.append(found)
        refusal = _refusal(url)
        if refusal:
            found.state = refusal
            return
        for fault in self._take_faults(event):
            found.faults = (*found.faults, fault.fault)
            if fault.fault == "delay":
                found.due += fault.seconds
        if "drop" in found.faults:
            found.state = "dropped"
            return
        if "duplicate" in found.faults:
            again = Delivery(f"{number}-again", url, event, event_id, body, content_type, sign, found.due, found.faults)
            self._log.append(again)
            self._put(again)
        self._put(found)

    # ---- what the core uses

    @contextmanager
    def collecting(self) -> Iterator[Batch]:
        """What is emitted in this block is kept back, until `release`."""
        batch = Batch()
        token = _batch.set(batch)
        try:
            yield batch
        finally:
            _batch.reset(token)

    def release(self, batch: Batch) -> None:
        """Send what was kept back."""
        batch.open = False
        for delivery in batch.deliveries:
            self._enqueue(delivery)
        batch.deliveries.clear()

    async def send_first(self, batch: Batch, *, everything: bool) -> None:
        """Send what is to come before the answer: what a fault says, or everything."""
        first = [each for each in batch.deliveries if everything or "before_answer" in each.faults]
        batch.deliveries = [each for each in batch.deliveries if each not in first]
        for delivery in first:
            await self._attempt(delivery)

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._start_due()
                next_due = min((each.due for each in self._queue), default=self._clock.now() + 86_400.0)
                await self._clock.sleep_until(next_due, self._wake)
        finally:
            for task in self._under_way:
                task.cancel()
            if self._client is not None:
                await self._client.aclose()

    async def settle(self) -> bool:
        """Wait until nothing is due or under way; False when that took longer than `TIMEOUT` seconds."""
        try:
            async with asyncio.timeout(TIMEOUT):
                while self._under_way or any(each.due <= self._clock.now() for each in self._queue):
                    self._start_due()
                    await asyncio.sleep(0.005)
        except TimeoutError:
            return False
        return True

    # ---- control

    def add_fault(self, document: Mapping[str, Any]) -> None:
        """Spoil the next deliveries of an event (`*`: of any). `ControlError` 400 says what is wrong."""
        unknown = document.keys() - {"event", "fault", "times", "seconds"}
        fault, event = document.get("fault"), document.get("event", "*")
        times, seconds = document.get("times", 1), document.get("seconds", 1.0)
        if unknown:
            raise ControlError(400, f"unknown members: {', '.join(sorted(unknown))}")
        if fault not in FAULTS:
            raise ControlError(400, f"`fault` must be one of {', '.join(FAULTS)}")
        if not isinstance(event, str) or type(times) is not int or not 1 <= times <= MAX_KEPT:
            raise ControlError(400, "`event` must be a text, `times` a whole number from 1")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 30 * 86_400:
            raise ControlError(400, "`seconds` must be a number from 0")
        self._faults.append(_Fault(event, fault, times, float(seconds)))

    def resend(self, event_id: str) -> int:
        """Send an event again, to each receiver; how many messages that makes."""
        seen: dict[str, Delivery] = {each.url: each for each in self._log if each.event_id == event_id}
        for old in seen.values():
            self.emit(
                url=old.url,
                event=old.event,
                event_id=event_id,
                body=old.body,
                sign=old.sign,
                content_type=old.content_type,
            )
        return len(seen)

    def deliveries(self) -> list[dict[str, Any]]:
        """Everything that was emitted, the oldest first."""
        return [each.as_dict() for each in self._log]

    def reset(self) -> None:
        """Forget deliveries, faults and what waits."""
        for task in self._under_way:
            task.cancel()
        self._faults.clear()
        self._log.clear()
        self._queue.clear()
        self._held.clear()

    # ---- delivery

    def _take_faults(self, event: str) -> list[_Fault]:
        found = [fault for fault in self._faults if fault.event in ("*", event)]
        for fault in found:
            fault.left -= 1
        self._faults = [fault for fault in self._faults if fault.left > 0]
        return found

    def _put(self, delivery: Delivery) -> None:
        batch = _batch.get()
        if batch is not None and batch.open:
            batch.deliveries.append(delivery)
        else:
            self._enqueue(delivery)

    def _enqueue(self, delivery: Delivery) -> None:
        if "reorder" in delivery.faults and delivery not in self._held:
            delivery.state = "held until the next one is delivered"
            self._held.append(delivery)
            return
        self._queue.append(delivery)
        self._wake.set()

    def _start_due(self) -> None:
        now = self._clock.now()
        due = [each for each in self._queue if each.due <= now]
        if due:
            self._queue = [each for each in self._queue if each.due > now]
            by_url: dict[str, list[Delivery]] = {}
            for delivery in due:
                by_url.setdefault(delivery.url, []).append(delivery)
            for deliveries in by_url.values():
                task = asyncio.create_task(self._send_in_order(deliveries))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _send_in_order(self, deliveries: list[Delivery]) -> None:
        async with self._lanes[deliveries[0].url]:
            for delivery in deliveries:
                await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        status = await self._post(delivery)
        delivery.statuses.append(status)
        if 200 <= status < 300:
            delivery.state = "delivered"
        elif len(delivery.statuses) > len(self.retry_delays):
            delivery.state = "failed"
        else:
            delivery.state = "waits for another attempt"
            delivery.due = self._clock.now() + self.retry_delays[len(delivery.statuses) - 1]
            self._queue.append(delivery)
            self._wake.set()
        held, self._held = self._held, []
        for waiting in held:
            self._queue.append(waiting)
        if held:
            self._wake.set()

    async def _post(self, delivery: Delivery) -> int:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
        at = self._clock.now() - (STALE_SECONDS if "stale" in delivery.faults else 0.0)
        stamp = Stamp(
            body=delivery.body,
            at=at,
            url=delivery.url,
            delivery_id=delivery.id,
            bad="bad_signature" in delivery.faults,
            rotated="rotated_secret" in delivery.faults,
        )
        headers = {"content-type": delivery.content_type, **delivery.sign(stamp)}
        try:
            answer = await self._client.post(delivery.url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            _log.info("webhook %s to %s: %s", delivery.event, delivery.url, type(problem).__name__)
            return 0
        return answer.status_code


def _refusal(url: str) -> str:
    """Why a receiver is not sent to: nothing leaves this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "refused: not an HTTP URL"
    if parts.scheme not in ("http", "https") or not host:
        return "refused: not an HTTP URL"
    if host == "localhost" or host.endswith(".localhost"):
        return ""
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    return "" if is_local else "refused: only receivers on this machine are sent to"
