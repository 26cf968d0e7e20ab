"""The control API as a Python object, for tests and tools."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from harness.gateways.outcomes import ControlError

TIMEOUT = 15.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GatewayControl:
    """Controls one mock, wherever it runs. `ControlError` when it refuses a call."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def script(
        self, *outcomes: Mapping[str, Any], operation: str = "", key: str = "", path: str = "", times: int = 1
    ) -> None:
        """Script the next requests: `script({"status": 500}, {"lost": True}, operation="createRefund")`."""
        document = {"operation": operation, "key": key, "path": path, "times": times, "outcomes": list(outcomes)}
        self.call("POST", "script", document)

    def clear_scripts(self) -> None:
        """Forget all scripts."""
        self.call("DELETE", "script")

    def ledger(self, kind: str | None = None, reference: str | None = None) -> list[dict[str, Any]]:
        """The effects, the oldest first."""
        query = {name: value for name, value in (("kind", kind), ("reference", reference)) if value is not None}
        found: list[dict[str, Any]] = self.call("GET", f"ledger?{urlencode(query)}")["entries"]
        return found

    def totals(self) -> dict[str, dict[str, int]]:
        """Sums of what succeeded in minor units, by kind and currency."""
        found: dict[str, dict[str, int]] = self.call("GET", "ledger")["totals"]
        return found

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """The requests that came in, the oldest first."""
        query = urlencode({} if operation is None else {"operation": operation})
        found: list[dict[str, Any]] = self.call("GET", f"requests?{query}")["requests"]
        return found

    def now(self) -> float:
        """The mock's time, in seconds since 1970."""
        return float(self.call("GET", "")["time"])

    def advance(self, seconds: float) -> float:
        """Move the mock's clock; returns its time."""
        return float(self.call("POST", "clock", {"advance": seconds})["time"])

    def freeze(self, at: float | None = None) -> float:
        """Stop the mock's clock; returns its time."""
        return float(self.call("POST", "clock", {"freeze": True if at is None else at})["time"])

    def reset(self) -> None:
        """As at the start."""
        self.call("POST", "reset")

    def snapshot(self) -> str:
        """Keep the state; returns a name for `restore`."""
        return str(self.call("POST", "snapshot")["snapshot"])

    def restore(self, name: str) -> None:
        """Back to a snapshot."""
        self.call("POST", "restore", {"snapshot": name})

    def action(self, name: str, **members: Any) -> dict[str, Any]:
        """One of the vendor's own control calls."""
        return self.call("POST", f"actions/{name}", members)

    def deliveries(self) -> list[dict[str, Any]]:
        """Webhooks that were sent, or are to be."""
        found: list[dict[str, Any]] = self.call("GET", "webhooks")["deliveries"]
        return found

    def webhook_fault(self, fault: str, event: str = "*", *, times: int = 1, seconds: float = 1.0) -> None:
        """Spoil the next webhooks of an event."""
        self.call("POST", "webhooks/faults", {"fault": fault, "event": event, "times": times, "seconds": seconds})

    def resend(self, event_id: str) -> int:
        """Send an event again; how many messages that makes."""
        return int(self.call("POST", "webhooks/resend", {"event_id": event_id})["messages"])

    def settle(self) -> bool:
        """Wait until every webhook that is due was sent."""
        return bool(self.call("POST", "webhooks/settle")["settled"])

    def call(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call; `path` is below `/_control/`."""
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(  # noqa: S310 the URL is the mock's own
            f"{self.url}/_control/{path}", data, {"content-type": "application/json"}, method=method
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as problem:
            with problem:
                raise ControlError(problem.code, str(json.load(problem)["error"])) from None
        return found
