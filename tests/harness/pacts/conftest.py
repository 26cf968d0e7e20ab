from __future__ import annotations

import pytest

from codegen.model.graph import Graph
from harness.pacts.contracts import Protos, load


@pytest.fixture(scope="session")
def graph() -> Graph:
    return load()


@pytest.fixture(scope="session")
def protos(graph: Graph) -> Protos:
    return Protos(graph.descriptor_set)
