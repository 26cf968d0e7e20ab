"""Servers, security schemes, channel parameters and the `x-` keys of channels, for AsyncAPI 2.x and 3.x.

Extensions of a channel:

* `x-retry`: `{max_attempts, initial_delay, max_delay, multiplier}`, delays in
  seconds or as ISO 8601 durations (`PT0.5S`); `backoff: exponential` is a multiplier
  of 2, `constant` one of 1, and a number is the multiplier itself;
* `x-ordering-key`: a runtime expression, messages of one key are handled in order;
* `x-dead-letter`: the channel for messages that cannot be handled: its key, or a reference.
"""

from __future__ import annotations

import re

from codegen.load.asyncapi_messages import check_expression
from codegen.load.asyncapi_source import AREA, Source
from codegen.load.documents import Node
from codegen.load.fields import check_fields, extensions_of, is_object, security_scheme
from codegen.model.events import ChannelParameter, Retry
from codegen.model.ids import ChannelId
from codegen.model.services import SecurityScheme, SecurityUse, Server, ServerVariable

CHANNEL_EXTENSIONS = ("x-retry", "x-ordering-key", "x-dead-letter")
SERVER_FIELDS = {
    2: frozenset(
        {"url", "protocol", "protocolVersion", "description", "variables", "security", "tags", "bindings", "$ref"}
    ),
    3: frozenset(
        {
            "host",
            "protocol",
            "protocolVersion",
            "pathname",
            "description",
            "title",
            "summary",
            "variables",
            "security",
            "tags",
            "externalDocs",
            "bindings",
            "$ref",
        }
    ),
}
PARAMETER_FIELDS = {
    2: frozenset({"description", "schema", "location", "$ref"}),
    3: frozenset({"description", "enum", "default", "examples", "location", "$ref"}),
}
SECURITY_FIELDS = frozenset(
    {
        "type",
        "description",
        "name",
        "in",
        "scheme",
        "bearerFormat",
        "flows",
        "openIdConnectUrl",
        "scopes",
    }
)
RETRY_FIELDS = frozenset({"max_attempts", "initial_delay", "max_delay", "multiplier", "backoff"})
_BACKOFFS = {"exponential": 2.0, "constant": 1.0}
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_DURATION = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def servers_of(source: Source) -> tuple[Server, ...]:
    """The document's servers; `url` is host and path, without the protocol."""
    found = []
    for name, node in source.members(source.root, "servers"):
        target = source.follow(node)
        if target is not None and is_object(target, "a server", AREA, source.diagnostics):
            found.append(_server(source, name, target))
    return tuple(found)


def _server(source: Source, name: str, node: Node) -> Server:
    check_fields(node.members(), SERVER_FIELDS[source.major], "a server", AREA, source.diagnostics)
    if source.major == 2:
        address = node.text("url").partition("://")[2] or node.text("url")
    else:
        address = node.text("host") + node.text("pathname")
    if not address:
        source.diagnostics.error(
            "asyncapi/missing-field",
            f"the server `{name}` has no address",
            node.location,
            hint="add `url`" if source.major == 2 else "add `host`",
        )
    variables = []
    for variable, item in source.members(node, "variables"):
        target = source.follow(item)
        if target is not None:
            default = target.text("default") or None
            variables.append(
                ServerVariable(
                    name=variable,
                    default=default,
                    values=_strings(target.child("enum")),
                    doc=target.text("description"),
                )
            )
    return Server(
        name=name,
        url=address,
        protocol=node.text("protocol") or None,
        variables=tuple(variables),
        doc=node.text("description"),
        location=node.location,
        extensions=extensions_of(node.members()),
    )


def security_schemes_of(source: Source) -> tuple[SecurityScheme, ...]:
    """Those under `components/securitySchemes`."""
    found = []
    for name, node in source.members(source.root, "components", "securitySchemes"):
        target = source.follow(node)
        if target is None or not is_object(target, "a security scheme", AREA, source.diagnostics):
            continue
        check_fields(target.members(), SECURITY_FIELDS, "a security scheme", AREA, source.diagnostics)
        found.append(security_scheme(name, target))
    return tuple(found)


def security_of(source: Source, node: Node | None) -> tuple[SecurityUse, ...]:
    """Security of an operation: any one of these is enough."""
    if node is None:
        return ()
    uses: list[SecurityUse] = []
    for item in node.items():
        if source.major == 2:
            uses += [SecurityUse(scheme=name, scopes=_strings(scopes)) for name, scopes in item.members()]
            continue
        target = source.follow(item)
        if target is not None:
            uses.append(SecurityUse(scheme=target.key, scopes=_strings(target.child("scopes"))))
    return tuple(uses)


def parameters_of(source: Source, channel: Node, address: str | None) -> tuple[ChannelParameter, ...]:
    """The parameters of an address; those that the contract does not describe are found in the address."""
    described: dict[str, ChannelParameter] = {}
    for name, node in source.members(channel, "parameters"):
        target = source.follow(node)
        if target is not None and is_object(target, "a parameter", AREA, source.diagnostics):
            described[name] = _parameter(source, name, target)
            if address is not None and f"{{{name}}}" not in address:
                source.diagnostics.warning(
                    "asyncapi/address-parameter",
                    f"the address `{address}` has no `{{{name}}}`",
                    node.location,
                    hint="put it into the address, or remove the parameter",
                )
    for name in _VARIABLE.findall(address or ""):
        if name not in described:
            source.diagnostics.warning(
                "asyncapi/address-parameter",
                f"`{{{name}}}` of the address is not described",
                channel.location,
                hint=f"add `{name}` to the channel's `parameters`",
            )
            described[name] = ChannelParameter(name=name)
    return tuple(described.values())


def _parameter(source: Source, name: str, node: Node) -> ChannelParameter:
    check_fields(node.members(), PARAMETER_FIELDS[source.major], "a parameter", AREA, source.diagnostics)
    schema = node
    if source.major == 2:
        schema = source.follow(node.child("schema")) or node
        if schema.has("type") and schema.child("type").value != "string":
            source.diagnostics.warning(
                "asyncapi/parameter-type", f"the parameter `{name}` is handled as text", schema.child("type").location
            )
    location = node.child("location")
    valid = location.value is not None and check_expression(source, location)
    default = schema.child("default").value
    values = _strings(schema.child("enum")) or _strings(Node(schema.document, schema.pointer, _const(schema)))
    return ChannelParameter(
        name=name,
        doc=node.text("description") or schema.text("description"),
        values=values,
        default=None if default is None else str(default),
        location_expression=location.value if valid else None,
    )


def _const(schema: Node) -> list[object]:
    return [schema.value["const"]] if schema.has("const") else []


def _strings(node: Node) -> tuple[str, ...]:
    return tuple(str(item.value) for item in node.items())


def retry_of(source: Source, node: Node) -> Retry | None:
    """`x-retry` of a channel."""
    retry = node.child("x-retry")
    if not node.has("x-retry") or not is_object(retry, "`x-retry`", AREA, source.diagnostics):
        return None
    check_fields(retry.members(), RETRY_FIELDS, "`x-retry`", AREA, source.diagnostics)
    attempts = retry.child("max_attempts").value
    initial = seconds(source, retry.child("initial_delay"), 1.0)
    longest = seconds(source, retry.child("max_delay"), max(initial, 60.0))
    factor = retry.child("multiplier").value if retry.has("multiplier") else retry.child("backoff").value
    factor = _BACKOFFS.get(factor, factor) if isinstance(factor, str) else 2.0 if factor is None else factor
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        source.diagnostics.error(
            "asyncapi/retry",
            "`max_attempts` must be a whole number of at least 1",
            retry.child("max_attempts").location,
            hint="write such as `max_attempts: 3`",
        )
        return None
    if not isinstance(factor, int | float) or isinstance(factor, bool) or factor < 1:
        source.diagnostics.error(
            "asyncapi/retry",
            "`multiplier` must be a number of at least 1",
            retry.location,
            hint="or `backoff: exponential`, or `backoff: constant`",
        )
        return None
    return Retry(
        max_attempts=attempts, initial_delay=initial, max_delay=max(initial, longest), multiplier=float(factor)
    )


def seconds(source: Source, node: Node, default: float) -> float:
    """A duration: a number of seconds, or ISO 8601 without years and months."""
    value = node.value
    if value is None:
        return default
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        source.diagnostics.error(
            "asyncapi/duration",
            f"`{value}` is no duration",
            node.location,
            hint="write seconds (`0.5`) or an ISO 8601 duration (`PT0.5S`)",
        )
        return default
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def ordering_key_of(source: Source, node: Node) -> str | None:
    """`x-ordering-key` of a channel."""
    key = node.child("x-ordering-key")
    if not node.has("x-ordering-key") or not check_expression(source, key):
        return None
    return str(key.value)


def dead_letter_of(source: Source, node: Node) -> ChannelId | None:
    """`x-dead-letter` of a channel: the id of the channel it names."""
    if not node.has("x-dead-letter"):
        return None
    named = node.child("x-dead-letter")
    reference = named.text("$ref") if isinstance(named.value, dict) else named.value
    if isinstance(reference, str) and ("#" in reference or "/" in reference) and not _channel(source, node, reference):
        target = source.refer(reference, named)
    elif isinstance(reference, str):
        target = _channel(source, node, reference)
    else:
        target = None
    if target is None:
        source.diagnostics.error(
            "asyncapi/dead-letter",
            f"`x-dead-letter` names no channel: `{reference}`",
            named.location,
            hint="give the key of a channel, or a reference to one",
        )
        return None
    if target.id == node.id:
        source.diagnostics.error(
            "asyncapi/dead-letter",
            "a channel cannot be its own dead-letter channel: what fails would come back for ever",
            named.location,
            hint="name another channel",
        )
        return None
    return ChannelId(target.id)


def _channel(source: Source, node: Node, name: str) -> Node | None:
    channels = source.documents.root_node(node.document).child("channels")
    return source.follow(channels.child(name)) if channels.has(name) else None


def warn_of_channel_extensions(source: Source, fields: dict[str, Node]) -> None:
    """Say that a key which belongs on the channel has no effect on an operation."""
    for key in CHANNEL_EXTENSIONS:
        if key in fields:
            source.diagnostics.warning(
                "asyncapi/extension-place",
                f"`{key}` has no effect on an operation",
                fields[key].location,
                hint="put it on the channel",
            )
