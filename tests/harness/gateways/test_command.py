"""`treaty mock` as a user types it, and the pytest fixtures."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

TREATY = [sys.executable, "-m", "codegen"]
pytest_plugins = ["pytester"]


def refused(*arguments: str) -> str:
    done = subprocess.run([*TREATY, "mock", *arguments], check=False, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_mock_prints_where_the_mocks_are_serves_and_stops_on_sigterm() -> None:
    process = subprocess.Popen(
        [*TREATY, "mock", "stripe", "twilio", "--proxy"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = ""
        while "are ready" not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        (url,) = re.findall(r"^Stripe +(http://\S+)", said, re.MULTILINE)
        assert "stripe.StripeClient(" in said
        assert httpx.get(f"{url}/_control", trust_env=False).json()["gateway"] == "stripe"
        (ca,) = re.findall(r"^CA certificate: (.+)$", said, re.MULTILINE)
        assert Path(ca).exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == "stopped\n"
        assert not Path(ca).exists()
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()


def test_ports_are_those_that_were_asked_for() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen([*TREATY, "mock", "twilio", "--port", f"twilio={port}"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/_control", trust_env=False).status_code == 200
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        else:
            pytest.fail("the mock did not come up")
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_an_unknown_mock_is_named() -> None:
    assert "there is no mock of 'visa'; there are stripe, paypal" in refused("visa")


@pytest.mark.parametrize("port", ["x", "70000", "-1", "stripe=x", "ups=1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert "port" in refused("stripe", f"--port={port}")


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused("stripe", "--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "hint: choose another with --port" in said


def test_list_names_every_mock() -> None:
    done = subprocess.run([*TREATY, "mock", "--list"], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["stripe", "paypal", "fedex", "ups", "sendgrid", "twilio", "analytics"]


@pytest.mark.slow
def test_the_fixtures_give_each_test_a_mock_as_at_the_start(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntreaty_gateways = stripe twilio\n")
    pytester.makepyfile(
        """
        def test_one(stripe_mock):
            stripe_mock.control.script({"status": 500})
            assert stripe_mock.url.startswith("http://127.0.0.1:")

        def test_two(gateways):
            assert gateways.stripe.control.call("GET", "script") == {"scripts": []}
            assert gateways.twilio.control.ledger() == []
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2)
