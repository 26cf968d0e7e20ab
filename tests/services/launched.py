"""A service as a process of its own: `python -m services.NAME.app`, found by what it logs, ended for sure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
START, END = 40.0, 20.0


class Launched:
    """A running process. `lines` is what it has logged."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"services.{name}.app"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'generated/python'}", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as written:
            for line in written:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def serving(self, what: str) -> str:
        """Where a part listens, as soon as it says so."""
        until = time.monotonic() + START
        with self._news:
            while True:
                for line in self.lines:
                    before, said, where = _message(line).partition(" on ")
                    if said and before.startswith("serving ") and what in before:
                        return where
                left = until - time.monotonic()
                assert left > 0 and self.process.poll() is None, "".join(self.lines)
                self._news.wait(min(left, 0.2))

    def terminate(self) -> int:
        """SIGTERM; the exit code once it has drained."""
        self.process.terminate()
        return self.process.wait(END)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(END)

    def close(self) -> None:
        """End it, whatever its state."""
        if self.process.poll() is None:
            self.kill()
        self._reader.join(END)


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return line


@contextmanager
def launched(name: str, environment: Mapping[str, str]) -> Iterator[Launched]:
    """The process for the length of the block."""
    found = Launched(name, environment)
    try:
        yield found
    finally:
        found.close()
