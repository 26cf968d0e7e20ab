"""The supervisor as the run sees it, and the processes that it starts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.backends.errors import BackendError
from harness.backends.faults import line

SCRIPT = Path(__file__).with_name("supervisor.py")
ANSWER_TIMEOUT = 30.0
END_TIMEOUT = 120.0
POLL_INTERVAL = 0.005
PRIVATE = 0o700
PASSABLE = 0o711
"""Others reach what they know the name of: an engine that runs as another user its data folder."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a process runs as."""

    name: str
    uid: int
    gid: int


class Supervisor:
    """Starts processes that end with this one, and keeps the run's folder; see `supervisor`."""

    def __init__(self, parent: str | None = None) -> None:
        """`parent`: where the run's folder is made; the folder for temporary files, when it is None."""
        ours, its = socket.socketpair()
        self._lock = threading.Lock()
        self._channel = ours
        ours.settimeout(ANSWER_TIMEOUT)
        self._answers = ours.makefile("rb")
        with its:
            self._process = subprocess.Popen(  # noqa: S603 our own script
                [sys.executable, "-I", str(SCRIPT), str(its.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,
                cwd="/",
            )
        mode = PASSABLE if os.geteuid() == 0 else PRIVATE
        try:
            self.folder = Path(self._ask(do="folder", parent=parent, mode=mode)["folder"])
        except BackendError:
            self.end()
            raise

    def spawn(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
    ) -> Process:
        """Start a process in the run's folder; `BackendError` when it cannot be."""
        answer = self._ask(
            do="spawn",
            argv=[str(word) for word in argv],
            log=str(log),
            cwd=str(self.folder),
            env=dict(os.environ if env is None else env),
            account=None if account is None else [account.uid, account.gid],
        )
        return Process(self, int(answer["pid"]))

    def at_end(self, *argv: str | Path) -> None:
        """A command to run when everything has ended, whatever the reason."""
        self._ask(do="at_end", argv=[str(word) for word in argv])

    def nothing_at_end(self) -> None:
        """Forget these commands."""
        self._ask(do="nothing_at_end")

    def end(self) -> None:
        """Kill what still runs, remove the folder; waited for."""
        self._answers.close()
        self._channel.close()
        try:
            self._process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def signal(self, pid: int, number: int, *, tree: bool) -> None:
        """Signal a process, or with all that descend from it."""
        self._ask(do="signal", pid=pid, number=int(number), tree=tree)

    def poll(self, pid: int) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        returned: int | None = self._ask(do="poll", pid=pid)["returned"]
        return returned

    def _ask(self, **members: Any) -> dict[str, Any]:
        with self._lock:
            try:
                self._channel.sendall(line(members))
                said = self._answers.readline()
            except (OSError, ValueError) as problem:
                raise BackendError(f"the supervisor of the backends has ended: {problem}") from problem
        if not said:
            raise BackendError("the supervisor of the backends has ended, and all that it ran")
        answer: dict[str, Any] = json.loads(said)
        if "error" in answer:
            raise BackendError(answer["error"])
        return answer


@dataclass(frozen=True, slots=True)
class Process:
    """One process that the supervisor started."""

    supervisor: Supervisor
    pid: int

    def signal(self, number: int, *, tree: bool = False) -> None:
        """Nothing if it has ended."""
        self.supervisor.signal(self.pid, number, tree=tree)

    def returned(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.supervisor.poll(self.pid)

    def wait(self, timeout: float) -> bool:
        """Whether it ended in time."""
        limit = time.monotonic() + timeout
        while self.returned() is None:
            if time.monotonic() > limit:
                return False
            time.sleep(POLL_INTERVAL)
        return True

    def kill(self, timeout: float = ANSWER_TIMEOUT) -> None:
        """SIGKILL to it and all that descend from it, waited for."""
        self.signal(signal.SIGKILL, tree=True)
        if not self.wait(timeout):
            raise BackendError(f"process {self.pid} did not end within {timeout:g} s of SIGKILL")
