"""CloudEvents 1.0 in structured JSON mode, laid out as Dapr stores them: one JSON object, `data` or `data_base64`
beside the attributes, trace context in `traceparent`, time in UTC with fractions of a second.

Generated publishers fill the typed envelopes of a contract themselves and use
only the small functions at the end; `CloudEvent` is for code that handles
events of any type (relays, outboxes, audit).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from .context import TraceContext, current_trace
from .errors import ProtocolError
from .transport import utc_now

CONTENT_TYPE = "application/cloudevents+json"
AttributeValue: TypeAlias = bool | int | str | bytes | datetime
_NAME = re.compile(r"[a-z0-9]+")
_MEDIA_TYPE = re.compile(r"[!#$&^_.+\-A-Za-z0-9]+/[!#$&^_.+\-A-Za-z0-9]+(\s*;.*)?")
_URI_REFERENCE = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_CORE = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}
)
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """An event and its context attributes (CloudEvents 1.0.2 section 3). `ValueError` when one breaks the rules.

    `data` is a JSON value, or bytes (then written as `data_base64`). `extensions` are all other attributes.
    """

    id: str
    source: str
    type: str
    time: datetime | None = field(default_factory=utc_now)
    subject: str | None = None
    datacontenttype: str | None = "application/json"
    dataschema: str | None = None
    data: Any = None
    extensions: Mapping[str, AttributeValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def trace(self) -> TraceContext | None:
        """The trace that the event was published in."""
        parent, state = self.extensions.get("traceparent"), self.extensions.get("tracestate", "")
        return TraceContext.parse(str(parent), str(state)) if parent else None

    def to_json(self) -> bytes:
        """The event as a JSON object: keys sorted, no spaces, absent attributes left out."""
        found: dict[str, Any] = {"specversion": "1.0", "id": self.id, "source": self.source, "type": self.type}
        optional = {
            "subject": self.subject,
            "datacontenttype": self.datacontenttype,
            "dataschema": self.dataschema,
            "time": self.time and timestamp(self.time),
        }
        found.update({name: value for name, value in optional.items() if value is not None})
        found.update({name: _written(value) for name, value in self.extensions.items()})
        if isinstance(self.data, bytes):
            found["data_base64"] = base64.b64encode(self.data).decode("ascii")
        elif self.data is not None:
            found["data"] = self.data
        return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes | str) -> CloudEvent:
        """Read an event in structured mode. `ProtocolError` when it is none."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"no JSON: {error}") from error
        if not isinstance(found, dict):
            raise ProtocolError("a CloudEvent is a JSON object")
        if found.get("specversion") != "1.0":
            raise ProtocolError(f"specversion is {found.get('specversion')!r}, not '1.0'")
        absent = [name for name in ("id", "source", "type") if not isinstance(found.get(name), str)]
        if absent:
            raise ProtocolError(f"the event has no {' and no '.join(absent)}")
        try:
            return cls(
                id=found["id"],
                source=found["source"],
                type=found["type"],
                time=_time(found.get("time")),
                subject=found.get("subject"),
                datacontenttype=found.get("datacontenttype"),
                dataschema=found.get("dataschema"),
                data=_data(found),
                extensions={k: v for k, v in found.items() if k not in _CORE and v is not None},
            )
        except (ValueError, TypeError) as error:
            raise ProtocolError(f"not a CloudEvent: {error}") from error


def _problems(event: CloudEvent) -> list[str]:
    found = [f"{name} must not be empty" for name in ("id", "source", "type") if not getattr(event, name)]
    found += [
        f"{name} must be a text that is not empty"
        for name in ("subject", "datacontenttype", "dataschema")
        if (value := getattr(event, name)) is not None and not (isinstance(value, str) and value)
    ]
    if not found and not _URI_REFERENCE.fullmatch(event.source):
        found.append(f"source {event.source!r} is no URI reference")
    if not found and event.dataschema is not None and not urlsplit(event.dataschema).scheme:
        found.append(f"dataschema {event.dataschema!r} is no absolute URI")
    if not found and event.datacontenttype is not None and not _MEDIA_TYPE.fullmatch(event.datacontenttype):
        found.append(f"datacontenttype {event.datacontenttype!r} is no media type")
    if event.time is not None and event.time.tzinfo is None:
        found.append("time has no zone")
    for name, value in event.extensions.items():
        found += _extension_problems(name, value)
    return found


def _extension_problems(name: str, value: object) -> list[str]:
    if not _NAME.fullmatch(name):
        return [f"attribute name {name!r} is not of lower-case letters and digits"]
    if name in _CORE:
        return [f"{name!r} is no extension"]
    if not isinstance(value, (bool, int, str, bytes, datetime)):
        return [f"attribute {name!r} has no CloudEvents type: {type(value).__name__}"]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return [f"attribute {name!r} is no 32-bit integer"]
    return []


def _written(value: AttributeValue) -> bool | int | str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return timestamp(value) if isinstance(value, datetime) else value


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError(f"time {value!r} is no RFC 3339 timestamp")
    return datetime.fromisoformat(value)


def _data(found: Mapping[str, Any]) -> Any:
    encoded = found.get("data_base64")
    if encoded is None:
        return found.get("data")
    if "data" in found:
        raise ValueError("data and data_base64 exclude each other")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"data_base64: {error}") from error


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-02-01T10:15:31.204000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_event_id() -> str:
    """An id that no other event has: a random UUID."""
    return str(uuid.uuid4())


def current_traceparent() -> str:
    """The `traceparent` of the current trace, of a new one when there is none."""
    return (current_trace() or TraceContext.new()).traceparent


def current_tracestate() -> str | None:
    """The `tracestate` of the current trace, if it has one."""
    trace = current_trace()
    return trace.state or None if trace is not None else None
