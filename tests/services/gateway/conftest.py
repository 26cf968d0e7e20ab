"""The gateway on a real socket, real Redis for its limits, small servers behind it; its contract judges answers."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.http_host import HttpServer
from shop.runtime.resilience import RetryPolicy

from harness.backends.redis import Redis
from services.gateway.adapters.authentication import Callers, WaitingKeySet, keys_of
from services.gateway.api import http_app
from services.gateway.app import make_front
from services.gateway.config import Config as Settings
from services.platform.rate_limit import RateLimiter
from services.platform.redis_streams import RedisStreams
from services.platform.security import TokenIssuer, TokenVerifier
from services.platform.telemetry import Telemetry
from tests.services.gateway.behind import ADA, Behind

PROBLEM = "application/problem+json"
UNSAID = frozenset({404, 405, 406, 413, 415})
"""Answers of HTTP itself, which no contract lists everywhere."""


@dataclass
class Gateway:
    """A client of the gateway that judges what it is answered, and tokens to come with."""

    http: httpx.AsyncClient
    contract: OpenAPI
    behind: Behind
    issuer: TokenIssuer
    keys: dict[str, int]

    def bearer(self, subject: str = ADA, *, issuer: TokenIssuer | None = None, lifetime: float = 60) -> dict[str, str]:
        """The header of a customer."""
        return {"authorization": f"Bearer {(issuer or self.issuer).issue(subject, lifetime=lifetime)}"}

    async def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One exchange, judged by the contract."""
        response = await self.http.request(method, path, **more)
        self.judge(response)
        return response

    def judge(self, response: httpx.Response) -> None:
        """The answer is one of the contract's; every problem has its members."""
        if response.status_code >= 400:
            problem = response.json()
            assert response.headers["content-type"] == PROBLEM
            assert problem["status"] == response.status_code
            assert problem["instance"] == response.request.url.raw_path.decode().partition("?")[0]
            assert len(problem["trace_id"]) == 32
        assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= set(response.headers)
        if response.status_code in UNSAID:
            return
        url = response.request.url
        asked = MockRequest(
            "https://api.shop.example", response.request.method.lower(), url.path, args=dict(url.params)
        )
        kind = response.headers.get("content-type", "application/json")
        answered = MockResponse(response.content, response.status_code, dict(response.headers), kind)
        if kind != "text/event-stream":
            self.contract.validate_response(asked, answered)


@pytest.fixture(scope="session")
def contract() -> OpenAPI:
    reading = Config(extra_media_type_deserializers={PROBLEM: json.loads})
    return OpenAPI.from_file_path(str(files("shop.gateway.v1.http").joinpath("openapi.json")), config=reading)


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    return TokenIssuer(ec.generate_private_key(ec.SECP256R1()), kid="k1")


@pytest.fixture
async def behind(issuer: TokenIssuer) -> AsyncIterator[Behind]:
    found = Behind()
    found.publish_keys(issuer.key_set())
    await found.start()
    yield found
    await found.server.stop(0)


@pytest.fixture
async def gateway(behind: Behind, redis: Redis, contract: OpenAPI, issuer: TokenIssuer) -> AsyncIterator[Gateway]:
    quick = RetryPolicy(max_attempts=2, initial_backoff=0.01)
    options = ClientOptions(timeout=5.0, retry=quick, breaker=None)
    address = behind.server.address
    names = ("customer", "catalog", "checkout", "order", "payment", "warehouse")
    config = Settings(**{f"{name}_address": address for name in names})  # type: ignore[arg-type] # all of them are text
    streams = RedisStreams(redis.url)
    telemetry = Telemetry("gateway")
    async with AsyncExitStack() as held:
        held.push_async_callback(telemetry.close)
        held.push_async_callback(streams.close)
        authentication = await held.enter_async_context(AuthenticationServiceClient(address, options=options))
        front = await make_front(config, options, authentication, held)
        keys = {"skew": 0}
        verifier = TokenVerifier(WaitingKeySet(keys_of(authentication), clock=lambda: time.monotonic() + keys["skew"]))
        app = http_app(
            front, callers=Callers(verifier), limits=RateLimiter(streams.client), telemetry=telemetry, timeout=2.0
        )
        server = await held.enter_async_context(HttpServer(app))
        client = httpx.AsyncClient(base_url=f"http://{server.address}", timeout=10.0)
        yield Gateway(await held.enter_async_context(client), contract, behind, issuer, keys)
