"""What `Health` and `Metrics` know, for those who ask: over HTTP (`/livez`, `/readyz`, `/metrics`) and over gRPC."""

from __future__ import annotations

from fastapi import FastAPI, Response
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.http_host import HttpServer

from services.platform.health import Health
from services.platform.metrics import Metrics


def health_server(health: Health, metrics: Metrics, address: str) -> HttpServer:
    """A part that answers at an address of its own; port 0: the system chooses, see the log."""
    app = FastAPI(title="health and metrics", openapi_url=None)

    async def exposition() -> Response:
        body, headers = metrics.exposition()
        return Response(body, headers=dict(headers))

    app.add_api_route("/metrics", exposition)
    return HttpServer(app, address, ready=health.ready)


class HealthOverGrpc:
    """A part, started after the gRPC server: keeps its health service up to date."""

    services = ("health over gRPC",)

    def __init__(self, health: Health, server: GrpcServer) -> None:
        self._health = health
        self._server = server

    async def start(self) -> str:
        """Tell the server from now on."""
        await self._health.tell(self._server)
        return self._server.address

    async def stop(self, grace: float | None = None) -> None:
        """The server says by itself that it is stopping."""
