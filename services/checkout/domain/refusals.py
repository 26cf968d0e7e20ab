"""Why the rules refuse something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is what callers branch on; `text` is for people; `facts` are further values, as text."""

    code: str
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The state of a cart or checkout does not allow what was asked."""

    def __init__(self, code: str, text: str, **facts: str) -> None:
        super().__init__(code, text)
        self.refusal = Refusal(code, text, facts)


class Invalid(Exception):
    """A value that is wrong whatever the state. `field` is its path in the request, `rule` what it must be."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule
