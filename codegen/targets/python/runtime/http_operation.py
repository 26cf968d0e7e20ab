"""What a contract says of one HTTP operation, as data that client and server share.

A type is any annotation that pydantic understands.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Shape: TypeAlias = "str | tuple[Shape, ...] | list[Shape] | dict[str, Shape]"
"""How text becomes a JSON value: `string`, `integer`, `number`, `boolean`, `json`; a list of one shape for arrays;
a mapping for objects (`*`: further members); a tuple for alternatives, tried in order."""


class LazyModule:
    """A module that is imported when its first attribute is used."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> Any:
        if self._module is None:
            self._module = importlib.import_module(self._name)
        value = getattr(self._module, attribute)
        setattr(self, attribute, value)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """A parameter: its name on the wire and in Python, and its serialisation (OpenAPI 3.1 section 4.8.12)."""

    name: str
    place: str
    argument: str
    type: Any = str
    shape: Shape = "string"
    required: bool = False
    style: str = "form"
    explode: bool = False
    allow_reserved: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Part:
    """How one property of a form or multipart body is written; what the contract leaves open has its default."""

    name: str
    content_type: str | None = None
    style: str | None = None
    explode: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """One representation of a body. `type` None: the contract describes no structure."""

    media_type: str
    type: Any = None
    shape: Shape = "json"
    parts: tuple[Part, ...] = ()

    @property
    def kind(self) -> str:
        """`json`, `form`, `multipart`, `events` (server-sent events), `text` or `bytes`."""
        return kind_of(self.media_type)


def kind_of(media_type: str) -> str:
    """Which codec a media type needs."""
    bare = media_type.partition(";")[0].strip().lower()
    if bare == "application/json" or bare.endswith("+json") or bare in ("*/*", "text/json"):
        return "json"
    if bare == "application/x-www-form-urlencoded":
        return "form"
    if bare.startswith("multipart/"):
        return "multipart"
    if bare == "text/event-stream":
        return "events"
    return "text" if bare.startswith("text/") else "bytes"


@dataclass(frozen=True, slots=True)
class Answer:
    """A declared response. `status` is `200`, `4XX` or `default`; `headers` are (name, type)."""

    status: str
    content: tuple[Content, ...] = ()
    headers: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """A security scheme in a requirement, with scopes."""

    scheme: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """A security scheme: `kind` apiKey, http, oauth2, openIdConnect or mutualTLS."""

    name: str
    kind: str
    scheme: str = ""
    place: str = ""
    parameter: str = ""


@dataclass(frozen=True, eq=False)
class Operation(Generic[T]):
    """One operation; `T` is what a successful call returns.

    `repeatable`: safe or idempotent by its method. `idempotency_header`: with this header it is repeatable, too.
    `security`: alternatives, each with all schemes it needs; empty means open to everyone.
    """

    name: str
    method: str
    path: str
    params: tuple[Param, ...] = ()
    body: tuple[Content, ...] = ()
    body_required: bool = False
    answers: tuple[Answer, ...] = ()
    security: tuple[tuple[Use, ...], ...] = ()
    repeatable: bool = False
    idempotency_header: str | None = None
    servers: tuple[str, ...] = ()
    cache: dict[object, Any] = field(default_factory=dict, repr=False)
    """What the runtime derives once per operation."""

    def answer_to(self, status: int) -> Answer | None:
        """The declared response for a status: exact, then range, then `default` (OpenAPI 3.1 section 4.8.16)."""
        table: Mapping[str, Answer] = self.cache.get("answers") or self._index()
        exact = table.get(str(status)) or table.get(f"{status // 100}XX")
        if exact is not None:
            return exact
        return table.get("default")

    @property
    def declares_success(self) -> bool:
        """Whether a success status or range is named; otherwise `default` stands for success, too."""
        return any(answer.status[0] in "23" for answer in self.answers)

    def _index(self) -> dict[str, Answer]:
        table = {answer.status: answer for answer in self.answers}
        self.cache["answers"] = table
        return table
