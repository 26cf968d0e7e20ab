"""Postgres: an engine with databases to itself for each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from harness.backends.engine import Engine, Host, NotReady
from harness.backends.proxy import Address, Listener

if TYPE_CHECKING:
    import psycopg

USER = "treaty"
DATABASE = "treaty"
PROBE_TIMEOUT = 2
SOCKET_PORT = 5432
"""Part of the name of the Unix socket only."""
SETTINGS: dict[str, object] = {"max_connections": 300, "timezone": "UTC", "jit": "off"}
"""Of every backend, besides its defaults, under which a commit is on disk before it is answered."""

FILE_COPY = 15
"""The first version that copies otherwise unless it is told to: six times slower here for small databases."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own."""

    name: str
    dsn: str
    direct_dsn: str
    engine: Postgres

    def drop(self) -> None:
        """Remove it; connections to it are ended."""
        self.engine.drop_database(self.name)


class Postgres(Engine):
    """Postgres, its clients a superuser; WAL and fsync are on."""

    name: ClassVar[str] = "Postgres"

    def __init__(self, host: Host, listener: Listener, *, password: str) -> None:
        super().__init__(host, listener)
        self._password = password
        self._admin_lock = threading.Lock()
        self._admin: psycopg.Connection | None = None
        self._count = 0

    @property
    def url(self) -> str:
        """The same as `dsn`."""
        return self.dsn

    @property
    def dsn(self) -> str:
        """`postgresql://user:password@host:port/database`, as libpq, psycopg, asyncpg and SQLAlchemy take it."""
        return self._dsn((self.host, self.port), DATABASE)

    @property
    def direct_url(self) -> str:
        """The DSN past the proxy."""
        return self._dsn(self._host.address(), DATABASE)

    def create_database(self, name: str | None = None, *, template: str | None = None) -> Database:
        """A fresh database, empty or a copy of `template`; None: a name that is not in use."""
        if name is None:
            with self._lock:
                self._count += 1
                name = f"test_{self._count}"
        copied = f"TEMPLATE {_quoted(template or 'template0')}"
        if int(self.version.split()[-1].partition(".")[0]) >= FILE_COPY:
            copied += " STRATEGY file_copy"
        self._execute(f"CREATE DATABASE {_quoted(name)} {copied}")
        return self._database(name)

    @contextmanager
    def database(self, *, template: str | None = None) -> Iterator[Database]:
        """A fresh database for the length of the block; removed if Postgres runs then."""
        made = self.create_database(template=template)
        try:
            yield made
        finally:
            if self.state == "running":
                made.drop()

    def create_template(self, name: str, prepare: Callable[[str], object]) -> str:
        """A database to make copies of: made empty, filled by `prepare(dsn)`, then closed to connections."""
        database = self.create_database(name)
        try:
            prepare(database.direct_dsn)
        except BaseException:
            database.drop()
            raise
        self._execute(f"ALTER DATABASE {_quoted(name)} WITH ALLOW_CONNECTIONS false")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database; connections to it are ended. Nothing if it is not there."""
        self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def _database(self, name: str) -> Database:
        return Database(name, self._dsn((self.host, self.port), name), self._dsn(self._host.address(), name), self)

    def _dsn(self, address: Address, database: str) -> str:
        account = f"{USER}:{quote(self._password, safe='')}"
        if isinstance(address, Path):
            return f"postgresql://{account}@/{database}?host={quote(str(address.parent), safe='/')}&port={SOCKET_PORT}"
        host, port = address
        return f"postgresql://{account}@{host}:{port}/{database}"

    def _probe(self) -> str:
        import psycopg

        try:
            with psycopg.connect(self.direct_url, connect_timeout=PROBE_TIMEOUT) as connection:
                row = connection.execute("SHOW server_version").fetchone()
        except psycopg.OperationalError as problem:
            raise NotReady(str(problem).strip()) from problem
        return f"PostgreSQL {str(row[0]).split()[0] if row else '?'}"

    def _execute(self, statement: str) -> None:
        """Past the proxy, on a connection that is kept, outside a transaction."""
        import psycopg

        with self._admin_lock:
            self._demand("running")
            if self._admin is None or self._admin.closed:
                self._admin = psycopg.connect(self.direct_url, autocommit=True)
            self._admin.execute(statement.encode())

    def release(self) -> None:
        """Close the connection that is kept."""
        with self._admin_lock:
            if self._admin is not None:
                self._admin.close()
                self._admin = None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
