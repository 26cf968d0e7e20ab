"""The writer: what it decides, what it does to the disk, and what it refuses."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.diagnostics import Diagnostics
from codegen.targets.files import GeneratedFile, Output, Policy, UnitOutput
from codegen.write import disk, plan
from codegen.write.manifest import EMPTY, NAME, Manifest, ManifestError, Unit, digest, parse, render
from codegen.write.plan import Action, Found, Kind


def output_of(files: Mapping[str, str], *, policy: Policy = Policy.ALWAYS) -> Output:
    made = tuple(GeneratedFile(path=path, content=text, policy=policy) for path, text in files.items())
    return Output(units=(UnitOutput(name="unit", inputs=("a.proto",), files=made),))


def planned(root: Path, output: Output, found: Diagnostics, *, force: bool = False) -> plan.Plan | None:
    previous, _ = disk.read_manifest(root)
    on_disk = disk.survey(root, plan.paths_of_interest(previous, output))
    return plan.make(previous, output, on_disk, found, contracts={"a.proto": "0" * 64}, toolkit="1", force=force)


def write(root: Path, files: Mapping[str, str], *, force: bool = False) -> list[str]:
    """Plan and apply; the rules that stood in the way."""
    found = Diagnostics()
    made = planned(root, output_of(files), found, force=force)
    if made:
        disk.apply(made, root)
    return [each.rule for each in found]


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_files_are_written_updated_and_deleted_with_their_empty_folders(tmp_path: Path) -> None:
    write(tmp_path, {"python/a.py": "1\n", "python/old/b.py": "2\n"})
    assert write(tmp_path, {"python/a.py": "3\n"}) == []
    assert tree(tmp_path).keys() == {NAME, "python/a.py"}
    assert (tmp_path / "python/a.py").read_text() == "3\n"
    assert not (tmp_path / "python/old").exists()


def test_a_deleted_module_takes_its_compiled_cache_with_it(tmp_path: Path) -> None:
    write(tmp_path, {"old/b.py": "2\n", "a.py": ""})
    (tmp_path / "old/__pycache__").mkdir()
    (tmp_path / "old/__pycache__/b.cpython-311.pyc").write_bytes(b"")
    write(tmp_path, {"a.py": ""})
    assert not (tmp_path / "old").exists()


def test_a_file_written_once_is_left_to_its_author(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("mine\n")
    found = Diagnostics()
    made = planned(tmp_path, output_of({"app.py": "theirs\n"}, policy=Policy.ONCE), found)
    assert made
    assert [step.action for step in made.steps] == [Action.KEEP]
    assert made.manifest.outputs == {}


def test_a_file_of_somebody_else_is_neither_overwritten_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("mine\n")
    assert write(tmp_path, {"a.py": "theirs\n"}) == ["write/foreign"]
    assert write(tmp_path, {"a.py": "theirs\n"}, force=True) == ["write/foreign"]
    assert tree(tmp_path) == {"a.py": b"mine\n"}


def test_an_edited_file_is_kept_unless_the_edit_is_discarded_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1\n", "b.py": "1\n"})
    (tmp_path / "a.py").write_text("edited\n")
    (tmp_path / "b.py").write_text("edited\n")
    before = tree(tmp_path)
    assert write(tmp_path, {"a.py": "2\n"}) == ["write/edited", "write/edited"]
    assert tree(tmp_path) == before
    assert write(tmp_path, {"a.py": "2\n"}, force=True) == []
    assert tree(tmp_path).keys() == {NAME, "a.py"}


def test_an_edit_that_equals_what_is_generated_is_no_conflict(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1\n"})
    (tmp_path / "a.py").write_text("2\n")
    assert write(tmp_path, {"a.py": "2\n"}) == []


@pytest.mark.parametrize(
    "path",
    [
        "../a.py",
        "/a.py",
        "x/../../a.py",
        "a//b.py",
        "./a.py",
        "",
        "a\\b.py",
        "c:a.py",
        "a\n.py",
        " a.py",
        "a.",
        "x" * 256,
        "MANIFEST.json",
        "manifest.json",
        ".treaty_cache/x",
    ],
)
def test_a_path_that_leaves_the_folder_or_is_not_portable_is_refused(tmp_path: Path, path: str) -> None:
    assert write(tmp_path, {path: "x"}) == ["write/outside"]
    assert tree(tmp_path) == {}


def test_a_manifest_cannot_make_the_writer_delete_files_elsewhere(tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("x")
    root = tmp_path / "out"
    root.mkdir()
    hostile = Manifest(units={"unit": Unit(inputs=(), outputs={"../precious": digest(b"x")})})
    (root / NAME).write_text(render(hostile))
    assert write(root, {"a.py": ""}) == ["write/outside"]
    assert outside.exists()


def test_a_linked_folder_that_leads_outside_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.py").write_text("mine\n")
    root = tmp_path / "out"
    root.mkdir()
    (root / "python").symlink_to(elsewhere)
    assert write(root, {"python/a.py": "theirs\n"}) == ["write/outside"]
    assert (elsewhere / "a.py").read_text() == "mine\n"


def test_a_linked_cache_folder_is_not_written_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "out"
    root.mkdir()
    (root / plan.OWN_FOLDER).symlink_to(elsewhere)
    disk.write_cache(root, "state.json", b"{}")
    with pytest.raises(disk.DiskError, match="symbolic link"):
        write(root, {"a.py": ""})
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("mine\n")
    root = tmp_path / "out"
    write(root, {"a.py": "1\n"})
    (root / "a.py").unlink()
    (root / "a.py").symlink_to(mine)
    assert write(root, {"a.py": "2\n"}, force=True) == ["write/foreign"]
    assert mine.read_text() == "mine\n"


@pytest.mark.parametrize(
    "paths", [("Shop/a.py", "shop/b.py"), ("a.py", "A.py"), ("caf\u00e9.py", "cafe\u0301.py"), ("a", "a/b.py")]
)
def test_names_that_are_one_on_some_file_systems_are_an_error(tmp_path: Path, paths: tuple[str, str]) -> None:
    assert write(tmp_path, dict.fromkeys(paths, "x")) == ["write/collision"]


def test_two_units_cannot_write_one_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1\n"})
    kept = UnitOutput(name="unit", inputs=("a.proto",), files=None)
    other = UnitOutput(name="other", inputs=(), files=(GeneratedFile(path="a.py", content="2\n"),))
    found = Diagnostics()
    assert planned(tmp_path, Output(units=(kept, other)), found) is None
    assert [each.rule for each in found] == ["write/collision"]


def test_a_skipped_unit_keeps_its_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1\n"})
    found = Diagnostics()
    made = planned(tmp_path, Output(units=(UnitOutput(name="unit", inputs=("a.proto",), files=None),)), found)
    assert made
    assert [(step.action, step.path) for step in made.steps] == [(Action.UNCHANGED, "a.py")]


def test_a_failure_on_the_way_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": "1\n", "gone/b.py": "1\n", "z.py": "1\n"})
    before = tree(tmp_path)
    made = planned(tmp_path, output_of({"a.py": "2\n", "new/c.py": "2\n", "z.py": "2\n"}), Diagnostics())
    assert made
    really = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if Path(target).name == "z.py" and self.name.startswith("new-"):
            raise OSError(28, "No space left on device", str(target))
        return really(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(disk.DiskError, match="No space left"):
        disk.apply(made, tmp_path)
    assert tree(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_being_stopped_on_the_way_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.py": "1\n", "b.py": "1\n"})
    before = tree(tmp_path)
    made = planned(tmp_path, output_of({"a.py": "2\n"}), Diagnostics())
    assert made

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk._Transaction, "_remove", stopped)
    with pytest.raises(KeyboardInterrupt):
        disk.apply(made, tmp_path)
    assert tree(tmp_path) == before


def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1\n"})
    before = tree(tmp_path)
    made = planned(tmp_path, output_of({"a.py": "2\n", "b.py": "x" * 100_000}), Diagnostics())
    assert made
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(disk.DiskError, match="too large"):
            disk.apply(made, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert tree(tmp_path) == before


def test_a_file_where_the_output_folder_should_be_is_one_clear_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(disk.DiskError, match="Not a directory"):
        write(tmp_path / "file/out", {"a.py": "1\n"})


def test_only_one_run_at_a_time_works_on_a_folder(tmp_path: Path) -> None:
    waited: list[bool] = []
    with (
        disk.locked(tmp_path),
        pytest.raises(disk.DiskError, match="another run"),
        disk.locked(tmp_path, wait=0.1, on_wait=lambda: waited.append(True)),
    ):
        pass
    assert waited == [True]
    with disk.locked(tmp_path, wait=0):
        pass


def test_a_lock_leaves_no_folder_behind_when_nothing_was_written(tmp_path: Path) -> None:
    with disk.locked(tmp_path / "a/b"):
        pass
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format": 1}', b'{"format": 1, "units": {"a": 3}}'])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestError):
        parse(content)


NAMES = st.sampled_from(["a.py", "b.py", "x/a.py", "x/y/b.py", "z/c.py"])
TREES = st.dictionaries(NAMES, st.sampled_from(["1\n", "2\n", ""]))


@given(first=TREES, second=TREES)
@settings(max_examples=40, deadline=None)
def test_after_a_run_the_folder_holds_exactly_what_was_generated_and_a_second_run_does_nothing(
    first: dict[str, str], second: dict[str, str]
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for files in (first, second):
            assert write(root, files) == []
            held = tree(root)
            manifest = parse(held.pop(NAME))
            assert held == {path: text.encode() for path, text in files.items()}
            assert manifest.outputs == {path: digest(text.encode()) for path, text in files.items()}
            again = planned(root, output_of(files), Diagnostics())
            assert again
            assert {step.action for step in again.steps} <= {Action.UNCHANGED}


@given(mine=TREES, generated=st.lists(TREES, max_size=3))
@settings(max_examples=40, deadline=None)
def test_files_of_somebody_else_are_never_touched(mine: dict[str, str], generated: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in mine.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f"mine {text}")
        for files in generated:
            write(root, files, force=True)
        held = tree(root)
        assert all(held[path] == f"mine {text}".encode() for path, text in mine.items())


@given(
    written=st.dictionaries(NAMES, st.sampled_from("12")),
    on_disk=st.dictionaries(NAMES, st.sampled_from("123")),
    generated=st.dictionaries(NAMES, st.sampled_from("12")),
)
def test_a_plan_is_made_or_refused_and_never_touches_what_differs_from_the_manifest(
    written: dict[str, str], on_disk: dict[str, str], generated: dict[str, str]
) -> None:
    previous = Manifest(units={"u": Unit(inputs=(), outputs={p: digest(t.encode()) for p, t in written.items()})})
    found = {path: Found(kind=Kind.FILE, digest=digest(text.encode())) for path, text in on_disk.items()}
    complaints = Diagnostics()
    made = plan.make(previous, output_of(generated), found, complaints, contracts={}, toolkit="1")
    assert (made is None) == bool(complaints.errors)
    for step in made.steps if made else ():
        if step.action in (Action.UPDATE, Action.DELETE):
            assert previous.outputs[step.path] == found[step.path].digest


def test_a_manifest_survives_being_written_and_read() -> None:
    manifest = Manifest(toolkit="1", contracts={"a": "b"}, units={"u": Unit(inputs=("a",), outputs={"x": "y"})})
    assert parse(render(manifest).encode()) == manifest
    assert parse(render(EMPTY).encode()) == EMPTY
