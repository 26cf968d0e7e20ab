"""Error details on the wire: `google.rpc.Status` in the trailer `grpc-status-details-bin` (https://google.aip.dev/193).

The messages live in a descriptor pool of their own, so that contracts may bring their own copy of google/rpc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, duration_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from . import error_details as details
from .error_details import Detail, UnknownDetail

TRAILER = "grpc-status-details-bin"

_TYPE_URL = "type.googleapis.com/google.rpc."
_Field = descriptor_pb2.FieldDescriptorProto
_STRING, _INT32, _MESSAGE = _Field.TYPE_STRING, _Field.TYPE_INT32, _Field.TYPE_MESSAGE

_MESSAGES: Mapping[str, tuple[tuple[str, int, descriptor_pb2.FieldDescriptorProto.Type.ValueType, str], ...]] = {
    "Status": (("code", 1, _INT32, ""), ("message", 2, _STRING, ""), ("details", 3, _MESSAGE, "*google.protobuf.Any")),
    "ErrorInfo": (("reason", 1, _STRING, ""), ("domain", 2, _STRING, ""), ("metadata", 3, _MESSAGE, "*Pair")),
    "Pair": (("key", 1, _STRING, ""), ("value", 2, _STRING, "")),
    "RetryInfo": (("retry_delay", 1, _MESSAGE, "google.protobuf.Duration"),),
    "BadRequest": (("field_violations", 1, _MESSAGE, "*FieldViolation"),),
    "FieldViolation": (("field", 1, _STRING, ""), ("description", 2, _STRING, ""), ("reason", 3, _STRING, "")),
    "ResourceInfo": (
        ("resource_type", 1, _STRING, ""),
        ("resource_name", 2, _STRING, ""),
        ("owner", 3, _STRING, ""),
        ("description", 4, _STRING, ""),
    ),
    "PreconditionFailure": (("violations", 1, _MESSAGE, "*PreconditionViolation"),),
    "PreconditionViolation": (("type", 1, _STRING, ""), ("subject", 2, _STRING, ""), ("description", 3, _STRING, "")),
    "QuotaFailure": (("violations", 1, _MESSAGE, "*QuotaViolation"),),
    "QuotaViolation": (("subject", 1, _STRING, ""), ("description", 2, _STRING, "")),
    "RequestInfo": (("request_id", 1, _STRING, ""), ("serving_data", 2, _STRING, "")),
    "Help": (("links", 1, _MESSAGE, "*HelpLink"),),
    "HelpLink": (("description", 1, _STRING, ""), ("url", 2, _STRING, "")),
    "LocalizedMessage": (("locale", 1, _STRING, ""), ("message", 2, _STRING, "")),
}
"""Fields of google/rpc/status.proto and error_details.proto: name, number, type, message type (`*` = repeated).
Nested messages stand at the top level, maps are repeated pairs: the same bytes on the wire."""


def encode(code: int, message: str, found: Iterable[Detail]) -> bytes:
    """A serialised `google.rpc.Status`."""
    status = _new("Status")
    status.code, status.message = code, message
    for detail in found:
        url, value = _packed(detail)
        status.details.add(type_url=url, value=value)
    serialised: bytes = status.SerializeToString()
    return serialised


def decode(serialised: bytes) -> tuple[Detail, ...]:
    """The details of a serialised `google.rpc.Status`; none when it cannot be read."""
    status = _new("Status")
    try:
        status.ParseFromString(serialised)
    except DecodeError:
        return ()
    return tuple(_unpacked(packed.type_url, packed.value) for packed in status.details)


def _packed(detail: Detail) -> tuple[str, bytes]:
    if isinstance(detail, UnknownDetail):
        return detail.type_url, detail.value
    name = type(detail).__name__
    message = _new(name)
    _WRITERS.get(name, _copy_fields)(detail, message)
    return _TYPE_URL + name, message.SerializeToString()


def _unpacked(type_url: str, value: bytes) -> Detail:
    read = _READERS.get(type_url.removeprefix(_TYPE_URL)) if type_url.startswith(_TYPE_URL) else None
    if read is None:
        return UnknownDetail(type_url=type_url, value=value)
    message = _new(type_url.removeprefix(_TYPE_URL))
    try:
        message.ParseFromString(value)
    except DecodeError:
        return UnknownDetail(type_url=type_url, value=value)
    return read(message)


def _copy_fields(detail: Any, message: Any) -> None:
    for name in detail.__slots__:
        value = getattr(detail, name)
        if isinstance(value, tuple):
            for item in value:
                _copy_fields(item, getattr(message, name).add())
        else:
            setattr(message, name, value)


def _write_error_info(detail: details.ErrorInfo, message: Any) -> None:
    message.reason, message.domain = detail.reason, detail.domain
    for key, value in detail.metadata.items():
        message.metadata.add(key=key, value=value)


def _write_retry_info(detail: details.RetryInfo, message: Any) -> None:
    message.retry_delay.FromNanoseconds(round(detail.retry_delay * 1e9))


_WRITERS: Mapping[str, Callable[[Any, Any], None]] = {"ErrorInfo": _write_error_info, "RetryInfo": _write_retry_info}


def _reader(
    kind: Callable[..., Detail], repeated: str = "", item: Callable[..., object] | None = None
) -> Callable[[Any], Detail]:
    def read(message: Any) -> Detail:
        if item is not None:
            return kind(**{repeated: tuple(item(**_values(found)) for found in getattr(message, repeated))})
        return kind(**_values(message))

    return read


def _values(message: Message) -> dict[str, Any]:
    return {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}


def _read_error_info(message: Any) -> Detail:
    return details.ErrorInfo(
        reason=message.reason, domain=message.domain, metadata={pair.key: pair.value for pair in message.metadata}
    )


def _read_retry_info(message: Any) -> Detail:
    return details.RetryInfo(retry_delay=message.retry_delay.ToNanoseconds() / 1e9)


_READERS: Mapping[str, Callable[[Any], Detail]] = {
    "ErrorInfo": _read_error_info,
    "RetryInfo": _read_retry_info,
    "BadRequest": _reader(details.BadRequest, "field_violations", details.FieldViolation),
    "ResourceInfo": _reader(details.ResourceInfo),
    "PreconditionFailure": _reader(details.PreconditionFailure, "violations", details.PreconditionViolation),
    "QuotaFailure": _reader(details.QuotaFailure, "violations", details.QuotaViolation),
    "RequestInfo": _reader(details.RequestInfo),
    "Help": _reader(details.Help, "links", details.HelpLink),
    "LocalizedMessage": _reader(details.LocalizedMessage),
}


def _new(name: str) -> Any:
    return _classes()[name]()


@cache
def _classes() -> dict[str, type[Message]]:
    pool = DescriptorPool()
    for bundled in (any_pb2, duration_pb2):
        pool.AddSerializedFile(bundled.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="treaty/rich_status.proto",
        package="google.rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto", "google/protobuf/duration.proto"],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind, target in fields:
            label = _Field.LABEL_REPEATED if target.startswith("*") else _Field.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, type=kind, label=label)
            if target:
                plain = target.removeprefix("*")
                field.type_name = f".{plain}" if "." in plain else f".google.rpc.{plain}"
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"google.rpc.{name}")) for name in _MESSAGES}
