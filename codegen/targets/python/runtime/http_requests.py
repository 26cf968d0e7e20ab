"""A request as the server sees it: context, parameters and body, held to the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .http_bodies import FilePart, codec_of, find_content
from .http_operation import Content, Operation, Param, Part, Shape, kind_of
from .models import json_text
from .parameters import parse_query, read_query, read_simple, unquote_path
from .problem import Fault, HttpProblem
from .shapes import ParameterError, convert
from .strictness import strict_requests
from .violations import Violation, violations, violations_in

AsgiScope: TypeAlias = MutableMapping[str, Any]
AsgiReceive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_SIMPLE_TYPES = {str: "string", int: "integer", bool: "boolean"}


@dataclass(slots=True)
class RequestContext:
    """What a handler may want to know beside its arguments. Header names are in lower case."""

    operation: Operation[Any]
    method: str
    path: str
    headers: Mapping[str, str]
    scope: AsgiScope
    principals: Mapping[str, Any] = field(default_factory=dict)
    """Who the caller is, by security scheme, as the authenticators said."""
    body: bytes = b""
    """The body as it came."""
    _query: dict[str, list[str]] | None = None
    _cookies: dict[str, list[str]] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        """Query parameters by name, values percent-encoded."""
        if self._query is None:
            self._query = parse_query(self.scope["query_string"].decode("latin-1"))
        return self._query

    @property
    def cookies(self) -> dict[str, list[str]]:
        """Cookies by name, values percent-encoded."""
        if self._cookies is None:
            self._cookies = _parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    @property
    def principal(self) -> Any:
        """Who the caller is, when one scheme says so; None for an anonymous caller."""
        return next(iter(self.principals.values()), None)

    @property
    def client(self) -> str:
        """The address of the peer; empty when it is not known."""
        peer = self.scope.get("client")
        return str(peer[0]) if peer else ""


def _parse_cookies(header: str) -> dict[str, list[str]]:
    """RFC 6265 section 4.2.1; a plus is a plus, and `&` no delimiter."""
    found: dict[str, list[str]] = {}
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name:
            found.setdefault(unquote_path(name), []).append(value.replace("+", "%2B"))
    return found


def read_headers(scope: AsgiScope) -> dict[str, str]:
    """Header values by lower-case name; repeated ones joined by a comma (cookies by a semicolon)."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in found:
            value = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}"
        found[name] = value
    return found


def read_arguments(
    operation: Operation[Any], context: RequestContext, path_values: Mapping[str, str], faults: list[Fault]
) -> dict[str, Any]:
    """Arguments by Python name; what is wrong is added to `faults`. Absent optional ones have their default."""
    arguments: dict[str, Any] = {}
    for param in operation.params:
        value: Any = None
        try:
            value = _raw_value(param, context, path_values)
            if value is None:
                if param.required:
                    faults.append(Fault("is required", parameter=param.name, kind="missing"))
                arguments[param.argument] = None if param.default is None else _typed(operation, param, param.default)
            else:
                arguments[param.argument] = _typed(operation, param, value)
        except ParameterError as problem:
            faults.append(Fault(problem.message, parameter=problem.parameter, kind=problem.kind))
        except RecursionError:
            faults.append(Fault("is nested too deeply", parameter=param.name, kind="recursion"))
        except ValidationError as problem:
            places = violations(problem, value) if isinstance(value, str) else violations_in(problem, value)
            faults.extend(
                Fault(found.message, parameter=param.name, pointer=found.pointer or None, kind=found.kind)
                for found in places
            )
    return arguments


def _raw_value(param: Param, context: RequestContext, path_values: Mapping[str, str]) -> Any:
    if param.place == "path":
        return read_simple(param, path_values[param.name])
    if param.place == "query":
        return read_query(param, context.query)
    if param.place == "cookie":
        return read_query(param, context.cookies)
    text = context.headers.get(param.name.lower())
    return None if text is None else read_simple(param, text)


def _typed(operation: Operation[Any], param: Param, value: Any) -> Any:
    annotation = param.type
    if annotation in _SIMPLE_TYPES and param.shape == _SIMPLE_TYPES[annotation]:
        return value
    with strict_requests():
        return codec_of(operation, param, annotation).from_json(json_text(value))


async def read_bytes(context: RequestContext, receive: AsgiReceive, limit: int) -> bytes:
    """The whole body. Raises `HttpProblem` 413 when it is larger than `limit` bytes."""
    length = context.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise HttpProblem(413, f"The body is limited to {limit:,} bytes.")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpProblem(400, "The body ended early.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise HttpProblem(413, f"The body is limited to {limit:,} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_body(operation: Operation[Any], context: RequestContext, raw: bytes, faults: list[Fault]) -> Any:
    """The body as the contract's type; None when there is none. Raises `HttpProblem` 415 for another media type.

    A body without Content-Type is bytes of unknown kind (RFC 9110 section 8.3).
    """
    content_type = context.headers.get("content-type", "")
    if not raw and (not content_type or not operation.body_required):
        if operation.body_required:
            faults.append(Fault("a body is required", pointer="", kind="missing"))
        return None
    content = find_content(operation.body, content_type or "application/octet-stream")
    if content is None:
        offered = ", ".join(content.media_type for content in operation.body)
        raise HttpProblem(415, f"The body must be {offered}.", headers={"accept": offered})
    try:
        with strict_requests():
            if content.kind not in ("form", "multipart"):
                return _parsed(operation, content, raw)
            members = (
                _form(operation, content, raw) if content.kind == "form" else _multipart(content, content_type, raw)
            )
            return _typed_members(operation, content, members, faults)
    except ValidationError as problem:
        faults.extend(_body_faults(violations(problem, raw)))
    except ParameterError as problem:
        faults.append(Fault(problem.message, pointer=_pointer(problem.parameter), kind=problem.kind))
    return None


def _typed_members(operation: Operation[Any], content: Content, members: dict[str, Any], faults: list[Fault]) -> Any:
    if content.type is None:
        return members
    try:
        if isinstance(content.type, type) and issubclass(content.type, BaseModel):
            return content.type.model_validate(members, by_alias=True, by_name=False)
        adapter: TypeAdapter[Any] = TypeAdapter(content.type)
        return adapter.validate_python(members)
    except ValidationError as problem:
        faults.extend(_body_faults(violations_in(problem, members)))
    return None


def _body_faults(found: Iterable[Violation]) -> Iterator[Fault]:
    return (Fault(one.message, pointer=one.pointer, kind=one.kind) for one in found)


def _pointer(name: str) -> str:
    """The JSON pointer of a form field: `items[0][price]` is `/items/0/price`."""
    tokens = [name.partition("[")[0], *re.findall(r"\[([^\[\]]*)\]", name)]
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def _parsed(operation: Operation[Any], content: Content, raw: bytes) -> Any:
    if content.kind == "json":
        return codec_of(operation, ("body", content.media_type), content.type or Any).from_json(raw)
    if content.kind == "text" and content.type is not bytes:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise ParameterError("", "is not UTF-8") from None
    return raw


def _form(operation: Operation[Any], content: Content, raw: bytes) -> dict[str, Any]:
    """Members by name; those that the contract does not name are kept as text, `name[key]` as objects."""
    fields = operation.cache.get(("form", content.media_type))
    if fields is None:
        fields = operation.cache["form", content.media_type] = _form_fields(content)
    shape = content.shape if isinstance(content.shape, dict) else {}
    query = parse_query(raw.decode("latin-1"))
    members: dict[str, Any] = {}
    for name in dict.fromkeys(part if part in fields else part.partition("[")[0] for part in query):
        param = fields.get(name)
        if param is None:
            nested = name not in query
            param = Param(
                name,
                "query",
                name,
                str,
                shape.get("*", "json" if nested else "string"),
                style="deepObject" if nested else "form",
            )
        value = read_query(param, query)
        if value is not None:
            members[name] = value
    for name in fields.keys() - members.keys():
        if fields[name].style == "form" and isinstance(fields[name].shape, dict):
            value = read_query(fields[name], query)
            if value is not None:
                members[name] = value
    return members


def _form_fields(content: Content) -> dict[str, Param]:
    """How each declared field of a form is read (OpenAPI 3.1 section 4.8.15)."""
    parts = {part.name: part for part in content.parts}
    shape = content.shape if isinstance(content.shape, dict) else {}
    fields = {}
    for name in dict.fromkeys([*shape, *parts]):
        if name == "*":
            continue
        part = parts.get(name, Part(name))
        own: Shape = shape.get(name, shape.get("*", "string"))
        style = part.style or "form"
        as_json = (part.content_type and kind_of(part.content_type) == "json") or (
            part.style is None and isinstance(own, dict)
        )
        explode = style == "form" if part.explode is None else part.explode
        fields[name] = Param(name, "query", name, str, own, style="content" if as_json else style, explode=explode)
    return fields


def _multipart(content: Content, content_type: str, raw: bytes) -> dict[str, Any]:
    shape = content.shape if isinstance(content.shape, dict) else {}
    members: dict[str, Any] = {}
    for name, filename, part_type, data in _parts(content_type, raw):
        own: Shape = shape.get(name, shape.get("*", "string"))
        item: Shape = own[0] if isinstance(own, list) else own
        value = _part_value(name, item, filename, part_type, data, typed=content.type is not None)
        if isinstance(own, list):
            members.setdefault(name, []).append(value)
        elif name in members:
            raise ParameterError(name, "is given more than once")
        else:
            members[name] = value
    return members


def _part_value(name: str, shape: Shape, filename: str, part_type: str, data: bytes, *, typed: bool) -> Any:
    if shape == "bytes":
        return data if typed else FilePart(data, filename or name, part_type or "application/octet-stream")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        if filename:
            return data
        raise ParameterError(name, "is not UTF-8") from None
    if isinstance(shape, (dict, list)) or kind_of(part_type) == "json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ParameterError(name, "is not JSON") from None
    return convert(name, text, shape)


def _parts(content_type: str, raw: bytes) -> list[tuple[str, str, str, bytes]]:
    """(name, file name, content type, bytes) of every part."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise HttpProblem(400, "The multipart body has no boundary.")
    found: list[tuple[str, str, str, bytes]] = []
    collector = _Collector(found)
    parser = MultipartParser(boundary, collector.callbacks())
    try:
        parser.write(raw)
        parser.finalize()
    except FormParserError as problem:
        raise HttpProblem(400, f"The multipart body cannot be read: {problem}") from None
    if not collector.ended:
        raise HttpProblem(400, "The multipart body ended early.")
    return found


class _Collector:
    def __init__(self, found: list[tuple[str, str, str, bytes]]) -> None:
        self._found = found
        self._name = b""
        self._value = b""
        self._headers = Message()
        self._data = bytearray()
        self.ended = False

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._headers = Message()
        self._data = bytearray()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.decode("latin-1")] = self._value.decode("utf-8", "replace")
        self._name = self._value = b""

    def _end(self) -> None:
        _, options = parse_options_header(str(self._headers.get("content-disposition", "")))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename", b"").decode("utf-8", "replace")
        if not name:
            raise HttpProblem(400, "A part of the multipart body has no name.")
        self._found.append((name, filename, str(self._headers.get("content-type", "")), bytes(self._data)))

    def _finish(self) -> None:
        self.ended = True
