"""Operations of paths, webhooks and callbacks.

Two phases: `find_sites` lists every operation with its name, so that links may
point anywhere and double names are found; `read_operation` reads one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen.load.documents import Node, escape
from codegen.load.fields import extensions_of
from codegen.load.openapi_bodies import read_body, read_responses
from codegen.load.openapi_parameters import check_template, idempotency_header, read_parameters
from codegen.load.openapi_reading import METHODS, Reading
from codegen.load.openapi_security import read_security, read_servers
from codegen.model.ids import OperationId
from codegen.model.services import (
    HttpBinding,
    HttpRole,
    Idempotency,
    Operation,
    Parameter,
    SecurityRequirement,
    Transcoding,
)

_IDEMPOTENCY = {
    "GET": Idempotency.SAFE,
    "HEAD": Idempotency.SAFE,
    "OPTIONS": Idempotency.SAFE,
    "TRACE": Idempotency.SAFE,
    "PUT": Idempotency.IDEMPOTENT,
    "DELETE": Idempotency.IDEMPOTENT,
}
"""RFC 9110 section 9.2.2."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operation stands. `id` is built from the document that serves it, not from a referenced file."""

    id: OperationId
    name: str
    named_by_contract: bool
    method: str
    path: str
    role: HttpRole
    item: Node
    node: Node
    callbacks: tuple[OperationId, ...]


def find_sites(reading: Reading) -> tuple[Site, ...]:
    """Every operation of the document, callbacks after the operation they belong to."""
    sites: list[Site] = []
    for section, role in (("paths", HttpRole.ENDPOINT), ("webhooks", HttpRole.WEBHOOK)):
        for path, item in reading.root.child(section).members():
            if role is HttpRole.ENDPOINT and path.startswith("x-"):
                continue
            if role is HttpRole.ENDPOINT and not path.startswith("/"):
                reading.diagnostics.error(
                    "openapi/path", f"the path `{path}` must start with a slash", item.location, hint=f"write `/{path}`"
                )
                continue
            sites.extend(_sites_of_item(reading, f"/{section}/{escape(path)}", path, role, item, ""))
    _report_equal_paths(reading, sites)
    return _without_doubles(reading, sites)


def _sites_of_item(
    reading: Reading, pointer: str, path: str, role: HttpRole, item: Node, derived: str
) -> Iterator[Site]:
    target = reading.object(item, "path item")
    if target is None:
        return
    siblings = item if target is not item else None
    for holder in (target, siblings):
        if holder is None:
            continue
        methods = [method for method in METHODS if holder.has(method)]
        for method in methods:
            node = reading.object(holder.child(method), "operation")
            if node is not None:
                yield from _sites_of_operation(
                    reading,
                    f"{pointer}/{method}",
                    path,
                    role,
                    holder,
                    node,
                    method,
                    _derived_name(path, role, method, derived, alone=len(methods) == 1),
                )


def _sites_of_operation(
    reading: Reading, pointer: str, path: str, role: HttpRole, item: Node, node: Node, method: str, derived: str
) -> Iterator[Site]:
    name = node.text("operationId") or derived
    nested: list[Site] = []
    for key, callback in node.child("callbacks").members():
        expressions = reading.documents.follow(callback)
        if expressions is None:
            continue
        for expression, callback_item in expressions.members():
            if not expression.startswith("x-"):
                nested.extend(
                    _sites_of_item(
                        reading,
                        f"{pointer}/callbacks/{escape(key)}/{escape(expression)}",
                        expression,
                        HttpRole.CALLBACK,
                        callback_item,
                        f"{name}_{key}",
                    )
                )
    depth = pointer.count("/callbacks/") + 1
    own = [site.id for site in nested if site.id.partition("#")[2].count("/callbacks/") == depth]
    yield Site(
        OperationId(f"{reading.document.path}#{pointer}"),
        name,
        node.has("operationId"),
        method.upper(),
        path,
        role,
        item,
        node,
        tuple(own),
    )
    yield from nested


def _derived_name(path: str, role: HttpRole, method: str, derived: str, *, alone: bool) -> str:
    """`get /orders/{id}` -> `get_orders_by_id`; a webhook or callback is called by its key when it has one method."""
    if role is HttpRole.ENDPOINT:
        readable = re.sub(r"\{([^{}]*)\}", r"by_\1", path)
        return "_".join([method, *re.findall(r"[A-Za-z0-9]+", readable)])
    base = path if role is HttpRole.WEBHOOK else derived
    return base if alone else f"{base}_{method}"


def _report_equal_paths(reading: Reading, sites: list[Site]) -> None:
    seen: dict[tuple[str, str], Site] = {}
    for site in sites:
        if site.role is not HttpRole.ENDPOINT:
            continue
        first = seen.setdefault((site.method, re.sub(r"\{[^{}]*\}", "{}", site.path)), site)
        if first is not site:
            reading.diagnostics.error(
                "openapi/equal-paths",
                f"`{site.method} {site.path}` and `{first.path}` match the same requests",
                site.node.location,
                related=(first.node.location,),
                hint="merge the two paths",
            )


def _without_doubles(reading: Reading, sites: list[Site]) -> tuple[Site, ...]:
    first: dict[str, Site] = {}
    for site in sites:
        known = first.setdefault(site.name, site)
        if known is site:
            continue
        if site.named_by_contract and known.named_by_contract:
            reading.diagnostics.error(
                "openapi/duplicate-operation",
                f"the operationId `{site.name}` is used twice",
                site.node.child("operationId").location,
                related=(known.node.child("operationId").location,),
                hint="operationIds must be unique within a document",
            )
        else:
            reading.diagnostics.error(
                "openapi/duplicate-operation",
                f"two operations would both be called `{site.name}`",
                site.node.location,
                related=(known.node.location,),
                hint="give them an operationId",
            )
    return tuple(first.values())


def read_operation(
    reading: Reading,
    site: Site,
    operations: Mapping[str, OperationId],
    schemes: frozenset[str],
    default_security: tuple[SecurityRequirement, ...],
) -> Operation:
    """One operation, complete. `operations` are all of the document by name, for links."""
    node = site.node
    parameters = read_parameters(reading, site.name, site.item.child("parameters"), node.child("parameters"))
    if site.role is HttpRole.ENDPOINT:
        check_template(reading, site.path, parameters, site.item)
    key_header = idempotency_header(parameters)
    idempotency = _IDEMPOTENCY.get(site.method, Idempotency.BY_KEY if key_header else Idempotency.UNKNOWN)
    servers = read_servers(reading, node.child("servers")) or read_servers(reading, site.item.child("servers"))
    binding = HttpBinding(
        method=site.method,
        path=site.path,
        role=site.role,
        parameters=parameters,
        body=read_body(reading, site.name, node.child("requestBody")) if node.has("requestBody") else None,
        responses=read_responses(reading, site.name, node.child("responses"), operations),
        security=read_security(reading, node, schemes, default_security if site.role is HttpRole.ENDPOINT else ()),
        servers=servers,
        callbacks=site.callbacks,
        idempotency_header=key_header,
    )
    return Operation(
        id=site.id,
        name=site.name,
        named_by_contract=site.named_by_contract,
        summary=node.text("summary") or site.item.text("summary"),
        doc=node.text("description") or site.item.text("description"),
        tags=tuple(tag.value for tag in node.child("tags").items() if isinstance(tag.value, str)),
        deprecated=reading.flag(node, "deprecated"),
        idempotency=idempotency,
        binding=binding,
        transcoding=_read_transcoding(reading, node, parameters),
        location=node.location,
        extensions=extensions_of(node.members()),
    )


def _read_transcoding(reading: Reading, node: Node, parameters: tuple[Parameter, ...]) -> Transcoding | None:
    """The `x-grpc-*` keys; None when the operation fronts no RPC."""
    if not node.has("x-grpc-method"):
        for key in node.value:
            if key.startswith("x-grpc-"):
                reading.diagnostics.error(
                    "openapi/grpc",
                    f"`{key}` needs `x-grpc-method` beside it",
                    node.child(key).location,
                    hint="say which RPC it fronts: `x-grpc-method: package.Service/Method`",
                )
        return None
    rpc = node.text("x-grpc-method")
    if not re.fullmatch(r"[A-Za-z_][\w.]*/[A-Za-z_]\w*", rpc):
        reading.unexpected(node, "x-grpc-method", "a full method name: `checkout.v1.CheckoutService/StartCheckout`")
        return None
    for key in ("x-grpc-body", "x-grpc-response-body"):
        if node.has(key) and not node.text(key):
            reading.unexpected(node, key, "the name of a field")
    if node.has("x-grpc-set") and not isinstance(node.value["x-grpc-set"], dict):
        reading.unexpected(node, "x-grpc-set", "an object: values by the names of fields")
    renamed = [(p, p.extensions["x-grpc-field"]) for p in parameters if "x-grpc-field" in p.extensions]
    for parameter, field in renamed:
        if not isinstance(field, str):
            reading.diagnostics.error(
                "openapi/shape",
                "`x-grpc-field` must be the name of a field",
                parameter.location,
                hint="write such as `x-grpc-field: order_id`",
            )
    return Transcoding(
        rpc=rpc,
        parameter_fields=tuple((p.name, field) for p, field in renamed if isinstance(field, str)),
        body_field=node.text("x-grpc-body") or None,
        response_field=node.text("x-grpc-response-body") or None,
        constants=tuple((key, value.value) for key, value in node.child("x-grpc-set").members()),
        location=node.child("x-grpc-method").location,
    )
