"""Google Analytics 4: events through the client that is generated from contracts/external/analytics.

Fire and forget: one attempt with a short time-out, since nothing makes a repetition harmless. `collect` answers 204 to
everything, so that names are checked before. The API secret is a query parameter, which a `DiscreetClient` never logs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from shop.external.analytics.http.client import SERVERS, Client
from shop.external.analytics.http.models import Payload
from shop.runtime.errors import HttpError, TreatyError
from shop.runtime.http_client import CallOptions
from shop.runtime.resilience import Deadline

from services.analytics.adapters.google_events import batches, rejected, shown
from services.analytics.domain import Event, Visitor
from services.analytics.privacy import identifies
from services.platform.gateways.discreet import DiscreetClient

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT = 2.0
MAX_AGE = timedelta(hours=72)
MAX_USER_ID = 256
_log = logging.getLogger(__name__)


class GoogleAnalytics:
    """An `EventSink`. Use it as an asynchronous context manager, or close it with `aclose`.

    `timeout` in seconds, for all requests of one call together.
    """

    def __init__(
        self, measurement_id: str, api_secret: str, *, base_url: str = SERVERS[0], timeout: float = TIMEOUT
    ) -> None:
        self._http = DiscreetClient()
        self._client = Client(base_url, http=self._http)
        self._measurement_id, self._secret, self._timeout = measurement_id, api_secret, timeout

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def record(self, visitor: Visitor, events: Sequence[Event]) -> bool:
        """Whether all of them were taken. What is older than 72 hours never is."""
        whose = _whose(visitor)
        ready = []
        for event in events:
            document, left_out = shown(event)
            if left_out:
                _log.warning("analytics: left out as personal data of %s: %s", event.name, ", ".join(left_out))
            if event.at is None or datetime.now(UTC) - event.at <= MAX_AGE:
                ready.append(document)
        taken = 0
        options = CallOptions(timeout=Deadline.after(self._timeout), retry=False)
        for batch in batches(ready):
            taken += len(batch) if await self._post({**whose, "events": batch}, options) else 0
        if taken < len(events):
            _log.warning("analytics: %d of %d events were not taken", len(events) - taken, len(events))
        return taken == len(events)

    async def _post(self, payload: Mapping[str, Any], options: CallOptions) -> bool:
        try:
            await self._client.collect(
                measurement_id=self._measurement_id,
                api_secret=self._secret,
                body=Payload.from_dict(payload),
                options=options,
            )
        except TreatyError as problem:
            status = problem.status if isinstance(problem, HttpError) else 0
            _log.warning("analytics: a request failed: %s %s", type(problem).__name__, status or "without an answer")
            return False
        return True


def _whose(visitor: Visitor) -> dict[str, str]:
    if identifies(visitor.client_id):
        raise rejected("client_id", "the client id is an address or a telephone number")
    whose = {"client_id": visitor.client_id}
    if identifies(visitor.user_id):
        _log.warning("analytics: left out as personal data: user_id")
    elif visitor.user_id:
        whose["user_id"] = visitor.user_id[:MAX_USER_ID]
    return whose
