"""A Postgres data folder, made once for each version and copied for each run; root's runs as another user."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.backends import cache
from harness.backends.binaries import Program
from harness.backends.errors import BackendError
from harness.backends.postgres import DATABASE, USER
from harness.backends.supervised import Account

INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
"""The same in containers: text sorts alike wherever tests run."""
ACCOUNTS = ("postgres", "nobody")
INITDB_TIMEOUT = 120
COPY_TIMEOUT = 60
LAYOUT = "1"
"""Of the cache: another number makes it anew."""


@dataclass(frozen=True, slots=True)
class Template:
    """A data folder to copy, and the superuser's password in it."""

    folder: Path
    password: str

    def copy(self, to: Path) -> None:
        """With owners and rights as they are."""
        _run(["cp", "-a", "--reflink=auto", self.folder / "data", to], None, timeout=COPY_TIMEOUT)


def account() -> Account | None:
    """Whom Postgres runs as: root's as `postgres` or `nobody`, since it refuses to be root; else as who we are."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise BackendError(f"Postgres does not run as root, and there is no user {' or '.join(ACCOUNTS)}")


def reachable(program: Program, runner: Account | None) -> Program:
    """The program, or a copy of its installation in the cache when `runner` may not read it where it is."""
    if runner is None or _runs(program.path, runner):
        return program
    installed = program.folder.parent

    def make(unfinished: Path) -> None:
        inside = unfinished / installed.parent.name / installed.name
        shutil.copytree(installed, inside, symlinks=True, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        for libraries in installed.parent.parent.glob(f"{installed.parent.name}.libs"):
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open(unfinished)

    copied = cache.once(f"postgres-programs-{_key(program)}", make) / installed.parent.name / installed.name
    path = copied / program.path.relative_to(installed)
    if not _runs(path, runner):
        raise BackendError(f"user {runner.name} can run neither {program.path} nor its copy {path}")
    return Program(path, program.version, program.source)


def template(program: Program, runner: Account | None) -> Template:
    """Made by initdb the first time."""

    def make(unfinished: Path) -> None:
        password = secrets.token_urlsafe(18)
        (unfinished / "password").touch(0o600)
        (unfinished / "password").write_text(password, encoding="ascii")
        given, data = unfinished / "given", unfinished / "data"
        given.touch(0o600)
        given.write_text(password, encoding="ascii")
        data.mkdir(0o700)
        if runner is not None:
            unfinished.chmod(0o711)
            for path in (given, data):
                os.chown(path, runner.uid, runner.gid)
        initdb = [program.folder / "initdb", "-D", data, "-U", USER, f"--pwfile={given}", "--no-sync", *INITDB]
        _run(initdb, runner, timeout=INITDB_TIMEOUT)
        given.unlink()
        single = [program.path, "--single", "-F", "-D", data, "postgres"]
        _run(single, runner, said=f"CREATE DATABASE {DATABASE}\n", timeout=INITDB_TIMEOUT)

    who = "self" if runner is None else runner.name
    folder = cache.once(f"postgres-data-{_key(program)}-{who}", make)
    return Template(folder, (folder / "password").read_text(encoding="ascii"))


def _key(program: Program) -> str:
    stat = program.path.stat()
    parts = (LAYOUT, program.version, program.path, stat.st_mtime_ns, stat.st_size, INITDB)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _runs(path: Path, runner: Account) -> bool:
    try:
        _run([path, "--version"], runner, timeout=INITDB_TIMEOUT)
    except BackendError:
        return False
    return True


def _open(folder: Path) -> None:
    """All may read it, and run what is a program."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _run(argv: Sequence[object], runner: Account | None, *, timeout: float, said: str | None = None) -> None:
    try:
        done = subprocess.run(  # noqa: S603 the engine's own programs
            [str(word) for word in argv],
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=None if runner is None else runner.uid,
            group=None if runner is None else runner.gid,
            extra_groups=None if runner is None else [],
            input=said,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        raise BackendError(f"{argv[0]} could not be run: {problem}") from problem
    if done.returncode:
        raise BackendError(f"{argv[0]} exited with {done.returncode}:\n{done.stdout}{done.stderr}".strip())
