"""What `up` writes down is found by `down`, and a run that has ended is not taken for one that runs."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from harness.environment import state
from harness.environment.services import SLICE, Places, environment


def up() -> state.Up:
    return state.Up(
        pid=os.getpid(),
        born=state.born(os.getpid()),
        report="embedded",
        gateway_url="http://127.0.0.1:8080",
        redis_url="redis://:secret@127.0.0.1:1",
        services={},
        mocks={},
        engines={},
    )


def test_what_runs_is_found_and_its_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / ".treaty" / "up.json"
    state.write(up(), file)
    assert state.read(file) == up()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "secret" not in repr(up())


def test_a_process_id_that_was_used_again_is_not_the_platform(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    state.write(replace(up(), born="1"), file)
    assert state.read(file) is None


def test_a_file_that_cannot_be_read_means_that_nothing_runs(tmp_path: Path) -> None:
    assert state.read(tmp_path / "up.json") is None
    (tmp_path / "up.json").write_text("{")
    assert state.read(tmp_path / "up.json") is None
    (tmp_path / "up.json").write_text('{"pid": 1}')
    assert state.read(tmp_path / "up.json") is None


def test_a_service_gets_its_own_variables_only() -> None:
    places = Places(
        services={name: f"127.0.0.1:{service.port}" for name, service in SLICE.items()},
        health=dict.fromkeys(SLICE, "127.0.0.1:9"),
        database_url="postgresql://x",
        redis_url="redis://x",
        gateways={"stripe": "http://127.0.0.1:1", "sendgrid": "http://127.0.0.1:2"},
        secrets={"PAYMENT_STRIPE_SECRET_KEY": "sk", "NOTIFICATION_SENDGRID_KEY": "SG"},
    )
    given = environment(SLICE["payment"], places)
    assert given["PAYMENT_STRIPE_SECRET_KEY"] == "sk"
    assert given["PAYMENT_STRIPE_URL"] == "http://127.0.0.1:1"
    assert all(name.startswith("PAYMENT_") for name in given)
    gateway = environment(SLICE["gateway"], places)
    assert gateway["GATEWAY_HTTP_ADDRESS"] == "127.0.0.1:8080"
    assert "GATEWAY_DATABASE_URL" not in gateway
    assert gateway["GATEWAY_CHECKOUT_ADDRESS"] == "127.0.0.1:50053"
