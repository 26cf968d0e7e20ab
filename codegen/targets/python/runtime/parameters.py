"""Parameters on the wire: how values become paths, query strings, headers and cookies, and back.

Styles are those of OpenAPI 3.1 section 4.8.12 (RFC 6570 for path and query).
Members that are null are left out, and so are empty arrays and objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_plus

from pydantic_core import to_json, to_jsonable_python

from .deep_object import read_deep
from .http_operation import Param, Shape
from .shapes import ParameterError, convert

_RESERVED = ":/?#[]@!$&'()*+,;="
_RESERVED_IN_QUERY = ":/?@!$'()*,;"
"""Reserved characters that cannot end or split a query component."""
_UNSAFE_HEADER = re.compile(r"[^\t\x20-\x7e]")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C", "simple": ","}


def plain(value: Any) -> Any:
    """A JSON value for any argument: models, enumerations, dates, decimals."""
    if value is None or type(value) in (str, int, bool, float):
        return value
    return to_jsonable_python(value, by_alias=True)


def scalar_text(value: Any) -> str:
    """The text of a JSON scalar; numbers without exponent loss, booleans in lower case."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else str(value)


def expand_path(template: str, params: Iterable[Param], arguments: Mapping[str, Any]) -> str:
    """The percent-encoded path. Values cannot add a segment; `.`, `..` and nothing are refused as a segment."""
    values = {param.name: param for param in params}

    def expanded(match: re.Match[str]) -> str:
        param = values[match.group(1)]
        return _path_value(param, plain(arguments[param.argument]))

    segments = template.split("/")
    for i, segment in enumerate(segments):
        if "{" not in segment:
            continue
        segments[i] = _TEMPLATE.sub(expanded, segment)
        if segments[i] in ("", ".", ".."):
            name = _TEMPLATE.search(segment)
            raise ParameterError(name.group(1) if name else segment, "cannot be empty, `.` or `..` in a path")
    return "/".join(segments)


def _path_value(param: Param, value: Any) -> str:
    if param.style == "content":
        return quote(to_json(value).decode(), safe="")
    if type(value) is str and param.style == "simple":
        return quote(value, safe="")
    items, keyed = _encoded(value, "")
    if param.style == "label":
        separator = "." if param.explode else ","
        return "." + separator.join(_joined(items, keyed, param.explode))
    if param.style == "matrix":
        if keyed and param.explode:
            return "".join(_matrix(key, item) for key, item in items)
        if param.explode and isinstance(value, list):
            return "".join(_matrix(param.name, item) for _, item in items)
        return _matrix(param.name, ",".join(_joined(items, keyed, False)))
    return ",".join(_joined(items, keyed, param.explode))


def _matrix(name: str, text: str) -> str:
    """RFC 6570 section 3.2.7: an empty value has no equals sign."""
    return f";{name}={text}" if text else f";{name}"


def _encoded(value: Any, safe: str) -> tuple[list[tuple[str, str]], bool]:
    """(key, text) pairs, percent-encoded, and whether the value is an object."""
    if isinstance(value, dict):
        return [
            (quote(str(k), safe=safe), quote(scalar_text(v), safe=safe)) for k, v in value.items() if v is not None
        ], True
    values = value if isinstance(value, list) else [value]
    return [("", quote(scalar_text(item), safe=safe)) for item in values if item is not None], False


def _joined(items: Sequence[tuple[str, str]], keyed: bool, explode: bool) -> list[str]:
    if not keyed:
        return [text for _, text in items]
    return [f"{key}={text}" for key, text in items] if explode else [part for pair in items for part in pair]


def query_string(params: Iterable[Param], arguments: Mapping[str, Any]) -> str:
    """The query string, without `?`; empty when no argument is given."""
    pairs: list[str] = []
    for param in params:
        value = arguments.get(param.argument)
        if value is not None:
            pairs.extend(_query_pairs(param, plain(value)))
    return "&".join(pairs)


def _query_pairs(param: Param, value: Any) -> list[str]:
    name = quote(param.name, safe="")
    safe = _RESERVED_IN_QUERY if param.allow_reserved else ""
    if param.style == "content":
        return [f"{name}={quote(to_json(value).decode(), safe=safe)}"]
    if param.style == "deepObject" and isinstance(value, (dict, list)):
        return list(_deep_pairs(name, value, safe))
    if not isinstance(value, (dict, list)):
        return [f"{name}={quote(scalar_text(value), safe=safe)}"]
    items, keyed = _encoded(value, safe)
    if not items:
        return []
    if param.explode and param.style == "form":
        return [f"{key if keyed else name}={text}" for key, text in items]
    if param.explode and not keyed:
        return [f"{name}={text}" for _, text in items]
    return [f"{name}={_DELIMITERS.get(param.style, ',').join(_joined(items, keyed, False))}"]


def _deep_pairs(prefix: str, value: Any, safe: str) -> Iterable[str]:
    """Objects as `[key]`, lists of objects as `[0][key]`, other lists as `[]`."""
    if isinstance(value, dict):
        for key, member in value.items():
            if member is not None:
                yield from _deep_pairs(f"{prefix}[{quote(str(key), safe='')}]", member, safe)
    elif isinstance(value, list):
        nested = any(isinstance(member, (dict, list)) for member in value)
        for i, member in enumerate(value):
            if member is not None:
                yield from _deep_pairs(f"{prefix}[{i if nested else ''}]", member, safe)
    else:
        yield f"{prefix}={quote(scalar_text(value), safe=safe)}"


def header_text(name: str, value: Any, *, explode: bool = False, as_json: bool = False) -> str:
    """The value of a header (style simple). Raises `ParameterError` for line breaks and other than visible ASCII."""
    ready = plain(value)
    if as_json:
        text = to_json(ready).decode()
    elif isinstance(ready, dict):
        items = [(str(k), scalar_text(v)) for k, v in ready.items() if v is not None]
        text = ",".join(_joined(items, True, explode))
    elif isinstance(ready, list):
        text = ",".join(scalar_text(item) for item in ready if item is not None)
    else:
        text = scalar_text(ready)
    if _UNSAFE_HEADER.search(text):
        raise ParameterError(name, "a header value must be visible ASCII on one line")
    return text


def cookie_pairs(param: Param, value: Any) -> list[str]:
    """`name=value` pairs for the Cookie header."""
    return _query_pairs(param, plain(value))


# ---- reading


def parse_query(raw: str) -> dict[str, list[str]]:
    """Values by name, still percent-encoded, so that delimiters can be told from data."""
    found: dict[str, list[str]] = {}
    for pair in raw.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(unquote_plus(name), []).append(value)
    return found


def read_query(param: Param, query: Mapping[str, list[str]]) -> Any:
    """The JSON value of a query parameter or cookie, `None` when absent. Raises `ParameterError`."""
    shape = param.shape
    if param.style == "deepObject":
        return read_deep(param.name, param.shape, query)
    if isinstance(shape, dict) and param.style == "form" and param.explode:
        members = {name: values for name, values in query.items() if name in shape}
        return _members(param, ((name, values[-1]) for name, values in members.items()), shape) if members else None
    values = query.get(param.name)
    if values is None:
        return None
    if param.style == "content":
        return _from_json(param, unquote_plus(values[-1]))
    if isinstance(shape, list):
        raw = values if param.explode else _split(param, values[-1])
        return [convert(param.name, unquote_plus(item), shape[0]) for item in raw]
    if len(values) > 1:
        raise ParameterError(param.name, "is given more than once")
    if isinstance(shape, dict):
        flat = _split(param, values[0])
        return _members(param, zip(flat[::2], flat[1::2], strict=False), shape)
    return convert(param.name, unquote_plus(values[0]), shape)


def _split(param: Param, text: str) -> list[str]:
    if text == "":
        return []
    if param.style == "spaceDelimited":
        return re.split(r"%20|\+", text)
    if param.style == "pipeDelimited":
        return re.split(r"%7[Cc]|\|", text)
    return text.split(",")


def _members(param: Param, pairs: Iterable[tuple[str, str]], shape: dict[str, Shape]) -> dict[str, Any]:
    return {
        unquote_plus(name): convert(
            f"{param.name}.{unquote_plus(name)}",
            unquote_plus(text),
            shape.get(unquote_plus(name), shape.get("*", "string")),
        )
        for name, text in pairs
    }


def read_simple(param: Param, text: str) -> Any:
    """The JSON value of a path segment or header. `text` is decoded for headers, still encoded for paths."""
    decode = unquote_path if param.place == "path" else str.strip
    if param.style == "content":
        return _from_json(param, decode(text))
    shape = param.shape
    if param.style == "label":
        text = text.removeprefix(".")
    elif param.style == "matrix":
        return _read_matrix(param, text)
    if not isinstance(shape, (list, dict)):
        return convert(param.name, decode(text), shape)
    separator = "." if param.style == "label" and param.explode else ","
    items = list(text.split(separator)) if text else []
    if isinstance(shape, list):
        return [convert(param.name, decode(item), shape[0]) for item in items]
    pairs = (
        [tuple(item.partition("=")[::2]) for item in items]
        if param.explode
        else list(zip(items[::2], items[1::2], strict=False))
    )
    return {
        decode(k): convert(f"{param.name}.{k}", decode(v), shape.get(decode(k), shape.get("*", "string")))
        for k, v in pairs
    }


def _read_matrix(param: Param, text: str) -> Any:
    pairs = [part.partition("=")[::2] for part in text.split(";") if part]
    shape = param.shape
    if isinstance(shape, dict) and param.explode:
        return {
            unquote_path(k): convert(
                f"{param.name}.{k}", unquote_path(v), shape.get(unquote_path(k), shape.get("*", "string"))
            )
            for k, v in pairs
        }
    if not pairs or any(key != param.name for key, _ in pairs):
        raise ParameterError(param.name, f"must be written `;{param.name}=value`")
    if isinstance(shape, list):
        items = [v for _, v in pairs] if param.explode else pairs[0][1].split(",")
        return [convert(param.name, unquote_path(item), shape[0]) for item in items]
    if isinstance(shape, dict):
        flat = pairs[0][1].split(",")
        return _members(param, zip(flat[::2], flat[1::2], strict=False), shape)
    return convert(param.name, unquote_path(pairs[0][1]), shape)


def unquote_path(text: str) -> str:
    """Percent-decoding in a path, where `+` is a plus."""
    return unquote_plus(text.replace("+", "%2B")) if "%" in text or "+" in text else text


def _from_json(param: Param, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ParameterError(param.name, "is not JSON") from None
