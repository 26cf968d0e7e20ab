"""Pacts of the consumers' own doing: generated clients call, generated consumers receive, and Pact writes it down.

* HTTP: the client calls Pact's mock server, which refuses a request that is not the expected one.
* RPC: the client calls a stub on raw bytes. The request in the pact is what came over the wire, and the client must
  have read all of the answer that the pact promises.
* Event: the example of the pact goes through the generated consumer, which must take it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from pact import Pact
from pact.error import PactVerificationError
from shop.runtime.errors import HttpError, RpcError
from shop.runtime.in_process import InProcessTransport
from shop.runtime.transport import PublishedMessage, Redelivery

from harness.pacts.contracts import ERROR_DETAIL, ContractsError, Protos
from harness.pacts.interactions import EventInteraction, Expectations, HttpInteraction, Interaction, RpcInteraction
from harness.pacts.matching import like
from harness.pacts.stub import Stub, stub

os.environ.setdefault("PACT_DO_NOT_TRACK", "true")
logging.getLogger("pact.ffi").setLevel(logging.ERROR)

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
TOKEN = "token-of-the-customer"
ONE_ATTEMPT = Redelivery(max_attempts=1)
TIMEOUT = 20.0


class RecordingError(AssertionError):
    """A generated client does not do what its expectations say; the message names the interaction."""


def record(expected: Expectations, protos: Protos) -> dict[str, Any]:
    """The pact as JSON, made of what generated clients and consumers did. `RecordingError`."""
    pact = Pact(expected.consumer, expected.provider)
    for each in expected.interactions:
        if isinstance(each, EventInteraction):
            _declare_event(pact, each)
    rpcs = [each for each in expected.interactions if isinstance(each, RpcInteraction)]
    if rpcs:
        asyncio.run(_record_rpcs(pact, expected, rpcs, protos))
    _receive(pact, expected)
    calls = [each for each in expected.interactions if isinstance(each, HttpInteraction)]
    written = [_recorded_http(expected, each) for each in calls]
    if len(calls) < len(expected.interactions):
        written.append(_written(pact, expected.name))
    return {**written[0], "interactions": [each for part in written for each in part["interactions"]]}


def _given(interaction: Any, each: Interaction) -> Any:
    for state in each.states:
        interaction.given(state.name, state.parameters or None)
    return interaction


def _generators(from_state: Mapping[str, str]) -> dict[str, Any]:
    return {path: _generator(expression) for path, expression in from_state.items()}


def _generator(expression: str) -> dict[str, str]:
    return {"type": "ProviderState", "expression": expression, "dataType": "STRING"}


# HTTP


def _declare_http(pact: Pact, each: HttpInteraction) -> None:
    made = _given(pact.upon_receiving(each.description), each).with_request(each.method, each.path)
    made.with_headers(dict(each.headers))
    made.with_query_parameters(dict(each.query))
    if each.token:
        made.with_header("Authorization", f"Bearer {TOKEN}")
    if each.body is not None:
        made.with_body(json.dumps(each.body), JSON, "Request")
    generators: dict[str, Any] = {}
    body = {path: expression for path, expression in each.from_state.items() if path.startswith("$")}
    if body:
        generators["body"] = _generators(body)
    if "path" in each.from_state:
        generators["path"] = _generator(each.from_state["path"])
    headers = {name: _generator(text) for name, text in each.from_state.items() if name in each.headers}
    if each.token:
        headers["Authorization"] = _generator("Bearer ${token}")
    if headers:
        generators["header"] = headers
    query = {name: _generator(text) for name, text in each.from_state.items() if name in each.query}
    if query:
        generators["query"] = query
    if generators:
        made.with_generators(generators, "Request")
    made.will_respond_with(each.status)
    if each.answer is not None:
        made.with_body(like(each.answer), each.answer_type, "Response")


def _recorded_http(expected: Expectations, each: HttpInteraction) -> dict[str, Any]:
    """One at a time: the mock server cannot tell apart the same request in two states of the provider."""
    where = f"{expected.name}: {each.description}"
    if expected.http_client is None:
        raise RecordingError(f"{where}: there is no client for it")
    pact = Pact(expected.consumer, expected.provider)
    _declare_http(pact, each)
    with pact.serve(addr="127.0.0.1", raises=False, verbose=False) as server:
        status = asyncio.run(_called_http(expected.http_client, f"http://127.0.0.1:{server.port}", each))
        if server.mismatches:
            raise RecordingError(f"{where}: the client sent something else: {json.dumps(server.mismatches)}")
    if status != each.status:
        raise RecordingError(f"{where}: the client reports {status}, not {each.status}")
    return _written(pact, expected.name)


async def _called_http(client_class: Any, url: str, each: HttpInteraction) -> int:
    """The status as the client reports it; that of the interaction when it returned normally."""
    async with client_class(url, **({"bearer_auth": TOKEN} if each.token else {})) as client:
        try:
            async with asyncio.timeout(TIMEOUT):
                await each.call(client)
        except HttpError as error:
            return error.status
    return each.status if each.status < 400 else 0


# RPC


async def _record_rpcs(pact: Pact, expected: Expectations, rpcs: list[RpcInteraction], protos: Protos) -> None:
    async with stub() as provider:
        for each in rpcs:
            made = _given(pact.upon_receiving(each.description, "Sync"), each)
            made.with_body(like(each.answer), JSON, "Response")
            made.with_metadata({"grpc-status": each.status}, "Response")
            request = await _called(provider, each, _example(pact, each.description), protos, expected.name)
            made.with_body(json.dumps(request), JSON, "Request")
            if each.from_state:
                made.with_generators({"body": _generators(each.from_state)}, "Request")


def _example(pact: Pact, description: str) -> Any:
    """The answer as Pact itself reads it: examples in place of matchers."""
    for message in pact.interactions("Sync"):
        if message.description == description:
            for response in message.response_contents:
                return json.loads(str(response.contents))
    raise RecordingError(f"{description}: Pact has no answer for it")


async def _called(provider: Stub, each: RpcInteraction, answer: Any, protos: Protos, name: str) -> dict[str, Any]:
    """The request as it came over the wire."""
    where = f"{name}: {each.description}"
    method = protos.method(each.rpc)
    kind = method.output_type.full_name if each.status == "OK" else ERROR_DETAIL
    try:
        provider.answer = protos.from_json(kind, answer)
    except ContractsError as problem:
        raise RecordingError(f"{where}: the answer is none of the contract's: {problem}") from None
    provider.status = each.status
    provider.received.clear()
    client = each.client(provider.address)
    try:
        async with asyncio.timeout(TIMEOUT):
            found = await each.call(client)
    except RpcError as error:
        if error.code.name != each.status:
            raise RecordingError(f"{where}: the client reports {error.code.name}: {error}") from error
    else:
        _read_all(found, provider.answer, each, where)
    finally:
        await client.aclose()
    calls = [received for received in provider.received if received.rpc == each.rpc]
    if not calls:
        raise RecordingError(f"{where}: the client called {[received.rpc for received in provider.received]}")
    return protos.read(method.input_type.full_name, calls[0].request)


def _read_all(found: Any, sent: Message, each: RpcInteraction, where: str) -> None:
    if each.status != "OK":
        raise RecordingError(f"{where}: the client took {each.status} for an answer")
    if not isinstance(found, Message) or found.SerializeToString(deterministic=True) != sent.SerializeToString(
        deterministic=True
    ):
        raise RecordingError(f"{where}: the client did not read what was sent: {found!r}")


# Events


def _declare_event(pact: Pact, each: EventInteraction) -> None:
    made = _given(pact.upon_receiving(each.description, "Async"), each)
    made.with_body(like(each.event), CLOUD_EVENT)
    made.with_metadata({"channel": each.channel})


def _receive(pact: Pact, expected: Expectations) -> None:
    events = {each.description: each for each in expected.interactions if isinstance(each, EventInteraction)}
    if not events:
        return
    bodies = {
        message.description: str(message.contents.contents)
        for message in pact.interactions("Async")
        if message.contents is not None
    }
    for description, each in events.items():
        try:
            asyncio.run(_taken(each, bodies[description].encode()))
        except (RecordingError, PactVerificationError) as problem:
            raise RecordingError(f"{expected.name}: {description}: {problem}") from None


async def _taken(each: EventInteraction, body: bytes) -> None:
    """The generated consumer gives the event to its handler, once."""
    transport = InProcessTransport()
    handled: list[Any] = []

    async def handle(event: Any, _delivery: Any) -> None:
        handled.append(event)

    await each.subscribe(transport, handle, redelivery=ONE_ATTEMPT)
    try:
        await transport.publish(each.channel, PublishedMessage(body=body, content_type=CLOUD_EVENT))
        async with asyncio.timeout(TIMEOUT):
            await transport.drain()
    finally:
        await transport.close()
    if transport.dropped:
        raise RecordingError(f"the consumer refuses the event: {transport.dropped[0][1]}")
    if len(handled) != 1:
        raise RecordingError(f"the handler was called {len(handled)} times")


def _written(pact: Pact, name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        pact.write_file(folder, overwrite=True)
        found: dict[str, Any] = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
    return found
