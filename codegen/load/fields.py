"""Members of contract objects, read alike in all formats: which are known, text and flags, extensions, security."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Node
from codegen.model.services import SecurityScheme
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


def check_sections(
    node: Node, objects: Iterable[str], lists: Iterable[str], area: str, rule: str, diagnostics: Diagnostics
) -> None:
    """Report the sections of a document that are neither absent nor of their shape, and would be passed over."""
    wanted: dict[str, tuple[type, str]] = dict.fromkeys(objects, (dict, "an object"))
    wanted |= dict.fromkeys(lists, (list, "a list"))
    for key, section in node.members():
        shape, spoken = wanted.get(key, (object, ""))
        if section.value is not None and not isinstance(section.value, shape):
            diagnostics.error(
                f"{area}/{rule}",
                f"`{key}` must be {spoken}",
                section.location,
                hint="nothing of it is read: correct it or remove it",
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
    diagnostics.error(
        f"{area}/bad-value",
        f"{what} must be an object",
        node.location,
        hint="write its members below it, as `name: value`",
    )
    return False


def security_scheme(name: str, node: Node) -> SecurityScheme:
    """What a security scheme says, in OpenAPI and AsyncAPI alike."""
    flows = node.child("flows").value
    return SecurityScheme(
        name=name,
        kind=node.text("type"),
        scheme=node.text("scheme") or None,
        parameter=node.text("name") or None,
        place=node.text("in") or None,
        bearer_format=node.text("bearerFormat") or None,
        flows=flows if isinstance(flows, dict) else {},
        open_id_connect_url=node.text("openIdConnectUrl") or None,
        doc=node.text("description"),
        location=node.location,
        extensions=extensions_of(node.members()),
    )
