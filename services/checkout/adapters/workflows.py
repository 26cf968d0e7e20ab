"""The durable workflow of an order, on DBOS: every step is remembered in PostgreSQL when it is done.

After a crash the same executor goes on where it stood (DBOS recovers by executor id and application version, so both
are pinned by the configuration). A step that was done, but not remembered, is done again, with the same key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, ParamSpec, TypeAlias, TypeVar

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos import error as dbos_error
from shop.runtime.context import TraceContext, current_trace, trace_headers, trace_scope
from shop.runtime.resilience import enter_deadline

from services.checkout.adapters.payments import Due
from services.checkout.adapters.steps import Steps
from services.checkout.domain.saga import (
    Charge,
    Compensation,
    Ending,
    News,
    after_charge,
    after_news,
    cancel_reason,
    news_of,
)
from services.platform.telemetry import Telemetry

LOG = logging.getLogger(__name__)
TOPIC = "news"
P = ParamSpec("P")
T = TypeVar("T")
Task: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSettings:
    """`url` and `schema` are those of the workflows' own tables; `wait` is for how many seconds news are waited for."""

    url: str
    schema: str
    executor: str
    version: str
    wait: float = 60.0
    pool_size: int = 10


class OrderWorkflows:
    """A part of the process (`shop.runtime.process.Part`): workflows run in the event loop that starts it."""

    services = ("workflows",)

    def __init__(self, settings: WorkflowSettings, steps: Steps, telemetry: Telemetry) -> None:
        self._settings = settings
        self._steps = steps
        self._telemetry = telemetry
        self._run: Callable[[Task], Coroutine[Any, Any, str]] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._in_step: set[asyncio.Task[Any]] = set()
        self._stopping = False

    async def start(self) -> str:
        """Make the tables, register the workflow, and go on with what this executor left unfinished."""

        async def order(task: Task) -> str:
            return await self._carry(task)

        settings, self._stopping = self._settings, False
        DBOS(config=_config(settings))
        _log_like_others()
        self._run = DBOS.workflow(name="order")(order)
        DBOS.launch()
        return f"executor {settings.executor}, version {settings.version}, schema {settings.schema}"

    async def stop(self, grace: float | None = None) -> None:
        """Let steps under way end for `grace` seconds. What is unfinished then is gone on with after the next start."""
        self._run, self._stopping = None, True
        for task in self._running - self._in_step:
            task.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # The one that DBOS has set is shut down with it.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    async def begin(self, due: Due) -> None:
        """Carry the order through, unless that is being done or was done already."""
        if self._run is None:
            raise RuntimeError("workflows are begun while the process runs")
        task = {"due": asdict(due), "trace": dict(trace_headers())}
        with SetWorkflowID(id_of(due.order_id)):
            await DBOS.start_workflow_async(self._run, task)

    async def tell(self, order_id: str, news: News, key: str) -> bool:
        """Tell the workflow of an order; once for each key. False when it has none."""
        try:
            await DBOS.send_async(id_of(order_id), news.value, TOPIC, idempotency_key=key)
        except dbos_error.DBOSNonExistentWorkflowError:
            return False
        return True

    async def _carry(self, task: Task) -> str:
        mine = asyncio.current_task()
        if mine is not None:
            self._running.add(mine)
            mine.add_done_callback(self._running.discard)
        due, trace = Due(**task["due"]), task["trace"]
        enter_deadline(None)
        parent = TraceContext.parse(trace.get("traceparent"), trace.get("tracestate", ""))
        with self._telemetry.span("workflow", "order", parent=parent), trace_scope(current_trace()):
            ending = await self._ending(due)
        self._telemetry.metrics.orders.add(hit=ending is Ending.COMPLETED)
        said = LOG.error if ending is Ending.PARKED else LOG.info
        said("order %s: workflow ended: %s", due.order_id, ending)
        return ending.value

    async def _ending(self, due: Due) -> Ending:
        charge = Charge(await self._step("charge", self._steps.charge, due))
        news: News | None = None
        decided = after_charge(charge)
        if decided is None:
            news = await self._news(due.order_id)
            decided = after_news(news, charge)
        ending, undo = decided
        if ending is not None:
            return ending
        LOG.warning("order %s: %s after %s: %s", due.order_id, charge, news or "silence", ", ".join(undo))
        done = [await self._undo(each, due.order_id, news, charge) for each in undo]
        return Ending.COMPENSATED if all(done) else Ending.PARKED

    async def _news(self, order_id: str) -> News | None:
        """What events told in time, or else what the order itself says."""
        told = await DBOS.recv_async(TOPIC, timeout_seconds=self._settings.wait)
        if told is not None:
            return News(told)
        return news_of(await self._step("look", self._steps.look, order_id))

    async def _undo(self, what: Compensation, order_id: str, news: News | None, charge: Charge) -> bool:
        if what is Compensation.REFUND:
            return await self._step("refund", self._steps.refund, order_id, news.value if news else "")
        return await self._step("cancel", self._steps.cancel, order_id, cancel_reason(charge))

    async def _step(self, name: str, call: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        mine = asyncio.current_task()
        if mine is not None:
            self._in_step.add(mine)
        try:
            return await DBOS.run_step_async({"name": name}, call, *args, **kwargs)
        finally:
            if mine is not None:
                self._in_step.discard(mine)
                if self._stopping:
                    mine.cancel()


def id_of(order_id: str) -> str:
    """The workflow of an order."""
    return f"order-{order_id}"


def _log_like_others() -> None:
    """DBOS writes to the console by itself; here all logs go through the root."""
    logger = logging.getLogger("dbos")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


def _config(settings: WorkflowSettings) -> DBOSConfig:
    return DBOSConfig(
        name="checkout",
        system_database_url=settings.url,
        dbos_system_schema=settings.schema,
        executor_id=settings.executor,
        application_version=settings.version,
        sys_db_pool_size=settings.pool_size,
        max_executor_threads=settings.pool_size * 2,
        # Not pickle: what is stored cannot run code when it is read.
        serializer=DBOSPortableJSONSerializer(),
        log_level="WARNING",
        enable_otlp=False,
    )
