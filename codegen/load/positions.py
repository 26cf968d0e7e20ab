"""Line and column of JSON pointers, indexed when first asked for."""

from __future__ import annotations

import json
import re
from bisect import bisect_right

import yaml

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')


class PositionIndex:
    """Positions of every pointer of one document. Lines and columns count from 1."""

    __slots__ = ("_found", "_json", "_text")

    def __init__(self, text: str, *, json_text: bool) -> None:
        self._text = text
        self._json = json_text
        self._found: dict[str, tuple[tuple[int, int], tuple[int, int]]] | None = None

    def find(self, pointer: str, *, key: bool = True) -> tuple[int, int]:
        """(line, column) of the key at `pointer`, or of its value; of the nearest parent when it is absent."""
        if self._found is None:
            self._found = _index_json(self._text) if self._json else _index_yaml(self._text)
        while pointer not in self._found:
            if not pointer:
                return 1, 1
            pointer = pointer.rpartition("/")[0]
        return self._found[pointer][0 if key else 1]


_Index = dict[str, tuple[tuple[int, int], tuple[int, int]]]


def _index_json(text: str) -> _Index:
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(offset: int) -> tuple[int, int]:
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    found: _Index = {}
    stack: list[tuple[str, int]] = []
    pointer, position = "", -1
    pending: tuple[str, int] | None = None
    expects_key = False
    for match in _TOKEN.finditer(text):
        token, offset = match.group(), match.start()
        first = token[0]
        if first in ",:":
            expects_key = first == "," and bool(stack) and position < 0
            if first == "," and position >= 0:
                position += 1
            continue
        if first in "}]":
            pointer, position = stack.pop()
            expects_key = False
            continue
        if expects_key and first == '"':
            name = _unquoted(token)
            pending = (name.replace("~", "~0").replace("/", "~1"), offset)
            expects_key = False
            continue
        if pending is not None:
            own, key_offset = f"{pointer}/{pending[0]}", pending[1]
            pending = None
        else:
            own, key_offset = (f"{pointer}/{position}" if position >= 0 else ""), offset
        found[own] = (at(key_offset), at(offset))
        if first in "{[":
            stack.append((pointer, position))
            pointer, position = own, (-1 if first == "{" else 0)
            expects_key = first == "{"
    return found


def _index_yaml(text: str) -> _Index:
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    found: _Index = {}
    stack: list[tuple[str, yaml.Node, tuple[int, int]]] = [("", root, _mark(root))] if root else []
    while stack:
        pointer, node, key_place = stack.pop()
        found[pointer] = (key_place, _mark(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = str(key.value).replace("~", "~0").replace("/", "~1")
                child = f"{pointer}/{name}"
                if child not in found:
                    stack.append((child, value, _mark(key)))
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((f"{pointer}/{i}", value, _mark(value)) for i, value in enumerate(node.value))
    return found


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _unquoted(token: str) -> str:
    return str(json.loads(token)) if "\\" in token else token[1:-1]


def repeated_key(text: str, key: str) -> tuple[int, int]:
    """Where `key` stands for the second time in one JSON object; (1, 1) when it does not."""
    seen: list[set[str]] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in "{[":
            seen.append(set())
        elif token in "}]":
            seen.pop()
        elif token[0] == '"' and re.match(r"\s*:", text[match.end() : match.end() + 64]):
            name = _unquoted(token)
            if name == key and name in seen[-1]:
                return _place(text, match.start())
            seen[-1].add(name)
    return 1, 1


def too_deep(text: str, limit: int) -> tuple[int, int]:
    """Where JSON brackets are nested more than `limit` deep for the first time; (1, 1) when nowhere."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match.group() in "{[":
            depth += 1
        elif match.group() in "}]":
            depth -= 1
        if depth > limit:
            return _place(text, match.start())
    return 1, 1


def lone_surrogate(text: str) -> tuple[int, int] | None:
    """Where a JSON string holds half of a surrogate pair; None when none does."""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] == '"' and "\\u" in token and _is_broken(_unquoted(token)):
            return _place(text, match.start())
    return None


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def bare_word(text: str, word: str) -> tuple[int, int]:
    """Where `word` first stands outside of strings; (1, 1) when it does not."""
    for match in _TOKEN.finditer(text):
        if match.group() == word:
            return _place(text, match.start())
    return 1, 1
