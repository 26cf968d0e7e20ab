"""Engines in containers, through Testcontainers; readiness, faults and cleaning up are ours.

Official images and those of `make images` are run alike. Testcontainers' own classes for the engines are not used: they
wait with a client inside the image, and Ryuk is an image, too.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends import reaper
from harness.backends.engine import Kind, NotReady
from harness.backends.errors import BackendError, NotSupported
from harness.backends.initdb import INITDB
from harness.backends.postgres import DATABASE, SETTINGS, USER
from harness.backends.proxy import Address
from harness.backends.redis import CONFIGURATION
from harness.backends.supervised import Supervisor

if TYPE_CHECKING:
    from docker.models.containers import Container
    from testcontainers.core.container import DockerContainer

LOOPBACK = "127.0.0.1"
OVERRIDE = "TESTCONTAINERS_HOST_OVERRIDE"
REACH_TIMEOUT = 1.0
STOP_TIMEOUT = 30
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an engine's container is run."""

    image: str
    port: int
    command: Sequence[str]
    environment: Mapping[str, str]


class ContainerHost:
    """An engine in a container, which is kept over restarts."""

    def __init__(self, supervisor: Supervisor, recipe: Recipe) -> None:
        self._supervisor = supervisor
        self._recipe = recipe
        self._made: DockerContainer | None = None
        self._address: tuple[str, int] | None = None

    @property
    def kind(self) -> Kind:
        """How it runs."""
        return "docker"

    def start(self) -> None:
        """Make the container the first time, start it again later; its ports may be others then."""
        self._address = None
        if self._made is not None:
            self._do(lambda container: container.start())
            return
        self._made = self._configured()
        try:
            self._made.start()
        except Exception as problem:
            raise BackendError(f"{self._recipe.image} did not start: {problem}") from problem

    def stop(self) -> None:
        """By the image's own signal."""
        self._do(lambda container: container.stop(timeout=STOP_TIMEOUT))

    def kill(self) -> None:
        """The whole container."""
        if self._made is None or self._made.status == "not_started" or self.ended() is not None:
            return
        self._do(lambda container: container.kill("SIGKILL"))
        self._do(lambda container: container.wait(timeout=STOP_TIMEOUT))

    def pause(self) -> None:
        """Docker's freezer, where there is one."""
        try:
            self._do(lambda container: container.pause())
        except BackendError as problem:
            raise NotSupported(f"this Docker daemon does not pause containers: {problem}") from problem

    def resume(self) -> None:
        """Out of the freezer."""
        self._do(lambda container: container.unpause())

    def ended(self) -> str | None:
        """How, if it did."""
        self._do(lambda container: container.reload())
        container = self._container()
        return f"exited with {container.attrs['State']['ExitCode']}" if container.status in {"exited", "dead"} else None

    def address(self) -> Address:
        """Where it can be reached from here; NotReady while it cannot."""
        if self._address is None:
            self._do(lambda container: container.reload())
            reached = (each for each in self._candidates() if _answers(each))
            self._address = next(reached, None)
        if self._address is None:
            raise NotReady(f"{self._recipe.image} is reached at none of {self._candidates()}")
        return self._address

    def log_tail(self) -> str:
        """The last lines of what it wrote."""
        return str(self._do(lambda container: container.logs(tail=LOG_LINES)).decode(errors="replace")).rstrip()

    def remove(self) -> None:
        """With its volumes."""
        if self._made is not None:
            self._made.stop()
            self._made = None

    def _configured(self) -> DockerContainer:
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        testcontainers_config.ryuk_disabled = True  # `reaper` is ours
        made = DockerContainer(self._recipe.image).with_command(list(self._recipe.command))
        made.env.update(self._recipe.environment)
        bound: Any = (LOOPBACK,) if self._is_local(made) else None
        made.ports[str(self._recipe.port)] = bound
        return made.with_kwargs(labels=reaper.labels(self._supervisor.folder), detach=True)

    def _is_local(self, made: DockerContainer) -> bool:
        """Whether the daemon publishes ports on our own loopback, so that nobody else need reach them."""
        return OVERRIDE not in os.environ and made.get_docker_client().client.api.base_url.startswith("http+docker")

    def _candidates(self) -> list[tuple[str, int]]:
        """By published port, and for those who are in a container themselves by the container's own address."""
        network = self._container().attrs["NetworkSettings"]
        made = self._made
        host = LOOPBACK if made is None or self._is_local(made) else made.get_container_host_ip()
        published = (network["Ports"] or {}).get(f"{self._recipe.port}/tcp") or ()
        found = [(host, int(each["HostPort"])) for each in published if ":" not in each["HostIp"]]
        own = (each["IPAddress"] for each in network["Networks"].values())
        return found + [(each, self._recipe.port) for each in own if each]

    def _container(self) -> Container:
        if self._made is None:
            raise BackendError("it was never started")
        return self._made.get_wrapped_container()

    def _do(self, what: Callable[[Container], Any]) -> Any:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            return what(self._container())
        except (DockerException, RequestException) as problem:
            raise BackendError(f"{self._recipe.image}: {getattr(problem, 'explanation', None) or problem}") from problem


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, REACH_TIMEOUT).close()
    except OSError:
        return False
    return True


def postgres(image: str, supervisor: Supervisor) -> tuple[ContainerHost, str]:
    """Postgres in a container, and its superuser's password."""
    password = secrets.token_urlsafe(18)
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    environment = {
        "POSTGRES_USER": USER,
        "POSTGRES_PASSWORD": password,
        "POSTGRES_DB": DATABASE,
        "POSTGRES_INITDB_ARGS": " ".join(INITDB),
    }
    return ContainerHost(supervisor, Recipe(image, 5432, ["postgres", *settings], environment)), password


def redis(image: str, supervisor: Supervisor) -> tuple[ContainerHost, str]:
    """Redis in a container, and its password."""
    password = secrets.token_urlsafe(18)
    settings = [word for name, value in CONFIGURATION.items() for word in (f"--{name}", value)]
    command = ["redis-server", *settings, "--requirepass", password]
    return ContainerHost(supervisor, Recipe(image, 6379, command, {})), password


def clean_up(supervisor: Supervisor) -> None:
    """Remove containers of earlier runs that nobody removed, and have this run's removed however it ends."""
    import docker

    client = docker.from_env()
    try:
        reaper.sweep(client)
    finally:
        client.close()
    supervisor.at_end(sys.executable, Path(reaper.__file__), supervisor.folder)
