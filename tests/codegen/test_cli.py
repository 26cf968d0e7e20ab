"""What a user types and gets: exit codes, messages, and what is on disk afterwards.

The pipeline is replaced where the test is about what surrounds it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codegen import cli
from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location
from codegen.settings import Settings
from codegen.targets.files import GeneratedFile, Output, UnitOutput
from codegen.write.manifest import Manifest, digest

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "grpc", "grpc_tools", "google.protobuf", "yaml", "fastapi", "httpx", "asyncio", "subprocess")


@dataclass
class FakePipeline:
    """Turns every contract `x.proto` into `python/x.py` with the contract's text; `BAD` in it is an error."""

    runs: int = 0
    emitted: list[str] = field(default_factory=list)

    def generate(
        self, settings: Settings, diagnostics: Diagnostics, progress: Callable[[str], None], previous: Manifest | None
    ) -> Output | None:
        self.runs += 1
        self.emitted = []
        progress("working")
        units = []
        for file in sorted(settings.contracts.glob("*.proto")):
            if "BAD" in file.read_text():
                place = Location(path=file.name, line=1, column=2)
                diagnostics.error("proto/syntax", "it is bad", place, hint="mend it")
            units.append(self._unit(file, previous))
        return None if diagnostics.errors else Output(units=tuple(units))

    def _unit(self, file: Path, previous: Manifest | None) -> UnitOutput:
        if previous and previous.contracts.get(file.name) == digest(file.read_bytes()):
            return UnitOutput(name=file.stem, inputs=(file.name,), files=None)
        self.emitted.append(file.stem)
        own = Diagnostics()
        if "ODD" in file.read_text():
            own.unsupported("python/odd", "this is odd", Location(path=file.name, line=1, column=1))
        written = GeneratedFile(path=f"python/{file.stem}.py", content=file.read_text())
        return UnitOutput(name=file.stem, inputs=(file.name,), files=(written,), diagnostics=tuple(own))


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    fake = FakePipeline()
    monkeypatch.setattr("codegen.pipeline.generate", fake.generate)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/a.proto").write_text("A\n")
    (tmp_path / "contracts/b.proto").write_text("B\n")
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


Text = pytest.CaptureFixture[str]


def test_generate_writes_and_says_what_it_did(project: Path, pipeline: FakePipeline, capsys: Text) -> None:
    assert cli.main(["generate"]) == 0
    assert (project / "generated/python/a.py").read_text() == "A\n"
    assert capsys.readouterr().out.startswith(
        "generated: 2 files from 2 contracts (2 written, 0 unchanged, 0 deleted) in "
    )


def test_an_unchanged_run_does_nothing_and_says_so(project: Path, pipeline: FakePipeline, capsys: Text) -> None:
    cli.main(["generate"])
    assert cli.main(["generate"]) == 0
    assert pipeline.runs == 1
    assert "generated: nothing changed (2 files from 2 contracts)" in capsys.readouterr().out


def _edit_contract(project: Path) -> None:
    (project / "contracts/a.proto").write_text("A2\n")


def _add_contract(project: Path) -> None:
    (project / "contracts/c.proto").write_text("C\n")


def _remove_contract(project: Path) -> None:
    (project / "contracts/b.proto").unlink()


def _remove_output(project: Path) -> None:
    (project / "generated/python/a.py").unlink()


def _change_settings(project: Path) -> None:
    (project / "treaty.toml").write_text('package = "other"\n')


def _lose_manifest(project: Path) -> None:
    (project / "generated/MANIFEST.json").unlink()


@pytest.mark.parametrize(
    "change",
    [_edit_contract, _add_contract, _remove_contract, _remove_output, _change_settings, _lose_manifest],
)
def test_every_change_of_the_input_or_the_output_is_noticed(
    project: Path, pipeline: FakePipeline, change: Callable[[Path], None]
) -> None:
    cli.main(["generate"])
    change(project)
    assert cli.main(["generate"]) == 0
    assert pipeline.runs == 2
    held = {p.stem: p.read_text() for p in (project / "generated/python").iterdir()}
    assert held == {p.stem: p.read_text() for p in (project / "contracts").iterdir()}


def test_a_change_of_this_tool_makes_everything_again(
    project: Path, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.main(["generate"])
    monkeypatch.setattr("codegen.incremental.toolkit_digest", lambda: "another")
    cli.main(["generate"])
    assert pipeline.emitted == ["a", "b"]


def test_one_changed_contract_emits_only_what_depends_on_it(project: Path, pipeline: FakePipeline) -> None:
    cli.main(["generate"])
    _edit_contract(project)
    cli.main(["generate"])
    assert pipeline.emitted == ["a"]


def test_complaints_do_not_vanish_when_nothing_or_something_else_changed(
    project: Path, pipeline: FakePipeline, capsys: Text
) -> None:
    (project / "contracts/b.proto").write_text("ODD\n")
    wanted = "contracts/b.proto:1:1: unsupported: this is odd [python/odd]\n"
    cli.main(["generate"])
    assert capsys.readouterr().err == wanted
    cli.main(["generate"])
    assert capsys.readouterr().err == wanted
    _edit_contract(project)
    cli.main(["generate"])
    assert pipeline.emitted == ["a"]
    assert capsys.readouterr().err == wanted
    cli.main(["generate"])
    assert capsys.readouterr().err == wanted
    assert cli.main(["generate", "--strict"]) == 1


def test_many_constructs_that_are_not_expressed_are_counted_and_listed_on_request(
    project: Path, pipeline: FakePipeline, capsys: Text
) -> None:
    for number in range(11):
        (project / f"contracts/odd{number}.proto").write_text("ODD\n")
    cli.main(["generate"])
    shown = capsys.readouterr().err
    assert shown == "11 constructs are not expressed in the output; --verbose lists them:\n     11 python/odd\n"
    cli.main(["generate", "-v"])
    assert capsys.readouterr().err.count("this is odd") == 11


def test_a_wrong_contract_changes_nothing_and_exits_with_one(
    project: Path, pipeline: FakePipeline, capsys: Text
) -> None:
    cli.main(["generate"])
    capsys.readouterr()
    before = {p: p.read_bytes() for p in (project / "generated").rglob("*") if p.is_file()}
    (project / "contracts/a.proto").write_text("BAD\n")
    assert cli.main(["generate"]) == 1
    assert capsys.readouterr().err == ("contracts/a.proto:1:2: error: it is bad [proto/syntax]\n    hint: mend it\n")
    assert {p: p.read_bytes() for p in (project / "generated").rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("chosen", ["json", "sarif", "github"])
def test_complaints_come_in_the_format_of_a_machine(
    project: Path, pipeline: FakePipeline, capsys: Text, chosen: str
) -> None:
    (project / "contracts/a.proto").write_text("BAD\n")
    assert cli.main(["generate", "--format", chosen]) == 1
    printed = capsys.readouterr()
    assert "contracts/a.proto" in printed.out
    assert printed.err == ""
    if chosen != "github":
        json.loads(printed.out)


def test_check_is_content_with_what_was_just_generated(project: Path, pipeline: FakePipeline, capsys: Text) -> None:
    cli.main(["generate"])
    assert cli.main(["check"]) == 0
    assert "generated: 2 files match 2 contracts" in capsys.readouterr().out


def test_check_names_every_difference_and_writes_nothing(
    project: Path, pipeline: FakePipeline, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "contracts/d.proto").write_text("1\n2\n3\n")
    cli.main(["generate"])
    _edit_contract(project)
    _add_contract(project)
    _remove_contract(project)
    (project / "generated/python/d.py").write_text("1\nmine\n3\n")
    (project / "generated/python/stray.py").write_text("")
    before = {p: p.read_bytes() for p in project.rglob("*") if p.is_file()}
    capsys.readouterr()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert cli.main(["check"]) == 1
    printed = capsys.readouterr()
    complaints = [line for line in printed.err.splitlines() if "[" in line]
    assert [line.split(": error:")[0] + " " + line.rsplit("[", 1)[1] for line in complaints] == [
        "generated/python/a.py:1:1 check/out-of-date]",
        "generated/python/b.py check/left-over]",
        "generated/python/c.py check/missing]",
        "generated/python/d.py:2:1 check/edited]",
        "generated/python/stray.py check/stray]",
    ]
    assert "::error title=check/edited,file=generated/python/d.py,line=2,col=1::" in printed.out
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before


def test_check_does_not_believe_a_manifest_that_was_edited_with_the_output(
    project: Path, pipeline: FakePipeline
) -> None:
    cli.main(["generate"])
    manifest = project / "generated/MANIFEST.json"
    (project / "generated/python/a.py").write_text("evil\n")
    manifest.write_text(manifest.read_text().replace(digest(b"A\n"), digest(b"evil\n")))
    assert cli.main(["check"]) == 1


def test_check_without_any_output_says_what_is_missing_and_makes_no_folder(
    project: Path, pipeline: FakePipeline, capsys: Text
) -> None:
    assert cli.main(["check"]) == 1
    assert capsys.readouterr().err.count("check/missing") == 2
    assert not (project / "generated").exists()


def test_an_edited_file_is_named_with_what_to_do(project: Path, pipeline: FakePipeline, capsys: Text) -> None:
    cli.main(["generate"])
    (project / "generated/python/a.py").write_text("mine\n")
    _edit_contract(project)
    capsys.readouterr()
    assert cli.main(["generate"]) == 1
    printed = capsys.readouterr().err
    assert "generated/python/a.py: error: `python/a.py` was edited by hand" in printed
    assert "`--force` discards it" in printed
    assert cli.main(["generate", "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "--contracts", "nowhere"], "there is no folder `nowhere`"),
        (["generate", "--contracts", "contracts/a.proto"], "there is no folder"),
        (["generate", "--out", "contracts"], "cannot be in one folder"),
        (["generate", "--out", "contracts/a.proto"], "is not a folder"),
        (["generate", "--package", "no-name"], "is no package name"),
        (["generate", "--target", "cobol"], "there is no target `cobol`"),
        (["init", "--package", "1"], "is no package name"),
    ],
)
def test_a_wrong_invocation_exits_with_two(
    project: Path, pipeline: FakePipeline, capsys: Text, arguments: list[str], said: str
) -> None:
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["generate", "--nonsense"], ["generate", "--format", "xml"]])
def test_an_unknown_argument_exits_with_two(project: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)


def test_wrong_settings_exit_with_two_and_name_the_line(project: Path, capsys: Text) -> None:
    (project / "treaty.toml").write_text("\npackage = 3\n")
    assert cli.main(["generate"]) == 2
    assert capsys.readouterr().err == ("treaty.toml:2:1: error: `package` must be a string, not 3 [settings/type]\n")


def test_an_unreadable_manifest_is_one_clear_failure(project: Path, pipeline: FakePipeline, capsys: Text) -> None:
    cli.main(["generate"])
    (project / "generated/MANIFEST.json").write_text("{")
    assert cli.main(["generate"]) == 2
    assert "generated/MANIFEST.json" in capsys.readouterr().err


def test_stopping_a_run_leaves_no_half_written_state(
    project: Path, pipeline: FakePipeline, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("codegen.write.disk._Transaction._place", stopped)
    assert cli.main(["generate"]) == 130
    assert not (project / "generated").exists()
    assert "stopped" in capsys.readouterr().err


def test_init_writes_a_contract_set_once(project: Path, capsys: Text) -> None:
    assert cli.main(["init", "new", "--package", "shop.api"]) == 0
    assert "treaty generate" in capsys.readouterr().out
    held = {p.relative_to(project / "new").as_posix() for p in (project / "new").rglob("*") if p.is_file()}
    contracts = ("task.proto", "openapi.yaml", "asyncapi.yaml")
    assert held == {"treaty.toml", *(f"contracts/task/v1/{name}" for name in contracts)}
    (project / "new/treaty.toml").write_text("mine = 1\n")
    assert cli.main(["init", "new"]) == 2
    assert (project / "new/treaty.toml").read_text() == "mine = 1\n"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_contract_set_of_init_loads_without_a_complaint_and_is_pictured(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    printed = run("inspect", cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (0, "")
    graph = json.loads(printed.stdout)
    assert graph["operations"]["task.v1.TaskService/GetTask"]["location"]["line"] == 13
    picture = run("inspect", "--format", "mermaid", cwd=tmp_path).stdout
    assert picture.startswith("flowchart LR\n")
    assert '"POST /tasks"' in picture
    assert '|"fronts"|' in picture
    assert '|"sends"|' in picture
    assert run("inspect", "--format", "dot", cwd=tmp_path).stdout.startswith("digraph contracts {\n")


def test_a_reader_that_goes_away_causes_no_traceback(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "codegen", "inspect"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_version_and_an_unchanged_run_import_nothing_heavy_and_cost_little(
    project: Path, pipeline: FakePipeline
) -> None:
    cli.main(["generate"])
    shown = "import sys; from codegen.cli import main; code = main({!r}); print(*sys.modules, file=sys.stderr)"
    for arguments in (["generate"], ["generate", "--format", "json"]):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", shown.format(arguments)],
            cwd=project,
            check=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=60,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert not set(HEAVY) & set(done.stderr.split())
        assert "codegen.pipeline" not in done.stderr
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_a_second_run_waits_for_the_first(project: Path, pipeline: FakePipeline) -> None:
    from codegen.write import disk

    (project / "generated").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with disk.locked(project / "generated"):
        process = subprocess.Popen(
            [sys.executable, "-m", "codegen", "check"],
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.5)
        assert process.poll() is None
    assert process.wait(timeout=30) in (0, 1)
