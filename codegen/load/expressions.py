"""Runtime expressions of Arazzo (1.1 section 5.9; 1.0 section 4.7): syntax only, nothing is evaluated.

`body` and `payload` may be followed by `.name` and `[0]`: the operators of
simple conditions, which the specification's own examples use in outputs too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_POINTER = r"(?:#(?:/(?:[^/{}~]|~[01])*)*)?"
_DEREFERENCE = r"(?:\.[A-Za-z_][\w\-]*|\[\d+\])*"
_TCHARS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_ID = r"[A-Za-z0-9_\-]+"
_NAME = r"[A-Za-z0-9._\-]+"
_SOURCE = rf"(?:header\.{_TCHARS}|query\.[^{{}}]+|path\.[^{{}}]+|(?:body|payload){_POINTER}{_DEREFERENCE})"
_GRAMMAR = re.compile(
    "|".join(
        (
            r"\$(?:url|method|statusCode|self)",
            rf"\$(?:request|response|message)\.{_SOURCE}",
            rf"\$(?:inputs|outputs)\.{_NAME}{_POINTER}{_DEREFERENCE}",
            rf"\$steps\.(?P<step>{_ID})\.outputs\.{_NAME}{_POINTER}{_DEREFERENCE}",
            rf"\$workflows\.(?P<workflow>{_ID})\.(?:inputs|outputs|steps)\.{_NAME}{_POINTER}{_DEREFERENCE}",
            rf"\$sourceDescriptions\.(?P<source>{_ID})\.[^{{}}]+",
            rf"\$components\.(?P<section>parameters|successActions|failureActions|inputs)\.(?P<component>{_NAME})",
        )
    )
)
_LOOSE = re.compile(r"\$(?:inputs|outputs|steps|workflows|sourceDescriptions|components)\.[^{}]+|\$(?:inputs|outputs)")
_EMBEDDED = re.compile(r"\{(\$[^{}]*)\}")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_IN_CONDITION = re.compile(r"\$[A-Za-z][^\s()=!<>&|,]*")
_ROOTS = (
    "url",
    "method",
    "statusCode",
    "self",
    "request",
    "response",
    "message",
    "inputs",
    "outputs",
    "steps",
    "workflows",
    "sourceDescriptions",
    "components",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression; the names it refers to, where it does."""

    text: str
    step: str | None = None
    workflow: str | None = None
    source: str | None = None
    component: tuple[str, str] | None = None
    strict: bool = True
    """False when only the loose grammar of Arazzo 1.0 (`name = *CHAR`) admits it."""


def parse_expression(text: str) -> Expression | None:
    """The expression, None when it is none by any version's grammar."""
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        return Expression(text=text, strict=False) if _LOOSE.fullmatch(text) else None
    section = match["section"]
    return Expression(
        text=text,
        step=match["step"],
        workflow=match["workflow"],
        source=match["source"],
        component=(section, match["component"]) if section else None,
    )


def embedded_in(text: str) -> Iterator[str]:
    """The expressions between `{` and `}`."""
    yield from _EMBEDDED.findall(text)


def in_condition(condition: str) -> Iterator[str]:
    """The expressions of a simple condition, strings in quotes left out."""
    yield from _IN_CONDITION.findall(_QUOTED.sub("''", condition))


def looks_like_expression(text: str) -> bool:
    """Whether the text begins as an expression does: `$` and a known root, or one that differs only in case."""
    root = re.match(r"\$([A-Za-z]+)", text)
    return root is not None and root[1].lower() in {known.lower() for known in _ROOTS}
