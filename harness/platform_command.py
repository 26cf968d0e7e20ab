"""`python -m harness.platform_command up|down|status|demo|serve`: what `make up`, `make down` and `make demo` call."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from harness.backends.errors import BackendError
from harness.environment import state
from harness.environment.process import ServiceError
from harness.environment.services import SLICE

LOG = state.FILE.with_name("up.log")
DOWN_TIMEOUT = 60.0
READY = "ready: "


def main(arguments: list[str] | None = None) -> int:
    """Exit codes: 0 fine, 1 something did not start or end, 2 the call is wrong."""
    parser = argparse.ArgumentParser(prog="python -m harness.platform_command", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "demo", "serve"))
    chosen = parser.parse_args(arguments).command
    try:
        return {"up": up, "down": down, "status": status, "demo": demo, "serve": serve}[chosen]()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def up() -> int:
    """Start everything in the background; return when it is ready."""
    running = state.read()
    if running is not None:
        print(f"It is running already ({running.report}); `make down` stops it.\n{_shown(running)}")
        return 0
    state.FILE.parent.mkdir(exist_ok=True)
    begun = time.monotonic()
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.platform_command", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert process.stdout is not None  # noqa: S101 a pipe was asked for
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        if line.startswith(READY):
            found = state.read()
            print(f"{line.removeprefix(READY)} in {time.monotonic() - begun:.1f} s")
            print(_shown(found) if found else "")
            return 0
        print(f"  {line}", flush=True)
    process.wait()
    tail = LOG.read_text(encoding="utf-8", errors="replace")[-4000:]
    sys.stderr.write(f"error: the platform did not start\n{tail}\n")
    return 1


def _shown(running: state.Up) -> str:
    rows = [
        ("gateway", running.gateway_url),
        *((name, where) for name, where in running.services.items() if name != "gateway"),
        *((f"mock of {name}", f"{url}   control: {url}/_control") for name, url in running.mocks.items()),
        *running.engines.items(),
    ]
    listed = "\n".join(f"  {name:<18} {where}" for name, where in rows)
    return f"{listed}\n\n`make demo` places orders, `make down` stops everything."


def serve() -> int:
    """Be the platform until told to stop; tells on standard output how far it is."""
    from harness.environment.running import environment

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    try:
        with environment(ports={"gateway": SLICE["gateway"].port}, tell=_tell) as running:
            state.write(
                state.Up(
                    pid=os.getpid(),
                    born=state.born(os.getpid()),
                    report=running.report,
                    gateway_url=running.gateway_url,
                    redis_url=running.places.redis_url,
                    services=running.places.services,
                    mocks={mock.name: mock.url for mock in running.mocks},
                    engines={"postgres": running.places.database_url, "redis": running.places.redis_url},
                )
            )
            _tell(f"{READY}{len(running.services)} services on {running.report}")
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, sys.stdout.fileno())
            told.wait()
            state.FILE.unlink(missing_ok=True)
    except (BackendError, ServiceError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _tell(text: str) -> None:
    with suppress(BrokenPipeError):
        print(text, flush=True)


def down() -> int:
    """Stop what `up` has started."""
    running = state.read()
    if running is None:
        print("Nothing is running.")
        return 0
    os.kill(running.pid, signal.SIGTERM)
    limit = time.monotonic() + DOWN_TIMEOUT
    while state.born(running.pid) == running.born:
        if time.monotonic() > limit:
            sys.stderr.write(f"error: process {running.pid} did not end within {DOWN_TIMEOUT:g} s\n")
            return 1
        time.sleep(0.05)
    state.FILE.unlink(missing_ok=True)
    print("Stopped.")
    return 0


def status() -> int:
    """What runs, as JSON without secrets."""
    running = state.read()
    shown = {} if running is None else {"report": running.report, "gateway": running.gateway_url, "pid": running.pid}
    print(json.dumps(shown))
    return 0


def demo() -> int:
    """Three orders: one that succeeds, one that is declined, one that is paid back."""
    from harness.sagas.demo import play

    running = state.read()
    if running is None:
        sys.stderr.write("error: nothing is running\n  hint: `make up` starts the platform\n")
        return 2
    return play(running)


if __name__ == "__main__":
    sys.exit(main())
