"""Engines as native processes: programs of this machine, data in the run's folder, clients on a Unix socket.

Only the proxy listens on a port, so there is none to be taken between looking for it and using it.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.backends import initdb
from harness.backends.binaries import Program
from harness.backends.engine import Kind
from harness.backends.errors import BackendError
from harness.backends.postgres import SETTINGS, SOCKET_PORT
from harness.backends.redis import CONFIGURATION
from harness.backends.supervised import Account, Process, Supervisor

STOP_TIMEOUT = 30.0
LOG_LINES = 20
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class Command:
    """How an engine is run."""

    argv: Sequence[object]
    folder: Path
    socket: Path
    stop: signal.Signals
    account: Account | None = None


class NativeHost:
    """An engine as a process that the supervisor started."""

    def __init__(self, supervisor: Supervisor, command: Command) -> None:
        if len(str(command.socket)) > LONGEST_SOCKET_PATH:
            raise BackendError(f"{command.socket} is too long for a Unix socket: set TMPDIR to a shorter folder")
        self._supervisor = supervisor
        self._command = command
        self._log = command.folder / "log"
        self._process: Process | None = None

    @property
    def kind(self) -> Kind:
        """How it runs."""
        return "embedded"

    def start(self) -> None:
        """Launch it."""
        command = self._command
        env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        self._process = self._supervisor.spawn(
            [str(word) for word in command.argv],
            log=self._log,
            env={**env, "LC_ALL": "C", "TZ": "UTC"},
            account=command.account,
        )

    def stop(self) -> None:
        """By the engine's own signal."""
        process = self._running()
        process.signal(self._command.stop)
        if not process.wait(STOP_TIMEOUT):
            process.kill()

    def kill(self) -> None:
        """All of its processes."""
        self._running().kill()

    def pause(self) -> None:
        """SIGSTOP to all of its processes."""
        self._running().signal(signal.SIGSTOP, tree=True)

    def resume(self) -> None:
        """SIGCONT to all of its processes."""
        self._running().signal(signal.SIGCONT, tree=True)

    def ended(self) -> str | None:
        """How, if it did."""
        returned = self._running().returned()
        if returned is None:
            return None
        return f"exited with {returned}" if returned >= 0 else f"was ended by {signal.Signals(-returned).name}"

    def address(self) -> Path:
        """The Unix socket."""
        return self._command.socket

    def log_tail(self) -> str:
        """The last lines of what it wrote."""
        try:
            return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
        except OSError:
            return "(it wrote none)"

    def _running(self) -> Process:
        if self._process is None:
            raise BackendError("it was never started")
        return self._process


def postgres(program: Program, supervisor: Supervisor) -> tuple[NativeHost, str]:
    """Postgres on a data folder of its own, and its superuser's password."""
    runner = initdb.account()
    program = initdb.reachable(program, runner)
    template = initdb.template(program, runner)
    folder = supervisor.folder / "pg"
    folder.mkdir(0o700)
    template.copy(folder / "data")
    if runner is not None:
        os.chown(folder, runner.uid, runner.gid)
    own = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "port": SOCKET_PORT,
        "dynamic_shared_memory_type": "mmap",  # below the data folder: a kill leaves nothing elsewhere
    }
    settings = [word for name, value in (SETTINGS | own).items() for word in ("-c", f"{name}={value}")]
    argv = [program.path, "-D", folder / "data", *settings]
    socket = folder / f".s.PGSQL.{SOCKET_PORT}"
    return NativeHost(supervisor, Command(argv, folder, socket, signal.SIGINT, runner)), template.password


def redis(program: Program, supervisor: Supervisor) -> tuple[NativeHost, str]:
    """Redis on a data folder of its own, and its password."""
    password = secrets.token_urlsafe(18)
    folder = supervisor.folder / "redis"
    folder.mkdir(0o700)
    socket = folder / "socket"
    own = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(folder), "requirepass": password}
    file = folder / "redis.conf"
    file.touch(0o600)
    file.write_text("".join(f'{name} "{value}"\n' for name, value in (CONFIGURATION | own).items()), encoding="utf-8")
    return NativeHost(supervisor, Command([program.path, file], folder, socket, signal.SIGTERM)), password
