"""Health and metrics at one HTTP address of their own: `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from shop.runtime.http_host import HttpServer

from services.platform.health import Health
from services.platform.metrics import Metrics


def with_metrics(health: Health, metrics: Metrics, address: str) -> HttpServer:
    """A part that answers there; port 0: the system chooses, see the log."""
    app = FastAPI(title="health and metrics", openapi_url=None)

    async def scrape(_: Request) -> Response:
        body, headers = metrics.exposition()
        return Response(body, headers=dict(headers))

    app.router.add_route("/metrics", scrape, methods=["GET"])
    return HttpServer(app, address, ready=health.ready)
