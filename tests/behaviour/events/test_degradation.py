"""What cannot be expressed is reported and the rest generated; nothing in a contract becomes code."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from codegen.diagnostics import Diagnostics
from tests.generating import generated

ODD = """
asyncapi: 3.0.0
info: {title: Odd, version: '1'}
channels:
  xml: {address: xml, messages: {doc: {contentType: application/xml, payload: {type: object}}}}
  avro:
    address: avro
    messages:
      rec: {payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {type: record}}}
  loose: {address: loose, messages: {ev: {contentType: application/cloudevents+json, payload: {type: string}}}}
  empty: {address: empty}
  late: {address: null, messages: {m: {payload: {type: boolean}}}}
operations:
  sendXml: {action: send, channel: {$ref: '#/channels/xml'}, x-external: true}
  sendAvro: {action: send, channel: {$ref: '#/channels/avro'}, x-external: true}
  sendLoose: {action: send, channel: {$ref: '#/channels/loose'}, x-external: true}
  sendEmpty: {action: send, channel: {$ref: '#/channels/empty'}, x-external: true}
  sendLate: {action: send, channel: {$ref: '#/channels/late'}, x-external: true}
"""
LIGHTS = """
asyncapi: 2.6.0
info: {title: Lights, version: '1'}
defaultContentType: application/json
channels:
  lights/{id}/on:
    parameters: {id: {schema: {type: string}}}
    publish: {operationId: onLight, message: {$ref: '#/components/messages/on'}}
    subscribe: {operationId: switchLight, message: {$ref: '#/components/messages/on'}}
components:
  messages: {on: {payload: {type: object, required: [level], properties: {level: {type: integer}}}}}
"""
EVIL = "\"\"\"\\n'''); __import__('os')._exit(1) #{id}\u2028"


def imported(root: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    return importlib.import_module(module)


def rules(diagnostics: Diagnostics) -> set[str]:
    return {found.rule for found in diagnostics}


async def test_each_construct_that_cannot_be_typed_is_reported_and_still_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, diagnostics = generated(tmp_path, {"asyncapi.yaml": ODD}, "odd_events")
    assert not diagnostics.errors
    assert rules(diagnostics) >= {
        "python/content-type",
        "asyncapi/schema-format",
        "python/cloud-event",
        "python/no-message",
    }
    publishers = imported(root, "odd_events.events.publishers", monkeypatch)
    transport = importlib.import_module("odd_events.runtime.in_process").InProcessTransport()
    publisher = publishers.OddEventsPublisher(transport)
    await publisher.send_xml(b"<a/>")
    await publisher.send_avro(b"\x00")
    await publisher.send_loose("text")
    await publisher.send_late(True, address="anywhere")
    assert [transport.messages(address)[0].body for address in ("xml", "avro", "loose", "anywhere")] == [
        b"<a/>",
        b"\x00",
        b'"text"',
        b"true",
    ]
    assert not hasattr(publisher, "send_empty")


async def test_a_2_6_document_gives_publisher_and_consumer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, _ = generated(tmp_path, {"asyncapi.yaml": LIGHTS}, "light_events")
    consumers = imported(root, "light_events.events.consumers", monkeypatch)
    publishers = importlib.import_module("light_events.events.publishers")
    models = importlib.import_module("light_events.events.models")
    transport = importlib.import_module("light_events.runtime.in_process").InProcessTransport()
    levels = []

    async def handler(payload: Any, delivery: Any) -> None:
        levels.append((payload.level, delivery.address))

    await consumers.subscribe_on_light(transport, handler, id="7", group="g")
    await publishers.LightsEventsPublisher(transport).switch_light(models.On(level=3), id="7")
    await transport.drain()
    assert levels == [(3, "lights/7/on")]


def test_nothing_in_a_contract_becomes_code(tmp_path: Path) -> None:
    import json

    contract = {
        "asyncapi": "3.0.0",
        "info": {"title": f"T {EVIL}", "version": EVIL, "description": EVIL},
        "x-service": f"s {EVIL}",
        "channels": {
            "c": {
                "address": f"a{EVIL}",
                "parameters": {"id": {"enum": [EVIL], "default": EVIL, "description": EVIL}},
                "messages": {
                    f"m {EVIL}": {"payload": {"type": "string"}, "contentType": f"text/plain;{EVIL}", "summary": EVIL}
                },
                "x-ordering-key": f"$message.payload#/{EVIL}",
            }
        },
        "operations": {
            action: {
                "action": action,
                "channel": {"$ref": "#/channels/c"},
                "description": EVIL,
                "x-consumer-group": EVIL,
            }
            for action in ("send", "receive")
        },
    }
    root, diagnostics = generated(tmp_path, {"asyncapi.yaml": json.dumps(contract)}, "evil_events")
    assert not diagnostics.errors, list(diagnostics)
    for name in ("publishers", "consumers"):
        tree = ast.parse((root / f"evil_events/events/{name}.py").read_text(encoding="utf-8"))
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "__import__" not in called


def test_a_dead_letter_channel_that_no_document_lists_is_reported(tmp_path: Path) -> None:
    text = LIGHTS.replace("    parameters:", "    x-dead-letter: dead.yaml#/dead\n    parameters:")
    _, diagnostics = generated(tmp_path, {"asyncapi.yaml": text, "dead.yaml": "dead: {description: d}"}, "dead_events")
    assert "python/dead-letter" in rules(diagnostics)


def test_operations_whose_names_cannot_be_told_apart_are_an_error(tmp_path: Path) -> None:
    text = ODD.replace("sendAvro:", "send/xml:").replace("sendXml:", "send_slash_xml:")
    text = text.replace("sendLate:", "send.xml:")
    _, diagnostics = generated(tmp_path, {"asyncapi.yaml": text}, "same_events")
    assert "names/collision" in rules(diagnostics)
