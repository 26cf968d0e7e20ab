"""Where a contract offers JSON and XML of the same thing, generated code speaks JSON and the XML is reported."""

from __future__ import annotations

from pathlib import Path

from codegen.diagnostics import as_text
from tests.generating import generated

CONTRACT = """
openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200':
          description: It.
          content:
            application/json: {schema: {$ref: '#/components/schemas/Pet'}}
            application/xml: {schema: {$ref: '#/components/schemas/Pet'}}
  /report:
    get:
      operationId: getReport
      responses: {'200': {description: It., content: {application/xml: {schema: {type: object}}}}}
components:
  schemas:
    Pet: {type: object, properties: {name: {type: string}}}
"""


def test_xml_beside_json_is_reported_and_xml_alone_is_bytes(tmp_path: Path) -> None:
    source, diagnostics = generated(tmp_path, {"pets/openapi.yaml": CONTRACT})
    assert [(d.rule, d.location.line) for d in diagnostics] == [("http/media-type", 14)]
    client = (source / "made/pets/http/client.py").read_text()
    assert "get_pet_bytes" not in client
    assert "def get_report(" in client and "AsyncIterator[bytes]" in client


def test_parameters_whose_names_come_out_alike_are_told_apart(tmp_path: Path) -> None:
    """By their signs, their place, or their case; never by a number."""
    parameters = "".join(
        f"\n        - {{name: {name}, in: {place}, schema: {{type: string}}}}"
        for name, place in (
            ("at", "query"),
            ("'at<'", "query"),
            ("X-Trace", "header"),
            ("x_trace", "query"),
            ("operations", "query"),
        )
    )
    operations = (
        f"\n  /a:\n    get:\n      operationId: getUser\n      parameters:{parameters}\n      responses: "
        "{'204': {description: none}}"
    )
    source, diagnostics = generated(
        tmp_path, {"pets/openapi.yaml": f"openapi: 3.1.0\ninfo: {{title: Pets, version: '1'}}\npaths:{operations}\n"}
    )
    assert not diagnostics.errors, as_text(diagnostics)
    client = next(source.rglob("client.py")).read_text()
    for argument in ("at", "at_less", "x_trace_header", "x_trace_query", "operations_query"):
        assert f" {argument}: str | None = None" in client
