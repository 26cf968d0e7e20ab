"""Members of contract objects: which are known, which are missing, and extensions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Node
from codegen.model.types import JsonValue


def check_fields(
    names: Iterable[tuple[str, Node]], known: Collection[str], what: str, area: str, diagnostics: Diagnostics
) -> None:
    """Warn about every member that is neither known nor an extension (`x-...`), rule `<area>/unknown-field`."""
    for name, node in names:
        if name in known or name.startswith("x-"):
            continue
        close = get_close_matches(name, known, n=1)
        diagnostics.warning(
            f"{area}/unknown-field",
            f"`{name}` is no field of {what}: it is ignored",
            node.location,
            hint=f"did you mean `{close[0]}`?" if close else "extensions start with `x-`",
        )


def extensions_of(members: Iterable[tuple[str, Node]]) -> Mapping[str, JsonValue]:
    """The `x-...` members."""
    return {name: node.value for name, node in members if name.startswith("x-")}


def text_of(members: Mapping[str, Node], name: str) -> str:
    """A string member, or the empty string."""
    node = members.get(name)
    return node.value if node is not None and isinstance(node.value, str) else ""


def flag_of(members: Mapping[str, Node], name: str) -> bool:
    """Whether the member is `true`."""
    node = members.get(name)
    return node is not None and node.value is True


def is_object(node: Node | None, what: str, area: str, diagnostics: Diagnostics) -> bool:
    """Whether the node is an object; reported when it is something else."""
    if node is None:
        return False
    if isinstance(node.value, dict):
        return True
    diagnostics.error(f"{area}/bad-value", f"{what} must be an object", node.location)
    return False
