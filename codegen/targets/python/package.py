"""What surrounds the modules of a generated package: metadata, runtime, markers and the list of its surface."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from codegen.model.graph import ContractKind, Graph
from codegen.model.services import HttpBinding
from codegen.targets.files import GeneratedFile
from codegen.targets.python.layout import Layout
from codegen.targets.python.readme import readme
from codegen.targets.python.writer import MARK, docstring, text

ROOT = "python"
"""Folder of this target within the output folder."""
SOURCE = "the contracts"
VERSION = "0.1.0"

_MODELS = ("models", "open_enum", "scalars", "unions")
_RUNTIME_OF = {
    ContractKind.PROTO: ("grpc_client", "grpc_server", "process"),
    ContractKind.OPENAPI: ("http_client", "http_host", "http_pages", "http_server", "process", *_MODELS),
    ContractKind.ASYNCAPI: (
        "events",
        "transport",
        "in_process",
        "message_parts",
        "publishing",
        "consuming",
        "process",
        "request_reply",
        *_MODELS,
    ),
    ContractKind.SCHEMA: _MODELS,
}
_REQUIREMENTS = {
    "fastapi": "fastapi>=0.128",
    "google.protobuf": "protobuf>=6.33",
    "google.rpc": "googleapis-common-protos>=1.72",
    "grpc": "grpcio>=1.80",
    "grpc_health": "grpcio-health-checking>=1.80",
    "grpc_reflection": "grpcio-reflection>=1.80",
    "httpx": "httpx>=0.28",
    "python_multipart": "python-multipart>=0.0.20",
    "pydantic": "pydantic>=2.12",
    "starlette": "starlette>=0.40",
    "typing_extensions": "typing-extensions>=4.12",
    "uvicorn": "uvicorn>=0.38",
}
_STUBS = {"google.protobuf": "types-protobuf>=6", "grpc": "types-grpcio>=1.0"}
_FROM = re.compile(r"^[ ]*from (?P<module>[.\w]+) import (?P<names>\([^)]*\)|[^\n]*)", re.MULTILINE)
_IMPORT = re.compile(r"^[ ]*import (?P<module>[.\w]+)", re.MULTILINE)


def package_files(graph: Graph, layout: Layout, module_paths: Iterable[str]) -> tuple[GeneratedFile, ...]:
    """The files around the modules at `module_paths` (below the target's folder)."""
    package, paths = layout.package, list(module_paths)
    emitted = frozenset(path.removesuffix(".py").replace("/", ".") for path in paths)
    root = package.replace(".", "/")
    runtime = _runtime_modules(graph)
    files = [
        GeneratedFile(path="pyproject.toml", content=_pyproject(graph, package, runtime)),
        GeneratedFile(path="README.md", content=readme(graph, layout, emitted)),
        GeneratedFile(path=f"{root}/py.typed", content=""),
    ]
    for name in runtime:
        content = _runtime_source(name)
        mark = MARK.format(source="its runtime")
        files.append(GeneratedFile(path=f"{root}/runtime/{name}.py", content=f"{mark}\n{content}"))
    files += _foreign_messages(graph, package)
    modules = [*paths, *(file.path for file in files if file.path.endswith(".py"))]
    return (*files, *_package_markers(package, modules))


def _foreign_messages(graph: Graph, package: str) -> tuple[GeneratedFile, ...]:
    if not graph.proto_files:
        return ()
    from codegen.targets.python.foreign_messages import emit_foreign_messages

    return emit_foreign_messages(graph, package)


def _package_markers(package: str, paths: list[str]) -> Iterable[GeneratedFile]:
    present = set(paths)
    folders: dict[str, None] = {}
    for path in sorted(paths):
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folders.setdefault("/".join(parts[:depth]))
    for folder in folders:
        if f"{folder}/__init__.py" not in present:
            dotted = folder.replace("/", ".")
            about = f"The contracts of `{package}` as Python." if dotted == package else f"Contracts below `{dotted}`."
            content = f"{MARK.format(source=SOURCE)}\n{docstring(about)}\n"
            yield GeneratedFile(path=f"{folder}/__init__.py", content=content)


def _runtime_modules(graph: Graph) -> tuple[str, ...]:
    wanted: list[str] = ["__init__"]
    for contract in graph.contracts.values():
        wanted += _RUNTIME_OF.get(contract.kind, ())
    if any(isinstance(o.binding, HttpBinding) and o.fronts for o in graph.operations.values()):
        wanted.append("transcode")
    found: dict[str, None] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = None
            wanted += _relative_imports(name)
    return tuple(sorted(found))


@cache
def _runtime_source(name: str) -> str:
    return resources.files("codegen.targets.python.runtime").joinpath(f"{name}.py").read_text(encoding="utf-8")


@cache
def _imports(name: str) -> tuple[tuple[str, str], ...]:
    """(module, imported names) of every import statement of a runtime module, those inside functions included."""
    found = [(match["module"], match["names"]) for match in _FROM.finditer(_runtime_source(name))]
    return (*found, *((match["module"], "") for match in _IMPORT.finditer(_runtime_source(name))))


def _relative_imports(name: str) -> list[str]:
    found: list[str] = []
    for module, names in _imports(name):
        if module == ".":
            found += [each.split()[0] for each in names.strip("()").split(",") if each.strip()]
        elif module.startswith("."):
            found.append(module[1:].split(".")[0])
    return found


def _third_party(runtime: Iterable[str]) -> set[str]:
    modules = {module for name in runtime for module, _ in _imports(name)}
    return {known for known in _REQUIREMENTS for module in modules if module == known or module.startswith(f"{known}.")}


def _pyproject(graph: Graph, package: str, runtime: tuple[str, ...]) -> str:
    used = _third_party(runtime)
    known = dict(_REQUIREMENTS)
    if graph.proto_files:
        from codegen.targets.python.messages import needs_common_protos, protobuf_requirement

        used |= {"google.protobuf", "grpc", "grpc_health", "grpc_reflection", "typing_extensions"}
        known["google.protobuf"] = protobuf_requirement()
        if needs_common_protos(graph):
            used.add("google.rpc")
    requirements = sorted([known[name] for name in used] + [_STUBS[name] for name in used if name in _STUBS])
    listed = "".join(f"    {text(each)},\n".replace("'", '"') for each in requirements)
    top = package.partition(".")[0]
    return (
        f'{MARK.format(source=SOURCE)}\n[build-system]\nrequires = ["hatchling>=1.27"]\n'
        'build-backend = "hatchling.build"\n\n[project]\n'
        f'name = "{package.replace(".", "-").replace("_", "-")}-contracts"\nversion = "{VERSION}"\n'
        f'description = "Clients, servers, models and events of {package}, generated from its contracts"\n'
        f'readme = "README.md"\nrequires-python = ">=3.11"\ndependencies = [\n{listed}]\n\n'
        f'[tool.hatch.build]\nignore-vcs = true\n\n[tool.hatch.build.targets.wheel]\npackages = ["{top}"]\n'
    )
