"""The contracts folder -> everything the linker needs.

1. List the files. 2. Say of what kind each is. 3. Load the protos together.
4. Load each JSON-side contract. 5. Read the schemas they referred to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.documents import DEFAULT_MAX_FILE_SIZE, Document, Documents
from codegen.load.schemas import SchemaReader
from codegen.model.graph import Contract, ContractKind, Fragment
from codegen.model.ids import Location, TypeId
from codegen.model.types import Declaration

_ROOT_KEYS = {
    "openapi": ContractKind.OPENAPI,
    "swagger": ContractKind.OPENAPI,
    "asyncapi": ContractKind.ASYNCAPI,
    "arazzo": ContractKind.ARAZZO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the loaders found; the fragments' contracts carry digests and direct dependencies."""

    fragments: tuple[Fragment, ...]
    declarations: Mapping[TypeId, Declaration]
    contracts: tuple[Contract, ...]
    descriptor_set: bytes
    published: Mapping[str, bytes]
    """JSON of the OpenAPI documents that need no other file, by path, without what is said to this tool alone."""


def load_contracts(
    root: Path,
    paths: tuple[str, ...],
    diagnostics: Diagnostics,
    *,
    max_file_size: int = DEFAULT_MAX_FILE_SIZE,
    allow_remote: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Loaded:
    """Load the contract files `paths` below `root`; complaints go to `diagnostics`."""
    documents = Documents(root, diagnostics, max_file_size=max_file_size, allow_remote=allow_remote)
    named = tuple(path for path in paths if _is_nameable(path, diagnostics))
    protos = tuple(path for path in named if path.endswith(".proto"))
    others = tuple(path for path in named if not path.endswith(".proto"))
    fragments: list[Fragment] = []
    descriptor_set = b""
    if protos:
        progress(f"compiling {len(protos)} proto files")
        proto_fragments, descriptor_set = _load_protos(root, protos, documents, diagnostics)
        fragments += proto_fragments
    schemas = SchemaReader(documents, diagnostics)
    loaded: dict[str, tuple[ContractKind, Document]] = {}
    for path in others:
        document = documents.load(path)
        if document is not None:
            loaded[path] = (_kind(document), document)
    declarations: Mapping[TypeId, Declaration] = {}
    try:
        for path, (kind, document) in loaded.items():
            if kind is not ContractKind.SCHEMA:
                progress(f"reading {path}")
                fragments.append(_load_one(kind, document, documents, schemas, diagnostics))
        declarations = schemas.finish()
    except RecursionError:
        diagnostics.error(
            "document/too-deep",
            "schemas are nested too deeply to be read",
            documents.deepest(),
            hint="give inner schemas a name and refer to them with $ref",
        )
    if not fragments and not diagnostics.errors:
        diagnostics.error(
            "contracts/empty",
            f"none of the {len(paths)} files is a contract",
            hint="OpenAPI, AsyncAPI and Arazzo files have a key `openapi`, `asyncapi` or `arazzo`",
        )
    contracts = _schema_contracts(loaded, documents, diagnostics)
    published = {
        path: _public_json(document)
        for path, (kind, document) in loaded.items()
        if kind is ContractKind.OPENAPI and not _dependencies(path, documents)
    }
    return Loaded(
        fragments=tuple(_with_dependencies(fragment, documents) for fragment in fragments),
        declarations=declarations,
        contracts=contracts,
        descriptor_set=descriptor_set,
        published=published,
    )


def _public_json(document: Document) -> bytes:
    text = json.dumps(_without_private(document.data), ensure_ascii=False, indent=1)
    return f"{text}\n".encode("utf-8", "replace")


def _without_private(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_private(each) for key, each in value.items() if not key.startswith(("x-grpc-", "x-proto-"))
        }
    return [_without_private(each) for each in value] if isinstance(value, list) else value


def _is_nameable(path: str, diagnostics: Diagnostics) -> bool:
    """Whether a file's name can stand in generated code and on protoc's command line; reported when it cannot."""
    if path.isprintable() and (not path.endswith(".proto") or (path[0] not in "-@" and ":" not in path)):
        return True
    diagnostics.error(
        "contracts/name",
        "the file's name cannot be the name of a contract",
        Location(path=path),
        hint="rename it: no control characters, UTF-8, and for proto files no `:` and no `-` or `@` in front",
    )
    return False


def _kind(document: Document) -> ContractKind:
    if isinstance(document.data, dict):
        for key, kind in _ROOT_KEYS.items():
            if key in document.data:
                return kind
    return ContractKind.SCHEMA


def _load_protos(
    root: Path, protos: tuple[str, ...], documents: Documents, diagnostics: Diagnostics
) -> tuple[tuple[Fragment, ...], bytes]:
    from codegen.load.proto import load_protos

    digests = {path: digest for path in protos if (digest := documents.text_digest(path)) is not None}
    unread = tuple(path for path in protos if path not in digests)
    found = load_protos(root, tuple(digests), digests, diagnostics, unread=unread)
    return found.fragments, found.descriptor_set


def _load_one(
    kind: ContractKind, document: Document, documents: Documents, schemas: SchemaReader, diagnostics: Diagnostics
) -> Fragment:
    if kind is ContractKind.OPENAPI:
        from codegen.load.openapi import load_openapi

        return load_openapi(document, documents, schemas, diagnostics)
    if kind is ContractKind.ASYNCAPI:
        from codegen.load.asyncapi import load_asyncapi

        return load_asyncapi(document, documents, schemas, diagnostics)
    from codegen.load.arazzo import load_arazzo

    return load_arazzo(document, documents, schemas, diagnostics)


def _schema_contracts(
    loaded: Mapping[str, tuple[ContractKind, Document]], documents: Documents, diagnostics: Diagnostics
) -> tuple[Contract, ...]:
    referred = {target for targets in documents.references.values() for target in targets}
    found = []
    every = {path: document for path, (kind, document) in loaded.items() if kind is ContractKind.SCHEMA}
    every |= {path: document for path in referred - loaded.keys() if (document := documents.load(path)) is not None}
    for path, document in sorted(every.items()):
        if path not in referred:
            diagnostics.warning(
                "contracts/not-a-contract",
                "neither OpenAPI, AsyncAPI nor Arazzo, and no contract refers to it: passed over",
                Location(path=path),
                hint="move it out of the contracts folder, or refer to it",
            )
            continue
        found.append(
            Contract(
                path=path,
                kind=ContractKind.SCHEMA,
                version="",
                digest=document.digest,
                depends_on=_dependencies(path, documents),
            )
        )
    return tuple(found)


def _dependencies(path: str, documents: Documents) -> tuple[str, ...]:
    return tuple(sorted(documents.references.get(path, set()) - {path}))


def _with_dependencies(fragment: Fragment, documents: Documents) -> Fragment:
    contract = fragment.contract
    every = sorted({*contract.depends_on, *_dependencies(contract.path, documents)})
    return replace(fragment, contract=replace(contract, depends_on=tuple(every)))
