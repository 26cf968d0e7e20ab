"""`python -m tests.benchmarks.bench_logs`: microseconds of processor time that a masked log record costs."""

from __future__ import annotations

import logging
import sys
import time

from services.platform.logs import JsonFormatter

ROUNDS, RECORDS, TARGET = 9, 500, 50.0


def main() -> int:
    """Measure and print."""
    formatter = JsonFormatter("order")
    record = logging.LogRecord("a.b", 20, "f", 1, "order %s of %s placed in %.3f s", ("ord_1", "cus_1", 0.01), None)
    vars(record).update(order_id="ord_1", items=[{"sku": "sku_1", "quantity": 2}], total=1999)

    def cost() -> float:
        began = time.process_time()
        for _ in range(RECORDS):
            formatter.format(record)
        return (time.process_time() - began) / RECORDS * 1e6

    print(f"a log record, masked: {min(cost() for _ in range(ROUNDS)):.1f} us (target {TARGET:.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
