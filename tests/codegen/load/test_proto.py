"""What the proto loader makes of a contract: types, presence, comments, positions, and complaints with positions."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

import pytest

from codegen.diagnostics import Diagnostics, Severity
from codegen.load.proto import ProtoSet, load_protos
from codegen.model.services import GrpcBinding, Idempotency
from codegen.model.types import (
    ANY,
    Enum,
    Field,
    ListOf,
    MapOf,
    Nullable,
    Oneof,
    Presence,
    Primitive,
    Record,
    Reference,
    Scalar,
)

STRING = Scalar(primitive=Primitive.STRING)


def load(folder: Path, **files: str) -> tuple[ProtoSet, Diagnostics]:
    """Load files given as `name=text`; `__` in a name is a folder."""
    digests = {}
    for name, text in files.items():
        path = name.replace("__", "/") + ".proto"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        digests[path] = hashlib.sha256(text.encode()).hexdigest()
    diagnostics = Diagnostics()
    return load_protos(folder, sorted(digests), digests, diagnostics), diagnostics


def record(loaded: ProtoSet, name: str) -> Record:
    """The message of a full name."""
    return next(
        found
        for fragment in loaded.fragments
        for found in fragment.declarations
        if isinstance(found, Record) and found.id == name
    )


def fields(loaded: ProtoSet, name: str) -> dict[str, Field]:
    """The fields of a message by name."""
    return {field.name: field for field in record(loaded, name).fields}


def test_comments_and_positions_are_kept(tmp_path: Path) -> None:
    loaded, diagnostics = load(
        tmp_path,
        shop__v1__order="""syntax = "proto3";
package shop.v1;

// Detached.

// An order.
//   Indented.
message Order {
  // The id.
  string id = 1; // Never empty.
  Kind kind = 2;
  // buf:lint:ignore ENUM_VALUE_PREFIX
  // Kinds.
  enum Kind { NONE = 0;
    /* Big. */
    BIG = 1; }
}
/* Serves. */
service Orders {
  // Gets one.
  rpc Get(Order) returns (Order);
}
""",
    )
    assert not len(diagnostics)
    order = record(loaded, "shop.v1.Order")
    assert order.doc == "An order.\n  Indented."
    assert (order.location.path, order.location.line, order.location.column) == ("shop/v1/order.proto", 8, 1)
    identifier = order.fields[0]
    assert identifier.doc == "The id.\n\nNever empty."
    assert (identifier.location.line, identifier.location.column) == (10, 3)
    assert identifier.location.pointer == "shop.v1.Order.id"
    kind = loaded.fragments[0].declarations[1]
    assert isinstance(kind, Enum)
    assert (kind.name, kind.doc, kind.open) == (("Order", "Kind"), "Kinds.", True)
    assert [(value.name, value.value, value.doc) for value in kind.values] == [("NONE", 0, ""), ("BIG", 1, "Big.")]
    service, operation = loaded.fragments[0].services[0], loaded.fragments[0].operations[0]
    assert (service.id, service.doc, operation.id, operation.doc, operation.location.line) == (
        "shop.v1.Orders",
        "Serves.",
        "shop.v1.Orders/Get",
        "Gets one.",
        21,
    )


def test_all_kinds_of_rpc_and_idempotency_levels(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a="""syntax = "proto3"; package a; message M {}
service S {
  rpc One(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Two(M) returns (stream M) { option idempotency_level = IDEMPOTENT; }
  rpc Three(stream M) returns (M) { option deprecated = true; }
  rpc Four(stream M) returns (stream M);
}""",
    )
    operations = loaded.fragments[0].operations
    bindings = [found.binding for found in operations if isinstance(found.binding, GrpcBinding)]
    assert [(found.client_streaming, found.server_streaming) for found in bindings] == [
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    ]
    assert [found.idempotency for found in operations] == [
        Idempotency.SAFE,
        Idempotency.IDEMPOTENT,
        Idempotency.UNKNOWN,
        Idempotency.UNKNOWN,
    ]
    assert [found.deprecated for found in operations] == [False, False, True, False]


def test_scalars_lists_maps_and_oneofs(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a="""syntax = "proto3"; package a;
message M {
  sfixed64 number = 1;
  repeated bytes parts = 2;
  map<int32, M> by_number = 3;
  oneof choice { string text = 4; M other = 5; }
  optional string maybe = 6 [json_name = "perhaps", deprecated = true];
  reserved 9, 20 to 30; reserved "old";
}""",
    )
    found = fields(loaded, "a.M")
    assert found["number"].type == Scalar(primitive=Primitive.INT64)
    assert found["number"].extensions["proto.type"] == "sfixed64"
    assert found["parts"].type == ListOf(item=Scalar(primitive=Primitive.BYTES))
    assert found["by_number"].type == MapOf(key=Scalar(primitive=Primitive.INT32), value=Reference(target=_id("a.M")))
    assert found["by_number"].extensions["proto.type"] == "map<int32, a.M>"
    assert record(loaded, "a.M").oneofs == (Oneof(name="choice", fields=("text", "other")),)
    assert (found["text"].oneof, found["maybe"].oneof) == ("choice", None)
    assert (found["maybe"].json_name, found["maybe"].deprecated, found["by_number"].json_name) == (
        "perhaps",
        True,
        "byNumber",
    )
    assert record(loaded, "a.M").extensions["proto.reserved"] == {"ranges": [[9, 9], [20, 30]], "names": ["old"]}
    assert len(loaded.fragments[0].declarations) == 1, "map entries are no declarations"


def _id(name: str) -> Any:
    return name


WELL_KNOWN = {
    "Timestamp": Scalar(primitive=Primitive.DATE_TIME),
    "Duration": Scalar(primitive=Primitive.DURATION),
    "FieldMask": Scalar(primitive=Primitive.STRING, format="field-mask"),
    "Struct": MapOf(key=STRING, value=ANY),
    "Value": ANY,
    "ListValue": ListOf(item=ANY),
    "Any": Scalar(primitive=Primitive.ANY, format="google.protobuf.Any"),
    "StringValue": Nullable(inner=STRING),
    "Int64Value": Nullable(inner=Scalar(primitive=Primitive.INT64)),
    "Empty": Reference(target=_id("google.protobuf.Empty")),
}


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_a_well_known_type_has_the_type_of_its_json_form(tmp_path: Path, name: str) -> None:
    file = {
        "FieldMask": "field_mask",
        "Value": "struct",
        "ListValue": "struct",
        "StringValue": "wrappers",
        "Int64Value": "wrappers",
    }.get(name, name.lower())
    loaded, diagnostics = load(
        tmp_path,
        a=f"""syntax = "proto3"; package a; import "google/protobuf/{file}.proto";
message M {{ google.protobuf.{name} field = 1; }}""",
    )
    assert not len(diagnostics)
    field = fields(loaded, "a.M")["field"]
    assert field.type == WELL_KNOWN[name]
    assert field.extensions["proto.type"] == f"google.protobuf.{name}"
    assert field.presence is Presence.EXPLICIT


def test_a_message_of_a_library_comes_along_with_the_contract_that_uses_it(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a="""syntax = "proto3"; package a; import "google/rpc/status.proto";
message M { google.rpc.Status status = 1; }""",
    )
    fragment = loaded.fragments[0]
    assert [found.id for found in fragment.declarations] == ["a.M", "google.rpc.Status"]
    assert fragment.declarations[1].location.path == "google/rpc/status.proto"
    assert fragment.proto_file is not None
    assert fragment.proto_file.declarations == ("a.M",)
    assert fragment.proto_file.foreign_imports == ("google/rpc/status.proto",)


PRESENCE = {
    "proto3": (
        'syntax = "proto3";',
        "string a = 1; optional string b = 2; M c = 3; oneof o { string d = 4; }",
        ["IMPLICIT", "EXPLICIT", "EXPLICIT", "EXPLICIT"],
    ),
    "proto2": (
        'syntax = "proto2";',
        "optional string a = 1; required string b = 2; repeated string c = 3;",
        ["EXPLICIT", "REQUIRED", "IMPLICIT"],
    ),
    "editions": (
        'edition = "2023";',
        """string a = 1; string b = 2 [features.field_presence = IMPLICIT];
                 string c = 3 [features.field_presence = LEGACY_REQUIRED];""",
        ["EXPLICIT", "IMPLICIT", "REQUIRED"],
    ),
}


@pytest.mark.parametrize("syntax", PRESENCE)
def test_presence_follows_syntax_and_features(tmp_path: Path, syntax: str) -> None:
    head, body, expected = PRESENCE[syntax]
    loaded, diagnostics = load(tmp_path, a=f"{head} package a; message M {{ {body} }}")
    assert not len(diagnostics)
    found = record(loaded, "a.M").fields
    assert [field.presence.name for field in found if field.presence] == expected
    assert [field.required for field in found] == [name == "REQUIRED" for name in expected]


def test_defaults_and_closed_enums_of_proto2(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a="""syntax = "proto2"; package a; enum E { X = 1; }
message M { optional int64 a = 1 [default = -3]; optional bool b = 2 [default = true]; optional E c = 3 [default = X];
optional double d = 4 [default = 0.5]; optional string e = 5 [default = ""]; optional string f = 6;
extensions 100 to 199;
optional group G = 7 { optional string x = 1; } }""",
    )
    found = fields(loaded, "a.M")
    assert [found[name].default for name in "abcde"] == [-3, True, "X", 0.5, ""]
    assert [found[name].has_default for name in "ef"] == [True, False]
    assert found["g"].type == Reference(target=_id("a.M.G"))
    enum = next(found for found in loaded.fragments[0].declarations if isinstance(found, Enum))
    assert not enum.open
    assert record(loaded, "a.M").extensions["proto.extension_ranges"] == [[100, 199]]
    assert loaded.fragments[0].contract.version == "proto2"


def test_an_enum_of_editions_is_closed_when_its_feature_says_so(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a="""edition = "2023"; package a; enum O { A = 0; }
enum C { option features.enum_type = CLOSED; B = 1; }""",
    )
    enums = [found for found in loaded.fragments[0].declarations if isinstance(found, Enum)]
    assert [found.open for found in enums] == [True, False]
    assert loaded.fragments[0].contract.version == "editions 2023"


def test_imports_between_contracts_are_dependencies(tmp_path: Path) -> None:
    loaded, _ = load(
        tmp_path,
        a='syntax = "proto3"; package a; import "b/c.proto"; import "google/protobuf/empty.proto"; '
        "message M { b.N n = 1; google.protobuf.Empty e = 2; }",
        b__c='syntax = "proto3"; package b; message N {}',
    )
    contract = loaded.fragments[0].contract
    assert (contract.path, contract.depends_on, contract.version) == ("a.proto", ("b/c.proto",), "proto3")
    assert len(contract.digest) == 64


def test_every_mistake_is_reported_at_its_place(tmp_path: Path) -> None:
    loaded, diagnostics = load(
        tmp_path,
        bad="""syntax = "proto3";
package bad;
message M {
  Missing a = 1;
  string b = 1;
  Gone c = 3;
}""",
    )
    places = [(found.location.path, found.location.line, found.location.column) for found in diagnostics.ordered()]
    assert {line for _, line, _ in places} == {4, 5, 6}
    assert {found.rule for found in diagnostics} == {"proto/compile"}
    assert not loaded.fragments


def test_a_file_that_does_not_compile_takes_only_those_along_that_import_it(tmp_path: Path) -> None:
    loaded, diagnostics = load(
        tmp_path,
        bad='syntax = "proto3";\nmessage {',
        worse='syntax = "proto3";\nmessage W { X x = 1; }',
        uses='syntax = "proto3"; import "bad.proto"; message U {}',
        uses_it_too='syntax = "proto3"; import "uses.proto"; message V {}',
        good='syntax = "proto3"; message G {}',
    )
    assert [found.contract.path for found in loaded.fragments] == ["good.proto"]
    assert {(found.location.path, found.location.line) for found in diagnostics.errors} == {
        ("bad.proto", 2),
        ("worse.proto", 2),
    }
    skipped = [found for found in diagnostics if found.severity is Severity.WARNING]
    assert {found.location.path for found in skipped} == {"uses.proto", "uses_it_too.proto"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('syntax = "proto3"; import "a.proto";', "recursive"),
        ('syntax = "proto3"; import "gone.proto";', "not found"),
        ('syntax = "proto9";', "proto9"),
        ("\t\x00", ""),
    ],
)
def test_a_broken_file_is_one_clear_complaint(tmp_path: Path, text: str, message: str) -> None:
    loaded, diagnostics = load(tmp_path, a=text)
    assert not loaded.fragments
    assert any(message in found.message and found.location.path == "a.proto" for found in diagnostics.errors)


def test_no_protos_at_all_are_no_complaint(tmp_path: Path) -> None:
    loaded, diagnostics = load(tmp_path)
    assert (loaded.fragments, loaded.descriptor_set, len(diagnostics)) == ((), b"", 0)


def test_options_of_unknown_extensions_do_no_harm(tmp_path: Path) -> None:
    loaded, diagnostics = load(
        tmp_path,
        options="""syntax = "proto2"; package o;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional string operation_field = 1151; }""",
        a="""syntax = "proto3"; package a;
import "options.proto"; message M { string x = 1 [(o.operation_field) = "name"]; map<string, string> m = 2; }""",
    )
    assert not len(diagnostics)
    assert fields(loaded, "a.M")["x"].type == STRING


def test_an_option_may_have_the_number_of_one_that_a_library_registered(tmp_path: Path) -> None:
    importlib.import_module("mypy_protobuf.extensions_pb2")
    loaded, diagnostics = load(
        tmp_path,
        options="""syntax = "proto2"; package o;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional bytes mine = 1151; }""",
        a="""syntax = "proto3"; package a;
import "options.proto"; message M { string x = 1 [(o.mine) = "\\xff"]; }""",
    )
    assert not len(diagnostics)
    assert fields(loaded, "a.M")["x"].type == STRING
