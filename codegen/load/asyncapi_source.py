"""What the readers of AsyncAPI objects share: the document at hand, references, and traits.

References may lead through other references (`#/channels/orders/messages/created`
where the channel is itself a `$ref`), as the AsyncAPI tools allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents, Node, unescape
from codegen.load.schemas import SchemaReader

AREA = "asyncapi"
MAX_CHAIN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One AsyncAPI document being read. `major` is 2 or 3."""

    document: Document
    documents: Documents
    schemas: SchemaReader
    diagnostics: Diagnostics
    major: int

    @property
    def root(self) -> Node:
        return self.documents.root_node(self.document)

    def follow(self, node: Node) -> Node | None:
        """The node behind the `$ref`s at `node`; None, reported, when there is none."""
        for _ in range(MAX_CHAIN):
            if not (isinstance(node.value, dict) and "$ref" in node.value):
                return node
            target = self._step_through(node.value["$ref"], node)
            if target is None:
                return self.documents.follow(node)
            node = target
        return self.documents.follow(node)

    def refer(self, reference: str, at: Node) -> Node | None:
        """The node that a reference string names, its own `$ref`s followed."""
        target = self._step_through(reference, at) or self.documents.resolve(reference, at)
        return self.follow(target) if target is not None else None

    def _step_through(self, reference: object, at: Node) -> Node | None:
        """Walk a JSON pointer, following `$ref`s on the way; None when the plain resolver must answer."""
        if not isinstance(reference, str):
            return None
        file, _, fragment = reference.partition("#")
        pointer = unquote(fragment)
        if pointer and not pointer.startswith("/"):
            return None
        node = self.documents.resolve(f"{file}#", at)
        tokens = pointer.split("/")[1:]
        for i, token in enumerate(tokens):
            key = unescape(token)
            if node is None or not node.has(key):
                return None
            node = node.child(key)
            if i < len(tokens) - 1 and node.has("$ref"):
                node = self.follow(node)
        return node

    def members(self, node: Node, *keys: str) -> Iterator[tuple[str, Node]]:
        """The members of the object under `keys`, a `$ref` in its place followed."""
        for key in keys:
            node = node.child(key)
            if node.has("$ref"):
                followed = self.follow(node)
                if followed is None:
                    return
                node = followed
        yield from node.members()

    def with_traits(self, node: Node) -> dict[str, Node]:
        """The members of `node`, its traits merged in.

        AsyncAPI 2.x: each trait is a JSON merge patch (RFC 7386) on the object, so it overrides.
        AsyncAPI 3.x: traits are merged in order, but never override what the object itself says.
        """
        own = dict(node.members())
        traits = [dict(t.members()) for t in map(self.follow, node.child("traits").items()) if t is not None]
        if self.major == 2:
            merged = own
            for trait in traits:
                merged = self._patched(merged, trait)
        else:
            merged = {}
            for trait in [*traits, own]:
                merged = self._patched(merged, trait)
            merged = {key: merged[key] for key in [*own, *(k for k in merged if k not in own)] if key in merged}
        merged.pop("traits", None)
        return merged

    def _patched(self, base: dict[str, Node], patch: dict[str, Node]) -> dict[str, Node]:
        result = dict(base)
        for key, node in patch.items():
            below = result.get(key)
            if node.value is None and self.major == 2:
                result.pop(key, None)
            elif below is not None and isinstance(below.value, dict) and isinstance(node.value, dict):
                result[key] = self._combined(below, node)
            else:
                result[key] = node
        return result

    def _combined(self, below: Node, above: Node) -> Node:
        """Both objects as one, at the place of the object that has the last word."""
        one, two = self.follow(below), self.follow(above)
        if one is None or two is None:
            return above
        foreign = one if one.document is not above.document else two
        if foreign.document is not above.document and _has_reference(foreign.value):
            self.diagnostics.unsupported(
                "asyncapi/trait-merge",
                f"`{above.key}` of a trait in `{foreign.document.path}` holds references and "
                "cannot be merged with what stands here: only one of the two is used",
                above.location,
                hint="put the whole object into a schema and refer to it from one place",
            )
            return above
        return Node(above.document, above.pointer, _merge_patch(one.value, two.value))


def _merge_patch(target: Any, patch: Any) -> Any:
    if not isinstance(target, dict) or not isinstance(patch, dict):
        return patch
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_patch(result[key], value) if key in result else value
    return result


def _has_reference(value: Any) -> bool:
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            if "$ref" in current:
                return True
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)
    return False
