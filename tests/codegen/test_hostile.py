"""A contract cannot smuggle code into generated source, nor write outside of the output folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.generating import generated

ATTACKS = [
    '"""\nimport os; open("pwned", "w")\n"""',
    "'''\nopen('pwned', 'w')\n'''",
    '"; open("pwned", "w"); "',
    "'); open('pwned', 'w'); ('",
    "\\",
    '\\"""',
    'end with a quote"',
    "\N{RIGHT-TO-LEFT OVERRIDE}\u2028open('pwned','w')\x00\x0c\r\nopen('pwned','w')",
    "{__import__('os').system('touch pwned')}",
    "#\nopen('pwned', 'w')",
    "%s %(x)s {0} {{}} $x",
    "../../../pwned",
    "__class__.__init__",
    "import",
]


def openapi_of(attack: str) -> dict[str, Any]:
    """The attack in every place where a document has free text."""
    schema = {
        "type": "object",
        "title": attack,
        "description": attack,
        "required": ["kind"],
        "properties": {
            "kind": {"type": "string", "enum": [attack, "b"], "description": attack, "default": attack},
            attack: {"type": "string", "default": attack, "description": attack, "examples": [attack]},
            "only": {"const": attack},
            "text": {"type": "string", "pattern": attack, "format": attack},
        },
    }
    header = {"name": "X-A", "in": "header", "description": attack, "schema": {"type": "string", "default": attack}}
    query = {"name": attack, "in": "query", "description": attack, "schema": {"type": "string", "enum": [attack]}}
    answer = {"description": attack, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    operation = {
        "operationId": attack,
        "summary": attack,
        "description": attack,
        "tags": [attack],
        "parameters": [header, query],
        "responses": {"200": answer},
    }
    servers = [{"url": "https://example.com/{v}", "description": attack, "variables": {"v": {"default": attack}}}]
    return {
        "openapi": "3.1.0",
        "info": {"title": attack, "version": attack, "description": attack},
        "servers": servers,
        "paths": {"/a": {"get": operation}},
        "components": {
            "schemas": {
                "A": schema,
                "Union": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/A"},
                        {"type": "object", "title": attack, "properties": {"z": {"type": "string"}}},
                    ]
                },
            },
            "securitySchemes": {"s": {"type": "apiKey", "in": "header", "name": attack, "description": attack}},
        },
        "security": [{"s": []}],
    }


def asyncapi_of(attack: str) -> dict[str, Any]:
    message = {
        "name": attack,
        "title": attack,
        "summary": attack,
        "contentType": attack,
        "payload": {"type": "object", "description": attack, "properties": {attack: {"type": "string"}}},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": attack, "version": attack, "description": attack},
        "channels": {"c": {"address": attack, "description": attack, "messages": {"m": message}}},
        "operations": {
            "send": {"action": "send", "channel": {"$ref": "#/channels/c"}, "summary": attack},
            "take": {"action": "receive", "channel": {"$ref": "#/channels/c"}, "summary": attack},
        },
    }


def proto_of(attack: str) -> str:
    comment = "".join(f"// {line}\n" for line in attack.replace("\0", "").replace("\r", "\n").split("\n"))
    return (
        f'syntax = "proto3";\npackage a;\n{comment}message M {{\n{comment}string f = 1;\n}}\n'
        f"{comment}service S {{\n{comment}rpc R(M) returns (M);\n}}\n"
    )


def openapi_in_odd_places(attack: str) -> dict[str, Any]:
    """The attack as names of headers, cookies, media types, schemes, scopes, tags, links, examples and mappings."""
    text = {"schema": {"type": "string"}}
    document = openapi_of(attack)
    operation = document["paths"]["/a"]["get"]
    operation["parameters"] += [{"name": attack, "in": where, **text} for where in ("header", "cookie")]
    operation["x-service"] = attack
    form = {
        "schema": {"type": "object", "properties": {attack: {"type": "string"}}},
        "encoding": {attack: {"contentType": attack}},
    }
    operation["requestBody"] = {"description": attack, "content": {"multipart/form-data": form}}
    operation["responses"]["200"] |= {
        "headers": {attack: {"description": attack, **text}},
        "links": {attack: {"operationId": attack, "description": attack, "parameters": {attack: attack}}},
    }
    operation["responses"]["404"] = {
        "description": attack,
        "content": {
            "application/problem+json": {
                "schema": {"type": "object"},
                "examples": {attack: {"summary": attack, "value": attack}},
            }
        },
    }
    document["paths"]["/b"] = {
        "post": {
            "operationId": "b",
            "tags": [attack],
            "requestBody": {"content": {attack: text}},
            "responses": {"200": {"description": attack, "content": {attack: text}}},
            "security": [{attack: [attack]}, {"o": [attack]}],
        }
    }
    document["tags"] = [{"name": attack, "description": attack}]
    document["servers"].append({"url": attack.replace("{", "").replace("}", ""), "description": attack})
    flows = {"clientCredentials": {"tokenUrl": attack, "scopes": {attack: attack}}}
    document["components"]["securitySchemes"] |= {
        attack: {"type": "apiKey", "in": "cookie", "name": attack},
        "o": {"type": "oauth2", "description": attack, "flows": flows},
        "h": {"type": "http", "scheme": attack, "bearerFormat": attack},
        "oi": {"type": "openIdConnect", "openIdConnectUrl": attack},
    }
    kind = {"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}}
    mapping = {attack: "#/components/schemas/Cat", "d": "#/components/schemas/Dog"}
    document["components"]["schemas"] |= {
        "Cat": kind,
        "Dog": kind,
        "Pet": {
            "oneOf": [{"$ref": target} for target in mapping.values()],
            "discriminator": {"propertyName": "t", "mapping": mapping},
        },
    }
    pets = {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}
    operation["responses"]["201"] = {"description": "d", "content": {"application/json": {"schema": pets}}}
    return document


def asyncapi_in_odd_places(attack: str) -> dict[str, Any]:
    """The attack as consumer group, stream, service, event type, header and server."""
    document = asyncapi_of(attack)
    channel = document["channels"]["c"]
    channel["bindings"] = {"redis": {"group": attack, "stream": attack}}
    channel["messages"]["m"] |= {
        "headers": {"type": "object", "properties": {attack: {"const": attack}}},
        "tags": [{"name": attack}],
        "x-event-type": attack,
    }
    document["servers"] = {"s": {"host": attack, "protocol": attack, "description": attack}}
    document["operations"]["take"] |= {
        "x-consumer-group": attack,
        "x-service": attack,
        "bindings": {"redis": {"consumerGroup": attack}},
    }
    return document


def arazzo_of(attack: str) -> dict[str, Any]:
    step = {"stepId": "s", "description": attack, "operationId": "b"}
    return {
        "arazzo": "1.0.1",
        "info": {"title": attack, "version": attack},
        "sourceDescriptions": [{"name": "s", "url": "openapi.yaml", "type": "openapi"}],
        "workflows": [{"workflowId": "w", "summary": attack, "description": attack, "steps": [step]}],
    }


@pytest.mark.slow
def test_no_text_of_a_contract_is_run(tmp_path: Path) -> None:
    for i, attack in enumerate(ATTACKS):
        folder = tmp_path / str(i)
        source, diagnostics = generated(
            folder,
            {
                "a/openapi.yaml": json.dumps(openapi_in_odd_places(attack)),
                "a/asyncapi.yaml": json.dumps(asyncapi_in_odd_places(attack)),
                "a/w.arazzo.yaml": json.dumps(arazzo_of(attack)),
                "a/a.proto": proto_of(attack),
            },
        )
        assert not diagnostics.errors, (attack, diagnostics.errors)
        modules = [".".join(p.relative_to(source).with_suffix("").parts) for p in sorted(source.rglob("*.py"))]
        script = f"import importlib\nfor m in {modules!r}: importlib.import_module(m.removesuffix('.__init__'))"
        done = subprocess.run([sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (attack, done.stderr)
        assert not list(tmp_path.parent.rglob("pwned")), attack


@pytest.mark.parametrize("name", ["a\nimport os", 'a"""\nb', "a\x1b[31m", "a\u2028b", "\u202ea", "-x", "@x", "a:b"])
def test_a_file_name_that_could_be_code_or_an_option_is_refused(tmp_path: Path, name: str) -> None:
    _, diagnostics = generated(tmp_path, {f"{name}.proto": proto_of("plain")})
    assert [found.rule for found in diagnostics.errors] == ["contracts/name"]
    assert not (tmp_path / "generated").exists()


@pytest.mark.parametrize("stem", ["../evil", "/etc/evil", "con", "a b", "é", ".."])
def test_generated_paths_stay_below_the_output_folder(tmp_path: Path, stem: str) -> None:
    contracts = {"ok/openapi.yaml": json.dumps(openapi_of("plain"))}
    if "/" not in stem and stem != "..":
        contracts[f"{stem}/openapi.yaml"] = json.dumps(openapi_of("plain"))
    contracts["x/openapi.yaml"] = json.dumps({**openapi_of("plain"), "x-package": stem})
    source, diagnostics = generated(tmp_path, contracts)
    assert not diagnostics.errors
    assert all(path.is_relative_to(source.parent) for path in source.rglob("*"))
    assert {p.name for p in tmp_path.iterdir()} == {"contracts", "generated"}
