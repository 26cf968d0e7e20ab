"""HTTP requests as RPCs: messages from parameters and bodies, models from messages, problems from statuses.

JSON is the proto3 JSON mapping with field names as the proto file has them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from .error_details import ErrorInfo
from .errors import HTTP_STATUS, Code, ProtocolError, RpcError
from .http_bodies import codec_of
from .http_operation import Operation
from .http_requests import RequestContext
from .models import Codec, ValidationError
from .parameters import plain
from .problem import Fault, HttpProblem
from .retry_after import header_value

T = TypeVar("T")
_TextT = TypeVar("_TextT", str, str | None)
_SAID = {
    Code.UNKNOWN: "",
    Code.INTERNAL: "",
    Code.DATA_LOSS: "",
    Code.UNAVAILABLE: "A service behind this one is not available.",
    Code.DEADLINE_EXCEEDED: "A service behind this one took too long.",
}
"""What is said in place of messages that are about the inside, such as names and addresses of services."""
_ALWAYS_FORWARDED = ("authorization",)


@dataclass(frozen=True, slots=True)
class Transcoding:
    """How one operation maps to its RPC.

    `fields`: (argument, path of the request field, key when the field is a map).
    `body`: the field that takes the whole body; `*` when its properties are the
    fields; None when it is not used. `response`: the field that is the whole answer.
    """

    request: type[Message]
    fields: tuple[tuple[str, str, str | None], ...] = ()
    body: str | None = None
    response: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    """HTTP statuses, by the name of the gRPC code, that differ from those of google/rpc/code.proto."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontOptions:
    """`forwarded`: headers that travel as metadata, in lower case, besides `authorization` and the trace.

    `describe` gives further members of the problem document for an error of a service.
    """

    forwarded: tuple[str, ...] = ()
    describe: Callable[[RpcError], Mapping[str, Any]] | None = None


class RpcFront:
    """Calls RPCs for HTTP requests."""

    def __init__(self, options: FrontOptions | None = None) -> None:
        self._options = options or FrontOptions()
        self._forwarded = (*_ALWAYS_FORWARDED, *self._options.forwarded)

    async def unary(
        self,
        operation: Operation[T],
        how: Transcoding,
        rpc: Callable[..., Awaitable[Message]],
        context: RequestContext,
        arguments: Mapping[str, Any],
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> T:
        """Call a unary RPC; the operation's result. Raises `HttpProblem`."""
        request = build_request(how, arguments, body, context.body)
        try:
            reply = await rpc(request, metadata=self._metadata(context), idempotency_key=_carried(idempotency_key))
        except RpcError as error:
            raise self._problem(how, error) from error
        return _result(operation, how, reply)

    async def stream(
        self,
        operation: Operation[T],
        how: Transcoding,
        rpc: Callable[..., AsyncIterable[Message]],
        context: RequestContext,
        arguments: Mapping[str, Any],
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> AsyncIterator[T]:
        """Call an RPC that answers with a stream; the data of each event."""
        request = build_request(how, arguments, body, context.body)
        replies = rpc(request, metadata=self._metadata(context), idempotency_key=_carried(idempotency_key))
        try:
            async for reply in replies:
                yield _result(operation, how, reply)
        except RpcError as error:
            raise self._problem(how, error) from error
        finally:
            close = getattr(replies, "aclose", None)
            if close is not None:
                await close()

    def _metadata(self, context: RequestContext) -> tuple[tuple[str, str], ...]:
        headers = context.headers
        return tuple((name, _carried(headers[name])) for name in self._forwarded if name in headers)

    def _problem(self, how: Transcoding, error: RpcError) -> HttpProblem:
        members: dict[str, Any] = {}
        info = error.detail(ErrorInfo)
        if info is not None:
            members["code"] = info.reason
            if info.metadata:
                members["metadata"] = dict(info.metadata)
        if self._options.describe is not None:
            members.update(self._options.describe(error))
        status = how.statuses.get(error.code.name, HTTP_STATUS[error.code])
        headers = {}
        if error.retry_after is not None and error.retry_after >= 0:
            headers["retry-after"] = header_value(error.retry_after)
        if status == 401:
            headers["www-authenticate"] = 'Bearer realm="api"'
        faults = tuple(Fault(violation.description, field=violation.field) for violation in error.field_violations)
        return HttpProblem(
            status, _SAID.get(error.code, error.message), errors=faults, extensions=members, headers=headers
        )


def _carried(text: _TextT) -> _TextT:
    """What metadata can carry: ASCII (gRPC over HTTP/2, ASCII-Value)."""
    if text and not (text.isascii() and text.isprintable()):
        raise HttpProblem(400, "A header has characters that cannot be passed on.")
    return text


def build_request(how: Transcoding, arguments: Mapping[str, Any], body: Any, raw: bytes) -> Message:
    """The request message. `body` is the model, `raw` the bytes it was read from."""
    members: dict[str, Any] = {}
    if how.body == "*" and body is not None:
        members.update(_json_of(body))
    message = how.request()
    descriptor = message.DESCRIPTOR
    if how.body not in (None, "*"):
        target = descriptor.fields_by_name[how.body]
        if target.type == target.TYPE_BYTES:
            setattr(message, target.name, raw)
        elif body is not None:
            members[target.name] = _json_of(body)
    for argument, path, key in how.fields:
        value = arguments.get(argument)
        if value is not None:
            _put(members, path, key, plain(value))
    for path, value in how.constants.items():
        _put(members, path, None, value)
    masks = _take_masks(members, descriptor)
    try:
        json_format.ParseDict(members, message, ignore_unknown_fields=True)
    except json_format.ParseError as problem:
        raise HttpProblem(400, f"The request does not fit: {problem}") from None
    for name, paths in masks.items():
        getattr(message, name).paths.extend(paths)
    return message


def _json_of(body: Any) -> Any:
    to_dict = getattr(body, "to_dict", None)
    return to_dict() if to_dict is not None else plain(body)


def _put(members: dict[str, Any], path: str, key: str | None, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        members = members.setdefault(parent, {})
    if key is None:
        members[last] = value
    else:
        members.setdefault(last, {})[key] = value if isinstance(value, str) else json.dumps(value)


def _take_masks(members: dict[str, Any], descriptor: Any) -> dict[str, list[str]]:
    """Field masks have field names as written here, where proto3 JSON would have lowerCamelCase."""
    found = {}
    for name in list(members):
        known = descriptor.fields_by_name.get(name)
        kind = known.message_type if known is not None else None
        if kind is None or kind.full_name != FieldMask.DESCRIPTOR.full_name:
            continue
        value = members.pop(name)
        found[name] = [part for part in value.split(",") if part] if isinstance(value, str) else list(value or ())
    return found


def _result(operation: Operation[T], how: Transcoding, reply: Message) -> T:
    for answer in operation.answers:
        if answer.status[0] != "2":
            continue
        if not answer.content:
            return cast("T", None)
        content = answer.content[0]
        try:
            codec: Codec[T] = codec_of(operation, ("front", content.media_type), content.type or Any)
            return _typed(codec, how, reply)
        except ValidationError as problem:
            first = problem.errors(include_input=False, include_url=False)[0]
            place = "/".join(str(part) for part in first["loc"])
            raise ProtocolError(
                f"{operation.name}: the service's answer breaks the contract at /{place}: {first['msg']}"
            ) from problem
    raise ProtocolError(f"{operation.name} has no success in the contract")


def _typed(codec: Codec[T], how: Transcoding, reply: Message) -> T:
    value = to_json_value(reply, how.response)
    try:
        return codec.from_value(value)
    except ValidationError:
        known = reply.DESCRIPTOR
        newer = (
            _of_message(value, known) if how.response is None else _of_field(value, known.fields_by_name[how.response])
        )
        if newer == value:
            raise
        return codec.from_value(newer)


def to_json_value(message: Message, part: str | None = None) -> Any:
    """A message, or one field of it, as a JSON value; fields without presence are always there."""
    if part is not None:
        found = getattr(message, part)
        if isinstance(found, Message):
            return to_json_value(found)
    value = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return value if part is None else value[part]


def _of_message(value: Any, descriptor: Any) -> Any:
    """Numbers of enumeration values that are newer than this program as text, which open enumerations keep."""
    if not isinstance(value, dict) or descriptor.full_name.startswith("google.protobuf."):
        return value
    known = descriptor.fields_by_name
    return {name: _of_field(member, known[name]) if name in known else member for name, member in value.items()}


def _of_field(value: Any, field: Any) -> Any:
    if isinstance(value, list):
        return [_of_field(item, field) for item in value]
    if field.message_type is None:
        return str(value) if field.enum_type is not None and isinstance(value, int) else value
    if field.message_type.GetOptions().map_entry and isinstance(value, dict):
        inner = field.message_type.fields_by_name["value"]
        return {key: _of_field(member, inner) for key, member in value.items()}
    return _of_message(value, field.message_type)
