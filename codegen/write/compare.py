"""`treaty check`: how the output folder differs from what the contracts give. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location
from codegen.write.manifest import NAME, Manifest, render
from codegen.write.plan import Action, Disk, Plan, Step

_GENERATE = "run `treaty generate` and commit what it writes"


def differences(
    plan: Plan, previous: Manifest, disk: Disk, strays: Iterable[str], manifest_on_disk: bytes, found: Diagnostics
) -> None:
    """Report every file that is missing, out of date, edited, left over or not ours."""
    for step in plan.steps:
        _report(step, previous, disk, found)
    for path in strays:
        found.error(
            "check/stray",
            f"`{path}` is not generated from any contract",
            Location(path=path),
            hint="move it elsewhere: the output folder is written by treaty only",
        )
    if not len(found) and manifest_on_disk != render(plan.manifest).encode():
        found.error("check/manifest", f"`{NAME}` does not say what was generated", Location(path=NAME), hint=_GENERATE)


def _report(step: Step, previous: Manifest, disk: Disk, found: Diagnostics) -> None:
    place = Location(path=step.path)
    written = previous.outputs.get(step.path)
    edited = step.path in disk and written != disk[step.path].digest
    if step.action is Action.CREATE:
        found.error("check/missing", f"`{step.path}` is missing", place, hint=_GENERATE)
    elif step.action is Action.DELETE:
        found.error("check/left-over", f"`{step.path}` is no longer generated", place, hint=_GENERATE)
    elif step.action is Action.UPDATE and edited:
        found.error(
            "check/edited",
            f"`{step.path}` was edited by hand",
            place,
            hint="move the change into the contract or into code of your own, then " + _GENERATE,
        )
    elif step.action is Action.UPDATE:
        found.error("check/out-of-date", f"`{step.path}` does not match the contracts", place, hint=_GENERATE)


def first_difference(before: bytes, after: bytes) -> int:
    """The first line, counted from 1, in which two texts differ."""
    pairs = zip_longest(before.split(b"\n"), after.split(b"\n"))
    return next((number for number, (old, new) in enumerate(pairs, 1) if old != new), 0)
