"""How the gateway is called: the generated front, bound to HTTP."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from shop.gateway.v1.http import operations
from shop.gateway.v1.http.server import Api, routes
from shop.runtime.http_fastapi import application
from shop.runtime.http_requests import AsgiScope
from shop.runtime.http_server import ContractApp, ServerOptions
from shop.runtime.transcode import FrontOptions

from services.gateway.adapters.authentication import AUTHENTICATORS
from services.gateway.entrance import Entrance, Identifies, Limits
from services.gateway.event_stream import NamedEvents
from services.gateway.ownership import own
from services.gateway.problems import describe, translate
from services.platform.caller import CUSTOMER
from services.platform.telemetry import Telemetry

FRONT = FrontOptions(forwarded=(CUSTOMER,), describe=describe)
"""How the front calls the services behind it."""


def http_app(
    front: Api, *, callers: Identifies, limits: Limits, telemetry: Telemetry, timeout: float | None = 30.0
) -> FastAPI:
    """Everything that the contract says the gateway serves. `timeout`: seconds an answer may take."""
    options = ServerOptions(authenticators=AUTHENTICATORS, translate_problem=translate, timeout=timeout)
    served = ContractApp(map(own, routes(front)), operations.SCHEMES, options)
    contract = files("shop.gateway.v1.http").joinpath("openapi.json").read_bytes()
    app = application(served, title="E-commerce gateway", version="1.0.0", options=options, contract=contract)

    def operation_of(scope: AsgiScope) -> str | None:
        operation = served.operation(scope)
        return operation.name if operation is not None else None

    app.add_middleware(NamedEvents)
    app.add_middleware(Entrance, callers=callers, limits=limits)
    app.add_middleware(telemetry.http_middleware, operation_of=operation_of)
    return app
