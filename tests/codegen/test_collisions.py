"""Two elements of a contract that would have one name are an error, with both places, until the settings rename one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generating import generated

SCHEMAS = """
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {operationId: getOrder, responses: {'204': {description: Done.}}}}
  /b: {get: {operationId: readOrder, responses: {'204': {description: Done.}}}}
components:
  schemas:
    OrderItem: {type: object, properties: {a: {type: string}}}
    OrderLine: {type: object, properties: {a: {type: string}}}
"""


@pytest.mark.parametrize(("before", "after", "line"), [("OrderLine", "order_item", 10), ("readOrder", "get_order", 6)])
def test_what_the_contract_names_alike_is_an_error(tmp_path: Path, before: str, after: str, line: int) -> None:
    _, diagnostics = generated(tmp_path / "plain", {"openapi.yaml": SCHEMAS})
    assert not list(diagnostics)
    _, diagnostics = generated(tmp_path / "alike", {"openapi.yaml": SCHEMAS.replace(before, after)})
    (found,) = diagnostics.errors
    assert (found.rule, found.location.line) == ("names/collision", line)
    assert found.related and found.hint


def test_members_that_would_be_alike_keep_their_own_spelling_and_it_is_said(tmp_path: Path) -> None:
    text = SCHEMAS.replace("{a: {type: string}}", "{a-b: {type: string}, a_b: {type: string}}", 1)
    source, diagnostics = generated(tmp_path, {"openapi.yaml": text})
    assert [(d.rule, d.location.line) for d in diagnostics] == [("names/respelled", 9)]
    models = (source / "made/http/models.py").read_text()
    assert " a_b: " in models and " a_minus_b: " in models
