"""Fragments -> one graph: names become ids, then the rules across protocols are checked.

Phases: gather the nodes -> resolve which RPC an HTTP operation fronts ->
resolve what workflow steps name -> check the rules. Nothing is read from disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from codegen.diagnostics import Diagnostics
from codegen.link.rules import entities, events, fronts, workflows
from codegen.link.steps import StepResolver
from codegen.model.graph import Contract, Fragment, Graph
from codegen.model.ids import OperationId, TypeId
from codegen.model.services import GrpcBinding, Operation
from codegen.model.types import Declaration


def link(
    fragments: Sequence[Fragment],
    declarations: Mapping[TypeId, Declaration],
    contracts: Iterable[Contract],
    descriptor_set: bytes,
    diagnostics: Diagnostics,
) -> Graph:
    """The graph of all fragments. `declarations` are those of JSON Schemas; `contracts` also plain schema files."""
    graph = _gather(fragments, declarations, contracts, descriptor_set)
    graph = replace(graph, operations=_with_fronts(graph.operations, diagnostics))
    graph = replace(graph, workflows=StepResolver(graph, diagnostics).resolved())
    for check in (entities.check, fronts.check, events.check, workflows.check):
        check(graph, diagnostics)
    return graph


def _gather(
    fragments: Sequence[Fragment],
    declarations: Mapping[TypeId, Declaration],
    contracts: Iterable[Contract],
    descriptor_set: bytes,
) -> Graph:
    ordered = sorted(fragments, key=lambda fragment: fragment.contract.path)
    every: dict[TypeId, Declaration] = {d.id: d for fragment in ordered for d in fragment.declarations}
    every.update(declarations)
    by_path: dict[str, list[TypeId]] = {}
    for declared in every.values():
        by_path.setdefault(declared.location.path, []).append(declared.id)
    known = {contract.path: contract for contract in contracts}
    known.update((fragment.contract.path, fragment.contract) for fragment in ordered)
    return Graph(
        contracts=dict(sorted(known.items())),
        declarations=every,
        services={s.id: s for f in ordered for s in f.services},
        operations={o.id: o for f in ordered for o in f.operations},
        applications={a.id: a for f in ordered for a in f.applications},
        channels={c.id: c for f in ordered for c in f.channels},
        messages={m.id: m for f in ordered for m in f.messages},
        event_operations={o.id: o for f in ordered for o in f.event_operations},
        workflows={w.id: w for f in ordered for w in f.workflows},
        proto_files={f.proto_file.path: f.proto_file for f in ordered if f.proto_file},
        descriptor_set=descriptor_set,
        declarations_of={path: tuple(ids) for path, ids in sorted(by_path.items())},
    )


def _with_fronts(operations: Mapping[OperationId, Operation], diagnostics: Diagnostics) -> dict[OperationId, Operation]:
    rpcs = {o.id: o for o in operations.values() if isinstance(o.binding, GrpcBinding)}
    linked = {}
    for operation in operations.values():
        found = operation
        if operation.transcoding is not None:
            target = OperationId(operation.transcoding.rpc.lstrip("/."))
            if target in rpcs:
                found = replace(operation, fronts=target)
            else:
                close = get_close_matches(target, rpcs, n=1)
                diagnostics.error(
                    "link/rpc-unknown",
                    f"`{target}` is no RPC of these contracts",
                    operation.transcoding.location,
                    hint=f"did you mean `{close[0]}`?" if close else "write `package.Service/Method`",
                )
        linked[operation.id] = found
    return linked
