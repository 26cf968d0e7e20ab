"""`app.py` and `config.py` of a skeleton, and the places for what only its author can write."""

from __future__ import annotations

from codegen.targets.python.skeleton.source import Source, finished
from codegen.targets.python.writer import text

DOMAIN = '"""The rules of the {name} service: plain values and functions. Imports nothing else of ours."""\n'
ADAPTERS = '"""What the {name} service uses, behind interfaces of its domain: databases, other services."""\n'
MIGRATIONS = """\
# Migrations of the {name} service

One file a change of the database schema, in the order of their names. A file that was deployed is not edited.
"""


def config(source: Source) -> str:
    """What the environment says, with defaults for a developer's machine."""
    file = source.file("config", f"The environment of the {source.name} service.")
    prefix = source.name.upper()
    mapping = file.ref("collections.abc", "Mapping")
    file.line(f"@{file.ref('dataclasses', 'dataclass')}(frozen=True, slots=True, kw_only=True)")
    with file.block("class Config:"):
        file.line('"""Everything that differs between installations. Times in seconds."""')
        file.lines(
            [
                "",
                'grpc_address: str = "127.0.0.1:50051"',
                "drain: float = 10.0",
                '"""How long calls and messages under way may take when the service stops."""',
                "",
                "@classmethod",
            ]
        )
        with file.block(f"def from_environment(cls, environment: {mapping}[str, str]) -> Config:"):
            file.line(f'"""`{prefix}_GRPC_ADDRESS` and `{prefix}_DRAIN`; loopback when they are not set."""')
            file.line(
                f"return cls(grpc_address=environment.get({text(prefix + '_GRPC_ADDRESS')}, cls().grpc_address), "
                f"drain=float(environment.get({text(prefix + '_DRAIN')}, cls().drain)))"
            )
    return finished(file)


def app(source: Source, *, has_events: bool) -> str:
    """The composition root."""
    file = source.file(
        "app",
        f"Starts the {source.name} service: `python -m {source.home}.app`. Stops on SIGTERM, "
        "after the calls under way.",
    )
    server = source.runtime(file, "grpc_server", "GrpcServer")
    serve = source.runtime(file, "grpc_server", "serve")
    api = file.ref(source.home, "api")
    config_class = file.ref(f"{source.home}.config", "Config")
    with file.block(f"async def run(config: {config_class}) -> None:"):
        file.line('"""Serve until the process is told to stop."""')
        if has_events:
            transport = source.runtime(file, "in_process", "InProcessTransport")
            file.line(f"transport = {transport}()")
        file.line(f"server = {server}(config.grpc_address, grace=config.drain)")
        file.line(f"{api}.bind(server)")
        if has_events:
            file.line(f"subscriptions = await {file.ref(source.home, 'consumers')}.start(transport)")
            file.lines(
                [
                    "try:",
                    f"    await {serve}(server)",
                    "finally:",
                    "    for subscription in subscriptions:",
                    "        await subscription.stop(grace=config.drain)",
                    "    await transport.close()",
                ]
            )
        else:
            file.line(f"await {serve}(server)")
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
