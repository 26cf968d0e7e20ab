"""How the gateway service is called: its handlers, bound to gRPC and HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.gateway.v1.http.server import create_app
from shop.runtime.http_server import ServerOptions

from services.gateway.adapters.authentication import AUTHENTICATORS

if TYPE_CHECKING:
    from fastapi import FastAPI
    from shop.gateway.v1.http.front import Front


def http_app(front: Front) -> FastAPI:
    """Everything that the OpenAPI documents say this service serves."""
    return create_app(front, options=ServerOptions(authenticators=AUTHENTICATORS))
