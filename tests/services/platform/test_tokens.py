"""One access token for all calls of a client."""

from __future__ import annotations

import asyncio

from shop.runtime.auth import Token

from services.platform.gateways.tokens import SharedToken


class Issuer:
    def __init__(self) -> None:
        self.issued = 0
        self.now = 0.0

    async def __call__(self) -> Token:
        self.issued += 1
        number = self.issued
        await asyncio.sleep(0)
        return Token(f"t{number}", 3600)

    def clock(self) -> float:
        return self.now


async def used(token: SharedToken) -> str:
    return (await token())[0][1]


async def test_all_calls_that_wait_get_one_token() -> None:
    issuer = Issuer()
    token = SharedToken(issuer)
    assert set(await asyncio.gather(*[used(token) for _ in range(20)])) == {"Bearer t1"}
    assert issuer.issued == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    issuer = Issuer()
    token = SharedToken(issuer, leeway=60, clock=issuer.clock)
    await token()
    issuer.now = 3539
    assert await used(token) == "Bearer t1"
    issuer.now = 3541
    assert await used(token) == "Bearer t2"


async def test_a_token_that_is_refused_to_many_calls_is_renewed_once() -> None:
    issuer = Issuer()
    token = SharedToken(issuer)
    refused = [asyncio.Event() for _ in range(5)]

    async def call(refusal: asyncio.Event) -> str:
        await token()
        await refusal.wait()
        token.invalidate()
        return await used(token)

    calls = [asyncio.create_task(call(each)) for each in refused]
    await asyncio.sleep(0.01)
    for refusal, task in zip(refused, calls, strict=True):
        refusal.set()
        assert await task == "Bearer t2"
    assert issuer.issued == 2
