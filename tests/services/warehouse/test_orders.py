"""What the warehouse does when it hears of orders; on PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from tests.services.warehouse.conftest import Clock, Warehouse, status_changed


async def test_a_paid_order_gets_all_its_lines(warehouse: Warehouse, clock: Clock) -> None:
    await warehouse.deliver("tea", 10)
    await warehouse.deliver("mug", 5)
    paid = status_changed("ord_1", "PAID", 2, tea=3, mug=1)
    await warehouse.told(paid)
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 3), "mug.whs_berlin": (5, 1)}
    (reserved,) = await warehouse.published("stock-reserved")
    assert (reserved["subject"], reserved["correlationid"]) == (reserved["data"]["reservation_id"], "ord_1")
    assert (reserved["causationid"], reserved["aggregateversion"]) == (paid.id, 1)
    assert reserved["data"]["lines"] == [
        {"product_id": "tea", "quantity": 3},
        {"product_id": "mug", "quantity": 1},
    ]
    assert reserved["data"]["expires_at"].startswith("2026-02-01T10:30:00")
    changed = [each for each in await warehouse.published("inventory-changed") if each["data"]["cause"] != "adjustment"]
    assert [(each["subject"], each["data"]["delta"], each["data"]["level"]["available"]) for each in changed] == [
        ("tea.whs_berlin", -3, 7),
        ("mug.whs_berlin", -1, 4),
    ]
    assert await warehouse.is_balanced()


async def test_an_order_that_cannot_be_served_in_full_gets_nothing(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    await warehouse.deliver("mug", 1)
    await warehouse.told(status_changed("ord_1", "PAID", 2, tea=3, mug=2))
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 0), "mug.whs_berlin": (1, 0)}
    (failed,) = await warehouse.published("stock-reservation-failed")
    assert (failed["subject"], failed["data"]["order_id"], failed["data"]["code"]) == ("ord_1", "ord_1", "OUT_OF_STOCK")
    assert failed["data"]["shortages"] == [{"product_id": "mug", "requested": 2, "available": 1}]
    assert await warehouse.published("stock-reserved") == []


async def test_a_product_that_is_not_known_is_told_as_such(warehouse: Warehouse) -> None:
    await warehouse.told(status_changed("ord_1", "PAID", 2, ufo=1))
    (failed,) = await warehouse.published("stock-reservation-failed")
    assert failed["data"]["code"] == "UNKNOWN_PRODUCT"


async def test_an_event_that_comes_twice_reserves_once(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    paid = status_changed("ord_1", "PAID", 2, tea=3)
    await warehouse.told(paid, paid)
    await asyncio.gather(*(warehouse.told(paid) for _ in range(10)))
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 3)}
    assert len(await warehouse.published("stock-reserved")) == 1


async def test_an_event_that_comes_ten_times_at_once_reserves_once(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    paid = status_changed("ord_1", "PAID", 2, tea=3)
    await asyncio.gather(*(warehouse.told(paid) for _ in range(10)))
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 3)}
    assert len(await warehouse.published("stock-reserved")) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("CANCELLED", "RELEASE_REASON_ORDER_CANCELLED"),
        ("REFUNDED", "RELEASE_REASON_ORDER_CANCELLED"),
        ("FAILED", "RELEASE_REASON_PAYMENT_FAILED"),
    ],
)
async def test_an_order_that_is_given_up_gives_its_stock_back_once(
    warehouse: Warehouse, status: str, reason: str
) -> None:
    await warehouse.deliver("tea", 10)
    ended = status_changed("ord_1", status, 3, tea=3)
    await warehouse.told(status_changed("ord_1", "PAID", 2, tea=3), ended, ended)
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 0)}
    (released,) = await warehouse.published("reservation-released")
    assert (released["data"]["reason"], released["aggregateversion"]) == (reason, 2)
    assert (await warehouse.published("inventory-changed"))[-1]["data"]["delta"] == 3
    assert await warehouse.is_balanced()


async def test_what_ships_leaves_the_shelf(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    await warehouse.told(
        status_changed("ord_1", "PAID", 2, tea=3),
        status_changed("ord_1", "CONFIRMED", 3, tea=3),
        status_changed("ord_1", "SHIPPED", 4, tea=3),
        status_changed("ord_1", "DELIVERED", 5, tea=3),
    )
    assert await warehouse.levels() == {"tea.whs_berlin": (7, 0)}
    last = (await warehouse.published("inventory-changed"))[-1]["data"]
    assert (last["cause"], last["delta"], last["order_id"]) == ("shipment", 0, "ord_1")
    assert await warehouse.is_balanced()


async def test_an_event_that_a_newer_one_has_overtaken_changes_nothing(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    await warehouse.told(status_changed("ord_1", "REFUNDED", 3, tea=3), status_changed("ord_1", "PAID", 2, tea=3))
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 0)}
    assert await warehouse.published("stock-reserved") == []


async def test_an_order_ships_from_several_warehouses_when_one_has_too_little(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 4)
    await warehouse.deliver("tea", 3, "whs_hamburg")
    await warehouse.told(status_changed("ord_1", "PAID", 2, tea=6))
    assert await warehouse.levels() == {"tea.whs_berlin": (4, 4), "tea.whs_hamburg": (3, 2)}
    assert await warehouse.is_balanced()


async def test_many_orders_at_once_get_exactly_what_there_is(warehouse: Warehouse) -> None:
    """120 orders over two products in opposite order of lines, for 60 and 80 pieces; 20 connections."""
    await warehouse.deliver("tea", 60)
    await warehouse.deliver("mug", 50)
    await warehouse.deliver("mug", 30, "whs_hamburg")
    lines = [{"tea": 1, "mug": 1}, {"mug": 1, "tea": 1}, {"tea": 2}]
    await asyncio.gather(*(warehouse.told(status_changed(f"ord_{n}", "PAID", 2, **lines[n % 3])) for n in range(120)))
    reserved = await warehouse.published("stock-reserved")
    failed = await warehouse.published("stock-reservation-failed")
    orders = {each["data"]["order_id"] for each in reserved} | {each["subject"] for each in failed}
    assert len(reserved) + len(failed) == len(orders) == 120
    pieces = sum(line["quantity"] for each in reserved for line in each["data"]["lines"] if line["product_id"] == "tea")
    assert pieces == (await warehouse.levels())["tea.whs_berlin"][1] == 60
    assert all(each["data"]["level"]["available"] >= 0 for each in await warehouse.published("inventory-changed"))
    assert await warehouse.is_balanced()


async def test_orders_that_come_and_go_at_once_leave_the_books_balanced(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 15)
    await warehouse.deliver("mug", 15)

    async def life(n: int) -> None:
        order, pieces = f"ord_{n}", {"tea": 1 + n % 3, "mug": 1 + n % 2}
        end = ("CANCELLED", "SHIPPED", "CONFIRMED")[n % 3]
        await warehouse.told(status_changed(order, "PAID", 2, **pieces), status_changed(order, end, 3, **pieces))

    await asyncio.gather(*(life(n) for n in range(45)))
    assert await warehouse.is_balanced()
    moved = await warehouse.rows("SELECT status, count(*) FROM reservations GROUP BY status")
    assert {status for status, _ in moved} == {"ACTIVE", "COMMITTED", "RELEASED"}


async def test_the_database_itself_refuses_negative_stock_and_changed_books(warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 1)
    for statement, rule in (
        ("UPDATE stock_levels SET reserved = 2", "available_is_never_negative"),
        ("UPDATE stock_levels SET on_hand = -1", "available_is_never_negative"),
        ("DELETE FROM stock_movements", "append-only"),
    ):
        with pytest.raises(DBAPIError, match=rule):
            await warehouse.rows(statement)
