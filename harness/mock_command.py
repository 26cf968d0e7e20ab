"""`treaty mock`: runs gateway mocks until it is told to stop. Prints where they are, and how to use them."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence

import uvloop

from harness.gateways.catalog import NAMES, chosen
from harness.gateways.serving import Mocks, Options

MAX_PORT = 65_535


def run(options: argparse.Namespace) -> int:
    """The exit code: 0 after a stop, 2 when the call is wrong or a port is taken."""
    if options.list:
        sys.stdout.write("".join(f"{name}\n" for name in NAMES))
        return 0
    try:
        names = chosen(options.names)
        wanted = Options(
            names=names,
            host=options.host,
            ports=_ports(options.port, names),
            seed=options.seed,
            tls=options.tls,
            proxy=options.proxy is not None,
            proxy_port=_port(str(options.proxy or 0)),
        )
    except ValueError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(wanted))


def _ports(given: Sequence[str], names: Sequence[str]) -> Mapping[str, int]:
    """`8000`: from there on, in the order of the names; `stripe=8000`: that one. ValueError says what is wrong."""
    found: dict[str, int] = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        if not equals:
            first = _port(number)
            found |= {each: _port(str(first + i)) for i, each in enumerate(names)} if first else {}
        elif name not in names:
            raise ValueError(f"--port {text}: {name!r} is none of the mocks to start: {', '.join(names)}")
        else:
            found[name] = _port(number)
    return found


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise ValueError(f"{text!r} is no port: a number from 0 to {MAX_PORT}")
    return int(text)


async def _serve(options: Options) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    mocks = Mocks(options)
    try:
        await mocks.start()
    except OSError as problem:
        hint = "choose another with --port, or leave it out for a free one"
        sys.stderr.write(f"error: {problem.strerror or problem}\n  hint: {hint}\n")
        return 2
    try:
        sys.stdout.write(_said(mocks))
        sys.stdout.flush()
        await told.wait()
    finally:
        await mocks.stop()
    sys.stderr.write("stopped\n")
    return 0


def _said(mocks: Mocks) -> str:
    lines = []
    for name, mock in mocks.running.items():
        secured = f"   {mock.https_url}" if mock.https_url else ""
        lines.append(f"{mock.app.gateway.title:<18} {mock.url}{secured}   control: {mock.url}/_control")
        lines += [f"    {line}" for line in mock.app.gateway.instructions(mock.url).splitlines()]
        if mock.app.gateway.mutual_tls and mock.https_url and mocks.authority is not None:
            certificate, key = mocks.authority.client_files(f"{name}-client")
            lines.append(f"    the HTTPS port demands a client certificate: {certificate} with key {key}")
        lines.append("")
    if mocks.authority is not None:
        lines.append(f"CA certificate: {mocks.authority.ca_file}")
    if mocks.proxy is not None:
        from harness.gateways.proxy import environment

        variables = environment(mocks.proxy.url, None if mocks.authority is None else mocks.authority.ca_file)
        lines.append("Unchanged SDKs, with the vendors' own URLs (Stripe: stripe.ca_bundle_path, too):")
        lines += [f"    export {name}={value}" for name, value in variables.items()]
        lines.append("")
    count = len(mocks.running)
    lines.append("1 mock is ready; Ctrl-C stops it." if count == 1 else f"{count} mocks are ready; Ctrl-C stops them.")
    return "\n".join(lines) + "\n"
