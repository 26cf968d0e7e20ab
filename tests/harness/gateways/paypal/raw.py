"""PayPal's API without the SDK."""

from __future__ import annotations

from typing import Any

import httpx


class Raw:
    """An HTTP client with a token."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.token = str(self.request_token().json()["access_token"])

    def request_token(self, client_id: str = "client-1") -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        return self.http.post("/v1/oauth2/token", data=form, auth=(client_id, "of no account"))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, json=body, headers={"authorization": f"Bearer {self.token}", **sent})

    def send(self, path: str, content: bytes, content_type: str = "application/json") -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "content-type": content_type}
        return self.http.post(path, content=content, headers=headers)
