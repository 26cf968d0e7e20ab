"""Proto files -> `_pb2.py` and `_pb2.pyi` modules: protoc and mypy-protobuf, both in this process.

1. protoc writes `_pb2.py` from the graph's descriptor set; imports of our own protos become absolute imports below the
   package. Descriptors keep the contracts' file names, which is what server reflection shows.
2. mypy-protobuf writes `_pb2.pyi` from the same descriptors under the names that the files have in the package.
   Where it fails, protoc's own stubs take its place.
"""

from __future__ import annotations

import keyword
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.ids import Location
from codegen.targets.files import GeneratedFile
from codegen.targets.python.layout import Layout, proto_module
from codegen.targets.python.names import Namespace
from codegen.targets.python.writer import MARK, printable

_GENCODE_VERSION = re.compile(r"^# Protobuf Python Version: (?P<version>\S+)$", re.MULTILINE)
_IMPORT_FROM = re.compile(r"^from (?P<package>[\w.]+) import (?P<name>\w+) as (?P<alias>\w+)$")
_IMPORT_PLAIN = re.compile(r"^import (?P<module>\w+) as (?P<alias>\w+)$")
_IMPORT_BY_NAME = re.compile(r"^(?P<alias>\w+) = importlib\.import_module\('(?P<module>[^']+)'\)$")
_IMPORT_ALL = re.compile(r"^from (?P<module>[\w.]+) import \*$")
_REEXPORT = re.compile(r"^  (?P<alias>\w+) = (?P<via>\w+)\.(?P<module>[\w.]+_pb2)$")
_KEYWORD_REEXPORT = re.compile(r"^from [\w.]+ import (?P<name>\w+) as (?P=name)$")
_DECLARED = re.compile(r"^\s*(?P<name>\w+): [\w.]+\[")
_FIELD_NUMBER = re.compile(r"^\s+(?P<name>\w+_FIELD_NUMBER): ")
_STUB_FAILURES = (AssertionError, LookupError, TypeError, ValueError, AttributeError)


def protobuf_requirement() -> str:
    """The protobuf releases that accept what this protoc generates: from its own version to one major ahead.

    See https://protobuf.dev/support/cross-version-runtime-guarantee/.
    """
    empty = FileDescriptorSet(file=[FileDescriptorProto(name="empty.proto", syntax="proto3")]).SerializeToString()
    source = _run_protoc("python_out", ".py", empty, ["empty.proto"], Diagnostics())
    found = _GENCODE_VERSION.search(source["empty.proto"])
    if found is None:
        return "protobuf"
    return f"protobuf>={found['version']},<{int(found['version'].split('.')[0]) + 2}"


def needs_common_protos(graph: Graph) -> bool:
    """Whether a contract imports files that come with googleapis-common-protos (`google/rpc/status.proto`)."""
    return any(
        not path.startswith("google/protobuf/") for file in graph.proto_files.values() for path in file.foreign_imports
    )


def emit_messages(
    graph: Graph, layout: Layout, paths: Sequence[str], diagnostics: Diagnostics
) -> tuple[GeneratedFile, ...]:
    """The message modules and stubs of the proto contracts `paths`."""
    wanted = [path for path in paths if path in graph.proto_files]
    if not wanted or not _names_are_free(graph, layout, diagnostics):
        return ()
    modules = {protoc_module(path): layout.proto_module(path) for path in graph.proto_files}
    sources = _run_protoc("python_out", ".py", graph.descriptor_set, wanted, diagnostics)
    stubs = Stubs(graph, layout.package, descriptors_of(graph), diagnostics).of(wanted)
    files = []
    for path in wanted:
        target = layout.proto_module(path).replace(".", "/")
        if path in sources:
            files.append(GeneratedFile(path=f"{target}.py", content=_marked(path, _rewritten(sources[path], modules))))
        if path in stubs:
            files.append(GeneratedFile(path=f"{target}.pyi", content=_marked(path, stubs[path])))
    return tuple(files)


def protoc_module(path: str) -> str:
    """The module name that protoc's generated code uses for a proto file."""
    return path.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def _names_are_free(graph: Graph, layout: Layout, diagnostics: Diagnostics) -> bool:
    modules = Namespace(f"package {layout.package}", diagnostics)
    clashes = [
        path for path in graph.proto_files if not modules.claim(layout.proto_module(path), path, Location(path=path))
    ]
    return not clashes


def descriptors_of(graph: Graph) -> dict[str, FileDescriptorProto]:
    """The proto files and all that they import by name, without options that other files define.

    mypy-protobuf registers extensions under numbers that others use too (1151). Read by classes that know no
    extension, such options are unknown fields, and can be dropped.
    """
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    file_set = GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))
    neutral = file_set.FromString(graph.descriptor_set)
    neutral.DiscardUnknownFields()
    return {file.name: file for file in FileDescriptorSet.FromString(neutral.SerializeToString()).file}


def _run_protoc(
    option: str, suffix: str, descriptor_set: bytes, paths: Sequence[str], diagnostics: Diagnostics
) -> dict[str, str]:
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "set.bin"
        source.write_bytes(descriptor_set)
        out = Path(folder) / "out"
        out.mkdir()
        if protoc.main(["protoc", f"--descriptor_set_in={source}", f"--{option}={out}", *paths]) != 0:
            diagnostics.error(
                "python/protoc",
                f"protoc --{option} failed; its complaint is on standard error",
                hint="install treaty afresh: grpcio-tools and mypy-protobuf must fit together",
            )
            return {}
        return {
            path: (out / (protoc_module(path).replace(".", "/") + suffix)).read_text(encoding="utf-8") for path in paths
        }


def _rewritten(source: str, modules: Mapping[str, str]) -> str:
    """protoc's output with imports of `modules` (protoc's name -> ours) made absolute."""
    head, separator, rest = source.partition("\nDESCRIPTOR = ")
    lines = [_rewritten_import(line, modules) for line in head.split("\n")]
    own = re.search(r"BuildTopDescriptorsAndMessages\(DESCRIPTOR, '([^']+)', _globals\)", rest)
    if own and own[1] in modules:
        rest = rest.replace(own[0], own[0].replace(f"'{own[1]}'", f"'{modules[own[1]]}'"), 1)
    return "\n".join(line for line in lines if line is not None) + separator + rest


def _rewritten_import(line: str, modules: Mapping[str, str]) -> str | None:
    if line == "import importlib":
        return None
    if found := _IMPORT_FROM.match(line):
        return _import(modules.get(f"{found['package']}.{found['name']}"), found["alias"], line)
    if found := _IMPORT_PLAIN.match(line) or _IMPORT_BY_NAME.match(line):
        return _import(modules.get(found["module"]), found["alias"], line)
    if found := _IMPORT_ALL.match(line):
        return f"from {modules.get(found['module'], found['module'])} import *"
    if (found := _REEXPORT.match(line)) and found["module"] in modules:
        return "  " + _import(modules[found["module"]], found["alias"], line)
    return line


def _import(module: str | None, alias: str, unchanged: str) -> str:
    if module is None:
        return unchanged
    package, _, name = module.rpartition(".")
    return f"from {package} import {name} as {alias}"


def _marked(path: str, source: str) -> str:
    return MARK.format(source=printable(path)) + "\n" + source.removeprefix("# -*- coding: utf-8 -*-\n")


class Stubs:
    """Type stubs of proto files, already under their names in the package."""

    def __init__(
        self, graph: Graph, package: str, descriptors: Mapping[str, FileDescriptorProto], diagnostics: Diagnostics
    ) -> None:
        self._diagnostics = diagnostics
        self._names = {
            path: _proto_name(proto_module(package, path))
            for path in descriptors
            if path in graph.proto_files or not path.startswith("google/protobuf/")
        }
        self._files = [self._renamed(file) for file in descriptors.values()]

    def _renamed(self, file: FileDescriptorProto) -> FileDescriptorProto:
        copy = FileDescriptorProto()
        copy.CopyFrom(file)
        copy.name = self._names.get(file.name, file.name)
        del copy.dependency[:]
        copy.dependency.extend(self._names.get(name, name) for name in file.dependency)
        return copy

    def of(self, paths: Sequence[str]) -> dict[str, str]:
        """The stubs by the paths of the proto files."""
        try:
            return self._by_mypy_protobuf(paths)
        except _STUB_FAILURES:
            return self._one_by_one(paths)

    def _by_mypy_protobuf(self, paths: Sequence[str]) -> dict[str, str]:
        generate, read = _mypy_protobuf()
        by_name = {self._names[path]: path for path in paths}
        request = CodeGeneratorRequest(file_to_generate=list(by_name), proto_file=self._files)
        response = CodeGeneratorResponse()
        generate(
            read(request),
            response,
            quiet=True,
            readable_stubs=False,
            relax_strict_optional_primitives=False,
            use_default_deprecation_warnings=False,
            generate_concrete_servicer_stubs=False,
        )
        return {
            by_name[file.name.removesuffix("_pb2.pyi") + ".proto"]: _importable(file.content) for file in response.file
        }

    def _one_by_one(self, paths: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in paths:
            try:
                found.update(self._by_mypy_protobuf([path]))
            except _STUB_FAILURES as error:
                self._diagnostics.warning(
                    "python/simple-stubs",
                    f"mypy-protobuf fails on this file ({type(error).__name__}: {error}); "
                    "the plainer stubs of protoc are used",
                    Location(path=path),
                )
                found.update(self._by_protoc(path))
        return found

    def _by_protoc(self, path: str) -> dict[str, str]:
        files = FileDescriptorSet(file=self._files).SerializeToString()
        name = self._names[path]
        stubs = _run_protoc("pyi_out", ".pyi", files, [name], self._diagnostics)
        return {path: _importable(stubs[name])} if name in stubs else {}


def _proto_name(module: str) -> str:
    return module.removesuffix("_pb2").replace(".", "/") + ".proto"


def _mypy_protobuf() -> tuple[Callable[..., None], Callable[[CodeGeneratorRequest], object]]:
    from mypy_protobuf import main

    return main.generate_mypy_stubs, main.Descriptors


def _importable(stub: str) -> str:
    """Without what no Python file may hold: names that are keywords (of re-exports and extensions), and second
    declarations of the field number constant that fields have in common whose names differ only in case."""
    kept: list[str] = []
    numbers: set[str] = set()
    for line in stub.split("\n"):
        number = _FIELD_NUMBER.match(line)
        numbers = numbers if number else set()
        if (number and number["name"] in numbers) or _names_keyword(line):
            continue
        numbers |= {number["name"]} if number else set()
        kept.append(line)
    return "\n".join(kept)


def _names_keyword(line: str) -> bool:
    found = _KEYWORD_REEXPORT.match(line) or _DECLARED.match(line)
    return found is not None and keyword.iskeyword(found["name"])
