"""Who may import whom, and who may touch the world: the rules of ARCHITECTURE.md, held by reading the sources."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = "codegen.targets.python.runtime"

SERVICES = (
    "analytics",
    "catalog",
    "checkout",
    "customer",
    "gateway",
    "notification",
    "order",
    "payment",
    "shipping",
    "warehouse",
)
MAY_IMPORT = {
    "codegen.model": (),
    "codegen.version": (),
    "codegen.diagnostics": ("codegen.model",),
    "codegen.settings": ("codegen.diagnostics", "codegen.model"),
    "codegen.load": ("codegen.diagnostics", "codegen.model"),
    "codegen.link": ("codegen.diagnostics", "codegen.model"),
    "codegen.targets.files": ("codegen.diagnostics",),
    "codegen.targets.python": ("codegen.targets.files", "codegen.diagnostics", "codegen.model", "codegen.version"),
    "codegen.write": ("codegen.targets.files", "codegen.diagnostics", "codegen.model"),
    "codegen.inspect": ("codegen.model",),
    "codegen.init": ("codegen.targets.files", "codegen.settings"),
    "codegen.pipeline": (
        "codegen.load",
        "codegen.link",
        "codegen.targets",
        "codegen.write",
        "codegen.settings",
        "codegen.diagnostics",
        "codegen.model",
        "codegen.version",
    ),
    "codegen.incremental": (
        "codegen.load.listing",
        "codegen.write",
        "codegen.targets.files",
        "codegen.settings",
        "codegen.diagnostics",
        "codegen.model",
    ),
    "codegen.commands": (
        "codegen.pipeline",
        "codegen.incremental",
        "codegen.write",
        "codegen.targets.files",
        "codegen.targets.python.skeleton",
        "codegen.settings",
        "codegen.diagnostics",
        "codegen.model",
        "codegen.version",
    ),
    "codegen.cli": (
        "codegen.commands",
        "codegen.inspect",
        "codegen.init",
        "codegen.targets.python.skeleton",
        "codegen.settings",
        "codegen.diagnostics",
        "codegen.version",
        "harness.mock_command",
    ),
    "codegen.__main__": ("codegen.cli",),
    "harness.mock_command": ("harness.gateways",),
    "harness.platform_command": ("harness.backends", "harness.environment", "harness.gateways", "harness.sagas"),
    "harness.pytest_plugin": ("harness.backends", "harness.environment", "harness.gateways", "harness.sagas"),
    "harness.backends": (),
    "harness.pacts": (
        "codegen.load",
        "codegen.link",
        "codegen.model",
        "codegen.diagnostics",
        "harness.backends",
        "harness.environment",
    ),
    "harness.environment": ("harness.backends", "harness.gateways"),
    "harness.sagas": ("harness.backends", "harness.environment", "harness.gateways"),
    "harness.gateways": (),
    "services.platform": (),
    **{f"services.{name}": ("services.platform",) for name in SERVICES},
    **{f"services.{name}.domain": () for name in SERVICES},
}
"""What a package of ours may import besides itself, generated code and libraries; the most specific entry counts."""
OURS = ("codegen", "harness", "services")
MOCKS = "harness.gateways"
VENDORS = ("analytics", "fedex", "paypal", "sendgrid", "stripe", "twilio", "ups")

STANDARD_LIBRARY_ONLY = (
    "codegen.model",
    "codegen.diagnostics",
    "codegen.settings",
    "codegen.incremental",
    "codegen.commands",
    "codegen.cli",
    "codegen.inspect",
    "codegen.init",
)

MAY_WRITE = ("codegen.write.disk", "codegen.write.style", "codegen.targets.python.messages")
"""All but the first write below a temporary folder, for the formatter and for protoc."""
MAY_PRINT = (
    "codegen.cli",
    "harness.mock_command",
    "harness.pacts.__main__",
    "harness.platform_command",
    "harness.sagas.__main__",
    "harness.sagas.demo",
)
MAY_READ_CONTRACTS = ("codegen.load.documents", "codegen.load.proto_compile")
"""The second one for protos, which protoc reads by itself."""


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    path: Path
    tree: ast.Module
    text: str

    def imports(self) -> Iterator[tuple[str, int]]:
        """(dotted name, level of a relative import) of everything imported, `from a import b` as `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, 0) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{node.module or ''}.{alias.name}", node.level) for alias in node.names)

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """(last part of the callee's name, call)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute):
                    yield node.func.attr, node
                elif isinstance(node.func, ast.Name):
                    yield node.func.id, node


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in (path for folder in OURS for path in sorted((ROOT / folder).rglob("*.py"))):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, path, ast.parse(text), text))
    return tuple(found)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def owner(name: str) -> str | None:
    """The most specific entry of the table that a module belongs to."""
    return max((package for package in MAY_IMPORT if within(name, package)), key=len, default=None)


def ours() -> list[Module]:
    """Without packages' beginnings that say what they are, and the runtime, which has a rule of its own."""
    return [m for m in modules() if not all(map(_is_text, m.tree.body)) and not within(m.name, RUNTIME)]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_there_is_something_to_check() -> None:
    assert len(ours()) > 30
    assert len(domains()) >= 8


@pytest.mark.parametrize("module", ours(), ids=lambda module: module.name)
def test_a_module_imports_only_what_its_layer_may(module: Module) -> None:
    package = owner(module.name)
    assert package is not None, f"{module.name} has no place in MAY_IMPORT: say which layer it is"
    allowed = (package, *MAY_IMPORT[package])
    wrong = [
        name
        for name, _ in module.imports()
        if name.startswith(tuple(f"{each}." for each in OURS)) and not any(within(name, each) for each in allowed)
    ]
    assert wrong == []


def domains() -> list[Module]:
    """What holds the rules of a service."""
    return [m for m in ours() if within(m.name, "services") and "domain" in m.name.split(".")]


@pytest.mark.parametrize("module", domains(), ids=lambda module: module.name)
def test_a_domain_knows_the_standard_library_only(module: Module) -> None:
    parts = module.name.split(".")
    its_own = ".".join(parts[: parts.index("domain") + 1])
    others = {name.partition(".")[0] for name, _ in module.imports() if not within(name, its_own)}
    assert others - {"__future__"} <= sys.stdlib_module_names


@pytest.mark.parametrize("module", [m for m in ours() if within(m.name, MOCKS)], ids=lambda module: module.name)
def test_mocks_know_neither_each_other_nor_generated_clients(module: Module) -> None:
    """Client and server from one faulty generator would agree with each other."""
    vendor = next((name for name in VENDORS if within(module.name, f"{MOCKS}.{name}")), None)
    for name, _ in module.imports():
        assert not re.match(r"shop\..*\.client(\.|$)", name), f"{module.name} imports {name}"
        others = [other for other in VENDORS if other != vendor and within(name, f"{MOCKS}.{other}")]
        assert others == [], f"{module.name} imports {name}"


@pytest.mark.parametrize("package", STANDARD_LIBRARY_ONLY)
def test_the_core_needs_the_standard_library_only(package: str) -> None:
    imported = {
        name.partition(".")[0] for module in ours() if within(module.name, package) for name, _ in module.imports()
    }
    assert imported - {"codegen", "__future__", "harness"} <= sys.stdlib_module_names


def test_the_runtime_can_be_copied_anywhere() -> None:
    runtime = [module for module in modules() if within(module.name, RUNTIME)]
    wrong = {
        module.name: name
        for module in runtime
        for name, level in module.imports()
        if within(name, "codegen") or level > 1
    }
    assert runtime
    assert wrong == {}


@pytest.mark.parametrize("module", ours(), ids=lambda module: module.name)
def test_one_module_writes_one_prints_and_one_reads_contracts(module: Module) -> None:
    if not within(module.name, "codegen"):
        assert module.name in MAY_PRINT or not any(name == "print" for name, _ in module.calls())
        return
    writing = {"write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rmdir", "rmtree", "rename", "touch"}
    for name, call in module.calls():
        if module.name not in MAY_WRITE:
            assert name not in writing, f"line {call.lineno}: files are written by codegen.write.disk"
        if module.name not in (*MAY_WRITE, *MAY_PRINT, *MAY_READ_CONTRACTS):
            assert name != "open", f"line {call.lineno}: files are opened by load.documents or write.disk"
        if module.name not in MAY_PRINT:
            assert name != "print", f"line {call.lineno}: only codegen.cli prints"
        if within(module.name, "codegen.load") and module.name not in MAY_READ_CONTRACTS:
            assert name not in {"read_text", "read_bytes"}, f"line {call.lineno}: contracts are read by load.documents"
    if module.name not in MAY_PRINT:
        assert "sys.stdout" not in module.text
        assert module.name in MAY_READ_CONTRACTS or "sys.stderr" not in module.text


def sources() -> list[Path]:
    folders = ("codegen", "tests", "services", "harness")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "golden" not in path.parts]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_name_says_what_is_in_a_module(path: Path) -> None:
    assert not {"utils", "util", "helpers", "helper", "common", "misc", "manager"} & {path.stem, path.parent.name}


SUPPRESSION = re.compile(
    r"#[ \t]*(?:noqa(?!: [A-Z]+\d+ \w)|type:\s*ignore(?!\[[\w-]+\] +# \w)|pragma|pyright:|ruff:|mypy:)"
)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile("|".join(re.escape(str(path)) for path in (ROOT, Path.home())))
"""Places of the machine that the sources are on."""


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_source_is_finished_and_silences_nothing_without_a_reason(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern in (SUPPRESSION, UNFINISHED, MACHINE):
        found = [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]
        assert found == [], f"{pattern.pattern} in these lines"
