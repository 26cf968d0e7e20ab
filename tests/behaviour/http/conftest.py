"""A small shop, generated once, served over real loopback sockets."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from tests.behaviour.http.serving import Served, serve
from tests.generating import generated

PACKAGE = "http_shop"


@pytest.fixture(scope="session")
def shop_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the generated package, on the import path."""
    contract = Path(__file__).with_name("shop.yaml").read_text(encoding="utf-8")
    root, diagnostics = generated(tmp_path_factory.mktemp("shop"), {"shop/v1/openapi.yaml": contract}, PACKAGE)
    assert not diagnostics.errors, [d.message for d in diagnostics]
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


@pytest.fixture(scope="session")
def shop(shop_root: Path) -> Any:
    """The generated modules and the parts of the runtime that tests use."""
    names = {name: f"{PACKAGE}.shop.v1.http.{name}" for name in ("client", "server", "models", "operations")}
    names |= {
        name: f"{PACKAGE}.runtime.{name}"
        for name in (
            "errors",
            "http_auth",
            "http_bodies",
            "http_client",
            "http_operation",
            "http_routing",
            "http_security",
            "http_server",
            "parameters",
            "problem",
            "resilience",
            "context",
            "auth",
            "retry_after",
            "http_pages",
        )
    }
    return SimpleNamespace(**{name: importlib.import_module(module) for name, module in names.items()})


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Callable[[Any], Awaitable[Served]]]:
    """Serves applications until the test ends."""
    running: list[Served] = []

    async def start(app: Any) -> Served:
        running.append(await serve(app))
        return running[-1]

    yield start
    for each in running:
        await each.stop()
