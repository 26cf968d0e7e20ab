"""Request bodies, responses and links (OpenAPI 3.1 sections 4.8.13 to 4.8.20)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codegen.load.documents import Node
from codegen.load.openapi_parameters import read_headers
from codegen.load.openapi_reading import Reading, component, examples
from codegen.model.ids import OperationId
from codegen.model.services import Body, Link, MediaType, PartEncoding, Response
from codegen.model.types import Type

_STATUS = re.compile(r"[1-5](?:\d\d|XX)|default")


def read_body(reading: Reading, operation: str, item: Node) -> Body | None:
    """A request body; None when the operation has none."""
    node = reading.object(item, "request body")
    if node is None:
        return None
    key = component(node, "requestBodies")
    content = _read_content(reading, (key or operation, "request"), node.child("content"))
    if not content:
        reading.diagnostics.warning(
            "openapi/no-content",
            "a request body without `content` is ignored",
            node.location,
            hint="say what is sent under `content`, by media type",
        )
        return None
    return Body(
        required=reading.flag(node, "required"), doc=node.text("description"), content=content, location=node.location
    )


def read_responses(
    reading: Reading, operation: str, node: Node, operations: Mapping[str, OperationId]
) -> tuple[Response, ...]:
    """All responses; inline schemas are named after the operation, all but the first success with the status."""
    statuses = [key for key, _ in node.members() if not key.startswith("x-")]
    first = next((s for s in statuses if s.startswith("2")), statuses[0] if statuses else "")
    found = []
    for status, item in node.members():
        if status.startswith("x-"):
            continue
        if not _STATUS.fullmatch(status):
            reading.diagnostics.error(
                "openapi/status",
                f"`{status}` is not a status: `200`, `4XX` or `default`",
                item.location,
                hint="write a status between 100 and 599, in quotes",
            )
            continue
        name = (operation, "response") if status == first else (operation, "response", status)
        response = _read_response(reading, status, name, item, operations)
        if response is not None:
            found.append(response)
    return tuple(found)


def _read_response(
    reading: Reading, status: str, name: tuple[str, ...], item: Node, operations: Mapping[str, OperationId]
) -> Response | None:
    node = reading.object(item, "response")
    if node is None:
        return None
    key = component(node, "responses")
    name = (key, "response") if key else name
    return Response(
        status=status,
        doc=node.text("description"),
        headers=read_headers(reading, name, node.child("headers")),
        content=_read_content(reading, name, node.child("content")),
        links=_read_links(reading, node, operations),
        location=node.location,
    )


def _read_content(reading: Reading, name: tuple[str, ...], node: Node) -> tuple[MediaType, ...]:
    """Media types with equal schemas share one type; of several inline ones all but the first carry the subtype."""
    found: list[MediaType] = []
    read: list[tuple[object, Type]] = []
    for media_type, item in node.members():
        described = reading.object(item, "media type")
        if described is None:
            continue
        schema = described.value.get("schema", described.value.get("itemSchema"))
        body_type = next((known for value, known in read if value == schema), None)
        if body_type is None and schema is not None:
            key = "schema" if described.has("schema") else "itemSchema"
            own_name = (*name, _subtype(media_type)) if read else name
            body_type = reading.schemas.type_of(described.child(key), own_name)
            read.append((schema, body_type))
        found.append(
            MediaType(
                name=media_type,
                type=body_type,
                examples=examples(reading, described),
                encodings=_read_encodings(reading, name, described.child("encoding")),
                location=item.location,
            )
        )
    return tuple(found)


def _subtype(media_type: str) -> str:
    return media_type.partition("/")[2].partition(";")[0].strip() or media_type


def _read_encodings(reading: Reading, name: tuple[str, ...], node: Node) -> tuple[PartEncoding, ...]:
    found = []
    for property_name, item in node.members():
        encoding = reading.object(item, "encoding")
        if encoding is None:
            continue
        explode = reading.flag(encoding, "explode") if encoding.has("explode") else None
        found.append(
            PartEncoding(
                property=property_name,
                content_type=encoding.text("contentType") or None,
                style=encoding.text("style") or None,
                explode=explode,
                headers=read_headers(reading, (*name, property_name), encoding.child("headers")),
            )
        )
    return tuple(found)


def _read_links(reading: Reading, response: Node, operations: Mapping[str, OperationId]) -> tuple[Link, ...]:
    found = []
    for name, item in response.child("links").members():
        node = reading.object(item, "link")
        if node is not None:
            found.append(
                Link(
                    name=name,
                    operation=_link_target(reading, name, node, operations),
                    parameters=tuple((key, value.value) for key, value in node.child("parameters").members()),
                    request_body=node.value.get("requestBody"),
                    doc=node.text("description"),
                    location=node.location,
                )
            )
    return tuple(found)


def _link_target(reading: Reading, name: str, node: Node, operations: Mapping[str, OperationId]) -> OperationId | None:
    operation_id, reference = node.text("operationId"), node.text("operationRef")
    if bool(operation_id) == bool(reference):
        reading.diagnostics.error(
            "openapi/link",
            f"the link `{name}` needs either `operationId` or `operationRef`",
            node.location,
            hint="write one of the two",
        )
        return None
    if operation_id:
        if operation_id not in operations:
            reading.diagnostics.error(
                "openapi/link",
                f"the link `{name}` leads to `{operation_id}`, which is no operation of this document",
                node.child("operationId").location,
                hint="correct the `operationId`, or refer to another document by `operationRef`",
            )
        return operations.get(operation_id)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", reference):
        reading.diagnostics.unsupported(
            "openapi/link",
            f"the link `{name}` leads to a remote document",
            node.child("operationRef").location,
            hint="copy the document into the contracts folder and refer to the copy",
        )
        return None
    target = reading.documents.resolve(reference, node.child("operationRef"))
    return OperationId(target.id) if target is not None else None
