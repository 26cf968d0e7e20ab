"""The query language of the email activity API: conditions on a message, joined by AND and OR.

`msg_id="..."`, `to_email LIKE "%@example.com"`, `status IN ("delivered","processing")`,
`(unique_args['order_id']="o1") AND last_event_time > TIMESTAMP "2026-01-01T00:00:00Z"`,
`last_event_time BETWEEN TIMESTAMP "..." AND TIMESTAMP "..."`, `Contains(categories,"receipts")`, `NOT (...)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from harness.gateways.sendgrid.state import MailMessage, timestamp

Condition: TypeAlias = Callable[[MailMessage], bool]
MAX_LENGTH = 4000
MAX_DEPTH = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<argument>unique_args\[\s*(?:'[^']*'|"[^"]*")\s*\])"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>\d+)|(?P<sign><=|>=|!=|=|<|>|\(|\)|,))"""
)
_FIELDS: dict[str, Callable[[MailMessage], str]] = {
    "msg_id": lambda message: message.msg_id,
    "from_email": lambda message: message.from_email,
    "to_email": lambda message: message.to_email,
    "subject": lambda message: message.subject,
    "status": lambda message: message.status,
    "template_id": lambda message: message.template_id,
    "api_key_id": lambda message: message.api_key_id,
    "last_event_time": lambda message: timestamp(message.last_event),
    "opens_count": lambda message: str(message.opens),
    "clicks_count": lambda message: str(message.clicks),
}


class QueryError(ValueError):
    """The query cannot be read."""


def parse_query(text: str) -> Condition:
    """The condition that a query states. `QueryError` says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query is longer than {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text))
    found = parser.either(0)
    parser.end()
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"cannot read {text[at : at + 20]!r}")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def either(self, depth: int) -> Condition:
        found = [self._both(depth)]
        while self._taken("OR"):
            found.append(self._both(depth))
        return found[0] if len(found) == 1 else lambda message: any(each(message) for each in found)

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise QueryError(f"unexpected {self._tokens[self._at]!r}")

    def _both(self, depth: int) -> Condition:
        found = [self._one(depth)]
        while self._taken("AND"):
            found.append(self._one(depth))
        return found[0] if len(found) == 1 else lambda message: all(each(message) for each in found)

    def _one(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise QueryError("the query is nested too deeply")
        if self._taken("NOT"):
            inner = self._one(depth + 1)
            return lambda message: not inner(message)
        if self._taken("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        if self._taken("Contains"):
            return self._contains()
        return self._comparison(self._read(self._next()))

    def _contains(self) -> Condition:
        self._expect("(")
        self._expect("categories")
        self._expect(",")
        wanted = self._value()
        self._expect(")")
        return lambda message: wanted in message.categories

    def _comparison(self, read: Callable[[MailMessage], str]) -> Condition:
        sign = self._next().upper()
        if sign == "IN":
            self._expect("(")
            values = {self._value()}
            while self._taken(","):
                values.add(self._value())
            self._expect(")")
            return lambda message: read(message) in values
        if sign == "BETWEEN":
            low = self._value()
            self._expect("AND")
            high = self._value()
            return lambda message: low <= read(message) <= high
        value = self._value() if sign in ("=", "!=", "<", ">", "<=", ">=", "LIKE") else ""
        if sign == "LIKE":
            return lambda message: _like(read(message).lower(), value.lower().split("%"))
        return _compared(sign, read, value)

    def _read(self, token: str) -> Callable[[MailMessage], str]:
        if token.startswith("unique_args["):
            name = token[len("unique_args[") : -1].strip()[1:-1]
            return lambda message: message.arguments.get(name, "")
        found = _FIELDS.get(token.lower())
        if found is None:
            raise QueryError(f"unknown field {token!r}")
        return found

    def _value(self) -> str:
        self._taken("TIMESTAMP")
        token = self._next()
        if token.startswith('"'):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token.isdigit():
            return token
        raise QueryError(f"expected a value, not {token!r}")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise QueryError("the query ends early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _taken(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].upper() == word.upper():
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._taken(word):
            raise QueryError(f"expected {word}")


def _like(text: str, parts: list[str]) -> bool:
    """Whether the parts follow each other in the text, the first at its start and the last at its end."""
    first, *middle, last = parts if len(parts) > 1 else (*parts, "")
    if len(parts) == 1:
        return text == first
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _compared(sign: str, read: Callable[[MailMessage], str], value: str) -> Condition:
    number = value.isdigit()

    def order(message: MailMessage) -> int:
        left = read(message)
        if number and left.isdigit():
            return int(left) - int(value)
        return (left > value) - (left < value)

    signs: dict[str, Condition] = {
        "=": lambda message: read(message) == value,
        "!=": lambda message: read(message) != value,
        "<": lambda message: order(message) < 0,
        ">": lambda message: order(message) > 0,
        "<=": lambda message: order(message) <= 0,
        ">=": lambda message: order(message) >= 0,
    }
    if sign not in signs:
        raise QueryError(f"unknown operator {sign!r}")
    return signs[sign]
