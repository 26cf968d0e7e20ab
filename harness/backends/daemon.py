"""The Docker daemon: whether it answers, and which images of the engines it has.

Per engine the first that is there: what HARNESS_POSTGRES_IMAGE or HARNESS_REDIS_IMAGE names, an official image, one
that `make images` built; else an official one that can be pulled.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker

ANSWER_TIMEOUT = 2.0
REGISTRY_TIMEOUT = 5
SOCKET = Path("/var/run/docker.sock")
BUILT = "treaty"
"""What the names of images begin with that `make images` builds."""
PULLED = {"postgres": "postgres:18", "redis": "redis:8"}
VARIABLES = {"postgres": "HARNESS_POSTGRES_IMAGE", "redis": "HARNESS_REDIS_IMAGE"}
REPOSITORIES = {
    "postgres": ("postgres", f"{BUILT}/postgres"),
    "redis": ("redis", f"{BUILT}/redis", f"{BUILT}/valkey"),
}


class NoDocker(Exception):
    """Why containers cannot be had."""


@dataclass(frozen=True, slots=True)
class Images:
    """What runs in containers."""

    postgres: str
    redis: str


def images(environ: Mapping[str, str]) -> Images:
    """The images to run, or NoDocker."""
    client = connect(environ)
    try:
        present = [tag for image in client.api.images() for tag in image.get("RepoTags") or ()]
        return Images(*(_image(client, engine, environ, present) for engine in ("postgres", "redis")))
    finally:
        client.close()


def connect(environ: Mapping[str, str]) -> docker.DockerClient:
    """A client of the daemon, which has answered within two seconds; NoDocker otherwise."""
    if importlib.util.find_spec("testcontainers") is None:
        raise NoDocker("testcontainers is not installed")
    url = _url(environ)
    if url is None:
        raise NoDocker("no Docker daemon answers (DOCKER_HOST is not set, and there is no docker.sock)")
    if url.startswith("unix://"):
        _ping(Path(url.removeprefix("unix://")))
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=ANSWER_TIMEOUT, environment={**environ, "DOCKER_HOST": url})
        client.ping()
    except DockerException as problem:
        raise NoDocker(f"no Docker daemon answers at {url} ({problem})") from problem
    return client


def best(repositories: Iterable[str], present: Iterable[str]) -> str | None:
    """The tag of the highest version in the first repository that has any."""
    present = list(present)
    for repository in repositories:
        tags = re.compile(rf"(?:docker\.io/)?(?:library/)?{re.escape(repository)}:(.+)")
        found = {match[0]: _version(match[1]) for tag in present if (match := tags.fullmatch(tag))}
        if found:
            return max(found, key=lambda tag: (found[tag], -len(tag)))
    return None


def _version(tag: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", tag)
    return tuple(map(int, found[0].split("."))) if found else ()


def _image(client: docker.DockerClient, engine: str, environ: Mapping[str, str], present: list[str]) -> str:
    named = environ.get(VARIABLES[engine])
    found = (named if _is_present(client, named) else None) if named else best(REPOSITORIES[engine], present)
    if found:
        return found
    wanted = named or PULLED[engine]
    problem = _cannot_be_pulled(client, wanted)
    if problem is None:
        return wanted
    if named:
        raise NoDocker(f"the Docker daemon has no image {named}, and cannot pull it: {problem}")
    raise NoDocker(
        f"the Docker daemon has no image of {engine}, and cannot pull {wanted} ({problem}): `make images` builds one"
    )


def _is_present(client: docker.DockerClient, image: str) -> bool:
    from docker.errors import ImageNotFound

    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def _cannot_be_pulled(client: docker.DockerClient, image: str) -> str | None:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    client.api.timeout = REGISTRY_TIMEOUT
    try:
        client.images.get_registry_data(image)
    except (DockerException, RequestException) as problem:
        return str(getattr(problem, "explanation", None) or problem).splitlines()[0]
    return None


def _url(environ: Mapping[str, str]) -> str | None:
    """Where the daemon would be: as Testcontainers finds it, without importing that when there is nothing to find."""
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    if any(os.access(Path.home() / name, os.R_OK) for name in (".testcontainers.properties", ".docker/config.json")):
        from testcontainers.core.docker_client import get_docker_host

        found = get_docker_host()
        if found:
            return str(found)
    return f"unix://{SOCKET}" if SOCKET.exists() else None


def _ping(path: Path) -> None:
    """NoDocker unless something answers on the socket in time, whatever it says."""
    limit = time.monotonic() + ANSWER_TIMEOUT
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
            connection.settimeout(max(0.001, limit - time.monotonic()))
            answered = connection.recv(1)
        except OSError as problem:
            raise NoDocker(f"no Docker daemon answers at unix://{path} ({problem})") from problem
    if not answered:
        raise NoDocker(f"no Docker daemon answers at unix://{path}")
