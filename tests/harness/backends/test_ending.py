"""Nothing of a run is left when it ends, in whatever way."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.backends import reaper
from harness.backends.choose import VARIABLE
from harness.backends.errors import BackendError
from harness.backends.session import DATA_VARIABLE, Running, backends
from tests.harness.backends.conftest import kinds

LONG = 30.0
CHILD = """
import sys, time
from harness.backends.session import backends
with backends() as running:
    {act}
    print(running.postgres._host._supervisor._process.pid, running.postgres.port, running.redis.port, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """Where engines have their data; not below pytest's folder, which is closed to the user that Postgres runs as."""
    made = Path(tempfile.mkdtemp(prefix="ending-", dir=os.environ.get(DATA_VARIABLE) or None))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def environ(data: Path) -> dict[str, str]:
    return {**os.environ, VARIABLE: "embedded", DATA_VARIABLE: str(data), "PYTHONPATH": os.pathsep.join(sys.path)}


@contextlib.contextmanager
def child(environ: dict[str, str], act: str = "pass") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run in a process of its own, and its supervisor's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.format(act=act)], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().split()[0])
        finally:
            process.kill()


def left(folder: str) -> list[str]:
    """Command lines of processes that have to do with a folder, and files in it."""
    found = [str(path) for path in Path(folder).iterdir()]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                cwd = str((entry / "cwd").readlink())
                if folder in line or cwd.startswith(folder):
                    found.append(f"{entry.name} {line}")
    return found


def segments() -> set[str]:
    """System V shared memory of this machine."""
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]}


def gone(folder: str) -> list[str]:
    """What is still left after a while."""
    limit = time.monotonic() + LONG
    while (found := left(folder)) and time.monotonic() < limit:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("act", ["pass", "running.postgres.pause(); running.redis.pause()", "running.postgres.kill9()"])
def test_a_killed_run_leaves_nothing(environ: dict[str, str], act: str) -> None:
    with child(environ, act) as (process, _):
        assert len(left(environ[DATA_VARIABLE])) >= 3
        process.kill()
        process.wait()
        assert gone(environ[DATA_VARIABLE]) == []


def test_a_killed_supervisor_takes_the_engines_with_it(environ: dict[str, str]) -> None:
    with child(environ) as (process, supervisor):
        os.kill(supervisor, signal.SIGKILL)
        process.kill()
        process.wait()
        limit = time.monotonic() + LONG
        while any(each[0].isdigit() for each in left(environ[DATA_VARIABLE])) and time.monotonic() < limit:
            time.sleep(0.02)
        remaining = left(environ[DATA_VARIABLE])
        assert len(remaining) == 1, "its folder alone"
    with backends(environ=environ):
        assert not Path(remaining[0]).exists(), "the next run removes it"
    assert left(environ[DATA_VARIABLE]) == []


def test_a_run_that_ends_leaves_nothing(environ: dict[str, str]) -> None:
    with backends(environ=environ) as running:
        segment = Path(folder(running), "data/postmaster.pid").read_text(encoding="ascii").split()[-2]
        assert segment in segments()
        running.postgres.kill9()
        ports = [engine.port for engine in running.engines]
    assert left(environ[DATA_VARIABLE]) == []
    assert segment not in segments()
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_a_run_leaves_those_of_others_alone(environ: dict[str, str]) -> None:
    with backends(environ=environ) as one, backends(environ=environ) as other:
        assert folder(one) != folder(other)
        one.postgres.kill9()
        other.redis.flush()
        one.postgres.start()
    assert left(environ[DATA_VARIABLE]) == []


def folder(running: Running) -> str:
    return running.postgres.direct_url.partition("?host=")[2].partition("&")[0]


def test_a_port_in_use_is_one_message_and_nothing_is_left(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(BackendError, match=f"port {port} of 127.0.0.1 is in use"),
            backends(environ=environ, redis_port=port),
        ):
            pass
    assert left(environ[DATA_VARIABLE]) == []


def test_ports_can_be_chosen(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with backends(environ=environ, postgres_port=port) as running:
        assert f":{port}/" in running.postgres.dsn


def test_an_engine_that_does_not_start_shows_the_end_of_its_log(environ: dict[str, str], tmp_path: Path) -> None:
    server = tmp_path.parent / f"{tmp_path.name}-redis-server"
    server.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo 'Redis server v=7.0.0' && exit\necho '# Bad directive'; exit 1\n",
        encoding="utf-8",
    )
    server.chmod(0o755)
    with (
        pytest.raises(BackendError, match=r"Redis exited with 1 at its start; the end of its log:\n# Bad directive"),
        backends(environ={**environ, "HARNESS_REDIS_SERVER": str(server)}),
    ):
        pass
    assert left(environ[DATA_VARIABLE]) == []


@pytest.mark.slow
@pytest.mark.skipif("docker" not in kinds(), reason="no Docker daemon with the engines' images here")
def test_a_killed_run_leaves_no_containers(environ: dict[str, str]) -> None:
    import docker

    client = docker.from_env()
    with child({**environ, VARIABLE: "docker"}, "running.redis.pause()") as (process, _):
        (run,) = Path(environ[DATA_VARIABLE]).iterdir()
        made = client.containers.list(all=True, filters={"label": f"{reaper.RUN}={run}"})
        volumes = {mount["Name"] for container in made for mount in container.attrs["Mounts"]}
        assert (len(made), len(volumes)) == (2, 2)
        process.kill()
        process.wait()
        assert gone(environ[DATA_VARIABLE]) == []
    assert client.containers.list(all=True, filters={"label": f"{reaper.RUN}={run}"}) == []
    assert volumes.isdisjoint(volume.name for volume in client.volumes.list())
    client.close()


@pytest.mark.slow
@pytest.mark.skipif("docker" not in kinds(), reason="no Docker daemon with the engines' images here")
def test_containers_of_a_run_whose_supervisor_was_killed_are_removed_by_the_next(environ: dict[str, str]) -> None:
    import docker

    client = docker.from_env()
    with child({**environ, VARIABLE: "docker"}) as (_, supervisor):
        (run,) = Path(environ[DATA_VARIABLE]).iterdir()
        os.kill(supervisor, signal.SIGKILL)
    with backends(environ={**environ, VARIABLE: "docker"}):
        assert client.containers.list(all=True, filters={"label": f"{reaper.RUN}={run}"}) == []
    client.close()
