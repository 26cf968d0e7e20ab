"""The graph as JSON, Mermaid and DOT."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codegen import inspect
from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.pipeline import load_graph
from codegen.settings import defaults

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: 'Even"ts <b>', version: '1'}
channels:
  work:
    address: work-queue
    messages: {m: {payload: {type: string}}}
    x-dead-letter: '#/channels/dead'
  dead:
    address: dead
    messages: {m: {payload: {type: string}}}
  answers:
    address: answers
    messages: {m: {payload: {type: string}}}
operations:
  give: {action: send, channel: {$ref: '#/channels/work'}, x-service: giver}
  take:
    action: receive
    channel: {$ref: '#/channels/work'}
    x-service: taker
    reply: {channel: {$ref: '#/channels/answers'}}
"""
OPENAPI = """\
openapi: 3.1.0
info: {title: 'T"]; evil["', version: '1'}
paths:
  '/a"];b':
    get: {operationId: getA, responses: {'200': {description: ok}}}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "asyncapi.yaml").write_text(ASYNCAPI)
    (contracts / "openapi.yaml").write_text(OPENAPI)
    found = Diagnostics()
    graph = load_graph(defaults(tmp_path), found, lambda _: None)
    assert graph, [each.message for each in found]
    return graph


def test_json_holds_every_node_with_its_place_and_leaves_defaults_out(graph: Graph) -> None:
    document = json.loads(inspect.as_json(graph))
    assert set(document) >= {"contracts", "operations", "channels", "event_operations", "services"}
    channel = next(each for each in document["channels"].values() if each["name"] == "work")
    assert channel["location"] == {
        "node": "Location",
        "path": "asyncapi.yaml",
        "line": 4,
        "column": 3,
        "pointer": "/channels/work",
    }
    assert "parameters" not in channel
    assert "descriptor_set" not in document
    assert inspect.as_json(graph) == inspect.as_json(graph)


def test_mermaid_draws_who_sends_receives_replies_and_gives_up(graph: Graph) -> None:
    lines = inspect.as_mermaid(graph).splitlines()
    assert lines[0] == "flowchart LR"
    ids = {line.split("[")[0].split("(")[0].strip(): line for line in lines if '"' in line and "-->" not in line}
    named = {
        text: next(key for key, line in ids.items() if f'"{text}"' in line)
        for text in ("giver", "taker", "work<br>work-queue", "dead", "answers")
    }
    queue = named["work<br>work-queue"]
    assert f'  {named["giver"]} -->|"sends"| {queue}' in lines
    assert f'  {queue} -->|"receives"| {named["taker"]}' in lines
    assert f'  {queue} -.->|"replies"| {named["answers"]}' in lines
    assert f'  {queue} -.->|"dead letters"| {named["dead"]}' in lines


def test_a_label_cannot_end_the_picture_that_it_stands_in(graph: Graph) -> None:
    for line in inspect.as_mermaid(graph).splitlines():
        assert line.count('"') in (0, 2)
    assert '["GET /a#34;#93;;b"]' in inspect.as_mermaid(graph)
    assert 'label="GET /a\\"];b"' in inspect.as_dot(graph)


def test_dot_draws_the_same_nodes_and_edges(graph: Graph) -> None:
    mermaid, dot = inspect.as_mermaid(graph), inspect.as_dot(graph)
    assert dot.startswith("digraph contracts {\n")
    assert dot.endswith("}\n")
    assert dot.count(" -> ") == mermaid.count("-->|") + mermaid.count("-.->|")
    assert dot.count("shape=") == mermaid.count('"') // 2 - mermaid.count('|"') - mermaid.count("subgraph")
