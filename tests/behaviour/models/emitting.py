"""Emits models from schemas into a folder and imports them, as a user of a generated package would."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.link.linker import link
from codegen.load.contracts import load_contracts
from codegen.load.listing import contract_files
from codegen.targets.python import runtime
from codegen.targets.python.layout import Layout
from codegen.targets.python.models import emit_models

_PACKAGES = itertools.count()


@dataclass(frozen=True)
class Emitted:
    """`package` is importable while the process runs; `root` is the folder that holds it."""

    root: Path
    package: str
    modules: Mapping[str, ModuleType]
    diagnostics: Diagnostics

    @property
    def models(self) -> Any:
        """The models of `openapi.json`."""
        return self.modules["openapi.json"]

    def runtime(self, module: str) -> Any:
        """A module of the copied runtime."""
        return importlib.import_module(f"{self.package}.runtime.{module}")


def openapi(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest document that declares the schemas."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "components": {"schemas": dict(schemas)},
    }


def emit(folder: Path, documents: Mapping[str, Any]) -> Emitted:
    """Load the documents (path -> JSON value), emit their models, import them."""
    contracts = folder / "contracts"
    for path, document in documents.items():
        target = contracts / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(document))
    diagnostics = Diagnostics()
    loaded = load_contracts(contracts, contract_files(contracts), diagnostics)
    graph = link(loaded.fragments, loaded.declarations, loaded.contracts, loaded.descriptor_set, diagnostics)
    package = f"emitted{next(_PACKAGES)}"
    layout = Layout(graph, package, diagnostics)
    root = folder / "python"
    _copy_runtime(root / package)
    modules = {}
    for path in documents:
        for file in emit_models(graph, layout, path, diagnostics):
            _write(root, file.path, str(file.content))
            modules[path] = file.path.removesuffix(".py").replace("/", ".")
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    return Emitted(
        root=root,
        package=package,
        diagnostics=diagnostics,
        modules={path: importlib.import_module(module) for path, module in modules.items()},
    )


def _copy_runtime(package: Path) -> None:
    source = Path(str(runtime.__file__)).parent
    shutil.copytree(source, package / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    (package / "py.typed").touch()


def _write(root: Path, path: str, content: str) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")
    for parent in Path(path).parents[:-1]:
        (root / parent / "__init__.py").touch()
