"""WarehouseService over gRPC, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, RpcError, Unavailable, Unimplemented
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.resilience import RetryPolicy
from shop.warehouse.v1 import warehouse_pb2 as pb
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from services.platform.database import Database
from services.platform.outbox import Outbox
from services.platform.refusals import detail_of
from services.warehouse import api
from services.warehouse.expiry import Expiry
from services.warehouse.handlers import WarehouseHandlers
from services.warehouse.seeds import DEMO, Seeds
from services.warehouse.stockroom import Stockroom
from tests.services.warehouse.conftest import Clock, Warehouse


@pytest.fixture
async def client(warehouse: Warehouse) -> AsyncIterator[WarehouseServiceClient]:
    server = GrpcServer()
    api.bind(server, warehouse.rpcs)
    async with server, WarehouseServiceClient(server.address) as client:
        yield client


def reservation(order: str = "ord_1", key: str = "k1", **pieces: int) -> pb.ReserveStockRequest:
    lines = [pb.StockLine(product_id=product, quantity=quantity) for product, quantity in pieces.items()]
    return pb.ReserveStockRequest(order_id=order, lines=lines, idempotency_key=key)


def correction(delta: int, key: str = "a1", product: str = "tea") -> pb.AdjustStockRequest:
    return pb.AdjustStockRequest(
        product_id=product,
        warehouse_id="whs_berlin",
        delta=delta,
        reason=pb.ADJUSTMENT_REASON_DELIVERY,
        idempotency_key=key,
    )


def code_of(error: RpcError) -> str:
    detail = detail_of(error)
    assert detail is not None
    return detail.code


def fields_of(error: RpcError) -> list[str]:
    detail = detail_of(error)
    assert detail is not None
    return [each.field for each in detail.errors]


async def test_availability_has_an_entry_a_line_in_the_order_of_the_request(
    client: WarehouseServiceClient, warehouse: Warehouse
) -> None:
    await warehouse.deliver("tea", 4)
    await warehouse.deliver("tea", 3, "whs_hamburg")
    lines = [pb.StockLine(product_id="ufo", quantity=1), pb.StockLine(product_id="tea", quantity=7)]
    found = await client.check_availability(pb.CheckAvailabilityRequest(lines=lines))
    assert not found.all_available
    assert [(each.product_id, each.requested, each.available) for each in found.lines] == [
        ("ufo", 1, 0),
        ("tea", 7, 7),
    ]
    assert (await client.check_availability(pb.CheckAvailabilityRequest(lines=lines[1:]))).all_available


async def test_a_repeated_reservation_answers_the_first_one(
    client: WarehouseServiceClient, warehouse: Warehouse
) -> None:
    await warehouse.deliver("tea", 10)
    answers = await asyncio.gather(*(client.reserve_stock(reservation(tea=3)) for _ in range(5)))
    assert len({each.reservation.reservation_id for each in answers}) == 1
    first = answers[0].reservation
    assert (first.order_id, first.status) == ("ord_1", pb.RESERVATION_STATUS_ACTIVE)
    assert first.expires_at.ToDatetime() - first.created_at.ToDatetime() == timedelta(minutes=30)
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 3)}
    assert len(await warehouse.published("stock-reserved")) == 1


async def test_a_key_that_comes_with_another_request_is_refused(
    client: WarehouseServiceClient, warehouse: Warehouse
) -> None:
    await warehouse.deliver("tea", 10)
    await client.reserve_stock(reservation(tea=3))
    with pytest.raises(FailedPrecondition) as caught:
        await client.reserve_stock(reservation(tea=4))
    assert code_of(caught.value) == "IDEMPOTENCY_KEY_REUSED"
    with pytest.raises(FailedPrecondition) as caught:
        await client.reserve_stock(reservation(key="k2", tea=4))
    assert code_of(caught.value) == "ALREADY_RESERVED"
    assert (await client.reserve_stock(reservation(key="k3", tea=3))).reservation.order_id == "ord_1"
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 3)}


async def test_a_shortage_is_an_error_with_the_product_and_is_told_once_a_key(
    client: WarehouseServiceClient, warehouse: Warehouse
) -> None:
    await warehouse.deliver("tea", 2)
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await client.reserve_stock(reservation(tea=3))
        detail = detail_of(caught.value)
        assert detail is not None
        assert detail.code == "OUT_OF_STOCK"
        assert dict(detail.metadata) == {"product_id": "tea", "requested": "3", "available": "2"}
    assert len(await warehouse.published("stock-reservation-failed")) == 1
    with pytest.raises(NotFound) as missing:
        await client.reserve_stock(reservation("ord_1", "k2", ufo=1))
    assert code_of(missing.value) == "UNKNOWN_PRODUCT"
    versions = [each["aggregateversion"] for each in await warehouse.published("stock-reservation-failed")]
    assert versions == [1, 2]


async def test_a_released_reservation_stays_released(client: WarehouseServiceClient, warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    held = (await client.reserve_stock(reservation(tea=3))).reservation
    release = pb.ReleaseReservationRequest(
        reservation_id=held.reservation_id, reason=pb.RELEASE_REASON_ORDER_CANCELLED, idempotency_key="r1"
    )
    for _ in range(2):
        answer = await client.release_reservation(release)
        assert answer.reservation.status == pb.RESERVATION_STATUS_RELEASED
    assert len(await warehouse.published("reservation-released")) == 1
    with pytest.raises(FailedPrecondition) as caught:
        await client.commit_reservation(pb.CommitReservationRequest(reservation_id=held.reservation_id))
    assert code_of(caught.value) == "RESERVATION_RELEASED"
    again = await client.reserve_stock(reservation(key="k2", tea=3))
    assert again.reservation.reservation_id != held.reservation_id
    assert await warehouse.is_balanced()


async def test_a_committed_reservation_cannot_be_released(client: WarehouseServiceClient, warehouse: Warehouse) -> None:
    await warehouse.deliver("tea", 10)
    held = (await client.reserve_stock(reservation(tea=3))).reservation
    commit = pb.CommitReservationRequest(reservation_id=held.reservation_id, idempotency_key="c1")
    for _ in range(2):
        assert (await client.commit_reservation(commit)).reservation.status == pb.RESERVATION_STATUS_COMMITTED
    assert await warehouse.levels() == {"tea.whs_berlin": (7, 0)}
    with pytest.raises(FailedPrecondition) as caught:
        await client.release_reservation(
            pb.ReleaseReservationRequest(
                reservation_id=held.reservation_id, reason=pb.RELEASE_REASON_EXPIRED, idempotency_key="r1"
            )
        )
    assert code_of(caught.value) == "RESERVATION_COMMITTED"
    assert await warehouse.is_balanced()


async def test_a_reservation_past_its_time_cannot_be_committed_and_gives_its_stock_back(
    client: WarehouseServiceClient, warehouse: Warehouse, clock: Clock
) -> None:
    await warehouse.deliver("tea", 10)
    request = reservation(tea=3)
    request.ttl.CopyFrom(Duration(seconds=60))
    held = (await client.reserve_stock(request)).reservation
    clock.advance(timedelta(seconds=60))
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await client.commit_reservation(pb.CommitReservationRequest(reservation_id=held.reservation_id))
        assert code_of(caught.value) == "RESERVATION_EXPIRED"
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 0)}
    (released,) = await warehouse.published("reservation-released")
    assert released["data"]["reason"] == "RELEASE_REASON_EXPIRED"


async def test_reservations_past_their_time_lapse_by_themselves_once(
    client: WarehouseServiceClient, warehouse: Warehouse, clock: Clock
) -> None:
    await warehouse.deliver("tea", 10)
    for n in range(4):
        await client.reserve_stock(reservation(f"ord_{n}", f"k{n}", tea=1))
        clock.advance(timedelta(minutes=10))
    replicas = [Expiry(warehouse.database, warehouse.stockroom) for _ in range(3)]
    assert sum(await asyncio.gather(*(each.sweep() for each in replicas))) == 2
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 2)}
    assert len(await warehouse.published("reservation-released")) == 2
    assert await warehouse.is_balanced()


async def test_the_expiry_looks_again_and_again_until_it_is_stopped(
    client: WarehouseServiceClient, warehouse: Warehouse, clock: Clock
) -> None:
    await warehouse.deliver("tea", 10)
    expiry = Expiry(warehouse.database, warehouse.stockroom, every=0.01)
    await expiry.start()
    await client.reserve_stock(reservation(tea=1))
    clock.advance(timedelta(minutes=30))
    for _ in range(500):
        if await warehouse.published("reservation-released"):
            break
        await asyncio.sleep(0.01)
    await expiry.stop(1.0)
    await client.reserve_stock(reservation("ord_2", "k2", tea=1))
    clock.advance(timedelta(minutes=30))
    await asyncio.sleep(0.05)
    assert await warehouse.levels() == {"tea.whs_berlin": (10, 1)}
    assert len(await warehouse.published("reservation-released")) == 1


async def test_a_correction_is_booked_once(client: WarehouseServiceClient, warehouse: Warehouse) -> None:
    for _ in range(2):
        level = (await client.adjust_stock(correction(5))).level
        assert (level.on_hand, level.available, level.version) == (5, 5, 1)
    (changed,) = await warehouse.published("inventory-changed")
    assert (changed["data"]["cause"], changed["correlationid"]) == ("adjustment", "tea.whs_berlin")
    assert "order_id" not in changed["data"]
    await client.reserve_stock(reservation(tea=3))
    with pytest.raises(FailedPrecondition) as caught:
        await client.adjust_stock(correction(-3, "a2"))
    assert code_of(caught.value) == "BELOW_RESERVED"
    assert (await client.adjust_stock(correction(-2, "a3"))).level.on_hand == 3
    assert (
        await warehouse.rows("SELECT reason FROM stock_movements WHERE cause = 'adjustment'")
        == [("ADJUSTMENT_REASON_DELIVERY",)] * 2
    )
    assert await warehouse.is_balanced()


async def test_more_than_can_be_counted_is_refused(client: WarehouseServiceClient) -> None:
    await client.adjust_stock(correction(5))
    with pytest.raises(InvalidArgument) as caught:
        await client.adjust_stock(correction(2**63 - 1, "a2"))
    assert fields_of(caught.value) == ["delta"]


async def test_what_breaks_the_contract_is_refused_with_the_path_of_each_field(
    client: WarehouseServiceClient, warehouse: Warehouse
) -> None:
    bad = reservation("no id!", "", tea=0)
    bad.lines.append(pb.StockLine(product_id="tea", quantity=1000))
    bad.ttl.CopyFrom(Duration(seconds=86401))
    with pytest.raises(InvalidArgument) as caught:
        await warehouse.rpcs.reserve_stock(bad, FakeCall())  # type: ignore[arg-type] # the client would add a key
    assert set(fields_of(caught.value)) == {
        "lines[0].quantity",
        "lines[1].product_id",
        "lines[1].quantity",
        "order_id",
        "ttl",
        "idempotency_key",
    }
    with pytest.raises(InvalidArgument) as caught:
        await client.check_availability(pb.CheckAvailabilityRequest())
    assert fields_of(caught.value) == ["lines"]
    with pytest.raises(InvalidArgument) as caught:
        await client.adjust_stock(pb.AdjustStockRequest(idempotency_key="k"))
    assert set(fields_of(caught.value)) == {"product_id", "warehouse_id", "delta", "reason"}
    with pytest.raises(InvalidArgument) as caught:
        await client.adjust_stock(correction(1, product="x" * 60))
    assert fields_of(caught.value) == ["warehouse_id"]
    with pytest.raises(InvalidArgument) as caught:
        await client.release_reservation(pb.ReleaseReservationRequest(reservation_id="rsv_1"))
    assert fields_of(caught.value) == ["reason"]
    with pytest.raises(NotFound) as missing:
        await client.commit_reservation(pb.CommitReservationRequest(reservation_id="rsv_1"))
    assert code_of(missing.value) == "NOT_FOUND"


async def test_the_stocktake_is_not_offered_yet(client: WarehouseServiceClient) -> None:
    answers = client.sync_stock([pb.SyncStockRequest(scan_id="1")])
    with pytest.raises(Unimplemented):
        await anext(aiter(answers))


async def test_without_a_database_calls_may_be_repeated() -> None:
    database = Database("postgresql://treaty@127.0.0.1:9/none", "warehouse", connect_timeout=1.0)
    stockroom = Stockroom(Outbox(database))
    server = GrpcServer()
    api.bind(server, WarehouseHandlers(database, stockroom))
    once = ClientOptions(retry=RetryPolicy(max_attempts=1))
    async with server, WarehouseServiceClient(server.address, options=once) as client:
        with pytest.raises(Unavailable) as caught:
            await client.reserve_stock(reservation(tea=1))
        assert code_of(caught.value) == "DATABASE_UNAVAILABLE"
    await database.close()


async def test_the_demonstration_stock_is_booked_once(warehouse: Warehouse) -> None:
    assert (await Seeds(warehouse.database, warehouse.stockroom).start()).startswith(f"{len(DEMO)} deliveries booked")
    booked = await warehouse.levels()
    assert booked["prd_tea_green.whs_berlin"] == (1000, 0)
    assert (await Seeds(warehouse.database, warehouse.stockroom).start()).startswith("0 deliveries booked")
    assert await warehouse.levels() == booked
    assert await warehouse.is_balanced()


class FakeCall:
    """A call without metadata."""

    idempotency_key = None
