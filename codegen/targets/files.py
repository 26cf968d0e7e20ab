"""What a target hands over: files as data. Only `codegen.write` touches the disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from codegen.diagnostics import Diagnostic


class Policy(Enum):
    """How the writer treats the file."""

    ALWAYS = "always"
    """Written on every run that changes it; deleted when no longer generated."""
    ONCE = "once"
    """Written when absent, then owned by its author (service skeletons)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedFile:
    """`path` is relative to the output folder, with `/`; text is UTF-8 with `\\n` ends."""

    path: str
    content: str | bytes
    policy: Policy = Policy.ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOutput:
    """What is emitted together, again or not at all.

    `inputs` are the paths of the contracts it depends on; `files` is None when
    none of them changed since the previous run, whose outputs then stay.
    `diagnostics` are those of emitting this unit; they are remembered for runs
    that skip it.
    """

    name: str
    inputs: tuple[str, ...]
    files: tuple[GeneratedFile, ...] | None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Everything one run gives. Units have distinct names."""

    units: tuple[UnitOutput, ...]
