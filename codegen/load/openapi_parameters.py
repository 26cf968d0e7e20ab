"""Parameters and headers, their serialisation defaults filled in (OpenAPI 3.1 sections 4.8.12 and 4.8.21)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codegen.load.documents import Node
from codegen.load.fields import extensions_of
from codegen.load.openapi_reading import Reading, component, examples
from codegen.model.services import Header, Parameter, ParameterPlace
from codegen.model.types import ANY, Type

_STYLES = {
    ParameterPlace.PATH: ("simple", "label", "matrix"),
    ParameterPlace.QUERY: ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    ParameterPlace.HEADER: ("simple",),
    ParameterPlace.COOKIE: ("form",),
}
"""Allowed styles; the first is the default."""

_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_IDEMPOTENCY_HEADERS = frozenset({"idempotency-key", "x-idempotency-key", "paypal-request-id"})
_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def read_parameters(reading: Reading, operation: str, shared: Node, own: Node) -> tuple[Parameter, ...]:
    """Those of the path item, overridden by those of the operation (section 4.8.9)."""
    merged = {(p.name, p.place): p for p in _read_list(reading, operation, shared)}
    merged |= {(p.name, p.place): p for p in _read_list(reading, operation, own)}
    return tuple(merged.values())


def _read_list(reading: Reading, operation: str, node: Node) -> Iterable[Parameter]:
    if node.value is not None and not isinstance(node.value, list):
        reading.diagnostics.error(
            "openapi/shape",
            "`parameters` must be a list",
            node.location,
            hint="write each parameter as an item: `- name: ...`",
        )
    seen: dict[tuple[str, ParameterPlace], Parameter] = {}
    for item in node.items():
        parameter = _read_parameter(reading, operation, item)
        if parameter is None:
            continue
        key = (parameter.name, parameter.place)
        if key in seen:
            reading.diagnostics.error(
                "openapi/duplicate-parameter",
                f"the {parameter.place.value} parameter `{parameter.name}` is declared twice",
                item.location,
                related=(seen[key].location,),
                hint="remove one of the two",
            )
        seen[key] = parameter
    return seen.values()


def _read_parameter(reading: Reading, operation: str, item: Node) -> Parameter | None:
    node = reading.object(item, "parameter")
    if node is None:
        return None
    name, place = node.text("name"), node.text("in")
    if not name:
        reading.unexpected(node, "name", "the name of the parameter")
        return None
    if place not in {known.value for known in ParameterPlace}:
        reading.unexpected(node, "in", "path, query, header or cookie")
        return None
    where = ParameterPlace(place)
    if where is ParameterPlace.HEADER and name.lower() in _IGNORED_HEADERS:
        reading.diagnostics.warning(
            "openapi/ignored-parameter",
            f"a header parameter `{name}` is ignored in OpenAPI",
            node.location,
            hint="describe it by the content, or by a security scheme",
        )
        return None
    return _build(reading, operation, node, name, where)


def _build(reading: Reading, operation: str, node: Node, name: str, place: ParameterPlace) -> Parameter:
    key = component(node, "parameters")
    value_type, media_type = _value_type(reading, node, (key, "parameter") if key else (operation, name))
    style, explode = _serialisation(reading, node, name, place)
    schema = reading.documents.follow(node.child("schema")) if node.has("schema") else None
    has_default = schema is not None and schema.has("default")
    return Parameter(
        name=name,
        place=place,
        type=value_type,
        required=_required(reading, node, name, place),
        style="content" if media_type else style,
        explode=explode,
        allow_reserved=reading.flag(node, "allowReserved"),
        media_type=media_type,
        doc=node.text("description"),
        deprecated=reading.flag(node, "deprecated"),
        default=schema.value["default"] if schema is not None and has_default else None,
        has_default=has_default,
        examples=examples(reading, node),
        location=node.location,
        extensions=extensions_of(node.members()),
    )


def _required(reading: Reading, node: Node, name: str, place: ParameterPlace) -> bool:
    required = reading.flag(node, "required")
    if place is ParameterPlace.PATH and not required:
        reading.diagnostics.warning(
            "openapi/path-parameter",
            f"the path parameter `{name}` must say `required: true`",
            node.location,
            hint="add `required: true`",
        )
        return True
    return required


def _serialisation(reading: Reading, node: Node, name: str, place: ParameterPlace) -> tuple[str, bool]:
    allowed = _STYLES[place]
    style = node.value.get("style", allowed[0])
    if style not in allowed:
        reading.diagnostics.error(
            "openapi/style",
            f"the style of the {place.value} parameter `{name}` must be " + " or ".join(allowed),
            node.child("style").location,
            hint="write one of these, or leave `style` out",
        )
        style = allowed[0]
    return style, reading.flag(node, "explode", style == "form")


def _value_type(reading: Reading, node: Node, name: tuple[str, ...]) -> tuple[Type, str | None]:
    """The type, and the media type when `content` describes the value."""
    if node.has("schema"):
        return reading.schemas.type_of(node.child("schema"), name), None
    content = dict(node.child("content").members())
    if len(content) > 1:
        reading.diagnostics.error(
            "openapi/parameter-content",
            "`content` of a parameter must have one media type",
            node.child("content").location,
            hint="keep one media type, such as `application/json`",
        )
    for media_type, described in content.items():
        target = reading.object(described, "media type")
        if target is None or not target.has("schema"):
            return ANY, media_type
        return reading.schemas.type_of(target.child("schema"), name), media_type
    reading.diagnostics.warning(
        "openapi/no-schema",
        "neither `schema` nor `content`: any value is accepted",
        node.location,
        hint="add a `schema`",
    )
    return ANY, None


def read_headers(reading: Reading, owner: tuple[str, ...], node: Node) -> tuple[Header, ...]:
    """The `headers` of a response or of an encoding."""
    found = []
    for name, item in node.members():
        header = reading.object(item, "header")
        if header is None or name.lower() == "content-type":
            continue
        key = component(header, "headers")
        value_type, _ = _value_type(reading, header, (key, "header") if key else (*owner, name))
        found.append(
            Header(
                name=name,
                type=value_type,
                required=reading.flag(header, "required"),
                doc=header.text("description"),
                deprecated=reading.flag(header, "deprecated"),
                location=header.location,
            )
        )
    return tuple(found)


def idempotency_header(parameters: Iterable[Parameter]) -> str | None:
    """The name of the header that carries an idempotency key: well known, or marked `x-idempotency-key: true`."""
    for parameter in parameters:
        marked = parameter.extensions.get("x-idempotency-key") is True
        if parameter.place is ParameterPlace.HEADER and (marked or parameter.name.lower() in _IDEMPOTENCY_HEADERS):
            return parameter.name
    return None


def check_template(reading: Reading, path: str, parameters: Iterable[Parameter], where: Node) -> bool:
    """Whether the path's variables and the declared path parameters are the same; reported when not."""
    declared = {p.name: p for p in parameters if p.place is ParameterPlace.PATH}
    variables = _TEMPLATE.findall(path)
    for variable in dict.fromkeys(variables):
        if variables.count(variable) > 1:
            reading.diagnostics.error(
                "openapi/path-parameter",
                f"`{{{variable}}}` stands twice in `{path}`",
                where.location,
                hint="rename one of the two",
            )
        if variable not in declared:
            reading.diagnostics.error(
                "openapi/path-parameter",
                f"`{{{variable}}}` of `{path}` is not declared",
                where.location,
                hint=f"add a parameter `{variable}` with `in: path`",
            )
    for name, parameter in declared.items():
        if name not in variables:
            reading.diagnostics.error(
                "openapi/path-parameter",
                f"the path parameter `{name}` is not in `{path}`",
                parameter.location,
                hint=f"add `{{{name}}}` to the path, or correct the name",
            )
    return set(variables) == set(declared) and len(set(variables)) == len(variables)
