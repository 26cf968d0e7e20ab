"""The control API of a mock, below `/_control`: JSON in, JSON out, errors as `{"error": message}`."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

from harness.gateways.outcomes import ControlError

if TYPE_CHECKING:
    from harness.gateways.app import MockApp, Receive, Scope, Send

MAX_BODY = 1024 * 1024
Call: TypeAlias = "Callable[[MockApp, Mapping[str, Any], Mapping[str, str]], Any]"
"""(mock, body, query) -> JSON value, or an awaitable of one."""
_log = logging.getLogger(__name__)


def overview(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """What there is."""
    world = app.world
    return {
        "gateway": app.gateway.name,
        "url": world.url,
        "time": world.clock.now(),
        "frozen": world.clock.frozen,
        "requests": len(app.requests),
        "operations": list(app.operations),
        "actions": sorted(app.gateway.actions()),
        "calls": sorted(f"{method} /_control/{name}".rstrip("/") for method, name in CALLS),
    }


def add_script(app: MockApp, body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Script the next outcomes."""
    script = app.scripts.add(body, app.operations)
    return {"operation": script.operation, "key": script.key, "path": script.path, "left": len(script.outcomes)}


def list_scripts(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """What is still to come."""
    return {"scripts": app.scripts.pending()}


def clear_scripts(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Forget all scripts."""
    app.scripts.clear()
    return {"scripts": []}


def read_ledger(app: MockApp, _body: Mapping[str, Any], query: Mapping[str, str]) -> Any:
    """The effects, and sums of what succeeded."""
    app.world.agenda.run_due()
    entries = app.world.ledger.entries(query.get("kind"), query.get("reference"))
    return {"entries": entries, "totals": app.world.ledger.totals()}


def read_requests(app: MockApp, _body: Mapping[str, Any], query: Mapping[str, str]) -> Any:
    """The requests that came in."""
    return {"requests": app.recorded(query.get("operation"))}


async def set_clock(app: MockApp, body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """`{"advance": seconds}`, `{"freeze": unix time or true}`, `{"run": true}`."""
    clock = app.world.clock
    name, value = next(iter(body.items()), ("", None))
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if len(body) != 1 or not (is_number or value is True):
        raise ControlError(
            400, 'send one of {"advance": seconds}, {"freeze": unix time}, {"freeze": true}, {"run": true}'
        )
    if name == "advance" and is_number:
        try:
            clock.advance(float(value or 0))
        except ValueError as problem:
            raise ControlError(400, str(problem)) from None
    elif name == "freeze":
        clock.freeze(float(value or 0) if is_number else None)
    elif name == "run" and value is True:
        clock.run()
    else:
        raise ControlError(400, f"unknown member {name!r}")
    app.world.agenda.run_due()
    return {"time": clock.now(), "frozen": clock.frozen}


def reset(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """As at the start."""
    app.reset()
    return {"gateway": app.gateway.name, "time": app.world.clock.now()}


def snapshot(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Keep the state."""
    return {"snapshot": app.snapshot()}


def restore(app: MockApp, body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Back to a snapshot."""
    app.restore(str(body.get("snapshot", "")))
    return {"time": app.world.clock.now()}


def read_webhooks(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """What was sent, or is to be."""
    return {"deliveries": app.world.webhooks.deliveries()}


def add_webhook_fault(app: MockApp, body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Spoil the next deliveries."""
    app.world.webhooks.add_fault(body)
    return {"fault": body.get("fault"), "event": body.get("event", "*")}


def resend_webhook(app: MockApp, body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Send an event again."""
    count = app.world.webhooks.resend(str(body.get("event_id", "")))
    if not count:
        raise ControlError(404, "there is no such event")
    return {"messages": count}


async def settle_webhooks(app: MockApp, _body: Mapping[str, Any], _query: Mapping[str, str]) -> Any:
    """Wait until everything that is due was sent."""
    app.world.agenda.run_due()
    return {"settled": await app.world.webhooks.settle()}


CALLS: Mapping[tuple[str, str], Call] = {
    ("GET", ""): overview,
    ("POST", "script"): add_script,
    ("GET", "script"): list_scripts,
    ("DELETE", "script"): clear_scripts,
    ("GET", "ledger"): read_ledger,
    ("GET", "requests"): read_requests,
    ("POST", "clock"): set_clock,
    ("POST", "reset"): reset,
    ("POST", "snapshot"): snapshot,
    ("POST", "restore"): restore,
    ("GET", "webhooks"): read_webhooks,
    ("POST", "webhooks/faults"): add_webhook_fault,
    ("POST", "webhooks/resend"): resend_webhook,
    ("POST", "webhooks/settle"): settle_webhooks,
}


async def serve_control(app: MockApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one control call."""
    try:
        status, value = 200, await _called(app, scope, receive)
    except ControlError as problem:
        status, value = problem.status, {"error": str(problem)}
    except Exception:  # noqa: BLE001 a control call must not take the mock down
        _log.exception("%s: control call failed", app.gateway.name)
        status, value = 500, {"error": "the control call failed; see the log"}
    body = json.dumps(value, ensure_ascii=False, default=str).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _called(app: MockApp, scope: Scope, receive: Receive) -> Any:
    name = scope["path"].removeprefix("/_control").strip("/")
    method: str = scope["method"]
    body = await _body(receive)
    query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    kind, _, action = name.partition("/")
    if kind == "actions" and action:
        return await _acted(app, method, action, body)
    call = CALLS.get((method, name))
    if call is None:
        known = sorted({m for m, n in CALLS if n == name})
        raise ControlError(
            405 if known else 404, f"use {' or '.join(known)}" if known else "GET /_control lists the calls"
        )
    found = call(app, body, query)
    return await found if inspect.isawaitable(found) else found


async def _acted(app: MockApp, method: str, name: str, body: Mapping[str, Any]) -> Any:
    actions = app.gateway.actions()
    if name not in actions:
        raise ControlError(404, f"no action {name!r}; there are: {', '.join(sorted(actions)) or 'none'}")
    if method != "POST":
        raise ControlError(405, "use POST")
    app.world.agenda.run_due()
    found: Any = actions[name](body)
    if isinstance(found, Awaitable):
        found = await found
    return found


async def _body(receive: Receive) -> Mapping[str, Any]:
    raw = b""
    while True:
        message = await asyncio.wait_for(receive(), 30)
        raw += message.get("body", b"")
        if len(raw) > MAX_BODY:
            raise ControlError(413, f"a control call is limited to {MAX_BODY:,} bytes")
        if not message.get("more_body", False):
            break
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise ControlError(400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise ControlError(400, "the body must be a JSON object")
    return found
