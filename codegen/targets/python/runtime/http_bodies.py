"""Bodies on the wire: JSON, forms, multipart, text, bytes and server-sent events."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel

from .http_operation import Content, Operation, Param, Part, kind_of
from .models import Codec
from .parameters import plain, query_string, scalar_text

_LINE_END = re.compile(rb"\r\n|\n|\r")
_TOO_LARGE = "an event has more than {:,} bytes"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart body."""

    content: bytes
    filename: str = "file"
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


MultipartForm: TypeAlias = Mapping[str, Any]
"""Parts by name: `FilePart`, bytes, text, numbers, models (as JSON), or lists of these (one part each)."""


def codec_of(operation: Operation[Any], key: object, annotation: Any) -> Codec[Any]:
    """The codec of one place of an operation, made once."""
    found: Codec[Any] | None = operation.cache.get(key)
    if found is None:
        found = operation.cache[key] = Codec(annotation)
    return found


def find_content(contents: Iterable[Content], content_type: str) -> Content | None:
    """The described media type that a Content-Type header matches best: exact, `type/*`, `*/*`."""
    bare = content_type.partition(";")[0].strip().lower()
    best: tuple[int, Content | None] = (0, None)
    for content in contents:
        declared = content.media_type.partition(";")[0].strip().lower()
        rank = (
            3
            if declared == bare
            else 2
            if declared.endswith("/*") and bare.startswith(declared[:-1])
            else (1 if declared == "*/*" else 0)
        )
        if rank > best[0]:
            best = (rank, content)
    return best[1]


def encode(content: Content, value: Any, codec: Codec[Any] | None) -> tuple[str, bytes]:
    """(Content-Type, bytes) of a body."""
    kind = content.kind
    media_type = content.media_type
    if kind == "json":
        sent = "application/json" if media_type == "*/*" else media_type
        if codec is None:
            return sent, json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")).encode()
        return sent, codec.to_json(value)
    if kind == "form":
        return media_type, form_text(content, value).encode("ascii")
    if kind == "multipart":
        boundary = secrets.token_hex(16)
        return f"{media_type}; boundary={boundary}", b"".join(_multipart(content, value, boundary))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return media_type, bytes(value)
    charset = media_type if "charset" in media_type or kind != "text" else f"{media_type}; charset=utf-8"
    return charset, scalar_text(plain(value)).encode()


def members_of(value: Any) -> Iterator[tuple[str, Any]]:
    """(wire name, value) of a model or mapping; absent and null members are left out."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        for name, info in fields.items():
            member = getattr(value, name)
            if member is not None and (name in value.model_fields_set or info.is_required()):
                yield info.serialization_alias or info.alias or name, member
        for name, member in (value.model_extra or {}).items():
            if member is not None:
                yield name, member
    else:
        for name, member in value.items():
            if member is not None:
                yield name, member


def form_text(content: Content, value: Any) -> str:
    """`application/x-www-form-urlencoded` (OpenAPI 3.1 section 4.8.14.4)."""
    parts = {part.name: part for part in content.parts}
    pairs = []
    for name, member in members_of(value):
        part = parts.get(name, Part(name))
        style = part.style or "form"
        as_json = (part.content_type is not None and kind_of(part.content_type) == "json") or (
            part.style is None and isinstance(plain(member), dict)
        )
        param = Param(
            name,
            "query",
            name,
            style="content" if as_json else style,
            explode=style == "form" if part.explode is None else part.explode,
        )
        pairs.append(query_string((param,), {name: member}))
    return "&".join(pair for pair in pairs if pair).replace("%20", "+")


def _multipart(content: Content, value: Any, boundary: str) -> Iterator[bytes]:
    declared = {part.name: part for part in content.parts}
    for name, member in members_of(value):
        items = member if isinstance(member, (list, tuple)) else (member,)
        for item in items:
            yield from _part(boundary, name, item, declared.get(name))
    yield f"--{boundary}--\r\n".encode()


def _part(boundary: str, name: str, item: Any, declared: Part | None) -> Iterator[bytes]:
    filename, headers = "", {}
    content_type = declared.content_type.split(",")[0].strip() if declared and declared.content_type else ""
    if isinstance(item, FilePart):
        filename, headers, content = item.filename, dict(item.headers), item.content
        content_type = item.content_type
    elif isinstance(item, (bytes, bytearray)):
        filename, content = name, bytes(item)
        content_type = content_type if content_type and "*" not in content_type else "application/octet-stream"
    else:
        ready = plain(item)
        as_json = isinstance(ready, (dict, list)) or (content_type and kind_of(content_type) == "json")
        content = json.dumps(ready, ensure_ascii=False).encode() if as_json else scalar_text(ready).encode()
        content_type = content_type or ("application/json" if as_json else "")
    disposition = f'form-data; name="{_quoted(name)}"' + (f'; filename="{_quoted(filename)}"' if filename else "")
    lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
    if content_type:
        lines.append(f"Content-Type: {_one_line(content_type)}")
    lines += [f"{_one_line(key)}: {_one_line(text)}" for key, text in headers.items()]
    yield "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


def _quoted(text: str) -> str:
    """WHATWG HTML, multipart/form-data encoding: line breaks and quotes are percent-encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _one_line(text: str) -> str:
    if re.search(r"[\r\n\x00]", text):
        raise ValueError("a part's header must be one line")
    return text


async def events(chunks: AsyncIterable[bytes], limit: int) -> AsyncIterator[str]:
    """The `data` of each server-sent event (WHATWG HTML, section 9.2). `limit`: bytes of one event."""
    data: list[str] = []
    size = 0
    async for line in _lines(chunks, limit):
        if not line:
            if data:
                yield "\n".join(data)
                data = []
                size = 0
            continue
        name, _, text = line.decode("utf-8", "replace").partition(":")
        if name == "data":
            size += len(line)
            if size > limit:
                raise ValueError(_TOO_LARGE.format(limit))
            data.append(text.removeprefix(" "))


async def _lines(chunks: AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    """Lines that are complete, without LF, CR or CRLF at their end and the byte order mark of the first."""
    parts: list[bytes] = []
    size = 0
    after_return, mark = False, b"\xef\xbb\xbf"
    async for chunk in chunks:
        if not chunk:
            continue
        *ended, rest = _LINE_END.split(chunk.removeprefix(b"\n") if after_return else chunk)
        after_return = chunk.endswith(b"\r")
        for line in ended:
            if size + len(line) > limit:
                raise ValueError(_TOO_LARGE.format(limit))
            yield b"".join((*parts, line)).removeprefix(mark)
            parts, size, mark = [], 0, b""
        parts.append(rest)
        size += len(rest)
        if size > limit:
            raise ValueError(_TOO_LARGE.format(limit))


def event(data: bytes) -> bytes:
    """One server-sent event."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"
