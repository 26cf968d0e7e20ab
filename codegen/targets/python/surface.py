"""The public surface of generated Python, one line a symbol (`API.txt`).

Read from the generated sources, so that what is listed is what users import.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator


def surface_of(module: str, source: str) -> tuple[str, ...]:
    """The public symbols of one module, sorted: `module:Class.method: (arguments) -> result`."""
    return tuple(sorted({f"{module}:{symbol}" for symbol in _of_body(ast.parse(source).body, "")}))


def kept(previous: str, modules: Collection[str]) -> list[str]:
    """The lines of an earlier listing that belong to `modules`."""
    return [line for line in previous.splitlines() if line.partition(":")[0] in modules]


def _of_body(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            if not _private(node.name):
                bases = ", ".join(ast.unparse(base) for base in node.bases)
                yield f"{prefix}{node.name}: class({bases})"
                yield from _of_body(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not _private(node.name) or node.name == "__init__":
                yield f"{prefix}{_signature(node)}"
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if not _private(node.target.id):
                yield f"{prefix}{node.target.id}: {ast.unparse(node.annotation)}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and not _private(target.id):
                    yield f"{prefix}{target.id} = {_short(ast.unparse(node.value))}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    marks = "".join(f" @{ast.unparse(d)}" for d in node.decorator_list)
    return f"{node.name}: {kind}({ast.unparse(node.args)}){result}{marks}"


def _private(name: str) -> bool:
    return name.startswith("_")


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
