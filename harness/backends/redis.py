"""Redis (or Valkey): an engine that is emptied between tests."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from harness.backends.engine import Engine, Host, NotReady
from harness.backends.errors import BackendError
from harness.backends.proxy import Address, Listener

ANSWER_TIMEOUT = 10.0
LONGEST_ANSWER = 1 << 20
CONFIGURATION = {"appendonly": "yes", "appendfsync": "always", "save": ""}
"""Of every backend, besides its defaults: a write is on disk before it is answered."""


class Redis(Engine):
    """Redis with its append-only file on, each write on disk before it is answered."""

    name: ClassVar[str] = "Redis"

    def __init__(self, host: Host, listener: Listener, *, password: str) -> None:
        super().__init__(host, listener)
        self._password = password

    @property
    def url(self) -> str:
        """`redis://:password@host:port/0`."""
        return f"redis://:{self._password}@{self.host}:{self.port}/0"

    @property
    def direct_url(self) -> str:
        """The URL past the proxy."""
        address = self._host.address()
        if isinstance(address, Path):
            return f"unix://:{self._password}@{address}?db=0"
        return f"redis://:{self._password}@{address[0]}:{address[1]}/0"

    def flush(self) -> None:
        """Remove all keys, streams and groups of all databases; past the proxy."""
        with self._lock:
            self._demand("running")
            try:
                self._ask("FLUSHALL")
            except OSError as problem:
                raise BackendError(f"Redis did not answer: {problem}") from problem

    def release(self) -> None:
        """There are none: each command has its own."""

    def _probe(self) -> str:
        try:
            self._ask("PING")  # refused while it loads its data, unlike INFO
            said = self._ask("INFO", "server")
        except (OSError, BackendError) as problem:
            raise NotReady(str(problem)) from problem
        for name, member in (("Valkey", "valkey_version"), ("Redis", "redis_version")):
            found = re.search(rf"^{member}:(\S+)", said, re.MULTILINE)
            if found:
                return f"{name} {found[1]}"
        raise NotReady("it does not say which version it is")

    def _ask(self, *words: str) -> str:
        """One command past the proxy, on a connection of its own; a `BackendError` when it is refused."""
        with closing(_connected(self._host.address())) as connection:
            connection.sendall(_command("AUTH", self._password) + _command(*words))
            with connection.makefile("rb") as answers:
                _answer(answers.readline(LONGEST_ANSWER))
                head = _answer(answers.readline(LONGEST_ANSWER))
                return head if not head.startswith("$") else answers.read(int(head[1:])).decode()


def _connected(address: Address) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, ANSWER_TIMEOUT)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_TIMEOUT)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def _command(*words: str) -> bytes:
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
    return b"*%d\r\n%s" % (len(words), parts)


def _answer(said: bytes) -> str:
    if not said.endswith(b"\r\n"):
        raise ConnectionError("the connection ended before the answer")
    text = said[:-2].decode()
    if text.startswith("-"):
        raise BackendError(text[1:])
    return text
