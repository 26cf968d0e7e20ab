"""What one schema says at its own level: names, annotations, which keywords count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from codegen.load.documents import Node
from codegen.load.schema_pieces import ANNOTATIONS

Name = tuple[str, ...]


def telling(nodes: list[Node]) -> list[Node]:
    """Those that say something about the value, the same reference once; the first when none does."""
    found: dict[str, Node] = {}
    for node in nodes:
        keys = significant(node.value) if isinstance(node.value, dict) else set()
        if keys:
            alone = keys == {"$ref"}
            found.setdefault(f"{node.document.path} {node.value['$ref']}" if alone else node.id, node)
    return list(found.values()) or nodes[:1]


def joined_with(node: Node, others: Sequence[Node]) -> Node:
    """The element as it is read together with others."""
    return replace(node, mark="~" + "+".join(other.id for other in others))


def written_tags(holder: Node) -> frozenset[str]:
    """Values that the mapping of a discriminator names itself."""
    return frozenset(key for key, _ in holder.child("discriminator", "mapping").members())


def without(piece: Node, keyword: str) -> Node:
    """The schema without one keyword and its discriminator."""
    rest = {key: value for key, value in piece.value.items() if key not in (keyword, "discriminator")}
    return Node(piece.document, piece.pointer, rest)


def significant(value: dict[str, Any]) -> set[str]:
    """Keywords that say something about the value; annotations and extensions do not."""
    return {key for key in value if key not in ANNOTATIONS and not key.startswith("x-")}


def only_asserts(branch: Node) -> bool:
    """Whether an alternative only states requirements on what the rest of the schema describes."""
    if not isinstance(branch.value, dict) or "$ref" in branch.value:
        return False
    keys = significant(branch.value)
    if (
        "properties" in keys
        and all(
            isinstance(v, dict) and not significant(v) - {"not", "const", "enum", "minLength"}
            for v in branch.value["properties"].values()
        )
        and "type" not in keys
    ):
        keys = keys - {"properties"}
    return keys <= {"required", "not", "minProperties", "maxProperties", "dependentRequired"}


def is_null(branch: Node) -> bool:
    """Whether only null is allowed."""
    value = branch.value
    return isinstance(value, dict) and (
        value.get("type") in ("null", ["null"])
        or value.get("enum") == [None]
        or ("const" in value and value["const"] is None)
    )


def is_component(node: Node) -> bool:
    """Whether the schema has a name of its own in its document."""
    parts = node.pointer.split("/")
    if len(parts) == 4:
        return parts[1] == "components" and parts[2] == "schemas"
    return len(parts) == 3 and parts[1] in ("definitions", "$defs", "schemas")


def own_name(node: Node) -> Name:
    """What a referenced schema is called: its key; of a whole file its stem; else the telling parts of the pointer."""
    if not node.pointer:
        return (node.document.path.rpartition("/")[2].split(".")[0],)
    if is_component(node):
        return (node.key,)
    silent = {
        "properties",
        "schema",
        "content",
        "items",
        "components",
        "schemas",
        "definitions",
        "$defs",
        "paths",
        "allOf",
        "oneOf",
        "anyOf",
        "payload",
        "messages",
        "channels",
    }
    telling = [part for part in node.pointer.split("/")[1:] if part not in silent]
    return tuple(telling[-2:] or [node.key])


def doc_of(value: dict[str, Any]) -> str:
    """Its description, or its title."""
    title, description = value.get("title"), value.get("description")
    if isinstance(description, str) and description.strip():
        return description
    return title if isinstance(title, str) else ""


def examples_of(node: Node) -> tuple[Any, ...]:
    """`examples`, then `example`."""
    if not isinstance(node.value, dict):
        return ()
    many = node.value.get("examples")
    found = list(many) if isinstance(many, list) else []
    return (*found, node.value["example"]) if "example" in node.value else tuple(found)


def text_of(value: object) -> str:
    """How JSON spells a scalar."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def extensions_of(value: dict[str, Any]) -> dict[str, Any]:
    """The `x-` keys."""
    return {key: item for key, item in value.items() if key.startswith("x-")}
