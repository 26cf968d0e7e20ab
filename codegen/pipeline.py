"""The whole story, step by step: contracts -> graph -> files.

`generate` is what `treaty generate` and `treaty check` run; writing is left
to `codegen.write`, reading the previous output's listing aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from codegen.diagnostics import Diagnostic, Diagnostics
from codegen.link.linker import link
from codegen.load.contracts import Loaded, load_contracts
from codegen.load.listing import contract_files, not_below
from codegen.model.graph import Graph
from codegen.settings import Settings, shown
from codegen.targets.files import GeneratedFile, Output, UnitOutput
from codegen.targets.python import package
from codegen.targets.python.layout import Layout
from codegen.targets.python.surface import kept, surface_of
from codegen.targets.python.target import PythonTarget, Unit
from codegen.write.manifest import Manifest
from codegen.write.style import StyleError, styled

Progress = Callable[[str], None]
PACKAGE_UNIT = "python"
"""The unit of what surrounds the modules: metadata, runtime, `API.txt`."""


def load_graph(
    settings: Settings, diagnostics: Diagnostics, progress: Progress, *, only: tuple[str, ...] | None = None
) -> Graph | None:
    """Load and link the contracts; None when they are wrong, with the reasons in `diagnostics`.

    `only` names the contract files to start from, instead of all.
    """
    loaded = _load(settings, diagnostics, progress, only)
    if loaded is None or diagnostics.errors:
        return None
    progress("linking")
    contracts = (*loaded.contracts, *(fragment.contract for fragment in loaded.fragments))
    graph = link(loaded.fragments, loaded.declarations, contracts, loaded.descriptor_set, diagnostics)
    graph = replace(graph, published=loaded.published)
    return None if diagnostics.errors else graph


def generate(
    settings: Settings,
    diagnostics: Diagnostics,
    progress: Progress,
    previous: Manifest | None,
    *,
    only: tuple[str, ...] | None = None,
) -> Output | None:
    """All units of all targets; `files` is None for those whose inputs are as `previous` says.

    Complaints of loading and linking go to `diagnostics`; those of emitting come with each unit.
    """
    graph = load_graph(settings, diagnostics, progress, only=only)
    if graph is None:
        return None
    target = PythonTarget(graph, settings.package, diagnostics, settings.names)
    if diagnostics.errors:
        return None
    units = target.units()
    stale = [unit for unit in units if previous is None or _is_stale(unit, graph, previous)]
    found: dict[str, list[Diagnostic]] = {unit.name: [] for unit in stale}
    emitted = _emit(target, stale, found, diagnostics, progress)
    if emitted is None:
        return None
    outputs = [_unit_output(unit, emitted, found) for unit in units]
    surrounding = _surrounding(settings, graph, target.layout, outputs, previous)
    return Output(units=(*outputs, surrounding))


def _load(
    settings: Settings, diagnostics: Diagnostics, progress: Progress, only: tuple[str, ...] | None
) -> Loaded | None:
    try:
        paths = contract_files(settings.contracts) if only is None else only
    except OSError as problem:
        diagnostics.error(
            "contracts/unreadable",
            f"cannot list `{shown(settings.contracts)}`: {problem.strerror}",
            hint="say where the contracts are: --contracts DIR",
        )
        return None
    paths = not_below(settings.out, paths, settings.contracts)
    if not paths:
        diagnostics.error(
            "contracts/empty",
            f"no contracts in `{shown(settings.contracts)}`",
            hint="put .proto, OpenAPI, AsyncAPI or Arazzo files there, or run `treaty init`",
        )
        return None
    return load_contracts(
        settings.contracts,
        paths,
        diagnostics,
        max_file_size=settings.max_file_size,
        allow_remote=settings.allow_remote_refs,
        progress=progress,
    )


def _is_stale(unit: Unit, graph: Graph, previous: Manifest) -> bool:
    before = previous.units.get(_unit_name(unit))
    if before is None or before.inputs != unit.inputs:
        return True
    return any(graph.contracts[path].digest != previous.contracts.get(path) for path in unit.inputs)


def _unit_name(unit: Unit) -> str:
    return f"python:{unit.name}"


def _emit(
    target: PythonTarget,
    stale: list[Unit],
    found: Mapping[str, list[Diagnostic]],
    diagnostics: Diagnostics,
    progress: Progress,
) -> dict[str, tuple[GeneratedFile, ...]] | None:
    if not stale:
        return {}
    progress(f"emitting {len(stale)} contracts")
    raw = target.emit([unit.name for unit in stale], found)
    progress("formatting")
    try:
        files = styled([file for each in raw.values() for file in each])
    except StyleError as problem:
        diagnostics.error(
            "generator/style",
            f"a generated file is no Python: {problem}",
            hint="this is a fault of treaty: please report it with the contract",
        )
        return None
    rest = iter(files)
    return {name: tuple(next(rest) for _ in each) for name, each in raw.items()}


def _unit_output(
    unit: Unit, emitted: Mapping[str, tuple[GeneratedFile, ...]], found: Mapping[str, list[Diagnostic]]
) -> UnitOutput:
    files = emitted.get(unit.name)
    return UnitOutput(
        name=_unit_name(unit),
        inputs=unit.inputs,
        diagnostics=tuple(found.get(unit.name, ())),
        files=None if files is None else tuple(_below(file) for file in files),
    )


def _below(file: GeneratedFile) -> GeneratedFile:
    return GeneratedFile(path=f"{package.ROOT}/{file.path}", content=file.content, policy=file.policy)


def _surrounding(
    settings: Settings, graph: Graph, layout: Layout, outputs: list[UnitOutput], previous: Manifest | None
) -> UnitOutput:
    emitted = [file for unit in outputs for file in unit.files or ()]
    kept_paths = [
        path for unit in outputs if unit.files is None and previous for path in previous.units[unit.name].outputs
    ]
    below = [path.removeprefix(f"{package.ROOT}/") for path in [*(file.path for file in emitted), *kept_paths]]
    files = tuple(_below(file) for file in styled(package.package_files(graph, layout, below)))
    known = previous.units[PACKAGE_UNIT].outputs if previous and PACKAGE_UNIT in previous.units else {}
    kept_paths += [file.path for file in files if file.path in known]
    emitted += [file for file in files if file.path not in known]
    listing = _listing(settings, emitted, kept_paths)
    return UnitOutput(name=PACKAGE_UNIT, inputs=tuple(graph.contracts), files=(*files, listing))


def _listing(settings: Settings, emitted: list[GeneratedFile], kept_paths: list[str]) -> GeneratedFile:
    """`API.txt`: read from what was emitted; the lines of what was not are those of the previous run."""
    path = f"{package.ROOT}/API.txt"
    lines: list[str] = []
    if kept_paths:
        previous = (settings.out / path).read_text(encoding="utf-8")
        lines += kept(previous, {_module(each) for each in kept_paths if _is_listed(each)})
    for file in emitted:
        if _is_listed(file.path):
            lines += surface_of(_module(file.path), str(file.content))
    return GeneratedFile(path=path, content="".join(f"{line}\n" for line in sorted(set(lines))))


def _is_listed(path: str) -> bool:
    return path.endswith(".pyi") or (path.endswith(".py") and not path.endswith("_pb2.py"))


def _module(path: str) -> str:
    dotted = path.removeprefix(f"{package.ROOT}/").rsplit(".", 1)[0].replace("/", ".")
    return dotted.removesuffix(".__init__")
