"""Which backend: what the environment asks for, held against what this machine has."""

from __future__ import annotations

from dataclasses import dataclass

from harness.backends.engine import Kind

VARIABLE = "HARNESS_BACKEND"


@dataclass(frozen=True, slots=True)
class Choice:
    """What will run, and why that."""

    kind: Kind
    reason: str
