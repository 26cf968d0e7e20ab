"""OpenAPI documents -> fragments."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.diagnostics import Diagnostics, Severity
from codegen.load.documents import Documents
from codegen.load.openapi import load_openapi
from codegen.load.schemas import SchemaReader
from codegen.model.graph import Fragment
from codegen.model.services import HttpBinding, HttpRole, Idempotency, Operation, ParameterPlace

HEAD = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"


class Loading:
    """Loads contract text below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.diagnostics = Diagnostics()

    def __call__(self, text: str, head: str = HEAD, **others: str) -> Fragment:
        (self._folder / "api.yaml").write_text(head + text, encoding="utf-8")
        for name, content in others.items():
            (self._folder / f"{name}.yaml").write_text(content, encoding="utf-8")
        documents = Documents(self._folder, self.diagnostics)
        document = documents.load("api.yaml")
        assert document is not None, list(self.diagnostics)
        schemas = SchemaReader(documents, self.diagnostics)
        fragment = load_openapi(document, documents, schemas, self.diagnostics)
        self.declarations = schemas.finish()
        return fragment

    def rules(self, severity: Severity = Severity.ERROR) -> list[tuple[str, int]]:
        """(rule, line) of the complaints."""
        return [(d.rule, d.location.line) for d in self.diagnostics if d.severity is severity]


@pytest.fixture
def load(tmp_path: Path) -> Loading:
    return Loading(tmp_path)


def binding(fragment: Fragment, name: str) -> HttpBinding:
    found = operation(fragment, name).binding
    assert isinstance(found, HttpBinding)
    return found


def operation(fragment: Fragment, name: str) -> Operation:
    return next(o for o in fragment.operations if o.name == name)


def test_parameters_of_the_path_are_merged_and_have_their_style_defaults(load: Loading) -> None:
    fragment = load("""
paths:
  /a/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: q, in: query, schema: {type: string}}
    get:
      operationId: a
      parameters:
        - {name: q, in: query, required: true, schema: {type: array, items: {type: string}}}
        - {name: H, in: header, schema: {type: string}}
        - {name: c, in: cookie, schema: {type: string}}
        - {name: d, in: query, style: deepObject, schema: {type: object}}
        - {name: j, in: query, content: {application/json: {schema: {type: object}}}}
      responses: {'200': {description: x}}
""")
    found = [(p.name, p.place, p.required, p.style, p.explode, p.media_type) for p in binding(fragment, "a").parameters]
    query = ParameterPlace.QUERY
    assert found == [
        ("id", ParameterPlace.PATH, True, "simple", False, None),
        ("q", query, True, "form", True, None),
        ("H", ParameterPlace.HEADER, False, "simple", False, None),
        ("c", ParameterPlace.COOKIE, False, "form", True, None),
        ("d", query, False, "deepObject", False, None),
        ("j", query, False, "content", True, "application/json"),
    ]
    assert not load.rules()


def test_webhooks_callbacks_and_links_are_operations_and_their_targets(load: Loading) -> None:
    fragment = load("""
webhooks:
  newPet: {post: {responses: {'200': {description: x}}}}
paths:
  /subscribe:
    post:
      operationId: subscribe
      responses:
        '201':
          description: x
          links:
            byId: {operationId: read}
            byRef: {operationRef: '#/paths/~1read~1{id}/get', parameters: {id: $response.body#/id}}
      callbacks:
        onData: {'{$request.query.url}/data': {post: {responses: {'202': {description: x}}}}}
  /read/{id}:
    get:
      operationId: read
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: x}}
""")
    assert not load.rules()
    roles = {o.name: o.binding.role for o in fragment.operations if isinstance(o.binding, HttpBinding)}
    assert roles == {
        "newPet": HttpRole.WEBHOOK,
        "subscribe": HttpRole.ENDPOINT,
        "subscribe_onData": HttpRole.CALLBACK,
        "read": HttpRole.ENDPOINT,
    }
    subscribe = binding(fragment, "subscribe")
    assert subscribe.callbacks == (operation(fragment, "subscribe_onData").id,)
    links = subscribe.responses[0].links
    assert [link.operation for link in links] == [operation(fragment, "read").id] * 2
    assert binding(fragment, "subscribe_onData").path == "{$request.query.url}/data"


def test_a_callback_without_operation_id_keeps_its_own_address(load: Loading) -> None:
    fragment = load("paths:\n  /a: {get: {responses: {}}}\n")
    found = operation(fragment, "get_a")
    assert not found.named_by_contract
    assert (found.id, found.location.line) == ("api.yaml#/paths/~1a/get", 4)


def test_security_is_filled_in_overridden_and_anonymous(load: Loading) -> None:
    fragment = load("""
security: [{key: []}]
paths:
  /a: {get: {operationId: default, responses: {}}}
  /b: {get: {operationId: open, security: [], responses: {}}}
  /c: {get: {operationId: either, security: [{key: [], auth: [read]}, {}], responses: {}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    auth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {read: r}}}}
""")
    uses = {
        o.name: [[(u.scheme, u.scopes) for u in r] for r in o.binding.security]
        for o in fragment.operations
        if isinstance(o.binding, HttpBinding)
    }
    assert uses == {"default": [[("key", ())]], "open": [[]], "either": [[("key", ()), ("auth", ("read",))], []]}
    assert [s.kind for s in fragment.services[0].security_schemes] == ["apiKey", "oauth2"]


def test_repeating_is_judged_by_method_and_key_header(load: Loading) -> None:
    fragment = load("""
paths:
  /a:
    get: {operationId: safe, responses: {}}
    put: {operationId: idempotent, responses: {}}
    post:
      operationId: keyed
      parameters: [{name: paypal-request-id, in: header, schema: {type: string}}]
      responses: {}
    patch:
      operationId: marked
      parameters: [{name: X-Once, in: header, x-idempotency-key: true, schema: {type: string}}]
      responses: {}
  /b: {post: {operationId: unknown, responses: {}}}
""")
    assert {o.name: o.idempotency for o in fragment.operations} == {
        "safe": Idempotency.SAFE,
        "idempotent": Idempotency.IDEMPOTENT,
        "keyed": Idempotency.BY_KEY,
        "marked": Idempotency.BY_KEY,
        "unknown": Idempotency.UNKNOWN,
    }
    assert binding(fragment, "marked").idempotency_header == "X-Once"


def test_grpc_keys_become_the_transcoding(load: Loading) -> None:
    fragment = load("""
paths:
  /a/{id}:
    get:
      operationId: a
      x-grpc-method: p.v1.S/Get
      x-grpc-body: payload
      x-grpc-response-body: item
      x-grpc-set: {kind: A}
      parameters: [{name: id, in: path, required: true, x-grpc-field: item_id, schema: {type: string}}]
      responses: {}
""")
    found = operation(fragment, "a").transcoding
    assert found is not None
    assert (found.rpc, found.parameter_fields, found.body_field, found.response_field, found.constants) == (
        "p.v1.S/Get",
        (("id", "item_id"),),
        "payload",
        "item",
        (("kind", "A"),),
    )


def test_servers_have_variables_at_every_level(load: Loading) -> None:
    fragment = load("""
servers: [{url: 'https://{r}.x/{v}', variables: {r: {default: eu, enum: [eu, us]}, v: {default: 1}}}]
paths:
  /a:
    servers: [{url: https://path}]
    get: {operationId: by_path, responses: {}}
    put: {operationId: by_operation, servers: [{url: https://own}], responses: {}}
""")
    server = fragment.services[0].servers[0]
    assert [(v.name, v.default, v.values) for v in server.variables] == [("r", "eu", ("eu", "us")), ("v", "1", ())]
    assert [s.url for s in binding(fragment, "by_path").servers] == ["https://path"]
    assert [s.url for s in binding(fragment, "by_operation").servers] == ["https://own"]


def test_inline_schemas_are_called_by_the_operation_and_equal_ones_once(load: Loading) -> None:
    load("""
paths:
  /a:
    post:
      operationId: make
      parameters: [{name: kind, in: query, schema: {type: string, enum: [a, b]}}]
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {a: {type: string}}}}
          multipart/form-data: {schema: {type: object, properties: {a: {type: string}}}}
      responses:
        '200': {description: x, content: {application/json: {schema: {type: object, properties: {b: {type: string}}}}}}
        '400': {description: x, content: {application/json: {schema: {type: object, properties: {c: {type: string}}}}}}
        '500': {$ref: '#/components/responses/Broken'}
components:
  responses:
    Broken: {description: x, content: {application/json: {schema: {type: object, properties: {d: {type: string}}}}}}
""")
    assert [d.name for d in load.declarations.values()] == [
        ("make", "kind"),
        ("make", "request"),
        ("make", "response"),
        ("make", "response", "400"),
        ("Broken", "response"),
    ]


def test_a_path_item_may_stand_in_another_file(load: Loading) -> None:
    fragment = load(
        "paths: {/a: {$ref: 'other.yaml#/items/a'}}\n",
        other="""
items: {a: {get: {operationId: a, responses: {'200': {$ref: '#/answers/ok'}}}}}
answers: {ok: {description: x}}
""",
    )
    found = operation(fragment, "a")
    assert (found.id, found.location.path) == ("api.yaml#/paths/~1a/get", "other.yaml")
    assert fragment.contract.depends_on == ("other.yaml",)
    assert not load.rules()


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ("swagger: '2.0'\ninfo: {title: T, version: '1'}\n", "openapi/version"),
        ("openapi: 4.0.0\ninfo: {title: T, version: '1'}\n", "openapi/version"),
        ("openapi: 3.1.0\ninfo: {title: T}\n", "openapi/info"),
    ],
)
def test_a_document_that_cannot_be_read_is_one_error(load: Loading, head: str, rule: str) -> None:
    load("paths: {}\n", head)
    assert [found for found, _ in load.rules()] == [rule]


def test_a_later_version_is_read_with_a_warning(load: Loading) -> None:
    fragment = load(
        "paths: {/a: {get: {operationId: a, responses: {}}}}\n", "openapi: 3.2.0\ninfo: {title: T, version: '1'}\n"
    )
    assert [o.name for o in fragment.operations] == ["a"]
    assert load.rules(Severity.WARNING) == [("openapi/version", 1)]


PATH = "parameters: [{name: id, in: path, required: true, schema: {type: string}}]"
EQUAL = (
    f"  /a/{{id}}: {{get: {{operationId: x, {PATH}, responses: {{}}}}}}\n"
    f"  /a/{{b}}: {{get: {{operationId: y, {PATH.replace('id', 'b')}, responses: {{}}}}}}"
)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (
            "  /a: {get: {operationId: x, responses: {}}}\n  /b: {get: {operationId: x, responses: {}}}",
            "openapi/duplicate-operation",
            5,
        ),
        ("  /a/{id}: {get: {operationId: x, responses: {}}}", "openapi/path-parameter", 4),
        (f"  /a: {{get: {{operationId: x, {PATH}, responses: {{}}}}}}", "openapi/path-parameter", 4),
        (f"  /a/{{id}}/{{id}}: {{get: {{operationId: x, {PATH}, responses: {{}}}}}}", "openapi/path-parameter", 4),
        ("  a: {get: {operationId: x, responses: {}}}", "openapi/path", 4),
        ("  /a: {get: {operationId: x, responses: {'2000': {description: x}}}}", "openapi/status", 4),
        ("  /a: {get: {operationId: x, security: [{no: []}], responses: {}}}", "openapi/security", 4),
        ("  /a: {get: {operationId: x, parameters: [{name: a, in: body}], responses: {}}}", "openapi/shape", 4),
        (
            " /a: {get: {operationId: x, parameters: [{name: a, in: query, style: label, schema: {}}], responses: {}}}",
            "openapi/style",
            4,
        ),
        (
            "  /a: {get: {operationId: x, responses: {'200': {description: x, links: {l: {operationId: no}}}}}}",
            "openapi/link",
            4,
        ),
        ("  /a: {get: {operationId: x, x-grpc-body: a, responses: {}}}", "openapi/grpc", 4),
        ("  /a: {get: {operationId: x, x-grpc-method: p.S/M, x-grpc-body: 5, responses: {}}}", "openapi/shape", 4),
        ("  /a: {get: {operationId: x, x-grpc-method: p.S/M, x-grpc-set: a, responses: {}}}", "openapi/shape", 4),
        (
            "  /a: {get: {x-grpc-method: p.S/M, parameters: [{name: a, in: query, x-grpc-field: 5, schema: {}}]}}",
            "openapi/shape",
            4,
        ),
        ("  /a: {get: {operationId: x, responses: {'200': {$ref: '#/no'}}}}", "document/missing-ref", 4),
        (EQUAL, "openapi/equal-paths", 5),
    ],
)
def test_a_mistake_is_an_error_at_its_place(load: Loading, text: str, rule: str, line: int) -> None:
    load(f"paths:\n{text}\n")
    assert load.rules() == [(rule, line)]


@pytest.mark.parametrize("section", ["paths: 5", "webhooks: [a]", "servers: {}", "components: {schemas: true}"])
def test_a_section_of_another_shape_is_not_passed_over_in_silence(load: Loading, section: str) -> None:
    load(f"{section}\n")
    assert load.rules() == [("openapi/shape", 3)]


def test_one_bad_operation_does_not_stop_the_others(load: Loading) -> None:
    fragment = load("paths:\n  /a: {get: 7, put: {operationId: b, responses: {}}}\n  /c: nothing\n")
    assert [o.name for o in fragment.operations] == ["b"]
    assert [rule for rule, _ in load.rules()] == ["openapi/shape", "openapi/shape"]


def test_a_misspelled_field_is_a_warning_with_a_hint(load: Loading) -> None:
    load("paths: {/a: {get: {operationID: a, responses: {}}}}\n")
    found = [d for d in load.diagnostics if d.severity is Severity.WARNING]
    assert [(d.rule, d.hint) for d in found] == [("openapi/unknown-field", "did you mean `operationId`?")]
