"""Path templates -> operations. Works on the raw path, so that `%2F` in a value stays inside its segment.

Concrete segments go before templated ones (OpenAPI 3.1 section 4.8.8.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import quote, unquote

T = TypeVar("T")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


class _Node(Generic[T]):
    __slots__ = ("children", "methods", "patterns", "whole")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.patterns: list[tuple[re.Pattern[str], _Node[T]]] = []
        self.whole: _Node[T] | None = None
        self.methods: dict[str, tuple[T, tuple[str, ...]]] = {}


class Router(Generic[T]):
    """Finds what was added for a method and a path."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._static: dict[str, dict[str, tuple[T, tuple[str, ...]]]] = {}

    def add(self, method: str, template: str, target: T) -> None:
        """Bind `target` to a method and a path template."""
        names = tuple(_VARIABLE.findall(template))
        node = self._root
        for segment in template.split("/")[1:]:
            node = _descend(node, segment)
        node.methods[method] = (target, names)
        if not names:
            self._static[_normal(template)] = node.methods

    def find(self, raw_path: str) -> tuple[Mapping[str, tuple[T, tuple[str, ...]]], tuple[str, ...]] | None:
        """The bindings of the path by method, and the values of its variables, still percent-encoded."""
        found = self._static.get(raw_path)
        if found is not None:
            return found, ()
        values: list[str] = []
        node = _walk(self._root, raw_path.split("/")[1:], 0, values)
        return (node.methods, tuple(values)) if node is not None else None


def _descend(node: _Node[T], segment: str) -> _Node[T]:
    if "{" not in segment:
        return node.children.setdefault(_normal(segment), _Node())
    if _VARIABLE.fullmatch(segment):
        if node.whole is None:
            node.whole = _Node()
        return node.whole
    pattern = re.compile(
        "".join("(.+)" if i % 2 else re.escape(_normal(part)) for i, part in enumerate(_VARIABLE.split(segment)))
    )
    for known, child in node.patterns:
        if known.pattern == pattern.pattern:
            return child
    child = _Node[T]()
    node.patterns.append((pattern, child))
    return child


def _walk(node: _Node[T], segments: list[str], at: int, values: list[str]) -> _Node[T] | None:
    if at == len(segments):
        return node if node.methods else None
    segment = segments[at]
    kept = len(values)
    child = node.children.get(_normal(segment) if "%" in segment else segment)
    if child is not None:
        found = _walk(child, segments, at + 1, values)
        if found is not None:
            return found
    for pattern, child in node.patterns:
        match = pattern.fullmatch(segment)
        if match is not None:
            values.extend(match.groups())
            found = _walk(child, segments, at + 1, values)
            if found is not None:
                return found
            del values[kept:]
    if node.whole is not None and segment:
        values.append(segment)
        found = _walk(node.whole, segments, at + 1, values)
        if found is not None:
            return found
        del values[kept:]
    return None


def _normal(path: str) -> str:
    return quote(unquote(path), safe="/:@!$&'()*+,;=~")
