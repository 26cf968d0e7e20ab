"""Projects whose services are written by `treaty service`, and their processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
_SERVING = re.compile(r" serving (?P<what>.+) on (?P<address>\S+)$")


def environment(project: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    paths = [str(ROOT), str(project / "generated/python"), str(project)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(more or {})}


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def type_check(project: Path) -> str:
    """What mypy --strict says about the services."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "--config-file=", "services"],
        cwd=project,
        env={**environment(project), "MYPYPATH": f"{project / 'generated/python'}:{project}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return checked.stdout


@dataclass
class Service:
    """A running service: where it serves what, and what else it has logged since it was last asked."""

    process: subprocess.Popen[str]
    addresses: dict[str, str] = field(default_factory=dict)

    def logged(self) -> str:
        """The next line of the log."""
        assert self.process.stderr
        return self.process.stderr.readline()

    def tell_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Its exit code."""
        self.tell_to_stop()
        return self.process.wait(timeout=15)


@contextmanager
def started(project: Path, name: str, parts: int, **settings: str) -> Iterator[Service]:
    """The service `name`, when it says that `parts` of it serve. All ports are chosen by the system."""
    chosen = {"GRPC_ADDRESS": "127.0.0.1:0", "HTTP_ADDRESS": "127.0.0.1:0", **settings}
    with subprocess.Popen(
        [sys.executable, "-m", f"services.{name}.app"],
        cwd=project,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(project, {f"{name.upper()}_{key}": value for key, value in chosen.items()}),
    ) as process:
        try:
            service = Service(process)
            for _ in range(parts):
                line = service.logged()
                found = _SERVING.search(line.strip())
                assert found, line + (process.stderr.read() if process.stderr and process.poll() is not None else "")
                service.addresses[found["what"]] = found["address"]
            yield service
        finally:
            process.kill()
