"""Style deepObject: `name[key]=value`, nested, with lists as `name[]`, `name[0]` or `name[0][key]`.

OpenAPI 3.1 (section 4.8.12.2) defines one level of keys only; the rest is what
servers that document their forms this way accept (Rack, PHP, Stripe).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from .http_operation import Shape
from .shapes import ParameterError, convert

_MAX_DEPTH = 8
_KEY = re.compile(r"\[([^\[\]]*)\]")
Node: TypeAlias = "dict[str, Node] | list[str]"
"""Values by key, or the texts that were given for one name."""


def read_deep(name: str, shape: Shape, query: Mapping[str, list[str]]) -> Any:
    """The JSON value of everything that begins with `name`; None when there is nothing. Raises `ParameterError`."""
    root: Node | None = None
    for full, values in query.items():
        if full == name:
            found: Node = [unquote_plus(value) for value in values]
            if root is not None:
                raise ParameterError(full, "is both a value and an object", "value_and_object")
            root = found
        elif full.startswith(name) and full[len(name)] == "[":
            if root is None:
                root = {}
            _place(root, full, _keys(full, name), [unquote_plus(value) for value in values])
    if isinstance(root, list) and isinstance(shape, list):
        raise ParameterError(name, "must be a list: `name[0]` or `name[]`", "list_type")
    return None if root is None else _value(name, root, shape)


def _keys(full: str, name: str) -> list[str]:
    keys = _KEY.findall(full, len(name))
    if full != name + "".join(f"[{key}]" for key in keys) or len(keys) > _MAX_DEPTH:
        raise ParameterError(full, "is not `name[key]`", "deep_object")
    return keys


def _place(root: Node, full: str, keys: list[str], values: list[str]) -> None:
    target = root
    for key in keys[:-1]:
        if not isinstance(target, dict):
            raise ParameterError(full, "is both a value and an object", "value_and_object")
        target = target.setdefault(key, {})
    if not isinstance(target, dict) or keys[-1] in target:
        raise ParameterError(full, "is both a value and an object", "value_and_object")
    target[keys[-1]] = values


def _value(name: str, node: Node, shape: Shape) -> Any:
    if isinstance(shape, tuple):
        return _alternative(name, node, shape)
    if isinstance(node, list):
        return _leaf(name, node, shape)
    if isinstance(shape, list) or (shape == "json" and _is_list(node)):
        return _items(name, node, shape[0] if isinstance(shape, list) else "json")
    if not isinstance(shape, dict) and shape != "json":
        raise ParameterError(name, "must be one value", "value_type")
    members = shape if isinstance(shape, dict) else {}
    rest = members.get("*", "json")
    found = {}
    for key, child in node.items():
        if key == "":
            raise ParameterError(f"{name}[]", "must be an object, not a list", "dict_type")
        found[key] = _value(
            f"{name}[{key}]", child, members.get(key, rest if shape == "json" or "*" in members else "json")
        )
    return found


def _leaf(name: str, texts: list[str], shape: Shape) -> Any:
    if isinstance(shape, list):
        return [convert(name, text, shape[0]) for text in texts]
    if isinstance(shape, dict):
        raise ParameterError(name, "must be an object: `name[key]=value`", "dict_type")
    if len(texts) > 1:
        raise ParameterError(name, "is given more than once", "repeated")
    return texts[0] if shape == "json" else convert(name, texts[0], shape)


def _alternative(name: str, node: Node, shapes: tuple[Shape, ...]) -> Any:
    """The first kind of value that fits; else the complaint about the innermost place."""
    problems = []
    for shape in shapes:
        try:
            return _value(name, node, shape)
        except ParameterError as problem:
            problems.append(problem)
    raise max(problems, key=lambda problem: len(problem.parameter))


def _is_list(node: dict[str, Node]) -> bool:
    return all(key == "" or key.isdecimal() for key in node)


def _items(name: str, node: dict[str, Node], shape: Shape) -> list[Any]:
    """Items in the order of their numbers; those of `name[]` in the order of the text."""
    if not _is_list(node):
        raise ParameterError(name, "must be a list: `name[0]` or `name[]`", "list_type")
    found: list[Any] = []
    for key in sorted(node, key=lambda key: int(key[:9] or 0)):
        child = node[key]
        if key == "" and isinstance(child, list):
            found += [_value(f"{name}[]", [text], shape) for text in child]
        elif key == "":
            found += [_value(f"{name}[{i}]", item, shape) for i, item in enumerate(_rows(name, child))]
        else:
            found.append(_value(f"{name}[{key}]", child, shape))
    return found


def _rows(name: str, columns: Node) -> list[Node]:
    """`name[][a]=1&name[][b]=2&name[][a]=3&name[][b]=4` as two objects."""
    lists = (
        {key: texts for key, texts in columns.items() if isinstance(texts, list)} if isinstance(columns, dict) else {}
    )
    if len(lists) != len(columns) or len({len(texts) for texts in lists.values()}) != 1:
        raise ParameterError(f"{name}[]", "needs numbers: `name[0][key]`", "list_type")
    return [{key: [texts[i]] for key, texts in lists.items()} for i in range(len(next(iter(lists.values()))))]
