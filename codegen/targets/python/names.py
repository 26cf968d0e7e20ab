"""Python spelling of contract names.

Names that would come out alike stay as the contract spells them (`distinct`); where that does not tell them apart
either, the collision is reported (`Namespace`). Nothing is ever numbered.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location

KeyT = TypeVar("KeyT", bound=Hashable)

_BOUNDARY = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUNS = re.compile(r"([0-9A-Za-z_]+)|(.)", re.DOTALL)
SYMBOLS = {
    "+": "plus",
    "-": "minus",
    "<": "less",
    ">": "greater",
    "=": "equal",
    "*": "star",
    "%": "percent",
    "!": "not",
    "&": "and",
    "|": "or",
    "#": "number",
    "@": "at",
    "$": "dollar",
    "/": "slash",
    ".": "dot",
    " ": "space",
    "(": "open",
    ")": "close",
    "[": "open",
    "]": "close",
    ":": "colon",
    "~": "tilde",
}


def words(name: str) -> list[str]:
    """The words of an identifier in any casing: `HTTPServer_v2Name` -> HTTP, Server, v2, Name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    found = [part for part in _BOUNDARY.split(ascii_name) if part]
    if found:
        return found
    spelled = [SYMBOLS.get(c, f"u{ord(c):x}") for c in name]
    return spelled or ["empty"]


def pascal(parts: Iterable[str]) -> str:
    """`("order", "line-items")` -> `OrderLineItems`; capitals inside a word are kept, but not of `SHOUTED_NAMES`."""
    joined = "".join(word[:1].upper() + word[1:] for part in parts for word in _quiet(part))
    if joined[:1].isdigit():
        joined = f"N{joined}"
    return f"{joined}_" if keyword.iskeyword(joined) else joined


def _quiet(part: str) -> list[str]:
    found = words(part)
    return [word.capitalize() for word in found] if len(found) > 1 and part.isupper() else found


def snake(name: str) -> str:
    """`LineItems` -> `line_items`; a keyword gets a trailing underscore, a leading digit the prefix `n`."""
    joined = "_".join(word.lower() for word in words(name))
    if joined[:1].isdigit():
        joined = f"n{joined}"
    return f"{joined}_" if keyword.iskeyword(joined) else joined


def constant(name: str) -> str:
    """`in-progress` -> `IN_PROGRESS`; signs are spelled out, so that `+1` and `-1` differ."""
    spelled = re.sub(r"^[-+]", lambda sign: SYMBOLS[sign.group()] + "_", name)
    joined = "_".join(word.upper() for word in words(spelled))
    return f"N{joined}" if joined[:1].isdigit() else joined


def spelled(name: str, *, underscores: bool = False) -> str:
    """The words of a name with its signs among them: `a.b` -> `a dot b`; with `underscores`, `_id` -> `underscore id`.

    An underscore between two words stays what it is.
    """
    lead = len(name) - len(name.lstrip("_")) if underscores else 0
    rest = "".join(
        c if c == "_" or (c.isascii() and c.isalnum()) else f" {SYMBOLS.get(c, f'u{ord(c):x}')} " for c in name[lead:]
    )
    return "underscore " * lead + rest


def exact(name: str) -> str:
    """The contract's own spelling as an identifier, other characters spelled out: `user/signedUp` ->
    `user_slash_signedUp`."""
    parts = (run or SYMBOLS.get(sign, f"u{ord(sign or '_'):x}") for run, sign in _RUNS.findall(name))
    plain = "_".join(parts).lstrip("_") or snake(name)
    if plain[:1].isdigit():
        plain = f"n{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def distinct(candidates: Mapping[KeyT, Sequence[str]], reserved: Collection[str] = ()) -> dict[KeyT, str]:
    """A name for each key: its first candidate that is nobody else's; a reserved one gets a trailing underscore.

    Independent of the order. Keys with no candidate of their own share the last one: claim the names.
    """
    found: dict[KeyT, str] = {}
    level = 0
    while len(found) < len(candidates):
        wanted = {
            key: _free(each[min(level, len(each) - 1)], reserved)
            for key, each in candidates.items()
            if key not in found
        }
        counts = Counter([*wanted.values(), *found.values()])
        last = level >= max(len(candidates[key]) for key in wanted) - 1
        found.update({key: name for key, name in wanted.items() if counts[name] == 1 or last})
        level += 1
    return {key: found[key] for key in candidates}


def report_respelled(
    element: str, usual: str, chosen: str, where: Location, scope: str, diagnostics: Diagnostics
) -> None:
    """Say that a member is not called what it would be by itself, since another one would be called so too."""
    if chosen.rstrip("_") != usual.rstrip("_"):
        diagnostics.warning(
            "names/respelled",
            f"`{element}` is called `{chosen}` in {scope}: another member would be `{usual}` too",
            where,
            hint="rename one of them in the contract to have the usual name",
        )


def _free(name: str, reserved: Collection[str]) -> str:
    return f"{name}_" if name in reserved else name


def module_name(stem: str) -> str:
    """A module or package name: snake case, no keyword."""
    return snake(stem)


class Namespace:
    """Names of one scope. Two different elements with one name are an error, reported at the second."""

    def __init__(self, scope: str, diagnostics: Diagnostics) -> None:
        self._scope = scope
        self._diagnostics = diagnostics
        self._taken: dict[str, tuple[str, Location]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def claim(self, name: str, element: str, location: Location) -> bool:
        """Take `name` for `element` (its contract name). False, with a diagnostic, when another element has it."""
        holder = self._taken.setdefault(name, (element, location))
        if holder == (element, location):
            return True
        self._diagnostics.error(
            "names/collision",
            f"`{element}` and `{holder[0]}` would both be called `{name}` in {self._scope}",
            location,
            related=(holder[1],),
            hint="rename one of them in the contract, or give it another name in the settings: "
            f'[names] "{location.path}#{location.pointer}" = "OtherName"',
        )
        return False
