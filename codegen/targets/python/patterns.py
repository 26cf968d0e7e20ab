"""ECMA-262 regular expressions (JSON Schema 2020-12 core, 6.4) in the dialects that generated Python can run.

pydantic's default engine is linear in time but knows no look-around and no
back-references; patterns with those run on the standard library's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_"}
_SPACE = r"\t\n\x0b\x0c\r\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NOT_SPACE = r"[^\t\n\x0b\x0c\r\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_QUANTIFIER = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_TOKEN = re.compile(
    r"""\\u\{[0-9A-Fa-f]+\}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[pP]\{[^}]*\}|\\k<[^>]*>|\\c[A-Za-z]
        |\\[1-9]\d*|\\.|\(\?(?:<?[=!]|:|<[A-Za-z_$][\w$]*>)|\{\d+(?:,\d*)?\}|.""", re.VERBOSE | re.DOTALL)
_LARGEST_LINEAR_COUNT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """`linear`: for pydantic's own engine; otherwise `text` is for Python's `re.search`."""

    text: str
    linear: bool


class UnsupportedPattern(ValueError):
    """The pattern is no ECMA-262 expression, or uses what neither engine has."""


def translate(pattern: str) -> Pattern:
    """The pattern for the linear engine if that can run it, else for `re`."""
    tokens = [found.group() for found in _TOKEN.finditer(pattern)]
    backtracking = any(_needs_backtracking(token) for token in tokens)
    properties = any(token[:2] in (r"\p", r"\P") for token in tokens)
    if backtracking and properties:
        raise UnsupportedPattern("Unicode properties together with look-around or back-references")
    python = "".join(_translated(tokens, linear=False))
    if not properties:
        try:
            re.compile(python)
        except (re.error, OverflowError, RecursionError) as error:
            raise UnsupportedPattern(str(error)) from error
    if backtracking:
        return Pattern(text=python, linear=False)
    return Pattern(text="".join(_translated(tokens, linear=True)), linear=True)


def _needs_backtracking(token: str) -> bool:
    if token.startswith(("(?=", "(?!", "(?<=", "(?<!", r"\k")) or re.fullmatch(r"\\[1-9]\d*", token):
        return True
    count = _QUANTIFIER.fullmatch(token)
    return count is not None and max(int(part or 0) for part in count.groups()) > _LARGEST_LINEAR_COUNT


def _translated(tokens: list[str], *, linear: bool) -> Iterator[str]:
    in_class = False
    for position, token in enumerate(tokens):
        if in_class:
            in_class = token != "]"
            yield r"\-" if _is_literal_dash(tokens, position) else _in_class(token)
        elif token == "[":
            following = tokens[position + 1:position + 3]
            if following[:1] == ["]"]:
                raise UnsupportedPattern("an empty character class")
            in_class = True
            yield token
        else:
            yield _outside(token, linear=linear)
    if in_class:
        raise UnsupportedPattern("a character class is not closed")


def _is_literal_dash(tokens: list[str], position: int) -> bool:
    """A dash that both engines might take for a set operation: the first of a class, or the end of a range."""
    def first(at: int) -> bool:
        return tokens[at - 1] == "[" or (tokens[at - 1] == "^" and tokens[at - 2] == "[")

    return tokens[position] == "-" and (first(position) or (tokens[position - 1] == "-" and not first(position - 1)))


def _outside(token: str, *, linear: bool) -> str:
    if token == "$":
        return "$" if linear else r"\Z"
    if token == ".":
        return r"[^\n\r\u2028\u2029]"
    if token in ("{", "}"):
        return "\\" + token
    if token.startswith("(?<") and token[3] not in "=!":
        return "(?P<" + token[3:].replace("$", "_")
    if token.startswith(r"\k<"):
        return f"(?P={token[3:-1].replace('$', '_')})"
    if token in (r"\d", r"\w"):
        return f"[{_CLASSES[token[1]]}]"
    if token in (r"\D", r"\W"):
        return f"[^{_CLASSES[token[1].lower()]}]"
    if token == r"\s":
        return f"[{_SPACE}]"
    if token == r"\S":
        return _NOT_SPACE
    if token in (r"\b", r"\B"):
        return f"(?-u:{token})" if linear else f"(?a:{token})"
    return _escape(token)


def _in_class(token: str) -> str:
    if token in (r"\d", r"\w"):
        return _CLASSES[token[1]]
    if token == r"\s":
        return _SPACE
    if token in (r"\D", r"\W", r"\S"):
        raise UnsupportedPattern(f"{token} inside a character class")
    if token == r"\b":
        return r"\x08"
    if token in ("[", "&", "~", "|"):
        return "\\" + token
    return _escape(token) if token.startswith("\\") else token


def _escape(token: str) -> str:
    if not token.startswith("\\") or len(token) == 1:
        if token == "\\":
            raise UnsupportedPattern("a backslash at the end")
        return token
    kind = token[1]
    if kind in "ux" and len(token) > 2:
        return _code_point(int(token[2:].strip("{}"), 16))
    if kind == "c" and len(token) == 3:
        return _code_point(ord(token[2]) % 32)
    if kind in "pP" or kind in "tnrfv" or re.fullmatch(r"\\[1-9]\d*", token):
        return {"v": r"\x0b", "f": r"\x0c"}.get(kind, token)
    if kind == "0":
        return r"\x00"
    return re.escape(kind) if not kind.isalnum() else _letter(kind)


def _letter(kind: str) -> str:
    if kind in "ux":
        return kind
    raise UnsupportedPattern(f"the escape \\{kind}")


def _code_point(number: int) -> str:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise UnsupportedPattern(f"the code point {number:x}")
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
