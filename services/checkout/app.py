"""Starts the checkout service: `python -m services.checkout.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.in_process import InProcessTransport
from shop.runtime.process import Consumers, serve

from services.checkout import api, consumers
from services.checkout.config import Config


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    events = Consumers(InProcessTransport(), consumers.start)
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc)
    await serve(events, grpc, grace=config.drain)


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
