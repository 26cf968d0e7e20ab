"""ECMA-262 regular expressions (JSON Schema 2020-12 core, 6.4) in the dialects that generated Python can run.

pydantic's default engine is linear in time but knows no look-around and no
back-references; patterns with those run on the standard library's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = r"\t\n\x0b\x0c\r\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "0-9A-Za-z_",
    "W": r"\x00-/:-@\[-\^`\{-\U0010ffff",
    "s": _SPACE,
    "S": r"\x00-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\ufefe\uff00-\U0010ffff",
}
"""Ranges of each class escape, which stand alone or inside another class in both engines."""
_PROPERTY_NAMES = """
    L Lu Ll Lt LC Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn
    Letter Uppercase_Letter Lowercase_Letter Titlecase_Letter Cased_Letter Modifier_Letter Other_Letter Mark Number
    Decimal_Number Letter_Number Other_Number Punctuation Symbol Math_Symbol Currency_Symbol Separator
    Space_Separator Other Control Format Alphabetic Uppercase Lowercase White_Space Any ASCII ID_Start ID_Continue
    Emoji Script=Arabic Script=Bengali Script=Cyrillic Script=Devanagari Script=Greek Script=Han Script=Hangul
    Script=Hebrew Script=Hiragana Script=Katakana Script=Latin Script=Thai
"""
_PROPERTIES = frozenset(_PROPERTY_NAMES.split())
"""Those of ECMA-262 (22.2.1.8) that pydantic's engine is known to have."""
_CLASS_ESCAPES = frozenset(rf"\{kind}" for kind in "dDwWsSpP")
_QUANTIFIER = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}")
_TOKEN = re.compile(
    _SURROGATES.pattern
    + r"""|\\u\{[0-9A-Fa-f]+\}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[pP]\{[^}]*\}|\\k<[^>]*>|\\c[A-Za-z]
        |\\[1-9]\d*|\\.|\(\?(?:<?[=!]|:|i:|<[A-Za-z_$][\w$]*>)|\A\(\?i\)|\[\^\]|\[\\(?:s\\S|S\\s|d\\D|D\\d|w\\W|W\\w)\]|\{\d+(?:,\d*)?\}|.""",
    re.VERBOSE | re.DOTALL,
)
_LARGEST_LINEAR_COUNT = 1000
_LARGEST_LINEAR_SIZE = 10_000
"""In units of one ASCII character; pydantic's engine refuses what compiles to more than 10 MiB."""


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
    _refuse_foreign(tokens)
    backtracking = any(_needs_backtracking(token) for token in tokens) or _size(tokens) > _LARGEST_LINEAR_SIZE
    properties = any(token[:2] in (r"\p", r"\P") for token in tokens)
    if backtracking and properties:
        raise UnsupportedPattern("Unicode properties together with look-around, back-references or high counts")
    python = "".join(_translated(tokens, linear=False))
    try:
        re.compile(re.sub(r"\\[pP]\{[^}]*\}", "a", python))
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsupportedPattern(str(error)) from error
    if backtracking:
        return Pattern(text=python, linear=False)
    return Pattern(text="".join(_translated(tokens, linear=True)), linear=True)


def _refuse_foreign(tokens: list[str]) -> None:
    """What Python's `re` would take although ECMA-262 has no such thing."""
    in_class = False
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if token[:2] in (r"\p", r"\P") and _property(token) not in _PROPERTIES:
            raise UnsupportedPattern(f"the Unicode property {token}")
        if not in_class and token == "(" and after == "?":
            raise UnsupportedPattern("a group that ECMA-262 does not have")
        if not in_class and token == "+" and (before in ("*", "+", "?") or _QUANTIFIER.fullmatch(before)):
            raise UnsupportedPattern("a quantifier of a quantifier")
        in_class = token != "]" if in_class else token == "["


def _property(token: str) -> str:
    name = token[3:-1]
    for prefix in ("General_Category=", "gc=", "Script=", "sc="):
        if name.startswith(prefix):
            return f"Script={name.removeprefix(prefix)}" if prefix[0] in "Ss" else name.removeprefix(prefix)
    return name


def _size(tokens: list[str]) -> int:
    """How large the compiled pattern gets: counts multiply what they repeat."""
    sizes, last, in_class = [0], 0, False
    for token in tokens:
        count = _QUANTIFIER.fullmatch(token)
        if in_class or token == "[":
            opened = not in_class
            in_class = token != "]"
            last = _weight(token) if opened else max(last, _weight(token))
            sizes[-1] += last if not in_class else 0
        elif token.startswith("("):
            sizes.append(0)
        elif token == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif count is not None:
            sizes[-1] += last * (max(int(part or 0) for part in count.groups()) - 1)
        else:
            last = _weight(token)
            sizes[-1] += last
    return sum(sizes)


def _weight(token: str) -> int:
    if token[:2] in (r"\p", r"\P"):
        return 60
    return 3 if token in (".", "^", r"\D", r"\W", r"\S", r"\s") or not token.isascii() or token[:2] == r"\u" else 1


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
            following = tokens[position + 1 : position + 3]
            if following[:1] == ["]"]:
                raise UnsupportedPattern("an empty character class")
            in_class = True
            yield token
        else:
            yield _outside(token, linear=linear)
    if in_class:
        raise UnsupportedPattern("a character class is not closed")


def _is_literal_dash(tokens: list[str], position: int) -> bool:
    """A dash that the engines might take for a set operation: first or last in a class, the end of a range, or
    beside a class escape, where it makes no range (ECMA-262 B.1.2.1)."""

    def first(at: int) -> bool:
        return tokens[at - 1] == "[" or (tokens[at - 1] == "^" and tokens[at - 2] == "[")

    if tokens[position] != "-":
        return False
    before, after = tokens[position - 1], "".join(tokens[position + 1 : position + 2])
    beside_class = any(token[:2] in _CLASS_ESCAPES for token in (before, after))
    return first(position) or (before == "-" and not first(position - 1)) or beside_class or after == "]"


def _outside(token: str, *, linear: bool) -> str:
    if token == "$":
        return "$" if linear else r"\Z"
    if token == ".":
        return r"[^\n\r\u2028\u2029]"
    if token in ("{", "}"):
        return "\\" + token
    if token[0] == "[":
        return "(?s:.)"
    if token.startswith("(?<") and token[3] not in "=!":
        return "(?P<" + token[3:].replace("$", "_")
    if token.startswith(r"\k<"):
        return f"(?P={token[3:-1].replace('$', '_')})"
    if token in (r"\d", r"\w", r"\s"):
        return f"[{_CLASSES[token[1]]}]"
    if token in (r"\D", r"\W", r"\S"):
        return f"[^{_CLASSES[token[1].lower()]}]"
    if token in (r"\b", r"\B"):
        return f"(?-u:{token})" if linear else f"(?a:{token})"
    return _escape(token)


def _in_class(token: str) -> str:
    if token[:1] == "\\" and token[1:] in _CLASSES:
        return _CLASSES[token[1:]]
    if token[0] == "[" and len(token) > 1:
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
    if _SURROGATES.fullmatch(token):
        return _code_point(0x10000 + (int(token[2:6], 16) - 0xD800) * 0x400 + int(token[8:], 16) - 0xDC00)
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
