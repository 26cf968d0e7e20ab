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
        "type": "object", "title": attack, "description": attack, "required": ["kind"],
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
    operation = {"operationId": attack, "summary": attack, "description": attack, "tags": [attack],
                 "parameters": [header, query], "responses": {"200": answer}}
    servers = [{"url": "https://example.com/{v}", "description": attack, "variables": {"v": {"default": attack}}}]
    return {"openapi": "3.1.0", "info": {"title": attack, "version": attack, "description": attack},
            "servers": servers, "paths": {"/a": {"get": operation}},
            "components": {"schemas": {"A": schema, "Union": {"oneOf": [{"$ref": "#/components/schemas/A"}, {
                "type": "object", "title": attack, "properties": {"z": {"type": "string"}}}]}},
                "securitySchemes": {"s": {"type": "apiKey", "in": "header", "name": attack, "description": attack}}},
            "security": [{"s": []}]}


def asyncapi_of(attack: str) -> dict[str, Any]:
    message = {"name": attack, "title": attack, "summary": attack, "contentType": attack,
               "payload": {"type": "object", "description": attack, "properties": {attack: {"type": "string"}}}}
    return {"asyncapi": "3.0.0", "info": {"title": attack, "version": attack, "description": attack},
            "channels": {"c": {"address": attack, "description": attack, "messages": {"m": message}}},
            "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/c"}, "summary": attack},
                           "take": {"action": "receive", "channel": {"$ref": "#/channels/c"}, "summary": attack}}}


def proto_of(attack: str) -> str:
    comment = "".join(f"// {line}\n" for line in attack.replace("\0", "").replace("\r", "\n").split("\n"))
    return (f'syntax = "proto3";\npackage a;\n{comment}message M {{\n{comment}string f = 1;\n}}\n'
            f"{comment}service S {{\n{comment}rpc R(M) returns (M);\n}}\n")


def test_no_text_of_a_contract_is_run(tmp_path: Path) -> None:
    for i, attack in enumerate(ATTACKS):
        folder = tmp_path / str(i)
        source, diagnostics = generated(folder, {
            "a/openapi.yaml": json.dumps(openapi_of(attack)), "a/asyncapi.yaml": json.dumps(asyncapi_of(attack)),
            "a/a.proto": proto_of(attack)})
        assert not diagnostics.errors, (attack, diagnostics.errors)
        modules = [".".join(p.relative_to(source).with_suffix("").parts) for p in sorted(source.rglob("*.py"))]
        script = f"import importlib\nfor m in {modules!r}: importlib.import_module(m.removesuffix('.__init__'))"
        done = subprocess.run([sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (attack, done.stderr)
        assert not list(tmp_path.parent.rglob("pwned")), attack


@pytest.mark.parametrize("stem", ["../evil", "/etc/evil", "a\nb", "con", "a b", "é", ".."])
def test_generated_paths_stay_below_the_output_folder(tmp_path: Path, stem: str) -> None:
    contracts = {"ok/openapi.yaml": json.dumps(openapi_of("plain"))}
    if "/" not in stem and stem != "..":
        contracts[f"{stem}/openapi.yaml"] = json.dumps(openapi_of("plain"))
    contracts["x/openapi.yaml"] = json.dumps({**openapi_of("plain"), "x-package": stem})
    source, diagnostics = generated(tmp_path, contracts)
    assert not diagnostics.errors
    assert all(path.is_relative_to(source.parent) for path in source.rglob("*"))
    assert {p.name for p in tmp_path.iterdir()} == {"contracts", "generated"}
