"""What each HTTP operation becomes in Python: names of methods and arguments, kinds of results, pagination.

Decided once; client, server and front are written from it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.services import (
    Body,
    HttpBinding,
    HttpRole,
    MediaType,
    Operation,
    Parameter,
    ParameterPlace,
    Response,
    Service,
)
from codegen.model.types import Alias, Field, ListOf, Nullable, Primitive, Record, Reference, Scalar, Type
from codegen.targets.python.names import Namespace, distinct, exact, snake, spelled
from codegen.targets.python.records import attribute_names

_RESERVED_METHODS = frozenset(
    {"raw", "aclose", "list", "dict", "tuple", "set", "str", "int", "bool", "float", "bytes", "type", "object"}
)
"""Taken by the client itself, or used in the annotations of the methods after it."""
_RESERVED_ARGUMENTS = frozenset(
    {"self", "body", "options", "content_type", "context", "url", "operations", "cast", "partial"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A parameter with its Python name."""

    parameter: Parameter
    name: str
    is_key: bool
    """Carries the idempotency key: clients fill it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """How the pages of a listing are joined. `kind`: token, offset, number or link."""

    kind: str
    item: Type
    items_attribute: str | None
    """None: the page itself is the list."""
    argument: str = ""
    token_attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One operation, ready to be written."""

    operation: Operation
    binding: HttpBinding
    method: str
    constant: str
    arguments: tuple[Argument, ...]
    results: tuple[Type | None, ...]
    """Types of the successes that are read as a whole, each once; None for one without a body."""
    text_result: bool
    events: tuple[Type | None] | None
    """The data type of server-sent events, in a tuple since it may be unknown."""
    binary: bool
    pagination: Pagination | None = None

    @property
    def unary(self) -> bool:
        """Whether some success is read as a whole."""
        return bool(self.results) or self.text_result or (self.events is None and not self.binary)

    @property
    def body(self) -> Body | None:
        return self.binding.body


def media_kind(media_type: str) -> str:
    """`json`, `form`, `multipart`, `events`, `text` or `bytes`."""
    bare = media_type.partition(";")[0].strip().lower()
    if bare == "application/json" or bare.endswith("+json") or bare in ("*/*", "text/json"):
        return "json"
    if bare == "application/x-www-form-urlencoded":
        return "form"
    if bare.startswith("multipart/"):
        return "multipart"
    if bare == "text/event-stream":
        return "events"
    return "text" if bare.startswith("text/") else "bytes"


def successes(binding: HttpBinding) -> tuple[Response, ...]:
    """Responses that are no error: 2xx and 3xx; `default` when none of these is declared."""
    named = tuple(r for r in binding.responses if r.status[0] in "23")
    return named or tuple(r for r in binding.responses if r.status == "default")


def plan_operations(graph: Graph, service: Service, diagnostics: Diagnostics) -> tuple[Plan, ...]:
    """Every HTTP operation of the service that can be expressed; the others are reported."""
    names = Namespace(f"the client of {service.id}", diagnostics)
    plans = []
    operations = tuple(graph.http_operations(service))
    methods = distinct({operation.id: _method_names(operation) for operation in operations}, _RESERVED_METHODS)
    for operation in operations:
        method, binding = methods[operation.id], operation.binding
        if (
            isinstance(binding, HttpBinding)
            and names.claim(method, operation.name, operation.location)
            and (_expressible(operation, binding, diagnostics))
        ):
            plans.append(_plan(graph, operation, binding, method, diagnostics))
    constants = distinct({plan.method: (plan.constant, plan.method) for plan in plans})
    return tuple(
        replace(_with_free_iterator(plan, names, diagnostics), constant=constants[plan.method]) for plan in plans
    )


def iterator_name(plan: Plan) -> str:
    """The method that joins the pages of a listing."""
    return f"iter_{plan.method.rstrip('_')}"


def _with_free_iterator(plan: Plan, names: Namespace, diagnostics: Diagnostics) -> Plan:
    if plan.pagination is None or iterator_name(plan) not in names:
        return plan
    diagnostics.warning(
        "http/no-item-iterator",
        f"no iterator over the items of {plan.operation.name}: another operation is called {iterator_name(plan)}",
        plan.operation.location,
        hint="rename the other operation, or loop over the pages yourself",
    )
    return replace(plan, pagination=None)


def _method_names(operation: Operation) -> tuple[str, ...]:
    """What a contract names has one spelling: two that are alike are its mistake. Derived names may be spelled out."""
    name = operation.name
    return (snake(name),) if operation.named_by_contract else (snake(name), snake(spelled(name)), exact(name))


def _offered(binding: HttpBinding, operation: Operation, diagnostics: Diagnostics) -> HttpBinding:
    """The binding without the representations that JSON, which is there too, makes needless."""
    body = binding.body
    if body is not None:
        body = replace(body, content=_chosen(body.content, operation, "the body", diagnostics))
    responses = tuple(
        replace(r, content=_chosen(r.content, operation, f"the {r.status} response", diagnostics))
        for r in binding.responses
    )
    return replace(binding, body=body, responses=responses)


def _chosen(
    content: tuple[MediaType, ...], operation: Operation, what: str, diagnostics: Diagnostics
) -> tuple[MediaType, ...]:
    if not any(media_kind(media.name) == "json" and media.name != "*/*" for media in content):
        return content
    kept = []
    for media in content:
        if media_kind(media.name) in ("bytes", "text") and _XML.search(media.name):
            diagnostics.unsupported(
                "http/media-type",
                f"{what} of {operation.name} is spoken as JSON, not as `{media.name}`",
                media.location,
                hint="offer `application/json` as well",
            )
        else:
            kept.append(media)
    return tuple(kept)


def _constant(method: str) -> str:
    name = method.rstrip("_").upper()
    return f"{name}_" if name == "SCHEMES" else name


def _expressible(operation: Operation, binding: HttpBinding, diagnostics: Diagnostics) -> bool:
    for parameter in binding.parameters:
        if parameter.place is ParameterPlace.HEADER and not re.fullmatch(
            r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", parameter.name
        ):
            diagnostics.unsupported(
                "http/header-name",
                f"`{parameter.name}` cannot be the name of a header: {operation.name} is left out",
                parameter.location,
                hint="use letters, digits and `-`: RFC 9110, section 5.1",
            )
            return False
    variables = re.findall(r"\{([^{}]*)\}", binding.path) if binding.role is HttpRole.ENDPOINT else []
    declared = {p.name for p in binding.parameters if p.place is ParameterPlace.PATH}
    if set(variables) != declared and binding.role is HttpRole.ENDPOINT:
        diagnostics.unsupported(
            "http/path",
            f"the path parameters of {operation.name} do not fit its path: it is left out",
            operation.location,
            hint="declare each `{name}` of the path once, as a parameter with `in: path`",
        )
        return False
    return True


def _plan(graph: Graph, operation: Operation, binding: HttpBinding, method: str, diagnostics: Diagnostics) -> Plan:
    binding = _offered(binding, operation, diagnostics)
    results: dict[Type | None, None] = {}
    text_result, binary = False, False
    events: tuple[Type | None] | None = None
    for response in successes(binding):
        if not response.content:
            results[None] = None
        for media in response.content:
            kind = media_kind(media.name)
            if kind == "json":
                results[media.type or Scalar(primitive=Primitive.ANY)] = None
            elif kind == "events":
                events = (media.type,)
            elif kind == "text":
                text_result = True
            else:
                binary = True
    if set(results) == {None} and (events or binary) and not text_result:
        results = {}
    arguments = _arguments(binding, operation, diagnostics)
    plan = Plan(
        operation=operation,
        binding=binding,
        method=method,
        constant=_constant(method),
        arguments=arguments,
        results=tuple(results),
        text_result=text_result,
        events=events,
        binary=binary,
    )
    pagination = _pagination(graph, plan)
    return plan if pagination is None else replace(plan, pagination=pagination)


def _arguments(binding: HttpBinding, operation: Operation, diagnostics: Diagnostics) -> tuple[Argument, ...]:
    names = Namespace(f"the arguments of {operation.name}", diagnostics)
    times = Counter(parameter.name for parameter in binding.parameters)
    chosen = distinct(
        {
            i: _argument_names(parameter, shared=times[parameter.name] > 1)
            for i, parameter in enumerate(binding.parameters)
        }
    )
    found = []
    for i, parameter in enumerate(binding.parameters):
        name = chosen[i]
        if names.claim(name, f"{parameter.place.value} {parameter.name}", parameter.location):
            is_key = parameter.place is ParameterPlace.HEADER and parameter.name == binding.idempotency_header
            found.append(Argument(parameter=parameter, name=name, is_key=is_key))
    return tuple(found)


def _argument_names(parameter: Parameter, *, shared: bool) -> tuple[str, ...]:
    """`shared`: a parameter of another place has the same name; that of the path keeps it."""
    name, place, in_path = snake(parameter.name), parameter.place.value, parameter.place is ParameterPlace.PATH
    if shared and not in_path:
        name = f"{place}_{name}"
    placed = name if in_path else f"{name.rstrip('_')}_{place}"
    found = [
        each
        for each in (name, placed, snake(spelled(parameter.name)), exact(parameter.name))
        if each not in _RESERVED_ARGUMENTS
    ]
    return tuple(found) or (f"{name}_{place}",)


_XML = re.compile(r"(?i)[/+]xml\b")

# ---- pagination

_TOKENS = {
    "page_token": ("next_page_token",),
    "pageToken": ("nextPageToken",),
    "cursor": ("next_cursor", "nextCursor"),
    "next_token": ("next_token",),
    "nextToken": ("nextToken",),
    "continuation_token": ("next_continuation_token", "continuation_token"),
}
_ITEM_FIELDS = ("items", "data", "results", "entries", "records")
_LIMITS = frozenset({"limit", "page_size", "pageSize", "per_page", "perPage", "size"})


def _pagination(graph: Graph, plan: Plan) -> Pagination | None:
    """What can be inferred without doubt; None otherwise."""
    if plan.binding.method != "GET" or len(plan.results) != 1 or plan.results[0] is None or plan.text_result:
        return None
    page = resolved(graph, plan.results[0])
    queries = {a.parameter.name: a for a in plan.arguments if a.parameter.place is ParameterPlace.QUERY}
    if isinstance(page, ListOf):
        return _of_list(graph, plan, page, queries)
    if not isinstance(page, Record):
        return None
    attributes = attribute_names(page.fields, page.name[-1], Diagnostics())
    items = _items_field(graph, page)
    if items is None or items.name not in attributes:
        return None
    listed = resolved(graph, items.type)
    if not isinstance(listed, ListOf):
        return None
    fields = {field.name: field for field in page.fields}
    for parameter, candidates in _TOKENS.items():
        token = next((name for name in candidates if name in fields and name in attributes), None)
        if parameter in queries and token is not None and _is_text(graph, fields[token].type):
            return Pagination(
                kind="token",
                item=listed.item,
                items_attribute=attributes[items.name],
                argument=queries[parameter].name,
                token_attribute=attributes[token],
            )
    return _numbered(graph, queries, listed.item, attributes[items.name])


def _of_list(graph: Graph, plan: Plan, page: ListOf, queries: dict[str, Argument]) -> Pagination | None:
    for response in successes(plan.binding):
        if any(header.name.lower() == "link" for header in response.headers):
            return Pagination(kind="link", item=page.item, items_attribute=None)
    return _numbered(graph, queries, page.item, None)


def _numbered(graph: Graph, queries: dict[str, Argument], item: Type, attribute: str | None) -> Pagination | None:
    if not _LIMITS & queries.keys():
        return None
    for name, kind in (("offset", "offset"), ("page", "number")):
        if name in queries and _is_integer(graph, queries[name].parameter.type):
            return Pagination(kind=kind, item=item, items_attribute=attribute, argument=queries[name].name)
    return None


def _items_field(graph: Graph, page: Record) -> Field | None:
    lists = [field for field in page.fields if isinstance(resolved(graph, field.type), ListOf)]
    if len(lists) == 1:
        return lists[0]
    return next((field for field in lists if field.name in _ITEM_FIELDS), None)


def resolved(graph: Graph, type_: Type) -> Type | Record | None:
    """The type behind aliases and null: a record as its declaration, other declarations as None."""
    for _ in range(20):
        if isinstance(type_, Nullable):
            type_ = type_.inner
        elif isinstance(type_, Reference):
            declared = graph.declarations[type_.target]
            if isinstance(declared, Record):
                return declared
            if not isinstance(declared, Alias):
                return None
            type_ = declared.type
        else:
            return type_
    return None


def _is_text(graph: Graph, type_: Type) -> bool:
    found = resolved(graph, type_)
    return isinstance(found, Scalar) and found.primitive is Primitive.STRING


def _is_integer(graph: Graph, type_: Type) -> bool:
    found = resolved(graph, type_)
    return isinstance(found, Scalar) and found.primitive in (Primitive.INTEGER, Primitive.INT32, Primitive.INT64)


def of_role(plans: Iterable[Plan], role: HttpRole) -> tuple[Plan, ...]:
    """The plans of endpoints, webhooks or callbacks."""
    return tuple(plan for plan in plans if plan.binding.role is role)
