"""What every engine does, the same in containers and as native processes."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
import redis

from harness.backends.errors import BackendError
from harness.backends.faults import Latency, LostReply
from harness.backends.session import Running
from tests.harness.backends.clients import PATIENCE, postgres_client, redis_client, value


def test_a_report_says_what_runs_and_why(running: Running) -> None:
    assert running.report.startswith(f"{running.choice.kind}: PostgreSQL 1")
    assert running.report.endswith(f"({running.choice.reason})")
    assert all(engine.kind == running.choice.kind for engine in running.engines)
    assert running.redis.version.split()[0] in {"Redis", "Valkey"}


def test_a_commit_is_on_disk_before_it_is_answered(running: Running) -> None:
    with postgres_client(running.postgres.dsn) as postgres, redis_client(running.redis.url) as keys:
        settings = ("fsync", "synchronous_commit", "full_page_writes", "lc_collate", "server_encoding")
        assert [value(postgres, f"SELECT current_setting('{name}')") for name in settings[:3]] == ["on", "on", "on"]
        assert value(postgres, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"
        assert keys.config_get("appendonly", "appendfsync") == {"appendonly": "yes", "appendfsync": "always"}


def test_nobody_gets_in_without_the_password(running: Running) -> None:
    postgres, keys = running.postgres, running.redis
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://treaty:guess@{postgres.host}:{postgres.port}/treaty")
    with pytest.raises(redis.AuthenticationError), redis_client(f"redis://{keys.host}:{keys.port}/0") as stranger:
        stranger.get("key")


def test_a_killed_postgres_keeps_what_was_committed_and_its_address(running: Running) -> None:
    engine = running.postgres
    dsn = engine.dsn
    with postgres_client(dsn) as before:
        before.execute("DROP TABLE IF EXISTS kept")
        before.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    with postgres_client(dsn) as caught:
        caught.execute("BEGIN; INSERT INTO kept VALUES (0)")
        engine.kill9()
        with pytest.raises(psycopg.OperationalError):
            caught.execute("COMMIT")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(dsn)
    engine.start()
    assert engine.dsn == dsn
    with postgres_client(dsn) as after:
        assert value(after, "SELECT count(*) FROM kept") == 1000


def test_a_killed_redis_keeps_what_was_answered_and_its_address(running: Running) -> None:
    engine = running.redis
    url = engine.url
    with redis_client(url) as client:
        client.xadd("stream", {"n": 1})
        client.xgroup_create("stream", "group", id="0")
        engine.kill9()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        engine.start()
        assert engine.url == url
        assert client.xlen("stream") == 1
        assert [group["name"] for group in client.xinfo_groups("stream")] == [b"group"]


def test_a_stopped_engine_refuses_and_comes_back(running: Running) -> None:
    with redis_client(running.redis.url) as client:
        client.set("key", "value")
        running.redis.stop()
        running.redis.stop()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        running.redis.start()
        running.redis.start()
        assert client.get("key") == b"value"
    with postgres_client(running.postgres.dsn):
        running.postgres.stop()
    running.postgres.start()
    with postgres_client(running.postgres.dsn) as after:
        assert value(after, "SELECT 1") == 1


def test_a_paused_redis_answers_when_it_is_resumed(running: Running) -> None:
    engine = running.redis
    with redis_client(engine.url, PATIENCE) as hurried, redis_client(engine.url) as patient:
        hurried.ping()
        patient.ping()
        engine.pause()
        with pytest.raises(redis.TimeoutError):
            hurried.ping()
        answers: list[object] = []
        waiting = threading.Thread(target=lambda: answers.append(patient.set("key", "value")))
        waiting.start()
        engine.resume()
        waiting.join(10)
        assert answers == [True]


def test_a_paused_postgres_finishes_its_statement_when_it_is_resumed(running: Running) -> None:
    engine = running.postgres
    with postgres_client(engine.dsn) as client:
        began = time.monotonic()
        answers: list[object] = []
        waiting = threading.Thread(target=lambda: answers.append(value(client, "SELECT 42 FROM pg_sleep(0.05)")))
        engine.pause()
        waiting.start()
        time.sleep(PATIENCE)
        assert answers == []
        engine.resume()
        waiting.join(10)
        assert answers == [42]
        assert time.monotonic() - began >= PATIENCE


def test_a_partition_holds_what_a_heal_lets_through(running: Running) -> None:
    engine = running.redis
    with redis_client(engine.url) as client, redis_client(engine.direct_url) as truth:
        client.ping()
        engine.partition()
        engine.partition()
        answers: list[object] = []
        waiting = threading.Thread(target=lambda: answers.append(client.set("key", "value")))
        waiting.start()
        time.sleep(PATIENCE)
        assert answers == []
        assert truth.get("key") is None
        with pytest.raises(redis.TimeoutError), redis_client(engine.url, PATIENCE) as stranger:
            stranger.ping()
        engine.heal()
        engine.heal()
        waiting.join(10)
        assert answers == [True]
        assert truth.get("key") == b"value"


def test_a_lost_reply_is_an_effect_without_an_answer(running: Running) -> None:
    engine = running.redis
    with redis_client(engine.url) as client, engine.faults.add(LostReply(match=b"XADD")) as lost:
        client.ping()
        with pytest.raises(redis.ConnectionError):
            client.xadd("stream", {"n": 1})
        lost.wait()
        assert client.xlen("stream") == 1
        client.xadd("stream", {"n": 2})
        assert lost.hits == 1


def test_a_lost_commit_is_committed(running: Running) -> None:
    engine = running.postgres
    with postgres_client(engine.dsn) as client:
        client.execute("CREATE TABLE IF NOT EXISTS lost (n int)")
        client.execute("TRUNCATE lost")
        with engine.faults.add(LostReply(match=b"COMMIT")):
            client.execute("BEGIN")
            client.execute("INSERT INTO lost VALUES (1)")
            with pytest.raises(psycopg.OperationalError):
                client.execute("COMMIT")
    with postgres_client(engine.direct_url) as truth:
        assert value(truth, "SELECT count(*) FROM lost") == 1


def test_latency_is_felt_until_it_is_removed(running: Running) -> None:
    with postgres_client(running.postgres.dsn) as client:

        def took() -> float:
            began = time.monotonic()
            client.execute("SELECT 1")
            return time.monotonic() - began

        with running.postgres.faults.add(Latency(seconds=0.5)):
            assert took() >= 1.0
        assert took() < 1.0


def test_an_engine_is_in_one_state_at_a_time(running: Running) -> None:
    engine = running.redis
    engine.pause()
    with pytest.raises(BackendError, match="Redis is paused, not running"):
        engine.pause()
    engine.kill9()
    assert engine.state == "stopped"
    for act in (engine.pause, engine.resume, engine.kill9, engine.flush):
        with pytest.raises(BackendError, match="Redis is stopped, not running"):
            act()
    engine.restore()
    with redis_client(engine.url) as client:
        assert client.ping()


def test_what_died_by_itself_is_noticed_and_mended(running: Running) -> None:
    engine = running.redis
    with pytest.raises(redis.ConnectionError), redis_client(engine.direct_url) as client:
        client.execute_command("SHUTDOWN", "NOSAVE")
    limit = time.monotonic() + 10
    said = ""
    while "by itself" not in said and time.monotonic() < limit:
        with pytest.raises(BackendError) as problem:
            engine.flush()
        said = str(problem.value)
    assert said.startswith("Redis exited with 0 by itself; the end of its log:\n")
    engine.restore()
    engine.flush()


def test_a_database_is_a_copy_of_its_template(running: Running) -> None:
    engine = running.postgres

    def migrate(dsn: str) -> None:
        with postgres_client(dsn) as client:
            client.execute("CREATE TABLE orders (id int)")
            client.execute("INSERT INTO orders VALUES (7)")

    template = engine.create_template("shop", migrate)
    try:
        with engine.database(template=template) as one, engine.database(template=template) as other:
            assert one.name != other.name
            with postgres_client(one.dsn) as client:
                client.execute("DELETE FROM orders")
            with postgres_client(other.dsn) as client:
                assert value(client, "SELECT id FROM orders") == 7
    finally:
        engine.drop_database(template)


def test_a_template_that_cannot_be_made_is_not_left(running: Running) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("no migration")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="no migration"):
            running.postgres.create_template("unfinished", fail)
