"""Python spelling of contract names. A collision is reported, never numbered away."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location

_BOUNDARY = re.compile(r"[^0-9A-Za-z]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SOFT = frozenset({"match", "case", "type", "_"})
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
SYMBOLS = {"+": "plus", "-": "minus", "<": "less", ">": "greater", "=": "equal", "*": "star", "%": "percent",
           "!": "not", "&": "and", "|": "or", "#": "number", "@": "at", "$": "dollar", "/": "slash", ".": "dot"}


def words(name: str) -> list[str]:
    """The words of an identifier in any casing: `HTTPServer_v2Name` -> HTTP, Server, v2, Name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    found = [part for part in _BOUNDARY.split(ascii_name) if part]
    if found:
        return found
    spelled = [SYMBOLS.get(c, f"u{ord(c):x}") for c in name]
    return spelled or ["empty"]


def pascal(parts: Iterable[str]) -> str:
    """`("order", "line-items")` -> `OrderLineItems`; capitals inside a word are kept."""
    joined = "".join(word[:1].upper() + word[1:] for part in parts for word in words(part))
    if joined[:1].isdigit():
        joined = f"N{joined}"
    return f"{joined}_" if keyword.iskeyword(joined) else joined


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


def module_name(stem: str) -> str:
    """A module or package name: snake case, no keyword."""
    return snake(stem)


def shadows_builtin(name: str) -> bool:
    """Whether a parameter of this name would hide a builtin."""
    return name in _BUILTINS or name in _SOFT


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
            location, related=(holder[1],),
            hint="rename one of them in the contract, or give it another name in the settings: "
                 f'[names] "{location.path}#{location.pointer}" = "OtherName"')
        return False
