"""Commands under the idempotency key of a call's metadata: repeated they get the first answer (contracts: 24 hours)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message
from shop.runtime.grpc_server import Call

from services.platform.caller import customer_of
from services.platform.database import Database
from services.platform.idempotency import Answered, IdempotencyKeys, fingerprint

ResponseT = TypeVar("ResponseT", bound=Message)


@dataclass(frozen=True, slots=True)
class Once:
    """The keys of callers; each customer has keys of their own."""

    database: Database
    keys: IdempotencyKeys

    async def run(
        self, call: Call, request: Message, kind: type[ResponseT], do: Callable[[], Awaitable[ResponseT]]
    ) -> ResponseT:
        """The answer of `do`, which is harmless to repeat; that of the first call with the key, if it has one.

        `FailedPrecondition` IDEMPOTENCY_KEY_REUSED, `Aborted` REQUEST_IN_PROGRESS.
        """
        key = call.idempotency_key
        if key is None:
            return await do()
        scope = f"{call.method.name}/{customer_of(call) or ''}"
        claim = await self.keys.claim(scope, key, fingerprint(request.SerializeToString(deterministic=True)))
        if isinstance(claim, Answered):
            return kind.FromString(claim.result)
        async with self.keys.holding(claim):
            response = await do()
            async with self.database.transaction() as connection:
                await self.keys.answer(connection, claim, response.SerializeToString())
        return response
