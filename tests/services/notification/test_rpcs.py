"""NotificationService over gRPC, on PostgreSQL and the mock of SendGrid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from shop.notification.v1 import notification_pb2 as pb
from shop.notification.v1.notification_grpc import NotificationServiceClient
from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, RpcError, Unimplemented
from shop.runtime.grpc_server import GrpcServer

from harness.gateways.inprocess import RunningMock
from services.notification import api
from services.notification.adapters.sealing import Unreadable, Vault
from services.notification.config import Config
from services.platform.refusals import code_of, detail_of
from tests.services.notification.conftest import DATA_KEY, Service

VALUES = {"order_id": "ord_7", "total": "35.69 EUR"}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[NotificationServiceClient]:
    server = GrpcServer()
    api.bind(server, service.rpcs)
    async with server, NotificationServiceClient(server.address) as client:
        yield client


def wish(key: str = "k1", template: str = "order-confirmation", **more: object) -> pb.SendNotificationRequest:
    request = pb.SendNotificationRequest(
        channel=pb.NOTIFICATION_CHANNEL_EMAIL,
        email="ada@example.com",
        template_id=template,
        variables=VALUES,
        idempotency_key=key,
    )
    for name, value in more.items():
        setattr(request, name, value)
    return request


def fields_of(error: RpcError) -> list[str]:
    detail = detail_of(error)
    assert detail is not None
    return [each.field for each in detail.errors]


async def test_a_repeated_request_is_one_mail(
    client: NotificationServiceClient, service: Service, mails: RunningMock
) -> None:
    answers = await asyncio.gather(*(client.send_notification(wish()) for _ in range(5)))
    assert len({each.notification.notification_id for each in answers}) == 1
    accepted = answers[0].notification
    assert (accepted.status, accepted.attempts) == (pb.NOTIFICATION_STATUS_QUEUED, 0)
    assert not accepted.HasField("provider_message_id")
    assert await service.deliver() == [None]
    request = pb.GetNotificationStatusRequest(notification_id=accepted.notification_id)
    shown = (await client.get_notification_status(request)).notification
    (entry,) = mails.control.ledger("mail")
    assert (shown.status, shown.attempts) == (pb.NOTIFICATION_STATUS_SENT, 1)
    assert (entry["key"], entry["data"]["request_id"]) == (shown.notification_id, shown.provider_message_id)
    (queued,) = await service.published("notification-delivery")
    assert (queued["correlationid"], queued["data"]["variables"]) == ("ord_7", VALUES)
    assert "ada@example.com" not in str(queued)


async def test_a_key_that_comes_with_another_request_is_refused(client: NotificationServiceClient) -> None:
    await client.send_notification(wish())
    with pytest.raises(FailedPrecondition) as caught:
        await client.send_notification(wish(template="order-cancelled"))
    assert code_of(caught.value) == "IDEMPOTENCY_KEY_REUSED"


async def test_what_breaks_the_contract_is_refused_with_the_path_of_each_field(
    client: NotificationServiceClient,
) -> None:
    bad = pb.SendNotificationRequest(
        channel=pb.NOTIFICATION_CHANNEL_EMAIL,
        phone_number="+4930901820",
        template_id="order-confirmation",
        variables={"order_id": "x" * 1001},
        customer_id="no id!",
        locale="?",
        idempotency_key="k",
    )
    with pytest.raises(InvalidArgument) as caught:
        await client.send_notification(bad)
    assert set(fields_of(caught.value)) == {
        "phone_number",
        "customer_id",
        "locale",
        "variables.total",
        "variables.order_id",
    }
    with pytest.raises(InvalidArgument) as caught:
        await client.send_notification(wish(email="nobody"))
    assert fields_of(caught.value) == ["email"]
    assert "nobody" not in str(caught.value)
    with pytest.raises(InvalidArgument) as caught:
        await client.send_notification(wish(channel=0))
    assert fields_of(caught.value) == ["channel"]


async def test_what_is_not_there_is_not_found_and_what_is_not_offered_is_said(
    client: NotificationServiceClient,
) -> None:
    with pytest.raises(NotFound):
        await client.send_notification(wish(template="no-such-template"))
    with pytest.raises(NotFound):
        await client.get_notification_status(pb.GetNotificationStatusRequest(notification_id="ntf_1"))
    with pytest.raises(Unimplemented):
        await client.send_notification(wish(channel=pb.NOTIFICATION_CHANNEL_SMS))


async def test_a_mail_for_later_waits(client: NotificationServiceClient, service: Service, mails: RunningMock) -> None:
    request = wish()
    request.send_after.FromDatetime(service.clock().replace(year=2100))
    await client.send_notification(request)
    (outcome,) = await service.deliver()
    assert outcome is not None
    assert mails.control.ledger("mail") == []


def test_what_is_sealed_can_only_be_opened_with_its_key_and_for_its_record() -> None:
    vault = Vault(DATA_KEY)
    sealed = vault.seal({"email": "ada@example.com"}, of="cus_1")
    assert vault.open(sealed, of="cus_1") == {"email": "ada@example.com"}
    assert sealed != vault.seal({"email": "ada@example.com"}, of="cus_1")
    other = Vault(DATA_KEY.replace("A", "B", 1))
    for opener, record, body in (
        (vault, "cus_2", sealed),
        (other, "cus_1", sealed),
        (vault, "cus_1", sealed[:-1] + b"\0"),
        (vault, "cus_1", b"\x02" + sealed[1:]),
    ):
        with pytest.raises(Unreadable):
            opener.open(body, of=record)


@pytest.mark.parametrize("key", ["", "c2hvcnQ=", "not base64!"])
def test_a_data_key_that_is_none_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64") as caught:
        Vault(key)
    assert not key or key not in str(caught.value)


def test_secrets_must_be_set_and_are_not_shown() -> None:
    with pytest.raises(ValueError, match="NOTIFICATION_DATA_KEY and NOTIFICATION_SENDGRID_KEY must be set"):
        Config.from_environment({})
    config = Config.from_environment(
        {"NOTIFICATION_DATA_KEY": DATA_KEY, "NOTIFICATION_SENDGRID_KEY": "SG.secret", "NOTIFICATION_DRAIN": "3"}
    )
    assert config.drain == 3.0
    assert not any(secret in repr(config) for secret in (DATA_KEY, "SG.secret"))
