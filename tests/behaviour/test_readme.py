"""The first screen of the README is true: its commands print what it shows, its code type-checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRELUDE = """
from acme.runtime.transport import Transport
from acme.task.v1.events.models import TaskCreated
from acme.task.v1.events.publishers import TaskEventsPublisher
from acme.task.v1.http.front import Front
from acme.task.v1.http.server import create_app
from acme.task.v1.task_grpc import TaskServiceClient
from acme.task.v1.task_pb2 import GetTaskRequest

transport: Transport
task: TaskCreated
"""


def treaty(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("readme")
    treaty(folder, "init")
    return folder, treaty(folder, "generate")


def shown(command: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    block = next(each for each in blocks if each.startswith(f"$ {command}\n"))
    return [line for line in block.splitlines() if not line.startswith("$")]


def python(beginning: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return next(each for each in blocks if each.startswith(beginning))


def test_init_and_generate_print_what_the_readme_shows(project: tuple[Path, str]) -> None:
    (line,) = shown("treaty init && treaty generate")
    assert re.sub(r"[\d.]+ s$", "", line) in re.sub(r"[\d.]+ s$", "", project[1].strip())


@pytest.mark.slow
def test_the_code_of_the_readme_type_checks(project: tuple[Path, str]) -> None:
    code = python("async def main()")
    source = project[0] / "generated/python"
    (source / "readme.py").write_text(PRELUDE + code)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "readme.py"],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    (source / "readme.py").unlink()
    assert done.returncode == 0, done.stdout


def test_contracts_that_disagree_print_what_the_readme_shows(project: tuple[Path, str]) -> None:
    contract = project[0] / "contracts/task/v1/openapi.yaml"
    agreed = contract.read_text()
    contract.write_text(agreed.replace("created_at", "createdAt"))
    printed = treaty(project[0], "generate").splitlines()
    contract.write_text(agreed)
    assert printed[:3] == shown("treaty generate")


@pytest.mark.slow
def test_the_test_of_the_readme_passes_as_a_user_runs_it(tmp_path: Path) -> None:
    code = python("def test_an_answer_that_is_lost")
    (tmp_path / "test_readme.py").write_text(f"import stripe\n\n\n{code}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "treaty_gateways=stripe", "test_readme.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
