"""Contract files become plain values with positions; what cannot be read is said at its place."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.diagnostics import Diagnostic, Diagnostics
from codegen.load.documents import Documents, Node
from codegen.load.yaml_text import TextError, parse_yaml


def loaded(folder: Path, name: str, content: str | bytes, **options: Any) -> tuple[Documents, Any, list[Diagnostic]]:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    diagnostics = Diagnostics()
    documents = Documents(folder, diagnostics, **options)
    document = documents.load(name)
    return documents, document, list(diagnostics)


def only(found: list[Diagnostic]) -> tuple[str, int, int]:
    assert len(found) == 1, found
    return found[0].rule, found[0].location.line, found[0].location.column


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.yaml", "a: 1\nb: [\n", ("document/syntax", 3, 1)),
        ("a.yaml", "a:\n\tb: 1\n", ("document/syntax", 2, 1)),
        ("a.yaml", "a: 1\nb: 2\na: 3\n", ("document/duplicate-key", 3, 1)),
        ("a.yaml", "a: &x [*x]\n", ("document/cyclic-alias", 1, 4)),
        ("a.yaml", "base: &b {k: 1}\nc:\n  <<: *b\n", ("document/merge-key", 3, 3)),
        ("a.yaml", "? [a]\n: 1\n", ("document/key", 1, 3)),
        ("a.yaml", "a: 1\n---\nb: 2\n", ("document/syntax", 2, 1)),
        ("a.json", '{"a": 1,\n "a": 2}', ("document/duplicate-key", 2, 2)),
        ("a.json", '{"a": 1,}', ("document/syntax", 1, 9)),
        ("a.json", '{"a": NaN}', ("document/syntax", 1, 7)),
        ("a.yaml", b"a: 1\nb: \xff\xfe\n", ("document/encoding", 2, 4)),
    ],
)
def test_what_cannot_be_read_is_one_diagnostic_at_its_place(
    tmp_path: Path, name: str, content: str | bytes, expected: tuple[str, int, int]
) -> None:
    _, document, found = loaded(tmp_path, name, content)
    assert document is None
    assert only(found) == expected


def test_deeply_nested_documents_are_refused(tmp_path: Path) -> None:
    for name, content in (("a.json", "[" * 100_000 + "]" * 100_000), ("b.yaml", "a: " + "[" * 50_000 + "]" * 50_000)):
        _, document, found = loaded(tmp_path, name, content)
        assert document is None
        assert [each.rule for each in found] == ["document/too-deep"]


def test_a_file_over_the_limit_is_refused_without_reading_it(tmp_path: Path) -> None:
    _, document, found = loaded(tmp_path, "a.yaml", "a: " + "x" * 100, max_file_size=50)
    assert document is None
    assert only(found)[0] == "document/too-large"


def test_a_link_that_leads_out_of_the_contracts_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "secret.yaml"
    outside.write_text("a: 1")
    inside = tmp_path / "contracts"
    inside.mkdir()
    (inside / "a.yaml").symlink_to(outside)
    diagnostics = Diagnostics()
    assert Documents(inside, diagnostics).load("a.yaml") is None
    assert [each.rule for each in diagnostics] == ["document/outside"]


def test_scalars_are_resolved_by_the_yaml_1_2_core_schema() -> None:
    text = "[on, no, 1:30, 2020-01-01, 010, 0o17, 0x1F, 1e3, .5, ~, 'true', true, =, 1_000]"
    assert parse_yaml(text) == [
        "on",
        "no",
        "1:30",
        "2020-01-01",
        10,
        15,
        31,
        1000.0,
        0.5,
        None,
        "true",
        True,
        "=",
        "1_000",
    ]


def test_a_small_file_cannot_expand_without_bound() -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
    )
    with pytest.raises(TextError) as refused:
        parse_yaml(laughs)
    assert refused.value.rule == "document/too-large"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_json_text_reads_the_same_through_json_and_yaml(value: Any) -> None:
    text = json.dumps(value, allow_nan=False)
    try:
        parsed = parse_yaml(text)
    except TextError as problem:
        refused = problem.rule
    else:
        refused = "document/syntax" if parsed == json.loads(text) else "read otherwise"
    assert refused in ("document/merge-key", "document/syntax")


@given(st.dictionaries(st.text(min_size=1), st.lists(st.dictionaries(st.text(), st.integers()), max_size=3)))
def test_every_pointer_of_a_json_document_has_the_position_of_its_key(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    folder = tmp_path_factory.mktemp("positions")
    text = json.dumps(value, indent=2, ensure_ascii=False)
    documents, document, _ = loaded(folder, "a.json", text)
    lines = text.split("\n")

    def walk(node: Node) -> None:
        for key, child in node.members():
            place = child.location
            written = json.dumps(key, ensure_ascii=False)
            assert lines[place.line - 1][place.column - 1 :].startswith(written)
            walk(child)
        for item in node.items():
            walk(item)

    walk(documents.root_node(document))


def reference(folder: Path, text: str, **options: Any) -> tuple[Node | None, list[Diagnostic]]:
    documents, document, found = loaded(folder, "api/a.yaml", text, **options)
    assert not found
    diagnostics = documents._diagnostics
    node = documents.follow(documents.root_node(document).child("start"))
    return node, list(diagnostics)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("start: {$ref: '#/nowhere'}\n", "document/missing-ref"),
        ("start: {$ref: 'b.yaml'}\n", "document/missing-ref"),
        ("start: {$ref: '#/start'}\n", "document/cyclic-ref"),
        ("start: {$ref: '#/b'}\nb: {$ref: '#/start'}\n", "document/cyclic-ref"),
        ("start: {$ref: 'http://example.com/a.yaml'}\n", "document/remote-ref"),
        ("start: {$ref: '//example.com/a.yaml'}\n", "document/remote-ref"),
        ("start: {$ref: 'file:///etc/passwd'}\n", "document/remote-ref"),
        ("start: {$ref: '../../etc/passwd'}\n", "document/outside"),
        ("start: {$ref: '/etc/passwd'}\n", "document/outside"),
        ("start: {$ref: 7}\n", "document/bad-ref"),
    ],
)
def test_a_reference_that_leads_nowhere_is_said_where_it_stands(tmp_path: Path, text: str, rule: str) -> None:
    node, found = reference(tmp_path, text)
    assert node is None
    assert [(each.rule, each.location.path) for each in found] == [(rule, "api/a.yaml")]
    assert found[0].location.line >= 1


def test_a_misspelled_reference_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    _, found = reference(tmp_path, "start: {$ref: '#/schemas/Ordr'}\nschemas: {Order: {}, Cart: {}}\n")
    assert found[0].hint == "did you mean `Order`?"


def test_references_cross_files_and_unescape_pointers(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "b.yaml").write_text('"x/y ~z": {deep: [1, {k: found}]}\n')
    node, found = reference(tmp_path, "start: {$ref: '../common/b.yaml#/x~1y%20~0z/deep/1'}\n")
    assert not found
    assert node is not None and node.value == {"k": "found"}
    assert str(node.location) == "common/b.yaml:1:22"


def test_an_anchor_is_found_by_its_name(tmp_path: Path) -> None:
    node, _ = reference(tmp_path, "start: {$ref: '#here'}\na: {b: {$anchor: here, v: 1}}\n")
    assert node is not None and node.value["v"] == 1


@pytest.fixture
def remote() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{schema: {type: string}, other: {$ref: '#/schema'}}")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/a.yaml"
    server.shutdown()
    server.server_close()


def test_a_remote_reference_is_followed_when_the_settings_allow_it(tmp_path: Path, remote: str) -> None:
    node, found = reference(tmp_path, f"start: {{$ref: '{remote}#/other'}}\n", allow_remote=True)
    assert not found
    assert node is not None and node.value == {"type": "string"}


@pytest.mark.parametrize(
    "text",
    [
        "start: {$ref: '#/a'}\na: {$id: 'https://e.test/x', $defs: {y: {v: 1}}, $ref: '#/$defs/y'}\n",
        "start: {$ref: '#/m/payload/schema/p'}\nm: {payload: {schemaFormat: f,schema: {d: {v: 1},p: {$ref: '#/d'}}}}\n",
        "start: {$ref: 'https://e.test/x'}\nouter: {inner: {$id: 'https://e.test/x', v: 1}}\n",
        "start: {$ref: 'https://e.test/x#/$defs/y'}\no: {$id: 'https://e.test/x', $defs: {y: {v: 1}}}\n",
    ],
)
def test_a_schema_with_an_id_of_its_own_is_found_by_it_and_is_the_base_of_its_references(
    tmp_path: Path, text: str
) -> None:
    node, found = reference(tmp_path, text)
    assert not found
    assert node is not None and node.value["v"] == 1
