"""Whatever is wrong with the input: clear complaints with a hint, exit 1 or 2, no traceback, the output untouched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codegen import cli, commands
from codegen.diagnostics import Diagnostic, Severity, as_github, as_sarif, as_text
from codegen.model.ids import Location
from codegen.settings import defaults

HEAD = 'openapi: 3.1.0\ninfo: {title: t, version: "1"}\n'
PROTO = 'syntax = "proto3";\npackage a;\n'
Text = pytest.CaptureFixture[str]


def answer(schema: str, *schemas: str) -> str:
    """A document of one operation that answers with `schema`, which stands at 3:109."""
    named = "".join(f"    {line}\n" for line in schemas)
    path = (
        f"paths: {{/a: {{get: {{operationId: g, responses: {{'200': {{description: d, content: "
        f"{{application/json: {{schema: {schema}}}}}}}}}}}}}}}\n"
    )
    return HEAD + path + (f"components:\n  schemas:\n{named}" if named else "")


def reference(target: str) -> str:
    return answer(json.dumps({"$ref": target}))


def bomb(levels: int) -> str:
    """Nine to the power of `levels` values behind aliases."""
    lines = "".join(f"x-{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, levels))
    return f"{answer('{type: string}')}x-0: &a0 [1]\n{lines}"


def in_json(text: str) -> str:
    return f'{{"openapi": "3.1.0",\n "x-a": {text}}}'


def answer_in_json(schema: str) -> str:
    content = f'{{"application/json": {{"schema": {schema}}}}}'
    operation = f'{{"operationId": "g", "responses": {{"200": {{"description": "d", "content": {content}}}}}}}'
    head = '"openapi": "3.1.0", "info": {"title": "t", "version": "1"}'
    return f'{{{head}, "paths": {{"/a": {{"get": {operation}}}}}}}'


CASES: list[tuple[str, dict[str, str | bytes], int, list[str]]] = [
    ("not YAML", {"a.yaml": HEAD + "paths: {a: [}\n"}, 1, ["a.yaml:3:13 document/syntax"]),
    ("a tab", {"a.yaml": HEAD + "paths:\n\t/a: {}\n"}, 1, ["a.yaml:4:1 document/syntax"]),
    ("two documents", {"a.yaml": HEAD + "---\na: 1\n"}, 1, ["a.yaml:3:1 document/syntax"]),
    ("a key twice in YAML", {"a.yaml": HEAD + "paths: {}\npaths: {}\n"}, 1, ["a.yaml:4:1 document/duplicate-key"]),
    ("a key twice in JSON", {"a.json": in_json('1, "x-a": 2')}, 1, ["a.json:2:12 document/duplicate-key"]),
    ("a key twice in JSON within YAML", {"a.yaml": in_json('1, "x-a": 2')}, 1, ["a.yaml:2:12 document/duplicate-key"]),
    ("not JSON", {"a.json": in_json("1,")}, 1, ["a.json:2:11 document/syntax"]),
    ("no such schema", {"a.yaml": reference("#/components/schemas/No")}, 1, ["a.yaml:3:110 document/missing-ref"]),
    ("no such file", {"a.yaml": reference("b.yaml#/X")}, 1, ["a.yaml:3:110 document/missing-ref"]),
    ("a name that no file has", {"a.yaml": reference("x" * 5000)}, 1, ["a.yaml:3:110 document/missing-ref"]),
    ("a folder", {"a.yaml": reference("b"), "b/c.txt": ""}, 1, ["a.yaml:3:110 document/missing-ref"]),
    ("no URL", {"a.yaml": reference("http://[::1")}, 1, ["a.yaml:3:110 document/bad-ref"]),
    ("no text as reference", {"a.yaml": answer("{$ref: 3}")}, 1, ["a.yaml:3:110 document/bad-ref"]),
    ("elsewhere", {"a.yaml": reference("https://example.com/a.yaml")}, 1, ["a.yaml:3:110 document/remote-ref"]),
    ("outside", {"a.yaml": reference("../../x.yaml")}, 1, ["a.yaml:3:110 document/outside"]),
    ("absolute", {"a.yaml": reference("/etc/hosts")}, 1, ["a.yaml:3:110 document/outside"]),
    ("not text", {"a.yaml": reference("b.bin"), "b.bin": bytes(range(256))}, 1, ["b.bin:2:118 document/encoding"]),
    ("UTF-16", {"a.yaml": answer("{}").encode("utf-16")}, 1, ["a.yaml:1:1 document/encoding"]),
    (
        "a circle through files",
        {"a.yaml": reference("b.yaml"), "b.yaml": "$ref: c.yaml\n", "c.yaml": "$ref: b.yaml\n"},
        1,
        ["b.yaml:1:1 document/cyclic-ref"],
    ),
    ("brackets in YAML", {"a.yaml": f"x: {'[' * 100_000}"}, 1, ["a.yaml:1:203 document/too-deep"]),
    ("a list in a list in YAML", {"a.yaml": "- " * 50_000 + "a"}, 1, ["a.yaml:1:401 document/too-deep"]),
    ("brackets in JSON", {"a.json": "[" * 100_000}, 1, ["a.json:1:201 document/too-deep"]),
    (
        "schemas in schemas in JSON",
        {"a.json": answer_in_json('{"items": ' * 450 + '{"type": "string"}' + "}" * 450)},
        1,
        ["a.json:1:4693 document/too-deep"],
    ),
    ("aliases of aliases", {"a.yaml": bomb(12)}, 1, ["a.yaml:10:6 document/too-large"]),
    ("an endless integer in JSON", {"a.json": in_json("9" * 10_000)}, 1, ["a.json:2:9 document/number"]),
    ("an endless integer in YAML", {"a.yaml": HEAD + "x-a: " + "9" * 10_000}, 1, ["a.yaml:3:6 document/number"]),
    ("an endless float in JSON", {"a.json": in_json("1e999")}, 1, ["a.json:2:9 document/number"]),
    ("an endless float in YAML", {"a.yaml": HEAD + "x-a: -1e999"}, 1, ["a.yaml:3:6 document/number"]),
    ("half a character", {"a.json": in_json('"\\ud800"')}, 1, ["a.json:2:9 document/encoding"]),
    ("an old version", {"a.yaml": 'swagger: "2.0"\n'}, 1, ["a.yaml:1:1 openapi/version"]),
    ("a future version", {"a.yaml": "openapi: 4.0.0\n"}, 1, ["a.yaml:1:1 openapi/version"]),
    ("a version that is a number", {"a.yaml": "openapi: 3.1\n"}, 1, ["a.yaml:1:1 openapi/version"]),
    (
        "several protos, several mistakes",
        {
            "a/a.proto": PROTO + "message A { X x = 1; Y y = 2; }\n",
            "b/b.proto": PROTO + "message B {\n",
            "c/c.proto": PROTO + 'import "b/b.proto";\nmessage C { B b = 1; }\n',
        },
        1,
        ["a/a.proto:3:13 proto/compile", "a/a.proto:3:22 proto/compile", "b/b.proto:4:1 proto/compile"],
    ),
    (
        "no such import",
        {"a.proto": PROTO + 'import "b.proto";\nmessage A { B b = 1; }\n'},
        1,
        ["a.proto:3:1 proto/compile"],
    ),
    (
        "Latin-1 in a proto",
        {
            "a.proto": PROTO.encode() + b"// caf\xe9\nmessage A {}\n",
            "b.proto": PROTO + 'import "a.proto";\nmessage B { A a = 1; }\n',
        },
        1,
        ["a.proto:3:7 document/encoding"],
    ),
    ("a name like an option", {"-x.proto": PROTO}, 1, ["-x.proto contracts/name"]),
    ("a name of two lines", {'a\n"""\nb.proto': PROTO}, 1, ['a\\n"""\\nb.proto contracts/name']),
    ("an empty folder", {}, 2, [" contracts/empty"]),
    ("only other files", {"a.txt": "", "b.md": ""}, 2, [" contracts/empty"]),
    ("only YAML that is no contract", {"a.yaml": "- 1\n", "b.json": '{"a": 1}'}, 2, [" contracts/empty"]),
]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was generated from one contract."""
    folder = tmp_path_factory.mktemp("output")
    (folder / "contracts").mkdir()
    (folder / "contracts/good.yaml").write_text(answer("{type: string}"))
    settings = replace(defaults(folder), package="made")
    assert not commands.generate(settings, lambda _: None).errors
    return folder / "generated"


@pytest.fixture
def project(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose output stems from a contract that is gone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "treaty.toml").write_text('package = "made"\n')
    shutil.copytree(output, tmp_path / "generated")
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def put(folder: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)


def held(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def errors(printed: str) -> list[str]:
    """`path:line:column rule` of every error."""
    found = [line for line in printed.splitlines() if "error: " in line]
    return [f"{line.partition('error: ')[0].rstrip(': ')} {line.rpartition('[')[2].rstrip(']')}" for line in found]


@pytest.mark.parametrize(("files", "code", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_one_complaint_at_its_place_with_a_hint_and_changes_nothing(
    project: Path, capsys: Text, files: dict[str, str | bytes], code: int, wanted: list[str]
) -> None:
    put(project / "contracts", files)
    before = held(project / "generated")
    capsys.readouterr()
    assert cli.main(["generate"]) == code
    printed = capsys.readouterr().err
    assert errors(printed) == [f"contracts/{each}" if not each.startswith(" ") else each for each in wanted]
    assert printed.count("    hint: ") >= len(wanted)
    assert held(project / "generated") == before


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.proto"])
def test_a_file_of_fifty_megabytes_is_refused_before_it_is_read(project: Path, capsys: Text, name: str) -> None:
    with (project / "contracts" / name).open("wb") as file:
        file.truncate(50_000_000)
    assert cli.main(["generate"]) == 1
    assert errors(capsys.readouterr().err) == [f"contracts/{name} document/too-large"]


@pytest.mark.parametrize("name", ["contracts/x.yaml", "contracts/x.proto"])
def test_a_pipe_among_the_contracts_is_refused_and_never_waited_for(project: Path, capsys: Text, name: str) -> None:
    os.mkfifo(project / name)
    assert cli.main(["generate"]) == 2
    assert errors(capsys.readouterr().err) == [f"{name} document/unreadable"]


@pytest.mark.parametrize("name", ["MANIFEST.json", ".treaty_cache/state.json", "python/API.txt"])
def test_a_pipe_in_the_output_is_never_waited_for(project: Path, name: str) -> None:
    (project / "contracts/good.yaml").write_text(answer("{type: integer}"))
    (project / "generated" / name).unlink()
    os.mkfifo(project / "generated" / name)
    cli.main(["generate"])
    assert stat.S_ISFIFO((project / "generated" / name).stat().st_mode) == (name != ".treaty_cache/state.json")


@pytest.mark.parametrize("target", ["x.yaml", "nowhere", "/dev/zero", "/etc/hosts"])
def test_a_link_to_nothing_or_to_elsewhere_is_one_complaint(project: Path, capsys: Text, target: str) -> None:
    (project / "contracts/x.yaml").symlink_to(target)
    assert cli.main(["generate"]) in (1, 2)
    assert len(errors(capsys.readouterr().err)) == 1


HOSTILE = [
    "../victim",
    "{root}/victim",
    "python/../../victim",
    "python/link/victim",
    "MANIFEST.json",
    ".treaty_cache/state.json",
    "a\0b",
    "\ud800",
    "x" * 5000,
    "a/" * 3000 + "b",
]


@pytest.mark.parametrize("path", HOSTILE, ids=[ascii(path[:25]) for path in HOSTILE])
def test_a_hostile_manifest_deletes_and_writes_nothing_outside(project: Path, capsys: Text, path: str) -> None:
    from codegen.write.manifest import digest

    (project / "victim").write_text("mine")
    (project / "generated/python/link").symlink_to(project)
    manifest = project / "generated/MANIFEST.json"
    document = json.loads(manifest.read_text())
    outputs = {path.format(root=project): digest(b"mine")}
    document["units"]["evil"] = {"inputs": [], "outputs": outputs}
    manifest.write_text(json.dumps(document))
    (project / "contracts/good.yaml").write_text(answer("{type: integer}"))
    assert cli.main(["generate", "--force"]) == 1
    assert errors(capsys.readouterr().err)[0].endswith(" write/outside")
    assert (project / "victim").read_text() == "mine"


def test_a_link_in_the_cache_is_not_written_through(project: Path) -> None:
    (project / "victim").write_text("mine")
    cache = project / "generated/.treaty_cache"
    (cache / "state.json.new").symlink_to(project / "victim")
    (cache / ".gitignore").unlink()
    (cache / ".gitignore").symlink_to(project / "made")
    (project / "contracts/good.yaml").write_text(answer("{type: integer}"))
    assert cli.main(["generate"]) == 0
    assert (project / "victim").read_text() == "mine"
    assert not (project / "made").exists()


BAD_PLACE = (
    b'{"diagnostics": {"": [{"rule": 1, "severity": "error", "message": "", "hint": "", "related": [], '
    b'"location": ["a", 1e999, 1, ""]}]}}'
)
STATES = [b"\xff", b"[]", b"[" * 100_000, b'{"contracts": 3, "diagnostics": [1]}', BAD_PLACE]


@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
def test_a_broken_cache_is_as_good_as_none(project: Path, state: bytes) -> None:
    (project / "contracts/good.yaml").write_text(answer("{type: string}"))
    (project / "generated/.treaty_cache/state.json").write_bytes(state)
    assert cli.main(["generate"]) == 0


@pytest.mark.parametrize("option", ["--out", "--contracts"])
def test_an_empty_folder_name_is_not_the_current_folder(project: Path, option: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["generate", option, ""])


@pytest.mark.parametrize("problem", [FileNotFoundError(2, "No such file"), MemoryError(), RecursionError()])
def test_what_the_system_refuses_is_said_without_a_traceback(
    project: Path, capsys: Text, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("codegen.pipeline.load_graph", fail)
    (project / "contracts/good.yaml").write_text(answer("{type: integer}"))
    assert cli.main(["generate"]) in (1, 2)
    assert len(errors(capsys.readouterr().err)) == 1


Printer = Callable[[list[Diagnostic]], str]


@pytest.mark.parametrize("printer", [as_text, as_github])
def test_a_complaint_cannot_steer_the_terminal_or_the_runner(printer: Printer) -> None:
    text = "a\x1b[31m\r\n::error::b\u202e\u2028c" + "d" * 5000
    printed = printer(
        [Diagnostic(rule="r/r", severity=Severity.ERROR, message=text, hint=text, location=Location(path=text[:20]))]
    )
    assert len(printed.splitlines()) <= 2
    assert len(printed) < 3000
    assert all(line.isprintable() for line in printed.splitlines())
    assert not any(line.startswith("::error::") for line in printed.splitlines())


def test_sarif_names_files_by_valid_references() -> None:
    places = ["a b/#ü%.yaml", "/srv/x y.yaml"]
    complaints = [
        Diagnostic(rule="r/r", severity=Severity.ERROR, message="m", location=Location(path=path, line=1))
        for path in places
    ]
    run = json.loads(as_sarif(complaints, version="1"))["runs"][0]
    found = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert found == ["a%20b/%23%C3%BC%25.yaml", "file:///srv/x%20y.yaml"]


@pytest.mark.parametrize("chosen", ["github", "sarif"])
def test_annotations_name_files_from_the_root_of_the_repository(
    project: Path, capsys: Text, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    (project / ".git").mkdir()
    (project / "sub").mkdir()
    (project / "contracts/a.yaml").write_text("a: [\n")
    monkeypatch.chdir(project / "sub")
    capsys.readouterr()
    assert cli.main(["generate", "--contracts", "../contracts", "--format", chosen]) == 1
    printed = capsys.readouterr().out
    assert ("file=contracts/a.yaml," in printed) if chosen == "github" else ('"uri": "contracts/a.yaml"' in printed)
