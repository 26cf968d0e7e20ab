"""The fixtures that every project with `treaty[harness]` has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.backends.postgres import Database
from harness.backends.redis import Redis
from harness.backends.session import Running
from tests.harness.backends.clients import postgres_client, redis_client, value

SUITE = """
import psycopg, pytest

@pytest.fixture(scope="session")
def postgres_template(running_backends):
    def migrate(dsn):
        with psycopg.connect(dsn) as client:
            client.execute("CREATE TABLE migrated (n int)")
    return running_backends.postgres.create_template("migrations", migrate)

@pytest.mark.parametrize("n", [1, 2])
def test_each_has_its_own(postgres, n):
    with psycopg.connect(postgres.dsn) as client:
        assert client.execute("SELECT count(*) FROM migrated").fetchone() == (0,)
        client.execute("INSERT INTO migrated VALUES (1)")
"""


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(postgres: Database, turn: int) -> None:
    with postgres_client(postgres.dsn) as client:
        client.execute("CREATE TABLE mine (n int)")
    assert turn


@pytest.mark.parametrize("turn", [1, 2])
def test_a_module_shares_one(postgres_of_module: Database, turn: int) -> None:
    with postgres_client(postgres_of_module.dsn) as client:
        client.execute("CREATE TABLE IF NOT EXISTS ours (n int)")
        client.execute("INSERT INTO ours VALUES (1)")
        assert value(client, "SELECT count(*) FROM ours") == turn


@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_empty_at_the_start_of_each_test(redis: Redis, turn: int) -> None:
    with redis_client(redis.url) as client:
        assert client.dbsize() == 0
        client.set("key", turn)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_what_a_test_broke_is_mended_for_the_next(backends: Running, turn: int) -> None:
    assert [engine.state for engine in backends.engines] == ["running", "running"]
    with redis_client(backends.redis.url) as client:
        client.ping()
    backends.redis.partition()
    backends.redis.pause()
    if turn == 2:
        backends.redis.kill9()


@pytest.mark.slow
def test_a_template_is_every_tests_beginning_and_the_header_says_what_runs(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SUITE, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-c",
            "/dev/null",
            f"--rootdir={tmp_path}",
            tmp_path,
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "2 passed" in run.stdout, run.stdout
    assert "backends: embedded: PostgreSQL 1" in run.stdout or "backends: docker: " in run.stdout
