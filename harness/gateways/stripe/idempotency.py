"""Idempotency keys (docs.stripe.com/api/idempotent_requests).

The first result of a key is remembered for 24 hours, also an error, once the
operation has begun: not what is wrong with the parameters, nor a conflict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from harness.gateways.outcomes import scripted_work
from harness.gateways.stripe.errors import StripeError, again
from harness.gateways.stripe.state import Remembered

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.stripe.account import Account

KEPT_SECONDS = 24 * 3600.0
MAX_KEY = 255
MAX_REMEMBERED = 200_000


def once(account: Account, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The handler of a POST, run once for each idempotency key."""

    async def run(context: RequestContext, **arguments: Any) -> Any:
        key = context.headers.get("idempotency-key", "")
        if not key:
            await scripted_work(context)
            return await handler(context, **arguments)
        if len(key) > MAX_KEY:
            raise StripeError(400, f"Idempotency-Key must be at most {MAX_KEY} characters.", type="idempotency_error")
        return await _first_or_again(account, handler, key, context, arguments)

    return run


async def _first_or_again(
    account: Account,
    handler: Callable[..., Awaitable[Any]],
    key: str,
    context: RequestContext,
    arguments: dict[str, Any],
) -> Any:
    kept = account.state.remembered
    scope = (str(context.principal), context.headers.get("stripe-account", ""), key)
    parameters = tuple(sorted(parse_qsl(context.body.decode("latin-1"), keep_blank_values=True)))
    now = account.world.clock.now()
    first = kept.get(scope)
    if first is not None and now - first.at < KEPT_SECONDS:
        return _repeated(first, key, context, parameters)
    first = kept[scope] = Remembered(context.path, parameters, now, account.request_id(context))
    if len(kept) > MAX_REMEMBERED:
        del kept[next(iter(kept))]
    try:
        await scripted_work(context)
        # The account may be another by now: a test has reset it, or restored a snapshot.
        other = account.state.remembered.setdefault(scope, first)
        if other is not first:
            return _repeated(other, key, context, parameters)
        context.scope["stripe.original"] = first.request_id
        first.model = await handler(context, **arguments)
    except StripeError as problem:
        if problem.executed:
            first.status, first.error = problem.status, problem.error
        raise
    finally:
        if first.running:
            _forget(account, scope, first)
    return first.model


def _forget(account: Account, scope: tuple[str, str, str], first: Remembered) -> None:
    if account.state.remembered.get(scope) is first:
        del account.state.remembered[scope]


def _repeated(first: Remembered, key: str, context: RequestContext, parameters: tuple[tuple[str, str], ...]) -> Any:
    if first.path != context.path:
        raise StripeError(
            400,
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{context.path}' vs '{first.path}'). Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            type="idempotency_error",
        )
    if first.parameters != parameters:
        raise StripeError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request.",
            type="idempotency_error",
        )
    if first.running:
        raise StripeError(
            409,
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later.",
            code="idempotency_key_in_use",
            headers={"stripe-should-retry": "true"},
        )
    context.scope["stripe.original"], context.scope["stripe.replayed"] = first.request_id, True
    if first.error is not None:
        raise again(first.status, first.error)
    return first.model
