"""Arazzo 1.0 and 1.1 -> workflows.

Phases: version -> source descriptions -> inputs (handed to the schema reader)
-> workflows with their steps -> checks across steps and workflows. Which
operation or channel a step means is found by the linker.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from codegen.diagnostics import Diagnostics
from codegen.load.arazzo_checks import check_workflows
from codegen.load.arazzo_parts import (
    AREA,
    Source,
    actions_of,
    body_of,
    check_value,
    criteria_of,
    outputs_of,
    parameters_of,
)
from codegen.load.documents import Document, Documents, Node
from codegen.load.fields import check_fields, check_sections, extensions_of, is_object
from codegen.load.schemas import SchemaReader
from codegen.model.graph import Contract, ContractKind, Fragment
from codegen.model.workflows import SourceDescription, Step, StepTarget, Workflow

_VERSION = re.compile(r"1\.([01])\.\d+(?:-.+)?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_\-]+")
_BY_PATH = re.compile(r"\{?\$sourceDescriptions\.([A-Za-z0-9_\-]+)\.url\}?#(/.*)", re.DOTALL)
_BY_NAME = re.compile(r"\$sourceDescriptions\.([A-Za-z0-9_\-]+)\.(.+)", re.DOTALL)
ROOT_FIELDS = {
    0: frozenset({"arazzo", "info", "sourceDescriptions", "workflows", "components"}),
    1: frozenset({"arazzo", "$self", "info", "sourceDescriptions", "workflows", "components"}),
}
SOURCE_FIELDS = frozenset({"name", "url", "type"})
SOURCE_KINDS = {0: ("openapi", "arazzo"), 1: ("openapi", "arazzo", "asyncapi")}
COMPONENT_FIELDS = frozenset({"inputs", "parameters", "successActions", "failureActions"})
WORKFLOW_FIELDS = frozenset(
    {
        "workflowId",
        "summary",
        "description",
        "inputs",
        "dependsOn",
        "steps",
        "successActions",
        "failureActions",
        "outputs",
        "parameters",
    }
)
STEP_FIELDS_1_0 = frozenset(
    {
        "description",
        "stepId",
        "operationId",
        "operationPath",
        "workflowId",
        "parameters",
        "requestBody",
        "successCriteria",
        "onSuccess",
        "onFailure",
        "outputs",
    }
)
STEP_FIELDS = {
    0: STEP_FIELDS_1_0,
    1: STEP_FIELDS_1_0 | {"channelPath", "timeout", "correlationId", "action", "dependsOn"},
}
_TARGETS = {
    "operationId": StepTarget.OPERATION,
    "operationPath": StepTarget.OPERATION,
    "channelPath": StepTarget.CHANNEL,
    "workflowId": StepTarget.WORKFLOW,
}


def load_arazzo(document: Document, documents: Documents, schemas: SchemaReader, diagnostics: Diagnostics) -> Fragment:
    """What one Arazzo document says. Declarations stay with the schema reader."""
    root = documents.root_node(document)
    version = str(root.child("arazzo").value)
    match = _VERSION.fullmatch(version)
    if match is None:
        diagnostics.error(
            "arazzo/version",
            f"Arazzo {version} is not supported",
            root.child("arazzo").location,
            hint="1.0.x and 1.1.x are",
        )
        return Fragment(contract=_contract(document, version, "", ()))
    source = Source(document=document, documents=documents, diagnostics=diagnostics, minor=int(match[1]))
    check_fields(root.members(), ROOT_FIELDS[source.minor], "an Arazzo document", AREA, diagnostics)
    check_fields(root.child("components").members(), COMPONENT_FIELDS, "`components`", AREA, diagnostics)
    check_sections(root, ("info", "components"), ("sourceDescriptions", "workflows"), AREA, "bad-value", diagnostics)
    check_sections(root.child("components"), COMPONENT_FIELDS, (), AREA, "bad-value", diagnostics)
    sources = _sources(source)
    for name, node in root.child("components", "inputs").members():
        schemas.type_of(node, (name,))
    workflows = tuple(
        _workflow(source, node, sources, schemas)
        for node in root.child("workflows").items()
        if is_object(node, "a workflow", AREA, diagnostics)
    )
    if not workflows:
        diagnostics.error(
            "arazzo/missing-field",
            "the document has no workflows",
            root.child("workflows").location,
            hint="list at least one under `workflows`",
        )
    check_workflows(workflows, diagnostics)
    return Fragment(
        contract=_contract(document, version, root.child("info").text("title"), sources), workflows=workflows
    )


def _contract(document: Document, version: str, title: str, sources: tuple[SourceDescription, ...]) -> Contract:
    depends_on = sorted({source.path for source in sources if source.path is not None})
    return Contract(
        path=document.path,
        kind=ContractKind.ARAZZO,
        version=version,
        title=title,
        digest=document.digest,
        depends_on=tuple(depends_on),
    )


def _sources(source: Source) -> tuple[SourceDescription, ...]:
    found: dict[str, SourceDescription] = {}
    for node in source.root.child("sourceDescriptions").items():
        if not is_object(node, "a source description", AREA, source.diagnostics):
            continue
        described = _source(source, node)
        other = found.get(described.name)
        if other is not None:
            source.diagnostics.error(
                "arazzo/duplicate-source",
                f"two sources are called `{described.name}`",
                described.location,
                related=(other.location,),
                hint="rename one of them: steps name sources by it",
            )
        found.setdefault(described.name, described)
    if not found:
        source.diagnostics.error(
            "arazzo/missing-field",
            "the document has no source descriptions",
            source.root.child("sourceDescriptions").location,
            hint="name the OpenAPI or AsyncAPI document under `sourceDescriptions`",
        )
    return tuple(found.values())


def _source(source: Source, node: Node) -> SourceDescription:
    check_fields(node.members(), SOURCE_FIELDS, "a source description", AREA, source.diagnostics)
    name, url, kind = node.text("name"), node.text("url"), node.text("type") or None
    if not _IDENTIFIER.fullmatch(name):
        source.diagnostics.error(
            "arazzo/name",
            f"`{name}` is no name for a source",
            node.child("name").location,
            hint="letters, digits, `_` and `-`",
        )
    if kind is not None and kind not in SOURCE_KINDS[source.minor]:
        source.diagnostics.error(
            "arazzo/source-type",
            f"`{kind}` is no type of source in Arazzo 1.{source.minor}",
            node.child("type").location,
            hint=", ".join(SOURCE_KINDS[source.minor]),
        )
    return SourceDescription(
        name=name, url=url, kind=kind, path=_path_of(source, node.child("url")), location=node.location
    )


def _path_of(source: Source, node: Node) -> str | None:
    """The contract a relative url means; None, with a warning, for one that is not among the contracts."""
    url = node.value if isinstance(node.value, str) else ""
    parts = urlsplit(url)
    if not url:
        source.diagnostics.error(
            "arazzo/missing-field",
            "the source has no `url`",
            node.location,
            hint="write its `url`, relative to this file",
        )
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        source.diagnostics.warning(
            "arazzo/remote-source",
            f"`{url}` is not among the contracts: steps over it are not checked",
            node.location,
            hint="copy the description into the contracts folder and give its relative path",
        )
        return None
    folder = posixpath.dirname(source.document.path)
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    if path.startswith("../"):
        source.diagnostics.error(
            "arazzo/outside",
            f"`{url}` lies outside the contracts folder",
            node.location,
            hint="copy the file into the contracts folder",
        )
        return None
    return path


def _workflow(source: Source, node: Node, sources: tuple[SourceDescription, ...], schemas: SchemaReader) -> Workflow:
    diagnostics = source.diagnostics
    check_fields(node.members(), WORKFLOW_FIELDS, "a workflow", AREA, diagnostics)
    name = node.text("workflowId")
    if not _IDENTIFIER.fullmatch(name):
        diagnostics.error(
            "arazzo/name",
            f"`{name}` is no workflow id",
            node.location,
            hint="add `workflowId`, of letters, digits, `_` and `-`",
        )
    steps = tuple(
        _step(source, step, sources)
        for step in node.child("steps").items()
        if is_object(step, "a step", AREA, diagnostics)
    )
    if not steps:
        diagnostics.error(
            "arazzo/missing-field",
            f"the workflow `{name}` has no steps",
            node.location,
            hint="list at least one under `steps`",
        )
    return Workflow(
        id=f"{source.document.path}#{name}",
        name=name,
        summary=node.text("summary"),
        doc=node.text("description"),
        inputs=schemas.type_of(node.child("inputs"), (name, "inputs")) if node.has("inputs") else None,
        depends_on=_strings(node.child("dependsOn")),
        parameters=parameters_of(source, node.child("parameters"), placed=False),
        steps=steps,
        success_actions=actions_of(source, node.child("successActions"), "successActions"),
        failure_actions=actions_of(source, node.child("failureActions"), "failureActions"),
        outputs=outputs_of(source, node.child("outputs")),
        sources=sources,
        location=node.location,
        extensions=extensions_of(node.members()),
    )


def _strings(node: Node) -> tuple[str, ...]:
    return tuple(item.value for item in node.items() if isinstance(item.value, str))


def _step(source: Source, node: Node, sources: tuple[SourceDescription, ...]) -> Step:
    diagnostics = source.diagnostics
    check_fields(node.members(), STEP_FIELDS[source.minor], f"a step in Arazzo 1.{source.minor}", AREA, diagnostics)
    name = node.text("stepId")
    if not name:
        diagnostics.error(
            "arazzo/missing-field",
            "the step has no `stepId`",
            node.location,
            hint="give the step a `stepId` that no other step of the workflow has",
        )
    target, key, reference = _target(source, node, name)
    named = _source_named(source, node.child(key), reference, sources)
    workflow = reference if target is StepTarget.WORKFLOW else None
    return Step(
        id=name,
        doc=node.text("description"),
        target=target,
        reference=reference,
        source=named,
        workflow=workflow,
        action=_action(source, node, target),
        correlation_id=check_value(source, node.child("correlationId")),
        timeout=_timeout(source, node.child("timeout")),
        depends_on=_strings(node.child("dependsOn")),
        parameters=parameters_of(source, node.child("parameters"), placed=target is not StepTarget.WORKFLOW),
        body=body_of(source, node.child("requestBody")),
        success_criteria=criteria_of(source, node.child("successCriteria")),
        on_success=actions_of(source, node.child("onSuccess"), "successActions"),
        on_failure=actions_of(source, node.child("onFailure"), "failureActions"),
        outputs=outputs_of(source, node.child("outputs")),
        location=node.location,
        extensions=extensions_of(node.members()),
    )


def _target(source: Source, node: Node, name: str) -> tuple[StepTarget, str, str]:
    stated = [key for key in _TARGETS if node.has(key)]
    if len(stated) != 1:
        source.diagnostics.error(
            "arazzo/step-target",
            f"the step `{name}` needs exactly one of " + ", ".join(f"`{key}`" for key in _TARGETS),
            node.location,
            hint="keep one of them; a step does one thing",
        )
    key = stated[0] if stated else "operationId"
    reference = node.text(key)
    if key in ("operationPath", "channelPath") and not _BY_PATH.fullmatch(reference):
        source.diagnostics.error(
            "arazzo/expression",
            f"`{reference}` names no place in a source",
            node.child(key).location,
            hint="write `{$sourceDescriptions.<name>.url}#/paths/~1orders/get`",
        )
    return _TARGETS[key], key, reference


def _source_named(source: Source, node: Node, reference: str, sources: tuple[SourceDescription, ...]) -> str | None:
    """The source that the reference names. One that names none must be unambiguous (1.1 section 5.8.5.1)."""
    match = _BY_PATH.fullmatch(reference) or _BY_NAME.fullmatch(reference)
    if match is not None:
        if match[1] not in {described.name for described in sources}:
            source.diagnostics.error(
                "arazzo/unknown-source",
                f"there is no source called `{match[1]}`",
                node.location,
                hint="describe it under `sourceDescriptions`, or correct the name",
            )
        return match[1]
    callable_sources = [described for described in sources if described.kind != "arazzo"]
    if node.key == "operationId" and len(callable_sources) > 1:
        source.diagnostics.warning(
            "arazzo/ambiguous-operation",
            f"`{reference}` does not say which source it is in",
            node.location,
            hint=f"write `$sourceDescriptions.<name>.{reference}`",
        )
    return None


def _action(source: Source, node: Node, target: StepTarget) -> str | None:
    action = node.text("action") or None
    if action not in (None, "send", "receive"):
        source.diagnostics.error(
            "arazzo/action",
            f"a step can `send` or `receive`, not `{action}`",
            node.child("action").location,
            hint="write `action: send` or `action: receive`",
        )
    if target is StepTarget.CHANNEL and action is None:
        source.diagnostics.error(
            "arazzo/missing-field",
            "a step over a channel needs an `action`",
            node.location,
            hint="add `action: send` or `action: receive`",
        )
    return action


def _timeout(source: Source, node: Node) -> float | None:
    value = node.value
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        source.diagnostics.error(
            "arazzo/bad-value",
            "`timeout` is a whole number of milliseconds",
            node.location,
            hint="write such as `timeout: 5000`",
        )
        return None
    return value / 1000
