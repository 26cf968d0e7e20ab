"""Servers, security schemes and security requirements (OpenAPI 3.1 sections 4.8.5, 4.8.27 and 4.8.30)."""

from __future__ import annotations

import re
from collections.abc import Container

from codegen.load.documents import Node
from codegen.load.fields import extensions_of, security_scheme
from codegen.load.openapi_reading import Reading
from codegen.model.services import SecurityRequirement, SecurityScheme, SecurityUse, Server, ServerVariable

_NEEDS = {
    "apiKey": ("name", "in"),
    "http": ("scheme",),
    "oauth2": ("flows",),
    "openIdConnect": ("openIdConnectUrl",),
    "mutualTLS": (),
}
"""Kinds of schemes and the fields each must have."""


def read_servers(reading: Reading, node: Node) -> tuple[Server, ...]:
    """The `servers` of a document, a path or an operation. Servers without a name get their position."""
    found = []
    for position, item in enumerate(node.items()):
        server = reading.object(item, "server")
        if server is None:
            continue
        url = server.text("url")
        variables = _read_variables(reading, server.child("variables"))
        for name in re.findall(r"\{([^{}]*)\}", url):
            if name not in {variable.name for variable in variables}:
                reading.diagnostics.error(
                    "openapi/server-variable",
                    f"`{{{name}}}` of `{url}` is not declared",
                    server.location,
                    hint=f"add `{name}` to `variables`, with a default",
                )
        found.append(
            Server(
                name=server.text("name") or str(position),
                url=url,
                protocol=url.partition("://")[0] if "://" in url else None,
                variables=variables,
                doc=server.text("description"),
                location=server.location,
                extensions=extensions_of(server.members()),
            )
        )
    return tuple(found)


def _read_variables(reading: Reading, node: Node) -> tuple[ServerVariable, ...]:
    found = []
    for name, item in node.members():
        variable = reading.object(item, "server variable")
        if variable is None:
            continue
        values = tuple(str(value.value) for value in variable.child("enum").items())
        default = variable.value.get("default")
        if default is None:
            reading.diagnostics.error(
                "openapi/server-variable",
                f"the server variable `{name}` needs a default",
                variable.location,
                hint="add a `default`",
            )
        elif values and str(default) not in values:
            reading.diagnostics.error(
                "openapi/server-variable",
                f"the default of `{name}` is not in its `enum`",
                variable.child("default").location,
                hint="add it to `enum`, or choose a default from there",
            )
        found.append(
            ServerVariable(
                name=name,
                default=None if default is None else str(default),
                values=values,
                doc=variable.text("description"),
            )
        )
    return tuple(found)


def read_security_schemes(reading: Reading, node: Node) -> tuple[SecurityScheme, ...]:
    """`components/securitySchemes`."""
    found = (_read_scheme(reading, name, item) for name, item in node.members())
    return tuple(scheme for scheme in found if scheme is not None)


def _read_scheme(reading: Reading, name: str, item: Node) -> SecurityScheme | None:
    node = reading.object(item, "security scheme")
    if node is None:
        return None
    kind = node.text("type")
    if kind not in _NEEDS:
        reading.unexpected(node, "type", ", ".join(_NEEDS))
        return None
    for field in _NEEDS[kind]:
        if not node.value.get(field):
            reading.diagnostics.error(
                "openapi/security-scheme",
                f"the {kind} scheme `{name}` needs `{field}`",
                node.location,
                hint=f"add `{field}`",
            )
            return None
    return security_scheme(name, node)


def read_security(
    reading: Reading, owner: Node, schemes: Container[str], default: tuple[SecurityRequirement, ...]
) -> tuple[SecurityRequirement, ...]:
    """The alternatives that `owner` states, or `default`. `security: []` is one empty, anonymous requirement."""
    if not owner.has("security"):
        return default
    node = owner.child("security")
    if not isinstance(node.value, list):
        reading.unexpected(owner, "security", "a list of requirements")
        return default
    found = [_read_requirement(reading, item, schemes) for item in node.items()]
    return tuple(requirement for requirement in found if requirement is not None) if found else ((),)


def _read_requirement(reading: Reading, item: Node, schemes: Container[str]) -> SecurityRequirement | None:
    if not isinstance(item.value, dict):
        reading.diagnostics.error(
            "openapi/shape",
            "a security requirement must be an object",
            item.location,
            hint="write the name of a scheme and a list of scopes: `- bearer: []`",
        )
        return None
    uses = []
    for name, scopes in item.members():
        if name not in schemes:
            reading.diagnostics.error(
                "openapi/security",
                f"`{name}` is not a security scheme of this document",
                scopes.location,
                hint="declare it in components/securitySchemes",
            )
            return None
        uses.append(SecurityUse(scheme=name, scopes=tuple(str(scope.value) for scope in scopes.items())))
    return tuple(uses)
