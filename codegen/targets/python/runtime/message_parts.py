"""Parts of messages that contracts name: expressions into body and headers, addresses, headers as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .models import Model
from .transport import PublishedMessage, ReceivedMessage

MESSAGE_NAME = "x-message-name"
"""Header that says which message of a channel this is, for formats that do not say it themselves."""
_OURS = frozenset(
    {
        MESSAGE_NAME,
        "traceparent",
        "tracestate",
        "x-dlq-reason",
        "x-attempts",
        "x-first-seen",
        "x-origin-topic",
        "x-origin-id",
        "x-origin-group",
    }
)
_EXPRESSION = re.compile(r"\$message\.(header|payload)(?:#(/.*)?)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
HeadersT = TypeVar("HeadersT", bound=Model)


@dataclass(frozen=True, slots=True)
class MessageExpression:
    """A place in a message (AsyncAPI runtime expression): `$message.payload#/order/id`, `$message.header#/trace`."""

    part: str
    path: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> MessageExpression:
        """`ValueError` when it is no expression."""
        match = _EXPRESSION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no message expression")
        tokens = (match[2] or "").split("/")[1:]
        return cls(match[1], tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens))

    @property
    def header(self) -> str | None:
        """The header it names; None when it points into the payload."""
        return "/".join(self.path) if self.part == "header" and self.path else None

    def of(self, message: PublishedMessage | ReceivedMessage) -> str | None:
        """The value there as text; None when there is none, or no single value."""
        if self.part == "header":
            return message.headers.get(self.header or "")
        try:
            value = json.loads(message.body)
        except (ValueError, RecursionError):
            return None
        for token in self.path:
            value = _member(value, token)
        return _text(value) if isinstance(value, (str, bool, int, float)) else None


def _member(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fill_address(template: str, values: Mapping[str, str]) -> str:
    """The address with its parameters put in. `ValueError` for an empty one."""
    empty = [name for name, value in values.items() if not value]
    if empty:
        raise ValueError(f"the address {template!r} needs a value for {', '.join(empty)}")
    return _PLACEHOLDER.sub(lambda found: values[found[1]] if found[1] in values else found[0], template)


def headers_to_text(headers: Model) -> dict[str, str]:
    """Typed headers as the texts that travel; lists and objects as JSON."""
    return {name: _text(value) for name, value in headers.to_dict().items() if value is not None}


def headers_from_text(model: type[HeadersT], headers: Mapping[str, str]) -> HeadersT:
    """Typed headers from the texts that arrived; `ValidationError` when they break the contract."""
    declared = {field.alias or name for name, field in model.model_fields.items()}
    found = {name: value for name, value in headers.items() if name in declared or name not in _OURS}
    return model.model_validate_strings(found, by_alias=True, by_name=False)


def raw_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers of a message whose contract does not describe them."""
    return headers


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
