"""YAML 1.2 core schema over libyaml: text -> plain values.

PyYAML resolves YAML 1.1 (`on`, `yes`, `1:30`, dates become other types);
contracts are YAML 1.2 with the JSON types (OpenAPI 3.1 section 4.3), so only
PyYAML's composer is used and scalars are resolved here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

MAX_NODES = 5_000_000
"""Values of one document, those behind aliases counted wherever they are used."""
MAX_DEPTH = 200
MAX_DIGITS = 400

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_START = frozenset("-+.0123456789")
_DEEP_BLOCK = re.compile(rf"^[ ?:-]{{{2 * MAX_DEPTH}}}", re.MULTILINE)
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
TOO_DEEP_HINT = "give inner schemas a name and refer to them with $ref"
_SYNTAX_HINT = "check the indentation, the brackets and the quotes here and on the line before"


@dataclass
class TextError(Exception):
    """Not readable as a contract. Lines and columns count from 1."""

    rule: str
    message: str
    line: int
    column: int
    hint: str = ""


def parse_yaml(text: str) -> Any:
    """The single document in `text` as plain values; keys are strings. Raises `TextError`."""
    loader = yaml.CSafeLoader(text)
    try:
        _refuse_deep(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as problem:
        raise _syntax_error(problem, text) from None
    except yaml.reader.ReaderError as problem:
        before = text[: problem.position] if isinstance(problem.position, int) else ""
        raise TextError(
            "document/syntax",
            "YAML: a character that YAML does not allow",
            before.count("\n") + 1,
            1,
            "remove it, or write it as an escape in a quoted text",
        ) from None
    finally:
        loader.dispose()
    return None if root is None else _Plain().build(root, 0)


def _refuse_deep(text: str) -> None:
    """Refuse what is nested so deeply that libyaml's composer, which recurses in C, would run out of stack."""
    suspicious = max(text.count("["), text.count("{")) > MAX_DEPTH or _DEEP_BLOCK.search(text)
    if not suspicious or not _may_be_deep(text):
        return
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            place = event.start_mark
            raise TextError(
                "document/too-deep",
                TOO_DEEP,
                place.line + 1 if place else 1,
                place.column + 1 if place else 1,
                TOO_DEEP_HINT,
            )


def _may_be_deep(text: str) -> bool:
    """Cheaper than reading it, and wrong only where quoted text is full of brackets."""
    if _DEEP_BLOCK.search(text):
        return True
    depth = deepest = 0
    for character in re.findall(r"[\[\]{}]", text):
        depth += 1 if character in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def _syntax_error(problem: yaml.MarkedYAMLError, text: str) -> TextError:
    mark = problem.problem_mark or problem.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.split("\n")
    source = lines[line - 1] if line <= len(lines) else ""
    hint = _SYNTAX_HINT
    message = problem.problem or problem.context or "cannot be read"
    if "\t" in source[: max(column, len(source) - len(source.lstrip()))]:
        message, hint = "a tab stands where YAML wants spaces", "indent with spaces"
        column = source.index("\t") + 1
    elif "expected a single document" in str(problem.context):
        message, hint = "more than one document in the file", "one file holds one contract: put the others in their own"
    return TextError("document/syntax", f"YAML: {message}", line, column, hint)


class _Plain:
    def __init__(self) -> None:
        self._nodes = 0
        self._shared: dict[int, tuple[Any, int]] = {}

    def build(self, node: yaml.Node, depth: int) -> Any:
        self._count(1, node)
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.style else self._scalar(node)
        if depth > MAX_DEPTH:
            raise self._error("document/too-deep", TOO_DEEP, node, TOO_DEEP_HINT)
        identity = id(node)
        if identity in self._shared:
            shared, size = self._shared[identity]
            if shared is _OPEN:
                raise self._error(
                    "document/cyclic-alias",
                    "an alias stands within its own anchor",
                    node,
                    "give it a name and refer to it with $ref",
                )
            self._count(size, node)
            return shared
        self._shared[identity] = _OPEN, 0
        before = self._nodes
        built = (
            self._mapping(node, depth)
            if isinstance(node, yaml.MappingNode)
            else [self.build(child, depth + 1) for child in node.value]
        )
        self._shared[identity] = built, self._nodes - before
        return built

    def _count(self, values: int, node: yaml.Node) -> None:
        self._nodes += values
        if self._nodes > MAX_NODES:
            raise self._error(
                "document/too-large",
                f"more than {MAX_NODES:,} values, with aliases written out",
                node,
                "split the file with $ref, or refer to what is repeated with $ref",
            )

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(
                    "document/key", "a key must be a string", key_node, "put it in quotes when it is meant as text"
                )
            key = key_node.value
            if key in built:
                raise self._error(
                    "document/duplicate-key",
                    f"the key `{key}` stands twice in one mapping",
                    key_node,
                    "remove one of the two",
                )
            if key == "<<" and not key_node.style:
                raise self._error(
                    "document/merge-key",
                    "`<<` is YAML 1.1: contracts are YAML 1.2",
                    key_node,
                    "write the members out, or use $ref",
                )
            built[key] = self.build(value_node, depth + 1)
        return built

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        value: str = node.value
        if value in _WORDS:
            return _WORDS[value]
        if value[0] in _NUMBER_START:
            return self._number(value, node)
        return value

    def _number(self, value: str, node: yaml.ScalarNode) -> Any:
        if len(value) > MAX_DIGITS and set(value) <= _NUMBER_CHARACTERS:
            raise self._error("document/number", f"a number of more than {MAX_DIGITS} digits", node, _NUMBER_HINT)
        found = _number(value)
        if found in _INFINITE:
            raise self._error("document/number", f"`{value}` is beyond what a number can hold", node, _NUMBER_HINT)
        return found

    @staticmethod
    def _error(rule: str, message: str, node: yaml.Node, hint: str = "") -> TextError:
        return TextError(rule, message, node.start_mark.line + 1, node.start_mark.column + 1, hint)


_OPEN: Any = object()
_INFINITE = (float("inf"), float("-inf"))
_NUMBER_CHARACTERS = frozenset("-+.0123456789eExXabcdfABCDF")
_NUMBER_HINT = "put it in quotes when it is meant as text"


def _number(value: str) -> Any:
    if _INT.fullmatch(value):
        return int(value)
    if _OCTAL.fullmatch(value):
        return int(value, 8)
    if _HEX.fullmatch(value):
        return int(value, 16)
    if _FLOAT.fullmatch(value):
        return float(value)
    return value
