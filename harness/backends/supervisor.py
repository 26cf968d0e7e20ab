"""A process that outlives the test run by a moment: it starts the run's processes, and ends all of them after it.

Run as a script, `supervisor.py FD PID`: FD is a socket on which the run asks, one JSON object a line, PID the run's
process. When the run ends in whatever way (the socket's end, the process's end), everything started here is killed, the
commands left for the end are run and the run's folder is removed. Processes started here get SIGKILL, too, when this
process is killed. Standard library only, one thread: a thread's end would be the parent's death for its children.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IPC_RMID = 0
PREFIX = "treaty-"
LOCK = "lock"
POSTMASTER = "postmaster.pid"
SHARED_MEMORY_LINE = 6
END_TIMEOUT = 30.0
STOP_TIMEOUT = 2.0
COMMAND_TIMEOUT = 60.0
CHUNK = 1 << 16

LIBC = ctypes.CDLL(None, use_errno=True)
LINUX = sys.platform.startswith("linux")


class Supervisor:
    """What was started, and what is to be done at the end."""

    def __init__(self) -> None:
        self.returned: dict[int, int] = {}
        self.commands: list[list[str]] = []
        self.folder: Path | None = None
        self.lock: int | None = None

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request."""
        can: dict[str, Callable[..., dict[str, Any]]] = {
            "folder": self.make_folder,
            "spawn": self.spawn,
            "signal": self.signal,
            "poll": self.poll,
            "at_end": self.at_end,
            "nothing_at_end": self.nothing_at_end,
        }
        return can[asked.pop("do")](**asked)

    def make_folder(self, parent: str | None, mode: int) -> dict[str, Any]:
        """The run's folder; a lock in it tells other runs that its owner lives."""
        parent = parent or tempfile.gettempdir()
        sweep(Path(parent))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        unlocked = self.folder / f"{LOCK}.new"
        self.lock = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        unlocked.rename(self.folder / LOCK)
        self.folder.chmod(mode)
        return {"folder": str(self.folder)}

    def spawn(
        self, argv: list[str], log: str, cwd: str, env: dict[str, str], account: list[int] | None
    ) -> dict[str, Any]:
        """Start a process, its output appended to `log`; `account`: user and group id to run it as."""
        others = {} if account is None else {"user": account[0], "group": account[1], "extra_groups": []}
        with Path(log).open("ab") as output:
            started = subprocess.Popen(  # noqa: S603 what the run asked for
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=env,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 there is one thread, and it must come after the change of user
                **others,  # type: ignore[call-overload] # optional keywords of one call
            )
        pid: int = started.pid
        started.returncode = 0  # reaped by `reap`, together with orphans
        return {"pid": pid}

    def signal(self, pid: int, number: int, tree: bool) -> dict[str, Any]:
        """Signal a process that was started here and, for `tree`, all that descend from it."""
        if self.has_ended(pid):
            return {}
        if tree and number in {signal.SIGKILL, signal.SIGSTOP}:
            stop(pid)  # or it would start others while they are looked up, and disown them when it dies
        for each in (pid, *(descendants(pid) if tree else ())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
        return {}

    def poll(self, pid: int) -> dict[str, Any]:
        """The exit code, negative for a signal; null while it runs."""
        return {"returned": self.returned.get(pid) if self.has_ended(pid) else None}

    def at_end(self, argv: list[str]) -> dict[str, Any]:
        """Run this after everything was killed."""
        self.commands.append(argv)
        return {}

    def nothing_at_end(self) -> dict[str, Any]:
        """Forget the commands: what they are for is done."""
        self.commands.clear()
        return {}

    def has_ended(self, pid: int) -> bool:
        self.reap()
        return pid in self.returned

    def reap(self) -> bool:
        """Collect what has ended; False when there are no children left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                self.returned[pid] = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False

    def end(self) -> None:
        """Leave nothing behind."""
        limit = time.monotonic() + END_TIMEOUT
        while self.reap() and time.monotonic() < limit:
            for pid in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)
        for argv in self.commands:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run(  # noqa: S603 what the run asked for
                    argv, check=False, stdin=subprocess.DEVNULL, timeout=COMMAND_TIMEOUT
                )
        if self.folder is not None:
            remove(self.folder)


def die_with_parent() -> None:
    """In the child, after the change of user, which would undo it."""
    if LINUX:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(pid: int) -> None:
    """SIGSTOP, waited for."""
    os.kill(pid, signal.SIGSTOP)
    limit = time.monotonic() + STOP_TIMEOUT
    while LINUX and state(pid) not in "TtZX" and time.monotonic() < limit:
        time.sleep(0.0005)


def state(pid: int) -> str:
    """As /proc says it: T is stopped, Z ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def descendants(pid: int) -> list[int]:
    """All below a process, parents first."""
    children: dict[int, list[int]] = {}
    for child, parent in processes():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:
        found += children.get(each, ())
    return found[1:]


def processes() -> Iterator[tuple[int, int]]:
    """(pid, parent's pid) of each."""
    if LINUX:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    text = (entry / "stat").read_text(encoding="latin-1")
                    yield int(entry.name), int(text.rpartition(")")[2].split()[1])
        return
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=False, capture_output=True, text=True)  # noqa: S607 the system's
    for row in listed.stdout.splitlines():
        child, parent = row.split()
        yield int(child), int(parent)


def sweep(parent: Path) -> None:
    """Remove folders of runs whose supervisors were killed, too."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(folder)
            finally:
                os.close(lock)


def remove(folder: Path) -> None:
    """A run's folder, and the shared memory segments that killed postmasters left."""
    for file in folder.glob(f"*/*/{POSTMASTER}"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            segment = file.read_text(encoding="utf-8").splitlines()[SHARED_MEMORY_LINE].split()[1]
            LIBC.shmctl(int(segment), IPC_RMID, None)
    shutil.rmtree(folder, ignore_errors=True)


def serve(supervisor: Supervisor, channel: socket.socket, run: int) -> None:
    """Until the run ends."""
    watched: list[Any] = [channel]
    if LINUX:
        watched.append(os.pidfd_open(run))
    buffer = b""
    while True:
        ready, _, _ = select.select(watched, [], [])
        if channel not in ready:
            return
        received = channel.recv(CHUNK)
        if not received:
            return
        buffer += received
        while b"\n" in buffer:
            request, _, buffer = buffer.partition(b"\n")
            try:
                said = supervisor.answer(json.loads(request))
            except (OSError, ValueError, subprocess.SubprocessError) as problem:
                said = {"error": str(problem)}
            channel.sendall(json.dumps(said).encode() + b"\n")


def main(channel: int, run: int) -> None:
    """Serve, then leave nothing behind."""
    if LINUX:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    supervisor = Supervisor()
    try:
        with socket.socket(fileno=channel) as connection, contextlib.suppress(OSError):
            serve(supervisor, connection, run)
    finally:
        supervisor.end()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
