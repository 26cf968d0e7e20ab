"""Which tests belong to which leg, and what all of them are run with."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; time is measured in benchmarks.
settings.register_profile("treaty", deadline=None)
settings.load_profile("treaty")

ENGINES = frozenset({"running_backends", "backends", "postgres", "postgres_of_module", "redis", "running_platform"})
"""Fixtures that start real engines."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on real engines are a leg of their own, `make test-engines`."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        on_engines = not names.isdisjoint(ENGINES) or "harness/backends" in item.path.as_posix()
        if on_engines and item.get_closest_marker("slow") is None:
            item.add_marker("engines")
