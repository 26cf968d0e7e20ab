"""JSON (RFC 8259): text -> plain values, stricter than Python's parser where contracts would be ambiguous."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from math import isinf
from typing import Any

from codegen.load import positions
from codegen.load.yaml_text import MAX_DEPTH, MAX_DIGITS, TOO_DEEP, TOO_DEEP_HINT, TextError

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NotJson(TextError):
    """The text does not follow JSON's grammar; it may still be YAML."""


@dataclass
class _BadWord(Exception):
    word: str
    rule: str
    message: str


def parse_json(text: str) -> Any:
    """The value in `text`. Raises `NotJson` for the grammar, and `TextError` for what no contract may hold."""
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            times = Counter(key for key, _ in pairs)
            repeated.extend(key for key, count in times.items() if count > 1)
        return found

    try:
        parsed = json.loads(
            text, object_pairs_hook=unique, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number
        )
    except json.JSONDecodeError as problem:
        hint = "JSON has no comments and no comma before a closing bracket; a file that is YAML is named .yaml"
        raise NotJson("document/syntax", f"JSON: {problem.msg}", problem.lineno, problem.colno, hint) from problem
    except _BadWord as problem:
        place = positions.bare_word(text, problem.word)
        raise TextError(problem.rule, problem.message, *place, "put it in quotes when it is meant as text") from problem
    except RecursionError as problem:
        place = positions.too_deep(text, MAX_DEPTH)
        raise TextError("document/too-deep", TOO_DEEP, *place, TOO_DEEP_HINT) from problem
    if _SURROGATE.search(text) and (half := positions.lone_surrogate(text)):
        hint = "write the character itself, or both halves of the escape"
        raise TextError("document/encoding", "half of a surrogate pair is no character", *half, hint)
    if repeated:
        place = positions.repeated_key(text, repeated[0])
        message = f"the key `{repeated[0]}` stands twice in one object"
        raise TextError("document/duplicate-key", message, *place, "remove one of the two")
    return parsed


def _refuse_constant(name: str) -> None:
    raise _BadWord(name, "document/syntax", f"`{name}` is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _BadWord(digits, "document/number", f"a number of more than {MAX_DIGITS} digits")
    return int(digits)


def _number(text: str) -> float:
    if len(text) > MAX_DIGITS:
        raise _BadWord(text, "document/number", f"a number of more than {MAX_DIGITS} digits")
    found = float(text)
    if isinf(found):
        raise _BadWord(text, "document/number", f"`{text}` is beyond what a number can hold")
    return found
