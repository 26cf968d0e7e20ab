"""`treaty`: what a user types. Parses the command line, runs a command, prints what came of it.

The one module that prints. Results go to standard output, complaints in text
and progress to standard error. Exit codes: 0 fine, 1 the contracts or the
generated files are wrong, 2 the invocation or the file system is, 130 stopped.

Everything heavy is imported by the command that needs it: `--help` and an
unchanged `generate` cost little more than starting Python (argparse: 9 ms of
processor time over a bare start, click 40, typer 60).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Self

from codegen.diagnostics import Diagnostic, Diagnostics, Severity, as_github, as_json, as_sarif, as_text, in_repository
from codegen.settings import Settings, load, override_complaint
from codegen.version import VERSION

FORMATS = ("text", "json", "github", "sarif")
PICTURES = ("json", "mermaid", "dot")
SHOWN_UNSUPPORTED = 10
"""More constructs than these that are not expressed are counted by rule, and listed with `--verbose`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The `treaty` command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; nothing was left half written\n")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as problem:
        where = f"`{problem.filename}`: " if problem.filename else ""
        return _stopped(
            "disk/failed",
            f"{where}{problem.strerror or problem}",
            "check the folder, its permissions and the room left, also for temporary files (TMPDIR)",
            2,
        )
    except MemoryError:
        return _stopped("system/memory", "not enough memory", "generate from fewer contracts at once", 2)
    except RecursionError:
        return _stopped(
            "document/too-deep",
            "the contracts are nested too deeply to generate code from",
            "give inner schemas a name and refer to them with $ref",
            1,
        )
    return code


def _stopped(rule: str, reason: str, hint: str, code: int) -> int:
    """Say why nothing was done, where there is nobody left to make it a complaint about a contract."""
    found = Diagnostic(rule=rule, severity=Severity.ERROR, message=f"{reason}; nothing was changed", hint=hint)
    sys.stderr.write(as_text([found]))
    return code


def _terminate(signum: int, _frame: FrameType | None) -> None:
    """Leave through every `finally`, so that what was begun is taken back."""
    raise SystemExit(128 + signum)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="treaty",
        description="Contracts in; services, SDKs and proof out.",
        epilog="Settings: `treaty.toml`, or [tool.treaty] in `pyproject.toml`, of the nearest folder upwards.",
    )
    parser.add_argument("--version", action="version", version=f"treaty {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_generate(commands)
    _add_check(commands)
    _add_inspect(commands)
    _add_init(commands)
    _add_service(commands)
    _add_mock(commands)
    return parser


def _add_generate(commands: Any) -> None:
    command = commands.add_parser(
        "generate",
        help="write the code that the contracts ask for",
        description="Contracts -> one graph -> code. Writes only what changed.",
    )
    _add_input(command)
    _add_output(command)
    command.add_argument(
        "--force", action="store_true", help="generate everything again and discard edits made in generated files"
    )
    command.set_defaults(run=_generate)


def _add_check(commands: Any) -> None:
    command = commands.add_parser(
        "check",
        help="fail when the generated code does not match the contracts",
        description="Generates everything and compares; writes nothing.",
    )
    _add_input(command)
    _add_output(command)
    command.set_defaults(run=_check)


def _add_inspect(commands: Any) -> None:
    command = commands.add_parser(
        "inspect",
        help="print the graph of all contracts",
        description="Prints services, operations, channels, workflows and their types.",
    )
    _add_input(command)
    command.add_argument("--format", choices=PICTURES, default="json", help="default: json")
    command.set_defaults(run=_inspect)


def _add_init(commands: Any) -> None:
    command = commands.add_parser(
        "init",
        help="write a minimal contract set and settings",
        description="Writes one proto service, the HTTP API in front of it, and an event.",
    )
    command.add_argument("folder", nargs="?", default=".", metavar="DIR", help="default: the current folder")
    command.add_argument("--package", default="acme", help="root package of the generated code (default: acme)")
    command.set_defaults(run=_init)


def _add_service(commands: Any) -> None:
    command = commands.add_parser(
        "service",
        help="write the files a service starts from, once",
        description="Writes services/NAME, ready to start. It is yours from then on.",
    )
    command.add_argument("name", metavar="NAME", help="folder and Python package of the service")
    command.add_argument(
        "--service",
        action="append",
        default=[],
        dest="grpc",
        metavar="PROTO_SERVICE",
        help="a proto service it implements, such as checkout.v1.CheckoutService; repeatable "
        "(default: those of the proto package named NAME)",
    )
    _add_input(command)
    command.set_defaults(run=_service)


def _add_mock(commands: Any) -> None:
    command = commands.add_parser(
        "mock",
        help="run mocks of payment, shipping and messaging gateways",
        description="Runs stateful mocks on loopback until it is stopped, and prints how to point each SDK at them.",
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="which; default: all (`treaty mock --list`)")
    command.add_argument("--list", action="store_true", help="list the mocks there are")
    command.add_argument(
        "--port",
        action="append",
        default=[],
        metavar="PORT|NAME=PORT",
        help="the first port, the others follow it; or the port of one mock; repeatable (default: free ones)",
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    command.add_argument("--seed", type=int, default=1, help="the same seed gives the same identifiers (default: 1)")
    command.add_argument("--tls", action="store_true", help="an HTTPS port each, too, with a CA made for this run")
    command.add_argument(
        "--proxy",
        nargs="?",
        type=int,
        const=0,
        metavar="PORT",
        help="a proxy that maps the vendors' own host names to the mocks and refuses all others",
    )
    command.set_defaults(run=_mock)


def _add_input(command: argparse.ArgumentParser) -> None:
    command.add_argument("--contracts", type=_folder, metavar="DIR", help="folder with the contracts")
    command.add_argument("--package", metavar="NAME", help="root package of the generated code")
    command.add_argument(
        "--strict", action="store_true", default=None, help="constructs that cannot be expressed are errors"
    )
    command.add_argument("-v", "--verbose", action="store_true", help="list every complaint")


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=_folder, metavar="DIR", help="folder for the generated code")
    command.add_argument("--target", action="append", metavar="NAME", help="what to generate; repeatable")
    command.add_argument("--format", choices=FORMATS, help="how complaints are printed (default: text)")


def _folder(text: str) -> Path:
    """A folder that was named; an empty text is a variable that was not set, not the current folder."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("must name a folder; the current one is `.`")
    return Path(text)


def _settings(options: argparse.Namespace) -> Settings | None:
    """The settings of the project under the options; None, printed, when either is wrong."""
    diagnostics = Diagnostics()
    settings = load(Path.cwd(), diagnostics)
    if settings:
        given = {name: value for name in ("package", "strict") if (value := getattr(options, name, None)) is not None}
        given |= {name: Path.cwd() / value for name in ("contracts", "out") if (value := getattr(options, name, None))}
        if getattr(options, "target", None):
            given["targets"] = tuple(options.target)
        settings = replace(settings, **given)
        if complaint := override_complaint(settings):
            diagnostics.error("invocation/value", complaint)
    if diagnostics.errors:
        _print_diagnostics(diagnostics, getattr(options, "format", None), verbose=True)
        return None
    return settings


def _generate(options: argparse.Namespace) -> int:
    from codegen import commands

    settings = _settings(options)
    if settings is None:
        return 2
    started = time.perf_counter()
    with _Progress() as progress:
        outcome = commands.generate(settings, progress.show, force=options.force)
    _print_diagnostics(outcome.diagnostics, options.format, verbose=options.verbose)
    if not outcome.errors:
        _say(_summary(settings, outcome, time.perf_counter() - started), options.format)
    return outcome.exit_code


def _summary(settings: Settings, outcome: Any, seconds: float) -> str:
    from codegen.settings import shown

    total = outcome.written + outcome.unchanged
    if outcome.nothing_changed:
        done = f"nothing changed ({total} files from {outcome.contracts} contracts)"
    else:
        counts = f"{outcome.written} written, {outcome.unchanged} unchanged, {outcome.deleted} deleted"
        done = f"{total} files from {outcome.contracts} contracts ({counts})"
    ignored = f"; {outcome.ignored} complaints ignored by the settings" if outcome.ignored else ""
    return f"{shown(settings.out)}: {done} in {seconds:.2f} s{ignored}"


def _check(options: argparse.Namespace) -> int:
    from codegen import commands
    from codegen.settings import shown

    settings = _settings(options)
    if settings is None:
        return 2
    with _Progress() as progress:
        outcome = commands.check(settings, progress.show)
    _print_diagnostics(outcome.diagnostics, options.format, verbose=options.verbose)
    out = shown(settings.out)
    if outcome.errors:
        count = sum(found.rule.startswith("check/") for found in outcome.errors)
        verdict = f"{out}: {count} differences" if count else f"{out}: not checked"
        sys.stderr.write(f"{verdict}\n")
    else:
        _say(f"{out}: {outcome.unchanged} files match {outcome.contracts} contracts", options.format)
    return outcome.exit_code


def _inspect(options: argparse.Namespace) -> int:
    from codegen import commands, inspect

    settings = _settings(options)
    if settings is None:
        return 2
    with _Progress() as progress:
        graph, outcome = commands.load(settings, progress.show)
    _print_diagnostics(outcome.diagnostics, "text", verbose=options.verbose)
    if graph is not None:
        sys.stdout.write(inspect.PRINTERS[options.format](graph))
    return outcome.exit_code


def _init(options: argparse.Namespace) -> int:
    from codegen import commands, init
    from codegen.settings import package_complaint, shown

    if complaint := package_complaint(options.package):
        found = Diagnostic(rule="invocation/value", severity=Severity.ERROR, message=complaint)
        _print_diagnostics([found], "text", verbose=True)
        return 2
    root = Path.cwd() / options.folder
    files = init.contract_set(options.package)
    outcome = commands.write_once(root, files)
    _print_diagnostics(outcome.diagnostics, "text", verbose=True)
    if not outcome.errors:
        sys.stdout.write("".join(f"{shown(root / file.path)}\n" for file in files))
        sys.stdout.write(init.next_steps(shown(root)))
    return outcome.exit_code


def _service(options: argparse.Namespace) -> int:
    from codegen import commands
    from codegen.settings import shown
    from codegen.targets.python.skeleton import target as skeleton

    settings = _settings(options)
    if settings is None:
        return 2
    asked = skeleton.Request(
        name=options.name,
        services=tuple(options.grpc),
        package=settings.package,
        folder=settings.services.name,
        names=settings.names,
    )
    with _Progress() as progress:
        written, outcome = commands.start_service(settings, asked, progress.show)
    _print_diagnostics(outcome.diagnostics, "text", verbose=options.verbose)
    if not outcome.errors:
        sys.stdout.write("".join(f"{shown(path)}\n" for path in written))
        sys.stdout.write(skeleton.next_steps(asked))
    return outcome.exit_code


def _mock(options: argparse.Namespace) -> int:
    try:
        from harness import mock_command
    except ImportError as problem:
        reason = f"the mocks need more packages ({problem.name} is missing)"
        return _stopped("invocation/not-installed", reason, "install them: pip install 'treaty[harness]'", 2)
    code: int = mock_command.run(options)
    return code


def _say(text: str, chosen: str | None) -> None:
    """A closing line: on standard output, unless that carries a machine's format."""
    (sys.stdout if chosen in (None, "text") else sys.stderr).write(f"{text}\n")


def _print_diagnostics(found: Iterable[Diagnostic], chosen: str | None, *, verbose: bool) -> None:
    complaints = tuple(found)
    if chosen == "json":
        sys.stdout.write(as_json(complaints))
    elif chosen == "sarif":
        sys.stdout.write(as_sarif(in_repository(complaints, Path.cwd()), version=VERSION))
    elif chosen == "github":
        sys.stdout.write(as_github(in_repository(complaints, Path.cwd())))
    else:
        if chosen is None and os.environ.get("GITHUB_ACTIONS") == "true":
            sys.stdout.write(as_github(in_repository(complaints, Path.cwd())))
        _print_text(complaints, verbose=verbose)


def _print_text(complaints: tuple[Diagnostic, ...], *, verbose: bool) -> None:
    unsupported = [found for found in complaints if found.severity is Severity.UNSUPPORTED]
    if verbose or len(unsupported) <= SHOWN_UNSUPPORTED:
        sys.stderr.write(as_text(complaints))
        return
    sys.stderr.write(as_text(found for found in complaints if found.severity is not Severity.UNSUPPORTED))
    by_rule: dict[str, int] = {}
    for found in unsupported:
        by_rule[found.rule] = by_rule.get(found.rule, 0) + 1
    sys.stderr.write(f"{len(unsupported)} constructs are not expressed in the output; --verbose lists them:\n")
    sys.stderr.write("".join(f"  {count:5} {rule}\n" for rule, count in sorted(by_rule.items())))


class _Progress:
    """One line on a terminal that says what is being done; nothing anywhere else."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, text: str) -> None:
        """Replace the line."""
        self._write(text[:100])

    def _write(self, text: str) -> None:
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()
