"""A service skeleton: what is written starts, answers, stops, passes the type check, and is never written again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.behaviour.skeleton.running import run, started, type_check

CALL = """
import asyncio, sys
from acme.task.v1.task_grpc import TaskServiceClient
from acme.task.v1.task_pb2 import GetTaskRequest
from acme.runtime.errors import Unimplemented

async def main() -> None:
    async with TaskServiceClient(sys.argv[1]) as client:
        try:
            await client.get_task(GetTaskRequest(task_id="1"))
        except Unimplemented as error:
            print(error)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract set of `treaty init`, generated, with its service."""
    folder = tmp_path_factory.mktemp("project")
    for arguments in (["init"], ["generate"], ["service", "task"]):
        done = run(folder, "-m", "codegen", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_service_has_the_same_files(project: Path) -> None:
    service = project / "services/task"
    assert {path.relative_to(service).as_posix() for path in service.rglob("*") if path.is_file()} >= {
        "__init__.py",
        "adapters/__init__.py",
        "api.py",
        "app.py",
        "config.py",
        "consumers.py",
        "domain.py",
        "handlers.py",
        "migrations/README.md",
    }


def test_it_starts_answers_unimplemented_and_stops_when_told(project: Path) -> None:
    with started(project, "task", 2) as service:
        answer = run(project, "-c", CALL, service.addresses["task.v1.TaskService"])
        assert answer.stdout == "UNIMPLEMENTED: GetTask is not implemented yet\n"
        assert service.stop() == 0


@pytest.mark.slow
def test_it_passes_the_strict_type_check(project: Path) -> None:
    assert type_check(project).startswith("Success")


def test_it_is_written_once_and_is_its_authors_from_then_on(project: Path) -> None:
    handlers = project / "services/task/handlers.py"
    mine = handlers.read_text() + "# mine\n"
    handlers.write_text(mine)
    again = run(project, "-m", "codegen", "service", "task")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert run(project, "-m", "codegen", "generate", "--force").returncode == 0
    assert handlers.read_text() == mine


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["../evil"], "cannot name a service"),
        (["nothing"], "no contract says what `nothing` serves or receives"),
        (["other", "--service", "task.v1.Nothing"], "there is no proto service `task.v1.Nothing`"),
    ],
)
def test_a_service_that_cannot_be_is_refused(project: Path, arguments: list[str], said: str) -> None:
    refused = run(project, "-m", "codegen", "service", *arguments)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert {path.name for path in (project / "services").iterdir()} <= {"__init__.py", "task", "__pycache__"}
