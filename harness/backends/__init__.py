"""Postgres and Redis as real engines, each behind a fault proxy of its own; in containers or as native processes.

    with backends() as running:                    # harness.backends.session
        running.postgres.dsn, running.redis.url    # through the proxy; stable over restarts; for other processes, too
        running.report                             # "embedded: PostgreSQL 18.6, Valkey 9.1.2 (no Docker daemon ...)"

        running.redis.kill9()                      # harness.backends.engine: what every engine can do
        running.redis.start()                      # ready when it returns, data as an fsync left it
        with running.postgres.faults.add(Latency(seconds=0.2)): ...            # harness.backends.faults
        lost = running.redis.faults.add(LostReply(match=b"XADD"))              # carried out, its answer lost

`HARNESS_BACKEND=auto|docker|embedded` chooses; what is asked for by name and cannot be had is a `BackendError` that
says why. Nothing is left running or lying about when the process that started them ends, kill -9 included.
"""
