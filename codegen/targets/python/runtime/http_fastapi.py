"""A contract's operations inside a FastAPI application, whose own errors become problem documents, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound

from .http_operation import Scheme
from .http_requests import AsgiReceive, AsgiScope, AsgiSend
from .http_responses import described, problem_body
from .http_server import ContractApp, Route, ServerOptions
from .parameters import header_text
from .problem import Fault, HttpProblem, phrase


class ContractRoute(BaseRoute):
    """All operations of one contract as one route of a Starlette or FastAPI application."""

    def __init__(
        self,
        routes: Iterable[Route] | ContractApp,
        schemes: Iterable[Scheme] = (),
        options: ServerOptions | None = None,
    ) -> None:
        self._app = routes if isinstance(routes, ContractApp) else ContractApp(routes, schemes, options)

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Starlette's question whether a request is ours: full for every known path."""
        found = self._app.find(scope) if scope["type"] == "http" else None
        return (Match.NONE, {}) if found is None else (Match.FULL, {"treaty": found})

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Not offered: paths are those of the contract."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve one request."""
        await self._app.serve(scope["treaty"], scope, receive, send)


def application(
    served: ContractApp, *, title: str, version: str, options: ServerOptions | None, contract: bytes | None
) -> FastAPI:
    """A FastAPI application around the operations; `contract` is served at `/openapi.json`."""
    app = FastAPI(title=title, version=version, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.append(ContractRoute(served))
    if contract is not None:

        async def serve_contract(_: Request) -> Response:
            return Response(contract, media_type="application/json")

        app.router.add_route("/openapi.json", serve_contract, methods=["GET"])
    install_problem_handlers(app, options)
    return app


def install_problem_handlers(app: FastAPI, options: ServerOptions | None = None) -> None:
    """Make problem documents of the framework's own errors: 404, 405, 422, 500."""
    chosen = options or ServerOptions()

    async def answer(request: Request, error: Exception) -> Response:
        problem = described(_problem_of(error, request.url.path), request.scope, chosen.describe_problem)
        if chosen.translate_problem is not None and problem.model is None:
            problem = chosen.translate_problem(problem, request.scope, None)
        media_type, body = problem_body(problem, None)
        headers = {name: header_text(name, value) for name, value in problem.headers.items()}
        return Response(body, problem.status, headers, media_type)

    for kind in (HTTPException, RequestValidationError, HttpProblem, Exception):
        app.add_exception_handler(kind, answer)


def _problem_of(error: Exception, path: str) -> HttpProblem:
    if isinstance(error, HttpProblem):
        return error
    if isinstance(error, RequestValidationError):
        faults = [Fault(str(one["msg"]), parameter=str(one["loc"][-1]), kind=one["type"]) for one in error.errors()]
        return HttpProblem(422, "The request is not valid.", errors=faults)
    if isinstance(error, HTTPException):
        detail = "" if error.detail == phrase(error.status_code) else str(error.detail)
        return HttpProblem(error.status_code, detail, instance=path, headers=error.headers)
    return HttpProblem(500, "The server failed to handle the request.")


__all__ = ["ContractRoute", "application", "install_problem_handlers"]
