"""An OpenAPI document of any size, in the proportions of real ones."""

from __future__ import annotations

import json


def openapi_with(operations: int) -> str:
    """A document with that many operations: five a resource, each resource with its own schemas."""
    paths: dict[str, object] = {}
    schemas: dict[str, object] = {}
    for i in range(operations // 5):
        name = f"Resource{i}"
        schemas[name] = _resource(name)
        schemas[f"{name}Status"] = {"type": "string", "enum": ["active", "paused", "closed"]}
        schemas[f"{name}Page"] = {
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "items": _ref(name)}, "next_page_token": {"type": "string"}},
        }
        paths[f"/resources{i}"] = {
            "get": _operation(f"list{name}", f"{name}Page", parameters=[_query("page_size"), _query("page_token")]),
            "post": _operation(f"create{name}", name, body=name),
        }
        paths[f"/resources{i}/{{id}}"] = {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": _operation(f"get{name}", name),
            "put": _operation(f"replace{name}", name, body=name),
            "delete": {"operationId": f"delete{name}", "responses": {"204": {"description": "Gone."}}},
        }
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Synthetic", "version": "1"},
            "paths": paths,
            "components": {"schemas": schemas},
        },
        indent=1,
    )


def _resource(name: str) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["id", "name"],
        "description": f"A {name}.",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": {"type": "string", "maxLength": 80},
            "status": _ref(f"{name}Status"),
            "created_at": {"type": "string", "format": "date-time"},
            "amount": {"type": "integer", "format": "int64", "minimum": 0},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 10},
            "owner": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "email": {"type": "string", "format": "email"}},
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str) -> dict[str, object]:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _operation(
    name: str, answer: str, *, parameters: list[dict[str, object]] | None = None, body: str | None = None
) -> dict[str, object]:
    found: dict[str, object] = {
        "operationId": name,
        "summary": f"{name} of the service.",
        "parameters": parameters or [],
        "responses": {
            "200": {"description": "It.", "content": {"application/json": {"schema": _ref(answer)}}},
            "404": {"description": "No such thing."},
        },
    }
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return found
