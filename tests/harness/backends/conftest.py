"""The engines that these tests run on: what HARNESS_BACKEND names, else each kind that this machine has.

Containers that were not asked for by name belong to the slow tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from harness.backends.choose import VARIABLE
from harness.backends.daemon import NoDocker, images
from harness.backends.session import Running, backends


def kinds() -> list[str]:
    named = os.environ.get(VARIABLE, "auto") or "auto"
    if named != "auto":
        return [named]
    try:
        images(os.environ)
    except NoDocker:
        return ["embedded"]
    return ["embedded", "docker"]


def parameters() -> list[ParameterSet]:
    found = kinds()
    return [
        pytest.param(kind, marks=[pytest.mark.slow] if kind == "docker" and len(found) > 1 else []) for kind in found
    ]


@pytest.fixture(scope="session", params=parameters())
def session(request: pytest.FixtureRequest) -> Iterator[Running]:
    with backends(environ={**os.environ, VARIABLE: request.param}) as running:
        yield running


@pytest.fixture
def running(session: Running) -> Running:
    """As after the start, whatever the test before did."""
    session.restore()
    session.redis.flush()
    return session
