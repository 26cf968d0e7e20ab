"""What the commands do, as functions that print nothing: settings in, an `Outcome` out.

`generate`: same input as last time -> nothing; else lock the output folder,
run the pipeline, plan, apply, remember. `check`: the same up to the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from codegen import incremental
from codegen.diagnostics import Diagnostic, Diagnostics, Severity
from codegen.model.ids import Location
from codegen.settings import Settings, apply, shown
from codegen.version import VERSION
from codegen.write import disk
from codegen.write.manifest import Manifest
from codegen.write.plan import Action

if TYPE_CHECKING:
    from codegen.model.graph import Graph
    from codegen.targets.files import GeneratedFile, Output
    from codegen.targets.python.skeleton.target import Request
    from codegen.write.plan import Plan

Progress: TypeAlias = Callable[[str], None]

_OUTSIDE_CONTRACTS = (
    "settings/",
    "invocation/",
    "disk/",
    "proto/folder",
    "contracts/unreadable",
    "contracts/empty",
    "document/unreadable",
)
"""Rules, by their beginning, that are about what was asked for and not about what a contract says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a command. Paths in `diagnostics` are as the user would write them."""

    diagnostics: tuple[Diagnostic, ...] = ()
    ignored: int = 0
    """Complaints that the settings silence, each for a stated reason."""
    written: int = 0
    deleted: int = 0
    unchanged: int = 0
    contracts: int = 0
    nothing_changed: bool = False
    """The input was that of the previous run."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The complaints that make the command fail."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def exit_code(self) -> int:
        """0 fine, 1 the contracts or the generated files are wrong, 2 the invocation or the file system is."""
        if not self.errors:
            return 0
        return 2 if all(found.rule.startswith(_OUTSIDE_CONTRACTS) for found in self.errors) else 1


def generate(settings: Settings, progress: Progress, *, force: bool = False) -> Outcome:
    """Bring the output folder up to date with the contracts."""
    refusal = _refusal(settings)
    if refusal:
        return refusal
    try:
        state = incremental.recall(settings.out)
        now = incremental.fingerprint(settings, state)
        unchanged = _unchanged(settings, state, now)
        if unchanged and not force:
            return unchanged
        with disk.locked(settings.out, on_wait=lambda: progress("waiting for another run to end")):
            return _regenerate(settings, progress, now, force=force)
    except disk.DiskError as problem:
        return _disk_failure(problem)


def _unchanged(settings: Settings, state: incremental.State, now: incremental.Fingerprint) -> Outcome | None:
    if not now.unchanged(state):
        return None
    manifest, content = disk.read_manifest(settings.out)
    if incremental.reusable(manifest, content, state, now, settings.out) is None:
        return None
    found, ignored = _judge(settings, state.all_diagnostics)
    if any(each.severity is Severity.ERROR for each in found):
        return None
    return Outcome(
        diagnostics=found,
        ignored=ignored,
        unchanged=len(manifest.outputs),
        contracts=len(manifest.contracts),
        nothing_changed=True,
    )


def _regenerate(settings: Settings, progress: Progress, now: incremental.Fingerprint, *, force: bool) -> Outcome:
    from codegen import pipeline

    state = incremental.recall(settings.out)
    manifest, content = disk.read_manifest(settings.out)
    previous = incremental.reusable(manifest, content, state, now, settings.out)
    diagnostics = Diagnostics()
    output = pipeline.generate(settings, diagnostics, progress, previous)
    found, ignored = _judge(settings, _complaints(diagnostics, output, state))
    if output is None or any(each.severity is Severity.ERROR for each in found):
        return Outcome(diagnostics=found, ignored=ignored)
    progress("writing files")
    now = replace(now, contracts=incremental.with_inputs(now.contracts, output, settings))
    plan, refused = _plan(settings, output, manifest, now, force=force)
    if plan is None:
        return Outcome(diagnostics=(*refused, *found), ignored=ignored)
    disk.apply(plan, settings.out)
    incremental.remember(settings.out, now, output, diagnostics, state)
    return Outcome(
        diagnostics=found,
        ignored=ignored,
        written=plan.count(Action.CREATE, Action.UPDATE),
        deleted=plan.count(Action.DELETE),
        unchanged=plan.count(Action.UNCHANGED, Action.KEEP),
        contracts=len(now.contracts),
    )


def check(settings: Settings, progress: Progress) -> Outcome:
    """Report how the output folder differs from what the contracts give. Generates everything; writes nothing."""
    refusal = _refusal(settings)
    if refusal:
        return refusal
    try:
        if not settings.out.is_dir():
            return _check(settings, progress)
        with disk.locked(settings.out, on_wait=lambda: progress("waiting for another run to end")):
            return _check(settings, progress)
    except disk.DiskError as problem:
        return _disk_failure(problem)


def _check(settings: Settings, progress: Progress) -> Outcome:
    from codegen import pipeline
    from codegen.write import compare
    from codegen.write import plan as planning

    diagnostics = Diagnostics()
    contracts = incremental.contract_digests(settings)
    output = pipeline.generate(settings, diagnostics, progress, None)
    found, ignored = _judge(settings, _complaints(diagnostics, output, incremental.State()))
    if output is None or any(each.severity is Severity.ERROR for each in found):
        return Outcome(diagnostics=found, ignored=ignored)
    contracts = incremental.with_inputs(contracts, output, settings)
    manifest, content = disk.read_manifest(settings.out)
    on_disk = disk.survey(settings.out, planning.paths_of_interest(manifest, output))
    differences = Diagnostics()
    plan = planning.make(manifest, output, on_disk, differences, contracts=contracts, toolkit=VERSION, force=True)
    if plan:
        strays = disk.strays(settings.out, [step.path for step in plan.steps])
        compare.differences(plan, manifest, on_disk, strays, content, differences)
    wrong = _pointed(_below(settings.out, differences), plan, settings.out)
    count = len(plan.steps) if plan else 0
    return Outcome(diagnostics=(*wrong, *found), ignored=ignored, unchanged=count, contracts=len(contracts))


def _pointed(found: Iterable[Diagnostic], plan: Plan | None, out: Path) -> tuple[Diagnostic, ...]:
    """The same with the line of the first difference in every file that differs."""
    from codegen.write.compare import first_difference

    wanted = {shown(out / step.path): step for step in plan.steps if step.action is Action.UPDATE} if plan else {}
    pointed = []
    for each in found:
        step = wanted.get(each.location.path)
        line = first_difference((out / step.path).read_bytes(), step.content) if step else 0
        pointed.append(replace(each, location=replace(each.location, line=line, column=1 if line else 0)))
    return tuple(pointed)


def load(settings: Settings, progress: Progress) -> tuple[Graph | None, Outcome]:
    """The graph of all contracts, for printing."""
    from codegen import pipeline

    refusal = _refusal(settings)
    if refusal:
        return None, refusal
    diagnostics = Diagnostics()
    graph = pipeline.load_graph(settings, diagnostics, progress)
    found, ignored = _judge(settings, diagnostics)
    return graph, Outcome(diagnostics=found, ignored=ignored)


def start_service(settings: Settings, asked: Request, progress: Progress) -> tuple[tuple[Path, ...], Outcome]:
    """Write the files a service starts from; the paths that were written."""
    from codegen.targets.python.skeleton.target import emit
    from codegen.write.style import styled

    graph, outcome = load(settings, progress)
    if graph is None or outcome.errors:
        return (), outcome
    complaints = Diagnostics()
    files = styled(emit(graph, asked, complaints))
    if complaints.errors:
        return (), Outcome(diagnostics=tuple(complaints))
    root = settings.services.parent
    written = write_once(root, files)
    return tuple(root / file.path for file in files), replace(
        written, diagnostics=(*written.diagnostics, *outcome.diagnostics)
    )


def write_once(root: Path, files: Iterable[GeneratedFile]) -> Outcome:
    """Write files that are their author's from then on. Nothing is written when one of them is there already.

    Empty files (the marker of a folder that several share) may be there.
    """
    from codegen.write.plan import encoded

    wanted = {file.path: encoded(file) for file in files}
    try:
        for shared in [path for path in disk.survey(root, wanted) if wanted[path] == b""]:
            del wanted[shared]
        there = disk.survey(root, wanted)
        if there:
            return _failure(
                "invocation/exists",
                f"`{next(iter(there))}` exists already, so nothing was written",
                Location(path=shown(root / next(iter(there)))),
                hint="these files are written once only",
            )
        disk.write_new(root, wanted)
    except disk.DiskError as problem:
        return _disk_failure(problem)
    return Outcome(written=len(wanted))


def _plan(
    settings: Settings, output: Output, manifest: Manifest, now: incremental.Fingerprint, *, force: bool
) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    from codegen.write import plan as planning

    on_disk = disk.survey(settings.out, planning.paths_of_interest(manifest, output))
    refused = Diagnostics()
    plan = planning.make(manifest, output, on_disk, refused, contracts=now.contracts, toolkit=VERSION, force=force)
    return plan, _below(settings.out, refused)


def _complaints(loading: Diagnostics, output: Output | None, before: incremental.State) -> list[Diagnostic]:
    """All complaints of a run; those of skipped units as they were when the unit was emitted."""
    units = output.units if output else ()
    of_units = (before.diagnostics.get(unit.name, ()) if unit.files is None else unit.diagnostics for unit in units)
    return [*loading, *(found for unit in of_units for found in unit)]


def _judge(settings: Settings, found: Iterable[Diagnostic]) -> tuple[tuple[Diagnostic, ...], int]:
    """Complaints about contracts under the project's decisions, in order, with the paths the user knows."""
    gathered = Diagnostics()
    kept, ignored = apply(settings, found)
    gathered.extend(kept)
    return _below(settings.contracts, gathered), ignored


def _below(folder: Path, found: Diagnostics) -> tuple[Diagnostic, ...]:
    prefix = shown(folder)

    def moved(place: Location) -> Location:
        if not place.path:
            return place
        return replace(place, path=place.path if prefix == "." else f"{prefix.rstrip('/')}/{place.path}")

    return tuple(
        replace(each, location=moved(each.location), related=tuple(moved(place) for place in each.related))
        for each in found.ordered()
    )


def _refusal(settings: Settings) -> Outcome | None:
    """Why a run cannot start; None when it can."""
    contracts, out = settings.contracts, settings.out
    if not contracts.is_dir():
        return _failure(
            "invocation/no-contracts",
            f"there is no folder `{shown(contracts)}`",
            hint="name the folder with --contracts, or start with `treaty init`",
        )
    if out.resolve() == contracts.resolve():
        return _failure(
            "invocation/same-folder",
            "the contracts and the output cannot be in one folder",
            hint="name another output folder with --out",
        )
    if out.exists() and not out.is_dir():
        return _failure(
            "invocation/not-a-folder", f"`{shown(out)}` is not a folder", hint="name another one with --out"
        )
    return None


def _failure(rule: str, message: str, place: Location | None = None, *, hint: str = "") -> Outcome:
    found = Diagnostic(
        rule=rule, severity=Severity.ERROR, message=message, location=place or Location(path=""), hint=hint
    )
    return Outcome(diagnostics=(found,))


def _disk_failure(problem: disk.DiskError) -> Outcome:
    path = Path(problem.path)
    return _failure("disk/failed", f"`{shown(path)}`: {problem.reason}; nothing was changed", hint=problem.hint)
