"""What a test has scripted: the next outcomes per operation, per idempotency key or per path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

MAX_SCRIPTS = 1000
MAX_OUTCOMES = 1000
MAX_DELAY = 120.0


class ControlError(ValueError):
    """A control call that is wrong; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens to one request. `delay` (seconds) goes with any of the others; without one the request succeeds.

    `work`: seconds that the vendor works on it; the same idempotency key is in conflict meanwhile.

    Before the effect: `status` (with the vendor's body, `code`, `message`, `retry_after` in seconds, `headers`),
    `html` (a status, with the page of a proxy), `reset` (the connection is reset), `decline` (the effect is refused
    for this reason). After the effect: `lost` (the connection is reset instead of an answer), `hang` (no answer for so
    many seconds, then the connection is closed), `truncate` (the body ends after so many bytes), `answer_status` and
    `answer_html` (another status hides the answer), `answer_delay` (seconds), `webhooks_first` (webhooks arrive before
    the answer does).
    """

    delay: float = 0.0
    work: float = 0.0
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    html: int = 0
    reset: bool = False
    decline: str = ""
    lost: bool = False
    hang: float = 0.0
    truncate: int | None = None
    answer_status: int = 0
    answer_html: int = 0
    answer_delay: float = 0.0
    webhooks_first: bool = False


PLAIN = Outcome()
_KINDS = {"float": (int, float), "int": (int,), "str": (str,), "bool": (bool,), "int | None": (int,)}
_KINDS["float | None"] = (int, float)


@dataclass(slots=True)
class Script:
    """Outcomes for the next requests that match; an empty `operation`, `key` or `path` matches all."""

    outcomes: list[Outcome]
    operation: str = ""
    key: str = ""
    path: str = ""

    def matches(self, operation: str, key: str, path: str) -> bool:
        """Whether it is about a request; `path` matches as a part."""
        return (
            (not self.operation or self.operation == operation)
            and (not self.key or self.key == key)
            and (not self.path or self.path in path)
        )


class Scripts:
    """All scripts of a mock; the oldest that matches gives the outcome."""

    def __init__(self) -> None:
        self._scripts: list[Script] = []

    def add(self, document: Mapping[str, Any], operations: Sequence[str]) -> Script:
        """Read a script from JSON. `ControlError` 400 says what is wrong."""
        unknown = document.keys() - {"operation", "key", "path", "outcomes", "times"}
        if unknown:
            raise ControlError(400, f"unknown members: {', '.join(sorted(unknown))}")
        operation = _text(document, "operation")
        if operation and operation not in operations:
            raise ControlError(400, f"no operation {operation!r}; there are {', '.join(sorted(operations))}")
        listed = document.get("outcomes")
        times = document.get("times", 1)
        if not isinstance(listed, list) or not listed:
            raise ControlError(400, "`outcomes` must be a list of at least one outcome")
        if type(times) is not int or not times >= 1 or len(listed) * times > MAX_OUTCOMES:
            raise ControlError(400, f"`times` must be a whole number, and there may be {MAX_OUTCOMES} outcomes")
        if len(self._scripts) >= MAX_SCRIPTS:
            raise ControlError(409, f"there are {MAX_SCRIPTS} scripts already")
        outcomes = [outcome_from(each) for each in listed] * times
        script = Script(outcomes, operation, _text(document, "key"), _text(document, "path"))
        self._scripts.append(script)
        return script

    def take(self, operation: str, key: str, path: str) -> Outcome:
        """The outcome of a request, which is used up."""
        for script in self._scripts:
            if script.matches(operation, key, path):
                outcome = script.outcomes.pop(0)
                if not script.outcomes:
                    self._scripts.remove(script)
                return outcome
        return PLAIN

    def pending(self) -> list[dict[str, Any]]:
        """What is still to come."""
        return [
            {"operation": s.operation, "key": s.key, "path": s.path, "left": len(s.outcomes)} for s in self._scripts
        ]

    def clear(self) -> None:
        """Forget all scripts."""
        self._scripts.clear()

    def __bool__(self) -> bool:
        return bool(self._scripts)


def outcome_from(document: Any) -> Outcome:
    """An outcome from JSON. `ControlError` 400 says what is wrong."""
    if not isinstance(document, dict):
        raise ControlError(400, 'an outcome is an object, such as {"status": 500}')
    known = {each.name: str(each.type) for each in fields(Outcome)}
    for name, value in document.items():
        if name not in known:
            raise ControlError(400, f"unknown outcome {name!r}; there are {', '.join(known)}")
        if name == "headers":
            if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
                raise ControlError(400, "`headers` must be an object of texts")
        elif not isinstance(value, _KINDS[known[name]]) or (isinstance(value, bool) and known[name] != "bool"):
            raise ControlError(400, f"{name!r} must be {known[name].partition(' ')[0]}")
        if name in ("status", "html", "answer_status", "answer_html") and not 400 <= value <= 599:
            raise ControlError(400, f"{name!r} must be a status between 400 and 599")
        if name in ("delay", "work", "hang", "answer_delay") and not 0 <= value <= MAX_DELAY:
            raise ControlError(400, f"{name!r} must be between 0 and {MAX_DELAY:g} seconds")
        if name == "truncate" and value < 0:
            raise ControlError(400, "'truncate' must not be negative")
    return Outcome(**document)


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise ControlError(400, f"`{name}` must be a text")
    return value


def scripted_decline(context: RequestContext) -> str | None:
    """The reason for which the effect of this request is to be refused, or None."""
    outcome: Outcome = context.scope.get("treaty.outcome", PLAIN)
    return outcome.decline or None


async def scripted_work(context: RequestContext) -> None:
    """Take the time that the vendor is to work on this request."""
    outcome: Outcome = context.scope.get("treaty.outcome", PLAIN)
    if outcome.work:
        await context.scope["treaty.pause"](outcome.work)
