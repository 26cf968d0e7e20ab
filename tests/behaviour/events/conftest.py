"""One generated package for all event tests, and a broker whose clock stands still."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.behaviour.events.contracts import CONTRACTS
from tests.generating import generated

PACKAGE = "event_contracts"


class Generated:
    """The modules of the generated package."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __getattr__(self, dotted: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.{dotted.replace('__', '.')}")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    root, diagnostics = generated(tmp_path_factory.mktemp("events"), CONTRACTS, PACKAGE)
    assert [str(found) for found in diagnostics.errors] == []
    sys.path.insert(0, str(root))
    yield Generated(root)
    sys.path.remove(str(root))


@pytest.fixture
def clock(made: Generated) -> Any:
    return made.runtime__in_process.ManualClock()


@pytest.fixture
async def transport(made: Generated, clock: Any) -> AsyncIterator[Any]:
    found = made.runtime__in_process.InProcessTransport(sleep=clock.sleep, now=clock.now)
    yield found
    await found.close()
