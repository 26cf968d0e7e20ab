"""Carts and checkouts in PostgreSQL. Everything takes the connection of a transaction that the caller began.

Rows are locked in one order, cart before checkout, so that no two transactions wait for each other.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.checkout.adapters.rows import cart_of, cart_row, checkout_of, checkout_row, line_rows
from services.checkout.adapters.tables import CART_LINES, CARTS, CHECKOUTS
from services.checkout.domain.cart import Cart
from services.checkout.domain.checkout import OPEN, Checkout, Status


async def add_cart(connection: AsyncConnection, cart: Cart, key: str | None) -> Cart:
    """Store a new cart; the cart that was stored under the customer's key before, if there is one."""
    stored = await connection.execute(
        postgresql.insert(CARTS)
        .values(**cart_row(cart), idempotency_key=key)
        .on_conflict_do_nothing(index_elements=["customer_id", "idempotency_key"])
        .returning(CARTS.c.cart_id)
    )
    if stored.first() is not None:
        return cart
    same = (CARTS.c.customer_id == cart.customer_id, CARTS.c.idempotency_key == key)
    first = (await connection.execute(select(CARTS.c.cart_id).where(*same))).scalar_one()
    found = await find_cart(connection, first)
    if found is None:
        raise LookupError(f"cart {first} went away")
    return found


async def find_cart(connection: AsyncConnection, cart_id: str, *, lock: bool = False) -> Cart | None:
    """A cart with its lines; with `lock` it stays as it is until the transaction ends."""
    query = select(CARTS).where(CARTS.c.cart_id == cart_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    lines = select(CART_LINES).where(CART_LINES.c.cart_id == cart_id).order_by(CART_LINES.c.position)
    return cart_of(row, (await connection.execute(lines)).all())


async def save_cart(connection: AsyncConnection, cart: Cart) -> None:
    """Replace a cart that is locked."""
    await connection.execute(update(CARTS).where(CARTS.c.cart_id == cart.cart_id).values(**cart_row(cart)))
    await connection.execute(delete(CART_LINES).where(CART_LINES.c.cart_id == cart.cart_id))
    if cart.lines:
        await connection.execute(insert(CART_LINES), line_rows(cart))


async def claim_cart(connection: AsyncConnection, cart_id: str, checkout_id: str | None) -> None:
    """Say which checkout makes an order of the cart; None frees it."""
    await connection.execute(update(CARTS).where(CARTS.c.cart_id == cart_id).values(checkout_id=checkout_id))


async def add_checkout(connection: AsyncConnection, checkout: Checkout) -> None:
    """Store a new checkout."""
    await connection.execute(insert(CHECKOUTS).values(**checkout_row(checkout)))


async def find_checkout(connection: AsyncConnection, checkout_id: str, *, lock: bool = False) -> Checkout | None:
    """A checkout; with `lock` it stays as it is until the transaction ends."""
    query = select(CHECKOUTS).where(CHECKOUTS.c.checkout_id == checkout_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else checkout_of(row)


async def locked(connection: AsyncConnection, checkout_id: str) -> tuple[Cart, Checkout] | None:
    """A checkout and its cart; both stay as they are until the transaction ends."""
    before = await find_checkout(connection, checkout_id)
    cart = None if before is None else await find_cart(connection, before.cart_id, lock=True)
    checkout = None if cart is None else await find_checkout(connection, checkout_id, lock=True)
    return None if cart is None or checkout is None else (cart, checkout)


async def find_session(connection: AsyncConnection, cart_id: str, session_id: str) -> Checkout | None:
    """The newest checkout of a cart in a session that is open or under way."""
    live = [*(status.value for status in OPEN), Status.CONFIRMED.value]
    query = (
        select(CHECKOUTS)
        .where(CHECKOUTS.c.cart_id == cart_id, CHECKOUTS.c.session_id == session_id, CHECKOUTS.c.status.in_(live))
        .order_by(CHECKOUTS.c.created_at.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else checkout_of(row)


async def find_by_order(connection: AsyncConnection, order_id: str) -> str | None:
    """Which checkout an order was made from."""
    query = select(CHECKOUTS.c.checkout_id).where(CHECKOUTS.c.order_id == order_id)
    found: str | None = (await connection.execute(query)).scalar()
    return found


async def save_checkout(connection: AsyncConnection, checkout: Checkout) -> None:
    """Replace a checkout that is locked."""
    await connection.execute(
        update(CHECKOUTS).where(CHECKOUTS.c.checkout_id == checkout.checkout_id).values(**checkout_row(checkout))
    )


async def expire_previews(
    connection: AsyncConnection, product_id: str, currency: str, unit_price: int, at: datetime
) -> int:
    """End, at that moment, the previews that hold another price of the product; returns how many."""
    holds = CHECKOUTS.c.preview["lines"].contains([{"product_id": product_id}])
    same = CHECKOUTS.c.preview["lines"].contains([{"product_id": product_id, "unit_price": unit_price}])
    ended = await connection.execute(
        update(CHECKOUTS)
        .where(
            CHECKOUTS.c.status == Status.PREVIEWED.value,
            CHECKOUTS.c.payment_method_id.is_(None),
            CHECKOUTS.c.preview["currency"].astext == currency,
            holds,
            ~same,
        )
        .values(preview_expires_at=func.least(CHECKOUTS.c.preview_expires_at, at))
    )
    return ended.rowcount
