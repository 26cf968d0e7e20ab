"""Messages through the official SDK: life cycle, magic numbers, refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest.api.v2010.account.message import MessageInstance

from harness.gateways.inprocess import RunningMock
from harness.gateways.outcomes import ControlError
from harness.gateways.twilio.gateway import ACCOUNT_SID, AUTH_TOKEN
from harness.gateways.twilio.segments import count_segments

FROM, TO = "+15005550006", "+14155552671"
SERVICE = "MG" + "0" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"


def code_of(call: Any, *arguments: Any, **named: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        call(*arguments, **named)
    return caught.value.status, caught.value.code


def test_a_new_message_is_queued_with_every_member_the_sdk_knows(mock: RunningMock, client: Any) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    message = client.messages.create(to=TO, from_=FROM, body="Hello")
    assert (message.status, message.direction, message.api_version) == ("queued", "outbound-api", "2010-04-01")
    assert (message.to, message.from_, message.body) == (TO, FROM, "Hello")
    assert (message.num_segments, message.num_media) == ("1", "0")
    assert (message.price, message.price_unit) == (None, "USD")
    assert (message.date_sent, message.error_code, message.error_message) == (None, None, None)
    assert message.date_created >= before
    assert message.sid.startswith("SM")
    assert message.uri == f"{PATH}/{message.sid}.json"
    assert message.subresource_uris == {"media": f"{PATH}/{message.sid}/Media.json"}


def test_the_answer_has_every_key_that_the_sdk_reads_and_rfc_2822_dates(mock: RunningMock, client: Any) -> None:
    answer = httpx.post(
        f"{mock.url}{PATH}.json", auth=(ACCOUNT_SID, AUTH_TOKEN), data={"To": TO, "From": FROM, "Body": "Hello"}
    )
    assert answer.status_code == 201
    read = vars(MessageInstance(client.api.v2010, {}, ACCOUNT_SID))
    assert set(answer.json()) == {name.rstrip("_") for name in read if not name.startswith("_")}
    created = datetime.strptime(answer.json()["date_created"], "%a, %d %b %Y %H:%M:%S %z")
    assert abs(created - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_message_is_sent_and_delivered_as_the_clock_moves(mock: RunningMock, client: Any) -> None:
    mock.control.freeze()
    sid = client.messages.create(to=TO, from_=FROM, body="Hello").sid
    seen = [client.messages(sid).fetch().status]
    for _ in range(4):
        mock.control.advance(0.25)
        seen.append(client.messages(sid).fetch().status)
    assert seen == ["queued", "sending", "sent", "sent", "delivered"]
    message = client.messages(sid).fetch()
    assert (message.price, message.price_unit) == ("-0.00790", "USD")
    assert message.date_sent >= message.date_created
    assert mock.control.ledger("message")[0]["status"] == "delivered"


@pytest.mark.parametrize(("number", "code"), [(1, 21211), (2, 21612), (3, 21408), (4, 21610), (9, 21614)])
def test_magic_recipients_are_refused(mock: RunningMock, client: Any, number: int, code: int) -> None:
    to = f"+1500555000{number}"
    assert code_of(client.messages.create, to=to, from_=FROM, body="Hello") == (400, code)
    assert mock.control.ledger() == []


@pytest.mark.parametrize(("number", "code"), [(1, 21212), (7, 21606), (8, 21611)])
def test_magic_senders_are_refused(mock: RunningMock, client: Any, number: int, code: int) -> None:
    assert code_of(client.messages.create, to=TO, from_=f"+1500555000{number}", body="Hello") == (400, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": None}, 21604),
        ({"to": ""}, 21604),
        ({"from_": None}, 21603),
        ({"body": None}, 21602),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"to": "12"}, 21211),
        ({"to": "+1415555267"}, 21211),
        ({"to": "+1415555abcd"}, 21211),
        ({"to": "whatsapp:+12"}, 21211),
        ({"from_": "+12"}, 21212),
        ({"from_": "a name that is too long"}, 21212),
        ({"status_callback": "not a url"}, 21609),
        ({"status_callback": "http://under_score.example/"}, 21609),
        ({"media_url": ["nowhere"]}, 21620),
        ({"media_url": ["http://127.0.0.1/a"] * 11}, 21623),
        ({"from_": None, "messaging_service_sid": "MG1"}, 21701),
        ({"validity_period": 0}, 20001),
        ({"content_retention": "burn"}, 20001),
    ],
)
def test_bad_messages_are_refused_with_twilios_codes(
    mock: RunningMock, client: Any, change: dict[str, Any], code: int
) -> None:
    arguments = {"to": TO, "from_": FROM, "body": "Hello", **change}
    given = {name: value for name, value in arguments.items() if value is not None}
    call = client.messages.create
    if "to" not in given:
        status, found = raw_error(mock, {"From": FROM, "Body": "Hello"})
        assert (status, found) == (400, code)
        return
    assert code_of(call, **given) == (400, code)
    assert mock.control.ledger() == []


def raw_error(mock: RunningMock, form: dict[str, str]) -> tuple[int, int]:
    answer = httpx.post(f"{mock.url}{PATH}.json", auth=(ACCOUNT_SID, AUTH_TOKEN), data=form)
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"To": "+14155552671"}', "application/json"),
        (b"", "application/x-www-form-urlencoded"),
        (b"To=%FF%FE&To=x&=&&%", "application/x-www-form-urlencoded"),
        (b"To=", "text/plain"),
    ],
)
def test_a_body_that_is_no_form_has_no_recipient(mock: RunningMock, content: bytes, kind: str) -> None:
    answer = httpx.post(
        f"{mock.url}{PATH}.json", auth=(ACCOUNT_SID, AUTH_TOKEN), content=content, headers={"content-type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 21604)
    assert answer.json()["more_info"] == "https://www.twilio.com/docs/errors/21604"


@pytest.mark.parametrize(
    ("to", "normal"), [("(415) 555-2671", TO), ("1 415 555 2671", TO), ("+49 30 901820", "+4930901820")]
)
def test_numbers_are_brought_to_e164(mock: RunningMock, client: Any, to: str, normal: str) -> None:
    assert client.messages.create(to=to, from_="SHOP", body="Hello").to == normal


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 10, 2),
        ("x" * 152 + "€" * 77, 3),
        ("é ü ñ Ω", 1),
        ("ê" + "x" * 69, 1),
        ("ê" + "x" * 70, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_by_alphabet(mock: RunningMock, client: Any, text: str, segments: int) -> None:
    assert count_segments(text) == segments
    assert client.messages.create(to=TO, from_=FROM, body=text).num_segments == str(segments)


def test_smart_encoding_keeps_a_text_in_the_gsm_alphabet(mock: RunningMock, client: Any) -> None:
    text = "\u201cIt\u2019s here\u201d\u2026" + "x" * 100
    assert client.messages.create(to=TO, from_=FROM, body=text).num_segments == "2"
    smart = client.messages.create(to=TO, from_=FROM, body=text, smart_encoded=True)
    assert (smart.num_segments, smart.body[:12]) == ("1", '"It\'s here".')


def test_pictures_make_a_multimedia_message(mock: RunningMock, client: Any) -> None:
    message = client.messages.create(to=TO, from_=FROM, media_url=["http://127.0.0.1/a", "http://127.0.0.1/b"])
    assert (message.sid[:2], message.num_media, message.body) == ("MM", "2", "")


def test_a_messaging_service_picks_the_sender_later(mock: RunningMock, client: Any) -> None:
    mock.control.freeze()
    message = client.messages.create(to=TO, messaging_service_sid=SERVICE, body="Hello")
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    mock.control.advance(1)
    message = client.messages(message.sid).fetch()
    assert (message.status, message.from_, message.num_segments) == ("delivered", FROM, "1")


def test_a_scheduled_message_waits_and_can_be_canceled(mock: RunningMock, client: Any) -> None:
    now = datetime.fromtimestamp(mock.control.freeze(), UTC)

    def schedule(**change: Any) -> Any:
        arguments = {"send_at": now + timedelta(hours=1), "schedule_type": "fixed", "body": "Hello", **change}
        return client.messages.create(to=TO, messaging_service_sid=SERVICE, **arguments)

    kept, dropped = schedule(), schedule()
    assert kept.status == dropped.status == "scheduled"
    assert client.messages(dropped.sid).update(status="canceled").status == "canceled"
    mock.control.advance(3602)
    assert client.messages(kept.sid).fetch().status == "delivered"
    assert client.messages(dropped.sid).fetch().status == "canceled"
    assert code_of(client.messages(kept.sid).update, status="canceled") == (409, 30409)
    assert code_of(schedule, send_at=now + timedelta(hours=1, minutes=5)) == (400, 35114)
    assert code_of(schedule, send_at="soon") == (400, 35114)
    with pytest.raises(TwilioRestException):
        client.messages.create(to=TO, messaging_service_sid=SERVICE, body="x", schedule_type="fixed")


def test_redacting_empties_the_body_only(mock: RunningMock, client: Any) -> None:
    sid = client.messages.create(to=TO, from_=FROM, body="Hello").sid
    assert code_of(client.messages(sid).update, body="Bye") == (400, 20001)
    assert client.messages(sid).update(body="").body == ""
    assert client.messages(sid).fetch().body == ""


def test_a_message_is_deleted_once_it_has_arrived(mock: RunningMock, client: Any) -> None:
    mock.control.freeze()
    sid = client.messages.create(to=TO, from_=FROM, body="Hello").sid
    assert code_of(client.messages(sid).delete) == (409, 20009)
    mock.control.advance(1)
    assert client.messages(sid).delete() is True
    assert code_of(client.messages(sid).fetch) == (404, 20404)
    assert code_of(client.messages(sid).delete) == (404, 20404)


def test_an_unknown_message_answers_20404_with_its_path(mock: RunningMock, client: Any) -> None:
    with pytest.raises(TwilioRestException) as caught:
        client.messages("SM" + "0" * 32).fetch()
    assert (caught.value.status, caught.value.code) == (404, 20404)
    assert f"The requested resource {PATH}/SM{'0' * 32}.json was not found" in caught.value.msg


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/2010-04-01/Accounts.json", 404, 20404),
        ("PUT", f"{PATH}.json", 405, 20004),
        ("GET", f"{PATH}.json?PageSize=0", 400, 20001),
        ("GET", f"{PATH}.json?PageSize=many", 400, 20001),
        ("GET", f"{PATH}.json?PageToken=x", 400, 20001),
        ("GET", f"{PATH}.json?DateSent=yesterday", 400, 20001),
        ("GET", f"{PATH}.json?DateSent=0001-01-01T00:00:00%2B23:00", 400, 20001),
    ],
)
def test_bad_requests_are_refused_in_twilios_words(
    mock: RunningMock, method: str, path: str, status: int, code: int
) -> None:
    answer = httpx.request(method, f"{mock.url}{path}", auth=(ACCOUNT_SID, AUTH_TOKEN))
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)


def test_scripted_failures_speak_twilio(mock: RunningMock, client: Any) -> None:
    mock.control.script({"status": 429}, {"status": 500}, {"decline": "21610"}, {"decline": "closed on Sundays"})
    found = [code_of(client.messages.create, to=TO, from_=FROM, body="Hello") for _ in range(4)]
    assert found == [(429, 20429), (500, 20500), (400, 21610), (400, 20001)]
    assert mock.control.ledger() == []


def test_a_message_whose_answer_was_lost_is_found_in_the_list(mock: RunningMock, client: Any) -> None:
    start = datetime.fromtimestamp(mock.control.now(), UTC)
    mock.control.script({"lost": True})
    with pytest.raises(requests.ConnectionError):
        client.messages.create(to=TO, from_=FROM, body="Order o1 is on its way")
    found = [each.body for each in client.messages.list(to=TO, date_sent_after=start)]
    assert found == ["Order o1 is on its way"]
    assert client.messages.list(to=FROM) == []


def test_the_control_calls_move_messages_and_refuse_nonsense(mock: RunningMock, client: Any) -> None:
    mock.control.action("deliver", automatic=False)
    sid = client.messages.create(to=TO, from_=FROM, body="Hello").sid
    mock.control.advance(10)
    assert client.messages(sid).fetch().status == "queued"
    mock.control.action("message_status", sid=sid, status="undelivered", error_code=30005)
    message = client.messages(sid).fetch()
    assert (message.status, message.error_code, message.error_message) == (
        "undelivered",
        30005,
        "Unknown destination handset",
    )
    for wrong in (
        {"sid": "SM1", "status": "sent"},
        {"sid": sid, "status": "lost"},
        {"sid": sid, "status": "failed", "error_code": 1},
    ):
        with pytest.raises(ControlError):
            mock.control.action("message_status", **wrong)
    with pytest.raises(ControlError):
        mock.control.action("deliver")


def test_a_snapshot_brings_messages_and_their_plans_back(mock: RunningMock, client: Any) -> None:
    mock.control.freeze()
    sid = client.messages.create(to=TO, from_=FROM, body="Hello").sid
    name = mock.control.snapshot()
    mock.control.advance(5)
    assert client.messages(sid).fetch().status == "delivered"
    mock.control.restore(name)
    assert client.messages(sid).fetch().status == "queued"
    mock.control.advance(5)
    assert client.messages(sid).fetch().status == "delivered"
