"""An HTTP client whose log shows no query strings: they hold secrets (GA4) and telephone numbers (Twilio's list)."""

from __future__ import annotations

from typing import Any

import httpx


class DiscreetURL(httpx.URL):
    """Sent as it is, and written without query, fragment and user information."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}{self.path}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class DiscreetClient(httpx.AsyncClient):
    """httpx logs the URL of every request at INFO, whatever the settings of its user: here there is less to log."""

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        """As the base does, with a `DiscreetURL`."""
        request = super().build_request(*args, **kwargs)
        request.url = DiscreetURL(request.url)
        return request
