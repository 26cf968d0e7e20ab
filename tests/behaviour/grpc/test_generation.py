"""What is generated from awkward contracts can be imported, and what cannot be expressed is reported."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.diagnostics import Diagnostics
from tests.behaviour.grpc.conftest import generate, write

AWKWARD = {
    "lambda/v1/odd-name.proto": """
syntax = "proto3";
package odd.v1;
message list { string class = 1; }
message None {}
enum dict { A = 0; }
""",
    "root.proto": """
syntax = "proto3";
import public "lambda/v1/odd-name.proto";
message Rooted { odd.v1.list list = 1; }
service Nothing {}
""",
    "odd/v1/service.proto": '''
syntax = "proto3";
package odd.service.v1;
import "root.proto";
import "google/protobuf/empty.proto";
// Ends """ a docstring \\" early \\
service Protocol {
  rpc close(odd.v1.list) returns (odd.v1.list);
  rpc import(odd.v1.list) returns (google.protobuf.Empty);
  rpc Channel(stream odd.v1.list) returns (stream Rooted);
  rpc Keyword(odd.v1.None) returns (odd.v1.list);
}
''',
    "options.proto": """
syntax = "proto2";
package awkward.options;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional string operation_field = 1151; optional string from = 50001; }
""",
    "uses.proto": """
syntax = "proto3";
package awkward.uses;
import "options.proto";
message M { map<string, string> m = 1 [(awkward.options.operation_field) = "name"]; }
""",
}


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A folder on the import path."""
    folder = tmp_path / "out"
    folder.mkdir()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def messages(diagnostics: Diagnostics) -> list[tuple[str, str]]:
    """(rule, place) of every complaint."""
    return [(found.rule, str(found.location)) for found in diagnostics]


def test_awkward_names_and_options_give_modules_that_can_be_imported(tmp_path: Path, out: Path) -> None:
    diagnostics = generate(write(AWKWARD, tmp_path / "contracts"), out, "awkward_made")
    assert messages(diagnostics) == [("python/message-name", "odd/v1/service.proto:11:3")]
    modules = [
        path.relative_to(out).with_suffix("").as_posix().replace("/", ".")
        for path in (out / "awkward_made").rglob("*.py")
        if path.stem.endswith(("_pb2", "_grpc"))
    ]
    assert len(modules) == 7
    # In a process of its own: in this one mypy-protobuf has registered an option under the same number.
    subprocess.run([sys.executable, "-W", "error", "-c", f"import {', '.join(modules)}"], cwd=out, check=True)
    service = importlib.import_module("awkward_made.odd.v1.service_grpc")
    assert {"close", "import_", "channel"} <= set(dir(service.ProtocolClient))
    assert not hasattr(service.ProtocolHandler, "keyword")


def test_a_message_is_of_its_module_and_its_file_keeps_the_contracts_name(tmp_path: Path, out: Path) -> None:
    generate(
        write(
            {"deep/v1/thing.proto": 'syntax = "proto3"; package deep.v1; message Thing { string a = 1; }'},
            tmp_path / "contracts",
        ),
        out,
        "deep_made",
    )
    thing = importlib.import_module("deep_made.deep.v1.thing_pb2").Thing(a="x")
    assert type(thing).__module__ == "deep_made.deep.v1.thing_pb2"
    assert type(thing).DESCRIPTOR.file.name == "deep/v1/thing.proto"
    assert pickle.dumps(thing)


def test_two_files_that_would_be_one_module_are_an_error(tmp_path: Path, out: Path) -> None:
    text = 'syntax = "proto3"; package {};'
    diagnostics = generate(
        write({"a-b.proto": text.format("one"), "a_b.proto": text.format("two")}, tmp_path / "contracts"),
        out,
        "clashing_made",
    )
    assert [found.rule for found in diagnostics.errors] == ["names/collision"]


def test_services_and_rpcs_that_would_be_called_alike_keep_the_contracts_spelling(tmp_path: Path, out: Path) -> None:
    diagnostics = generate(
        write(
            {
                "s.proto": """syntax = "proto3"; package s;
message M { string id = 1; string ID = 2; }
service S { rpc GetX(M) returns (M); rpc get_x(M) returns (M); rpc Aclose(M) returns (M); rpc str(M) returns (M); }
service s { rpc X(M) returns (M); }"""
            },
            tmp_path / "contracts",
        ),
        out,
        "methods_made",
    )
    assert list(diagnostics) == []
    module = importlib.import_module("methods_made.s_grpc")
    assert {"GetX", "get_x", "aclose", "aclose_", "str_"} <= set(dir(module.SClient))
    assert {"sClient", "add_S", "add_s"} <= set(dir(module))
    assert (module.SMethods.GetX.name, module.SMethods.get_x.name) == ("GetX", "get_x")
    stub = (out / "methods_made/s_pb2.pyi").read_text(encoding="utf-8")
    assert stub.count(" ID_FIELD_NUMBER:") == 1


def test_long_running_operations_come_with_the_common_protos(tmp_path: Path, out: Path) -> None:
    diagnostics = generate(
        write(
            {
                "l.proto": """syntax = "proto3"; package l;
import "google/longrunning/operations.proto";
message M {} service S { rpc Start(M) returns (google.longrunning.Operation); }"""
            },
            tmp_path / "contracts",
        ),
        out,
        "long_made",
    )
    assert list(diagnostics) == []
    program = """import long_made.l_pb2, long_made.l_grpc
from google.longrunning import operations_pb2
from long_made.google.longrunning.operations_pb2 import Operation
assert Operation is operations_pb2.Operation and long_made.l_grpc.SMethods.START.response is Operation"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=out, check=True)
    google = out / "long_made/google"
    assert sorted(path.relative_to(google).as_posix() for path in google.rglob("*.pyi")) == [
        "longrunning/operations_pb2.pyi",
        "rpc/status_pb2.pyi",
    ]


def test_the_same_contracts_give_the_same_bytes(tmp_path: Path, out: Path) -> None:
    contracts = write(AWKWARD, tmp_path / "contracts")
    for name in ("one", "two"):
        generate(contracts, out / name, "same_made")
    files = {path.relative_to(out / "one") for path in (out / "one").rglob("*.py*")}
    assert files
    assert all((out / "one" / path).read_bytes() == (out / "two" / path).read_bytes() for path in files)
