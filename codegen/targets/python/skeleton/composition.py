"""`app.py` and `config.py` of a skeleton, and the places for what only its author can write."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.targets.python.skeleton import http_side
from codegen.targets.python.skeleton.http_side import Document
from codegen.targets.python.skeleton.source import Source, finished
from codegen.targets.python.writer import PythonFile, text

DOMAIN = '"""The rules of the {name} service: plain values and functions. Imports nothing else of ours."""\n'
ADAPTERS = '"""What the {name} service uses, behind interfaces of its domain: databases, other services."""\n'
MIGRATIONS = """\
# Migrations of the {name} service

One file a change of the database schema, in the order of their names. A file that was deployed is not edited.
"""


GRPC_ADDRESS = "127.0.0.1:50051"
HTTP_ADDRESS = "127.0.0.1:8000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the service consists of."""

    grpc: bool
    events: bool
    http: tuple[Document, ...] = ()

    @property
    def addresses(self) -> dict[str, str]:
        """The settings that are addresses, with their defaults."""
        found = {"grpc_address": GRPC_ADDRESS} if self.grpc else {}
        if self.http:
            found["http_address"] = HTTP_ADDRESS
        return found | dict.fromkeys(http_side.targets(self.http).values(), GRPC_ADDRESS)


def config(source: Source, parts: Parts) -> str:
    """What the environment says, with defaults for a developer's machine."""
    file = source.file("config", f"The environment of the {source.name} service.")
    prefix = source.name.upper()
    mapping = file.ref("collections.abc", "Mapping")
    file.line(f"@{file.ref('dataclasses', 'dataclass')}(frozen=True, slots=True, kw_only=True)")
    with file.block("class Config:"):
        file.line('"""Everything that differs between installations. Times in seconds."""')
        file.line()
        file.lines(f"{name}: str = {text(default)}" for name, default in parts.addresses.items())
        file.lines(
            [
                "drain: float = 10.0",
                '"""How long calls and messages under way may take when the service stops."""',
                "",
                "@classmethod",
            ]
        )
        with file.block(f"def from_environment(cls, environment: {mapping}[str, str]) -> Config:"):
            file.docstring(f"Every setting from `{prefix}_` and its name in capitals; loopback where it is not set.")
            file.line("default = cls()")
            read = [
                f"{name}=environment.get({text(f'{prefix}_{name.upper()}')}, default.{name})"
                for name in parts.addresses
            ]
            read.append(f"drain=float(environment.get({text(f'{prefix}_DRAIN')}, default.drain))")
            file.line(f"return cls({', '.join(read)})")
    return finished(file)


def app(source: Source, parts: Parts) -> str:
    """The composition root."""
    file = source.file(
        "app",
        f"Starts the {source.name} service: `python -m {source.home}.app`. Stops on SIGTERM, "
        "after the calls under way.",
    )
    config_class = file.ref(f"{source.home}.config", "Config")
    with file.block(f"async def run(config: {config_class}) -> None:"):
        file.line('"""Serve until the process is told to stop."""')
        if any(document.clients for document in parts.http):
            stack = file.ref("contextlib", "AsyncExitStack")
            with file.block(f"async with {stack}() as clients:"):
                _run(source, parts, file)
        else:
            _run(source, parts, file)
    file.lines(["", ""])
    with file.block("def main() -> None:"):
        file.line('"""The process."""')
        logging, asyncio, os = file.ref("logging"), file.ref("asyncio"), file.ref("os")
        file.line(
            f'{logging}.basicConfig(level={logging}.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")'
        )
        file.line(f"{asyncio}.run(run({config_class}.from_environment({os}.environ)))")
    file.lines(["", "", 'if __name__ == "__main__":', "    main()"])
    return finished(file)


def _run(source: Source, parts: Parts, file: PythonFile) -> None:
    serve = source.runtime(file, "process", "serve")
    running = []
    if parts.events:
        consumers = source.runtime(file, "process", "Consumers")
        transport = source.runtime(file, "in_process", "InProcessTransport")
        file.line(f"events = {consumers}({transport}(), {file.ref(source.home, 'consumers')}.start)")
        running.append("events")
    if parts.grpc:
        server = source.runtime(file, "grpc_server", "GrpcServer")
        file.line(f"grpc = {server}(config.grpc_address)")
        file.line(f"{file.ref(source.home, 'api')}.bind(grpc)")
        running.append("grpc")
    if parts.http:
        made = http_side.app(parts.http, source, file)
        file.line(f"http = {source.runtime(file, 'http_host', 'HttpServer')}({made}, config.http_address)")
        running.append("http")
    file.line(f"await {serve}({', '.join(running)}, grace=config.drain)")
